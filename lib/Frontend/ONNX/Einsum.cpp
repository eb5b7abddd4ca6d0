//===- Einsum.cpp - Einsum as transposes, reshapes and matrix products ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Labels of two operands fall into classes: batch (in both and in the result), contracted (in both, not in
// the result), free in A, free in B; a label of one operand alone that the result lacks is summed first. Then
//
//   A -> [batch..., free A (as one dim), contracted (as one dim)]
//   B -> [batch..., contracted, free B], or with the last two swapped where they already stand so
//
// are multiplied, the free dims are split again and transposed to the order of the result:
//
//   "bfnd,ndh->bfh":  batch none, free A bf, contracted nd, free B h:  [bf, nd] x [nd, h] -> [bf, h] -> [b,
//   f, h]
//
// More operands are taken two at a time from the left. An ellipsis stands for labels of its own.
//
//===----------------------------------------------------------------------------------------------===//

#include "Names.h"
#include "OpTable.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

namespace {

/// A letter, or a dim of the ellipsis: counted from the last one, as numpy broadcasts, at `ellipsisBase - k`.
using Label = int;
using Labels = SmallVector<Label>;
constexpr Label ellipsisBase = 1 << 20;

struct Term {
  Value value;
  Labels labels;
};

class Einsum {
public:
  explicit Einsum(NodeContext &node) : node(node) {}

  LogicalResult run() {
    if (failed(parse()))
      return failure();
    for (Term &term : terms)
      takeDiagonals(term);
    Term result = terms.front();
    for (size_t i = 1; i < terms.size(); ++i) {
      Labels needed = output;
      for (size_t later = i + 1; later < terms.size(); ++later)
        needed.append(terms[later].labels);
      result = multiply(result, terms[i], needed);
      if (!result.value)
        return failure();
    }
    result = sumOut(result, output);
    return node.finish(arrange(result, output));
  }

private:
  //===--------------------------------------------------------------------------------------------===//
  // The equation
  //===--------------------------------------------------------------------------------------------===//

  LogicalResult parseLabels(StringRef text, std::optional<int64_t> rank, Labels &labels) {
    size_t letters = text.size();
    bool hasEllipsis = text.contains("...");
    if (hasEllipsis)
      letters -= 3;
    int64_t ellipsisRank = ellipsisDims;
    if (rank) {
      ellipsisRank = *rank - static_cast<int64_t>(letters);
      if (ellipsisRank < 0 || (!hasEllipsis && ellipsisRank != 0))
        return node.fail("term " + quoted(text) + " does not fit an operand of rank " + Twine(*rank));
      ellipsisDims = std::max(ellipsisDims, ellipsisRank);
    }
    while (!text.empty()) {
      if (text.consume_front("...")) {
        for (int64_t i = ellipsisRank; i > 0; --i)
          labels.push_back(ellipsisBase - static_cast<Label>(i));
        continue;
      }
      if (!llvm::isAlpha(text.front()))
        return node.fail("the equation has an unexpected character in " + quoted(text));
      labels.push_back(text.front());
      text = text.drop_front();
    }
    return success();
  }

  /// Dims of one label become one, the diagonal: both merged into one dim, every (n + 1)th element of it.
  void takeDiagonals(Term &term) {
    for (size_t i = 0; i < term.labels.size() && term.value; ++i) {
      auto again = std::find(term.labels.begin() + i + 1, term.labels.end(), term.labels[i]);
      if (again == term.labels.end())
        continue;
      int64_t first = i, second = again - term.labels.begin(), rank = term.labels.size();
      DimExprAttr size = getDim(term.value, first);
      Value square = node.conform(term.value, second, size);
      SmallVector<int64_t> permutation;
      for (int64_t dim = 0; dim < rank; ++dim)
        if (dim != second)
          permutation.push_back(dim);
      permutation.insert(permutation.begin() + first + 1, second);
      square = node.transpose(square, permutation);
      if (!square)
        return void(term.value = {});
      Dims merged = getDims(square);
      merged[first] = size * size;
      merged.erase(merged.begin() + first + 1);
      Type i64 = node.builder.getI64Type();
      Value step = node.dimValues(size + 1, /*isScalar=*/true);
      Value places = node.build<RangeOp>({node.scalar(0, i64), step}, {}, node.tensorType(size, i64));
      term.value =
          node.build<GatherOp>({node.reshape(square, merged), places}, node.attribute("axis", first));
      term.labels.erase(term.labels.begin() + second);
      --i;
    }
  }

  LogicalResult parse() {
    std::string equation = node.getString("equation").value_or("");
    llvm::erase(equation, ' ');
    auto [left, right] = StringRef(equation).split("->");
    SmallVector<StringRef> inputs;
    left.split(inputs, ',');
    if (inputs.size() != node.getNumInputs())
      return node.fail("equation " + quoted(equation) + " does not have one term for each operand");
    for (auto [text, value] : llvm::zip_equal(inputs, node.getInputs())) {
      if (!value)
        return node.fail("an operand is missing");
      terms.push_back({value, {}});
      if (failed(parseLabels(text, getRank(value), terms.back().labels)))
        return failure();
    }
    if (!StringRef(equation).contains("->"))
      return inferOutput();
    if (failed(parseLabels(right, std::nullopt, output)))
      return failure();
    Labels sorted = output;
    llvm::sort(sorted);
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
      return node.fail("equation " + quoted(equation) + " has a label twice in the result");
    for (Label label : output)
      if (llvm::none_of(terms, [&](const Term &term) { return llvm::is_contained(term.labels, label); }))
        return node.fail("equation " + quoted(equation) + " has a label only in the result");
    return success();
  }

  /// Without an arrow: the ellipsis, then the labels that stand once, sorted.
  LogicalResult inferOutput() {
    for (int64_t i = ellipsisDims; i > 0; --i)
      output.push_back(ellipsisBase - static_cast<Label>(i));
    for (Label label = 0; label < 128; ++label)
      if (llvm::count_if(terms, [&](const Term &term) { return llvm::is_contained(term.labels, label); }) ==
          1)
        output.push_back(label);
    return success();
  }

  //===--------------------------------------------------------------------------------------------===//
  // Building
  //===--------------------------------------------------------------------------------------------===//

  Term sumOut(Term term, ArrayRef<Label> needed) {
    SmallVector<int64_t> axes;
    Labels left;
    for (auto [axis, label] : llvm::enumerate(term.labels))
      if (llvm::is_contained(needed, label))
        left.push_back(label);
      else
        axes.push_back(axis);
    if (axes.empty() || !term.value)
      return term;
    return {node.reduce(ReduceKind::Sum, term.value, axes, /*keepDims=*/false), left};
  }

  /// The term with its dims in this order; labels it lacks (ellipsis dims of a shorter operand) become dims
  /// of 1.
  Value arrange(Term term, ArrayRef<Label> order) {
    if (!term.value)
      return {};
    SmallVector<int64_t> permutation;
    for (Label label : order)
      if (auto found = llvm::find(term.labels, label); found != term.labels.end())
        permutation.push_back(found - term.labels.begin());
    Value value = node.transpose(term.value, permutation);
    if (!value || permutation.size() == order.size())
      return value;
    Dims dims, own = getDims(value);
    size_t next = 0;
    for (Label label : order)
      dims.push_back(llvm::is_contained(term.labels, label) ? own[next++] : node.dim(1));
    return node.reshape(value, dims);
  }

  DimExprAttr getDimOf(const Term &term, Label label) {
    auto found = llvm::find(term.labels, label);
    return found == term.labels.end() ? node.dim(1) : getDim(term.value, found - term.labels.begin());
  }

  /// The dims of some labels as one.
  DimExprAttr merge(const Term &term, ArrayRef<Label> labels) {
    DimExprAttr result = node.dim(1);
    for (Label label : labels)
      result = result * getDimOf(term, label);
    return result;
  }

  /// The term as [batch..., first labels as one dim, second labels as one dim].
  Value toMatrices(const Term &term, const Labels &batch, const Labels &rows, const Labels &columns) {
    Labels order = batch;
    order.append(rows);
    order.append(columns);
    Value value = arrange(term, order);
    Dims dims;
    for (Label label : batch)
      dims.push_back(getDimOf(term, label));
    dims.push_back(merge(term, rows));
    dims.push_back(merge(term, columns));
    return node.reshape(value, dims);
  }

  Term multiply(Term a, Term b, const Labels &needed) {
    Labels neededByA = needed, neededByB = needed;
    neededByA.append(b.labels);
    neededByB.append(a.labels);
    a = sumOut(a, neededByA);
    b = sumOut(b, neededByB);
    if (!a.value || !b.value)
      return {};
    Labels batch, contracted, freeA, freeB;
    for (Label label : a.labels) {
      if (!llvm::is_contained(b.labels, label))
        freeA.push_back(label);
      else
        (llvm::is_contained(needed, label) ? batch : contracted).push_back(label);
    }
    for (Label label : b.labels)
      if (!llvm::is_contained(a.labels, label))
        freeB.push_back(label);
    return contracted.empty() ? multiplyElements(a, b, batch, freeA, freeB)
                              : multiplyMatrices(a, b, batch, contracted, freeA, freeB);
  }

  /// Nothing is summed: an outer product, by broadcasting.
  Term multiplyElements(Term &a, Term &b, const Labels &batch, const Labels &freeA, const Labels &freeB) {
    Labels order = batch;
    order.append(freeA);
    order.append(freeB);
    return {node.build<MulOp>({arrange(a, order), arrange(b, order)}), order};
  }

  Term multiplyMatrices(Term &a, Term &b, const Labels &batch, const Labels &contracted, const Labels &freeA,
                        const Labels &freeB) {
    // B is left as it stands where its contracted labels are the last ones already.
    bool transposed = !freeB.empty() && b.labels.back() == contracted.back();
    SmallVector<NamedAttribute> attributes;
    if (transposed)
      attributes.push_back(node.flag("transpose_b"));
    for (Label label : contracted)
      if (DimExprAttr x = getDimOf(a, label), y = getDimOf(b, label);
          x.isConstant() && y.isConstant() && x != y) {
        (void)node.fail("dims " + x.str() + " and " + y.str() + " of one label differ");
        return {};
      }
    Value left = toMatrices(a, batch, freeA, contracted);
    Value right =
        transposed ? toMatrices(b, batch, freeB, contracted) : toMatrices(b, batch, contracted, freeB);
    Value product = node.build<MatmulOp>({left, right}, attributes);
    if (!product)
      return {};
    Labels order = batch;
    order.append(freeA);
    order.append(freeB);
    Dims all = getDims(product), dims(all.begin(), all.begin() + batch.size());
    for (Label label : freeA)
      dims.push_back(getDimOf(a, label));
    for (Label label : freeB)
      dims.push_back(getDimOf(b, label));
    return {node.reshape(product, dims), order};
  }

  NodeContext &node;
  SmallVector<Term> terms;
  Labels output;
  int64_t ellipsisDims = 0;
};

} // namespace

static LogicalResult importEinsum(NodeContext &node) { return Einsum(node).run(); }

void mlir::tfc::onnx_import::addEinsumOps(OpTable &table) { table.add("Einsum", importEinsum, 1, anyNumber); }
