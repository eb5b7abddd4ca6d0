//===- ConvertPrecision.cpp - Products of f32 take operands of fewer bits ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A product of 16-bit numbers that is summed in f32 is a product of f32 whose operands are casts: `matmul(widen(x),
// widen(w))`. That is how the graph says it, so no op learns of a second type: the product, its epilogue, the scores
// of an attention and everything that is not an operand stay in f32. Whoever makes kernels reads the operands through
// their casts.
//
// Narrowing casts go up to where the number is made, through ops that only move it, so that they are the last thing
// that the kernel of its maker does.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_CONVERTPRECISION
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

/// Products over fewer elements than this stay in f32: no tensor core has work with them, and outer products (a depth
/// of 1) are how rotary embeddings make angles of positions, which 8 bits cannot count.
static constexpr int64_t kLeastDepth = 8;

static bool isDeepProduct(MatmulOp op) {
  int64_t rank = cast<RankedTensorType>(op.getA().getType()).getRank();
  std::optional<int64_t> depth = getDim(op.getA(), op.getTransposeA() ? rank - 2 : rank - 1).getConstant();
  return elementOf(op.getA()).isF32() && elementOf(op.getB()).isF32() && (!depth || *depth >= kLeastDepth);
}

/// Casts are moved over so many ops at most: what comes from outside may be a chain of any length.
static constexpr unsigned kFarthest = 64;

/// Query, key and value: the operands of an attention that its products take.
static constexpr unsigned kProductOperands = 3;

/// The type that the graph has rounded a product's operands to, or none.
static Type getOperandType(Operation *op) {
  auto type = op->getAttrOfType<TypeAttr>(kOperandType);
  return type ? type.getValue() : Type();
}

static bool isLookup(OpOperand &use) { return isa<GatherOp>(use.getOwner()) && use.getOperandNumber() == 0; }

/// Ops that only move the elements of their operands.
static bool isMovement(Operation *op) {
  return isa_and_nonnull<ReshapeOp, TransposeOp, SliceOp, ExpandOp, ConcatOp>(op);
}

/// Ops that give all elements of their operand, each once.
static bool isReordering(Operation *op) { return isa_and_nonnull<ReshapeOp, TransposeOp>(op); }

/// Whether the elements are computed, rather than what lies in memory already or is put together from there.
static bool isComputed(Value value) {
  while (isReordering(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  Operation *maker = value.getDefiningOp();
  return maker && !isMovement(maker) && !isa<WeightRefOp, ConstantOp>(maker);
}

namespace {
/// Which products are converted: those that the graph has in f32, those whose operands it has rounded to the type, or none. But for the
/// first, casts to the type that the graph has are moved to where the numbers are made.
enum class Converted { OfF32, OfGraphType, None };

class PrecisionConverter {
public:
  PrecisionConverter(ModuleOp module, FloatType narrow, Converted which) : module(module), symbols(module), narrowType(narrow), which(which) {}

  LogicalResult run();
  /// Stores weights whose bytes are of this type as such.
  LogicalResult narrowStoredWeights();
  size_t getCount() const { return count; }

private:
  bool isConverted(Operation *op) const;
  bool isProductOperand(OpOperand &use) const;
  Type narrowed(Type type) const { return cast<RankedTensorType>(type).clone(narrowType); }
  bool isOnlyOperand(Value value, unsigned way = 0);
  FailureOr<Value> narrow(Value value, unsigned way = 0);
  FailureOr<Value> moveNarrow(Operation *op, unsigned way);
  Value referToNarrow(WeightRefOp reference);
  LogicalResult convertUse(OpOperand &use);
  void collectWeights(ArrayRef<OpOperand *> uses);
  LogicalResult convertWeights();
  WeightOp makeNarrow(WeightOp weight, bool inPlace);
  LogicalResult convertLookup(GatherOp gather, WeightOp weight);
  LogicalResult moveCasts();
  void eraseDeadReferences();

  ModuleOp module;
  SymbolTable symbols;
  FloatType narrowType;
  Converted which;
  DenseMap<Value, Value> known; ///< Narrow forms of values.
  DenseMap<Value, bool> onlyOperands;
  /// Narrow forms of weights, by the names of the wide ones.
  llvm::MapVector<StringAttr, WeightOp> weights;
  size_t count = 0;
};
} // namespace

bool PrecisionConverter::isConverted(Operation *op) const {
  if (which == Converted::None || getOperandType(op) != (which == Converted::OfF32 ? Type() : Type(narrowType)))
    return false;
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return isDeepProduct(matmul);
  auto attention = dyn_cast<AttentionOp>(op);
  return attention && hasAttentionKernel(attention);
}

/// Whether the use is an operand that is to have fewer bits.
bool PrecisionConverter::isProductOperand(OpOperand &use) const {
  return isConverted(use.getOwner()) && (!isa<AttentionOp>(use.getOwner()) || use.getOperandNumber() < kProductOperands);
}

/// Whether nobody reads the value but products, perhaps from another place.
bool PrecisionConverter::isOnlyOperand(Value value, unsigned way) {
  if (way == kFarthest)
    return false;
  if (auto found = onlyOperands.find(value); found != onlyOperands.end())
    return found->second;
  bool isOnly = llvm::all_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    auto cast = dyn_cast<CastOp>(user);
    return isProductOperand(use) || (cast && elementOf(cast.getY()) == narrowType) ||
           (isMovement(user) && isOnlyOperand(user->getResult(0), way + 1));
  });
  return onlyOperands[value] = isOnly;
}

/// The op that moves narrow numbers in place of wide ones.
FailureOr<Value> PrecisionConverter::moveNarrow(Operation *op, unsigned way) {
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> moved = narrow(operand, way + 1);
    if (failed(moved))
      return failure();
    mapping.map(operand, *moved);
  }
  OpBuilder builder(op);
  Operation *copy = builder.clone(*op, mapping);
  copy->getResult(0).setType(narrowed(copy->getResult(0).getType()));
  return copy->getResult(0);
}

/// A weight that products read where something else has moved it; `convertWeights` has seen to the others.
Value PrecisionConverter::referToNarrow(WeightRefOp reference) {
  WeightOp &weight = weights[reference.getWeightAttr().getAttr()];
  if (!weight)
    weight = makeNarrow(symbols.lookup<WeightOp>(reference.getWeight()), /*inPlace=*/false);
  OpBuilder builder(reference);
  return WeightRefOp::create(builder, reference.getLoc(), weight.getTensorType(), weight.getSymNameAttr());
}

FailureOr<Value> PrecisionConverter::narrow(Value value, unsigned way) {
  if (Value made = known.lookup(value))
    return made;
  Operation *op = value.getDefiningOp();
  FailureOr<Value> result;
  if (auto widening = dyn_cast_or_null<CastOp>(op); widening && elementOf(widening.getX()) == narrowType) {
    result = widening.getX();
  } else if (auto reference = dyn_cast_or_null<WeightRefOp>(op)) {
    result = referToNarrow(reference);
  } else if (way < kFarthest && isMovement(op) && llvm::all_of(op->getOperands(), [&](Value x) { return isOnlyOperand(x); })) {
    result = moveNarrow(op, way);
  } else if (way < kFarthest && isReordering(op) && (isa<ReshapeOp>(op) || isOnlyOperand(value)) && isComputed(value)) {
    // Whoever computes the numbers can store them twice. A reshape costs nothing, so there may be two of it.
    result = moveNarrow(op, way);
  } else {
    OpBuilder builder(module.getContext());
    builder.setInsertionPointAfterValue(value);
    result = buildOp<CastOp>(builder, value.getLoc(), value, {}, narrowed(value.getType()));
  }
  if (succeeded(result))
    known[value] = *result;
  return result;
}

LogicalResult PrecisionConverter::convertUse(OpOperand &use) {
  FailureOr<Value> operand = narrow(use.get());
  OpBuilder builder(use.getOwner());
  FailureOr<Value> wide = failed(operand)
                              ? operand
                              : buildOp<CastOp>(builder, operand->getLoc(), *operand, {}, use.get().getType());
  if (failed(wide))
    return failure();
  use.set(*wide);
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------------------------------===//

/// A weight that only products and lookups read changes its type and keeps its name; of another one there are two.
WeightOp PrecisionConverter::makeNarrow(WeightOp weight, bool inPlace) {
  OpBuilder builder(weight);
  Type source = weight.getSourceElementType();
  bool isStack = !weight.getParts().empty();
  SmallVector<FlatSymbolRefAttr> parts;
  for (FlatSymbolRefAttr part : weight.getParts())
    parts.push_back(FlatSymbolRefAttr::get(makeNarrow(symbols.lookup<WeightOp>(part.getAttr()), inPlace).getSymNameAttr()));
  if (!inPlace) {
    weight = cast<WeightOp>(builder.clone(*weight));
    weight.setSymName((weight.getSymName() + (narrowType.isBF16() ? "_bf16" : "_f16")).str());
    symbols.insert(weight);
  }
  weight.setTypeAttr(TypeAttr::get(narrowed(weight.getTensorType())));
  if (isStack)
    weight.setSourceAttr(StackedSourceAttr::get(module.getContext(), parts));
  else
    weight.setSourceElementAttr(source == narrowType ? TypeAttr() : TypeAttr::get(source));
  return weight;
}

/// The rows come out of the table in 16 bits, and are widened.
LogicalResult PrecisionConverter::convertLookup(GatherOp gather, WeightOp weight) {
  OpBuilder builder(gather);
  IRMapping mapping;
  mapping.map(gather.getX(), WeightRefOp::create(builder, gather.getX().getLoc(), weight.getTensorType(),
                                                 weight.getSymNameAttr()).getY());
  auto looked = cast<GatherOp>(builder.clone(*gather, mapping));
  looked.getResult().setType(cast<RankedTensorType>(narrowed(gather.getType())));
  FailureOr<Value> wide = buildOp<CastOp>(builder, gather.getLoc(), looked.getResult(), {}, gather.getType());
  if (failed(wide))
    return failure();
  gather.getResult().replaceAllUsesWith(*wide);
  gather.erase();
  return success();
}

void PrecisionConverter::collectWeights(ArrayRef<OpOperand *> uses) {
  for (OpOperand *use : uses)
    if (auto reference = use->get().getDefiningOp<WeightRefOp>())
      weights[reference.getWeightAttr().getAttr()] = {};
}

LogicalResult PrecisionConverter::convertWeights() {
  DenseMap<StringAttr, SmallVector<WeightRefOp>> references;
  module.walk([&](WeightRefOp reference) { references[reference.getWeightAttr().getAttr()].push_back(reference); });
  for (auto &[name, narrowWeight] : weights) {
    bool inPlace = true;
    SmallVector<GatherOp> lookups;
    for (WeightRefOp reference : references[name])
      for (OpOperand &use : reference.getY().getUses()) {
        inPlace &= isProductOperand(use) || isLookup(use);
        if (isLookup(use))
          lookups.push_back(cast<GatherOp>(use.getOwner()));
      }
    narrowWeight = makeNarrow(symbols.lookup<WeightOp>(name), inPlace);
    for (GatherOp gather : lookups)
      if (failed(convertLookup(gather, narrowWeight)))
        return failure();
  }
  return success();
}

/// Products and lookups read the narrow weight through a cast; a weight that anything else reads is stored wide.
LogicalResult PrecisionConverter::narrowStoredWeights() {
  auto isOfType = [&](WeightOp weight) { return weight.getTensorType().getElementType().isF32() && weight.getSourceElementType() == narrowType; };
  DenseMap<StringAttr, SmallVector<WeightRefOp>> references;
  module.walk([&](WeightRefOp reference) { references[reference.getWeightAttr().getAttr()].push_back(reference); });
  DenseMap<StringAttr, int> stacksOfPart;
  for (auto weight : module.getOps<WeightOp>())
    for (FlatSymbolRefAttr part : weight.getParts())
      ++stacksOfPart[part.getAttr()];
  for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>())) {
    StringAttr name = weight.getSymNameAttr();
    bool isOnlyHere = !stacksOfPart.contains(name), isNarrow = weight.getParts().empty() && isOfType(weight);
    if (!weight.getParts().empty())
      isNarrow = llvm::all_of(weight.getParts(), [&](FlatSymbolRefAttr part) {
        return isOfType(symbols.lookup<WeightOp>(part.getAttr())) && !references.contains(part.getAttr()) && stacksOfPart[part.getAttr()] == 1;
      });
    SmallVector<OpOperand *> products;
    SmallVector<GatherOp> lookups;
    for (WeightRefOp reference : references.lookup(name))
      for (OpOperand &use : reference.getY().getUses()) {
        if (auto matmul = dyn_cast<MatmulOp>(use.getOwner()))
          products.push_back(&use);
        else if (isLookup(use))
          lookups.push_back(cast<GatherOp>(use.getOwner()));
        else
          isNarrow = false;
      }
    if (!isOnlyHere || !isNarrow || (products.empty() && lookups.empty()))
      continue;
    Type wide = weight.getTensorType();
    makeNarrow(weight, /*inPlace=*/true);
    for (GatherOp gather : lookups)
      if (failed(convertLookup(gather, weight)))
        return failure();
    for (OpOperand *use : products) {
      OpBuilder builder(use->getOwner());
      Value narrow = WeightRefOp::create(builder, use->get().getLoc(), weight.getTensorType(), name);
      FailureOr<Value> widened = buildOp<CastOp>(builder, narrow.getLoc(), narrow, {}, wide);
      if (failed(widened))
        return failure();
      use->set(*widened);
    }
  }
  eraseDeadReferences();
  return success();
}

/// The graph's own narrowing casts, of outputs and of what is put together with inputs.
LogicalResult PrecisionConverter::moveCasts() {
  SmallVector<CastOp> casts;
  module.walk([&](CastOp op) {
    if (elementOf(op.getX()).isF32() && elementOf(op.getY()) == narrowType && isMovement(op.getX().getDefiningOp()))
      casts.push_back(op);
  });
  for (CastOp op : casts) {
    FailureOr<Value> moved = narrow(op.getX());
    if (failed(moved))
      return failure();
    if (*moved == op.getY())
      continue;
    for (auto &[wide, narrow] : known)
      if (narrow == op.getY())
        narrow = *moved;
    op.getY().replaceAllUsesWith(*moved);
  }
  // Not before: what is known of a value must not be taken for a new one in its place.
  for (CastOp op : casts)
    if (op.getY().use_empty())
      op.erase();
  return success();
}

/// In-place weights have other types than what still refers to them.
void PrecisionConverter::eraseDeadReferences() {
  SmallVector<WeightRefOp> dead;
  module.walk([&](WeightRefOp reference) {
    if (reference.getY().use_empty())
      dead.push_back(reference);
  });
  for (WeightRefOp reference : dead)
    reference.erase();
}

LogicalResult PrecisionConverter::run() {
  SmallVector<AttentionOp> attentions;
  module.walk([&](AttentionOp op) {
    if (isConverted(op) && op.getPastKey())
      attentions.push_back(op);
  });
  // Past keys come in f32 from outside; what the op reads is all of them.
  for (AttentionOp op : attentions)
    if (failed(splitPast(op)))
      return failure();
  SmallVector<OpOperand *> uses;
  module.walk([&](Operation *op) {
    if (!isa<MatmulOp, AttentionOp>(op))
      return;
    for (OpOperand &operand : op->getOpOperands())
      if (isProductOperand(operand))
        uses.push_back(&operand);
    count += isConverted(op);
  });
  collectWeights(uses);
  if (failed(convertWeights()))
    return failure();
  // All uses are known before the first one changes, so that `isOnlyOperand` sees the graph as it was.
  for (OpOperand *use : uses) {
    FailureOr<Value> made = narrow(use->get());
    if (failed(made))
      return failure();
  }
  for (OpOperand *use : uses)
    if (failed(convertUse(*use)))
      return failure();
  if (which != Converted::OfF32 && failed(moveCasts()))
    return failure();
  eraseDeadReferences();
  return success();
}

namespace {
struct ConvertPrecision : mlir::tfc::impl::ConvertPrecisionBase<ConvertPrecision> {
  using ConvertPrecisionBase::ConvertPrecisionBase;

  void runOnOperation() override {
    Builder builder(&getContext());
    if (to == "tf32")
      return markProducts();
    FloatType halves[] = {builder.getBF16Type(), builder.getF16Type()};
    LogicalResult result = success();
    if (to == "stored") {
      for (FloatType type : halves)
        if (succeeded(result))
          result = PrecisionConverter(getOperation(), type, Converted::None).narrowStoredWeights();
      forgetOtherTypes();
    } else if (to == "graph" || to == "casts") {
      for (FloatType type : halves)
        if (succeeded(result))
          result = convert(type, to == "graph" ? Converted::OfGraphType : Converted::None);
    } else if (to == "bf16" || to == "f16") {
      result = convert(halves[to == "f16"], Converted::OfF32);
    } else {
      getOperation().emitError() << "unknown precision '" << to << "'; there are tf32, bf16 and f16";
      result = failure();
    }
    if (failed(result))
      signalPassFailure();
  }

  LogicalResult convert(FloatType type, Converted which) {
    PrecisionConverter converter(getOperation(), type, which);
    LogicalResult result = converter.run();
    converted += converter.getCount();
    return result;
  }

  /// Only products are asked for it behind the fusions.
  void forgetOtherTypes() {
    getOperation().walk([&](Operation *op) {
      if (!isa<MatmulOp, AttentionOp>(op))
        op->removeAttr(kOperandType);
    });
  }

  void markProducts() {
    getOperation().walk([&](MatmulOp op) {
      if (!isDeepProduct(op) || getOperandType(op))
        return;
      op->setAttr(kRoundsToTF32, UnitAttr::get(&getContext()));
      ++converted;
    });
  }
};
} // namespace
