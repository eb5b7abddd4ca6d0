/*===- InPlace.c - Outputs that are an input with rows behind it --------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* A cache is a row-major buffer with room for more rows than it holds. The input is the rows it has, the *|
|* output those and the new ones; both begin at the buffer's start and have its strides. Kernels then     *|
|* read and write through these strides and leave the rows that are there alone.                          *|
|*                                                                                                        *|
|* Outputs of one length share a symbol. They are extended in place together, or not at all: a caller who *|
|* keeps some of them apart gets what he asks for, with a copy.                                           *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Core.h"

/* The room of a buffer that has one block of rows, whose strides say nothing of it. */
static const int64_t anyRoom = INT64_MAX;

/*
 * For how many rows along `axis` there is room in the row-major buffer whose front part has these dims and strides. 0: it
 * is no front part of such a buffer.
 */
static int64_t roomOf(const int64_t *dims, int32_t rank, int32_t axis, const int64_t *strides) {
  int64_t step = 1, room = anyRoom;
  for (int32_t d = rank - 1; d > axis; --d) {
    if (strides && dims[d] > 1 && strides[d] != step)
      return 0;
    step = tfc_core_multiply(step, dims[d]);
  }
  if (strides && dims[axis] > 1 && strides[axis] != step)
    return 0;
  for (int32_t d = axis - 1; d >= 0; --d) {
    if (dims[d] <= 1)
      continue;
    if (room == anyRoom) {
      room = strides ? strides[d] / step : dims[axis];
      if (room <= 0 || (strides && strides[d] % step != 0))
        return 0;
      step = tfc_core_multiply(step, room);
    }
    if (strides && strides[d] != step)
      return 0;
    step = tfc_core_multiply(step, dims[d]);
  }
  return room;
}

static bool touchesOthers(const TfcEntry *entry, uint32_t own, const TfcTensor *inputs, const Span *span) {
  for (uint32_t i = 0; i < entry->input_count; ++i) {
    Span other;
    if (i == own || !inputs[i].data)
      continue;
    if (tfc_core_measure(&inputs[i], "input", entry->inputs[i].name, &other) != TFC_OK ||
        tfc_core_overlap(span, other.low, other.high))
      return true;
  }
  return false;
}

/* The room of the buffer that both ends of output `number` lie in; 0: they do not share one. */
static int64_t sharedRoom(const TfcEntry *entry, const EntryState *state, uint32_t number, const TfcTensor *inputs,
                          const TfcTensor *outputs) {
  const TfcPort *port = &entry->outputs[number];
  const TfcTensor *output = &outputs[number], *input = &inputs[port->alias_of_input];
  int64_t dims[TFC_MAX_RANK];
  if (!output->data || !input->data || !tfc_core_is_aligned(output) ||
      tfc_core_tensor_start(output) != tfc_core_tensor_start(input))
    return 0;
  for (int32_t d = 0; d < port->rank; ++d)
    if ((dims[d] = state->values[port->dims[d]]) <= 0 || (d != port->room_axis && input->dims[d] != dims[d]))
      return 0;
  int64_t present = roomOf(dims, port->rank, port->room_axis, output->strides);
  int64_t past = input->dims[port->room_axis]
                     ? roomOf(input->dims, port->rank, port->room_axis, input->strides)
                     : anyRoom;
  if (!present || !past || (present != past && present != anyRoom && past != anyRoom))
    return 0;
  int64_t room = present < past ? present : past;
  if (dims[port->room_axis] > room) /* whatever lies behind the buffer: checkRoom refuses it */
    return room;
  TfcTensor made = *output;
  made.dims = dims;
  Span span;
  if (tfc_core_measure(&made, "output", port->name, &span) != TFC_OK ||
      touchesOthers(entry, (uint32_t)port->alias_of_input, inputs, &span))
    return 0;
  return room;
}

/* The least room of all outputs that share the symbol. */
static int64_t commonRoom(const TfcEntry *entry, const EntryState *state, uint32_t symbol, const TfcTensor *inputs,
                          const TfcTensor *outputs) {
  int64_t room = anyRoom;
  for (uint32_t i = 0; i < entry->output_count && room; ++i) {
    if (entry->outputs[i].room != symbol + 1)
      continue;
    int64_t own = sharedRoom(entry, state, i, inputs, outputs);
    room = own == room || own == anyRoom || room == anyRoom ? (own < room ? own : room) : 0;
  }
  return room;
}

/* Rows beyond the room of one block would be those of the next. */
static int32_t checkRoom(const TfcEntry *entry, const EntryState *state, uint32_t symbol, int64_t room) {
  for (uint32_t i = 0; i < entry->output_count; ++i) {
    const TfcPort *port = &entry->outputs[i];
    int64_t rows = port->room == symbol + 1 ? state->values[port->dims[port->room_axis]] : 0;
    if (rows > room)
      return tfc_core_fail(TFC_BUFFER_TOO_SMALL,
                           "output '%s': dim %u is %lld, but its buffer has room for %lld there", port->name,
                           port->room_axis, (long long)rows, (long long)room);
  }
  return TFC_OK;
}

int32_t tfc_core_bind_rooms(const TfcEntry *entry, EntryState *state, const TfcTensor *inputs,
                            const TfcTensor *outputs) {
  bool changed = false;
  for (uint32_t s = 0; s < entry->symbol_count; ++s) {
    if (entry->symbols[s].kind != TFC_SYMBOL_ROOM)
      continue;
    int64_t room = commonRoom(entry, state, s, inputs, outputs);
    if (room && room != anyRoom) {
      int32_t code = checkRoom(entry, state, s, room);
      if (code)
        return code;
    }
    if (room == anyRoom)
      room = 1;
    changed |= room != state->symbols[s];
    state->symbols[s] = room;
  }
  if (changed)
    tfc_core_evaluate_segment(entry, state, 0);
  return TFC_OK;
}
