//===- ShapeOps.cpp - Constants, shape queries, symbols -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "ConstantTensor.h"
#include "InferenceChecks.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::tfc;

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }
OpFoldResult DimValuesOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ShapeOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  if (failed(checkKnownDims(loc, adaptor.getX().getType())))
    return failure();
  auto type = cast<RankedTensorType>(adaptor.getX().getType());
  int64_t start = adaptor.getStart(), end = adaptor.getEnd();
  if (start < 0 || start > end || end > type.getRank())
    return emitOptionalError(loc, "(C1) range [", start, ", ", end, ") is outside [0, ", type.getRank(), "]");
  types.push_back(RankedTensorType::get({end - start}, IntegerType::get(context, 64)));
  return success();
}

OpFoldResult ShapeOp::fold(FoldAdaptor) {
  ConstantTensor result{cast<RankedTensorType>(getType()), {}};
  for (int64_t i = getStart(), end = getEnd(); i < end; ++i) {
    DimExprAttr dim = getDim(getX(), i);
    if (!dim)
      return {};
    result.elements.push_back(ConstantElement::ofDim(dim));
  }
  return result.store();
}

LogicalResult BindOp::verify() {
  auto type = cast<RankedTensorType>(getX().getType());
  if (countElements(type, getSymbols().size()) != static_cast<int64_t>(getSymbols().size()))
    return emitOpError("(C1) needs as many elements as names, got ") << type << " for " << getSymbols().size() << " names";
  for (Attribute name : getSymbols())
    if (StringRef text = cast<StringAttr>(name).getValue(); text.empty() || text.starts_with("%"))
      return emitOpError("(C3) ") << name << " cannot name a symbol";
  auto function = (*this)->getParentOfType<FunctionOpInterface>();
  if (!function)
    return success();
  llvm::SetVector<StringAttr> seen;
  for (Type argument : function.getArgumentTypes())
    if (hasKnownDims(argument))
      for (DimExprAttr dim : getDims(argument))
        dim.collectSymbols(seen);
  // Each bind looks only at those before it, so that a clash is reported once.
  StringAttr clash;
  function.walk([&](BindOp bind) {
    for (StringAttr name : bind.getSymbols().getAsRange<StringAttr>())
      if (!seen.insert(name) && bind == *this)
        clash = name;
    return bind == *this ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (clash)
    return emitOpError("(C2) symbol ") << clash << " is bound twice";
  return success();
}

OpFoldResult DimOp::fold(FoldAdaptor) {
  if (std::optional<int64_t> value = getExpr().getConstant())
    return Builder(getContext()).getIndexAttr(*value);
  return {};
}
