/*===- Cuda.h - Models on NVIDIA GPUs, as the files of the core share it ----------------------*- C -*-===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* A model is put on a device once (CudaProgram: code, functions, weights); a context for that device     *|
|* owns what its runs need (CudaState: stream, arenas, rooms for inputs and outputs, graphs). Everything  *|
|* above that is the CPU's: checks, symbols, values, places of outputs. A run on a device calls the same  *|
|* host program with addresses of the device and another launch door.                                     *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#ifndef TFC_RUNTIME_CUDA_H
#define TFC_RUNTIME_CUDA_H

#include "Core.h"
#include "CudaApi.h"

#pragma GCC visibility push(hidden)

/*===-- CudaDriver.c ------------------------------------------------------------------------------------===*/

/** The driver's functions. */
typedef struct CudaDriver {
  void *library;
  bool emulates; /**< it runs TfcEmulatedCode, not PTX */
  bool overlaps; /**< it lets launches of a graph begin before those before have ended */
#define X(member, name, parameters) TfcCuResult(*member) parameters;
  TFC_CUDA_FUNCTIONS(X)
#undef X
} CudaDriver;

/** Opens the driver: libcuda.so.1, or the library that the environment's TFC_CUDA_DRIVER names. */
int32_t tfc_cuda_open_driver(CudaDriver *driver);
void tfc_cuda_close_driver(CudaDriver *driver);
/** TFC_OK for success; else a sentence: "<what was done> failed on the GPU: <what the driver says>". */
int32_t tfc_cuda_check(const CudaDriver *driver, TfcCuResult result, const char *doing);

/*===-- CudaProgram.c -----------------------------------------------------------------------------------===*/

/** A model on a device. */
typedef struct CudaProgram {
  struct CudaProgram *next; /**< of the same model, on other devices */
  CudaDriver driver;
  const TfcProgram *program;
  Binder **binders; /**< per entry, per symbol */
  int32_t ordinal;
  TfcCuDevice device;
  TfcCuContext context;
  TfcCuModule module;
  TfcCuPointer weights;
  TfcCuFunction *functions;  /**< of all steps of all launches of all entries, one behind the other */
  uint32_t **first_function; /**< per entry, per launch: where its steps begin among them */
} CudaProgram;

/** The model on device `ordinal`: as it was put there before, or now. It stays while the model is loaded. */
int32_t tfc_cuda_program(TfcLoaded *loaded, int32_t ordinal, CudaProgram **program);
void tfc_cuda_release_programs(CudaProgram *programs, uint32_t entry_count);

/*===-- CudaMemory.c ------------------------------------------------------------------------------------===*/

/** Memory of the device that only grows. */
typedef struct DeviceRoom {
  TfcCuPointer memory;
  uint64_t bytes;
} DeviceRoom;

struct CudaState;
/** False: out of memory, the old room is gone. Waits for the stream before it gives memory back. */
bool tfc_cuda_make_room(struct CudaState *state, DeviceRoom *room, uint64_t bytes);
void tfc_cuda_give_back(struct CudaState *state, DeviceRoom *room);
/** Addresses of the inputs on the device: the caller's own, or copies that are on their way there. */
int32_t tfc_cuda_place_inputs(TfcContext *context, uint32_t entry, const TfcTensor *inputs);
/** The same for an output whose dims are known and whose place for the caller has been found. */
int32_t tfc_cuda_place_output(TfcContext *context, uint32_t entry, uint32_t number, const TfcTensor *inputs,
                              const TfcTensor *output);
/** Brings what was made elsewhere to where the caller wants it, and waits if any of that is memory of the host. */
int32_t tfc_cuda_deliver_outputs(TfcContext *context, uint32_t entry, const TfcTensor *outputs);

/*===-- CudaGraph.c -------------------------------------------------------------------------------------===*/

/** One launch of a step, as it was captured: what has to be the same, or patched, in the next run. */
typedef struct TapeEntry {
  TfcCuFunction function;
  TfcCuGraphNode node;
  const TfcStep *step;
  unsigned grid[3];
  uint32_t word_count;
  uint8_t *parameters; /**< the words, then the tensor maps */
} TapeEntry;

/** All steps of a run of one shape; before they are captured, the shape alone. */
typedef struct CudaGraph {
  struct CudaGraph *next; /**< used less recently */
  int64_t *symbols;
  TfcCuGraph graph;
  TfcCuGraphExec exec;
  TapeEntry *tape;
  uint32_t count, room;
  uint64_t *addresses; /**< of inputs, outputs, arena, workspace and status when the parameters were written */
} CudaGraph;

/** What the launch door does with a step. */
typedef enum DoorMode { DoorLaunches = 0, DoorCaptures = 1, DoorPatches = 2 } DoorMode;

/** Runs the entry through a graph of its shape, which is captured first or patched where addresses have changed. A shape that is new is
 * noted, and `ran` is false: its launches are to be made one by one. */
int32_t tfc_cuda_run_graph(TfcContext *context, uint32_t entry, Run *run, bool *ran);
int32_t tfc_cuda_note_step(TfcContext *context, const TapeEntry *entry);
int32_t tfc_cuda_patch_step(TfcContext *context, const TapeEntry *entry);
void tfc_cuda_destroy_graphs(struct CudaState *state, CudaGraph *graphs);

/*===-- CudaRun.c ---------------------------------------------------------------------------------------===*/

/** What a context on a device remembers of one entry. */
typedef struct CudaEntry {
  DeviceRoom *arenas;      /**< bind_count + 1 */
  DeviceRoom *input_rooms; /**< of inputs in memory of the host */
  DeviceRoom *output_rooms;
  uint8_t **arena_pointers; /**< the same four as the host program wants them: addresses of the device */
  const uint8_t **inputs;
  uint8_t **outputs;
  TfcDeviceStatus *host_status; /**< launch_count */
  DeviceRoom status;
  bool has_checks;
  TfcCuEvent *events; /**< for a profiler: the run's beginning, the end of each launch, and some of CudaEvents.c */
  CudaGraph *graphs; /**< the one used last comes first */
} CudaEntry;

typedef struct CudaState {
  CudaProgram *program;
  TfcCuStream stream;
  bool owns_stream;
  DeviceRoom workspace;
  CudaEntry *entries;
  DoorMode mode;
  CudaGraph *graph; /**< that is being captured or patched */
  uint32_t position; /**< on its tape */
} CudaState;

int32_t tfc_cuda_create_state(TfcContext *context);
void tfc_cuda_destroy_state(TfcContext *context);
/** The whole run, behind the checks of inputs and outputs. */
int32_t tfc_cuda_run(TfcContext *context, uint32_t entry, const TfcTensor *inputs, TfcTensor *outputs);
int32_t tfc_cuda_make_arena(TfcContext *context, uint32_t entry, uint32_t segment, uint64_t bytes);
/** Every call of the driver needs its context to be the thread's current one. */
int32_t tfc_cuda_enter(CudaProgram *program);
void tfc_cuda_leave(CudaProgram *program);

/*===-- CudaEvents.c ------------------------------------------------------------------------------------===*/

/** Makes the entry's events if a profiler wants to know when launches run. Not inside of a capture. */
int32_t tfc_cuda_make_events(TfcContext *context, uint32_t entry);
/** Marks the run's beginning on the stream; in a capture, in the graph. Nothing without events, as the next two. */
int32_t tfc_cuda_mark_start(TfcContext *context, uint32_t entry);
/** Marks the end of a launch. Where launches go one by one, waits for it and tells the profiler; `before` is called in front of it. */
int32_t tfc_cuda_mark_before(Run *run);
int32_t tfc_cuda_mark_launch(Run *run, uint32_t launch);
/** Marks where the work of a run begins, or ends. */
int32_t tfc_cuda_mark_run(Run *run, bool end);
/** Tells the profiler of a run that is over: of its launches where it was a graph, and of the whole. */
int32_t tfc_cuda_tell(Run *run, bool isGraph);
void tfc_cuda_destroy_events(CudaState *state, CudaEntry *entry, uint32_t launch_count);

static inline bool tfc_core_is_on_device(const TfcTensor *tensor) {
  return tensor->device_type == 2 || tensor->device_type == 13; /* CUDA, or memory that CUDA manages */
}

#pragma GCC visibility pop

#endif /* TFC_RUNTIME_CUDA_H */
