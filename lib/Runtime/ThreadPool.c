/*===- ThreadPool.c - One job at a time, split over threads -------------------------------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* A job of `count` items starts as one contiguous share per worker. A worker takes half of what is left  *|
|* of its share, then half of that, and so on; when its own share is gone it takes from the others' in    *|
|* the same way. So each thread runs one large range and the tail is dynamic.                             *|
|*                                                                                                        *|
|* The caller waits for items, never for threads: a helper that lost its core before it took anything     *|
|* holds nothing up, the others take its share. Such a helper may wake in the middle of a later job. It   *|
|* must then not take items by what it knew of the old one: a share's cursor is one 64-bit word that      *|
|* holds the job's number (24 bits) beside the position (40 bits), and is moved only by compare-and-      *|
|* exchange. A helper reads the job's fields, then takes; when the exchange succeeds the job was still    *|
|* the same, and it cannot end before the items just taken are done.                                      *|
|*                                                                                                        *|
|* Waiting is a bounded spin, then a futex. Helpers are started with the pool and block every signal.     *|
|*                                                                                                        *|
|* Pools of one process share its CPUs: whoever is in a run counts as one thread at work, and a helper    *|
|* joins a job, or goes on with it, only while there are fewer at work than CPUs. Helpers that would have *|
|* none are not woken and do not spin. So two models that run at once have half of the machine each, and  *|
|* one that runs alone all of it.                                                                         *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "Core.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PositionBits = 40, SpinLimit = 1500 };

/* On a cache line of its own: only thieves disturb its owner. */
typedef struct Share {
  _Alignas(64) _Atomic uint64_t cursor; /* job number << 40 | next item */
  _Atomic int64_t end;
} Share;

/* Threads at work in this process, callers and helpers. A copy of this core in another library counts its own. */
static _Atomic int32_t atWork;
static _Atomic int32_t atWorkOwner; /* the process; a child of fork begins with none */

struct ThreadPool {
  /* The job. Written by the caller between jobs; a late helper may read it then, so the fields are atomic. */
  _Alignas(64) _Atomic uint32_t job;
  _Atomic uint32_t sleepers;
  _Atomic(PoolFn) fn;
  _Atomic(void *) data;
  _Atomic int64_t count;
  /* Its progress. */
  _Alignas(64) _Atomic int64_t done;
  _Atomic uint32_t finished; /* the last job whose items are all done */
  _Atomic uint32_t callerSleeps;
  /* Fixed. */
  _Alignas(64) int32_t width;
  int32_t helpers;
  int32_t spins;
  int32_t most; /* threads at work up to which a helper may join: the CPUs, or what was asked for beyond them */
  _Atomic int32_t stopping;
  TfcExecutorFn executor;
  void *executorData;
  pid_t owner;
  pthread_t *threads;
  Share *shares;
};

typedef struct HelperStart {
  ThreadPool *pool;
  int32_t worker;
} HelperStart;

static void waitWhile(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wakeAll(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 0x7FFFFFFF, NULL, NULL, 0);
}

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Takes half of what a share still has (at least one item) if it belongs to this job. */
static bool take(Share *share, uint32_t job, int64_t *begin, int64_t *end) {
  uint64_t tag = (uint64_t)(job & 0xFFFFFF) << PositionBits;
  uint64_t cursor = atomic_load_explicit(&share->cursor, memory_order_acquire);
  for (;;) {
    if (cursor >> PositionBits << PositionBits != tag)
      return false;
    int64_t position = (int64_t)(cursor - tag);
    int64_t last = atomic_load_explicit(&share->end, memory_order_acquire);
    if (position >= last)
      return false;
    int64_t next = position + (last - position + 1) / 2;
    if (atomic_compare_exchange_weak_explicit(&share->cursor, &cursor, tag | (uint64_t)next,
                                              memory_order_acq_rel, memory_order_acquire)) {
      *begin = position;
      *end = next;
      return true;
    }
  }
}

static void reportDone(ThreadPool *pool, uint32_t job, int64_t items, int64_t count) {
  if (atomic_fetch_add_explicit(&pool->done, items, memory_order_acq_rel) + items != count)
    return;
  atomic_store(&pool->finished, job);
  if (atomic_load(&pool->callerSleeps))
    wakeAll(&pool->finished);
}

static bool hasFreeCpu(const ThreadPool *pool) {
  return atomic_load_explicit(&atWork, memory_order_relaxed) < pool->most;
}

/* Works on a job until nothing of it can be taken, or, as a helper, until others need the CPU. */
static void work(ThreadPool *pool, uint32_t job, int32_t worker, bool isHelper) {
  for (int32_t i = 0; i < pool->width; ++i) {
    int32_t from = worker + i < pool->width ? worker + i : worker + i - pool->width;
    int64_t begin, end;
    while (!(isHelper && atomic_load_explicit(&atWork, memory_order_relaxed) > pool->most) &&
           take(&pool->shares[from], job, &begin, &end)) {
      PoolFn fn = atomic_load_explicit(&pool->fn, memory_order_relaxed);
      void *data = atomic_load_explicit(&pool->data, memory_order_relaxed);
      int64_t count = atomic_load_explicit(&pool->count, memory_order_relaxed);
      fn(data, worker, begin, end);
      reportDone(pool, job, end - begin, count);
    }
  }
}

static uint32_t waitForJob(ThreadPool *pool, uint32_t last) {
  for (int32_t spin = 0; spin < pool->spins && hasFreeCpu(pool); ++spin) {
    uint32_t job = atomic_load_explicit(&pool->job, memory_order_acquire);
    if (job != last)
      return job;
    relax();
  }
  atomic_fetch_add(&pool->sleepers, 1);
  while (atomic_load(&pool->job) == last)
    waitWhile(&pool->job, last);
  atomic_fetch_sub(&pool->sleepers, 1);
  return atomic_load(&pool->job);
}

static void *helperMain(void *argument) {
  HelperStart start = *(HelperStart *)argument;
  free(argument);
  uint32_t last = 0;
  for (;;) {
    last = waitForJob(start.pool, last);
    if (atomic_load(&start.pool->stopping))
      return NULL;
    if (atomic_fetch_add(&atWork, 1) < start.pool->most)
      work(start.pool, last, start.worker, true);
    atomic_fetch_sub(&atWork, 1);
  }
}

/* Starts the helpers; with fewer than wanted (a limit of the machine) the pool works with those. */
static void startHelpers(ThreadPool *pool) {
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_attr_init(&attributes))
    return;
  pthread_attr_setstacksize(&attributes, (size_t)2 << 20);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool->helpers < pool->width - 1) {
    HelperStart *start = malloc(sizeof(*start));
    if (!start)
      break;
    *start = (HelperStart){pool, pool->helpers + 1};
    if (pthread_create(&pool->threads[pool->helpers], &attributes, helperMain, start)) {
      free(start);
      break;
    }
    ++pool->helpers;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
}

ThreadPool *tfc_core_pool_create(int32_t width, TfcExecutorFn executor, void *executor_data) {
  ThreadPool *pool = NULL;
  void *memory;
  if (posix_memalign(&memory, 64, sizeof(ThreadPool)))
    return NULL;
  pool = memset(memory, 0, sizeof(ThreadPool));
  pool->width = width;
  pool->executor = executor;
  pool->executorData = executor_data;
  pool->owner = getpid();
  /* A spinning helper only hurts when there are more threads than CPUs. */
  int32_t cpus = tfc_core_cpu_count();
  pool->spins = width <= cpus ? SpinLimit : 0;
  pool->most = width <= cpus ? cpus : width;
  int32_t before = atomic_exchange(&atWorkOwner, (int32_t)pool->owner);
  if (before && before != (int32_t)pool->owner)
    atomic_store(&atWork, 0);
  pool->threads = calloc((size_t)width, sizeof(pthread_t));
  if (!pool->threads || posix_memalign(&memory, 64, sizeof(Share) * (size_t)width)) {
    free(pool->threads);
    free(pool);
    return NULL;
  }
  pool->shares = memset(memory, 0, sizeof(Share) * (size_t)width);
  if (!executor)
    startHelpers(pool);
  return pool;
}

void tfc_core_pool_destroy(ThreadPool *pool) {
  if (!pool)
    return;
  /* After a fork the helpers exist in the parent only. */
  if (pool->helpers && pool->owner == getpid()) {
    atomic_store(&pool->stopping, 1);
    atomic_fetch_add(&pool->job, 1);
    wakeAll(&pool->job);
    for (int32_t i = 0; i < pool->helpers; ++i)
      pthread_join(pool->threads[i], NULL);
  }
  free(pool->shares);
  free(pool->threads);
  free(pool);
}

void tfc_core_pool_enter(void) { atomic_fetch_add(&atWork, 1); }
void tfc_core_pool_leave(void) { atomic_fetch_sub(&atWork, 1); }

int32_t tfc_core_pool_width(const ThreadPool *pool) { return pool->width; }

/* The shares are opened last, one by one: whoever sees a share of this job sees the job's fields. */
static uint32_t postJob(ThreadPool *pool, int64_t count, PoolFn fn, void *data) {
  uint32_t job = atomic_load_explicit(&pool->job, memory_order_relaxed) + 1;
  atomic_store_explicit(&pool->fn, fn, memory_order_relaxed);
  atomic_store_explicit(&pool->data, data, memory_order_relaxed);
  atomic_store_explicit(&pool->count, count, memory_order_relaxed);
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  uint64_t tag = (uint64_t)(job & 0xFFFFFF) << PositionBits;
  int64_t begin = 0;
  for (int32_t i = 0; i < pool->width; ++i) {
    int64_t end = begin + count / pool->width + (i < count % pool->width);
    /* The old cursor stands at the old `end`. With a larger `end` it would look as if items were left, so it
       is closed under the new number first. */
    atomic_store_explicit(&pool->shares[i].cursor, tag | (((uint64_t)1 << PositionBits) - 1),
                          memory_order_seq_cst);
    atomic_store_explicit(&pool->shares[i].end, end, memory_order_release);
    atomic_store_explicit(&pool->shares[i].cursor, tag | (uint64_t)begin, memory_order_release);
    begin = end;
  }
  atomic_store(&pool->job, job);
  if (atomic_load(&pool->sleepers) && hasFreeCpu(pool))
    wakeAll(&pool->job);
  return job;
}

static void waitUntilDone(ThreadPool *pool, uint32_t job) {
  for (int32_t spin = 0; spin < SpinLimit; ++spin) {
    if (atomic_load_explicit(&pool->finished, memory_order_acquire) == job)
      return;
    relax();
  }
  atomic_store(&pool->callerSleeps, 1);
  for (uint32_t seen; (seen = atomic_load(&pool->finished)) != job;)
    waitWhile(&pool->finished, seen);
  atomic_store(&pool->callerSleeps, 0);
}

typedef struct ExecutorJob {
  ThreadPool *pool;
  uint32_t job;
} ExecutorJob;

static void executorEntry(void *data, int64_t worker) {
  ExecutorJob *job = data;
  work(job->pool, job->job, (int32_t)worker, false);
}

void tfc_core_pool_run(ThreadPool *pool, int64_t count, PoolFn fn, void *data) {
  if (count <= 0)
    return;
  if (count == 1 || pool->width == 1 || (!pool->executor && !pool->helpers)) {
    fn(data, 0, 0, count);
    return;
  }
  uint32_t job = postJob(pool, count, fn, data);
  if (pool->executor) {
    ExecutorJob all = {pool, job};
    pool->executor(pool->executorData, pool->width, executorEntry, &all);
    /* An executor that lost some of its calls must not lose items. */
    work(pool, job, 0, false);
  } else {
    work(pool, job, 0, false);
  }
  waitUntilDone(pool, job);
}
