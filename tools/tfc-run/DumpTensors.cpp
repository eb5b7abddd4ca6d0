//===- DumpTensors.cpp - Tensors of the graph as files --------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "DumpTensors.h"
#include "Json.h"
#include "NearestNames.h"
#include "Npy.h"
#include "TextFile.h"

#include <cerrno>
#include <cctype>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace tfc {

DumpTensors::~DumpTensors() {
  if (hasPattern)
    regfree(&pattern);
  // A run that failed, or that went another way, leaves no empty folder.
  if (madeFolder && files.empty())
    rmdir(folder.c_str());
}

Status DumpTensors::prepare(const std::string &where, const std::string &names) {
  folder = where;
  if (int code = regcomp(&pattern, names.c_str(), REG_EXTENDED | REG_NOSUB)) {
    char why[160];
    regerror(code, &pattern, why, sizeof(why));
    return badInput("--names: '" + names + "' is no regular expression: " + why);
  }
  hasPattern = true;
  bool hasTensor = false;
  if (Status status = checkNames(names, hasTensor))
    return status;
  return hasTensor ? makeFolder() : Status();
}

/// Whether the entry has a node or a tensor with such a name, before it runs for long.
Status DumpTensors::checkNames(const std::string &names, bool &hasTensor) const {
  std::vector<std::string> known;
  std::set<std::string> seen;
  bool hasNode = false;
  auto add = [&](const std::string &name, bool isTensor) {
    hasNode |= matches(name);
    hasTensor |= isTensor && matches(name);
    if (!name.empty() && seen.insert(name).second)
      known.push_back(name);
  };
  for (uint32_t i = 0; i < entry.launch_count; ++i) {
    const TfcLaunch &launch = entry.launches[i];
    for (uint32_t node = 0; node < launch.node_count; ++node)
      add(launch.nodes[node], /*isTensor=*/false);
    for (uint32_t result = 0; result < launch.result_count; ++result)
      add(launch.tensors[launch.operand_count + result].name, /*isTensor=*/true);
  }
  if (hasNode)
    return {};
  if (known.empty())
    return badInput("the entry '" + std::string(entry.name) + "' has no kernel whose tensors have names");
  std::string nearest;
  for (const std::string &name : nearestNames(known, names, 3))
    nearest += (nearest.empty() ? "'" : ", '") + name + "'";
  return badInput("none of the " + std::to_string(known.size()) + " names that nodes have matches --names '" + names + "'; the nearest: " + nearest);
}

Status DumpTensors::makeFolder() {
  madeFolder = mkdir(folder.c_str(), 0777) == 0;
  struct stat found;
  if (madeFolder || (errno == EEXIST && stat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode)))
    return {};
  return badInput("cannot make the folder " + folder + ": " + std::strerror(errno));
}

bool DumpTensors::matches(const std::string &name) const {
  return !name.empty() && regexec(&pattern, name.c_str(), 0, nullptr, 0) == 0;
}

/// The name with the characters that files can have, and a number where two come to the same.
std::string DumpTensors::fileFor(const std::string &name) {
  std::string stem;
  for (char c : name.substr(0, 200)) {
    bool fits = std::isalnum(static_cast<unsigned char>(c)) || std::strchr("._-+()", c);
    if (fits && !(stem.empty() && c == '.'))
      stem += c;
    else if (!stem.empty())
      stem += '_';
  }
  std::string file = (stem.empty() ? "tensor" : stem) + ".npy";
  for (int number = 2; !files.insert(file).second; ++number)
    file = stem + "#" + std::to_string(number) + ".npy";
  return file;
}

void DumpTensors::write(const WatchedLaunch &launch, const WatchedTensor &tensor) {
  Array array = forFile(tensor.copy());
  std::string file = fileFor(tensor.name);
  std::string header = npyHeader(array);
  failure = writeFile(folder + "/" + file, header + std::string(array.bytes.begin(), array.bytes.end()));
  index += std::string(index.empty() ? "" : ",\n") + "  {\"name\": " + jsonString(tensor.name) + ", \"file\": " + jsonString(file) +
           ", \"dtype\": " + jsonString(typeName(tensor.type)) + ", \"shape\": " + dimsText(tensor.dims) +
           ", \"kernel\": " + jsonString(launch.kernel) + ", \"nodes\": " + jsonStrings(launch.nodes()) + "}";
}

void DumpTensors::after(const WatchedLaunch &launch) {
  for (const WatchedTensor &result : launch.results)
    if (!failure && matches(result.name)) {
      dumped.insert(result.name);
      write(launch, result);
    }
  for (const std::string &node : launch.nodes())
    if (matches(node))
      inside.emplace(node, launch.kernel);
}

std::string DumpTensors::json() const {
  std::string line = index, hidden;
  for (size_t at; (at = line.find(",\n  ")) != std::string::npos;)
    line.replace(at, 4, ", ");
  for (const auto &[node, kernel] : inside)
    hidden += std::string(hidden.empty() ? "" : ", ") + "{\"node\": " + jsonString(node) + ", \"kernel\": " + jsonString(kernel) + "}";
  return "{\"tensors\": [" + line.substr(std::min<size_t>(2, line.size())) + "], \"inside\": [" + hidden + "]}";
}

Status DumpTensors::finish(std::string &text) {
  if (failure)
    return failure;
  if (!files.empty())
    if (Status status = writeFile(folder + "/index.json", "[\n" + index + "\n]\n"))
      return status;
  text = std::to_string(files.size()) + (files.size() == 1 ? " tensor" : " tensors") + (files.empty() ? "" : " in " + folder) + "\n";
  for (const std::string &name : dumped)
    inside.erase(name);
  constexpr size_t kShown = 10;
  size_t shown = 0;
  for (const auto &[node, kernel] : inside)
    if (++shown <= kShown)
      text += "'" + node + "' is inside of kernel " + kernel + ", which does not write it to memory\n";
  if (shown)
    text += (shown > kShown ? "and " + std::to_string(shown - kShown) + " more; " : std::string()) +
            "tfc-compile --expose=REGEX keeps such tensors\n";
  return files.empty() && inside.empty() ? badInput("what --names matches did not run with these inputs") : Status{};
}

} // namespace tfc
