//===- GraphImporter.h - From a graph to a function -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
#define TFC_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H

#include "FunctionLibrary.h"
#include "NodeContext.h"
#include "OpTable.h"
#include "WeightTable.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"

namespace mlir::tfc::onnx_import {

/// Domain -> version; "" is the standard's.
using Opsets = llvm::StringMap<int64_t>;

/// The names of one graph: the model's, a subgraph's or a function body's.
struct GraphScope {
  /// The block that its nodes become ops of.
  Block *block = nullptr;
  const Opsets *opsets = nullptr;
  /// A function's body sees nothing of its caller.
  bool isFunction = false;
  /// Stands before the names of its nodes in Locations.
  std::string prefix;
  llvm::StringMap<const ::onnx::TensorProto *> initializers;
  /// A null value is an optional input that a call leaves out.
  llvm::StringMap<Value> values;
};

class GraphImporter {
public:
  GraphImporter(const ::onnx::ModelProto &model, ModuleOp module, TensorReader &reader,
                const ImportOptions &options);

  /// Adds the graph's function to the module. On failure there is at least one message.
  LogicalResult run();
  ArrayRef<std::string> getMessages() const { return messages; }

private:
  using NodeList = std::vector<const ::onnx::NodeProto *>;

  //===--------------------------------------------------------------------------------------------===//
  // The model and its function (GraphImporter.cpp)
  //===--------------------------------------------------------------------------------------------===//

  LogicalResult fail(const Twine &message);
  LogicalResult readOpsets();
  /// Notes which names are used, and which ranks are stated, in a graph and the graphs inside.
  void readNames(const ::onnx::GraphProto &graph);
  LogicalResult buildFunction();
  /// Notes the sizes that folded inputs give to symbols, and gives them their values.
  LogicalResult readFoldedInputs();
  LogicalResult buildFoldedInputs(GraphScope &scope);
  LogicalResult setDimRanges();
  FailureOr<RankedTensorType> getInputType(const ::onnx::ValueInfoProto &input);
  DimExprAttr getInputDim(const ::onnx::ValueInfoProto &input, int index);
  DimExprAttr makeInputDim(const ::onnx::ValueInfoProto &input, int index);
  /// Names that stand where a node takes a shape, axes or bounds.
  void findShapeOperands();
  LogicalResult buildReturn();
  void eraseDeadOps();

  //===--------------------------------------------------------------------------------------------===//
  // Nodes and the graphs inside (ImportNodes.cpp)
  //===--------------------------------------------------------------------------------------------===//

  LogicalResult importNodes(const NodeList &nodes);
  LogicalResult importNode(const ::onnx::NodeProto &node);
  LogicalResult importCall(const ::onnx::NodeProto &node, const ::onnx::FunctionProto &function,
                           ArrayRef<Value> inputs);
  LogicalResult callHandler(const ::onnx::NodeProto &node, ArrayRef<Value> inputs, NodeContext &context);
  /// Imports the nodes of a graph at the builder's place, in a scope of its own; gives its outputs.
  FailureOr<SmallVector<Value>> importGraph(const ::onnx::GraphProto &graph, ArrayRef<Value> inputs,
                                            GraphScope scope);
  LogicalResult readInputs(const ::onnx::NodeProto &node, SmallVectorImpl<Value> &inputs);
  bool isKnown(StringRef name) const;
  /// The value of a name, null where a call left it out; an initializer gets its op when it is first used.
  FailureOr<Value> getValue(StringRef name);
  Value buildTensor(const ::onnx::TensorProto &tensor, StringRef name, Location loc, std::string &problem);
  Location getLocation(const ::onnx::NodeProto &node);

  const ::onnx::ModelProto &model;
  const ::onnx::GraphProto &graph;
  ModuleOp module;
  TensorReader &reader;
  const ImportOptions &options;
  OpBuilder builder;
  WeightTable weights;
  FunctionState state;
  Opsets opsets;
  FunctionLibrary functions;
  /// The model's own nodes in order.
  NodeList nodes;
  /// The innermost graph last.
  std::vector<std::unique_ptr<GraphScope>> scopes;
  llvm::StringMap<const FoldedInput *> foldedInputs;
  /// What folded inputs say of symbols.
  llvm::StringMap<int64_t> knownDims;
  llvm::StringSet<> fixedDimsUsed, shapeOperands;
  /// Nodes that stand in the file, and those that were imported: calls and unrolled loops import some many times.
  uint64_t ownNodes = 0, importedNodes = 0;
  func::FuncOp function;
  SmallVector<std::string> messages;
};

/// The version of a node's domain, 0 where it is not imported.
int64_t getOpset(const Opsets &opsets, StringRef domain);

/// Reads a list of opsets, each with a version that may exist and none twice.
llvm::Expected<Opsets>
readOpsets(const google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto> &imports);

/// The row of a node's operator in the version that is imported; null where there is none.
const OpEntry *findOperator(const ::onnx::NodeProto &node, const Opsets &opsets);

/// Makes the node a call of an operator that the host provides. The file must declare the types of its outputs.
LogicalResult importExternCall(NodeContext &node);

/// The operators that are not supported, a line for each: all of them, not only the first, inside subgraphs
/// and functions too.
std::vector<std::string> findUnsupported(ArrayRef<const ::onnx::NodeProto *> nodes, const Opsets &opsets,
                                         const FunctionLibrary &functions);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
