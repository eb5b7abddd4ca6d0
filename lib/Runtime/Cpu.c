/*===- Cpu.c - What this machine can do and how much of it is ours ------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "Core.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* The registers that the operating system saves: a CPU with AVX under a kernel without it must not use it. */
static uint64_t savedState(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

uint64_t tfc_core_cpu_features(void) {
  unsigned a, b, c, d, features = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d))
    return 0;
  const unsigned v2 = 1u << 0 /* sse3 */ | 1u << 9 /* ssse3 */ | 1u << 13 /* cx16 */ | 1u << 19 /* sse4.1 */ |
                      1u << 20 /* sse4.2 */ | 1u << 23 /* popcnt */;
  const unsigned v3 = 1u << 12 /* fma */ | 1u << 22 /* movbe */ | 1u << 27 /* osxsave */ |
                      1u << 28 /* avx */ | 1u << 29 /* f16c */;
  if ((c & v2) != v2)
    return 0;
  features |= TFC_X86_64_V2;
  if ((c & v3) != v3 || (savedState() & 0x6) != 0x6)
    return features;
  unsigned extended = 0, b7, c7, d7, a71 = 0;
  if (__get_cpuid(0x80000001u, &a, &b, &extended, &d) == 0 || !(extended & 1u << 5) /* lzcnt */)
    return features;
  if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d7))
    return features;
  const unsigned v3b = 1u << 3 /* bmi1 */ | 1u << 5 /* avx2 */ | 1u << 8 /* bmi2 */;
  if ((b7 & v3b) != v3b)
    return features;
  features |= TFC_X86_64_V3;
  const unsigned v4b =
      1u << 16 /* f */ | 1u << 17 /* dq */ | 1u << 28 /* cd */ | 1u << 30 /* bw */ | 1u << 31 /* vl */;
  if ((b7 & v4b) != v4b || (savedState() & 0xE6) != 0xE6)
    return features;
  features |= TFC_X86_64_V4;
  if (c7 & 1u << 11)
    features |= TFC_X86_AVX512_VNNI;
  if (a >= 1 && __get_cpuid_count(7, 1, &a71, &b, &c, &d) && (a71 & 1u << 5))
    features |= TFC_X86_AVX512_BF16;
  return features;
}
#elif defined(__aarch64__)
uint64_t tfc_core_cpu_features(void) { return TFC_AARCH64_NEON; }
#else
uint64_t tfc_core_cpu_features(void) { return 0; }
#endif

void tfc_core_say_features(Sentence *sentence, uint64_t features) {
  static const struct {
    uint64_t bit;
    char name[16];
  } names[] = {{TFC_X86_64_V4, "x86-64-v4"},         {TFC_X86_64_V3, "x86-64-v3"},
               {TFC_X86_64_V2, "x86-64-v2"},         {TFC_X86_AVX512_BF16, "avx512-bf16"},
               {TFC_X86_AVX512_VNNI, "avx512-vnni"}, {TFC_AARCH64_NEON, "neon"}};
  const char *between = "";
  bool level = false; /* the levels contain one another: the highest says it all */
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
    bool had = features & names[i].bit;
    features &= ~names[i].bit;
    if (!had || (level && i < 3))
      continue;
    level |= i < 3;
    tfc_core_say(sentence, "%s%s", between, names[i].name);
    between = ", ";
  }
  if (features)
    tfc_core_say(sentence, "%sfeature bits 0x%llx", between, (unsigned long long)features);
  else if (!*between)
    tfc_core_say(sentence, "the baseline only");
}

/* Reads a small file of the kernel; false if there is none. */
static bool readLine(const char *path, char *text, size_t room) {
  FILE *file = fopen(path, "re");
  if (!file)
    return false;
  bool got = fgets(text, (int)room, file) != NULL;
  fclose(file);
  return got;
}

/* CPUs that "quota period" of a cgroup allows; a large number when it allows all. */
static int64_t quotaOf(const char *folder) {
  char path[PATH_MAX + 64], text[64];
  long long quota = 0, period = 0;
  snprintf(path, sizeof(path), "%s/cpu.max", folder);
  if (!readLine(path, text, sizeof(text)) || sscanf(text, "%lld %lld", &quota, &period) != 2 || quota <= 0 ||
      period <= 0)
    return INT32_MAX;
  return quota < period ? 1 : quota / period;
}

static int64_t quotaOfVersion1(void) {
  char text[64];
  long long quota = 0, period = 0;
  if (!readLine("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof(text)) ||
      sscanf(text, "%lld", &quota) != 1 || quota <= 0 ||
      !readLine("/sys/fs/cgroup/cpu/cpu.cfs_period_us", text, sizeof(text)) ||
      sscanf(text, "%lld", &period) != 1 || period <= 0)
    return INT32_MAX;
  return quota < period ? 1 : quota / period;
}

/* The smallest quota on the way from this process's cgroup up to the root. */
static int64_t cgroupQuota(void) {
  char line[PATH_MAX] = "", folder[PATH_MAX + 32];
  int64_t least = quotaOfVersion1();
  FILE *file = fopen("/proc/self/cgroup", "re");
  char *group = NULL;
  while (file && !group && fgets(line, sizeof(line), file))
    if (strncmp(line, "0::/", 4) == 0)
      group = line + 3;
  if (file)
    fclose(file);
  if (!group)
    return least;
  group[strcspn(group, "\n")] = 0;
  for (;;) {
    snprintf(folder, sizeof(folder), "/sys/fs/cgroup%s", group);
    int64_t here = quotaOf(folder);
    least = here < least ? here : least;
    char *slash = strrchr(group, '/');
    if (!slash || !*group)
      return least;
    *slash = 0;
  }
}

int32_t tfc_core_cpu_count(void) {
  union {
    cpu_set_t set;
    unsigned long words[8192 / (8 * sizeof(unsigned long))];
  } mask;
  memset(&mask, 0, sizeof(mask));
  int64_t count = 0;
  if (sched_getaffinity(0, sizeof(mask), &mask.set) == 0)
    for (size_t i = 0; i < sizeof(mask.words) / sizeof(mask.words[0]); ++i)
      for (unsigned long word = mask.words[i]; word; word &= word - 1)
        ++count; /* not __builtin_popcount: without the instruction it calls into libgcc */
  if (count == 0)
    count = sysconf(_SC_NPROCESSORS_ONLN);
  int64_t quota = cgroupQuota();
  count = quota < count ? quota : count;
  return count < 1 ? 1 : count > TFC_MAX_THREADS ? TFC_MAX_THREADS : (int32_t)count;
}
