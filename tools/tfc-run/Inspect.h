//===- Inspect.h - Runs that are looked into ------------------------------------------------------*- C++ -*-===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===-----------------------------------------------------------------------------------------------------===//

#ifndef TFC_RUN_INSPECT_H
#define TFC_RUN_INSPECT_H

#include "Options.h"
#include "Session/Session.h"

namespace tfc {

/// One run of an opened model for --check-nan, --dump-tensors or --compare-with.
Status inspectModel(const Options &options, Session &session);

} // namespace tfc

#endif // TFC_RUN_INSPECT_H
