//===- GraphBuilder.cpp - Ops of one entry point under nested names --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphBuilder.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tfc;

GraphBuilder::GraphBuilder(MLIRContext &context, StringRef modelName) : builder(&context) {
  context.loadDialect<TfcDialect, func::FuncDialect>();
  Location loc = NameLoc::get(builder.getStringAttr(modelName));
  module = ModuleOp::create(builder, loc);
  (*module)->setAttr("tfc.model_name", builder.getStringAttr(modelName));
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, loc, "main", builder.getFunctionType({}, {}));
  function->setAttr("tfc.entry", builder.getUnitAttr());
  builder.setInsertionPointToStart(function.addEntryBlock());
}

Value GraphBuilder::addInput(StringRef name, ArrayRef<DimExprAttr> dims, Type elementType) {
  unsigned number = function.getNumArguments();
  RankedTensorType type = getTensorType(dims, elementType);
  DictionaryAttr attributes = builder.getDictionaryAttr(attribute("tfc.name", builder.getStringAttr(name)));
  if (failed(function.insertArgument(number, type, attributes, NameLoc::get(builder.getStringAttr(name))))) {
    failedOnce = true;
    return {};
  }
  return function.getArgument(number);
}

void GraphBuilder::addOutput(StringRef name, Value value, StringRef alias) {
  outputs.push_back({name.str(), alias.str(), value});
}

SmallVector<Value> GraphBuilder::createNamed(StringRef opName, ValueRange operands,
                                             ArrayRef<NamedAttribute> attributes, TypeRange resultTypes) {
  if (llvm::any_of(operands, [](Value operand) { return !operand; }))
    return {};
  FailureOr<SmallVector<Value>> results =
      buildOp(builder, getLoc(), opName, operands, attributes, resultTypes);
  if (succeeded(results))
    return *results;
  failedOnce = true;
  return {};
}

void GraphBuilder::requireAtMost(DimExprAttr lhs, DimExprAttr rhs) {
  RequireOp::create(builder, getLoc(), RequireKind::AtMost, lhs, rhs);
}

Location GraphBuilder::getLoc() {
  if (path.empty())
    return function.getLoc();
  return NameLoc::get(builder.getStringAttr(llvm::join(path, "/")));
}

SmallVector<DimExprAttr> GraphBuilder::dims(ArrayRef<int64_t> values) {
  return llvm::map_to_vector(values, [&](int64_t value) { return dim(value); });
}

OwningOpRef<ModuleOp> GraphBuilder::finish() {
  SmallVector<Value> values;
  SmallVector<DictionaryAttr> attributes;
  for (const Output &output : outputs) {
    values.push_back(output.value);
    NamedAttrList list;
    list.set("tfc.name", builder.getStringAttr(output.name));
    if (!output.alias.empty())
      list.set("tfc.alias", builder.getStringAttr(output.alias));
    attributes.push_back(list.getDictionary(builder.getContext()));
  }
  if (failedOnce || llvm::any_of(values, [](Value value) { return !value; }))
    return {};
  func::ReturnOp::create(builder, function.getLoc(), values);
  function.setType(builder.getFunctionType(function.getArgumentTypes(), ValueRange(values).getTypes()));
  function.setAllResultAttrs(attributes);
  if (failed(verify(*module)))
    return {};
  return std::move(module);
}
