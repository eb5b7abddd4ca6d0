//===- EmitModelABI.h - The descriptor of a model as LLVM constants ----------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_EMITMODELABI_H
#define TFC_TARGET_EMITMODELABI_H

#include "tfc/Target/ModelDescription.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llvm {
class Module;
} // namespace llvm

namespace tfc {

/// Names inside a model.so. They are hidden there; the object files meet under them. The section is the one
/// that linkers put behind all others; code for the small code model has nothing else in it.
inline constexpr llvm::StringLiteral kCoreApiSymbol = "tfc_core_api";
inline constexpr llvm::StringLiteral kWeightSegmentSymbol = "tfc_weight_segment";
inline constexpr llvm::StringLiteral kWeightSegmentSection = ".lbss";
inline constexpr uint64_t kWeightSegmentPage = 4096;
/// Pages that a processor maps by one entry of its table, and from how many bytes on weights are laid out for
/// them.
inline constexpr uint64_t kLargePage = uint64_t(2) << 20;
inline constexpr uint64_t kWorthLargePages = 8 * kLargePage;

/// Adds the TfcModel that `model` describes and the exported function `querySymbol` that returns it to
/// `module`, which holds the kernels and host programs. Every other definition of the module becomes hidden.
/// Fails when the module lacks a function that the description names, or has another one by a name that is
/// needed here.
llvm::Error emitModelABI(llvm::Module &module, const ModelDescription &model, llvm::StringRef querySymbol);

} // namespace tfc

#endif // TFC_TARGET_EMITMODELABI_H
