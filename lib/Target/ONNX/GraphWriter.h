//===- GraphWriter.h - From ops to the nodes of a graph -*- C++ -*----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_TARGET_ONNX_GRAPHWRITER_H
#define TFC_LIB_TARGET_ONNX_GRAPHWRITER_H

#include "onnx/onnx.pb.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::tfc::onnx_export {

/// ONNX's number of an element type; nothing where it has none.
std::optional<int32_t> getElementNumber(Type elementType);

/// Which operator says what an attention says: com.microsoft's MultiHeadAttention, or the standard's.
enum class AttentionForm { None, MultiHead, Standard };
AttentionForm getAttentionForm(AttentionOp op);

/// The opset that a module needs, 17 or 23: with 17 older programs read the file too.
int64_t chooseOpset(ModuleOp module);

/// What the graphs of one model share.
struct ModelState {
  ::onnx::GraphProto *root = nullptr;
  int64_t opset = 17;
  llvm::StringSet<> names;
  bool usesContrib = false;
  /// Domains of operators of the host.
  llvm::StringSet<> domains;
  /// The initializers that weights become.
  llvm::StringMap<std::string> weights;

  std::string takeName(StringRef hint);
  std::string getWeightName(StringRef weight);
};

/// A node that is being made.
class NodeMaker {
public:
  NodeMaker(::onnx::NodeProto *node, ModelState &state) : node(node), state(state) {}
  NodeMaker &set(StringRef name, int64_t value);
  NodeMaker &set(StringRef name, double value);
  NodeMaker &set(StringRef name, StringRef value);
  NodeMaker &set(StringRef name, ArrayRef<int64_t> values);
  /// The same of an attribute that says one of these.
  NodeMaker &setAttribute(StringRef name, Attribute value);
  ::onnx::GraphProto *addGraph(StringRef name);
  ::onnx::NodeProto *get() { return node; }
  /// Adds an output with a name of its own, or this one.
  std::string output(StringRef name = "");

private:
  ::onnx::AttributeProto *add(StringRef name, ::onnx::AttributeProto::AttributeType type);
  ::onnx::NodeProto *node;
  ModelState &state;
};

class GraphWriter {
public:
  GraphWriter(::onnx::GraphProto *graph, ModelState &state, GraphWriter *outer = nullptr)
      : graph(graph), state(state), outer(outer) {}

  LogicalResult writeFunction(func::FuncOp function);

private:
  using Name = std::string;

  //===--------------------------------------------------------------------------------------------===//
  // Names and nodes (GraphWriter.cpp)
  //===--------------------------------------------------------------------------------------------===//

  Name getName(Value value);
  std::vector<Name> getNames(ValueRange values);
  NodeMaker add(StringRef op, ArrayRef<Name> inputs, StringRef domain = "");
  /// A node with one output: the op's result.
  void give(NodeMaker node, Value result);
  /// A node with one output that has no value.
  Name make(StringRef op, ArrayRef<Name> inputs);
  Name makeConstant(ElementsAttr value);
  Name makeInts(ArrayRef<int64_t> values, bool isScalar = false);
  Name makeScalar(double value, Type elementType);
  Name makeCast(Name x, Type elementType);
  void addValueInfo(::onnx::ValueInfoProto *info, StringRef name, Type type, bool withShape);
  LogicalResult writeBlock(Block &block);
  LogicalResult writeOp(Operation *op);
  /// Outputs of the graph that are the block's last operands. Values that no node here makes get one.
  void addOutputs(ValueRange values, ArrayRef<std::string> names, bool withShape);
  void nameOutputs(Block &block, ValueRange values, ArrayRef<std::string> names);

  //===--------------------------------------------------------------------------------------------===//
  // Sizes (DimWriter.cpp)
  //===--------------------------------------------------------------------------------------------===//

  /// The value of an expression, as a tensor of one element.
  Name makeDim(DimExprAttr expr);
  /// The values of expressions as a tensor of rank 1.
  Name makeDims(ArrayRef<DimExprAttr> exprs);
  Name makeDimValues(DimValuesOp op);
  Name findSymbol(StringAttr symbol);
  Name computeDim(DimExprAttr expr);
  Name computeAtom(Attribute atom);
  void bindInputs(func::FuncOp function);
  void bindSymbols(BindOp op);

  //===--------------------------------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------------------------------===//

  /// These return false where the op is of another kind.
  bool writeElementwise(Operation *op); // WriteElementwise.cpp
  bool writeMovement(Operation *op);    // WriteMovement.cpp
  bool writeCompute(Operation *op);     // WriteCompute.cpp
  void writeCompare(CompareOp op);
  void writeQuantization(Operation *op, StringRef name);
  void writeReshape(ReshapeOp op);
  void writeSlice(SliceOp op);
  void writePad(PadOp op);
  void writeRange(RangeOp op);
  void writeEye(EyeOp op);
  void writeMatmul(MatmulOp op);
  void writeReduce(ReduceOp op);
  void writeLayerNorm(LayerNormOp op);
  void writeRmsNorm(RmsNormOp op);
  void writeMultiHeadAttention(AttentionOp op);
  void writeAttention(AttentionOp op);
  void writeExternCall(ExternCallOp op);
  LogicalResult writeIf(scf::IfOp op);       // WriteRegions.cpp
  LogicalResult writeWhile(scf::WhileOp op); // WriteRegions.cpp
  /// x / sqrt(mean(x^2) + epsilon), of x's type, the mean over the dims from `axis` on.
  Name makeNormalized(Name x, Type elementType, int64_t rank, int64_t axis, double epsilon, bool centre);
  Name makeReduced(StringRef op, Name x, ArrayRef<int64_t> axes, bool keepDims);

  ::onnx::GraphProto *graph;
  ModelState &state;
  GraphWriter *outer;
  llvm::DenseMap<Value, Name> names;
  /// Names that values shall have: those of the graph's outputs.
  llvm::DenseMap<Value, Name> wanted;
  llvm::DenseMap<StringAttr, Name> symbols;
  /// Symbols that are dims of inputs: a node reads one when it is first asked for.
  llvm::DenseMap<StringAttr, std::pair<Value, int64_t>> inputDims;
  llvm::DenseMap<DimExprAttr, Name> dims;
  /// Where the op being written comes from.
  std::string place;
};

} // namespace mlir::tfc::onnx_export

#endif // TFC_LIB_TARGET_ONNX_GRAPHWRITER_H
