//===- RelativePositionBias.cpp - com.microsoft.RelativePositionBias --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "AttentionParts.h"
#include "OpTable.h"
#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

/// T5's buckets of a distance that is not negative: exact up to half of them, then ever wider up to `maxDistance`.
static Value buildBuckets(NodeContext &node, Value distance, DimExprAttr buckets, int64_t maxDistance) {
  Type f32 = node.builder.getF32Type(), i64 = node.builder.getI64Type();
  DimExprAttr half = buckets.floorDiv(node.dim(2));
  Value exact = node.dimValues(half, /*isScalar=*/true), last = node.dimValues(buckets - 1, /*isScalar=*/true);
  Value wider = node.cast(node.dimValues(buckets - half, /*isScalar=*/true), f32), start = node.cast(exact, f32);
  // Distances below 1 are exact; the logarithm must be finite for them all the same.
  Value far = node.cast(node.build<MaxOp>({distance, node.scalar(1, i64)}), f32);
  auto logarithm = [&](Value x) { return node.build<LogOp>(node.build<DivOp>({x, start})); };
  Value ratio = node.build<DivOp>({logarithm(far), logarithm(node.scalar(maxDistance, f32))});
  Value wide = node.cast(node.build<MulOp>({ratio, wider}), i64);
  wide = node.build<MinOp>({node.build<AddOp>({wide, exact}), last});
  return node.build<SelectOp>({node.compare(CompareKind::Lt, distance, exact), distance, wide});
}

static LogicalResult importRelativePositionBias(NodeContext &node) {
  Value table = node.getInput(0);
  int64_t maxDistance = node.getInt("max_distance", 128);
  bool isBidirectional = node.getInt("is_bidirectional", 0) != 0;
  if (getRank(table) != 2)
    return node.fail("bias_table must have rank 2");
  DimExprAttr buckets = getDim(table, 0);
  if (isBidirectional)
    buckets = buckets.floorDiv(node.dim(2));
  int64_t known = buckets.getConstant().value_or(2);
  if (known < 2 || maxDistance <= known / 2)
    return node.fail("max_distance must be above half of the buckets");
  std::optional<DimExprAttr> queries = node.getSize(node.getInput(1), "query_length"),
                             keys = node.getSize(node.getInput(2), "key_length");
  if (!queries || !keys)
    return failure();
  Type i64 = node.builder.getI64Type();
  Value zero = node.scalar(0, i64);
  Value query = node.reshape(countUp(node, *queries), {*queries, node.dim(1)});
  Value relative = node.build<SubOp>({countUp(node, *keys), query});
  Value distance = isBidirectional ? node.build<AbsOp>(relative)
                                   : node.build<MaxOp>({node.build<NegOp>(relative), zero});
  Value bucket = buildBuckets(node, distance, buckets, maxDistance);
  // Keys behind the query have the second half.
  if (isBidirectional)
    bucket = node.build<AddOp>({bucket, node.build<SelectOp>({node.compare(CompareKind::Gt, relative, zero),
                                                              node.dimValues(buckets, /*isScalar=*/true), zero})});
  Value bias = node.build<GatherOp>({table, bucket}, node.attribute("axis", int64_t(0)));
  bias = node.transpose(bias, {2, 0, 1});
  return node.finish(node.reshape(bias, {node.dim(1), getDim(table, 1), *queries, *keys}));
}

void mlir::tfc::onnx_import::addRelativePositionBiasOps(OpTable &table) {
  table.addTo("com.microsoft", "RelativePositionBias", importRelativePositionBias, 3, 3);
}
