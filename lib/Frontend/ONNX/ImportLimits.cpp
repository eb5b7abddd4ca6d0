//===- ImportLimits.cpp - What a file may ask for at most -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Frontend/ONNX/ImportONNX.h"

using namespace mlir::tfc;

namespace {
struct LimitEntry {
  llvm::StringLiteral name;
  uint64_t ImportLimits::*limit;
  /// What stacks and protobuf can bear.
  uint64_t most;
};
} // namespace

static constexpr LimitEntry kEntries[] = {
    {"nesting", &ImportLimits::nesting, 300},
    {"file-fields", &ImportLimits::fields, uint64_t(1) << 32},
    {"file-bytes", &ImportLimits::bytes, (uint64_t(1) << 31) - 1},
    {"call-depth", &ImportLimits::calls, 256},
    {"expanded-nodes", &ImportLimits::expandedNodes, uint64_t(1) << 32},
    {"unrolled-nodes", &ImportLimits::unrolledNodes, uint64_t(1) << 32},
};

std::string ImportLimits::set(llvm::StringRef name, uint64_t value) {
  std::string names;
  for (const LimitEntry &entry : kEntries) {
    if (entry.name == name && value <= entry.most) {
      this->*entry.limit = value;
      return "";
    }
    if (entry.name == name)
      return ("the limit '" + name + "' can be " + llvm::Twine(entry.most) + " at most").str();
    names += (names.empty() ? "" : ", ") + entry.name.str();
  }
  return ("there is no limit '" + name + "'; there are " + names).str();
}
