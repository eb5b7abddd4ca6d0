//===- NodeContext.h - What a handler sees of a node, and how it builds ops -----------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A handler turns one ONNX node into tfc ops. It reads inputs and attributes here and builds ops here, and it
// may write down what it means without looking at every step: after the first mistake (an attribute of the
// wrong type, operands that do not fit) the context keeps the message, everything built later is null,
// building with a null operand gives null, and giving a null as the result fails.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_NODECONTEXT_H
#define TFC_LIB_FRONTEND_ONNX_NODECONTEXT_H

#include "onnx/onnx.pb.h"
#include "tfc/Dialect/Tfc/IR/BuildOp.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"
#include <functional>

namespace mlir::tfc::onnx_import {

class NodeContext;

/// What the nodes of one function share.
struct FunctionState {
  /// Names of the graph's values that a node or an output of the graph uses.
  llvm::StringSet<> usedNames;
  /// Types with a shape that the file states for values: for ranks that hang on data, and for what only the
  /// host knows.
  llvm::StringMap<const ::onnx::TypeProto::Tensor *> declaredTypes;
  /// The dims that inputs have under the names that the file gives them.
  llvm::StringMap<DimExprAttr> namedDims;
  const ImportLimits *limits = nullptr;
  /// Names of symbols that are taken.
  llvm::StringSet<> symbols;
  /// The value of a tensor that stands in an attribute: a constant or a weight. Null after an error in
  /// `problem`.
  std::function<Value(const ::onnx::TensorProto &, Location, std::string &problem)> buildTensor;
  /// Imports a graph inside a node at the builder's place: its inputs have these values. A failure has been
  /// said.
  std::function<FailureOr<SmallVector<Value>>(const ::onnx::GraphProto &, ArrayRef<Value> inputs)>
      importGraph;

  /// A name for a symbol that nothing else has; it is taken from now on.
  std::string takeSymbol(StringRef hint);
};

using Dims = SmallVector<DimExprAttr>;

class NodeContext {
public:
  NodeContext(const ::onnx::NodeProto &node, int64_t opset, OpBuilder &builder, Location loc,
              ArrayRef<Value> inputs, FunctionState &state)
      : builder(builder), loc(loc), opset(opset), node(node), inputs(inputs), state(state) {}

  OpBuilder &builder;
  const Location loc;
  /// Version of the node's domain that the model imports.
  const int64_t opset;

  //===--------------------------------------------------------------------------------------------===//
  // The node
  //===--------------------------------------------------------------------------------------------===//

  const ImportLimits &getLimits() const { return *state.limits; }
  StringRef getOpType() const { return node.op_type(); }
  /// The standard's domain is called ai.onnx.
  StringRef getDomain() const { return node.domain().empty() ? "ai.onnx" : StringRef(node.domain()); }
  unsigned getNumInputs() const { return inputs.size(); }
  unsigned getNumOutputs() const { return node.output_size(); }
  /// Whether the optional input is there.
  bool hasInput(unsigned i) const { return i < inputs.size() && inputs[i]; }
  /// Whether somebody uses the output.
  bool wantsOutput(int i) const {
    return i < node.output_size() && !node.output(i).empty() && state.usedNames.contains(node.output(i));
  }
  /// The rank that the file states for an output, if it does.
  std::optional<int64_t> getDeclaredRank(int output) const {
    const ::onnx::TypeProto::Tensor *type = getDeclaredType(output);
    return type ? std::optional<int64_t>(type->shape().dim_size()) : std::nullopt;
  }
  /// The type that the file declares for an output; null where it declares none, or one without a shape.
  const ::onnx::TypeProto::Tensor *getDeclaredType(int output) const {
    return state.declaredTypes.lookup(node.output(output));
  }
  /// The dim that an input has under this name; null where none has.
  DimExprAttr getNamedDim(StringRef name) const { return state.namedDims.lookup(name); }
  /// Null where the input is absent.
  Value getInput(unsigned i) const { return i < inputs.size() ? inputs[i] : Value(); }
  ArrayRef<Value> getInputs() const { return inputs; }

  StringRef getOutputName(int i) const { return node.output(i); }
  const google::protobuf::RepeatedPtrField<::onnx::AttributeProto> &getAttributes() const {
    return node.attribute();
  }
  bool hasAttribute(StringRef name) const { return findAttribute(name) != nullptr; }
  /// Fails where the node has an attribute of another name: what that asks for would be ignored.
  LogicalResult allowAttributes(ArrayRef<StringRef> names);
  std::optional<int64_t> getInt(StringRef name);
  int64_t getInt(StringRef name, int64_t absent) { return getInt(name).value_or(absent); }
  /// An integer that may only be 0 or 1.
  bool getFlag(StringRef name, bool absent);
  std::optional<double> getFloat(StringRef name);
  double getFloat(StringRef name, double absent) { return getFloat(name).value_or(absent); }
  std::optional<std::string> getString(StringRef name);
  std::optional<SmallVector<int64_t>> getInts(StringRef name);
  std::optional<SmallVector<double>> getFloats(StringRef name);
  /// Null where the attribute is absent.
  const ::onnx::TensorProto *getTensor(StringRef name);
  Value buildTensor(const ::onnx::TensorProto &tensor);
  /// Null where the attribute is absent.
  const ::onnx::GraphProto *getGraph(StringRef name);
  /// Imports a graph at the builder's place; one value per output, none after a failure.
  std::optional<SmallVector<Value>> importGraph(const ::onnx::GraphProto &graph, ArrayRef<Value> inputs);

  //===--------------------------------------------------------------------------------------------===//
  // Failing and ending
  //===--------------------------------------------------------------------------------------------===//

  /// Keeps the first message. Always fails.
  LogicalResult fail(const Twine &message);
  bool hasFailed() const { return failedOnce; }
  const std::string &getProblem() const { return problem; }

  /// Gives the node's outputs; fails where one is null.
  LogicalResult finish(ValueRange outputs);
  ArrayRef<Value> getResults() const { return results; }

  //===--------------------------------------------------------------------------------------------===//
  // Building
  //===--------------------------------------------------------------------------------------------===//

  /// Builds (and folds) an op with one result. Null when an operand is null or something was wrong before.
  template <typename OpTy>
  Value build(ValueRange operands, ArrayRef<NamedAttribute> attributes = {}, Type resultType = {}) {
    SmallVector<Value> values = buildAll(OpTy::getOperationName(), operands, attributes,
                                         resultType ? TypeRange(resultType) : TypeRange());
    return values.empty() ? Value() : values.front();
  }
  /// The same for any number of results; empty after a failure.
  SmallVector<Value> buildAll(StringRef name, ValueRange operands, ArrayRef<NamedAttribute> attributes,
                              TypeRange resultTypes);

  NamedAttribute attribute(StringRef name, int64_t value) const;
  NamedAttribute attribute(StringRef name, double value) const;
  NamedAttribute attribute(StringRef name, ArrayRef<int64_t> values) const;
  NamedAttribute attribute(StringRef name, ArrayRef<DimExprAttr> values) const;
  NamedAttribute attribute(StringRef name, Attribute value) const;
  NamedAttribute flag(StringRef name) const;

  /// The type with these dims; null after an error where they are too many elements or dims.
  RankedTensorType tensorType(ArrayRef<DimExprAttr> dims, Type elementType);

  DimExprAttr dim(int64_t value) const { return DimExprAttr::constant(builder.getContext(), value); }
  /// A number as a tensor of rank 0.
  Value scalar(double value, Type elementType);
  /// A tensor of rank 1, or of rank 0 for a single expression with `isScalar`.
  Value dimValues(ArrayRef<DimExprAttr> values, bool isScalar = false);

  // These give their operand back where there is nothing to do.
  Value cast(Value x, Type elementType);
  Value reshape(Value x, ArrayRef<DimExprAttr> dims);
  Value transpose(Value x, ArrayRef<int64_t> permutation);
  Value expand(Value x, ArrayRef<DimExprAttr> dims);
  Value slice(Value x, ArrayRef<DimExprAttr> offsets, ArrayRef<int64_t> strides, ArrayRef<DimExprAttr> dims);
  /// The same along one axis with stride 1.
  Value sliceAxis(Value x, int64_t axis, DimExprAttr offset, DimExprAttr length);
  /// The tensor with this length along an axis; where it may be another, a run that has another ends.
  Value conform(Value x, int64_t axis, DimExprAttr length);
  /// A tensor of one element as a tensor of rank 0.
  Value toScalar(Value x, StringRef what);

  Value compare(CompareKind kind, Value x, Value y);
  Value reduce(ReduceKind kind, Value x, ArrayRef<int64_t> axes, bool keepDims);

  /// An axis counted from the end where negative.
  std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank, StringRef what = "axis");
  /// All of them, in ascending order; repeats are an error.
  std::optional<SmallVector<int64_t>> normalizeAxes(ArrayRef<int64_t> axes, int64_t rank);

  //===--------------------------------------------------------------------------------------------===//
  // Sizes
  //===--------------------------------------------------------------------------------------------===//

  /// The elements of an input that must be known now; nullopt after an error.
  std::optional<SmallVector<int64_t>> getConstantInts(Value value, StringRef what);
  /// The elements of a tensor that stands for sizes, as expressions. Where they come from data they get fresh
  /// names, bound at this place.
  std::optional<Dims> getSizes(Value value, StringRef what);
  /// The same for a tensor of one element.
  std::optional<DimExprAttr> getSize(Value value, StringRef what);
  /// Says that a run must end where the condition does not hold.
  void require(RequireKind kind, DimExprAttr lhs, DimExprAttr rhs);

private:
  const ::onnx::AttributeProto *findAttribute(StringRef name) const;
  const ::onnx::AttributeProto *findAttribute(StringRef name, int type);
  bool collectSizes(Value value, StringRef what, Dims &sizes, unsigned depth);

  const ::onnx::NodeProto &node;
  ArrayRef<Value> inputs;
  FunctionState &state;
  SmallVector<Value> results;
  std::string problem;
  bool failedOnce = false;
};

/// Element type, rank and dims of a tensor value.
inline Type getElementType(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }
inline int64_t getRank(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }
inline bool isFloat(Value value) { return isa<FloatType>(getElementType(value)); }

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_NODECONTEXT_H
