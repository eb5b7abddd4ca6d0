//===- GroupOps.cpp - Which ops share a kernel ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Ops are visited from the last to the first. An op joins the group that uses its results when `mayJoin` says
// so, else it starts a group, as its root. The launch of a group stands where its root stood. That order
// alone keeps the program right:
//   - Members other than the root are used only inside the group, or by ops after the root. So moving them
//   down to the
//     root breaks no use, and no path leads out of a group and back into it.
//   - Operands of members stand before the member, so before the root.
//   - A root never moves, so what stands after a tfc.bind stays after it.
// Every op is looked at once, with its users: the time is linear in the size of the program.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/GroupOps.h"
#include "tfc/Codegen/Common/AttentionViews.h"
#include "tfc/Codegen/Common/ContractionEpilogue.h"
#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// A kernel of this many ops has long since paid for its launch; more only make compiling slow.
constexpr size_t kMaxOps = 48;

enum class Kind {
  Pointwise, ///< each result element on its own: elementwise, or made from its index
  Row,       ///< works along the last dim, each row on its own
  Alone      ///< a kernel of its own
};

struct Group {
  /// In reverse order of the block.
  SmallVector<Operation *> ops;
  Kind kind = Kind::Alone;
  bool hasRow = false;
  bool hasContraction = false;
  bool hasAttention = false;
  bool isConcat = false;
  /// The root transposes what else the kernel makes of a product; the domain is the product's.
  bool isTransposedOut = false;
  bool hasExtraResult = false;
  /// What the kernel loops over: the dims of the root's result, or of a row op's operand.
  SmallVector<DimExprAttr> domain;
};

bool isLastAxis(int64_t axis, Value x) { return axis + 1 == cast<RankedTensorType>(x.getType()).getRank(); }

/// An expand to the same type is a copy that FormKernels has put there for the sake of its memory.
bool isCopy(Operation *op) {
  return isa<ExpandOp>(op) && op->getOperand(0).getType() == op->getResult(0).getType();
}

Kind getKind(Operation *op) {
  if (isCopy(op))
    return Kind::Alone;
  // A lookup makes each element from its index as the others do; what it reads stands outside of its kernel.
  if (isa<ElementwiseOpInterface, ExpandOp, RangeOp, EyeOp, TriluOp, GatherOp>(op))
    return Kind::Pointwise;
  // A slice in the kernel of its user is a view of what lies in memory.
  if (auto slice = dyn_cast<SliceOp>(op))
    return llvm::all_of(slice.getStrides(), [](int64_t stride) { return stride > 0; }) ? Kind::Pointwise : Kind::Alone;
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return isLastAxis(softmax.getAxis(), softmax.getX()) ? Kind::Row : Kind::Alone;
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return isLastAxis(norm.getAxis(), norm.getX()) ? Kind::Row : Kind::Alone;
  if (auto norm = dyn_cast<RmsNormOp>(op))
    return isLastAxis(norm.getAxis(), norm.getX()) ? Kind::Row : Kind::Alone;
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getAxes().size() == 1 && isLastAxis(reduce.getAxes()[0], reduce.getX()) ? Kind::Row
                                                                                          : Kind::Alone;
  return Kind::Alone;
}

/// Ops that cost about as much as reading their result from memory, so that computing them again is no loss.
bool isCheap(Operation *op) {
  return isa<AbsOp, NegOp, SignOp, NotOp, ReluOp, CastOp, AddOp, SubOp, MulOp, MinOp, MaxOp, AndOp, OrOp,
             XorOp, CompareOp, SelectOp, ExpandOp, RangeOp, EyeOp, TriluOp, IsNanOp, IsInfOp, GatherOp, SliceOp>(op);
}

/// The dims that the op loops over.
SmallVector<DimExprAttr> getDomain(Operation *op, Kind kind) {
  return getDims(kind == Kind::Row ? op->getOperand(0) : op->getResult(0));
}

/// How an op's result dims stand in the domain of a group.
enum class Fit { Same, RowScalar, Broadcast, None };

Fit fit(ArrayRef<DimExprAttr> dims, ArrayRef<DimExprAttr> domain) {
  if (dims.size() > domain.size())
    return Fit::None;
  ArrayRef<DimExprAttr> aligned = domain.take_back(dims.size());
  // A dim that is 1 or equal only at run time would make the loop over it ambiguous.
  for (auto [dim, whole] : llvm::zip_equal(dims, aligned))
    if (!dim || (dim != whole && !dim.isConstant(1)))
      return Fit::None;
  if (dims.size() == domain.size()) {
    if (dims == domain)
      return Fit::Same;
    if (dims.drop_back() == domain.drop_back())
      return Fit::RowScalar;
  }
  return Fit::Broadcast;
}

bool isViewedTranspose(Operation *op) { return isa<TransposeOp>(op) && isStridedView(op); }

/// Whether the group is what an attention may do to its output: store it transposed, or narrow, or both.
bool isAttentionOutput(ArrayRef<Operation *> ops, const GroupingOptions &options) {
  bool isTransposed = isViewedTranspose(ops.front());
  ArrayRef<Operation *> casts = ops.drop_front(isTransposed);
  return casts.empty() || (options.operandCasts && casts.size() == 1 && isNarrowingCast(casts.front()));
}

/// THE decision: may `producer`, whose result is used by members of `group`, be computed inside the group's
/// kernel? `usedElsewhere`: also by ops behind the root, so that the kernel would get one more result.
bool mayJoin(Operation *producer, Kind kind, const Group &group, ArrayRef<Operation *> users,
             bool usedElsewhere, const GroupingOptions &options) {
  // Attention reads its operands and writes its output through strides.
  if (isa<AttentionOp>(producer))
    return !usedElsewhere && isAttentionOutput(group.ops, options);
  if (options.operandCasts && isNarrowingCast(producer) && isa_and_nonnull<AttentionOp>(producer->getOperand(0).getDefiningOp()) &&
      group.ops.size() == 1 && isViewedTranspose(group.ops.front()))
    return !usedElsewhere;
  auto operandCast = usedElsewhere ? CastOp() : dyn_cast<CastOp>(producer);
  bool isReadThrough = operandCast && (options.operandCasts ? isOperandCast(operandCast, users) : isStoredOperandCast(operandCast, users));
  if (group.hasAttention)
    return !usedElsewhere && (isReadThrough || isAttentionOperandView(producer, users));
  // Matrix products copy what lies narrow in memory.
  if (group.hasContraction)
    return isReadThrough && isWideningCast(producer);
  // A concat reads each element once, from where a view says.
  if (group.isConcat)
    return !usedElsewhere && isStridedView(producer);
  // A contraction computes what becomes of its elements before they leave the cache. The kernel then has its shape, and
  // takes no more ops.
  if (auto matmul = dyn_cast<MatmulOp>(producer))
    return options.epilogue && (group.kind == Kind::Pointwise || group.isTransposedOut) && !group.hasRow && !group.hasExtraResult &&
           (!usedElsewhere || (options.operandCasts && areNarrowingCasts(group.ops))) && isEpilogue(llvm::to_vector(llvm::reverse(group.ops)), matmul);
  if (isa<GatherOp>(producer) && group.hasRow && !options.embedding)
    return false;
  // A transpose reads what a slice names as a view: one copy in place of two.
  if (isa<SliceOp>(producer) && kind == Kind::Pointwise && group.ops.size() == 1 && isa<TransposeOp>(group.ops.front()))
    return !usedElsewhere;
  // A product writes its elements where a transpose behind it wants them, and what follows it on the way goes along.
  if (group.isTransposedOut && kind == Kind::Pointwise && isa<ElementwiseOpInterface>(producer))
    return options.epilogue && !usedElsewhere && group.ops.size() < kMaxOps &&
           leadsToProduct(producer->getResult(0)) && getDims(producer->getResult(0)) == group.domain;
  // Data movement has kernels of its own shape.
  if (group.kind == Kind::Alone || kind == Kind::Alone || group.ops.size() >= kMaxOps)
    return false;
  Fit resultFit = fit(getDims(producer->getResult(0)), group.domain);
  if (resultFit == Fit::None)
    return false;
  // Stored in two types by the kernel that makes it. Any other value that others want too: worth one more result only where it saves a pass over the rows of a norm or
  // softmax (the residual sum in front of a layer_norm). One such result keeps kernels simple.
  bool hasNarrowCopy = options.operandCasts && areNarrowingCasts(group.ops) && resultFit == Fit::Same;
  if (usedElsewhere && !hasNarrowCopy &&
      (!group.hasRow || group.hasExtraResult || resultFit != Fit::Same || kind != Kind::Pointwise))
    return false;
  if (kind == Kind::Row) {
    // One row op per kernel: its rows are the kernel's tiles, and its temporary is one row.
    return !group.hasRow && !group.domain.empty() && getDomain(producer, kind) == group.domain &&
           (resultFit == Fit::Same || resultFit == Fit::RowScalar);
  }
  // The same elements as the kernel, or one per row: nothing is computed twice. Smaller ones are computed
  // again for every row they are broadcast to, which must cost next to nothing.
  return resultFit == Fit::Same || resultFit == Fit::RowScalar || isCheap(producer);
}

class Grouping {
public:
  Grouping(Block &block, const GroupingOptions &options) : block(block), options(options) {}

  std::vector<OpGroup> run() {
    for (Operation &op : llvm::reverse(block))
      if (!staysInMain(&op) && !isCloned(&op))
        visit(&op);
    std::vector<OpGroup> result;
    for (Group &group : llvm::reverse(groups)) {
      OpGroup made;
      made.ops.assign(group.ops.rbegin(), group.ops.rend());
      for (Operation *op : made.ops)
        for (Value value : op->getResults())
          if (isUsedOutside(value, indexOf(op)))
            made.results.push_back(value);
      // An op whose results nobody wants still runs when it may have effects; it then has all its results.
      if (made.results.empty())
        llvm::append_range(made.results, made.getRoot()->getResults());
      result.push_back(std::move(made));
    }
    return result;
  }

private:
  size_t indexOf(Operation *op) const { return groupOf.lookup(op); }

  /// The group of a user, when it has one in this block.
  std::optional<size_t> groupOfUser(Operation *user) const {
    auto found = groupOf.find(user);
    return found == groupOf.end() ? std::nullopt : std::optional<size_t>(found->second);
  }

  bool isUsedOutside(Value value, size_t group) const {
    return llvm::any_of(value.getUsers(), [&](Operation *user) { return groupOfUser(user) != group; });
  }

  /// The group that the op may join, if any: that of its first user in the block.
  std::optional<size_t> findGroup(Operation *op, Kind kind) {
    bool mayBeMember = kind != Kind::Alone || isa<MatmulOp, AttentionOp>(op) || isStridedView(op);
    if (!options.fuse || op->getNumResults() != 1 || !mayBeMember)
      return std::nullopt;
    Operation *first = nullptr;
    for (Operation *user : op->getUsers()) {
      Operation *top = block.findAncestorOpInBlock(*user);
      if (!top)
        return std::nullopt;
      if (groupOfUser(top) && top == user && (!first || top->isBeforeInBlock(first)))
        first = top;
    }
    if (!first)
      return std::nullopt;
    size_t index = indexOf(first);
    Operation *root = groups[index].ops.front();
    SmallVector<Operation *> members;
    bool usedElsewhere = false;
    for (Operation *user : op->getUsers()) {
      Operation *top = block.findAncestorOpInBlock(*user);
      if (top == user && groupOfUser(user) == index) {
        members.push_back(user);
        // Lookups and slices read their operands at other places than the one they compute: they must lie in memory.
        // Kernels of attention and concat read theirs through views of views.
        bool readsViews = groups[index].hasAttention || groups[index].isConcat;
        if (isa<GatherOp>(user) || (isa<SliceOp>(user) && !readsViews))
          return std::nullopt;
        continue;
      }
      if (!root->isBeforeInBlock(top))
        return std::nullopt;
      usedElsewhere = true;
    }
    if (!mayJoin(op, kind, groups[index], members, usedElsewhere, options))
      return std::nullopt;
    // What is stored narrow as well is no other result.
    bool hasNarrowCopy = options.operandCasts && areNarrowingCasts(groups[index].ops);
    groups[index].hasExtraResult |= usedElsewhere && !hasNarrowCopy;
    return index;
  }

  void visit(Operation *op) {
    Kind kind = getKind(op);
    std::optional<size_t> index = findGroup(op, kind);
    if (!index) {
      index = groups.size();
      Group group;
      group.kind = kind;
      if (kind != Kind::Alone)
        group.domain = getDomain(op, kind);
      if (auto transpose = dyn_cast<TransposeOp>(op); transpose && leadsToProduct(transpose.getX())) {
        group.isTransposedOut = true;
        group.domain = getDims(transpose.getX());
      }
      groups.push_back(std::move(group));
    }
    groups[*index].ops.push_back(op);
    groups[*index].hasRow |= kind == Kind::Row;
    groups[*index].hasContraction |= isa<MatmulOp>(op);
    groups[*index].hasAttention |= isa<AttentionOp>(op);
    groups[*index].isConcat |= isa<ConcatOp>(op);
    groupOf[op] = *index;
  }

  Block &block;
  const GroupingOptions &options;
  std::vector<Group> groups;
  DenseMap<Operation *, size_t> groupOf;
};

} // namespace

bool mlir::tfc::staysInMain(Operation *op) {
  return op->hasTrait<OpTrait::IsTerminator>() || op->getNumRegions() > 0 ||
         isa<WeightRefOp, ReshapeOp, BindOp, RequireOp, ExternCallOp, LaunchOp, tensor::ExtractOp>(op);
}

bool mlir::tfc::isCloned(Operation *op) { return isa<ConstantOp, DimValuesOp>(op); }

std::vector<OpGroup> mlir::tfc::groupOps(Block &block, const GroupingOptions &options) {
  return Grouping(block, options).run();
}
