//===- DimExprTest.cpp - Dim expressions keep what they mean ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The random tests draw an expression together with its value under one assignment of the symbols, computed step by
// step on plain integers. The expression's own evaluation must agree, whatever was folded on the way.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

using namespace mlir;
using namespace mlir::tfc;

namespace {

class DimExprTest : public ::testing::Test {
protected:
  DimExprTest() {
    context.loadDialect<TfcDialect>();
    a = symbol("a");
    b = symbol("b");
  }

  DimExprAttr number(int64_t value) { return DimExprAttr::constant(&context, value); }
  DimExprAttr symbol(StringRef name) { return DimExprAttr::symbol(&context, name); }
  DimExprAttr call(DimCallKind kind, DimExprAttr a, DimExprAttr b) { return DimExprAttr::call(kind, a, b); }

  /// Null where the text is no expression; diagnostics are dropped.
  DimExprAttr parse(StringRef text) {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    return dyn_cast_or_null<DimExprAttr>(parseAttribute(("#tfc.expr<" + text + ">").str(), &context));
  }

  MLIRContext context;
  DimExprAttr a, b;
};

using Values = std::map<std::string, int64_t>;

std::optional<int64_t> evaluate(DimExprAttr expr, const Values &values) {
  return expr.evaluate([&](StringAttr name) -> std::optional<int64_t> {
    auto found = values.find(name.str());
    return found == values.end() ? std::nullopt : std::optional<int64_t>(found->second);
  });
}

//===----------------------------------------------------------------------------------------------===//
// Examples
//===----------------------------------------------------------------------------------------------===//

TEST_F(DimExprTest, EqualExpressionsAreOneAttribute) {
  EXPECT_EQ((a + b) * (a - b), a * a - b * b);
  EXPECT_EQ(a - a, number(0));
  EXPECT_NE(a + 1, a);
  EXPECT_EQ((a + b).str(), "a + b");
  EXPECT_EQ((b * a * 2 + a - 1).str(), "2 * a * b + a + -1");
}

TEST_F(DimExprTest, ExactDivision) {
  EXPECT_EQ(*(a * b * 6 + a * 3).exactDiv(a * 3), b * 2 + 1);
  EXPECT_EQ(*(a * a - b * b).exactDiv(a + b), a - b);
  EXPECT_EQ(*a.exactDiv(number(1)), a);
  EXPECT_FALSE((a + 1).exactDiv(number(2)));
  EXPECT_FALSE(a.exactDiv(b));
  EXPECT_FALSE(a.exactDiv(number(0)));
  // The one quotient of int64 that is no int64.
  EXPECT_FALSE((a * INT64_MIN).exactDiv(number(-1)));
}

TEST_F(DimExprTest, Signs) {
  EXPECT_TRUE(a.isNonNegative());
  EXPECT_FALSE((a - 1).isNonNegative());
  EXPECT_FALSE(a.isPositive());
  EXPECT_TRUE((a + 1).isPositive());
  EXPECT_TRUE((a - 1).max(number(0)).isNonNegative());
  EXPECT_FALSE((a - 1).min(b).isNonNegative());
  EXPECT_TRUE((a - 1).mod(number(4)).isNonNegative());
}

TEST_F(DimExprTest, ArithmeticSaturates) {
  DimExprAttr large = number(INT64_MAX);
  EXPECT_EQ(large + 1, large);
  EXPECT_EQ(large * 2, large);
  EXPECT_EQ(number(INT64_MIN) - 1, number(INT64_MIN));
  EXPECT_EQ(number(int64_t(1) << 32) * (int64_t(1) << 32), large);
  EXPECT_EQ(number(INT64_MIN).floorDiv(number(-1)), large);
  EXPECT_EQ(number(INT64_MIN).mod(number(-1)), number(0));
  EXPECT_EQ(evaluate(a * b, {{"a", int64_t(1) << 40}, {"b", int64_t(1) << 40}}), INT64_MAX);
}

TEST_F(DimExprTest, DivisionByZeroHasNoValue) {
  EXPECT_FALSE(number(5).floorDiv(number(0)).isConstant());
  EXPECT_FALSE(evaluate(number(5).floorDiv(number(0)), {}));
  EXPECT_FALSE(evaluate(a.mod(b), {{"a", 3}, {"b", 0}}));
  EXPECT_FALSE(evaluate(a, {}));
}

TEST_F(DimExprTest, TooComplexSwallowsEverything) {
  DimExprAttr sum = number(0);
  for (int i = 0; i < 1000; ++i)
    sum = sum + symbol("s" + std::to_string(i));
  ASSERT_TRUE(sum.isTooComplex());
  for (DimExprAttr expr : {sum - sum, sum * 0, sum + 1, sum.floorDiv(sum), sum.min(number(1)), number(1).max(sum),
                           call(DimCallKind::Broadcast, number(1), sum), call(DimCallKind::Wrap, a, sum)})
    EXPECT_TRUE(expr.isTooComplex()) << expr.str();
  EXPECT_FALSE(sum.exactDiv(sum));
  EXPECT_FALSE(evaluate(sum, {{"s0", 1}}));
  EXPECT_FALSE((a + 1).isTooComplex());
}

TEST_F(DimExprTest, SharedSubexpressionsDoNotBlowUp) {
  DimExprAttr square = a + b, nested = a;
  for (int i = 0; i < 100; ++i) {
    square = square * square;
    nested = (nested + b).max(nested * 2 - b).mod(nested + 7);
  }
  EXPECT_TRUE(square.isTooComplex());
  EXPECT_TRUE(nested.isTooComplex());
}

TEST_F(DimExprTest, StrangeNamesReadBack) {
  for (StringRef name : {"", " ", "a b", "true", "false", "min", "f32", "loc", "1st", "-", "a\"b", "back\\slash", "\n",
                         "\xff\xfe", "a>b", "#tfc", "x.y$z_1", "_", "caf\xc3\xa9"}) {
    DimExprAttr expr = symbol(name) * 2 + call(DimCallKind::Min, symbol(name), a);
    EXPECT_EQ(parse(expr.str()), expr) << expr.str();
  }
}

TEST_F(DimExprTest, ExtremeIntegersReadBack) {
  for (int64_t value : {INT64_MIN, INT64_MIN + 1, int64_t(-1), int64_t(0), INT64_MAX}) {
    EXPECT_EQ(parse(number(value).str()), number(value)) << value;
    EXPECT_EQ(parse((a * value).str()), a * value) << value;
  }
}

TEST_F(DimExprTest, WhatIsNoExpression) {
  for (StringRef text : {"", "a +", "* a", "a b", "min(a)", "f(a, b)", "(a", "a)", "9223372036854775808", "a, b", "%a", "1.5"})
    EXPECT_FALSE(parse(text)) << text.str();
}

//===----------------------------------------------------------------------------------------------===//
// Random expressions
//===----------------------------------------------------------------------------------------------===//

/// An expression and its value; no value where a division by zero or a broadcast of unequal lengths is in it.
struct Sample {
  DimExprAttr expr;
  std::optional<int64_t> value;
};

class RandomDimExprTest : public DimExprTest, public ::testing::WithParamInterface<int> {
protected:
  RandomDimExprTest() : random(GetParam()) {
    for (StringRef name : {"a", "b", "c", "d"})
      values[name.str()] = draw(0, 6) == 0 ? draw(0, 1) : draw(0, 40);
  }
  int64_t draw(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random); }

  Sample leaf() {
    if (draw(0, 2) == 0) {
      int64_t value = draw(-6, 9);
      return {number(value), value};
    }
    auto found = std::next(values.begin(), draw(0, values.size() - 1));
    return {symbol(found->first), found->second};
  }
  Sample sample(int depth) {
    if (depth == 0)
      return leaf();
    return combine(draw(0, 8), sample(depth - 1), sample(draw(0, depth - 1)));
  }
  Sample combine(int64_t kind, Sample x, Sample y);

  std::mt19937 random;
  Values values;
};

int64_t floorDivide(int64_t x, int64_t y) {
  int64_t quotient = x / y;
  return x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient;
}

Sample RandomDimExprTest::combine(int64_t kind, Sample x, Sample y) {
  bool known = x.value && y.value;
  int64_t u = x.value.value_or(0), v = y.value.value_or(0);
  auto give = [&](DimExprAttr expr, bool hasValue, int64_t value) {
    return Sample{expr, known && hasValue ? std::optional<int64_t>(value) : std::nullopt};
  };
  switch (kind) {
  case 0:
    return give(x.expr - y.expr, true, u - v);
  case 1:
    return give(x.expr * y.expr, true, u * v);
  case 2:
    return give(x.expr.floorDiv(y.expr), v != 0, v ? floorDivide(u, v) : 0);
  case 3:
    return give(x.expr.mod(y.expr), v != 0, v ? u - floorDivide(u, v) * v : 0);
  case 4:
    return give(x.expr.min(y.expr), true, std::min(u, v));
  case 5:
    return give(x.expr.max(y.expr), true, std::max(u, v));
  case 6:
    // Lengths only, as broadcasting is defined on nothing else.
    return give(call(DimCallKind::Broadcast, x.expr, y.expr), u >= 0 && v >= 0 && (u == v || u == 1 || v == 1),
                u == 1 ? v : u);
  case 7:
    return give(call(DimCallKind::Wrap, x.expr, y.expr), true, u < 0 ? u + v : u);
  default:
    return give(x.expr + y.expr, true, u + v);
  }
}

TEST_P(RandomDimExprTest, EvaluationAgrees) {
  for (int i = 0; i < 200; ++i) {
    Sample s = sample(4);
    if (!s.value || s.expr.isTooComplex())
      continue;
    EXPECT_EQ(evaluate(s.expr, values), s.value) << s.expr.str();
    if (s.expr.isNonNegative())
      EXPECT_GE(*s.value, 0) << s.expr.str();
    if (s.expr.isPositive())
      EXPECT_GE(*s.value, 1) << s.expr.str();
  }
}

TEST_P(RandomDimExprTest, TextReadsBack) {
  for (int i = 0; i < 50; ++i) {
    DimExprAttr expr = sample(4).expr;
    if (!expr.isTooComplex())
      EXPECT_EQ(parse(expr.str()), expr) << expr.str();
  }
}

TEST_P(RandomDimExprTest, SubstitutionCommutesWithEvaluation) {
  for (int i = 0; i < 50; ++i) {
    Sample outer = sample(3), inner = sample(2);
    if (!inner.value || *inner.value < 0)
      continue;
    // outer under a = inner, once by substituting first and once by evaluating first.
    DimExprAttr substituted =
        outer.expr.substitute([&](StringAttr name) { return name == "a" ? inner.expr : DimExprAttr(); });
    Values changed = values;
    changed["a"] = *inner.value;
    std::optional<int64_t> expected = evaluate(outer.expr, changed);
    if (!expected || substituted.isTooComplex() || StringRef(substituted.str()).contains("broadcast") ||
        StringRef(outer.expr.str()).contains("broadcast"))
      continue;
    std::optional<int64_t> got = evaluate(substituted, values);
    if (got)
      EXPECT_EQ(got, expected) << outer.expr.str() << " with a = " << inner.expr.str();
  }
}

TEST_P(RandomDimExprTest, ExactDivisionUndoesMultiplication) {
  for (int i = 0; i < 50; ++i) {
    DimExprAttr x = sample(2).expr, y = sample(2).expr, product = x * y;
    if (product.isTooComplex() || y.isConstant(0))
      continue;
    std::optional<DimExprAttr> quotient = product.exactDiv(y);
    ASSERT_TRUE(quotient) << product.str() << " by " << y.str();
    EXPECT_EQ(*quotient, x) << product.str() << " by " << y.str();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomDimExprTest, ::testing::Range(0, 40));

} // namespace
