//===- KernelBuilder.h - Writing one step of a GPU kernel ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A layer over the LLVM and NVVM dialects that makes kernels readable. The methods stand by kind in
// KernelBuilder.cpp (frame, control flow, arithmetic), KernelMemory.cpp (loads, stores, cp.async), and
// KernelWarp.cpp (shuffles, ldmatrix, mma.sync).
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_GPU_KERNELBUILDER_H
#define TFC_LIB_CODEGEN_GPU_KERNELBUILDER_H

#include "KernelValues.h"
#include "tfc/Codegen/GPU/GpuKernel.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/TargetInfo/GpuTarget.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::tfc {

/// What mma.sync multiplies; sums are f32. A fragment word holds two elements along k, one of tf32.
enum class MmaType { BF16, F16, TF32 };
std::optional<MmaType> getMmaType(Type element);

class KernelBuilder {
public:
  struct Frame {
    gpu::GPUModuleOp module;
    func::FuncOp kernel;
    const ::tfc::GpuTarget &target;
    StringRef name;        ///< of the step, after the kernel's
    int64_t block;         ///< threads
    int64_t minBlocks = 1; ///< blocks that an SM should have room for: bounds the registers
    int64_t maps = 0;      ///< tensor maps among the parameters
    /// The generator says itself when the step waits for the one before, with `waitForInputs`.
    bool waitsLater = false;
  };
  explicit KernelBuilder(Frame frame);

  /// Ends the function. The step still needs its grid, and maps where it has some.
  GpuStep finish();

  ImplicitLocOpBuilder b;
  const ::tfc::GpuTarget &target;

  //===--------------------------------------------------------------------------------------------===//
  // What the kernel is given
  //===--------------------------------------------------------------------------------------------===//

  unsigned pointerCount() { return kernel.getNumArguments() + kernel.getNumResults(); }
  /// Operand i, or result i - operands.
  GlobalPointer pointer(unsigned i);
  GlobalPointer workspace(Type element);
  Value map(unsigned i);
  /// The value of an expression of the kernel's symbols, computed once at the beginning.
  I32 dim(DimExprAttr expr);
  I64 wideDim(DimExprAttr expr);
  /// Asks for dynamic shared memory, aligned to that many bytes; returns where it begins.
  SharedPointer shared(int64_t bytes, int64_t alignment = 16);

  /// Where steps may begin before the one before has ended: waits for that. Until then only weights may be
  /// read, and nothing may be written.
  void waitForInputs();

  I32 thread() { return threadId; }
  I32 lane() { return threadId & 31; }
  I32 warp() { return threadId >> 5; }
  I32 blockIndex(unsigned axis = 0);
  I32 gridSize(unsigned axis = 0);

  //===--------------------------------------------------------------------------------------------===//
  // Arithmetic and control flow
  //===--------------------------------------------------------------------------------------------===//

  I32 i32(int64_t value) { return {b, value}; }
  I64 i64(int64_t value) { return {b, value}; }
  F32 f32(double value) { return {b, value}; }
  Bool boolean(bool value) { return {b, arith::ConstantOp::create(b, b.getBoolAttr(value))}; }
  F32 fma(F32 x, F32 y, F32 z);
  /// The larger one; the other one where one is NaN.
  F32 max(F32 x, F32 y);
  /// 2^x, 1/x, 1/sqrt(x): one instruction each. Denormals count as 0 in the first two.
  F32 exp2(F32 x) { return {b, intrinsic("llvm.nvvm.ex2.approx.ftz.f32", b.getF32Type(), {x.v})}; }
  F32 reciprocal(F32 x) { return {b, intrinsic("llvm.nvvm.rcp.approx.ftz.f", b.getF32Type(), {x.v})}; }
  F32 rsqrt(F32 x) { return {b, intrinsic("llvm.nvvm.rsqrt.approx.f", b.getF32Type(), {x.v})}; }
  /// From and to what memory holds: f32, bf16, f16.
  F32 toF32(Value element);
  Value fromF32(F32 x, Type element);

  using LoopBody = function_ref<SmallVector<Value>(I32 iv, ValueRange carried)>;
  SmallVector<Value> loop(I32 from, I32 to, I32 step, ValueRange init, LoopBody body);
  void loop(I32 from, I32 to, I32 step, function_ref<void(I32)> body);
  void when(Bool condition, function_ref<void()> body);
  /// What `body` gives where the condition holds, else `otherwise`.
  SmallVector<Value> when(Bool condition, ValueRange otherwise, function_ref<SmallVector<Value>()> body);

  //===--------------------------------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------------------------------===//

  /// `count` neighbours in one access of up to 16 bytes; the address is a multiple of its size. Operands are
  /// read-only for as long as a step runs, but where that begins before its operands are written.
  SmallVector<Value> load(GlobalPointer from, int64_t count, bool readOnly = true);
  void store(ArrayRef<Value> elements, GlobalPointer to);
  SmallVector<Value> load(SharedPointer from, Type element, int64_t count);
  void store(ArrayRef<Value> elements, SharedPointer to);
  /// 16 bytes to shared memory, asynchronously; zeros where `sourceBytes` is 0 (the address must be good all
  /// the same).
  void copyAsync(SharedPointer to, GlobalPointer from, I32 sourceBytes);
  void commitCopies();
  /// Waits for all but the last `pending` groups.
  void waitCopies(int64_t pending);
  void barrier();

  //===--------------------------------------------------------------------------------------------===//
  // Warps
  //===--------------------------------------------------------------------------------------------===//

  F32 shuffleXor(F32 x, int64_t laneMask);
  /// Over groups of `lanes` neighbours; each lane gets the result, by the same tree whatever the data.
  F32 warpSum(F32 x, int64_t lanes = 32);
  F32 warpMax(F32 x, int64_t lanes = 32);
  /// Four 8x8 matrices of 16-bit elements; lane 8*i + r has the address of row r of matrix i.
  std::array<Value, 4> loadMatrices(SharedPointer row, bool transposed);
  /// D = A * B + C of 16 x 8 x (16, or 8 for tf32).
  std::array<F32, 4> mma(MmaType type, ArrayRef<Value> a, ArrayRef<Value> bWords,
                         const std::array<F32, 4> &c);
  /// The TF32 nearest to an f32, ties away from zero; both as words.
  Value roundToTF32(Value word);
  /// Two numbers in one fragment word, the first in the low half.
  Value packPair(F32 low, F32 high, MmaType type);

  //===--------------------------------------------------------------------------------------------===//
  // Checks of data
  //===--------------------------------------------------------------------------------------------===//

  /// Notes in the launch's status that check number `check` failed at `tile`, unless a lower tile has.
  void noteFailure(int64_t check, I32 tile, I64 value, I64 bound);

  Value intrinsic(StringRef name, Type result, ValueRange arguments);

private:
  func::FuncOp kernel;
  GpuStep step;
  LLVM::LLVMFuncOp function;
  Block *entry;
  I32 threadId;
  unsigned symbolCount = 0;
  DenseMap<Attribute, Value> dims;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_GPU_KERNELBUILDER_H
