//===- TfcInterfaces.td - What passes ask of ops -------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCINTERFACES
#define TFC_DIALECT_TFC_IR_TFCINTERFACES

include "mlir/IR/OpBase.td"

def Tfc_ElementwiseOpInterface : OpInterface<"ElementwiseOpInterface"> {
  let cppNamespace = "::mlir::tfc";
  let description = [{
    One result element from one element of each operand, operands broadcast by numpy's rule to the result's shape.
    What the element is stands in one place: `Conversion/TfcToLinalg/EmitElementwise`.
  }];
}

def Tfc_RequirementsOpInterface : OpInterface<"RequirementsOpInterface"> {
  let cppNamespace = "::mlir::tfc";
  let description = [{
    Dims of the operands that the op needs to be equal (or broadcastable) but that the types alone do not prove so.
    `tfc-insert-requirements` turns them into `tfc.require` ops, checked when a run's symbols are bound.
  }];
  let methods = [InterfaceMethod<"Adds what must hold beyond what the types prove.", "void", "collectRequirements",
    (ins "::llvm::SmallVectorImpl<::mlir::tfc::Requirement> &":$requirements)>];
}

def Tfc_CheckedIndexOpInterface : OpInterface<"CheckedIndexOpInterface"> {
  let cppNamespace = "::mlir::tfc";
  let description = [{
    The op reads indices from data and addresses memory with them. Its lowering checks each one where it is used,
    through `tfc.check_index`; a bad one ends the run with an error that names node, tensor and value.
  }];
  let methods = [InterfaceMethod<"The operand that holds the indices.", "::mlir::OpOperand &", "getIndexOperand">];
}

#endif // TFC_DIALECT_TFC_IR_TFCINTERFACES
