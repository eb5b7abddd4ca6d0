//===- OpTable.cpp - Which handler imports which operator ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include <map>

using namespace mlir::tfc::onnx_import;

/// A character that stands in no domain.
static std::string makeKey(llvm::StringRef domain, llvm::StringRef op) {
  return (domain == "ai.onnx" ? "" : domain.str()) + '\n' + op.str();
}

const OpTable &OpTable::get() {
  static const OpTable table;
  return table;
}

OpTable::OpTable() {
  addActivationOps(*this);
  addAttentionOps(*this);
  addContractionOps(*this);
  addControlFlowOps(*this);
  addContribAttentionOps(*this);
  addConvolutionOps(*this);
  addDataMovementOps(*this);
  addEinsumOps(*this);
  addElementwiseOps(*this);
  addFusedOps(*this);
  addGroupQueryAttentionOps(*this);
  addIndexingOps(*this);
  addNormalizationOps(*this);
  addQuantizationOps(*this);
  addQuantizedMatmulOps(*this);
  addReductionOps(*this);
  addRelativePositionBiasOps(*this);
  addRotaryEmbeddingOps(*this);
  addShapeOps(*this);
  addSliceOps(*this);
  addTensorScatterOps(*this);
}

void OpTable::addTo(llvm::StringRef domain, llvm::StringRef op, Handler handler, unsigned requiredInputs,
                    unsigned maxInputs, int64_t sinceOpset) {
  entries[makeKey(domain, op)] = {handler, requiredInputs, maxInputs, sinceOpset};
}

void OpTable::addOpen(llvm::StringRef op, Handler handler, unsigned requiredInputs, int64_t sinceOpset) {
  entries[makeKey("", op)] = {handler, requiredInputs, anyNumber, sinceOpset, /*mayLeaveOut=*/true};
}

const OpEntry *OpTable::find(llvm::StringRef domain, llvm::StringRef op, int64_t opset) const {
  auto found = entries.find(makeKey(domain, op));
  return found == entries.end() || opset < found->second.sinceOpset ? nullptr : &found->second;
}

void OpTable::forEach(
    llvm::function_ref<void(llvm::StringRef domain, llvm::StringRef op, const OpEntry &entry)> callback)
    const {
  std::map<std::string, const OpEntry *> sorted;
  for (const auto &row : entries)
    sorted[row.getKey().str()] = &row.getValue();
  for (const auto &[key, entry] : sorted) {
    auto [domain, op] = llvm::StringRef(key).split('\n');
    callback(domain.empty() ? "ai.onnx" : domain, op, *entry);
  }
}
