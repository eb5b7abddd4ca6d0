//===- Compare.h - Are these the expected outputs? --------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_COMPARE_H
#define TFC_RUN_COMPARE_H

#include "Session/Array.h"
#include "Session/Status.h"

#include <string>
#include <vector>

namespace tfc {

/// Compares names, types, shapes and elements. Ends with CheckFailed and the worst element; otherwise
/// `summary` says how far off the farthest element was.
Status compareArrays(const std::vector<Array> &outputs, const std::vector<Array> &expected, double rtol,
                     double atol, std::string &summary);

} // namespace tfc

#endif // TFC_RUN_COMPARE_H
