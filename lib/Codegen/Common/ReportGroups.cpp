//===- ReportGroups.cpp - What kernels tell as fusions --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// GroupOps.cpp decides; here is what it decided, in the words of the other fusions (FusionRemarks.h).
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/ContractionEpilogue.h"
#include "tfc/Codegen/Common/GroupOps.h"
#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

class GroupReporter {
public:
  explicit GroupReporter(ArrayRef<OpGroup> groups) {
    for (const OpGroup &group : groups)
      for (Operation *op : group.ops)
        groupOf[op] = &group;
  }

  /// A product whose elements something else is computed from.
  void reportEpilogue(MatmulOp product) {
    Operation *next = nullptr;
    for (Operation *user : product->getUsers())
      if (isa<ElementwiseOpInterface, TransposeOp>(user) && groupOf.contains(user) && !isReadThrough(user))
        next = user;
    const OpGroup *group = groupOf.lookup(product);
    if (!next || !group)
      return;
    FusionDecision decision("epilogue", product);
    std::string names = listOthers(*group, product);
    bool isFused = llvm::any_of(product->getUsers(), [&](Operation *user) { return groupOf.lookup(user) == group; });
    decision.report(isFused ? success() : explain(product, next, decision), names);
  }

  /// A norm of a sum of lookups.
  void reportEmbedding(Operation *norm) {
    SmallVector<Operation *> lookups;
    if (!collectLookups(norm->getOperand(0), lookups, /*depth=*/0) || lookups.size() < 2)
      return;
    FusionDecision decision("embedding", norm);
    LogicalResult fused = success();
    for (Operation *lookup : lookups)
      if (groupOf.lookup(lookup) != groupOf.lookup(norm))
        fused = decision.decline(
            lookup, "the lookup is also used elsewhere, has other rows than the norm, or may not join it");
    decision.report(fused, Twine(lookups.size()) + " lookups, " + norm->getName().stripDialect());
  }

  /// A sum that a norm takes and others use too.
  void reportResidual(Operation *norm) {
    auto sum = norm->getOperand(0).getDefiningOp<AddOp>();
    if (!sum || sum->hasOneUse())
      return;
    FusionDecision decision("skip_norm", norm);
    bool joined = groupOf.lookup(sum) == groupOf.lookup(norm);
    decision.report(
        joined ? success()
               : decision.decline(
                     sum, "the residual sum is computed in another kernel: that of what else uses it"),
        norm->getName().stripDialect() + ", the residual sum is a second result");
  }

private:
  static std::string listOthers(const OpGroup &group, Operation *op) {
    SmallVector<StringRef> names;
    for (Operation *member : group.ops)
      if (member != op && !isWideningCast(member))
        names.push_back(member->getName().stripDialect());
    return llvm::join(names, ", ");
  }

  /// The first reason why `next` is not the product's epilogue, as GroupOps sees it.
  LogicalResult explain(MatmulOp product, Operation *next, FusionDecision &decision) {
    if (!getElementTypeOrSelf(product.getC().getType()).isF32())
      return decision.decline(product, "the product is not of f32");
    if (product.getTransposeA())
      return decision.decline(product, "its left operand is transposed");
    const OpGroup &group = *groupOf.lookup(next);
    for (Operation *member : group.ops)
      if (isa<SoftmaxOp, LayerNormOp, RmsNormOp, ReduceOp>(member))
        return decision.decline(next, "it shares the kernel of the " + member->getName().stripDialect() +
                                          " that follows");
    if (llvm::any_of(product->getUsers(), [&](Operation *user) { return groupOf.lookup(user) != &group; }))
      return decision.decline(product, "the product is used elsewhere too");
    if (llvm::any_of(group.ops, [](Operation *op) { return isa<MatmulOp>(op); }))
      return decision.decline(next, "it is the epilogue of another product");
    return decision.decline(next, "what follows is no elementwise function of the product in f32, or reads "
                                  "what does not lie beside it");
  }

  /// Whether the op is a view that attention or a concat reads the product through: it costs nothing.
  bool isReadThrough(Operation *op) const {
    return isa<TransposeOp>(op) && llvm::any_of(groupOf.lookup(op)->ops, [](Operation *member) { return isa<AttentionOp, ConcatOp>(member); });
  }

  /// The lookups whose sum the value is; false when it has other terms too.
  bool collectLookups(Value value, SmallVectorImpl<Operation *> &lookups, int depth) {
    Operation *op = value.getDefiningOp();
    if (isWideningCast(op))
      op = op->getOperand(0).getDefiningOp();
    if (isa_and_nonnull<GatherOp>(op)) {
      lookups.push_back(op);
      return true;
    }
    return isa_and_nonnull<AddOp>(op) && depth < 8 && llvm::all_of(op->getOperands(), [&](Value operand) {
             return collectLookups(operand, lookups, depth + 1);
           });
  }

  DenseMap<Operation *, const OpGroup *> groupOf;
};

} // namespace

void mlir::tfc::reportGroups(Block &block, ArrayRef<OpGroup> groups, const GroupingOptions &options) {
  if (!options.fuse)
    return;
  GroupReporter reporter(groups);
  for (Operation &op : block) {
    if (auto product = dyn_cast<MatmulOp>(op); product && options.epilogue)
      reporter.reportEpilogue(product);
    if (!isa<LayerNormOp, RmsNormOp>(op))
      continue;
    if (options.embedding)
      reporter.reportEmbedding(&op);
    reporter.reportResidual(&op);
  }
}
