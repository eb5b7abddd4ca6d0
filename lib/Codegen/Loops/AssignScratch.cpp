//===- AssignScratch.cpp - Places for the temporaries of a kernel -------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc/Codegen/Loops/Passes.h"
#include "tfc/Conversion/TfcToLinalg/DimArithmetic.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_ASSIGNSCRATCH
#include "tfc/Codegen/Loops/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

/// Buffers begin on cache lines.
static constexpr int64_t kAlignment = 64;

namespace {
/// Expressions of the symbols that index values never exceed.
class UpperBound {
public:
  explicit UpperBound(MLIRContext *context) : context(context) {}
  /// Null where nothing is known.
  DimExprAttr of(OpFoldResult value);

private:
  DimExprAttr ofValue(Value value);
  DimExprAttr ofAffine(AffineExpr expr, ValueRange operands, unsigned dims);
  MLIRContext *context;
};
} // namespace

DimExprAttr UpperBound::of(OpFoldResult value) {
  if (auto constant = getConstantIntValue(value))
    return DimExprAttr::constant(context, *constant);
  return ofValue(cast<Value>(value));
}

DimExprAttr UpperBound::ofAffine(AffineExpr expr, ValueRange operands, unsigned dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return DimExprAttr::constant(context, constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return ofValue(operands[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return ofValue(operands[dims + symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  DimExprAttr a = ofAffine(binary.getLHS(), operands, dims), b = ofAffine(binary.getRHS(), operands, dims);
  if (!a || !b)
    return {};
  // Only sums and products with factors that are not negative grow with their operands.
  if (binary.getKind() == AffineExprKind::Add)
    return a + b;
  if (binary.getKind() == AffineExprKind::Mul && b.getConstant().value_or(-1) >= 0)
    return a * b;
  return {};
}

DimExprAttr UpperBound::ofValue(Value value) {
  if (auto constant = getConstantIntValue(value))
    return DimExprAttr::constant(context, *constant);
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  if (auto dim = dyn_cast<DimOp>(op))
    return dim.getExpr();
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return ofAffine(apply.getAffineMap().getResult(0), apply.getMapOperands(), apply.getAffineMap().getNumDims());
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    auto index = dim.getConstantIndex();
    auto type = dyn_cast<MemRefType>(dim.getSource().getType());
    if (!index || !type)
      return {};
    if (auto alloc = dim.getSource().getDefiningOp<memref::AllocOp>())
      return of(alloc.getMixedSizes()[*index]);
    return {};
  }
  // A minimum is bounded by either side: tiles are min(block, what is left).
  if (auto min = dyn_cast<arith::MinSIOp>(op)) {
    DimExprAttr a = ofValue(min.getLhs()), b = ofValue(min.getRhs());
    if (a && b)
      return a.min(b);
    return a ? a : b;
  }
  if (auto max = dyn_cast<arith::MaxSIOp>(op)) {
    DimExprAttr a = ofValue(max.getLhs()), b = ofValue(max.getRhs());
    return a && b ? a.max(b) : DimExprAttr();
  }
  if (auto add = dyn_cast<arith::AddIOp>(op)) {
    DimExprAttr a = ofValue(add.getLhs()), b = ofValue(add.getRhs());
    return a && b ? a + b : DimExprAttr();
  }
  if (auto mul = dyn_cast<arith::MulIOp>(op)) {
    DimExprAttr a = ofValue(mul.getLhs()), b = ofValue(mul.getRhs());
    return a && b && a.isNonNegative() && b.isNonNegative() ? a * b : DimExprAttr();
  }
  return {};
}

static int64_t elementBytes(MemRefType type) {
  if (type.getElementType().isIndex())
    return 8;
  return llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

namespace {
struct AssignScratch : mlir::tfc::impl::AssignScratchBase<AssignScratch> {
  using AssignScratchBase::AssignScratchBase;

  void runOnOperation() override {
    FailureOr<SmallVector<KernelFrame>> frames = collectKernels(getOperation());
    if (failed(frames))
      return signalPassFailure();
    for (KernelFrame frame : *frames)
      if (failed(assign(frame)))
        return signalPassFailure();
  }

  /// Bytes of a buffer, rounded up to whole cache lines; null with a diagnostic where they are not known.
  DimExprAttr bytesOf(memref::AllocOp alloc) {
    UpperBound bound(&getContext());
    DimExprAttr bytes = DimExprAttr::constant(&getContext(), elementBytes(alloc.getType()));
    for (OpFoldResult size : alloc.getMixedSizes()) {
      DimExprAttr most = bound.of(size);
      if (!most) {
        alloc.emitOpError("has a size that is not an expression of the kernel's symbols");
        return {};
      }
      bytes = bytes * most;
    }
    DimExprAttr line = DimExprAttr::constant(&getContext(), kAlignment);
    return bytes.ceilDiv(line) * line;
  }

  LogicalResult checkSymbols(KernelFrame frame, memref::AllocOp alloc, DimExprAttr bytes) {
    func::CallOp call = frame.call();
    llvm::SetVector<StringAttr> symbols;
    bytes.collectSymbols(symbols);
    for (StringAttr name : symbols)
      if (!symbolOfCall(frame, call, name))
        return alloc.emitOpError("has a size of symbol '") << name.getValue() << "', which the kernel does not have";
    return success();
  }

  LogicalResult assign(KernelFrame frame) {
    SmallVector<memref::AllocOp> allocs;
    frame.tiles.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    if (allocs.empty())
      return success();
    Block &entry = frame.tiles.getBody().front();
    OpBuilder builder(&getContext());
    int64_t stack = 0;
    DimExprAttr used = DimExprAttr::constant(&getContext(), 0);
    for (memref::AllocOp alloc : allocs) {
      DimExprAttr bytes = bytesOf(alloc);
      if (!bytes || failed(checkSymbols(frame, alloc, bytes)))
        return failure();
      auto constant = bytes.getConstant();
      if (constant && alloc.getType().hasStaticShape() && stack + *constant <= stackBytes) {
        stack += *constant;
        builder.setInsertionPointToStart(&entry);
        Value buffer = memref::AllocaOp::create(builder, alloc.getLoc(), alloc.getType(),
                                                builder.getI64IntegerAttr(kAlignment));
        replace(alloc, buffer);
        continue;
      }
      Value buffer = createView(frame, alloc, used);
      replace(alloc, buffer);
      used = used + bytes;
    }
    frame.setScratch(used);
    return success();
  }

  /// The place of a buffer as one more noalias argument of the function that does the work: LLVM cannot tell apart two
  /// places of one pointer whose distance it does not know, and would not vectorize loops from one to the other.
  Value createView(KernelFrame frame, memref::AllocOp alloc, DimExprAttr offset) {
    Location loc = alloc.getLoc();
    unsigned position = frame.pointerCount();
    func::CallOp call = frame.call();
    OpBuilder builder(call);
    Value offsetValue = emitDimExpr(builder, loc, offset, [&](StringAttr name) { return symbolOfCall(frame, call, name); });
    Value offsetWord = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), offsetValue);
    Type pointer = frame.scratch().getType();
    Value place = LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), call.getOperands().back(),
                                      ArrayRef<LLVM::GEPArg>{offsetWord});
    call->insertOperands(position, place);
    auto noalias = builder.getDictionaryAttr(
        builder.getNamedAttr(LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr()));
    (void)frame.tiles.insertArgument(position, pointer, noalias, loc);

    builder.setInsertionPointToStart(&frame.tiles.getBody().front());
    Value base = memrefOfPointer(builder, loc, frame.pointer(position), builder.getI8Type());
    Value unbounded = arith::ConstantIndexOp::create(builder, loc, int64_t(1) << 40);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value bytes = memref::ReinterpretCastOp::create(
        builder, loc, MemRefType::get({ShapedType::kDynamic}, builder.getI8Type()), base, builder.getIndexAttr(0),
        ArrayRef<OpFoldResult>{unbounded}, ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
    builder.setInsertionPoint(alloc);
    return memref::ViewOp::create(builder, loc, alloc.getType(), bytes, zero, alloc.getDynamicSizes());
  }

  /// The value of a symbol where the kernel calls the function that does the work. Sizes have no other symbols.
  static Value symbolOfCall(KernelFrame frame, func::CallOp call, StringAttr name) {
    for (unsigned i = frame.pointerCount(); i < frame.tiles.getNumArguments(); ++i)
      if (frame.tiles.getArgAttr(i, "tfc.symbol") == name)
        return call.getOperand(i);
    return {};
  }

  void replace(memref::AllocOp alloc, Value buffer) {
    for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
      if (isa<memref::DeallocOp>(user))
        user->erase();
    alloc.getMemref().replaceAllUsesWith(buffer);
    alloc.erase();
  }
};
} // namespace
