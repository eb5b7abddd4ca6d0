//===- GraphOrderTest.cpp - The order of a graph's nodes --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "GraphOrder.h"
#include "gtest/gtest.h"

using namespace mlir::tfc::onnx_import;

namespace {

/// A graph of nodes "output: inputs", with the input x and the output y.
::onnx::GraphProto makeGraph(std::vector<std::pair<std::string, std::vector<std::string>>> nodes) {
  ::onnx::GraphProto graph;
  graph.add_input()->set_name("x");
  graph.add_output()->set_name("y");
  for (auto &[output, inputs] : nodes) {
    auto *node = graph.add_node();
    node->set_name("make_" + output);
    node->set_op_type("Op");
    node->add_output(output);
    for (auto &input : inputs)
      node->add_input(input);
  }
  return graph;
}

std::string orderOf(const ::onnx::GraphProto &graph) {
  auto nodes = orderNodes(graph, /*isInside=*/false, [](llvm::StringRef) { return false; });
  if (!nodes)
    return "error: " + llvm::toString(nodes.takeError());
  std::string names;
  for (const auto *node : *nodes)
    names += node->output(0) + " ";
  return names;
}

TEST(GraphOrder, SortedStaysAsItIs) {
  EXPECT_EQ(orderOf(makeGraph({{"b", {"x"}}, {"a", {"x"}}, {"y", {"a", "b"}}})), "b a y ");
}

TEST(GraphOrder, UnsortedIsSorted) {
  EXPECT_EQ(orderOf(makeGraph({{"y", {"a", "b"}}, {"b", {"a"}}, {"a", {"x"}}})), "a b y ");
}

TEST(GraphOrder, DeadNodesGo) {
  EXPECT_EQ(orderOf(makeGraph({{"dead", {"x"}}, {"deader", {"dead"}}, {"y", {"x"}}})), "y ");
}

TEST(GraphOrder, CycleIsNamed) {
  std::string message = orderOf(makeGraph({{"a", {"b"}}, {"b", {"a"}}, {"y", {"x"}}}));
  EXPECT_NE(message.find("cycle: node 'make_"), std::string::npos) << message;
}

TEST(GraphOrder, NamesAreMadeOnce) {
  EXPECT_NE(orderOf(makeGraph({{"y", {"x"}}, {"y", {"x"}}})).find("a name that is taken"), std::string::npos);
  EXPECT_NE(orderOf(makeGraph({{"x", {"x"}}})).find("a name that is taken"), std::string::npos);
  EXPECT_NE(orderOf(makeGraph({{"y", {"nobody"}}})).find("'nobody', which nothing makes"), std::string::npos);
}

TEST(GraphOrder, InitializerMayBeTheDefaultOfAnInput) {
  ::onnx::GraphProto graph = makeGraph({{"y", {"x"}}});
  graph.add_initializer()->set_name("x");
  EXPECT_EQ(orderOf(graph), "y ");
  graph.add_initializer()->set_name("x");
  EXPECT_NE(orderOf(graph).find("two initializers"), std::string::npos);
}

} // namespace
