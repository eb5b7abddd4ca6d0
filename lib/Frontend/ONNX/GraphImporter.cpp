//===- GraphImporter.cpp - From a graph to a function ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "GraphOrder.h"
#include "Names.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringSwitch.h"
#include <map>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// Later versions than anybody has written. Not a limit of what works, but of what is believed.
static constexpr int64_t latestVersion = 1000;

GraphImporter::GraphImporter(const ::onnx::ModelProto &model, ModuleOp module, TensorReader &reader,
                             const ImportOptions &options)
    : model(model), graph(model.graph()), module(module), reader(reader), options(options),
      builder(module.getContext()), weights(module, options.constantBytes) {
  state.buildTensor = [this](const ::onnx::TensorProto &tensor, Location loc, std::string &problem) {
    return buildTensor(tensor, tensor.name(), loc, problem);
  };
}

LogicalResult GraphImporter::fail(const Twine &message) {
  messages.push_back(message.str());
  return failure();
}

LogicalResult GraphImporter::run() {
  if (failed(readOpsets()))
    return failure();
  auto ordered = orderNodes(graph);
  if (!ordered)
    return fail(llvm::toString(ordered.takeError()));
  nodes = std::move(*ordered);
  for (const ::onnx::NodeProto *node : nodes)
    state.usedNames.insert(node->input().begin(), node->input().end());
  for (const ::onnx::ValueInfoProto &output : graph.output())
    state.usedNames.insert(output.name());
  if (failed(checkOperators()) || failed(buildFunction()))
    return failure();
  for (const ::onnx::NodeProto *node : nodes)
    if (failed(importNode(*node)))
      return failure();
  return buildReturn();
}

//===----------------------------------------------------------------------------------------------===//
// What the model asks for
//===----------------------------------------------------------------------------------------------===//

LogicalResult GraphImporter::readOpsets() {
  if (!model.has_ir_version() || model.ir_version() < 1 || model.ir_version() > latestVersion)
    return fail("ir_version is " + (model.has_ir_version() ? Twine(model.ir_version()) : Twine("missing")));
  for (const ::onnx::OperatorSetIdProto &opset : model.opset_import()) {
    std::string domain = opset.domain() == "ai.onnx" ? "" : opset.domain();
    if (opset.version() < 1 || opset.version() > latestVersion)
      return fail("opset " + Twine(opset.version()) + " of domain " + quoted(domain) + " does not exist");
    if (!opsets.try_emplace(domain, opset.version()).second)
      return fail("the opset of domain " + quoted(domain) + " is given twice");
  }
  if (opsets.empty())
    return fail("no opset_import: the version of its operators is not known");
  return success();
}

int64_t GraphImporter::getOpset(StringRef domain) const {
  auto found = opsets.find(domain == "ai.onnx" ? "" : domain);
  return found == opsets.end() ? 0 : found->second;
}

LogicalResult GraphImporter::checkOperators() {
  std::map<std::string, std::pair<int, std::string>> unsupported;
  for (const ::onnx::NodeProto *node : nodes) {
    int64_t opset = getOpset(node->domain());
    // A contributed domain may be used without being imported; the standard one may not.
    if (OpTable::get().find(node->domain(), node->op_type(),
                            std::max<int64_t>(opset, node->domain().empty() ? 0 : 1)))
      continue;
    StringRef domain = node->domain().empty() ? "ai.onnx" : StringRef(node->domain());
    auto &[count, names] = unsupported[printable(domain) + ":" + printable(node->op_type()) + " (opset " +
                                       std::to_string(opset) + ")"];
    if (++count <= 3)
      names += (count > 1 ? ", " : "") + quoted(getNodeName(*node));
    else if (count == 4)
      names += ", ...";
  }
  for (auto &[what, where] : unsupported)
    (void)fail("operator " + what + " is not supported: " + Twine(where.first) +
               (where.first == 1 ? " node, " : " nodes, ") + where.second);
  return success(unsupported.empty());
}

//===----------------------------------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------------------------------===//

DimExprAttr GraphImporter::getInputDim(const ::onnx::ValueInfoProto &input, int index) {
  MLIRContext *context = builder.getContext();
  const auto &dim = input.type().tensor_type().shape().dim(index);
  bool staysStatic = !options.dynamicAll || shapeOperands.contains(input.name());
  if (dim.has_dim_value() && dim.dim_value() >= 0 && staysStatic)
    return DimExprAttr::constant(context, dim.dim_value());
  if (dim.has_dim_value() && dim.dim_value() < -1)
    return {};
  std::string name = dim.dim_param();
  if (StringRef(name).starts_with("%"))
    name = "_" + name.substr(1);
  bool isOwn = name.empty() || options.dynamicAll;
  if (isOwn)
    name = input.name() + "_d" + std::to_string(index);
  for (const auto &[fixedName, value] : options.fixedDims)
    if (fixedName == name || fixedName == dim.dim_param()) {
      fixedDimsUsed.insert(fixedName);
      return DimExprAttr::constant(context, value);
    }
  if (isOwn)
    name = state.takeSymbol(name);
  else
    state.symbols.insert(name);
  return DimExprAttr::symbol(context, name);
}

FailureOr<RankedTensorType> GraphImporter::getInputType(const ::onnx::ValueInfoProto &input) {
  std::string what = "input " + quoted(input.name());
  if (!input.type().has_tensor_type())
    return fail(what + " is not a tensor");
  auto elementType =
      onnx_import::getElementType(builder.getContext(), input.type().tensor_type().elem_type());
  if (!elementType)
    return fail(what + ": " + llvm::toString(elementType.takeError()));
  if (!input.type().tensor_type().has_shape())
    return fail(what + " has no shape; its rank must be known");
  Dims dims;
  SmallVector<int64_t> known;
  if (input.type().tensor_type().shape().dim_size() > maxRank)
    return fail(what + ": rank " + Twine(input.type().tensor_type().shape().dim_size()) + " is more than " +
                Twine(maxRank));
  for (int i = 0; i < input.type().tensor_type().shape().dim_size(); ++i) {
    dims.push_back(getInputDim(input, i));
    if (!dims.back())
      return fail(what + ": dim " + Twine(i) + " is negative");
    known.push_back(dims.back().getConstant().value_or(1));
  }
  if (auto checked = getCheckedType(known, *elementType); !checked)
    return fail(what + ": " + llvm::toString(checked.takeError()));
  return getTensorType(dims, *elementType);
}

/// Operands that say shapes, axes or bounds: how long they are decides ranks, so that stays known.
static bool isShapeOperand(StringRef op, int input) {
  return llvm::StringSwitch<bool>(op)
      .Cases({"Reshape", "Expand", "Tile", "Squeeze", "Unsqueeze", "Split"}, input == 1)
      .Cases({"Slice", "Pad"}, input >= 1)
      .Case("ConstantOfShape", input == 0)
      .Default(op.starts_with("Reduce") && input == 1);
}

void GraphImporter::findShapeOperands() {
  for (const ::onnx::NodeProto *node : nodes)
    for (int i = 0; i < node->input_size(); ++i)
      if (isShapeOperand(node->op_type(), i))
        shapeOperands.insert(node->input(i));
}

LogicalResult GraphImporter::buildFunction() {
  findShapeOperands();
  for (const ::onnx::TensorProto &tensor : graph.initializer())
    initializers[tensor.name()] = &tensor;
  // Names that the file gives are taken before names are made up.
  for (const ::onnx::ValueInfoProto &input : graph.input())
    for (const auto &dim : input.type().tensor_type().shape().dim())
      if (!dim.dim_param().empty() && !options.dynamicAll)
        state.symbols.insert(dim.dim_param());
  SmallVector<const ::onnx::ValueInfoProto *> inputs;
  SmallVector<Type> types;
  for (const ::onnx::ValueInfoProto &input : graph.input()) {
    // An input with an initializer has a default, and nobody overrides it.
    if (initializers.contains(input.name()))
      continue;
    FailureOr<RankedTensorType> type = getInputType(input);
    if (failed(type))
      return failure();
    inputs.push_back(&input);
    types.push_back(*type);
  }
  for (const auto &[name, value] : options.fixedDims)
    if (!fixedDimsUsed.contains(name))
      return fail("no input has a dim named " + quoted(name));
  builder.setInsertionPointToEnd(module.getBody());
  Location loc = module.getLoc();
  function = func::FuncOp::create(builder, loc, options.functionName, builder.getFunctionType(types, {}));
  function->setAttr("tfc.entry", builder.getUnitAttr());
  weights.placeBefore(function);
  Block *body = function.addEntryBlock();
  for (auto [i, input] : llvm::enumerate(inputs)) {
    function.setArgAttr(i, "tfc.name", builder.getStringAttr(input->name()));
    values[input->name()] = body->getArgument(i);
  }
  builder.setInsertionPointToEnd(body);
  return success();
}

LogicalResult GraphImporter::buildReturn() {
  SmallVector<Value> results;
  SmallVector<Type> types;
  for (const ::onnx::ValueInfoProto &output : graph.output()) {
    Value value = getValue(output.name());
    if (!value)
      return failure();
    results.push_back(value);
    types.push_back(value.getType());
  }
  func::ReturnOp::create(builder, module.getLoc(), results);
  eraseDeadOps();
  function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(), types));
  for (auto [i, output] : llvm::enumerate(graph.output()))
    function.setResultAttr(i, "tfc.name", builder.getStringAttr(output.name()));
  return success();
}

/// Shape arithmetic has folded and left its operands behind.
void GraphImporter::eraseDeadOps() {
  llvm::StringSet<> usedWeights;
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front()))) {
    if (isOpTriviallyDead(&op))
      op.erase();
    else if (auto reference = dyn_cast<WeightRefOp>(op))
      usedWeights.insert(reference.getWeight());
  }
  for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
    if (!usedWeights.contains(weight.getSymName()))
      weight.erase();
}

//===----------------------------------------------------------------------------------------------===//
// Tensors and nodes
//===----------------------------------------------------------------------------------------------===//

Value GraphImporter::buildTensor(const ::onnx::TensorProto &tensor, StringRef name, Location loc,
                                 std::string &problem) {
  auto contents = reader.read(tensor);
  if (contents)
    return weights.build(builder, loc, name, *contents);
  problem = "tensor " + quoted(name) + ": " + llvm::toString(contents.takeError());
  return {};
}

Value GraphImporter::getValue(const std::string &name) {
  Value &value = values[name];
  if (value)
    return value;
  auto initializer = initializers.find(name);
  if (initializer == initializers.end()) {
    (void)fail("nothing makes " + quoted(name));
    return {};
  }
  std::string problem;
  Location loc = NameLoc::get(builder.getStringAttr(name));
  value = buildTensor(*initializer->second, name, loc, problem);
  if (!value)
    (void)fail(problem);
  return value;
}

/// Errors of the dialect's own checks while a node is imported: the first becomes the node's message.
LogicalResult GraphImporter::callHandler(const ::onnx::NodeProto &node, ArrayRef<Value> inputs,
                                         NodeContext &context) {
  const OpEntry &entry =
      *OpTable::get().find(node.domain(), node.op_type(), std::max<int64_t>(context.opset, 1));
  for (unsigned i = 0; i < entry.requiredInputs; ++i)
    if (i >= inputs.size() || !inputs[i])
      return context.fail("input " + Twine(i) + " is missing");
  if (entry.maxInputs == anyNumber ? llvm::is_contained(inputs, Value()) : inputs.size() > entry.maxInputs)
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

LogicalResult GraphImporter::importNode(const ::onnx::NodeProto &node) {
  SmallVector<Value> inputs;
  for (const std::string &name : node.input()) {
    inputs.push_back(name.empty() ? Value() : getValue(name));
    if (!name.empty() && !inputs.back())
      return failure();
  }
  // Trailing inputs that are absent might as well not be listed.
  while (!inputs.empty() && !inputs.back())
    inputs.pop_back();
  Location loc = NameLoc::get(builder.getStringAttr(getNodeName(node)));
  std::string fromDialect;
  ScopedDiagnosticHandler handler(builder.getContext(), [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && fromDialect.empty())
      fromDialect = diagnostic.str();
    return success();
  });
  NodeContext context(node, getOpset(node.domain()), builder, loc, inputs, state);
  if (failed(callHandler(node, inputs, context))) {
    const std::string &problem = context.getProblem().empty() ? fromDialect : context.getProblem();
    return fail(describeNode(node) + ": " + printable(problem, 400));
  }
  for (auto [name, value] : llvm::zip(node.output(), context.getResults()))
    if (!name.empty() && value)
      values[name] = value;
  return success();
}
