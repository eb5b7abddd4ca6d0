//===- ListOperators.cpp - What the importer knows ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir::tfc::onnx_import;

namespace {
struct TypeRow {
  /// What the operator computes on; indices, shapes, masks and axes beside that have the types that the standard says.
  llvm::StringLiteral types;
  llvm::StringLiteral operators;
};
} // namespace

static constexpr llvm::StringLiteral kFloats = "f16 bf16 f32 f64", kNumbers = "f16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64",
                                     kAny = "f16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64 bool",
                                     kStored = "f16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64 bool i4 u4 f8e4m3fn f8e4m3fnuz f8e5m2 f8e5m2fnuz",
                                     kIntegers = "i8 i16 i32 i64 u8 u16 u32 u64", kBools = "bool", kBytes = "i8 u8",
                                     kSmall = "i4 u4 i8 u8 i16 u16 i32 f8e4m3fn f8e4m3fnuz f8e5m2 f8e5m2fnuz";

/// Operators that two domains share have one row.
static constexpr TypeRow kTypeRows[] = {
    {kFloats, "Attention AveragePool BatchNormalization BiasAdd BiasGelu BiasSoftmax Ceil Celu Conv Cos Cosh DecoderMaskedMultiHeadAttention Dropout "
              "Elu EmbedLayerNormalization Erf Exp FastGelu Floor FusedMatMul Gelu GlobalAveragePool GlobalMaxPool GroupNormalization "
              "GroupQueryAttention HardSigmoid HardSwish InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Log LogSoftmax Mean "
              "Mish MultiHeadAttention PRelu QuickGelu RMSNormalization Reciprocal RelativePositionBias RotaryEmbedding Round Selu Shrink "
              "Sigmoid SimplifiedLayerNormalization Sin Sinh SkipLayerNormalization SkipSimplifiedLayerNormalization Softmax Softplus Softsign Sqrt "
              "Swish Tan Tanh ThresholdedRelu TransposeMatMul MaxPool"},
    {kNumbers, "Abs Add ArgMax ArgMin Clip CumSum Div Einsum Gemm Greater GreaterOrEqual Less LessOrEqual MatMul Max Min Mod Mul Neg Pow Range "
               "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Sign Sub Sum TopK"},
    {kAny, "Compress Concat ConstantOfShape Equal Expand EyeLike Flatten Gather GatherElements GatherND If Loop NonZero OneHot Pad Reshape Scan "
           "Scatter ScatterElements ScatterND Shape Size Slice Split Squeeze TensorScatter Tile Transpose Trilu Unsqueeze Where"},
    {kStored, "Cast CastLike Constant Identity"},
    {kIntegers, "BitwiseAnd BitwiseNot BitwiseOr BitwiseXor"},
    {kBools, "And Not Or Xor"},
    {kBytes, "MatMulInteger MatMulIntegerToFloat QAttention QLinearMatMul"},
    {kSmall, "DequantizeLinear QuantizeLinear"},
    {"f32", "DynamicQuantizeLinear DynamicQuantizeMatMul"},
    {"f16 f32", "MatMulNBits"},
};

static llvm::StringRef getTypes(llvm::StringRef op) {
  static const llvm::StringMap<llvm::StringRef> types = [] {
    llvm::StringMap<llvm::StringRef> map;
    for (const TypeRow &row : kTypeRows) {
      llvm::SmallVector<llvm::StringRef> operators;
      row.operators.split(operators, ' ');
      for (llvm::StringRef name : operators)
        map[name] = row.types;
    }
    return map;
  }();
  return types.lookup(op);
}

std::string mlir::tfc::listOperators(bool asJson) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::Array rows;
  constexpr const char *kFormat = "{0,-16} {1,-36} {2,6} {3,8} {4,5} {5,-9} {6}\n";
  OpTable::get().forEach([&](StringRef domain, StringRef op, const OpEntry &entry) {
    std::string most = entry.maxInputs == anyNumber ? "any" : std::to_string(entry.maxInputs);
    llvm::StringRef types = getTypes(op);
    llvm::SmallVector<llvm::StringRef> typeNames;
    types.split(typeNames, ' ');
    if (asJson)
      rows.push_back(llvm::json::Object{{"domain", domain.str()},
                                        {"operator", op.str()},
                                        {"since_opset", entry.sinceOpset},
                                        {"required_inputs", entry.requiredInputs},
                                        {"most_inputs", most},
                                        {"devices", llvm::json::Array{"cpu", "cuda"}},
                                        {"types", llvm::json::Array(typeNames)}});
    else
      os << llvm::formatv(kFormat, domain, op, entry.sinceOpset, entry.requiredInputs, most, "cpu cuda", types);
  });
  if (asJson)
    return llvm::formatv("{0:2}\n", llvm::json::Value(std::move(rows))).str();
  return llvm::formatv(kFormat, "domain", "operator", "opset", "inputs", "most", "devices", "types").str() + text;
}
