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
// Graphs are not trusted, and a polynomial of polynomials grows without end. An expression beyond the limits below
// becomes the one expression `isTooComplex`, which swallows whatever it meets and which no type may carry: the op that
// would need it is refused with a diagnostic. So every expression is small, and whoever walks one may recurse.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// Terms of one sum; terms and atoms of an expression with all its calls; calls inside calls.
constexpr size_t kMaxTerms = 128, kMaxSize = 2048, kMaxDepth = 48;
/// Stands for every expression beyond the limits. Names that a user gives never start with `%`.
constexpr llvm::StringLiteral kTooComplex = "%too_complex";
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

DimExprAttr makeTooComplex(MLIRContext *context) {
  auto monomial = ArrayAttr::get(context, StringAttr::get(context, kTooComplex));
  return DimExprAttr::get(context, {1}, {monomial});
}

/// True when the expression stays within the limits; what it takes is subtracted from `sizeLeft`.
bool isSmall(DimExprAttr expr, size_t depthLeft, size_t &sizeLeft) {
  for (ArrayAttr monomial : expr.getMonomials()) {
    if (sizeLeft <= monomial.size())
      return false;
    sizeLeft -= 1 + monomial.size();
    for (Attribute atom : monomial)
      if (auto call = dyn_cast<DimCallAttr>(atom))
        if (depthLeft == 0 || !isSmall(call.getLhs(), depthLeft - 1, sizeLeft) ||
            !isSmall(call.getRhs(), depthLeft - 1, sizeLeft))
          return false;
  }
  return true;
}

bool isTooComplexAtom(Attribute atom) {
  auto name = dyn_cast<StringAttr>(atom);
  return name && name.getValue() == kTooComplex;
}

/// Sorts, merges equal monomials, drops zeros.
DimExprAttr fromTerms(MLIRContext *context, Terms terms) {
  for (const Term &term : terms)
    if (term.atoms.size() > kMaxSize || llvm::any_of(term.atoms, isTooComplexAtom))
      return makeTooComplex(context);
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
  if (monomials.size() > kMaxTerms)
    return makeTooComplex(context);
  auto expr = DimExprAttr::get(context, coefficients, monomials);
  size_t sizeLeft = kMaxSize;
  return isSmall(expr, kMaxDepth, sizeLeft) ? expr : makeTooComplex(context);
}

DimExprAttr makeCall(DimCallKind kind, DimExprAttr a, DimExprAttr b) {
  MLIRContext *context = a.getContext();
  Term term{1, {DimCallAttr::get(context, kind, a, b)}};
  return fromTerms(context, {term});
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

/// min(c, x) with c > 1 and x among the others: it is 1 only where x is, so x alone decides what they broadcast to.
bool isBoundedBySome(DimExprAttr expr, ArrayRef<DimExprAttr> others) {
  DimCallAttr call = getCall(expr, DimCallKind::Min);
  if (!call)
    return false;
  auto bounds = [&](DimExprAttr bound, DimExprAttr x) {
    return bound.getConstant().value_or(0) > 1 && llvm::is_contained(others, x);
  };
  return bounds(call.getLhs(), call.getRhs()) || bounds(call.getRhs(), call.getLhs());
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
  SmallVector<DimExprAttr> all = leaves;
  llvm::erase_if(leaves, [&](DimExprAttr leaf) { return isBoundedBySome(leaf, all); });
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
  if (a.isTooComplex() || b.isTooComplex())
    return makeTooComplex(a.getContext());
  // A division by zero stays as it is: it has no value, and `evaluate` says so.
  bool divides = kind == DimCallKind::FloorDiv || kind == DimCallKind::Mod;
  if (a.isConstant() && b.isConstant() && !(divides && b.isConstant(0)))
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
    // The last n of n: from 0, also where n is 0.
    if (b.isNonNegative() && (a + b).isConstant(0))
      return constant(a.getContext(), 0);
    return makeCall(kind, a, b);
  }
  return makeCall(kind, a, b);
}

DimExprAttr DimExprAttr::operator+(DimExprAttr other) const {
  Terms terms = getTerms(*this);
  llvm::append_range(terms, getTerms(other));
  return fromTerms(getContext(), terms);
}

DimExprAttr DimExprAttr::operator*(DimExprAttr other) const {
  if (isTooComplex() || other.isTooComplex())
    return makeTooComplex(getContext());
  Terms product;
  for (const Term &x : getTerms(*this))
    for (const Term &y : getTerms(other)) {
      Term term{mulSaturating(x.coefficient, y.coefficient), x.atoms};
      llvm::append_range(term.atoms, y.atoms);
      product.push_back(term);
    }
  return fromTerms(getContext(), product);
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

bool DimExprAttr::isTooComplex() const { return getSymbol() == StringRef(kTooComplex); }

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
  if (other.isConstant(1))
    return *this;
  if (other.getCoefficients().empty() || isTooComplex() || other.isTooComplex())
    return std::nullopt;
  Terms divisor = getTerms(other), quotient;
  DimExprAttr rest = *this;
  // Long division by the leading term; each step removes the leading term of the rest.
  while (!rest.getCoefficients().empty()) {
    Term leading = getTerms(rest).front();
    Term step{0, {}};
    // A coefficient at the end of the range has saturated; nothing is known about its divisors.
    if (rest.isTooComplex() || leading.coefficient == INT64_MIN || leading.coefficient == INT64_MAX)
      return std::nullopt;
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
