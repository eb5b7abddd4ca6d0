//===- EmulatedModule.h - GPU kernels made at run time for this machine --------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TEST_LIB_EMULATEDMODULE_H
#define TFC_TEST_LIB_EMULATEDMODULE_H

#include "GpuEmulator.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace tfc {
struct GpuTarget;
} // namespace tfc

namespace tfc::emu {

class EmulatedModule {
public:
  /// Compiles a lowered gpu.module. `plant` names a fault to put into it first (plantFault), none where it is empty.
  static llvm::Expected<std::unique_ptr<EmulatedModule>> create(mlir::gpu::GPUModuleOp module, const GpuTarget &target,
                                                                llvm::StringRef plant);
  /// Runs one launch of the kernel of that name.
  llvm::Error launch(llvm::StringRef kernel, const TfcEmuLaunch &launch, void **parameters);

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace tfc::emu

#endif // TFC_TEST_LIB_EMULATEDMODULE_H
