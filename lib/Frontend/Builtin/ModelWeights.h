//===- ModelWeights.h - Weights of a built-in model by Hugging Face name --------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_BUILTIN_MODELWEIGHTS_H
#define TFC_LIB_FRONTEND_BUILTIN_MODELWEIGHTS_H

#include "GraphBuilder.h"
#include "tfc/Frontend/Builtin/BuildBuiltin.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace tfc {
struct SafetensorsTensor;
} // namespace tfc

namespace mlir::tfc {

/// What a weight starts as when nothing has been trained, as Hugging Face initialises it.
enum class InitialWeight { Normal, Zeros, Ones };

/// How the matrix of a linear layer is stored.
enum class MatrixStorage {
  InByOut, ///< GPT-2's Conv1D: as a matmul wants it
  OutByIn  ///< torch's Linear: read through a transposing layout
};

/// Makes a `tfc.weight` for each name asked for, once, and gives its value. With a file, what the file lacks
/// or has in another shape or type is collected, so that one run reports all of it.
class ModelWeights {
public:
  /// `prefix` starts every name ("bert."); names in the file may lack it.
  ModelWeights(GraphBuilder &graph, const ModelConfig &config, const WeightSource &source, StringRef prefix);

  /// A weight that is stored as it is used. `name` goes without the prefix, as everywhere.
  Value get(StringRef name, ArrayRef<int64_t> shape, InitialWeight initial);
  /// The [in, out] matrix of a linear layer.
  Value getMatrix(StringRef name, int64_t in, int64_t out, MatrixStorage storage);

  /// Reports what is wrong with the file, or notes which of its tensors stayed unused.
  LogicalResult finish();

private:
  Value declare(StringRef name, ArrayRef<int64_t> storedShape, ArrayRef<int64_t> shape, LayoutAttr layout,
                InitialWeight initial);
  Attribute makeSeed(StringRef fullName, InitialWeight initial);
  const ::tfc::SafetensorsTensor *findInFile(StringRef fullName, ArrayRef<int64_t> storedShape);
  void noteUnused();

  GraphBuilder &graph;
  OpBuilder weightBuilder; ///< inserts before the function
  const ModelConfig &config;
  const WeightSource &source;
  std::string prefix;
  std::string filePath; ///< absolute, for the sources
  llvm::StringMap<Value> values;
  llvm::StringSet<> used;
  bool fileFits = true;
};

} // namespace mlir::tfc

#endif // TFC_LIB_FRONTEND_BUILTIN_MODELWEIGHTS_H
