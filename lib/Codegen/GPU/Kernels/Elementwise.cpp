//===- Elementwise.cpp - Kernels of which each element is computed on its own --------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A thread computes neighbours along the last dim: as many as 16 bytes hold, where the dim is a multiple of
// that.
//
//===----------------------------------------------------------------------------------------------===//

#include "Generators.h"
#include "PointEmitter.h"

#include "tfc/Conversion/TfcToLinalg/ElementTypes.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 256;

/// Elements per thread.
static int64_t selectWidth(ValueRange results, ArrayRef<DimExprAttr> dims) {
  int64_t bytes = 1;
  for (Value result : results) {
    Type element = getMemoryType(cast<RankedTensorType>(result.getType()).getElementType());
    bytes = std::max<int64_t>(bytes, element.getIntOrFloatBitWidth() / 8);
  }
  int64_t row = dims.empty() ? 1 : dims.back().getConstant().value_or(1);
  int64_t width = std::min<int64_t>(8, std::max<int64_t>(1, 16 / bytes));
  while (row % width)
    width /= 2;
  return width;
}

FailureOr<std::optional<GpuKernel>> mlir::tfc::generateElementwise(GpuKernelRequest request) {
  ValueRange results = request.results().getOperands();
  if (results.empty())
    return std::optional<GpuKernel>();
  SmallVector<DimExprAttr> dims = getDims(results.front());
  for (Value result : results)
    if (isa<BlockArgument>(result) || !PointEmitter::canEmit(result) || getDims(result) != dims)
      return std::optional<GpuKernel>();

  MLIRContext *context = request.kernel.getContext();
  DimExprAttr one = DimExprAttr::constant(context, 1);
  int64_t width = selectWidth(results, dims);
  DimExprAttr rowLength = dims.empty() ? one : dims.back();
  DimExprAttr runs = rowLength.floorDiv(DimExprAttr::constant(context, width));
  for (DimExprAttr dim : ArrayRef(dims).drop_back(dims.empty() ? 0 : 1))
    runs = runs * dim;

  KernelBuilder k({request.module, request.kernel, request.target, "", kThreads});
  I32 run = k.blockIndex() * kThreads + k.thread();
  bool broken = false;
  k.when(run < k.dim(runs), [&] {
    PointEmitter points(k, request.kernel, dims);
    Place place;
    I32 perRow = k.dim(rowLength.floorDiv(DimExprAttr::constant(context, width)));
    I32 row = run / perRow;
    place.column = run % perRow * width;
    place.alignment = width;
    if (!dims.empty())
      place.outer.resize(dims.size() - 1);
    for (size_t i = place.outer.size(); i-- > 0; row = row / k.dim(dims[i]))
      place.outer[i] = i == 0 ? row : row % k.dim(dims[i]);
    points.moveTo(place, run.wide() * width, width);
    for (auto [i, result] : llvm::enumerate(results))
      broken |= failed(points.store(result, request.kernel.getNumArguments() + i));
  });
  GpuStep step = k.finish();
  if (broken)
    return failure();
  step.grid = {runs.ceilDiv(DimExprAttr::constant(context, kThreads)), one, one};
  return std::optional<GpuKernel>(GpuKernel{{step}, DimExprAttr::constant(context, 0)});
}
