//===- ShapeOps.cpp - Constants, shape queries, symbols -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "ConstantTensor.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::tfc;

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }
OpFoldResult DimValuesOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ShapeOp::inferReturnTypes(MLIRContext *context, std::optional<Location> loc, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
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
  if (!type.hasStaticShape() || type.getNumElements() != static_cast<int64_t>(getSymbols().size()))
    return emitOpError("(C1) needs as many elements as names, got ") << type << " for " << getSymbols().size() << " names";
  auto function = (*this)->getParentOfType<FunctionOpInterface>();
  if (!function)
    return success();
  // Each bind looks only at those before it, so that a clash is reported once.
  llvm::SmallDenseSet<Attribute> seen;
  for (Type argument : function.getArgumentTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(argument); tensor && hasKnownDims(tensor))
      for (DimExprAttr dim : getDims(tensor)) {
        llvm::SetVector<StringAttr> symbols;
        dim.collectSymbols(symbols);
        seen.insert_range(symbols);
      }
  WalkResult clash = function.walk([&](BindOp bind) {
    for (Attribute name : bind.getSymbols())
      if (!seen.insert(name).second && bind == *this) {
        emitOpError("(C2) symbol ") << name << " is bound twice";
        return WalkResult::interrupt();
      }
    return bind == *this ? WalkResult::skip() : WalkResult::advance();
  });
  return failure(clash.wasInterrupted());
}

OpFoldResult DimOp::fold(FoldAdaptor) {
  if (std::optional<int64_t> value = getExpr().getConstant())
    return Builder(getContext()).getIndexAttr(*value);
  return {};
}
