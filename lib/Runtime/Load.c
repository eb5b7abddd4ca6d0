/*===- Load.c - Makes a model ready to run ------------------------------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* A model.so is code, so a descriptor is trusted as much as code is; but a damaged or half-built one     *|
|* should end in a sentence, and checking its numbers here lets every run use them without another look.  *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Core.h"

#include <stdlib.h>
#include <string.h>

static int32_t bad(const TfcEntry *entry, const char *what, uint32_t number) {
  return tfc_core_fail(TFC_BAD_ARTIFACT, "the model's descriptor is damaged: entry '%s', %s %u",
                       entry->name ? entry->name : "?", what, number);
}

static int32_t checkPort(const TfcEntry *entry, const TfcPort *port, const char *what, uint32_t number,
                         uint32_t segment) {
  if (!port->name || port->rank < 0 || port->rank > TFC_MAX_RANK || (port->rank && !port->dims) ||
      port->dtype.bits == 0 || port->alias_of_input >= (int32_t)entry->input_count ||
      port->alias_of_input < -1)
    return bad(entry, what, number);
  for (int32_t d = 0; d < port->rank; ++d)
    if (port->dims[d] >= entry->value_count || entry->values[port->dims[d]].segment > segment)
      return bad(entry, what, number);
  if (port->hint == TFC_HINT_INDEX && port->hint_bound >= entry->value_count)
    return bad(entry, what, number);
  return TFC_OK;
}

/* An output that extends an input has its rank and names a symbol that nothing else gives a value. */
static int32_t checkRoom(const TfcEntry *entry, const TfcPort *port, uint32_t number) {
  if (!port->room)
    return TFC_OK;
  if (port->room > entry->symbol_count || entry->symbols[port->room - 1].kind != TFC_SYMBOL_ROOM ||
      entry->symbols[port->room - 1].born_in || port->alias_of_input < 0 || port->room_axis >= port->rank ||
      entry->inputs[port->alias_of_input].rank != port->rank)
    return bad(entry, "room of output", number);
  return TFC_OK;
}

static int32_t checkLaunch(uint32_t kernel_count, const TfcEntry *entry, uint32_t number) {
  const TfcLaunch *launch = &entry->launches[number];
  const uint32_t values[] = {launch->tiles, launch->scratch, launch->flops, launch->bytes};
  if (launch->kernel >= kernel_count || (launch->check_count && !launch->checks) ||
      (launch->node_count && !launch->nodes))
    return bad(entry, "launch", number);
  for (int i = 0; i < 4; ++i)
    if (values[i] >= entry->value_count)
      return bad(entry, "launch", number);
  return TFC_OK;
}

static int32_t checkTables(uint32_t kernel_count, const TfcEntry *entry) {
  if (!entry->name || !entry->run || !entry->arena_bytes || entry->bind_count > 1u << 20)
    return bad(entry, "table", 0);
  for (uint32_t i = 0; i < entry->value_count; ++i)
    if (!tfc_core_expr_is_valid(entry, i))
      return bad(entry, "value", i);
  int32_t code = TFC_OK;
  for (uint32_t i = 0; i < entry->input_count && !code; ++i)
    code = checkPort(entry, &entry->inputs[i], "input", i, 0);
  for (uint32_t i = 0; i < entry->output_count && !code; ++i)
    if (!(code = checkPort(entry, &entry->outputs[i], "output", i, entry->bind_count)))
      code = checkRoom(entry, &entry->outputs[i], i);
  for (uint32_t i = 0; i < entry->launch_count && !code; ++i)
    code = checkLaunch(kernel_count, entry, i);
  if (code)
    return code;
  for (uint32_t i = 0; i < entry->requirement_count; ++i)
    if (entry->requirements[i].lhs >= entry->value_count || entry->requirements[i].rhs >= entry->value_count)
      return bad(entry, "requirement", i);
  for (uint32_t i = 0; i < entry->bind_count; ++i)
    for (uint32_t s = 0; s < entry->binds[i].symbol_count; ++s)
      if (entry->binds[i].symbols[s] >= entry->symbol_count)
        return bad(entry, "bind", i);
  for (uint32_t i = 0; i <= entry->bind_count; ++i)
    if (entry->arena_bytes[i] >= entry->value_count || entry->values[entry->arena_bytes[i]].segment > i)
      return bad(entry, "arena", i);
  return TFC_OK;
}

/* The first input dim that is nothing but the symbol gives it its value. */
static int32_t findBinders(const TfcEntry *entry, Binder *binders) {
  for (uint32_t s = 0; s < entry->symbol_count; ++s)
    binders[s] = (Binder){-1, -1};
  for (uint32_t i = 0; i < entry->input_count; ++i)
    for (int32_t d = 0; d < entry->inputs[i].rank; ++d) {
      int64_t symbol = tfc_core_bare_symbol(&entry->values[entry->inputs[i].dims[d]]);
      if (symbol >= 0 && entry->symbols[symbol].born_in == 0 && binders[symbol].input < 0)
        binders[symbol] = (Binder){(int32_t)i, d};
    }
  for (uint32_t s = 0; s < entry->symbol_count; ++s) {
    if (!entry->symbols[s].name || entry->symbols[s].born_in < 0 ||
        entry->symbols[s].born_in > (int64_t)entry->bind_count)
      return bad(entry, "symbol", s);
    if (entry->symbols[s].born_in == 0 && entry->symbols[s].kind == TFC_SYMBOL_SIZE && binders[s].input < 0)
      return tfc_core_fail(TFC_BAD_ARTIFACT, "entry '%s': no input dim gives symbol '%s' its value",
                           entry->name, entry->symbols[s].name);
  }
  return TFC_OK;
}

int32_t tfc_core_choose_variant(const TfcKernel *kernel, uint64_t features, const TfcVariant **chosen) {
  for (uint32_t i = 0; i < kernel->variant_count; ++i)
    if ((kernel->variants[i].features & ~features) == 0 && kernel->variants[i].run) {
      *chosen = &kernel->variants[i];
      return TFC_OK;
    }
  if (!kernel->variant_count)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "kernel '%s' has no code", kernel->name);
  Sentence needed = {{0}, 0}, had = {{0}, 0};
  tfc_core_say_features(&needed, kernel->variants[kernel->variant_count - 1].features);
  tfc_core_say_features(&had, features);
  return tfc_core_fail(TFC_UNSUPPORTED_CPU, "the model is compiled for %s; this CPU has %s (kernel '%s')",
                       needed.text, had.text, kernel->name);
}

static int32_t chooseVariants(TfcLoaded *loaded) {
  const TfcModel *model = loaded->model;
  uint64_t features, used = 0;
  int32_t code = tfc_core_cpu_features(&features);
  for (uint32_t i = 0; i < model->kernel_count && !code; ++i) {
    const TfcVariant *variant = NULL;
    code = tfc_core_choose_variant(&model->kernels[i], features, &variant);
    if (code)
      return code;
    loaded->kernels[i] = variant->run;
    used |= variant->features;
  }
  tfc_core_say_features(&loaded->isa, used);
  return code;
}

int32_t tfc_core_make_binders(const TfcModel *model, const TfcEntry *entries, Binder ***result) {
  Binder **binders = calloc((size_t)model->entry_count + 1, sizeof(Binder *));
  *result = binders;
  int32_t code = binders ? TFC_OK : TFC_OUT_OF_MEMORY;
  for (uint32_t i = 0; i < model->entry_count && !code; ++i) {
    binders[i] = calloc((size_t)entries[i].symbol_count + 1, sizeof(Binder));
    code = binders[i] ? findBinders(&entries[i], binders[i]) : TFC_OUT_OF_MEMORY;
  }
  return code == TFC_OUT_OF_MEMORY ? tfc_core_fail(code, "no memory for the tables of model '%s'", model->name) : code;
}

void tfc_core_free_binders(Binder **binders, uint32_t entry_count) {
  for (uint32_t i = 0; binders && i < entry_count; ++i)
    free(binders[i]);
  free(binders);
}

/*===-- Programs for devices ------------------------------------------------------------------------------===*/

/* More than these parameters no GPU takes. */
enum { MostWords = 500, MostMaps = 8 };

static bool stepIsValid(const TfcEntry *entry, const TfcStep *step, uint32_t word_count) {
  if (!step->function || !step->block || !step->cluster || step->overlaps > 1 || step->map_count > MostMaps || (step->map_count && !step->maps) ||
      8 * (word_count + 2) + 128 * step->map_count > 4096)
    return false;
  for (int i = 0; i < 3; ++i)
    if (step->grid[i] >= entry->value_count)
      return false;
  for (uint32_t m = 0; m < step->map_count; ++m) {
    const TfcTensorMap *map = &step->maps[m];
    if (map->word >= word_count || map->rank < 1 || map->rank > 5 || map->offset >= entry->value_count)
      return false;
    for (uint32_t d = 0; d < map->rank; ++d)
      if (map->dims[d] >= entry->value_count || (d && map->strides[d - 1] >= entry->value_count))
        return false;
  }
  return true;
}

static int32_t checkDeviceLaunch(const TfcEntry *entry, const TfcDeviceLaunch *launch, uint32_t number) {
  if (launch->word_count > MostWords || launch->workspace >= entry->value_count || (launch->step_count && !launch->steps))
    return bad(entry, "launch", number);
  for (uint32_t i = 0; i < launch->step_count; ++i)
    if (!stepIsValid(entry, &launch->steps[i], launch->word_count))
      return bad(entry, "step of launch", number);
  return TFC_OK;
}

static int32_t checkProgram(const TfcModel *model, const TfcProgram *program) {
  if (!program->target || !program->code || !program->entries || !program->launches || !program->fetches ||
      (program->kernel_count && !program->kernels) || program->weights > model->more_weight_count)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the model's descriptor is damaged: a program for a device is cut short");
  int32_t code = TFC_OK;
  for (uint32_t e = 0; e < model->entry_count && !code; ++e) {
    const TfcEntry *entry = &program->entries[e], *first = &model->entries[e];
    code = checkTables(program->kernel_count, entry);
    if (!code && (entry->input_count != first->input_count || entry->output_count != first->output_count ||
                  (entry->launch_count && !program->launches[e])))
      code = bad(entry, "program for", e);
    for (uint32_t i = 0; i < entry->launch_count && !code; ++i)
      code = checkDeviceLaunch(entry, &program->launches[e][i], i);
  }
  return code;
}

static int32_t checkPrograms(TfcLoaded *loaded) {
  const TfcModel *model = loaded->model;
  /* Models of before end where `programs` begins. */
  loaded->has_cpu = true;
  if (model->bytes < offsetof(TfcModel, graph_weights))
    return TFC_OK;
  loaded->has_cpu = !model->device_only;
  loaded->model_program_count = model->program_count;
  if ((model->program_count && !model->programs) || (model->more_weight_count && !model->more_weights) ||
      (model->device_only && !model->program_count))
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the model's descriptor is damaged: its programs are missing");
  int32_t code = TFC_OK;
  for (uint32_t i = 0; i < model->program_count && !code; ++i)
    code = checkProgram(model, &model->programs[i]);
  return code;
}

/*===-- All of it -----------------------------------------------------------------------------------------===*/

static int32_t prepare(TfcLoaded *loaded, const char *folder) {
  const TfcModel *model = loaded->model;
  loaded->kernels = calloc((size_t)model->kernel_count + 1, sizeof(TfcKernelFn));
  loaded->folder = strdup(folder ? folder : "");
  if (!loaded->kernels || !loaded->folder)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the tables of model '%s'", model->name);
  int32_t code = checkPrograms(loaded);
  if (!code && loaded->has_cpu)
    code = chooseVariants(loaded);
  /* What this CPU cannot run a device may. */
  if (code == TFC_UNSUPPORTED_CPU && loaded->model_program_count) {
    tfc_core_say(&loaded->cpu_refusal, "%s", tfc_core_last_error());
    loaded->has_cpu = false;
    code = TFC_OK;
  }
  for (uint32_t i = 0; i < model->entry_count && !code; ++i)
    code = checkTables(model->kernel_count, &model->entries[i]);
  if (!code)
    code = tfc_core_make_binders(model, model->entries, &loaded->binders);
  return code || !loaded->has_cpu ? code : tfc_core_load_weights(&model->weights, folder, &loaded->weights);
}

int32_t tfc_core_load(const TfcModel *model, const char *folder, TfcLoaded **result) {
  if (!model || !result)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "load: %s is null",
                         model ? "the place for the result" : "the model");
  *result = NULL;
  if (model->magic != TFC_ABI_MAGIC)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "this is not a tfc model: its first word is 0x%08x", model->magic);
  if (model->version != TFC_ABI_VERSION)
    return tfc_core_fail(TFC_ABI_MISMATCH,
                         "the model has ABI version %u, this runtime has %u: compile the model again",
                         model->version, TFC_ABI_VERSION);
  if (model->bytes < offsetof(TfcModel, programs) || !model->name || (model->entry_count && !model->entries) ||
      (model->kernel_count && !model->kernels))
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the model's descriptor is cut short");
  TfcLoaded *loaded = calloc(1, sizeof(*loaded));
  if (!loaded)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory to load model '%s'", model->name);
  loaded->model = model;
  atomic_init(&loaded->users, 1);
  pthread_mutex_init(&loaded->devices, NULL);
  int32_t code = prepare(loaded, folder);
  if (code) {
    tfc_core_release(loaded);
    return code;
  }
  *result = loaded;
  return TFC_OK;
}
