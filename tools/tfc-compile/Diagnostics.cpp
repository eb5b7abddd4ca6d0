//===- Diagnostics.cpp - One line per diagnostic -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "Diagnostics.h"
#include "Reproducer.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace mlir;

namespace {

constexpr size_t kMaxLine = 2000;

/// Where in the model: the node's name, or a place in a file; "" where neither is known.
std::string describe(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    std::string place = "node '" + name.getName().str() + "'";
    return place;
  }
  if (auto file = dyn_cast<FileLineColLoc>(loc)) {
    std::string place = file.getFilename().str();
    if (file.getLine() > 0)
      place += ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
    return place;
  }
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string place = describe(part); !place.empty())
        return place;
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return describe(call.getCallee());
  return "";
}

} // namespace

void tfc::printLine(StringRef text) {
  std::string line;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      line += c == '\n' ? std::string(" ") : "\\x" + llvm::toHex(StringRef(&c, 1));
    else
      line += c;
    if (line.size() > kMaxLine) {
      line += "...";
      break;
    }
  }
  llvm::errs() << line << '\n';
}

namespace {

LogicalResult print(Diagnostic &diagnostic) {
  const char *severity = diagnostic.getSeverity() == DiagnosticSeverity::Error     ? "error: "
                         : diagnostic.getSeverity() == DiagnosticSeverity::Warning ? "warning: "
                                                                                   : "note: ";
  std::string place = describe(diagnostic.getLocation());
  tfc::printLine(severity + (place.empty() ? "" : place + ": ") + diagnostic.str());
  return success();
}

void endWithLine(const char *text) {
  // Only async-signal-safe calls from here on.
  (void)!write(STDERR_FILENO, text, strlen(text));
  _exit(3);
}

void onFatalError(void *, const char *reason, bool) {
  tfc::printLine(std::string("error: internal error of the compiler: ") + reason);
  tfc::startReproducer();
  _exit(3);
}

void onBadAlloc(void *, const char *, bool) { endWithLine("error: out of memory\n"); }

void onSignal(int) {
  const char *text = "error: internal error of the compiler: it crashed; please report the input\n";
  (void)!write(STDERR_FILENO, text, strlen(text));
  tfc::startReproducer();
  _exit(3);
}

} // namespace

tfc::LineDiagnostics::LineDiagnostics(MLIRContext &context) : handler(&context, print) {}

void tfc::installCrashHandlers() {
  llvm::install_fatal_error_handler(onFatalError);
  llvm::install_bad_alloc_error_handler(onBadAlloc);
  // A stack of its own, so that running out of stack is reported too.
  static char stack[64 * 1024];
  stack_t alternative = {};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof(stack);
  sigaltstack(&alternative, nullptr);
  struct sigaction action = {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_ONSTACK;
  for (int number : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE})
    sigaction(number, &action, nullptr);
  // A file that may not grow is an error of the write, like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
}
