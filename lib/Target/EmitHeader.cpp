//===- EmitHeader.cpp - The C header of a model --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//
//
// Names come from graphs and may be anything: "bert/encoder:0", "a*/b", two that differ in a slash only. Each
// becomes a C identifier with the model's name in front, so that it is no keyword and two models' headers can
// be included together; a second identifier of the same spelling gets a number.
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/EmitHeader.h"
#include "tfc/Target/EmbeddedFiles.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace llvm;

namespace {

class HeaderWriter {
public:
  HeaderWriter(const tfc::ModelDescription &model, StringRef querySymbol, raw_ostream &os);
  void write();

private:
  std::string identifier(const Twine &scope, StringRef name);
  void writeModelFunctions();
  void writeEntry(const tfc::EntryDescription &entry, size_t number);
  void writeSymbols(const tfc::EntryDescription &entry, StringRef scope);
  void writePort(const tfc::EntryDescription &entry, const tfc::PortDescription &port, StringRef name,
                 bool isInput);

  const tfc::ModelDescription &model;
  StringRef querySymbol;
  raw_ostream &os;
  StringSet<> taken;
  std::string prefix;
};

} // namespace

std::string tfc::toIdentifier(StringRef name) {
  std::string text;
  for (char c : name.take_front(80))
    text += llvm::isAlnum(c) ? c : '_';
  return text.empty() ? "_" : text;
}

/// A name inside a comment: one line that cannot end the comment.
static std::string toComment(StringRef name) {
  std::string text;
  for (char c : name.take_front(120))
    text += llvm::isPrint(c) && c != '*' && c != '\\' && c != '?' ? c : '.';
  return text;
}

static StringRef cType(TfcDataType type) {
  switch (type.code) {
  case TFC_INT:
    return type.bits == 64   ? "int64_t"
           : type.bits == 32 ? "int32_t"
           : type.bits == 16 ? "int16_t"
           : type.bits == 8  ? "int8_t"
                             : "uint8_t";
  case TFC_UINT:
    return type.bits == 64   ? "uint64_t"
           : type.bits == 32 ? "uint32_t"
           : type.bits == 16 ? "uint16_t"
                             : "uint8_t";
  case TFC_FLOAT:
    return type.bits == 64 ? "double" : type.bits == 32 ? "float" : "uint16_t";
  case TFC_BFLOAT:
    return "uint16_t";
  default:
    return "uint8_t"; // bool, and floats of eight bits
  }
}

HeaderWriter::HeaderWriter(const tfc::ModelDescription &model, StringRef querySymbol, raw_ostream &os)
    : model(model), querySymbol(querySymbol), os(os) {
  prefix = tfc::toIdentifier(model.name);
  if (llvm::isDigit(prefix.front()) || prefix.front() == '_')
    prefix = "model_" + prefix;
  taken.insert(querySymbol);
}

std::string HeaderWriter::identifier(const Twine &scope, StringRef name) {
  std::string base = scope.str() + "_" + tfc::toIdentifier(name), unique = base;
  for (unsigned number = 2; !taken.insert(unique).second; ++number)
    unique = base + "_" + std::to_string(number);
  return unique;
}

void HeaderWriter::writeModelFunctions() {
  std::string open = identifier(prefix, "open"), close = identifier(prefix, "close");
  std::string create = identifier(prefix, "context_create"), destroy = identifier(prefix, "context_destroy");
  std::string error = identifier(prefix, "last_error");
  os << "/** Everything there is to know about the model. */\n"
     << "const TfcModel *" << querySymbol << "(void);\n\n"
     << "/** Makes the model ready. `folder` is where the model's file lies; it matters only when its "
        "weights are a file of their own. */\n"
     << "static inline int32_t " << open << "(const char *folder, TfcLoaded **loaded) {\n"
     << "  const TfcModel *model = " << querySymbol << "();\n"
     << "  return model->api->load(model, folder, loaded);\n}\n\n"
     << "static inline void " << close << "(TfcLoaded *loaded) { " << querySymbol
     << "()->api->unload(loaded); }\n\n"
     << "/** What a thread needs to run the model; null options are the usual ones. */\n"
     << "static inline int32_t " << create
     << "(TfcLoaded *loaded, const TfcContextOptions *options, TfcContext **context) {\n"
     << "  return " << querySymbol << "()->api->context_create(loaded, options, context);\n}\n\n"
     << "static inline void " << destroy << "(TfcContext *context) { " << querySymbol
     << "()->api->context_destroy(context); }\n\n"
     << "/** The sentence that belongs to the last code other than TFC_OK of this thread. */\n"
     << "static inline const char *" << error << "(void) { return " << querySymbol
     << "()->api->last_error(); }\n";
}

/// What requirements of the form "this symbol is at most 64" leave of its range.
static int64_t largestValue(const tfc::EntryDescription &entry, size_t number) {
  int64_t largest = entry.symbols[number].max;
  for (const tfc::RequirementDescription &requirement : entry.requirements) {
    const std::vector<TfcExprWord> &lhs = entry.values[requirement.lhs].words, &rhs = entry.values[requirement.rhs].words;
    bool isBound = requirement.kind == TFC_REQUIRE_AT_MOST && lhs.size() == 1 && rhs.size() == 1 && lhs[0].op == TFC_EXPR_SYMBOL &&
                   lhs[0].operand == int64_t(number) && rhs[0].op == TFC_EXPR_CONST;
    if (isBound)
      largest = std::min<int64_t>(largest, rhs[0].operand);
  }
  return largest;
}

void HeaderWriter::writeSymbols(const tfc::EntryDescription &entry, StringRef scope) {
  for (auto [number, symbol] : enumerate(entry.symbols)) {
    if (symbol.kind != TFC_SYMBOL_SIZE)
      continue;
    std::string name = identifier(scope + "_symbol", symbol.name);
    os << "\n/** Symbol \"" << toComment(symbol.name) << "\": its number and the values it may have. */\n"
       << "#define " << name << " " << number << "\n"
       << "#define " << identifier(name, "min") << " INT64_C(" << symbol.min << ")\n"
       << "#define " << identifier(name, "max") << " INT64_C(" << largestValue(entry, number) << ")\n";
  }
}

/// A function that makes a TfcTensor for one input or output. Dims that the model fixes are written by it.
void HeaderWriter::writePort(const tfc::EntryDescription &entry, const tfc::PortDescription &port,
                             StringRef name, bool isInput) {
  os << "\n/** " << (isInput ? "Input" : "Output") << " \"" << toComment(port.name) << "\": [";
  ListSeparator separator;
  for (uint32_t dim : port.dims)
    os << separator << toComment(entry.values[dim].text);
  os << "].\n    `dims` has room for " << port.dims.size()
     << (port.dims.size() == 1 ? " number" : " numbers");
  if (isInput)
    os << "; those the model does not fix are yours to write.";
  else
    os << "; the run writes them. `capacity_bytes` is the room at `data`.";
  os << " */\n"
     << "static inline TfcTensor " << name << "(" << (isInput ? "const " : "") << cType(port.dtype)
     << " *data, " << (isInput ? "" : "uint64_t capacity_bytes, ") << "int64_t *dims) {\n"
     << "  TfcTensor tensor;\n"
     << "  tensor.data = (void *)data;\n"
     << "  tensor.device_type = 1;\n"
     << "  tensor.device_id = 0;\n"
     << "  tensor.dtype.code = " << unsigned(port.dtype.code) << ";\n"
     << "  tensor.dtype.bits = " << unsigned(port.dtype.bits) << ";\n"
     << "  tensor.dtype.lanes = 1;\n"
     << "  tensor.rank = " << port.dims.size() << ";\n"
     << "  tensor.dims = dims;\n"
     << "  tensor.strides = NULL;\n"
     << "  tensor.byte_offset = 0;\n"
     << "  tensor.capacity_bytes = " << (isInput ? "0" : "capacity_bytes") << ";\n";
  for (auto [axis, dim] : enumerate(port.dims))
    if (const auto &words = entry.values[dim].words; words.size() == 1 && words[0].op == TFC_EXPR_CONST)
      os << "  dims[" << axis << "] = INT64_C(" << words[0].operand << ");\n";
  os << "  return tensor;\n}\n";
}

void HeaderWriter::writeEntry(const tfc::EntryDescription &entry, size_t number) {
  std::string scope = identifier(prefix, entry.name);
  os << "\n/*===-- Entry " << toComment(entry.name) << " --===*/\n\n"
     << "#define " << identifier(scope, "entry") << " " << number << "\n"
     << "#define " << identifier(scope, "input_count") << " " << entry.inputs.size() << "\n"
     << "#define " << identifier(scope, "output_count") << " " << entry.outputs.size() << "\n";
  writeSymbols(entry, scope);
  auto writePorts = [&](const std::vector<tfc::PortDescription> &ports, StringRef kind, bool isInput) {
    for (auto [index, port] : enumerate(ports)) {
      std::string name = identifier(scope + "_" + kind, port.name);
      os << "\n#define " << identifier(name, "index") << " " << index;
      os << "\n#define " << identifier(name, "rank") << " " << port.dims.size();
      writePort(entry, port, name, isInput);
    }
  };
  writePorts(entry.inputs, "input", true);
  writePorts(entry.outputs, "output", false);
  os << "\n/** Runs the entry; tensors stand at their indices. */\n"
     << "static inline int32_t " << identifier(scope, "run")
     << "(TfcContext *context, const TfcTensor *inputs, TfcTensor *outputs) {\n"
     << "  return " << querySymbol << "()->api->run(context, " << number << ", inputs, "
     << entry.inputs.size() << ", outputs, " << entry.outputs.size() << ");\n}\n";
  os << "\n/** Bytes of arena that a run with these inputs' dims needs; their data is not read. */\n"
     << "static inline int32_t " << identifier(scope, "workspace_bytes")
     << "(TfcContext *context, const TfcTensor *inputs, uint64_t *bytes) {\n"
     << "  return " << querySymbol << "()->api->workspace_bytes(context, " << number << ", inputs, "
     << entry.inputs.size() << ", bytes);\n}\n";
  os << "\n/** Writes the outputs' dims for these inputs' dims, -1 where data decides them; no data is read or written. */\n"
     << "static inline int32_t " << identifier(scope, "output_dims")
     << "(TfcContext *context, const TfcTensor *inputs, TfcTensor *outputs) {\n"
     << "  return " << querySymbol << "()->api->output_dims(context, " << number << ", inputs, "
     << entry.inputs.size() << ", outputs, " << entry.outputs.size() << ");\n}\n";
}

void HeaderWriter::write() {
  std::string guard = "TFC_MODEL_" + StringRef(prefix).upper() + "_" + StringRef(querySymbol).upper() + "_H";
  os << "/* Model \"" << toComment(model.name)
     << "\", compiled by tfc. A program needs this header and the model's library, nothing else. "
        "*/\n\n"
     << "#ifndef " << guard << "\n#define " << guard << "\n\n"
     << tfc::getModelABIText() << "\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  writeModelFunctions();
  for (auto [number, entry] : enumerate(model.entries))
    writeEntry(entry, number);
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << guard << " */\n";
}

std::string tfc::makeHeader(const ModelDescription &model, StringRef querySymbol) {
  std::string text;
  raw_string_ostream os(text);
  HeaderWriter(model, querySymbol, os).write();
  return text;
}
