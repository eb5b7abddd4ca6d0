//===- CudaTest.cpp - Runs on an emulated GPU, through the runtime's own code --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The driver is test/lib/StubCuda, the model Models/device.c. What the runtime did is read from the stub's log.
//
//===----------------------------------------------------------------------------------------------===//

#include "Runtime/CudaApi.h"
#include "tfc-c/Runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <numeric>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

enum : int32_t { Cpu = 1, Cuda = 2 };
enum : uint32_t { Main = 0, Choose = 1, Lookup = 2 };

/// A model, a context on a device, and the log of what the driver was asked.
class CudaTest : public testing::Test {
protected:
  void SetUp() override {
    logPath = testing::TempDir() + "tfc-cuda-" + std::to_string(getpid()) + ".log";
    std::remove(logPath.c_str());
    setenv("TFC_CUDA_DRIVER", TFC_STUB_CUDA, 1);
    setSettings("");
  }
  void TearDown() override {
    close();
    std::remove(logPath.c_str());
  }

  void setSettings(const std::string &settings) {
    setenv("TFC_STUB_CUDA", ("log=" + logPath + (settings.empty() ? "" : ",") + settings).c_str(), 1);
  }

  int32_t open(int32_t device = Cuda, int32_t id = 0, void *stream = nullptr) {
    close();
    if (int32_t code = tfc_model_open(TFC_TEST_MODELS "/device.so", nullptr, &model))
      return code;
    TfcContextOptions options = {};
    options.bytes = sizeof(options);
    options.device_type = device;
    options.device_id = id;
    options.stream = stream;
    return tfc_context_create(model, &options, &context);
  }
  void close() {
    tfc_context_destroy(context);
    if (model)
      tfc_model_close(model);
    context = nullptr;
    model = nullptr;
  }

  /// How often each function of the driver was called since the last time.
  std::map<std::string, int> calls() {
    std::ifstream log(logPath);
    log.seekg(seen);
    std::map<std::string, int> counts;
    for (std::string line; std::getline(log, line); seen += std::streamoff(line.size() + 1))
      ++counts[line.substr(0, line.find(' '))];
    return counts;
  }

  int32_t run(uint32_t entry, std::vector<TfcTensor> inputs, TfcTensor output) {
    return tfc_run(context, entry, inputs.data(), uint32_t(inputs.size()), &output, 1);
  }
  /// main(x), whose answer is known.
  void runMain(int64_t n) {
    std::vector<float> x(static_cast<size_t>(n)), y(x.size());
    std::iota(x.begin(), x.end(), 1.0f);
    ASSERT_EQ(run(Main, {tensor(x.data(), &n)}, tensor(y.data(), &n)), TFC_OK) << tfc_last_error();
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(y[i], -2 * x[i]) << i;
  }

  /// What it takes to have a graph of a shape.
  void runTwice(int64_t n) {
    runMain(n);
    runMain(n);
  }

  static TfcTensor tensor(void *data, int64_t *dims, TfcDataType type = {TFC_FLOAT, 32, 1}, int32_t rank = 1) {
    return {data, Cpu, 0, type, rank, dims, nullptr, 0, 0};
  }

  TfcOpenModel *model = nullptr;
  TfcContext *context = nullptr;
  std::string logPath;
  std::streamoff seen = 0;
};

/// Functions of the stub, for memory and streams of the caller.
template <typename... Arguments> void callDriver(const char *name, Arguments... arguments) {
  static void *library = dlopen(TFC_STUB_CUDA, RTLD_NOW);
  void *symbol = dlsym(library, "cuGetProcAddress_v2"), *found = nullptr;
  TfcCuGetProcAddress find;
  std::memcpy(&find, &symbol, sizeof(find));
  ASSERT_EQ(find(name, &found, TFC_CUDA_VERSION, 0, nullptr), TfcCuSuccess) << name;
  TfcCuResult (*function)(Arguments...);
  std::memcpy(&function, &found, sizeof(function));
  ASSERT_EQ(function(arguments...), TfcCuSuccess) << name;
}

/// Floats on the device.
class DeviceArray {
public:
  explicit DeviceArray(std::vector<float> values) : count(values.size()) {
    callDriver("cuCtxPushCurrent", TfcCuContext());
    callDriver("cuMemAlloc", &pointer, count * sizeof(float));
    callDriver("cuMemcpyHtoDAsync", pointer, static_cast<const void *>(values.data()), count * sizeof(float), TfcCuStream());
  }
  ~DeviceArray() {
    TfcCuContext context;
    callDriver("cuMemFree", pointer);
    callDriver("cuCtxPopCurrent", &context);
  }
  std::vector<float> read() const {
    std::vector<float> values(count);
    callDriver("cuMemcpyDtoHAsync", static_cast<void *>(values.data()), pointer, count * sizeof(float), TfcCuStream());
    return values;
  }
  TfcTensor tensor(int64_t *dims) const {
    return {reinterpret_cast<void *>(uintptr_t(pointer)), Cuda, 0, {TFC_FLOAT, 32, 1}, 1, dims, nullptr, 0, 0};
  }

private:
  TfcCuPointer pointer = 0;
  size_t count;
};

//===----------------------------------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------------------------------===//

TEST_F(CudaTest, ShapesAreCapturedWhenTheyComeAgainAndThenLaunched) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  calls();
  runMain(40);
  auto single = calls();
  EXPECT_EQ(single["cuStreamBeginCapture"] + single["cuGraphLaunch"], 0);
  EXPECT_EQ(single["cuLaunchKernelEx"], 2);
  runMain(40);
  auto first = calls();
  EXPECT_EQ(first["cuStreamBeginCapture"], 1);
  EXPECT_EQ(first["cuLaunchKernelEx"], 2);
  EXPECT_EQ(first["cuGraphLaunch"], 1);
  runMain(40);
  auto second = calls();
  EXPECT_EQ(second["cuGraphLaunch"], 1);
  for (const char *absent : {"cuStreamBeginCapture", "cuLaunchKernelEx", "cuGraphExecKernelNodeSetParams", "cuMemAlloc"})
    EXPECT_EQ(second[absent], 0) << absent;
  runMain(7);
  EXPECT_EQ(calls()["cuStreamBeginCapture"], 0);
  runMain(7);
  EXPECT_EQ(calls()["cuStreamBeginCapture"], 1);
  runMain(40);
  EXPECT_EQ(calls()["cuStreamBeginCapture"], 0);
}

TEST_F(CudaTest, EightShapesAreKept) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  for (int64_t n = 100; n > 90; --n) // The largest first, so that no room grows and moves.
    runTwice(n);
  calls();
  runMain(93);
  auto kept = calls();
  EXPECT_EQ(kept["cuStreamBeginCapture"], 0);
  EXPECT_EQ(kept["cuGraphExecKernelNodeSetParams"], 0);
  runMain(100);
  auto dropped = calls();
  EXPECT_EQ(dropped["cuStreamBeginCapture"] + dropped["cuGraphLaunch"], 0);
  EXPECT_EQ(dropped["cuGraphExecDestroy"], 1);
}

TEST_F(CudaTest, GrownRoomsArePatchedIntoOlderGraphs) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  runTwice(10);
  runMain(900);
  calls();
  runMain(10);
  auto counts = calls();
  EXPECT_EQ(counts["cuStreamBeginCapture"], 0);
  EXPECT_GT(counts["cuGraphExecKernelNodeSetParams"], 0);
}

TEST_F(CudaTest, MemoryOfTheDeviceIsUsedAsItIs) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  runTwice(3);
  int64_t n = 3;
  DeviceArray x({1, 2, 3}), y({0, 0, 0}), other({9, 9, 9});
  calls();
  ASSERT_EQ(run(Main, {x.tensor(&n)}, y.tensor(&n)), TFC_OK) << tfc_last_error();
  auto counts = calls();
  EXPECT_EQ(counts["cuStreamBeginCapture"], 0);
  EXPECT_EQ(counts["cuGraphExecKernelNodeSetParams"], 2); // The operand of one launch, the result of the other.
  EXPECT_EQ(counts["cuMemcpyHtoDAsync"] + counts["cuMemcpyDtoHAsync"] + counts["cuMemcpyDtoDAsync"], 0);
  EXPECT_EQ(y.read(), (std::vector<float>{-2, -4, -6}));
  calls();
  ASSERT_EQ(run(Main, {x.tensor(&n)}, other.tensor(&n)), TFC_OK) << tfc_last_error();
  EXPECT_EQ(calls()["cuGraphExecKernelNodeSetParams"], 1);
  EXPECT_EQ(other.read(), (std::vector<float>{-2, -4, -6}));
  // Into its own input: made elsewhere first.
  ASSERT_EQ(run(Main, {x.tensor(&n)}, x.tensor(&n)), TFC_OK) << tfc_last_error();
  EXPECT_EQ(x.read(), (std::vector<float>{-2, -4, -6}));
}

TEST_F(CudaTest, MemoryThatIsNotAlignedIsCopied) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  int64_t n = 3;
  DeviceArray x({7, 1, 2, 3}), y({7, 0, 0, 0});
  TfcTensor from = x.tensor(&n), to = y.tensor(&n);
  from.byte_offset = to.byte_offset = sizeof(float);
  for (int i = 0; i < 2; ++i) {
    calls();
    ASSERT_EQ(run(Main, {from}, to), TFC_OK) << tfc_last_error();
    EXPECT_EQ(calls()["cuMemcpyDtoDAsync"], 2); // Kernels take 16 bytes at once.
    EXPECT_EQ(y.read(), (std::vector<float>{7, -2, -4, -6}));
  }
}

TEST_F(CudaTest, WhatTheDeviceCannotTakeIsRefused) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  int64_t n = 3, two = 2;
  DeviceArray x({1, 2, 3});
  std::vector<float> y(3);
  TfcTensor strided = x.tensor(&n);
  strided.strides = &two;
  EXPECT_EQ(run(Main, {strided}, tensor(y.data(), &n)), TFC_BAD_INPUT);
  EXPECT_NE(std::string(tfc_last_error()).find("input 'x': on a GPU it must be row-major"), std::string::npos) << tfc_last_error();
  TfcTensor elsewhere = x.tensor(&n);
  elsewhere.device_id = 1;
  EXPECT_EQ(run(Main, {elsewhere}, tensor(y.data(), &n)), TFC_BAD_INPUT);
  EXPECT_STREQ(tfc_last_error(), "input 'x': it lies on GPU 1, but the context is for GPU 0");
  ASSERT_EQ(open(Cpu), TFC_OK) << tfc_last_error();
  EXPECT_EQ(run(Main, {x.tensor(&n)}, tensor(y.data(), &n)), TFC_BAD_INPUT);
  EXPECT_STREQ(tfc_last_error(), "input 'x': its device type is 2; this context takes memory of the CPU (1)");
}

TEST_F(CudaTest, StridesInMemoryOfTheHostAreFine) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  int64_t n = 3, two = 2;
  std::vector<float> x = {1, -1, 2, -1, 3, -1}, y(6, 7.0f);
  TfcTensor from = tensor(x.data(), &n), to = tensor(y.data(), &n);
  from.strides = to.strides = &two;
  ASSERT_EQ(run(Main, {from}, to), TFC_OK) << tfc_last_error();
  EXPECT_EQ(y, (std::vector<float>{-2, 7, -4, 7, -6, 7}));
}

TEST_F(CudaTest, TheHostProgramReadsWhatItMust) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  int64_t n = 2;
  std::vector<float> x = {1, 2}, y(2);
  for (bool flag : {true, false, true}) {
    calls();
    ASSERT_EQ(run(Choose, {tensor(&flag, nullptr, {TFC_BOOL, 8, 1}, 0), tensor(x.data(), &n)}, tensor(y.data(), &n)), TFC_OK)
        << tfc_last_error();
    EXPECT_EQ(y, flag ? (std::vector<float>{2, 4}) : (std::vector<float>{-1, -2}));
    auto counts = calls();
    EXPECT_EQ(counts["cuGraphLaunch"] + counts["cuStreamBeginCapture"], 0);
    EXPECT_EQ(counts["cuLaunchKernelEx"], 1);
  }
}

TEST_F(CudaTest, FailedChecksSayWhatTheCpuSays) {
  std::string sentences[2];
  for (int32_t device : {Cpu, Cuda}) {
    ASSERT_EQ(open(device), TFC_OK) << tfc_last_error();
    int64_t n = 70;
    std::vector<int64_t> ids(70, 4);
    std::vector<float> y(70);
    ids[69] = 12;
    ids[33] = 11;
    ids[34] = -5;
    EXPECT_EQ(run(Lookup, {tensor(ids.data(), &n, {TFC_INT, 64, 1})}, tensor(y.data(), &n)), TFC_BAD_INDEX);
    sentences[device - 1] = tfc_last_error();
    ids[33] = ids[34] = ids[69] = 9;
    ASSERT_EQ(run(Lookup, {tensor(ids.data(), &n, {TFC_INT, 64, 1})}, tensor(y.data(), &n)), TFC_OK) << tfc_last_error();
    EXPECT_EQ(y[0], 40);
    EXPECT_EQ(y[69], 90);
  }
  EXPECT_EQ(sentences[0], sentences[1]);
  EXPECT_EQ(sentences[1], "index 11 is outside [0, 10) in node 'Gather_7': ids");
}

TEST_F(CudaTest, TheCallersStreamIsUsed) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  TfcCuStream stream = nullptr;
  TfcCuContext popped;
  callDriver("cuCtxPushCurrent", TfcCuContext());
  callDriver("cuStreamCreate", &stream, 0u);
  calls();
  ASSERT_EQ(open(Cuda, 0, stream), TFC_OK) << tfc_last_error();
  runMain(5);
  runMain(5);
  close();
  auto counts = calls();
  EXPECT_EQ(counts["cuStreamCreate"], 0);
  EXPECT_EQ(counts["cuStreamDestroy"], 1); // That of the context before.
  callDriver("cuStreamDestroy", stream);
  callDriver("cuCtxPopCurrent", &popped);
}

TEST_F(CudaTest, ContextsShareTheModelOnTheDevice) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  EXPECT_EQ(calls()["cuModuleLoadDataEx"], 1);
  TfcContextOptions options = {};
  options.bytes = sizeof(options);
  options.device_type = Cuda;
  TfcContext *second = nullptr;
  ASSERT_EQ(tfc_context_create(model, &options, &second), TFC_OK) << tfc_last_error();
  EXPECT_EQ(calls()["cuModuleLoadDataEx"], 0);
  tfc_model_close(model); // The contexts keep it.
  model = nullptr;
  runMain(4);
  tfc_context_destroy(second);
  EXPECT_EQ(calls()["cuModuleUnload"], 0);
  close();
  auto last = calls();
  EXPECT_EQ(last["cuModuleUnload"], 1);
  EXPECT_EQ(last["cuDevicePrimaryCtxRelease"], 1);
}

TEST_F(CudaTest, NothingStaysAllocated) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  runTwice(10);
  runTwice(500);
  close();
  auto counts = calls();
  EXPECT_EQ(counts["cuMemAlloc"], counts["cuMemFree"]);
  EXPECT_EQ(counts["cuGraphInstantiateWithFlags"], counts["cuGraphExecDestroy"]);
  EXPECT_EQ(counts["cuStreamEndCapture"], counts["cuGraphDestroy"]);
  EXPECT_EQ(counts["cuCtxPushCurrent"], counts["cuCtxPopCurrent"]);
}

//===----------------------------------------------------------------------------------------------===//
// What can go wrong
//===----------------------------------------------------------------------------------------------===//

TEST_F(CudaTest, WithoutAUsableDeviceThereIsASentence) {
  auto sentence = [&](const std::string &settings, int32_t id = 0) {
    setSettings(settings);
    EXPECT_EQ(open(Cuda, id), TFC_NO_DEVICE);
    return std::string(tfc_last_error());
  };
  EXPECT_EQ(sentence("devices=0"), "the NVIDIA driver finds no GPU on this machine");
  EXPECT_EQ(sentence("version=11040"), "the NVIDIA driver is too old: it knows CUDA 11.4, and 12.0 is the least that is needed");
  EXPECT_EQ(sentence("missing=cuTensorMapEncodeTiled"), "the NVIDIA driver has no cuTensorMapEncodeTiled of CUDA 12.0");
  EXPECT_EQ(sentence("", 2), "there is no GPU 2; the driver has 1");
  EXPECT_EQ(sentence("capability=75"), "the model is compiled for cuda-emu:sm_80; GPU 0 (emulated) has compute capability 7.5 and is emulated");
  setenv("TFC_CUDA_DRIVER", "/nonexistent", 1);
  EXPECT_EQ(sentence(""), "there is no NVIDIA driver on this machine (the library that TFC_CUDA_DRIVER names cannot be loaded)");
  // The CPU part still works, and is the default.
  EXPECT_EQ(open(0), TFC_OK) << tfc_last_error();
  runMain(6);
}

TEST_F(CudaTest, EveryCallOfTheDriverMayFail) {
  for (const char *name : {"cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetAttribute", "cuDevicePrimaryCtxRetain", "cuCtxPushCurrent",
                           "cuModuleLoadDataEx", "cuModuleGetFunction", "cuMemAlloc", "cuMemcpyHtoDAsync", "cuStreamSynchronize", "cuStreamCreate"}) {
    setSettings(std::string("fail=") + name + ":1");
    EXPECT_EQ(open(), TFC_DEVICE_FAILED) << name << ": " << tfc_last_error();
    EXPECT_NE(std::string(tfc_last_error()).find("failed on the GPU: a failure of the stub (999)"), std::string::npos) << tfc_last_error();
  }
  setSettings("fail=cuInit:1");
  EXPECT_EQ(open(), TFC_DEVICE_FAILED);
  for (const char *name : {"cuStreamBeginCapture", "cuStreamEndCapture", "cuStreamGetCaptureInfo", "cuGraphInstantiateWithFlags", "cuGraphLaunch",
                           "cuLaunchKernelEx:2", "cuMemcpyHtoDAsync:2", "cuMemcpyDtoHAsync:1"}) {
    setSettings(std::string("fail=") + name);
    ASSERT_EQ(open(), TFC_OK) << name << ": " << tfc_last_error();
    int64_t n = 5;
    std::vector<float> x(5, 1.0f), y(5);
    if (std::string(name).rfind("cuStream", 0) == 0 || std::string(name).rfind("cuGraph", 0) == 0)
      runMain(5); // Graphs are of the second run.
    EXPECT_EQ(run(Main, {tensor(x.data(), &n)}, tensor(y.data(), &n)), TFC_DEVICE_FAILED) << name;
    runMain(5); // The context is as good as before.
  }
}

TEST_F(CudaTest, AGraphThatCouldNotBePatchedIsNotRun) {
  setSettings("fail=cuGraphExecKernelNodeSetParams:1");
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  runTwice(3);
  int64_t n = 3;
  DeviceArray x({5, 6, 7}), y({0, 0, 0});
  EXPECT_EQ(run(Main, {x.tensor(&n)}, y.tensor(&n)), TFC_DEVICE_FAILED);
  EXPECT_EQ(y.read(), (std::vector<float>{0, 0, 0}));
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(run(Main, {x.tensor(&n)}, y.tensor(&n)), TFC_OK) << tfc_last_error();
    EXPECT_EQ(y.read(), (std::vector<float>{-10, -12, -14}));
  }
}

/// Whatever call fails, and however often it went well before: one code with a sentence, and what comes behind it is right. Without
/// failures it says how often each function is called.
TEST_F(CudaTest, AnyCallMayFailAtAnyTime) {
  auto doEverything = [&](const std::string &failing) {
    int failures = 0;
    auto passes = [&](int32_t code) {
      if (code) {
        ++failures;
        EXPECT_NE(code, TFC_BAD_ARTIFACT) << failing;
        EXPECT_NE(std::string(tfc_last_error()).find("GPU"), std::string::npos) << failing << ": " << tfc_last_error();
      }
      return code == TFC_OK;
    };
    auto tryRun = [&](uint32_t entry, std::vector<TfcTensor> inputs, int64_t n, float expected) {
      std::vector<float> y(static_cast<size_t>(n));
      if (passes(run(entry, std::move(inputs), tensor(y.data(), &n))))
        for (float found : y)
          ASSERT_EQ(found, expected) << failing;
    };
    if (!passes(open()))
      return failures;
    for (int64_t n : {10, 10, 10, 600, 10, 600, 600}) { // The graph of 10 is patched when rooms have grown.
      std::vector<float> x(static_cast<size_t>(n), 3);
      tryRun(Main, {tensor(x.data(), &n)}, n, -6);
    }
    for (int64_t n = 1; n < 11; ++n) // More shapes than are kept.
      for (int i = 0; i < 2; ++i) {
        std::vector<float> x(static_cast<size_t>(n), 3);
        tryRun(Main, {tensor(x.data(), &n)}, n, -6);
      }
    int64_t n = 2;
    bool flag = true;
    std::vector<float> x(2, 1);
    std::vector<int64_t> ids(2, 4);
    tryRun(Choose, {tensor(&flag, nullptr, {TFC_BOOL, 8, 1}, 0), tensor(x.data(), &n)}, n, 2);
    tryRun(Lookup, {tensor(ids.data(), &n, {TFC_INT, 64, 1})}, n, 40);
    return failures;
  };
  EXPECT_EQ(doEverything("nothing"), 0);
  close();
  for (const auto &[name, count] : calls())
    for (int number = 1; number <= count; ++number) {
      // Late calls of what is called in every run differ in nothing.
      if (number > 12 && number + 4 < count)
        continue;
      std::string failing = name + ":" + std::to_string(number);
      setSettings("fail=" + failing);
      EXPECT_LE(doEverything(failing), 1) << failing;
      close();
      auto had = calls();
      if (name == "cuCtxPushCurrent" || name == "cuMemFree")
        continue; // What cannot be given back stays.
      EXPECT_EQ(had["cuMemAlloc"] - (name == "cuMemAlloc"), had["cuMemFree"]) << failing;
      EXPECT_EQ(had["cuStreamCreate"] - (name == "cuStreamCreate"), had["cuStreamDestroy"]) << failing;
      EXPECT_EQ(had["cuGraphInstantiateWithFlags"] - (name == "cuGraphInstantiateWithFlags"), had["cuGraphExecDestroy"]) << failing;
      EXPECT_EQ(had["cuStreamEndCapture"] - (name == "cuStreamEndCapture"), had["cuGraphDestroy"]) << failing;
      EXPECT_EQ(had["cuCtxPushCurrent"], had["cuCtxPopCurrent"]) << failing;
      EXPECT_EQ(had["cuDevicePrimaryCtxRetain"] - (name == "cuDevicePrimaryCtxRetain"), had["cuDevicePrimaryCtxRelease"]) << failing;
    }
}

TEST_F(CudaTest, ADriverMayLackAnyFunction) {
  for (const char *name : {
#define X(member, name, parameters) name,
           TFC_CUDA_FUNCTIONS(X)
#undef X
       }) {
    setSettings(std::string("missing=") + name);
    EXPECT_EQ(open(), TFC_NO_DEVICE) << name;
    EXPECT_EQ(std::string(tfc_last_error()), std::string("the NVIDIA driver has no ") + name + " of CUDA 12.0");
  }
}

TEST_F(CudaTest, EveryAllocationMayBeOneTooMany) {
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  runMain(600);
  int allocations = calls()["cuMemAlloc"];
  EXPECT_GT(allocations, 4);
  for (int number = 1; number <= allocations; ++number) {
    setSettings("fail=cuMemAlloc:" + std::to_string(number) + ":2");
    int64_t n = 600;
    std::vector<float> x(600, 1), y(600);
    int32_t code = open();
    if (!code)
      code = run(Main, {tensor(x.data(), &n)}, tensor(y.data(), &n));
    EXPECT_EQ(code, TFC_OUT_OF_MEMORY) << number;
    EXPECT_EQ(std::string(tfc_last_error()).rfind("GPU 0 has no memory", 0), 0u) << tfc_last_error();
    if (context)
      runMain(600);
  }
}

TEST_F(CudaTest, TooLittleMemoryIsSaid) {
  setSettings("memory=20");
  EXPECT_EQ(open(), TFC_OUT_OF_MEMORY);
  EXPECT_STREQ(tfc_last_error(), "GPU 0 has no memory for 40 bytes of weights");
  setSettings("memory=2000");
  ASSERT_EQ(open(), TFC_OK) << tfc_last_error();
  runMain(10);
  int64_t n = 600;
  std::vector<float> x(600), y(600);
  EXPECT_EQ(run(Main, {tensor(x.data(), &n)}, tensor(y.data(), &n)), TFC_OUT_OF_MEMORY);
  EXPECT_STREQ(tfc_last_error(), "GPU 0 has no memory for input 'x' (2400 bytes)");
  runMain(10);
}

} // namespace
