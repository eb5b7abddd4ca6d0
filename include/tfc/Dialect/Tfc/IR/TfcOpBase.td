//===- TfcOpBase.td - Types, traits and constraints shared by the ops ---------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCOPBASE
#define TFC_DIALECT_TFC_IR_TFCOPBASE

include "mlir/IR/OpBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tfc/Dialect/Tfc/IR/TfcAttributes.td"
include "tfc/Dialect/Tfc/IR/TfcInterfaces.td"

// Element types are ONNX's: signless integers are signed, `i1` is bool (one byte in memory).
def Tfc_SInt : AnyTypeOf<[I<4>, I8, I16, I32, I64], "signed integer">;
def Tfc_UInt : AnyTypeOf<[UI<4>, UI8, UI16, UI32, UI64], "unsigned integer">;
def Tfc_Float8 : AnyTypeOf<[F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ], "8-bit float">;
def Tfc_FloatElement : AnyTypeOf<[F16, BF16, F32, F64], "float">;
def Tfc_IntElement : AnyTypeOf<[Tfc_SInt, Tfc_UInt], "integer">;
def Tfc_NumberElement : AnyTypeOf<[Tfc_FloatElement, Tfc_IntElement], "number">;
def Tfc_AnyElement : AnyTypeOf<[Tfc_NumberElement, Tfc_Float8, I1], "number or bool">;

def Tfc_Tensor : RankedTensorOf<[Tfc_AnyElement]>;
def Tfc_FloatTensor : RankedTensorOf<[Tfc_FloatElement]>;
def Tfc_IntTensor : RankedTensorOf<[Tfc_IntElement]>;
def Tfc_IndexTensor : RankedTensorOf<[I32, I64]>;
def Tfc_NumberTensor : RankedTensorOf<[Tfc_NumberElement]>;
def Tfc_BoolTensor : RankedTensorOf<[I1]>;

// (C0) of every op: each tensor it takes or gives has known dims (see Dims.h).
def Tfc_KnownDims : NativeOpTrait<"KnownDims"> {
  let cppNamespace = "::mlir::tfc";
}

class Tfc_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tfc_Dialect, mnemonic, !listconcat([Tfc_KnownDims], traits)>;

// An op whose result types follow from its operands and attributes. Build these through `tfc::buildOp`, which turns
// operands that do not fit into a diagnostic.
class Tfc_InferredOp<string mnemonic, list<Trait> traits = []>
    : Tfc_Op<mnemonic, !listconcat([Pure, InferTypeOpAdaptor], traits)>;

#endif // TFC_DIALECT_TFC_IR_TFCOPBASE
