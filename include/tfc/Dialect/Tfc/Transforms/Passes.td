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
    - a reshape that splits the rows of a slice comes before the slice, so that the rest is a view;
    - a gather with one constant index becomes a slice and a reshape (which checks nothing at run time);
    - a transpose that only moves dims of length 1 becomes a reshape;
    - an expand that only adds dims of length 1 becomes a reshape;
    - `a / (1 + exp(v))` becomes `a * sigmoid(-v)`, `max(x, 0)` becomes a relu, `2 * sigmoid(2 * x) - 1` a tanh;
    - a sum that is divided by the number of its elements becomes a mean; a reduction whose dims come back as ones keeps them;
    - rows that are unflattened behind an elementwise op or a product with a matrix are unflattened in front of it, so that what
      follows can share its kernel (Gemm wants flat rows, and exporters reshape around it);
    - a slice of columns that are then split into heads becomes a slice of heads;
    - a tile that repeats dims of length 1 only becomes an expand; a right operand `[1, k, n]` of a product becomes a matrix;
    - a product of activations whose last two dims are swapped becomes the product the other way round;
    - a slice of a triangle becomes a triangle of the slice, and so for masks made of triangles and numbers that are expanded: of a buffer
      for all positions only the part is made that a run uses.

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

def WidenHalfTypes : Pass<"tfc-widen-half-types", "::mlir::ModuleOp"> {
  let summary = "a graph of 16-bit floats is computed in f32";
  let description = [{
    Every op of f16 or bf16 that computes becomes one of f32, and the casts to f32 and back between such ops go: roundings are left out, none is
    added. What is not computed keeps its type: arguments, results, the operands of If and Loop, and what is put together from them (a past
    and new keys); there stand casts. An attention with a past of 16 bits is taken apart from it.

    What the graph rounded is kept for those who need it: `tfc.operand_type` on products and attentions (and on erf, tanh and sigmoid, for their
    rounded constants) is the type that all of the operands were rounded to; a weight of 16 bits becomes one of f32 whose `source_element`
    is that type. The lowest and the largest number of f16 in a constant become those of f32: they stand for what is masked.

    Left alone: quantization, attentions that give their probabilities, sorts, scans, scatters, casts from one 16-bit type to the other.

    ```mlir
    tfc.weight @w : tensor<64x64xf16> = #tfc.file<"w", 0, 8192>
    %n = tfc.layer_norm %x axis 1 epsilon 1.0e-05 : (tensor<4x64xf16>) -> tensor<4x64xf16>
    %w = tfc.weight_ref @w : tensor<64x64xf16>
    %p = tfc.matmul %n, %w : tensor<4x64xf16>, tensor<64x64xf16>
    // becomes
    tfc.weight @w : tensor<64x64xf32> = #tfc.file<"w", 0, 8192> as f16
    %0 = tfc.cast %x : tensor<4x64xf16> -> tensor<4x64xf32>
    %n = tfc.layer_norm %0 axis 1 epsilon 1.0e-05 : (tensor<4x64xf32>) -> tensor<4x64xf32>
    %w = tfc.weight_ref @w : tensor<64x64xf32>
    %1 = tfc.matmul %n, %w {tfc.operand_type = f16} : tensor<4x64xf32>, tensor<64x64xf32>
    %p = tfc.cast %1 : tensor<4x64xf32> -> tensor<4x64xf16>
    ```
  }];
  let statistics = [Statistic<"widened", "widened", "Ops that compute in f32 what the graph computes in 16 bits">];
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

def FuseNormalization : Pass<"tfc-fuse-normalization", "::mlir::func::FuncOp"> {
  let summary = "primitives become tfc.layer_norm and tfc.rms_norm";
  let description = [{
    The anchor is a mean of squares `mean(d * d)` (or `pow(d, 2)`) over the last dims. With `d = x - mean(x)` it
    makes a layer norm, with any other `d` an RMS norm, when `d / sqrt(mean + epsilon)` follows, in any of these
    spellings: the subtraction written once or twice; epsilon any scalar constant, or none; `Sqrt` or `Pow(0.5)` and
    a division, `Reciprocal(Sqrt)`, `1 / Sqrt` or `Pow(-0.5)` and a product in either order; scale multiplied after
    it or into the inverse root before; casts to f32 around the mean or around the norm; TensorFlow's `x * r + (bias - mean * r)`. Scale and bias are
    taken in where they lie along the normalized dims, whatever they are computed from.

    Left alone, with a remark that says why: means over other axes than the last, or over different ones; a value
    inside that is used elsewhere too; another numerator than `d`; an epsilon that is no constant.

    ```mlir
    %m = tfc.reduce mean %x axes [1] keep_dims : tensor<4x8xf32>
    %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
    %s = tfc.mul %d, %d : tensor<4x8xf32>, tensor<4x8xf32>
    %v = tfc.reduce mean %s axes [1] keep_dims : tensor<4x8xf32>
    %e = tfc.add %v, %epsilon : tensor<4x1xf32>, tensor<f32>
    %r = tfc.sqrt %e : tensor<4x1xf32>
    %y = tfc.div %d, %r : tensor<4x8xf32>, tensor<4x1xf32>
    // becomes
    %y = tfc.layer_norm %x axis 1 epsilon 1.0e-05 : (tensor<4x8xf32>) -> tensor<4x8xf32>
    ```
  }];
  let options = [Option<"layerNorm", "layer-norm", "bool", "true", "Fuse layer norms">,
                 Option<"rmsNorm", "rms-norm", "bool", "true", "Fuse RMS norms">];
  let statistics = [Statistic<"fusedLayerNorms", "layer-norms", "Number of layer norms">,
                    Statistic<"fusedRmsNorms", "rms-norms", "Number of RMS norms">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def FuseSoftmax : Pass<"tfc-fuse-softmax", "::mlir::func::FuncOp"> {
  let summary = "primitives become tfc.softmax";
  let description = [{
    The anchor is a sum of exponentials over one axis. With `d = x - max(x)` over the same axis, `exp(d) / sum(exp(d))` (a division,
    or a product with the reciprocal) is the softmax of x, and `d - log(sum(exp(d)))` the logarithm of it.

    Left alone, with a remark that says why: exponentials from which the largest element was not subtracted, since they overflow
    and the op does not; different axes; a value inside that is used elsewhere too.

    ```mlir
    %m = tfc.reduce max %x axes [1] keep_dims : tensor<4x8xf32>
    %d = tfc.sub %x, %m : tensor<4x8xf32>, tensor<4x1xf32>
    %e = tfc.exp %d : tensor<4x8xf32>
    %s = tfc.reduce sum %e axes [1] keep_dims : tensor<4x8xf32>
    %y = tfc.div %e, %s : tensor<4x8xf32>, tensor<4x1xf32>
    // becomes
    %y = tfc.softmax %x axis 1 : tensor<4x8xf32>
    ```
  }];
  let statistics = [Statistic<"fusedSoftmaxes", "softmaxes", "Number of softmaxes">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def FuseActivation : Pass<"tfc-fuse-activation", "::mlir::func::FuncOp"> {
  let summary = "primitives become tfc.gelu and tfc.silu";
  let description = [{
    The anchors are `erf`, `tanh` and `sigmoid`. Their argument, and what the result is multiplied with, are read as
    polynomials of one value x, so the order of operands, where the 1/2 stands, a division in place of a product and
    `x^3` as `Pow` or as products make no difference:

    - gelu `erf`: `x/2 * (1 + erf(x / sqrt(2)))`;
    - gelu `tanh`: `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`;
    - gelu `quick`: `x * sigmoid(1.702 x)`;
    - silu: `x * sigmoid(x)`.

    Exporters round constants. What the graph writes and what the op means may differ, because of that, by 4e-6 of the op's value
    at |x| (half precision: by half a unit in its last place): 0.7071, 0.79788 and 0.04472 fuse, 0.707, 0.7979 and 0.0447 do not.
    A tanh to which no 1 is added, and a sigmoid that multiplies something else than x, are no candidates. Left alone, with a remark
    that says why: other constants, another factor than x, a value inside that is used elsewhere too.

    ```mlir
    %a = tfc.div %x, %sqrt2 : tensor<4x8xf32>, tensor<f32>
    %b = tfc.erf %a : tensor<4x8xf32>
    %c = tfc.add %b, %one : tensor<4x8xf32>, tensor<f32>
    %d = tfc.mul %x, %c : tensor<4x8xf32>, tensor<4x8xf32>
    %e = tfc.mul %d, %half : tensor<4x8xf32>, tensor<f32>
    // becomes
    %e = tfc.gelu erf %x : tensor<4x8xf32>
    ```
  }];
  let options = [Option<"gelu", "gelu", "bool", "true", "Fuse GELUs">,
                 Option<"silu", "silu", "bool", "true", "Fuse SiLUs">];
  let statistics = [Statistic<"fusedGelus", "gelus", "Number of GELUs">,
                    Statistic<"fusedSilus", "silus", "Number of SiLUs">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def FuseGate : Pass<"tfc-fuse-gate", "::mlir::func::FuncOp"> {
  let summary = "gated activations read two products, never the halves of one";
  let description = [{
    The anchor is a product of `silu(a)` or `gelu(a)` with a value b of the same type. Where a and b are products of one value
    with two weights, with biases or without, the graph already is what a kernel wants: the product that comes second takes the activation and
    the factor as its epilogue. Where they are slices of the columns of one product with a weight (halves, or every other
    column), the slices move to the weight and its bias, where they are views, and the one product becomes two.

    Left alone, with a remark that says why: factors that are no products of one value, an activation or a product that is used
    elsewhere too, a split product whose right operand is no weight.

    ```mlir
    %p = tfc.matmul %x, %w : tensor<4x8xf32>, tensor<8x32xf32>
    %a = tfc.slice %p offsets [0, 0] strides [1, 1] : tensor<4x32xf32> -> tensor<4x16xf32>
    %b = tfc.slice %p offsets [0, 16] strides [1, 1] : tensor<4x32xf32> -> tensor<4x16xf32>
    %s = tfc.silu %a : tensor<4x16xf32>
    %y = tfc.mul %s, %b : tensor<4x16xf32>, tensor<4x16xf32>
    // becomes
    %wa = tfc.slice %w offsets [0, 0] strides [1, 1] : tensor<8x32xf32> -> tensor<8x16xf32>
    %a = tfc.matmul %x, %wa : tensor<4x8xf32>, tensor<8x16xf32>
    %wb = tfc.slice %w offsets [0, 16] strides [1, 1] : tensor<8x32xf32> -> tensor<8x16xf32>
    %b = tfc.matmul %x, %wb : tensor<4x8xf32>, tensor<8x16xf32>
    %s = tfc.silu %a : tensor<4x16xf32>
    %y = tfc.mul %s, %b : tensor<4x16xf32>, tensor<4x16xf32>
    ```
  }];
  let statistics = [Statistic<"fusedGates", "gates", "Number of gated activations">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def MergeProducts : Pass<"tfc-merge-products", "::mlir::ModuleOp"> {
  let summary = "query, key and value become one product";
  let description = [{
    Candidates are products of one value with weights, in one block, whose columns (behind a bias or not) are all split into heads by
    reshapes. Two or more of them become one product with the weights stacked (`#tfc.stack`), their biases stacked likewise
    (zeros for a product without one), and a slice for each.

    Left alone, with a remark that says why: columns that are no multiple of 16 (a packed weight could not end where its part
    ends), a bias that is no constant per column, different element types.

    ```mlir
    %q = tfc.matmul %x, %wq : tensor<4x32xf32>, tensor<32x32xf32>
    %k = tfc.matmul %x, %wk : tensor<4x32xf32>, tensor<32x32xf32>
    %qh = tfc.reshape %q : tensor<4x32xf32> -> tensor<4x2x16xf32>
    %kh = tfc.reshape %k : tensor<4x32xf32> -> tensor<4x2x16xf32>
    // becomes
    tfc.weight @stack : tensor<64x32xf32> = #tfc.stack<[@wq_part, @wk_part]>
    %w = tfc.weight_ref @stack : tensor<64x32xf32>
    %p = tfc.matmul %x, %w {transpose_b} : tensor<4x32xf32>, tensor<64x32xf32>
    %q = tfc.slice %p offsets [0, 0] strides [1, 1] : tensor<4x64xf32> -> tensor<4x32xf32>
    %k = tfc.slice %p offsets [0, 32] strides [1, 1] : tensor<4x64xf32> -> tensor<4x32xf32>
    ```
  }];
  let statistics = [Statistic<"mergedProducts", "merged-products", "Number of products that stand for several">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def FuseAttention : Pass<"tfc-fuse-attention", "::mlir::func::FuncOp"> {
  let summary = "products around a softmax become tfc.attention";
  let description = [{
    The anchor is a softmax whose result is multiplied with values. From it the pass walks back to the product of
    queries and keys and reads what stands between, in any order, as one normal form:

    - scalar constants that multiply or divide the scores, the queries or the keys: `scale`;
    - a tanh in front of masks and biases, with factors before and behind it: `softcap`;
    - what is added or subtracted: `bias`, as it stands (a finite lowest number times `1 - mask` stays a bias);
    - selects between the scores and a constant: `mask`; with -inf, rows without an allowed key are `nan`, with the
      lowest number or one below -10000 they are `uniform`, and `biased` where a bias is added behind the select;
    - what is added to scores between two masks with the lowest number: the first mask becomes part of the bias;
    - after the softmax `select(is_nan(p), 0, p)`, or `select(mask, p, 0)` with the mask of the scores: rows without an allowed key are `zero`;
    - casts of the scores to a wider type, and of the probabilities back: the op works in that type, on casts of its operands, and its bias is
      computed in it;
    - masks and summands that only compare the positions of queries and keys, made of triangles, of ranges that are compared,
      of slices of either: `causal`, `window_left`, `window_right`, when queries stand at the end of the keys in them. The rest of a
      mask or bias stays;
    - reshapes that split or merge batch and heads, or split the batch into images and windows for a mask; keys and values repeated for grouped queries; keys and values that are
      concatenations with a past: `past`, and who uses the concatenation takes the op's present keys and values.

    Where only the run's dims say whether a mask broadcasts the scores, or queries and keys each other, queries, keys and
    values are expanded in front of the op. Tensors of rank 3 are attentions of one head; attentions of one head over neighbouring slices
    of the same tensors, whose outputs are concatenated, become one attention.

    Left alone, with a remark that says why: a softmax over another axis; scores or probabilities that are used elsewhere
    too; two masks of different values; a bias that broadcasts the heads; a mask inside of the tanh; products with weights;
    ranks above 4; scores that are cast to a narrower type.

    ```mlir
    %s = tfc.matmul %q, %k {transpose_b} : ...
    %t = tfc.div %s, %eight : ...
    %u = tfc.add %t, %m : ...
    %p = tfc.softmax %u axis 3 : ...
    %o = tfc.matmul %p, %v : ...
    // becomes
    %o = tfc.attention %q, %k, %v bias %m {scale = 1.25e-01 : f32} : ...
    ```
  }];
  let statistics = [Statistic<"fusedAttentions", "attentions", "Number of attentions">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def ConvertPrecision : Pass<"tfc-convert-precision", "::mlir::ModuleOp"> {
  let summary = "products of f32 take operands of fewer bits";
  let description = [{
    With `to=bf16` or `to=f16` the operands of every product of f32 (tfc.matmul; query, key and value of tfc.attention) are rounded to
    that type: each becomes a cast to f32 of a 16-bit tensor. The product itself stays one of f32, so sums and whatever follows are in f32,
    and so are norms, softmax, bias, residual sums, and the arguments and results of the function.

    Narrowing casts stand where a value is made, above the reshapes, transposes, slices, expands and concats through which products alone
    read it, so that the kernel which makes it can store it narrow. A value that others read in f32 has both forms.

    A weight of a product becomes one of 16 bits (`source_element` says what its bytes were). Lookups in the same table read it in 16 bits too,
    and it is stored once; a weight that anything else reads stays beside its narrow copy.

    An attention with a past is taken apart from it (`tfc-decompose-ops`): present keys and values stay in f32, and are narrowed for the product.

    Left alone: products of other types, attentions that have no kernel (their products are converted when they are decomposed before this pass),
    and products over fewer than 8 elements: outer products are how rotary embeddings make angles of positions.

    ```mlir
    tfc.weight @w : tensor<768x3072xf32> = #tfc.file<...>
    %n = tfc.layer_norm %x axis 1 epsilon 1.0e-05 : (tensor<?x768xf32, #tfc.dims<s, 768>>) -> ...
    %w = tfc.weight_ref @w : tensor<768x3072xf32>
    %y = tfc.matmul %n, %w : tensor<?x768xf32, #tfc.dims<s, 768>>, tensor<768x3072xf32>
    // becomes
    tfc.weight @w : tensor<768x3072xbf16> = #tfc.file<...> as f32
    %n = tfc.layer_norm %x axis 1 epsilon 1.0e-05 : (tensor<?x768xf32, #tfc.dims<s, 768>>) -> ...
    %0 = tfc.cast %n : tensor<?x768xf32, #tfc.dims<s, 768>> -> tensor<?x768xbf16, #tfc.dims<s, 768>>
    %w = tfc.weight_ref @w : tensor<768x3072xbf16>
    %1 = tfc.cast %0 : tensor<?x768xbf16, #tfc.dims<s, 768>> -> tensor<?x768xf32, #tfc.dims<s, 768>>
    %2 = tfc.cast %w : tensor<768x3072xbf16> -> tensor<768x3072xf32>
    %y = tfc.matmul %1, %2 : tensor<?x768xf32, #tfc.dims<s, 768>>, tensor<768x3072xf32>
    ```

    With `to=graph` the operands of those products alone are converted that have a `tfc.operand_type` (tfc-widen-half-types), to that type; the other
    precisions leave these products as they are. The graph's own casts to the type go up to where the numbers are made; with `to=casts` that
    is all. With `to=stored` weights of f32 whose bytes are of 16 bits become weights of 16 bits where products
    and lookups alone read them, which then read casts of them.

    With `to=tf32` the products get the attribute `tfc.tf32`, and no type changes: a target with tensor cores for TF32 may round the operands
    to it, any other computes in f32.
  }];
  let options = [Option<"to", "to", "std::string", /*default=*/"\"bf16\"", "tf32, bf16, f16, graph, casts or stored">];
  let statistics = [Statistic<"converted", "converted", "Products and attentions that were converted">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

def ExposeTensors : Pass<"tfc-expose-tensors", "::mlir::func::FuncOp"> {
  let summary = "make tensors inside of the graph outputs of the entry point, to look at them";
  let description = [{
    `names` is a regular expression (POSIX, extended) for the names of nodes; what the last op of each such node gives becomes an
    output of that name. `attention` makes the probabilities of every tfc.attention an output, `attention.0` and so on. An
    output's name that is taken gets a number.

    ```mlir
    %0 = tfc.gelu %x : !t loc("Gelu_3")
    return %y : !t
    // becomes, with names=Gelu
    return %y, %0 : !t, !t
    ```

    Nodes inside of branches and loops are left out, and so are constants and weights. Where no node has such a name there is a warning.
  }];
  let options = [Option<"names", "names", "std::string", /*default=*/"", "which nodes, as a regular expression">,
                 Option<"attention", "attention", "bool", /*default=*/"false", "the probabilities of all attentions">];
  let statistics = [Statistic<"exposed", "exposed", "tensors that became outputs">];
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

    With `keep-attention`, attentions that code is generated for as a whole (`hasAttentionKernel`) stay; only a past leaves
    them:

    ```mlir
    %o, %pk, %pv = tfc.attention %q, %k, %v past %a, %b causal : ...
    // becomes
    %pk = tfc.concat %a, %k axis 2 : ...
    %pv = tfc.concat %b, %v axis 2 : ...
    %o = tfc.attention %q, %pk, %pv causal : ...
    ```
  }];
  let options = [Option<"keepAttention", "keep-attention", "bool", /*default=*/"false",
                        "leave attentions that code is generated for as a whole">];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
}

#endif // TFC_DIALECT_TFC_TRANSFORMS_PASSES
