/*===- ThreadPool.h - One job at a time, split over threads -----------------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* Of the core: needs nothing else of it.                                                                 *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_RUNTIME_THREADPOOL_H
#define TFC_RUNTIME_THREADPOOL_H

#include "tfc-c/ModelABI.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(hidden)

typedef struct ThreadPool ThreadPool;

/** Runs work items [begin, end) as worker number `worker`. */
typedef void (*PoolFn)(void *data, int32_t worker, int64_t begin, int64_t end);

enum { TFC_MAX_THREADS = 1024 };

/** A pool of `width` workers, the caller of tfc_core_pool_run being one. Null: out of memory. */
ThreadPool *tfc_core_pool_create(int32_t width, TfcExecutorFn executor, void *executor_data);
void tfc_core_pool_destroy(ThreadPool *pool);
int32_t tfc_core_pool_width(const ThreadPool *pool);
/** Around everything that a thread has pools do: it counts as one at work, and takes a CPU from the helpers of all pools. */
void tfc_core_pool_enter(void);
void tfc_core_pool_leave(void);
/** Runs every item of [0, count); fewer than 2^40. Returns when all are done. */
void tfc_core_pool_run(ThreadPool *pool, int64_t count, PoolFn fn, void *data);

/** Threads that the affinity mask and the cgroup quota leave to this process; at least 1. */
int32_t tfc_core_cpu_count(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* TFC_RUNTIME_THREADPOOL_H */
