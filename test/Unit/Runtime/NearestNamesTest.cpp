//===- NearestNamesTest.cpp - Names that somebody may have meant ----------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "NearestNames.h"

#include <gtest/gtest.h>

using Names = std::vector<std::string>;

namespace {

const Names kNames = {"/layers.0/Softmax", "/layers.1/Softmax", "/emb/ln/LayerNormalization", "Gather_3"};

TEST(NearestNames, AWrongLetterOrOneTooFewOrTooMany) {
  EXPECT_EQ(tfc::nearestNames(kNames, "layers.1/Sofdmax", 1), Names{"/layers.1/Softmax"});
  EXPECT_EQ(tfc::nearestNames(kNames, "LayerNormalisation", 1), Names{"/emb/ln/LayerNormalization"});
  EXPECT_EQ(tfc::nearestNames(kNames, "Gahter_3", 1), Names{"Gather_3"});
  EXPECT_EQ(tfc::nearestNames(kNames, "Gathher3", 1), Names{"Gather_3"});
}

TEST(NearestNames, CapitalsDoNotCount) { EXPECT_EQ(tfc::nearestNames(kNames, "GATHER", 1), Names{"Gather_3"}); }

TEST(NearestNames, OfTwoAsNearTheFirst) {
  EXPECT_EQ(tfc::nearestNames(kNames, "softmax", 2), (Names{"/layers.0/Softmax", "/layers.1/Softmax"}));
  EXPECT_EQ(tfc::nearestNames(kNames, "", 4), kNames);
}

TEST(NearestNames, AShortNameIsNotNearToALongWord) {
  // What is left out of the word counts too: "a" has nothing but its own letter.
  EXPECT_EQ(tfc::nearestNames({"a", "attention"}, "atention", 1), Names{"attention"});
}

TEST(NearestNames, NoMoreThanThereAre) {
  EXPECT_EQ(tfc::nearestNames({"a"}, "b", 3), Names{"a"});
  EXPECT_EQ(tfc::nearestNames({}, "b", 3), Names{});
  EXPECT_EQ(tfc::nearestNames(kNames, "b", 0), Names{});
}

} // namespace
