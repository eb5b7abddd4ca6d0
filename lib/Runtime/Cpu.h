/*===- Cpu.h - What this machine can do and how much of it is ours --------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_RUNTIME_CPU_H
#define TFC_RUNTIME_CPU_H

#include "tfc-c/ModelABI.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(hidden)

/** TfcFeature bits of this CPU, of which the environment variable TFC_MAX_ISA may hide those above a level. */
int32_t tfc_core_cpu_features(uint64_t *features);

/** The first variant of a kernel that a CPU with these features runs. */
int32_t tfc_core_choose_variant(const TfcKernel *kernel, uint64_t features, const TfcVariant **chosen);

/** CPUs that the quotas of a cgroup and of those above it allow, INT32_MAX without one. `membership` is the file that names the
 * cgroup (/proc/self/cgroup), `root` the folder of all cgroups. */
int64_t tfc_core_cgroup_quota(const char *membership, const char *root);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* TFC_RUNTIME_CPU_H */
