//===- MachinePeaks.h - What this machine can do at most --------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//
//
// The two lines of the roofline (Williams et al., CACM 52(4), 2009): multiply-adds per second from registers, and bytes per
// second read from memory. They are measured once per machine and number of threads and kept in a small text file.
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_MACHINEPEAKS_H
#define TFC_RUN_MACHINEPEAKS_H

#include "tfc-c/Runtime.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tfc {

struct MachinePeaks {
  int32_t threads = 0;
  double flops = 0; ///< f32, multiply and add counted as two, per second.
  double bytes = 0; ///< Read from memory, per second.
  std::string device; ///< Name of a GPU, whose peaks these then are; threads is 0.

  /// Seconds that this much work takes at least.
  double floor(double workFlops, double workBytes) const;
};

/// Takes about half a second.
MachinePeaks measurePeaks(int32_t threads);

/// From the file of this machine, or measured and then kept there. A file that cannot be written is no error.
MachinePeaks peaksOfMachine(int32_t threads);

/// Measures anew and keeps it.
MachinePeaks refreshPeaks(int32_t threads);

/// Of a GPU: bytes are measured in copies, operations are what its clock and its generation give: of 16-bit numbers on tensor cores, or
/// of f32 without them.
MachinePeaks peaksOfDevice(const TfcDevicePeaks &device, bool sixteenBits);

/// CPUs that this process may use.
int32_t threadsOfMachine();

/// Where the file is: $XDG_CACHE_HOME/tfc/machine.txt, else ~/.cache/tfc/machine.txt; empty if there is no home.
std::string peaksFile();

} // namespace tfc

#endif // TFC_RUN_MACHINEPEAKS_H
