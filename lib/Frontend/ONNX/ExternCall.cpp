//===- ExternCall.cpp - Operators that the host provides ------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Nobody can infer what an unknown operator gives: the types of its outputs are those that the file declares, in terms of
// dims that inputs have. 4-bit numbers come and go one in a byte, as at the model's own doors.
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "Names.h"
#include "TensorReader.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// The dim that the file declares; null after an error.
static DimExprAttr readDeclaredDim(NodeContext &node, const ::onnx::TensorShapeProto::Dimension &dim,
                                   const Twine &what) {
  if (dim.has_dim_value() && dim.dim_value() >= 0)
    return node.dim(dim.dim_value());
  DimExprAttr known = node.getNamedDim(dim.dim_param());
  if (!known && dim.dim_param().empty())
    (void)node.fail(what + " must be declared, as a number or by a name that an input's dim has");
  else if (!known)
    (void)node.fail(what + " is declared as " + quoted(dim.dim_param()) + ", which no input's dim is called");
  return known;
}

/// The type that the file declares for an output that somebody uses; null after an error.
static RankedTensorType readDeclaredType(NodeContext &node, int output) {
  std::string what = "output " + quoted(node.getOutputName(output));
  const ::onnx::TypeProto::Tensor *declared = node.getDeclaredType(output);
  if (!declared) {
    (void)node.fail("it becomes a call of the host, so the file must declare the type and shape of its " + what);
    return {};
  }
  auto elementType = onnx_import::getElementType(node.builder.getContext(), declared->elem_type());
  if (!elementType) {
    (void)node.fail(what + ": " + llvm::toString(elementType.takeError()));
    return {};
  }
  Dims dims;
  for (auto [i, dim] : llvm::enumerate(declared->shape().dim())) {
    dims.push_back(readDeclaredDim(node, dim, what + ": dim " + Twine(i)));
    if (!dims.back())
      return {};
  }
  return node.tensorType(dims, *elementType);
}

/// The value as an attribute of the call; null where the hook has no way to say it.
static Attribute readAttribute(Builder &builder, const ::onnx::AttributeProto &attribute) {
  switch (attribute.type()) {
  case ::onnx::AttributeProto::INT:
    return builder.getI64IntegerAttr(attribute.i());
  case ::onnx::AttributeProto::FLOAT:
    return builder.getF32FloatAttr(attribute.f());
  case ::onnx::AttributeProto::STRING:
    return builder.getStringAttr(attribute.s());
  case ::onnx::AttributeProto::INTS: {
    SmallVector<int64_t> values(attribute.ints().begin(), attribute.ints().end());
    return builder.getDenseI64ArrayAttr(values);
  }
  case ::onnx::AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr(llvm::ArrayRef(attribute.floats().data(), attribute.floats_size()));
  case ::onnx::AttributeProto::STRINGS:
    return builder.getStrArrayAttr(SmallVector<StringRef>(attribute.strings().begin(), attribute.strings().end()));
  default:
    return {};
  }
}

static DictionaryAttr readAttributes(NodeContext &node) {
  NamedAttrList list;
  for (const ::onnx::AttributeProto &attribute : node.getAttributes()) {
    std::string what = "attribute " + quoted(attribute.name());
    Attribute value = attribute.ref_attr_name().empty() ? readAttribute(node.builder, attribute) : Attribute();
    if (attribute.name().empty() || list.get(attribute.name()))
      (void)node.fail(what + " has no name of its own");
    else if (!value)
      (void)node.fail(what + " cannot be handed to the host: only numbers, strings and lists of them can");
    if (node.hasFailed())
      return {};
    list.append(attribute.name(), value);
  }
  return list.getDictionary(node.builder.getContext());
}

LogicalResult mlir::tfc::onnx_import::importExternCall(NodeContext &node) {
  SmallVector<Value> operands;
  SmallVector<int64_t> absentInputs, absentOutputs;
  for (auto [i, input] : llvm::enumerate(node.getInputs())) {
    if (input)
      operands.push_back(node.cast(input, getWideType(onnx_import::getElementType(input))));
    else
      absentInputs.push_back(i);
  }
  SmallVector<RankedTensorType> declared(node.getNumOutputs());
  SmallVector<Type> types;
  for (auto [i, type] : llvm::enumerate(declared)) {
    if (!node.wantsOutput(i)) {
      absentOutputs.push_back(i);
      continue;
    }
    type = readDeclaredType(node, i);
    if (!type)
      return failure();
    types.push_back(getTensorType(getDims(type), getWideType(type.getElementType())));
  }
  DictionaryAttr attributes = readAttributes(node);
  if (node.hasFailed())
    return failure();
  auto call = ExternCallOp::create(node.builder, node.loc, types, (node.getDomain() + ":" + node.getOpType()).str(),
                                   operands, attributes);
  if (!absentInputs.empty())
    call->setAttr("absent_inputs", node.builder.getDenseI64ArrayAttr(absentInputs));
  if (!absentOutputs.empty())
    call->setAttr("absent_outputs", node.builder.getDenseI64ArrayAttr(absentOutputs));
  SmallVector<Value> results;
  unsigned next = 0;
  for (RankedTensorType type : declared)
    results.push_back(type ? node.cast(call.getResult(next++), type.getElementType()) : Value());
  return node.finish(results);
}
