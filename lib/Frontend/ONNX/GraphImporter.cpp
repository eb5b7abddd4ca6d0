//===- GraphImporter.cpp - From a graph to a function ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "GraphOrder.h"
#include "Names.h"
#include "mlir/IR/Iterators.h"
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
      builder(module.getContext()), weights(module, options.constantBytes), functions(options.limits) {
  state.limits = &options.limits;
  state.buildTensor = [this](const ::onnx::TensorProto &tensor, Location loc, std::string &problem) {
    return buildTensor(tensor, tensor.name(), loc, problem);
  };
  state.importGraph = [this](const ::onnx::GraphProto &inner, ArrayRef<Value> inputs) {
    GraphScope scope;
    scope.opsets = scopes.back()->opsets;
    scope.prefix = scopes.back()->prefix;
    return importGraph(inner, inputs, std::move(scope));
  };
}

LogicalResult GraphImporter::fail(const Twine &message) {
  messages.push_back(message.str());
  return failure();
}

LogicalResult GraphImporter::run() {
  if (failed(readOpsets()))
    return failure();
  if (llvm::Error error = functions.read(model))
    return fail(llvm::toString(std::move(error)));
  auto ordered = orderNodes(graph, /*isInside=*/false, [](StringRef) { return false; });
  if (!ordered)
    return fail(llvm::toString(ordered.takeError()));
  nodes = std::move(*ordered);
  readNames(graph);
  for (const ::onnx::FunctionProto &own : model.functions()) {
    state.usedNames.insert(own.output().begin(), own.output().end());
    for (const ::onnx::NodeProto &node : own.node())
      for (const std::string &name : getUsedNames(node))
        state.usedNames.insert(name);
  }
  if (!options.allowExtern)
    for (const std::string &line : findUnsupported(nodes, opsets, functions))
      (void)fail(line);
  if (!messages.empty() || failed(buildFunction()) || failed(importNodes(nodes)))
    return failure();
  return buildReturn();
}

void GraphImporter::readNames(const ::onnx::GraphProto &graph) {
  for (const ::onnx::NodeProto &node : graph.node()) {
    ++ownNodes;
    state.usedNames.insert(node.input().begin(), node.input().end());
    forEachSubgraph(node, [&](const ::onnx::GraphProto &inner) { readNames(inner); });
  }
  for (const ::onnx::ValueInfoProto &output : graph.output())
    state.usedNames.insert(output.name());
  for (const auto *list : {&graph.output(), &graph.value_info()})
    for (const ::onnx::ValueInfoProto &info : *list)
      if (info.type().has_tensor_type() && info.type().tensor_type().has_shape())
        state.declaredTypes.try_emplace(info.name(), &info.type().tensor_type());
}

//===----------------------------------------------------------------------------------------------===//
// What the model asks for
//===----------------------------------------------------------------------------------------------===//

llvm::Expected<Opsets> mlir::tfc::onnx_import::readOpsets(
    const google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto> &imports) {
  Opsets opsets;
  auto refuse = [](const Twine &message) {
    return llvm::createStringError(std::make_error_code(std::errc::invalid_argument), message);
  };
  for (const ::onnx::OperatorSetIdProto &opset : imports) {
    std::string domain = opset.domain() == "ai.onnx" ? "" : opset.domain();
    if (opset.version() < 1 || opset.version() > latestVersion)
      return refuse("opset " + Twine(opset.version()) + " of domain " + quoted(domain) + " does not exist");
    if (!opsets.try_emplace(domain, opset.version()).second)
      return refuse("the opset of domain " + quoted(domain) + " is given twice");
  }
  return std::move(opsets);
}

int64_t mlir::tfc::onnx_import::getOpset(const Opsets &opsets, StringRef domain) {
  return opsets.lookup(domain == "ai.onnx" ? "" : domain);
}

const OpEntry *mlir::tfc::onnx_import::findOperator(const ::onnx::NodeProto &node, const Opsets &opsets) {
  // A contributed domain may be used without being imported; the standard one may not.
  int64_t least = node.domain().empty() ? 0 : 1;
  return OpTable::get().find(node.domain(), node.op_type(), std::max(getOpset(opsets, node.domain()), least));
}

LogicalResult GraphImporter::readOpsets() {
  if (!model.has_ir_version() || model.ir_version() < 1 || model.ir_version() > latestVersion)
    return fail("ir_version is " + (model.has_ir_version() ? Twine(model.ir_version()) : Twine("missing")));
  llvm::Expected<Opsets> read = onnx_import::readOpsets(model.opset_import());
  if (!read)
    return fail(llvm::toString(read.takeError()));
  opsets = std::move(*read);
  if (opsets.empty())
    return fail("no opset_import: the version of its operators is not known");
  return success();
}

namespace {
/// Walks nodes, the graphs inside and the functions they call.
class UnsupportedFinder {
public:
  explicit UnsupportedFinder(const FunctionLibrary &functions) : functions(functions) {}

  void visit(const ::onnx::NodeProto &node, const Opsets &opsets) {
    forEachSubgraph(node, [&](const ::onnx::GraphProto &graph) {
      for (const ::onnx::NodeProto &inner : graph.node())
        visit(inner, opsets);
    });
    if (const ::onnx::FunctionProto *function = functions.find(node))
      return visitFunction(*function, opsets);
    if (!findOperator(node, opsets))
      note(node, getOpset(opsets, node.domain()));
  }

  std::vector<std::string> getLines() const {
    std::vector<std::string> lines;
    for (const auto &[what, where] : unsupported)
      lines.push_back("operator " + what + " is not supported: " + std::to_string(where.first) +
                      (where.first == 1 ? " node, " : " nodes, ") + where.second);
    return lines;
  }

private:
  void visitFunction(const ::onnx::FunctionProto &function, const Opsets &opsets) {
    if (!visited.insert(&function).second)
      return;
    llvm::Expected<Opsets> own = readOpsets(function.opset_import());
    if (!own)
      // Said when the function is expanded.
      return llvm::consumeError(own.takeError());
    for (const ::onnx::NodeProto &inner : function.node())
      visit(inner, own->empty() ? opsets : *own);
  }

  void note(const ::onnx::NodeProto &node, int64_t opset) {
    StringRef domain = node.domain().empty() ? "ai.onnx" : StringRef(node.domain());
    auto &[count, names] = unsupported[printable(domain) + ":" + printable(node.op_type()) + " (opset " +
                                       std::to_string(opset) + ")"];
    if (++count <= 3)
      names += (count > 1 ? ", " : "") + quoted(getNodeName(node));
    else if (count == 4)
      names += ", ...";
  }

  const FunctionLibrary &functions;
  llvm::SmallPtrSet<const ::onnx::FunctionProto *, 16> visited;
  std::map<std::string, std::pair<int, std::string>> unsupported;
};
} // namespace

std::vector<std::string> mlir::tfc::onnx_import::findUnsupported(ArrayRef<const ::onnx::NodeProto *> nodes,
                                                                 const Opsets &opsets,
                                                                 const FunctionLibrary &functions) {
  UnsupportedFinder finder(functions);
  for (const ::onnx::NodeProto *node : nodes)
    finder.visit(*node, opsets);
  return finder.getLines();
}

//===----------------------------------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------------------------------===//

DimExprAttr GraphImporter::getInputDim(const ::onnx::ValueInfoProto &input, int index) {
  DimExprAttr dim = makeInputDim(input, index);
  const std::string &name = input.type().tensor_type().shape().dim(index).dim_param();
  if (dim && !name.empty())
    state.namedDims.try_emplace(name, dim);
  return dim;
}

DimExprAttr GraphImporter::makeInputDim(const ::onnx::ValueInfoProto &input, int index) {
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
  if (auto known = knownDims.find(name); known != knownDims.end() && !isOwn)
    return DimExprAttr::constant(context, known->second);
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
  if (failed(readFoldedInputs()))
    return failure();
  GraphScope &scope = *scopes.emplace_back(std::make_unique<GraphScope>());
  scope.opsets = &opsets;
  for (const ::onnx::TensorProto &tensor : graph.initializer())
    scope.initializers[tensor.name()] = &tensor;
  // Names that the file gives are taken before names are made up.
  for (const ::onnx::ValueInfoProto &input : graph.input())
    for (const auto &dim : input.type().tensor_type().shape().dim())
      if (!dim.dim_param().empty() && !options.dynamicAll)
        state.symbols.insert(dim.dim_param());
  SmallVector<const ::onnx::ValueInfoProto *> inputs;
  SmallVector<Type> types, elementTypes;
  for (const ::onnx::ValueInfoProto &input : graph.input()) {
    // An input with an initializer has a default, and nobody overrides it.
    if (scope.initializers.contains(input.name()) || foldedInputs.contains(input.name()))
      continue;
    FailureOr<RankedTensorType> type = getInputType(input);
    if (failed(type))
      return failure();
    inputs.push_back(&input);
    elementTypes.push_back(type->getElementType());
    types.push_back(getTensorType(getDims(*type), getWideType(type->getElementType())));
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
    scope.values[input->name()] = body->getArgument(i);
  }
  scope.block = body;
  builder.setInsertionPointToEnd(body);
  for (auto [input, type] : llvm::zip_equal(inputs, elementTypes)) {
    Value &value = scope.values[input->name()];
    if (getElementTypeOrSelf(value) != type)
      value = CastOp::create(builder, loc, getTensorType(getDims(value), type), value);
  }
  if (failed(buildFoldedInputs(scope)) || failed(setDimRanges()))
    return failure();
  return success();
}

LogicalResult GraphImporter::buildReturn() {
  SmallVector<Value> results;
  SmallVector<Type> types;
  for (const ::onnx::ValueInfoProto &output : graph.output()) {
    FailureOr<Value> value = getValue(output.name());
    if (failed(value))
      return failure();
    Type type = onnx_import::getElementType(*value), wide = getWideType(type);
    if (type != wide)
      value =
          CastOp::create(builder, module.getLoc(), getTensorType(getDims(*value), wide), *value).getResult();
    results.push_back(*value);
    types.push_back(value->getType());
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
  function.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
    else if (auto reference = dyn_cast<WeightRefOp>(op))
      usedWeights.insert(reference.getWeight());
  });
  for (auto weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
    if (!usedWeights.contains(weight.getSymName()))
      weight.erase();
}
