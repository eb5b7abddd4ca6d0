//===- AssignWeights.h - Places of weights in the segment of weights -*- C++ -*- --------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_ASSIGNWEIGHTS_H
#define TFC_CODEGEN_COMMON_ASSIGNWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::tfc {

/// Erases weights that no tfc.weight_ref names, makes weights of equal source, layout and type one, and gives
/// those that stay `segment_offset`, the module `tfc.weight_bytes`. Runs once per module.
LogicalResult assignWeights(ModuleOp module);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_ASSIGNWEIGHTS_H
