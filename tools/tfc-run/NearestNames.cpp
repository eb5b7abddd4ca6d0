//===- NearestNames.cpp - Which names somebody may have meant --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "NearestNames.h"

#include <algorithm>
#include <cctype>

namespace tfc {

static bool areAlike(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

/// The edit distance of `asked` to the nearest part of `name`: in the usual table a part begins and ends anywhere at no cost.
static size_t distanceToPart(const std::string &asked, const std::string &name) {
  std::vector<size_t> row(name.size() + 1, 0), next(name.size() + 1);
  for (char c : asked) {
    next[0] = row[0] + 1;
    for (size_t i = 0; i < name.size(); ++i)
      next[i + 1] = std::min({row[i] + !areAlike(c, name[i]), row[i + 1] + 1, next[i] + 1});
    row.swap(next);
  }
  return *std::min_element(row.begin(), row.end());
}

std::vector<std::string> nearestNames(const std::vector<std::string> &names, const std::string &asked, size_t count) {
  std::vector<std::pair<size_t, size_t>> places; // Distances and where in the list.
  for (const std::string &name : names)
    places.emplace_back(distanceToPart(asked, name), places.size());
  std::sort(places.begin(), places.end());
  std::vector<std::string> nearest;
  for (size_t i = 0; i < std::min(count, places.size()); ++i)
    nearest.push_back(names[places[i].second]);
  return nearest;
}

} // namespace tfc
