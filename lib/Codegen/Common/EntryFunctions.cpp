//===- EntryFunctions.cpp - The functions that are entry points -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tfc;

static SmallVector<func::FuncOp> getFunctionsWith(ModuleOp module, StringRef attribute) {
  return llvm::to_vector(llvm::make_filter_range(
      module.getOps<func::FuncOp>(), [&](func::FuncOp function) { return function->hasAttr(attribute); }));
}

SmallVector<func::FuncOp> mlir::tfc::getEntryFunctions(ModuleOp module) {
  return getFunctionsWith(module, "tfc.entry");
}

SmallVector<func::FuncOp> mlir::tfc::getKernels(ModuleOp module) {
  SmallVector<func::FuncOp> kernels = getFunctionsWith(module, "tfc.kernel");
  // Further variants of a kernel are found through it.
  llvm::erase_if(kernels, [](func::FuncOp kernel) { return kernel->hasAttr("tfc.variant_of"); });
  return kernels;
}

Value mlir::tfc::getAliasRoot(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  return value;
}

bool mlir::tfc::writesPlaces(Operation *op) { return isa<LaunchOp, ExternCallOp>(op); }

ArrayAttr mlir::tfc::getPlaces(Operation *op) { return op->getAttrOfType<ArrayAttr>("places"); }

void mlir::tfc::setPlaces(Operation *op, ArrayRef<Attribute> places) {
  op->setAttr("places", ArrayAttr::get(op->getContext(), places));
}

/// Ops that an entry function may hold besides those of the tfc dialect.
static bool isForeignOpAllowed(Operation *op) {
  return isa<scf::IfOp, scf::WhileOp, scf::YieldOp, scf::ConditionOp, tensor::ExtractOp, func::ReturnOp,
             func::FuncOp>(op);
}

static LogicalResult checkOp(Operation *op) {
  if (!isa_and_nonnull<TfcDialect>(op->getDialect()) && !isForeignOpAllowed(op))
    return op->emitError("'")
           << op->getName()
           << "' cannot stand in an entry function: only tfc ops, scf.if, scf.while and tensor.extract can";
  if (op->getNumRegions() > 0 && !isForeignOpAllowed(op))
    return op->emitError("ops of an entry function cannot have regions, but for scf.if and scf.while");
  // The scalar that a condition is read as is the one value that is no tensor.
  if (isa<tensor::ExtractOp>(op))
    return success();
  for (Type type : op->getResultTypes())
    if (!hasKnownDims(type))
      return op->emitError("has a result of type ") << type << ", a tensor with known dims is needed";
  return success();
}

LogicalResult mlir::tfc::checkEntry(func::FuncOp entry) {
  if (!entry.getBody().hasOneBlock())
    return entry.emitError("an entry function needs a body of one block");
  for (auto [index, type] : llvm::enumerate(entry.getArgumentTypes()))
    if (!hasKnownDims(type))
      return entry.emitError("argument ")
             << index << " is of type " << type << ", a tensor with known dims is needed";
  WalkResult result = entry.walk([&](Operation *op) {
    return op == entry || succeeded(checkOp(op)) ? WalkResult::advance() : WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}
