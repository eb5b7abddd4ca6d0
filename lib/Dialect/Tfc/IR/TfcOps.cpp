//===- TfcOps.cpp - Generated definitions of the ops -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tfc;

//===----------------------------------------------------------------------------------------------===//
// custom<DimExpr> and custom<DimExprList>: expressions without their #tfc.expr<> wrapping
//===----------------------------------------------------------------------------------------------===//

static ParseResult parseDimExpr(OpAsmParser &parser, DimExprAttr &expr) {
  FailureOr<DimExprAttr> parsed = DimExprAttr::parseExpr(parser);
  if (failed(parsed))
    return failure();
  expr = *parsed;
  return success();
}

static void printDimExpr(OpAsmPrinter &printer, Operation *, DimExprAttr expr) { expr.printExpr(printer.getStream()); }

static ParseResult parseDimExprList(OpAsmParser &parser, ArrayAttr &exprs) {
  SmallVector<Attribute> list;
  auto parseOne = [&]() -> ParseResult {
    FailureOr<DimExprAttr> parsed = DimExprAttr::parseExpr(parser);
    if (failed(parsed))
      return failure();
    list.push_back(*parsed);
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parseOne))
    return failure();
  exprs = parser.getBuilder().getArrayAttr(list);
  return success();
}

static void printDimExprList(OpAsmPrinter &printer, Operation *op, ArrayAttr exprs) {
  printer << '[';
  llvm::interleaveComma(exprs, printer, [&](Attribute expr) { printDimExpr(printer, op, cast<DimExprAttr>(expr)); });
  printer << ']';
}

#define GET_OP_CLASSES
#include "tfc/Dialect/Tfc/IR/TfcOps.cpp.inc"
