//===- StubCuda.cpp - A driver that runs kernels in the emulator ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Has the functions that the runtime asks cuGetProcAddress for, and nothing else. Memory of the device is memory of the host, registered with the
// emulator, so that a kernel that leaves its buffers is found out. Streams do everything at once; capture and graphs work as the driver's do as far as
// the runtime uses them. Mistakes of the caller that a driver would not forgive are refused: calls without a context, copies beyond an
// allocation, allocations and copies while a stream is captured.
//
//===----------------------------------------------------------------------------------------------===//

#include "CudaApi.h"
#include "GpuEmulator.h"
#include "Settings.h"
#include "tfc-c/EmulatedCode.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unistd.h>
#include <vector>

using namespace tfc::stub;

namespace {

enum { InvalidValue = 1, NotInitialized = 3, NoContext = 201, NotFound = 500, LaunchFailed = 719, NotPermitted = 800 };

using Time = std::chrono::steady_clock::time_point;

struct Event {
  bool isRecorded = false;
  Time time;
};

/// A launch, with copies of its parameters; or the recording of an event.
struct Node {
  const TfcEmulatedFunction *function;
  TfcEmuLaunch launch;
  std::vector<std::vector<uint8_t>> parameters;
  Event *event = nullptr;
};

struct Stream {
  bool captures = false;
  std::vector<std::unique_ptr<Node>> captured;
  TfcCuGraphNode last = nullptr;
};

struct Graph {
  std::vector<std::unique_ptr<Node>> nodes;
};

struct Exec {
  std::vector<Node> nodes;
  std::map<TfcCuGraphNode, size_t> numbers;
};

struct Device {
  std::mutex lock;
  Settings settings;
  bool started = false;
  std::map<std::string, int> calls;
  std::map<TfcCuPointer, size_t> allocations;
  uint64_t used = 0;
  bool isCaptured = false;
  std::string message = "the stub was told to fail";
};

Device device;
thread_local int contexts;

/// What is in front of every call: the log, and the failure that was asked for.
TfcCuResult begin(const char *name, const std::string &details = "") {
  int call = ++device.calls[name];
  if (!device.settings.log.empty())
    if (std::FILE *file = std::fopen(device.settings.log.c_str(), "a")) {
      std::fprintf(file, "%s%s%s\n", name, details.empty() ? "" : " ", details.c_str());
      std::fclose(file);
    }
  if (device.settings.failing == name && call == device.settings.failingCall) {
    while (device.settings.hangs)
      pause();
    return device.settings.failingCode;
  }
  return TfcCuSuccess;
}

/// The same for calls that need a context.
TfcCuResult enter(const char *name, const std::string &details = "") {
  if (TfcCuResult failed = begin(name, details))
    return failed;
  return !device.started ? int(NotInitialized) : contexts <= 0 ? int(NoContext) : int(TfcCuSuccess);
}

/// Whether the bytes lie in one allocation.
bool isAllocated(TfcCuPointer address, size_t bytes) {
  auto next = device.allocations.upper_bound(address);
  if (next == device.allocations.begin())
    return false;
  auto range = std::prev(next);
  return address + bytes <= range->first + range->second;
}

TfcCuResult copy(const char *name, void *to, const void *from, size_t bytes, TfcCuPointer onDevice) {
  if (TfcCuResult failed = enter(name, std::to_string(bytes)))
    return failed;
  if (device.isCaptured)
    return NotPermitted;
  if (!isAllocated(onDevice, bytes))
    return InvalidValue;
  std::memcpy(to, from, bytes);
  return TfcCuSuccess;
}

TfcCuResult recordNow(Event &event) {
  event = {true, std::chrono::steady_clock::now()};
  return TfcCuSuccess;
}

TfcCuResult run(Node &node) {
  if (node.event)
    return recordNow(*node.event);
  std::vector<void *> parameters;
  for (std::vector<uint8_t> &parameter : node.parameters)
    parameters.push_back(parameter.data());
  char message[256];
  if (tfc_emu_launch(node.function->run, &node.launch, parameters.data(), message, sizeof(message)) == 0)
    return TfcCuSuccess;
  device.message = std::string(node.function->name) + ": " + message;
  std::fprintf(stderr, "emulated GPU: %s\n", device.message.c_str());
  return LaunchFailed;
}

/// What attributes say of a launch; patching a node's parameters leaves it as it is.
struct LaunchKind {
  uint32_t overlaps = 0, cluster = 1;
};

Node makeNode(const TfcEmulatedFunction *function, const unsigned *grid, const unsigned *block, unsigned shared, LaunchKind kind,
              void **parameters) {
  Node node{function, {{grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared, kind.overlaps, kind.cluster}, {}};
  for (uint32_t i = 0; i < function->parameter_count; ++i) {
    auto *bytes = static_cast<const uint8_t *>(parameters[i]);
    // Tensor maps are 128 bytes, which kernels may want aligned to 64.
    node.parameters.emplace_back(bytes, bytes + function->parameter_bytes[i]);
  }
  return node;
}

void *memoryOf(TfcCuPointer pointer) { return reinterpret_cast<void *>(static_cast<uintptr_t>(pointer)); }

//===----------------------------------------------------------------------------------------------===//
// Devices, contexts, code
//===----------------------------------------------------------------------------------------------===//

TfcCuResult stub_init(unsigned) {
  device.settings = readSettings();
  device.calls.clear();
  if (TfcCuResult failed = begin("cuInit"))
    return failed;
  if (device.settings.devices == 0)
    return TfcCuNoDevice;
  device.started = true;
  return TfcCuSuccess;
}

TfcCuResult stub_errorString(TfcCuResult result, const char **text) {
  *text = result == TfcCuOutOfMemory ? "out of memory" : result == LaunchFailed ? device.message.c_str() : "a failure of the stub";
  return TfcCuSuccess;
}

TfcCuResult stub_deviceCount(int *count) {
  *count = device.settings.devices;
  return begin("cuDeviceGetCount");
}

TfcCuResult stub_deviceGet(TfcCuDevice *result, int ordinal) {
  *result = ordinal;
  return ordinal < device.settings.devices ? begin("cuDeviceGet") : TfcCuInvalidDevice;
}

TfcCuResult stub_deviceName(char *name, int bytes, TfcCuDevice) {
  std::snprintf(name, size_t(bytes), "emulated");
  return TfcCuSuccess;
}

TfcCuResult stub_deviceAttribute(int *value, int attribute, TfcCuDevice) {
  *value = attribute == TfcCuCapabilityMajor   ? device.settings.capability / 10
           : attribute == TfcCuCapabilityMinor ? device.settings.capability % 10
           : attribute == TfcCuMultiprocessors ? 4
                                               : 1000000; // kHz
  return begin("cuDeviceGetAttribute");
}

TfcCuResult stub_retainContext(TfcCuContext *context, TfcCuDevice) {
  *context = reinterpret_cast<TfcCuContext>(&device);
  return begin("cuDevicePrimaryCtxRetain");
}

TfcCuResult stub_releaseContext(TfcCuDevice) { return begin("cuDevicePrimaryCtxRelease"); }

TfcCuResult stub_pushContext(TfcCuContext) {
  TfcCuResult failed = begin("cuCtxPushCurrent");
  contexts += !failed;
  return failed;
}

TfcCuResult stub_popContext(TfcCuContext *context) {
  *context = reinterpret_cast<TfcCuContext>(&device);
  --contexts;
  return begin("cuCtxPopCurrent");
}

TfcCuResult stub_loadModule(TfcCuModule *module, const void *image, unsigned, int *, void **) {
  if (TfcCuResult failed = enter("cuModuleLoadDataEx"))
    return failed;
  auto *code = static_cast<const TfcEmulatedCode *>(image);
  if (code->magic != TFC_EMULATED_MAGIC)
    return TfcCuNoBinaryForGpu;
  for (uint32_t i = 0; i < code->import_count; ++i) {
    void *found = dlsym(RTLD_DEFAULT, code->imports[i].name);
    if (!found) {
      Dl_info self;
      void *own = dladdr(reinterpret_cast<void *>(&tfc_emu_launch), &self) ? dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD) : nullptr;
      found = own ? dlsym(own, code->imports[i].name) : nullptr;
    }
    if (!found) {
      std::fprintf(stderr, "emulated GPU: kernels want '%s', which the emulator does not have\n", code->imports[i].name);
      return TfcCuInvalidPtx;
    }
    *code->imports[i].slot = found;
  }
  for (uint32_t i = 0; i < code->constant_count; ++i)
    tfc_emu_register(code->constants[i].bytes, code->constants[i].count);
  *module = reinterpret_cast<TfcCuModule>(const_cast<TfcEmulatedCode *>(code));
  return TfcCuSuccess;
}

TfcCuResult stub_unloadModule(TfcCuModule module) {
  auto *code = reinterpret_cast<const TfcEmulatedCode *>(module);
  for (uint32_t i = 0; i < code->constant_count; ++i)
    tfc_emu_unregister(code->constants[i].bytes);
  return enter("cuModuleUnload");
}

TfcCuResult stub_getFunction(TfcCuFunction *function, TfcCuModule module, const char *name) {
  if (TfcCuResult failed = enter("cuModuleGetFunction", name))
    return failed;
  auto *code = reinterpret_cast<const TfcEmulatedCode *>(module);
  for (uint32_t i = 0; i < code->function_count; ++i)
    if (std::strcmp(code->functions[i].name, name) == 0) {
      *function = reinterpret_cast<TfcCuFunction>(const_cast<TfcEmulatedFunction *>(&code->functions[i]));
      return TfcCuSuccess;
    }
  return NotFound;
}

TfcCuResult stub_setAttribute(TfcCuFunction, int, int) { return enter("cuFuncSetAttribute"); }

//===----------------------------------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------------------------------===//

TfcCuResult stub_launch(const TfcCuLaunchConfig *config, TfcCuFunction function, void **parameters, void **) {
  auto *kernel = reinterpret_cast<const TfcEmulatedFunction *>(function);
  auto *stream = reinterpret_cast<Stream *>(config->stream);
  if (TfcCuResult failed = enter("cuLaunchKernelEx", kernel->name))
    return failed;
  LaunchKind kind;
  for (unsigned i = 0; i < config->attribute_count; ++i) {
    const TfcCuLaunchAttribute &attribute = config->attributes[i];
    if (attribute.id != TfcCuClusterDimension && attribute.id != TfcCuSerialization)
      return InvalidValue;
    if (attribute.id == TfcCuClusterDimension)
      kind.cluster = attribute.value.cluster.x;
    if (attribute.id == TfcCuSerialization)
      kind.overlaps = attribute.value.overlaps == 1;
  }
  Node node = makeNode(kernel, config->grid, config->block, config->shared, kind, parameters);
  if (!stream || !stream->captures)
    return run(node);
  stream->captured.push_back(std::make_unique<Node>(std::move(node)));
  stream->last = reinterpret_cast<TfcCuGraphNode>(stream->captured.back().get());
  return TfcCuSuccess;
}

TfcCuResult stub_encodeMap(TfcCuTensorMap *map, int type, uint32_t rank, void *address, const uint64_t *dims,
                           const uint64_t *strides, const uint32_t *box, const uint32_t *, int, int swizzle, int, int) {
  if (TfcCuResult failed = begin("cuTensorMapEncodeTiled"))
    return failed;
  static const uint8_t bytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2};
  TfcEmuTensorMap encoded = {};
  encoded.base = address;
  encoded.rank = uint8_t(rank);
  encoded.elementBytes = bytes[type];
  encoded.swizzleBytes = swizzle ? 16u << swizzle : 0;
  if (reinterpret_cast<uintptr_t>(address) % 16)
    return InvalidValue;
  for (uint32_t i = 0; i < rank; ++i) {
    if (!dims[i] || !box[i] || box[i] > 256 || (i && strides[i - 1] % 16))
      return InvalidValue;
    encoded.dims[i] = uint32_t(dims[i]);
    encoded.box[i] = uint16_t(box[i]);
    if (i)
      encoded.strides[i - 1] = int64_t(strides[i - 1]);
  }
  static_assert(sizeof(encoded) <= sizeof(*map), "a tensor map has 128 bytes");
  std::memset(map, 0, sizeof(*map));
  std::memcpy(map, &encoded, sizeof(encoded));
  return TfcCuSuccess;
}

//===----------------------------------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------------------------------===//

TfcCuResult stub_allocate(TfcCuPointer *pointer, size_t bytes) {
  if (TfcCuResult failed = enter("cuMemAlloc", std::to_string(bytes)))
    return failed;
  if (device.isCaptured)
    return NotPermitted;
  if (bytes == 0)
    return InvalidValue;
  if (bytes > device.settings.memory || device.used > device.settings.memory - bytes)
    return TfcCuOutOfMemory;
  void *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!memory)
    return TfcCuOutOfMemory;
  std::memset(memory, 0xA5, bytes);
  tfc_emu_register(memory, bytes);
  *pointer = static_cast<TfcCuPointer>(reinterpret_cast<uintptr_t>(memory));
  device.allocations[*pointer] = bytes;
  device.used += bytes;
  return TfcCuSuccess;
}

TfcCuResult stub_release(TfcCuPointer pointer) {
  if (TfcCuResult failed = enter("cuMemFree"))
    return failed;
  auto found = device.allocations.find(pointer);
  if (found == device.allocations.end())
    return InvalidValue;
  device.used -= found->second;
  device.allocations.erase(found);
  tfc_emu_unregister(memoryOf(pointer));
  std::free(memoryOf(pointer));
  return TfcCuSuccess;
}

TfcCuResult stub_copyToDevice(TfcCuPointer to, const void *from, size_t bytes, TfcCuStream) {
  return copy("cuMemcpyHtoDAsync", memoryOf(to), from, bytes, to);
}
TfcCuResult stub_copyToHost(void *to, TfcCuPointer from, size_t bytes, TfcCuStream) {
  return copy("cuMemcpyDtoHAsync", to, memoryOf(from), bytes, from);
}
TfcCuResult stub_copyOnDevice(TfcCuPointer to, TfcCuPointer from, size_t bytes, TfcCuStream) {
  if (!isAllocated(to, bytes))
    return InvalidValue;
  return copy("cuMemcpyDtoDAsync", memoryOf(to), memoryOf(from), bytes, from);
}
TfcCuResult stub_fill(TfcCuPointer to, unsigned char value, size_t count, TfcCuStream) {
  if (TfcCuResult failed = enter("cuMemsetD8Async"))
    return failed;
  if (!isAllocated(to, count))
    return InvalidValue;
  std::memset(memoryOf(to), value, count);
  return TfcCuSuccess;
}

//===----------------------------------------------------------------------------------------------===//
// Streams and graphs
//===----------------------------------------------------------------------------------------------===//

TfcCuResult stub_createStream(TfcCuStream *stream, unsigned) {
  if (TfcCuResult failed = enter("cuStreamCreate"))
    return failed;
  *stream = reinterpret_cast<TfcCuStream>(new Stream);
  return TfcCuSuccess;
}
TfcCuResult stub_destroyStream(TfcCuStream stream) {
  delete reinterpret_cast<Stream *>(stream);
  return enter("cuStreamDestroy");
}
TfcCuResult stub_synchronize(TfcCuStream) {
  TfcCuResult failed = enter("cuStreamSynchronize");
  return !failed && device.isCaptured ? TfcCuResult(NotPermitted) : failed;
}

TfcCuResult stub_createEvent(TfcCuEvent *event, unsigned) {
  if (TfcCuResult failed = enter("cuEventCreate"))
    return failed;
  *event = reinterpret_cast<TfcCuEvent>(new Event);
  return TfcCuSuccess;
}
TfcCuResult stub_destroyEvent(TfcCuEvent event) {
  delete reinterpret_cast<Event *>(event);
  return enter("cuEventDestroy");
}
TfcCuResult stub_recordEvent(TfcCuEvent handle, TfcCuStream to, unsigned flags) {
  if (TfcCuResult failed = enter("cuEventRecordWithFlags"))
    return failed;
  auto *stream = reinterpret_cast<Stream *>(to);
  bool captures = stream && stream->captures;
  // The driver takes the flag inside of captures alone, and without it would make no node.
  if (captures != (flags == TfcCuRecordExternal))
    return InvalidValue;
  auto *event = reinterpret_cast<Event *>(handle);
  if (!captures)
    return recordNow(*event);
  Node node{};
  node.event = event;
  stream->captured.push_back(std::make_unique<Node>(std::move(node)));
  stream->last = reinterpret_cast<TfcCuGraphNode>(stream->captured.back().get());
  return TfcCuSuccess;
}
TfcCuResult stub_elapsedTime(float *milliseconds, TfcCuEvent begin, TfcCuEvent end) {
  if (TfcCuResult failed = enter("cuEventElapsedTime"))
    return failed;
  auto *from = reinterpret_cast<Event *>(begin), *to = reinterpret_cast<Event *>(end);
  if (!from->isRecorded || !to->isRecorded)
    return InvalidValue;
  *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return TfcCuSuccess;
}

TfcCuResult stub_beginCapture(TfcCuStream handle, int) {
  if (TfcCuResult failed = enter("cuStreamBeginCapture"))
    return failed;
  auto *stream = reinterpret_cast<Stream *>(handle);
  stream->captures = device.isCaptured = true;
  stream->captured.clear();
  stream->last = nullptr;
  return TfcCuSuccess;
}

TfcCuResult stub_endCapture(TfcCuStream handle, TfcCuGraph *graph) {
  auto *stream = reinterpret_cast<Stream *>(handle);
  stream->captures = device.isCaptured = false;
  if (TfcCuResult failed = enter("cuStreamEndCapture"))
    return failed;
  auto *made = new Graph;
  made->nodes = std::move(stream->captured);
  *graph = reinterpret_cast<TfcCuGraph>(made);
  return TfcCuSuccess;
}

TfcCuResult stub_captureInfo(TfcCuStream handle, int *status, uint64_t *id, TfcCuGraph *graph, const TfcCuGraphNode **last,
                             size_t *count) {
  auto *stream = reinterpret_cast<Stream *>(handle);
  *status = stream->captures;
  *id = 1;
  *graph = nullptr;
  *last = &stream->last;
  *count = stream->last ? 1 : 0;
  return enter("cuStreamGetCaptureInfo");
}

TfcCuResult stub_instantiate(TfcCuGraphExec *exec, TfcCuGraph graph, unsigned long long) {
  if (TfcCuResult failed = enter("cuGraphInstantiateWithFlags"))
    return failed;
  auto *made = new Exec;
  for (const std::unique_ptr<Node> &node : reinterpret_cast<Graph *>(graph)->nodes) {
    made->numbers[reinterpret_cast<TfcCuGraphNode>(node.get())] = made->nodes.size();
    made->nodes.push_back(*node);
  }
  *exec = reinterpret_cast<TfcCuGraphExec>(made);
  return TfcCuSuccess;
}

TfcCuResult stub_setNode(TfcCuGraphExec handle, TfcCuGraphNode node, const TfcCuKernelNode *parameters) {
  if (TfcCuResult failed = enter("cuGraphExecKernelNodeSetParams"))
    return failed;
  auto *exec = reinterpret_cast<Exec *>(handle);
  auto found = exec->numbers.find(node);
  if (found == exec->numbers.end() || exec->nodes[found->second].event)
    return InvalidValue;
  const TfcEmuLaunch old = exec->nodes[found->second].launch;
  exec->nodes[found->second] =
      makeNode(reinterpret_cast<const TfcEmulatedFunction *>(parameters->function), parameters->grid, parameters->block,
               parameters->shared, {old.overlaps, old.cluster}, parameters->parameters);
  return TfcCuSuccess;
}

TfcCuResult stub_launchGraph(TfcCuGraphExec handle, TfcCuStream) {
  auto *exec = reinterpret_cast<Exec *>(handle);
  if (TfcCuResult failed = enter("cuGraphLaunch", std::to_string(exec->nodes.size())))
    return failed;
  for (Node &node : exec->nodes)
    if (TfcCuResult failed = run(node))
      return failed;
  return TfcCuSuccess;
}

TfcCuResult stub_destroyExec(TfcCuGraphExec exec) {
  delete reinterpret_cast<Exec *>(exec);
  return enter("cuGraphExecDestroy");
}
TfcCuResult stub_destroyGraph(TfcCuGraph graph) {
  delete reinterpret_cast<Graph *>(graph);
  return enter("cuGraphDestroy");
}

/// The wrapper holds the lock: the emulator runs one launch at a time.
template <auto Function> struct Locked;
template <typename... Arguments, TfcCuResult (*Function)(Arguments...)> struct Locked<Function> {
  static TfcCuResult call(Arguments... arguments) {
    std::lock_guard<std::mutex> guard(device.lock);
    return Function(arguments...);
  }
};

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

/// That this is here tells the runtime that the driver takes TfcEmulatedCode.
extern "C" {
__attribute__((visibility("default"))) int tfcEmulatesGpu = 1;
}

EXPORT TfcCuResult cuDriverGetVersion(int *version) {
  *version = readSettings().version;
  return TfcCuSuccess;
}

EXPORT TfcCuResult cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t, int *) {
  static const struct {
    const char *name;
    void *function;
  } functions[] = {
#define X(member, name, parameters) {name, reinterpret_cast<void *>(&Locked<&stub_##member>::call)},
      TFC_CUDA_FUNCTIONS(X)
#undef X
  };
  *function = nullptr;
  Settings settings = readSettings();
  if (version > settings.version)
    return InvalidValue;
  for (const auto &known : functions)
    if (std::strcmp(known.name, name) == 0 && settings.missing != name)
      *function = known.function;
  return *function ? TfcCuSuccess : TfcCuResult(NotFound);
}
