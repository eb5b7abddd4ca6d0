//===- Dims.h - Dims of tensor types as expressions -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_DIMS_H
#define TFC_DIALECT_TFC_IR_DIMS_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

namespace mlir::tfc {

/// The dims of a ranked tensor as expressions: from its #tfc.dims encoding, or the static shape. A `?` without an
/// encoding (which the op verifiers refuse) gives a null entry.
SmallVector<DimExprAttr> getDims(Type type);
inline SmallVector<DimExprAttr> getDims(Value value) { return getDims(value.getType()); }

/// One dim; null as above.
DimExprAttr getDim(Type type, int64_t index);
inline DimExprAttr getDim(Value value, int64_t index) { return getDim(value.getType(), index); }

/// The tensor type with these dims. Static types carry no encoding.
RankedTensorType getTensorType(ArrayRef<DimExprAttr> dims, Type elementType);

/// Product of the dims: the number of elements.
DimExprAttr getElementCount(Type type);

/// True for ranked tensors whose every `?` has an expression that is not too complex, and that carry no other encoding.
bool hasKnownDims(Type type);

/// What is said of a type that has not.
inline constexpr llvm::StringLiteral kKnownDimsMessage =
    "(C0) a tensor with `?` dims needs a #tfc.dims encoding, and no other encoding is known; got ";

} // namespace mlir::tfc

#endif // TFC_DIALECT_TFC_IR_DIMS_H
