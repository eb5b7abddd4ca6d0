//===- Describe.cpp - What a model takes, gives and holds -----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "Describe.h"
#include "Json.h"

#include "Session/Array.h"
#include "Session/MakeInputs.h"

#include "Runtime/Expr.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace tfc {

//===-- Pieces that both forms use
//-------------------------------------------------------------------------===//

/// The value as an expression of symbols: another value in it, written "%7", is put in its place. Grows to `room`
/// characters at most; false when that is too little.
static bool expandText(const TfcEntry &entry, uint32_t value, size_t room, std::string &text) {
  const TfcExpr &expr = entry.values[value];
  if (!expr.text) {
    bool constant = expr.word_count == 1 && expr.words[0].op == TFC_EXPR_CONST;
    text += constant ? std::to_string(expr.words[0].operand) : "?";
    return constant;
  }
  const char *at = expr.text;
  while (const char *inner = std::strstr(at, "\"%")) {
    char *end;
    unsigned long number = std::strtoul(inner + 2, &end, 10);
    if (*end != '"' || number >= value)
      return false;
    text.append(at, inner);
    text += "(";
    if (text.size() > room || !expandText(entry, number, room, text))
      return false;
    text += ")";
    at = end + 1;
  }
  text += at;
  return text.size() <= room;
}

static std::string textOf(const TfcEntry &entry, uint32_t value) {
  std::string text;
  return expandText(entry, value, 400, text) ? text : "an expression of the symbols";
}

static std::string dimsOf(const TfcEntry &entry, const TfcPort &port) {
  std::string text = "[";
  for (int32_t d = 0; d < port.rank; ++d)
    text += (d ? ", " : "") + textOf(entry, port.dims[d]);
  return text + "]";
}

static std::string variantName(const TfcVariant &variant) {
  static const struct {
    uint64_t bit;
    const char *name;
  } names[] = {{TFC_X86_64_V4, "x86-64-v4"},         {TFC_X86_64_V3, "x86-64-v3"},
               {TFC_X86_64_V2, "x86-64-v2"},         {TFC_X86_AVX512_BF16, "avx512-bf16"},
               {TFC_X86_AVX512_VNNI, "avx512-vnni"}, {TFC_AARCH64_NEON, "neon"}};
  std::string text;
  uint64_t rest = variant.features;
  for (const auto &name : names) {
    bool level = name.bit <= TFC_X86_64_V4;
    if (rest & name.bit && !(level && !text.empty()))
      text += (text.empty() ? "" : "+") + std::string(name.name);
    rest &= ~name.bit;
  }
  if (rest)
    text += (text.empty() ? "bits " : "+bits ") + std::to_string(rest);
  return text.empty() ? "baseline" : text;
}

static std::string modeName(uint32_t mode) {
  static const char *const names[] = {"none", "embed", "external", "seed"};
  return mode < 4 ? names[mode] : "unknown";
}

static std::string hintText(const TfcEntry &entry, const TfcPort &port) {
  switch (port.hint) {
  case TFC_HINT_INDEX:
    return "index below " + textOf(entry, port.hint_bound);
  case TFC_HINT_MASK:
    return "mask";
  case TFC_HINT_PAD:
    return "padding mask";
  default:
    return "";
  }
}

static std::vector<int64_t> launchesOf(const TfcModel &model, const TfcEntry &entry) {
  std::vector<int64_t> launches(model.kernel_count);
  for (uint32_t i = 0; i < entry.launch_count; ++i)
    ++launches[entry.launches[i].kernel];
  return launches;
}

//===-- Text
//-----------------------------------------------------------------------------------------------===//

namespace {
/// Rows of cells; every column as wide as its widest cell.
class Table {
public:
  void add(std::vector<std::string> row) { rows.push_back(std::move(row)); }
  std::string text() const {
    std::vector<size_t> widths;
    for (const auto &row : rows)
      for (size_t i = 0; i < row.size(); ++i) {
        widths.resize(std::max(widths.size(), i + 1));
        // What ends a row needs no room for others: an arena's size can be a long expression.
        if (i + 1 < row.size())
          widths[i] = std::max(widths[i], row[i].size());
      }
    std::string all;
    for (const auto &row : rows) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i)
        line += row[i] + std::string(std::max(widths[i], row[i].size()) - row[i].size() + 2, ' ');
      line.erase(line.find_last_not_of(' ') + 1);
      all += line + "\n";
    }
    return all;
  }

private:
  std::vector<std::vector<std::string>> rows;
};
} // namespace

/// Names come from models: control characters must not reach the terminal.
static std::string printable(std::string text) {
  for (char &c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?';
  return text;
}

static std::string megabytes(uint64_t bytes) {
  char text[48];
  std::snprintf(text, sizeof(text), bytes < 100000 ? "%.0f bytes" : "%.1f MB",
                bytes < 100000 ? double(bytes) : double(bytes) / 1e6);
  return text;
}

static void addPorts(Table &table, const TfcEntry &entry, const TfcPort *ports, uint32_t count,
                     const char *kind) {
  for (uint32_t i = 0; i < count; ++i) {
    std::string note = hintText(entry, ports[i]);
    if (ports[i].alias_of_input >= 0)
      note = std::string(ports[i].room ? "grows in place in '" : "may share memory with '") +
             entry.inputs[ports[i].alias_of_input].name + "'";
    table.add({"  " + std::string(kind), printable(ports[i].name), typeName(ports[i].dtype),
               printable(dimsOf(entry, ports[i])), printable(note)});
  }
}

/// The size of arena number `segment`: a number where `symbols` are given and decide it.
static std::string arenaText(const TfcEntry &entry, uint32_t segment, const std::vector<int64_t> &symbols) {
  if (symbols.empty() && entry.symbol_count)
    return textOf(entry, entry.arena_bytes[segment]);
  if (segment > 0)
    return "known in the run";
  std::vector<int64_t> values(entry.value_count);
  for (uint32_t v = 0; v < entry.value_count; ++v)
    if (entry.values[v].segment == 0)
      values[v] = tfc_core_evaluate(&entry.values[v], symbols.data(), values.data());
  return std::to_string(values[entry.arena_bytes[0]]);
}

/// What requirements of the form "this symbol is at most 64" leave of its range.
static int64_t largestValue(const TfcEntry &entry, uint32_t number) {
  int64_t largest = entry.symbols[number].max;
  for (uint32_t i = 0; i < entry.requirement_count; ++i) {
    const TfcRequirement &requirement = entry.requirements[i];
    const TfcExpr &lhs = entry.values[requirement.lhs], &rhs = entry.values[requirement.rhs];
    bool isBound = requirement.kind == TFC_REQUIRE_AT_MOST && lhs.word_count == 1 && rhs.word_count == 1 &&
                   lhs.words[0].op == TFC_EXPR_SYMBOL && lhs.words[0].operand == int64_t(number) && rhs.words[0].op == TFC_EXPR_CONST;
    if (isBound)
      largest = std::min<int64_t>(largest, rhs.words[0].operand);
  }
  return largest;
}

static void addSymbols(Table &table, const TfcEntry &entry) {
  for (uint32_t s = 0; s < entry.symbol_count; ++s) {
    const TfcSymbol &symbol = entry.symbols[s];
    if (symbol.kind != TFC_SYMBOL_SIZE)
      continue;
    int64_t largest = largestValue(entry, s);
    std::string range = std::to_string(symbol.min) + (largest == INT64_MAX ? " or more" : " to " + std::to_string(largest));
    std::string born = symbol.born_in ? std::string("known in the run, from node '") +
                                            entry.binds[symbol.born_in - 1].node + "'"
                                      : "";
    table.add({"  symbol", printable(symbol.name), "", range, printable(born)});
  }
}

/// Programs for devices; none in a model that was made before there were any.
static uint32_t programCount(const TfcModel &model) { return model.bytes >= offsetof(TfcModel, graph_weights) ? model.program_count : 0; }

static void addPrograms(Table &table, const TfcModel &model) {
  for (uint32_t p = 0; p < programCount(model); ++p) {
    const TfcProgram &program = model.programs[p];
    uint32_t fetches = 0;
    for (uint32_t e = 0; e < model.entry_count; ++e)
      fetches += program.fetches[e];
    const TfcWeights &weights = program.weights ? model.more_weights[program.weights - 1] : model.weights;
    std::string code = program.kind == TFC_PROGRAM_CUDA ? megabytes(program.code_bytes) + " of PTX" : "emulated";
    if (program.cubin_bytes)
      code += ", " + megabytes(program.cubin_bytes) + " of machine code";
    table.add({"  program", printable(program.target), code,
               "weights " + std::to_string(program.weights) + " (" + megabytes(weights.bytes) + ")",
               fetches ? "reads back at " + std::to_string(fetches) + " places: no graphs" : "one graph per shape"});
  }
}

Status describeText(const TfcModel &model, const std::string &isa, const std::map<std::string, int64_t> &sizes, std::string &text) {
  text = "model " + printable(model.name) + " (" +
                     printable(model.producer ? model.producer : "?") + ", " +
                     printable(model.triple ? model.triple : "?") + ")\n";
  for (uint32_t e = 0; e < model.entry_count; ++e) {
    const TfcEntry &entry = model.entries[e];
    text += "\nentry " + printable(entry.name) + "\n";
    std::vector<int64_t> symbols;
    if (!sizes.empty())
      if (Status status = chooseSymbols(entry, sizes, symbols))
        return status;
    Table table;
    addPorts(table, entry, entry.inputs, entry.input_count, "input");
    addPorts(table, entry, entry.outputs, entry.output_count, "output");
    addSymbols(table, entry);
    for (uint32_t i = 0; i <= entry.bind_count; ++i)
      table.add({"  arena", i ? "after '" + printable(entry.binds[i - 1].node) + "'" : "", "bytes",
                 printable(arenaText(entry, i, symbols))});
    text += table.text();
    Table kernels;
    std::vector<int64_t> launches = launchesOf(model, entry);
    for (uint32_t k = 0; k < model.kernel_count; ++k) {
      std::string variants;
      for (uint32_t v = 0; v < model.kernels[k].variant_count; ++v)
        variants += (v ? ", " : "") + variantName(model.kernels[k].variants[v]);
      kernels.add({"  kernel", printable(model.kernels[k].name),
                   std::to_string(launches[k]) + (launches[k] == 1 ? " launch" : " launches"), variants});
    }
    text += "\n" + kernels.text();
  }
  text += "\non this machine: " + isa + "\nweights: " + modeName(model.weights.mode) + ", " + std::to_string(model.weights.weight_count) +
          " tensors, " + megabytes(model.weights.bytes);
  if (model.weights.mode == TFC_WEIGHTS_EXTERNAL && model.weights.file)
    text += ", in '" + printable(model.weights.file) + "'";
  text += "\n";
  Table programs;
  addPrograms(programs, model);
  if (programCount(model))
    text += "\n" + programs.text();
  return {};
}

//===-- JSON
//-----------------------------------------------------------------------------------------------===//

static std::string portJson(const TfcEntry &entry, const TfcPort &port) {
  std::string dims;
  for (int32_t d = 0; d < port.rank; ++d)
    dims += (d ? ", " : "") + jsonString(textOf(entry, port.dims[d]));
  return "{\"name\": " + jsonString(port.name) + ", \"type\": " + jsonString(typeName(port.dtype)) + ", \"dims\": [" +
         dims + "], \"alias_of_input\": " + std::to_string(port.alias_of_input) +
         ", \"grows_in_place\": " + (port.room ? "true" : "false") + "}";
}

/// {"key": ..., "key": [made, made, ...]} piece by piece.
template <typename Make> static std::string list(const char *key, uint32_t count, Make make) {
  std::string text = jsonString(key) + ": [";
  for (uint32_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + make(i);
  return text + "]";
}

static std::string entryJson(const TfcModel &model, const TfcEntry &entry) {
  std::vector<int64_t> launches = launchesOf(model, entry);
  std::string text = "{\"name\": " + jsonString(entry.name) + ", ";
  text +=
      list("inputs", entry.input_count, [&](uint32_t i) { return portJson(entry, entry.inputs[i]); }) + ", ";
  text += list("outputs", entry.output_count, [&](uint32_t i) { return portJson(entry, entry.outputs[i]); }) +
          ", ";
  text += list("symbols", entry.symbol_count, [&](uint32_t i) {
    const TfcSymbol &symbol = entry.symbols[i];
    return "{\"name\": " + jsonString(symbol.name) + ", \"min\": " + std::to_string(symbol.min) +
           ", \"max\": " + std::to_string(largestValue(entry, i)) + ", \"born_in\": " + std::to_string(symbol.born_in) +
           ", \"kind\": " + std::to_string(symbol.kind) + "}";
  });
  text += ", " +
          list("arena_bytes", entry.bind_count + 1,
               [&](uint32_t i) { return jsonString(textOf(entry, entry.arena_bytes[i])); }) +
          ", ";
  text += list("kernels", model.kernel_count, [&](uint32_t k) {
    const TfcKernel &kernel = model.kernels[k];
    return "{\"name\": " + jsonString(kernel.name) + ", \"launches\": " + std::to_string(launches[k]) + ", " +
           list("variants", kernel.variant_count,
                [&](uint32_t v) { return jsonString(variantName(kernel.variants[v])); }) +
           "}";
  });
  return text + "}";
}

static std::string programJson(const TfcModel &model, const TfcProgram &program) {
  return "{\"target\": " + jsonString(program.target) + ", \"code_bytes\": " + std::to_string(program.code_bytes) +
         ", \"cubin_bytes\": " + std::to_string(program.cubin_bytes) + ", \"weights\": " + std::to_string(program.weights) + ", " +
         list("fetches", model.entry_count, [&](uint32_t e) { return std::to_string(program.fetches[e]); }) + "}";
}

std::string describeJson(const TfcModel &model, const std::string &isa) {
  const TfcWeights &weights = model.weights;
  return "{\"model\": " + jsonString(model.name) +
         ", \"producer\": " + jsonString(model.producer ? model.producer : "") +
         ", \"triple\": " + jsonString(model.triple ? model.triple : "") + ", \"isa\": " + jsonString(isa) + ", " +
         list("entries", model.entry_count, [&](uint32_t i) { return entryJson(model, model.entries[i]); }) +
         ", \"weights\": {\"mode\": " + jsonString(modeName(weights.mode)) +
         ", \"count\": " + std::to_string(weights.weight_count) +
         ", \"bytes\": " + std::to_string(weights.bytes) + "}, " +
         list("programs", programCount(model), [&](uint32_t i) { return programJson(model, model.programs[i]); }) + "}";
}

} // namespace tfc
