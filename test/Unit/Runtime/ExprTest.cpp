//===- ExprTest.cpp - Expressions of the symbols --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Runtime/Expr.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

int64_t evaluate(std::vector<TfcExprWord> words, std::vector<int64_t> symbols = {}) {
  TfcExpr expr = {words.data(), uint32_t(words.size()), 0, nullptr};
  return tfc_core_evaluate(&expr, symbols.data(), nullptr);
}

int64_t binary(TfcExprOp op, int64_t a, int64_t b) {
  return evaluate({{TFC_EXPR_CONST, a}, {TFC_EXPR_CONST, b}, {op, 0}});
}

TEST(Expr, Arithmetic) {
  EXPECT_EQ(binary(TFC_EXPR_ADD, 2, 3), 5);
  EXPECT_EQ(binary(TFC_EXPR_MUL, -2, 3), -6);
  EXPECT_EQ(binary(TFC_EXPR_MIN, -2, 3), -2);
  EXPECT_EQ(binary(TFC_EXPR_MAX, -2, 3), 3);
  EXPECT_EQ(binary(TFC_EXPR_BROADCAST, 1, 7), 7);
  EXPECT_EQ(binary(TFC_EXPR_BROADCAST, 4, 7), 4);
  EXPECT_EQ(binary(TFC_EXPR_WRAP, -1, 7), 6);
  EXPECT_EQ(binary(TFC_EXPR_WRAP, 2, 7), 2);
  EXPECT_EQ(evaluate({{TFC_EXPR_SYMBOL, 1}, {TFC_EXPR_ALIGN, 64}}, {0, 65}), 128);
  EXPECT_EQ(evaluate({{TFC_EXPR_SYMBOL, 0}, {TFC_EXPR_ALIGN, 64}}, {0, 65}), 0);
}

TEST(Expr, DivisionRoundsDown) {
  EXPECT_EQ(binary(TFC_EXPR_FLOORDIV, 7, 2), 3);
  EXPECT_EQ(binary(TFC_EXPR_FLOORDIV, -7, 2), -4);
  EXPECT_EQ(binary(TFC_EXPR_FLOORDIV, 7, -2), -4);
  EXPECT_EQ(binary(TFC_EXPR_MOD, -7, 2), 1);
  EXPECT_EQ(binary(TFC_EXPR_MOD, 7, -2), -1);
  EXPECT_EQ(binary(TFC_EXPR_FLOORDIV, 7, 0), 0);
  EXPECT_EQ(binary(TFC_EXPR_MOD, 7, 0), 0);
  EXPECT_EQ(binary(TFC_EXPR_FLOORDIV, INT64_MIN, -1), INT64_MAX);
  EXPECT_EQ(binary(TFC_EXPR_MOD, INT64_MIN, -1), 0);
}

TEST(Expr, Saturates) {
  EXPECT_EQ(binary(TFC_EXPR_ADD, INT64_MAX, 1), INT64_MAX);
  EXPECT_EQ(binary(TFC_EXPR_ADD, INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(binary(TFC_EXPR_MUL, INT64_MAX, 2), INT64_MAX);
  EXPECT_EQ(binary(TFC_EXPR_MUL, INT64_MAX, -2), INT64_MIN);
  EXPECT_EQ(evaluate({{TFC_EXPR_CONST, INT64_MAX - 3}, {TFC_EXPR_ALIGN, 64}}), INT64_MAX);
}

bool valid(std::vector<TfcExprWord> words, uint32_t segment = 0) {
  TfcSymbol symbols[] = {{"n", 0, 9, 0, 0}, {"born", 0, 9, 1, 0}};
  TfcExprWord one[] = {{TFC_EXPR_CONST, 1}};
  TfcExpr values[] = {{one, 1, 0, nullptr}, {words.data(), uint32_t(words.size()), segment, nullptr}};
  TfcEntry entry = {};
  entry.symbols = symbols;
  entry.symbol_count = 2;
  entry.values = values;
  entry.value_count = 2;
  entry.bind_count = 1;
  return tfc_core_expr_is_valid(&entry, 1);
}

TEST(Expr, ValidOnes) {
  EXPECT_TRUE(valid({{TFC_EXPR_SYMBOL, 0}, {TFC_EXPR_VALUE, 0}, {TFC_EXPR_ADD, 0}}));
  EXPECT_TRUE(valid({{TFC_EXPR_SYMBOL, 1}}, 1));
}

TEST(Expr, InvalidOnes) {
  EXPECT_FALSE(valid({}));
  EXPECT_FALSE(valid({{TFC_EXPR_ADD, 0}}));
  EXPECT_FALSE(valid({{TFC_EXPR_CONST, 1}, {TFC_EXPR_CONST, 1}}));
  EXPECT_FALSE(valid({{TFC_EXPR_SYMBOL, 2}}));
  EXPECT_FALSE(valid({{TFC_EXPR_VALUE, 1}})) << "a value of itself";
  EXPECT_FALSE(valid({{TFC_EXPR_SYMBOL, 1}}, 0)) << "before the symbol is born";
  EXPECT_FALSE(valid({{TFC_EXPR_CONST, 1}, {TFC_EXPR_ALIGN, 3}}));
  EXPECT_FALSE(valid({{99, 0}}));
  EXPECT_FALSE(valid({{TFC_EXPR_CONST, 1}}, 2)) << "more binds than there are";
  EXPECT_FALSE(valid(std::vector<TfcExprWord>(TFC_EXPR_STACK + 1, {TFC_EXPR_CONST, 1})));
}

} // namespace
