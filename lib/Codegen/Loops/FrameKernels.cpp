//===- FrameKernels.cpp - Give kernels their final signature --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Why two functions: LLVM believes `noalias` of arguments, and knows nothing of pointers that were loaded from a block.
// So the function that does the work has its pointers as arguments.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "tfc-c/ModelABI.h"
#include "tfc/Codegen/Common/InPlace.h"
#include "tfc/Codegen/Loops/Passes.h"
#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_FRAMEKERNELS
#include "tfc/Codegen/Loops/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

static Value loadWord(OpBuilder &builder, Location loc, Type type, Value block, unsigned index) {
  Value address = LLVM::GEPOp::create(builder, loc, block.getType(), builder.getI64Type(), block,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
  return LLVM::LoadOp::create(builder, loc, type, address);
}

/// A view of the buffer behind a pointer, with the dims of a tensor type: the front part of a row-major buffer whose dims
/// `layout` has, or without one a row-major buffer.
static Value viewOfPointer(OpBuilder &builder, Location loc, Value pointer, RankedTensorType type, DimsAttr layout) {
  MLIRContext *context = builder.getContext();
  Value base = memrefOfPointer(builder, loc, pointer, getMemoryType(type.getElementType()));
  SmallVector<DimExprAttr> dims = getDims(type);
  SmallVector<OpFoldResult> sizes(dims.size()), strides(dims.size());
  auto toFoldResult = [&](DimExprAttr expr) -> OpFoldResult {
    if (auto value = expr.getConstant())
      return builder.getIndexAttr(*value);
    return DimOp::create(builder, loc, builder.getIndexType(), expr).getResult();
  };
  DimExprAttr stride = DimExprAttr::constant(context, 1);
  for (size_t i = dims.size(); i-- > 0;) {
    sizes[i] = toFoldResult(dims[i]);
    strides[i] = toFoldResult(stride);
    stride = stride * (layout ? layout.getDims()[i] : dims[i]);
  }
  if (layout)
    return memref::ReinterpretCastOp::create(builder, loc, base, builder.getIndexAttr(0), sizes, strides);
  auto viewType = MemRefType::get(type.getShape(), getMemoryType(type.getElementType()));
  Value view = memref::ReinterpretCastOp::create(builder, loc, base, builder.getIndexAttr(0), sizes, strides);
  // The strides are those of a row-major buffer, which the type can say more simply.
  return view.getType() == viewType ? view : memref::CastOp::create(builder, loc, viewType, view);
}

/// The layout of an operand or, counted behind those, a result of a kernel that has no frame yet.
static DimsAttr getLayout(func::FuncOp kernel, unsigned port) {
  unsigned inputs = kernel.getNumArguments();
  return port < inputs ? kernel.getArgAttrOfType<DimsAttr>(port, kLayoutAttr)
                       : kernel.getResultAttrOfType<DimsAttr>(port - inputs, kLayoutAttr);
}

static LogicalResult verifyLayouts(func::FuncOp kernel) {
  unsigned port = 0;
  for (Type type : llvm::concat<const Type>(kernel.getArgumentTypes(), kernel.getResultTypes())) {
    DimsAttr layout = getLayout(kernel, port++);
    if (layout && (!isa<RankedTensorType>(type) ||
                   static_cast<int64_t>(layout.getDims().size()) != cast<RankedTensorType>(type).getRank()))
      return kernel.emitOpError("a layout has one dim per dim of its tensor, unlike ") << layout << " of " << type;
  }
  return success();
}

namespace {
struct FrameKernels : mlir::tfc::impl::FrameKernelsBase<FrameKernels> {
  void runOnOperation() override;
  LogicalResult frame(func::FuncOp kernel);
  func::FuncOp createTiles(func::FuncOp kernel, unsigned pointers, unsigned symbols);
  void fillKernel(func::FuncOp kernel, func::FuncOp tiles, unsigned pointers, unsigned symbols);
  LogicalResult moveBody(Region &body, KernelFrame frame, FunctionType type);
};
} // namespace

func::FuncOp FrameKernels::createTiles(func::FuncOp kernel, unsigned pointers, unsigned symbols) {
  OpBuilder builder(kernel);
  Type pointer = LLVM::LLVMPointerType::get(&getContext());
  Type index = builder.getIndexType();
  SmallVector<Type> inputs(pointers, pointer);
  inputs.append(symbols + 2, index);
  inputs.append(2, pointer);
  auto tiles = func::FuncOp::create(builder, kernel.getLoc(), (kernel.getName() + "_tiles").str(),
                                    builder.getFunctionType(inputs, {}));
  tiles.setPrivate();
  tiles->setAttr(KernelFrame::kTilesOfAttr, FlatSymbolRefAttr::get(kernel.getNameAttr()));
  if (Attribute names = kernel->getAttr("tfc.symbols"))
    tiles->setAttr("tfc.symbols", names);
  for (unsigned i = 0; i < pointers; ++i)
    tiles.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
  // tfc-lower-dims finds the symbols by these.
  for (unsigned i = 0; i < symbols; ++i)
    tiles.setArgAttr(pointers + i, "tfc.symbol", kernel->getAttrOfType<ArrayAttr>("tfc.symbols")[i]);
  tiles.setArgAttr(inputs.size() - 1, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
  tiles.addEntryBlock();
  return tiles;
}

/// Writes the body of the function that the runtime calls: load the words of the block, call `tiles`.
void FrameKernels::fillKernel(func::FuncOp kernel, func::FuncOp tiles, unsigned pointers, unsigned symbols) {
  OpBuilder builder(&getContext());
  Location loc = kernel.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(&getContext());
  Type index = builder.getIndexType();
  kernel.setFunctionType(builder.getFunctionType({pointer, index, index, pointer}, {}));
  kernel.setAllArgAttrs(ArrayRef<DictionaryAttr>{});
  Block *entry = kernel.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  Value block = entry->getArgument(0), worker = entry->getArgument(3);
  SmallVector<Value> arguments;
  for (unsigned i = 0; i < pointers; ++i)
    arguments.push_back(loadWord(builder, loc, pointer, block, i));
  for (unsigned i = 0; i < symbols; ++i)
    arguments.push_back(arith::IndexCastOp::create(
        builder, loc, index, loadWord(builder, loc, builder.getI64Type(), block, pointers + i)));
  arguments.push_back(entry->getArgument(1));
  arguments.push_back(entry->getArgument(2));
  arguments.push_back(worker);
  static_assert(offsetof(TfcWorker, scratch) == 0, "the scratch pointer is the worker's first word");
  arguments.push_back(LLVM::LoadOp::create(builder, loc, pointer, worker));
  func::CallOp::create(builder, loc, tiles, arguments);
  func::ReturnOp::create(builder, loc);
}

/// Moves the kernel's body on tensors into `tiles`: arguments are read from views of the pointers, results written into views.
LogicalResult FrameKernels::moveBody(Region &body, KernelFrame frame, FunctionType type) {
  Block &from = body.front();
  Block &to = frame.tiles.getBody().front();
  Location loc = frame.tiles.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(&to);
  SmallVector<Value> operands;
  for (auto [i, argument] : llvm::enumerate(type.getInputs())) {
    auto tensorType = cast<RankedTensorType>(argument);
    Value view = viewOfPointer(builder, loc, frame.pointer(i), tensorType, frame.layout(i));
    auto plain = cast<MemRefType>(view.getType());
    Value tensor = bufferization::ToTensorOp::create(
        builder, loc, RankedTensorType::get(plain.getShape(), plain.getElementType()), view, /*restrict=*/true);
    if (tensor.getType() != argument)
      tensor = UnrealizedConversionCastOp::create(builder, loc, argument, tensor).getResult(0);
    operands.push_back(tensor);
  }
  for (auto [argument, operand] : llvm::zip(from.getArguments(), operands))
    argument.replaceAllUsesWith(operand);
  to.getOperations().splice(to.end(), from.getOperations());

  auto terminator = dyn_cast<func::ReturnOp>(to.getTerminator());
  if (!terminator)
    return frame.kernel.emitOpError("a kernel must end in a return");
  builder.setInsertionPoint(terminator);
  for (auto [i, result] : llvm::enumerate(terminator.getOperands())) {
    auto tensorType = cast<RankedTensorType>(result.getType());
    unsigned number = type.getNumInputs() + i;
    Value view = viewOfPointer(builder, loc, frame.pointer(number), tensorType, frame.layout(number));
    auto plain = cast<MemRefType>(view.getType());
    auto plainTensor = RankedTensorType::get(plain.getShape(), plain.getElementType());
    Value source = result;
    if (source.getType() != plainTensor)
      source = UnrealizedConversionCastOp::create(builder, loc, plainTensor, source).getResult(0);
    auto store = bufferization::MaterializeInDestinationOp::create(builder, loc, source, view);
    store.setRestrict(true);
    store.setWritable(true);
    store->setAttr(KernelFrame::kDimsAttr, DimsAttr::get(&getContext(), getDims(tensorType)));
  }
  terminator->setOperands({});
  return success();
}

LogicalResult FrameKernels::frame(func::FuncOp kernel) {
  FunctionType type = kernel.getFunctionType();
  if (failed(verifyLayouts(kernel)))
    return failure();
  for (Type port : llvm::concat<const Type>(type.getInputs(), type.getResults())) {
    if (!isa<RankedTensorType>(port) || !hasKnownDims(port))
      return kernel.emitOpError("a kernel takes and gives ranked tensors whose dims are known, not ") << port;
    if (!getMemoryType(cast<RankedTensorType>(port).getElementType()))
      return kernel.emitOpError("there is no code for tensors of ") << cast<RankedTensorType>(port).getElementType();
  }
  if (!llvm::hasSingleElement(kernel.getBody()))
    return kernel.emitOpError("a kernel has one block");
  auto symbols = kernel->getAttrOfType<ArrayAttr>("tfc.symbols");
  unsigned symbolCount = symbols ? symbols.size() : 0;
  unsigned pointers = type.getNumInputs() + type.getNumResults();

  func::FuncOp tiles = createTiles(kernel, pointers, symbolCount);
  for (unsigned i = 0; i < pointers; ++i)
    if (DimsAttr layout = getLayout(kernel, i))
      tiles.setArgAttr(i, kLayoutAttr, layout);
  Region body;
  body.takeBody(kernel.getBody());
  kernel.setAllResultAttrs(ArrayRef<DictionaryAttr>{});
  fillKernel(kernel, tiles, pointers, symbolCount);
  KernelFrame frame{kernel, tiles};
  frame.setScratch(DimExprAttr::constant(&getContext(), 0));
  return moveBody(body, frame, type);
}

void FrameKernels::runOnOperation() {
  SmallVector<func::FuncOp> kernels;
  for (auto function : getOperation().getOps<func::FuncOp>()) {
    bool final = function.getNumArguments() == 4 && isa<LLVM::LLVMPointerType>(function.getArgumentTypes()[0]);
    if (function->hasAttr("tfc.kernel") && !function.isExternal() && !final)
      kernels.push_back(function);
  }
  for (func::FuncOp kernel : kernels)
    if (failed(frame(kernel)))
      return signalPassFailure();
}
