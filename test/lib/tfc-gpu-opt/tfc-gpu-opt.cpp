//===- tfc-gpu-opt.cpp - Runs the passes of GPU code generation ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/GPU/Passes.h"
#include "tfc/Codegen/GPU/SerializeToPTX.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::tfc::registerGPUCodegenDialects(registry);
  mlir::tfc::registerTfcCodegenGPUPasses();
  mlir::registerTransformsPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "GPU code generation of tfc\n", registry));
}
