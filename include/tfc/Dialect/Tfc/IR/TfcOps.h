//===- TfcOps.h - All ops of the dialect -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCOPS_H
#define TFC_DIALECT_TFC_IR_TFCOPS_H

#include "tfc/Dialect/Tfc/IR/Broadcast.h"
#include "tfc/Dialect/Tfc/IR/Dims.h"
#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::tfc {
/// (C0) of every op: each tensor it takes or gives has known dims.
LogicalResult verifyKnownDims(Operation *op);
template <typename ConcreteType>
struct KnownDims : OpTrait::TraitBase<ConcreteType, KnownDims> {
  static LogicalResult verifyTrait(Operation *op) { return verifyKnownDims(op); }
};

enum class RequireKind : uint32_t;

/// What an op needs of its operands' dims beyond what the types prove: `kind(lhs, rhs)`, as tfc.require says it.
struct Requirement {
  RequireKind kind;
  DimExprAttr lhs;
  DimExprAttr rhs;
};
} // namespace mlir::tfc

#include "tfc/Dialect/Tfc/IR/TfcInterfaces.h.inc"

#define GET_OP_CLASSES
#include "tfc/Dialect/Tfc/IR/TfcOps.h.inc"

#endif // TFC_DIALECT_TFC_IR_TFCOPS_H
