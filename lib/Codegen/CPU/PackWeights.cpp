//===- PackWeights.cpp - Weights of matrix products in the order they are read --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A row-major weight B[k, n] is read with a stride of n floats: each row of a panel lies on other pages, which neither the
// TLB nor the hardware's prefetching likes. Stored panel by panel, it is read from its first byte to its last, by products
// of many rows and of one alike.
//
// Only the layout of the tfc.weight changes, so whoever writes the bytes (the artifact's writer, or the runtime that makes
// seeded weights) puts them there at once, and nothing is stored twice. A weight that is also used in another way, like the
// table of tied embeddings that a gather reads, keeps its layout: a second copy would cost more memory than it gains time,
// and its product reads whole rows of it already.
//
//===----------------------------------------------------------------------------------------------===//

#include "PackedOperand.h"
#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Common/ContractionEpilogue.h"
#include "tfc/Schedule/ContractionSchedule.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tfc {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "tfc/Codegen/CPU/Passes.h.inc"
} // namespace mlir::tfc

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// The right operand of a kernel that is one matrix product: which argument it is, and how it is to be cut.
struct Operand {
  unsigned argument;
  bool transposed;
  int64_t k, n, width;

  bool operator==(const Operand &o) const {
    return transposed == o.transposed && k == o.k && n == o.n && width == o.width;
  }
};

/// References to the parts of a packed weight.
struct PackedWeight {
  WeightOp panels, tail;
};

class Packer {
public:
  Packer(ModuleOp module, const ::tfc::CpuTarget &target) : module(module), symbols(module), target(target) {}
  LogicalResult run();

private:
  std::optional<Operand> findOperand(func::FuncOp kernel) const;
  void findLaunches();
  std::optional<Operand> agreeOnLayout(ArrayRef<WeightRefOp> references) const;
  void fitStacks();
  PackedWeight pack(WeightOp weight, const Operand &operand);
  WeightOp packStack(WeightOp stack, const Operand &operand);
  WeightOp makeView(WeightOp weight, StringRef ending, int64_t offset, ArrayRef<int64_t> shape, ArrayRef<int64_t> strides);
  void packLaunch(LaunchOp launch, const Operand &operand, const PackedWeight &parts);
  LogicalResult packKernel(func::FuncOp kernel, const Operand &operand);
  LogicalResult packKernels();

  ModuleOp module;
  SymbolTable symbols;
  const ::tfc::CpuTarget &target;
  /// Kernels that are one matrix product with a right operand that can be packed, and their launches.
  llvm::MapVector<func::FuncOp, Operand> operands;
  llvm::MapVector<Operation *, func::FuncOp> kernelOf;
  llvm::MapVector<func::FuncOp, SmallVector<LaunchOp>> packedLaunches;
  DenseMap<Operation *, unsigned> launchCount;
};

} // namespace

/// The matrix product of a kernel that is nothing but that and its epilogue.
static MatmulOp findMatmul(func::FuncOp kernel) {
  MatmulOp matmul;
  SmallVector<Operation *> others;
  for (Operation &op : kernel.front().without_terminator()) {
    if (auto candidate = dyn_cast<MatmulOp>(op)) {
      if (matmul)
        return {};
      matmul = candidate;
    } else if (!isa<ConstantOp>(op)) {
      others.push_back(&op);
    }
  }
  return matmul && isEpilogue(others, matmul) ? matmul : MatmulOp();
}

std::optional<Operand> Packer::findOperand(func::FuncOp kernel) const {
  if (kernel.isExternal() || !kernel->hasAttr("tfc.kernel") || !llvm::hasSingleElement(kernel.getBody()))
    return std::nullopt;
  MatmulOp matmul = findMatmul(kernel);
  if (!matmul)
    return std::nullopt;
  auto argument = dyn_cast<BlockArgument>(matmul.getB());
  auto type = cast<RankedTensorType>(matmul.getB().getType());
  auto isF32 = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType().isF32(); };
  if (!argument || !argument.hasOneUse() || !isF32(matmul.getA()) || !isF32(argument) ||
      type.getRank() != 2 || !type.hasStaticShape() || type.getNumElements() == 0)
    return std::nullopt;
  bool transposed = matmul.getTransposeB();
  int64_t k = type.getShape()[transposed ? 1 : 0], n = type.getShape()[transposed ? 0 : 1];
  int64_t width = ::tfc::selectPanelWidth(n, k, target);
  // A weight of one panel stands as it should, if it is not transposed.
  if (n < width || (n == width && !transposed))
    return std::nullopt;
  return Operand{argument.getArgNumber(), transposed, k, n, width};
}

void Packer::findLaunches() {
  for (auto kernel : module.getOps<func::FuncOp>())
    if (auto operand = findOperand(kernel))
      operands.insert({kernel, *operand});
  module.walk([&](LaunchOp launch) {
    auto kernel = symbols.lookup<func::FuncOp>(launch.getKernel());
    if (!kernel)
      return;
    ++launchCount[kernel];
    if (operands.contains(kernel))
      kernelOf[launch] = kernel;
  });
}

/// A panel of a stacked weight lies in one part of it. Where the usual width does not divide the columns of every part,
/// fewer vectors may; else the kernel reads its weight as it stands.
void Packer::fitStacks() {
  int64_t lanes = target.floatLanes();
  for (auto &[launch, kernel] : kernelOf) {
    auto found = operands.find(kernel);
    if (found == operands.end())
      continue;
    Operand &operand = found->second;
    auto reference = cast<LaunchOp>(launch).getInputs()[operand.argument].getDefiningOp<WeightRefOp>();
    auto weight = reference ? symbols.lookup<WeightOp>(reference.getWeight()) : WeightOp();
    if (!weight || weight.getParts().empty())
      continue;
    auto dividesParts = [&](int64_t width) {
      return operand.transposed && llvm::all_of(weight.getParts(), [&](FlatSymbolRefAttr part) {
               return symbols.lookup<WeightOp>(part.getAttr()).getTensorType().getDimSize(0) % width == 0;
             });
    };
    while (operand.width > 0 && !dividesParts(operand.width))
      operand.width -= lanes;
    if (operand.width <= 0)
      operands.erase(found);
  }
  kernelOf.remove_if([&](const auto &entry) { return !operands.contains(entry.second); });
}

/// The layout that every use of the weight wants, if all of them want one and the same.
std::optional<Operand> Packer::agreeOnLayout(ArrayRef<WeightRefOp> references) const {
  std::optional<Operand> agreed;
  for (WeightRefOp reference : references)
    for (OpOperand &use : reference.getY().getUses()) {
      func::FuncOp kernel = kernelOf.lookup(use.getOwner());
      if (!kernel)
        return std::nullopt;
      const Operand &operand = operands.find(kernel)->second;
      if (use.getOperandNumber() != operand.argument || (agreed && !(*agreed == operand)))
        return std::nullopt;
      agreed = operand;
    }
  return agreed;
}

WeightOp Packer::makeView(WeightOp weight, StringRef ending, int64_t offset, ArrayRef<int64_t> shape,
                          ArrayRef<int64_t> strides) {
  OpBuilder builder(weight);
  auto type = RankedTensorType::get(shape, weight.getTensorType().getElementType());
  auto view = WeightOp::create(builder, weight.getLoc(), builder.getStringAttr(weight.getSymName() + ending),
                               TypeAttr::get(type), weight.getSource(),
                               LayoutAttr::get(builder.getContext(), offset, strides), weight.getSourceElementAttr());
  symbols.insert(view);
  return view;
}

/// The panels of one part behind those of the other.
WeightOp Packer::packStack(WeightOp stack, const Operand &operand) {
  SmallVector<FlatSymbolRefAttr> parts;
  for (FlatSymbolRefAttr name : stack.getParts()) {
    auto part = symbols.lookup<WeightOp>(name.getAttr());
    Operand ofPart = operand;
    ofPart.n = part.getTensorType().getDimSize(0);
    parts.push_back(FlatSymbolRefAttr::get(pack(part, ofPart).panels.getSymNameAttr()));
  }
  OpBuilder builder(stack);
  auto type = RankedTensorType::get({operand.n / operand.width, operand.k, operand.width},
                                    stack.getTensorType().getElementType());
  auto panels = WeightOp::create(builder, stack.getLoc(), builder.getStringAttr(stack.getSymName() + "_panels"), TypeAttr::get(type),
                                 StackedSourceAttr::get(builder.getContext(), parts), LayoutAttr(), TypeAttr());
  symbols.insert(panels);
  return panels;
}

/// The weight's parts, as views of its source in its place.
PackedWeight Packer::pack(WeightOp weight, const Operand &operand) {
  if (!weight.getParts().empty())
    return {packStack(weight, operand), {}};
  int64_t offset = 0;
  ArrayRef<int64_t> shape = weight.getTensorType().getShape();
  SmallVector<int64_t> strides = {shape[1], 1};
  if (LayoutAttr layout = weight.getLayoutAttr()) {
    offset = layout.getOffset();
    strides.assign(layout.getStrides().begin(), layout.getStrides().end());
  }
  int64_t strideK = strides[operand.transposed ? 1 : 0], strideN = strides[operand.transposed ? 0 : 1];
  int64_t count = operand.n / operand.width, rest = operand.n % operand.width;
  PackedWeight parts;
  parts.panels = makeView(weight, "_panels", offset, {count, operand.k, operand.width},
                          {operand.width * strideN, strideK, strideN});
  if (rest > 0)
    parts.tail = makeView(weight, "_tail", offset + count * operand.width * strideN, {operand.k, rest}, {strideK, strideN});
  return parts;
}

void Packer::packLaunch(LaunchOp launch, const Operand &operand, const PackedWeight &parts) {
  OpBuilder builder(launch);
  SmallVector<Value> inputs(launch.getInputs());
  auto refer = [&](WeightOp weight) -> Value {
    return WeightRefOp::create(builder, launch.getLoc(), weight.getTensorType(), weight.getSymNameAttr());
  };
  inputs[operand.argument] = refer(parts.panels);
  if (parts.tail)
    inputs.insert(inputs.begin() + operand.argument + 1, refer(parts.tail));
  launch.getInputsMutable().assign(inputs);
  packedLaunches[kernelOf.lookup(launch)].push_back(launch);
}

/// Replaces the kernel's right operand by its parts.
LogicalResult Packer::packKernel(func::FuncOp kernel, const Operand &operand) {
  MatmulOp matmul = findMatmul(kernel);
  Location loc = matmul.getLoc();
  Type element = cast<RankedTensorType>(matmul.getB().getType()).getElementType();
  int64_t rest = operand.n % operand.width;
  unsigned at = operand.argument;
  auto panels = RankedTensorType::get({operand.n / operand.width, operand.k, operand.width}, element);
  if (failed(kernel.insertArgument(at + 1, panels, /*argAttrs=*/{}, loc)))
    return failure();
  if (rest > 0 && failed(kernel.insertArgument(at + 2, RankedTensorType::get({operand.k, rest}, element), {}, loc)))
    return failure();
  OpBuilder builder(matmul);
  PackedOperand parts{kernel.getArgument(at + 1), rest > 0 ? kernel.getArgument(at + 2) : Value()};
  FailureOr<Value> b = buildPackedOperand(builder, loc, parts);
  if (failed(b))
    return failure();
  matmul.getBMutable().assign(*b);
  matmul.setTransposeB(false);
  return kernel.eraseArgument(at);
}

/// A kernel that also runs on operands that are not packed stays beside its packed copy.
LogicalResult Packer::packKernels() {
  for (auto &[kernel, launches] : packedLaunches) {
    func::FuncOp packed = kernel;
    if (launches.size() < launchCount.lookup(kernel)) {
      packed = kernel.clone();
      packed.setName((kernel.getName() + "_packed").str());
      symbols.insert(packed, std::next(Block::iterator(kernel)));
      for (LaunchOp launch : launches)
        launch.setKernelAttr(FlatSymbolRefAttr::get(packed.getSymNameAttr()));
    }
    if (failed(packKernel(packed, operands.find(kernel)->second)))
      return failure();
  }
  return success();
}

LogicalResult Packer::run() {
  findLaunches();
  fitStacks();
  llvm::MapVector<StringAttr, SmallVector<WeightRefOp>> references;
  module.walk([&](WeightRefOp reference) { references[reference.getWeightAttr().getAttr()].push_back(reference); });
  for (auto &[name, uses] : references) {
    auto weight = symbols.lookup<WeightOp>(name);
    std::optional<Operand> operand = weight ? agreeOnLayout(uses) : std::nullopt;
    if (!operand)
      continue;
    PackedWeight parts = pack(weight, *operand);
    for (WeightRefOp reference : uses) {
      for (Operation *user : llvm::make_early_inc_range(reference->getUsers()))
        packLaunch(cast<LaunchOp>(user), *operand, parts);
      reference.erase();
    }
    symbols.erase(weight);
  }
  return packKernels();
}

namespace {
struct PackWeights : mlir::tfc::impl::PackWeightsBase<PackWeights> {
  using PackWeightsBase::PackWeightsBase;

  void runOnOperation() override {
    llvm::Expected<::tfc::CpuTarget> target = ::tfc::parseCpuTarget(cpu);
    if (!target) {
      getOperation().emitError() << llvm::toString(target.takeError());
      return signalPassFailure();
    }
    if (failed(Packer(getOperation(), *target).run()))
      signalPassFailure();
  }
};
} // namespace
