//===- Gpt.cpp - GPT-2, as Hugging Face's GPT2LMHeadModel ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Radford et al., "Language Models are Unsupervised Multitask Learners": a decoder whose norms stand before
// the blocks. One layer, with the keys and values of earlier tokens in front of the new ones:
//
//   a = x + proj(attention(query, key, value = split(attn(norm(x)))))
//   y = a + down(gelu(up(norm(a))))
//
// The head shares the token table with the embedding.
//
//===----------------------------------------------------------------------------------------------===//

#include "Models.h"
#include "TransformerBlocks.h"

using namespace mlir;
using namespace mlir::tfc;
using Scope = GraphBuilder::Scope;

static constexpr StringLiteral tokenTable = "wte.weight";

static Value buildEmbeddings(GraphBuilder &graph, TransformerBlocks &blocks, const ModelConfig &config,
                             Value ids) {
  Scope scope(graph, "embeddings");
  Value words = blocks.embedding("wte", tokenTable, config.vocab, ids);
  Value places = blocks.positions("wpe", "wpe.weight", graph.symbol("past"));
  return blocks.add("add_positions", words, places);
}

static Value buildSelfAttention(GraphBuilder &graph, TransformerBlocks &blocks, const ModelConfig &config,
                                const std::string &weight, Value x, Value mask, KeyValue &keyValue) {
  Scope scope(graph, "attention");
  // One matrix makes query, key and value, side by side.
  Value projected = blocks.linear("c_attn", x, weight + ".c_attn", config.hidden, 3 * config.hidden);
  auto heads = [&](StringRef name, int64_t part) {
    Scope inner(graph, name);
    return blocks.splitHeads(blocks.sliceHidden(projected, part * config.hidden));
  };
  Value query = heads("query", 0);
  Value key = heads("key", 1);
  Value value = heads("value", 2);
  Value context;
  {
    Scope inner(graph, "self");
    context = blocks.causalAttention(query, key, value, mask, keyValue);
  }
  return blocks.linear("c_proj", context, weight + ".c_proj", config.hidden, config.hidden);
}

static Value buildLayer(GraphBuilder &graph, TransformerBlocks &blocks, const ModelConfig &config,
                        int64_t number, Value x, Value mask, KeyValue &keyValue) {
  Scope scope(graph, "layer_" + Twine(number));
  std::string weight = "h." + std::to_string(number);
  Value normed = blocks.layerNorm("ln_1", x, weight + ".ln_1");
  Value a = buildSelfAttention(graph, blocks, config, weight + ".attn", normed, mask, keyValue);
  a = blocks.add("attention_residual", a, x);
  normed = blocks.layerNorm("ln_2", a, weight + ".ln_2");
  Value y;
  {
    Scope inner(graph, "mlp");
    y = blocks.mlp(normed, "c_fc", weight + ".mlp.c_fc", "c_proj", weight + ".mlp.c_proj");
  }
  return blocks.add("mlp_residual", y, a);
}

/// Logits over the vocabulary: the token table again, transposed.
static Value buildHead(GraphBuilder &graph, ModelWeights &weights, const ModelConfig &config, Value x) {
  Scope scope(graph, "lm_head");
  Value table = weights.get(tokenTable, {config.vocab, config.hidden}, InitialWeight::Normal);
  return graph.create<MatmulOp>({x, table}, graph.attribute("transpose_b", graph.getBuilder().getUnitAttr()));
}

static std::string nameOf(StringRef what, int64_t layer, StringRef part) {
  return (what + "." + Twine(layer) + "." + part).str();
}

void mlir::tfc::buildGpt(GraphBuilder &graph, ModelWeights &weights, const ModelConfig &config) {
  TransformerBlocks blocks(graph, weights, config, MatrixStorage::InByOut);
  DimExprAttr batch = blocks.getBatch(), seq = blocks.getSeq(), past = graph.symbol("past");
  Builder &builder = graph.getBuilder();
  SmallVector<DimExprAttr> pastDims = {batch, graph.dim(config.heads), past, graph.dim(config.getHeadDim())};
  Value ids = graph.addInput("input_ids", {batch, seq}, builder.getI64Type());
  Value attentionMask = graph.addInput("attention_mask", {batch, past + seq}, builder.getI64Type());
  SmallVector<KeyValue> cache;
  for (int64_t number = 0; number < config.layers; ++number) {
    Value key = graph.addInput(nameOf("past_key_values", number, "key"), pastDims, builder.getF32Type());
    Value value = graph.addInput(nameOf("past_key_values", number, "value"), pastDims, builder.getF32Type());
    cache.push_back({key, value});
  }

  Value mask = blocks.keyMask("attention_mask", attentionMask, past + seq);
  Value x = buildEmbeddings(graph, blocks, config, ids);
  {
    Scope scope(graph, "decoder");
    for (int64_t number = 0; number < config.layers; ++number)
      x = buildLayer(graph, blocks, config, number, x, mask, cache[number]);
  }
  x = blocks.layerNorm("ln_f", x, "ln_f");
  graph.addOutput("logits", buildHead(graph, weights, config, x));
  for (int64_t number = 0; number < config.layers; ++number) {
    graph.addOutput(nameOf("present", number, "key"), cache[number].key,
                    nameOf("past_key_values", number, "key"));
    graph.addOutput(nameOf("present", number, "value"), cache[number].value,
                    nameOf("past_key_values", number, "value"));
  }
}
