//===- OpTable.h - Which handler imports which operator --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// One table, keyed by domain and operator. Each kind of work has a file that adds its rows. A handler looks
// at `node.opset` where versions of an operator differ.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_OPTABLE_H
#define TFC_LIB_FRONTEND_ONNX_OPTABLE_H

#include "NodeContext.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::tfc::onnx_import {

using Handler = LogicalResult (*)(NodeContext &node);

struct OpEntry {
  Handler handler;
  /// The first inputs that must be there, and how many there may be.
  unsigned requiredInputs;
  unsigned maxInputs;
  /// Opset versions of the domain for which the handler is right.
  int64_t sinceOpset;
  /// Among any number of inputs some may be left out.
  bool mayLeaveOut = false;
};

inline constexpr unsigned anyNumber = ~0u;

class OpTable {
public:
  /// The table with all rows.
  static const OpTable &get();

  /// Null where the operator is not supported. "ai.onnx" is another spelling of the default domain.
  const OpEntry *find(StringRef domain, StringRef op, int64_t opset) const;

  void add(StringRef op, Handler handler, unsigned requiredInputs, unsigned maxInputs,
           int64_t sinceOpset = 1) {
    addTo("", op, handler, requiredInputs, maxInputs, sinceOpset);
  }
  /// An operator with any number of inputs, of which some may be left out.
  void addOpen(StringRef op, Handler handler, unsigned requiredInputs, int64_t sinceOpset = 1);
  void addTo(StringRef domain, StringRef op, Handler handler, unsigned requiredInputs, unsigned maxInputs,
             int64_t sinceOpset = 1);

  /// Every row, in the order of domains and names; the standard's domain is called ai.onnx.
  void forEach(llvm::function_ref<void(StringRef domain, StringRef op, const OpEntry &entry)> callback) const;

private:
  OpTable();
  llvm::StringMap<OpEntry> entries;
};

void addActivationOps(OpTable &table);
void addAttentionOps(OpTable &table);
void addContractionOps(OpTable &table);
void addControlFlowOps(OpTable &table);
void addContribAttentionOps(OpTable &table);
void addConvolutionOps(OpTable &table);
void addDataMovementOps(OpTable &table);
void addEinsumOps(OpTable &table);
void addElementwiseOps(OpTable &table);
void addFusedOps(OpTable &table);
void addGroupQueryAttentionOps(OpTable &table);
void addIndexingOps(OpTable &table);
void addNormalizationOps(OpTable &table);
void addQuantizationOps(OpTable &table);
void addQuantizedMatmulOps(OpTable &table);
void addReductionOps(OpTable &table);
void addRelativePositionBiasOps(OpTable &table);
void addRotaryEmbeddingOps(OpTable &table);
void addShapeOps(OpTable &table);
void addSliceOps(OpTable &table);
void addTensorScatterOps(OpTable &table);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_OPTABLE_H
