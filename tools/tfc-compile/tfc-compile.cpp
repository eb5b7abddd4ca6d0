//===- tfc-compile.cpp - From a Transformer graph to a shared library -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "CommandLine.h"
#include "Diagnostics.h"
#include "Reproducer.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::tfc;

/// Stages that take long say so on a terminal; with -v every stage does.
static void printStage(bool verbose, llvm::StringRef stage, double milliseconds) {
  bool isLong = milliseconds > 2000 && llvm::sys::Process::StandardErrIsDisplayed();
  if (verbose || isLong)
    llvm::errs() << llvm::format("  %-8s %8.1f ms\n", stage.str().c_str(), milliseconds);
}

static bool writeReport(llvm::json::Value report, const std::string &path) {
  std::error_code error;
  llvm::raw_fd_ostream os(path, error);
  if (!error) {
    os << llvm::formatv("{0:2}\n", report);
    os.flush();
    error = os.error();
  }
  os.clear_error();
  if (error)
    llvm::errs() << "error: cannot write " << path << ": " << error.message() << '\n';
  return !error;
}

/// Compares what fusions make of the graph with the graph, and tells.
static CompileStatus verify(mlir::MLIRContext &context, const tfc::CommandLine &line, FusionVerification &found) {
  CompileStatus status = verifyFusion(context, line.input, line.options, line.verify, found);
  if (status != CompileStatus::Success && status != CompileStatus::CheckFailed)
    return status;
  if (line.json)
    llvm::outs() << llvm::formatv("{0:2}\n", found.toJSON());
  else
    llvm::outs() << found.formatTable();
  return status;
}

int main(int argc, char **argv) {
  tfc::installCrashHandlers();
  int exitCode = 2;
  std::optional<tfc::CommandLine> line = tfc::parseCommandLine(argc, argv, exitCode);
  if (!line)
    return exitCode;
  if (line->searchesCrash)
    return tfc::searchReproducer(std::move(*line));
  if (line->keepsReproducer)
    tfc::prepareReproducer(argc, argv);
  bool verbose = line->verbose;
  line->options.onStage = [verbose](llvm::StringRef stage, double ms) { printStage(verbose, stage, ms); };

  mlir::DialectRegistry registry;
  registerTfcDialects(registry);
  mlir::MLIRContext context(registry);
  tfc::LineDiagnostics diagnostics(context);
  Compiler compiler(context, line->options);
  CompileStatus status = CompileStatus::Success;
  FusionVerification found;
  if (line->verifyFusion)
    status = verify(context, *line, found);
  if (status == CompileStatus::Success && line->writesOutput)
    status = compiler.run(line->input);
  if (line->explainFusion)
    for (const FusionRemark &remark : compiler.getReport().getFusions())
      tfc::printLine(format(remark));
  if (compiler.hasFailedPass())
    tfc::startReproducer();
  // A check that failed is a reason to look at the report.
  if (status != CompileStatus::Success && status != CompileStatus::CheckFailed)
    return static_cast<int>(status);
  llvm::json::Value report = compiler.getReport().toJSON();
  if (line->verifyFusion)
    (*report.getAsObject())["verify_fusion"] = found.toJSON();
  if (!line->reportPath.empty() && !writeReport(std::move(report), line->reportPath))
    return 2;
  if (status != CompileStatus::Success)
    return static_cast<int>(status);
  if (verbose)
    for (const Report::Program &program : compiler.getReport().getPrograms())
      llvm::errs() << "  " << program.target << ": " << program.kernels << " kernels, " << program.fallbacks << " of them on the generic road and "
                   << program.tensorCoreKernels << " on tensor cores; "
                   << (program.fetches ? "runs without a graph, for it reads back at " + std::to_string(program.fetches) + " places"
                                       : std::string("one graph per shape"))
                   << '\n';
  if (verbose)
    llvm::errs() << llvm::format("  %zu kernels (%zu from the cache), %zu launches, peak memory %.0f MB\n",
                                 compiler.getReport().getKernelCount(), compiler.getReport().getReusedKernelCount(),
                                 compiler.getReport().getLaunchCount(), getPeakMemory() / 1e6);
  return 0;
}
