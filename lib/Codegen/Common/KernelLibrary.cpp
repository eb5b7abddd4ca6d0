//===- KernelLibrary.cpp - Kernels made of groups of ops, each once ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/KernelLibrary.h"
#include "tfc/Codegen/Common/KernelWork.h"
#include "tfc/Codegen/Common/LocalSymbols.h"
#include "tfc/Codegen/Common/NodeNames.h"
#include "tfc/Codegen/Common/OperandCasts.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tfc;

/// What the group reads, in order of first use: the operands of the launch.
static SmallVector<Value> collectInputs(const OpGroup &group) {
  llvm::SmallPtrSet<Operation *, 16> members(group.ops.begin(), group.ops.end());
  llvm::SetVector<Value> inputs;
  for (Operation *op : group.ops)
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (!producer || (!members.contains(producer) && !isCloned(producer)))
        inputs.insert(operand);
    }
  return inputs.takeVector();
}

/// The constants the group uses and its ops, in an order that can be executed.
static SmallVector<Operation *> collectBody(const OpGroup &group) {
  llvm::SetVector<Operation *> body;
  for (Operation *op : group.ops) {
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp(); producer && isCloned(producer))
        body.insert(producer);
    body.insert(op);
  }
  return body.takeVector();
}

/// "matmul", "add_gelu": the ops in order, shortened where there are many.
static std::string getBaseName(const OpGroup &group) {
  constexpr size_t kMaxParts = 6;
  SmallVector<StringRef> parts;
  // Views that a kernel reads or writes through say nothing of what it does, unless it does nothing else.
  auto isView = [](Operation *op) { return isa<TransposeOp, SliceOp>(op) || isWideningCast(op); };
  bool isMove = llvm::all_of(group.ops, isView);
  for (Operation *op : group.ops)
    if (isMove || !isView(op))
      parts.push_back(op->getName().stripDialect());
  std::string name = llvm::join(ArrayRef(parts).take_front(kMaxParts), "_");
  return parts.size() > kMaxParts ? name + "_etc" : name;
}

static Location getGroupLocation(const OpGroup &group) {
  SmallVector<Location> locations =
      llvm::map_to_vector(group.ops, [](Operation *op) { return op->getLoc(); });
  return FusedLoc::get(group.ops.front()->getContext(), locations);
}

static void setKernelAttributes(func::FuncOp kernel, const LocalSymbols &symbols) {
  Builder builder(kernel.getContext());
  SmallVector<std::string> names;
  for (size_t i = 0; i < symbols.size(); ++i)
    names.push_back(getLocalSymbolName(i));
  Block &body = kernel.front();
  DimExprAttr flops = DimExprAttr::constant(kernel.getContext(), 0);
  for (Operation &op : body)
    flops = flops + getFlops(&op);
  kernel.setPrivate();
  kernel->setAttr("tfc.kernel", builder.getUnitAttr());
  kernel->setAttr("tfc.symbols", builder.getStrArrayAttr(llvm::to_vector_of<StringRef>(names)));
  kernel->setAttr("tfc.flops", flops);
  kernel->setAttr("tfc.bytes",
                  getTraffic(body.getArguments(), body.getTerminator()->getOperands(), kernel.getContext()));
}

/// The kernel as a function that stands nowhere yet. Its name is of no meaning.
static func::FuncOp buildKernel(const OpGroup &group, ValueRange inputs, LocalSymbols &symbols) {
  SmallVector<Operation *> body = collectBody(group);
  for (Value input : inputs)
    symbols.add(input.getType());
  for (Operation *op : body)
    symbols.add(op);
  auto localize = [&](Value value) { return symbols.localize(value.getType()); };
  OpBuilder builder(group.getRoot()->getContext());
  Location location = getGroupLocation(group);
  auto type = builder.getFunctionType(llvm::map_to_vector(inputs, localize),
                                      llvm::map_to_vector(group.results, localize));
  auto kernel = func::FuncOp::create(location, "kernel", type);
  Block *block = kernel.addEntryBlock();
  builder.setInsertionPointToStart(block);
  IRMapping mapping;
  mapping.map(inputs, block->getArguments());
  for (Operation *op : body)
    symbols.localize(builder.clone(*op, mapping));
  SmallVector<Value> results =
      llvm::map_to_vector(group.results, [&](Value result) { return mapping.lookup(result); });
  func::ReturnOp::create(builder, location, results);
  setKernelAttributes(kernel, symbols);
  return kernel;
}

func::FuncOp KernelLibrary::findOrInsert(func::FuncOp candidate, StringRef baseName) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  candidate.print(stream, OpPrintingFlags().useLocalScope());
  auto [place, isNew] = kernels.try_emplace(text, candidate);
  if (!isNew) {
    candidate.erase();
    return place->second;
  }
  std::string name;
  do
    name = (baseName + "_" + Twine(nextNumber[baseName]++)).str();
  while (symbolTable.lookup(name));
  candidate.setName(name);
  symbolTable.insert(candidate, module.getBody()->end());
  return candidate;
}

LaunchOp KernelLibrary::outline(const OpGroup &group) {
  Operation *root = group.getRoot();
  MLIRContext *context = root->getContext();
  SmallVector<Value> inputs = collectInputs(group);
  LocalSymbols symbols;
  func::FuncOp kernel = findOrInsert(buildKernel(group, inputs, symbols), getBaseName(group));

  llvm::SetVector<StringAttr> names;
  SmallVector<Attribute> checks;
  for (Operation *op : group.ops) {
    collectNodeNames(op->getLoc(), names);
    if (isa<CheckedIndexOpInterface>(op))
      checks.push_back(StringAttr::get(context, describeCheck(op)));
  }
  OpBuilder builder(root);
  SmallVector<Type> types = llvm::map_to_vector(group.results, [](Value result) { return result.getType(); });
  auto launch = LaunchOp::create(
      builder, getGroupLocation(group), types, FlatSymbolRefAttr::get(kernel.getSymNameAttr()), inputs,
      builder.getArrayAttr(symbols.getMainSymbols(context)),
      builder.getArrayAttr(llvm::map_to_vector(names, [](StringAttr name) -> Attribute { return name; })),
      checks.empty() ? ArrayAttr() : builder.getArrayAttr(checks), /*places=*/ArrayAttr());
  setResultNodes(launch, llvm::map_to_vector(group.results, [](Value result) { return result.getLoc(); }));
  for (auto [result, made] : llvm::zip_equal(group.results, launch.getResults()))
    Value(result).replaceAllUsesWith(made);
  for (Operation *op : llvm::reverse(group.ops))
    op->erase();
  return launch;
}
