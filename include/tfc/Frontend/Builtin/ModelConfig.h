//===- ModelConfig.h - The numbers that make a BERT or a GPT --------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_FRONTEND_BUILTIN_MODELCONFIG_H
#define TFC_FRONTEND_BUILTIN_MODELCONFIG_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace mlir::tfc {

enum class BuiltinFamily { Bert, Gpt };

/// What stands between the two linear layers of an MLP. Hugging Face's `gelu` is Gelu, `gelu_new` is
/// GeluTanh.
enum class Activation { Gelu, GeluTanh, GeluQuick, Relu };

/// A checked configuration: makeModelConfig is the way to get one.
struct ModelConfig {
  BuiltinFamily family = BuiltinFamily::Bert;
  std::string name; ///< what the user asked for: becomes the model's name

  int64_t hidden = 768;
  int64_t layers = 12;
  int64_t heads = 12;
  int64_t intermediate = 0; ///< width of the MLP; 0 where not stated: four times `hidden`
  int64_t vocab = 30522;
  int64_t positions = 512;
  int64_t typeVocab = 2; ///< rows of the token type table; BERT only
  double normEpsilon = 1e-12;
  double initializerRange = 0.02; ///< standard deviation of made-up weights
  Activation activation = Activation::Gelu;

  int64_t getHeadDim() const { return hidden / heads; }
};

/// The configuration that `name` stands for (bert-base, bert-large, gpt2, gpt2-medium, or a family: bert,
/// gpt), changed by `config`: nothing, `key=value` pairs with commas between them, or the path of a
/// config.json in the Hugging Face form. Every error is one line that says what was found and what is
/// possible.
llvm::Expected<ModelConfig> makeModelConfig(llvm::StringRef name, llvm::StringRef config = "");

/// Steps of makeModelConfig; `config` is the configuration they start from.
llvm::Expected<ModelConfig> findBuiltin(llvm::StringRef name);
llvm::Error applyConfigText(ModelConfig &config, llvm::StringRef text);
llvm::Error applyConfigJson(ModelConfig &config, llvm::StringRef json);

/// Fills in what follows from other values and checks that all values fit each other.
llvm::Error completeConfig(ModelConfig &config);

} // namespace mlir::tfc

#endif // TFC_FRONTEND_BUILTIN_MODELCONFIG_H
