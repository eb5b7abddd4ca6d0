//===- FuseSoftmax.cpp - Primitives become tfc.softmax
//-------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The anchor is a sum of exponentials, sum(exp(d)); with d = x - max(x), exp(d) / sum is the softmax of x and
// d - log(sum) its logarithm. Without the largest element subtracted, large x overflow in the graph and would
// not in the op: that stays.
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_FUSESOFTMAX
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

class SoftmaxMatcher {
public:
  SoftmaxMatcher(ReduceOp sum, ExpOp exp) : sum(sum), exp(exp), decision("softmax", sum) { ops = {sum, exp}; }

  LogicalResult match() {
    if (sum.getAxes().size() != 1 || !sum.getKeepDims())
      return decision.decline(sum, "the sum is not over one dim that is kept");
    auto centred = exp.getX().getDefiningOp<SubOp>();
    auto largest = centred ? centred.getY().getDefiningOp<ReduceOp>() : ReduceOp();
    if (!largest || largest.getKind() != ReduceKind::Max || largest.getX() != centred.getX())
      return decision.decline(exp, "the largest element is not subtracted");
    if (largest.getAxes() != sum.getAxes() || !largest.getKeepDims())
      return decision.decline(largest, "largest element and sum are taken over different axes");
    x = centred.getX();
    if (x.getType() != exp.getY().getType())
      return decision.decline(centred, "the subtraction changes the shape");
    ops.append({centred, largest});
    if (failed(matchQuotient()))
      return failure();
    for (Operation *op : ops)
      if (op->getResult(0) != result)
        for (Operation *user : op->getUsers())
          if (!llvm::is_contained(ops, user))
            return decision.decline(op, "a value inside it is used elsewhere too");
    return success();
  }

  LogicalResult rewrite() {
    OpBuilder builder(result.getDefiningOp());
    SmallVector<NamedAttribute> attributes{
        builder.getNamedAttr("axis", builder.getI64IntegerAttr(sum.getAxes()[0]))};
    if (isLog)
      attributes.push_back(builder.getNamedAttr("log", builder.getUnitAttr()));
    FailureOr<Value> softmax = buildOp<SoftmaxOp>(builder, fuseLocations(ops), x, attributes);
    if (failed(softmax))
      return failure();
    result.replaceAllUsesWith(*softmax);
    eraseDead(std::move(ops));
    return success();
  }

  FusionDecision &getDecision() { return decision; }
  std::string describe() { return "axis " + std::to_string(sum.getAxes()[0]) + (isLog ? ", logarithm" : ""); }

private:
  /// exp / sum, exp * (1 / sum), or d - log(sum); sets `result`.
  LogicalResult matchQuotient() {
    if (!sum->hasOneUse())
      return decision.decline(sum, "the sum is used elsewhere too");
    Operation *user = *sum->user_begin();
    Value root = sum.getY(), numerator = exp.getY();
    isLog = isa<LogOp>(user);
    if (isLog)
      numerator = exp.getX();
    if (auto div = dyn_cast<DivOp>(user);
        isLog || isa<ReciprocalOp>(user) || (div && matchScalar(div.getX()) == 1.0)) {
      ops.push_back(user);
      root = user->getResult(0);
      if (!root.hasOneUse())
        return decision.decline(user, "a value inside it is used elsewhere too");
      user = *root.user_begin();
    }
    bool isQuotient = root == sum.getY();
    bool matches =
        isQuotient ? isa<DivOp>(user) && user->getOperand(0) == numerator && user->getOperand(1) == root
        : isLog    ? isa<SubOp>(user) && user->getOperand(0) == numerator && user->getOperand(1) == root
                   : isa<MulOp>(user) && getOtherOperand(user, root) == numerator;
    if (!matches)
      return decision.decline(user, "what the sum divides is not what was summed");
    ops.push_back(user);
    result = user->getResult(0);
    return success();
  }

  ReduceOp sum;
  ExpOp exp;
  Value x, result;
  bool isLog = false;
  SmallVector<Operation *> ops;
  FusionDecision decision;
};

struct FuseSoftmaxPass : mlir::tfc::impl::FuseSoftmaxBase<FuseSoftmaxPass> {
  void runOnOperation() override {
    SmallVector<ReduceOp> anchors;
    getOperation().walk([&](ReduceOp op) {
      if (op.getKind() == ReduceKind::Sum && op.getX().getDefiningOp<ExpOp>())
        anchors.push_back(op);
    });
    for (ReduceOp anchor : anchors) {
      SoftmaxMatcher matcher(anchor, anchor.getX().getDefiningOp<ExpOp>());
      LogicalResult matched = matcher.match();
      matcher.getDecision().report(matched, matcher.describe());
      if (failed(matched))
        continue;
      ++fusedSoftmaxes;
      if (failed(matcher.rewrite()))
        return signalPassFailure();
    }
  }
};

} // namespace
