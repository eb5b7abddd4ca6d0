//===- Passes.td - Passes from graph to graph -----------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_DIALECT_TFC_TRANSFORMS_PASSES
#define TFC_DIALECT_TFC_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def SimplifyGraph : Pass<"tfc-simplify-graph", "::mlir::ModuleOp"> {
  let summary = "one spelling for what graphs spell in many ways";
  let description = [{
    Applies the folds and canonicalizations of the dialect, common subexpression elimination, and the rewrites below
    until nothing changes; then drops dead ops and weights that nothing refers to. What is left has no shape
    arithmetic that the dims of the arguments decide.

    - an expand in front of an elementwise op that broadcasts anyway goes;
    - a gather with one constant index becomes a slice and a reshape (which checks nothing at run time);
    - a transpose that only moves dims of length 1 becomes a reshape;
    - an expand that only adds dims of length 1 becomes a reshape.

    ```mlir
    %e = tfc.expand %m : tensor<1x64xf32> -> tensor<?x64xf32, #tfc.dims<n, 64>>
    %s = tfc.add %x, %e : tensor<?x64xf32, #tfc.dims<n, 64>>, tensor<?x64xf32, #tfc.dims<n, 64>>
    // becomes
    %s = tfc.add %x, %m : tensor<?x64xf32, #tfc.dims<n, 64>>, tensor<1x64xf32>
    ```
  }];
  let statistics = [Statistic<"erasedWeights", "erased-weights", "Number of weights that nothing refers to">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def FoldConstants : Pass<"tfc-fold-constants", "::mlir::ModuleOp"> {
  let summary = "what is computed from weights alone becomes a weight";
  let description = [{
    A transpose, slice, reshape, expand or cast of a weight becomes a weight with another layout of the same bytes,
    where a strided view can say it; nothing is copied until the artifact is written. A matmul with a
    transposed weight takes the weight in the layout `[K, N]`, unless the same bytes are also used in their own
    layout (a tied weight is stored once, and the matmul keeps `transpose_b`). Equal views share one weight.

    ```mlir
    %w = tfc.weight_ref @w : tensor<3072x768xf32>
    %t = tfc.transpose %w [1, 0] : tensor<3072x768xf32>
    // becomes
    tfc.weight @w_view : tensor<768x3072xf32> = #tfc.file<...> layout <0, [1, 768]>
    %t = tfc.weight_ref @w_view : tensor<768x3072xf32>
    ```
  }];
  let statistics = [Statistic<"foldedViews", "folded-views", "Number of ops folded into layouts of weights">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def DecomposeOps : Pass<"tfc-decompose-ops", "::mlir::func::FuncOp"> {
  let summary = "ops without a lowering of their own become ops that have one";
  let description = [{
    tfc.attention becomes matmuls, a softmax and elementwise ops, as its definition says them: scale, bias, mask,
    causal bound, grouped heads, past, and each meaning of a fully masked row.

    ```mlir
    %o = tfc.attention %q, %k, %v {scale = 0.125 : f32} : (...) -> ...
    // becomes
    %s = tfc.matmul %q, %k {transpose_b} : ...
    %t = tfc.mul %s, %scale : ...
    %p = tfc.softmax %t axis 3 : ...
    %o = tfc.matmul %p, %v : ...
    ```
  }];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

#endif // TFC_DIALECT_TFC_TRANSFORMS_PASSES
