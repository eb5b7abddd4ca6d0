//===- ReadEntry.cpp - Reading the dictionary of a tfc.entry op ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "ReadEntry.h"
#include "DimExprCode.h"
#include "tfc/Target/ReadModel.h"

using namespace mlir;
using namespace mlir::tfc;

namespace {

/// Reads fields one by one. The first one that does not fit is kept as the error; everything after it reads
/// as zero or empty, so that the code below needs no checks of its own.
class EntryReader {
public:
  explicit EntryReader(EntryOp entry) : dictionary(entry.getAbi()) {}

  EntryReading read();
  std::string error;

private:
  // Fields.
  void fail(const Twine &message);
  template <typename AttrTy> AttrTy field(DictionaryAttr from, StringRef key, StringRef kind);
  int64_t integer(DictionaryAttr from, StringRef key, int64_t min, int64_t max,
                  std::optional<int64_t> absent = std::nullopt);
  std::string text(DictionaryAttr from, StringRef key);
  std::vector<std::string> texts(DictionaryAttr from, StringRef key);
  std::vector<int32_t> sources(DictionaryAttr from, int64_t launch);
  std::vector<::tfc::LaunchTensorDescription> tensors(DictionaryAttr from, StringRef key);
  std::vector<uint32_t> indices(DictionaryAttr from, StringRef key, size_t limit);
  /// The elements of an array of i64 attributes.
  SmallVector<int64_t> integers(DictionaryAttr from, StringRef key, size_t least, size_t most, int64_t limit);
  SmallVector<DictionaryAttr> dictionaries(DictionaryAttr from, StringRef key);
  /// Calls `read` with each dictionary of an array.
  void forEach(StringRef key, llvm::function_ref<void(DictionaryAttr, size_t)> read);
  uint32_t value(DictionaryAttr from, StringRef key) {
    return integer(from, key, 0, int64_t(result.description.values.size()) - 1);
  }

  // Groups of fields, in the order in which they refer to one another.
  void readSymbols();
  void readValues();
  ::tfc::PortDescription readPort(DictionaryAttr from);
  void readRoom(DictionaryAttr from, ::tfc::PortDescription &port);
  void readPorts();
  void readRequirements();
  void readKernels();
  void readLaunches();
  ::tfc::DeviceLaunchDescription readDeviceLaunch(DictionaryAttr from);
  ::tfc::StepDescription readStep(DictionaryAttr from, uint32_t words);
  TfcTensorMap readTensorMap(DictionaryAttr from, uint32_t words);
  void readBinds();
  void readArenas();

  DictionaryAttr dictionary;
  EntryReading result;
  std::string where; ///< "launches[3]: "
};

} // namespace

void EntryReader::fail(const Twine &message) {
  if (error.empty())
    error = (where + message).str();
}

template <typename AttrTy> AttrTy EntryReader::field(DictionaryAttr from, StringRef key, StringRef kind) {
  auto attr = dyn_cast_or_null<AttrTy>(from.get(key));
  if (!attr)
    fail(Twine("'") + key + "' must be " + kind);
  return attr;
}

int64_t EntryReader::integer(DictionaryAttr from, StringRef key, int64_t min, int64_t max,
                             std::optional<int64_t> absent) {
  if (absent && !from.contains(key))
    return *absent;
  auto attr = field<IntegerAttr>(from, key, "an i64");
  if (!attr || !attr.getType().isSignlessInteger(64)) {
    fail(Twine("'") + key + "' must be an i64");
    return 0;
  }
  if (attr.getInt() < min || attr.getInt() > max) {
    fail(Twine("'") + key + "' is " + Twine(attr.getInt()) +
         (max < min ? Twine(", but there is nothing to refer to")
                    : ", which is not in [" + Twine(min) + ", " + Twine(max) + "]"));
    return 0;
  }
  return attr.getInt();
}

/// Text of the descriptor ends at its null byte, so it must not have one inside.
std::string EntryReader::text(DictionaryAttr from, StringRef key) {
  auto attr = field<StringAttr>(from, key, "a string");
  if (!attr)
    return {};
  if (attr.getValue().contains('\0'))
    fail(Twine("'") + key + "' has a null byte");
  return attr.getValue().str();
}

std::vector<std::string> EntryReader::texts(DictionaryAttr from, StringRef key) {
  std::vector<std::string> values;
  auto attr = field<ArrayAttr>(from, key, "an array of strings");
  if (!attr)
    return values;
  for (Attribute element : attr) {
    auto string = dyn_cast<StringAttr>(element);
    if (!string || string.getValue().contains('\0')) {
      fail(Twine("'") + key + "' must be an array of strings without null bytes");
      return values;
    }
    values.push_back(string.getValue().str());
  }
  return values;
}

std::vector<uint32_t> EntryReader::indices(DictionaryAttr from, StringRef key, size_t limit) {
  std::vector<uint32_t> values;
  auto attr = field<DenseI64ArrayAttr>(from, key, "an array<i64>");
  if (!attr)
    return values;
  for (int64_t index : attr.asArrayRef()) {
    if (index < 0 || uint64_t(index) >= limit) {
      fail(Twine("'") + key + "' has " + Twine(index) + ", but there are " + Twine(limit));
      return values;
    }
    values.push_back(index);
  }
  return values;
}

void EntryReader::forEach(StringRef key, llvm::function_ref<void(DictionaryAttr, size_t)> read) {
  where.clear();
  auto array = field<ArrayAttr>(dictionary, key, "an array of dictionaries");
  if (!array)
    return;
  for (auto [number, element] : llvm::enumerate(array)) {
    where = (key + "[" + Twine(number) + "]: ").str();
    auto from = dyn_cast<DictionaryAttr>(element);
    if (!from)
      fail("must be a dictionary");
    if (!error.empty())
      return;
    read(from, number);
  }
  where.clear();
}

void EntryReader::readSymbols() {
  forEach("symbols", [&](DictionaryAttr from, size_t) {
    ::tfc::SymbolDescription symbol;
    symbol.name = text(from, "name");
    symbol.min = integer(from, "min", 0, INT64_MAX);
    symbol.max = integer(from, "max", symbol.min, INT64_MAX);
    symbol.bornIn = integer(from, "born_in", 0, INT32_MAX);
    symbol.kind = integer(from, "kind", 0, TFC_SYMBOL_ROOM, 0);
    result.description.symbols.push_back(symbol);
  });
}

/// An expression for people: values that it refers to are written out, unless that would make it too long to
/// read.
static DimExprAttr spellOut(DimExprAttr expr, ArrayRef<DimExprAttr> values) {
  static constexpr size_t kReadable = 60;
  return expr.substitute([&](StringAttr name) -> DimExprAttr {
    StringRef text = name.getValue();
    uint32_t number;
    if (!text.consume_front("%") || text.getAsInteger(10, number) || number >= values.size())
      return nullptr;
    return values[number].str().size() <= kReadable ? values[number] : nullptr;
  });
}

void EntryReader::readValues() {
  auto values = field<ArrayAttr>(dictionary, "values", "an array of #tfc.expr");
  auto segments = field<DenseI64ArrayAttr>(dictionary, "value_segments", "an array<i64>");
  if (!values || !segments)
    return;
  if (size_t(segments.size()) != values.size())
    return fail("'value_segments' must have as many elements as 'values'");
  llvm::StringMap<uint32_t> numbers;
  for (auto [number, symbol] : llvm::enumerate(result.description.symbols))
    if (!numbers.try_emplace(symbol.name, number).second)
      return fail(Twine("'symbols' has '") + symbol.name + "' twice");
  SmallVector<DimExprAttr> spelledOut;
  for (auto [number, element] : llvm::enumerate(values)) {
    where = ("values[" + Twine(number) + "]: ").str();
    auto expr = dyn_cast<DimExprAttr>(element);
    if (!expr)
      return fail("must be a #tfc.expr");
    auto words = getExprCode(expr, numbers, number);
    if (!words)
      return fail(llvm::toString(words.takeError()));
    if (segments[number] < 0 || segments[number] > INT32_MAX)
      return fail("'value_segments' must not be negative");
    spelledOut.push_back(spellOut(expr, spelledOut));
    result.description.values.push_back({*words, uint32_t(segments[number]), spelledOut.back().str()});
  }
  where.clear();
}

::tfc::PortDescription EntryReader::readPort(DictionaryAttr from) {
  ::tfc::PortDescription port;
  port.name = text(from, "name");
  port.dims = indices(from, "dims", result.description.values.size());
  auto typeAttr = field<TypeAttr>(from, "type", "a tensor type");
  auto type = typeAttr ? dyn_cast<RankedTensorType>(typeAttr.getValue()) : nullptr;
  std::optional<TfcDataType> dtype = type ? getDataType(type.getElementType()) : std::nullopt;
  if (!dtype) {
    fail("'type' must be a tensor type of numbers");
    return port;
  }
  if (size_t(type.getRank()) != port.dims.size() || type.getRank() > TFC_MAX_RANK)
    fail("'dims' must have one value per dim, at most " + Twine(TFC_MAX_RANK));
  port.dtype = *dtype;
  return port;
}

/// An output that extends an input in place names the symbol that is its room, and along which dim it grows.
void EntryReader::readRoom(DictionaryAttr from, ::tfc::PortDescription &port) {
  std::vector<::tfc::SymbolDescription> &symbols = result.description.symbols;
  port.room = integer(from, "room", 0, std::min<int64_t>(symbols.size(), UINT16_MAX), 0);
  port.roomAxis = integer(from, "room_axis", 0, std::max<int64_t>(port.dims.size(), 1) - 1, 0);
  if (port.room && (port.alias < 0 || port.dims.empty() || symbols[port.room - 1].kind != TFC_SYMBOL_ROOM))
    fail("'room' needs an 'alias', a dim to grow along, and a symbol of that kind");
}

void EntryReader::readPorts() {
  int64_t values = result.description.values.size();
  forEach("inputs", [&](DictionaryAttr from, size_t) {
    ::tfc::PortDescription port = readPort(from);
    port.hint = integer(from, "hint", 0, TFC_HINT_PAD, 0);
    port.hintBound = integer(from, "hint_bound", 0, std::max<int64_t>(values - 1, 0), 0);
    if (port.hint == TFC_HINT_INDEX && values == 0)
      fail("'hint_bound' refers to no value");
    result.description.inputs.push_back(port);
  });
  forEach("outputs", [&](DictionaryAttr from, size_t) {
    ::tfc::PortDescription port = readPort(from);
    port.alias = integer(from, "alias", -1, int64_t(result.description.inputs.size()) - 1, -1);
    readRoom(from, port);
    result.description.outputs.push_back(port);
  });
}

void EntryReader::readRequirements() {
  forEach("requirements", [&](DictionaryAttr from, size_t) {
    uint32_t kind = integer(from, "kind", TFC_REQUIRE_EQUAL, TFC_REQUIRE_AT_MOST);
    result.description.requirements.push_back(
        {kind, value(from, "lhs"), value(from, "rhs"), text(from, "node")});
  });
}

void EntryReader::readKernels() {
  auto kernels = field<ArrayAttr>(dictionary, "kernels", "an array of symbol references");
  if (!kernels)
    return;
  for (Attribute element : kernels) {
    auto kernel = dyn_cast<FlatSymbolRefAttr>(element);
    if (!kernel)
      return fail("'kernels' must be an array of symbol references");
    result.kernels.push_back(kernel.getValue());
  }
}

/// Absent: nothing is known of them.
std::vector<int32_t> EntryReader::sources(DictionaryAttr from, int64_t launch) {
  std::vector<int32_t> numbers;
  if (!from.get("sources"))
    return numbers;
  if (auto list = field<DenseI64ArrayAttr>(from, "sources", "a dense i64 array"))
    for (int64_t source : list.asArrayRef()) {
      if (source >= launch || source < -int64_t(result.description.inputs.size()))
        fail("'sources' names an input or a launch that does not exist before this one");
      numbers.push_back(int32_t(source));
    }
  return numbers;
}

/// Absent: nothing is known of them.
std::vector<::tfc::LaunchTensorDescription> EntryReader::tensors(DictionaryAttr from, StringRef key) {
  std::vector<::tfc::LaunchTensorDescription> read;
  if (!from.get(key))
    return read;
  auto list = field<ArrayAttr>(from, key, "an array of dictionaries");
  for (Attribute element : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto tensor = dyn_cast<DictionaryAttr>(element);
    if (!tensor) {
      fail(Twine("'") + key + "' must be an array of dictionaries");
      return read;
    }
    ::tfc::PortDescription port = readPort(tensor);
    read.push_back({port.name, port.dtype, port.dims});
  }
  return read;
}

void EntryReader::readLaunches() {
  forEach("launches", [&](DictionaryAttr from, size_t) {
    ::tfc::LaunchDescription launch;
    launch.kernel = integer(from, "kernel", 0, int64_t(result.kernels.size()) - 1);
    launch.tiles = value(from, "tiles");
    launch.scratch = value(from, "scratch");
    launch.flops = value(from, "flops");
    launch.bytes = value(from, "bytes");
    launch.nodes = texts(from, "nodes");
    launch.checks = texts(from, "checks");
    launch.sources = sources(from, int64_t(result.description.launches.size()));
    launch.operands = tensors(from, "operands");
    launch.results = tensors(from, "results");
    if (from.contains("steps"))
      launch.device = readDeviceLaunch(from);
    result.description.launches.push_back(launch);
  });
}

SmallVector<int64_t> EntryReader::integers(DictionaryAttr from, StringRef key, size_t least, size_t most, int64_t limit) {
  SmallVector<int64_t> values;
  auto array = field<ArrayAttr>(from, key, "an array of i64");
  if (!array)
    return values;
  for (Attribute element : array) {
    auto integer = dyn_cast<IntegerAttr>(element);
    if (!integer || !integer.getType().isSignlessInteger(64) || integer.getInt() < 0 || integer.getInt() >= limit) {
      fail(Twine("'") + key + "' must be an array of i64 from 0 to " + Twine(limit - 1));
      return SmallVector<int64_t>(least);
    }
    values.push_back(integer.getInt());
  }
  if (values.size() < least || values.size() > most) {
    fail(Twine("'") + key + "' has " + Twine(values.size()) + " elements");
    values.resize(least);
  }
  return values;
}

SmallVector<DictionaryAttr> EntryReader::dictionaries(DictionaryAttr from, StringRef key) {
  SmallVector<DictionaryAttr> result;
  auto array = field<ArrayAttr>(from, key, "an array of dictionaries");
  for (Attribute element : array ? array.getValue() : ArrayRef<Attribute>()) {
    auto dictionary = dyn_cast<DictionaryAttr>(element);
    if (!dictionary) {
      fail(Twine("'") + key + "' must be an array of dictionaries");
      return {};
    }
    result.push_back(dictionary);
  }
  return result;
}

TfcTensorMap EntryReader::readTensorMap(DictionaryAttr from, uint32_t words) {
  TfcTensorMap map = {};
  int64_t values = result.description.values.size();
  map.word = integer(from, "pointer", 0, int64_t(words) - 1);
  map.offset = value(from, "offset");
  auto element = field<TypeAttr>(from, "element", "a type");
  std::optional<TfcDataType> dtype = element ? getDataType(element.getValue()) : std::nullopt;
  if (!dtype)
    fail("'element' must be a type of numbers");
  map.dtype = dtype.value_or(TfcDataType{});
  SmallVector<int64_t> dims = integers(from, "dims", 1, std::size(map.dims), values);
  SmallVector<int64_t> strides = integers(from, "strides", dims.size() - 1, dims.size() - 1, values);
  SmallVector<int64_t> box = integers(from, "box", dims.size(), dims.size(), 257);
  map.rank = dims.size();
  llvm::copy(dims, map.dims);
  llvm::copy(strides, map.strides);
  llvm::copy(box, map.box);
  map.swizzle = integer(from, "swizzle", 0, 128);
  return map;
}

::tfc::StepDescription EntryReader::readStep(DictionaryAttr from, uint32_t words) {
  ::tfc::StepDescription step;
  if (auto function = field<SymbolRefAttr>(from, "function", "a symbol reference"))
    step.function = function.getLeafReference().getValue().str();
  llvm::copy(integers(from, "grid", 3, 3, result.description.values.size()), step.grid.begin());
  step.block = integer(from, "block", 1, 1024);
  step.cluster = integer(from, "cluster", 1, 16);
  step.shared = integer(from, "shared", 0, 1 << 20);
  step.overlaps = from.contains("overlaps");
  for (DictionaryAttr map : dictionaries(from, "maps"))
    step.maps.push_back(readTensorMap(map, words));
  return step;
}

::tfc::DeviceLaunchDescription EntryReader::readDeviceLaunch(DictionaryAttr from) {
  ::tfc::DeviceLaunchDescription launch;
  launch.words = integer(from, "words", 0, 500); // What a GPU takes as parameters of one kernel.
  launch.workspace = value(from, "workspace");
  for (DictionaryAttr step : dictionaries(from, "steps"))
    launch.steps.push_back(readStep(step, launch.words));
  return launch;
}

void EntryReader::readBinds() {
  forEach("binds", [&](DictionaryAttr from, size_t number) {
    ::tfc::BindDescription bind;
    bind.symbols = indices(from, "symbols", result.description.symbols.size());
    bind.node = text(from, "node");
    for (uint32_t symbol : bind.symbols)
      if (uint64_t(result.description.symbols[symbol].bornIn) != number + 1)
        fail(Twine("symbol '") + result.description.symbols[symbol].name + "' is not born here");
    result.description.binds.push_back(bind);
  });
  for (const ::tfc::SymbolDescription &symbol : result.description.symbols)
    if (size_t(symbol.bornIn) > result.description.binds.size())
      fail(Twine("symbol '") + symbol.name + "' is born in a bind that does not exist");
  for (const ::tfc::ExprDescription &value : result.description.values)
    if (value.segment > result.description.binds.size())
      fail("'value_segments' names a bind that does not exist");
}

void EntryReader::readArenas() {
  result.description.arenaBytes = indices(dictionary, "arena_bytes", result.description.values.size());
  if (result.description.arenaBytes.size() != result.description.binds.size() + 1)
    fail("'arena_bytes' must have one element more than 'binds'");
}

EntryReading EntryReader::read() {
  if (auto run = field<FlatSymbolRefAttr>(dictionary, "run", "a symbol reference"))
    result.description.run = run.getValue().str();
  readSymbols();
  readValues();
  readPorts();
  readRequirements();
  readKernels();
  readLaunches();
  readBinds();
  readArenas();
  result.description.fetches = integer(dictionary, "fetches", 0, INT32_MAX, 0);
  return std::move(result);
}

llvm::Expected<EntryReading> mlir::tfc::readEntry(EntryOp entry) {
  EntryReader reader(entry);
  EntryReading reading = reader.read();
  std::string name = entry.getSymName().str();
  if (!reader.error.empty())
    return llvm::createStringError("tfc.entry @%s: %s", name.c_str(), reader.error.c_str());
  reading.description.name = name;
  return std::move(reading);
}
