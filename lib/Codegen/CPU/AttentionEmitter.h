//===- AttentionEmitter.h - The loops of one attention --------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_LIB_CODEGEN_CPU_ATTENTIONEMITTER_H
#define TFC_LIB_CODEGEN_CPU_ATTENTIONEMITTER_H

#include "AttentionOperands.h"

namespace mlir::tfc {

/// Writes the body of a kernel that is one attention.
class AttentionEmitter {
public:
  AttentionEmitter(OpBuilder &builder, KernelFrame frame, const Attention &problem,
                   const ::tfc::AttentionSchedule &schedule);

  DimExprAttr tileCount() const;
  DimExprAttr scratchBytes() const;
  void emit();

private:
  int64_t tileRows() const;
  std::optional<bool> areFew() const;
  Value isCut();
  void emitTile(Value tile);
  void emitRows();
  void emitFew();
  void emitOneByOne(Value first, Value end);
  void emitBlock();

  KernelFrame frame;
  const Attention &p;
  const ::tfc::AttentionSchedule &s;
  VectorEmitter e;
  Value scratch, firstRow; // of the tile's rows
  AttentionOperands o;     // at the tile's batch and heads
};

} // namespace mlir::tfc

#endif // TFC_LIB_CODEGEN_CPU_ATTENTIONEMITTER_H
