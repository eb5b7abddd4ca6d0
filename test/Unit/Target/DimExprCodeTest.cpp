//===- DimExprCodeTest.cpp - The code of expressions means what the expressions mean -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "DimExprCode.h"
#include "Expr.h"

#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

class DimExprCode : public ::testing::Test {
protected:
  DimExprCode() {
    context.loadDialect<TfcDialect>();
    numbers["batch"] = 0;
    numbers["seq"] = 1;
  }
  DimExprAttr symbol(StringRef name) { return DimExprAttr::symbol(&context, name); }
  DimExprAttr constant(int64_t value) { return DimExprAttr::constant(&context, value); }

  /// Runs the code in the runtime and compares with the expression's own evaluation.
  void expectSameMeaning(DimExprAttr expr) {
    auto words = getExprCode(expr, numbers, /*valueCount=*/0);
    ASSERT_TRUE(bool(words)) << llvm::toString(words.takeError());
    TfcExpr code = {words->data(), uint32_t(words->size()), 0, ""};
    for (int64_t batch : {0, 1, 2, 7, 64, 1000})
      for (int64_t seq : {0, 1, 3, 63, 64, 65, 4096}) {
        int64_t symbols[] = {batch, seq};
        std::optional<int64_t> wanted = expr.evaluate(
            [&](StringAttr name) -> std::optional<int64_t> { return name == "batch" ? batch : seq; });
        if (wanted) {
          EXPECT_EQ(tfc_core_evaluate(&code, symbols, nullptr), *wanted)
              << expr.str() << " at " << batch << ", " << seq;
        }
      }
  }

  MLIRContext context;
  llvm::StringMap<uint32_t> numbers;
};

TEST_F(DimExprCode, EveryKindOfAtom) {
  DimExprAttr batch = symbol("batch"), seq = symbol("seq");
  expectSameMeaning(constant(0));
  expectSameMeaning(constant(-5));
  expectSameMeaning(batch * seq * 3 + seq * 2 - 7);
  expectSameMeaning(batch.floorDiv(constant(4)) * seq);
  expectSameMeaning((batch - seq).floorDiv(constant(4)));
  expectSameMeaning((batch - seq).mod(constant(5)));
  expectSameMeaning(batch.min(seq * 2) + batch.max(constant(9)));
  expectSameMeaning(DimExprAttr::call(DimCallKind::Broadcast, batch, seq));
  expectSameMeaning(DimExprAttr::call(DimCallKind::Wrap, batch - 10, seq));
  expectSameMeaning((batch * seq).ceilDiv(constant(7)) * (seq + 1));
}

TEST_F(DimExprCode, RoundingUpIsOneInstruction) {
  DimExprAttr rounded = (symbol("batch") * 12 + 63).floorDiv(constant(64)) * 64;
  expectSameMeaning(rounded);
  auto words = getExprCode(rounded, numbers, 0);
  ASSERT_TRUE(bool(words));
  EXPECT_EQ(words->back().op, TFC_EXPR_ALIGN);
  EXPECT_EQ(words->back().operand, 64);
}

TEST_F(DimExprCode, RoundingUpToOddNumbersOrByOtherOffsetsIsNot) {
  for (DimExprAttr other :
       {(symbol("batch") + 62).floorDiv(constant(64)) * 64, (symbol("batch") + 2).floorDiv(constant(3)) * 3,
        (symbol("batch") + 63).floorDiv(constant(64)) * 32}) {
    expectSameMeaning(other);
    auto words = getExprCode(other, numbers, 0);
    ASSERT_TRUE(bool(words));
    EXPECT_NE(words->back().op, TFC_EXPR_ALIGN);
  }
}

TEST_F(DimExprCode, ValuesBelowOnly) {
  auto words = getExprCode(symbol("%2") + 1, numbers, 3);
  EXPECT_TRUE(bool(words));
  for (const char *bad : {"%3", "%", "%x", "%99999999999999999999", "past"}) {
    auto refused = getExprCode(symbol(bad), numbers, 3);
    EXPECT_FALSE(bool(refused)) << bad;
    llvm::consumeError(refused.takeError());
  }
}

TEST_F(DimExprCode, DepthIsLimited) {
  DimExprAttr deep = symbol("batch");
  for (int i = 0; i < 100; ++i)
    deep = (symbol("seq") + 1).min(deep + 1);
  auto refused = getExprCode(deep, numbers, 0);
  EXPECT_FALSE(bool(refused));
  llvm::consumeError(refused.takeError());
}

} // namespace
