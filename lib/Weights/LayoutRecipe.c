/*===- LayoutRecipe.c - Strided views and how they are copied -----------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Every copy is first brought to few dims: dims of 1 vanish, neighbours that lie behind one another      *|
|* become one. What is left is a loop nest around one of three inner copies: a memcpy, a tiled 2-D        *|
|* transpose, or a strided row.                                                                           *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "tfc/Weights/LayoutRecipe.h"

#include <string.h>

int64_t tfc_layout_count(const int64_t *dims, int32_t rank) {
  if (rank < 0 || rank > TFC_LAYOUT_MAX_RANK)
    return -1;
  int64_t count = 1;
  int empty = 0;
  for (int32_t d = 0; d < rank; ++d) {
    if (dims[d] < 0)
      return -1;
    if (dims[d] == 0)
      empty = 1;
  }
  if (empty)
    return 0;
  for (int32_t d = 0; d < rank; ++d)
    if (__builtin_mul_overflow(count, dims[d], &count))
      return -1;
  return count;
}

int tfc_layout_extent(const int64_t *dims, int32_t rank, int64_t offset, const int64_t *strides,
                      int64_t *lowest, int64_t *highest) {
  int64_t count = tfc_layout_count(dims, rank);
  if (count < 0)
    return -1;
  *lowest = *highest = offset;
  if (count == 0)
    return 1;
  if (!strides)
    return __builtin_add_overflow(offset, count - 1, highest) ? -1 : 0;
  for (int32_t d = 0; d < rank; ++d) {
    int64_t span;
    if (__builtin_mul_overflow(dims[d] - 1, strides[d], &span))
      return -1;
    int64_t *end = span < 0 ? lowest : highest;
    if (__builtin_add_overflow(*end, span, end))
      return -1;
  }
  return 0;
}

int tfc_layout_fits(const int64_t *dims, int32_t rank, int64_t offset, const int64_t *strides,
                    int64_t source_count) {
  int64_t lowest, highest;
  int state = tfc_layout_extent(dims, rank, offset, strides, &lowest, &highest);
  return state == 1 || (state == 0 && lowest >= 0 && highest < source_count);
}

int tfc_layout_is_row_major(const int64_t *dims, int32_t rank, const int64_t *strides) {
  if (!strides)
    return 1;
  int64_t expected = 1;
  for (int32_t d = rank - 1; d >= 0; --d) {
    if (dims[d] == 0)
      return 1;
  }
  for (int32_t d = rank - 1; d >= 0; --d) {
    if (dims[d] != 1 && strides[d] != expected)
      return 0;
    if (__builtin_mul_overflow(expected, dims[d], &expected))
      return 0;
  }
  return 1;
}

/* The largest quotient not above a / b, for b > 0. */
static int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Cuts [begin, end) down to the j with 0 <= start + j * step < extent. */
static void clip(TfcLayoutRow *row, int64_t start, int64_t step, int64_t extent) {
  int64_t first = row->begin, last = row->end - 1; /* the smallest and largest such j */
  if (step > 0) {
    first = -floorDiv(start, step);
    last = floorDiv(extent - 1 - start, step);
  } else if (step < 0) {
    first = -floorDiv(extent - 1 - start, -step);
    last = floorDiv(start, -step);
  } else if (start < 0 || start >= extent) {
    last = first - 1;
  }
  if (first > row->begin)
    row->begin = first;
  if (last < row->end - 1)
    row->end = last + 1;
  if (row->end <= row->begin)
    row->begin = row->end = 0;
}

static int64_t dot(int64_t offset, const int64_t *strides, const int64_t *index, int32_t count) {
  for (int32_t d = 0; d < count; ++d)
    offset += strides[d] * index[d];
  return offset;
}

TfcLayoutRow tfc_layout_row(const int64_t *dims, int32_t rank, int64_t offset, const int64_t *strides,
                            const TfcLayoutBound *bounds, uint32_t bound_count, const int64_t *index) {
  TfcLayoutRow row = {dot(offset, strides, index, rank - 1), 0, dims[rank - 1]};
  for (uint32_t b = 0; b < bound_count && row.begin < row.end; ++b)
    clip(&row, dot(bounds[b].offset, bounds[b].strides, index, rank - 1), bounds[b].strides[rank - 1],
         bounds[b].extent);
  return row;
}

int tfc_layout_next_row(const int64_t *dims, int32_t rank, int64_t *index) {
  for (int32_t d = rank - 2; d >= 0; --d) {
    if (++index[d] < dims[d])
      return 1;
    index[d] = 0;
  }
  return 0;
}

int tfc_layout_bounded_fits(const int64_t *dims, int32_t rank, int64_t offset, const int64_t *strides,
                            const TfcLayoutBound *bounds, uint32_t bound_count, int64_t source_count) {
  const int64_t Limit = (int64_t)1 << 62; /* leaves room for what clip adds */
  int64_t lowest, highest;
  int state = tfc_layout_extent(dims, rank, offset, strides, &lowest, &highest);
  if (state < 0 || lowest <= -Limit || highest >= Limit)
    return 0;
  for (uint32_t b = 0; b < bound_count; ++b)
    if (bounds[b].extent < 0 || bounds[b].extent >= Limit ||
        tfc_layout_extent(dims, rank, bounds[b].offset, bounds[b].strides, &lowest, &highest) < 0 ||
        lowest <= -Limit || highest >= Limit)
      return 0;
  if (state == 1)
    return 1;
  int64_t index[TFC_LAYOUT_MAX_RANK] = {0}, step = strides[rank - 1];
  do {
    TfcLayoutRow row = tfc_layout_row(dims, rank, offset, strides, bounds, bound_count, index);
    if (row.begin == row.end)
      continue;
    int64_t first = row.source + row.begin * step, last = row.source + (row.end - 1) * step;
    if (first < 0 || last < 0 || first >= source_count || last >= source_count)
      return 0;
  } while (tfc_layout_next_row(dims, rank, index));
  return 1;
}

/* A view without what does not matter; strides in bytes. `packed` are the strides of the row-major side. */
typedef struct View {
  int32_t rank;
  int64_t dims[TFC_LAYOUT_MAX_RANK], strides[TFC_LAYOUT_MAX_RANK], packed[TFC_LAYOUT_MAX_RANK];
} View;

static void simplify(View *view, const int64_t *dims, int32_t rank, const int64_t *strides,
                     int64_t element_bytes) {
  int64_t rowMajor[TFC_LAYOUT_MAX_RANK], size = 1;
  for (int32_t d = rank - 1; d >= 0; --d) {
    rowMajor[d] = size;
    size *= dims[d];
  }
  view->rank = 0;
  for (int32_t d = 0; d < rank; ++d) {
    if (dims[d] == 1)
      continue;
    int64_t stride = (strides ? strides[d] : rowMajor[d]) * element_bytes;
    int32_t last = view->rank - 1;
    if (last >= 0 && view->strides[last] == stride * dims[d]) {
      view->dims[last] *= dims[d];
      view->strides[last] = stride;
      view->packed[last] = rowMajor[d] * element_bytes;
      continue;
    }
    view->dims[view->rank] = dims[d];
    view->strides[view->rank] = stride;
    view->packed[view->rank] = rowMajor[d] * element_bytes;
    ++view->rank;
  }
  if (view->rank == 0) {
    view->rank = 1;
    view->dims[0] = 1;
    view->strides[0] = view->packed[0] = element_bytes;
  }
}

/* Moves `count` elements between two strided rows. The switch lets every element size be plain moves. */
static void moveRow(char *to, int64_t toStride, const char *from, int64_t fromStride, int64_t count,
                    int64_t element_bytes) {
  if (toStride == element_bytes && fromStride == element_bytes) {
    memcpy(to, from, (size_t)(count * element_bytes));
    return;
  }
#define MOVE(BYTES)                                                                                          \
  case BYTES:                                                                                                \
    for (int64_t i = 0; i < count; ++i)                                                                      \
      memcpy(to + i * toStride, from + i * fromStride, BYTES);                                               \
    return
  switch (element_bytes) {
    MOVE(1);
    MOVE(2);
    MOVE(4);
    MOVE(8);
    MOVE(16);
  default:
    for (int64_t i = 0; i < count; ++i)
      memcpy(to + i * toStride, from + i * fromStride, (size_t)element_bytes);
  }
#undef MOVE
}

/* The two innermost dims in squares, so that both sides stay in cache when one of them runs down columns. */
static void movePlane(char *to, const char *from, const int64_t *dims, const int64_t *toStrides,
                      const int64_t *fromStrides, int64_t element_bytes) {
  enum { Side = 32 };
  int contiguous = toStrides[1] == element_bytes && fromStrides[1] == element_bytes;
  int64_t rows = contiguous ? dims[0] : Side, columns = contiguous ? dims[1] : Side;
  for (int64_t i = 0; i < dims[0]; i += rows)
    for (int64_t j = 0; j < dims[1]; j += columns)
      for (int64_t r = i; r < dims[0] && r < i + rows; ++r) {
        int64_t width = dims[1] - j < columns ? dims[1] - j : columns;
        moveRow(to + r * toStrides[0] + j * toStrides[1], toStrides[1],
                from + r * fromStrides[0] + j * fromStrides[1], fromStrides[1], width, element_bytes);
      }
}

static void moveView(char *to, const char *from, const View *view, const int64_t *toStrides,
                     const int64_t *fromStrides, int64_t element_bytes) {
  if (view->rank == 1) {
    moveRow(to, toStrides[0], from, fromStrides[0], view->dims[0], element_bytes);
    return;
  }
  int32_t outer = view->rank - 2;
  int64_t index[TFC_LAYOUT_MAX_RANK] = {0};
  for (;;) {
    movePlane(to, from, view->dims + outer, toStrides + outer, fromStrides + outer, element_bytes);
    int32_t d = outer - 1;
    for (; d >= 0; --d) { /* the next plane, like the digits of a counter */
      to += toStrides[d];
      from += fromStrides[d];
      if (++index[d] < view->dims[d])
        break;
      to -= toStrides[d] * view->dims[d];
      from -= fromStrides[d] * view->dims[d];
      index[d] = 0;
    }
    if (d < 0)
      return;
  }
}

void tfc_layout_copy(void *to, const void *from, const int64_t *dims, int32_t rank, int64_t offset,
                     const int64_t *strides, int64_t element_bytes) {
  if (tfc_layout_count(dims, rank) <= 0)
    return;
  View view;
  simplify(&view, dims, rank, strides, element_bytes);
  moveView((char *)to, (const char *)from + offset * element_bytes, &view, view.packed, view.strides,
           element_bytes);
}

void tfc_layout_scatter(void *to, const void *from, const int64_t *dims, int32_t rank, int64_t offset,
                        const int64_t *strides, int64_t element_bytes) {
  if (tfc_layout_count(dims, rank) <= 0)
    return;
  View view;
  simplify(&view, dims, rank, strides, element_bytes);
  moveView((char *)to + offset * element_bytes, (const char *)from, &view, view.strides, view.packed,
           element_bytes);
}
