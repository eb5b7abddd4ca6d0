//===- Passes.td - Passes that lower tfc ops to linalg ---------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CONVERSION_TFCTOLINALG_PASSES
#define TFC_CONVERSION_TFCTOLINALG_PASSES

include "mlir/Pass/PassBase.td"

def ConvertToLinalg : Pass<"tfc-convert-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "the plain lowering of tfc ops to linalg, tensor, scf, arith and math";
  let description = [{
    Lowers every tfc op of a function that computes something. Encodings are stripped from all types: bool tensors
    become bytes that hold 0 or 1, unsigned integers signless. An argument's `#tfc.dims` stays as its attribute
    `tfc.dims`, so that `tfc-lower-dims` finds the symbols. What is left of tfc are `tfc.dim` (sizes) and
    `tfc.check_index` (indices from data). A function that is a program of launches (it has a `tfc.launch`) and a
    function without a body are left alone.

    ```mlir
    func.func @f(%x: tensor<?xi1, #tfc.dims<n>>) -> tensor<?xi1, #tfc.dims<n>>
    // becomes
    func.func @f(%x: tensor<?xi8> {tfc.dims = #tfc.dims<n>}) -> tensor<?xi8>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::tfc::TfcDialect"];
}

def LowerDims : Pass<"tfc-lower-dims", "::mlir::func::FuncOp"> {
  let summary = "turns tfc.dim into arithmetic on the values of the function's symbols";
  let description = [{
    The value of a symbol is the index argument with the attribute `tfc.symbol = "name"`, else the dim of an argument
    whose `#tfc.dims` (its type's encoding, or its attribute `tfc.dims`) is the bare symbol. A symbol found in
    neither way is an error. Division and remainder by zero give 0.

    ```mlir
    %n = tfc.dim 2 * s0
    // becomes
    %d = tensor.dim %x, %c0 : tensor<?xf32>
    %n = arith.muli %d, %c2 : index
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def LowerRowReductions : Pass<"tfc-lower-row-reductions", "::mlir::func::FuncOp"> {
  let summary = "float reductions over the last loop of a linalg.generic become vector loops in a fixed order";
  let description = [{
    Applies to a bufferized linalg.generic whose last loop is a reduction, with one result of a float type that does
    not depend on that loop, and whose body ends in addf, mulf, maximumf, minimumf or maxnumf of the accumulator and
    an element. An element that is arithmetic becomes vectors, one that reads at indices of its own is computed lane by
    lane, in the same order. Other ops are left alone.

    The order of the sum depends on the length n of the row alone: 4 accumulators of 16 lanes take blocks of 64
    elements; they are added as (0 + 1) + (2 + 3); the result takes the blocks of 16 that are left, and one masked
    block for the rest; the 16 lanes are added in a tree (lane i and i + 8, then i + 4, i + 2, i + 1). So results do
    not depend on tiles or threads, and LLVM needs no permission to reorder.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // TFC_CONVERSION_TFCTOLINALG_PASSES
