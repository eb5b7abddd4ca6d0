//===- Diagnostics.h - One line per diagnostic -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TOOLS_TFC_COMPILE_DIAGNOSTICS_H
#define TFC_TOOLS_TFC_COMPILE_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"

namespace tfc {

/// Prints each diagnostic of the context as one line on standard error: "error: node 'Gather_3': message". Names come
/// from models, so control characters are escaped and over-long lines cut.
class LineDiagnostics {
public:
  explicit LineDiagnostics(mlir::MLIRContext &context);

private:
  mlir::ScopedDiagnosticHandler handler;
};

/// Prints a text on standard error as one line, in the same way.
void printLine(llvm::StringRef text);

/// LLVM's fatal errors, allocation failures and crashing signals end the process with code 3 and one line.
void installCrashHandlers();

} // namespace tfc

#endif // TFC_TOOLS_TFC_COMPILE_DIAGNOSTICS_H
