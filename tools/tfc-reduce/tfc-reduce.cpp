//===- tfc-reduce.cpp - Makes a module small that shows a fault ---------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Reducer.h"

#include "tfc/Pipeline/Pipelines.h"
#include "tfc/Pipeline/ReadModule.h"
#include "tfc/Pipeline/WriteModule.h"
#include "tfc/Version.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

#include <chrono>

using namespace llvm;
using namespace mlir::tfc;

static cl::OptionCategory category("tfc-reduce options");
static cl::opt<std::string> inputPath(cl::Positional, cl::Required, cl::desc("MODULE.mlir"), cl::cat(category));
static cl::list<std::string> testWords(cl::ConsumeAfter, cl::desc("TEST [WORDS]"), cl::cat(category));
static cl::opt<std::string> outputPath("o", cl::desc("Write the small module to FILE (default: MODULE.reduced.mlir)"), cl::value_desc("FILE"),
                                       cl::cat(category));
static cl::opt<unsigned> timeout("timeout", cl::desc("Seconds that one test may take (default 60); one that takes longer is not interesting"),
                                 cl::init(60), cl::cat(category));

constexpr const char *kOverview =
    "tfc-reduce: a smaller module that shows the same fault\n\n"
    "  tfc-reduce [-o small.mlir] crash.mlir ./test.sh [WORDS]\n\n"
    "The test is a program; it is called with its words and the path of a smaller .mlir file, and ends with exit code 0 when that file\n"
    "still shows the fault, as for llvm-reduce. It is asked many times. For instance:\n\n"
    "  #!/bin/sh\n"
    "  tfc-compile \"$1\" --reproducer-dir=none -o /tmp/out.so 2>&1 | grep -q 'it crashed'\n\n"
    "Exit codes: 0 fine, 1 the module itself does not show the fault, 2 bad input or usage, 3 a defect of tfc or of the machine\n";

static int fail(int code, const Twine &message) {
  errs() << "error: " << message << '\n';
  return code;
}

/// The module of the input, or the first thing that is wrong with it.
static mlir::OwningOpRef<mlir::ModuleOp> load(mlir::MLIRContext &context, std::string &error) {
  mlir::ScopedDiagnosticHandler first(&context, [&](mlir::Diagnostic &diagnostic) {
    if (error.empty()) {
      raw_string_ostream os(error);
      if (!mlir::isa<mlir::UnknownLoc>(diagnostic.getLocation()))
        os << diagnostic.getLocation() << ": ";
      os << diagnostic;
    }
    return mlir::success();
  });
  mlir::OwningOpRef<mlir::ModuleOp> module = readModule(inputPath, context);
  if (!module && error.empty())
    error = inputPath + " is no module";
  return module;
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](raw_ostream &os) { os << "tfc-reduce " TFC_VERSION "\n"; });
  if (!cl::ParseCommandLineOptions(argc, argv, kOverview, &errs()))
    return 2;
  if (testWords.empty())
    return fail(2, "no test given: tfc-reduce MODULE.mlir TEST; --help tells more");
  ErrorOr<std::string> program = sys::findProgramByName(testWords.front());
  // A path is taken as it is.
  if (program && !sys::fs::can_execute(*program))
    program = std::make_error_code(std::errc::no_such_file_or_directory);
  if (!program)
    return fail(2, "cannot run the test '" + testWords.front() + "': " + program.getError().message());
  SmallString<256> path(outputPath);
  if (path.empty()) {
    path = inputPath;
    sys::path::replace_extension(path, "reduced.mlir");
  }
  if (sys::fs::equivalent(path, inputPath))
    return fail(2, "the output is also the input");

  mlir::DialectRegistry registry;
  registerTfcDialects(registry);
  mlir::MLIRContext context(registry);
  std::string error;
  mlir::OwningOpRef<mlir::ModuleOp> module = load(context, error);
  if (!module)
    return fail(2, error);

  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("tfc-reduce", folder))
    return fail(3, "cannot make a temporary folder: " + code.message());
  scope_exit cleanUp([&] { (void)sys::fs::remove_directories(folder); });
  std::string candidate = (folder + "/candidate.mlir").str();
  std::string problem;
  auto isInteresting = [&](mlir::ModuleOp tested) {
    if (Error failed = writeModule(tested, candidate)) {
      problem = toString(std::move(failed));
      return false;
    }
    SmallVector<StringRef> words(testWords.begin(), testWords.end());
    words.push_back(candidate);
    std::optional<StringRef> nowhere[] = {StringRef(), StringRef(), StringRef()};
    return sys::ExecuteAndWait(*program, words, std::nullopt, nowhere, timeout) == 0;
  };
  if (!isInteresting(*module))
    return problem.empty() ? fail(1, "the test does not find the fault in " + inputPath + " itself: it must end with exit code 0 there")
                           : fail(3, problem);
  int64_t before = countOps(*module);
  // It may take long; somebody who looks on sees that it goes forward.
  bool isWatched = sys::Process::StandardErrIsDisplayed();
  unsigned tests = 0;
  auto lastTold = std::chrono::steady_clock::now();
  auto testAndTell = [&](mlir::ModuleOp tested) {
    bool result = isInteresting(tested);
    ++tests;
    auto now = std::chrono::steady_clock::now();
    if (isWatched && now - lastTold > std::chrono::seconds(2)) {
      lastTold = now;
      errs() << "  " << tests << " tests, " << countOps(tested) << " of " << before << " ops\n";
    }
    return result;
  };
  Reducer reducer(std::move(module), testAndTell);
  reducer.run();
  if (Error failed = writeModule(reducer.getModule(), path))
    return fail(3, toString(std::move(failed)));
  outs() << path << ": " << countOps(reducer.getModule()) << " of " << before << " ops are left, after " << reducer.getTestCount() << " tests\n";
  return 0;
}
