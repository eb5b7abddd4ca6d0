//===- WriteCompute.cpp - Products, reductions, norms, attention as nodes --------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphWriter.h"

#include "tfc/Dialect/Tfc/IR/ExternCallText.h"
#include "tfc/Target/ONNX/WriteONNX.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_export;

//===----------------------------------------------------------------------------------------------===//
// Products and reductions
//===----------------------------------------------------------------------------------------------===//

void GraphWriter::writeMatmul(MatmulOp op) {
  Type elementType = getElementTypeOrSelf(op.getA()), resultType = getElementTypeOrSelf(op.getC());
  auto operand = [&](Value value, bool isTransposed) {
    Name name = getName(value);
    if (isTransposed) {
      SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, cast<RankedTensorType>(value.getType()).getRank()));
      std::swap(permutation.back(), permutation[permutation.size() - 2]);
      name = add("Transpose", {name}).set("perm", ArrayRef<int64_t>(permutation)).output();
    }
    return name;
  };
  Name a = operand(op.getA(), op.getTransposeA()), b = operand(op.getB(), op.getTransposeB());
  bool isSmall = elementType.isInteger(8) && getElementTypeOrSelf(op.getB()).isInteger(8);
  if (isSmall && resultType.isSignlessInteger(32))
    return give(add("MatMulInteger", {a, b}), op);
  if (elementType != resultType)
    a = makeCast(a, resultType);
  if (getElementTypeOrSelf(op.getB()) != resultType)
    b = makeCast(b, resultType);
  give(add("MatMul", {a, b}), op);
}

/// From opset 18 on axes are an input, of ReduceSum from 13 on.
std::string GraphWriter::makeReduced(StringRef name, Name x, ArrayRef<int64_t> axes, bool keepDims) {
  bool asInput = state.opset >= 18 || name == "ReduceSum";
  std::vector<Name> inputs{x};
  if (asInput)
    inputs.push_back(makeInts(axes));
  NodeMaker node = add(name, inputs).set("keepdims", int64_t(keepDims));
  if (!asInput)
    node.set("axes", axes);
  return node.output();
}

void GraphWriter::writeReduce(ReduceOp op) {
  Name x = getName(op.getX());
  if (op.getAxes().empty())
    return give(add("Identity", {x}), op);
  StringRef name;
  switch (op.getKind()) {
  case ReduceKind::Sum:
    name = "ReduceSum";
    break;
  case ReduceKind::Mean:
    name = "ReduceMean";
    break;
  case ReduceKind::Max:
    name = "ReduceMax";
    break;
  case ReduceKind::Min:
    name = "ReduceMin";
    break;
  case ReduceKind::Prod:
    name = "ReduceProd";
    break;
  }
  give(add("Identity", {makeReduced(name, x, op.getAxes(), op.getKeepDims())}), op);
}

//===----------------------------------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------------------------------===//

std::string GraphWriter::makeNormalized(Name x, Type elementType, int64_t rank, int64_t axis, double epsilon, bool centre) {
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(axis, rank));
  Type wide = elementType.isF64() ? elementType : Float32Type::get(elementType.getContext());
  if (wide != elementType)
    x = makeCast(x, wide);
  if (centre)
    x = make("Sub", {x, makeReduced("ReduceMean", x, axes, /*keepDims=*/true)});
  Name variance = makeReduced("ReduceMean", make("Mul", {x, x}), axes, /*keepDims=*/true);
  Name y = make("Div", {x, make("Sqrt", {make("Add", {variance, makeScalar(epsilon, wide)})})});
  return wide != elementType ? makeCast(y, elementType) : y;
}

/// Whether the scale or bias has the dims that are normalized over, as ONNX's operators want it.
static bool hasNormalizedDims(Value x, Value scale, int64_t axis) {
  return getDims(scale) == ArrayRef(getDims(x)).drop_front(axis);
}

void GraphWriter::writeLayerNorm(LayerNormOp op) {
  Type type = getElementTypeOrSelf(op.getX());
  int64_t axis = op.getAxis(), rank = cast<RankedTensorType>(op.getX().getType()).getRank();
  bool isPlain = op.getScale() && hasNormalizedDims(op.getX(), op.getScale(), axis) &&
                 (!op.getBias() || hasNormalizedDims(op.getX(), op.getBias(), axis));
  if (isPlain)
    return give(add("LayerNormalization", getNames(op->getOperands()))
                    .set("axis", axis)
                    .set("epsilon", op.getEpsilon().convertToDouble()),
                op);
  Name y = makeNormalized(getName(op.getX()), type, rank, axis, op.getEpsilon().convertToDouble(), /*centre=*/true);
  if (op.getScale())
    y = make("Mul", {y, getName(op.getScale())});
  if (op.getBias())
    y = make("Add", {y, getName(op.getBias())});
  give(add("Identity", {y}), op);
}

void GraphWriter::writeRmsNorm(RmsNormOp op) {
  Type type = getElementTypeOrSelf(op.getX());
  int64_t axis = op.getAxis(), rank = cast<RankedTensorType>(op.getX().getType()).getRank();
  if (op.getScale() && state.opset >= 23 && hasNormalizedDims(op.getX(), op.getScale(), axis))
    return give(add("RMSNormalization", getNames({op.getX(), op.getScale()}))
                    .set("axis", axis)
                    .set("epsilon", op.getEpsilon().convertToDouble()),
                op);
  Name y = makeNormalized(getName(op.getX()), type, rank, axis, op.getEpsilon().convertToDouble(), /*centre=*/false);
  if (op.getScale())
    y = make("Mul", {y, getName(op.getScale())});
  give(add("Identity", {y}), op);
}

//===----------------------------------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------------------------------===//

// What the standard's operator gives for a row without any allowed key, with a soft cap, and with past keys under a causal bound has changed
// from version to version, and ONNX Runtime gives 0 where a bias leaves nothing: only what is beyond doubt is left to it. The contributed
// operator adds its bias and takes the softmax, as tfc.attention does.
AttentionForm mlir::tfc::onnx_export::getAttentionForm(AttentionOp op) {
  bool isPlainCausal = !op.getCausal() || (!op.getPastKey() && getDim(op.getQuery(), 2) == getDim(op.getKey(), 2));
  if (op.getMask() || op.getKeyLengths() || op.getSoftcap() || op.getWindowLeft() || op.getWindowRight() ||
      op.getProbabilities() || !isPlainCausal)
    return AttentionForm::None;
  bool isConstant = getDim(op.getQuery(), 1).isConstant() && getDim(op.getQuery(), 3).isConstant() && getDim(op.getValue(), 3).isConstant();
  if (isConstant && getDim(op.getQuery(), 1) == getDim(op.getKey(), 1) && getElementTypeOrSelf(op.getQuery()).isF32())
    return AttentionForm::MultiHead;
  return op.getBias() ? AttentionForm::None : AttentionForm::Standard;
}

bool mlir::tfc::hasONNXOperator(AttentionOp op) { return getAttentionForm(op) != AttentionForm::None; }

void GraphWriter::writeMultiHeadAttention(AttentionOp op) {
  constexpr int64_t kSwapped[] = {0, 2, 1, 3};
  int64_t heads = *getDim(op.getQuery(), 1).getConstant(), size = *getDim(op.getValue(), 3).getConstant();
  // The operator wants heads side by side.
  auto flatten = [&](Value x) {
    int64_t width = heads * *getDim(x, 3).getConstant();
    return make("Reshape", {add("Transpose", {getName(x)}).set("perm", ArrayRef<int64_t>(kSwapped)).output(), makeInts({0, 0, width})});
  };
  std::vector<Name> inputs{flatten(op.getQuery()), flatten(op.getKey()), flatten(op.getValue()), "", ""};
  inputs.push_back(op.getBias() ? getName(op.getBias()) : "");
  if (op.getBias()) {
    // And the rows of all queries in the bias.
    SmallVector<DimExprAttr> dims = getDims(op.getBias()), own = dims;
    own.insert(own.begin(), 4 - own.size(), DimExprAttr::constant(op.getContext(), 1));
    SmallVector<DimExprAttr> whole{own[0], own[1], getDim(op.getQuery(), 2), op.getTotalKeys()};
    if (dims != whole)
      inputs.back() = make("Expand", {inputs.back(), makeDims(whole)});
  }
  if (op.getPastKey())
    llvm::append_range(inputs, getNames({op.getPastKey(), op.getPastValue()}));
  while (inputs.back().empty())
    inputs.pop_back();
  NodeMaker node = add("MultiHeadAttention", inputs, "com.microsoft").set("num_heads", heads);
  if (op.getScale())
    node.set("scale", double(op.getScale()->convertToFloat()));
  if (op.getCausal())
    node.set("unidirectional", int64_t(1));
  Name together = make("Reshape", {node.output(), makeInts({0, 0, heads, size})});
  if (op.getPresentKey()) {
    give(node, op.getPresentKey());
    give(node, op.getPresentValue());
  }
  give(add("Transpose", {together}).set("perm", ArrayRef<int64_t>(kSwapped)), op.getOutput());
}

void GraphWriter::writeAttention(AttentionOp op) {
  std::vector<Name> inputs = getNames({op.getQuery(), op.getKey(), op.getValue()});
  if (op.getPastKey()) {
    inputs.push_back("");
    llvm::append_range(inputs, getNames({op.getPastKey(), op.getPastValue()}));
  }
  NodeMaker node = add("Attention", inputs);
  if (op.getScale())
    node.set("scale", double(op.getScale()->convertToFloat()));
  if (op.getCausal())
    node.set("is_causal", int64_t(1));
  give(node, op.getOutput());
  if (op.getPresentKey()) {
    give(node, op.getPresentKey());
    give(node, op.getPresentValue());
  }
}

void GraphWriter::writeExternCall(ExternCallOp op) {
  auto [domain, name] = op.getCallee().split(':');
  NodeMaker node = add(name, getNames(getExternTensors(op, /*outputs=*/false)), domain == "ai.onnx" ? "" : domain);
  if (domain != "ai.onnx")
    state.domains.insert(domain);
  for (NamedAttribute attribute : op.getNodeAttributes())
    node.setAttribute(attribute.getName(), attribute.getValue());
  for (Value result : getExternTensors(op, /*outputs=*/true)) {
    if (!result) {
      node.get()->add_output("");
      continue;
    }
    give(node, result);
    // Whoever reads the file cannot infer it, and a graph's output says it itself.
    if (!wanted.contains(result))
      addValueInfo(graph->add_value_info(), getName(result), result.getType(), /*withShape=*/true);
  }
}

bool GraphWriter::writeCompute(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](MatmulOp matmul) { return writeMatmul(matmul), true; })
      .Case([&](ReduceOp reduce) { return writeReduce(reduce), true; })
      .Case([&](ArgReduceOp reduce) {
        return give(add(reduce.getMin() ? "ArgMin" : "ArgMax", {getName(reduce.getX())})
                        .set("axis", int64_t(reduce.getAxis()))
                        .set("keepdims", int64_t(reduce.getKeepDims()))
                        .set("select_last_index", int64_t(reduce.getLast())),
                    reduce),
               true;
      })
      .Case([&](CumSumOp sum) {
        return give(add("CumSum", {getName(sum.getX()), makeInts({int64_t(sum.getAxis())}, /*isScalar=*/true)})
                        .set("exclusive", int64_t(sum.getExclusive()))
                        .set("reverse", int64_t(sum.getReverse())),
                    sum),
               true;
      })
      .Case([&](CountNonzeroOp count) {
        Name flat = make("Reshape", {getName(count.getX()), makeInts({-1})});
        Name ones = makeCast(makeCast(flat, IntegerType::get(op->getContext(), 1)), IntegerType::get(op->getContext(), 64));
        return give(add("Identity", {makeReduced("ReduceSum", ones, {0}, /*keepDims=*/false)}), count), true;
      })
      .Case([&](TopKOp top) {
        NodeMaker node = add("TopK", {getName(top.getX()), makeDim(getDim(top.getValues(), top.getAxis()))});
        node.set("axis", int64_t(top.getAxis())).set("largest", int64_t(!top.getSmallest())).set("sorted", int64_t(1));
        give(node, top.getValues());
        return give(node, top.getIndices()), true;
      })
      .Case([&](SoftmaxOp softmax) {
        return give(add(softmax.getLog() ? "LogSoftmax" : "Softmax", {getName(softmax.getX())}).set("axis", int64_t(softmax.getAxis())),
                    softmax),
               true;
      })
      .Case([&](LayerNormOp norm) { return writeLayerNorm(norm), true; })
      .Case([&](RmsNormOp norm) { return writeRmsNorm(norm), true; })
      .Case([&](AttentionOp attention) {
        AttentionForm form = getAttentionForm(attention);
        if (form == AttentionForm::MultiHead)
          writeMultiHeadAttention(attention);
        else if (form == AttentionForm::Standard)
          writeAttention(attention);
        return form != AttentionForm::None;
      })
      .Case([&](ExternCallOp call) { return writeExternCall(call), true; })
      .Default([](Operation *) { return false; });
}
