//===- NamesTest.cpp - Names from a model in messages ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Names.h"
#include "gtest/gtest.h"

using namespace mlir::tfc::onnx_import;

namespace {

TEST(Names, OrdinaryTextStays) {
  EXPECT_EQ(printable("encoder/layer.0/MatMul_3"), "encoder/layer.0/MatMul_3");
  EXPECT_EQ(printable("Größe 層"), "Größe 層");
  EXPECT_EQ(quoted("%s"), "'%s'");
}

TEST(Names, ControlCharactersAreSpelled) {
  EXPECT_EQ(printable("a\nb\x1b[31m"), "a\\0Ab\\1B[31m");
  EXPECT_EQ(printable(llvm::StringRef("a\0b", 3)), "a\\00b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "x"),
            "\\C2\\9Bx")
      << "a control character of two bytes";
}

TEST(Names, BytesThatAreNoTextAreSpelled) { EXPECT_EQ(printable("a\xff"), "a\\FF"); }

TEST(Names, LongNamesAreCut) {
  EXPECT_EQ(printable(std::string(1000, 'n'), 10), "nnnnnnnnnn... (1000 bytes)");
  EXPECT_EQ(printable("ääääää", 3), "ää... (12 bytes)");
}

} // namespace
