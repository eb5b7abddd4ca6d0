/*===- Expr.h - Integer expressions of the symbols --------------------------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* See TfcExpr in ModelABI.h.                                                                             *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_RUNTIME_EXPR_H
#define TFC_RUNTIME_EXPR_H

#include "tfc-c/ModelABI.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(hidden)

enum { TFC_EXPR_STACK = 64 };

/** Whether evaluation stays inside its stack and tables, expression `number` of the entry. */
bool tfc_core_expr_is_valid(const TfcEntry *entry, uint32_t number);
int64_t tfc_core_evaluate(const TfcExpr *expr, const int64_t *symbols, const int64_t *values);
int64_t tfc_core_add(int64_t a, int64_t b);
int64_t tfc_core_multiply(int64_t a, int64_t b);
/** Number of the symbol if the expression is nothing but that symbol, else -1. */
int64_t tfc_core_bare_symbol(const TfcExpr *expr);
/** ors 1 << symbol for every symbol the expression depends on; symbols from number 63 on share a bit. */
uint64_t tfc_core_symbols_of(const TfcEntry *entry, uint32_t value);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* TFC_RUNTIME_EXPR_H */
