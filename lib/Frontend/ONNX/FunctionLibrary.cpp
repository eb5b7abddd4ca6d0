//===- FunctionLibrary.cpp - The functions that a model defines itself ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "FunctionLibrary.h"
#include "GraphOrder.h"
#include "Names.h"
#include <google/protobuf/io/coded_stream.h>

using namespace mlir::tfc::onnx_import;

static llvm::Error refuse(const llvm::Twine &message) {
  return llvm::createStringError(std::make_error_code(std::errc::invalid_argument), message);
}

//===----------------------------------------------------------------------------------------------===//
// Fields that the schema at hand does not know
//===----------------------------------------------------------------------------------------------===//

/// FunctionProto.attribute_proto, FunctionProto.overload and NodeProto.overload are newer than the schema; what a
/// message holds of them is kept as bytes.
static constexpr uint32_t attributeProtoField = 11, functionOverloadField = 13, nodeOverloadField = 8;

template <typename Message>
static std::vector<std::string> getUnknownFields(const Message &message, uint32_t number) {
  std::vector<std::string> found;
  const std::string &bytes = message.unknown_fields();
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t *>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  while (uint32_t tag = stream.ReadTag()) {
    int length;
    std::string value;
    // The trimmed file has only fields of lengths among those that the schema does not know.
    if ((tag & 7) != 2 || !stream.ReadVarintSizeAsInt(&length) || !stream.ReadString(&value, length))
      break;
    if (tag >> 3 == number)
      found.push_back(std::move(value));
  }
  return found;
}

template <typename Message> static std::string getOverload(const Message &message, uint32_t number) {
  std::vector<std::string> found = getUnknownFields(message, number);
  return found.empty() ? std::string() : found.back();
}

static std::string makeKey(const std::string &domain, const std::string &name, const std::string &overload) {
  return (domain == "ai.onnx" ? "" : domain) + '\n' + name + '\n' + overload;
}

static std::string getCalledKey(const ::onnx::NodeProto &node) {
  return makeKey(node.domain(), node.op_type(), getOverload(node, nodeOverloadField));
}

//===----------------------------------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------------------------------===//

llvm::Error FunctionLibrary::read(const ::onnx::ModelProto &model) {
  for (const ::onnx::FunctionProto &function : model.functions()) {
    std::string key =
        makeKey(function.domain(), function.name(), getOverload(function, functionOverloadField));
    if (function.name().empty())
      return refuse("a function has no name");
    if (!functions.try_emplace(key, &function).second)
      return refuse("function " + quoted(function.name()) + " is defined twice");
  }
  uint64_t count = 0;
  return functions.empty() ? llvm::Error::success() : countNodes(model.graph().node(), 0, count);
}

llvm::Error FunctionLibrary::countNodes(const NodeList &nodes, unsigned depth, uint64_t &count) {
  for (const ::onnx::NodeProto &node : nodes) {
    uint64_t inside = 1;
    if (const ::onnx::FunctionProto *function = find(node))
      if (llvm::Error error = countFunction(getCalledKey(node), *function, depth + 1, inside))
        return error;
    count += inside;
    if (count > limits.expandedNodes)
      return refuse("its functions expand to more than " + llvm::Twine(limits.expandedNodes) +
                     " nodes (--limit=expanded-nodes=N allows more)");
    llvm::Error problem = llvm::Error::success();
    forEachSubgraph(node, [&](const ::onnx::GraphProto &graph) {
      if (!problem)
        problem = countNodes(graph.node(), depth, count);
    });
    if (problem)
      return problem;
  }
  return llvm::Error::success();
}

llvm::Error FunctionLibrary::countFunction(const std::string &key, const ::onnx::FunctionProto &function,
                                           unsigned depth, uint64_t &count) {
  if (depth > limits.calls)
    return refuse("its functions call each other more than " + llvm::Twine(limits.calls) +
                   " deep (--limit=call-depth=N allows more)");
  auto [known, isNew] = counts.try_emplace(key, 0);
  if (!isNew && known->second == 0)
    return refuse("function " + quoted(function.domain() + ":" + function.name()) + " calls itself");
  if (isNew) {
    // An empty function counts too, so that 0 only means: being counted.
    uint64_t inside = 1;
    if (llvm::Error error = countNodes(function.node(), depth, inside))
      return error;
    counts[key] = inside;
  }
  count = counts[key];
  return llvm::Error::success();
}

const ::onnx::FunctionProto *FunctionLibrary::find(const ::onnx::NodeProto &node) const {
  return functions.empty() ? nullptr : functions.lookup(getCalledKey(node));
}

//===----------------------------------------------------------------------------------------------===//
// Expanding
//===----------------------------------------------------------------------------------------------===//

using Attributes = llvm::StringMap<::onnx::AttributeProto>;

static llvm::Error substitute(::onnx::GraphProto &graph, const ::onnx::FunctionProto &function,
                              const Attributes &given);

/// Puts the call's attributes where the node refers to them; a reference to one that is not given, and has no default,
/// leaves the node without the attribute.
static llvm::Error substitute(::onnx::NodeProto &node, const ::onnx::FunctionProto &function,
                              const Attributes &given) {
  for (int i = 0; i < node.attribute_size();) {
    ::onnx::AttributeProto &attribute = *node.mutable_attribute(i);
    std::string reference = attribute.ref_attr_name();
    if (!reference.empty()) {
      auto found = given.find(reference);
      bool isDeclared = found != given.end() || llvm::is_contained(function.attribute(), reference);
      if (!isDeclared)
        return refuse("function " + quoted(function.name()) + " has no attribute " + quoted(reference));
      if (found == given.end()) {
        node.mutable_attribute()->DeleteSubrange(i, 1);
        continue;
      }
      std::string name = attribute.name();
      attribute = found->second;
      attribute.set_name(name);
    }
    if (attribute.has_g())
      if (llvm::Error error = substitute(*attribute.mutable_g(), function, given))
        return error;
    for (::onnx::GraphProto &graph : *attribute.mutable_graphs())
      if (llvm::Error error = substitute(graph, function, given))
        return error;
    ++i;
  }
  return llvm::Error::success();
}

static llvm::Error substitute(::onnx::GraphProto &graph, const ::onnx::FunctionProto &function,
                              const Attributes &given) {
  for (::onnx::NodeProto &node : *graph.mutable_node())
    if (llvm::Error error = substitute(node, function, given))
      return error;
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<::onnx::GraphProto>>
FunctionLibrary::expand(const ::onnx::FunctionProto &function, const ::onnx::NodeProto &call) {
  if (call.input_size() > function.input_size() || call.output_size() > function.output_size())
    return refuse("it has " + llvm::Twine(call.input_size()) + " inputs and " +
                   llvm::Twine(call.output_size()) + " outputs, which do not fit the function");
  Attributes given;
  for (const std::string &bytes : getUnknownFields(function, attributeProtoField)) {
    ::onnx::AttributeProto attribute;
    if (!attribute.ParseFromString(bytes))
      return refuse("a default of function " + quoted(function.name()) + " cannot be read");
    given[attribute.name()] = attribute;
  }
  for (const ::onnx::AttributeProto &attribute : call.attribute())
    given[attribute.name()] = attribute;
  auto graph = std::make_unique<::onnx::GraphProto>();
  for (const std::string &name : function.input())
    graph->add_input()->set_name(name);
  for (const std::string &name : function.output())
    graph->add_output()->set_name(name);
  *graph->mutable_node() = function.node();
  if (llvm::Error error = substitute(*graph, function, given))
    return std::move(error);
  return std::move(graph);
}
