//===- ViewReader.h - Reading elements of what views make of tensors -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CONVERSION_TFCTOLINALG_VIEWREADER_H
#define TFC_LIB_CONVERSION_TFCTOLINALG_VIEWREADER_H

#include "LinalgBody.h"

#include "mlir/Transforms/DialectConversion.h"

namespace mlir::tfc {

/// Reads single elements of a value. Where transposes, slices, reshapes and concats of the same kernel make
/// the value, the element is read from their operands, so that an op that reads few elements, or reads them
/// where it wants, needs no copy.
class ViewReader {
public:
  /// Outside of the body that reads.
  ViewReader(ConversionPatternRewriter &rewriter, Location loc, Value value);

  /// The element in scalar form.
  Value read(OpBuilder &body, ArrayRef<Value> indices) const { return read(body, value, indices); }

private:
  void collect(ConversionPatternRewriter &rewriter, Value view);
  Value dim(DimExprAttr expr) const { return dims.lookup(expr); }
  Value read(OpBuilder &body, Value view, ArrayRef<Value> indices) const;
  Value readConcat(OpBuilder &body, ConcatOp concat, size_t first, SmallVector<Value> indices) const;
  SmallVector<Value> indicesBeforeReshape(OpBuilder &body, ReshapeOp reshape, ArrayRef<Value> indices) const;

  Location loc;
  Value value;
  DenseMap<Value, Value> sources; // what is read, as it is after conversion
  DenseMap<DimExprAttr, Value> dims;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CONVERSION_TFCTOLINALG_VIEWREADER_H
