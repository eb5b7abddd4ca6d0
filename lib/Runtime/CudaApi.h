/*===- CudaApi.h - The part of NVIDIA's driver interface that tfc uses ------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Written down here because cuda.h comes with a toolkit that nothing of tfc may need. Where the toolkit  *|
|* is there, test/Unit/Runtime/CudaDeclarations.c compares every line of this with it. Types have names   *|
|* of our own, so that both can be included together.                                                     *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_RUNTIME_CUDAAPI_H
#define TFC_RUNTIME_CUDAAPI_H

#include <stddef.h>
#include <stdint.h>

/** The oldest interface that has everything below: CUDA 12.0. */
#define TFC_CUDA_VERSION 12000

typedef int TfcCuResult;
typedef int TfcCuDevice;
typedef unsigned long long TfcCuPointer;
typedef struct CUctx_st *TfcCuContext;
typedef struct CUmod_st *TfcCuModule;
typedef struct CUfunc_st *TfcCuFunction;
typedef struct CUstream_st *TfcCuStream;
typedef struct CUevent_st *TfcCuEvent;
typedef struct CUgraph_st *TfcCuGraph;
typedef struct CUgraphNode_st *TfcCuGraphNode;
typedef struct CUgraphExec_st *TfcCuGraphExec;

enum {
  TfcCuSuccess = 0,
  TfcCuOutOfMemory = 2,
  TfcCuNoDevice = 100,
  TfcCuInvalidDevice = 101,
  TfcCuNoBinaryForGpu = 209,
  TfcCuInvalidPtx = 218,
  TfcCuUnsupportedPtxVersion = 222
};

/* CUdevice_attribute */
enum { TfcCuClockRate = 13, TfcCuMultiprocessors = 16, TfcCuCapabilityMajor = 75, TfcCuCapabilityMinor = 76 };
/* CUfunction_attribute */
enum { TfcCuMaxDynamicShared = 8 };
/* CUjit_option */
enum { TfcCuJitErrorLog = 5, TfcCuJitErrorLogBytes = 6 };
/* CUstream_flags */
enum { TfcCuStreamNonBlocking = 1 };
/* CUevent_record_flags: in a capture, a node that records whenever the graph runs */
enum { TfcCuRecordExternal = 1 };
/* CUstreamCaptureMode */
enum { TfcCuCaptureThreadLocal = 1 };
/* CUlaunchAttributeID */
enum { TfcCuClusterDimension = 4, TfcCuSerialization = 6 };

typedef struct TfcCuLaunchAttribute {
  int id;
  char pad[4];
  union {
    char bytes[64];
    struct {
      unsigned x, y, z;
    } cluster;
    int overlaps; /* of TfcCuSerialization, "programmatic" */
  } value;
} TfcCuLaunchAttribute;

typedef struct TfcCuLaunchConfig {
  unsigned grid[3], block[3];
  unsigned shared;
  TfcCuStream stream;
  TfcCuLaunchAttribute *attributes;
  unsigned attribute_count;
} TfcCuLaunchConfig;

/* CUDA_KERNEL_NODE_PARAMS_v2 */
typedef struct TfcCuKernelNode {
  TfcCuFunction function;
  unsigned grid[3], block[3];
  unsigned shared;
  void **parameters;
  void **extra;
  void *kernel;
  TfcCuContext context;
} TfcCuKernelNode;

typedef struct TfcCuTensorMap {
  uint64_t opaque[16] __attribute__((aligned(128)));
} TfcCuTensorMap;

/* CUtensorMapDataType */
enum {
  TfcCuMapU8 = 0, TfcCuMapU16 = 1, TfcCuMapU32 = 2, TfcCuMapI32 = 3, TfcCuMapU64 = 4, TfcCuMapI64 = 5,
  TfcCuMapF16 = 6, TfcCuMapF32 = 7, TfcCuMapF64 = 8, TfcCuMapBF16 = 9
};
/* CUtensorMapSwizzle, CUtensorMapL2promotion */
enum { TfcCuSwizzleNone = 0, TfcCuSwizzle32 = 1, TfcCuSwizzle64 = 2, TfcCuSwizzle128 = 3, TfcCuPromote256 = 3 };

typedef TfcCuResult (*TfcCuGetProcAddress)(const char *name, void **function, int version, uint64_t flags, int *status);

/**
 * The functions, by the names that cuGetProcAddress knows; X(member, name, result, parameters). Every version is the one that
 * TFC_CUDA_VERSION has.
 */
#define TFC_CUDA_FUNCTIONS(X)                                                                                          \
  X(init, "cuInit", (unsigned flags))                                                                                  \
  X(errorString, "cuGetErrorString", (TfcCuResult result, const char **text))                                          \
  X(deviceCount, "cuDeviceGetCount", (int *count))                                                                     \
  X(deviceGet, "cuDeviceGet", (TfcCuDevice * device, int ordinal))                                                     \
  X(deviceName, "cuDeviceGetName", (char *name, int bytes, TfcCuDevice device))                                        \
  X(deviceAttribute, "cuDeviceGetAttribute", (int *value, int attribute, TfcCuDevice device))                          \
  X(retainContext, "cuDevicePrimaryCtxRetain", (TfcCuContext * context, TfcCuDevice device))                           \
  X(releaseContext, "cuDevicePrimaryCtxRelease", (TfcCuDevice device))                                                 \
  X(pushContext, "cuCtxPushCurrent", (TfcCuContext context))                                                           \
  X(popContext, "cuCtxPopCurrent", (TfcCuContext * context))                                                           \
  X(loadModule, "cuModuleLoadDataEx",                                                                                  \
    (TfcCuModule * module, const void *image, unsigned count, int *options, void **values))                            \
  X(unloadModule, "cuModuleUnload", (TfcCuModule module))                                                              \
  X(getFunction, "cuModuleGetFunction", (TfcCuFunction * function, TfcCuModule module, const char *name))              \
  X(setAttribute, "cuFuncSetAttribute", (TfcCuFunction function, int attribute, int value))                            \
  X(launch, "cuLaunchKernelEx",                                                                                        \
    (const TfcCuLaunchConfig *config, TfcCuFunction function, void **parameters, void **extra))                        \
  X(encodeMap, "cuTensorMapEncodeTiled",                                                                               \
    (TfcCuTensorMap * map, int type, uint32_t rank, void *address, const uint64_t *dims, const uint64_t *strides,      \
     const uint32_t *box, const uint32_t *steps, int interleave, int swizzle, int promotion, int fill))                \
  X(allocate, "cuMemAlloc", (TfcCuPointer * pointer, size_t bytes))                                                    \
  X(release, "cuMemFree", (TfcCuPointer pointer))                                                                      \
  X(copyToDevice, "cuMemcpyHtoDAsync", (TfcCuPointer to, const void *from, size_t bytes, TfcCuStream stream))          \
  X(copyToHost, "cuMemcpyDtoHAsync", (void *to, TfcCuPointer from, size_t bytes, TfcCuStream stream))                  \
  X(copyOnDevice, "cuMemcpyDtoDAsync", (TfcCuPointer to, TfcCuPointer from, size_t bytes, TfcCuStream stream))         \
  X(fill, "cuMemsetD8Async", (TfcCuPointer to, unsigned char value, size_t count, TfcCuStream stream))                 \
  X(createStream, "cuStreamCreate", (TfcCuStream * stream, unsigned flags))                                            \
  X(destroyStream, "cuStreamDestroy", (TfcCuStream stream))                                                            \
  X(synchronize, "cuStreamSynchronize", (TfcCuStream stream))                                                          \
  X(createEvent, "cuEventCreate", (TfcCuEvent * event, unsigned flags))                                                \
  X(destroyEvent, "cuEventDestroy", (TfcCuEvent event))                                                                \
  X(recordEvent, "cuEventRecordWithFlags", (TfcCuEvent event, TfcCuStream stream, unsigned flags))                     \
  X(elapsedTime, "cuEventElapsedTime", (float *milliseconds, TfcCuEvent begin, TfcCuEvent end))                        \
  X(beginCapture, "cuStreamBeginCapture", (TfcCuStream stream, int mode))                                              \
  X(endCapture, "cuStreamEndCapture", (TfcCuStream stream, TfcCuGraph * graph))                                        \
  X(captureInfo, "cuStreamGetCaptureInfo",                                                                             \
    (TfcCuStream stream, int *status, uint64_t *id, TfcCuGraph *graph, const TfcCuGraphNode **last, size_t *count))    \
  X(instantiate, "cuGraphInstantiateWithFlags", (TfcCuGraphExec * exec, TfcCuGraph graph, unsigned long long flags))   \
  X(setNode, "cuGraphExecKernelNodeSetParams",                                                                         \
    (TfcCuGraphExec exec, TfcCuGraphNode node, const TfcCuKernelNode *parameters))                                     \
  X(launchGraph, "cuGraphLaunch", (TfcCuGraphExec exec, TfcCuStream stream))                                           \
  X(destroyExec, "cuGraphExecDestroy", (TfcCuGraphExec exec))                                                          \
  X(destroyGraph, "cuGraphDestroy", (TfcCuGraph graph))

#endif /* TFC_RUNTIME_CUDAAPI_H */
