//===- TransformerBlocks.cpp - The parts that Transformers are made of -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "TransformerBlocks.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using Scope = GraphBuilder::Scope;

TransformerBlocks::TransformerBlocks(GraphBuilder &graph, ModelWeights &weights, const ModelConfig &config,
                                     MatrixStorage storage)
    : graph(graph), weights(weights), config(config), storage(storage), batch(graph.symbol("batch")),
      seq(graph.symbol("seq")), hidden(graph.dim(config.hidden)), heads(graph.dim(config.heads)),
      headDim(graph.dim(config.getHeadDim())) {}

RankedTensorType TransformerBlocks::floatType(ArrayRef<DimExprAttr> dims) {
  return getTensorType(dims, graph.getBuilder().getF32Type());
}

//===----------------------------------------------------------------------------------------------===//
// Embeddings
//===----------------------------------------------------------------------------------------------===//

Value TransformerBlocks::embedding(StringRef name, StringRef weight, int64_t rows, Value ids) {
  Scope scope(graph, name);
  Value table = weights.get(weight, {rows, config.hidden}, InitialWeight::Normal);
  return graph.create<GatherOp>({table, ids},
                                graph.attribute("axis", graph.getBuilder().getI64IntegerAttr(0)));
}

Value TransformerBlocks::positions(StringRef name, StringRef weight, DimExprAttr first) {
  Scope scope(graph, name);
  graph.requireAtMost(first + seq, graph.dim(config.positions));
  Value table = weights.get(weight, {config.positions, config.hidden}, InitialWeight::Normal);
  Builder &builder = graph.getBuilder();
  return graph.create<SliceOp>(table,
                               {graph.attribute("offsets", builder.getArrayAttr({first, graph.dim(0)})),
                                graph.attribute("strides", builder.getDenseI64ArrayAttr({1, 1}))},
                               floatType({seq, hidden}));
}

//===----------------------------------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------------------------------===//

Value TransformerBlocks::linear(StringRef name, Value x, StringRef weight, int64_t in, int64_t out) {
  Scope scope(graph, name);
  Value matrix = weights.getMatrix((weight + ".weight").str(), in, out, storage);
  Value bias = weights.get((weight + ".bias").str(), {out}, InitialWeight::Zeros);
  Value product = graph.create<MatmulOp>({x, matrix});
  return graph.create<AddOp>({product, bias});
}

Value TransformerBlocks::layerNorm(StringRef name, Value x, StringRef weight) {
  Scope scope(graph, name);
  Value scale = weights.get((weight + ".weight").str(), {config.hidden}, InitialWeight::Ones);
  Value bias = weights.get((weight + ".bias").str(), {config.hidden}, InitialWeight::Zeros);
  Builder &builder = graph.getBuilder();
  return graph.create<LayerNormOp>({x, scale, bias},
                                   {graph.attribute("axis", builder.getI64IntegerAttr(2)),
                                    graph.attribute("epsilon", builder.getF64FloatAttr(config.normEpsilon)),
                                    graph.segments("operandSegmentSizes", {1, 1, 1})});
}

Value TransformerBlocks::add(StringRef name, Value x, Value y) {
  Scope scope(graph, name);
  return graph.create<AddOp>({x, y});
}

Value TransformerBlocks::activation(Value x) {
  auto gelu = [&](GeluKind kind) {
    auto attribute = GeluKindAttr::get(graph.getBuilder().getContext(), kind);
    return graph.create<GeluOp>(x, graph.attribute("kind", attribute));
  };
  switch (config.activation) {
  case Activation::Gelu:
    return gelu(GeluKind::Erf);
  case Activation::GeluTanh:
    return gelu(GeluKind::Tanh);
  case Activation::GeluQuick:
    return gelu(GeluKind::Quick);
  case Activation::Relu:
    return graph.create<ReluOp>(x);
  }
  return {};
}

Value TransformerBlocks::mlp(Value x, StringRef upName, StringRef upWeight, StringRef downName,
                             StringRef downWeight) {
  Value wide = linear(upName, x, upWeight, config.hidden, config.intermediate);
  {
    Scope scope(graph, "activation");
    wide = activation(wide);
  }
  return linear(downName, wide, downWeight, config.intermediate, config.hidden);
}

//===----------------------------------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------------------------------===//

Value TransformerBlocks::keyMask(StringRef name, Value attentionMask, DimExprAttr keys) {
  Scope scope(graph, name);
  Builder &builder = graph.getBuilder();
  auto scalar = RankedTensorType::get({}, builder.getI64Type());
  Value zero = graph.create<ConstantOp>(
      {}, graph.attribute("value", DenseElementsAttr::get(scalar, int64_t(0))), scalar);
  auto notEqual = CompareKindAttr::get(builder.getContext(), CompareKind::Ne);
  Value allowed = graph.create<CompareOp>({attentionMask, zero}, graph.attribute("kind", notEqual));
  return graph.create<ReshapeOp>(
      allowed, {}, getTensorType({batch, graph.dim(1), graph.dim(1), keys}, builder.getI1Type()));
}

Value TransformerBlocks::splitHeads(Value x) {
  Value split = graph.create<ReshapeOp>(x, {}, floatType({batch, seq, heads, headDim}));
  auto permutation = graph.getBuilder().getDenseI64ArrayAttr({0, 2, 1, 3});
  return graph.create<TransposeOp>(split, graph.attribute("permutation", permutation));
}

Value TransformerBlocks::mergeHeads(Value x) {
  auto permutation = graph.getBuilder().getDenseI64ArrayAttr({0, 2, 1, 3});
  Value rows = graph.create<TransposeOp>(x, graph.attribute("permutation", permutation));
  return graph.create<ReshapeOp>(rows, {}, floatType({batch, seq, hidden}));
}

Value TransformerBlocks::sliceHidden(Value x, int64_t begin) {
  Builder &builder = graph.getBuilder();
  DimExprAttr zero = graph.dim(0);
  return graph.create<SliceOp>(
      x,
      {graph.attribute("offsets", builder.getArrayAttr({zero, zero, graph.dim(begin)})),
       graph.attribute("strides", builder.getDenseI64ArrayAttr({1, 1, 1}))},
      floatType({batch, seq, hidden}));
}

NamedAttribute TransformerBlocks::scaleAttribute() {
  float scale = 1.0 / std::sqrt(double(config.getHeadDim()));
  return graph.attribute("scale", graph.getBuilder().getF32FloatAttr(scale));
}

// Operands of tfc.attention in order: query, key, value, mask, bias, past key, past value, key lengths.

Value TransformerBlocks::attention(Value query, Value key, Value value, Value mask) {
  SmallVector<Value> results =
      graph.createNamed(AttentionOp::getOperationName(), {query, key, value, mask},
                        {scaleAttribute(), graph.segments("operandSegmentSizes", {1, 1, 1, 1, 0, 0, 0, 0})},
                        floatType({batch, heads, seq, headDim}));
  return results.empty() ? Value() : mergeHeads(results[0]);
}

Value TransformerBlocks::causalAttention(Value query, Value key, Value value, Value mask,
                                         KeyValue &keyValue) {
  DimExprAttr total = graph.symbol("past") + seq;
  RankedTensorType output = floatType({batch, heads, seq, headDim});
  RankedTensorType present = floatType({batch, heads, total, headDim});
  SmallVector<Value> results = graph.createNamed(
      AttentionOp::getOperationName(), {query, key, value, mask, keyValue.key, keyValue.value},
      {scaleAttribute(), graph.attribute("causal", graph.getBuilder().getUnitAttr()),
       graph.segments("operandSegmentSizes", {1, 1, 1, 1, 0, 1, 1, 0})},
      {output, present, present});
  if (results.size() != 3)
    return {};
  keyValue = {results[1], results[2]};
  return mergeHeads(results[0]);
}
