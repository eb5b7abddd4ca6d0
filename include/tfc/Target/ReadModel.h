//===- ReadModel.h - What a module at stage llvm says about the model --------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_READMODEL_H
#define TFC_TARGET_READMODEL_H

#include "tfc/Dialect/Tfc/IR/DataType.h"
#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Target/ModelDescription.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::tfc {

/// Code for one set of CPU features: the function of kernel @k is @k followed by `suffix`.
struct KernelVariant {
  std::string suffix;
  uint64_t features = 0; ///< TfcFeature bits.
};

/// A module as the writers of the artifact want it.
struct ModelReading {
  ::tfc::ModelDescription description;
  /// The op of each of `description.weights`, in the same order: ascending offsets, no overlap, tied weights
  /// once.
  SmallVector<WeightOp> weights;
};

/// Reads the `tfc.entry` and `tfc.weight` ops of a module at stage llvm and checks all of it: indices,
/// ranges, names of functions and their types, places of weights. `variants` lists the sets of CPU features,
/// best first; every kernel must have a function for at least one.
llvm::Expected<ModelReading> readModel(ModuleOp module, ArrayRef<KernelVariant> variants);

/// Reads the `tfc.weight` ops alone, of a module whose weights have places.
llvm::Expected<ModelReading> readWeights(ModuleOp module);
/// The same of a module for a device (`tfc.device`), whose kernels are steps: functions of the gpu.module beside the host programs.
llvm::Expected<ModelReading> readDeviceModel(ModuleOp module);

/// Whether two modules want the same bytes in the same places.
bool haveSameWeights(const ModelReading &a, const ModelReading &b);

/// The same as the artifact says it.
TfcSeed describeSeed(SeedSourceAttr seed);

/// Bytes of `count` elements (types below a byte are packed), or nullopt beyond 63 bits.
std::optional<uint64_t> getDataBytes(TfcDataType type, ArrayRef<int64_t> dims);

} // namespace mlir::tfc

#endif // TFC_TARGET_READMODEL_H
