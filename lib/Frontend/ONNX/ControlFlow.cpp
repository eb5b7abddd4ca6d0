//===- ControlFlow.cpp - If, Loop and Scan --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A region op needs the types of its results when it is made, and they are known when what is inside has been
// imported. So branches and bodies are imported into an op of their own first, whose regions the real one takes over.
//
//===----------------------------------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "OpTable.h"
#include "RuntimeSizes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

//===----------------------------------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------------------------------===//

namespace {
class IfImporter {
public:
  IfImporter(NodeContext &node, Value condition)
      : node(node), condition(condition), graphs{node.getGraph("then_branch"), node.getGraph("else_branch")} {
  }

  LogicalResult run() {
    if (!graphs[0] || !graphs[1])
      return node.fail("it needs two branches");
    if (graphs[0]->output_size() != static_cast<int>(node.getNumOutputs()) ||
        graphs[1]->output_size() != static_cast<int>(node.getNumOutputs()))
      return node.fail("its branches have " + Twine(graphs[0]->output_size()) + " and " +
                       Twine(graphs[1]->output_size()) + " outputs, the node has " +
                       Twine(node.getNumOutputs()));
    std::optional<SmallVector<int64_t>> known = matchIntegers(condition);
    if (known)
      return importChosen(known->front() != 0);
    holder = createIf({});
    LogicalResult result = importBranches();
    holder.erase();
    if (succeeded(result) && chosenByRank)
      return assume(*chosenByRank);
    return result;
  }

private:
  scf::IfOp createIf(TypeRange types) {
    Value bit = tensor::ExtractOp::create(node.builder, node.loc, condition, ValueRange());
    auto branch = scf::IfOp::create(node.builder, node.loc, types, bit, /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
    for (Region &region : branch->getRegions())
      region.front().clear();
    return branch;
  }

  /// Only one branch can run: it stands where the node stood.
  LogicalResult importChosen(bool isThen) {
    std::optional<SmallVector<Value>> results = node.importGraph(*graphs[isThen ? 0 : 1], {});
    return results ? node.finish(*results) : failure();
  }

  /// A run in which the condition is another ends.
  LogicalResult assume(bool isThen) {
    std::optional<DimExprAttr> bit =
        node.getSize(node.cast(condition, node.builder.getI64Type()), "the condition");
    if (!bit)
      return failure();
    node.require(RequireKind::Equal, *bit, node.dim(isThen));
    return importChosen(isThen);
  }

  LogicalResult importBranches() {
    for (int i : {0, 1}) {
      OpBuilder::InsertionGuard guard(node.builder);
      node.builder.setInsertionPointToEnd(&holder->getRegion(i).front());
      std::optional<SmallVector<Value>> imported = node.importGraph(*graphs[i], {});
      if (!imported || failed(checkKnownOutside(node, *imported, holder->getRegion(i), "a branch")))
        return failure();
      results[i] = *imported;
    }
    return chooseTypes();
  }

  /// Types that both branches can give. Where their dims differ, the one that runs says them.
  LogicalResult chooseTypes() {
    SmallVector<RankedTensorType> types;
    for (auto [i, x, y] : llvm::enumerate(results[0], results[1])) {
      if (getElementType(x) != getElementType(y))
        return node.fail("output " + Twine(i) + " has two types, one in each branch");
      if (getRank(x) != getRank(y))
        return chooseByRank();
    }
    node.builder.setInsertionPointAfter(holder);
    for (auto [x, y] : llvm::zip_equal(results[0], results[1])) {
      Dims thenDims = getDims(x), elseDims = getDims(y), common = thenDims;
      if (thenDims != elseDims) {
        VectorMath m{node};
        // Only dims that differ are read: the others keep their names.
        Dims thenOpen, elseOpen;
        for (auto [a, b] : llvm::zip_equal(thenDims, elseDims))
          if (a != b) {
            thenOpen.push_back(a);
            elseOpen.push_back(b);
          }
        std::optional<Dims> open = node.getSizes(
            m.select(condition, node.dimValues(thenOpen), node.dimValues(elseOpen)), "the dims");
        if (!open)
          return failure();
        auto next = open->begin();
        for (auto [a, b, dim] : llvm::zip_equal(thenDims, elseDims, common))
          if (a != b)
            dim = *next++;
      }
      types.push_back(node.tensorType(common, getElementType(x)));
    }
    if (node.hasFailed())
      return failure();
    return finish(types);
  }

  /// A tensor has one rank. Exporters write an If around a Squeeze; the file's own types say which is meant.
  LogicalResult chooseByRank() {
    for (bool isThen : {true, false}) {
      bool fits = true;
      for (auto [i, value] : llvm::enumerate(results[isThen ? 0 : 1]))
        fits &= node.getDeclaredRank(i) == getRank(value);
      if (fits) {
        chosenByRank = isThen;
        return success();
      }
    }
    return node.fail("its branches give tensors of different ranks, and the file does not declare which is "
                     "meant");
  }

  LogicalResult finish(ArrayRef<RankedTensorType> types) {
    scf::IfOp branch = createIf(llvm::to_vector_of<Type>(types));
    for (int i : {0, 1}) {
      OpBuilder::InsertionGuard guard(node.builder);
      Block &block = branch->getRegion(i).front();
      block.getOperations().splice(block.end(), holder->getRegion(i).front().getOperations());
      node.builder.setInsertionPointToEnd(&block);
      SmallVector<Value> yielded;
      for (auto [value, type] : llvm::zip_equal(results[i], types)) {
        yielded.push_back(node.reshape(value, getDims(type)));
        if (!yielded.back())
          return failure();
      }
      scf::YieldOp::create(node.builder, node.loc, yielded);
    }
    return node.finish(branch.getResults());
  }

  NodeContext &node;
  Value condition;
  const ::onnx::GraphProto *graphs[2];
  SmallVector<Value> results[2];
  scf::IfOp holder;
  std::optional<bool> chosenByRank;
};
} // namespace

static LogicalResult importIf(NodeContext &node) {
  Value condition = node.toScalar(node.getInput(0), "the condition");
  if (!condition || !getElementType(condition).isInteger(1))
    return node.fail("the condition must be one bool");
  return IfImporter(node, condition).run();
}

//===----------------------------------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------------------------------===//

static LogicalResult importLoop(NodeContext &node) {
  const ::onnx::GraphProto *body = node.getGraph("body");
  if (!body)
    return node.fail("it needs a body");
  unsigned carried = node.getNumInputs() > 2 ? node.getNumInputs() - 2 : 0;
  int scans = static_cast<int>(node.getNumOutputs()) - static_cast<int>(carried);
  if (body->input_size() != static_cast<int>(carried) + 2 || scans < 0 ||
      body->output_size() != static_cast<int>(node.getNumOutputs()) + 1)
    return node.fail("its body has " + Twine(body->input_size()) + " inputs and " +
                     Twine(body->output_size()) + " outputs, which do not fit the node");
  LoopBuilder loop(node);
  if (node.hasInput(0))
    loop.limit = node.cast(node.toScalar(node.getInput(0), "the trip count"), node.builder.getI64Type());
  if (node.hasInput(1)) {
    loop.condition = node.toScalar(node.getInput(1), "the condition");
    if (!loop.condition || !getElementType(loop.condition).isInteger(1))
      return node.fail("the condition must be one bool");
  }
  for (unsigned i = 2; i < node.getNumInputs(); ++i) {
    if (!node.hasInput(i))
      return node.fail("input " + Twine(i) + " is missing");
    loop.carried.push_back(node.getInput(i));
  }
  loop.nodesInside = body->node_size();
  loop.body = [&](Value turn, Value condition, ArrayRef<Value> variables) -> std::optional<LoopTurn> {
    SmallVector<Value> inputs = {turn, condition};
    inputs.append(variables.begin(), variables.end());
    std::optional<SmallVector<Value>> outputs = node.importGraph(*body, inputs);
    if (!outputs)
      return std::nullopt;
    LoopTurn result;
    result.condition = node.toScalar(outputs->front(), "the condition");
    result.carried.assign(outputs->begin() + 1, outputs->begin() + 1 + carried);
    result.scans.assign(outputs->begin() + 1 + carried, outputs->end());
    return result;
  };
  std::optional<SmallVector<Value>> results = loop.build();
  return results ? node.finish(*results) : failure();
}

//===----------------------------------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------------------------------===//

namespace {
/// The lists of numbers that a Scan has for its inputs or outputs; all 0 where they are not given.
std::optional<SmallVector<int64_t>> getList(NodeContext &node, StringRef name, size_t count) {
  std::optional<SmallVector<int64_t>> given = node.getInts(name);
  if (given && given->size() != count) {
    (void)node.fail("attribute '" + name + "' has " + Twine(given->size()) + " entries, not " + Twine(count));
    return std::nullopt;
  }
  return given ? *given : SmallVector<int64_t>(count, 0);
}
} // namespace

/// Moves the first dim to `axis`.
static Value moveFirst(NodeContext &node, Value x, int64_t axis) {
  std::optional<int64_t> to = node.normalizeAxis(axis, getRank(x));
  if (!to)
    return {};
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(1, getRank(x)));
  permutation.insert(permutation.begin() + *to, 0);
  return node.transpose(x, permutation);
}

static LogicalResult importScan(NodeContext &node) {
  const ::onnx::GraphProto *body = node.getGraph("body");
  int64_t scanned = node.getInt("num_scan_inputs", 0);
  if (!body || scanned < 1 || scanned > node.getNumInputs())
    return node.fail("it needs a body, and between 1 and " + Twine(node.getNumInputs()) + " scan inputs");
  unsigned carried = node.getNumInputs() - scanned;
  if (node.getNumOutputs() < carried || body->output_size() != static_cast<int>(node.getNumOutputs()))
    return node.fail("its body has " + Twine(body->output_size()) + " outputs, which do not fit the node");
  unsigned scans = node.getNumOutputs() - carried;
  auto axes = getList(node, "scan_input_axes", scanned), reversed = getList(node, "scan_input_directions", scanned);
  auto outputAxes = getList(node, "scan_output_axes", scans),
       outputReversed = getList(node, "scan_output_directions", scans);
  if (!axes || !reversed || !outputAxes || !outputReversed)
    return failure();
  LoopBuilder loop(node);
  ArrayRef<Value> inputs = node.getInputs();
  loop.carried.assign(inputs.begin(), inputs.begin() + carried);
  SmallVector<Value> sequences(inputs.begin() + carried, inputs.end());
  DimExprAttr length;
  for (int64_t i = 0; i < scanned; ++i) {
    std::optional<int64_t> axis = node.normalizeAxis((*axes)[i], getRank(sequences[i]));
    if (!axis)
      return failure();
    (*axes)[i] = *axis;
    if (!length)
      length = getDim(sequences[i], *axis);
    sequences[i] = node.conform(sequences[i], *axis, length);
  }
  if (node.hasFailed())
    return failure();
  VectorMath m{node};
  Value last = node.dimValues(length - 1, /*isScalar=*/true);
  loop.limit = node.dimValues(length, /*isScalar=*/true);
  for (int64_t flag : *outputReversed)
    loop.isReversed.push_back(flag != 0);
  loop.nodesInside = body->node_size();
  loop.body = [&](Value turn, Value condition, ArrayRef<Value> variables) -> std::optional<LoopTurn> {
    SmallVector<Value> given(variables);
    for (auto [sequence, axis, isReversed] : llvm::zip_equal(sequences, *axes, *reversed))
      given.push_back(node.build<GatherOp>({sequence, isReversed ? m.sub(last, turn) : turn},
                                           node.attribute("axis", axis)));
    std::optional<SmallVector<Value>> outputs = node.importGraph(*body, given);
    if (!outputs)
      return std::nullopt;
    LoopTurn result;
    result.condition = condition;
    result.carried.assign(outputs->begin(), outputs->begin() + carried);
    result.scans.assign(outputs->begin() + carried, outputs->end());
    return result;
  };
  std::optional<SmallVector<Value>> results = loop.build();
  if (!results)
    return failure();
  for (unsigned i = 0; i < scans; ++i)
    (*results)[carried + i] = moveFirst(node, (*results)[carried + i], (*outputAxes)[i]);
  return node.finish(*results);
}

void mlir::tfc::onnx_import::addControlFlowOps(OpTable &table) {
  table.add("If", importIf, 1, 1);
  table.addOpen("Loop", importLoop, 0);
  table.add("Scan", importScan, 1, anyNumber, 9);
}
