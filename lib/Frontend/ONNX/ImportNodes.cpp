//===- ImportNodes.cpp - Nodes, the graphs inside them, and calls of functions --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "GraphOrder.h"
#include "Names.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

//===----------------------------------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------------------------------===//

Value GraphImporter::buildTensor(const ::onnx::TensorProto &tensor, StringRef name, Location loc,
                                 std::string &problem) {
  auto contents = reader.read(tensor);
  if (contents && contents->type.getElementType().isInteger(4) && contents->type.getNumElements() > 0) {
    RankedTensorType type = contents->type;
    contents = reader.widen(*contents, name);
    if (contents)
      return CastOp::create(builder, loc, type, weights.build(builder, loc, name, *contents));
  }
  if (contents)
    return weights.build(builder, loc, name, *contents);
  problem = "tensor " + quoted(name) + ": " + llvm::toString(contents.takeError());
  return {};
}

bool GraphImporter::isKnown(StringRef name) const {
  for (const auto &scope : llvm::reverse(scopes)) {
    if (scope->values.contains(name) || scope->initializers.contains(name))
      return true;
    if (scope->isFunction)
      break;
  }
  return false;
}

FailureOr<Value> GraphImporter::getValue(StringRef name) {
  for (const auto &scope : llvm::reverse(scopes)) {
    if (auto found = scope->values.find(name); found != scope->values.end())
      return found->second;
    auto initializer = scope->initializers.find(name);
    if (initializer == scope->initializers.end()) {
      if (scope->isFunction)
        break;
      continue;
    }
    // The tensor of an outer graph stands there, before the op whose region uses it first.
    OpBuilder::InsertionGuard guard(builder);
    if (Block *block = builder.getInsertionBlock(); block != scope->block)
      builder.setInsertionPoint(scope->block->findAncestorOpInBlock(*block->getParentOp()));
    std::string problem;
    Location loc = NameLoc::get(builder.getStringAttr(name));
    Value value = buildTensor(*initializer->second, name, loc, problem);
    if (!value)
      return fail(problem);
    scope->values[name] = value;
    return value;
  }
  return fail("nothing makes " + quoted(name));
}

//===----------------------------------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------------------------------===//

FailureOr<SmallVector<Value>> GraphImporter::importGraph(const ::onnx::GraphProto &inner,
                                                         ArrayRef<Value> inputs, GraphScope scope) {
  scope.block = builder.getInsertionBlock();
  for (const ::onnx::TensorProto &tensor : inner.initializer())
    scope.initializers[tensor.name()] = &tensor;
  for (auto [info, value] : llvm::zip_equal(inner.input(), inputs))
    scope.values[info.name()] = value;
  scopes.push_back(std::make_unique<GraphScope>(std::move(scope)));
  llvm::scope_exit leave([&] { scopes.pop_back(); });
  bool isFunction = scopes.back()->isFunction;
  auto ordered = orderNodes(inner, /*isInside=*/true, [&](StringRef name) {
    return !isFunction && !name.empty() && isKnown(name);
  });
  if (!ordered)
    return fail(llvm::toString(ordered.takeError()));
  if (failed(importNodes(*ordered)))
    return failure();
  SmallVector<Value> outputs;
  for (const ::onnx::ValueInfoProto &output : inner.output()) {
    FailureOr<Value> value = getValue(output.name());
    if (failed(value))
      return failure();
    outputs.push_back(*value);
  }
  return outputs;
}

LogicalResult GraphImporter::importNodes(const NodeList &nodes) {
  for (const ::onnx::NodeProto *node : nodes)
    if (failed(importNode(*node)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------------------------------===//

Location GraphImporter::getLocation(const ::onnx::NodeProto &node) {
  return NameLoc::get(builder.getStringAttr(scopes.back()->prefix + getNodeName(node)));
}

LogicalResult GraphImporter::callHandler(const ::onnx::NodeProto &node, ArrayRef<Value> inputs,
                                         NodeContext &context) {
  const OpEntry *known = findOperator(node, *scopes.back()->opsets);
  if (!known)
    return importExternCall(context);
  const OpEntry &entry = *known;
  for (unsigned i = 0; i < entry.requiredInputs; ++i)
    if (i >= inputs.size() || !inputs[i])
      return context.fail("input " + Twine(i) + " is missing");
  if (entry.maxInputs == anyNumber ? !entry.mayLeaveOut && llvm::is_contained(inputs, Value())
                                   : inputs.size() > entry.maxInputs)
    return context.fail("it has " + Twine(inputs.size()) + " inputs, which do not fit the operator");
  if (node.output_size() == 0)
    return context.fail("it has no outputs");
  if (failed(entry.handler(context)))
    return failure();
  for (int i = context.getResults().size(); i < node.output_size(); ++i)
    if (context.wantsOutput(i))
      return context.fail("output " + Twine(i) + " is not supported");
  return success();
}

LogicalResult GraphImporter::readInputs(const ::onnx::NodeProto &node, SmallVectorImpl<Value> &inputs) {
  for (const std::string &name : node.input()) {
    FailureOr<Value> value = name.empty() ? Value() : getValue(name);
    if (failed(value))
      return failure();
    inputs.push_back(*value);
  }
  // Trailing inputs that are absent might as well not be listed.
  while (!inputs.empty() && !inputs.back())
    inputs.pop_back();
  return success();
}

LogicalResult GraphImporter::importCall(const ::onnx::NodeProto &node,
                                        const ::onnx::FunctionProto &function, ArrayRef<Value> inputs) {
  auto body = FunctionLibrary::expand(function, node);
  if (!body)
    return fail(describeNode(node) + ": " + llvm::toString(body.takeError()));
  llvm::Expected<Opsets> own = onnx_import::readOpsets(function.opset_import());
  if (!own)
    return fail(describeNode(node) + ": " + llvm::toString(own.takeError()));
  GraphScope scope;
  scope.isFunction = true;
  scope.opsets = own->empty() ? scopes.back()->opsets : &*own;
  scope.prefix = scopes.back()->prefix + getNodeName(node) + "/";
  SmallVector<Value> all(inputs);
  all.resize((*body)->input_size());
  // Types that the file declares are of the caller's names.
  decltype(state.declaredTypes) types;
  std::swap(types, state.declaredTypes);
  FailureOr<SmallVector<Value>> results = importGraph(**body, all, std::move(scope));
  std::swap(types, state.declaredTypes);
  if (failed(results))
    return failure();
  for (auto [name, value] : llvm::zip(node.output(), *results))
    if (!name.empty())
      scopes.back()->values[name] = value;
  return success();
}

LogicalResult GraphImporter::importNode(const ::onnx::NodeProto &node) {
  if (++importedNodes > ownNodes + options.limits.expandedNodes)
    return fail("its functions and loops expand to more than " + Twine(options.limits.expandedNodes) +
                " nodes (--limit=expanded-nodes=N allows more)");
  SmallVector<Value> inputs;
  if (failed(readInputs(node, inputs)))
    return failure();
  if (const ::onnx::FunctionProto *called = functions.find(node))
    return importCall(node, *called, inputs);
  std::string fromDialect;
  ScopedDiagnosticHandler handler(builder.getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && fromDialect.empty())
      fromDialect = diagnostic.str();
    return success();
  });
  size_t messagesBefore = messages.size();
  NodeContext context(node, getOpset(*scopes.back()->opsets, node.domain()), builder, getLocation(node),
                      inputs, state);
  if (failed(callHandler(node, inputs, context))) {
    // A node of a graph inside has said what is wrong.
    if (messages.size() > messagesBefore)
      return failure();
    const std::string &problem = context.getProblem().empty() ? fromDialect : context.getProblem();
    return fail(describeNode(node) + ": " + printable(problem, 400));
  }
  for (auto [name, value] : llvm::zip(node.output(), context.getResults()))
    if (!name.empty() && value)
      scopes.back()->values[name] = value;
  return success();
}
