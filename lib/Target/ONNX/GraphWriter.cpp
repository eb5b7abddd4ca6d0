//===- GraphWriter.cpp - Names, nodes, blocks ------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphWriter.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_export;

std::optional<int32_t> mlir::tfc::onnx_export::getElementNumber(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    switch (integer.getWidth()) {
    case 1:
      return 9;
    case 4:
      return integer.isUnsigned() ? 21 : 22;
    case 8:
      return integer.isUnsigned() ? 2 : 3;
    case 16:
      return integer.isUnsigned() ? 4 : 5;
    case 32:
      return integer.isUnsigned() ? 12 : 6;
    case 64:
      return integer.isUnsigned() ? 13 : 7;
    default:
      return std::nullopt;
    }
  }
  return llvm::TypeSwitch<Type, std::optional<int32_t>>(type)
      .Case([](Float32Type) { return 1; })
      .Case([](Float16Type) { return 10; })
      .Case([](Float64Type) { return 11; })
      .Case([](BFloat16Type) { return 16; })
      .Case([](Float8E4M3FNType) { return 17; })
      .Case([](Float8E4M3FNUZType) { return 18; })
      .Case([](Float8E5M2Type) { return 19; })
      .Case([](Float8E5M2FNUZType) { return 20; })
      .Default([](Type) { return std::nullopt; });
}

std::string ModelState::takeName(StringRef hint) {
  std::string base = hint.empty() ? "value" : hint.str(), name = base;
  for (unsigned i = 1; !names.insert(name).second; ++i)
    name = base + "_" + std::to_string(i);
  return name;
}

std::string ModelState::getWeightName(StringRef weight) {
  std::string &name = weights[weight];
  if (name.empty())
    name = takeName(weight);
  return name;
}

//===----------------------------------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------------------------------===//

::onnx::AttributeProto *NodeMaker::add(StringRef name, ::onnx::AttributeProto::AttributeType type) {
  ::onnx::AttributeProto *attribute = node->add_attribute();
  attribute->set_name(name.str());
  attribute->set_type(type);
  return attribute;
}

NodeMaker &NodeMaker::set(StringRef name, int64_t value) {
  add(name, ::onnx::AttributeProto::INT)->set_i(value);
  return *this;
}
NodeMaker &NodeMaker::set(StringRef name, double value) {
  add(name, ::onnx::AttributeProto::FLOAT)->set_f(static_cast<float>(value));
  return *this;
}
NodeMaker &NodeMaker::set(StringRef name, StringRef value) {
  add(name, ::onnx::AttributeProto::STRING)->set_s(value.str());
  return *this;
}
NodeMaker &NodeMaker::set(StringRef name, ArrayRef<int64_t> values) {
  auto *attribute = add(name, ::onnx::AttributeProto::INTS);
  for (int64_t value : values)
    attribute->add_ints(value);
  return *this;
}
NodeMaker &NodeMaker::setAttribute(StringRef name, Attribute value) {
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return set(name, integer.getValue().getSExtValue());
  if (auto number = dyn_cast<FloatAttr>(value))
    return set(name, number.getValueAsDouble());
  if (auto text = dyn_cast<StringAttr>(value))
    return set(name, text.getValue());
  if (auto list = dyn_cast<DenseI64ArrayAttr>(value))
    return set(name, list.asArrayRef());
  if (auto list = dyn_cast<DenseF32ArrayAttr>(value)) {
    auto *attribute = add(name, ::onnx::AttributeProto::FLOATS);
    for (float number : list.asArrayRef())
      attribute->add_floats(number);
  } else if (auto list = dyn_cast<ArrayAttr>(value)) {
    auto *attribute = add(name, ::onnx::AttributeProto::STRINGS);
    for (auto text : list.getAsRange<StringAttr>())
      attribute->add_strings(text.str());
  }
  return *this;
}
::onnx::GraphProto *NodeMaker::addGraph(StringRef name) {
  ::onnx::GraphProto *graph = add(name, ::onnx::AttributeProto::GRAPH)->mutable_g();
  graph->set_name(name.str());
  return graph;
}

std::string NodeMaker::output(StringRef name) {
  // Inner values are named after the op they belong to.
  std::string own = name.empty() ? state.takeName(node->name() + "_out") : name.str();
  node->add_output(own);
  return own;
}

//===----------------------------------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------------------------------===//

std::string GraphWriter::getName(Value value) {
  if (auto sizes = value.getDefiningOp<DimValuesOp>())
    return makeDimValues(sizes);
  for (GraphWriter *writer = this; writer; writer = writer->outer)
    if (auto found = writer->names.find(value); found != writer->names.end())
      return found->second;
  return names[value] = state.takeName("value");
}

std::vector<std::string> GraphWriter::getNames(ValueRange values) {
  std::vector<Name> result;
  for (Value value : values)
    result.push_back(value ? getName(value) : "");
  return result;
}

NodeMaker GraphWriter::add(StringRef op, ArrayRef<Name> inputs, StringRef domain) {
  ::onnx::NodeProto *node = graph->add_node();
  node->set_op_type(op.str());
  node->set_name(state.takeName(place.empty() ? op : place));
  if (!domain.empty())
    node->set_domain(domain.str());
  state.usesContrib |= domain == "com.microsoft";
  for (const Name &input : inputs)
    node->add_input(input);
  return NodeMaker(node, state);
}

void GraphWriter::give(NodeMaker node, Value result) { names[result] = node.output(wanted.lookup(result)); }

std::string GraphWriter::make(StringRef op, ArrayRef<Name> inputs) { return add(op, inputs).output(); }

template <typename Values> static void appendBytes(std::string &bytes, const Values &values, unsigned width) {
  unsigned count = 0;
  for (const auto &value : values) {
    uint64_t word;
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, APInt>)
      word = value.getZExtValue();
    else if constexpr (std::is_same_v<std::decay_t<decltype(value)>, int64_t>)
      word = static_cast<uint64_t>(value);
    else
      word = value.bitcastToAPInt().getZExtValue();
    if (width == 4 && count++ % 2) {
      bytes.back() |= static_cast<char>(word << 4);
      continue;
    }
    for (unsigned bit = 0; bit < std::max(width, 8u); bit += 8)
      bytes.push_back(static_cast<char>(word >> bit));
  }
}

std::string GraphWriter::makeConstant(ElementsAttr value) {
  auto type = cast<RankedTensorType>(value.getType());
  ::onnx::TensorProto *tensor = state.root->add_initializer();
  tensor->set_name(state.takeName("constant"));
  tensor->set_data_type(getElementNumber(type.getElementType()).value_or(0));
  for (int64_t dim : type.getShape())
    tensor->add_dims(dim);
  unsigned width = type.getElementType().getIntOrFloatBitWidth();
  auto dense = cast<DenseElementsAttr>(value);
  if (isa<FloatType>(type.getElementType()))
    appendBytes(*tensor->mutable_raw_data(), dense.getValues<APFloat>(), width);
  else
    appendBytes(*tensor->mutable_raw_data(), dense.getValues<APInt>(), width);
  return tensor->name();
}

std::string GraphWriter::makeInts(ArrayRef<int64_t> values, bool isScalar) {
  ::onnx::TensorProto *tensor = state.root->add_initializer();
  tensor->set_name(state.takeName("ints"));
  tensor->set_data_type(::onnx::TensorProto::INT64);
  if (!isScalar)
    tensor->add_dims(values.size());
  appendBytes(*tensor->mutable_raw_data(), values, 64);
  return tensor->name();
}

std::string GraphWriter::makeScalar(double value, Type elementType) {
  auto type = RankedTensorType::get({}, elementType);
  if (auto floating = dyn_cast<FloatType>(elementType))
    return makeConstant(DenseElementsAttr::get(type, FloatAttr::get(floating, value).getValue()));
  APInt number(elementType.getIntOrFloatBitWidth(), static_cast<int64_t>(value), /*isSigned=*/true, /*implicitTrunc=*/true);
  return makeConstant(DenseElementsAttr::get(type, number));
}

std::string GraphWriter::makeCast(Name x, Type elementType) {
  return add("Cast", {x}).set("to", int64_t(getElementNumber(elementType).value_or(0))).output();
}

//===----------------------------------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------------------------------===//

void GraphWriter::addValueInfo(::onnx::ValueInfoProto *info, StringRef name, Type type, bool withShape) {
  auto tensor = cast<RankedTensorType>(type);
  info->set_name(name.str());
  auto *typeProto = info->mutable_type()->mutable_tensor_type();
  typeProto->set_elem_type(getElementNumber(tensor.getElementType()).value_or(0));
  if (!withShape)
    return;
  auto *shape = typeProto->mutable_shape();
  for (DimExprAttr dim : getDims(type)) {
    auto *entry = shape->add_dim();
    if (std::optional<int64_t> constant = dim.getConstant())
      entry->set_dim_value(*constant);
    else
      entry->set_dim_param(dim.getSymbol() ? dim.getSymbol()->str() : dim.str());
  }
}

/// Ops whose value is no output of a node.
static bool isNamedElsewhere(Operation *op) { return isa<WeightRefOp, ConstantOp, DimValuesOp, ShapeOp>(op); }

void GraphWriter::nameOutputs(Block &block, ValueRange values, ArrayRef<std::string> outputNames) {
  for (auto [value, name] : llvm::zip_equal(values, outputNames)) {
    Operation *producer = value.getDefiningOp();
    if (producer && producer->getBlock() == &block && !isNamedElsewhere(producer))
      wanted.try_emplace(value, name);
  }
}

void GraphWriter::addOutputs(ValueRange values, ArrayRef<std::string> outputNames, bool withShape) {
  for (auto [value, name] : llvm::zip_equal(values, outputNames)) {
    if (wanted.lookup(value) != name)
      add("Identity", {getName(value)}).output(name);
    addValueInfo(graph->add_output(), name, value.getType(), withShape);
  }
}

LogicalResult GraphWriter::writeOp(Operation *op) {
  auto location = dyn_cast<NameLoc>(op->getLoc());
  if (auto fused = dyn_cast<FusedLoc>(op->getLoc()); fused && !fused.getLocations().empty())
    location = dyn_cast<NameLoc>(fused.getLocations().back());
  place = location ? location.getName().str() : "";
  for (Type type : op->getResultTypes())
    if (!getElementNumber(getElementTypeOrSelf(type)))
      return op->emitError("has a type that ONNX does not know: ") << type;
  if (isa<RequireOp>(op))
    return success();
  if (auto bind = dyn_cast<BindOp>(op))
    return bindSymbols(bind), success();
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    names[extract.getResult()] = getName(extract.getTensor());
    return success();
  }
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return writeIf(branch);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return writeWhile(loop);
  if (writeElementwise(op) || writeMovement(op) || writeCompute(op))
    return success();
  return op->emitError("'") << op->getName() << "' cannot be written as ONNX";
}

LogicalResult GraphWriter::writeBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(writeOp(&op)))
      return failure();
  place.clear();
  return success();
}

LogicalResult GraphWriter::writeFunction(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError("has no body that could be written as a graph");
  Block &body = function.front();
  auto nameOf = [&](DictionaryAttr attributes, StringRef kind, int64_t index) {
    auto name = attributes ? attributes.getAs<StringAttr>("tfc.name") : StringAttr();
    return name ? name.str() : (kind + Twine(index)).str();
  };
  for (BlockArgument argument : body.getArguments()) {
    std::string name = nameOf(function.getArgAttrDict(argument.getArgNumber()), "input", argument.getArgNumber());
    if (!state.names.insert(name).second)
      return function.emitError("two inputs have the name '") << name << "'";
    names[argument] = name;
    addValueInfo(graph->add_input(), name, argument.getType(), /*withShape=*/true);
  }
  ValueRange results = body.getTerminator()->getOperands();
  std::vector<std::string> outputs;
  for (size_t i = 0; i < results.size(); ++i)
    outputs.push_back(state.takeName(nameOf(function.getResultAttrDict(i), "output", i)));
  bindInputs(function);
  nameOutputs(body, results, outputs);
  if (failed(writeBlock(body)))
    return failure();
  addOutputs(results, outputs, /*withShape=*/true);
  return success();
}
