//===- KernelFrame.h - The two functions of a framed kernel ---------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_LOOPS_KERNELFRAME_H
#define TFC_CODEGEN_LOOPS_KERNELFRAME_H

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::tfc {

/// A framed kernel: the function the runtime calls, and the one that has the pointers as arguments. The arguments of
/// `tiles` are the operand pointers, the result pointers, the symbol values, begin, end, worker and scratch.
struct KernelFrame {
  func::FuncOp kernel;
  func::FuncOp tiles;

  static constexpr StringLiteral kTilesOfAttr = "tfc.tiles_of";
  /// The dims of a result, on the op that writes it.
  static constexpr StringLiteral kDimsAttr = "tfc.dims";
  static constexpr StringLiteral kTilesAttr = "tfc.tiles";
  static constexpr StringLiteral kScratchAttr = "tfc.scratch";
  /// On a kernel that is to take the generic road whatever it is: what a generator makes is compared with it.
  static constexpr StringLiteral kPlainAttr = "tfc.plain";

  unsigned symbolCount();
  unsigned pointerCount() { return tiles.getNumArguments() - symbolCount() - 4; }
  Value pointer(unsigned i) { return tiles.getArgument(i); }
  /// The dims of the row-major buffer that the pointer's tensor is the front part of; null where it is all of it.
  DimsAttr layout(unsigned i);
  Value begin() { return tiles.getArgument(tiles.getNumArguments() - 4); }
  Value end() { return tiles.getArgument(tiles.getNumArguments() - 3); }
  Value worker() { return tiles.getArgument(tiles.getNumArguments() - 2); }
  Value scratch() { return tiles.getArgument(tiles.getNumArguments() - 1); }
  /// Where the kernel calls `tiles`: the last thing it does.
  func::CallOp call();

  /// The tensor that the kernel stores, in the memory of the pointer of that number.
  struct Result {
    Value tensor;
    unsigned pointer;
  };
  /// None where the kernel has several results.
  std::optional<Result> singleResult();

  /// Has new ops written at the end of the body of `tiles` and erases all that stood there.
  LogicalResult replaceBody(function_ref<LogicalResult(OpBuilder &)> emit);

  bool isPlain() { return kernel->hasAttr(kPlainAttr); }
  void setTiles(DimExprAttr tileCount) { kernel->setAttr(kTilesAttr, tileCount); }
  void setScratch(DimExprAttr bytes) { kernel->setAttr(kScratchAttr, bytes); }
};

/// All framed kernels of the module, in order. Fails with a diagnostic where a function claims to be the tiles of a kernel but
/// does not have the form above; what follows may rely on it.
FailureOr<SmallVector<KernelFrame>> collectKernels(ModuleOp module);

/// The number of the pointer whose memory a tensor of a framed kernel is, if it is an operand of the kernel and row-major.
std::optional<unsigned> pointerOfTensor(Value tensor);
/// The same, where the tensor may be the front part of a larger buffer (KernelFrame::layout).
std::optional<unsigned> pointerBehindTensor(Value tensor);
/// KernelFrame::layout of the kernel that a tensor stands in.
DimsAttr layoutOfPointer(Value tensor, unsigned pointer);

/// The rank-0 memref of a pointer: `memref<element>`.
Value memrefOfPointer(OpBuilder &builder, Location loc, Value pointer, Type element);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_LOOPS_KERNELFRAME_H
