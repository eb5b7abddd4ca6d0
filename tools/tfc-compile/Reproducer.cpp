//===- Reproducer.cpp - After a crash: the smallest compilation that crashes ---------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Reproducer.h"
#include "CommandLine.h"
#include "Diagnostics.h"

#include "tfc/Pipeline/WriteModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace mlir;
using namespace mlir::tfc;

constexpr const char *kFlag = "--write-reproducer";

static std::vector<char *> arguments; ///< Of the search; empty when this process is the search.

void ::tfc::prepareReproducer(int argc, char **argv) {
  for (int i = 0; i < argc; ++i)
    if (StringRef(argv[i]) == kFlag)
      return;
  // The last word may stand behind "--", where no flag is read any more.
  arguments.push_back(argv[0]);
  arguments.push_back(const_cast<char *>(kFlag));
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  arguments.push_back(nullptr);
}

void ::tfc::startReproducer() {
  if (arguments.empty())
    return;
  // A signal that is being handled is blocked, and would stay so.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv("/proc/self/exe", arguments.data());
}

namespace {

/// Tells a pipe which pass is running.
class TellPasses : public PassInstrumentation {
public:
  explicit TellPasses(int pipe) : pipe(pipe) {}
  void runBeforePass(Pass *pass, Operation *) override {
    // An adaptor stands for the passes on functions inside of it, which are told of themselves.
    std::string name = pass->getArgument().str();
    if (!name.empty())
      (void)!write(pipe, (name + "\n").c_str(), name.size() + 1);
  }

private:
  int pipe;
};

/// What became of a try in a process of its own.
struct Try {
  bool isFine = false;
  std::string pass; ///< The last that began.
  std::string how;  ///< "signal 11", "a failure"
};

class Search {
public:
  explicit Search(std::string path) : path(std::move(path)) {}

  LogicalResult guard(ModuleOp module, PassManager *passes, llvm::function_ref<LogicalResult()> work);
  std::string found;

private:
  Try tryApart(PassManager *passes, llvm::function_ref<LogicalResult()> work);
  void write(ModuleOp module, PassManager *passes, const Try &ended);

  std::string path;
};

} // namespace

Try Search::tryApart(PassManager *passes, llvm::function_ref<LogicalResult()> work) {
  Try result;
  int ends[2];
  if (pipe(ends))
    return result;
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    // What it says has been said by the compilation that crashed.
    (void)!freopen("/dev/null", "w", stderr);
    if (passes)
      passes->addInstrumentation(std::make_unique<TellPasses>(ends[1]));
    _exit(succeeded(work()) ? 0 : 1);
  }
  close(ends[1]);
  std::string told;
  char buffer[4096];
  for (ssize_t size; child > 0 && (size = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    told.append(buffer, size_t(size));
    // The names of thousands of passes are of no use, the last one is.
    if (told.size() > sizeof(buffer))
      told.erase(0, told.size() - sizeof(buffer));
  }
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    return result;
  result.isFine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  result.pass = StringRef(told).rtrim('\n').rsplit('\n').second.str();
  if (result.pass.empty())
    result.pass = StringRef(told).rtrim('\n').str();
  result.how = WIFSIGNALED(status) ? "crash with signal " + std::to_string(WTERMSIG(status))
               : WEXITSTATUS(status) == 3 ? "crash" : "failure";
  return result;
}

void Search::write(ModuleOp module, PassManager *passes, const Try &ended) {
  if (llvm::Error error = writeModule(module, path)) {
    found = "no reproducer: " + llvm::toString(std::move(error));
    return;
  }
  std::string pipeline;
  llvm::raw_string_ostream os(pipeline);
  if (passes)
    passes->printAsTextualPipeline(os);
  std::error_code error;
  llvm::raw_fd_ostream file(path, error, llvm::sys::fs::OF_Append);
  if (!error && passes) {
    file << "\n{-#\n  external_resources: {\n    mlir_reproducer: {\n      pipeline: \"";
    llvm::printEscapedString(pipeline, file);
    file << "\",\n      disable_threading: true,\n      verify_each: true\n    }\n  }\n#-}\n";
  }
  std::string where = ended.pass.empty() ? std::string(passes ? "the passes" : "making code") : "pass " + ended.pass;
  found = ended.how + " in " + where + "; " + (passes ? "tfc-opt --run-reproducer " : "tfc-compile ") + path + " repeats it";
  if (!error)
    file << "// " << found << "\n";
  file.close();
  file.clear_error();
}

LogicalResult Search::guard(ModuleOp module, PassManager *passes, llvm::function_ref<LogicalResult()> work) {
  Try ended = tryApart(passes, work);
  if (ended.isFine)
    return work();
  write(module, passes, ended);
  return failure();
}

int ::tfc::searchReproducer(CommandLine line) {
  SmallString<256> path(line.reproducerFolder);
  if (path.empty()) {
    path = line.options.outputPath == "-" ? StringRef("tfc-compile") : StringRef(line.options.outputPath);
  } else {
    (void)llvm::sys::fs::create_directories(path);
    llvm::sys::path::append(path, line.options.outputPath == "-" ? StringRef("tfc-compile") : llvm::sys::path::filename(line.options.outputPath));
  }
  path += ".reproducer.mlir";
  // What the compilation writes is not wanted a second time.
  SmallString<128> folder;
  if (llvm::sys::fs::createUniqueDirectory("tfc-reproducer", folder))
    return 3;
  llvm::scope_exit cleanUp([&] { (void)llvm::sys::fs::remove_directories(folder); });
  line.options.outputPath = (folder + "/output").str();
  line.options.headerPath.clear();
  line.options.saveStagesDir.clear();

  Search search(path.str().str());
  line.options.guard = [&](ModuleOp module, PassManager *passes, llvm::function_ref<LogicalResult()> work) {
    return search.guard(module, passes, work);
  };
  DialectRegistry registry;
  registerTfcDialects(registry);
  // Without threads, so that it can fork, and so that the pass that was told of last is the one that crashed.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
  (void)Compiler(context, line.options).run(line.input);
  ::tfc::printLine("note: " + (search.found.empty() ? "a second try, without threads, went further and met no crash" : search.found));
  return 3;
}
