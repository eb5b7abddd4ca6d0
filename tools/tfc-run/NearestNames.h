//===- NearestNames.h - Which names somebody may have meant ------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_NEARESTNAMES_H
#define TFC_RUN_NEARESTNAMES_H

#include <string>
#include <vector>

namespace tfc {

/// Up to `count` of the names, the nearest first, and of two as near the one that comes first. How near a name is: how many characters of
/// `asked` must be changed, added or left out for it to be a part of the name; capitals are small letters here.
std::vector<std::string> nearestNames(const std::vector<std::string> &names, const std::string &asked, size_t count);

} // namespace tfc

#endif // TFC_RUN_NEARESTNAMES_H
