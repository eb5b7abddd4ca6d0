//===- EmulateGpuModule.h - GPU kernels as functions of this machine -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A test runs the very LLVM IR that would become PTX, on this machine's CPU. Whatever only a GPU can do becomes a call of a C function
// that the emulator (test/lib/GpuEmulator) has:
//
//   an intrinsic `llvm.nvvm.a.b`   void tfc_emu_a_b(void *result, const uint64_t *arguments)
//   inline assembly                void tfc_emu_asm(const char *text, void *result, const uint64_t *arguments); operands that it changes
//                                  in place stand in the result already
//   a load or store                void tfc_emu_check(const void *address, uint64_t bytes, uint32_t isStore), before it
//
// Each argument takes whole words of 8 bytes, and the result lies as LLVM stores its type. A kernel `@k` gets a door
// `void k.emu(void **parameters)`, with the addresses of the parameters, as cuLaunchKernel takes them. The dynamic shared memory is the array
// `tfc_shared`.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_GPU_EMULATEGPUMODULE_H
#define TFC_CODEGEN_GPU_EMULATEGPUMODULE_H

namespace llvm {
class Module;
} // namespace llvm

namespace mlir::tfc {

/// Turns a module that translateGpuModule made into one for the host. Triple and data layout are left for the caller to set.
void emulateGpuModule(llvm::Module &module);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_GPU_EMULATEGPUMODULE_H
