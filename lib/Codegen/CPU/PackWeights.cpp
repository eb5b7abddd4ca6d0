//===- PackWeights.cpp - Weights of matrix products in the order they are read --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A row-major weight B[k, n] is read with a stride of n floats: each row of a panel lies on other pages,
// which neither the TLB nor the hardware's prefetching likes. Stored panel by panel, it is read from its
// first byte to its last, by products of many rows and of one alike.
//
// Only the layout of the tfc.weight changes, so whoever writes the bytes (the artifact's writer, or the
// runtime that makes seeded weights) puts them there at once, and nothing is stored twice. A table of
// embeddings that is tied to a product is packed for the product, which reads all of it; the lookup reads the
// few rows it needs out of the panels. A weight that has yet another use keeps its layout.
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/Loops/KernelFrame.h"
#include "PackedOperand.h"
#include "TargetOption.h"
#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Common/ContractionEpilogue.h"
#include "tfc/Codegen/Common/OperandCasts.h"
#include "tfc/Dialect/Tfc/IR/BuildOp.h"
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

/// The argument of a kernel that is to be cut into panels: the right operand of the matrix product that the
/// kernel is, or a table that the kernel looks rows up in.
struct Operand {
  unsigned argument;
  bool transposed; // with regard to the product
  int64_t k, n, width;

  bool hasLayoutOf(const Operand &o) const {
    return transposed == o.transposed && k == o.k && n == o.n && width == o.width;
  }
};

/// References to the parts of a packed weight.
struct PackedWeight {
  WeightOp panels, tail;
};

class Packer {
public:
  Packer(ModuleOp module, ArrayRef<::tfc::CpuTarget> targets) : module(module), symbols(module), targets(targets) {}
  LogicalResult run();

private:
  std::optional<Operand> findOperand(func::FuncOp kernel) const;
  void findLaunches();
  std::optional<Operand> agreeOnLayout(ArrayRef<WeightRefOp> references) const;
  std::optional<Operand> findUse(OpOperand &use, const Operand &layout) const;
  void fitStacks();
  PackedWeight pack(WeightOp weight, const Operand &operand);
  WeightOp packStack(WeightOp stack, const Operand &operand);
  WeightOp makeWeight(WeightOp weight, StringRef ending, const WeightView &view);
  void packUse(OpOperand &use, const Operand &operand, const PackedWeight &parts);
  LogicalResult packKernel(func::FuncOp kernel, const Operand &operand);
  LogicalResult packKernels();

  ModuleOp module;
  SymbolTable symbols;
  /// All that read the weights.
  ArrayRef<::tfc::CpuTarget> targets;
  /// Kernels that are one matrix product with a right operand that can be packed, and their launches.
  llvm::MapVector<func::FuncOp, Operand> operands;
  llvm::MapVector<Operation *, func::FuncOp> kernelOf;
  struct PackedKernel {
    Operand operand;
    SmallVector<LaunchOp> launches;
  };
  llvm::MapVector<func::FuncOp, PackedKernel> packedKernels;
  DenseMap<Operation *, unsigned> launchCount;
};

} // namespace

/// Whether the op is the cast that the right operand of a product is read through, whose loops widen it.
static bool widensB(Operation *op) {
  if (!isWideningCast(op) || !op->hasOneUse() || !isa<BlockArgument>(op->getOperand(0)))
    return false;
  auto matmul = dyn_cast<MatmulOp>(*op->user_begin());
  return matmul && matmul.getB() == op->getResult(0);
}

/// The matrix product of a kernel that is nothing but that and its epilogue.
static MatmulOp findMatmul(func::FuncOp kernel) {
  MatmulOp matmul;
  SmallVector<Operation *> others;
  for (Operation &op : kernel.front().without_terminator()) {
    if (auto candidate = dyn_cast<MatmulOp>(op)) {
      if (matmul)
        return {};
      matmul = candidate;
    } else if (!isa<ConstantOp>(op) && !widensB(&op)) {
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
  auto argument = dyn_cast<BlockArgument>(skipWideningCast(matmul.getB()));
  auto type = cast<RankedTensorType>(matmul.getB().getType());
  auto isF32 = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType().isF32(); };
  if (!argument || !argument.hasOneUse() || !isF32(matmul.getA()) || !isF32(matmul.getB()) ||
      type.getRank() != 2 || !type.hasStaticShape() || type.getNumElements() == 0)
    return std::nullopt;
  bool transposed = matmul.getTransposeB();
  int64_t k = type.getShape()[transposed ? 1 : 0], n = type.getShape()[transposed ? 0 : 1];
  int64_t width = ::tfc::selectPanelWidth(n, targets);
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
    kernelOf[launch] = kernel;
  });
}

/// A panel of a stacked weight lies in one part of it. Where the usual width does not divide the columns of every part,
/// fewer vectors may; else the kernel reads its weight as it stands.
void Packer::fitStacks() {
  int64_t lanes = ::tfc::getWidestTarget(targets).floatLanes();
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
}

/// The lookup that is the only use of a kernel's argument.
static GatherOp findLookup(func::FuncOp kernel, unsigned argument) {
  if (kernel.isExternal() || argument >= kernel.getNumArguments() ||
      !kernel.getArgument(argument).hasOneUse())
    return {};
  OpOperand &use = *kernel.getArgument(argument).use_begin();
  auto gather = dyn_cast<GatherOp>(use.getOwner());
  return gather && use.getOperandNumber() == 0 && gather.getAxis() == 0 ? gather : GatherOp();
}

/// How the kernel of a launch takes a weight that is to have this layout, if it can.
std::optional<Operand> Packer::findUse(OpOperand &use, const Operand &layout) const {
  func::FuncOp kernel = kernelOf.lookup(use.getOwner());
  if (!kernel)
    return std::nullopt;
  Operand operand = layout;
  operand.argument = use.getOperandNumber();
  auto product = operands.find(kernel);
  bool isProduct = product != operands.end() && product->second.argument == operand.argument;
  if (isProduct ? !product->second.hasLayoutOf(layout) : !findLookup(kernel, operand.argument))
    return std::nullopt;
  // One argument of a kernel is packed, and in one way.
  auto known = packedKernels.find(kernel);
  if (known != packedKernels.end() &&
      (known->second.operand.argument != operand.argument || !known->second.operand.hasLayoutOf(layout)))
    return std::nullopt;
  return operand;
}

/// The layout that the products which use the weight want, if they want one and the same and every other use
/// can read it.
std::optional<Operand> Packer::agreeOnLayout(ArrayRef<WeightRefOp> references) const {
  std::optional<Operand> agreed;
  SmallVector<OpOperand *> uses;
  for (WeightRefOp reference : references)
    for (OpOperand &use : reference.getY().getUses()) {
      uses.push_back(&use);
      auto product = operands.find(kernelOf.lookup(use.getOwner()));
      if (product != operands.end() && product->second.argument == use.getOperandNumber())
        agreed = product->second;
    }
  // A launch that takes the weight twice would have to take each part twice.
  llvm::SmallPtrSet<Operation *, 8> owners;
  for (OpOperand *use : uses)
    if (!agreed || !owners.insert(use->getOwner()).second || !findUse(*use, *agreed))
      return std::nullopt;
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

void Packer::packUse(OpOperand &use, const Operand &operand, const PackedWeight &parts) {
  auto launch = cast<LaunchOp>(use.getOwner());
  OpBuilder builder(launch);
  SmallVector<Value> inputs(launch.getInputs());
  auto refer = [&](WeightOp weight) -> Value {
    return WeightRefOp::create(builder, launch.getLoc(), weight.getTensorType(), weight.getSymNameAttr());
  };
  inputs[operand.argument] = refer(parts.panels);
  if (parts.tail)
    inputs.insert(inputs.begin() + operand.argument + 1, refer(parts.tail));
  launch.getInputsMutable().assign(inputs);
  PackedKernel &packed =
      packedKernels.try_emplace(kernelOf.lookup(launch), PackedKernel{operand, {}}).first->second;
  packed.launches.push_back(launch);
}

/// Replaces the kernel's argument by its parts.
LogicalResult Packer::packKernel(func::FuncOp kernel, const Operand &operand) {
  unsigned at = operand.argument;
  BlockArgument argument = kernel.getArgument(at);
  Operation *user = *argument.user_begin();
  Location loc = user->getLoc();
  Type element = cast<RankedTensorType>(argument.getType()).getElementType();
  int64_t rest = operand.n % operand.width;
  auto panels = RankedTensorType::get({operand.n / operand.width, operand.k, operand.width}, element);
  if (failed(kernel.insertArgument(at + 1, panels, /*argAttrs=*/{}, loc)))
    return failure();
  if (rest > 0 && failed(kernel.insertArgument(at + 2, RankedTensorType::get({operand.k, rest}, element), {}, loc)))
    return failure();
  OpBuilder builder(user);
  PackedOperand parts{kernel.getArgument(at + 1), rest > 0 ? kernel.getArgument(at + 2) : Value()};
  FailureOr<Value> b = buildPackedOperand(builder, loc, parts);
  if (failed(b))
    return failure();
  if (isWideningCast(user)) {
    // The product reads it through the cast, which has the dims of the operand.
    auto matmul = cast<MatmulOp>(*user->user_begin());
    b = buildOp<CastOp>(builder, user->getLoc(), *b, {}, cast<RankedTensorType>(b->getType()).clone(builder.getF32Type()));
    if (failed(b))
      return failure();
    matmul.getBMutable().assign(*b);
    matmul.setTransposeB(false);
    user->erase();
    return kernel.eraseArgument(at);
  }
  if (auto matmul = dyn_cast<MatmulOp>(user)) {
    matmul.setTransposeB(false);
  } else if (operand.transposed) {
    NamedAttribute swap = builder.getNamedAttr("permutation", builder.getDenseI64ArrayAttr({1, 0}));
    b = buildOp<TransposeOp>(builder, loc, *b, swap);
    if (failed(b))
      return failure();
  }
  argument.use_begin()->set(*b);
  return kernel.eraseArgument(at);
}

/// A kernel that also runs on operands that are not packed stays beside its packed copy.
LogicalResult Packer::packKernels() {
  for (auto &[kernel, entry] : packedKernels) {
    func::FuncOp packed = kernel;
    if (entry.launches.size() < launchCount.lookup(kernel)) {
      packed = kernel.clone();
      packed.setName((kernel.getName() + "_packed").str());
      symbols.insert(packed, std::next(Block::iterator(kernel)));
      for (LaunchOp launch : entry.launches)
        launch.setKernelAttr(FlatSymbolRefAttr::get(packed.getSymNameAttr()));
    }
    if (failed(packKernel(packed, entry.operand)))
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
      for (OpOperand &use : llvm::make_early_inc_range(reference.getY().getUses())) {
        Operand atUse = *operand;
        atUse.argument = use.getOperandNumber();
        packUse(use, atUse, parts);
      }
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
    FailureOr<KernelTargets> targets = KernelTargets::read(getOperation(), cpu);
    if (failed(targets))
      return signalPassFailure();
    if (failed(Packer(getOperation(), targets->all()).run()))
      signalPassFailure();
  }
};
} // namespace
