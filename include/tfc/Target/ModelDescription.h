//===- ModelDescription.h - What the descriptor of a model says --------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_MODELDESCRIPTION_H
#define TFC_TARGET_MODELDESCRIPTION_H

#include "tfc-c/ModelABI.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tfc {

// Plain data between the readers of the IR and the writers of the artifact: the C structs of ModelABI.h with
// vectors and strings in place of pointers. Everything in it has been checked, so the writers need not doubt
// it.

struct ExprDescription {
  std::vector<TfcExprWord> words;
  uint32_t segment = 0;
  std::string text;
};

struct SymbolDescription {
  std::string name;
  int64_t min = 0, max = INT64_MAX;
  int32_t bornIn = 0;
  uint32_t kind = TFC_SYMBOL_SIZE;
};

struct PortDescription {
  std::string name;
  TfcDataType dtype = {TFC_FLOAT, 32, 1};
  std::vector<uint32_t> dims;
  int32_t alias = -1;
  uint16_t room = 0, roomAxis = 0;
  uint32_t hint = TFC_HINT_NONE, hintBound = 0;
};

struct RequirementDescription {
  uint32_t kind = TFC_REQUIRE_EQUAL, lhs = 0, rhs = 0;
  std::string node;
};

/// See TfcLaunchTensor.
struct LaunchTensorDescription {
  std::string name;
  TfcDataType dtype = {TFC_FLOAT, 32, 1};
  std::vector<uint32_t> dims;
};

struct StepDescription {
  std::string function;
  std::array<uint32_t, 3> grid = {0, 0, 0};
  uint32_t block = 0, cluster = 1, shared = 0;
  bool overlaps = false;
  std::vector<TfcTensorMap> maps;
};

/// See TfcDeviceLaunch.
struct DeviceLaunchDescription {
  std::vector<StepDescription> steps;
  uint32_t words = 0, workspace = 0;
};

struct LaunchDescription {
  uint32_t kernel = 0, tiles = 0, scratch = 0, flops = 0, bytes = 0;
  std::vector<std::string> nodes, checks;
  std::vector<int32_t> sources; ///< See TfcLaunch.
  std::vector<LaunchTensorDescription> operands, results;
  DeviceLaunchDescription device; ///< Of a program for a device.
};

struct BindDescription {
  std::vector<uint32_t> symbols;
  std::string node;
};

struct EntryDescription {
  std::string name;
  std::string run; ///< The function that is the host program.
  std::vector<SymbolDescription> symbols;
  std::vector<ExprDescription> values;
  std::vector<PortDescription> inputs, outputs;
  std::vector<RequirementDescription> requirements;
  std::vector<LaunchDescription> launches;
  std::vector<BindDescription> binds;
  std::vector<uint32_t> arenaBytes;
  uint32_t fetches = 0; ///< See TfcProgram.
};

/// Padding of a layout, see TfcLayoutBound.
struct LayoutBoundDescription {
  int64_t offset = 0, extent = 0;
  std::vector<int64_t> strides;
};

struct WeightDescription {
  std::string name;
  TfcDataType dtype = {TFC_FLOAT, 32, 1};
  std::vector<int64_t> dims;
  uint64_t offset = 0, bytes = 0;
  bool seeded = false;
  TfcSeed seed = {};
  int64_t layoutOffset = 0;
  std::vector<int64_t> layoutStrides; ///< Empty: row-major.
  std::vector<LayoutBoundDescription> layoutBounds;
};

/// See TfcGraphWeight.
struct GraphWeightDescription {
  std::string name;
  TfcDataType dtype = {TFC_FLOAT, 32, 1};
  std::vector<int64_t> dims;
  bool seeded = false;
  TfcSeed seed = {};
  std::vector<uint32_t> pieces;
};

/// Code of one kernel for one set of CPU features.
struct VariantDescription {
  uint64_t features = 0;
  std::string function;
};

struct KernelDescription {
  std::string name;
  std::vector<VariantDescription> variants; ///< Best first.
};

/// A segment of weights. Devices want their weights in other layouts, so that an artifact may have several.
struct WeightTableDescription {
  std::vector<WeightDescription> weights;
  uint64_t weightBytes = 0; ///< Size of the segment of weights.

  // How the bytes of the weights travel; filled in when the artifact is made.
  TfcWeightMode mode = TFC_WEIGHTS_NONE;
  uint64_t embeddedBytes = 0;
  uint64_t embeddedOffset = 0; ///< Where the embedded bytes begin among those of all tables.
  std::string weightsFile;
  std::array<uint64_t, 2> weightsHash = {0, 0};
};

/// The model for one kind of device, see TfcProgram.
struct ProgramDescription {
  uint32_t kind = 0, capability = 0, exact = 0;
  uint32_t weights = 0; ///< Number of the table.
  std::string target;
  std::vector<EntryDescription> entries;
  std::vector<KernelDescription> kernels;
  std::string code; ///< PTX, or the name of the variable that holds a TfcEmulatedCode.
  std::string cubin;
};

/// What is said of the CPU stands here; where there is no code for it, it is that of the first program. The weights are table 0.
struct ModelDescription : WeightTableDescription {
  std::string name;
  std::vector<EntryDescription> entries;
  std::vector<KernelDescription> kernels;
  std::vector<ProgramDescription> programs;
  std::vector<WeightTableDescription> moreWeights; ///< Tables from 1 on.
  std::vector<GraphWeightDescription> graphWeights;
  bool deviceOnly = false;
};

} // namespace tfc

#endif // TFC_TARGET_MODELDESCRIPTION_H
