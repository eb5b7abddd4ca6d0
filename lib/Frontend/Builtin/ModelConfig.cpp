//===- ModelConfig.cpp - The numbers that make a BERT or a GPT -------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Frontend/Builtin/ModelConfig.h"

#include "ConfigFields.h"
#include "tfc/Weights/CheckedJson.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <vector>

using namespace llvm;
using namespace mlir::tfc;
using ::tfc::quoteName;

//===----------------------------------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------------------------------===//

// The upper ends are far above any model of these families, and low enough that products of any three of them
// and `layers` stay inside 64 bits.
static constexpr int64_t maxWidth = 1 << 20;
static constexpr int64_t maxRows = 1 << 24;
static constexpr int64_t maxLayers = 1000;
static constexpr int64_t maxWeightElements = int64_t(1) << 38;

ArrayRef<ConfigField> mlir::tfc::getConfigFields() {
  static constexpr StringLiteral hidden[] = {"hidden", "hidden_size", "n_embd"};
  static constexpr StringLiteral layers[] = {"layers", "num_hidden_layers", "n_layer"};
  static constexpr StringLiteral heads[] = {"heads", "num_attention_heads", "n_head"};
  static constexpr StringLiteral intermediate[] = {"intermediate", "intermediate_size", "n_inner"};
  static constexpr StringLiteral vocab[] = {"vocab", "vocab_size"};
  static constexpr StringLiteral positions[] = {"positions", "max_position_embeddings", "n_positions"};
  static constexpr StringLiteral typeVocab[] = {"type_vocab", "type_vocab_size"};
  static constexpr StringLiteral epsilon[] = {"eps", "layer_norm_eps", "layer_norm_epsilon"};
  static constexpr StringLiteral initializerRange[] = {"initializer_range"};
  static constexpr StringLiteral activation[] = {"activation", "hidden_act", "activation_function"};

  auto integer = [](ArrayRef<StringLiteral> names, int64_t ModelConfig::*member, int64_t max) {
    ConfigField field{names};
    field.integer = member;
    field.min = 1;
    field.max = max;
    return field;
  };
  auto real = [](ArrayRef<StringLiteral> names, double ModelConfig::*member, double max) {
    ConfigField field{names};
    field.real = member;
    field.realMax = max;
    return field;
  };
  static const std::vector<ConfigField> fields = [&] {
    std::vector<ConfigField> list = {
        integer(hidden, &ModelConfig::hidden, maxWidth),
        integer(layers, &ModelConfig::layers, maxLayers),
        integer(heads, &ModelConfig::heads, maxWidth),
        integer(vocab, &ModelConfig::vocab, maxRows),
    };
    for (ConfigField &field : list)
      field.neededInJson = true;
    list.push_back(integer(intermediate, &ModelConfig::intermediate, maxWidth));
    list.push_back(integer(positions, &ModelConfig::positions, maxRows));
    list.push_back(integer(typeVocab, &ModelConfig::typeVocab, maxRows));
    list.back().bertOnly = true;
    list.push_back(real(epsilon, &ModelConfig::normEpsilon, 1.0));
    list.push_back(real(initializerRange, &ModelConfig::initializerRange, 100.0));
    list.push_back(ConfigField{activation});
    list.back().activation = &ModelConfig::activation;
    return list;
  }();
  return fields;
}

const ConfigField *mlir::tfc::findConfigField(StringRef name) {
  for (const ConfigField &field : getConfigFields())
    if (is_contained(field.names, name))
      return &field;
  return nullptr;
}

Expected<Activation> mlir::tfc::parseActivation(StringRef name) {
  if (name == "gelu")
    return Activation::Gelu;
  // gelu_fast and gelu_pytorch_tanh spell the formula of gelu_new differently.
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast")
    return Activation::GeluTanh;
  if (name == "quick_gelu")
    return Activation::GeluQuick;
  if (name == "relu")
    return Activation::Relu;
  return createStringError("unknown activation " + quoteName(name) +
                           "; known are gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, relu");
}

Error mlir::tfc::setInteger(ModelConfig &config, const ConfigField &field, StringRef key, int64_t value) {
  if (value < field.min || value > field.max)
    return createStringError(key + Twine(" = ") + Twine(value) + " is out of range: " + Twine(field.min) +
                             " to " + Twine(field.max));
  config.*field.integer = value;
  return Error::success();
}

Error mlir::tfc::setReal(ModelConfig &config, const ConfigField &field, StringRef key, double value) {
  if (!(value >= 0.0 && value <= field.realMax))
    return createStringError(key + Twine(" = ") + std::to_string(value) + " is out of range: 0 to " +
                             std::to_string(field.realMax));
  config.*field.real = value;
  return Error::success();
}

//===----------------------------------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------------------------------===//

/// A GPT-2 of the smallest size: Hugging Face's defaults of GPT2Config.
static ModelConfig makeGpt() {
  ModelConfig config;
  config.family = BuiltinFamily::Gpt;
  config.vocab = 50257;
  config.positions = 1024;
  config.typeVocab = 0;
  config.normEpsilon = 1e-5;
  config.activation = Activation::GeluTanh;
  return config;
}

static ModelConfig withSize(ModelConfig config, int64_t hidden, int64_t layers, int64_t heads) {
  config.hidden = hidden;
  config.layers = layers;
  config.heads = heads;
  return config;
}

Expected<ModelConfig> mlir::tfc::findBuiltin(StringRef name) {
  ModelConfig config;
  if (name == "bert" || name == "bert-base")
    config = ModelConfig();
  else if (name == "bert-large")
    config = withSize(ModelConfig(), 1024, 24, 16);
  else if (name == "gpt" || name == "gpt2")
    config = makeGpt();
  else if (name == "gpt2-medium")
    config = withSize(makeGpt(), 1024, 24, 16);
  else
    return createStringError(
        "unknown built-in model " + quoteName(name) +
        "; known are bert-base, bert-large, gpt2, gpt2-medium, and the families bert and gpt "
        "with a configuration of your own");
  config.name = name.str();
  return config;
}

//===----------------------------------------------------------------------------------------------===//
// Checks across values
//===----------------------------------------------------------------------------------------------===//

Error mlir::tfc::completeConfig(ModelConfig &config) {
  if (config.intermediate == 0)
    config.intermediate = std::clamp(config.hidden, int64_t(0), maxWidth / 4) * 4;
  for (const ConfigField &field : getConfigFields()) {
    if (field.bertOnly && config.family != BuiltinFamily::Bert)
      continue;
    if (field.integer)
      if (Error error = setInteger(config, field, field.getName(), config.*field.integer))
        return error;
    if (field.real)
      if (Error error = setReal(config, field, field.getName(), config.*field.real))
        return error;
  }
  if (config.hidden % config.heads != 0)
    return createStringError("heads = " + Twine(config.heads) +
                             " does not divide hidden = " + Twine(config.hidden));
  int64_t tables = (config.vocab + config.positions + config.typeVocab) * config.hidden;
  int64_t layer = 4 * config.hidden * config.hidden + 2 * config.hidden * config.intermediate;
  // In this order no product can leave 64 bits.
  if (layer > maxWeightElements / config.layers || tables + layer * config.layers > maxWeightElements)
    return createStringError("the model would have more than " + Twine(maxWeightElements) +
                             " weights; make hidden, intermediate, layers or vocab smaller");
  return Error::success();
}
