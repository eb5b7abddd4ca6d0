//===- CompareWith.h - One kernel after the other, against another artifact ----------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_COMPAREWITH_H
#define TFC_RUN_COMPAREWITH_H

#include "Compare.h"
#include "Watch.h"

#include <map>

namespace tfc {

/// What one artifact made, launch by launch.
class Recorder final : public Watch {
public:
  using Watch::Watch;
  struct Result {
    uint32_t launch;
    std::string kernel;
    std::vector<std::string> nodes;
    std::string node; ///< The one of them that it is a result of, or a part of one.
    Array tensor;
  };
  std::vector<Result> results;

private:
  void after(const WatchedLaunch &launch) override;
};

/// Compares what another artifact makes of the same inputs with what was recorded, and then lets it go on with what was recorded:
/// so an error is that of the kernels since the last tensor compared, not of all before.
///
/// Where both artifacts do the same steps (tfc-compile --plain-kernels), results are compared one by one; else those that
/// the graph's names, types and dims make the same tensor.
class CompareWith final : public Watch {
public:
  static constexpr uint32_t kNoLaunch = -1;

  CompareWith(const TfcModel &model, const TfcEntry &entry, const TfcEntry &recordedEntry,
              const std::vector<Recorder::Result> &recorded, double rtol, double atol);
  /// How many runs it needs: by names, the first one counts.
  int64_t runs() const { return pairs.empty() ? 2 : 1; }
  /// A line per launch: kernel, nodes, worst error.
  std::string text() const;
  std::string json() const;
  /// CheckFailed, with the worst element of the first launch that is off; BadInput where nothing could be compared.
  Status verdict() const;

private:
  struct Row {
    const Recorder::Result *result = nullptr;
    bool compared = false;
    Deviation worst;
  };

  void start(int32_t threads) override;
  void after(const WatchedLaunch &launch) override;
  bool changesResults() const override { return true; }
  void compare(const WatchedTensor &tensor, const Recorder::Result &result);
  std::string nodesText(const Recorder::Result &result) const;
  std::vector<Row> rows() const;

  const std::vector<Recorder::Result> &recorded;
  double rtol, atol;
  std::vector<uint32_t> pairs; ///< For each launch the recorded one, or kNoLaunch; empty where tensors are found by names.
  std::vector<bool> isPaired;  ///< For each launch that was recorded.
  int run = 0;
  size_t next = 0;
  /// By name, type and dims: the last result recorded, and how often the other artifact makes such a one.
  std::map<std::string, size_t> last;
  std::map<std::string, int64_t> times, seen;
  std::map<const Recorder::Result *, Deviation> compared;
};

} // namespace tfc

#endif // TFC_RUN_COMPAREWITH_H
