//===- WidenHalfTypes.cpp - A graph of 16-bit floats is computed in f32 -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A graph of f16 rounds after every op, and exporters put casts to f32 and back around ops of their choice. Computed in f32
// throughout it is the graph that every fusion knows, and more exact: roundings are left out, none is added.
//
// What must not get lost is where the graph rounded: products of what was rounded may go to tensor cores. So products keep the type
// of their operands as an attribute (kOperandType), and weights keep the type of their bytes. Passes behind the fusions make casts
// of both again (tfc-convert-precision).
//
// A value has two forms at most: a wide one, which ops that compute take, and the one it had, which everything else takes.
//
//===----------------------------------------------------------------------------------------------===//

#include "WidenNumbers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_WIDENHALFTYPES
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

static bool isHalf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isF16() || element.isBF16();
}

static bool isHalfToWide(CastOp cast) { return isHalf(cast.getX().getType()) && getElementTypeOrSelf(cast.getType()).isF32(); }

/// Ops that compute new numbers, and mean the same in any float type.
static bool isComputation(Operation *op) {
  if (isa<QuantizeOp, DequantizeOp>(op))
    return false;
  if (auto attention = dyn_cast<AttentionOp>(op))
    return !attention.getProbabilities();
  return isa<ElementwiseOpInterface, MatmulOp, AttentionOp, SoftmaxOp, LayerNormOp, RmsNormOp, ReduceOp>(op);
}

/// Ops that only move elements. What lies in memory in 16 bits is moved in 16 bits.
static bool isMovement(Operation *op) {
  return isa<ReshapeOp, TransposeOp, SliceOp, ExpandOp, ConcatOp, TileOp, TriluOp, PadOp, GatherOp, GatherElementsOp>(op);
}

namespace {
class HalfWidener {
public:
  explicit HalfWidener(ModuleOp module) : module(module), symbols(module) {}

  LogicalResult run();
  size_t getCount() const { return count; }

private:
  void widenWeights();
  LogicalResult visit(Operation *op);
  LogicalResult widenOp(Operation *op);
  FailureOr<Value> getWide(Value value);
  bool isWide(Value value) const { return wide.contains(value) || value.getDefiningOp<ConstantOp>(); }
  Type findOperandType(Operation *op) const;
  Type findRoundedType(Value value) const;

  ModuleOp module;
  SymbolTable symbols;
  DenseMap<Value, Value> wide; ///< The wide forms of values of 16 bits.
  SmallVector<Operation *> replaced;
  size_t count = 0;
};
} // namespace

/// The type of the bytes stays as the type of the source.
void HalfWidener::widenWeights() {
  Type f32 = Float32Type::get(module.getContext());
  auto isWidened = [&](WeightOp weight) {
    return isHalf(weight.getTensorType()) && weight.getSourceElementType() == weight.getTensorType().getElementType();
  };
  auto widen = [&](WeightOp weight) {
    if (weight.getParts().empty())
      weight.setSourceElementAttr(TypeAttr::get(weight.getTensorType().getElementType()));
    weight.setTypeAttr(TypeAttr::get(weight.getTensorType().clone(f32)));
  };
  DenseSet<Operation *> changed;
  SmallVector<WeightOp> stacks;
  for (auto weight : module.getOps<WeightOp>())
    if (!weight.getParts().empty())
      stacks.push_back(weight);
  // A stack and its parts have one type.
  DenseSet<StringAttr> kept;
  for (WeightOp stack : stacks) {
    auto parts = llvm::map_to_vector(stack.getParts(), [&](FlatSymbolRefAttr part) { return symbols.lookup<WeightOp>(part.getAttr()); });
    if (llvm::all_of(parts, isWidened))
      continue;
    kept.insert(stack.getSymNameAttr());
    for (WeightOp part : parts)
      kept.insert(part.getSymNameAttr());
  }
  for (auto weight : module.getOps<WeightOp>())
    if (!kept.contains(weight.getSymNameAttr()) && isWidened(weight)) {
      widen(weight);
      changed.insert(weight);
    }
  module.walk([&](WeightRefOp reference) {
    auto weight = symbols.lookup<WeightOp>(reference.getWeight());
    if (!weight || !changed.contains(weight))
      return;
    // References change where they stand; what they were used for is seen to as if it came from a cast.
    OpBuilder builder(reference);
    Value made = WeightRefOp::create(builder, reference.getLoc(), weight.getTensorType(), weight.getSymNameAttr());
    wide[reference.getY()] = made;
    replaced.push_back(reference);
  });
}

FailureOr<Value> HalfWidener::getWide(Value value) {
  if (!isHalf(value.getType()))
    return value;
  if (Value known = wide.lookup(value))
    return known;
  OpBuilder builder(module.getContext());
  builder.setInsertionPointAfterValue(value);
  auto f32 = Float32Type::get(module.getContext());
  // The lowest number stands for what is masked in either type.
  FailureOr<Value> made = value.getDefiningOp<ConstantOp>() ? widenNumbers(builder, value, f32)
                                                            : buildOp<CastOp>(builder, value.getLoc(), value, {}, cast<RankedTensorType>(value.getType()).clone(f32));
  if (succeeded(made))
    wide[value] = *made;
  return made;
}

/// The 16-bit type that the graph has rounded the value to, if it did, perhaps before it widened it again.
Type HalfWidener::findRoundedType(Value value) const {
  for (int depth = 0; depth < 16; ++depth) {
    if (isHalf(value.getType()))
      return getElementTypeOrSelf(value.getType());
    Operation *op = value.getDefiningOp();
    auto cast = dyn_cast_or_null<CastOp>(op);
    if (!(cast && isHalfToWide(cast)) && !isa_and_nonnull<ReshapeOp, TransposeOp, SliceOp, ExpandOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return {};
}

/// The type that all operands of a product were rounded to.
Type HalfWidener::findOperandType(Operation *op) const {
  auto attention = dyn_cast<AttentionOp>(op);
  SmallVector<Value> operands;
  if (attention)
    operands = {attention.getQuery(), attention.getKey(), attention.getValue()};
  else if (isa<MatmulOp, ErfOp, TanhOp, SigmoidOp>(op))
    operands.assign(op->operand_begin(), op->operand_end());
  if (operands.empty())
    return {};
  Type common = findRoundedType(operands.front());
  for (Value operand : operands)
    if (findRoundedType(operand) != common)
      return {};
  return common;
}

/// The op in f32 beside the one it stands for.
LogicalResult HalfWidener::widenOp(Operation *op) {
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> operandInF32 = getWide(operand);
    if (failed(operandInF32))
      return failure();
    mapping.map(operand, *operandInF32);
  }
  OpBuilder builder(op);
  Operation *made = builder.clone(*op, mapping);
  Type f32 = builder.getF32Type();
  for (auto [narrow, result] : llvm::zip_equal(op->getResults(), made->getResults())) {
    if (!isHalf(narrow.getType())) {
      narrow.replaceAllUsesWith(result);
      continue;
    }
    result.setType(cast<RankedTensorType>(narrow.getType()).clone(f32));
    wide[narrow] = result;
  }
  replaced.push_back(op);
  ++count;
  return success();
}

LogicalResult HalfWidener::visit(Operation *op) {
  if (Type type = findOperandType(op))
    op->setAttr(kOperandType, TypeAttr::get(type));
  auto isOfHalf = [](Value value) { return isa<RankedTensorType>(value.getType()) && isHalf(value.getType()); };
  if (!llvm::any_of(op->getOperands(), isOfHalf) && !llvm::any_of(op->getResults(), isOfHalf))
    return success();
  if (auto cast = dyn_cast<CastOp>(op)) {
    // A rounding of f32 is left out for whoever computes with the number; another number becomes one of f32 at once.
    if (isOfHalf(cast.getY()) && getElementTypeOrSelf(cast.getX().getType()).isF32()) {
      wide[cast.getY()] = cast.getX();
      return success();
    }
    if (isHalfToWide(cast)) {
      FailureOr<Value> number = getWide(cast.getX());
      if (failed(number))
        return failure();
      // Products that come behind look for the cast.
      replaced.push_back(cast);
      return success();
    }
    // Between 16-bit types a rounding stays where it may lose range.
    return isOfHalf(cast.getX()) && isOfHalf(cast.getY()) ? success() : widenOp(op);
  }
  bool isMovedWide = isMovement(op) && llvm::all_of(op->getOperands(), [&](Value x) { return !isOfHalf(x) || isWide(x); });
  return isComputation(op) || isMovedWide ? widenOp(op) : success();
}

LogicalResult HalfWidener::run() {
  widenWeights();
  SmallVector<AttentionOp> withPast;
  module.walk([&](AttentionOp op) {
    if (isHalf(op.getQuery().getType()) && op.getPastKey() && isComputation(op))
      withPast.push_back(op);
  });
  // A past stays in memory as it comes: what the op reads is all of it, in its own type.
  for (AttentionOp op : withPast)
    if (failed(splitPast(op)))
      return failure();
  SmallVector<Operation *> ops;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<TfcDialect>(op->getDialect()) && !isa<WeightOp, WeightRefOp, ConstantOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops)
    if (failed(visit(op)))
      return failure();
  // Whoever takes 16 bits still gets them, and nobody else keeps the old ops alive.
  for (Operation *op : llvm::reverse(replaced)) {
    // Where blocks do not stand in the order in which they run, the operand may be another one by now.
    if (auto cast = dyn_cast<CastOp>(op); cast && isHalfToWide(cast))
      if (Value number = wide.lookup(cast.getX()))
        cast.getY().replaceAllUsesWith(number);
    OpBuilder builder(module.getContext());
    for (Value result : op->getResults()) {
      Value number = wide.lookup(result);
      if (result.use_empty() || !number)
        continue;
      builder.setInsertionPointAfterValue(number);
      FailureOr<Value> narrow = buildOp<CastOp>(builder, result.getLoc(), number, {}, result.getType());
      if (failed(narrow))
        return failure();
      result.replaceAllUsesWith(*narrow);
    }
  }
  // Not before: what is known of a value must not be taken for a new one in its place.
  for (Operation *op : llvm::reverse(replaced))
    if (op->use_empty())
      op->erase();
  return success();
}

namespace {
struct WidenHalfTypes : mlir::tfc::impl::WidenHalfTypesBase<WidenHalfTypes> {
  void runOnOperation() override {
    HalfWidener widener(getOperation());
    if (failed(widener.run()))
      return signalPassFailure();
    widened += widener.getCount();
  }
};
} // namespace
