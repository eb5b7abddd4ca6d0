//===- tfc-cpu-opt.cpp - Runs the passes of CPU code generation -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Codegen/CPU/Passes.h"
#include "tfc/Codegen/Loops/Passes.h"
#include "tfc/Conversion/TfcToLinalg/Passes.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::tfc::registerCPUCodegenDialects(registry);
  mlir::tfc::registerTfcCodegenLoopsPasses();
  mlir::tfc::registerTfcCodegenCPUPasses();
  mlir::tfc::registerTfcToLinalgPasses();
  mlir::tfc::registerCPUPipelines();
  mlir::registerTransformsPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "CPU code generation of tfc\n", registry));
}
