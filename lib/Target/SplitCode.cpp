//===- SplitCode.cpp - The parts of a module that are compiled on their own -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//
//
// Definitions that refer to each other belong to one part: parts are the connected components of the references.
// Declarations belong to every part that uses them.
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/SplitCode.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {
class CodeSplitter {
public:
  CodeSplitter(ModuleOp module, const ::tfc::ModelDescription &model) : module(module), symbols(module), model(model) {}
  llvm::Expected<std::vector<CodePart>> split();

private:
  llvm::Error readReferences();
  void joinVariants();
  OwningOpRef<ModuleOp> makeModule(const llvm::SmallSetVector<Operation *, 8> &definitions);
  void declareKernels(ModuleOp host);

  ModuleOp module;
  SymbolTable symbols;
  const ::tfc::ModelDescription &model;
  llvm::MapVector<Operation *, llvm::SmallSetVector<Operation *, 4>> references;
  /// Ops of the module by the part they are in.
  llvm::EquivalenceClasses<Operation *> parts;
};
} // namespace

static bool isDeclaration(Operation *op) {
  auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
  return function && function.isExternal();
}

/// Each op of the code with the symbols it uses.
llvm::Error CodeSplitter::readReferences() {
  for (Operation &op : module.getOps()) {
    if (isa<WeightOp, EntryOp>(op))
      continue;
    if (!isa_and_nonnull<LLVM::LLVMDialect>(op.getDialect()))
      return llvm::createStringError("'%s' is not in the LLVM dialect; the module was not lowered to the stage llvm",
                                     op.getName().getStringRef().str().c_str());
    auto &used = references[&op];
    if (!isDeclaration(&op))
      parts.insert(&op);
    if (std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(&op))
      for (SymbolTable::SymbolUse use : *uses)
        if (Operation *target = symbols.lookup(use.getSymbolRef().getRootReference()))
          used.insert(target);
  }
  for (auto &[op, used] : references)
    for (Operation *target : used)
      if (!isDeclaration(op) && !isDeclaration(target))
        parts.unionSets(op, target);
  return llvm::Error::success();
}

void CodeSplitter::joinVariants() {
  for (const ::tfc::KernelDescription &kernel : model.kernels) {
    Operation *first = symbols.lookup(kernel.variants.front().function);
    for (const ::tfc::VariantDescription &variant : kernel.variants)
      if (Operation *op = symbols.lookup(variant.function); !isDeclaration(first) && !isDeclaration(op))
        parts.unionSets(first, op);
  }
}

OwningOpRef<ModuleOp> CodeSplitter::makeModule(const llvm::SmallSetVector<Operation *, 8> &definitions) {
  llvm::SmallPtrSet<Operation *, 16> members(definitions.begin(), definitions.end());
  for (Operation *definition : definitions)
    for (Operation *used : references[definition])
      members.insert(used);
  OwningOpRef<ModuleOp> code(ModuleOp::create(module.getLoc()));
  OpBuilder builder = OpBuilder::atBlockEnd(code->getBody());
  for (auto &[op, used] : references)
    if (members.contains(op))
      builder.clone(*op);
  return code;
}

/// The descriptor names all kernels. Of those in other parts the host's part has declarations, and nothing of how they are made.
void CodeSplitter::declareKernels(ModuleOp host) {
  OpBuilder builder = OpBuilder::atBlockEnd(host.getBody());
  for (const ::tfc::KernelDescription &kernel : model.kernels)
    for (const ::tfc::VariantDescription &variant : kernel.variants)
      if (auto function = symbols.lookup<LLVM::LLVMFuncOp>(variant.function); function && !host.lookupSymbol(variant.function))
        LLVM::LLVMFuncOp::create(builder, function.getLoc(), variant.function, function.getFunctionType());
}

llvm::Expected<std::vector<CodePart>> CodeSplitter::split() {
  if (llvm::Error error = readReferences())
    return std::move(error);
  joinVariants();
  llvm::MapVector<Operation *, llvm::SmallSetVector<Operation *, 8>> members;
  for (auto &[op, used] : references)
    if (!isDeclaration(op))
      members[parts.getLeaderValue(op)].insert(op);
  llvm::MapVector<Operation *, SmallVector<uint32_t>> kernels;
  for (auto [number, kernel] : llvm::enumerate(model.kernels)) {
    auto function = symbols.lookup<LLVM::LLVMFuncOp>(kernel.variants.front().function);
    if (function && !function.isExternal())
      kernels[parts.getLeaderValue(function)].push_back(number);
  }
  std::vector<CodePart> result(1);
  llvm::SmallSetVector<Operation *, 8> host;
  auto hasEntry = [&](const llvm::SmallSetVector<Operation *, 8> &definitions) {
    return llvm::any_of(model.entries, [&](const auto &entry) { return definitions.contains(symbols.lookup(entry.run)); });
  };
  for (auto &[leader, definitions] : members) {
    if (kernels.contains(leader) && !hasEntry(definitions))
      continue;
    host.insert(definitions.begin(), definitions.end());
    if (kernels.contains(leader))
      result.front().kernels.append(kernels.lookup(leader));
  }
  for (auto &[leader, numbers] : kernels)
    if (!hasEntry(members[leader]))
      result.push_back({makeModule(members[leader]), numbers});
  result.front().code = makeModule(host);
  declareKernels(*result.front().code);
  return std::move(result);
}

llvm::Expected<std::vector<CodePart>> mlir::tfc::splitCode(ModuleOp module, const ::tfc::ModelDescription &model) {
  return CodeSplitter(module, model).split();
}
