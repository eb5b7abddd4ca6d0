//===- DumpTensors.h - Tensors of the graph as files ---------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_DUMPTENSORS_H
#define TFC_RUN_DUMPTENSORS_H

#include "Watch.h"

#include <map>
#include <set>
#include <regex.h>

namespace tfc {

/// Writes what launches make as .npy files, and index.json, which says what is in which file.
class DumpTensors final : public Watch {
public:
  using Watch::Watch;
  ~DumpTensors() override;
  /// `names`: a POSIX extended regular expression that is looked for in names; empty: all tensors. The folder is made where the entry has a
  /// tensor of such a name, and goes again where none is written.
  Status prepare(const std::string &folder, const std::string &names);
  /// Writes the index; `text` says how much was written, and where nodes with such names are that made no tensor.
  Status finish(std::string &text);
  /// The index and the nodes without a tensor, as an object in one line.
  std::string json() const;

private:
  void after(const WatchedLaunch &launch) override;
  bool matches(const std::string &name) const;
  Status checkNames(const std::string &names, bool &hasTensor) const;
  Status makeFolder();
  std::string fileFor(const std::string &name);
  void write(const WatchedLaunch &launch, const WatchedTensor &tensor);

  std::string folder, index;
  regex_t pattern;
  bool hasPattern = false, madeFolder = false;
  Status failure;
  std::set<std::string> files, dumped;
  std::map<std::string, std::string> inside; ///< Nodes with such names, and the kernels they are part of.
};

} // namespace tfc

#endif // TFC_RUN_DUMPTENSORS_H
