//===- BuildBuiltinTest.cpp - Modules from configurations that nobody checked ----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Frontend/Builtin/BuildBuiltin.h"
#include "tfc/Weights/Safetensors.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/SymbolTable.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// Builds a module and keeps what was said on the way.
struct Build {
  explicit Build(const ModelConfig &config, const WeightSource &source = {}) {
    ScopedDiagnosticHandler handler(&context,
                                    [&](Diagnostic &diagnostic) { messages.push_back(diagnostic.str()); });
    module = buildBuiltin(config, source, context);
  }

  MLIRContext context;
  std::vector<std::string> messages;
  OwningOpRef<ModuleOp> module;
};

ModelConfig makeSmall(BuiltinFamily family) {
  ModelConfig config;
  config.family = family;
  config.name = "small";
  config.hidden = 8;
  config.layers = 2;
  config.heads = 2;
  config.vocab = 11;
  config.positions = 7;
  return config;
}

} // namespace

TEST(BuildBuiltin, BuildsBothFamilies) {
  for (BuiltinFamily family : {BuiltinFamily::Bert, BuiltinFamily::Gpt}) {
    Build build(makeSmall(family));
    ASSERT_TRUE(build.module);
    EXPECT_TRUE(build.messages.empty());
    EXPECT_NE(SymbolTable::lookupSymbolIn(*build.module, "main"), nullptr);
  }
}

TEST(BuildBuiltin, RefusesValuesThatDoNotFit) {
  for (auto spoil : std::initializer_list<void (*)(ModelConfig &)>{
           [](ModelConfig &config) { config.heads = 3; }, [](ModelConfig &config) { config.heads = 0; },
           [](ModelConfig &config) { config.hidden = -8; },
           [](ModelConfig &config) { config.hidden = INT64_MAX; },
           [](ModelConfig &config) { config.layers = INT64_MAX; },
           [](ModelConfig &config) { config.intermediate = INT64_MIN; },
           [](ModelConfig &config) { config.vocab = 0; }, [](ModelConfig &config) { config.positions = -1; },
           [](ModelConfig &config) { config.normEpsilon = -1; }}) {
    ModelConfig config = makeSmall(BuiltinFamily::Bert);
    spoil(config);
    Build build(config);
    EXPECT_FALSE(build.module);
    EXPECT_EQ(build.messages.size(), 1u);
  }
}

TEST(BuildBuiltin, ReportsEveryMissingTensor) {
  llvm::Expected<::tfc::SafetensorsFile> file = ::tfc::SafetensorsFile::parse("w.safetensors", "{}", 0);
  ASSERT_TRUE(bool(file));
  WeightSource source;
  source.file = &*file;
  Build build(makeSmall(BuiltinFamily::Gpt), source);
  EXPECT_FALSE(build.module);
  // Two tables, the last norm, and per layer two norms and four linear layers.
  EXPECT_EQ(build.messages.size(), 2u + 2u + 2u * (2u * 2u + 4u * 2u));
}
