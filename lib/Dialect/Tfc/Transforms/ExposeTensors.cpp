//===- ExposeTensors.cpp - Tensors inside of the graph become outputs ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Regex.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_EXPOSETENSORS
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {
/// Adds results to one entry point.
class Exposer {
public:
  explicit Exposer(func::FuncOp entry) : entry(entry), terminator(entry.front().getTerminator()) {
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      if (auto name = entry.getResultAttrOfType<StringAttr>(i, "tfc.name"))
        names.insert(name.getValue());
  }

  void expose(Value value, const Twine &wanted) {
    std::string name = wanted.str();
    for (int number = 2; !names.insert(name).second; ++number)
      name = (wanted + "#" + Twine(number)).str();
    Builder builder(entry.getContext());
    NamedAttribute attribute = builder.getNamedAttr("tfc.name", builder.getStringAttr(name));
    terminator->insertOperands(terminator->getNumOperands(), value);
    (void)entry.insertResult(entry.getNumResults(), value.getType(), builder.getDictionaryAttr(attribute));
  }

private:
  func::FuncOp entry;
  Operation *terminator;
  llvm::StringSet<> names;
};

struct ExposeTensors : mlir::tfc::impl::ExposeTensorsBase<ExposeTensors> {
  using ExposeTensorsBase::ExposeTensorsBase;

  void runOnOperation() override {
    func::FuncOp entry = getOperation();
    if (!entry->hasAttr("tfc.entry") || entry.isExternal() || !llvm::hasSingleElement(entry.getBody()))
      return;
    Exposer exposer(entry);
    if (!names.empty() && failed(exposeNamed(exposer)))
      return signalPassFailure();
    if (attention)
      exposeAttention(exposer);
  }

  /// What a name stands for is the last of the ops that came from the node: an importer may have made several of one.
  LogicalResult exposeNamed(Exposer &exposer) {
    llvm::Regex pattern(names);
    std::string why;
    if (!pattern.isValid(why))
      return getOperation().emitError("'") << names << "' is no regular expression: " << why;
    llvm::StringMap<size_t> places;
    SmallVector<std::pair<std::string, Operation *>> last;
    for (Operation &op : getOperation().front().without_terminator()) {
      std::string name = getNodeName(op.getLoc());
      if (name.empty() || isa<ConstantOp, WeightRefOp>(op) || !pattern.match(name))
        continue;
      auto [place, isNew] = places.try_emplace(name, last.size());
      if (isNew)
        last.push_back({name, &op});
      else
        last[place->second].second = &op;
    }
    if (last.empty())
      getOperation().emitWarning("no node has a name that '") << names << "' matches: nothing is exposed";
    for (auto &[name, op] : last)
      for (Value result : op->getResults())
        if (isa<RankedTensorType>(result.getType())) {
          exposer.expose(result, name);
          ++exposed;
        }
    return success();
  }

  void exposeAttention(Exposer &exposer) {
    SmallVector<AttentionOp> attentions(getOperation().getOps<AttentionOp>());
    for (auto [number, op] : llvm::enumerate(attentions)) {
      Value probabilities = op.getProbabilities();
      if (!probabilities)
        probabilities = addProbabilities(op);
      exposer.expose(probabilities, "attention." + Twine(number));
      ++exposed;
    }
  }

  /// The same attention with one result more.
  Value addProbabilities(AttentionOp op) {
    SmallVector<DimExprAttr> query = getDims(op.getQuery());
    Type type = mlir::tfc::getTensorType({query[0], query[1], query[2], op.getTotalKeys()},
                                         cast<RankedTensorType>(op.getQuery().getType()).getElementType());
    SmallVector<Type> types(op->getResultTypes());
    types.push_back(type);
    OpBuilder builder(op);
    OperationState state(op.getLoc(), op->getName(), op->getOperands(), types, op->getAttrs());
    Operation *made = builder.create(state);
    op->replaceAllUsesWith(made->getResults().drop_back());
    op.erase();
    return made->getResults().back();
  }
};
} // namespace
