//===- MeasureError.h - How far two outputs are apart -*- C++ -*-
//------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_VERIFY_MEASUREERROR_H
#define TFC_LIB_VERIFY_MEASUREERROR_H

#include "Session/Array.h"

namespace tfc {

/// max |got - wanted| / max |wanted| over what is finite. Infinite where the shapes differ, where one has NaN
/// or an infinity and the other has not the same, and where integers differ.
double measureError(const Array &got, const Array &wanted);

} // namespace tfc

#endif // TFC_LIB_VERIFY_MEASUREERROR_H
