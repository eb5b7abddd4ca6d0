/*===- Expr.c - Integer expressions of the symbols ----------------------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Core.h"

int64_t tfc_core_add(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? INT64_MIN : INT64_MAX) : sum;
}

int64_t tfc_core_multiply(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? ((a < 0) != (b < 0) ? INT64_MIN : INT64_MAX) : product;
}

static int64_t floorDivide(int64_t a, int64_t b) {
  if (b == 0)
    return 0;
  if (b == -1)
    return a == INT64_MIN ? INT64_MAX : -a;
  int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

/* The remainder that belongs to the division above: it has the sign of the divisor. */
static int64_t floorModulo(int64_t a, int64_t b) {
  if (b == 0 || b == -1)
    return 0;
  int64_t remainder = a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

static int64_t alignUp(int64_t a, int64_t to) {
  int64_t raised = tfc_core_add(a, to - 1);
  return raised == INT64_MAX ? INT64_MAX : raised & ~(to - 1);
}

static int64_t apply(int64_t op, int64_t a, int64_t b) {
  switch (op) {
  case TFC_EXPR_ADD:
    return tfc_core_add(a, b);
  case TFC_EXPR_MUL:
    return tfc_core_multiply(a, b);
  case TFC_EXPR_FLOORDIV:
    return floorDivide(a, b);
  case TFC_EXPR_MOD:
    return floorModulo(a, b);
  case TFC_EXPR_MIN:
    return a < b ? a : b;
  case TFC_EXPR_MAX:
    return a > b ? a : b;
  case TFC_EXPR_BROADCAST:
    return a == 1 ? b : a;
  default:
    return a < 0 ? tfc_core_add(a, b) : a; /* TFC_EXPR_WRAP */
  }
}

int64_t tfc_core_evaluate(const TfcExpr *expr, const int64_t *symbols, const int64_t *values) {
  int64_t stack[TFC_EXPR_STACK];
  int depth = 0;
  for (uint32_t i = 0; i < expr->word_count; ++i) {
    TfcExprWord word = expr->words[i];
    switch (word.op) {
    case TFC_EXPR_CONST:
      stack[depth++] = word.operand;
      break;
    case TFC_EXPR_SYMBOL:
      stack[depth++] = symbols[word.operand];
      break;
    case TFC_EXPR_VALUE:
      stack[depth++] = values[word.operand];
      break;
    case TFC_EXPR_ALIGN:
      stack[depth - 1] = alignUp(stack[depth - 1], word.operand);
      break;
    default:
      --depth;
      stack[depth - 1] = apply(word.op, stack[depth - 1], stack[depth]);
    }
  }
  return stack[0];
}

bool tfc_core_expr_is_valid(const TfcEntry *entry, uint32_t number) {
  const TfcExpr *expr = &entry->values[number];
  if (expr->segment > entry->bind_count)
    return false;
  int depth = 0;
  for (uint32_t i = 0; i < expr->word_count; ++i) {
    int64_t operand = expr->words[i].operand;
    switch (expr->words[i].op) {
    case TFC_EXPR_CONST:
      ++depth;
      break;
    case TFC_EXPR_SYMBOL:
      /* A value that is wanted before its symbol exists would read a number of the run before. */
      if (operand < 0 || operand >= entry->symbol_count ||
          entry->symbols[operand].born_in > (int64_t)expr->segment)
        return false;
      ++depth;
      break;
    case TFC_EXPR_VALUE:
      if (operand < 0 || operand >= number || entry->values[operand].segment > expr->segment)
        return false;
      ++depth;
      break;
    case TFC_EXPR_ALIGN:
      if (depth < 1 || operand <= 0 || (operand & (operand - 1)))
        return false;
      break;
    case TFC_EXPR_ADD:
    case TFC_EXPR_MUL:
    case TFC_EXPR_FLOORDIV:
    case TFC_EXPR_MOD:
    case TFC_EXPR_MIN:
    case TFC_EXPR_MAX:
    case TFC_EXPR_BROADCAST:
    case TFC_EXPR_WRAP:
      if (depth < 2)
        return false;
      --depth;
      break;
    default:
      return false;
    }
    if (depth > TFC_EXPR_STACK)
      return false;
  }
  return depth == 1;
}

int64_t tfc_core_bare_symbol(const TfcExpr *expr) {
  return expr->word_count == 1 && expr->words[0].op == TFC_EXPR_SYMBOL ? expr->words[0].operand : -1;
}

uint64_t tfc_core_symbols_of(const TfcEntry *entry, uint32_t value) {
  const TfcExpr *expr = &entry->values[value];
  uint64_t found = 0;
  for (uint32_t i = 0; i < expr->word_count; ++i) {
    int64_t operand = expr->words[i].operand;
    if (expr->words[i].op == TFC_EXPR_SYMBOL)
      found |= (uint64_t)1 << (operand < 63 ? operand : 63);
    else if (expr->words[i].op == TFC_EXPR_VALUE && operand < value)
      found |= tfc_core_symbols_of(entry, (uint32_t)operand);
  }
  return found;
}
