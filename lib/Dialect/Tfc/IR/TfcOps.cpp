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

/// ODS checks that optional operands come at most once, but not that the others come at all: segment sizes of [3, 0, 0]
/// would leave an accessor beyond the operands.
static LogicalResult verifyRequiredSegments(Operation *op, size_t required) {
  auto sizes = dyn_cast_or_null<DenseI32ArrayAttr>(op->getInherentAttr("operandSegmentSizes").value_or(Attribute()));
  if (!sizes || !llvm::all_of(sizes.asArrayRef().take_front(required), [](int32_t size) { return size == 1; }))
    return op->emitOpError("each required operand has a segment of size 1");
  return success();
}

LogicalResult mlir::tfc::verifyKnownDims(Operation *op) {
  if (isa<AttentionOp>(op) && failed(verifyRequiredSegments(op, 3)))
    return failure();
  if (isa<LayerNormOp>(op) && failed(verifyRequiredSegments(op, 1)))
    return failure();
  auto check = [&](TypeRange types) -> LogicalResult {
    for (Type type : types)
      if (isa<TensorType>(type) && !hasKnownDims(type))
        return op->emitOpError(kKnownDimsMessage) << type;
    return success();
  };
  return success(succeeded(check(op->getOperandTypes())) && succeeded(check(op->getResultTypes())));
}

//===----------------------------------------------------------------------------------------------===//
// custom<DimExpr> and custom<DimExprList>: expressions without their attribute wrapping
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

/// `[a, b] : tensor<2xi64>`
static ParseResult parseDimValues(OpAsmParser &parser, DimValuesAttr &values) {
  ArrayAttr exprs;
  Type type;
  if (parseDimExprList(parser, exprs) || parser.parseColonType(type))
    return failure();
  SmallVector<DimExprAttr> list;
  for (Attribute expr : exprs)
    list.push_back(cast<DimExprAttr>(expr));
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (failed(DimValuesAttr::verify([&] { return parser.emitError(parser.getNameLoc()); }, list, tensor)))
    return failure();
  values = DimValuesAttr::get(parser.getContext(), list, tensor);
  return success();
}

static void printDimValues(OpAsmPrinter &printer, Operation *, DimValuesAttr values) {
  printer << '[';
  llvm::interleaveComma(values.getValues(), printer, [&](DimExprAttr expr) { expr.printExpr(printer.getStream()); });
  printer << "] : " << values.getType();
}

#define GET_OP_CLASSES
#include "tfc/Dialect/Tfc/IR/TfcOps.cpp.inc"
