//===- Watch.h - What every launch of a run reads and makes -----------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_WATCH_H
#define TFC_RUN_WATCH_H

#include "Session/Session.h"

#include <string>
#include <vector>

namespace tfc {

/// A tensor of a launch where it lies. It is overwritten by later launches.
struct WatchedTensor {
  std::string name; ///< The node that made it, the input or the weight; empty for a part of what a node makes.
  TfcDataType type;
  std::vector<int64_t> dims;
  uint8_t *data;

  int64_t count() const { return elementCount(dims, type); }
  /// A copy that stays.
  Array copy() const;
};

struct WatchedLaunch {
  uint32_t number; ///< Of the entry's launches.
  const TfcLaunch &made;
  std::string kernel;
  std::vector<WatchedTensor> operands, results;

  std::vector<std::string> nodes() const { return {made.nodes, made.nodes + made.node_count}; }
  /// The node that a result is of, also of a part of what it makes.
  std::string nodeOf(const WatchedTensor &result) const {
    return result.name.empty() && made.node_count ? made.nodes[made.node_count - 1] : result.name;
  }
};

/// Looks at the kernels that really run, between them: nothing is compiled anew, and nothing is fused otherwise for it.
class Watch : public RunListener {
public:
  Watch(const TfcModel &model, const TfcEntry &entry) : model(model), entry(entry) {}
  void attachTo(TfcContextOptions &options) override;
  void meet(TfcContext *made, bool isOnDevice) override {
    context = made;
    onDevice = isOnDevice;
  }
  void start(int32_t) override { watching = true; }
  void stop() override { watching = false; }

  /// What went wrong in looking at a device's memory.
  const Status &failure() const { return failed; }

  /// Whether the artifact says what its launches read and make; one sentence if not.
  static Status canWatch(const TfcEntry &entry);

protected:
  virtual void before(const WatchedLaunch &) {}
  virtual void after(const WatchedLaunch &launch) = 0;
  /// Of tensors on a device these are copies: operands are brought only to those who want them, results that were changed are put back
  /// only for those who change them.
  virtual bool wantsOperands() const { return false; }
  virtual bool changesResults() const { return false; }

  const TfcModel &model;
  const TfcEntry &entry;

private:
  static void onEvent(void *self, const TfcEvent *event);
  void onLaunch(const TfcEvent &event);
  void bring(WatchedTensor &tensor, std::vector<std::vector<uint8_t>> &copies);

  TfcContext *context = nullptr;
  bool watching = false, onDevice = false;
  Status failed;
};

} // namespace tfc

#endif // TFC_RUN_WATCH_H
