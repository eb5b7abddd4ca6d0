//===- TfcNormalizationOps.td - Softmax and norms -------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_IR_TFCNORMALIZATIONOPS
#define TFC_DIALECT_TFC_IR_TFCNORMALIZATIONOPS

include "tfc/Dialect/Tfc/IR/TfcOpBase.td"

def Tfc_SoftmaxOp : Tfc_InferredOp<"softmax"> {
  let summary = "exp(x - max) / sum of exp(x - max) along one axis";
  let description = [{
    With `log`, the logarithm of it. A row of only -inf gives NaN.

    (C1) axis is in [0, rank).

    ```mlir
    %y = tfc.softmax %x axis 3 : tensor<?x12x?x?xf32, #tfc.dims<b, 12, s, s>>
    ```
  }];
  let arguments = (ins Tfc_FloatTensor:$x, I64Attr:$axis, UnitAttr:$log);
  let results = (outs Tfc_FloatTensor:$y);
  let assemblyFormat = "$x `axis` $axis attr-dict `:` type($x)";
}

def Tfc_LayerNormOp : Tfc_InferredOp<"layer_norm", [DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>, AttrSizedOperandSegments]> {
  let summary = "(x - mean) / sqrt(variance + epsilon) * scale + bias over the dims from axis on";
  let description = [{
    Mean and variance are taken in f32 (f64 for f64), the variance of the centred values. (Ba et al., arXiv 1607.06450.)

    (C1) axis is in [0, rank). (C2) scale and bias have x's element type and broadcast to x's dims. (C3) epsilon is finite and not negative.

    ```mlir
    %y = tfc.layer_norm %x scale %g bias %b axis 2 epsilon 1.0e-12 : (...) -> ...
    ```
  }];
  let arguments = (ins Tfc_FloatTensor:$x, Optional<Tfc_FloatTensor>:$scale, Optional<Tfc_FloatTensor>:$bias, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs Tfc_FloatTensor:$y);
  let assemblyFormat = "$x (`scale` $scale^)? (`bias` $bias^)? `axis` $axis `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

def Tfc_RmsNormOp : Tfc_InferredOp<"rms_norm", [DeclareOpInterfaceMethods<Tfc_RequirementsOpInterface>]> {
  let summary = "x / sqrt(mean(x^2) + epsilon) * scale over the dims from axis on";
  let description = [{
    The mean is taken in f32 (f64 for f64). (Zhang and Sennrich, arXiv 1910.07467.)

    (C1) axis is in [0, rank). (C2) scale has x's element type and broadcasts to x's dims. (C3) epsilon is finite and not negative.
  }];
  let arguments = (ins Tfc_FloatTensor:$x, Optional<Tfc_FloatTensor>:$scale, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs Tfc_FloatTensor:$y);
  let assemblyFormat = "$x (`scale` $scale^)? `axis` $axis `epsilon` $epsilon attr-dict `:` functional-type(operands, results)";
}

#endif // TFC_DIALECT_TFC_IR_TFCNORMALIZATIONOPS
