/*===- Bind.c - Values, requirements and arenas, segment by segment -----------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* A run has one more segment than it has binds. Segment 0 is known from the inputs' dims; bind number k  *|
|* reads numbers that the run has computed, and with them segment k+1 becomes known: its values, its      *|
|* requirements, its arena, and the outputs whose dims it decides.                                        *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Cuda.h"

void tfc_core_evaluate_segment(const TfcEntry *entry, EntryState *state, uint32_t segment) {
  for (uint32_t i = 0; i < entry->value_count; ++i)
    if (entry->values[i].segment == segment)
      state->values[i] = tfc_core_evaluate(&entry->values[i], state->symbols, state->values);
}

static bool holds(const TfcRequirement *requirement, int64_t lhs, int64_t rhs) {
  switch (requirement->kind) {
  case TFC_REQUIRE_EQUAL:
    return lhs == rhs;
  case TFC_REQUIRE_BROADCASTABLE:
    return lhs == rhs || lhs == 1;
  default:
    return lhs <= rhs;
  }
}

static int32_t explain(TfcContext *context, const TfcEntry *entry, const EntryState *state,
                       const TfcRequirement *requirement) {
  static const char words[][24] = {"must equal", "must be 1 or equal", "must be at most"};
  const TfcExpr *lhs = &entry->values[requirement->lhs], *rhs = &entry->values[requirement->rhs];
  Sentence text = {{0}, 0};
  tfc_core_say(&text, "node '%s': '%s' is %lld", requirement->node ? requirement->node : "?",
               lhs->text ? lhs->text : "?", (long long)state->values[requirement->lhs]);
  tfc_core_say_symbols(&text, context, entry, state, requirement->lhs);
  tfc_core_say(&text, ", but %s ", words[requirement->kind < 3 ? requirement->kind : 2]);
  if (tfc_core_symbols_of(entry, requirement->rhs)) {
    tfc_core_say(&text, "'%s', which is %lld", rhs->text ? rhs->text : "?",
                 (long long)state->values[requirement->rhs]);
    tfc_core_say_symbols(&text, context, entry, state, requirement->rhs);
  } else {
    tfc_core_say(&text, "%lld", (long long)state->values[requirement->rhs]);
  }
  return tfc_core_fail(TFC_BAD_INPUT, "%s", text.text);
}

int32_t tfc_core_check_requirements(TfcContext *context, const TfcEntry *entry, const EntryState *state,
                                    uint32_t segment) {
  for (uint32_t i = 0; i < entry->requirement_count; ++i) {
    const TfcRequirement *requirement = &entry->requirements[i];
    uint32_t lhs = entry->values[requirement->lhs].segment, rhs = entry->values[requirement->rhs].segment;
    if ((lhs > rhs ? lhs : rhs) == segment &&
        !holds(requirement, state->values[requirement->lhs], state->values[requirement->rhs]))
      return explain(context, entry, state, requirement);
  }
  return TFC_OK;
}

int32_t tfc_core_make_arena(TfcContext *context, const TfcEntry *entry, EntryState *state, uint32_t segment) {
  uint32_t value = entry->arena_bytes[segment];
  int64_t bytes = state->values[value];
  Sentence why = {{0}, 0};
  if (bytes < 0 || bytes == INT64_MAX) {
    tfc_core_say_symbols(&why, context, entry, state, value);
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "a run with these dims needs more memory than can be counted%s",
                         why.text);
  }
  if (context->cuda)
    return tfc_cuda_make_arena(context, (uint32_t)(entry - context->program), segment, (uint64_t)bytes);
  if (!tfc_core_make_room(context, &state->arenas[segment], (uint64_t)bytes)) {
    tfc_core_say_symbols(&why, context, entry, state, value);
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for an arena of %lld bytes%s", (long long)bytes,
                         why.text);
  }
  state->arena_pointers[segment] = state->arenas[segment].memory;
  return TFC_OK;
}

int32_t tfc_core_bind(TfcRun *shown, uint32_t number, const int64_t *data) {
  Run *run = shown->owner;
  const TfcEntry *entry = run->entry;
  EntryState *state = run->state;
  if (number >= entry->bind_count)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the host program calls bind %u of %u", number, entry->bind_count);
  const TfcBind *bind = &entry->binds[number];
  int32_t code = TFC_OK;
  for (uint32_t i = 0; i < bind->symbol_count && !code; ++i) {
    state->symbols[bind->symbols[i]] = data[i];
    code = tfc_core_check_symbol_range(&entry->symbols[bind->symbols[i]], data[i], "node",
                                       bind->node ? bind->node : "?", -1);
  }
  if (code)
    return code;
  uint32_t segment = number + 1;
  tfc_core_evaluate_segment(entry, state, segment);
  code = tfc_core_check_requirements(run->context, entry, state, segment);
  if (!code)
    code = tfc_core_make_arena(run->context, entry, state, segment);
  for (uint32_t i = 0; i < entry->output_count && !code; ++i)
    if (tfc_core_output_segment(entry, i) == segment)
      code = tfc_core_place_output(run->context, entry, state, i, run->inputs, run->outputs);
  return code;
}
