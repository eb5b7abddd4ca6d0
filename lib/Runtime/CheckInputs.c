/*===- CheckInputs.c - Do these inputs fit the model? -------------------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Symbols get their values first, from dims that are nothing but the symbol, in the order of the inputs. *|
|* Then every value is computed and every dim compared with its own. So 'seq' has one value, and a        *|
|* message can say who gave it.                                                                           *|
|*                                                                                                        *|
|* When the symbols are those of the run before, nothing is computed again: only the dims are compared.   *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Core.h"

static int32_t checkPort(const TfcPort *port, const char *kind, const TfcTensor *tensor) {
  char wanted[16], found[16];
  if (tensor->device_type != 1 && tensor->device_type != 3) /* 3: host memory that CUDA knows */
    return tfc_core_fail(TFC_BAD_INPUT,
                         "%s '%s': its device type is %d; this model takes memory of the CPU (1)", kind,
                         port->name, tensor->device_type);
  if (tensor->dtype.code != port->dtype.code || tensor->dtype.bits != port->dtype.bits ||
      tensor->dtype.lanes != 1)
    return tfc_core_fail(TFC_BAD_INPUT, "%s '%s': its type is %s%s, but must be %s", kind, port->name,
                         tfc_core_type_name(tensor->dtype, found),
                         tensor->dtype.lanes == 1 ? "" : " in lanes",
                         tfc_core_type_name(port->dtype, wanted));
  if (tensor->rank != port->rank)
    return tfc_core_fail(TFC_BAD_INPUT, "%s '%s': its rank is %d, but must be %d", kind, port->name,
                         tensor->rank, port->rank);
  if (tensor->rank && !tensor->dims)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "%s '%s': its dims are a null pointer", kind, port->name);
  return TFC_OK;
}

int32_t tfc_core_check_ports(const TfcPort *ports, uint32_t port_count, const char *kind,
                             const TfcTensor *tensors, uint32_t count) {
  if (count != port_count) {
    Sentence names = {{0}, 0};
    for (uint32_t i = 0; i < port_count && i < 16; ++i)
      tfc_core_say(&names, "%s'%s'", i ? ", " : ": ", ports[i].name);
    return tfc_core_fail(TFC_BAD_INPUT, "%u %ss were given, but the model has %u%s", count, kind, port_count,
                         names.text);
  }
  if (count && !tensors)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "the %ss are a null pointer", kind);
  int32_t code = TFC_OK;
  for (uint32_t i = 0; i < count && !code; ++i)
    code = checkPort(&ports[i], kind, &tensors[i]);
  return code;
}

/* "input 'ids': dim 1 ('seq') is 5000" or, when a bind gave the value, "node 'NonZero_3': 'count' is 5000".
 */
static int32_t outOfRange(const TfcSymbol *symbol, int64_t value, const char *kind, const char *name,
                          int32_t dim) {
  Sentence place = {{0}, 0}, range = {{0}, 0};
  tfc_core_say(&place, "%s '%s': ", kind, name);
  if (dim >= 0)
    tfc_core_say(&place, "dim %d (", dim);
  tfc_core_say(&place, "'%s'%s", symbol->name, dim >= 0 ? ")" : "");
  if (symbol->max == INT64_MAX)
    tfc_core_say(&range, "be at least %lld", (long long)symbol->min);
  else if (symbol->min == symbol->max)
    tfc_core_say(&range, "be %lld", (long long)symbol->min);
  else
    tfc_core_say(&range, "lie between %lld and %lld", (long long)symbol->min, (long long)symbol->max);
  return tfc_core_fail(TFC_BAD_INPUT, "%s is %lld, but must %s", place.text, (long long)value, range.text);
}

int32_t tfc_core_check_symbol_range(const TfcSymbol *symbol, int64_t value, const char *kind,
                                    const char *name, int32_t dim) {
  if (value < 0) /* a size, whatever the model allows */
    return outOfRange(&(TfcSymbol){symbol->name, symbol->min < 0 ? 0 : symbol->min, symbol->max, 0, 0}, value,
                      kind, name, dim);
  return value < symbol->min || value > symbol->max ? outOfRange(symbol, value, kind, name, dim) : TFC_OK;
}

static int32_t bindSymbols(const TfcEntry *entry, const Binder *binders, EntryState *state,
                           const TfcTensor *inputs) {
  for (uint32_t s = 0; s < entry->symbol_count; ++s) {
    if (entry->symbols[s].born_in || entry->symbols[s].kind == TFC_SYMBOL_ROOM)
      continue;
    int64_t value = inputs[binders[s].input].dims[binders[s].dim];
    int32_t code = tfc_core_check_symbol_range(&entry->symbols[s], value, "input",
                                               entry->inputs[binders[s].input].name, binders[s].dim);
    if (code)
      return code;
    if (state->known && state->symbols[s] == value)
      continue;
    state->known = false;
    state->symbols[s] = value;
  }
  return TFC_OK;
}

void tfc_core_say_symbols(Sentence *sentence, TfcContext *context, const TfcEntry *entry,
                          const EntryState *state, uint32_t value) {
  uint64_t used = tfc_core_symbols_of(entry, value);
  const Binder *binders = context->loaded->binders[entry - context->loaded->model->entries];
  bool bare = tfc_core_bare_symbol(&entry->values[value]) >= 0;
  const char *between = " (";
  for (uint32_t s = 0; s < entry->symbol_count && s < 63; ++s) {
    if (!(used >> s & 1) || entry->symbols[s].kind == TFC_SYMBOL_ROOM)
      continue;
    const TfcSymbol *symbol = &entry->symbols[s];
    tfc_core_say(sentence, "%s", between);
    if (!bare)
      tfc_core_say(sentence, "%s = %lld ", symbol->name, (long long)state->symbols[s]);
    if (symbol->born_in)
      tfc_core_say(sentence, "from node '%s'", entry->binds[symbol->born_in - 1].node);
    else
      tfc_core_say(sentence, "from input '%s', dim %d", entry->inputs[binders[s].input].name, binders[s].dim);
    between = "; ";
  }
  if (*between == ';')
    tfc_core_say(sentence, ")");
}

int32_t tfc_core_check_dims(TfcContext *context, const TfcEntry *entry, const EntryState *state,
                            const TfcPort *port, const char *kind, const TfcTensor *tensor) {
  for (int32_t d = 0; d < port->rank; ++d) {
    const TfcExpr *expr = &entry->values[port->dims[d]];
    int64_t wanted = state->values[port->dims[d]];
    if (tensor->dims[d] == wanted)
      continue;
    if (tfc_core_symbols_of(entry, port->dims[d]) == 0)
      return tfc_core_fail(TFC_BAD_INPUT, "%s '%s': dim %d is %lld, but must be %lld", kind, port->name, d,
                           (long long)tensor->dims[d], (long long)wanted);
    Sentence why = {{0}, 0};
    tfc_core_say_symbols(&why, context, entry, state, port->dims[d]);
    return tfc_core_fail(TFC_BAD_INPUT, "%s '%s': dim %d is %lld, but '%s' is %lld%s", kind, port->name, d,
                         (long long)tensor->dims[d], expr->text ? expr->text : "its size", (long long)wanted,
                         why.text);
  }
  return TFC_OK;
}

int32_t tfc_core_check_inputs(TfcContext *context, uint32_t number, const TfcTensor *inputs, uint32_t count) {
  const TfcEntry *entry = &context->loaded->model->entries[number];
  EntryState *state = &context->entries[number];
  int32_t code = tfc_core_check_ports(entry->inputs, entry->input_count, "input", inputs, count);
  if (code)
    return code;
  code = bindSymbols(entry, context->loaded->binders[number], state, inputs);
  if (code)
    return code;
  bool known = state->known;
  if (!known)
    tfc_core_evaluate_segment(entry, state, 0);
  for (uint32_t i = 0; i < count && !code; ++i)
    code = tfc_core_check_dims(context, entry, state, &entry->inputs[i], "input", &inputs[i]);
  if (!code && !known)
    code = tfc_core_check_requirements(context, entry, state, 0);
  if (!code)
    state->known = true;
  return code;
}
