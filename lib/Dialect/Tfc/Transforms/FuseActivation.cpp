//===- FuseActivation.cpp - Primitives become tfc.gelu and tfc.silu --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Exporters write a GELU in dozens of orders, so nothing here depends on the order. Forward from the anchor, the
// result is read as `coefficient * factor * (1 + erf(u))`: constants go into the coefficient, the one value that is no
// constant is the factor. Candidates for x are the factor itself and the factor without its scalar. For each, `u` and
// the factor are read as polynomials of x; the GELU is there when both polynomials are the right ones:
//
//   erf      factor = x, u = 0.7071 x                  coefficient 1/2
//   tanh     factor = x, u = 0.79788 x + 0.035677 x^3  coefficient 1/2
//   quick    factor = x, u = 1.702 x                   coefficient 1, and no "1 +"
//   silu     factor = x, u = x                         coefficient 1, and no "1 +"
//
// Exporters round the constants. What counts is what that does to the result: the activation that the graph writes is
// evaluated beside the one that the op means, and may differ by 4e-6 of the op's value at |x| (kLargestDeviation). So
// fused and unfused agree within 1e-5 of the largest magnitude of an output wherever it has an x that is not below zero.
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphMatchers.h"

#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Dialect/Tfc/Transforms/AttentionKernels.h"
#include "tfc/Dialect/Tfc/Transforms/FusionRemarks.h"
#include "tfc/Dialect/Tfc/Transforms/Passes.h"

#include <array>
#include <cmath>

namespace mlir::tfc {
#define GEN_PASS_DEF_FUSEACTIVATION
#include "tfc/Dialect/Tfc/Transforms/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// Coefficients of 1, x, x^2, x^3.
using Polynomial = std::array<double, 4>;

/// Reads values as polynomials of x, and keeps the ops that it read.
class PolynomialReader {
public:
  explicit PolynomialReader(Value x) : x(x) {}

  std::optional<Polynomial> read(Value value, int depth = 0) {
    if (value == x)
      return Polynomial{0, 1, 0, 0};
    if (std::optional<double> constant = matchScalar(value))
      return Polynomial{*constant, 0, 0, 0};
    Operation *op = value.getDefiningOp();
    // Two operands per step: the bound on the depth also bounds the work.
    if (!op || depth > 8 || op->getNumResults() != 1 || !isa<AddOp, SubOp, MulOp, DivOp, PowOp, NegOp>(op))
      return std::nullopt;
    std::optional<Polynomial> a = read(op->getOperand(0), depth + 1);
    std::optional<Polynomial> b = op->getNumOperands() == 2 ? read(op->getOperand(1), depth + 1) : Polynomial{-1, 0, 0, 0};
    if (!a || !b)
      return std::nullopt;
    ops.push_back(op);
    if (isa<AddOp, SubOp>(op)) {
      for (size_t i = 0; i < a->size(); ++i)
        (*a)[i] += isa<SubOp>(op) ? -(*b)[i] : (*b)[i];
      return a;
    }
    if (isa<MulOp, NegOp>(op))
      return multiply(*a, *b);
    // Division by a constant, or a power with a small constant exponent.
    double constant = (*b)[0];
    if (*b != Polynomial{constant, 0, 0, 0})
      return std::nullopt;
    if (isa<DivOp>(op))
      return multiply(*a, Polynomial{1 / constant, 0, 0, 0});
    if (constant != 1 && constant != 2 && constant != 3)
      return std::nullopt;
    std::optional<Polynomial> power = a;
    for (int i = 1; i < constant && power; ++i)
      power = multiply(*power, *a);
    return power;
  }

  ArrayRef<Operation *> getOps() const { return ops; }

private:
  static std::optional<Polynomial> multiply(const Polynomial &a, const Polynomial &b) {
    Polynomial product = {};
    for (size_t i = 0; i < a.size(); ++i)
      for (size_t j = 0; j < b.size(); ++j)
        if (double term = a[i] * b[j]; term != 0) {
          if (i + j >= product.size() || !std::isfinite(term))
            return std::nullopt;
          product[i + j] += term;
        }
    return product;
  }

  Value x;
  SmallVector<Operation *> ops;
};

/// What fused and unfused may differ by because of rounded constants, in parts of the value at |x|. 0.7071, 0.79788 and
/// 0.04472 are below it, 0.707, 0.7979 and 0.0447 are not.
constexpr double kLargestDeviation = 4e-6;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double evaluate(const Polynomial &p, double x) { return p[0] + x * (p[1] + x * (p[2] + x * p[3])); }

/// The activations that share an anchor: a wanted argument for it, and what is multiplied with the result.
struct Activation {
  StringRef fusion, detail;
  Polynomial argument;
  double coefficient;
  std::optional<GeluKind> gelu;

  /// The value for x when the anchor has this argument and this factor.
  double evaluate(Operation *anchor, double argument, double factor) const {
    if (isa<ErfOp>(anchor))
      return factor * (1 + std::erf(argument));
    return isa<TanhOp>(anchor) ? factor * (1 + std::tanh(argument)) : factor * sigmoid(argument);
  }
};

const Activation &getErfGelu() {
  static const Activation activation{"gelu", "erf", {0, std::sqrt(0.5), 0, 0}, 0.5, GeluKind::Erf};
  return activation;
}
const Activation &getTanhGelu() {
  static const Activation activation{
      "gelu", "tanh", {0, std::sqrt(2 / M_PI), 0, std::sqrt(2 / M_PI) * 0.044715}, 0.5, GeluKind::Tanh};
  return activation;
}
const Activation &getQuickGelu() {
  static const Activation activation{"gelu", "quick", {0, 1.702, 0, 0}, 1, GeluKind::Quick};
  return activation;
}
const Activation &getSilu() {
  static const Activation activation{"silu", "", {0, 1, 0, 0}, 1, std::nullopt};
  return activation;
}

/// Of the two activations that a sigmoid makes, the one whose factor this is nearer to.
bool isQuick(double factor) { return factor > 1.3; }

class ActivationMatcher {
public:
  explicit ActivationMatcher(Operation *anchor)
      : anchor(anchor), argument(anchor->getOperand(0)), value(anchor->getResult(0)), decision("gelu", anchor) {
    activation = isa<ErfOp>(anchor) ? &getErfGelu() : isa<TanhOp>(anchor) ? &getTanhGelu() : &getSilu();
    if (std::optional<ScaledValue> scaled = matchScaling(argument.getDefiningOp());
        scaled && isa<SigmoidOp>(anchor) && isQuick(scaled->factor))
      activation = &getQuickGelu();
    ops.push_back(anchor);
  }

  /// Whether the graph around the anchor looks like an activation at all; only such anchors get a remark.
  bool isCandidate() const {
    if (isa<ErfOp>(anchor))
      return true;
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      Value other = isa<AddOp, MulOp>(user) ? getOtherOperand(user, value) : Value();
      if (isa<TanhOp>(anchor))
        return other && (matchScalar(other) == 1.0 || (isa<MulOp>(user) && matchScalar(other) == 0.5));
      // sigmoid(c x) times something, or sigmoid(x) times x; other gates are no activations.
      return other && isa<MulOp>(user) && (other == argument || matchScaling(argument.getDefiningOp()));
    });
  }

  LogicalResult match() {
    LogicalResult matched = matchAround();
    decision.setKind(activation->fusion);
    return matched;
  }

  LogicalResult rewrite() {
    OpBuilder builder(value.getDefiningOp());
    Location loc = fuseLocations(ops);
    FailureOr<Value> fused;
    if (activation->gelu) {
      auto kind = GeluKindAttr::get(builder.getContext(), *activation->gelu);
      fused = buildOp<GeluOp>(builder, loc, x, builder.getNamedAttr("kind", kind));
    } else {
      fused = buildOp<SiluOp>(builder, loc, x);
    }
    if (failed(fused))
      return failure();
    value.replaceAllUsesWith(*fused);
    eraseDead(std::move(ops));
    return success();
  }

  FusionDecision &getDecision() { return decision; }
  const Activation &getActivation() const { return *activation; }

private:
  LogicalResult matchAround() {
    if ((!isa<SigmoidOp>(anchor) && failed(matchPlusOne())) || failed(matchProduct()))
      return failure();
    Value bare = factor;
    if (std::optional<ScaledValue> scaled = matchScaling(factor.getDefiningOp()))
      bare = scaled->x;
    // x itself may be a product with a scalar, so both are tried.
    if (succeeded(matchOf(factor)) || (bare != factor && succeeded(matchOf(bare))))
      return success();
    return decision.decline(anchor, reason);
  }

  /// The only user of the value so far; null after declining.
  Operation *onlyUser() {
    if (value.hasOneUse())
      return *value.user_begin();
    (void)decision.declineValue(value, "a value inside it is used elsewhere too");
    return nullptr;
  }

  /// a * erf(u) + a, the `a` into the coefficient.
  LogicalResult matchPlusOne() {
    Operation *user = onlyUser();
    if (!user)
      return failure();
    if (std::optional<ScaledValue> scaled = matchScaling(user); scaled && scaled->x == value) {
      coefficient = scaled->factor;
      ops.push_back(user);
      value = user->getResult(0);
      if (!(user = onlyUser()))
        return failure();
    }
    Value other = isa<AddOp>(user) ? getOtherOperand(user, value) : Value();
    std::optional<double> added = other ? matchScalar(other) : std::nullopt;
    if (!added || *added != coefficient)
      return decision.decline(user, "no 1 is added to " + anchor->getName().stripDialect());
    ops.push_back(user);
    value = user->getResult(0);
    return success();
  }

  /// Products with scalars and with one other value, until the coefficient is what a GELU has.
  LogicalResult matchProduct() {
    while (!factor || !isComplete()) {
      // Past the factor a missing coefficient may still stand in the factor itself.
      if (factor && !value.hasOneUse())
        return success();
      Operation *user = onlyUser();
      if (!user)
        return failure();
      if (std::optional<ScaledValue> scaled = matchScaling(user); scaled && scaled->x == value) {
        coefficient *= scaled->factor;
      } else if (factor) {
        return success();
      } else {
        factor = isa<MulOp>(user) ? getOtherOperand(user, value) : Value();
        if (!factor)
          return decision.decline(user, "it is not multiplied with x");
      }
      ops.push_back(user);
      value = user->getResult(0);
    }
    return success();
  }

  bool isComplete() const {
    std::optional<ScaledValue> scaled = matchScaling(factor.getDefiningOp());
    return isNear(coefficient * (scaled ? scaled->factor : 1), activation->coefficient);
  }

  /// Of two candidates for x the one that explains more of the graph tells the reason.
  LogicalResult fail(const Twine &why, bool isPolynomial = true) {
    if (reason.empty() || (isPolynomial && !reasonIsOfPolynomial))
      reason = why.str();
    reasonIsOfPolynomial |= isPolynomial;
    return failure();
  }

  LogicalResult matchOf(Value candidate) {
    PolynomialReader reader(candidate);
    std::optional<Polynomial> inner = reader.read(argument), outer = reader.read(factor);
    if (!inner || !outer)
      return fail("the argument of " + anchor->getName().stripDialect() + " is no polynomial of what it is multiplied with",
                  /*isPolynomial=*/false);
    if (isa<SigmoidOp>(anchor))
      activation = isQuick((*inner)[1]) ? &getQuickGelu() : &getSilu();
    (*outer)[1] *= coefficient;
    if (!isNear((*outer)[1], activation->coefficient))
      return fail("the factor is " + formatNumber((*outer)[1]) + ", not " + formatNumber(activation->coefficient));
    if ((*outer)[0] != 0 || (*outer)[2] != 0 || (*outer)[3] != 0)
      return fail("the factor is " + formatPolynomial(*outer));
    if (!(getDeviation(*inner, *outer) <= getLargestDeviation()))
      return fail("the argument of " + anchor->getName().stripDialect() + " is " + formatPolynomial(*inner) + ", not " +
                  formatPolynomial(activation->argument));
    if (candidate.getType() != value.getType())
      return fail("its result has another type than x");
    SmallVector<Operation *> all = ops;
    for (Operation *op : reader.getOps())
      if (!llvm::is_contained(all, op))
        all.push_back(op);
    for (Operation *op : all)
      if (op->getResult(0) != value &&
          !llvm::all_of(op->getUsers(), [&](Operation *user) { return llvm::is_contained(all, user); }))
        return decision.decline(op, "a value inside it is used elsewhere too");
    x = candidate;
    ops = std::move(all);
    return success();
  }

  /// The largest difference between what the graph writes and what the op means, in parts of the op's value at |x|.
  double getDeviation(const Polynomial &inner, const Polynomial &outer) const {
    double worst = 0;
    for (int step = -256; step <= 256; ++step) {
      double x = step / 32.0, size = std::abs(x);
      if (step == 0)
        continue;
      auto wanted = [&](double at) {
        return activation->evaluate(anchor, evaluate(activation->argument, at), activation->coefficient * at);
      };
      double written = activation->evaluate(anchor, evaluate(inner, x), evaluate(outer, x));
      double deviation = std::abs(written - wanted(x)) / wanted(size);
      if (!std::isfinite(deviation))
        return deviation;
      worst = std::max(worst, deviation);
    }
    return worst;
  }

  /// Half precision rounds every constant of the graph, and every result by as much.
  double getLargestDeviation() const {
    auto rounded = anchor->getAttrOfType<TypeAttr>(kOperandType);
    Type element = rounded ? rounded.getValue() : getElementTypeOrSelf(value.getType());
    return element.isF16() ? std::ldexp(1, -11) : element.isBF16() ? std::ldexp(1, -8) : kLargestDeviation;
  }

  static std::string formatPolynomial(const Polynomial &p) {
    std::string text;
    for (auto [degree, name] : {std::pair(0, ""), {1, " x"}, {2, " x^2"}, {3, " x^3"}})
      if (p[degree] != 0)
        text += (text.empty() ? "" : " + ") + formatNumber(p[degree]) + name;
    return text.empty() ? "0" : text;
  }

  Operation *anchor;
  Value argument, value, factor, x;
  const Activation *activation;
  double coefficient = 1;
  std::string reason;
  bool reasonIsOfPolynomial = false;
  SmallVector<Operation *> ops;
  FusionDecision decision;
};

struct FuseActivationPass : mlir::tfc::impl::FuseActivationBase<FuseActivationPass> {
  using FuseActivationBase::FuseActivationBase;

  void runOnOperation() override {
    SmallVector<Operation *> anchors;
    getOperation().walk([&](Operation *op) {
      if (isa<ErfOp, TanhOp, SigmoidOp>(op))
        anchors.push_back(op);
    });
    for (Operation *anchor : anchors) {
      ActivationMatcher matcher(anchor);
      if (!matcher.isCandidate())
        continue;
      LogicalResult matched = matcher.match();
      const Activation &activation = matcher.getActivation();
      if (!(activation.gelu ? gelu : silu))
        continue;
      matcher.getDecision().report(matched, activation.detail);
      if (failed(matched))
        continue;
      ++(activation.gelu ? fusedGelus : fusedSilus);
      if (failed(matcher.rewrite()))
        return signalPassFailure();
    }
  }
};

} // namespace
