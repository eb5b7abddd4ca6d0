//===- GraphImporter.h - From a graph to a function -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
#define TFC_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H

#include "NodeContext.h"
#include "OpTable.h"
#include "WeightTable.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"

namespace mlir::tfc::onnx_import {

class GraphImporter {
public:
  GraphImporter(const ::onnx::ModelProto &model, ModuleOp module, TensorReader &reader,
                const ImportOptions &options);

  /// Adds the graph's function to the module. On failure there is at least one message.
  LogicalResult run();
  ArrayRef<std::string> getMessages() const { return messages; }

private:
  LogicalResult fail(const Twine &message);
  LogicalResult readOpsets();
  /// Says which operators are not supported: all of them, not only the first.
  LogicalResult checkOperators();
  LogicalResult buildFunction();
  FailureOr<RankedTensorType> getInputType(const ::onnx::ValueInfoProto &input);
  DimExprAttr getInputDim(const ::onnx::ValueInfoProto &input, int index);
  /// Names that stand where a node takes a shape, axes or bounds.
  void findShapeOperands();
  LogicalResult importNode(const ::onnx::NodeProto &node);
  LogicalResult callHandler(const ::onnx::NodeProto &node, ArrayRef<Value> inputs, NodeContext &context);
  LogicalResult buildReturn();
  void eraseDeadOps();
  /// The value of a name; an initializer gets its op when it is first used. Null after an error.
  Value getValue(const std::string &name);
  Value buildTensor(const ::onnx::TensorProto &tensor, StringRef name, Location loc, std::string &problem);
  int64_t getOpset(StringRef domain) const;

  const ::onnx::ModelProto &model;
  const ::onnx::GraphProto &graph;
  ModuleOp module;
  TensorReader &reader;
  const ImportOptions &options;
  OpBuilder builder;
  WeightTable weights;
  FunctionState state;
  llvm::StringMap<int64_t> opsets;
  std::vector<const ::onnx::NodeProto *> nodes;
  llvm::StringMap<const ::onnx::TensorProto *> initializers;
  llvm::StringMap<Value> values;
  llvm::StringSet<> fixedDimsUsed, shapeOperands;
  func::FuncOp function;
  SmallVector<std::string> messages;
};

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
