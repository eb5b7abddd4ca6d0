//===- ImportONNX.h - From an ONNX file to a tfc module -----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_FRONTEND_ONNX_IMPORTONNX_H
#define TFC_FRONTEND_ONNX_IMPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mlir::tfc {

/// The value of an input that is known when compiling.
struct FoldedInput {
  std::string name;
  /// f32, i64, ui8, bool; bfloat16 as ui16, 8-bit floats and 4-bit numbers as ui8 or i8, as numpy holds them.
  std::string type;
  std::vector<int64_t> dims;
  std::vector<uint8_t> bytes;
};

/// Sizes that a symbol may have; a run with another one is refused.
struct DimRange {
  std::string symbol;
  int64_t least, greatest;
};

/// What a file may ask for at most: numbers that a few bytes can make as large as they like. docs/Limits.md.
struct ImportLimits {
  /// Messages inside each other in the file.
  uint64_t nesting = 90;
  /// Fields and bytes of the file, contents of tensors left out.
  uint64_t fields = uint64_t(16) << 20, bytes = uint64_t(512) << 20;
  /// Calls of functions inside each other.
  uint64_t calls = 64;
  /// Nodes that functions and loops add to the file's own.
  uint64_t expandedNodes = uint64_t(1) << 20;
  /// Nodes that an unrolled loop may become.
  uint64_t unrolledNodes = uint64_t(1) << 14;

  /// Sets the limit of this name (`file-fields`, ...); the answer is empty, or says what is wrong.
  std::string set(llvm::StringRef name, uint64_t value);
};

struct ImportOptions {
  /// Name of the function that the graph becomes.
  std::string functionName = "main";
  /// Every dim of an input that the file leaves open becomes a symbol of its own (`input_ids_d0`), whatever
  /// names the file gives: nothing is known to be equal. Dims that are numbers in the file stay numbers.
  bool dynamicAll = false;
  /// Symbols that are given a number (`batch`, 4).
  std::vector<std::pair<std::string, int64_t>> fixedDims;
  std::vector<DimRange> dimRanges;
  /// Inputs that become constants.
  std::vector<FoldedInput> foldedInputs;
  /// The folder in which weights outside the file are looked up; the file's own folder where empty.
  std::string externalRoot;
  /// Follow links to files of weights as long as they stay inside that folder.
  bool allowExternalLinks = false;
  /// Operators that are not known become calls of the host.
  bool allowExtern = false;
  ImportLimits limits;
  /// Tensors of integers up to this size become tfc.constant, so that shape arithmetic folds; larger ones,
  /// and all floats but single numbers, become tfc.weight.
  uint64_t constantBytes = 1024;
};

/// The operators that the importer knows, with the first opset of each, as a table or as JSON.
std::string listOperators(bool asJson);

/// Reads an ONNX file. The context must have loaded the tfc and func dialects. Bytes of weights are not
/// copied: they stay in the file, which the dialect's WeightFiles maps. On failure the result is null and one
/// error has been emitted that names the file and what is wrong (one per operator where operators are not
/// supported).
OwningOpRef<ModuleOp> importONNX(llvm::StringRef path, MLIRContext &context,
                                 const ImportOptions &options = {});

} // namespace mlir::tfc

#endif // TFC_FRONTEND_ONNX_IMPORTONNX_H
