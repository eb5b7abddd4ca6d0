//===- ReuseKernels.cpp - Code of kernels from earlier compilations ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "ReuseKernels.h"

#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/TargetInfo/CpuTarget.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/SymbolTable.h"

#include <limits>

using namespace mlir;
using namespace mlir::tfc;

/// Whether the text of the kernel is all that its code depends on.
static bool isSelfContained(func::FuncOp kernel) {
  // A kernel that has its final form was written by somebody else.
  if (kernel.isExternal() || llvm::any_of(kernel.getArgumentTypes(), llvm::IsaPred<LLVM::LLVMPointerType>))
    return false;
  if (std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(&kernel.getBody()); !uses || !uses->empty())
    return false;
  // The text of such an attribute names data that stands elsewhere.
  AttrTypeWalker walker;
  walker.addWalk([](DenseResourceElementsAttr) { return WalkResult::interrupt(); });
  return !kernel.walk([&](Operation *op) { return walker.walk(op->getAttrDictionary()); }).wasInterrupted();
}

/// All of the kernel, whatever the user asked to leave out of texts that people read.
static void printAll(func::FuncOp kernel, raw_ostream &os) {
  OpPrintingFlags flags;
  flags.printGenericOpForm().useLocalScope().enableDebugInfo(false).skipRegions(false);
  flags.elideLargeElementsAttrs(std::numeric_limits<int64_t>::max());
  flags.printLargeElementsAttrWithHex(std::numeric_limits<int64_t>::max());
  kernel->print(os, flags);
  os << '\n';
}

KernelReuse::KernelReuse(::tfc::KernelCache &cache, StringRef cpu, StringRef names) : cache(cache) {
  llvm::Expected<::tfc::CpuTargets> parsed = ::tfc::parseCpuTargets(cpu);
  if (!parsed) {
    llvm::consumeError(parsed.takeError()); // Whoever generates the code reports it.
    return;
  }
  llvm::raw_string_ostream os(context);
  os << names << '\n';
  for (const ::tfc::CpuTarget &target : *parsed)
    os << target.name << ' ' << target.triple << ' ' << target.llvmCpu << ' ' << target.tuneCpu << '\n';
}

/// The expression in a cache's text, if it is one.
static DimExprAttr parseExpr(const std::string &text, MLIRContext *context) {
  ScopedDiagnosticHandler silent(context, [](Diagnostic &) { return success(); });
  return dyn_cast_or_null<DimExprAttr>(parseAttribute(text, context));
}

static std::string printExpr(Operation *kernel, StringRef attribute) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (Attribute expr = kernel->getAttrOfType<DimExprAttr>(attribute))
    expr.print(os);
  return text;
}

static void declare(func::FuncOp kernel, DimExprAttr tiles, DimExprAttr scratch) {
  MLIRContext *context = kernel.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context), index = IndexType::get(context);
  kernel.eraseBody();
  kernel.setAllArgAttrs(ArrayRef<DictionaryAttr>{});
  kernel.setAllResultAttrs(ArrayRef<DictionaryAttr>{});
  kernel.setFunctionType(FunctionType::get(context, {pointer, index, index, pointer}, {}));
  kernel->setAttr("tfc.tiles", tiles);
  kernel->setAttr("tfc.scratch", scratch);
  kernel->setAttr("tfc.cached", UnitAttr::get(context));
}

void KernelReuse::replaceKnownKernels(ModuleOp module) {
  module.getContext()->getOrLoadDialect<LLVM::LLVMDialect>(); // Of the signature; no pass has asked for it yet.
  llvm::StringMap<SmallVector<func::FuncOp>> variants;
  for (auto function : module.getOps<func::FuncOp>())
    if (auto kernel = function->getAttrOfType<FlatSymbolRefAttr>("tfc.variant_of"))
      variants[kernel.getValue()].push_back(function);
  for (func::FuncOp kernel : getKernels(module)) {
    SmallVector<func::FuncOp> functions = {kernel};
    llvm::append_range(functions, variants.lookup(kernel.getName()));
    if (!llvm::all_of(functions, isSelfContained))
      continue;
    std::string text = context;
    llvm::raw_string_ostream os(text);
    for (func::FuncOp function : functions)
      printAll(function, os);
    ::tfc::KernelCache::Key key = ::tfc::KernelCache::makeKey(text);
    std::optional<::tfc::CachedKernel> known = cache.find(key);
    DimExprAttr tiles = known ? parseExpr(known->tiles, module.getContext()) : DimExprAttr();
    DimExprAttr scratch = known ? parseExpr(known->scratch, module.getContext()) : DimExprAttr();
    if (!tiles || !scratch) {
      keys[kernel.getName()] = key;
      continue;
    }
    for (func::FuncOp function : functions)
      declare(function, tiles, scratch);
    objects[kernel.getName()] = std::move(known->object);
  }
}

void KernelReuse::keep(ModuleOp module, StringRef name, StringRef object) {
  auto key = keys.find(name);
  Operation *kernel = module.lookupSymbol(name);
  if (key == keys.end() || !kernel)
    return;
  cache.store(key->second, {printExpr(kernel, "tfc.tiles"), printExpr(kernel, "tfc.scratch"), llvm::SmallString<0>(object)});
}
