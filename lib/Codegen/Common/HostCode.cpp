//===- HostCode.cpp - The host program as LLVM code -------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// In C, the program of an entry with one launch reads:
//
//   int32_t main_run(TfcRun *run) {
//     uint64_t args[3];
//     args[0] = run->inputs[0];
//     args[1] = run->arenas[0] + run->values[5];
//     args[2] = run->values[1];
//     int32_t code = run->table->launch(run, 0, args);
//     if (code) return code;
//     return 0;
//   }
//
// In a module with `tfc.device`, a condition is read by run->table->fetch(run, address, 1, args).
//
// Fields of TfcRun are read at the start and again after each bind, where the runtime may move them. A call of the host's
// operators is one of `run->table->extern_call`, with tensors that stand on the stack too.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Common/HostCode.h"
#include "tfc-c/ModelABI.h"
#include "tfc/Codegen/Common/EntryFunctions.h"
#include "tfc/Dialect/Tfc/IR/ExternCallText.h"
#include "tfc/Dialect/Tfc/IR/DataType.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

// Targets have 64-bit pointers and C's layout of structs, as the machine this is compiled on: ModelABI.h
// asserts sizes.
static_assert(sizeof(void *) == 8, "offsets below are those of a 64-bit target");

class HostCode {
public:
  HostCode(func::FuncOp entry, EntryDescription &description)
      : entry(entry), description(description), builder(entry), loc(entry.getLoc()),
        pointer(LLVM::LLVMPointerType::get(entry.getContext())), i64(builder.getI64Type()),
        i32(builder.getI32Type()), isForDevice(entry->getParentOfType<ModuleOp>()->hasAttr("tfc.device")) {}

  FailureOr<LLVM::LLVMFuncOp> emit(StringRef name) {
    auto type = LLVM::LLVMFunctionType::get(i32, {pointer});
    function = LLVM::LLVMFuncOp::create(builder, loc, name, type);
    Block *start = function.addEntryBlock(builder);
    run = start->getArgument(0);
    leave = builder.createBlock(&function.getBody(), function.getBody().end(), {i32}, {loc});
    LLVM::ReturnOp::create(builder, loc, leave->getArgument(0));
    builder.setInsertionPointToStart(start);
    args = allocateArguments();
    allocateTensors();
    table = loadField(run, offsetof(TfcRun, table), pointer);
    loadPointers();
    if (failed(emitBlock(entry.front())))
      return failure();
    LLVM::ReturnOp::create(builder, loc, constant(i32, 0));
    // The way out stands last, where one looks for it.
    leave->moveBefore(&function.getBody(), function.getBody().end());
    return function;
  }

private:
  //===--------------------------------------------------------------------------------------------===//
  // Small pieces
  //===--------------------------------------------------------------------------------------------===//

  Value constant(Type type, int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, type, builder.getIntegerAttr(type, value));
  }
  Value at(Value base, int64_t bytes) {
    if (bytes == 0)
      return base;
    // Constant indices of MLIR's getelementptr have 29 bits and wrap in silence; weights lie further away.
    LLVM::GEPArg offset =
        llvm::isInt<LLVM::kGEPConstantBitWidth>(bytes) ? LLVM::GEPArg(int32_t(bytes)) : LLVM::GEPArg(constant(i64, bytes));
    return LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{offset});
  }
  Value loadField(Value base, int64_t offset, Type type) {
    return LLVM::LoadOp::create(builder, loc, type, at(base, offset));
  }
  Value loadValue(int64_t number) { return loadField(values, number * sizeof(int64_t), i64); }

  void loadPointers() {
    values = loadField(run, offsetof(TfcRun, values), pointer);
    inputs = loadField(run, offsetof(TfcRun, inputs), pointer);
    outputs = loadField(run, offsetof(TfcRun, outputs), pointer);
    arenas = loadField(run, offsetof(TfcRun, arenas), pointer);
    weights = loadField(run, offsetof(TfcRun, weights), pointer);
  }

  /// One block of words on the stack serves every launch: the door has read it when it returns.
  Value allocateArguments() {
    size_t words = 1;
    entry.walk([&](LaunchOp launch) {
      words = std::max<size_t>(words, launch.getInputs().size() + launch.getOutputs().size() +
                                          launch.getSymbols().size());
    });
    return LLVM::AllocaOp::create(builder, loc, pointer, LLVM::LLVMArrayType::get(i64, words),
                                  constant(i64, 1), /*alignment=*/16);
  }

  /// Calls entry `offset` of the table; a code other than 0 leaves the program.
  void callTable(int64_t offset, int64_t number, Value data) {
    callTable(offset, {run, constant(i32, number), data});
  }
  void callTable(int64_t offset, ArrayRef<Value> operands) {
    auto type = LLVM::LLVMFunctionType::get(i32, llvm::map_to_vector(operands, [](Value value) { return value.getType(); }));
    SmallVector<Value> all{loadField(table, offset, pointer)};
    all.append(operands.begin(), operands.end());
    Value code = LLVM::CallOp::create(builder, loc, type, all).getResult();
    Value bad = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, code, constant(i32, 0));
    Block *next = addBlock({});
    LLVM::CondBrOp::create(builder, loc, bad, leave, ValueRange{code}, next, ValueRange{});
    enter(next);
  }

  Block *addBlock(TypeRange arguments) {
    OpBuilder::InsertionGuard guard(builder);
    return builder.createBlock(&function.getBody(), function.getBody().end(), arguments,
                               SmallVector<Location>(arguments.size(), loc));
  }

  /// Goes on in this block, which then stands behind all that was emitted so far.
  void enter(Block *block) {
    block->moveBefore(&function.getBody(), function.getBody().end());
    builder.setInsertionPointToStart(block);
  }

  //===--------------------------------------------------------------------------------------------===//
  // Where values lie
  //===--------------------------------------------------------------------------------------------===//

  FailureOr<Value> emitPlace(OpResult result) {
    Operation *writer = result.getOwner();
    ArrayAttr places = getPlaces(writer);
    auto place = places && result.getResultNumber() < places.size()
                     ? dyn_cast<PlaceAttr>(places[result.getResultNumber()])
                     : PlaceAttr();
    if (!place)
      return writer->emitError("has no places; run tfc-plan-memory first");
    int64_t index = place.getIndex();
    if (place.getKind() == PlaceKind::Output) {
      if (index < 0 || index >= int64_t(entry.getNumResults()))
        return writer->emitError("has place ") << index << " among " << entry.getNumResults() << " outputs";
      return loadField(outputs, index * sizeof(void *), pointer);
    }
    if (index < 0 || index >= int64_t(description.getSlotCount()))
      return writer->emitError("has place ") << index << " among " << description.getSlotCount() << " slots";
    Value arena = loadField(arenas, description.getSlot(index).getSegment() * sizeof(void *), pointer);
    Value offset = loadValue(description.getSlotOffset(index));
    return Value(LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), arena,
                                     ArrayRef<LLVM::GEPArg>{offset}));
  }

  /// The value whose memory a region's argument or a region op's result shares; see PlanMemory.
  Value getSharing(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      auto loop = dyn_cast<scf::WhileOp>(argument.getOwner()->getParentOp());
      if (!loop)
        return {};
      bool isBefore = argument.getOwner()->getParent() == &loop.getBefore();
      return isBefore ? loop.getInits()[argument.getArgNumber()]
                      : Value(loop.getConditionOp().getArgs()[argument.getArgNumber()]);
    }
    auto result = cast<OpResult>(value);
    if (auto branch = dyn_cast<scf::IfOp>(result.getOwner()))
      return branch.thenYield().getOperand(result.getResultNumber());
    if (auto loop = dyn_cast<scf::WhileOp>(result.getOwner()))
      return loop.getConditionOp().getArgs()[result.getResultNumber()];
    return {};
  }

  FailureOr<Value> emitPointer(Value value) {
    value = getAliasRoot(value);
    for (Value shared = getSharing(value); shared; shared = getSharing(value))
      value = getAliasRoot(shared);
    if (auto argument = dyn_cast<BlockArgument>(value))
      return loadField(inputs, argument.getArgNumber() * sizeof(void *), pointer);
    Operation *producer = value.getDefiningOp();
    if (writesPlaces(producer))
      return emitPlace(cast<OpResult>(value));
    if (auto reference = dyn_cast<WeightRefOp>(producer)) {
      auto weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(reference, reference.getWeightAttr());
      auto offset = weight ? weight->getAttrOfType<IntegerAttr>("segment_offset") : IntegerAttr();
      if (!offset)
        return reference.emitError("names no weight that has a place");
      return at(weights, offset.getInt());
    }
    return producer->emitError(
        "has no memory that the host program could pass on; tfc-form-kernels makes kernels of such ops");
  }

  //===--------------------------------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------------------------------===//

  LogicalResult emitLaunch(LaunchOp launch) {
    int64_t word = 0;
    auto store = [&](Value value) {
      LLVM::StoreOp::create(builder, loc, value, at(args, sizeof(uint64_t) * word++));
    };
    for (Value operand : llvm::concat<Value>(llvm::to_vector(launch.getInputs()),
                                             llvm::to_vector_of<Value>(launch.getOutputs()))) {
      FailureOr<Value> address = emitPointer(operand);
      if (failed(address))
        return failure();
      store(*address);
    }
    for (int64_t number : description.getSymbolValues(launch))
      store(loadValue(number));
    callTable(offsetof(TfcRunTable, launch), description.getLaunchNumber(launch), args);
    return success();
  }

  /// Room on the stack for the tensors of the largest call of the host, and for their dims.
  void allocateTensors() {
    size_t tensorCount = 0, dimCount = 0;
    entry.walk([&](ExternCallOp call) {
      tensorCount = std::max<size_t>(tensorCount, getExternTensors(call, /*outputs=*/false).size() +
                                                      getExternTensors(call, /*outputs=*/true).size());
      size_t dims = 0;
      for (Type type : call->getOperandTypes())
        dims += cast<RankedTensorType>(type).getRank();
      for (Type type : call->getResultTypes())
        dims += cast<RankedTensorType>(type).getRank();
      dimCount = std::max(dimCount, dims);
    });
    if (tensorCount == 0)
      return;
    auto allocate = [&](size_t bytes) -> Value {
      return LLVM::AllocaOp::create(builder, loc, pointer, LLVM::LLVMArrayType::get(builder.getI8Type(), std::max<size_t>(bytes, 1)),
                                    constant(i64, 1), /*alignment=*/16);
    };
    tensors = allocate(tensorCount * sizeof(TfcTensor));
    tensorDims = allocate(dimCount * sizeof(int64_t));
  }

  void storeAt(Value base, int64_t offset, Value value) { LLVM::StoreOp::create(builder, loc, value, at(base, offset)); }

  /// Fills in TfcTensor number `number`, whose dims stand from `firstDim` on; gives the first dim behind them.
  FailureOr<int64_t> emitTensor(int64_t number, Value value, int64_t firstDim) {
    int64_t base = number * sizeof(TfcTensor);
    Value null = LLVM::ZeroOp::create(builder, loc, pointer);
    Value data = null, dims = null;
    TfcDataType dtype = {0, 0, 0};
    int64_t rank = 0;
    if (value) {
      auto type = cast<RankedTensorType>(value.getType());
      std::optional<TfcDataType> known = getDataType(type.getElementType());
      if (!known)
        return value.getDefiningOp()->emitError("has elements that no tensor of the ABI has: ") << type;
      dtype = *known;
      rank = type.getRank();
      FailureOr<Value> address = emitPointer(value);
      if (failed(address))
        return failure();
      data = *address;
      dims = at(tensorDims, firstDim * sizeof(int64_t));
      for (int64_t dim : description.addDims(type))
        storeAt(tensorDims, firstDim++ * sizeof(int64_t), loadValue(dim));
    }
    uint32_t packed = dtype.code | dtype.bits << 8 | uint32_t(dtype.lanes) << 16;
    storeAt(tensors, base + offsetof(TfcTensor, data), data);
    storeAt(tensors, base + offsetof(TfcTensor, device_type), constant(i32, /*CPU*/ 1));
    storeAt(tensors, base + offsetof(TfcTensor, device_id), constant(i32, 0));
    storeAt(tensors, base + offsetof(TfcTensor, dtype), constant(i32, packed));
    storeAt(tensors, base + offsetof(TfcTensor, rank), constant(i32, rank));
    storeAt(tensors, base + offsetof(TfcTensor, dims), dims);
    storeAt(tensors, base + offsetof(TfcTensor, strides), null);
    storeAt(tensors, base + offsetof(TfcTensor, byte_offset), constant(i64, 0));
    storeAt(tensors, base + offsetof(TfcTensor, capacity_bytes), constant(i64, 0));
    return firstDim;
  }

  /// A text that ends with a NUL, as a constant of the module; equal texts are one.
  Value emitText(StringRef text) {
    LLVM::GlobalOp &global = texts[text];
    if (!global) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(function);
      std::string name = (function.getSymName() + "_text_" + Twine(texts.size() - 1)).str();
      std::string bytes = text.str() + '\0';
      global = LLVM::GlobalOp::create(builder, loc, LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size()), /*isConstant=*/true,
                                      LLVM::Linkage::Internal, name, builder.getStringAttr(bytes));
    }
    return LLVM::AddressOfOp::create(builder, loc, global);
  }

  LogicalResult emitExternCall(ExternCallOp call) {
    SmallVector<Value> inputs = getExternTensors(call, /*outputs=*/false), outputs = getExternTensors(call, /*outputs=*/true);
    int64_t number = 0, firstDim = 0;
    for (Value value : llvm::concat<Value>(inputs, outputs)) {
      FailureOr<int64_t> next = emitTensor(number++, value, firstDim);
      if (failed(next))
        return failure();
      firstDim = *next;
    }
    callTable(offsetof(TfcRunTable, extern_call),
              {run, emitText(getExternText(call)), tensors, constant(i32, inputs.size()), constant(i32, outputs.size())});
    return success();
  }

  LogicalResult emitBind(BindOp bind) {
    FailureOr<Value> data = emitPointer(bind.getX());
    if (failed(data))
      return failure();
    callTable(offsetof(TfcRunTable, bind), description.getBindNumber(bind), *data);
    loadPointers();
    return success();
  }

  /// The byte at an address of the run's memory, which the runtime has to read where it is a device's.
  Value loadByte(Value address) {
    Type i8 = builder.getI8Type();
    if (!isForDevice)
      return loadField(address, 0, i8);
    callTable(offsetof(TfcRunTable, fetch), {run, address, constant(i64, 1), args});
    return loadField(args, 0, i8);
  }

  /// A condition is a bool in memory: one byte.
  LogicalResult emitExtract(tensor::ExtractOp extract) {
    if (!extract.getType().isInteger(1) || !extract.getIndices().empty())
      return extract.emitError("reads no condition: a tensor<i1> is needed");
    FailureOr<Value> data = emitPointer(extract.getTensor());
    if (failed(data))
      return failure();
    Value byte = loadByte(*data);
    conditions[extract.getResult()] =
        LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, byte, constant(builder.getI8Type(), 0));
    return success();
  }

  FailureOr<Value> getCondition(Operation *op, Value value) {
    if (Value condition = conditions.lookup(value))
      return condition;
    return op->emitError("needs a condition read by tensor.extract");
  }

  /// Reads the fields anew where code comes together, if a bind in one of the regions may have moved them.
  void joinPointers(Operation *op) {
    if (op->walk([](BindOp) { return WalkResult::interrupt(); }).wasInterrupted())
      loadPointers();
  }

  LogicalResult emitIf(scf::IfOp branch) {
    FailureOr<Value> condition = getCondition(branch, branch.getCondition());
    if (failed(condition))
      return failure();
    Block *thenBlock = addBlock({}), *elseBlock = addBlock({}), *behind = addBlock({});
    LLVM::CondBrOp::create(builder, loc, *condition, thenBlock, elseBlock);
    for (auto [region, block] :
         {std::pair(&branch.getThenRegion(), thenBlock), std::pair(&branch.getElseRegion(), elseBlock)}) {
      enter(block);
      joinPointers(branch);
      if (!region->empty() && failed(emitBlock(region->front())))
        return failure();
      LLVM::BrOp::create(builder, loc, ValueRange{}, behind);
    }
    enter(behind);
    joinPointers(branch);
    return success();
  }

  LogicalResult emitWhile(scf::WhileOp loop) {
    Block *before = addBlock({}), *after = addBlock({}), *behind = addBlock({});
    LLVM::BrOp::create(builder, loc, ValueRange{}, before);
    enter(before);
    joinPointers(loop);
    if (failed(emitBlock(loop.getBefore().front())))
      return failure();
    FailureOr<Value> condition = getCondition(loop, loop.getConditionOp().getCondition());
    if (failed(condition))
      return failure();
    LLVM::CondBrOp::create(builder, loc, *condition, after, behind);
    enter(after);
    joinPointers(loop);
    if (failed(emitBlock(loop.getAfter().front())))
      return failure();
    LLVM::BrOp::create(builder, loc, ValueRange{}, before);
    enter(behind);
    joinPointers(loop);
    return success();
  }

  LogicalResult emitOp(Operation *op) {
    loc = op->getLoc();
    if (auto launch = dyn_cast<LaunchOp>(op))
      return emitLaunch(launch);
    if (auto call = dyn_cast<ExternCallOp>(op))
      return emitExternCall(call);
    if (auto bind = dyn_cast<BindOp>(op))
      return emitBind(bind);
    if (auto extract = dyn_cast<tensor::ExtractOp>(op))
      return emitExtract(extract);
    if (auto branch = dyn_cast<scf::IfOp>(op))
      return emitIf(branch);
    if (auto loop = dyn_cast<scf::WhileOp>(op))
      return emitWhile(loop);
    // These have no code of their own: they say what lies where, or what the descriptor holds.
    if (isa<ReshapeOp, WeightRefOp, RequireOp>(op) || op->hasTrait<OpTrait::IsTerminator>())
      return success();
    return op->emitError("cannot stand in a host program; run tfc-form-kernels first");
  }

  LogicalResult emitBlock(Block &block) {
    for (Operation &op : block)
      if (failed(emitOp(&op)))
        return failure();
    loc = entry.getLoc();
    return success();
  }

  func::FuncOp entry;
  EntryDescription &description;
  OpBuilder builder;
  Location loc;
  Type pointer, i64, i32;
  bool isForDevice;
  LLVM::LLVMFuncOp function;
  Block *leave = nullptr;
  Value run, args, tensors, tensorDims, table, values, inputs, outputs, arenas, weights;
  llvm::StringMap<LLVM::GlobalOp> texts;
  DenseMap<Value, Value> conditions;
};

} // namespace

FailureOr<LLVM::LLVMFuncOp> mlir::tfc::emitHostCode(func::FuncOp entry, EntryDescription &description,
                                                    StringRef name) {
  return HostCode(entry, description).emit(name);
}
