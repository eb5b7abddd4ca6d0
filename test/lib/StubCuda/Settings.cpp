//===- Settings.cpp - What the stub of the driver is told to be ----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Settings.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

using namespace tfc::stub;

static void readFailure(const std::string &value, Settings &settings) {
  std::istringstream parts(value);
  std::string number, code;
  std::getline(parts, settings.failing, ':');
  if (std::getline(parts, number, ':'))
    settings.failingCall = std::atoi(number.c_str());
  if (std::getline(parts, code, ':')) {
    settings.hangs = code == "hang";
    settings.failingCode = std::atoi(code.c_str());
  }
}

Settings tfc::stub::readSettings() {
  Settings settings;
  const char *text = std::getenv("TFC_STUB_CUDA");
  std::istringstream list(text ? text : "");
  for (std::string pair; std::getline(list, pair, ',');) {
    size_t equal = pair.find('=');
    std::string name = pair.substr(0, equal), value = equal == std::string::npos ? "" : pair.substr(equal + 1);
    if (name == "devices")
      settings.devices = std::atoi(value.c_str());
    else if (name == "version")
      settings.version = std::atoi(value.c_str());
    else if (name == "capability")
      settings.capability = std::atoi(value.c_str());
    else if (name == "memory")
      settings.memory = std::strtoull(value.c_str(), nullptr, 10);
    else if (name == "missing")
      settings.missing = value;
    else if (name == "log")
      settings.log = value;
    else if (name == "fail")
      readFailure(value, settings);
    else
      std::fprintf(stderr, "TFC_STUB_CUDA: unknown setting '%s'\n", name.c_str());
  }
  return settings;
}
