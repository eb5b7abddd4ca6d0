//===- BuildBuiltin.h - Graphs of the built-in models ---------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_FRONTEND_BUILTIN_BUILDBUILTIN_H
#define TFC_FRONTEND_BUILTIN_BUILDBUILTIN_H

#include "tfc/Frontend/Builtin/ModelConfig.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tfc {
class SafetensorsFile;
} // namespace tfc

namespace mlir::tfc {

/// Where the weights of a built-in model come from.
struct WeightSource {
  /// Made-up weights depend on this number and on each weight's Hugging Face name alone.
  uint64_t seed = 0;
  /// Where set, all weights are read from this file; it must outlive the call, not the module.
  const ::tfc::SafetensorsFile *file = nullptr;
};

/// Builds the module of the stage `import` (docs/Architecture.md). Null after a diagnostic: a configuration
/// whose values do not fit, or weights that the file lacks or has in another shape; all of these are
/// reported.
///
/// BERT: input_ids, attention_mask, token_type_ids (all [batch, seq], i64) give last_hidden_state [batch,
/// seq, hidden] and pooler_output [batch, hidden].
///
/// GPT-2: input_ids [batch, seq], attention_mask [batch, past + seq] (both i64) and
/// past_key_values.N.{key,value} [batch, heads, past, head dim] give logits [batch, seq, vocab] and
/// present.N.{key,value} [batch, heads, past + seq, head dim].
///
/// A mask element is 0 for "leave out" and anything else for "attend". A query whose keys are all left out
/// attends to all of them alike, as a finite negative bias gives it.
OwningOpRef<ModuleOp> buildBuiltin(const ModelConfig &config, const WeightSource &weights,
                                   MLIRContext &context);

} // namespace mlir::tfc

#endif // TFC_FRONTEND_BUILTIN_BUILDBUILTIN_H
