//===- CommandLine.h - The options of tfc-compile -*- C++ -*- -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TOOLS_TFC_COMPILE_COMMANDLINE_H
#define TFC_TOOLS_TFC_COMPILE_COMMANDLINE_H

#include "tfc/Pipeline/Compiler.h"

#include "tfc/Verify/VerifyFusion.h"

#include <optional>

namespace tfc {

struct CommandLine {
  mlir::tfc::CompileInput input;
  mlir::tfc::CompileOptions options;
  std::string reportPath;
  std::string reproducerFolder; ///< Where the search for a crash writes; empty: beside the output.
  bool searchesCrash = false;   ///< This process is that search.
  bool keepsReproducer = true;
  bool verbose = false;
  bool explainFusion = false;
  bool verifyFusion = false;
  bool json = false;        ///< What is found goes to standard output as JSON.
  bool writesOutput = true; ///< A verification writes an output only when one is asked for.
  mlir::tfc::VerifyOptions verify;
};

/// Reads the command line. Nothing comes back when the process should end with `exitCode`: 0 after --help or
/// --version, 2 after a usage error, which has been printed.
std::optional<CommandLine> parseCommandLine(int argc, char **argv, int &exitCode);

} // namespace tfc

#endif // TFC_TOOLS_TFC_COMPILE_COMMANDLINE_H
