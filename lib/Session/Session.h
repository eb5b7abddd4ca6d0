//===- Session.h - A model, a context, and the buffers of its runs ----------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_SESSION_SESSION_H
#define TFC_LIB_SESSION_SESSION_H

#include "Session/Array.h"
#include "Session/Status.h"

#include "tfc-c/Runtime.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace tfc {

/// The exit code that an error of the runtime means, with its sentence.
Status runtimeStatus(int32_t code);

/// Somebody who is told of the measured runs, not of those that warm up.
class RunListener {
public:
  virtual ~RunListener() = default;
  /// Called before the context is made.
  virtual void attachTo(TfcContextOptions &options) = 0;
  /// Called when it is made.
  virtual void meet(TfcContext *, bool /*isOnDevice*/) {}
  virtual void start(int32_t threads) = 0;
  virtual void stop() = 0;
};

/// Where a model runs, as TfcContextOptions says it.
struct DeviceChoice {
  int32_t type = 0; ///< 0: the CPU where the model has code for it, else CUDA.
  int32_t id = 0;
};

class Session {
public:
  Session() = default;
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;
  ~Session();

  /// Opens the library and finds the entry point; empty names mean the usual ones.
  Status open(const std::string &path, const std::string &query, const std::string &entryName);
  /// Runs the same model as another session, with the same weights in memory.
  void share(const Session &other);
  /// Where it is to run. From then on `model` and `entry` are those of the device's program: it has launches and kernels of its own.
  Status choose(DeviceChoice device);
  bool isOnDevice() const { return onDevice; }
  DeviceChoice device() const { return chosen; }
  /// `listener` may be null.
  Status prepare(int32_t threads, RunListener *listener, std::vector<Array> inputs);
  /// After `prepare`: pasts that an output extends lie in buffers with room for `rows`, or where it is 0 for what `steps` runs
  /// need, and the outputs are made in them.
  Status keepInPlace(int64_t rows, int64_t steps);
  /// The next run takes the outputs of the last for its pasts, and for the rest these.
  void advance(std::vector<Array> inputs);
  /// One run after the other; the seconds of each measured one.
  Status run(int64_t warmup, int64_t repeat, std::vector<double> &seconds);

  const TfcModel &model() const { return view; }
  TfcOpenModel *handle() const { return opened.get(); }
  std::string isa() const { return tfc_model_isa(opened.get()); }
  const TfcEntry &entry() const { return model().entries[entryNumber]; }
  /// Runs that have come to an end, those that warm up included; any thread may ask.
  int64_t runsDone() const { return done.load(std::memory_order_relaxed); }
  int32_t threads() const { return tfc_context_threads(context); }
  std::vector<Array> &outputs() { return results; }

private:
  /// A buffer that holds an input's rows, and in a run the output's behind them.
  struct Cache {
    uint32_t input, output;
    std::vector<uint8_t> buffer;
    std::vector<int64_t> strides; ///< In elements.
  };

  static void *onOutput(void *self, uint32_t output, uint64_t bytes);
  Status runOnce();
  Cache *findCache(uint32_t output);
  Status addCache(uint32_t output, int64_t rows, int64_t steps);
  void readCaches();

  std::shared_ptr<TfcOpenModel> opened;
  TfcModel view = {}; ///< What the artifact says, of the device if one was chosen.
  DeviceChoice chosen;
  bool onDevice = false;
  TfcContext *context = nullptr;
  uint32_t entryNumber = 0;
  std::vector<Array> arguments, results;
  std::vector<Cache> caches;
  std::vector<TfcTensor> inputTensors, outputTensors;
  RunListener *listener = nullptr;
  std::atomic<int64_t> done{0};
};

/// Seconds of a clock that only goes forward.
double now();

} // namespace tfc

#endif // TFC_LIB_SESSION_SESSION_H
