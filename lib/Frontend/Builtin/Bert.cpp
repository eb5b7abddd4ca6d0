//===- Bert.cpp - BERT, as Hugging Face's BertModel ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Devlin et al., arXiv 1810.04805: an encoder whose norms stand behind the residual sums. One layer:
//
//   a = norm(x + output(attention(query(x), key(x), value(x))))
//   y = norm(a + down(gelu(up(a))))
//
//===----------------------------------------------------------------------------------------------===//

#include "Models.h"
#include "TransformerBlocks.h"

using namespace mlir;
using namespace mlir::tfc;
using Scope = GraphBuilder::Scope;

static Value buildEmbeddings(GraphBuilder &graph, TransformerBlocks &blocks, const ModelConfig &config,
                             Value ids, Value types) {
  Scope scope(graph, "embeddings");
  Value words = blocks.embedding("word_embeddings", "embeddings.word_embeddings.weight", config.vocab, ids);
  Value kinds = blocks.embedding("token_type_embeddings", "embeddings.token_type_embeddings.weight",
                                 config.typeVocab, types);
  Value x = blocks.add("add_token_types", words, kinds);
  Value places =
      blocks.positions("position_embeddings", "embeddings.position_embeddings.weight", graph.dim(0));
  x = blocks.add("add_positions", x, places);
  return blocks.layerNorm("LayerNorm", x, "embeddings.LayerNorm");
}

static Value buildSelfAttention(GraphBuilder &graph, TransformerBlocks &blocks, const ModelConfig &config,
                                const std::string &weight, Value x, Value mask) {
  Scope scope(graph, "attention");
  auto heads = [&](StringRef name) {
    Value projected = blocks.linear(name, x, (weight + ".self." + name).str(), config.hidden, config.hidden);
    Scope inner(graph, name);
    return blocks.splitHeads(projected);
  };
  Value query = heads("query");
  Value key = heads("key");
  Value value = heads("value");
  Value context;
  {
    Scope inner(graph, "self");
    context = blocks.attention(query, key, value, mask);
  }
  Value y = blocks.linear("output", context, weight + ".output.dense", config.hidden, config.hidden);
  y = blocks.add("residual", y, x);
  return blocks.layerNorm("LayerNorm", y, weight + ".output.LayerNorm");
}

static Value buildLayer(GraphBuilder &graph, TransformerBlocks &blocks, const ModelConfig &config,
                        int64_t number, Value x, Value mask) {
  Scope scope(graph, "layer_" + Twine(number));
  std::string weight = "encoder.layer." + std::to_string(number);
  Value a = buildSelfAttention(graph, blocks, config, weight + ".attention", x, mask);
  Value y = blocks.mlp(a, "intermediate", weight + ".intermediate.dense", "output", weight + ".output.dense");
  y = blocks.add("residual", y, a);
  return blocks.layerNorm("LayerNorm", y, weight + ".output.LayerNorm");
}

/// tanh(dense(the first token)). A sequence without a first token ends the run.
static Value buildPooler(GraphBuilder &graph, TransformerBlocks &blocks, const ModelConfig &config, Value x) {
  Scope scope(graph, "pooler");
  Builder &builder = graph.getBuilder();
  graph.requireAtMost(graph.dim(1), blocks.getSeq());
  DimExprAttr zero = graph.dim(0), one = graph.dim(1), hidden = graph.dim(config.hidden);
  Value first = graph.create<SliceOp>(x,
                                      {graph.attribute("offsets", builder.getArrayAttr({zero, zero, zero})),
                                       graph.attribute("strides", builder.getDenseI64ArrayAttr({1, 1, 1}))},
                                      blocks.floatType({blocks.getBatch(), one, hidden}));
  first = graph.create<ReshapeOp>(first, {}, blocks.floatType({blocks.getBatch(), hidden}));
  Value dense = blocks.linear("dense", first, "pooler.dense", config.hidden, config.hidden);
  return graph.create<TanhOp>(dense);
}

void mlir::tfc::buildBert(GraphBuilder &graph, ModelWeights &weights, const ModelConfig &config) {
  TransformerBlocks blocks(graph, weights, config, MatrixStorage::OutByIn);
  SmallVector<DimExprAttr> tokens = {blocks.getBatch(), blocks.getSeq()};
  Type i64 = graph.getBuilder().getI64Type();
  Value ids = graph.addInput("input_ids", tokens, i64);
  Value attentionMask = graph.addInput("attention_mask", tokens, i64);
  Value types = graph.addInput("token_type_ids", tokens, i64);

  Value mask = blocks.keyMask("attention_mask", attentionMask, blocks.getSeq());
  Value x = buildEmbeddings(graph, blocks, config, ids, types);
  {
    Scope scope(graph, "encoder");
    for (int64_t number = 0; number < config.layers; ++number)
      x = buildLayer(graph, blocks, config, number, x, mask);
  }
  graph.addOutput("last_hidden_state", x);
  graph.addOutput("pooler_output", buildPooler(graph, blocks, config, x));
}
