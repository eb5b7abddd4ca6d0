//===- LinkSharedLibrary.cpp - From object files to a shared library -----------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===------------------------------------------------------------------------------------------------------===//

#include "tfc/Target/LinkSharedLibrary.h"
#include "tfc/Target/OutputFile.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Path.h"

#include <link.h>
#include <mutex>
#include <string>
#include <vector>

LLD_HAS_DRIVER(elf)

using namespace llvm;

/// Finds the C library, the mathematical library and the dynamic loader among the files this process has
/// loaded. That works on every distribution, whatever folder it keeps them in, and needs no libc6-dev.
static std::vector<std::string> findSystemLibraries() {
  std::vector<std::string> found;
  auto look = [](dl_phdr_info *info, size_t, void *data) {
    StringRef path(info->dlpi_name ? info->dlpi_name : "");
    StringRef name = sys::path::filename(path);
    if (name.starts_with("libc.so.") || name.starts_with("libm.so.") || name.starts_with("ld-linux"))
      static_cast<std::vector<std::string> *>(data)->push_back(path.str());
    return 0;
  };
  dl_iterate_phdr(look, &found);
  return found;
}

/// lld's report as one line. Its own name and the word "error" say nothing to the user, the folder of the
/// temporary files still less.
static std::string tidyMessages(StringRef messages, StringRef folder) {
  SmallVector<StringRef> lines;
  messages.split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  std::string text;
  for (StringRef line : lines) {
    line.consume_front(">>>");
    size_t error = line.find("error: ");
    if (error != StringRef::npos)
      line = line.drop_front(error + 7);
    if (!text.empty())
      text += "; ";
    text += line.trim();
  }
  for (size_t at; (at = text.find(folder.str())) != std::string::npos;)
    text.erase(at, folder.size());
  return text;
}

static Error runLinker(ArrayRef<std::string> arguments, StringRef folder) {
  std::vector<const char *> pointers = {"ld.lld"};
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  // lld keeps its state in globals.
  static std::mutex oneAtATime;
  std::lock_guard<std::mutex> lock(oneAtATime);
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return Error::success();
  std::string text = tidyMessages(messages, folder);
  return createStringError("linking the shared library failed: %s",
                           text.empty() ? "no reason given" : text.c_str());
}

/// Libraries that have nothing but the names of the C library's, so that the dynamic loader of the other machine looks for those.
static Error addForeignLibraries(StringRef object, tfc::TemporaryFolder &folder, std::vector<std::string> &arguments) {
  Expected<std::string> file = folder.addFile("nothing.o", object);
  if (!file)
    return file.takeError();
  for (const char *name : {"libm.so.6", "libc.so.6"}) {
    std::string library = folder.path(name);
    if (Error error = runLinker({"--shared", "--soname", name, "-o", library, *file}, folder.path("")))
      return error;
    arguments.push_back(library);
  }
  return Error::success();
}

Error tfc::linkSharedLibrary(ArrayRef<StringRef> objects, const LinkOptions &options) {
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  std::string exports = ("{ global: " + options.exportedSymbol + "; local: *; };\n").str();
  Expected<std::string> script = folder->addFile("exports", exports);
  if (!script)
    return script.takeError();
  bool isForeign = !options.foreignObject.empty();
  std::vector<std::string> arguments = {"--shared",
                                        isForeign ? "--no-as-needed" : "--as-needed",
                                        "-z",
                                        isForeign ? "undefs" : "defs",
                                        "-z",
                                        "now",
                                        "--hash-style=gnu",
                                        "--build-id=none",
                                        "--version-script=" + *script,
                                        "--soname",
                                        options.soname.str(),
                                        "-o",
                                        options.outputPath.str()};
  for (auto [number, bytes] : enumerate(objects)) {
    Expected<std::string> file = folder->addFile("object" + std::to_string(number) + ".o", bytes);
    if (!file)
      return file.takeError();
    arguments.push_back(*file);
  }
  if (!isForeign)
    append_range(arguments, findSystemLibraries());
  else if (Error error = addForeignLibraries(options.foreignObject, *folder, arguments))
    return error;
  return runLinker(arguments, folder->path(""));
}
