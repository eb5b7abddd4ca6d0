//===- MachinePeaks.cpp - What this machine can do at most ----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#include "MachinePeaks.h"
#include "Session/Session.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <numeric>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tfc {

double MachinePeaks::floor(double workFlops, double workBytes) const {
  return std::max(flops > 0 ? workFlops / flops : 0, bytes > 0 ? workBytes / bytes : 0);
}

//===-- Loops that do nothing else -----------------------------------------------------------------------===//

// Independent chains of multiply-adds, more of them than the latency of one times the number of units. The empty asm keeps the
// steps apart without leaving the registers.
#define TFC_FMA_LOOP(Name, Attribute, Vector, Set, Fma, Chains)                                              \
  Attribute static double Name(int64_t steps) {                                                              \
    Vector sums[Chains], x = Set(0.999f), y = Set(0.001f);                                                   \
    _Pragma("GCC unroll 32") for (int i = 0; i < Chains; ++i) sums[i] = Set(float(i));                       \
    for (int64_t step = 0; step < steps; ++step) {                                                           \
      _Pragma("GCC unroll 32") for (int i = 0; i < Chains; ++i) sums[i] = Fma(sums[i], x, y);                \
      _Pragma("GCC unroll 32") for (int i = 0; i < Chains; ++i) __asm__ volatile("" : "+" TFC_REGISTER(sums[i])); \
    }                                                                                                        \
    return 2.0 * double(steps) * Chains * double(sizeof(Vector) / 4);                                        \
  }

#if defined(__x86_64__)
#define TFC_REGISTER(value) "v"(value)
TFC_FMA_LOOP(fmaLoop512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps, 24)
TFC_FMA_LOOP(fmaLoop256, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps, 12)
static inline __m128 multiplyAdd128(__m128 x, __m128 y, __m128 z) { return _mm_add_ps(_mm_mul_ps(x, y), z); }
TFC_FMA_LOOP(fmaLoop128, , __m128, _mm_set1_ps, multiplyAdd128, 12)

static double fmaLoop(int64_t steps) {
  if (__builtin_cpu_supports("avx512f"))
    return fmaLoop512(steps);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return fmaLoop256(steps);
  return fmaLoop128(steps);
}
#else
#define TFC_REGISTER(value) "w"(value)
typedef float Float4 __attribute__((vector_size(16)));
static inline Float4 splat(float value) { return Float4{value, value, value, value}; }
static inline Float4 multiplyAdd(Float4 x, Float4 y, Float4 z) {
#pragma STDC FP_CONTRACT ON
  return x * y + z;
}
TFC_FMA_LOOP(fmaLoop, , Float4, splat, multiplyAdd, 24)
#endif

/// Two streams of whole cache lines: one stream alone does not reach the rate of the memory.
static uint64_t readLoop(const uint64_t *words, size_t count) {
  uint64_t sums[8] = {};
  size_t half = count / 2;
  for (size_t i = 0; i + 8 <= half; i += 8)
    for (size_t k = 0; k < 8; ++k)
      sums[k] += words[i + k] ^ words[half + i + k];
  uint64_t sum = 0;
  for (uint64_t part : sums)
    sum += part;
  return sum;
}

//===-- Threads ------------------------------------------------------------------------------------------===//

/// Memory in large pages where the system has them: with small ones the processor would wait for its page tables as well.
static std::unique_ptr<uint64_t, decltype(&std::free)> makeWords(size_t count) {
  constexpr size_t kLargePage = size_t(2) << 20;
  size_t bytes = (count * sizeof(uint64_t) + kLargePage - 1) / kLargePage * kLargePage;
  auto *words = static_cast<uint64_t *>(std::aligned_alloc(kLargePage, bytes));
  if (words) {
    madvise(words, bytes, MADV_HUGEPAGE);
    std::fill_n(words, count, 1);
  }
  return {words, &std::free};
}

namespace {
/// Every thread does the same at the same time. Multiply-adds count by the CPU time of each thread, so that other processes hardly
/// matter; reading counts from the first thread's beginning to the last one's end, since threads share the memory.
struct Race {
  int32_t threads;
  std::atomic<int32_t> ready{0};
  std::atomic<uint64_t> kept{0}; ///< So that sums are not thrown away.
  bool reads = false;
  size_t words = 0;
  int64_t steps = 0;
  std::vector<std::unique_ptr<uint64_t, decltype(&std::free)>> memory;
  std::vector<double> begin, end, work, cpuRate;
};

struct Runner {
  Race *race;
  int32_t number;
};
} // namespace

static double cpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

static void *runOne(void *data) {
  auto *runner = static_cast<Runner *>(data);
  Race &race = *runner->race;
  size_t number = size_t(runner->number);
  race.ready.fetch_add(1);
  while (race.ready.load() < race.threads) {
  }
  race.begin[number] = now();
  double cpu = cpuSeconds();
  if (race.reads) {
    race.kept += readLoop(race.memory[number].get(), race.words);
    race.work[number] = double(race.words) * 8;
  } else {
    race.work[number] = fmaLoop(race.steps);
  }
  race.cpuRate[number] = race.work[number] / (cpuSeconds() - cpu);
  race.end[number] = now();
  return nullptr;
}

/// Work per second of all threads together; 0 if threads cannot be made.
static double runRace(Race &race) {
  race.ready = 0;
  std::vector<Runner> runners(size_t(race.threads));
  std::vector<pthread_t> handles(size_t(race.threads));
  for (int32_t i = 0; i < race.threads; ++i)
    runners[size_t(i)] = {&race, i};
  int32_t made = 1;
  for (; made < race.threads; ++made)
    if (pthread_create(&handles[size_t(made)], nullptr, runOne, &runners[size_t(made)]))
      break;
  if (made < race.threads)
    race.ready.fetch_add(race.threads); // lets those go that wait
  else
    runOne(&runners[0]);
  for (int32_t i = 1; i < made; ++i)
    pthread_join(handles[size_t(i)], nullptr);
  if (made < race.threads)
    return 0;
  if (!race.reads)
    return std::accumulate(race.cpuRate.begin(), race.cpuRate.end(), 0.0);
  double work = 0;
  for (double part : race.work)
    work += part;
  return work / (*std::max_element(race.end.begin(), race.end.end()) -
                 *std::min_element(race.begin.begin(), race.begin.end()));
}

MachinePeaks measurePeaks(int32_t threads) {
  constexpr size_t kBytes = size_t(192) << 20; // well beyond any last cache that one user has to himself
  Race race;
  race.threads = std::max(threads, 1);
  size_t count = size_t(race.threads);
  race.begin.resize(count);
  race.end.resize(count);
  race.work.resize(count);
  race.cpuRate.resize(count);
  MachinePeaks peaks;
  peaks.threads = race.threads;
  race.steps = 200000;
  for (int attempt = 0; attempt < 12; ++attempt)
    peaks.flops = std::max(peaks.flops, runRace(race));
  race.reads = true;
  race.words = kBytes / 8 / count;
  for (size_t i = 0; i < count; ++i) {
    race.memory.push_back(makeWords(race.words));
    if (!race.memory.back())
      return peaks;
  }
  for (int attempt = 0; attempt < 6; ++attempt)
    peaks.bytes = std::max(peaks.bytes, runRace(race));
  return peaks;
}

//===-- GPUs ---------------------------------------------------------------------------------------------===//

MachinePeaks peaksOfDevice(const TfcDevicePeaks &device, bool sixteenBits) {
  // Of a multiprocessor in a cycle, dense, an addition and a multiplication counted as two.
  struct Generation {
    uint32_t capability;
    double simple, tensor;
  };
  static const Generation generations[] = {{120, 256, 1024}, {100, 256, 8192}, {90, 256, 4096}, {86, 256, 1024}, {80, 128, 2048}, {0, 128, 1024}};
  MachinePeaks peaks;
  peaks.device = device.name;
  peaks.bytes = device.copy_bytes;
  for (const Generation &generation : generations)
    if (device.capability >= generation.capability) {
      peaks.flops = device.clock_hz * device.multiprocessors * (sixteenBits ? generation.tensor : generation.simple);
      break;
    }
  return peaks;
}

//===-- The file -----------------------------------------------------------------------------------------===//

/// Lines "threads N flops X bytes Y" below a line that names the CPU: a copied home folder must not lie.
static std::string cpuLine() {
  std::string name = "cpu unknown";
  if (FILE *file = std::fopen("/proc/cpuinfo", "re")) {
    char line[512];
    while (std::fgets(line, sizeof(line), file))
      if (!std::strncmp(line, "model name", 10) || !std::strncmp(line, "CPU part", 8)) {
        name = std::string("cpu").append(line + std::strcspn(line, ":"));
        name.resize(std::strcspn(name.c_str(), "\n"));
        break;
      }
    std::fclose(file);
  }
  return name;
}

static std::string cacheFolder() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && cache[0] == '/')
    return cache;
  return home && home[0] == '/' ? std::string(home) + "/.cache" : std::string();
}

int32_t threadsOfMachine() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) ? 1 : std::max(1, CPU_COUNT(&set));
}

std::string peaksFile() {
  std::string folder = cacheFolder();
  return folder.empty() ? folder : folder + "/tfc/machine.txt";
}

static std::vector<MachinePeaks> readPeaks() {
  std::vector<MachinePeaks> known;
  FILE *file = std::fopen(peaksFile().c_str(), "re");
  if (!file)
    return known;
  char line[512];
  if (std::fgets(line, sizeof(line), file) && cpuLine() + "\n" == line)
    while (std::fgets(line, sizeof(line), file)) {
      MachinePeaks peaks;
      if (std::sscanf(line, "threads %d flops %lf bytes %lf", &peaks.threads, &peaks.flops, &peaks.bytes) == 3 &&
          peaks.threads > 0 && peaks.flops > 0 && peaks.bytes > 0)
        known.push_back(peaks);
    }
  std::fclose(file);
  return known;
}

static void writePeaks(const std::vector<MachinePeaks> &known) {
  std::string folder = cacheFolder(), path = peaksFile(), draft = path + "." + std::to_string(getpid());
  if (path.empty())
    return;
  mkdir(folder.c_str(), 0755);
  mkdir((folder + "/tfc").c_str(), 0755);
  FILE *file = std::fopen(draft.c_str(), "we");
  if (!file)
    return;
  std::fprintf(file, "%s\n", cpuLine().c_str());
  for (const MachinePeaks &peaks : known)
    std::fprintf(file, "threads %d flops %.6e bytes %.6e\n", peaks.threads, peaks.flops, peaks.bytes);
  bool written = !std::ferror(file);
  if (std::fclose(file) || !written || std::rename(draft.c_str(), path.c_str()))
    std::remove(draft.c_str());
}

MachinePeaks refreshPeaks(int32_t threads) {
  MachinePeaks peaks = measurePeaks(threads);
  std::vector<MachinePeaks> known = readPeaks();
  auto same = [&](const MachinePeaks &other) { return other.threads == peaks.threads; };
  known.erase(std::remove_if(known.begin(), known.end(), same), known.end());
  known.push_back(peaks);
  std::sort(known.begin(), known.end(), [](const auto &a, const auto &b) { return a.threads < b.threads; });
  writePeaks(known);
  return peaks;
}

MachinePeaks peaksOfMachine(int32_t threads) {
  for (const MachinePeaks &peaks : readPeaks())
    if (peaks.threads == threads)
      return peaks;
  return refreshPeaks(threads);
}

} // namespace tfc
