//===- FunctionLibrary.h - The functions that a model defines itself ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// A model may come with operators of its own, each a list of nodes. A call becomes a graph: the function's nodes
// with the call's attributes in the places that refer to them.
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_FUNCTIONLIBRARY_H
#define TFC_LIB_FRONTEND_ONNX_FUNCTIONLIBRARY_H

#include "onnx/onnx.pb.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "tfc/Frontend/ONNX/ImportONNX.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir::tfc::onnx_import {

class FunctionLibrary {
public:
  explicit FunctionLibrary(const ImportLimits &limits) : limits(limits) {}

  /// Refuses functions that call themselves, and calls that would become more nodes than anybody means.
  llvm::Error read(const ::onnx::ModelProto &model);

  /// The function that a node calls; null where it is an operator.
  const ::onnx::FunctionProto *find(const ::onnx::NodeProto &node) const;

  /// The body of a call. Inputs and outputs are the function's, in its order.
  static llvm::Expected<std::unique_ptr<::onnx::GraphProto>> expand(const ::onnx::FunctionProto &function,
                                                                    const ::onnx::NodeProto &call);

private:
  using NodeList = google::protobuf::RepeatedPtrField<::onnx::NodeProto>;
  llvm::Error countNodes(const NodeList &nodes, unsigned depth, uint64_t &count);
  llvm::Error countFunction(const std::string &key, const ::onnx::FunctionProto &function, unsigned depth,
                            uint64_t &count);

  const ImportLimits &limits;
  llvm::StringMap<const ::onnx::FunctionProto *> functions;
  /// Nodes that a call becomes; 0 while they are counted.
  llvm::StringMap<uint64_t> counts;
};

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_FUNCTIONLIBRARY_H
