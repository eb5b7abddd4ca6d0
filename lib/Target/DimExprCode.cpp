//===- DimExprCode.cpp - Postfix code of dim expressions -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "DimExprCode.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tfc;

/// The runtime evaluates on a stack of this many numbers; a deeper expression is refused here, where it has a
/// name.
static constexpr unsigned kMaxDepth = 64;

namespace {
class CodeWriter {
public:
  CodeWriter(const llvm::StringMap<uint32_t> &symbolNumbers, uint32_t valueCount)
      : symbolNumbers(symbolNumbers), valueCount(valueCount) {}

  void writeExpr(DimExprAttr expr);

  std::vector<TfcExprWord> words;
  std::string error;

private:
  void push(TfcExprOp op, int64_t operand) {
    words.push_back({op, operand});
    if (++depth > kMaxDepth)
      fail("is nested too deeply");
  }
  void apply(TfcExprOp op) {
    words.push_back({op, 0});
    --depth;
  }
  void fail(const llvm::Twine &message) {
    if (error.empty())
      error = message.str();
  }
  void writeTerm(int64_t coefficient, ArrayRef<Attribute> atoms);
  void writeAtom(Attribute atom);
  void writeSymbol(llvm::StringRef name);
  bool writeAlign(int64_t coefficient, ArrayRef<Attribute> atoms);

  const llvm::StringMap<uint32_t> &symbolNumbers;
  uint32_t valueCount;
  unsigned depth = 0;
  unsigned nesting = 0;
};
} // namespace

void CodeWriter::writeSymbol(llvm::StringRef name) {
  if (auto known = symbolNumbers.find(name); known != symbolNumbers.end())
    return push(TFC_EXPR_SYMBOL, known->second);
  uint32_t number;
  if (!name.consume_front("%"))
    return fail("names the unknown symbol '" + name + "'");
  if (name.getAsInteger(10, number) || number >= valueCount)
    return fail("refers to value '%" + name + "', which does not stand before it");
  push(TFC_EXPR_VALUE, number);
}

static TfcExprOp getOp(DimCallKind kind) {
  switch (kind) {
  case DimCallKind::FloorDiv:
    return TFC_EXPR_FLOORDIV;
  case DimCallKind::Mod:
    return TFC_EXPR_MOD;
  case DimCallKind::Min:
    return TFC_EXPR_MIN;
  case DimCallKind::Max:
    return TFC_EXPR_MAX;
  case DimCallKind::Broadcast:
    return TFC_EXPR_BROADCAST;
  case DimCallKind::Wrap:
    break;
  }
  return TFC_EXPR_WRAP;
}

void CodeWriter::writeAtom(Attribute atom) {
  if (auto symbol = dyn_cast<StringAttr>(atom))
    return writeSymbol(symbol.getValue());
  auto call = dyn_cast<DimCallAttr>(atom);
  if (!call)
    return fail("has an atom that is neither a symbol nor a call");
  writeExpr(call.getLhs());
  writeExpr(call.getRhs());
  apply(getOp(call.getKind()));
}

/// 64 * floordiv(x + 63, 64) is how sizes are rounded up; the runtime has an instruction for it that also
/// saturates as one step.
bool CodeWriter::writeAlign(int64_t coefficient, ArrayRef<Attribute> atoms) {
  if (atoms.size() != 1 || coefficient < 2 || !llvm::isPowerOf2_64(coefficient))
    return false;
  auto call = dyn_cast<DimCallAttr>(atoms.front());
  if (!call || call.getKind() != DimCallKind::FloorDiv || !call.getRhs().isConstant(coefficient))
    return false;
  int64_t constant = 0;
  for (auto [factor, monomial] :
       llvm::zip_equal(call.getLhs().getCoefficients(), call.getLhs().getMonomials()))
    if (monomial.empty())
      constant = factor;
  if (constant != coefficient - 1)
    return false;
  writeExpr(call.getLhs() - constant);
  words.push_back({TFC_EXPR_ALIGN, coefficient});
  return true;
}

void CodeWriter::writeTerm(int64_t coefficient, ArrayRef<Attribute> atoms) {
  if (writeAlign(coefficient, atoms))
    return;
  bool first = atoms.empty() || coefficient != 1;
  if (first)
    push(TFC_EXPR_CONST, coefficient);
  for (Attribute atom : atoms) {
    writeAtom(atom);
    if (first)
      apply(TFC_EXPR_MUL);
    first = true;
  }
}

void CodeWriter::writeExpr(DimExprAttr expr) {
  // Nested expressions of a hostile file must not use up the stack of this process.
  if (++nesting > 256 || !error.empty()) {
    fail("is nested too deeply");
    return;
  }
  ArrayRef<int64_t> coefficients = expr.getCoefficients();
  if (coefficients.empty())
    push(TFC_EXPR_CONST, 0);
  for (auto [number, monomial] : llvm::enumerate(expr.getMonomials())) {
    writeTerm(coefficients[number], monomial.getValue());
    if (number > 0)
      apply(TFC_EXPR_ADD);
  }
  --nesting;
}

llvm::Expected<std::vector<TfcExprWord>>
mlir::tfc::getExprCode(DimExprAttr expr, const llvm::StringMap<uint32_t> &symbolNumbers,
                       uint32_t valueCount) {
  CodeWriter writer(symbolNumbers, valueCount);
  writer.writeExpr(expr);
  if (!writer.error.empty())
    return llvm::createStringError("the expression '%s' %s", expr.str().c_str(), writer.error.c_str());
  return std::move(writer.words);
}
