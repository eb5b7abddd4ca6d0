//===- CheckNan.h - Where do NaN and infinity begin? --------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_CHECKNAN_H
#define TFC_RUN_CHECKNAN_H

#include "Watch.h"

namespace tfc {

/// Finds the launches whose results have a NaN or an infinity that nothing they read had.
class CheckNan final : public Watch {
public:
  using Watch::Watch;
  /// The launches found, in their order; empty if every number is finite or came so.
  std::string text() const;
  std::string json() const;
  /// CheckFailed, with the first of them.
  Status verdict() const;

private:
  bool wantsOperands() const override { return true; }
  void before(const WatchedLaunch &launch) override;
  void after(const WatchedLaunch &launch) override;

  struct Finding {
    const char *what; ///< "NaN" or "infinity"
    std::string kernel, node;
    std::vector<std::string> nodes; ///< Of the kernel.
    std::string position;           ///< Of the first such element.
    int64_t number, count;          ///< Elements that are so, and all.
  };
  static std::string textOf(const Finding &finding);

  std::vector<Finding> found;
  bool readsNan = false, readsInfinity = false;
};

} // namespace tfc

#endif // TFC_RUN_CHECKNAN_H
