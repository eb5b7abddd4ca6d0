//===- TrimModelTest.cpp - What stays of a file in its trimmed message -----------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "TrimModel.h"
#include "onnx/onnx.pb.h"
#include "gtest/gtest.h"

using namespace mlir::tfc::onnx_import;

namespace {

llvm::ArrayRef<uint8_t> bytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

::onnx::ModelProto makeModel() {
  ::onnx::ModelProto model;
  model.set_ir_version(8);
  auto *opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(17);
  auto *graph = model.mutable_graph();
  graph->set_name("g");
  auto *node = graph->add_node();
  node->set_op_type("Add");
  node->add_input("x");
  node->add_input("w");
  node->add_output("y");
  return model;
}

::onnx::ModelProto trim(const ::onnx::ModelProto &model) {
  ::onnx::ModelProto result;
  EXPECT_TRUE(result.ParseFromString(llvm::cantFail(trimModel(bytesOf(model.SerializeAsString())))));
  return result;
}

std::string problemOf(const std::string &file, TrimLimits limits = {}) {
  auto trimmed = trimModel(bytesOf(file), limits);
  return trimmed ? "" : llvm::toString(trimmed.takeError());
}

TEST(TrimModel, StructureStays) {
  ::onnx::ModelProto model = trim(makeModel());
  EXPECT_EQ(model.opset_import(0).version(), 17);
  EXPECT_EQ(model.graph().node(0).op_type(), "Add");
  EXPECT_EQ(model.graph().node(0).input(1), "w");
}

TEST(TrimModel, ContentsBecomeTokens) {
  ::onnx::ModelProto model = makeModel();
  auto *tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("w");
  tensor->set_raw_data("0123456789abcdef");
  std::string file = model.SerializeAsString();
  ::onnx::ModelProto trimmed = trim(model);
  const auto &kept = trimmed.graph().initializer(0);
  EXPECT_EQ(kept.name(), "w");
  EXPECT_FALSE(kept.has_raw_data());
  ASSERT_EQ(kept.string_data_size(), 1);
  DataToken token = readDataToken(kept.string_data(0));
  EXPECT_EQ(token.field, 9u);
  EXPECT_EQ(file.substr(token.offset, token.size), "0123456789abcdef");
}

TEST(TrimModel, ContentsInAttributesAndSubgraphsBecomeTokens) {
  ::onnx::ModelProto model = makeModel();
  auto *attribute = model.mutable_graph()->mutable_node(0)->add_attribute();
  attribute->mutable_t()->add_float_data(1.0f);
  attribute->mutable_g()->add_initializer()->set_raw_data("abcd");
  ::onnx::ModelProto trimmed = trim(model);
  const auto &kept = trimmed.graph().node(0).attribute(0);
  EXPECT_EQ(readDataToken(kept.t().string_data(0)).field, 4u);
  EXPECT_EQ(kept.t().float_data_size(), 0);
  EXPECT_EQ(readDataToken(kept.g().initializer(0).string_data(0)).size, 4u);
}

TEST(TrimModel, FileCannotForgeTokens) {
  ::onnx::ModelProto model = makeModel();
  model.mutable_graph()->add_initializer()->add_string_data(std::string(24, '\1'));
  EXPECT_EQ(trim(model).graph().initializer(0).string_data_size(), 0);
}

TEST(TrimModel, UnknownFieldsAreDropped) {
  ::onnx::ModelProto model = makeModel();
  model.set_doc_string(std::string(1000, 'd'));
  std::string file = model.SerializeAsString() + std::string("\xf8\x3f\x05", 3);
  std::string trimmed = llvm::cantFail(trimModel(bytesOf(file)));
  EXPECT_LT(trimmed.size(), 100u);
}

TEST(TrimModel, DamagedFilesAreRefused) {
  std::string file = makeModel().SerializeAsString();
  EXPECT_NE(problemOf(file.substr(0, file.size() - 1)), "");
  EXPECT_NE(problemOf(std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13)), "");
  EXPECT_NE(problemOf("\x3b"), "") << "groups are not known";
  EXPECT_NE(problemOf(std::string("\x00\x00", 2)), "") << "there is no field 0";
}

TEST(TrimModel, LimitsHold) {
  std::string file = makeModel().SerializeAsString();
  TrimLimits few;
  few.fields = 3;
  EXPECT_NE(problemOf(file, few).find("too large"), std::string::npos);
  TrimLimits flat;
  flat.depth = 1;
  EXPECT_NE(problemOf(file, flat).find("nested"), std::string::npos);
  EXPECT_EQ(problemOf(file), "");
}

} // namespace
