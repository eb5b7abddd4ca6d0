//===- Convolution.cpp - Convolutions and poolings, by gathered windows ----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The stems of vision and speech models. One gather per spatial dim gives every window its own elements; a
// convolution is then a matrix product, a pooling a reduction. Any number of spatial dims, any of them dynamic.
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "RuntimeSizes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::tfc;
using namespace mlir::tfc::onnx_import;

namespace {

/// One spatial dim: how the windows lie in it.
struct WindowDim {
  DimExprAttr kernel, low, high;
  int64_t stride, dilation;
  /// How many windows there are, and what they read behind the padded dim when lengths are rounded up.
  DimExprAttr count, overhang;
};

class Windows {
public:
  Windows(NodeContext &node, ArrayRef<DimExprAttr> kernel) : node(node), kernel(kernel) {}

  /// Reads the attributes. Fails where they do not fit the operand.
  LogicalResult read();
  /// [N, C, spatial...] to [N, C, kernel..., windows...]; outside the operand stands `fill`.
  Value gather(Value x, double fill);
  /// How many elements of each window count: [1, 1, 1..., windows...].
  Value countElements(Type type, bool includePads);
  ArrayRef<WindowDim> getDims() const { return dims; }
  /// [..., windows...]
  Dims withCounts(Dims prefix) const;
  SmallVector<int64_t> kernelAxes() const {
    return llvm::to_vector(llvm::seq<int64_t>(2, 2 + dims.size()));
  }

private:
  std::optional<SmallVector<int64_t>> readInts(StringRef name, size_t count, int64_t absent);
  LogicalResult place(WindowDim &dim, DimExprAttr size, StringRef autoPad);
  Value pad(Value x, Value fill, ArrayRef<DimExprAttr> low, ArrayRef<DimExprAttr> high);
  Value gatherPadded(Value padded);

  NodeContext &node;
  SmallVector<DimExprAttr> kernel;
  SmallVector<WindowDim> dims;
};

} // namespace

std::optional<SmallVector<int64_t>> Windows::readInts(StringRef name, size_t count, int64_t absent) {
  SmallVector<int64_t> values(count, absent);
  if (std::optional<SmallVector<int64_t>> given = node.getInts(name))
    values = *given;
  if (node.hasFailed())
    return std::nullopt;
  bool isPad = name == "pads";
  if (values.size() == count &&
      llvm::all_of(values, [&](int64_t v) { return v >= (isPad ? 0 : 1) && v <= INT32_MAX; }))
    return values;
  (void)node.fail(name + " must be " + Twine(count) + (isPad ? " lengths" : " positive numbers"));
  return std::nullopt;
}

LogicalResult Windows::read() {
  Dims spatial = mlir::tfc::getDims(node.getInput(0));
  if (spatial.size() < 3)
    return node.fail("the operand must have rank 3 or more");
  spatial.erase(spatial.begin(), spatial.begin() + 2);
  size_t rank = spatial.size();
  if (kernel.size() != rank)
    return node.fail("the kernel must have " + Twine(rank) + " dims");
  auto strides = readInts("strides", rank, 1), dilations = readInts("dilations", rank, 1),
       pads = readInts("pads", 2 * rank, 0);
  if (!strides || !dilations || !pads)
    return failure();
  std::string autoPad = node.getString("auto_pad").value_or("NOTSET");
  if (autoPad != "NOTSET" && autoPad != "VALID" && autoPad != "SAME_UPPER" && autoPad != "SAME_LOWER")
    return node.fail("auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  for (size_t i = 0; i < rank; ++i) {
    bool usesPads = autoPad == "NOTSET";
    WindowDim dim = {kernel[i],     node.dim(usesPads ? (*pads)[i] : 0), node.dim(usesPads ? (*pads)[i + rank] : 0),
                     (*strides)[i], (*dilations)[i],                     {},
                     node.dim(0)};
    if (failed(place(dim, spatial[i], autoPad)))
      return failure();
    dims.push_back(dim);
  }
  return success(!node.hasFailed());
}

LogicalResult Windows::place(WindowDim &dim, DimExprAttr size, StringRef autoPad) {
  DimExprAttr zero = node.dim(0), extent = (dim.kernel - 1) * dim.dilation + 1, stride = node.dim(dim.stride);
  if (autoPad.starts_with("SAME")) {
    dim.count = size.ceilDiv(stride);
    DimExprAttr total = ((dim.count - 1) * dim.stride + extent - size).max(zero);
    DimExprAttr half = total.floorDiv(node.dim(2));
    dim.low = autoPad == "SAME_UPPER" ? half : total - half;
    dim.high = total - dim.low;
    return success();
  }
  DimExprAttr room = size + dim.low + dim.high - extent;
  if (room.getConstant().value_or(0) < 0)
    return node.fail("a window of " + extent.str() + " does not fit into " + size.str() + " elements");
  if (!room.isNonNegative())
    node.require(RequireKind::AtMost, extent, size + dim.low + dim.high);
  if (node.getInt("ceil_mode", 0) == 0) {
    dim.count = room.floorDiv(stride) + 1;
    return success();
  }
  // No window starts behind the operand and the padding before it.
  DimExprAttr starts = (size + dim.low - 1).floorDiv(stride) + 1;
  dim.count = (room.ceilDiv(stride) + 1).min(starts);
  dim.overhang = ((dim.count - 1) * dim.stride - room).max(zero);
  return success();
}

Value Windows::pad(Value x, Value fill, ArrayRef<DimExprAttr> low, ArrayRef<DimExprAttr> high) {
  if (!x || !fill)
    return {};
  Dims padded = mlir::tfc::getDims(x), before(2, node.dim(0));
  before.append(low.begin(), low.end());
  for (size_t i = 0; i < low.size(); ++i)
    padded[i + 2] = padded[i + 2] + low[i] + high[i];
  RankedTensorType type = node.tensorType(padded, getElementType(x));
  if (!type || type == x.getType())
    return type ? x : Value();
  Attribute mode = node.builder.getStringAttr("constant");
  return node.build<PadOp>({x, fill}, {node.attribute("low", ArrayRef<DimExprAttr>(before)), node.attribute("mode", mode)},
                           type);
}

/// After the gather of spatial dim i the dims are [N, C, windows, kernel, ..., spatial...].
Value Windows::gatherPadded(Value x) {
  VectorMath m{node};
  Type i64 = node.builder.getI64Type();
  SmallVector<int64_t> permutation = {0, 1}, last;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    Value starts =
        node.build<RangeOp>({m.number(0), m.number(dim.stride)}, {}, node.tensorType(dim.count, i64));
    Value steps =
        node.build<RangeOp>({m.number(0), m.number(dim.dilation)}, {}, node.tensorType(dim.kernel, i64));
    Value places = m.add(m.column(starts), steps);
    if (!x || !places)
      return {};
    int64_t axis = 2 + 2 * i;
    x = node.build<GatherOp>({x, places}, node.attribute("axis", axis));
    permutation.push_back(axis + 1);
    last.push_back(axis);
  }
  permutation.append(last);
  return node.transpose(x, permutation);
}

Value Windows::gather(Value x, double fill) {
  SmallVector<DimExprAttr> low, high;
  for (const WindowDim &dim : dims) {
    low.push_back(dim.low);
    high.push_back(dim.high + dim.overhang);
  }
  return gatherPadded(pad(x, node.scalar(fill, getElementType(x)), low, high));
}

Value Windows::countElements(Type type, bool includePads) {
  Dims spatial = mlir::tfc::getDims(node.getInput(0));
  spatial[0] = spatial[1] = node.dim(1);
  SmallVector<DimExprAttr> low, high, none(dims.size(), node.dim(0)), overhang;
  for (const WindowDim &dim : dims) {
    low.push_back(dim.low);
    high.push_back(dim.high);
    overhang.push_back(dim.overhang);
  }
  Value ones = node.expand(node.scalar(1, type), spatial);
  Value padded = pad(ones, node.scalar(includePads ? 1 : 0, type), low, high);
  Value windows = gatherPadded(pad(padded, node.scalar(0, type), none, overhang));
  return node.reduce(ReduceKind::Sum, windows, kernelAxes(), /*keepDims=*/false);
}

Dims Windows::withCounts(Dims prefix) const {
  for (const WindowDim &dim : dims)
    prefix.push_back(dim.count);
  return prefix;
}

static DimExprAttr product(NodeContext &node, ArrayRef<DimExprAttr> factors) {
  DimExprAttr result = node.dim(1);
  for (DimExprAttr factor : factors)
    result = result * factor;
  return result;
}

/// [groups, M / groups, C / groups * kernel] times [N, groups, C / groups * kernel, windows].
static LogicalResult importConv(NodeContext &node) {
  Value x = node.getInput(0), weight = node.getInput(1), bias = node.getInput(2);
  if (getRank(x) != getRank(weight))
    return node.fail("the operand and the weight differ in rank");
  int64_t groups = node.getInt("group", 1);
  Dims weightDims = getDims(weight);
  if (weightDims.size() < 3 || groups < 1)
    return node.fail("the operands must have rank 3 or more, and there is at least one group");
  Windows windows(node, ArrayRef<DimExprAttr>(weightDims).drop_front(2));
  if (failed(windows.read()))
    return failure();
  x = node.conform(x, 1, weightDims[1] * groups);
  Value gathered = windows.gather(x, 0);
  if (!gathered)
    return failure();
  DimExprAttr perGroup = weightDims[0].floorDiv(node.dim(groups));
  if (perGroup * groups != weightDims[0])
    node.require(RequireKind::Equal, perGroup * groups, weightDims[0]);
  DimExprAttr depth = product(node, ArrayRef<DimExprAttr>(weightDims).drop_front());
  DimExprAttr count = product(node, windows.withCounts({}));
  Value rows = node.reshape(weight, {node.dim(groups), perGroup, depth});
  Value columns = node.reshape(gathered, {getDim(x, 0), node.dim(groups), depth, count});
  Value y = node.build<MatmulOp>({rows, columns});
  y = node.reshape(y, windows.withCounts({getDim(x, 0), weightDims[0]}));
  if (!bias || !y)
    return node.finish(y);
  Dims biasDims(getRank(x) - 1, node.dim(1));
  biasDims[0] = weightDims[0];
  return node.finish(node.build<AddOp>({y, node.reshape(bias, biasDims)}));
}

static std::optional<Dims> getKernelShape(NodeContext &node) {
  std::optional<SmallVector<int64_t>> shape = node.getInts("kernel_shape");
  if (!shape || llvm::any_of(*shape, [](int64_t size) { return size < 1 || size > INT32_MAX; })) {
    (void)node.fail("kernel_shape must be positive numbers");
    return std::nullopt;
  }
  Dims kernel;
  for (int64_t size : *shape)
    kernel.push_back(node.dim(size));
  return kernel;
}

/// The windows of a pooling node; nothing after a diagnostic.
static std::optional<Windows> readPoolWindows(NodeContext &node) {
  std::optional<Dims> kernel = getKernelShape(node);
  if (!kernel)
    return std::nullopt;
  Windows windows(node, *kernel);
  return succeeded(windows.read()) ? std::optional(windows) : std::nullopt;
}

static LogicalResult importAveragePool(NodeContext &node) {
  std::optional<Windows> windows = readPoolWindows(node);
  if (!windows)
    return failure();
  Value x = node.getInput(0);
  Value sum = node.reduce(ReduceKind::Sum, windows->gather(x, 0), windows->kernelAxes(), /*keepDims=*/false);
  Value count = windows->countElements(getElementType(x), node.getInt("count_include_pad", 0) != 0);
  return node.finish(node.build<DivOp>({sum, count}));
}

static LogicalResult importMaxPool(NodeContext &node) {
  std::optional<Windows> windows = readPoolWindows(node);
  if (!windows)
    return failure();
  Value x = node.getInput(0);
  if (!isFloat(x))
    return node.fail("only floats are supported");
  Value gathered = windows->gather(x, -std::numeric_limits<double>::infinity());
  return node.finish(node.reduce(ReduceKind::Max, gathered, windows->kernelAxes(), /*keepDims=*/false));
}

template <ReduceKind kind> static LogicalResult importGlobalPool(NodeContext &node) {
  Value x = node.getInput(0);
  if (getRank(x) < 3)
    return node.fail("the operand must have rank 3 or more");
  return node.finish(node.reduce(kind, x, llvm::to_vector(llvm::seq<int64_t>(2, getRank(x))), /*keepDims=*/true));
}

void mlir::tfc::onnx_import::addConvolutionOps(OpTable &table) {
  table.add("Conv", importConv, 2, 3);
  table.add("AveragePool", importAveragePool, 1, 1, 7);
  table.add("MaxPool", importMaxPool, 1, 1);
  table.add("GlobalAveragePool", importGlobalPool<ReduceKind::Mean>, 1, 1);
  table.add("GlobalMaxPool", importGlobalPool<ReduceKind::Max>, 1, 1);
}
