//===- LocalSymbols.h - A kernel's own names for main's symbols -*- C++ -*- -------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_LOCALSYMBOLS_H
#define TFC_CODEGEN_COMMON_LOCALSYMBOLS_H

#include "tfc/Dialect/Tfc/IR/TfcDialect.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::tfc {

/// Names the symbols of types and attributes s0, s1, ... in the order they are first seen. Two groups of ops
/// that differ only in the names of their symbols come out the same.
class LocalSymbols {
public:
  LocalSymbols();
  // The walker and the replacer hold references to this object.
  LocalSymbols(const LocalSymbols &) = delete;
  LocalSymbols &operator=(const LocalSymbols &) = delete;

  /// Notes the symbols of a type or attribute.
  void add(Type type) { walker.walk<WalkOrder::PreOrder>(type); }
  void add(Attribute attribute) { walker.walk<WalkOrder::PreOrder>(attribute); }
  /// The types of the op's operands and results, and its attributes.
  void add(Operation *op);

  /// With symbols replaced by their local names. Everything must have been added before the first call.
  Type localize(Type type) { return replacer.replace(type); }
  DimExprAttr localize(DimExprAttr expr);
  /// Replaces the op's attributes and result types in place, Locations stay.
  void localize(Operation *op) {
    replacer.replaceElementsIn(op, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
  }

  size_t size() const { return symbols.size(); }
  /// Main's expressions, in the order of the local names.
  SmallVector<Attribute> getMainSymbols(MLIRContext *context) const;

private:
  llvm::SetVector<StringAttr> symbols;
  AttrTypeWalker walker;
  AttrTypeReplacer replacer;
};

/// The name of local symbol `index`.
std::string getLocalSymbolName(size_t index);

} // namespace mlir::tfc

#endif // TFC_CODEGEN_COMMON_LOCALSYMBOLS_H
