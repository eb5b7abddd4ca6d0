//===- MakeDeviceProgram.h - A device's program for an artifact ---------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_PIPELINE_MAKEDEVICEPROGRAM_H
#define TFC_LIB_PIPELINE_MAKEDEVICEPROGRAM_H

#include "tfc/Target/EmitArtifact.h"
#include "tfc/TargetInfo/TargetList.h"

namespace mlir::tfc {

/// What an artifact says of a program for a device, with its code. `module` is at stage llvm. `assembles`: PTX is made machine code
/// too where there is an assembler for it.
llvm::Expected<DeviceProgram> makeDeviceProgram(ModuleOp module, const ::tfc::TargetSpec &target, bool assembles);

} // namespace mlir::tfc

#endif // TFC_LIB_PIPELINE_MAKEDEVICEPROGRAM_H
