//===- LowerHostProgram.cpp - main becomes code that calls the runtime ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/AssignWeights.h"
#include "tfc/Codegen/Common/EntryDescription.h"
#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Codegen/Common/HostCode.h"
#include "tfc/Codegen/Common/Passes.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_LOWERHOSTPROGRAM
#include "tfc/Codegen/Common/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
struct LowerHostProgram : mlir::tfc::impl::LowerHostProgramBase<LowerHostProgram> {
  using LowerHostProgramBase::LowerHostProgramBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> entries = getEntryFunctions(getOperation()),
                              kernels = getKernels(getOperation());
    // A module whose entries are lowered already keeps what it says of its weights.
    if (entries.empty())
      return;
    for (func::FuncOp entry : entries)
      if (failed(checkEntry(entry)))
        return signalPassFailure();
    if (failed(assignWeights(getOperation())))
      return signalPassFailure();
    for (func::FuncOp entry : entries)
      if (failed(lower(entry, kernels)))
        return signalPassFailure();
  }

  LogicalResult lower(func::FuncOp entry, ArrayRef<func::FuncOp> kernels) {
    EntryDescription description(entry, kernels);
    if (failed(description.build()))
      return failure();
    std::string runName = (entry.getSymName() + "_run").str();
    if (SymbolTable::lookupSymbolIn(getOperation(), runName))
      return entry.emitError("needs the name '") << runName << "' for its host program, which is taken";
    if (failed(emitHostCode(entry, description, runName)))
      return failure();
    OpBuilder builder(entry);
    EntryOp::create(builder, entry.getLoc(), entry.getSymName(), description.getDictionary(runName));
    entry.erase();
    return success();
  }
};
} // namespace
