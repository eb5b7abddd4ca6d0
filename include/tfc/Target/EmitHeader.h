//===- EmitHeader.h - The C header of a model --------------------------------------------------------*- C++
//-*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#ifndef TFC_TARGET_EMITHEADER_H
#define TFC_TARGET_EMITHEADER_H

#include "tfc/Target/ModelDescription.h"

#include "llvm/ADT/StringRef.h"

namespace tfc {

/// Letters, digits and underscores of a name; what else there is becomes an underscore.
std::string toIdentifier(llvm::StringRef name);

/// The text of model.h: all that a C or C++ program needs to run the model besides its library. It has the model
/// ABI in it, the numbers of entries, inputs, outputs and symbols by name, and typed functions over the
/// model's api.
std::string makeHeader(const ModelDescription &model, llvm::StringRef querySymbol);

} // namespace tfc

#endif // TFC_TARGET_EMITHEADER_H
