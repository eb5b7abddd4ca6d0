//===- ExternCallText.cpp - What the host is told of a call --------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/ExternCallText.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tfc;

/// JSON has no spelling for what is no number: strings say it.
static llvm::json::Value toJSON(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value < 0 ? "-Infinity" : "Infinity";
  return value;
}

static llvm::json::Value toJSON(StringRef text) { return llvm::json::fixUTF8(text); }
static llvm::json::Value toJSON(int64_t value) { return value; }
static llvm::json::Value toJSON(Attribute value);

template <typename Range> static llvm::json::Value listToJSON(const Range &values) {
  llvm::json::Array list;
  for (const auto &value : values)
    list.push_back(toJSON(value));
  return list;
}

static llvm::json::Value toJSON(Attribute value) {
  if (auto integer = dyn_cast<IntegerAttr>(value); integer && integer.getValue().getSignificantBits() <= 64)
    return integer.getValue().getSExtValue();
  if (auto number = dyn_cast<FloatAttr>(value))
    return toJSON(number.getValueAsDouble());
  if (auto text = dyn_cast<StringAttr>(value))
    return toJSON(text.getValue());
  if (auto list = dyn_cast<DenseI64ArrayAttr>(value))
    return listToJSON(list.asArrayRef());
  if (auto list = dyn_cast<DenseF32ArrayAttr>(value))
    return listToJSON(SmallVector<double>(list.asArrayRef()));
  if (auto list = dyn_cast<ArrayAttr>(value))
    return listToJSON(list.getValue());
  return nullptr;
}

std::string mlir::tfc::getExternText(ExternCallOp call) {
  llvm::json::Object attributes;
  for (NamedAttribute attribute : call.getNodeAttributes())
    attributes[llvm::json::fixUTF8(attribute.getName().getValue())] = toJSON(attribute.getValue());
  std::string text = call.getCallee().str();
  return attributes.empty() ? text : llvm::formatv("{0} {1}", text, llvm::json::Value(std::move(attributes))).str();
}

SmallVector<Value> mlir::tfc::getExternTensors(ExternCallOp call, bool outputs) {
  ValueRange there = outputs ? ValueRange(call.getOutputs()) : ValueRange(call.getInputs());
  auto absent = call->getAttrOfType<DenseI64ArrayAttr>(outputs ? "absent_outputs" : "absent_inputs");
  SmallVector<Value> tensors(there);
  // In ascending order; whatever else is written there puts a null at the end.
  for (int64_t number : absent ? absent.asArrayRef() : ArrayRef<int64_t>())
    tensors.insert(tensors.begin() + std::clamp<int64_t>(number, 0, tensors.size()), Value());
  return tensors;
}
