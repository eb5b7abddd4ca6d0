//===- ReadConfig.cpp - Configurations from key=value text and config.json -------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "ConfigFields.h"
#include "tfc/Weights/CheckedJson.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace mlir::tfc;
using ::tfc::quoteName;

static constexpr unsigned maxJsonDepth = 32;
static constexpr uint64_t maxJsonBytes = 1 << 20;

static StringRef getFamilyName(BuiltinFamily family) {
  return family == BuiltinFamily::Bert ? "bert" : "gpt2";
}

//===----------------------------------------------------------------------------------------------===//
// key=value
//===----------------------------------------------------------------------------------------------===//

static std::string listKeys(BuiltinFamily family) {
  SmallVector<StringRef> names;
  for (const ConfigField &field : getConfigFields())
    if (!field.bertOnly || family == BuiltinFamily::Bert)
      names.push_back(field.getName());
  return join(names, ", ");
}

static Error applyTextValue(ModelConfig &config, const ConfigField &field, StringRef key, StringRef text) {
  if (field.integer) {
    int64_t value;
    if (text.getAsInteger(10, value))
      return createStringError(key + Twine(" needs a whole number, found ") + quoteName(text));
    return setInteger(config, field, key, value);
  }
  if (field.real) {
    double value;
    if (text.getAsDouble(value))
      return createStringError(key + Twine(" needs a number, found ") + quoteName(text));
    return setReal(config, field, key, value);
  }
  Expected<Activation> activation = parseActivation(text);
  if (!activation)
    return activation.takeError();
  config.*field.activation = *activation;
  return Error::success();
}

Error mlir::tfc::applyConfigText(ModelConfig &config, StringRef text) {
  SmallPtrSet<const ConfigField *, 16> seen;
  for (StringRef pair : split(text, ',')) {
    auto [key, value] = pair.split('=');
    key = key.trim();
    value = value.trim();
    if (key.empty() || value.empty())
      return createStringError("expected key=value, found " + quoteName(pair));
    const ConfigField *field = findConfigField(key);
    if (!field || (field->bertOnly && config.family != BuiltinFamily::Bert))
      return createStringError("unknown key " + quoteName(key) + "; known are " + listKeys(config.family));
    if (!seen.insert(field).second)
      return createStringError(field->getName() + Twine(" is given twice, the second time as ") +
                               quoteName(key));
    if (Error error = applyTextValue(config, *field, key, value))
      return error;
  }
  return Error::success();
}

//===----------------------------------------------------------------------------------------------===//
// config.json
//===----------------------------------------------------------------------------------------------===//

static Error applyJsonValue(ModelConfig &config, const ConfigField &field, StringRef key,
                            const json::Value &value) {
  if (field.integer) {
    std::optional<int64_t> integer = value.getAsInteger();
    return integer ? setInteger(config, field, key, *integer)
                   : createStringError(key + Twine(" needs a whole number"));
  }
  if (field.real) {
    std::optional<double> real = value.getAsNumber();
    return real ? setReal(config, field, key, *real) : createStringError(key + Twine(" needs a number"));
  }
  std::optional<StringRef> name = value.getAsString();
  if (!name)
    return createStringError(key + Twine(" needs the name of an activation"));
  Expected<Activation> activation = parseActivation(*name);
  if (!activation)
    return activation.takeError();
  config.*field.activation = *activation;
  return Error::success();
}

static Error checkModelType(const json::Object &object, BuiltinFamily family) {
  const json::Value *value = object.get("model_type");
  if (!value) // Older files do not say it.
    return Error::success();
  std::optional<StringRef> type = value->getAsString();
  if (!type || (*type != "bert" && *type != "gpt2"))
    return createStringError("unknown model_type " +
                             (type ? quoteName(*type) : std::string("(not a string)")) +
                             "; known are bert and gpt2");
  if (*type != getFamilyName(family))
    return createStringError("model_type is " + quoteName(*type) + ", but the built-in model is a " +
                             getFamilyName(family));
  return Error::success();
}

/// Switches that change what the model computes, and the one setting of each that the built-in graphs have.
static Error checkSwitches(const json::Object &object) {
  struct Switch {
    StringLiteral key;
    bool needed;
  };
  static constexpr Switch switches[] = {{"is_decoder", false},
                                        {"add_cross_attention", false},
                                        {"scale_attn_by_inverse_layer_idx", false},
                                        {"scale_attn_weights", true},
                                        {"tie_word_embeddings", true}};
  for (const Switch &entry : switches)
    if (const json::Value *value = object.get(entry.key))
      if (value->getAsBoolean() != entry.needed)
        return createStringError(entry.key + Twine(" must be ") + (entry.needed ? "true" : "false") +
                                 ": the built-in models have nothing else");
  if (const json::Value *value = object.get("position_embedding_type"))
    if (value->getAsString() != StringRef("absolute"))
      return createStringError(
          "position_embedding_type must be 'absolute': the built-in models have nothing else");
  return Error::success();
}

Error mlir::tfc::applyConfigJson(ModelConfig &config, StringRef text) {
  Expected<json::Value> root = ::tfc::parseCheckedJson(text, maxJsonDepth);
  if (!root)
    return root.takeError();
  const json::Object *object = root->getAsObject();
  if (!object)
    return createStringError("not a JSON object");
  if (Error error = checkModelType(*object, config.family))
    return error;
  if (Error error = checkSwitches(*object))
    return error;
  for (const ConfigField &field : getConfigFields()) {
    if (field.bertOnly && config.family != BuiltinFamily::Bert)
      continue;
    StringRef found;
    for (StringRef name : field.names) {
      const json::Value *value = object->get(name);
      // Hugging Face writes null where a value follows from others.
      if (!value || value->kind() == json::Value::Null)
        continue;
      if (!found.empty())
        return createStringError(found + Twine(" and ") + name + " name the same value; give one");
      found = name;
      if (Error error = applyJsonValue(config, field, name, *value))
        return error;
    }
    if (found.empty() && field.neededInJson)
      return createStringError(join(drop_begin(field.names), " or ") + " is missing");
  }
  return Error::success();
}

//===----------------------------------------------------------------------------------------------===//
// Either
//===----------------------------------------------------------------------------------------------===//

static Error applyConfigFile(ModelConfig &config, StringRef path) {
  auto fail = [&](const Twine &what) { return createStringError(quoteName(path) + ": " + what); };
  // A pipe would keep the open call waiting, so what the path is gets asked first.
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(path, status))
    return fail(code.message());
  if (status.type() != sys::fs::file_type::regular_file)
    return fail("not a regular file");
  if (status.getSize() > maxJsonBytes)
    return fail("too large for a configuration");
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                                                        /*RequiresNullTerminator=*/false,
                                                                        /*IsVolatile=*/true);
  if (!buffer)
    return fail(buffer.getError().message());
  if (Error error = applyConfigJson(config, (*buffer)->getBuffer()))
    return fail(toString(std::move(error)));
  return Error::success();
}

Expected<ModelConfig> mlir::tfc::makeModelConfig(StringRef name, StringRef text) {
  Expected<ModelConfig> config = findBuiltin(name);
  if (!config)
    return config.takeError();
  bool isPath = text.ends_with(".json") || !text.contains('=');
  if (!text.empty())
    if (Error error = isPath ? applyConfigFile(*config, text) : applyConfigText(*config, text))
      return std::move(error);
  if (Error error = completeConfig(*config))
    return std::move(error);
  return config;
}
