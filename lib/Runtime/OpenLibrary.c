/*===- OpenLibrary.c - Opens a model.so (libtfc-runtime only, not part of the core) -------------------===*\
|*                                                                                                        *|
|* Part of tfc, under the Apache License v2.0 with LLVM Exceptions.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                                                *|
|*                                                                                                        *|
\*===--------------------------------------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "Core.h"

#include "tfc-c/Runtime.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { ThisMachine = EM_X86_64 };
#elif defined(__aarch64__)
enum { ThisMachine = EM_AARCH64 };
#else
enum { ThisMachine = EM_NONE };
#endif

/*===-- Before dlopen
 * ------------------------------------------------------------------------------------===*/

/* The dynamic loader maps what the program headers say; of a truncated file it would map pages that are not
   there and die of a signal. So the headers are compared with the size of the file first. */
static const char *problemOf(int file, uint64_t size) {
  Elf64_Ehdr header;
  if (pread(file, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
      memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return "it is not a shared library";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != ThisMachine)
    return "it is compiled for another machine";
  if (header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr))
    return "it is not a shared library";
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    uint64_t at;
    if (__builtin_add_overflow(header.e_phoff, (uint64_t)i * sizeof(segment), &at) || at > size ||
        size - at < sizeof(segment) ||
        pread(file, &segment, sizeof(segment), (off_t)at) != (ssize_t)sizeof(segment))
      return "it is cut short";
    if (segment.p_type != PT_NULL && (segment.p_offset > size || segment.p_filesz > size - segment.p_offset))
      return "it is cut short";
  }
  return NULL;
}

static int32_t checkFile(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return tfc_core_fail(errno == ENOENT || errno == ENOTDIR ? TFC_NOT_FOUND : TFC_SYSTEM,
                         "cannot open '%s': %s", path,
                         errno == ENOENT || errno == ENOTDIR ? "no such file"
                         : errno == EACCES                   ? "permission denied"
                                                             : "the system refuses");
  struct stat status;
  const char *problem = fstat(file, &status) || !S_ISREG(status.st_mode)
                            ? "it is not a regular file"
                            : problemOf(file, (uint64_t)status.st_size);
  close(file);
  return problem ? tfc_core_fail(TFC_BAD_ARTIFACT, "'%s' is not a model: %s", path, problem) : TFC_OK;
}

/*===-- Open and close
 * -----------------------------------------------------------------------------------===*/

static TfcLoaded *loadedOf(TfcOpenModel *model) { return (TfcLoaded *)model; }

static void closeLibrary(void *library) { dlclose(library); }

static int32_t openChecked(const char *path, const char *query, TfcOpenModel **model) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return tfc_core_fail(TFC_BAD_ARTIFACT, "cannot load '%s': %s", path, dlerror());
  TfcModelQueryFn ask;
  void *symbol = dlsym(library, query);
  if (!symbol) {
    dlclose(library);
    return tfc_core_fail(TFC_BAD_ARTIFACT,
                         "'%s' is a shared library but not a model: it has no function '%s'", path, query);
  }
  memcpy(&ask, &symbol, sizeof(ask));
  char folder[PATH_MAX];
  strcpy(folder, path);
  *strrchr(folder, '/') = 0;
  TfcLoaded *loaded;
  int32_t code = tfc_core_load(ask(), *folder ? folder : "/", &loaded);
  if (code) {
    dlclose(library);
    return code;
  }
  loaded->closing = closeLibrary;
  loaded->closing_data = library;
  *model = (TfcOpenModel *)loaded;
  return TFC_OK;
}

int32_t tfc_model_open(const char *path, const char *query, TfcOpenModel **model) {
  if (!path || !model)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "model_open: %s is null",
                         path ? "the place for the result" : "the path");
  *model = NULL;
  char full[PATH_MAX];
  /* Without a slash dlopen would search the library path. */
  if (strlen(path) + 3 > sizeof(full))
    return tfc_core_fail(TFC_NOT_FOUND, "the path of the model is too long");
  strcpy(full, strchr(path, '/') ? "" : "./");
  strcat(full, path);
  int32_t code = checkFile(full);
  return code ? code : openChecked(full, query ? query : "tfc_model_query", model);
}

int32_t tfc_model_adopt(const TfcModel *descriptor, const char *folder, TfcOpenModel **model) {
  TfcLoaded *loaded = NULL;
  int32_t code = tfc_core_load(descriptor, folder, model ? &loaded : NULL);
  if (!code)
    *model = (TfcOpenModel *)loaded;
  return code;
}

void tfc_model_close(TfcOpenModel *model) { tfc_core_release(loadedOf(model)); }

const TfcModel *tfc_model_describe(const TfcOpenModel *model) {
  return model ? ((const TfcLoaded *)model)->model : NULL;
}

const char *tfc_model_isa(const TfcOpenModel *model) { return model ? ((const TfcLoaded *)model)->isa.text : ""; }

int32_t tfc_model_find_entry(const TfcOpenModel *model, const char *name, uint32_t *entry) {
  if (!model || !entry)
    return tfc_core_fail(TFC_BAD_ARGUMENT, "find_entry: %s is null",
                         model ? "the place for the result" : "the model");
  const TfcModel *descriptor = tfc_model_describe(model);
  Sentence names = {{0}, 0};
  for (uint32_t i = 0; i < descriptor->entry_count; ++i) {
    if (!name || strcmp(descriptor->entries[i].name, name) == 0) {
      *entry = i;
      return TFC_OK;
    }
    tfc_core_say(&names, "%s'%s'", i ? ", " : "", descriptor->entries[i].name);
  }
  return tfc_core_fail(TFC_NOT_FOUND, "the model has no entry '%s'; it has: %s", name ? name : "",
                       names.length ? names.text : "none");
}

/*===-- The rest of the API
 * ------------------------------------------------------------------------------===*/

int32_t tfc_context_create(TfcOpenModel *model, const TfcContextOptions *options, TfcContext **context) {
  return tfc_core_context_create(loadedOf(model), options, context);
}

void tfc_context_destroy(TfcContext *context) { tfc_core_context_destroy(context); }

int32_t tfc_context_threads(const TfcContext *context) {
  return context ? tfc_core_pool_width(context->pool) : 0;
}

int32_t tfc_workspace_bytes(TfcContext *context, uint32_t entry, const TfcTensor *inputs,
                            uint32_t input_count, uint64_t *bytes) {
  return tfc_core_api.workspace_bytes(context, entry, inputs, input_count, bytes);
}

int32_t tfc_output_dims(TfcContext *context, uint32_t entry, const TfcTensor *inputs, uint32_t input_count,
                        TfcTensor *outputs, uint32_t output_count) {
  return tfc_core_api.output_dims(context, entry, inputs, input_count, outputs, output_count);
}

int32_t tfc_run(TfcContext *context, uint32_t entry, const TfcTensor *inputs, uint32_t input_count,
                TfcTensor *outputs, uint32_t output_count) {
  return tfc_core_api.run(context, entry, inputs, input_count, outputs, output_count);
}

const char *tfc_last_error(void) { return tfc_core_last_error(); }

const char *tfc_code_name(int32_t code) {
  static const char *const names[] = {"TFC_OK",           "TFC_BAD_INPUT",     "TFC_BAD_INDEX",
                                      "TFC_BAD_ARGUMENT", "TFC_OUT_OF_MEMORY", "TFC_UNSUPPORTED_CPU",
                                      "TFC_ABI_MISMATCH", "TFC_BAD_ARTIFACT",  "TFC_BUFFER_TOO_SMALL",
                                      "TFC_NOT_FOUND",    "TFC_SYSTEM"};
  return code >= 0 && (size_t)code < sizeof(names) / sizeof(names[0]) ? names[code] : "unknown code";
}
