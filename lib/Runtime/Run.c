/*===- Run.c - The calls of the API, and the core as a table ------------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Cuda.h"

#include <string.h>

static int32_t callExtern(TfcRun *shown, const char *name, TfcTensor *tensors, uint32_t input_count,
                          uint32_t output_count) {
  const TfcContextOptions *options = &((Run *)shown->owner)->context->options;
  if (!options->extern_call)
    return tfc_core_fail(
        TFC_NOT_FOUND,
        "the model calls operator '%s', which the host must provide (TfcContextOptions.extern_call)", name);
  int32_t code = options->extern_call(options->extern_data, name, tensors, input_count, output_count);
  return code ? tfc_core_fail(code, "operator '%s' of the host failed with code %d", name, code) : TFC_OK;
}

static int32_t readMemory(TfcRun *run, const void *data, uint64_t bytes, void *result) {
  (void)run;
  memcpy(result, data, (size_t)bytes);
  return TFC_OK;
}

/* One thread at a time uses a context; a second one is told so instead of being let in. */
static int32_t enter(TfcContext *context, uint32_t entry) {
  if (!context)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "the context is a null pointer");
  if (entry >= context->loaded->model->entry_count)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "entry %u does not exist; the model has %u", entry,
                         context->loaded->model->entry_count);
  if (atomic_flag_test_and_set_explicit(&context->busy, memory_order_acquire))
    return tfc_core_fail(
        TFC_BAD_ARGUMENT,
        "the context is busy: another thread is using it; give each thread a context of its own");
  return TFC_OK;
}

static int32_t leave(TfcContext *context, int32_t code) {
  atomic_flag_clear_explicit(&context->busy, memory_order_release);
  return code;
}

static int32_t workspaceBytes(TfcContext *context, uint32_t number, const TfcTensor *inputs,
                              uint32_t input_count, uint64_t *bytes) {
  int32_t code = enter(context, number);
  if (code)
    return code;
  code = bytes ? tfc_core_check_inputs(context, number, inputs, input_count)
               : tfc_core_fail(TFC_BAD_ARGUMENT, "workspace_bytes: bytes is a null pointer");
  if (code)
    return leave(context, code);
  const TfcEntry *entry = &context->program[number];
  int64_t needed = context->entries[number].values[entry->arena_bytes[0]];
  if (needed < 0 || needed == INT64_MAX)
    code = tfc_core_fail(TFC_OUT_OF_MEMORY, "a run with these dims needs more memory than can be counted");
  else
    *bytes = (uint64_t)needed;
  return leave(context, code);
}

static int32_t outputDims(TfcContext *context, uint32_t number, const TfcTensor *inputs, uint32_t input_count,
                          TfcTensor *outputs, uint32_t output_count) {
  int32_t code = enter(context, number);
  if (code)
    return code;
  const TfcEntry *entry = &context->program[number];
  code = tfc_core_check_inputs(context, number, inputs, input_count);
  if (!code && (output_count != entry->output_count || (output_count && !outputs)))
    code = tfc_core_fail(TFC_BAD_INPUT, "%u outputs were given, but the model has %u", output_count,
                         entry->output_count);
  for (uint32_t i = 0; i < output_count && !code; ++i) {
    const TfcPort *port = &entry->outputs[i];
    if (port->rank && !outputs[i].dims)
      code = tfc_core_fail(TFC_BAD_ARGUMENT, "output '%s': its dims are a null pointer", port->name);
    for (int32_t d = 0; d < port->rank && !code; ++d)
      outputs[i].dims[d] =
          entry->values[port->dims[d]].segment ? -1 : context->entries[number].values[port->dims[d]];
  }
  return leave(context, code);
}

/* Everything that segment 0 decides: row-major inputs, the arena, places for the outputs. */
static int32_t prepare(TfcContext *context, const TfcEntry *entry, EntryState *state, const TfcTensor *inputs,
                       TfcTensor *outputs) {
  int32_t code = tfc_core_gather_inputs(context, entry, state, inputs);
  if (!code)
    code = tfc_core_make_arena(context, entry, state, 0);
  for (uint32_t i = 0; i < entry->output_count && !code; ++i) {
    state->outputs[i] = tfc_core_nowhere();
    if (tfc_core_output_segment(entry, i) == 0)
      code = tfc_core_place_output(context, entry, state, i, inputs, outputs);
  }
  return code;
}

static int32_t runChecked(TfcContext *context, uint32_t number, const TfcTensor *inputs, uint32_t input_count,
                          TfcTensor *outputs, uint32_t output_count) {
  const TfcRunTable table = {sizeof(TfcRunTable), tfc_core_launch, tfc_core_bind, callExtern, readMemory};
  const TfcEntry *entry = &context->program[number];
  EntryState *state = &context->entries[number];
  int32_t code = tfc_core_check_inputs(context, number, inputs, input_count);
  if (!code)
    code = tfc_core_check_ports(context, entry->outputs, entry->output_count, "output", outputs, output_count);
  if (!code && context->cuda)
    return tfc_cuda_run(context, number, inputs, outputs);
  if (!code)
    code = tfc_core_bind_rooms(entry, state, inputs, outputs);
  if (!code)
    code = prepare(context, entry, state, inputs, outputs);
  if (code)
    return code;
  Run run = {{&table, state->values, state->inputs, state->outputs, state->arena_pointers,
              context->loaded->weights.bytes, &run},
             context,
             entry,
             number,
             state,
             inputs,
             outputs};
  code = entry->run(&run.shown);
  if (!code)
    tfc_core_deliver_outputs(context, entry, state, outputs);
  return code;
}

static int32_t runEntry(TfcContext *context, uint32_t number, const TfcTensor *inputs, uint32_t input_count,
                        TfcTensor *outputs, uint32_t output_count) {
  int32_t code = enter(context, number);
  if (code)
    return code;
  TfcEvent event = {TFC_EVENT_RUN, 0, &context->program[number], context->entries[number].values, 0, 0, 0, 0, NULL};
  tfc_core_tell(context, &event);
  /* Whoever waits for a device leaves the CPU to others. */
  bool needsCpu = !context->cuda;
  if (needsCpu)
    tfc_core_pool_enter();
  code = runChecked(context, number, inputs, input_count, outputs, output_count);
  if (needsCpu)
    tfc_core_pool_leave();
  event.after = 1;
  tfc_core_tell(context, &event);
  return leave(context, code);
}

const TfcApi tfc_core_api = {
    sizeof(TfcApi), tfc_core_load, tfc_core_release, tfc_core_context_create, tfc_core_context_destroy,
    workspaceBytes, outputDims,    runEntry,         tfc_core_last_error};
