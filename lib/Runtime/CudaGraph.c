/*===- CudaGraph.c - A run as one graph: captured once per shape, patched, launched -------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
|* The first run of a shape launches its kernels one by one, for many shapes never come again: a text     *|
|* that is being written is another shape with each of its tokens. In the second run launches are         *|
|* captured as the host program makes them, and each is noted on a tape with its node. When the next run  *|
|* of the shape has the same addresses, its graph is launched as it is; otherwise the host program writes *|
|* the parameters again, and nodes whose parameters differ are patched.                                   *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#include "Cuda.h"

#include <stdlib.h>
#include <string.h>

/* Shapes that a context keeps graphs of, per entry. */
enum { MostGraphs = 8 };

static void destroyGraph(CudaState *state, CudaGraph *graph) {
  const CudaDriver *driver = &state->program->driver;
  if (graph->exec)
    driver->destroyExec(graph->exec);
  if (graph->graph)
    driver->destroyGraph(graph->graph);
  for (uint32_t i = 0; i < graph->count; ++i)
    free(graph->tape[i].parameters);
  free(graph->tape);
  free(graph->symbols);
  free(graph->addresses);
  free(graph);
}

void tfc_cuda_destroy_graphs(CudaState *state, CudaGraph *graphs) {
  while (graphs) {
    CudaGraph *next = graphs->next;
    destroyGraph(state, graphs);
    graphs = next;
  }
}

/*===-- The tape ------------------------------------------------------------------------------------------===*/

static size_t parameterBytes(const TapeEntry *entry) {
  return entry->word_count * sizeof(uint64_t) + entry->step->map_count * sizeof(TfcCuTensorMap);
}

int32_t tfc_cuda_note_step(TfcContext *context, const TapeEntry *entry) {
  CudaState *cuda = context->cuda;
  CudaGraph *graph = cuda->graph;
  const CudaDriver *driver = &cuda->program->driver;
  if (graph->count == graph->room) {
    uint32_t room = graph->room ? 2 * graph->room : 64;
    TapeEntry *tape = realloc(graph->tape, room * sizeof(*tape));
    if (!tape)
      return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the graph of a run");
    graph->tape = tape;
    graph->room = room;
  }
  TapeEntry *noted = &graph->tape[graph->count];
  *noted = *entry;
  noted->parameters = malloc(parameterBytes(entry));
  if (!noted->parameters)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the graph of a run");
  ++graph->count;
  memcpy(noted->parameters, entry->parameters, parameterBytes(entry));
  /* The stream's next launch depends on the one just made, and on nothing else. */
  int status = 0;
  uint64_t id;
  TfcCuGraph captured;
  const TfcCuGraphNode *last = NULL;
  size_t count = 0;
  int32_t code = tfc_cuda_check(driver, driver->captureInfo(cuda->stream, &status, &id, &captured, &last, &count),
                                "capturing a graph");
  if (!code && count != 1)
    code = tfc_core_fail(TFC_DEVICE_FAILED, "the GPU's driver captured a launch as %zu nodes", count);
  if (!code)
    noted->node = last[0];
  return code;
}

int32_t tfc_cuda_patch_step(TfcContext *context, const TapeEntry *entry) {
  CudaState *cuda = context->cuda;
  CudaGraph *graph = cuda->graph;
  if (cuda->position >= graph->count || graph->tape[cuda->position].step != entry->step)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "the host program launches other kernels for the same shape");
  TapeEntry *noted = &graph->tape[cuda->position++];
  if (memcmp(noted->parameters, entry->parameters, parameterBytes(entry)) == 0)
    return TFC_OK;
  memcpy(noted->parameters, entry->parameters, parameterBytes(entry));
  void *parameters[512];
  uint32_t count = 0;
  for (; count < entry->word_count; ++count)
    parameters[count] = noted->parameters + count * sizeof(uint64_t);
  for (uint32_t i = 0; i < entry->step->map_count; ++i)
    parameters[count + i] = noted->parameters + count * sizeof(uint64_t) + i * sizeof(TfcCuTensorMap);
  TfcCuKernelNode node = {entry->function, {entry->grid[0], entry->grid[1], entry->grid[2]}, {entry->step->block, 1, 1},
                          entry->step->shared, parameters, NULL, NULL, NULL};
  const CudaDriver *driver = &cuda->program->driver;
  return tfc_cuda_check(driver, driver->setNode(graph->exec, noted->node, &node), "patching a graph");
}

/*===-- Graphs --------------------------------------------------------------------------------------------===*/

/* What the parameters of a run's kernels are made of, besides the shape. */
static uint32_t addressCount(const TfcEntry *described) { return described->input_count + described->output_count + 3; }

static void collectAddresses(TfcContext *context, uint32_t number, uint64_t *addresses) {
  const CudaEntry *entry = &context->cuda->entries[number];
  const TfcEntry *described = &context->program[number];
  uint32_t count = 0;
  for (uint32_t i = 0; i < described->input_count; ++i)
    addresses[count++] = (uint64_t)(uintptr_t)entry->inputs[i];
  for (uint32_t i = 0; i < described->output_count; ++i)
    addresses[count++] = (uint64_t)(uintptr_t)entry->outputs[i];
  addresses[count++] = entry->arenas[0].memory;
  addresses[count++] = context->cuda->workspace.memory;
  addresses[count++] = entry->status.memory;
}

/* The graph of the shape that the entry's state holds, put first; null: there is none yet. */
static CudaGraph *findGraph(TfcContext *context, uint32_t number) {
  CudaEntry *entry = &context->cuda->entries[number];
  size_t bytes = context->program[number].symbol_count * sizeof(int64_t);
  for (CudaGraph **link = &entry->graphs; *link; link = &(*link)->next) {
    CudaGraph *graph = *link;
    if (memcmp(graph->symbols, context->entries[number].symbols, bytes))
      continue;
    *link = graph->next;
    graph->next = entry->graphs;
    entry->graphs = graph;
    return graph;
  }
  return NULL;
}

static int32_t captureInto(TfcContext *context, Run *run, CudaGraph *graph) {
  CudaState *cuda = context->cuda;
  const CudaDriver *driver = &cuda->program->driver;
  int32_t code = tfc_cuda_check(driver, driver->beginCapture(cuda->stream, TfcCuCaptureThreadLocal), "capturing a graph");
  if (code)
    return code;
  cuda->mode = DoorCaptures;
  cuda->graph = graph;
  code = tfc_cuda_mark_start(context, run->number);
  if (!code)
    code = run->entry->run(&run->shown);
  cuda->mode = DoorLaunches;
  TfcCuResult ended = driver->endCapture(cuda->stream, &graph->graph);
  if (!code)
    code = tfc_cuda_check(driver, ended, "capturing a graph");
  if (!code)
    code = tfc_cuda_check(driver, driver->instantiate(&graph->exec, graph->graph, 0), "making a graph");
  return code;
}

static CudaGraph *makeGraph(TfcContext *context, uint32_t number) {
  const TfcEntry *described = &context->program[number];
  size_t bytes = described->symbol_count * sizeof(int64_t);
  CudaGraph *graph = calloc(1, sizeof(*graph));
  if (!graph)
    return NULL;
  graph->symbols = malloc(bytes + 1);
  graph->addresses = malloc(addressCount(described) * sizeof(uint64_t));
  if (!graph->symbols || !graph->addresses) {
    destroyGraph(context->cuda, graph);
    return NULL;
  }
  memcpy(graph->symbols, context->entries[number].symbols, bytes);
  return graph;
}

/* Keeps the graphs of the shapes used last. */
static void dropOldest(CudaState *state, CudaEntry *entry) {
  uint32_t count = 0;
  for (CudaGraph **link = &entry->graphs; *link; link = &(*link)->next)
    if (++count > MostGraphs) {
      state->program->driver.synchronize(state->stream);
      tfc_cuda_destroy_graphs(state, *link);
      *link = NULL;
      return;
    }
}

/* A shape that was not seen before, or is forgotten. */
static int32_t noteShape(TfcContext *context, uint32_t number) {
  CudaEntry *entry = &context->cuda->entries[number];
  CudaGraph *graph = makeGraph(context, number);
  if (!graph)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the graph of a run");
  graph->next = entry->graphs;
  entry->graphs = graph;
  dropOldest(context->cuda, entry);
  return TFC_OK;
}

/* For a graph that is not what its tape says: the shape begins anew. */
static void dropFirst(TfcContext *context, uint32_t number) {
  CudaEntry *entry = &context->cuda->entries[number];
  CudaGraph *graph = entry->graphs;
  entry->graphs = graph->next;
  destroyGraph(context->cuda, graph);
}

/* The entry's first graph, which is but a shape. */
static int32_t capture(TfcContext *context, uint32_t number, Run *run) {
  CudaEntry *entry = &context->cuda->entries[number];
  CudaGraph *graph = entry->graphs;
  collectAddresses(context, number, graph->addresses);
  int32_t code = captureInto(context, run, graph);
  if (code)
    dropFirst(context, number);
  return code;
}

static int32_t patch(TfcContext *context, uint32_t number, Run *run, CudaGraph *graph) {
  CudaState *cuda = context->cuda;
  uint32_t count = addressCount(&context->program[number]);
  uint64_t *addresses = malloc(count * sizeof(uint64_t));
  if (!addresses)
    return tfc_core_fail(TFC_OUT_OF_MEMORY, "no memory for the graph of a run");
  collectAddresses(context, number, addresses);
  int32_t code = TFC_OK;
  if (memcmp(addresses, graph->addresses, count * sizeof(uint64_t))) {
    cuda->mode = DoorPatches;
    cuda->graph = graph;
    cuda->position = 0;
    code = run->entry->run(&run->shown);
    cuda->mode = DoorLaunches;
    memcpy(graph->addresses, addresses, count * sizeof(uint64_t));
    if (code) /* half patched */
      dropFirst(context, number);
  }
  free(addresses);
  return code;
}

int32_t tfc_cuda_run_graph(TfcContext *context, uint32_t number, Run *run, bool *ran) {
  CudaState *cuda = context->cuda;
  CudaGraph *graph = findGraph(context, number);
  *ran = graph != NULL;
  if (!graph)
    return noteShape(context, number);
  int32_t code = graph->exec ? patch(context, number, run, graph) : capture(context, number, run);
  if (code)
    return code;
  return tfc_cuda_check(&cuda->program->driver,
                        cuda->program->driver.launchGraph(cuda->entries[number].graphs->exec, cuda->stream), "running a graph");
}
