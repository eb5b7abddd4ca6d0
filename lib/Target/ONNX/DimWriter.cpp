//===- DimWriter.cpp - Sizes as nodes --------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

// A symbol is a dim of an input or an element of a bound tensor. Each expression becomes nodes once per graph; all are tensors
// of one i64.

#include "GraphWriter.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_export;

void GraphWriter::bindInputs(func::FuncOp function) {
  for (BlockArgument argument : function.getArguments())
    for (auto [index, dim] : llvm::enumerate(getDims(argument))) {
      std::optional<StringRef> symbol = dim.getSymbol();
      StringAttr name = symbol ? StringAttr::get(function.getContext(), *symbol) : StringAttr();
      if (name)
        inputDims.try_emplace(name, argument, index);
    }
}

void GraphWriter::bindSymbols(BindOp op) {
  Name flat = make("Reshape", {getName(op.getX()), makeInts({-1})});
  for (auto [index, symbol] : llvm::enumerate(op.getSymbols().getAsRange<StringAttr>()))
    symbols[symbol] = make("Gather", {flat, makeInts({int64_t(index)})});
}

std::string GraphWriter::findSymbol(StringAttr symbol) {
  for (GraphWriter *writer = this; writer; writer = writer->outer) {
    if (auto found = writer->symbols.find(symbol); found != writer->symbols.end())
      return found->second;
    if (auto found = writer->inputDims.find(symbol); found != writer->inputDims.end()) {
      auto [input, index] = found->second;
      return writer->symbols[symbol] =
                 writer->add("Shape", {writer->getName(input)}).set("start", index).set("end", index + 1).output();
    }
  }
  // The verifier knows no such module; a file that names nothing is refused by whoever reads it.
  return "";
}

std::string GraphWriter::makeDim(DimExprAttr expr) {
  llvm::SetVector<StringAttr> used;
  expr.collectSymbols(used);
  // As far outside as the symbols are known: whoever reads the file then knows the size outside of a branch too. What an outer graph
  // gets now stands before the node whose graph this is: that comes last.
  GraphWriter *home = this;
  auto knows = [&](StringAttr symbol) { return home->symbols.contains(symbol) || home->inputDims.contains(symbol); };
  while (home->outer && llvm::none_of(used, knows))
    home = home->outer;
  auto found = home->dims.find(expr);
  return found != home->dims.end() ? found->second : home->dims[expr] = home->computeDim(expr);
}

std::string GraphWriter::makeDims(ArrayRef<DimExprAttr> exprs) {
  if (llvm::all_of(exprs, [](DimExprAttr expr) { return expr.isConstant(); }))
    return makeInts(llvm::map_to_vector(exprs, [](DimExprAttr expr) { return *expr.getConstant(); }));
  if (exprs.size() == 1)
    return makeDim(exprs.front());
  std::vector<Name> parts;
  for (DimExprAttr expr : exprs)
    parts.push_back(makeDim(expr));
  return add("Concat", parts).set("axis", int64_t(0)).output();
}

std::string GraphWriter::makeDimValues(DimValuesOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  Name made = makeDims(op.getValue().getValues());
  if (type.getRank() != 1)
    made = make("Reshape", {made, makeInts(type.getShape())});
  return type.getElementType().isInteger(64) ? made : makeCast(made, type.getElementType());
}

std::string GraphWriter::computeAtom(Attribute atom) {
  if (auto symbol = dyn_cast<StringAttr>(atom))
    return findSymbol(symbol);
  auto call = cast<DimCallAttr>(atom);
  Name a = makeDim(call.getLhs()), b = makeDim(call.getRhs());
  switch (call.getKind()) {
  case DimCallKind::FloorDiv: {
    // ONNX's Div truncates; its Mod has the divisor's sign.
    if (call.getLhs().isNonNegative())
      return make("Div", {a, b});
    return make("Div", {make("Sub", {a, make("Mod", {a, b})}), b});
  }
  case DimCallKind::Mod:
    return make("Mod", {a, b});
  case DimCallKind::Min:
    return make("Min", {a, b});
  case DimCallKind::Max:
    return make("Max", {a, b});
  case DimCallKind::Broadcast:
    return make("Where", {make("Equal", {a, makeInts({1})}), b, a});
  case DimCallKind::Wrap:
    return make("Where", {make("Less", {a, makeInts({0})}), make("Add", {a, b}), a});
  }
  return "";
}

std::string GraphWriter::computeDim(DimExprAttr expr) {
  if (std::optional<int64_t> constant = expr.getConstant())
    return makeInts({*constant});
  Name sum;
  for (auto [coefficient, monomial] : llvm::zip_equal(expr.getCoefficients(), expr.getMonomials())) {
    Name product;
    for (Attribute atom : monomial) {
      Name factor = computeAtom(atom);
      product = product.empty() ? factor : make("Mul", {product, factor});
    }
    if (product.empty())
      product = makeInts({coefficient});
    else if (coefficient != 1)
      product = make("Mul", {product, makeInts({coefficient})});
    sum = sum.empty() ? product : make("Add", {sum, product});
  }
  return sum.empty() ? makeInts({0}) : sum;
}
