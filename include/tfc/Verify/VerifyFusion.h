//===- VerifyFusion.h - Does a fused graph compute what the graph says? -*- C++ -*-
//------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_VERIFY_VERIFYFUSION_H
#define TFC_VERIFY_VERIFYFUSION_H

#include "tfc/Pipeline/Compiler.h"

#include "llvm/Support/JSON.h"

#include <map>
#include <string>
#include <vector>

namespace mlir::tfc {

struct VerifyOptions {
  std::map<std::string, int64_t> sizes; ///< Of symbols; the others get small ones.
  uint64_t seed = 1; ///< Of the made-up inputs, which follow the rules of tfc-run --random.
};

/// How far one output is off with one fusion on and all others off, or with all of them on.
struct OutputError {
  std::string name;
  double
      error; ///< max |fused - unfused| / max |unfused|; infinite where NaN or infinity stand in other places.
  double allowed; ///< 1e-5; what the type can say where that is more (f16: 2e-3, bf16: 2e-2).
  bool isFine() const { return error <= allowed; }
};

struct FusionError {
  std::string fusion; ///< a name that getFusionNames() knows, or "all"
  int64_t places = 0; ///< How many candidates fused.
  std::vector<OutputError> outputs;
  const OutputError *getWorst() const;
};

struct FusionVerification {
  std::string sizes; ///< "batch=2,seq=5"
  std::vector<FusionError> fusions;

  bool isFine() const;
  std::string formatTable() const;
  llvm::json::Value toJSON() const;
};

/// Compiles the input without any fusion, with each one that finds a place in it, and with all; runs them on
/// the same inputs and compares. CheckFailed, with a diagnostic per output, where one is too far off. Nothing
/// is left behind.
CompileStatus verifyFusion(MLIRContext &context, const CompileInput &input, const CompileOptions &options,
                           const VerifyOptions &verify, FusionVerification &result);

} // namespace mlir::tfc

#endif // TFC_VERIFY_VERIFYFUSION_H
