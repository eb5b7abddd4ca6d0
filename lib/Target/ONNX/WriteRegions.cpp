//===- WriteRegions.cpp - If and Loop --------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphWriter.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_export;

static std::vector<std::string> takeNames(ModelState &state, StringRef hint, size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i)
    names.push_back(state.takeName(hint));
  return names;
}

LogicalResult GraphWriter::writeIf(scf::IfOp op) {
  // ONNX has no If without outputs; such a one has nothing to say here but which sizes are allowed.
  if (op.getNumResults() == 0)
    return success();
  // The node is made last: what its branches read stands before it.
  ::onnx::NodeProto holder;
  NodeMaker node(&holder, state);
  for (auto [region, name] : {std::pair(&op.getThenRegion(), "then_branch"), std::pair(&op.getElseRegion(), "else_branch")}) {
    GraphWriter branch(node.addGraph(name), state, this);
    ValueRange yielded = region->front().getTerminator()->getOperands();
    std::vector<Name> outputs = takeNames(state, name, yielded.size());
    branch.nameOutputs(region->front(), yielded, outputs);
    if (failed(branch.writeBlock(region->front())))
      return failure();
    branch.addOutputs(yielded, outputs, /*withShape=*/false);
  }
  NodeMaker made = add("If", {getName(op.getCondition())});
  *made.get()->mutable_attribute() = std::move(*holder.mutable_attribute());
  for (Value result : op.getResults())
    give(made, result);
  return success();
}

/// ONNX's loop asks before a turn: what scf.while does before its question is done once in front of the loop, and at the end of
/// each turn.
LogicalResult GraphWriter::writeWhile(scf::WhileOp op) {
  Block &before = op.getBefore().front(), &after = op.getAfter().front();
  scf::ConditionOp condition = op.getConditionOp();
  for (auto [argument, init] : llvm::zip_equal(before.getArguments(), op.getInits()))
    names[argument] = getName(init);
  if (failed(writeBlock(before)))
    return failure();
  std::vector<Name> inputs{"", getName(condition.getCondition())};
  for (Value passed : condition.getArgs())
    inputs.push_back(getName(passed));
  ::onnx::NodeProto holder;
  NodeMaker node(&holder, state);
  GraphWriter body(node.addGraph("body"), state, this);
  MLIRContext *context = op.getContext();
  body.addValueInfo(body.graph->add_input(), state.takeName("turn"), RankedTensorType::get({}, IntegerType::get(context, 64)), true);
  body.addValueInfo(body.graph->add_input(), state.takeName("go"), RankedTensorType::get({}, IntegerType::get(context, 1)), true);
  for (BlockArgument argument : after.getArguments()) {
    body.names[argument] = state.takeName("carried");
    body.addValueInfo(body.graph->add_input(), body.names[argument], argument.getType(), /*withShape=*/false);
  }
  if (failed(body.writeBlock(after)))
    return failure();
  SmallVector<Name> yielded = llvm::map_to_vector(op.getYieldOp().getOperands(), [&](Value value) { return body.getName(value); });
  for (auto [argument, name] : llvm::zip_equal(before.getArguments(), yielded))
    body.names[argument] = name;
  if (failed(body.writeBlock(before)))
    return failure();
  SmallVector<Value> outputs(condition.getArgs());
  std::vector<Name> outputNames = takeNames(state, "next", outputs.size());
  Name go = body.add("Identity", {body.getName(condition.getCondition())}).output();
  body.addValueInfo(body.graph->add_output(), go, RankedTensorType::get({}, IntegerType::get(context, 1)), true);
  body.addOutputs(outputs, outputNames, /*withShape=*/false);
  NodeMaker made = add("Loop", inputs);
  *made.get()->mutable_attribute() = std::move(*holder.mutable_attribute());
  for (Value result : op.getResults())
    give(made, result);
  return success();
}
