/*===- LayoutRecipe.h - Strided views and how they are copied ---------------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* A layout recipe says: element (i0, i1, ...) of the view is element                                     *|
|*     offset + i0*strides[0] + i1*strides[1] + ...                                                       *|
|* of its source. Transposes, slices, splits, panels and broadcasts are such views. Padding is said by      *|
|* bounds (TfcLayoutBound): where one of them does not hold, the element is zero and nothing is read.      *|
|* The compiler applies recipes when it writes weights, the runtime when it makes seeded weights and      *|
|* when inputs are not row-major.                                                                         *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_WEIGHTS_LAYOUTRECIPE_H
#define TFC_WEIGHTS_LAYOUTRECIPE_H

#include "tfc-c/ModelABI.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(hidden)

#define TFC_LAYOUT_MAX_RANK 16

/** Number of elements, or -1: a negative dim, a rank above the limit, or a product beyond 63 bits. */
int64_t tfc_layout_count(const int64_t *dims, int32_t rank);

/** The smallest and largest source element that a view reads. Returns 0; 1 when it reads none; -1 on
 * overflow. */
int tfc_layout_extent(const int64_t *dims, int32_t rank, int64_t offset, const int64_t *strides,
                      int64_t *lowest, int64_t *highest);

/** Whether every element of the view lies in a source of this many elements. Null strides: row-major. */
int tfc_layout_fits(const int64_t *dims, int32_t rank, int64_t offset, const int64_t *strides,
                    int64_t source_count);

/** Whether these strides are the row-major ones (dims of 1 and empty views do not care). Null strides: yes.
 */
int tfc_layout_is_row_major(const int64_t *dims, int32_t rank, const int64_t *strides);

/** A run of elements along a view's last dim. */
typedef struct TfcLayoutRow {
  int64_t source;     /**< source element of the row's first element, whether it is read or not */
  int64_t begin, end; /**< what is not zero: [begin, end), within [0, dims[rank - 1]] */
} TfcLayoutRow;

/** The row at this index of the other dims. Rank 1 or more; strides not null; nothing may overflow
 * (tfc_layout_bounded_fits says so). */
TfcLayoutRow tfc_layout_row(const int64_t *dims, int32_t rank, int64_t offset, const int64_t *strides,
                            const TfcLayoutBound *bounds, uint32_t bound_count, const int64_t *index);

/** The next index of the dims before the last, in row-major order. Returns 0 after the last one. */
int tfc_layout_next_row(const int64_t *dims, int32_t rank, int64_t *index);

/** tfc_layout_fits for a view with bounds: walks all rows. Rank 1 or more; strides not null. */
int tfc_layout_bounded_fits(const int64_t *dims, int32_t rank, int64_t offset, const int64_t *strides,
                            const TfcLayoutBound *bounds, uint32_t bound_count, int64_t source_count);

/** Writes the view, row-major, to `to`. `from` is source element 0. Elements of 1, 2, 4, 8 or 16 bytes. */
void tfc_layout_copy(void *to, const void *from, const int64_t *dims, int32_t rank, int64_t offset,
                     const int64_t *strides, int64_t element_bytes);

/** The reverse: writes row-major elements to the places of the view. */
void tfc_layout_scatter(void *to, const void *from, const int64_t *dims, int32_t rank, int64_t offset,
                        const int64_t *strides, int64_t element_bytes);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* TFC_WEIGHTS_LAYOUTRECIPE_H */
