//===- ListOperators.cpp - What the importer knows ------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir::tfc::onnx_import;

std::string mlir::tfc::listOperators(bool asJson) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::Array rows;
  OpTable::get().forEach([&](StringRef domain, StringRef op, const OpEntry &entry) {
    std::string most = entry.maxInputs == anyNumber ? "any" : std::to_string(entry.maxInputs);
    if (asJson)
      rows.push_back(llvm::json::Object{{"domain", domain.str()},
                                        {"operator", op.str()},
                                        {"since_opset", entry.sinceOpset},
                                        {"required_inputs", entry.requiredInputs},
                                        {"most_inputs", most}});
    else
      os << llvm::formatv("{0,-16} {1,-36} {2,6} {3,8} {4,5}\n", domain, op, entry.sinceOpset,
                          entry.requiredInputs, most);
  });
  if (asJson)
    return llvm::formatv("{0:2}\n", llvm::json::Value(std::move(rows))).str();
  return llvm::formatv("{0,-16} {1,-36} {2,6} {3,8} {4,5}\n", "domain", "operator", "opset", "inputs", "most")
             .str() +
         text;
}
