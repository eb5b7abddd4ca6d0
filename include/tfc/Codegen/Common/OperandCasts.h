//===- OperandCasts.h - Products of f32 that read 16-bit operands -*- C++ -*- --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A product of f32 whose operands are casts of 16-bit tensors is what tensor cores compute (tfc-convert-precision). The
// casts stand in the product's kernel, and generators read through them.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_OPERANDCASTS_H
#define TFC_CODEGEN_COMMON_OPERANDCASTS_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/BuiltinOps.h"

namespace mlir::tfc {

/// A cast of bf16 or f16 to f32, which keeps every number.
bool isWideningCast(Operation *op);
/// A cast of f32 to bf16 or f16.
bool isNarrowingCast(Operation *op);

/// Whether all of these ops are narrowing casts.
bool areNarrowingCasts(ArrayRef<Operation *> ops);

/// Whether each use of the cast is an operand of a product, which reads what is cast in place of it: both operands of a tfc.matmul;
/// query, key and value of a tfc.attention, which it may read through views.
bool isOperandCast(CastOp cast, ArrayRef<Operation *> users);

/// The same of CPUs, which read 16 bits where they lie, but round nothing: a weight for one product, its only user; query, key and value.
bool isStoredOperandCast(CastOp cast, ArrayRef<Operation *> users);
/// What a cast from 16 bits reads; any other operand itself.
Value skipWideningCast(Value operand);

/// Whether devices and CPUs form other kernels of the fused graph: it has 16-bit numbers, which kernels for tensor cores hand on to each
/// other. To a CPU they are nothing but roundings, and its fast loops read activations of f32.
bool hasHalfNumbers(ModuleOp module);

/// Gives each product a widening cast of its own, of weights alone or of any operand, so that each can stand in the product's kernel.
void separateOperandCasts(Block &block, bool weightsOnly);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_OPERANDCASTS_H
