//===- AttentionOperands.cpp - Queries, keys and values on their way into tfc.attention ---------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionOperands.h"
#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/Broadcast.h"
#include "tfc/Dialect/Tfc/IR/BuildOp.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {
/// `factor * value`
struct Operand {
  Value value;
  double factor = 1;
};
} // namespace

/// Takes a scalar factor out of a value that is only scaled, transposed and reshaped between; what is left is built
/// anew without it.
static FailureOr<Operand> takeFactor(OpBuilder &builder, Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse() || depth > 8)
    return Operand{value};
  if (std::optional<ScaledValue> scaled = matchScaling(op)) {
    FailureOr<Operand> inner = takeFactor(builder, scaled->x, depth + 1);
    if (succeeded(inner))
      inner->factor *= scaled->factor;
    return inner;
  }
  if (!isa<TransposeOp, ReshapeOp>(op))
    return Operand{value};
  FailureOr<Operand> inner = takeFactor(builder, op->getOperand(0), depth + 1);
  if (failed(inner) || inner->value == op->getOperand(0))
    return failed(inner) ? inner : FailureOr<Operand>(Operand{value});
  FailureOr<Value> moved =
      isa<TransposeOp>(op) ? buildOp<TransposeOp>(builder, op->getLoc(), inner->value,
                                                  builder.getNamedAttr("permutation", cast<TransposeOp>(op).getPermutationAttr()))
                           : buildOp<ReshapeOp>(builder, op->getLoc(), inner->value, {}, op->getResultTypes());
  if (failed(moved))
    return failure();
  return Operand{*moved, inner->factor};
}

//===----------------------------------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------------------------------===//

/// Swaps the last two dims.
FailureOr<Value> AttentionOperands::swapLast(Value value, Location loc) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(permutation[rank - 1], permutation[rank - 2]);
  return buildOp<TransposeOp>(builder, loc, value,
                              builder.getNamedAttr("permutation", builder.getDenseI64ArrayAttr(permutation)));
}

FailureOr<Value> AttentionOperands::alignOperand(Value value, MatmulOp at, bool isSwapped) {
  FailureOr<Value> straight = isSwapped ? swapLast(value, at.getLoc()) : FailureOr<Value>(value);
  if (failed(straight))
    return failure();
  FailureOr<SmallVector<DimExprAttr>> aligned = dims.align(getDims(*straight));
  if (failed(aligned)) {
    (void)decision.decline(at, "its operands have other leading dims than batch and heads");
    return failure();
  }
  Type type = getTensorType(*aligned, getElementTypeOrSelf(value.getType()));
  return type == straight->getType() ? straight : buildOp<ReshapeOp>(builder, at.getLoc(), *straight, {}, type);
}

/// `x` of [b, heads, t, d] where the value is x with each head repeated next to itself; null otherwise.
static Value matchRepeatedHeads(Value value) {
  auto merge = value.getDefiningOp<ReshapeOp>();
  auto expand = merge ? merge.getX().getDefiningOp<ExpandOp>() : ExpandOp();
  if (!expand)
    return nullptr;
  SmallVector<DimExprAttr> from = getDims(expand.getX()), to = getDims(expand.getY()), merged = getDims(value);
  if (from.size() != 5 || to.size() != 5 || !from[2].isConstant(1) || !to[1].isConstant() || !to[2].isConstant())
    return nullptr;
  for (size_t i : {0, 1, 3, 4})
    if (from[i] != to[i])
      return nullptr;
  bool matches = merged[0] == to[0] && merged[1] == to[1] * to[2] && merged[2] == to[3] && merged[3] == to[4];
  return matches ? expand.getX() : Value();
}

/// Keys and values that are repeated for groups of query heads go in once.
LogicalResult AttentionOperands::takeGroups(Location loc) {
  Value keys = matchRepeatedHeads(key), values = matchRepeatedHeads(value);
  if (!keys || !values || getDim(keys, 1) != getDim(values, 1))
    return success();
  for (auto [operand, grouped] : {std::pair(&key, keys), std::pair(&value, values)}) {
    SmallVector<DimExprAttr> shape = getDims(grouped);
    shape.erase(shape.begin() + 2);
    FailureOr<Value> reshaped =
        buildOp<ReshapeOp>(builder, loc, grouped, {}, getTensorType(shape, getElementTypeOrSelf(grouped.getType())));
    if (failed(reshaped))
      return failure();
    *operand = *reshaped;
  }
  return success();
}

LogicalResult AttentionOperands::prepare(ScoreChain &chain, MatmulOp output) {
  MatmulOp product = chain.getProduct();
  FailureOr<Operand> q = takeFactor(builder, product.getA()), k = takeFactor(builder, product.getB());
  if (failed(q) || failed(k))
    return failure();
  chain.scaleProduct(q->factor * k->factor);
  FailureOr<Value> a = alignOperand(q->value, product, product.getTransposeA());
  FailureOr<Value> b = alignOperand(k->value, product, !product.getTransposeB());
  FailureOr<Value> v = alignOperand(output.getB(), output, output.getTransposeB());
  if (failed(a) || failed(b) || failed(v))
    return failure();
  query = *a, key = *b, value = *v;
  if (failed(takeGroups(output.getLoc())))
    return failure();
  totalKeys = getDim(key, 2);
  // A past of a narrower type is what the next run takes: it stays outside, in its own type.
  if (isOf(chain.getElementType()))
    splitPast(output);
  if (failed(check(product, output)) || failed(broadcast(product)))
    return failure();
  for (Value *operand : {&query, &key, &value})
    if (failed(castTo(*operand, chain.getElementType(), product)))
      return failure();
  return success();
}

bool AttentionOperands::isOf(Type element) const {
  return llvm::all_of(ArrayRef<Value>{query, key, value},
                      [&](Value operand) { return getElementTypeOrSelf(operand.getType()) == element; });
}

/// To the type that the softmax is taken in. What the graph cast to it before is taken as it was, in a cast of its own.
LogicalResult AttentionOperands::castTo(Value &x, Type element, MatmulOp at) {
  Type from = getElementTypeOrSelf(x.getType());
  if (from == element)
    return success();
  if (!isa<FloatType>(from) || from.getIntOrFloatBitWidth() >= element.getIntOrFloatBitWidth())
    return decision.decline(at, "queries, keys or values are of a wider type than the softmax");
  FailureOr<Value> cast = buildOp<CastOp>(builder, at.getLoc(), x, {}, getTensorType(getDims(x), element));
  if (failed(cast))
    return failure();
  x = *cast;
  return success();
}

/// Whether keys and values are equally many wherever the graph itself multiplies as many probabilities as values. A rotary table of its own
/// length, as the last rows of another input, makes keys of past + broadcast(seq, rows) beside values of past + seq.
static bool areEquallyMany(DimExprAttr keys, DimExprAttr values) {
  return isBroadcastOf(keys, values) || isBroadcastOf(values, keys);
}

/// What tfc.attention asks of its operands, proven here: what its verifier leaves to run time would refuse inputs that
/// the graph broadcasts.
LogicalResult AttentionOperands::check(MatmulOp product, MatmulOp output) {
  SmallVector<DimExprAttr> q = getDims(query), k = getDims(key), v = getDims(value);
  std::optional<int64_t> heads = q[1].getConstant(), keyHeads = k[1].getConstant();
  if (!heads || !keyHeads || *keyHeads <= 0 || *heads % *keyHeads != 0 || k[1] != v[1])
    return decision.decline(product, "the heads of queries, keys and values do not fit: " + q[1].str() + ", " + k[1].str() +
                                         ", " + v[1].str());
  if (!areEquallyMany(k[2], v[2]) || (pastKey && getDim(pastKey, 2) != getDim(pastValue, 2)))
    return decision.decline(output, "keys and values have different lengths: " + k[2].str() + " and " + v[2].str());
  if (q[3] != k[3])
    return decision.decline(product, "queries and keys have different head dims");
  if (q[1] != dims.dims[1])
    return decision.decline(product, "a mask or bias may broadcast the heads of the scores");
  return success();
}

LogicalResult AttentionOperands::expandTo(Value &x, ArrayRef<DimExprAttr> shape, Location loc) {
  Type type = getTensorType(shape, getElementTypeOrSelf(x.getType()));
  if (type == x.getType())
    return success();
  FailureOr<Value> expanded = buildOp<ExpandOp>(builder, loc, x, {}, type);
  if (failed(expanded))
    return failure();
  x = *expanded;
  return success();
}

/// tfc.attention broadcasts masks only. Where batches are only known at run time, a graph may broadcast queries and keys to
/// each other or to a mask; then they are expanded in front of the op, which copies them.
LogicalResult AttentionOperands::broadcast(MatmulOp product) {
  DimExprAttr batch = dims.dims[0], queries = dims.dims[2];
  SmallVector<DimExprAttr> q = getDims(query), k = getDims(key), v = getDims(value);
  if (q[0] == batch && k[0] == batch && v[0] == batch && q[2] == queries)
    return success();
  if (dims.rank < 3)
    return decision.decline(product, "a mask or bias may broadcast the scores, or queries and keys each other: batches of " +
                                         q[0].str() + ", " + k[0].str() + ", " + v[0].str());
  for (auto [from, to] : {std::pair(q[0], batch), std::pair(k[0], batch), std::pair(v[0], batch), std::pair(q[2], queries)})
    if (from != to && (from.isConstant() ? !from.isConstant(1) : !isBroadcastableTo({from}, {to})))
      return decision.decline(product, "queries, keys and values have different batches or lengths: " + from.str() + " and " +
                                           to.str());
  Location loc = product.getLoc();
  q[0] = k[0] = v[0] = batch;
  q[2] = queries;
  if (failed(expandTo(query, q, loc)) || failed(expandTo(key, k, loc)) || failed(expandTo(value, v, loc)))
    return failure();
  for (Value *past : {&pastKey, &pastValue}) {
    if (!*past)
      continue;
    SmallVector<DimExprAttr> shape = getDims(*past);
    shape[0] = batch;
    if (failed(expandTo(*past, shape, loc)))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// Past and present
//===----------------------------------------------------------------------------------------------===//

/// A concatenation of two along dim 2 whose other users, if any, stand behind `before` in its block.
static ConcatOp matchPast(Value value, Operation *before) {
  auto concat = value.getDefiningOp<ConcatOp>();
  if (!concat || concat.getAxis() != 2 || concat.getInputs().size() != 2 || concat->getBlock() != before->getBlock())
    return {};
  SmallVector<DimExprAttr> past = getDims(concat.getInputs()[0]), next = getDims(concat.getInputs()[1]);
  return past.size() == 4 && past[1] == next[1] && past[3] == next[3] ? concat : ConcatOp();
}

void AttentionOperands::splitPast(Operation *before) {
  ConcatOp keys = matchPast(key, before), values = matchPast(value, before);
  if (!keys || !values || getDim(keys.getInputs()[1], 2) != getDim(values.getInputs()[1], 2) ||
      getDim(keys.getInputs()[0], 2) != getDim(values.getInputs()[0], 2))
    return;
  // A concatenation says that both of its operands have one batch.
  for (ConcatOp concat : {keys, values})
    if (getDim(concat.getInputs()[0], 0) != getDim(concat.getInputs()[1], 0) &&
        getDim(concat.getInputs()[1], 0) != dims.dims[0])
      return;
  keyConcat = keys, valueConcat = values;
  pastKey = keys.getInputs()[0], key = keys.getInputs()[1];
  pastValue = values.getInputs()[0], value = values.getInputs()[1];
}

/// Erases the users of a value that nothing uses themselves.
static void eraseDeadUsers(Value value) {
  // A user may stand there twice.
  llvm::SmallSetVector<Operation *, 4> users(value.user_begin(), value.user_end());
  for (Operation *user : users) {
    for (Value result : user->getResults())
      eraseDeadUsers(result);
    if (isOpTriviallyDead(user))
      user->erase();
  }
}

void AttentionOperands::replacePresent(AttentionOp attention) {
  if (!keyConcat || !attention)
    return;
  attention->setLoc(addPresentLocations(attention.getLoc(), keyConcat.getLoc(), valueConcat.getLoc()));
  bool isUsed = false, canReplace = true;
  for (ConcatOp concat : {keyConcat, valueConcat}) {
    eraseDeadUsers(concat);
    for (Operation *user : concat->getUsers()) {
      Operation *inBlock = attention->getBlock()->findAncestorOpInBlock(*user);
      canReplace &= inBlock && attention->isBeforeInBlock(inBlock);
      isUsed = true;
    }
  }
  if (isUsed && canReplace) {
    // The same op once more, with past and following together as results.
    SmallVector<Type> types{attention.getOutput().getType()};
    for (Value next : {attention.getKey(), attention.getValue()}) {
      SmallVector<DimExprAttr> shape = getDims(next);
      shape[2] = attention.getTotalKeys();
      types.push_back(getTensorType(shape, getElementTypeOrSelf(next.getType())));
    }
    builder.setInsertionPoint(attention);
    FailureOr<SmallVector<Value>> results = buildOp(builder, attention.getLoc(), AttentionOp::getOperationName(),
                                                    attention->getOperands(), attention->getAttrs(), types);
    if (failed(results) || keyConcat.getType() != types[1] || valueConcat.getType() != types[2])
      return;
    attention.getOutput().replaceAllUsesWith((*results)[0]);
    keyConcat->replaceAllUsesWith(ValueRange((*results)[1]));
    valueConcat->replaceAllUsesWith(ValueRange((*results)[2]));
    attention->erase();
  }
  eraseDead({keyConcat, valueConcat});
  keyConcat = valueConcat = {};
}
