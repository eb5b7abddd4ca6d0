/*===- Core.h - What the files of the runtime's core share ------------------------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* The core is plain C11 over libc, libm and pthreads. It is built once and used twice: inside libtfc-    *|
|* runtime, and as one object inside every model.so. So it has no global state but a thread's error       *|
|* sentence, no constructors, and shows no symbol.                                                        *|
|*                                                                                                        *|
|* A model is loaded once and never changes (TfcLoaded). A context owns what a run needs: the arenas, the *|
|* scratch of the threads, the threads. One thread at a time uses a context.                              *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_RUNTIME_CORE_H
#define TFC_RUNTIME_CORE_H

#include "Cpu.h"
#include "Expr.h"
#include "ThreadPool.h"

#include "tfc-c/ModelABI.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/*===-- Error.c ----------------------------------------------------------------------------------------===*/

/** Keeps the sentence for last_error of this thread and returns the code, so that callers can return it. */
int32_t tfc_core_fail(TfcCode code, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *tfc_core_last_error(void);

/** A sentence that is put together in pieces; what does not fit is cut off. */
typedef struct Sentence {
  char text[512];
  size_t length;
} Sentence;
void tfc_core_say(Sentence *sentence, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** "f32", "bf16", "i64" into text of at least 16 bytes, which is returned. */
const char *tfc_core_type_name(TfcDataType type, char *text);

/*===-- Cpu.c -------------------------------------------------------------------------------------------===*/

/** "x86-64-v3, avx512-bf16" into text. */
void tfc_core_say_features(Sentence *sentence, uint64_t features);

/*===-- Loading: Load.c, Weights.c ----------------------------------------------------------------------===*/

/** Where a symbol gets its value: dim `dim` of input `input`. */
typedef struct Binder {
  int32_t input, dim;
} Binder;

/** A segment of weights in memory of the host. */
typedef struct WeightSegment {
  const uint8_t *bytes;
  void *mapping; /**< what munmap gets; null if nothing was mapped */
  size_t mapping_bytes;
} WeightSegment;

struct TfcLoaded {
  const TfcModel *model;
  char *folder;           /**< where external weights lie */
  bool has_cpu;           /**< the model has code for this CPU: what follows up to the weights is there */
  Sentence cpu_refusal;   /**< why it has none, where it has some for other CPUs */
  TfcKernelFn *kernels;   /**< the variant chosen, one per kernel */
  Sentence isa;           /**< what the chosen variants need of the CPU */
  Binder **binders;       /**< per entry, per symbol */
  WeightSegment weights;
  uint32_t model_program_count; /**< programs for devices; 0 in a model that was made before there were any */
  pthread_mutex_t devices;      /**< guards the list */
  struct CudaProgram *cuda_programs; /**< the devices that the model has been put on */
  _Atomic int32_t users; /**< one for the loader, one for each context */
  /** Called when the last user is gone: libtfc-runtime closes the library here. */
  void (*closing)(void *data);
  void *closing_data;
};

int32_t tfc_core_load(const TfcModel *model, const char *folder, TfcLoaded **loaded);
void tfc_core_release(TfcLoaded *loaded);
/** Checks that every symbol of a model's entries has an input dim that gives it its value, and notes which. */
int32_t tfc_core_make_binders(const TfcModel *model, const TfcEntry *entries, Binder ***binders);
void tfc_core_free_binders(Binder **binders, uint32_t entry_count);
/** Maps or makes a table of weights. `segment` is to be unmapped also after a failure. */
int32_t tfc_core_load_weights(const TfcWeights *weights, const char *folder, WeightSegment *segment);
void tfc_core_unmap_weights(WeightSegment *segment);
static inline const TfcWeights *tfc_core_weight_table(const TfcModel *model, uint32_t number) {
  return number ? &model->more_weights[number - 1] : &model->weights;
}

/*===-- Context.c ---------------------------------------------------------------------------------------===*/

/** Memory that only grows, from the context's allocator, aligned to 64 bytes. */
typedef struct Room {
  uint8_t *memory;
  uint64_t bytes;
} Room;

/** What a context remembers of one entry: the last shape, and all memory that the shape needs. */
typedef struct EntryState {
  bool known; /**< symbols and values of segment 0 hold a checked shape */
  int64_t *symbols;
  int64_t *values;
  Room *arenas;             /**< bind_count + 1 */
  uint8_t **arena_pointers; /**< the same, as the host program wants them */
  Room *input_rooms;        /**< row-major copies of strided inputs */
  Room *output_rooms;       /**< where strided outputs are made */
  const uint8_t **inputs;
  uint8_t **outputs;
} EntryState;

struct TfcContext {
  TfcLoaded *loaded;
  TfcContextOptions options;
  const TfcEntry *program; /**< the model's entries, or those of the program for the context's device */
  Binder **binders;        /**< of these */
  struct CudaState *cuda;  /**< null: runs on the CPU */
  ThreadPool *pool;
  Room scratch; /**< of all workers, one behind the other */
  TfcWorker *workers;
  int64_t *first_failure; /**< per worker: first tile of the chunk that noted a failed check */
  EntryState *entries;
  void *block; /**< the entries' tables, one allocation */
  atomic_flag busy;
};

int32_t tfc_core_context_create(TfcLoaded *loaded, const TfcContextOptions *options, TfcContext **context);
void tfc_core_context_destroy(TfcContext *context);
/** Whether the context's profiler wants events of this kind. */
static inline bool tfc_core_wants(const TfcContext *context, TfcEventKind kind) {
  const uint32_t usual = 1u << TFC_EVENT_RUN | 1u << TFC_EVENT_LAUNCH, asked = context->options.profiler_events;
  return context->options.profiler && ((asked ? asked : usual) >> kind & 1);
}
static inline void tfc_core_tell(const TfcContext *context, const TfcEvent *event) {
  if (tfc_core_wants(context, (TfcEventKind)event->kind))
    context->options.profiler(context->options.profiler_data, event);
}
/** Makes room for `bytes`, keeping nothing of what was there. False: out of memory, the old room is gone. */
bool tfc_core_make_room(TfcContext *context, Room *room, uint64_t bytes);
/** 64 aligned bytes that stand for memory of size 0. */
uint8_t *tfc_core_nowhere(void);

/*===-- CheckInputs.c, Bind.c ---------------------------------------------------------------------------===*/

/** Binds symbols, evaluates, checks every dim and requirement of segment 0. No memory is made. */
int32_t tfc_core_check_inputs(TfcContext *context, uint32_t entry, const TfcTensor *inputs,
                              uint32_t input_count);
/** Count, device, type, rank; dims are not looked at. `kind` is "input" or "output". */
int32_t tfc_core_check_ports(const TfcContext *context, const TfcPort *ports, uint32_t port_count, const char *kind,
                             const TfcTensor *tensors, uint32_t count);
int32_t tfc_core_check_dims(TfcContext *context, const TfcEntry *entry, const EntryState *state,
                            const TfcPort *port, const char *kind, const TfcTensor *tensor);
void tfc_core_evaluate_segment(const TfcEntry *entry, EntryState *state, uint32_t segment);
/** The requirements whose later side belongs to this segment. */
int32_t tfc_core_check_requirements(TfcContext *context, const TfcEntry *entry, const EntryState *state,
                                    uint32_t segment);
int32_t tfc_core_check_symbol_range(const TfcSymbol *symbol, int64_t value, const char *kind,
                                    const char *name, int32_t dim);
/** "(seq = 7 from input 'input_ids', dim 1)" for the symbols below a value; nothing for a constant. */
void tfc_core_say_symbols(Sentence *sentence, TfcContext *context, const TfcEntry *entry,
                          const EntryState *state, uint32_t value);
int32_t tfc_core_make_arena(TfcContext *context, const TfcEntry *entry, EntryState *state, uint32_t segment);

/*===-- Tensors.c ---------------------------------------------------------------------------------------===*/

/** Bytes of `count` elements; sub-byte types are packed. -1 beyond 63 bits. */
int64_t tfc_core_type_bytes(TfcDataType type, int64_t count);
static inline uint8_t *tfc_core_tensor_start(const TfcTensor *tensor) {
  return (uint8_t *)tensor->data + tensor->byte_offset;
}
/** How a tensor of the caller lies in memory. */
typedef struct Span {
  int64_t count, bytes; /**< elements; bytes when row-major */
  uintptr_t low, high;  /**< addresses it touches, [low, high); from 0 on while there is no data */
  bool plain;           /**< row-major and aligned */
} Span;
/** `kind` is "input" or "output". */
int32_t tfc_core_measure(const TfcTensor *tensor, const char *kind, const char *name, Span *span);
bool tfc_core_is_aligned(const TfcTensor *tensor);
static inline bool tfc_core_overlap(const Span *a, uintptr_t low, uintptr_t high) {
  return a->low < high && low < a->high;
}
/** Data of the inputs, row-major: the caller's own, or a copy in a room of the context. */
int32_t tfc_core_gather_inputs(TfcContext *context, const TfcEntry *entry, EntryState *state,
                               const TfcTensor *inputs);
/** Where output `number` is made: its dims are written, its room checked. Called when its dims are known. */
int32_t tfc_core_place_output(TfcContext *context, const TfcEntry *entry, EntryState *state, uint32_t number,
                              const TfcTensor *inputs, TfcTensor *outputs);
/** Copies what was made elsewhere to where the caller wants it. */
void tfc_core_deliver_outputs(TfcContext *context, const TfcEntry *entry, EntryState *state,
                              const TfcTensor *outputs);
/** Whether writing `bytes` bytes at an address would change an input that has yet to be read. */
bool tfc_core_disturbs_input(const TfcEntry *entry, const EntryState *state, const TfcTensor *inputs, const uint8_t *address,
                             uint64_t bytes);
/** The number of binds after which all dims of an output are known. */
uint32_t tfc_core_output_segment(const TfcEntry *entry, uint32_t number);

/*===-- InPlace.c ---------------------------------------------------------------------------------------===*/

/** Finds out which outputs extend their input in place and how much room their buffers have; their symbols get values. */
int32_t tfc_core_bind_rooms(const TfcEntry *entry, EntryState *state, const TfcTensor *inputs,
                            const TfcTensor *outputs);
/** Whether this run writes behind the rows of an input. */
static inline bool tfc_core_is_in_place(const EntryState *state, const TfcPort *output) {
  return output->room && state->symbols[output->room - 1] > 0;
}

/*===-- Launch.c, Run.c ---------------------------------------------------------------------------------===*/

/** A run in progress; the host program sees only its first part. */
typedef struct Run {
  TfcRun shown;
  TfcContext *context;
  const TfcEntry *entry;
  uint32_t number; /**< of the entry */
  EntryState *state;
  const TfcTensor *inputs;
  TfcTensor *outputs;
} Run;

int32_t tfc_core_launch(TfcRun *run, uint32_t launch, const uint64_t *args);
int32_t tfc_core_bind(TfcRun *run, uint32_t bind, const int64_t *data);
/** "index 105 is outside [0, 100) in node 'Gather_3': input_ids" */
int32_t tfc_core_bad_index(const TfcLaunch *launch, int32_t check, int64_t value, int64_t bound);

extern const TfcApi tfc_core_api;

#pragma GCC visibility pop

#endif /* TFC_RUNTIME_CORE_H */
