//===- Settings.h - What the stub of the driver is told to be ------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//
//
// The environment's TFC_STUB_CUDA holds settings with commas between:
//
//   devices=0            no GPU
//   version=11040        an old driver: CUDA 11.4
//   capability=90        the device's compute capability (default 80)
//   memory=100000        bytes that can be allocated since the driver was started
//   missing=NAME         the driver does not have this function
//   fail=NAME:N[:CODE]   the N-th call of the function gives this code (default 999); with the code `hang` it never ends
//   log=FILE             a line per call, with what matters of it
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TEST_LIB_STUBCUDA_SETTINGS_H
#define TFC_TEST_LIB_STUBCUDA_SETTINGS_H

#include <cstdint>
#include <string>

namespace tfc::stub {

struct Settings {
  int devices = 1, version = 13000, capability = 80;
  uint64_t memory = UINT64_MAX;
  std::string missing, failing, log;
  int failingCall = 1, failingCode = 999;
  bool hangs = false;
};

/// Read anew whenever a driver is started.
Settings readSettings();

} // namespace tfc::stub

#endif // TFC_TEST_LIB_STUBCUDA_SETTINGS_H
