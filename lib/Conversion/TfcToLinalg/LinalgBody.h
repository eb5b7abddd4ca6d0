//===- LinalgBody.h - Building linalg ops over tfc operands ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CONVERSION_TFCTOLINALG_LINALGBODY_H
#define TFC_LIB_CONVERSION_TFCTOLINALG_LINALGBODY_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

namespace mlir::tfc {

/// tensor.empty with these dims.
Value createEmpty(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> dims, Type memoryType);

/// tensor.empty for a tfc tensor type, in memory form.
Value createEmpty(OpBuilder &builder, Location loc, Type tensorType);

/// A tensor filled with a scalar in memory form.
Value createFilled(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> dims, Value memory);

/// The element of a converted tensor at these indices, in scalar form.
Value readElement(OpBuilder &builder, Location loc, Value tensor, ValueRange indices, Type elementType);

/// The operands of a linalg op whose loops run over `loopDims`. An operand's dim is read along its loop, or
/// stays at 0 where the dim is 1 (broadcasting). Where only run time can tell which, the element is read in
/// the body at `index * step` with step 0 or 1. Constants of one element become scalars.
class LoopOperands {
public:
  LoopOperands(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> loopDims)
      : builder(builder), loc(loc), loopDims(loopDims) {}

  /// Adds an operand. `original` is the tfc value, `converted` the same as a plain tensor; dim j runs with
  /// loop loops[j]. Only the first `broadcastDims` dims may broadcast, the others are as long as their loop.
  void add(Value original, Value converted, ArrayRef<int64_t> loops, int64_t broadcastDims = 0);
  /// The same, dims aligned with the last loops, as numpy broadcasts.
  void addAligned(Value original, Value converted);
  /// Adds a tensor that is already converted and needs no broadcasting; it is handed to the body as it is.
  void addPlain(Value tensor, ArrayRef<int64_t> loops);

  /// Makes sure that the length of a loop follows from an operand, as linalg demands.
  void cover(int64_t loop);

  ArrayRef<Value> getTensors() const { return tensors; }
  ArrayRef<AffineMap> getMaps() const { return maps; }
  /// The operands' elements in scalar form, in the order they were added. Called in the body.
  SmallVector<Value> read(OpBuilder &body, ValueRange blockArguments) const;

private:
  struct Operand {
    Type elementType;                ///< null for plain tensors
    Value constant;                  ///< the scalar, when the operand is a constant of one element
    int64_t argument = -1;           ///< number of the block argument, when the operand is an input of the op
    Value tensor;                    ///< else the tensor to read from, at index(loops[j]) * steps[j]
    SmallVector<int64_t> loops = {}; ///< -1: index 0
    SmallVector<Value> steps = {};   ///< null: 1
  };
  void addInput(Operand operand, Value tensor, ArrayRef<AffineExpr> indices);

  OpBuilder &builder;
  Location loc;
  SmallVector<DimExprAttr> loopDims;
  SmallVector<Operand> operands;
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
};

/// What a body computes from the operands' scalars and the block argument of the result, in memory form.
using BodyBuilder = llvm::function_ref<Value(OpBuilder &, ValueRange scalars, Value result)>;

/// linalg.generic with one result. `resultLoops[j]` is the loop that runs along dim j of the result; loops
/// that do not stand there are reductions.
Value createGeneric(OpBuilder &builder, Location loc, const LoopOperands &operands, Value init,
                    int64_t numLoops, ArrayRef<int64_t> resultLoops, BodyBuilder body);

/// The same for a body that runs once per element of the result: `compute` gives the element in scalar form.
Value createElementwise(OpBuilder &builder, Location loc, const LoopOperands &operands, Type resultType,
                        llvm::function_ref<Value(OpBuilder &, ValueRange scalars)> compute);

/// Every element of the result from its indices alone: gathers, slices and so on. `compute` gives scalar
/// form.
Value createFromIndices(OpBuilder &builder, Location loc, Type resultType,
                        llvm::function_ref<Value(OpBuilder &, ValueRange indices)> compute);

/// The index that data gives to `op`, made safe by tfc.check_index.
Value emitCheckedIndex(OpBuilder &builder, Operation *op, Value scalar, Value bound);

/// The product of dims as a number of a float or integer type.
Value createCount(OpBuilder &builder, Location loc, ArrayRef<DimExprAttr> dims, Type type);

/// The values of linalg.index for the first `count` loops.
SmallVector<Value> createLoopIndices(OpBuilder &builder, Location loc, int64_t count);

/// 0, 1, ..., count - 1.
SmallVector<int64_t> iota(int64_t count);

} // namespace mlir::tfc

#endif // TFC_LIB_CONVERSION_TFCTOLINALG_LINALGBODY_H
