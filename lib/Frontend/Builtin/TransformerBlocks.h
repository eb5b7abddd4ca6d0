//===- TransformerBlocks.h - The parts that Transformers are made of ------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_BUILTIN_TRANSFORMERBLOCKS_H
#define TFC_LIB_FRONTEND_BUILTIN_TRANSFORMERBLOCKS_H

#include "GraphBuilder.h"
#include "ModelWeights.h"

namespace mlir::tfc {

/// Keys and values of earlier tokens, [batch, heads, past, head dim].
struct KeyValue {
  Value key, value;
};

/// Builds blocks on activations of [batch, seq, width]. Weight names are Hugging Face's, without the model's
/// prefix; names of blocks are what their ops are called.
class TransformerBlocks {
public:
  TransformerBlocks(GraphBuilder &graph, ModelWeights &weights, const ModelConfig &config,
                    MatrixStorage storage);

  // --- Embeddings ---

  /// The rows of a table [rows, hidden] that the ids name.
  Value embedding(StringRef name, StringRef weight, int64_t rows, Value ids);
  /// Rows [first, first + seq) of a position table: [seq, hidden]. More positions than the table has end the
  /// run.
  Value positions(StringRef name, StringRef weight, DimExprAttr first);

  // --- Layers ---

  /// x * weight + bias, over the last dim.
  Value linear(StringRef name, Value x, StringRef weight, int64_t in, int64_t out);
  Value layerNorm(StringRef name, Value x, StringRef weight);
  Value add(StringRef name, Value x, Value y);
  /// Two linear layers with the configuration's activation between them.
  Value mlp(Value x, StringRef upName, StringRef upWeight, StringRef downName, StringRef downWeight);

  // --- Attention ---

  /// [batch, keys] integers to [batch, 1, 1, keys] bools: true where a key may be attended.
  Value keyMask(StringRef name, Value attentionMask, DimExprAttr keys);
  /// [batch, seq, hidden] to [batch, heads, seq, head dim].
  Value splitHeads(Value x);
  /// Columns [begin, begin + hidden) of the last dim.
  Value sliceHidden(Value x, int64_t begin);
  /// Attention of every query to every key that the mask allows; the result is [batch, seq, hidden].
  Value attention(Value query, Value key, Value value, Value mask);
  /// The same with a past in front of the keys, and no query seeing a later key. `keyValue` comes in as the
  /// past and goes out with the new keys and values behind it.
  Value causalAttention(Value query, Value key, Value value, Value mask, KeyValue &keyValue);

  // --- Types ---

  DimExprAttr getBatch() const { return batch; }
  DimExprAttr getSeq() const { return seq; }
  RankedTensorType floatType(ArrayRef<DimExprAttr> dims);

private:
  Value activation(Value x);
  Value mergeHeads(Value x);
  NamedAttribute scaleAttribute();

  GraphBuilder &graph;
  ModelWeights &weights;
  const ModelConfig &config;
  MatrixStorage storage;
  DimExprAttr batch, seq, hidden, heads, headDim;
};

} // namespace mlir::tfc

#endif // TFC_LIB_FRONTEND_BUILTIN_TRANSFORMERBLOCKS_H
