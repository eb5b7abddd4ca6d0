//===- EntryFunctions.h - The functions that are entry points -*- C++ -*- ---------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_ENTRYFUNCTIONS_H
#define TFC_CODEGEN_COMMON_ENTRYFUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::tfc {

/// The functions with the attribute `tfc.entry`, in the order of the module.
SmallVector<func::FuncOp> getEntryFunctions(ModuleOp module);

/// The functions with the attribute `tfc.kernel`, in the order of the module. Their place is their number.
SmallVector<func::FuncOp> getKernels(ModuleOp module);

/// Diagnoses an entry function that no pass of this folder could work on: one without a body, with several
/// blocks, or with values other than tensors whose dims are all known.
LogicalResult checkEntry(func::FuncOp entry);

/// Whether the op is one of main that writes its results to places: a launch, or a call of the host.
bool writesPlaces(Operation *op);

/// The `places` of such an op, which tfc-plan-memory sets; null before.
ArrayAttr getPlaces(Operation *op);
void setPlaces(Operation *op, ArrayRef<Attribute> places);

/// The value behind reshapes: what lies in memory.
Value getAliasRoot(Value value);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_ENTRYFUNCTIONS_H
