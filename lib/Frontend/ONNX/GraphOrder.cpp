//===- GraphOrder.cpp - Names of a graph, and the order of its nodes ------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphOrder.h"
#include "Names.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <functional>
#include <queue>

using namespace mlir::tfc::onnx_import;

static llvm::Error failure(const llvm::Twine &message) {
  return llvm::createStringError(std::make_error_code(std::errc::invalid_argument), message);
}

std::string mlir::tfc::onnx_import::describeNode(const ::onnx::NodeProto &node) {
  if (!node.name().empty())
    return "node " + quoted(node.name()) + " (" + printable(node.op_type()) + ")";
  if (node.output_size() > 0)
    return "node " + printable(node.op_type()) + " that makes " + quoted(node.output(0));
  return "a node " + printable(node.op_type());
}

std::string mlir::tfc::onnx_import::getNodeName(const ::onnx::NodeProto &node) {
  if (!node.name().empty())
    return node.name();
  return node.op_type() + "(" + (node.output_size() > 0 ? node.output(0) : "") + ")";
}

void mlir::tfc::onnx_import::forEachSubgraph(const ::onnx::NodeProto &node,
                                             llvm::function_ref<void(const ::onnx::GraphProto &)> callback) {
  for (const ::onnx::AttributeProto &attribute : node.attribute()) {
    if (attribute.has_g())
      callback(attribute.g());
    for (const ::onnx::GraphProto &graph : attribute.graphs())
      callback(graph);
  }
}

/// Adds the names that a graph uses without making them. The file's nesting is limited, so recursion is too.
static void collectCaptured(const ::onnx::GraphProto &graph, std::vector<std::string> &captured) {
  llvm::StringSet<> made;
  for (const auto &input : graph.input())
    made.insert(input.name());
  for (const auto &tensor : graph.initializer())
    made.insert(tensor.name());
  for (const auto &node : graph.node())
    made.insert(node.output().begin(), node.output().end());
  auto use = [&](const std::string &name) {
    if (!name.empty() && !made.contains(name))
      captured.push_back(name);
  };
  for (const auto &node : graph.node())
    llvm::for_each(getUsedNames(node), use);
  for (const auto &output : graph.output())
    use(output.name());
}

std::vector<std::string> mlir::tfc::onnx_import::getUsedNames(const ::onnx::NodeProto &node) {
  std::vector<std::string> names(node.input().begin(), node.input().end());
  forEachSubgraph(node, [&](const ::onnx::GraphProto &graph) { collectCaptured(graph, names); });
  return names;
}

namespace {

constexpr int fromOutside = -1;

class Sorter {
public:
  Sorter(const ::onnx::GraphProto &graph, bool isInside, llvm::function_ref<bool(llvm::StringRef)> isOuter)
      : graph(graph), isInside(isInside), isOuter(isOuter) {
    for (const ::onnx::NodeProto &node : graph.node())
      uses.push_back(getUsedNames(node));
  }

  llvm::Expected<std::vector<const ::onnx::NodeProto *>> run() {
    if (llvm::Error error = collectNames())
      return std::move(error);
    if (llvm::Error error = connect())
      return std::move(error);
    std::vector<int> order = sort();
    if (order.size() != static_cast<size_t>(graph.node_size()))
      return describeCycle();
    std::vector<bool> live = findLive(order);
    std::vector<const ::onnx::NodeProto *> result;
    for (int index : order)
      if (live[index])
        result.push_back(&graph.node(index));
    return result;
  }

private:
  /// An initializer may carry the name of an input, whose default it then is; no other name may come twice.
  llvm::Error collectNames() {
    for (const auto &input : graph.input()) {
      if (input.name().empty())
        return failure("an input of the graph has no name");
      if (!makers.try_emplace(input.name(), fromOutside).second)
        return failure("two inputs of the graph have the name " + quoted(input.name()));
    }
    llvm::StringMap<char> initializers;
    for (const auto &tensor : graph.initializer()) {
      if (tensor.name().empty())
        return failure("an initializer has no name");
      if (!initializers.try_emplace(tensor.name(), 0).second)
        return failure("two initializers have the name " + quoted(tensor.name()));
      makers.try_emplace(tensor.name(), fromOutside);
    }
    if (graph.sparse_initializer_size() > 0)
      return failure("sparse initializers are not supported");
    for (int i = 0; i < graph.node_size(); ++i)
      for (const std::string &output : graph.node(i).output())
        if (!output.empty() && !makers.try_emplace(output, i).second)
          return failure(describeNode(graph.node(i)) + " makes " + quoted(output) + ", a name that is taken");
    return llvm::Error::success();
  }

  llvm::Error connect() {
    users.resize(graph.node_size());
    waitsFor.assign(graph.node_size(), 0);
    for (int i = 0; i < graph.node_size(); ++i)
      for (const std::string &input : uses[i]) {
        if (input.empty())
          continue;
        auto maker = makers.find(input);
        if (maker == makers.end() && isOuter(input))
          continue;
        if (maker == makers.end())
          return failure(describeNode(graph.node(i)) + " uses " + quoted(input) + ", which nothing makes");
        if (maker->second == fromOutside)
          continue;
        users[maker->second].push_back(i);
        ++waitsFor[i];
      }
    llvm::StringMap<char> outputs;
    for (const auto &output : graph.output()) {
      if (!makers.contains(output.name()) && !isOuter(output.name()))
        return failure("the graph's output " + quoted(output.name()) + " is made by nothing");
      // A body may give one value twice: a loop's variable is often a scan output too.
      if (!outputs.try_emplace(output.name(), 0).second && !isInside)
        return failure("two outputs of the graph have the name " + quoted(output.name()));
    }
    if (graph.output_size() == 0)
      return failure("the graph has no outputs");
    return llvm::Error::success();
  }

  /// Of the nodes that may come next, the first in the file.
  std::vector<int> sort() {
    std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
    for (int i = 0; i < graph.node_size(); ++i)
      if (waitsFor[i] == 0)
        ready.push(i);
    std::vector<int> order;
    while (!ready.empty()) {
      int next = ready.top();
      ready.pop();
      order.push_back(next);
      for (int user : users[next])
        if (--waitsFor[user] == 0)
          ready.push(user);
    }
    return order;
  }

  /// Walks back from a node that still waits, always to a maker that waits too: that ends on a cycle.
  llvm::Error describeCycle() {
    int at = 0;
    while (waitsFor[at] == 0)
      ++at;
    std::vector<bool> seen(graph.node_size(), false);
    while (!seen[at]) {
      seen[at] = true;
      for (const std::string &input : uses[at]) {
        int maker = findMaker(input);
        if (maker != fromOutside && waitsFor[maker] > 0) {
          at = maker;
          break;
        }
      }
    }
    return failure("the graph has a cycle: " + describeNode(graph.node(at)) + " waits for its own result");
  }

  std::vector<bool> findLive(const std::vector<int> &order) {
    std::vector<bool> live(graph.node_size(), false);
    auto mark = [&](const std::string &name) {
      int maker = findMaker(name);
      if (maker != fromOutside)
        live[maker] = true;
    };
    for (const auto &output : graph.output())
      mark(output.name());
    for (int index : llvm::reverse(order))
      if (live[index])
        for (const std::string &input : uses[index])
          mark(input);
    return live;
  }

  int findMaker(const std::string &name) const {
    auto maker = makers.find(name);
    return maker == makers.end() ? fromOutside : maker->second;
  }

  const ::onnx::GraphProto &graph;
  bool isInside;
  llvm::function_ref<bool(llvm::StringRef)> isOuter;
  /// What each node uses.
  std::vector<std::vector<std::string>> uses;
  /// Name -> the node that makes it.
  llvm::StringMap<int> makers;
  std::vector<std::vector<int>> users;
  std::vector<int> waitsFor;
};

} // namespace

llvm::Expected<std::vector<const ::onnx::NodeProto *>>
mlir::tfc::onnx_import::orderNodes(const ::onnx::GraphProto &graph, bool isInside,
                                   llvm::function_ref<bool(llvm::StringRef)> isOuter) {
  return Sorter(graph, isInside, isOuter).run();
}
