/*===- Tensors.c - From the caller's buffers to row-major memory and back -----------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Kernels see row-major data that is aligned to its elements and outputs that overlap nothing they read. *|
|* What the caller gives is used as it is when it is so already; otherwise a room of the context stands   *|
|* in for it.                                                                                             *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Core.h"

#include "tfc/Weights/LayoutRecipe.h"

#include <string.h>

static_assert(TFC_LAYOUT_MAX_RANK >= TFC_MAX_RANK, "every tensor has a layout");

int64_t tfc_core_type_bytes(TfcDataType type, int64_t count) {
  int64_t bits;
  if (count < 0 || __builtin_mul_overflow(count, (int64_t)type.bits, &bits) || bits > INT64_MAX - 7)
    return -1;
  return (bits + 7) / 8;
}

bool tfc_core_is_aligned(const TfcTensor *tensor) {
  uint64_t element = tensor->dtype.bits / 8;
  return element < 2 || (uintptr_t)tfc_core_tensor_start(tensor) % element == 0;
}

int32_t tfc_core_measure(const TfcTensor *tensor, const char *kind, const char *name, Span *span) {
  span->count = tfc_layout_count(tensor->dims, tensor->rank);
  span->bytes = tfc_core_type_bytes(tensor->dtype, span->count);
  if (span->bytes < 0)
    return tfc_core_fail(TFC_BAD_INPUT, "%s '%s' has a negative dim or more elements than can be counted",
                         kind, name);
  span->plain = tfc_layout_is_row_major(tensor->dims, tensor->rank, tensor->strides) && tfc_core_is_aligned(tensor);
  int64_t low = 0, high = span->bytes;
  if (span->count && !tfc_layout_is_row_major(tensor->dims, tensor->rank, tensor->strides)) {
    int64_t element = tensor->dtype.bits / 8, first, last;
    if (tensor->dtype.bits % 8)
      return tfc_core_fail(TFC_BAD_INPUT, "%s '%s': elements of %u bits cannot have strides", kind, name,
                           tensor->dtype.bits);
    if (tfc_layout_extent(tensor->dims, tensor->rank, 0, tensor->strides, &first, &last) ||
        __builtin_mul_overflow(first, element, &low) || __builtin_mul_overflow(last + 1, element, &high))
      return tfc_core_fail(TFC_BAD_INPUT, "%s '%s': its strides reach beyond what can be addressed", kind,
                           name);
    if (tensor->capacity_bytes && low < 0)
      return tfc_core_fail(TFC_BAD_INPUT, "%s '%s': its strides reach %lld bytes before its data", kind, name,
                           (long long)-low);
  }
  uintptr_t start = tensor->data ? (uintptr_t)tensor->data + tensor->byte_offset : 0;
  span->low = start + (uintptr_t)low;
  span->high = start + (uintptr_t)high;
  return TFC_OK;
}

/* Whether an output is written behind the rows of this input, which kernels then read through the strides of the buffer. */
static bool isExtended(const TfcEntry *entry, const EntryState *state, uint32_t input) {
  for (uint32_t i = 0; i < entry->output_count; ++i)
    if (entry->outputs[i].alias_of_input == (int32_t)input && tfc_core_is_in_place(state, &entry->outputs[i]))
      return true;
  return false;
}

int32_t tfc_core_gather_inputs(TfcContext *context, const TfcEntry *entry, EntryState *state,
                               const TfcTensor *inputs) {
  for (uint32_t i = 0; i < entry->input_count; ++i) {
    const TfcTensor *input = &inputs[i];
    const char *name = entry->inputs[i].name;
    Span span;
    int32_t code = tfc_core_measure(input, "input", name, &span);
    if (code)
      return code;
    if (span.count == 0) {
      state->inputs[i] = tfc_core_nowhere();
      continue;
    }
    if (!input->data)
      return tfc_core_fail(TFC_BAD_ARGUMENT, "input '%s': its data is a null pointer", name);
    uint64_t needed = span.high - (uintptr_t)tfc_core_tensor_start(input);
    if (input->capacity_bytes && input->capacity_bytes < needed)
      return tfc_core_fail(TFC_BAD_INPUT, "input '%s': its dims take %llu bytes, but its capacity is %llu",
                           name, (unsigned long long)needed, (unsigned long long)input->capacity_bytes);
    state->inputs[i] = tfc_core_tensor_start(input);
    if (span.plain || isExtended(entry, state, i))
      continue;
    if (!tfc_core_make_room(context, &state->input_rooms[i], (uint64_t)span.bytes))
      return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for a row-major copy of input '%s' (%lld bytes)",
                           name, (long long)span.bytes);
    if (input->dtype.bits % 8)
      memcpy(state->input_rooms[i].memory, tfc_core_tensor_start(input), (size_t)span.bytes);
    else
      tfc_layout_copy(state->input_rooms[i].memory, tfc_core_tensor_start(input), input->dims, input->rank, 0,
                      input->strides, input->dtype.bits / 8);
    state->inputs[i] = state->input_rooms[i].memory;
  }
  return TFC_OK;
}

uint32_t tfc_core_output_segment(const TfcEntry *entry, uint32_t number) {
  const TfcPort *port = &entry->outputs[number];
  uint32_t segment = 0;
  for (int32_t d = 0; d < port->rank; ++d)
    segment = entry->values[port->dims[d]].segment > segment ? entry->values[port->dims[d]].segment : segment;
  return segment;
}

/* Writes the dims, after a look at what the caller said of the room. `room` becomes -1: the caller did not
 * say. */
static int32_t settleDims(TfcContext *context, const TfcEntry *entry, EntryState *state, uint32_t number,
                          TfcTensor *output, int64_t *room) {
  const TfcPort *port = &entry->outputs[number];
  *room = output->capacity_bytes > INT64_MAX ? INT64_MAX : (int64_t)output->capacity_bytes;
  if (*room == 0 && output->data) {
    bool born = tfc_core_output_segment(entry, number) > 0;
    if (!born) {
      int32_t code = tfc_core_check_dims(context, entry, state, port, "output", output);
      if (code)
        return code;
      *room = -1;
    } else {
      *room = tfc_core_type_bytes(port->dtype, tfc_layout_count(output->dims, output->rank));
      *room = *room < 0 ? 0 : *room;
    }
  }
  for (int32_t d = 0; d < port->rank; ++d) {
    int64_t dim = state->values[port->dims[d]];
    if (dim < 0) {
      Sentence why = {{0}, 0};
      tfc_core_say_symbols(&why, context, entry, state, port->dims[d]);
      return tfc_core_fail(TFC_BAD_INPUT, "output '%s': dim %d would be %lld%s", port->name, d,
                           (long long)dim, why.text);
    }
    output->dims[d] = dim;
  }
  return TFC_OK;
}

static int32_t findRoom(TfcContext *context, const TfcPort *port, bool born, uint32_t number,
                        TfcTensor *output, const Span *span, int64_t room) {
  if (!output->data && context->options.allocate_output) {
    output->data = context->options.allocate_output(context->options.allocate_output_data, number,
                                                    (uint64_t)span->bytes);
    output->byte_offset = 0;
    output->strides = NULL;
    output->capacity_bytes = (uint64_t)span->bytes;
    return output->data
               ? TFC_OK
               : tfc_core_fail(TFC_OUT_OF_MEMORY, "allocate_output gave no %lld bytes for output '%s'",
                               (long long)span->bytes, port->name);
  }
  if (!output->data && !born)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "output '%s': its data is a null pointer", port->name);
  int64_t needed =
      output->data ? (int64_t)(span->high - (uintptr_t)tfc_core_tensor_start(output)) : span->bytes;
  if (!output->data || (room >= 0 && room < needed))
    return tfc_core_fail(TFC_BUFFER_TOO_SMALL, "output '%s' takes %lld bytes, but its capacity is %lld",
                         port->name, (long long)needed, output->data ? (long long)room : 0);
  return TFC_OK;
}

/*
 * Whether writing here would change what a kernel has yet to read. A declared alias makes no difference unless the output
 * extends its input in place (InPlace.c): rows of past and present then lie at other strides.
 */
static bool disturbsInput(const TfcEntry *entry, const EntryState *state, const TfcTensor *inputs, const Span *span) {
  for (uint32_t i = 0; i < entry->input_count; ++i) {
    int64_t bytes = tfc_core_type_bytes(inputs[i].dtype, tfc_layout_count(inputs[i].dims, inputs[i].rank));
    uintptr_t input = (uintptr_t)state->inputs[i];
    if (tfc_core_overlap(span, input, input + (uintptr_t)bytes))
      return true;
  }
  return false;
}

static int32_t checkOtherOutputs(const TfcEntry *entry, uint32_t number, const TfcTensor *outputs,
                                 const Span *span) {
  for (uint32_t i = 0; i < number; ++i) {
    Span other;
    if (!outputs[i].data || tfc_layout_count(outputs[i].dims, outputs[i].rank) <= 0)
      continue;
    int32_t code = tfc_core_measure(&outputs[i], "output", entry->outputs[i].name, &other);
    if (code)
      return code;
    if (tfc_core_overlap(span, other.low, other.high))
      return tfc_core_fail(TFC_BAD_ARGUMENT, "outputs '%s' and '%s' share memory", entry->outputs[i].name,
                           entry->outputs[number].name);
  }
  return TFC_OK;
}

int32_t tfc_core_place_output(TfcContext *context, const TfcEntry *entry, EntryState *state, uint32_t number,
                              const TfcTensor *inputs, TfcTensor *outputs) {
  const TfcPort *port = &entry->outputs[number];
  TfcTensor *output = &outputs[number];
  Span span;
  int64_t room;
  int32_t code = settleDims(context, entry, state, number, output, &room);
  if (!code)
    code = tfc_core_measure(output, "output", port->name, &span);
  if (code)
    return code;
  if (span.count == 0) {
    state->outputs[number] = tfc_core_nowhere();
    return TFC_OK;
  }
  code = findRoom(context, port, tfc_core_output_segment(entry, number) > 0, number, output, &span, room);
  if (!code)
    code = tfc_core_measure(output, "output", port->name, &span);
  if (!code && tfc_core_output_segment(entry, number) == 0)
    code = checkOtherOutputs(entry, number, outputs, &span);
  if (code)
    return code;
  state->outputs[number] = tfc_core_tensor_start(output);
  if (tfc_core_is_in_place(state, port) || (span.plain && !disturbsInput(entry, state, inputs, &span)))
    return TFC_OK;
  if (!tfc_core_make_room(context, &state->output_rooms[number], (uint64_t)span.bytes))
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory to make output '%s' row-major (%lld bytes)",
                         port->name, (long long)span.bytes);
  state->outputs[number] = state->output_rooms[number].memory;
  return TFC_OK;
}

void tfc_core_deliver_outputs(TfcContext *context, const TfcEntry *entry, EntryState *state,
                              const TfcTensor *outputs) {
  (void)context;
  for (uint32_t i = 0; i < entry->output_count; ++i) {
    const TfcTensor *output = &outputs[i];
    if (!state->output_rooms[i].memory || state->outputs[i] != state->output_rooms[i].memory)
      continue;
    if (output->dtype.bits % 8)
      memcpy(tfc_core_tensor_start(output), state->outputs[i],
             (size_t)tfc_core_type_bytes(output->dtype, tfc_layout_count(output->dims, output->rank)));
    else
      tfc_layout_scatter(tfc_core_tensor_start(output), state->outputs[i], output->dims, output->rank, 0,
                         output->strides, output->dtype.bits / 8);
  }
}
