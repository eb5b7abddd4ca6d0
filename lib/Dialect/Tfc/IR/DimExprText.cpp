//===- DimExprText.cpp - Dim expressions as text ---------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "ConstantTensor.h"

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tfc;

/// Parentheses and calls inside each other, beyond which a text is refused: the parser recurses.
static constexpr int kMaxNesting = 100;

/// True when the name reads back as a symbol without quotes; `true` and `false` read as integers.
static bool isIdentifier(StringRef name) {
  if (name.empty() || name == "true" || name == "false" || !(llvm::isAlpha(name[0]) || name[0] == '_'))
    return false;
  return llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$'; });
}

static void printAtom(raw_ostream &os, Attribute atom) {
  if (auto name = dyn_cast<StringAttr>(atom)) {
    if (isIdentifier(name.getValue())) {
      os << name.getValue();
    } else {
      os << '"';
      llvm::printEscapedString(name.getValue(), os);
      os << '"';
    }
    return;
  }
  auto call = cast<DimCallAttr>(atom);
  os << stringifyDimCallKind(call.getKind()) << '(';
  call.getLhs().printExpr(os);
  os << ", ";
  call.getRhs().printExpr(os);
  os << ')';
}

void DimExprAttr::printExpr(raw_ostream &os) const {
  if (getCoefficients().empty()) {
    os << '0';
    return;
  }
  for (auto [index, coefficient] : llvm::enumerate(getCoefficients())) {
    ArrayAttr monomial = getMonomials()[index];
    if (index)
      os << " + ";
    if (coefficient != 1 || monomial.empty())
      os << coefficient << (monomial.empty() ? "" : " * ");
    llvm::interleave(monomial, os, [&](Attribute atom) { printAtom(os, atom); }, " * ");
  }
}

std::string DimExprAttr::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  printExpr(os);
  return text;
}

static FailureOr<DimExprAttr> parseSum(AsmParser &parser, int nesting);

static FailureOr<DimExprAttr> parseFactor(AsmParser &parser, int nesting) {
  MLIRContext *context = parser.getContext();
  int64_t integer;
  OptionalParseResult hasInteger = parser.parseOptionalInteger(integer);
  if (hasInteger.has_value()) {
    if (failed(*hasInteger))
      return failure();
    return DimExprAttr::constant(context, integer);
  }
  if (succeeded(parser.parseOptionalLParen())) {
    FailureOr<DimExprAttr> inner = parseSum(parser, nesting + 1);
    if (failed(inner) || parser.parseRParen())
      return failure();
    return inner;
  }
  std::string quoted;
  if (succeeded(parser.parseOptionalString(&quoted)))
    return DimExprAttr::symbol(context, quoted);
  StringRef name;
  SMLoc loc = parser.getCurrentLocation();
  if (failed(parser.parseOptionalKeyword(&name))) {
    parser.emitError(loc, "expected a dim expression: an integer, a symbol or a call");
    return failure();
  }
  if (failed(parser.parseOptionalLParen()))
    return DimExprAttr::symbol(context, name);
  std::optional<DimCallKind> kind = symbolizeDimCallKind(name);
  if (!kind) {
    parser.emitError(loc, "unknown function '") << name << "' in a dim expression";
    return failure();
  }
  FailureOr<DimExprAttr> lhs = parseSum(parser, nesting + 1);
  if (failed(lhs) || parser.parseComma())
    return failure();
  FailureOr<DimExprAttr> rhs = parseSum(parser, nesting + 1);
  if (failed(rhs) || parser.parseRParen())
    return failure();
  return DimExprAttr::call(*kind, *lhs, *rhs);
}

static FailureOr<DimExprAttr> parseProduct(AsmParser &parser, int nesting) {
  FailureOr<DimExprAttr> product = parseFactor(parser, nesting);
  while (succeeded(product) && succeeded(parser.parseOptionalStar())) {
    FailureOr<DimExprAttr> factor = parseFactor(parser, nesting);
    if (failed(factor))
      return failure();
    product = *product * *factor;
  }
  return product;
}

static FailureOr<DimExprAttr> parseSum(AsmParser &parser, int nesting) {
  SMLoc loc = parser.getCurrentLocation();
  if (nesting > kMaxNesting) {
    parser.emitError(loc, "a dim expression is nested more than ") << kMaxNesting << " deep";
    return failure();
  }
  DimExprAttr sum = DimExprAttr::constant(parser.getContext(), 0);
  bool negative = false;
  while (true) {
    FailureOr<DimExprAttr> product = parseProduct(parser, nesting);
    if (failed(product))
      return failure();
    sum = negative ? sum - *product : sum + *product;
    if (sum.isTooComplex()) {
      parser.emitError(loc, "a dim expression is too complex");
      return failure();
    }
    if (succeeded(parser.parseOptionalPlus()))
      negative = false;
    else if (succeeded(parser.parseOptionalMinus()))
      negative = true;
    else
      return sum;
  }
}

FailureOr<DimExprAttr> DimExprAttr::parseExpr(AsmParser &parser) { return parseSum(parser, 0); }

Attribute DimExprAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<DimExprAttr> expr = parseExpr(parser);
  if (failed(expr) || parser.parseGreater())
    return {};
  return *expr;
}

void DimExprAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printExpr(printer.getStream());
  printer << '>';
}

/// A list of expressions up to the closing token, which the caller parses.
static ParseResult parseExprList(AsmParser &parser, SmallVectorImpl<DimExprAttr> &exprs) {
  return parser.parseCommaSeparatedList([&]() -> ParseResult {
    FailureOr<DimExprAttr> expr = DimExprAttr::parseExpr(parser);
    if (failed(expr))
      return failure();
    exprs.push_back(*expr);
    return success();
  });
}

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  SmallVector<DimExprAttr> dims;
  if (parser.parseLess() || parseExprList(parser, dims) || parser.parseGreater())
    return {};
  return DimsAttr::get(parser.getContext(), dims);
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << '<';
  llvm::interleaveComma(getDims(), printer, [&](DimExprAttr dim) { dim.printExpr(printer.getStream()); });
  printer << '>';
}

LogicalResult DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != getDims().size())
    return emitError() << "#tfc.dims has " << getDims().size() << " dims, but the tensor has rank " << shape.size();
  if (!ShapedType::isDynamicShape(shape))
    return emitError() << "a tensor without `?` dims carries no #tfc.dims";
  for (auto [index, size, dim] : llvm::enumerate(shape, getDims())) {
    std::optional<int64_t> constant = dim.getConstant();
    if (ShapedType::isDynamic(size) ? constant.has_value() : constant != size)
      return emitError() << "dim " << index << " is " << (ShapedType::isDynamic(size) ? "?" : std::to_string(size))
                         << " in the shape, but " << dim.str() << " in #tfc.dims";
  }
  return success();
}

Attribute DimValuesAttr::parse(AsmParser &parser, Type type) {
  SmallVector<DimExprAttr> values;
  if (parser.parseLess() || parser.parseLSquare())
    return {};
  if (failed(parser.parseOptionalRSquare()) && (parseExprList(parser, values) || parser.parseRSquare()))
    return {};
  if (parser.parseGreater())
    return {};
  auto tensor = dyn_cast_or_null<RankedTensorType>(type);
  if (failed(DimValuesAttr::verify([&] { return parser.emitError(parser.getNameLoc()); }, values, tensor)))
    return {};
  return DimValuesAttr::get(parser.getContext(), values, tensor);
}

LogicalResult DimValuesAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayRef<DimExprAttr> values,
                                    RankedTensorType type) {
  bool fits = type && type.getElementType().isInteger() && !type.getEncoding() &&
              countElements(type, values.size()) == static_cast<int64_t>(values.size());
  if (!fits)
    return emitError() << "dim values need a static integer tensor type with as many elements as there are values";
  return success();
}

void DimValuesAttr::print(AsmPrinter &printer) const {
  printer << "<[";
  llvm::interleaveComma(getValues(), printer, [&](DimExprAttr value) { value.printExpr(printer.getStream()); });
  printer << "]>";
}
