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
#include <stdlib.h>
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

static uint64_t detect(void) {
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
static uint64_t detect(void) { return TFC_AARCH64_NEON; }
#else
static uint64_t detect(void) { return 0; }
#endif

static const struct {
  uint64_t bit;
  char name[16];
} names[] = {{TFC_X86_64_V4, "x86-64-v4"},         {TFC_X86_64_V3, "x86-64-v3"},
             {TFC_X86_64_V2, "x86-64-v2"},         {TFC_X86_AVX512_BF16, "avx512-bf16"},
             {TFC_X86_AVX512_VNNI, "avx512-vnni"}, {TFC_AARCH64_NEON, "neon"}};
enum { NameCount = sizeof(names) / sizeof(names[0]), LevelCount = 3 };

/* The features of a level and of those below it. */
static bool findLevel(const char *name, uint64_t *features) {
  *features = 0;
  if (strcmp(name, "x86-64") == 0)
    return true;
  for (int i = LevelCount; i-- > 0;) {
    *features |= names[i].bit;
    if (strcmp(name, names[i].name) == 0)
      return true;
  }
  return false;
}

int32_t tfc_core_cpu_features(uint64_t *features) {
  *features = detect();
  const char *most = getenv("TFC_MAX_ISA");
  uint64_t allowed;
  if (!most || !*most)
    return TFC_OK;
  if (!findLevel(most, &allowed))
    return tfc_core_fail(TFC_BAD_ARGUMENT, "TFC_MAX_ISA is '%s'; it may be x86-64, x86-64-v2, x86-64-v3 or x86-64-v4", most);
  /* What goes beyond a level belongs to the highest. */
  const uint64_t levels = TFC_X86_64_V2 | TFC_X86_64_V3 | TFC_X86_64_V4;
  if (*features & levels & ~allowed)
    *features &= allowed;
  return TFC_OK;
}

void tfc_core_say_features(Sentence *sentence, uint64_t features) {
  const char *between = "";
  bool level = false; /* the levels contain one another: the highest says it all */
  for (int i = 0; i < NameCount; ++i) {
    bool had = features & names[i].bit;
    features &= ~names[i].bit;
    if (!had || (level && i < LevelCount))
      continue;
    level |= i < LevelCount;
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

static int64_t cpusOf(long long quota, long long period) {
  if (quota <= 0 || period <= 0)
    return INT32_MAX;
  return quota < period ? 1 : quota / period;
}

/* "quota period" of a cgroup; "max period" when it allows all. */
static int64_t quotaOf(const char *folder) {
  char path[PATH_MAX + 64], text[64];
  long long quota = 0, period = 0;
  snprintf(path, sizeof(path), "%s/cpu.max", folder);
  if (!readLine(path, text, sizeof(text)) || sscanf(text, "%lld %lld", &quota, &period) != 2)
    return INT32_MAX;
  return cpusOf(quota, period);
}

static bool readNumber(const char *root, const char *name, long long *number) {
  char path[PATH_MAX + 64], text[64];
  snprintf(path, sizeof(path), "%s/cpu/%s", root, name);
  return readLine(path, text, sizeof(text)) && sscanf(text, "%lld", number) == 1;
}

static int64_t quotaOfVersion1(const char *root) {
  long long quota, period;
  bool both = readNumber(root, "cpu.cfs_quota_us", &quota) && readNumber(root, "cpu.cfs_period_us", &period);
  return both ? cpusOf(quota, period) : INT32_MAX;
}

/* The smallest quota on the way from the cgroup up to the root. */
int64_t tfc_core_cgroup_quota(const char *membership, const char *root) {
  char line[PATH_MAX] = "", folder[PATH_MAX + 32];
  int64_t least = quotaOfVersion1(root);
  FILE *file = fopen(membership, "re");
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
    snprintf(folder, sizeof(folder), "%s%s", root, group);
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
  int64_t quota = tfc_core_cgroup_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  count = quota < count ? quota : count;
  return count < 1 ? 1 : count > TFC_MAX_THREADS ? TFC_MAX_THREADS : (int32_t)count;
}
