//===- WriteWeights.cpp - Writing the bytes of weights -------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//
//
// A weight goes from its source (a mapped file, a seed, a small dense value) to its place in the output in
// blocks of a few megabytes: the strided view of one block is copied into a buffer, cast, and written. A
// weight that stands in the source as it should in the output is written straight from the mapping.
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/WriteWeights.h"
#include "ElementCast.h"
#include "LargePageWriter.h"
#include "tfc/Target/OutputFile.h"
#include "tfc/Weights/LayoutRecipe.h"
#include "tfc/Weights/SeedStream.h"
#include "tfc/Weights/WeightFiles.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::tfc;
using llvm::createStringError;

/// Elements of one block.
static constexpr int64_t kBlockElements = 1 << 20;

/// Bytes written at once from a mapped file.
static constexpr uint64_t kMappedPiece = 16 << 20;

/// The runtime's alignment of weights that travel with seeded ones.
static constexpr uint64_t kUnseededAlignment = 64;

uint64_t mlir::tfc::getWrittenBytes(const ::tfc::ModelDescription &model, WeightChoice choice) {
  if (choice == WeightChoice::All)
    return model.weightBytes;
  uint64_t end = 0;
  for (const ::tfc::WeightDescription &weight : model.weights)
    if (!weight.seeded && weight.bytes > 0)
      end = llvm::alignTo(end, kUnseededAlignment) + weight.bytes;
  return end;
}

namespace {

/// Writes one weight.
class WeightWriter {
public:
  WeightWriter(const ::tfc::WeightDescription &weight, WeightOp op, ::tfc::LargePageWriter &file,
               uint64_t place)
      : weight(weight), op(op), file(file), place(place), elementBytes(weight.dtype.bits / 8) {}

  llvm::Error write();

private:
  llvm::Error fail(const Twine &why) {
    return createStringError("weight @%s: %s", weight.name.c_str(), why.str().c_str());
  }
  llvm::Expected<ArrayRef<uint8_t>> getSource();
  llvm::Expected<ArrayRef<uint8_t>> getDenseSource();
  /// Whether the source is a file's mapping; names of bytes that stand in memory start with a null character.
  bool isMapped() {
    auto file = dyn_cast<FileSourceAttr>(op.getSource());
    return file && !file.getPath().starts_with(StringRef("\0", 1));
  }
  llvm::Error checkView(uint64_t sourceElements);
  SmallVector<TfcLayoutBound> getBounds();
  llvm::Error put(const void *bytes, uint64_t count);
  llvm::Error writeBlocks(
      llvm::function_ref<void(int64_t offset, ArrayRef<int64_t> dims, ArrayRef<int64_t> strides)> make,
      char *made);
  /// For padded layouts. `make` writes `count` elements, every `stride`-th of the source from `first` on, to `to`.
  llvm::Error writeRows(llvm::function_ref<void(char *to, int64_t count, int64_t first, int64_t stride)> make);
  llvm::Error writeSeeded();
  llvm::Error writeView(ArrayRef<uint8_t> source);

  const ::tfc::WeightDescription &weight;
  WeightOp op;
  ::tfc::LargePageWriter &file;
  uint64_t place; ///< Where the next byte goes.
  unsigned elementBytes;
  std::vector<uint8_t> storage; ///< Bytes of a dense source.
};

} // namespace

/// Tells the kernel that mapped bytes have been read, so that the weights of a large model do not pile up as
/// memory of this process. The mapping is read-only: the bytes come back from the file if somebody asks
/// again.
static void releaseMapped(ArrayRef<uint8_t> bytes) {
  uintptr_t page = ::sysconf(_SC_PAGESIZE);
  uintptr_t begin = llvm::alignTo(uintptr_t(bytes.begin()), page),
            end = llvm::alignDown(uintptr_t(bytes.end()), page);
  if (begin < end)
    ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}

llvm::Error WeightWriter::put(const void *bytes, uint64_t count) {
  if (int code = file.put(static_cast<const char *>(bytes), count, place))
    return createStringError(std::error_code(code, std::generic_category()), "cannot write weight @%s: %s",
                             weight.name.c_str(), std::strerror(code));
  place += count;
  return llvm::Error::success();
}

/// Bytes of a value that stands in the IR itself. Such values are small.
llvm::Expected<ArrayRef<uint8_t>> WeightWriter::getDenseSource() {
  std::optional<TfcDataType> dtype = getDataType(op.getSourceElementType());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(op.getSource())) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return fail("its resource has no contents");
    return ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(blob->getData().data()),
                             blob->getData().size());
  }
  auto dense = dyn_cast<DenseElementsAttr>(op.getSource());
  if (!dense || dense.getElementType() != op.getSourceElementType() || dtype->bits < 8)
    return fail("its source is of a kind that cannot be written");
  unsigned bytes = dtype->bits / 8;
  storage.resize(dense.getNumElements() * bytes);
  uint8_t *to = storage.data();
  auto add = [&](const APInt &bits) {
    uint64_t word = bits.getZExtValue();
    std::memcpy(to, &word, bytes);
    to += bytes;
  };
  if (isa<FloatType>(dense.getElementType()))
    for (const APFloat &value : dense.getValues<APFloat>())
      add(value.bitcastToAPInt());
  else
    for (const APInt &value : dense.getValues<APInt>())
      add(value);
  return ArrayRef<uint8_t>(storage);
}

llvm::Expected<ArrayRef<uint8_t>> WeightWriter::getSource() {
  auto file = dyn_cast<FileSourceAttr>(op.getSource());
  if (!file)
    return getDenseSource();
  auto *dialect = op->getContext()->getLoadedDialect<TfcDialect>();
  if (file.getOffset() < 0 || file.getBytes() < 0)
    return fail("its place in the file is negative");
  return dialect->getWeightFiles().bytes(file.getPath(), file.getOffset(), file.getBytes());
}

/// The verifier has checked the same; a module that skipped it must not make us read outside of the source.
llvm::Error WeightWriter::checkView(uint64_t sourceElements) {
  const int64_t *strides = weight.layoutStrides.empty() ? nullptr : weight.layoutStrides.data();
  if (strides && weight.layoutStrides.size() != weight.dims.size())
    return fail("its layout has another rank");
  SmallVector<TfcLayoutBound> bounds = getBounds();
  if (!bounds.empty() && (!strides || weight.dims.empty()))
    return fail("its layout is padded, but has no strides");
  bool fits = bounds.empty() ? tfc_layout_fits(weight.dims.data(), weight.dims.size(), weight.layoutOffset, strides, sourceElements)
                             : tfc_layout_bounded_fits(weight.dims.data(), weight.dims.size(), weight.layoutOffset, strides,
                                                       bounds.data(), bounds.size(), sourceElements);
  if (!fits)
    return fail("its layout reads outside of its source, which has " + Twine(sourceElements) + " elements");
  return llvm::Error::success();
}

/// Cuts the view into blocks in the order of the output. `make` writes the elements of one block, given as a
/// view of the source, to `made`, from where they go to the file.
llvm::Error
WeightWriter::writeBlocks(llvm::function_ref<void(int64_t, ArrayRef<int64_t>, ArrayRef<int64_t>)> make,
                          char *made) {
  SmallVector<int64_t> dims = llvm::to_vector(weight.dims), strides = llvm::to_vector(weight.layoutStrides);
  if (strides.empty()) {
    strides.resize(dims.size());
    int64_t stride = 1;
    for (size_t d = dims.size(); d-- > 0; stride *= dims[d])
      strides[d] = stride;
  }
  // A scalar is a vector of one.
  if (dims.empty()) {
    dims = {1};
    strides = {1};
  }
  // Axis `cut` is walked in steps, the axes before it one by one, those behind it are whole in each block.
  size_t cut = dims.size() - 1;
  int64_t inner = 1;
  for (; cut > 0 && inner * dims[cut] <= kBlockElements; --cut)
    inner *= dims[cut];
  int64_t step = std::max<int64_t>(1, kBlockElements / inner);
  SmallVector<int64_t> position(cut, 0), blockDims(ArrayRef(dims).drop_front(cut));
  ArrayRef<int64_t> blockStrides = ArrayRef(strides).drop_front(cut);
  while (true) {
    int64_t base = weight.layoutOffset;
    for (size_t d = 0; d < cut; ++d)
      base += position[d] * strides[d];
    for (int64_t at = 0; at < dims[cut]; at += step) {
      blockDims[0] = std::min(step, dims[cut] - at);
      make(base + at * strides[cut], blockDims, blockStrides);
      if (llvm::Error error = put(made, uint64_t(blockDims[0]) * inner * elementBytes))
        return error;
    }
    size_t d = cut;
    for (; d > 0 && ++position[d - 1] == dims[d - 1]; --d)
      position[d - 1] = 0;
    if (d == 0)
      return llvm::Error::success();
  }
}

SmallVector<TfcLayoutBound> WeightWriter::getBounds() {
  SmallVector<TfcLayoutBound> bounds;
  for (const ::tfc::LayoutBoundDescription &bound : weight.layoutBounds)
    bounds.push_back({bound.offset, bound.extent, bound.strides.data()});
  return bounds;
}

llvm::Error WeightWriter::writeRows(
    llvm::function_ref<void(char *to, int64_t count, int64_t first, int64_t stride)> make) {
  SmallVector<TfcLayoutBound> bounds = getBounds();
  int64_t length = weight.dims.back(), stride = weight.layoutStrides.back();
  std::vector<char> buffer(std::min(length, kBlockElements) * elementBytes);
  SmallVector<int64_t> index(weight.dims.size(), 0);
  do {
    TfcLayoutRow row = tfc_layout_row(weight.dims.data(), weight.dims.size(), weight.layoutOffset,
                                      weight.layoutStrides.data(), bounds.data(), bounds.size(), index.data());
    for (int64_t at = 0; at < length; at += kBlockElements) {
      int64_t count = std::min(kBlockElements, length - at);
      int64_t first = std::max(row.begin, at), last = std::min(row.end, at + count);
      std::fill(buffer.begin(), buffer.end(), 0);
      if (first < last)
        make(buffer.data() + (first - at) * elementBytes, last - first, row.source + first * stride, stride);
      if (llvm::Error error = put(buffer.data(), uint64_t(count) * elementBytes))
        return error;
    }
  } while (tfc_layout_next_row(weight.dims.data(), weight.dims.size(), index.data()));
  return llvm::Error::success();
}

llvm::Error WeightWriter::writeSeeded() {
  const TfcSeed &seed = weight.seed;
  std::vector<char> buffer(std::min<int64_t>(weight.bytes, kBlockElements * elementBytes));
  bool known = true;
  auto makeRow = [&](char *to, int64_t count, int64_t first, int64_t stride) {
    known &= tfc_seed_elements(to, count, weight.dtype.code, weight.dtype.bits, seed.kind, seed.seed,
                               seed.stream, seed.mean, seed.scale, first, stride) == 0;
  };
  auto make = [&](int64_t offset, ArrayRef<int64_t> dims, ArrayRef<int64_t> strides) {
    int64_t row = dims.back(), rows = 1;
    for (int64_t dim : dims.drop_back())
      rows *= dim;
    for (int64_t number = 0; number < rows; ++number) {
      int64_t first = offset, rest = number;
      for (size_t d = dims.size() - 1; d-- > 0; rest /= dims[d])
        first += rest % dims[d] * strides[d];
      makeRow(buffer.data() + number * row * elementBytes, row, first, strides.back());
    }
  };
  if (llvm::Error error = weight.layoutBounds.empty() ? writeBlocks(make, buffer.data()) : writeRows(makeRow))
    return error;
  if (!known)
    return fail("no seed makes elements of its type");
  return llvm::Error::success();
}

llvm::Error WeightWriter::writeView(ArrayRef<uint8_t> source) {
  Type from = op.getSourceElementType(), to = op.getTensorType().getElementType();
  std::optional<TfcDataType> fromType = getDataType(from);
  const int64_t *strides = weight.layoutStrides.empty() ? nullptr : weight.layoutStrides.data();
  bool isPlain = weight.layoutBounds.empty() && tfc_layout_is_row_major(weight.dims.data(), weight.dims.size(), strides);
  if (fromType && fromType->bits < 8) {
    // Elements that share a byte can be written only as they stand.
    if (from != to || !isPlain || weight.layoutOffset != 0 || source.size() < weight.bytes)
      return fail("a layout or cast of elements below a byte cannot be written");
    return put(source.data(), weight.bytes);
  }
  if (!fromType || !canCastElements(from, to))
    return fail("its elements cannot be cast");
  int64_t fromBytes = fromType->bits / 8;
  if (llvm::Error error = checkView(source.size() / fromBytes))
    return error;
  if (isPlain && from == to) {
    source = source.slice(weight.layoutOffset * fromBytes, weight.bytes);
    while (!source.empty()) {
      ArrayRef<uint8_t> piece = source.take_front(kMappedPiece);
      if (llvm::Error error = put(piece.data(), piece.size()))
        return error;
      if (isMapped())
        releaseMapped(piece);
      source = source.drop_front(piece.size());
    }
    return llvm::Error::success();
  }

  int64_t elements = std::min<int64_t>(weight.bytes / elementBytes, kBlockElements);
  std::vector<char> gathered(elements * fromBytes), cast(from == to ? 0 : elements * elementBytes);
  if (!weight.layoutBounds.empty())
    return writeRows([&](char *out, int64_t count, int64_t first, int64_t stride) {
      tfc_layout_copy(from == to ? out : gathered.data(), source.data(), &count, 1, first, &stride, fromBytes);
      if (from != to)
        castElements(out, gathered.data(), count, to, from);
    });
  auto make = [&](int64_t offset, ArrayRef<int64_t> dims, ArrayRef<int64_t> blockStrides) {
    tfc_layout_copy(gathered.data(), source.data(), dims.data(), dims.size(), offset, blockStrides.data(),
                    fromBytes);
    int64_t count = 1;
    for (int64_t dim : dims)
      count *= dim;
    if (from != to)
      castElements(cast.data(), gathered.data(), count, to, from);
  };
  return writeBlocks(make, from == to ? gathered.data() : cast.data());
}

llvm::Error WeightWriter::write() {
  if (weight.bytes == 0)
    return llvm::Error::success();
  if (weight.seeded) {
    if (elementBytes == 0)
      return fail("no seed makes elements of its type");
    if (llvm::Error error = checkView(INT64_MAX))
      return error;
    return writeSeeded();
  }
  llvm::Expected<ArrayRef<uint8_t>> source = getSource();
  if (!source)
    return fail(llvm::toString(source.takeError()));
  if (llvm::Error error = writeView(*source))
    return error;
  if (isMapped())
    releaseMapped(*source);
  return llvm::Error::success();
}

llvm::Error mlir::tfc::writeWeights(const ModelReading &model, WeightChoice choice, int fd, uint64_t start) {
  uint64_t end = 0;
  ::tfc::LargePageWriter file(fd);
  for (auto [number, op] : llvm::enumerate(model.weights)) {
    const ::tfc::WeightDescription &weight = model.description.weights[number];
    uint64_t place = weight.offset;
    if (choice == WeightChoice::Unseeded) {
      if (weight.seeded || weight.bytes == 0)
        continue;
      place = llvm::alignTo(end, kUnseededAlignment);
      end = place + weight.bytes;
    }
    if (llvm::Error error = WeightWriter(weight, op, file, start + place).write())
      return error;
  }
  if (int code = file.flush())
    return createStringError(std::error_code(code, std::generic_category()), "cannot write the weights: %s",
                             std::strerror(code));
  return llvm::Error::success();
}
