//===- TfcOps.td - All ops of the dialect -------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCOPS
#define TFC_DIALECT_TFC_IR_TFCOPS

include "tfc/Dialect/Tfc/IR/TfcElementwiseOps.td"
include "tfc/Dialect/Tfc/IR/TfcContractionOps.td"
include "tfc/Dialect/Tfc/IR/TfcNormalizationOps.td"
include "tfc/Dialect/Tfc/IR/TfcReductionOps.td"
include "tfc/Dialect/Tfc/IR/TfcDataMovementOps.td"
include "tfc/Dialect/Tfc/IR/TfcShapeOps.td"
include "tfc/Dialect/Tfc/IR/TfcProgramOps.td"

#endif // TFC_DIALECT_TFC_IR_TFCOPS
