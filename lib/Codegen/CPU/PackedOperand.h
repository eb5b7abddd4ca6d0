//===- PackedOperand.h - The right operand of a matrix product, stored in panels ------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A packed B[k, n] is one tensor of whole panels and, where their width does not divide n, one of the columns behind them:
//
//   panels : tensor<(n / width) x k x width>    panels[p, i, j] = B[i, p * width + j]
//   tail   : tensor<k x (n mod width)>          tail[i, j] = B[i, n - n mod width + j]
//
// Both are strided views of B, so layouts of weights can say them; nothing is padded. In a kernel, B is said in terms of
// them by plain ops, so that the kernel still says what it computes:
//
//   %t = tfc.transpose %panels [1, 0, 2]; %w = tfc.reshape %t; %b = tfc.concat %w, %tail axis 1
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_PACKEDOPERAND_H
#define TFC_LIB_CODEGEN_CPU_PACKEDOPERAND_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

namespace mlir::tfc {

struct PackedOperand {
  Value panels;
  Value tail; ///< Null where n is a multiple of the width.

  int64_t width() const { return cast<RankedTensorType>(panels.getType()).getShape()[2]; }
};

/// Writes B in terms of its parts.
FailureOr<Value> buildPackedOperand(OpBuilder &builder, Location loc, const PackedOperand &parts);

/// The parts of a B that was written so.
std::optional<PackedOperand> matchPackedOperand(Value b);

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_PACKEDOPERAND_H
