//===- ElementCast.h - Converting elements of weights ------------------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_TARGET_ELEMENTCAST_H
#define TFC_LIB_TARGET_ELEMENTCAST_H

#include "mlir/IR/BuiltinTypes.h"

namespace mlir::tfc {

/// Whether elements of `from` can be converted to `to`, both whole bytes.
bool canCastElements(Type from, Type to);

/// Converts `count` elements: to floats by rounding to nearest even, from floats to integers by truncation
/// (saturating, NaN gives 0), between integers by taking the low bits, to bool by "is not zero".
void castElements(void *to, const void *from, int64_t count, Type toType, Type fromType);

} // namespace mlir::tfc

#endif // TFC_LIB_TARGET_ELEMENTCAST_H
