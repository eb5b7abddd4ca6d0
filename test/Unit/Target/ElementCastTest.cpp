//===- ElementCastTest.cpp - Casts of weights ----------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "ElementCast.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <vector>

using namespace mlir;

namespace {

struct ElementCast : ::testing::Test {
  template <typename To, typename From> std::vector<To> cast(Type to, Type from, std::vector<From> values) {
    std::vector<To> result(values.size());
    mlir::tfc::castElements(result.data(), values.data(), values.size(), to, from);
    return result;
  }
  MLIRContext context;
  Builder build{&context};
};

TEST_F(ElementCast, FloatsToIntegersTruncateAndSaturate) {
  std::vector<double> values = {1.9, -1.9, 1e30, -1e30, std::nan("")};
  EXPECT_EQ((cast<int32_t>(build.getI32Type(), build.getF64Type(), values)),
            (std::vector<int32_t>{1, -1, std::numeric_limits<int32_t>::max(),
                                  std::numeric_limits<int32_t>::min(), 0}));
  EXPECT_EQ((cast<uint8_t>(build.getIntegerType(8, /*isSigned=*/false), build.getF64Type(),
                           std::vector<double>{255.5, 256, -3})),
            (std::vector<uint8_t>{255, 255, 0}));
}

TEST_F(ElementCast, IntegersKeepLowBitsAndSigns) {
  EXPECT_EQ(
      (cast<int32_t>(build.getI32Type(), build.getI64Type(), std::vector<int64_t>{-1, (1ll << 32) + 5})),
      (std::vector<int32_t>{-1, 5}));
  EXPECT_EQ((cast<int64_t>(build.getI64Type(), build.getI8Type(), std::vector<int8_t>{-1, 7})),
            (std::vector<int64_t>{-1, 7}));
  EXPECT_EQ((cast<int64_t>(build.getI64Type(), build.getIntegerType(8, false), std::vector<uint8_t>{255})),
            (std::vector<int64_t>{255}));
}

TEST_F(ElementCast, BoolIsNotZero) {
  EXPECT_EQ(
      (cast<uint8_t>(build.getI1Type(), build.getF32Type(), std::vector<float>{0.0f, -0.0f, 0.5f, NAN})),
      (std::vector<uint8_t>{0, 0, 1, 1}));
  EXPECT_EQ((cast<float>(build.getF32Type(), build.getI1Type(), std::vector<uint8_t>{0, 1})),
            (std::vector<float>{0, 1}));
}

TEST_F(ElementCast, FloatsRoundToNearestEven) {
  EXPECT_EQ((cast<float>(build.getF32Type(), build.getF64Type(),
                         std::vector<double>{1.0 + std::ldexp(1.0, -24), 1.0 + 3 * std::ldexp(1.0, -24)})),
            (std::vector<float>{1.0f, 1.0f + std::ldexp(1.0f, -22)}));
  EXPECT_EQ((cast<uint16_t>(build.getF16Type(), build.getF32Type(),
                            std::vector<float>{1.0f, 1.0f + std::ldexp(1.0f, -11), 1e6f, -0.0f})),
            (std::vector<uint16_t>{0x3C00, 0x3C00, 0x7C00, 0x8000}));
  EXPECT_EQ((cast<float>(build.getF32Type(), build.getBF16Type(), std::vector<uint16_t>{0x3F80, 0xC000})),
            (std::vector<float>{1, -2}));
}

TEST_F(ElementCast, PackedTypesCannotBeCast) {
  EXPECT_FALSE(mlir::tfc::canCastElements(build.getIntegerType(4), build.getF32Type()));
  EXPECT_TRUE(mlir::tfc::canCastElements(build.getI8Type(), build.getF32Type()));
}

} // namespace
