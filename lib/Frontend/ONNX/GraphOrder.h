//===- GraphOrder.h - Names of a graph, and the order of its nodes --------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_FRONTEND_ONNX_GRAPHORDER_H
#define TFC_LIB_FRONTEND_ONNX_GRAPHORDER_H

#include "onnx/onnx.pb.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace mlir::tfc::onnx_import {

/// How messages call a node: its name, or its operator and first output; with the operator in either case.
std::string describeNode(const ::onnx::NodeProto &node);

/// The name a node's Location carries.
std::string getNodeName(const ::onnx::NodeProto &node);

/// The nodes that the outputs need, every one after those whose results it uses. Nodes that could come at
/// once keep their order in the file, so a file that is sorted stays as it is. A node also uses what its
/// subgraphs capture. An error where a name is made twice or by nobody, or where nodes wait for each other.
/// `isInside`: the graph belongs to a node; `isOuter` tells the names of the graphs around it.
llvm::Expected<std::vector<const ::onnx::NodeProto *>>
orderNodes(const ::onnx::GraphProto &graph, bool isInside, llvm::function_ref<bool(llvm::StringRef)> isOuter);

/// The names that a node uses: its inputs, and what its subgraphs use without making it.
std::vector<std::string> getUsedNames(const ::onnx::NodeProto &node);

/// Calls back for every graph among a node's attributes.
void forEachSubgraph(const ::onnx::NodeProto &node,
                     llvm::function_ref<void(const ::onnx::GraphProto &)> callback);

} // namespace mlir::tfc::onnx_import

#endif // TFC_LIB_FRONTEND_ONNX_GRAPHORDER_H
