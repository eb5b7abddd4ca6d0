//===- KernelWork.h - How much a kernel computes and moves -*- C++ -*- ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_KERNELWORK_H
#define TFC_CODEGEN_COMMON_KERNELWORK_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/IR/Operation.h"

namespace mlir::tfc {

/// Bytes of one element in memory: sub-byte elements and bools take one byte each.
int64_t getElementBytes(Type elementType);

/// Bytes of a tensor, as an expression of its symbols.
DimExprAttr getTensorBytes(Type type);

/// The same in an arena, where every slot begins at a cache line.
DimExprAttr getSlotBytes(Type type);

/// Floating point operations of an op, for figures of merit: exact for contractions (two per multiply-add),
/// one per element and elementary function elsewhere, none for data movement.
DimExprAttr getFlops(Operation *op);

/// Bytes that a kernel made of these operands and results reads and writes at least once.
DimExprAttr getTraffic(ValueRange operands, ValueRange results, MLIRContext *context);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_KERNELWORK_H
