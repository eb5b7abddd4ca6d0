//===- Reducer.h - A smaller module that still does it -*- C++ -*-----------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_TOOLS_TFC_REDUCE_REDUCER_H
#define TFC_TOOLS_TFC_REDUCE_REDUCER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <functional>

namespace mlir::tfc {

/// Delta debugging of a module: takes away results of functions, ops, arguments, symbols and slots of memory plans, ever smaller pieces
/// at a time, as long as the test finds the rest interesting. An op whose result is used gives way to an operand of the same type, or to a new argument
/// of its function. Every module that is tested is valid.
class Reducer {
public:
  /// `isInteresting` is asked with valid modules only, and may be asked often.
  Reducer(OwningOpRef<ModuleOp> module, std::function<bool(ModuleOp)> isInteresting)
      : best(std::move(module)), isInteresting(std::move(isInteresting)) {}

  /// Reduces until nothing more can go.
  void run();

  ModuleOp getModule() { return *best; }
  /// How often the test was asked.
  int64_t getTestCount() const { return tests; }

private:
  /// What one kind of step can take away: `count` places in the best module, and how to take the places [first, last) of a copy.
  struct Kind {
    llvm::function_ref<size_t(ModuleOp)> count;
    llvm::function_ref<void(ModuleOp, size_t first, size_t last)> take;
  };
  /// Takes away halves, quarters, ... and single places, from the last to the first.
  bool reduce(const Kind &kind);
  /// Makes the copy the best module if it is valid, another one, and interesting.
  bool accept(OwningOpRef<ModuleOp> candidate);

  OwningOpRef<ModuleOp> best;
  std::function<bool(ModuleOp)> isInteresting;
  int64_t tests = 0;
};

/// Ops of all kinds that the module has.
int64_t countOps(ModuleOp module);

} // namespace mlir::tfc

#endif // TFC_TOOLS_TFC_REDUCE_REDUCER_H
