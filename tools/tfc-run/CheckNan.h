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
  /// CheckFailed, with the first of them.
  Status verdict() const;

private:
  bool wantsOperands() const override { return true; }
  void before(const WatchedLaunch &launch) override;
  void after(const WatchedLaunch &launch) override;

  std::vector<std::string> found;
  bool readsNan = false, readsInfinity = false;
};

} // namespace tfc

#endif // TFC_RUN_CHECKNAN_H
