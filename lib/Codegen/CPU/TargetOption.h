//===- TargetOption.h - The CPUs that a pass is for -------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_TARGETOPTION_H
#define TFC_LIB_CODEGEN_CPU_TARGETOPTION_H

#include "tfc/TargetInfo/CpuTarget.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace mlir::tfc {

/// Which CPU a kernel is for: the one that a pass's option `cpu` names. Where it names several, each kernel says which of them
/// is its own (tfc-add-variants).
class KernelTargets {
public:
  static constexpr StringLiteral kCpuAttr = "tfc.cpu";
  /// On a further variant of a kernel: the kernel, which is the variant for the most capable CPU itself.
  static constexpr StringLiteral kVariantOfAttr = "tfc.variant_of";

  /// A diagnostic at the op where the option names no CPU.
  static FailureOr<KernelTargets> read(Operation *op, StringRef cpu) {
    llvm::Expected<::tfc::CpuTargets> targets = ::tfc::parseCpuTargets(cpu);
    if (targets)
      return KernelTargets{std::move(*targets)};
    return op->emitError() << llvm::toString(targets.takeError());
  }

  ArrayRef<::tfc::CpuTarget> all() const { return targets; }

  const ::tfc::CpuTarget &of(Operation *kernel) const {
    auto name = kernel->getAttrOfType<StringAttr>(kCpuAttr);
    for (const ::tfc::CpuTarget &target : targets)
      if (name && target.name == name.getValue())
        return target;
    return targets.front();
  }

private:
  explicit KernelTargets(::tfc::CpuTargets targets) : targets(std::move(targets)) {}

  ::tfc::CpuTargets targets;
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_TARGETOPTION_H
