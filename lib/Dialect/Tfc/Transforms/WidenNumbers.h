//===- WidenNumbers.h - A bias in a wider type -*- C++ -*- ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_DIALECT_TFC_TRANSFORMS_WIDENNUMBERS_H
#define TFC_LIB_DIALECT_TFC_TRANSFORMS_WIDENNUMBERS_H

#include "mlir/IR/Builders.h"

namespace mlir::tfc {

/// The value with elements of a wider type, as a bias of scores has it: the lowest number becomes the lowest number. It is
/// computed in that type where it is made of constants and conditions, so that a mask is still seen as one.
FailureOr<Value> widenNumbers(OpBuilder &builder, Value value, FloatType to);

/// A bias of f32 that is made of casts of f16, with the lowest number of f16 become that of f32 where it comes from one of them.
FailureOr<Value> widenLowest(OpBuilder &builder, Value value);

} // namespace mlir::tfc

#endif // TFC_LIB_DIALECT_TFC_TRANSFORMS_WIDENNUMBERS_H
