//===- NodeNames.h - Names of the source graph's nodes, from Locations -*- C++ -*- ------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_NODENAMES_H
#define TFC_CODEGEN_COMMON_NODENAMES_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::tfc {
class LaunchOp;

/// Adds the names a Location carries, in order. Positions in files are no names.
void collectNodeNames(Location location, llvm::SetVector<StringAttr> &names);

/// The names as one text, "Add_1+Erf_2"; empty when there is none.
std::string getNodeText(Location location);

/// What to call a result of a launch: the node that makes it. Empty when it has no name.
StringRef getResultNode(LaunchOp launch, unsigned result);

/// Notes the names of a launch's results, where the launch's `nodes` do not say them already by their last one.
void setResultNodes(LaunchOp launch, ArrayRef<Location> makers);

/// What the checked op (CheckedIndexOpInterface) is called in an error of a run: "node 'Gather_3':
/// input_ids", with the name of the entry's input that the indices come from, where there is one.
std::string describeCheck(Operation *op);

/// The argument of the entry function that a value is made from by ops that keep an index what it is (casts,
/// reshapes, arithmetic with constants, data movement), or null.
BlockArgument findIndexSource(Value value);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_NODENAMES_H
