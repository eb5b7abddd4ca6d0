//===- Serve.h - Several clients of one model -----------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_SERVE_H
#define TFC_RUN_SERVE_H

#include "Options.h"
#include "Session/Session.h"

namespace tfc {

/// How many requests a second the model answers, for each number of clients that --clients names: a thread each, with a context of its
/// own over the same weights.
Status serveModel(const Options &options, Session &session);

} // namespace tfc

#endif // TFC_RUN_SERVE_H
