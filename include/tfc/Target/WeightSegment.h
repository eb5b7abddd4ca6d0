//===- WeightSegment.h - The segment of weights inside a shared library ------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_WEIGHTSEGMENT_H
#define TFC_TARGET_WEIGHTSEGMENT_H

#include "llvm/Support/Error.h"

#include <cstdint>

namespace tfc {

/// Turns the page that EmitModelABI reserved into a read-only segment of `bytes` bytes at the end of the
/// file, and returns where in the file they go. `fd` is the linked shared library, open for reading and
/// writing; it gets its final size, with zeros where the weights will stand.
llvm::Expected<uint64_t> openWeightSegment(int fd, uint64_t bytes);

} // namespace tfc

#endif // TFC_TARGET_WEIGHTSEGMENT_H
