//===- ModelFile.h - An ONNX file: mapped bytes and parsed structure ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_MODELFILE_H
#define TFC_LIB_FRONTEND_ONNX_MODELFILE_H

#include "onnx/onnx.pb.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir::tfc::onnx_import {

/// Parses the bytes of an ONNX file into its structure, without the contents of tensors (TrimModel.h). The
/// error says what is wrong with the file, without its name.
llvm::Expected<std::unique_ptr<::onnx::ModelProto>> parseModel(llvm::ArrayRef<uint8_t> bytes,
                                                              const ImportLimits &limits);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_MODELFILE_H
