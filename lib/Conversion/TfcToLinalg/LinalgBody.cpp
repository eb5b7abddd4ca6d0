//===- LinalgBody.cpp - Building linalg ops over tfc operands --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "LinalgBody.h"

#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"
#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::tfc;

Value mlir::tfc::createEmpty(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> dims, Type memoryType) {
  SmallVector<OpFoldResult> sizes;
  for (DimExprAttr dim : dims)
    sizes.push_back(getDimSize(builder, loc, dim));
  return tensor::EmptyOp::create(builder, loc, sizes, memoryType);
}

Value mlir::tfc::createEmpty(OpBuilder &builder, Location loc, Type tensorType) {
  return createEmpty(builder, loc, getDims(tensorType),
                     getMemoryType(cast<RankedTensorType>(tensorType).getElementType()));
}

Value mlir::tfc::createFilled(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> dims, Value memory) {
  Value empty = createEmpty(builder, loc, dims, memory.getType());
  return linalg::FillOp::create(builder, loc, memory, empty).getResult(0);
}

Value mlir::tfc::readElement(OpBuilder &builder, Location loc, Value tensor, ValueRange indices,
                             Type elementType) {
  return loadScalar(builder, loc, tensor::ExtractOp::create(builder, loc, tensor, indices), elementType);
}

SmallVector<int64_t> mlir::tfc::iota(int64_t count) { return llvm::to_vector(llvm::seq<int64_t>(0, count)); }

Value mlir::tfc::createCount(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> dims, Type type) {
  DimExprAttr count = DimExprAttr::constant(builder.getContext(), 1);
  for (DimExprAttr dim : dims)
    count = count * dim;
  if (std::optional<int64_t> value = count.getConstant())
    return createConstant(builder, loc, type, *value);
  Value index = materializeDim(builder, loc, count);
  if (!isa<FloatType>(type))
    return arith::IndexCastOp::create(builder, loc, type, index);
  Value integer = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
  return arith::SIToFPOp::create(builder, loc, type, integer);
}

SmallVector<Value> mlir::tfc::createLoopIndices(OpBuilder &builder, Location loc, int64_t count) {
  SmallVector<Value> indices;
  for (int64_t loop : llvm::seq<int64_t>(0, count))
    indices.push_back(linalg::IndexOp::create(builder, loc, loop));
  return indices;
}

//===----------------------------------------------------------------------------------------------===//
// LoopOperands
//===----------------------------------------------------------------------------------------------===//

/// The only element of a constant, as a scalar; null for anything else.
static Value matchScalarConstant(OpBuilder &builder, Location loc, Value original) {
  Type elementType = getElementTypeOrSelf(original.getType());
  if (auto constant = original.getDefiningOp<ConstantOp>()) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!elements || !elements.isSplat())
      return nullptr;
    Type scalarType = getScalarType(elementType);
    if (isa<FloatType>(elementType))
      return arith::ConstantOp::create(builder, loc, elements.getSplatValue<FloatAttr>());
    return arith::ConstantOp::create(builder, loc,
                                     IntegerAttr::get(scalarType, elements.getSplatValue<APInt>()));
  }
  auto dims = original.getDefiningOp<DimValuesOp>();
  if (!dims || dims.getValue().getValues().size() != 1)
    return nullptr;
  Value dim = materializeDim(builder, loc, dims.getValue().getValues().front());
  return arith::IndexCastOp::create(builder, loc, getScalarType(elementType), dim);
}

void LoopOperands::addInput(Operand operand, Value tensor, ArrayRef<AffineExpr> indices) {
  operand.argument = tensors.size();
  operands.push_back(std::move(operand));
  tensors.push_back(tensor);
  maps.push_back(AffineMap::get(loopDims.size(), 0, indices, builder.getContext()));
}

void LoopOperands::add(Value original, Value converted, ArrayRef<int64_t> loops, int64_t broadcastDims) {
  Operand operand{getElementTypeOrSelf(original.getType())};
  operand.constant = matchScalarConstant(builder, loc, original);
  if (operand.constant) {
    operands.push_back(std::move(operand));
    return;
  }
  bool decidedAtRunTime = false;
  SmallVector<AffineExpr> indices;
  for (auto [position, dim, loop] : llvm::enumerate(getDims(original), loops)) {
    BroadcastRelation relation = static_cast<int64_t>(position) < broadcastDims
                                     ? relateBroadcast(dim, loopDims[loop])
                                     : BroadcastRelation::Same;
    bool isOne = relation == BroadcastRelation::One;
    operand.loops.push_back(isOne ? -1 : loop);
    operand.steps.push_back(nullptr);
    indices.push_back(isOne ? builder.getAffineConstantExpr(0) : builder.getAffineDimExpr(loop));
    if (relation != BroadcastRelation::Unknown)
      continue;
    decidedAtRunTime = true;
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value isUnit =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, materializeDim(builder, loc, dim), one);
    operand.steps.back() = arith::SelectOp::create(builder, loc, isUnit, zero, one);
  }
  if (!decidedAtRunTime)
    return addInput(std::move(operand), converted, indices);
  operand.tensor = converted;
  operands.push_back(std::move(operand));
}

void LoopOperands::addAligned(Value original, Value converted) {
  int64_t rank = cast<RankedTensorType>(original.getType()).getRank();
  add(original, converted, ArrayRef<int64_t>(iota(loopDims.size())).take_back(rank), rank);
}

void LoopOperands::addPlain(Value tensor, ArrayRef<int64_t> loops) {
  SmallVector<AffineExpr> indices;
  for (int64_t loop : loops)
    indices.push_back(builder.getAffineDimExpr(loop));
  addInput(Operand{}, tensor, indices);
}

void LoopOperands::cover(int64_t loop) {
  AffineExpr dim = builder.getAffineDimExpr(loop);
  if (llvm::any_of(maps, [&](AffineMap map) { return llvm::is_contained(map.getResults(), dim); }))
    return;
  addPlain(createEmpty(builder, loc, loopDims[loop], builder.getI8Type()), loop);
}

SmallVector<Value> LoopOperands::read(OpBuilder &body, ValueRange blockArguments) const {
  SmallVector<Value> scalars;
  for (const Operand &operand : operands) {
    if (operand.constant) {
      scalars.push_back(operand.constant);
    } else if (operand.argument >= 0) {
      Value argument = blockArguments[operand.argument];
      scalars.push_back(operand.elementType ? loadScalar(body, loc, argument, operand.elementType)
                                            : argument);
    } else {
      SmallVector<Value> indices;
      for (auto [loop, step] : llvm::zip_equal(operand.loops, operand.steps)) {
        Value index = loop < 0 ? arith::ConstantIndexOp::create(body, loc, 0).getResult()
                               : linalg::IndexOp::create(body, loc, loop).getResult();
        indices.push_back(step ? arith::MulIOp::create(body, loc, index, step).getResult() : index);
      }
      scalars.push_back(readElement(body, loc, operand.tensor, indices, operand.elementType));
    }
  }
  return scalars;
}

//===----------------------------------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------------------------------===//

Value mlir::tfc::createGeneric(OpBuilder &builder, Location loc, const LoopOperands &operands, Value init,
                               int64_t numLoops, ArrayRef<int64_t> resultLoops, BodyBuilder body) {
  SmallVector<AffineMap> maps(operands.getMaps());
  SmallVector<AffineExpr> resultIndices;
  SmallVector<utils::IteratorType> iterators(numLoops, utils::IteratorType::reduction);
  for (int64_t loop : resultLoops) {
    resultIndices.push_back(builder.getAffineDimExpr(loop));
    iterators[loop] = utils::IteratorType::parallel;
  }
  maps.push_back(AffineMap::get(numLoops, 0, resultIndices, builder.getContext()));
  auto generic = linalg::GenericOp::create(
      builder, loc, TypeRange(init.getType()), operands.getTensors(), ValueRange(init), maps, iterators,
      [&](OpBuilder &nested, Location, ValueRange arguments) {
        Value result = body(nested, operands.read(nested, arguments.drop_back()), arguments.back());
        linalg::YieldOp::create(nested, loc, result);
      });
  return generic.getResult(0);
}

Value mlir::tfc::createElementwise(OpBuilder &builder, Location loc, const LoopOperands &operands,
                                   Type resultType,
                                   llvm::function_ref<Value(OpBuilder &, ValueRange)> compute) {
  auto type = cast<RankedTensorType>(resultType);
  Value init = createEmpty(builder, loc, type);
  return createGeneric(builder, loc, operands, init, type.getRank(), iota(type.getRank()),
                       [&](OpBuilder &body, ValueRange scalars, Value) {
                         return storeScalar(body, loc, compute(body, scalars), type.getElementType());
                       });
}

Value mlir::tfc::createFromIndices(OpBuilder &builder, Location loc, Type resultType,
                                   llvm::function_ref<Value(OpBuilder &, ValueRange)> compute) {
  LoopOperands none(builder, loc, getDims(resultType));
  int64_t rank = cast<RankedTensorType>(resultType).getRank();
  return createElementwise(builder, loc, none, resultType, [&](OpBuilder &body, ValueRange) {
    return compute(body, createLoopIndices(body, loc, rank));
  });
}
