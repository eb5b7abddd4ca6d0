//===- GraphBuilder.h - Ops of one entry point under nested names ---------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_BUILTIN_GRAPHBUILDER_H
#define TFC_LIB_FRONTEND_BUILTIN_GRAPHBUILDER_H

#include "tfc/Dialect/Tfc/IR/BuildOp.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::tfc {

/// Builds the function of an entry point. Ops carry the path of the open Scopes as their Location:
/// `encoder/layer_0/attention/query`.
///
/// Building never aborts: an op that does not fit gives a diagnostic and a null Value, and ops with a null
/// operand give null without another word. So blocks chain calls without checks and the one who began asks
/// `hasFailed`.
class GraphBuilder {
public:
  explicit GraphBuilder(MLIRContext &context, StringRef modelName);

  // --- The entry's inputs and outputs. All inputs come before the first op. ---

  Value addInput(StringRef name, ArrayRef<DimExprAttr> dims, Type elementType);
  /// `alias` names the input whose memory the output may share.
  void addOutput(StringRef name, Value value, StringRef alias = "");

  // --- Ops ---

  template <typename OpTy>
  Value create(ValueRange operands, ArrayRef<NamedAttribute> attributes = {}, TypeRange resultTypes = {}) {
    SmallVector<Value> results = createNamed(OpTy::getOperationName(), operands, attributes, resultTypes);
    return results.empty() ? Value() : results.front();
  }
  /// For ops with several results; no results on failure.
  SmallVector<Value> createNamed(StringRef opName, ValueRange operands, ArrayRef<NamedAttribute> attributes,
                                 TypeRange resultTypes);
  /// A run in which lhs > rhs ends in an error.
  void requireAtMost(DimExprAttr lhs, DimExprAttr rhs);

  // --- Names ---

  /// While it lives, ops stand under one more name.
  class Scope {
  public:
    Scope(GraphBuilder &graph, const Twine &name) : graph(graph) { graph.path.push_back(name.str()); }
    ~Scope() { graph.path.pop_back(); }
    Scope(const Scope &) = delete;

  private:
    GraphBuilder &graph;
  };

  Location getLoc();

  // --- Small things ---

  OpBuilder &getBuilder() { return builder; }
  func::FuncOp getFunction() { return function; }
  DimExprAttr symbol(StringRef name) { return DimExprAttr::symbol(builder.getContext(), name); }
  DimExprAttr dim(int64_t value) { return DimExprAttr::constant(builder.getContext(), value); }
  SmallVector<DimExprAttr> dims(ArrayRef<int64_t> values);
  NamedAttribute attribute(StringRef name, Attribute value) { return builder.getNamedAttr(name, value); }
  /// Operand segments in the form that ops with optional operands want.
  NamedAttribute segments(StringRef name, ArrayRef<int32_t> sizes) {
    return attribute(name, builder.getDenseI32ArrayAttr(sizes));
  }

  bool hasFailed() const { return failedOnce; }
  /// Ends the function and hands the module over; null where something failed.
  OwningOpRef<ModuleOp> finish();

private:
  struct Output {
    std::string name, alias;
    Value value;
  };

  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  SmallVector<std::string> path;
  SmallVector<Output> outputs;
  bool failedOnce = false;
};

} // namespace mlir::tfc

#endif // TFC_LIB_FRONTEND_BUILTIN_GRAPHBUILDER_H
