//===- VerifySymbolsTest.cpp - Symbols are bound before they are used --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/VerifySymbols.h"

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::tfc;

namespace {

class VerifySymbolsTest : public ::testing::Test {
protected:
  VerifySymbolsTest() { context.loadDialect<TfcDialect, func::FuncDialect, scf::SCFDialect>(); }

  /// What verifySymbols says of the functions in the text: nothing when all is well.
  std::string check(StringRef text) {
    std::string messages;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      messages += diagnostic.str() + "\n";
      return success();
    });
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return "does not parse: " + messages;
    bool good = true;
    for (auto function : module->getOps<FunctionOpInterface>())
      good &= succeeded(verifySymbols(function));
    EXPECT_EQ(good, messages.empty());
    return messages;
  }

  MLIRContext context;
};

TEST_F(VerifySymbolsTest, DimsOfArgumentsBind) {
  EXPECT_EQ(check(R"(func.func @f(%x: tensor<?x?xf32, #tfc.dims<past + seq, 4 * past>>, %y: tensor<?x?xf32, #tfc.dims<past, seq>>) {
    %0 = tfc.dim_values [past * seq] : tensor<1xi64>
    return
  })"), "");
}

TEST_F(VerifySymbolsTest, ASumOfSymbolsDoesNotBind) {
  EXPECT_NE(check("func.func @f(%x: tensor<?xf32, #tfc.dims<past + seq>>) { return }").find("symbol \"past\" is not bound here"),
            std::string::npos);
}

TEST_F(VerifySymbolsTest, TypesAndAttributesUse) {
  for (StringRef use : {"%0 = tfc.expand %x : tensor<f32> -> tensor<?xf32, #tfc.dims<n>>",
                        "%0 = tfc.dim_values [1, n + 1] : tensor<2xi64>", "tfc.require equal 2 * n, 4",
                        "%0 = tfc.dim min(n, 4)"})
    EXPECT_NE(check(("func.func @f(%x: tensor<f32>) { " + use + "\n return }").str()).find("symbol \"n\" is not bound here"),
              std::string::npos)
        << use.str();
}

TEST_F(VerifySymbolsTest, BindBeforeUse) {
  StringRef bind = "tfc.bind %n as [\"n\"] : tensor<i64>\n", use = "tfc.require at_most n, 4\n";
  auto function = [](Twine body) { return ("func.func @f(%n: tensor<i64>, %c: i1) { " + body + " return }").str(); };
  EXPECT_EQ(check(function(Twine(bind) + use)), "");
  EXPECT_NE(check(function(Twine(use) + bind)), "");
  EXPECT_EQ(check(function(Twine(bind) + "scf.if %c {" + use + "}")), "");
  // What a branch binds ends with it.
  EXPECT_EQ(check(function("scf.if %c {" + Twine(bind) + use + "}")), "");
  EXPECT_NE(check(function("scf.if %c {" + Twine(bind) + "}" + use)), "");
}

TEST_F(VerifySymbolsTest, KernelsListTheirSymbols) {
  StringRef head = "func.func private @k(tensor<?xf32, #tfc.dims<s0>>) attributes {tfc.kernel";
  EXPECT_EQ(check((head + ", tfc.symbols = [\"s0\"]}").str()), "");
  EXPECT_NE(check((head + ", tfc.symbols = [\"s1\"]}").str()), "");
  EXPECT_NE(check((head + "}").str()), "");
}

TEST_F(VerifySymbolsTest, NamesThatCannotBe) {
  for (StringRef name : {"", "%0", "%too_complex"})
    EXPECT_NE(check(("func.func @f(%x: tensor<?xf32, #tfc.dims<\"" + name + "\">>) { return }").str()), "") << name.str();
}

TEST_F(VerifySymbolsTest, SignaturesHaveKnownDims) {
  EXPECT_NE(check("func.func private @f(tensor<?xf32>)").find("(C0)"), std::string::npos);
  EXPECT_NE(check("func.func private @f() -> tensor<*xf32>").find("(C0)"), std::string::npos);
  EXPECT_EQ(check("func.func private @f(i32) -> tensor<4xf32>"), "");
}

} // namespace
