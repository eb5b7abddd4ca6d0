//===- NodeContext.cpp - What a handler sees of a node, and how it builds ops ---------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "NodeContext.h"
#include "Names.h"
#include "TensorReader.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

std::string FunctionState::takeSymbol(StringRef hint) {
  // A name that starts with '%' would read as a value of the host program.
  std::string base = hint.starts_with("%") ? "_" + hint.drop_front().str() : hint.str();
  if (base.empty())
    base = "dim";
  std::string name = base;
  for (unsigned i = 1; !symbols.insert(name).second; ++i)
    name = base + "_" + std::to_string(i);
  return name;
}

//===----------------------------------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------------------------------===//

const ::onnx::AttributeProto *NodeContext::findAttribute(StringRef name) const {
  for (const ::onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

/// Files of IR version 1 may leave the type out: then the field that is set tells it.
static bool holdsType(const ::onnx::AttributeProto &attribute, int type) {
  switch (type) {
  case ::onnx::AttributeProto::FLOAT:
    return attribute.has_f();
  case ::onnx::AttributeProto::INT:
    return attribute.has_i();
  case ::onnx::AttributeProto::STRING:
    return attribute.has_s();
  case ::onnx::AttributeProto::TENSOR:
    return attribute.has_t();
  case ::onnx::AttributeProto::GRAPH:
    return attribute.has_g();
  default:
    // A repeated field may be empty.
    return !attribute.has_f() && !attribute.has_i() && !attribute.has_s() && !attribute.has_t();
  }
}

static StringRef describeType(int type) {
  switch (type) {
  case ::onnx::AttributeProto::FLOAT:
    return "a float";
  case ::onnx::AttributeProto::INT:
    return "an integer";
  case ::onnx::AttributeProto::STRING:
    return "a string";
  case ::onnx::AttributeProto::TENSOR:
    return "a tensor";
  case ::onnx::AttributeProto::INTS:
    return "a list of integers";
  case ::onnx::AttributeProto::GRAPH:
    return "a graph";
  case ::onnx::AttributeProto::FLOATS:
    return "a list of floats";
  default:
    return "something else";
  }
}

const ::onnx::AttributeProto *NodeContext::findAttribute(StringRef name, int type) {
  const ::onnx::AttributeProto *attribute = findAttribute(name);
  if (!attribute)
    return nullptr;
  bool hasType = attribute->has_type() && attribute->type() != ::onnx::AttributeProto::UNDEFINED;
  bool fits = hasType ? attribute->type() == type : holdsType(*attribute, type);
  if (fits && type == ::onnx::AttributeProto::TENSOR && !attribute->has_t())
    fits = false;
  if (fits && type == ::onnx::AttributeProto::GRAPH && !attribute->has_g())
    fits = false;
  if (fits && attribute->ref_attr_name().empty())
    return attribute;
  (void)fail("attribute " + quoted(name) + " must be " + describeType(type));
  return nullptr;
}

LogicalResult NodeContext::allowAttributes(ArrayRef<StringRef> names) {
  for (const ::onnx::AttributeProto &attribute : node.attribute())
    if (!llvm::is_contained(names, attribute.name()))
      return fail("attribute " + quoted(attribute.name()) + " is not known");
  return success();
}

std::optional<int64_t> NodeContext::getInt(StringRef name) {
  const auto *attribute = findAttribute(name, ::onnx::AttributeProto::INT);
  return attribute ? std::optional<int64_t>(attribute->i()) : std::nullopt;
}

bool NodeContext::getFlag(StringRef name, bool absent) {
  int64_t value = getInt(name, absent);
  if (value != 0 && value != 1)
    (void)fail("attribute " + quoted(name) + " must be 0 or 1, not " + Twine(value));
  return value != 0;
}

std::optional<double> NodeContext::getFloat(StringRef name) {
  const auto *attribute = findAttribute(name, ::onnx::AttributeProto::FLOAT);
  return attribute ? std::optional<double>(attribute->f()) : std::nullopt;
}

std::optional<std::string> NodeContext::getString(StringRef name) {
  const auto *attribute = findAttribute(name, ::onnx::AttributeProto::STRING);
  return attribute ? std::optional<std::string>(attribute->s()) : std::nullopt;
}

std::optional<SmallVector<int64_t>> NodeContext::getInts(StringRef name) {
  const auto *attribute = findAttribute(name, ::onnx::AttributeProto::INTS);
  if (!attribute)
    return std::nullopt;
  return SmallVector<int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::optional<SmallVector<double>> NodeContext::getFloats(StringRef name) {
  const auto *attribute = findAttribute(name, ::onnx::AttributeProto::FLOATS);
  if (!attribute)
    return std::nullopt;
  return SmallVector<double>(attribute->floats().begin(), attribute->floats().end());
}

const ::onnx::TensorProto *NodeContext::getTensor(StringRef name) {
  const auto *attribute = findAttribute(name, ::onnx::AttributeProto::TENSOR);
  return attribute ? &attribute->t() : nullptr;
}

Value NodeContext::buildTensor(const ::onnx::TensorProto &tensor) {
  std::string message;
  Value value = state.buildTensor(tensor, loc, message);
  if (!value)
    (void)fail(message);
  return value;
}

const ::onnx::GraphProto *NodeContext::getGraph(StringRef name) {
  const auto *attribute = findAttribute(name, ::onnx::AttributeProto::GRAPH);
  return attribute ? &attribute->g() : nullptr;
}

std::optional<SmallVector<Value>> NodeContext::importGraph(const ::onnx::GraphProto &graph,
                                                           ArrayRef<Value> inputs) {
  if (failedOnce)
    return std::nullopt;
  if (graph.input_size() != static_cast<int>(inputs.size())) {
    (void)fail("a graph inside has " + Twine(graph.input_size()) + " inputs, not " + Twine(inputs.size()));
    return std::nullopt;
  }
  FailureOr<SmallVector<Value>> results = state.importGraph(graph, inputs);
  if (succeeded(results) && !llvm::is_contained(*results, Value()))
    return *results;
  (void)fail("a graph inside gives nothing");
  return std::nullopt;
}

//===----------------------------------------------------------------------------------------------===//
// Failing and ending
//===----------------------------------------------------------------------------------------------===//

LogicalResult NodeContext::fail(const Twine &message) {
  if (!failedOnce)
    problem = message.str();
  failedOnce = true;
  return failure();
}

LogicalResult NodeContext::finish(ValueRange outputs) {
  if (failedOnce)
    return failure();
  for (auto [i, output] : llvm::enumerate(outputs))
    if (!output && wantsOutput(i))
      return fail("output " + Twine(i) + " is not supported");
  results.assign(outputs.begin(), outputs.end());
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------------------------------===//

SmallVector<Value> NodeContext::buildAll(StringRef name, ValueRange operands,
                                         ArrayRef<NamedAttribute> attributes, TypeRange resultTypes) {
  if (failedOnce || llvm::any_of(operands, [](Value operand) { return !operand; }))
    return {};
  FailureOr<SmallVector<Value>> built = buildOp(builder, loc, name, operands, attributes, resultTypes);
  if (failed(built)) {
    // The dialect has said what is wrong; the importer puts the node's name before it.
    (void)fail("");
    return {};
  }
  for (Value value : *built)
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      if (!tensorType(getDims(type), type.getElementType()))
        return {};
  return *built;
}

NamedAttribute NodeContext::attribute(StringRef name, int64_t value) const {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}
NamedAttribute NodeContext::attribute(StringRef name, double value) const {
  return builder.getNamedAttr(name, builder.getF64FloatAttr(value));
}
NamedAttribute NodeContext::attribute(StringRef name, ArrayRef<int64_t> values) const {
  return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(values));
}
NamedAttribute NodeContext::attribute(StringRef name, ArrayRef<DimExprAttr> values) const {
  return builder.getNamedAttr(name,
                              builder.getArrayAttr(SmallVector<Attribute>(values.begin(), values.end())));
}
NamedAttribute NodeContext::attribute(StringRef name, Attribute value) const {
  return builder.getNamedAttr(name, value);
}
NamedAttribute NodeContext::flag(StringRef name) const {
  return builder.getNamedAttr(name, builder.getUnitAttr());
}

RankedTensorType NodeContext::tensorType(ArrayRef<DimExprAttr> dims, Type elementType) {
  SmallVector<int64_t> known;
  for (DimExprAttr expr : dims) {
    if (!expr) {
      (void)fail("a dim is not known");
      return {};
    }
    known.push_back(expr.getConstant().value_or(1));
  }
  if (auto checked = getCheckedType(known, elementType); !checked) {
    (void)fail(llvm::toString(checked.takeError()));
    return {};
  }
  return getTensorType(dims, elementType);
}

Value NodeContext::scalar(double value, Type elementType) {
  Attribute number;
  auto type = RankedTensorType::get({}, elementType);
  if (isa<FloatType>(elementType))
    number = builder.getFloatAttr(elementType, value);
  else
    number =
        IntegerAttr::get(elementType, APInt(elementType.getIntOrFloatBitWidth(), static_cast<int64_t>(value),
                                            /*isSigned=*/true, /*implicitTrunc=*/true));
  return build<ConstantOp>({}, attribute("value", DenseElementsAttr::get(type, number)), type);
}

Value NodeContext::dimValues(ArrayRef<DimExprAttr> values, bool isScalar) {
  SmallVector<int64_t> shape;
  if (!isScalar)
    shape.push_back(values.size());
  Value built = buildDimValues(builder, loc, values, RankedTensorType::get(shape, builder.getI64Type()));
  if (!built)
    (void)fail("a size cannot be expressed");
  return built;
}

Value NodeContext::cast(Value x, Type elementType) {
  if (!x || onnx_import::getElementType(x) == elementType)
    return x;
  return build<CastOp>(x, {}, getTensorType(getDims(x), elementType));
}

Value NodeContext::reshape(Value x, ArrayRef<DimExprAttr> dims) {
  if (!x)
    return x;
  RankedTensorType type = tensorType(dims, onnx_import::getElementType(x));
  if (!type || type == x.getType())
    return type ? x : Value();
  return build<ReshapeOp>(x, {}, type);
}

Value NodeContext::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (!x || llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return x;
  return build<TransposeOp>(x, attribute("permutation", permutation));
}

Value NodeContext::expand(Value x, ArrayRef<DimExprAttr> dims) {
  if (!x)
    return x;
  RankedTensorType type = tensorType(dims, onnx_import::getElementType(x));
  if (!type || type == x.getType())
    return type ? x : Value();
  return build<ExpandOp>(x, {}, type);
}

Value NodeContext::slice(Value x, ArrayRef<DimExprAttr> offsets, ArrayRef<int64_t> strides,
                         ArrayRef<DimExprAttr> dims) {
  if (!x)
    return x;
  RankedTensorType type = tensorType(dims, onnx_import::getElementType(x));
  if (!type)
    return {};
  bool isWhole = llvm::all_of(offsets, [](DimExprAttr offset) { return offset.isConstant(0); }) &&
                 llvm::all_of(strides, [](int64_t stride) { return stride == 1; });
  if (isWhole && type == x.getType())
    return x;
  return build<SliceOp>(x, {attribute("offsets", offsets), attribute("strides", strides)}, type);
}

Value NodeContext::sliceAxis(Value x, int64_t axis, DimExprAttr offset, DimExprAttr length) {
  if (!x)
    return x;
  Dims dims = getDims(x), offsets(dims.size(), dim(0));
  dims[axis] = length;
  offsets[axis] = offset;
  return slice(x, offsets, SmallVector<int64_t>(dims.size(), 1), dims);
}

Value NodeContext::conform(Value x, int64_t axis, DimExprAttr length) {
  if (!x || getDim(x, axis) == length)
    return x;
  DimExprAttr own = getDim(x, axis);
  if (own.isConstant() && length.isConstant()) {
    (void)fail("dim " + Twine(axis) + " of an operand is " + own.str() + ", not " + length.str());
    return {};
  }
  require(RequireKind::Equal, own, length);
  return sliceAxis(x, axis, dim(0), length);
}

Value NodeContext::toScalar(Value x, StringRef what) {
  if (!x)
    return x;
  for (int64_t axis = 0; x && axis < getRank(x); ++axis)
    if (!getDim(x, axis).isConstant())
      x = conform(x, axis, dim(1));
  if (!x)
    return x;
  if (!getElementCount(x.getType()).isConstant(1)) {
    (void)fail(what + " must be a single number");
    return {};
  }
  return reshape(x, {});
}

Value NodeContext::compare(CompareKind kind, Value x, Value y) {
  return build<CompareOp>({x, y}, attribute("kind", CompareKindAttr::get(builder.getContext(), kind)));
}

Value NodeContext::reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes, bool keepDims) {
  SmallVector<NamedAttribute> attributes = {
      attribute("kind", ReduceKindAttr::get(builder.getContext(), kind)), attribute("axes", axes)};
  if (keepDims)
    attributes.push_back(flag("keep_dims"));
  return build<ReduceOp>(x, attributes);
}

std::optional<int64_t> NodeContext::normalizeAxis(int64_t axis, int64_t rank, StringRef what) {
  if (axis < -rank || axis >= rank) {
    (void)fail(what + " " + Twine(axis) + " is outside a tensor of rank " + Twine(rank));
    return std::nullopt;
  }
  return axis < 0 ? axis + rank : axis;
}

std::optional<SmallVector<int64_t>> NodeContext::normalizeAxes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    std::optional<int64_t> normal = normalizeAxis(axis, rank);
    if (!normal)
      return std::nullopt;
    result.push_back(*normal);
  }
  llvm::sort(result);
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) {
    (void)fail("an axis is named twice");
    return std::nullopt;
  }
  return result;
}

//===----------------------------------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------------------------------===//

std::optional<SmallVector<int64_t>> NodeContext::getConstantInts(Value value, StringRef what) {
  if (failedOnce || !value)
    return std::nullopt;
  std::optional<SmallVector<int64_t>> integers = matchIntegers(value);
  if (!integers)
    (void)fail(what + " must be known at compile time");
  return integers;
}

/// Where the elements are not all known, those that are still keep their values: a Reshape's target is often
/// a Concat of a size from data and constants such as -1, which may not be bound to a symbol.
bool NodeContext::collectSizes(Value value, StringRef what, Dims &sizes, unsigned depth) {
  if (std::optional<Dims> known = matchDimValues(value)) {
    sizes.append(*known);
    return true;
  }
  if (auto concat = value.getDefiningOp<ConcatOp>(); concat && depth < 16 && getRank(value) == 1) {
    for (Value input : concat.getInputs())
      if (!collectSizes(input, what, sizes, depth + 1))
        return false;
    return true;
  }
  std::optional<int64_t> count = getElementCount(value.getType()).getConstant();
  if (!isa<IntegerType>(onnx_import::getElementType(value)) || !count || *count > maxRank) {
    (void)fail(what + " must be integers, at most " + Twine(maxRank) + " of them");
    return false;
  }
  // A size that comes from outside a branch or a loop's body is known outside.
  OpBuilder::InsertionGuard guard(builder);
  if (Operation *inside =
          value.getParentBlock()->findAncestorOpInBlock(*builder.getInsertionBlock()->getParentOp()))
    builder.setInsertionPoint(inside);
  Value bound = cast(value, builder.getI64Type());
  if (!bound)
    return false;
  SmallVector<StringRef> names;
  SmallVector<std::string> storage;
  for (int64_t i = 0; i < *count; ++i)
    storage.push_back(state.takeSymbol((node.output_size() ? node.output(0) : node.op_type()) + "_d" +
                                       std::to_string(sizes.size() + i)));
  for (const std::string &name : storage) {
    names.push_back(name);
    sizes.push_back(DimExprAttr::symbol(builder.getContext(), name));
  }
  if (*count > 0)
    BindOp::create(builder, loc, bound, builder.getStrArrayAttr(names));
  return true;
}

std::optional<Dims> NodeContext::getSizes(Value value, StringRef what) {
  Dims sizes;
  if (failedOnce || !value)
    return std::nullopt;
  if (getRank(value) > 1) {
    (void)fail(what + " must have rank 1");
    return std::nullopt;
  }
  if (!collectSizes(value, what, sizes, 0))
    return std::nullopt;
  if (static_cast<int64_t>(sizes.size()) > maxRank) {
    (void)fail(what + " has " + Twine(sizes.size()) + " entries; at most " + Twine(maxRank) +
               " are possible");
    return std::nullopt;
  }
  return sizes;
}

std::optional<DimExprAttr> NodeContext::getSize(Value value, StringRef what) {
  if (value && !getElementCount(value.getType()).isConstant())
    value = toScalar(value, what);
  std::optional<Dims> sizes = getSizes(value, what);
  if (!sizes)
    return std::nullopt;
  if (sizes->size() != 1) {
    (void)fail(what + " must be a single number");
    return std::nullopt;
  }
  return sizes->front();
}

void NodeContext::require(RequireKind kind, DimExprAttr lhs, DimExprAttr rhs) {
  if (!failedOnce)
    RequireOp::create(builder, loc, kind, lhs, rhs);
}
