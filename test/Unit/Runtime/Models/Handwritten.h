/*===- Handwritten.h - Short ways to write a descriptor by hand -------------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* The models of these tests are C files, compiled with -shared: they show that ModelABI.h says all that  *|
|* a model needs.                                                                                         *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_TEST_HANDWRITTEN_H
#define TFC_TEST_HANDWRITTEN_H

#include "tfc-c/ModelABI.h"

#define F32                                                                                                  \
  { TFC_FLOAT, 32, 1 }
#define I64                                                                                                  \
  { TFC_INT, 64, 1 }
#define C(N)                                                                                                 \
  { TFC_EXPR_CONST, N }
#define S(N)                                                                                                 \
  { TFC_EXPR_SYMBOL, N }
#define V(N)                                                                                                 \
  { TFC_EXPR_VALUE, N }
#define OP(NAME)                                                                                             \
  { TFC_EXPR_##NAME, 0 }
#define WORDS(...) ((const TfcExprWord[]){__VA_ARGS__})
#define EXPR(SEGMENT, TEXT, ...)                                                                             \
  { WORDS(__VA_ARGS__), sizeof(WORDS(__VA_ARGS__)) / sizeof(TfcExprWord), SEGMENT, TEXT }
#define DIMS(...) ((const uint32_t[]){__VA_ARGS__})
#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#ifdef WITH_CORE
extern const TfcApi tfc_core_api __attribute__((visibility("hidden")));
#define API &tfc_core_api
#else
#define API 0
#endif

#define EXPORT __attribute__((visibility("default")))

#endif /* TFC_TEST_HANDWRITTEN_H */
