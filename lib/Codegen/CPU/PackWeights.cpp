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

#include "KernelFrame.h"
#include "PackedOperand.h"
#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Common/ContractionEpilogue.h"
#include "tfc/Dialect/Tfc/IR/WeightView.h"
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
  PackedWeight pack(WeightOp weight, const Operand &operand);
  WeightOp makeWeight(WeightOp weight, StringRef ending, const WeightView &view);
  void packLaunch(LaunchOp launch, const Operand &operand, const PackedWeight &parts);
  LogicalResult packKernel(func::FuncOp kernel, const Operand &operand);
  LogicalResult packKernels();

  ModuleOp module;
  SymbolTable symbols;
  const ::tfc::CpuTarget &target;
  /// Kernels that are one matrix product with a right operand that can be packed, and their launches.
  llvm::MapVector<func::FuncOp, Operand> operands;
  DenseMap<Operation *, func::FuncOp> kernelOf;
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
  if (kernel.isExternal() || !kernel->hasAttr("tfc.kernel") || kernel->hasAttr(KernelFrame::kPlainAttr) || !llvm::hasSingleElement(kernel.getBody()))
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

WeightOp Packer::makeWeight(WeightOp weight, StringRef ending, const WeightView &view) {
  OpBuilder builder(weight);
  auto part = WeightOp::create(builder, weight.getLoc(), builder.getStringAttr(weight.getSymName() + ending),
                               TypeAttr::get(view.getType()), weight.getSource(), view.getLayout(),
                               weight.getSourceElementAttr());
  symbols.insert(part);
  return part;
}

/// The weight's parts, as views of its source in its place.
PackedWeight Packer::pack(WeightOp weight, const Operand &operand) {
  WeightView view = WeightView::of(weight); // [k, n]
  if (operand.transposed)
    view = view.transpose({1, 0});
  int64_t count = operand.n / operand.width, whole = count * operand.width;
  PackedWeight parts;
  // Splitting a dim is a reshape that strides can always say.
  std::optional<WeightView> columns = view.slice({0, 0}, {operand.k, whole}, {1, 1}).reshape({operand.k, count, operand.width});
  parts.panels = makeWeight(weight, "_panels", columns->transpose({1, 0, 2}));
  if (whole < operand.n)
    parts.tail = makeWeight(weight, "_tail", view.slice({0, whole}, {operand.k, operand.n - whole}, {1, 1}));
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
