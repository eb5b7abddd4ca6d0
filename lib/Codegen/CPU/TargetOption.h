//===- TargetOption.h - The CPU that a pass is for --------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_TARGETOPTION_H
#define TFC_LIB_CODEGEN_CPU_TARGETOPTION_H

#include "tfc/TargetInfo/CpuTarget.h"

#include "mlir/IR/Operation.h"

namespace mlir::tfc {

/// The target that a pass's option `cpu` names; a diagnostic at the op where it names none.
inline FailureOr<::tfc::CpuTarget> readTargetOption(Operation *op, StringRef cpu) {
  llvm::Expected<::tfc::CpuTarget> target = ::tfc::parseCpuTarget(cpu);
  if (target)
    return std::move(*target);
  return op->emitError() << llvm::toString(target.takeError());
}

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_TARGETOPTION_H
