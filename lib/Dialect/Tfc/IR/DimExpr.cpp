//===- DimExpr.cpp - Integer expressions over named symbols -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The canonical form is a polynomial: terms in graded lexicographic order (higher degree first, the constant last),
// each a coefficient and a sorted list of atoms. Equal expressions are the same attribute. The order depends on names
// only, never on addresses, so that output is the same from run to run.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// A product this long would print as pages; it is boxed in an atom instead (see `boxed`).
constexpr size_t kMaxTerms = 64;
/// Lengths from here on mean "to the end": exporters write INT32_MAX or INT64_MAX for it.
constexpr int64_t kUnbounded = int64_t(1) << 30;

struct Term {
  int64_t coefficient;
  SmallVector<Attribute, 4> atoms;
};
using Terms = SmallVector<Term, 4>;

int64_t addSaturating(int64_t a, int64_t b) {
  int64_t r;
  if (!__builtin_add_overflow(a, b, &r))
    return r;
  return a < 0 ? INT64_MIN : INT64_MAX;
}

int64_t mulSaturating(int64_t a, int64_t b) {
  int64_t r;
  if (!__builtin_mul_overflow(a, b, &r))
    return r;
  return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

int64_t floorDivide(int64_t a, int64_t b) {
  if (a == INT64_MIN && b == -1)
    return INT64_MAX;
  int64_t q = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

int64_t floorMod(int64_t a, int64_t b) {
  if (b == -1)
    return 0;
  int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

int compareExprs(DimExprAttr a, DimExprAttr b);

/// Symbols before calls; by name, by kind and arguments.
int compareAtoms(Attribute a, Attribute b) {
  if (a == b)
    return 0;
  auto symbolA = dyn_cast<StringAttr>(a), symbolB = dyn_cast<StringAttr>(b);
  if (symbolA && symbolB)
    return symbolA.getValue().compare(symbolB.getValue());
  if (symbolA || symbolB)
    return symbolA ? -1 : 1;
  auto callA = cast<DimCallAttr>(a), callB = cast<DimCallAttr>(b);
  if (callA.getKind() != callB.getKind())
    return callA.getKind() < callB.getKind() ? -1 : 1;
  if (int order = compareExprs(callA.getLhs(), callB.getLhs()))
    return order;
  return compareExprs(callA.getRhs(), callB.getRhs());
}

/// Graded lexicographic: a monomial order, so that exact division by leading terms is right.
int compareMonomials(ArrayRef<Attribute> a, ArrayRef<Attribute> b) {
  if (a.size() != b.size())
    return a.size() > b.size() ? -1 : 1;
  for (auto [x, y] : llvm::zip_equal(a, b))
    if (int order = compareAtoms(x, y))
      return order;
  return 0;
}

int compareExprs(DimExprAttr a, DimExprAttr b) {
  if (a == b)
    return 0;
  size_t count = std::min(a.getCoefficients().size(), b.getCoefficients().size());
  for (size_t i = 0; i < count; ++i) {
    if (int order = compareMonomials(a.getMonomials()[i].getValue(), b.getMonomials()[i].getValue()))
      return order;
    if (a.getCoefficients()[i] != b.getCoefficients()[i])
      return a.getCoefficients()[i] < b.getCoefficients()[i] ? -1 : 1;
  }
  return a.getCoefficients().size() < b.getCoefficients().size() ? -1 : 1;
}

Terms getTerms(DimExprAttr expr) {
  Terms terms;
  for (auto [coefficient, monomial] : llvm::zip_equal(expr.getCoefficients(), expr.getMonomials()))
    terms.push_back({coefficient, llvm::to_vector<4>(monomial.getValue())});
  return terms;
}

/// Sorts, merges equal monomials, drops zeros.
DimExprAttr fromTerms(MLIRContext *context, Terms terms) {
  for (Term &term : terms)
    llvm::sort(term.atoms, [](Attribute a, Attribute b) { return compareAtoms(a, b) < 0; });
  llvm::sort(terms, [](const Term &a, const Term &b) { return compareMonomials(a.atoms, b.atoms) < 0; });
  SmallVector<int64_t> coefficients;
  SmallVector<ArrayAttr> monomials;
  for (const Term &term : terms) {
    auto monomial = ArrayAttr::get(context, term.atoms);
    if (!monomials.empty() && monomials.back() == monomial) {
      coefficients.back() = addSaturating(coefficients.back(), term.coefficient);
    } else {
      coefficients.push_back(term.coefficient);
      monomials.push_back(monomial);
    }
    if (coefficients.back() == 0) {
      coefficients.pop_back();
      monomials.pop_back();
    }
  }
  return DimExprAttr::get(context, coefficients, monomials);
}

DimExprAttr makeCall(DimCallKind kind, DimExprAttr a, DimExprAttr b) {
  MLIRContext *context = a.getContext();
  Term term{1, {DimCallAttr::get(context, kind, a, b)}};
  return fromTerms(context, {term});
}

/// The expression as one opaque atom: max(e, e) is e. Keeps hostile graphs from growing polynomials without end.
DimExprAttr boxed(DimExprAttr expr) {
  return expr.getCoefficients().size() <= kMaxTerms ? expr : makeCall(DimCallKind::Max, expr, expr);
}

bool isAtomNonNegative(Attribute atom) {
  auto call = dyn_cast<DimCallAttr>(atom);
  if (!call)
    return true;
  bool lhs = call.getLhs().isNonNegative(), rhs = call.getRhs().isNonNegative();
  switch (call.getKind()) {
  case DimCallKind::Mod:
    return rhs;
  case DimCallKind::Max:
    return lhs || rhs;
  case DimCallKind::Broadcast:
    return true;
  case DimCallKind::FloorDiv:
  case DimCallKind::Min:
    return lhs && rhs;
  case DimCallKind::Wrap:
    return false;
  }
  return false;
}

int64_t evaluateCall(DimCallKind kind, int64_t a, int64_t b) {
  switch (kind) {
  case DimCallKind::FloorDiv:
    return b == 0 ? 0 : floorDivide(a, b);
  case DimCallKind::Mod:
    return b == 0 ? 0 : floorMod(a, b);
  case DimCallKind::Min:
    return std::min(a, b);
  case DimCallKind::Max:
    return std::max(a, b);
  case DimCallKind::Broadcast:
    return a == 1 ? b : a;
  case DimCallKind::Wrap:
    return a < 0 ? addSaturating(a, b) : a;
  }
  return 0;
}

/// expr = quotient * divisor + rest, where the quotient takes every term whose coefficient the divisor divides.
std::pair<DimExprAttr, DimExprAttr> splitMultiples(DimExprAttr expr, int64_t divisor) {
  Terms quotient, rest;
  for (Term &term : getTerms(expr)) {
    if (term.coefficient % divisor == 0)
      quotient.push_back({term.coefficient / divisor, term.atoms});
    else
      rest.push_back(term);
  }
  return {fromTerms(expr.getContext(), quotient), fromTerms(expr.getContext(), rest)};
}

/// The call's own atom when the expression is nothing else.
DimCallAttr getCall(DimExprAttr expr, DimCallKind kind) {
  if (expr.getCoefficients().size() != 1 || expr.getCoefficients()[0] != 1 || expr.getMonomials()[0].size() != 1)
    return {};
  auto call = dyn_cast<DimCallAttr>(expr.getMonomials()[0][0]);
  return call && call.getKind() == kind ? call : DimCallAttr{};
}

DimExprAttr foldBroadcast(DimExprAttr a, DimExprAttr b) {
  if (a == b || a.isConstant(1))
    return b;
  if (b.isConstant(1))
    return a;
  // A constant other than 1 wins: the other one is 1 or the same.
  if (a.isConstant())
    return a;
  if (b.isConstant())
    return b;
  // broadcast(x, min(c, x)) with c > 1: the second is 1 only where the first is, so the result is x.
  for (auto [x, y] : {std::pair(a, b), std::pair(b, a)})
    if (DimCallAttr call = getCall(y, DimCallKind::Min))
      for (auto [bound, same] : {std::pair(call.getLhs(), call.getRhs()), std::pair(call.getRhs(), call.getLhs())})
        if (same == x && bound.getConstant().value_or(0) > 1)
          return x;
  // Associative, commutative, idempotent: one sorted chain without repeats.
  SmallVector<DimExprAttr> leaves, work{a, b};
  while (!work.empty()) {
    DimExprAttr expr = work.pop_back_val();
    if (DimCallAttr call = getCall(expr, DimCallKind::Broadcast)) {
      work.push_back(call.getLhs());
      work.push_back(call.getRhs());
    } else if (!llvm::is_contained(leaves, expr)) {
      leaves.push_back(expr);
    }
  }
  llvm::sort(leaves, [](DimExprAttr x, DimExprAttr y) { return compareExprs(x, y) < 0; });
  DimExprAttr chain = leaves[0];
  for (DimExprAttr leaf : ArrayRef(leaves).drop_front())
    chain = makeCall(DimCallKind::Broadcast, chain, leaf);
  return chain;
}

DimExprAttr foldMinMax(DimCallKind kind, DimExprAttr a, DimExprAttr b) {
  bool isMin = kind == DimCallKind::Min;
  if (isMin && a.getConstant().value_or(0) >= kUnbounded)
    return b;
  if (isMin && b.getConstant().value_or(0) >= kUnbounded)
    return a;
  if ((a - b).isNonNegative())
    return isMin ? b : a;
  if ((b - a).isNonNegative())
    return isMin ? a : b;
  // min(x, max(y, ...)) and max(x, min(y, ...)) with x == y absorb.
  DimCallKind other = isMin ? DimCallKind::Max : DimCallKind::Min;
  for (auto [x, y] : {std::pair(a, b), std::pair(b, a)})
    if (DimCallAttr call = getCall(y, other))
      if (call.getLhs() == x || call.getRhs() == x)
        return x;
  if (compareExprs(b, a) < 0)
    std::swap(a, b);
  return makeCall(kind, a, b);
}

DimExprAttr foldDivision(DimCallKind kind, DimExprAttr a, DimExprAttr b) {
  MLIRContext *context = a.getContext();
  bool isDiv = kind == DimCallKind::FloorDiv;
  if (std::optional<DimExprAttr> quotient = a.exactDiv(b))
    return isDiv ? *quotient : DimExprAttr::constant(context, 0);
  std::optional<int64_t> divisor = b.getConstant();
  if (!divisor || *divisor <= 1)
    return makeCall(kind, a, b);
  // floordiv(d*p + r, d) = p + floordiv(r, d), and mod(d*p + r, d) = mod(r, d).
  auto [quotient, rest] = splitMultiples(a, *divisor);
  if (rest.isConstant()) {
    int64_t value = evaluateCall(kind, *rest.getConstant(), *divisor);
    return isDiv ? quotient + value : DimExprAttr::constant(context, value);
  }
  DimExprAttr call = makeCall(kind, rest, b);
  return isDiv ? quotient + call : call;
}

} // namespace

//===----------------------------------------------------------------------------------------------===//
// Construction and arithmetic
//===----------------------------------------------------------------------------------------------===//

DimExprAttr DimExprAttr::constant(MLIRContext *context, int64_t value) { return fromTerms(context, {Term{value, {}}}); }

DimExprAttr DimExprAttr::symbol(MLIRContext *context, StringRef name) {
  return fromTerms(context, {Term{1, {StringAttr::get(context, name)}}});
}

DimExprAttr DimExprAttr::call(DimCallKind kind, DimExprAttr a, DimExprAttr b) {
  if (a.isConstant() && b.isConstant())
    return constant(a.getContext(), evaluateCall(kind, *a.getConstant(), *b.getConstant()));
  switch (kind) {
  case DimCallKind::FloorDiv:
  case DimCallKind::Mod:
    return foldDivision(kind, a, b);
  case DimCallKind::Min:
  case DimCallKind::Max:
    return foldMinMax(kind, a, b);
  case DimCallKind::Broadcast:
    return foldBroadcast(a, b);
  case DimCallKind::Wrap:
    if (a.isNonNegative())
      return a;
    if (a.isConstant())
      return a + b;
    return makeCall(kind, a, b);
  }
  return makeCall(kind, a, b);
}

DimExprAttr DimExprAttr::operator+(DimExprAttr other) const {
  Terms terms = getTerms(*this);
  llvm::append_range(terms, getTerms(other));
  return boxed(fromTerms(getContext(), terms));
}

DimExprAttr DimExprAttr::operator*(DimExprAttr other) const {
  Terms product;
  for (const Term &x : getTerms(*this))
    for (const Term &y : getTerms(other)) {
      Term term{mulSaturating(x.coefficient, y.coefficient), x.atoms};
      llvm::append_range(term.atoms, y.atoms);
      product.push_back(term);
    }
  return boxed(fromTerms(getContext(), product));
}

DimExprAttr DimExprAttr::operator-(DimExprAttr other) const { return *this + other * -1; }
DimExprAttr DimExprAttr::operator+(int64_t other) const { return *this + constant(getContext(), other); }
DimExprAttr DimExprAttr::operator-(int64_t other) const { return *this - constant(getContext(), other); }
DimExprAttr DimExprAttr::operator*(int64_t other) const { return *this * constant(getContext(), other); }
DimExprAttr DimExprAttr::floorDiv(DimExprAttr other) const { return call(DimCallKind::FloorDiv, *this, other); }
DimExprAttr DimExprAttr::ceilDiv(DimExprAttr other) const { return (*this * -1).floorDiv(other) * -1; }
DimExprAttr DimExprAttr::mod(DimExprAttr other) const { return call(DimCallKind::Mod, *this, other); }
DimExprAttr DimExprAttr::min(DimExprAttr other) const { return call(DimCallKind::Min, *this, other); }
DimExprAttr DimExprAttr::max(DimExprAttr other) const { return call(DimCallKind::Max, *this, other); }

//===----------------------------------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------------------------------===//

bool DimExprAttr::isConstant() const {
  return getCoefficients().empty() || (getCoefficients().size() == 1 && getMonomials()[0].empty());
}

std::optional<int64_t> DimExprAttr::getConstant() const {
  if (!isConstant())
    return std::nullopt;
  return getCoefficients().empty() ? 0 : getCoefficients()[0];
}

std::optional<StringRef> DimExprAttr::getSymbol() const {
  if (getCoefficients().size() != 1 || getCoefficients()[0] != 1 || getMonomials()[0].size() != 1)
    return std::nullopt;
  if (auto name = dyn_cast<StringAttr>(getMonomials()[0][0]))
    return name.getValue();
  return std::nullopt;
}

bool DimExprAttr::isNonNegative() const {
  for (auto [coefficient, monomial] : llvm::zip_equal(getCoefficients(), getMonomials()))
    if (coefficient < 0 || !llvm::all_of(monomial, isAtomNonNegative))
      return false;
  return true;
}

bool DimExprAttr::isPositive() const {
  return isNonNegative() && !getCoefficients().empty() && getMonomials().back().empty() && getCoefficients().back() > 0;
}

std::optional<DimExprAttr> DimExprAttr::exactDiv(DimExprAttr other) const {
  if (other.getCoefficients().empty())
    return std::nullopt;
  Terms divisor = getTerms(other), quotient;
  DimExprAttr rest = *this;
  // Long division by the leading term; each step removes the leading term of the rest.
  while (!rest.getCoefficients().empty()) {
    Term leading = getTerms(rest).front();
    Term step{0, {}};
    if (leading.coefficient % divisor[0].coefficient != 0)
      return std::nullopt;
    step.coefficient = leading.coefficient / divisor[0].coefficient;
    SmallVector<Attribute, 4> remaining(divisor[0].atoms);
    for (Attribute atom : leading.atoms) {
      auto *found = llvm::find(remaining, atom);
      if (found == remaining.end())
        step.atoms.push_back(atom);
      else
        remaining.erase(found);
    }
    if (!remaining.empty() || quotient.size() > kMaxTerms)
      return std::nullopt;
    quotient.push_back(step);
    rest = rest - fromTerms(getContext(), {step}) * other;
  }
  return fromTerms(getContext(), quotient);
}

void DimExprAttr::collectSymbols(llvm::SetVector<StringAttr> &symbols) const {
  for (ArrayAttr monomial : getMonomials())
    for (Attribute atom : monomial) {
      if (auto name = dyn_cast<StringAttr>(atom)) {
        symbols.insert(name);
        continue;
      }
      auto call = cast<DimCallAttr>(atom);
      call.getLhs().collectSymbols(symbols);
      call.getRhs().collectSymbols(symbols);
    }
}

DimExprAttr DimExprAttr::substitute(llvm::function_ref<DimExprAttr(StringAttr)> replacement) const {
  DimExprAttr sum = constant(getContext(), 0);
  for (auto [coefficient, monomial] : llvm::zip_equal(getCoefficients(), getMonomials())) {
    DimExprAttr product = constant(getContext(), coefficient);
    for (Attribute atom : monomial) {
      DimExprAttr factor;
      if (auto name = dyn_cast<StringAttr>(atom)) {
        factor = replacement(name);
        if (!factor)
          factor = symbol(getContext(), name.getValue());
      } else {
        auto atomCall = cast<DimCallAttr>(atom);
        factor = call(atomCall.getKind(), atomCall.getLhs().substitute(replacement),
                      atomCall.getRhs().substitute(replacement));
      }
      product = product * factor;
    }
    sum = sum + product;
  }
  return sum;
}

std::optional<int64_t>
DimExprAttr::evaluate(llvm::function_ref<std::optional<int64_t>(StringAttr)> value) const {
  int64_t sum = 0;
  for (auto [coefficient, monomial] : llvm::zip_equal(getCoefficients(), getMonomials())) {
    int64_t product = coefficient;
    for (Attribute atom : monomial) {
      std::optional<int64_t> factor;
      if (auto name = dyn_cast<StringAttr>(atom)) {
        factor = value(name);
      } else {
        auto atomCall = cast<DimCallAttr>(atom);
        std::optional<int64_t> lhs = atomCall.getLhs().evaluate(value), rhs = atomCall.getRhs().evaluate(value);
        bool divides = atomCall.getKind() == DimCallKind::FloorDiv || atomCall.getKind() == DimCallKind::Mod;
        if (lhs && rhs && !(divides && *rhs == 0))
          factor = evaluateCall(atomCall.getKind(), *lhs, *rhs);
      }
      if (!factor)
        return std::nullopt;
      product = mulSaturating(product, *factor);
    }
    sum = addSaturating(sum, product);
  }
  return sum;
}

//===----------------------------------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------------------------------===//

static bool isIdentifier(StringRef name) {
  if (name.empty() || !(llvm::isAlpha(name[0]) || name[0] == '_'))
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

static FailureOr<DimExprAttr> parseFactor(AsmParser &parser) {
  MLIRContext *context = parser.getContext();
  int64_t integer;
  OptionalParseResult hasInteger = parser.parseOptionalInteger(integer);
  if (hasInteger.has_value()) {
    if (failed(*hasInteger))
      return failure();
    return DimExprAttr::constant(context, integer);
  }
  if (succeeded(parser.parseOptionalLParen())) {
    FailureOr<DimExprAttr> inner = DimExprAttr::parseExpr(parser);
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
  FailureOr<DimExprAttr> lhs = DimExprAttr::parseExpr(parser);
  if (failed(lhs) || parser.parseComma())
    return failure();
  FailureOr<DimExprAttr> rhs = DimExprAttr::parseExpr(parser);
  if (failed(rhs) || parser.parseRParen())
    return failure();
  return DimExprAttr::call(*kind, *lhs, *rhs);
}

FailureOr<DimExprAttr> DimExprAttr::parseExpr(AsmParser &parser) {
  DimExprAttr sum;
  bool negative = false;
  do {
    FailureOr<DimExprAttr> product = parseFactor(parser);
    if (failed(product))
      return failure();
    while (succeeded(parser.parseOptionalStar())) {
      FailureOr<DimExprAttr> factor = parseFactor(parser);
      if (failed(factor))
        return failure();
      product = *product * *factor;
    }
    DimExprAttr term = negative ? *product * -1 : *product;
    sum = sum ? sum + term : term;
    negative = false;
    if (succeeded(parser.parseOptionalPlus()))
      continue;
    if (failed(parser.parseOptionalMinus()))
      return sum;
    negative = true;
  } while (true);
}

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
  bool fits = type && type.hasStaticShape() && type.getElementType().isInteger() &&
              type.getNumElements() == static_cast<int64_t>(values.size());
  if (!fits)
    return emitError() << "dim values need a static integer tensor type with as many elements as there are values";
  return success();
}

void DimValuesAttr::print(AsmPrinter &printer) const {
  printer << "<[";
  llvm::interleaveComma(getValues(), printer, [&](DimExprAttr value) { value.printExpr(printer.getStream()); });
  printer << "]>";
}
