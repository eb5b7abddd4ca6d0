//===- MakeInputs.cpp - Made-up inputs of a run
//-------------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Session/MakeInputs.h"

#include "Runtime/Expr.h"
#include "tfc/Weights/SeedStream.h"

#include <algorithm>
#include <cstring>

namespace tfc {

Status chooseSymbols(const TfcEntry &entry, const std::map<std::string, int64_t> &sizes,
                     std::vector<int64_t> &symbols) {
  std::string missing, all;
  symbols.assign(entry.symbol_count, 0);
  for (uint32_t s = 0; s < entry.symbol_count; ++s) {
    const TfcSymbol &symbol = entry.symbols[s];
    if (!isInputSize(symbol))
      continue;
    all += (all.empty() ? "" : ", ") + std::string(symbol.name);
    auto given = sizes.find(symbol.name);
    if (given != sizes.end())
      symbols[s] = given->second;
    else if (symbol.min == symbol.max)
      symbols[s] = symbol.min;
    else
      missing += (missing.empty() ? "" : ",") + std::string(symbol.name) + "=N";
    if (given != sizes.end() && (given->second < symbol.min || given->second > symbol.max))
      return badInput("--dim " + given->first + "=" + std::to_string(given->second) + ": the model takes " +
                      std::to_string(symbol.min) +
                      (symbol.max == INT64_MAX ? " or more" : " to " + std::to_string(symbol.max)));
  }
  for (const auto &size : sizes) {
    bool known = false;
    for (uint32_t s = 0; s < entry.symbol_count; ++s)
      known |= size.first == entry.symbols[s].name && isInputSize(entry.symbols[s]);
    if (!known)
      return badInput("--dim: the model has no symbol '" + size.first + "'; it has " +
                      (all.empty() ? "none" : all));
  }
  return missing.empty() ? Status{} : badInput("the sizes of all symbols are needed; add --dim " + missing);
}

static std::vector<int64_t> evaluate(const TfcEntry &entry, const std::vector<int64_t> &symbols) {
  std::vector<int64_t> values(entry.value_count);
  for (uint32_t v = 0; v < entry.value_count; ++v)
    if (entry.values[v].segment == 0)
      values[v] = tfc_core_evaluate(&entry.values[v], symbols.data(), values.data());
  return values;
}

/// The symbol that a value is, if it is nothing else and the inputs bind it.
static int64_t sizeSymbol(const TfcEntry &entry, uint32_t value) {
  int64_t symbol = tfc_core_bare_symbol(&entry.values[value]);
  return symbol >= 0 && isInputSize(entry.symbols[symbol]) ? symbol : -1;
}

/// Two sizes were `size` and are to be equal again: a symbol that was that long too, like the length of a mask beside past + seq, takes the
/// size that has grown.
static void keepEqual(const TfcEntry &entry, const TfcRequirement &required, int64_t size, std::vector<int64_t> &symbols) {
  std::vector<int64_t> after = evaluate(entry, symbols);
  int64_t lhs = after[required.lhs], rhs = after[required.rhs];
  if (lhs == rhs)
    return;
  for (uint32_t s = 0; s < entry.symbol_count; ++s) {
    if (!isInputSize(entry.symbols[s]) || symbols[s] != size)
      continue;
    symbols[s] = std::max(lhs, rhs);
    after = evaluate(entry, symbols);
    if (after[required.lhs] == after[required.rhs])
      return;
    symbols[s] = size;
  }
}

Status growSizes(const TfcEntry &entry, std::map<std::string, int64_t> &sizes) {
  std::vector<int64_t> symbols;
  if (Status status = chooseSymbols(entry, sizes, symbols))
    return status;
  std::vector<int64_t> before = evaluate(entry, symbols);
  for (uint32_t i = 0; i < entry.output_count; ++i) {
    const TfcPort &output = entry.outputs[i];
    if (output.alias_of_input < 0 || entry.inputs[output.alias_of_input].rank != output.rank)
      continue;
    const TfcPort &input = entry.inputs[output.alias_of_input];
    for (int32_t d = 0; d < output.rank; ++d)
      if (int64_t symbol = sizeSymbol(entry, input.dims[d]); symbol >= 0 && output.dims[d] != input.dims[d])
        symbols[size_t(symbol)] = before[output.dims[d]];
  }
  for (uint32_t i = 0; i < entry.requirement_count; ++i)
    if (entry.requirements[i].kind != TFC_REQUIRE_AT_MOST && before[entry.requirements[i].lhs] == before[entry.requirements[i].rhs])
      keepEqual(entry, entry.requirements[i], before[entry.requirements[i].lhs], symbols);
  for (uint32_t s = 0; s < entry.symbol_count; ++s)
    if (isInputSize(entry.symbols[s]))
      sizes[entry.symbols[s].name] = symbols[s];
  return {};
}

/// A number that depends on (seed, stream, index) alone.
static uint64_t hashOf(uint64_t seed, uint64_t stream, uint64_t index) {
  uint64_t x = seed * 0x9E3779B97F4A7C15u + stream * 0xD1B54A32D192ED03u + index * 0x2545F4914F6CDD1Du +
               0x632BE59BD9B4E019u;
  for (int round = 0; round < 2; ++round) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
  }
  return x;
}

/// Little-endian, so the low bytes of a 64-bit number are the narrower integer.
static void putInteger(Array &array, int64_t index, int64_t value) {
  if (array.type.bits == 4)
    array.bytes[size_t(index / 2)] =
        uint8_t(array.bytes[size_t(index / 2)] | (value & 15) << (index % 2 * 4));
  else
    std::memcpy(array.bytes.data() + index * (array.type.bits / 8), &value, array.type.bits / 8);
}

static void fill(Array &array, const TfcPort &port, int64_t bound, uint64_t seed, uint64_t stream) {
  int64_t count = elementCount(array.dims, array.type);
  bool floats = isFloat(array.type);
  for (int64_t i = 0; i < count; ++i) {
    float value = 0;
    if (port.hint == TFC_HINT_INDEX)
      value = 0;
    else if (port.hint == TFC_HINT_MASK)
      value = 1;
    else if (port.hint == TFC_HINT_NONE && floats)
      value = float(hashOf(seed, stream, uint64_t(i)) >> 40) / 16777216.0f - 0.5f;
    if (port.hint == TFC_HINT_INDEX && !floats && array.type.code != TFC_BOOL)
      putInteger(array, i, bound > 0 ? int64_t(hashOf(seed, stream, uint64_t(i)) % uint64_t(bound)) : 0);
    else if (floats)
      tfc_elements_from_f32(array.bytes.data() + i * (array.type.bits / 8), &value, 1, array.type.code,
                            array.type.bits);
    else
      putInteger(array, i, int64_t(value));
  }
}

Status makeInputs(const TfcEntry &entry, const std::map<std::string, int64_t> &sizes, uint64_t seed,
                  std::vector<Array> &inputs) {
  std::vector<int64_t> symbols;
  if (Status status = chooseSymbols(entry, sizes, symbols))
    return status;
  std::vector<int64_t> values = evaluate(entry, symbols);
  for (uint32_t i = 0; i < entry.input_count; ++i) {
    const TfcPort &port = entry.inputs[i];
    Array array;
    array.name = port.name;
    array.type = port.dtype;
    for (int32_t d = 0; d < port.rank; ++d)
      array.dims.push_back(values[port.dims[d]]);
    int64_t count = elementCount(array.dims, array.type);
    if (count < 0)
      return badInput("input '" + array.name + "' would be " + dimsText(array.dims));
    array.bytes.resize(size_t(byteCount(count, array.type)));
    fill(array, port, port.hint == TFC_HINT_INDEX ? values[port.hint_bound] : 0, seed, i);
    inputs.push_back(std::move(array));
  }
  return {};
}

} // namespace tfc
