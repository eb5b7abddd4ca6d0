//===- PointEmitter.h - Elements of tensors where a GPU thread wants them ------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_KERNELS_POINTEMITTER_H
#define TFC_LIB_CODEGEN_GPU_KERNELS_POINTEMITTER_H

#include "../KernelBuilder.h"

namespace mlir::tfc {

/// Where a thread computes: neighbours along the last dim, from `column` on, at fixed indices of the dims
/// before it.
struct Place {
  SmallVector<I32> outer;
  I32 column;
  int64_t alignment = 1; ///< A number that divides `column`.
};

/// Writes what computes elements of the tensors of a kernel, from the operands in memory: elementwise ops,
/// and ops that read their operand at another place (expand, transpose, slice, concat, gather). Elements are
/// in scalar form (ElementTypes.h).
class PointEmitter {
public:
  /// `rowRank`: how many of the domain's last dims are a row, of which something may be known (`give`).
  PointEmitter(KernelBuilder &k, func::FuncOp kernel, ArrayRef<DimExprAttr> domain, int64_t rowRank = 1);

  /// True where `emit` knows the op and all that its result is made from; values in `given` are known
  /// already.
  static bool canEmit(
      Value tensor, function_ref<bool(Value)> given = [](Value) { return false; });

  /// The place at which the kernel works; `linear` is the row-major number of its first element. What was
  /// known at another one is forgotten.
  void moveTo(const Place &place, I64 linear, int64_t width);
  /// Elements of a tensor of the domain's dims, or one per row, that were computed otherwise.
  void give(Value tensor, ArrayRef<Value> elements) { known[tensor] = SmallVector<Value>(elements); }
  /// `width` elements of a tensor whose dims broadcast to the domain's, at the place the kernel works at.
  FailureOr<SmallVector<Value>> emit(Value tensor);
  /// The same in the form that the memory of a result has, stored to it.
  LogicalResult store(Value tensor, unsigned pointer);

  const Place &getPlace() const { return home; }
  int64_t getWidth() const { return width; }
  using Known = DenseMap<Value, SmallVector<Value>>;
  Known known;

private:
  FailureOr<SmallVector<Value>> at(Value tensor, const Place &place, int64_t width);
  FailureOr<SmallVector<Value>> atBroadcast(Value tensor, ArrayRef<DimExprAttr> dims, const Place &place,
                                            int64_t width);
  FailureOr<SmallVector<Value>> oneByOne(const Place &place, int64_t width,
                                         function_ref<FailureOr<SmallVector<Value>>(const Place &)> element);
  FailureOr<SmallVector<Value>> compute(Operation *op, const Place &place, int64_t width);
  FailureOr<SmallVector<Value>> gather(GatherOp op, const Place &place, int64_t width);
  FailureOr<SmallVector<Value>> concat(ConcatOp op, const Place &place, int64_t width);
  FailureOr<SmallVector<Value>> slice(SliceOp op, const Place &place, int64_t width);
  FailureOr<SmallVector<Value>> transpose(TransposeOp op, const Place &place, int64_t width);
  SmallVector<Value> load(BlockArgument argument, const Place &place, int64_t width);
  bool isHome(const Place &place) const {
    return place.column.v == home.column.v && sameOuter(place, home.outer.size());
  }
  /// Whether the first `count` indices are those of home.
  bool sameOuter(const Place &place, size_t count) const;
  bool isKept(Value tensor, const Place &place, int64_t width) const;

  KernelBuilder &k;
  SmallVector<DimExprAttr> domain;
  int64_t rowRank;
  DenseMap<Operation *, int64_t> checks; ///< Numbers of ops that check their indices.
  Place home;
  I64 homeLinear;
  int64_t width = 1;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELS_POINTEMITTER_H
