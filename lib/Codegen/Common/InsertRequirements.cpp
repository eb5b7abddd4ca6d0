//===- InsertRequirements.cpp - What ops need of their dims, as tfc.require -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/Passes.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_INSERTREQUIREMENTS
#include "tfc/Codegen/Common/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

enum class Truth { Always, Never, AtRunTime };

/// What the expressions alone say about a requirement, for every value of the symbols.
Truth decide(const Requirement &requirement) {
  DimExprAttr lhs = requirement.lhs, rhs = requirement.rhs;
  DimExprAttr difference = rhs - lhs;
  std::optional<int64_t> gap = difference.getConstant();
  switch (requirement.kind) {
  case RequireKind::Equal:
    if (gap)
      return *gap == 0 ? Truth::Always : Truth::Never;
    return Truth::AtRunTime;
  case RequireKind::Broadcastable:
    if (lhs.isConstant(1) || (gap && *gap == 0))
      return Truth::Always;
    // seq against seq + 1 may still hold: seq may be 1. Only constants exclude each other.
    return lhs.isConstant() && rhs.isConstant() ? Truth::Never : Truth::AtRunTime;
  case RequireKind::AtMost:
    if (difference.isNonNegative())
      return Truth::Always;
    return gap ? Truth::Never : Truth::AtRunTime;
  }
  return Truth::AtRunTime;
}

/// What a branch needs holds only for runs that take it. The condition of an scf.if of the function's body is
/// bound as a symbol, 1 or 0, and a requirement inside becomes one that always holds where that symbol says
/// that the branch is not taken. A condition inside a loop is another in every turn, which no symbol can be:
/// what is needed there is asked for in every run.
class BranchGuards {
public:
  explicit BranchGuards(func::FuncOp function) : function(function) {
    function.walk([&](Operation *op) {
      AttrTypeWalker names;
      names.addWalk([&](DimExprAttr expr) { expr.collectSymbols(taken); });
      for (Type type :
           llvm::concat<Type>(llvm::to_vector(op->getOperandTypes()), llvm::to_vector(op->getResultTypes())))
        names.walk(type);
      if (auto bind = dyn_cast<BindOp>(op))
        for (auto name : bind.getSymbols().getAsRange<StringAttr>())
          taken.insert(name);
    });
  }

  Requirement guard(Operation *op, Requirement requirement) {
    for (Region *region = op->getParentRegion(); region->getParentOp() != function;
         region = region->getParentRegion())
      if (auto branch = dyn_cast<scf::IfOp>(region->getParentOp());
          branch && branch->getParentOp() == function)
        requirement = whereTaken(requirement, getSymbol(branch), region == &branch.getThenRegion());
    return requirement;
  }

private:
  static Requirement whereTaken(Requirement requirement, DimExprAttr symbol, bool isThen) {
    DimExprAttr taken = isThen ? symbol : symbol * -1 + 1;
    // A broadcast is allowed between ones, everything else between zeros.
    int64_t neutral = requirement.kind == RequireKind::Broadcastable ? 1 : 0;
    return {requirement.kind, (requirement.lhs - neutral) * taken + neutral,
            (requirement.rhs - neutral) * taken + neutral};
  }

  DimExprAttr getSymbol(scf::IfOp branch) {
    DimExprAttr &symbol = symbols[branch];
    auto condition = branch.getCondition().getDefiningOp<tensor::ExtractOp>();
    if (symbol || !condition)
      return symbol ? symbol : DimExprAttr::constant(function.getContext(), 1);
    OpBuilder builder(branch);
    std::string name;
    for (unsigned i = 0; name.empty() || !taken.insert(builder.getStringAttr(name)); ++i)
      name = "branch_" + std::to_string(i);
    Value bit = CastOp::create(builder, branch.getLoc(), RankedTensorType::get({}, builder.getI64Type()),
                               condition.getTensor());
    BindOp::create(builder, branch.getLoc(), bit, builder.getStrArrayAttr({name}));
    return symbol = DimExprAttr::symbol(function.getContext(), name);
  }

  func::FuncOp function;
  llvm::SetVector<StringAttr> taken;
  DenseMap<Operation *, DimExprAttr> symbols;
};

struct InsertRequirements : mlir::tfc::impl::InsertRequirementsBase<InsertRequirements> {
  using InsertRequirementsBase::InsertRequirementsBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr("tfc.entry") && !function.isExternal() && failed(insertInto(function)))
        signalPassFailure();
  }

  /// Where the requirement can be checked: after the last bind among its symbols, or at the function's start.
  static Operation *findBind(func::FuncOp function, const Requirement &requirement) {
    llvm::SetVector<StringAttr> symbols;
    requirement.lhs.collectSymbols(symbols);
    requirement.rhs.collectSymbols(symbols);
    Operation *last = nullptr;
    function.walk([&](BindOp bind) {
      if (llvm::any_of(bind.getSymbols(),
                       [&](Attribute name) { return symbols.contains(cast<StringAttr>(name)); }))
        last = bind;
    });
    return last;
  }

  /// Requirements that stand in a branch already.
  static void liftRequirements(func::FuncOp function, BranchGuards &guards) {
    SmallVector<RequireOp> inside;
    function.walk([&](RequireOp op) {
      if (op->getParentOp() != function)
        inside.push_back(op);
    });
    for (RequireOp op : inside) {
      Requirement guarded = guards.guard(op, {op.getKind(), op.getLhs(), op.getRhs()});
      op.setLhsAttr(guarded.lhs);
      op.setRhsAttr(guarded.rhs);
    }
  }

  LogicalResult insertInto(func::FuncOp function) {
    using Key = std::tuple<uint32_t, DimExprAttr, DimExprAttr>;
    DenseSet<Key> seen;
    for (auto require : function.getOps<RequireOp>())
      seen.insert({uint32_t(require.getKind()), require.getLhs(), require.getRhs()});
    // Insertion points move on, so that requirements stand in the order of the ops that need them.
    DenseMap<Operation *, Operation *> lastAfter;
    OpBuilder builder(&getContext());
    BranchGuards guards(function);
    liftRequirements(function, guards);
    WalkResult result = function.walk([&](RequirementsOpInterface op) {
      SmallVector<Requirement> requirements;
      op.collectRequirements(requirements);
      for (Requirement requirement : requirements) {
        Truth truth = decide(requirement);
        bool isInBranch = op->getParentOp() != function;
        if (truth != Truth::Always && isInBranch) {
          requirement = guards.guard(op, requirement);
          truth = decide(requirement);
        }
        if (truth == Truth::Never) {
          op->emitError("needs ") << requirement.lhs.str() << " " << stringifyRequireKind(requirement.kind)
                                  << " " << requirement.rhs.str() << ", which never holds";
          return WalkResult::interrupt();
        }
        proved += truth == Truth::Always;
        if (truth == Truth::Always ||
            !seen.insert({uint32_t(requirement.kind), requirement.lhs, requirement.rhs}).second)
          continue;
        Operation *bind = findBind(function, requirement);
        Operation *&last = lastAfter.try_emplace(bind, bind).first->second;
        if (last)
          builder.setInsertionPointAfter(last);
        else
          builder.setInsertionPointToStart(&function.front());
        last = RequireOp::create(builder, op->getLoc(), requirement.kind, requirement.lhs, requirement.rhs);
        ++inserted;
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }
};

} // namespace
