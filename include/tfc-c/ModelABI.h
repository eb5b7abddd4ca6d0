/*===- ModelABI.h - The contract between model.so and the runtime --------------------------------*- C -*-===*\
|*                                                                                                          *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                         *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                  *|
|*                                                                                                          *|
|* A model.so exports one function, tfc_model_query by default, which returns the TfcModel below: constant  *|
|* data that describes the model, and code reached through it. Everything the host program needs from a     *|
|* runtime comes to it as an argument (TfcRun and its TfcRunTable), so that model.so has no undefined       *|
|* symbol but libc's. docs/RuntimeABI.md tells the story; this file is the truth.                           *|
|*                                                                                                          *|
|* Growth: fields are only appended; `bytes` fields say how much of a struct its maker knew. A change that  *|
|* cannot be made that way raises TFC_ABI_VERSION.                                                          *|
|*                                                                                                          *|
\*===----------------------------------------------------------------------------------------------------===*/

#ifndef TFC_C_MODELABI_H
#define TFC_C_MODELABI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TFC_ABI_MAGIC 0x00434654u /* "TFC\0" in memory */
#define TFC_ABI_VERSION 3u
#define TFC_MAX_RANK 16

/*===-- Codes ------------------------------------------------------------------------------------------===*/

/** What a call answers. 0 is success; every other code comes with a sentence (see tfc_api.last_error). */
typedef enum TfcCode {
  TFC_OK = 0,
  TFC_BAD_INPUT = 1,        /**< count, dtype, rank, dim or symbol of an input or output does not fit */
  TFC_BAD_INDEX = 2,        /**< an index that came from data lies outside what it indexes */
  TFC_BAD_ARGUMENT = 3,     /**< null pointer, unknown entry, context of another model, busy context */
  TFC_OUT_OF_MEMORY = 4,
  TFC_UNSUPPORTED_CPU = 5,  /**< the CPU lacks what every variant of a kernel needs */
  TFC_ABI_MISMATCH = 6,     /**< artifact and runtime are of different ABI versions */
  TFC_BAD_ARTIFACT = 7,     /**< not a model, or its weights file is missing or another one */
  TFC_BUFFER_TOO_SMALL = 8, /**< an output's capacity is below what the run makes; the dims are written */
  TFC_NOT_FOUND = 9,        /**< file, entry or extern operator does not exist */
  TFC_SYSTEM = 10,          /**< the machine refused: threads, mapping, I/O */
  TFC_NO_DEVICE = 11,       /**< no GPU that the model has code for: no driver, no device, too old a one */
  TFC_DEVICE_FAILED = 12    /**< the GPU's driver refused something, or a kernel failed there */
} TfcCode;

/*===-- Tensors (as in DLPack) --------------------------------------------------------------------------===*/

/** Type codes of DLPack 1.1 (DLDataTypeCode). */
typedef enum TfcTypeCode {
  TFC_INT = 0, TFC_UINT = 1, TFC_FLOAT = 2, TFC_BFLOAT = 4, TFC_BOOL = 6,
  TFC_FLOAT8_E4M3FN = 10, TFC_FLOAT8_E4M3FNUZ = 11, TFC_FLOAT8_E5M2 = 12, TFC_FLOAT8_E5M2FNUZ = 13
} TfcTypeCode;

typedef struct TfcDataType {
  uint8_t code;   /**< TfcTypeCode */
  uint8_t bits;   /**< of one element; bool is 8 */
  uint16_t lanes; /**< 1 */
} TfcDataType;

/** A tensor of the caller. The callee never keeps a pointer beyond the call. */
typedef struct TfcTensor {
  void *data;
  int32_t device_type;     /**< as in DLPack: 1 CPU, 2 CUDA */
  int32_t device_id;
  TfcDataType dtype;
  int32_t rank;
  int64_t *dims;           /**< rank of them; of an output, written by the run */
  const int64_t *strides;  /**< in elements; null: row-major without gaps */
  uint64_t byte_offset;    /**< added to data */
  uint64_t capacity_bytes; /**< room from data + byte_offset on; 0: exactly what the dims say */
} TfcTensor;

/*===-- Expressions --------------------------------------------------------------------------------------===*/

/**
 * Integer expressions of the symbols, in postfix code. Each is two words: an opcode and an operand (0 where unused).
 * Arithmetic saturates at INT64_MIN/MAX; division and remainder by zero give 0. Value i may use values below i.
 */
typedef enum TfcExprOp {
  TFC_EXPR_CONST = 0,  /**< push the operand */
  TFC_EXPR_SYMBOL = 1, /**< push symbol number operand */
  TFC_EXPR_VALUE = 2,  /**< push value number operand */
  TFC_EXPR_ADD = 3, TFC_EXPR_MUL = 4, TFC_EXPR_FLOORDIV = 5, TFC_EXPR_MOD = 6, TFC_EXPR_MIN = 7, TFC_EXPR_MAX = 8,
  TFC_EXPR_BROADCAST = 9, /**< a == 1 ? b : a */
  TFC_EXPR_WRAP = 10,     /**< a < 0 ? a + b : a */
  TFC_EXPR_ALIGN = 11     /**< round the top up to a multiple of the operand, a power of two */
} TfcExprOp;

typedef struct TfcExprWord {
  int64_t op;
  int64_t operand;
} TfcExprWord;

typedef struct TfcExpr {
  const TfcExprWord *words;
  uint32_t word_count;
  uint32_t segment;  /**< the number of binds that must have run before the value exists */
  const char *text;  /**< for messages: "batch*seq" */
} TfcExpr;

/*===-- Descriptor ----------------------------------------------------------------------------------------===*/

typedef enum TfcSymbolKind {
  TFC_SYMBOL_SIZE = 0,
  /** No size of the graph: 0, or the rows that there is room for in buffers that outputs extend in place (TfcPort.room). */
  TFC_SYMBOL_ROOM = 1
} TfcSymbolKind;

typedef struct TfcSymbol {
  const char *name;
  int64_t min, max;   /**< allowed values, both inclusive */
  int32_t born_in;    /**< 0: bound from the inputs' dims; k > 0: by bind number k-1 during the run */
  uint32_t kind;      /**< TfcSymbolKind */
} TfcSymbol;

/** An input or output of an entry. */
typedef struct TfcPort {
  const char *name;        /**< the graph's own name */
  TfcDataType dtype;
  int32_t rank;
  const uint32_t *dims;    /**< rank indices into the entry's values */
  int32_t alias_of_input;  /**< of an output: may share memory with this input; -1 none */
  uint32_t hint;           /**< TfcPortHint, how --random fills an input */
  uint32_t hint_bound;     /**< index of a value for TFC_HINT_INDEX: ids lie in [0, bound) */
  /** Of an output that is the input alias_of_input with rows behind it: 1 + the number of the TFC_SYMBOL_ROOM; 0: none. Where
   * both are the front part of one buffer, only the new rows are written. docs/RuntimeABI.md, "Past in place". */
  uint16_t room;
  uint16_t room_axis;      /**< the dim along which the rows are appended */
} TfcPort;

typedef enum TfcPortHint {
  TFC_HINT_NONE = 0,  /**< floats in [-0.5, 0.5], integers 0 */
  TFC_HINT_INDEX = 1, /**< indices into a table of hint_bound rows */
  TFC_HINT_MASK = 2,  /**< ones mean "attend" */
  TFC_HINT_PAD = 3    /**< false means "attend" */
} TfcPortHint;

typedef enum TfcRequirementKind { TFC_REQUIRE_EQUAL = 0, TFC_REQUIRE_BROADCASTABLE = 1, TFC_REQUIRE_AT_MOST = 2 } TfcRequirementKind;

/** A condition on values, checked as soon as both exist. */
typedef struct TfcRequirement {
  uint32_t kind; /**< TfcRequirementKind; broadcastable: lhs is 1 or rhs */
  uint32_t lhs, rhs;
  uint32_t reserved;
  const char *node; /**< the graph's node that needs it */
} TfcRequirement;

/** What a kernel may note while it runs. One record per worker; the launch door reads it after the last tile. */
typedef struct TfcWorker {
  uint8_t *scratch;      /**< the kernel's scratch_value bytes, 64-byte aligned */
  int32_t index;         /**< 0 .. threads-1 */
  int32_t failed_check;  /**< -1: none, else the number of the kernel's check that failed first */
  int64_t failed_value;  /**< the offending index */
  int64_t failed_bound;  /**< it should have lain in [0, bound), or where this is negative in [bound, -bound) */
} TfcWorker;

/**
 * A kernel: runs tiles [begin, end). `args` is a block of 8-byte words: the pointers of the operands, the pointers of
 * the results, then the values of the kernel's symbols.
 */
typedef void (*TfcKernelFn)(const uint64_t *args, int64_t begin, int64_t end, TfcWorker *worker);

/** CPU features a variant may need, as bits. */
typedef enum TfcFeature {
  TFC_X86_64_V2 = 1u << 0, TFC_X86_64_V3 = 1u << 1, TFC_X86_64_V4 = 1u << 2,
  TFC_X86_AVX512_BF16 = 1u << 3, TFC_X86_AVX512_VNNI = 1u << 4,
  TFC_AARCH64_NEON = 1u << 16
} TfcFeature;

typedef struct TfcVariant {
  uint64_t features; /**< all of these bits must be had */
  TfcKernelFn run;
} TfcVariant;

typedef struct TfcKernel {
  const char *name;
  const TfcVariant *variants; /**< best first; a runtime takes the first whose features the machine has */
  uint32_t variant_count;
  uint32_t reserved;
} TfcKernel;

/** A tensor that a launch reads or makes: row-major at the pointer that stands in its place of the argument block. */
typedef struct TfcLaunchTensor {
  const char *name;     /**< the graph's node that made it, the input or the weight; "" if unknown */
  const uint32_t *dims; /**< rank indices into the entry's values */
  TfcDataType dtype;
  int32_t rank;
} TfcLaunchTensor;

/** One call of a kernel in the host program. */
typedef struct TfcLaunch {
  uint32_t kernel;         /**< index into TfcModel.kernels */
  uint32_t tiles;          /**< index into the entry's values, as are the next three */
  uint32_t scratch;        /**< bytes of scratch per worker */
  uint32_t flops, bytes;   /**< work: floating point operations, bytes read and written at least once */
  uint32_t node_count;
  const char *const *nodes;  /**< names of the graph's nodes it came from */
  const char *const *checks; /**< one text per checked index of the kernel: "node 'Gather_3': input_ids" */
  uint32_t check_count;
  uint32_t source_count;
  /** Where its operands come from: the number of an earlier launch, or -1 - n for input n. Weights are left out. */
  const int32_t *sources;
  /** The tensors whose pointers begin the argument block: operands, then results. Both counts are 0 where they are not known. */
  const TfcLaunchTensor *tensors;
  uint32_t operand_count, result_count;
} TfcLaunch;

/** A point of the host program where data gives symbols their values (entry.symbols with born_in == number + 1). */
typedef struct TfcBind {
  const uint32_t *symbols;
  uint32_t symbol_count;
  uint32_t reserved;
  const char *node;
} TfcBind;

struct TfcRun;

typedef struct TfcEntry {
  const char *name;
  const TfcSymbol *symbols;
  const TfcExpr *values;
  const TfcPort *inputs;
  const TfcPort *outputs;
  const TfcRequirement *requirements;
  const TfcLaunch *launches;
  const TfcBind *binds;
  const uint32_t *arena_bytes; /**< bind_count + 1 of them: index of the value that is segment i's arena size */
  uint32_t symbol_count, value_count, input_count, output_count, requirement_count, launch_count, bind_count;
  uint32_t reserved;
  /** The host program: calls the run's table once per launch and bind, in order. Returns TFC_OK or what a call gave. */
  int32_t (*run)(struct TfcRun *run);
} TfcEntry;

typedef enum TfcWeightMode { TFC_WEIGHTS_NONE = 0, TFC_WEIGHTS_EMBED = 1, TFC_WEIGHTS_EXTERNAL = 2, TFC_WEIGHTS_SEED = 3 } TfcWeightMode;

/** Made-up weights: element i is a function of (seed, stream, i). tfc/Weights/SeedStream.h has the function. */
typedef struct TfcSeed {
  uint32_t kind; /**< 0 normal, 1 constant */
  uint32_t reserved;
  uint64_t seed, stream;
  double mean, scale;
} TfcSeed;

/** Padding of a layout: element i is the source's only where 0 <= offset + i[0]*strides[0] + ... < extent, else zero. */
typedef struct TfcLayoutBound {
  int64_t offset, extent;
  const int64_t *strides; /**< rank of them */
} TfcLayoutBound;

/** One weight of the model: where it lies in the segment of weights and, when seeded, how it is made. */
typedef struct TfcWeight {
  const char *name;
  TfcDataType dtype;
  int32_t rank;
  const int64_t *dims;
  uint64_t offset, bytes;  /**< within the segment of weights */
  int32_t seeded;          /**< 1: `seed` holds; 0: the bytes come with the artifact */
  uint32_t bound_count;
  TfcSeed seed;
  int64_t layout_offset;   /**< strided view of the seeded source (tfc/Weights/LayoutRecipe.h) */
  const int64_t *layout_strides; /**< rank of them; null: row-major */
  const TfcLayoutBound *bounds;  /**< all of them must hold; null: no padding */
} TfcWeight;

typedef struct TfcWeights {
  uint32_t mode; /**< TfcWeightMode */
  uint32_t weight_count;
  const TfcWeight *weights;
  uint64_t bytes;           /**< of the whole segment */
  const uint8_t *embedded;  /**< EMBED: the segment. SEED: the bytes of weights that no seed makes, in the order of
                                 `weights`, each at the next multiple of 64 bytes; or null */
  uint64_t embedded_bytes;
  const char *file;         /**< EXTERNAL: name of the file, beside model.so */
  uint64_t hash[2];         /**< EXTERNAL: of the whole file, tfc/Weights/ContentHash.h */
} TfcWeights;

/**
 * A weight as the graph has it, whatever became of it: under its own name and in its own order, where the segment may hold panels of
 * it, parts or nothing. When seeded, element i is that of the stream; else it is put together from weights of TfcModel.weights that are
 * views of it (layout_offset, layout_strides, bounds).
 */
typedef struct TfcGraphWeight {
  const char *name;
  TfcDataType dtype;
  int32_t rank;
  const int64_t *dims;
  int32_t seeded;
  uint32_t piece_count;
  const uint32_t *pieces; /**< numbers of weights; none: the artifact does not hold it */
  TfcSeed seed;
} TfcGraphWeight;

/*===-- Programs for devices -------------------------------------------------------------------------------===*/

/**
 * A tensor as the GPU's copy engine sees it: what cuTensorMapEncodeTiled takes. Dim 0 is the innermost. `offset`, `dims` and
 * `strides` are numbers of values.
 */
typedef struct TfcTensorMap {
  uint32_t word;       /**< of the launch's argument words: the pointer it begins at */
  uint32_t offset;     /**< bytes from there */
  TfcDataType dtype;
  uint32_t rank;       /**< 1 to 5 */
  uint32_t dims[5];    /**< in elements */
  uint32_t strides[4]; /**< in bytes, of dims 1 and up */
  uint32_t box[5];     /**< in elements, not values */
  uint32_t swizzle;    /**< bytes: 0, 32, 64 or 128 */
} TfcTensorMap;

/**
 * One launch of a function on the device. Its parameters: the launch's argument words, the address of the workspace, the address of a
 * TfcDeviceStatus, 8 bytes each; then one tensor map of 128 bytes per element of `maps`. Where an extent of the grid is 0 nothing runs.
 */
typedef struct TfcStep {
  const char *function;
  uint32_t grid[3]; /**< numbers of values: extents in blocks */
  uint32_t block;   /**< threads of a block */
  uint32_t cluster; /**< blocks of a cluster, along x; 1: no clusters */
  uint32_t shared;  /**< bytes of dynamic shared memory */
  uint32_t map_count;
  uint32_t overlaps; /**< 1: it may begin before the step before has ended, and waits for that itself; else 0 */
  const TfcTensorMap *maps;
} TfcStep;

/** What launch number i of an entry is on a device: steps, one after the other. */
typedef struct TfcDeviceLaunch {
  const TfcStep *steps;
  uint32_t step_count;
  uint32_t word_count; /**< argument words */
  uint32_t workspace;  /**< number of the value: bytes of scratch that the steps share */
  uint32_t reserved;
} TfcDeviceLaunch;

/**
 * What the kernels of a launch note about indices that come from data. All bytes are 255 before the launch. Whoever finds a failure
 * takes the lock (compare and swap from -1 to 0), keeps the record of the lowest tile, and gives the lock back.
 */
typedef struct TfcDeviceStatus {
  int32_t lock;  /**< -1: free */
  int32_t check; /**< as TfcWorker.failed_check */
  uint64_t tile; /**< all ones: no failure */
  int64_t value, bound; /**< as TfcWorker.failed_value and failed_bound */
} TfcDeviceStatus;

typedef enum TfcProgramKind {
  TFC_PROGRAM_CUDA = 1,    /**< code is PTX, ending in a null byte */
  TFC_PROGRAM_EMULATED = 2 /**< code is a TfcEmulatedCode (tfc-c/EmulatedCode.h), for a driver that emulates a GPU */
} TfcProgramKind;

/** The model for one kind of device. Its entries have the same names, ports and symbols as the model's, in the same order. */
typedef struct TfcProgram {
  uint32_t kind;       /**< TfcProgramKind */
  uint32_t capability; /**< least compute capability: 80 is 8.0 */
  uint32_t exact;      /**< 1: for devices of just that capability (sm_90a) */
  uint32_t weights;    /**< 0: TfcModel.weights; k > 0: TfcModel.more_weights[k - 1] */
  const char *target;  /**< "cuda:sm_80" */
  const TfcEntry *entries;  /**< entry_count of the model */
  const TfcKernel *kernels; /**< names; they have no variants */
  const TfcDeviceLaunch *const *launches; /**< per entry, per launch */
  const uint32_t *fetches; /**< per entry: places of its host program that read from the device; 0 where it is always the same */
  const void *code;
  uint64_t code_bytes;
  const uint8_t *cubin; /**< machine code for just that capability, or null */
  uint64_t cubin_bytes;
  uint32_t kernel_count;
  uint32_t reserved;
} TfcProgram;

typedef struct TfcModel {
  uint32_t magic;   /**< TFC_ABI_MAGIC */
  uint32_t version; /**< TFC_ABI_VERSION */
  uint64_t bytes;   /**< sizeof(TfcModel) as the compiler knew it */
  const char *name;
  const char *producer; /**< "tfc 0.1.0, LLVM 22.1.8" */
  const char *triple;
  const TfcEntry *entries;
  const TfcKernel *kernels;
  uint32_t entry_count, kernel_count;
  TfcWeights weights;
  const struct TfcApi *api; /**< the runtime's core inside model.so, for programs that have nothing else of tfc */
  /* Since 0.2; a model whose `bytes` end above has code for CPUs alone. */
  const TfcProgram *programs;     /**< for devices; of those that a device can run the first is the best */
  const TfcWeights *more_weights; /**< segments in other layouts, for programs that say so */
  uint32_t program_count, more_weight_count;
  uint32_t device_only; /**< 1: there is no code for CPUs; entries and kernels are those of programs[0] */
  uint32_t reserved;
  /* Since 0.3. */
  const TfcGraphWeight *graph_weights;
  uint64_t graph_weight_count;
} TfcModel;

/** The one exported function of a model.so (its name can be chosen at compile time). */
typedef const TfcModel *(*TfcModelQueryFn)(void);

/*===-- What the host program is given ---------------------------------------------------------------------===*/

/** Calls of the host program into the runtime. */
typedef struct TfcRunTable {
  uint64_t bytes; /**< sizeof(TfcRunTable) as the runtime knew it */
  /** THE launch door: runs every tile of launch number `launch` with this argument block. */
  int32_t (*launch)(struct TfcRun *run, uint32_t launch, const uint64_t *args);
  /** Reads the i64 elements at `data` as the symbols of bind number `bind`, evaluates what depends on them, makes the next arena ready. */
  int32_t (*bind)(struct TfcRun *run, uint32_t bind, const int64_t *data);
  /** Calls an operator the host has registered. Tensors are inputs then outputs. */
  int32_t (*extern_call)(struct TfcRun *run, const char *name, TfcTensor *tensors, uint32_t input_count, uint32_t output_count);
  /** Since 0.2. Reads `bytes` bytes at `data`, where the run's memory is a device's, into `result`. */
  int32_t (*fetch)(struct TfcRun *run, const void *data, uint64_t bytes, void *result);
} TfcRunTable;

/** One run in progress, as the host program sees it. Pointers may change at a bind; for a program of a device they are its. */
typedef struct TfcRun {
  const TfcRunTable *table;
  const int64_t *values;        /**< of the entry's expressions */
  const uint8_t *const *inputs; /**< data of the inputs, row-major */
  uint8_t *const *outputs;      /**< data of the outputs, row-major */
  uint8_t *const *arenas;       /**< one per segment, 64-byte aligned */
  const uint8_t *weights;       /**< the segment of weights */
  void *owner;                  /**< the runtime's own */
} TfcRun;

/*===-- The runtime's core as a table ------------------------------------------------------------------------===*/

typedef struct TfcContext TfcContext;
typedef struct TfcLoaded TfcLoaded;

/** Runs fn(data, i) for every i in [0, count), in any order and on any threads, and returns when all are done. */
typedef void (*TfcExecutorFn)(void *executor, int64_t count, void (*fn)(void *data, int64_t i), void *data);

/** What a profiler is told of. A run and its launches are told by the thread that runs, in order; tiles by the threads that do
 * them, side by side. Of a run on a device that asks for DEVICE, launches are told when it is over, as the device's clock has them:
 * then the run is not slowed down by being watched, as it is by LAUNCH, which waits for the device after each. */
typedef enum TfcEventKind {
  TFC_EVENT_RUN = 0, TFC_EVENT_LAUNCH = 1, TFC_EVENT_TILES = 2, TFC_EVENT_DEVICE = 3,
  TFC_EVENT_DEVICE_RUN = 4 /**< the whole run by the device's clock: nothing stands between its launches, of which none is told */
} TfcEventKind;

/** Told twice: when it begins (`after` == 0) and when it is over; DEVICE and DEVICE_RUN once, with `after` 1. */
typedef struct TfcEvent {
  uint32_t kind; /**< TfcEventKind */
  int32_t after;
  const TfcEntry *entry;
  const int64_t *values; /**< of the entry's expressions */
  uint32_t launch;       /**< LAUNCH, TILES, DEVICE: its number in the entry */
  int32_t worker;        /**< TILES: which of the context's threads; 0 is the one that runs */
  int64_t begin, end;    /**< TILES: which of the launch's tiles; DEVICE, DEVICE_RUN: nanoseconds since the run began there */
  /** LAUNCH, TILES: the kernel's argument block; TfcLaunch.tensors says what its pointers point at. On a device they are its addresses. */
  const uint64_t *args;
} TfcEvent;

/** Called with the context's `profiler_data`. The event is valid during the call. */
typedef void (*TfcProfilerFn)(void *profiler, const TfcEvent *event);

typedef struct TfcContextOptions {
  uint64_t bytes;         /**< sizeof(TfcContextOptions) */
  int32_t threads;        /**< 0: as many as the affinity mask and the cgroup quota allow */
  int32_t reserved;
  TfcExecutorFn executor; /**< null: a pool of the context's own */
  void *executor_data;
  int32_t executor_width; /**< how many threads the executor has at most */
  /** Sum of 1 << TfcEventKind: what the profiler wants to be told of; 0: runs and launches. */
  uint32_t profiler_events;
  void *(*allocate)(void *allocator, uint64_t bytes, uint64_t alignment); /**< null: the C library's */
  void (*release)(void *allocator, void *pointer);
  void *allocator;
  TfcProfilerFn profiler;
  void *profiler_data;
  /** Output whose size is known only in the run: gives room for `bytes` bytes, or null. */
  void *(*allocate_output)(void *data, uint32_t output, uint64_t bytes);
  void *allocate_output_data;
  /** Runs an operator that the compiler did not know. Tensors are inputs then outputs. Returns a TfcCode. */
  int32_t (*extern_call)(void *data, const char *name, TfcTensor *tensors, uint32_t input_count, uint32_t output_count);
  void *extern_data;
  /* Since 0.2. */
  int32_t device_type; /**< as in DLPack: 1 CPU, 2 CUDA; 0: the CPU where the model has code for it, else CUDA */
  int32_t device_id;   /**< of a CUDA device */
  void *stream;        /**< a CUstream of the device's primary context that runs are put on; null: one of the context's own */
} TfcContextOptions;

/** The same functions that libtfc-runtime exports as tfc_*; all return a TfcCode. Errors: last_error() of this thread. */
typedef struct TfcApi {
  uint64_t bytes;
  /** Makes a model ready: checks the ABI and the CPU, picks variants, maps or makes weights. `folder` is where model.so lies (external
   * weights). Where this CPU is not among those of the model's kernels, a model that has programs for devices is loaded for these. */
  int32_t (*load)(const TfcModel *model, const char *folder, TfcLoaded **loaded);
  void (*unload)(TfcLoaded *loaded);
  int32_t (*context_create)(TfcLoaded *loaded, const TfcContextOptions *options, TfcContext **context);
  void (*context_destroy)(TfcContext *context);
  /** Bytes of arena that a run with these input dims needs (up to the first bind). */
  int32_t (*workspace_bytes)(TfcContext *context, uint32_t entry, const TfcTensor *inputs, uint32_t input_count, uint64_t *bytes);
  /** Writes the dims of every output for these inputs; -1 where a dim is born in the run. Each outputs[i].dims must have room for its rank. */
  int32_t (*output_dims)(TfcContext *context, uint32_t entry, const TfcTensor *inputs, uint32_t input_count, TfcTensor *outputs, uint32_t output_count);
  int32_t (*run)(TfcContext *context, uint32_t entry, const TfcTensor *inputs, uint32_t input_count, TfcTensor *outputs, uint32_t output_count);
  /** The sentence of this thread's last error; "" if none. Valid until the thread's next call. */
  const char *(*last_error)(void);
} TfcApi;

static_assert(sizeof(TfcDataType) == 4, "TfcDataType is DLPack's DLDataType");
static_assert(sizeof(TfcTensor) == 56, "layout of TfcTensor");
static_assert(sizeof(TfcExprWord) == 16 && sizeof(TfcExpr) == 24, "layout of expressions");
static_assert(sizeof(TfcSymbol) == 32, "layout of TfcSymbol");
static_assert(sizeof(TfcPort) == 40, "layout of TfcPort");
static_assert(sizeof(TfcRequirement) == 24, "layout of TfcRequirement");
static_assert(sizeof(TfcEvent) == 56, "layout of TfcEvent");
static_assert(sizeof(TfcWorker) == 32, "layout of TfcWorker");
static_assert(sizeof(TfcKernel) == 24 && sizeof(TfcVariant) == 16, "layout of kernels");
static_assert(sizeof(TfcLaunch) == 72 && sizeof(TfcLaunchTensor) == 24, "layout of launches");
static_assert(sizeof(TfcBind) == 24, "layout of TfcBind");
static_assert(sizeof(TfcEntry) == 112, "layout of TfcEntry");
static_assert(sizeof(TfcSeed) == 40, "layout of TfcSeed");
static_assert(sizeof(TfcLayoutBound) == 24 && sizeof(TfcWeight) == 112, "layout of TfcWeight");
static_assert(sizeof(TfcWeights) == 64, "layout of TfcWeights");
static_assert(sizeof(TfcGraphWeight) == 80, "layout of TfcGraphWeight");
static_assert(sizeof(TfcTensorMap) == 76, "layout of TfcTensorMap");
static_assert(sizeof(TfcStep) == 48, "layout of TfcStep");
static_assert(sizeof(TfcDeviceLaunch) == 24, "layout of TfcDeviceLaunch");
static_assert(sizeof(TfcDeviceStatus) == 32, "layout of TfcDeviceStatus");
static_assert(sizeof(TfcProgram) == 96, "layout of TfcProgram");
static_assert(offsetof(TfcModel, programs) == 136, "what TfcModel was before it had programs");
static_assert(offsetof(TfcModel, graph_weights) == 168, "what TfcModel was before it had weights of the graph");
static_assert(sizeof(TfcModel) == 184, "layout of TfcModel");
static_assert(offsetof(TfcContextOptions, device_type) == 112, "what TfcContextOptions was before it had devices");
static_assert(sizeof(TfcRun) == 56, "layout of TfcRun");

#ifdef __cplusplus
}
#endif

#endif /* TFC_C_MODELABI_H */
