//===- InsertRequirements.cpp - What ops need of their dims, as tfc.require -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/Passes.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
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
    for (auto bind : function.getOps<BindOp>())
      if (llvm::any_of(bind.getSymbols(),
                       [&](Attribute name) { return symbols.contains(cast<StringAttr>(name)); }))
        last = bind;
    return last;
  }

  LogicalResult insertInto(func::FuncOp function) {
    using Key = std::tuple<uint32_t, DimExprAttr, DimExprAttr>;
    DenseSet<Key> seen;
    for (auto require : function.getOps<RequireOp>())
      seen.insert({uint32_t(require.getKind()), require.getLhs(), require.getRhs()});
    // Insertion points move on, so that requirements stand in the order of the ops that need them.
    DenseMap<Operation *, Operation *> lastAfter;
    OpBuilder builder(&getContext());
    WalkResult result = function.walk([&](RequirementsOpInterface op) {
      SmallVector<Requirement> requirements;
      op.collectRequirements(requirements);
      for (const Requirement &requirement : requirements) {
        Truth truth = decide(requirement);
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
