//===- ModelConfigTest.cpp - Names, key=value text and config.json ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Frontend/Builtin/ModelConfig.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

using namespace llvm;
using namespace mlir::tfc;

namespace {

/// The configuration, or a test failure and the default one.
ModelConfig make(StringRef name, StringRef text = "") {
  Expected<ModelConfig> config = makeModelConfig(name, text);
  if (config)
    return *config;
  ADD_FAILURE() << toString(config.takeError());
  return ModelConfig();
}

std::string messageFor(StringRef name, StringRef text) {
  Expected<ModelConfig> config = makeModelConfig(name, text);
  return config ? std::string() : toString(config.takeError());
}

std::string messageForJson(StringRef name, StringRef json) {
  Expected<ModelConfig> config = findBuiltin(name);
  if (!config)
    return toString(config.takeError());
  if (Error error = applyConfigJson(*config, json))
    return toString(std::move(error));
  return toString(completeConfig(*config));
}

#define EXPECT_MESSAGE(message, part)                                                                        \
  do {                                                                                                       \
    std::string text = message;                                                                              \
    EXPECT_NE(StringRef(text).find(part), StringRef::npos) << "message: " << text;                           \
    EXPECT_EQ(StringRef(text).find('\n'), StringRef::npos) << "more than one line: " << text;                \
  } while (false)

/// A BERT's config.json with one member replaced or added.
std::string bertJson(StringRef member = R"("model_type": "bert")") {
  return (R"({"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96,
      "max_position_embeddings": 32, "type_vocab_size": 3, "layer_norm_eps": 1e-6, "hidden_act": "gelu_new",
      "hidden_dropout_prob": 0.1, "architectures": ["BertModel"], "vocab_size": 101, )" +
          member + "}")
      .str();
}

} // namespace

TEST(ModelConfig, NamesOfSizes) {
  ModelConfig base = make("bert-base");
  EXPECT_EQ(base.family, BuiltinFamily::Bert);
  EXPECT_EQ(base.hidden, 768);
  EXPECT_EQ(base.intermediate, 3072);
  EXPECT_EQ(base.vocab, 30522);
  EXPECT_EQ(base.activation, Activation::Gelu);
  EXPECT_EQ(base.normEpsilon, 1e-12);
  ModelConfig large = make("bert-large");
  EXPECT_EQ(large.hidden, 1024);
  EXPECT_EQ(large.layers, 24);
  EXPECT_EQ(large.getHeadDim(), 64);
  ModelConfig gpt = make("gpt2");
  EXPECT_EQ(gpt.family, BuiltinFamily::Gpt);
  EXPECT_EQ(gpt.vocab, 50257);
  EXPECT_EQ(gpt.positions, 1024);
  EXPECT_EQ(gpt.activation, Activation::GeluTanh);
  EXPECT_EQ(gpt.normEpsilon, 1e-5);
  ModelConfig medium = make("gpt2-medium");
  EXPECT_EQ(medium.hidden, 1024);
  EXPECT_EQ(medium.intermediate, 4096);
  EXPECT_EQ(medium.name, "gpt2-medium");
  EXPECT_EQ(make("gpt").vocab, 50257);
  EXPECT_MESSAGE(messageFor("bert_base", ""), "unknown built-in model 'bert_base'; known are bert-base");
}

TEST(ModelConfig, TextTakesBothNamings) {
  ModelConfig a =
      make("bert", "hidden=256,layers=4,heads=4,intermediate=100,vocab=11,positions=7,type_vocab=3,eps=1e-5");
  ModelConfig b =
      make("bert", "hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=100,"
                   "vocab_size=11, max_position_embeddings=7, type_vocab_size=3, layer_norm_eps=1e-5");
  for (const ModelConfig &config : {a, b}) {
    EXPECT_EQ(config.hidden, 256);
    EXPECT_EQ(config.layers, 4);
    EXPECT_EQ(config.heads, 4);
    EXPECT_EQ(config.intermediate, 100);
    EXPECT_EQ(config.vocab, 11);
    EXPECT_EQ(config.positions, 7);
    EXPECT_EQ(config.typeVocab, 3);
    EXPECT_EQ(config.normEpsilon, 1e-5);
  }
  ModelConfig gpt = make("gpt2", "n_embd=64,n_layer=1,n_head=2,n_positions=16,activation=relu");
  EXPECT_EQ(gpt.hidden, 64);
  EXPECT_EQ(gpt.intermediate, 256);
  EXPECT_EQ(gpt.activation, Activation::Relu);
}

TEST(ModelConfig, TextIsChecked) {
  EXPECT_MESSAGE(messageFor("bert", "hidden=256,hiden=3"), "unknown key 'hiden'; known are hidden, layers");
  EXPECT_MESSAGE(messageFor("gpt2", "type_vocab=2"), "unknown key 'type_vocab'");
  EXPECT_MESSAGE(messageFor("bert", "hidden=256,n_embd=256"), "hidden is given twice");
  EXPECT_MESSAGE(messageFor("bert", "hidden="), "expected key=value");
  EXPECT_MESSAGE(messageFor("bert", "hidden=256,,"), "expected key=value, found ''");
  EXPECT_MESSAGE(messageFor("bert", "hidden=12x"), "whole number, found '12x'");
  EXPECT_MESSAGE(messageFor("bert", "hidden=99999999999999999999"), "whole number");
  EXPECT_MESSAGE(messageFor("bert", "eps=tiny"), "eps needs a number");
  EXPECT_MESSAGE(messageFor("bert", "eps=nan"), "out of range");
  EXPECT_MESSAGE(messageFor("bert", "eps=-1e-5"), "out of range");
  EXPECT_MESSAGE(messageFor("bert", "activation=swish"), "unknown activation 'swish'");
}

TEST(ModelConfig, RangesAreChecked) {
  EXPECT_MESSAGE(messageFor("bert", "heads=0"), "heads = 0 is out of range: 1 to");
  EXPECT_MESSAGE(messageFor("bert", "layers=1000000000"), "layers = 1000000000 is out of range: 1 to 1000");
  EXPECT_MESSAGE(messageFor("bert", "hidden=-768"), "out of range");
  EXPECT_MESSAGE(messageFor("bert", "vocab=0"), "out of range");
  EXPECT_MESSAGE(messageFor("bert", "hidden=256,heads=3"), "heads = 3 does not divide hidden = 256");
  EXPECT_MESSAGE(messageFor("bert", "hidden=8,heads=16"), "does not divide");
  EXPECT_MESSAGE(messageFor("bert", "hidden=1048576,heads=16,layers=1000"), "more than 274877906944 weights");
  EXPECT_MESSAGE(messageFor("bert", "hidden=1048576,heads=16,layers=1,vocab=16777216"), "more than");
  EXPECT_EQ(messageFor("bert", "hidden=12288,heads=96,layers=96,intermediate=49152"), "");
  EXPECT_EQ(messageFor("bert", "hidden=1,heads=1,layers=1,intermediate=1,vocab=1,positions=1,type_vocab=1"),
            "");
}

TEST(ModelConfig, ReadsJson) {
  SmallString<128> path;
  ASSERT_FALSE(sys::fs::createTemporaryFile("tfc", "json", path));
  {
    std::error_code code;
    raw_fd_ostream(path, code) << bertJson();
  }
  ModelConfig config = make("bert", path);
  sys::fs::remove(path);
  EXPECT_EQ(config.hidden, 64);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.intermediate, 96);
  EXPECT_EQ(config.typeVocab, 3);
  EXPECT_EQ(config.normEpsilon, 1e-6);
  EXPECT_EQ(config.activation, Activation::GeluTanh);
  EXPECT_MESSAGE(messageFor("bert", "/nonexistent/config.json"), "'/nonexistent/config.json': No such file");
  EXPECT_MESSAGE(messageFor("bert", "/dev"), "'/dev': not a regular file");
  EXPECT_MESSAGE(messageFor("bert", "hidden"), "'hidden': No such file");
}

TEST(ModelConfig, ReadsGptJson) {
  EXPECT_EQ(
      messageForJson("gpt2", R"({"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2, "n_ctx": 64,
      "n_positions": 64, "n_inner": null, "vocab_size": 50, "scale_attn_weights": true})"),
      "");
}

TEST(ModelConfig, JsonIsChecked) {
  EXPECT_EQ(messageForJson("bert", bertJson()), "");
  EXPECT_MESSAGE(messageForJson("gpt2", bertJson()),
                 "model_type is 'bert', but the built-in model is a gpt2");
  EXPECT_MESSAGE(messageForJson("bert", bertJson(R"("model_type": "llama")")), "unknown model_type 'llama'");
  EXPECT_MESSAGE(messageForJson("bert", bertJson(R"("model_type": 3)")), "unknown model_type");
  EXPECT_MESSAGE(messageForJson("bert", bertJson(R"("vocab_size": 5)")), "stands twice");
  EXPECT_MESSAGE(messageForJson("bert", bertJson(R"("n_embd": 64)")),
                 "hidden_size and n_embd name the same value");
  EXPECT_MESSAGE(messageForJson("bert", bertJson(R"("is_decoder": true)")), "is_decoder must be false");
  EXPECT_MESSAGE(messageForJson("bert", bertJson(R"("tie_word_embeddings": false)")), "must be true");
  EXPECT_MESSAGE(messageForJson("bert", bertJson(R"("position_embedding_type": "relative_key")")),
                 "absolute");
  EXPECT_EQ(messageForJson("bert", bertJson(R"("position_embedding_type": "absolute", "is_decoder": false)")),
            "");
  EXPECT_MESSAGE(messageForJson("bert", "{}"), "hidden_size or n_embd is missing");
  EXPECT_MESSAGE(messageForJson("bert", "[1]"), "not a JSON object");
  EXPECT_MESSAGE(messageForJson("bert", "hidden"), "Invalid JSON");
  EXPECT_MESSAGE(messageForJson("bert", std::string(100000, '[')), "nested deeper");
}

TEST(ModelConfig, JsonValuesAreChecked) {
  auto with = [](StringRef value) {
    return (R"({"num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 9, "hidden_size": )" + value +
            "}")
        .str();
  };
  EXPECT_EQ(messageForJson("bert", with("64")), "");
  EXPECT_MESSAGE(messageForJson("bert", with("\"64\"")), "hidden_size needs a whole number");
  EXPECT_MESSAGE(messageForJson("bert", with("64.5")), "hidden_size needs a whole number");
  EXPECT_MESSAGE(messageForJson("bert", with("[64]")), "hidden_size needs a whole number");
  EXPECT_MESSAGE(messageForJson("bert", with("1e30")), "hidden_size needs a whole number");
  EXPECT_MESSAGE(messageForJson("bert", with("-64")), "hidden_size = -64 is out of range");
  EXPECT_MESSAGE(messageForJson("bert", with("null")), "missing");
  EXPECT_MESSAGE(messageForJson("bert", with("62")), "heads = 4 does not divide hidden = 62");
}
