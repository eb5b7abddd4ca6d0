/*===- CudaDeclarations.cpp - Are our declarations of the driver those of cuda.h? -----------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Compiled where the CUDA toolkit is installed. Functions are compared with the typedefs of the pinned   *|
|* version (cudaTypedefs.h), structs field by field.                                                      *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "CudaApi.h"

#include <cuda.h>
#include <cudaTypedefs.h>
#include <type_traits>

#define SAME_FIELD(ours, our, theirs, their)                                                                           \
  static_assert(offsetof(ours, our) == offsetof(theirs, their) &&                                                      \
                    sizeof(((ours *)nullptr)->our) == sizeof(((theirs *)nullptr)->their),                                          \
                #their)
#define SAME_SIZE(ours, theirs) static_assert(sizeof(ours) == sizeof(theirs), #theirs)
#define SAME_VALUE(ours, theirs) static_assert((int)(ours) == (int)(theirs), #theirs)

SAME_SIZE(TfcCuResult, CUresult);
SAME_SIZE(TfcCuDevice, CUdevice);
SAME_SIZE(TfcCuPointer, CUdeviceptr);

SAME_SIZE(TfcCuLaunchConfig, CUlaunchConfig);
SAME_FIELD(TfcCuLaunchConfig, grid[0], CUlaunchConfig, gridDimX);
SAME_FIELD(TfcCuLaunchConfig, grid[2], CUlaunchConfig, gridDimZ);
SAME_FIELD(TfcCuLaunchConfig, block[0], CUlaunchConfig, blockDimX);
SAME_FIELD(TfcCuLaunchConfig, block[2], CUlaunchConfig, blockDimZ);
SAME_FIELD(TfcCuLaunchConfig, shared, CUlaunchConfig, sharedMemBytes);
SAME_FIELD(TfcCuLaunchConfig, stream, CUlaunchConfig, hStream);
SAME_FIELD(TfcCuLaunchConfig, attributes, CUlaunchConfig, attrs);
SAME_FIELD(TfcCuLaunchConfig, attribute_count, CUlaunchConfig, numAttrs);

SAME_SIZE(TfcCuLaunchAttribute, CUlaunchAttribute);
SAME_FIELD(TfcCuLaunchAttribute, id, CUlaunchAttribute, id);
SAME_FIELD(TfcCuLaunchAttribute, value, CUlaunchAttribute, value);
SAME_FIELD(TfcCuLaunchAttribute, value.cluster.x, CUlaunchAttribute, value.clusterDim.x);
SAME_FIELD(TfcCuLaunchAttribute, value.cluster.z, CUlaunchAttribute, value.clusterDim.z);

SAME_FIELD(TfcCuLaunchAttribute, value.overlaps, CUlaunchAttribute, value.programmaticStreamSerializationAllowed);

SAME_SIZE(TfcCuKernelNode, CUDA_KERNEL_NODE_PARAMS_v2);
SAME_FIELD(TfcCuKernelNode, function, CUDA_KERNEL_NODE_PARAMS_v2, func);
SAME_FIELD(TfcCuKernelNode, grid[0], CUDA_KERNEL_NODE_PARAMS_v2, gridDimX);
SAME_FIELD(TfcCuKernelNode, block[0], CUDA_KERNEL_NODE_PARAMS_v2, blockDimX);
SAME_FIELD(TfcCuKernelNode, shared, CUDA_KERNEL_NODE_PARAMS_v2, sharedMemBytes);
SAME_FIELD(TfcCuKernelNode, parameters, CUDA_KERNEL_NODE_PARAMS_v2, kernelParams);
SAME_FIELD(TfcCuKernelNode, extra, CUDA_KERNEL_NODE_PARAMS_v2, extra);
SAME_FIELD(TfcCuKernelNode, kernel, CUDA_KERNEL_NODE_PARAMS_v2, kern);
SAME_FIELD(TfcCuKernelNode, context, CUDA_KERNEL_NODE_PARAMS_v2, ctx);

SAME_SIZE(TfcCuTensorMap, CUtensorMap);
static_assert(alignof(TfcCuTensorMap) >= alignof(CUtensorMap), "alignment of CUtensorMap");

SAME_VALUE(TfcCuSuccess, CUDA_SUCCESS);
SAME_VALUE(TfcCuOutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
SAME_VALUE(TfcCuNoDevice, CUDA_ERROR_NO_DEVICE);
SAME_VALUE(TfcCuInvalidDevice, CUDA_ERROR_INVALID_DEVICE);
SAME_VALUE(TfcCuNoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
SAME_VALUE(TfcCuInvalidPtx, CUDA_ERROR_INVALID_PTX);
SAME_VALUE(TfcCuUnsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
SAME_VALUE(TfcCuCapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
SAME_VALUE(TfcCuCapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
SAME_VALUE(TfcCuClockRate, CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
SAME_VALUE(TfcCuMultiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
SAME_VALUE(TfcCuRecordExternal, CU_EVENT_RECORD_EXTERNAL);
SAME_VALUE(TfcCuMaxDynamicShared, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
SAME_VALUE(TfcCuJitErrorLog, CU_JIT_ERROR_LOG_BUFFER);
SAME_VALUE(TfcCuJitErrorLogBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
SAME_VALUE(TfcCuStreamNonBlocking, CU_STREAM_NON_BLOCKING);
SAME_VALUE(TfcCuCaptureThreadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
SAME_VALUE(TfcCuClusterDimension, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
SAME_VALUE(TfcCuSerialization, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
SAME_VALUE(TfcCuMapU8, CU_TENSOR_MAP_DATA_TYPE_UINT8);
SAME_VALUE(TfcCuMapU16, CU_TENSOR_MAP_DATA_TYPE_UINT16);
SAME_VALUE(TfcCuMapU32, CU_TENSOR_MAP_DATA_TYPE_UINT32);
SAME_VALUE(TfcCuMapI32, CU_TENSOR_MAP_DATA_TYPE_INT32);
SAME_VALUE(TfcCuMapU64, CU_TENSOR_MAP_DATA_TYPE_UINT64);
SAME_VALUE(TfcCuMapI64, CU_TENSOR_MAP_DATA_TYPE_INT64);
SAME_VALUE(TfcCuMapF16, CU_TENSOR_MAP_DATA_TYPE_FLOAT16);
SAME_VALUE(TfcCuMapF32, CU_TENSOR_MAP_DATA_TYPE_FLOAT32);
SAME_VALUE(TfcCuMapF64, CU_TENSOR_MAP_DATA_TYPE_FLOAT64);
SAME_VALUE(TfcCuMapBF16, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);
SAME_VALUE(TfcCuSwizzleNone, CU_TENSOR_MAP_SWIZZLE_NONE);
SAME_VALUE(TfcCuSwizzle32, CU_TENSOR_MAP_SWIZZLE_32B);
SAME_VALUE(TfcCuSwizzle64, CU_TENSOR_MAP_SWIZZLE_64B);
SAME_VALUE(TfcCuSwizzle128, CU_TENSOR_MAP_SWIZZLE_128B);
SAME_VALUE(TfcCuPromote256, CU_TENSOR_MAP_L2_PROMOTION_L2_256B);

/*===-- Functions ---------------------------------------------------------------------------------------===*/

template <typename A, typename B> constexpr bool areAlike() {
  return sizeof(A) == sizeof(B) && std::is_pointer<A>::value == std::is_pointer<B>::value;
}

/* Handles are pointers and enums are ints on both sides, by other names. */
template <typename R, typename... A, typename S, typename... B>
constexpr bool haveSameParameters(R (*)(A...), S (*)(B...)) {
  if constexpr (sizeof...(A) != sizeof...(B))
    return false;
  else
    return sizeof(R) == sizeof(S) && (areAlike<A, B>() && ...);
}

struct OurFunctions {
#define X(member, name, parameters) TfcCuResult(*member) parameters;
  TFC_CUDA_FUNCTIONS(X)
#undef X
};

/* The typedefs of the version that is pinned. */
#define CHECK(member, theirs)                                                                                          \
  static_assert(haveSameParameters(decltype(OurFunctions::member)(nullptr), theirs(nullptr)), #theirs)

CHECK(init, PFN_cuInit_v2000);
CHECK(errorString, PFN_cuGetErrorString_v6000);
CHECK(deviceCount, PFN_cuDeviceGetCount_v2000);
CHECK(deviceGet, PFN_cuDeviceGet_v2000);
CHECK(deviceName, PFN_cuDeviceGetName_v2000);
CHECK(deviceAttribute, PFN_cuDeviceGetAttribute_v2000);
CHECK(retainContext, PFN_cuDevicePrimaryCtxRetain_v7000);
CHECK(releaseContext, PFN_cuDevicePrimaryCtxRelease_v11000);
CHECK(pushContext, PFN_cuCtxPushCurrent_v4000);
CHECK(popContext, PFN_cuCtxPopCurrent_v4000);
CHECK(loadModule, PFN_cuModuleLoadDataEx_v2010);
CHECK(unloadModule, PFN_cuModuleUnload_v2000);
CHECK(getFunction, PFN_cuModuleGetFunction_v2000);
CHECK(setAttribute, PFN_cuFuncSetAttribute_v9000);
CHECK(launch, PFN_cuLaunchKernelEx_v11060);
CHECK(encodeMap, PFN_cuTensorMapEncodeTiled_v12000);
CHECK(allocate, PFN_cuMemAlloc_v3020);
CHECK(release, PFN_cuMemFree_v3020);
CHECK(copyToDevice, PFN_cuMemcpyHtoDAsync_v3020);
CHECK(copyToHost, PFN_cuMemcpyDtoHAsync_v3020);
CHECK(copyOnDevice, PFN_cuMemcpyDtoDAsync_v3020);
CHECK(fill, PFN_cuMemsetD8Async_v3020);
CHECK(createStream, PFN_cuStreamCreate_v2000);
CHECK(destroyStream, PFN_cuStreamDestroy_v4000);
CHECK(synchronize, PFN_cuStreamSynchronize_v2000);
CHECK(createEvent, PFN_cuEventCreate_v2000);
CHECK(destroyEvent, PFN_cuEventDestroy_v4000);
CHECK(recordEvent, PFN_cuEventRecordWithFlags_v11010);
CHECK(elapsedTime, PFN_cuEventElapsedTime_v2000);
CHECK(beginCapture, PFN_cuStreamBeginCapture_v10010);
CHECK(endCapture, PFN_cuStreamEndCapture_v10000);
CHECK(captureInfo, PFN_cuStreamGetCaptureInfo_v11030);
CHECK(instantiate, PFN_cuGraphInstantiateWithFlags_v11040);
CHECK(setNode, PFN_cuGraphExecKernelNodeSetParams_v12000);
CHECK(launchGraph, PFN_cuGraphLaunch_v10000);
CHECK(destroyExec, PFN_cuGraphExecDestroy_v10000);
CHECK(destroyGraph, PFN_cuGraphDestroy_v10000);
