//===- Reproducer.h - After a crash: the smallest compilation that crashes -*- C++ -*-------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TOOLS_TFC_COMPILE_REPRODUCER_H
#define TFC_TOOLS_TFC_COMPILE_REPRODUCER_H

namespace tfc {
struct CommandLine;

/// Remembers how the program was called, so that a crash can call it once more, to find out where. Compilations that go
/// well pay nothing for it.
void prepareReproducer(int argc, char **argv);

/// Gives the process to the search. Safe in a signal handler. Comes back when there is nothing to search: the search itself crashed,
/// or it cannot be started.
void startReproducer();

/// The search: the compilation once more, every stage first in a process of its own. Where that ends badly, the module before the
/// stage is written with the passes that end it. Always the exit code of a defect.
int searchReproducer(CommandLine line);

} // namespace tfc

#endif // TFC_TOOLS_TFC_COMPILE_REPRODUCER_H
