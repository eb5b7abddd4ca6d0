//===- ConfigFields.h - Names and ranges of a configuration's values ------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_BUILTIN_CONFIGFIELDS_H
#define TFC_LIB_FRONTEND_BUILTIN_CONFIGFIELDS_H

#include "tfc/Frontend/Builtin/ModelConfig.h"

#include "llvm/ADT/ArrayRef.h"

namespace mlir::tfc {

/// One value of a configuration. Exactly one of the three members is set.
struct ConfigField {
  llvm::ArrayRef<llvm::StringLiteral> names; ///< tfc's own first, then Hugging Face's
  int64_t ModelConfig::*integer = nullptr;
  double ModelConfig::*real = nullptr;
  Activation ModelConfig::*activation = nullptr;
  int64_t min = 0, max = 0;  ///< of an integer
  double realMax = 0;        ///< a real lies in [0, realMax]
  bool neededInJson = false; ///< a config.json without it describes no model
  bool bertOnly = false;

  llvm::StringRef getName() const { return names.front(); }
};

llvm::ArrayRef<ConfigField> getConfigFields();

/// The field of that name, tfc's or Hugging Face's; null for a name that is neither.
const ConfigField *findConfigField(llvm::StringRef name);

/// An activation by Hugging Face's name.
llvm::Expected<Activation> parseActivation(llvm::StringRef name);

/// Stores a value and checks that it lies in the field's range. `key` is the name the user has written.
llvm::Error setInteger(ModelConfig &config, const ConfigField &field, llvm::StringRef key, int64_t value);
llvm::Error setReal(ModelConfig &config, const ConfigField &field, llvm::StringRef key, double value);

} // namespace mlir::tfc

#endif // TFC_LIB_FRONTEND_BUILTIN_CONFIGFIELDS_H
