//===- TfcDialect.cpp - Registration of the dialect -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#include "tfc/Dialect/Tfc/IR/TfcOps.h"
#include "tfc/Weights/WeightFiles.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tfc;

#include "tfc/Dialect/Tfc/IR/TfcDialect.cpp.inc"
#include "tfc/Dialect/Tfc/IR/TfcEnums.cpp.inc"
#include "tfc/Dialect/Tfc/IR/TfcInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "tfc/Dialect/Tfc/IR/TfcAttributes.cpp.inc"

void TfcDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tfc/Dialect/Tfc/IR/TfcAttributes.cpp.inc"
      >();
}

void TfcDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "tfc/Dialect/Tfc/IR/TfcOps.cpp.inc"
      >();
  weightFiles = std::make_shared<::tfc::WeightFiles>();
}

::tfc::WeightFiles &TfcDialect::getWeightFiles() { return *weightFiles; }

Operation *TfcDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  if (auto values = dyn_cast<DimValuesAttr>(value); values && values.getType() == type)
    return DimValuesOp::create(builder, loc, values);
  if (auto elements = dyn_cast<ElementsAttr>(value); elements && elements.getType() == type)
    return ConstantOp::create(builder, loc, elements);
  return nullptr;
}
