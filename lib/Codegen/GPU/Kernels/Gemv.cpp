//===- Gemv.cpp - Products of a few rows ---------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// Up to four rows, as in decoding: the time is that of reading B once, so all that counts is how many bytes
// are on their way. A thread reads 16 bytes at once, eight of them for the next piece of K while it works on
// the one before, and a block has all of K, so that there is no second step to launch. The first pieces are
// asked for before the step waits for the one before it, where B is a weight.
//
// B[k, n]: a thread has neighbouring columns of some rows; a block has 32 to 128 bytes of a row, and its
// threads share out K. B[n, k]: a warp reads along K, for 1, 2 or 4 columns. Sums are added in one order:
// along K in a thread, over the lanes, over the warps.
//
//===----------------------------------------------------------------------------------------------===//

#include "Contraction.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::tfc;

static constexpr int64_t kThreads = 256, kWarps = kThreads / 32;

namespace {
class Gemv {
public:
  Gemv(GpuKernelRequest request, const GpuContraction &problem, int64_t rows, StringRef name)
      : p(problem), rows(rows), multiprocessors(request.target.multiprocessors),
        elementBytes(problem.elementB.getIntOrFloatBitWidth() / 8), deep(16 / elementBytes),
        k({request.module, request.kernel, request.target, name, kThreads, /*minBlocks=*/1, /*maps=*/0,
           /*waitsLater=*/true}),
        epilogue(k, request.kernel, problem) {}

  FailureOr<GpuStep> emit();

private:
  /// Elements as memory holds them, in words of 4 bytes.
  using Words = SmallVector<Value>;
  Words loadWords(GlobalPointer from, I64 element, int64_t count);
  Words waitWith(Words words);
  SmallVector<F32> unpack(ValueRange words, Type element);
  SmallVector<SmallVector<F32>> loadRowsOfA(I32 k0);
  /// Runs over the pieces of K that a thread has: `piece` numbers them from the thread's first on.
  SmallVector<Value>
  overPieces(int64_t sums, I32 pieces, function_ref<Words(I32 piece)> loadB,
             function_ref<SmallVector<Value>(I32 piece, ValueRange b, ValueRange sums)> add);
  int64_t blocksOf(int64_t columns) const { return llvm::divideCeil(*p.n.getConstant(), columns); }
  FailureOr<DimExprAttr> emitAlongN();
  FailureOr<DimExprAttr> emitAlongK();
  LogicalResult store(I32 row, I32 column, ArrayRef<F32> sums);

  const GpuContraction &p;
  int64_t rows, multiprocessors;
  int64_t elementBytes; ///< of B; A may be of another type.
  int64_t deep;         ///< Elements in 16 bytes of B: how many neighbours along K a thread takes at once.
  KernelBuilder k;
  ContractionEpilogue epilogue;
};
} // namespace

/// Accesses of 16 bytes, or of as many as there are. A single element of 16 bits is a word of its own. What is said
/// to be read-only (ld.global.nc) ptxas moves behind the wait for the step before.
Gemv::Words Gemv::loadWords(GlobalPointer from, I64 element, int64_t count) {
  GlobalPointer at = from + element;
  int64_t bytes = count * from.element.getIntOrFloatBitWidth() / 8;
  if (bytes < 4) {
    at.element = k.b.getI16Type();
    return {arith::ExtUIOp::create(k.b, k.b.getI32Type(), k.load(at, 1, /*readOnly=*/false)[0])};
  }
  at.element = k.b.getI32Type();
  Words words;
  for (int64_t i = 0; i < bytes / 4; i += 4)
    llvm::append_range(words, k.load(at + k.i32(i), std::min<int64_t>(4, bytes / 4 - i), /*readOnly=*/false));
  return words;
}

SmallVector<F32> Gemv::unpack(ValueRange words, Type element) {
  SmallVector<F32> numbers;
  Type f32 = k.b.getF32Type();
  for (Value word : words) {
    I32 bits(k.b, word);
    if (element.isF32()) {
      numbers.push_back({k.b, LLVM::BitcastOp::create(k.b, f32, word)});
    } else if (element.isBF16()) {
      // The upper half of an f32.
      numbers.push_back({k.b, LLVM::BitcastOp::create(k.b, f32, (bits << 16).v)});
      numbers.push_back({k.b, LLVM::BitcastOp::create(k.b, f32, (bits & int64_t(-0x10000)).v)});
    } else {
      Value pair = LLVM::BitcastOp::create(k.b, VectorType::get({2}, element), word);
      for (int64_t i = 0; i < 2; ++i)
        numbers.push_back(k.toF32(LLVM::ExtractElementOp::create(k.b, pair, k.i32(i).v)));
    }
  }
  return numbers;
}

/// Waits for the step before with words that have been loaded in front of that: they go through the wait, or
/// LLVM would load them behind it, where they are needed.
Gemv::Words Gemv::waitWith(Words words) {
  if (!k.target.hasDependentLaunch)
    return words;
  std::string constraints;
  for (size_t i = 0; i < words.size(); ++i)
    constraints += i ? ",=r" : "=r";
  for (size_t i = 0; i < words.size(); ++i)
    constraints += "," + std::to_string(i);
  MLIRContext *context = k.b.getContext();
  Type all = LLVM::LLVMStructType::getLiteral(context, SmallVector<Type>(words.size(), k.b.getI32Type()));
  Value passed = LLVM::InlineAsmOp::create(k.b, all, words, k.b.getStringAttr("griddepcontrol.wait;"),
                                           k.b.getStringAttr(constraints),
                                           /*has_side_effects=*/k.b.getUnitAttr(), UnitAttr(),
                                           LLVM::TailCallKindAttr::get(context, LLVM::TailCallKind::None),
                                           LLVM::AsmDialectAttr(), ArrayAttr())
                     .getResult(0);
  for (auto [i, word] : llvm::enumerate(words))
    word = LLVM::ExtractValueOp::create(k.b, passed, ArrayRef<int64_t>{int64_t(i)});
  return words;
}

/// Neighbours along K of all rows; of the last row again where there are fewer.
SmallVector<SmallVector<F32>> Gemv::loadRowsOfA(I32 k0) {
  SmallVector<SmallVector<F32>> numbers;
  for (int64_t row = 0; row < rows; ++row) {
    I32 inside = row == 0 ? k.i32(0) : k.i32(row).min(k.dim(p.m) - 1);
    numbers.push_back(
        unpack(loadWords(k.pointer(p.a), inside.wide() * k.wideDim(p.k) + k0.wide(), deep), p.elementA));
  }
  return numbers;
}

SmallVector<Value> Gemv::overPieces(int64_t sums, I32 pieces, function_ref<Words(I32)> loadB,
                                    function_ref<SmallVector<Value>(I32, ValueRange, ValueRange)> add) {
  SmallVector<Value> carried(sums, k.f32(0).v);
  bool isWeight = k.pointer(p.b).isWeight;
  if (!isWeight)
    k.waitForInputs();
  // A thread without a piece reads what is there, and does not use it.
  Words first = loadB(k.i32(0));
  llvm::append_range(carried, isWeight ? waitWith(first) : first);
  carried = k.loop(k.i32(0), pieces, k.i32(1), carried, [&](I32 piece, ValueRange values) {
    ValueRange own = values.drop_front(sums);
    Words next = k.when(piece + 1 < pieces, own, [&] { return loadB(piece + 1); });
    SmallVector<Value> result = add(piece, own, values.take_front(sums));
    llvm::append_range(result, next);
    return result;
  });
  carried.resize(sums);
  return carried;
}

LogicalResult Gemv::store(I32 row, I32 column, ArrayRef<F32> sums) {
  int64_t width = epilogue.width(sums.size());
  bool failed = false;
  for (size_t i = 0; i < sums.size(); i += width)
    k.when((row < k.dim(p.m)) & (column + i < k.dim(p.n)),
           [&] { failed |= mlir::failed(epilogue.store(k.i32(0), row, column + i, sums.slice(i, width))); });
  return success(!failed);
}

FailureOr<DimExprAttr> Gemv::emitAlongN() {
  int64_t wide = deep; // columns of a thread
  while (*p.n.getConstant() % wide)
    wide /= 2;
  // Lanes beside each other: as long pieces of a row as leave a block for every multiprocessor.
  int64_t across = std::min<int64_t>(32, 128 / (wide * elementBytes));
  while (across > 1 && across * wide * elementBytes > 32 && blocksOf(across * wide) < multiprocessors)
    across /= 2;
  int64_t slots = kThreads / across, depth = *p.k.getConstant();
  int64_t words = std::max<int64_t>(1, wide * elementBytes / 4);
  I32 slot = k.thread() / across, chunk = k.thread() % across;
  I32 column = (k.blockIndex() * across + chunk) * wide;
  I32 inside = column.min(k.i32(*p.n.getConstant() - wide));
  // Piece i of a slot: `deep` rows of B from (i * slots + slot) * deep on.
  I32 pieces = (k.i32(depth / deep + slots - 1) - slot) / slots;
  auto firstOf = [&](I32 piece) { return (piece * slots + slot) * deep; };
  auto loadB = [&](I32 piece) {
    Words all;
    I32 k0 = firstOf(piece).min(k.i32(depth - deep));
    for (int64_t i = 0; i < deep; ++i)
      llvm::append_range(all,
                         loadWords(k.pointer(p.b), (k0 + i).wide() * k.wideDim(p.n) + inside.wide(), wide));
    return all;
  };
  SmallVector<Value> sums =
      overPieces(rows * wide, pieces, loadB, [&](I32 piece, ValueRange b, ValueRange values) {
        SmallVector<Value> next(values);
        SmallVector<SmallVector<F32>> a = loadRowsOfA(firstOf(piece));
        for (int64_t i = 0; i < deep; ++i) {
          SmallVector<F32> line = unpack(b.slice(i * words, words), p.elementB);
          for (int64_t row = 0; row < rows; ++row)
            for (int64_t c = 0; c < wide; ++c)
              next[row * wide + c] = k.fma(a[row][i], line[c], {k.b, next[row * wide + c]}).v;
        }
        return next;
      });
  for (Value &sum : sums)
    for (int64_t distance = across; distance < 32; distance *= 2)
      sum = (F32(k.b, sum) + k.shuffleXor({k.b, sum}, distance)).v;
  int64_t perWarp = rows * across * wide;
  SharedPointer parts = k.shared(kWarps * perWarp * 4);
  auto place = [&](I32 warp, I32 row, I32 chunk) {
    return parts + (warp * perWarp + (row * across + chunk) * wide) * 4;
  };
  int64_t piece = std::min<int64_t>(wide, 4);
  k.when(k.lane() < across, [&] {
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t c = 0; c < wide; c += piece)
        k.store(ArrayRef(sums).slice(row * wide + c, piece), place(k.warp(), k.i32(row), chunk) + c * 4);
  });
  k.barrier();
  bool failed = false;
  k.when(k.thread() < rows * across, [&] {
    I32 row = k.thread() / across;
    SmallVector<F32> total;
    for (int64_t warp = 0; warp < kWarps; ++warp)
      for (int64_t c = 0; c < wide; c += piece)
        for (auto [i, part] :
             llvm::enumerate(k.load(place(k.i32(warp), row, chunk) + c * 4, k.b.getF32Type(), piece))) {
          if (warp == 0)
            total.push_back({k.b, part});
          else
            total[c + i] = total[c + i] + F32(k.b, part);
        }
    failed = mlir::failed(store(row, column, total));
  });
  if (failed)
    return failure();
  return DimExprAttr::constant(p.n.getContext(), blocksOf(across * wide));
}

FailureOr<DimExprAttr> Gemv::emitAlongK() {
  int64_t columns = 4; // of a warp
  while (columns > 1 && blocksOf(kWarps * columns) < multiprocessors)
    columns /= 2;
  I32 column = (k.blockIndex() * kWarps + k.warp()) * columns;
  I32 pieces = (k.dim(p.k) / deep + 31 - k.lane()) / 32;
  auto firstOf = [&](I32 piece) { return (piece * 32 + k.lane()) * deep; };
  auto loadB = [&](I32 piece) {
    Words all;
    I32 k0 = firstOf(piece).min(k.dim(p.k) - deep);
    for (int64_t c = 0; c < columns; ++c)
      llvm::append_range(all, loadWords(k.pointer(p.b),
                                        (column + c).min(k.dim(p.n) - 1).wide() * k.wideDim(p.k) + k0.wide(),
                                        deep));
    return all;
  };
  SmallVector<Value> sums =
      overPieces(rows * columns, pieces, loadB, [&](I32 piece, ValueRange b, ValueRange values) {
        SmallVector<Value> next(values);
        SmallVector<SmallVector<F32>> a = loadRowsOfA(firstOf(piece));
        for (int64_t c = 0; c < columns; ++c) {
          SmallVector<F32> line = unpack(b.slice(c * 4, 4), p.elementB);
          for (int64_t row = 0; row < rows; ++row)
            for (int64_t i = 0; i < deep; ++i)
              next[row * columns + c] = k.fma(a[row][i], line[i], {k.b, next[row * columns + c]}).v;
        }
        return next;
      });
  // Lane i stores row i.
  SmallVector<F32> own(columns);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t c = 0; c < columns; ++c) {
      F32 sum = k.warpSum({k.b, sums[row * columns + c]});
      own[c] = row == 0 ? sum : select(k.lane() == row, sum, own[c]);
    }
  bool failed = false;
  k.when(k.lane() < rows, [&] { failed = mlir::failed(store(k.lane(), column, own)); });
  if (failed)
    return failure();
  return DimExprAttr::constant(p.n.getContext(), blocksOf(kWarps * columns));
}

FailureOr<GpuStep> Gemv::emit() {
  DimExprAttr one = DimExprAttr::constant(p.n.getContext(), 1);
  FailureOr<DimExprAttr> blocks = p.transposedB ? emitAlongK() : emitAlongN();
  if (failed(blocks))
    return failure();
  GpuStep step = k.finish();
  step.grid = {*blocks * p.m.min(one), one, one};
  return step;
}

bool mlir::tfc::canBeGemv(const GpuContraction &p) {
  std::optional<int64_t> n = p.n.getConstant(), k = p.k.getConstant();
  return p.batch.empty() && n && k && *n > 0 && *k > 0 && *k % (128 / p.elementB.getIntOrFloatBitWidth()) == 0;
}

FailureOr<GpuStep> mlir::tfc::emitGemv(GpuKernelRequest request, const GpuContraction &p,
                                       const ContractionVariant &variant) {
  return Gemv(request, p, variant.gemvRows, variant.name).emit();
}
