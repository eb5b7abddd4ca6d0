//===- Passes.td - Code generation for CPUs -------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_CPU_PASSES
#define TFC_CODEGEN_CPU_PASSES

include "mlir/Pass/PassBase.td"

def PackWeights : Pass<"tfc-pack-weights", "::mlir::ModuleOp"> {
  let summary = "store weights of matrix products in panels";
  let description = [{
    Applies to a `tfc.weight` of f32 that is the right operand of kernels that are one `tfc.matmul` and otherwise only looked up in, along its
    first dim. Its layout becomes that of whole panels, `[n / width][k][width]`; where the width does not divide n, the columns
    behind the last whole panel become a second weight. The kernels take the parts as arguments and say the operand, or the table, in terms
    of them. A weight that has any other use keeps its layout.
  }];
  let options = [Option<"cpu", "cpu", "std::string", "\"native\"", "the CPUs of the artifact, `+` between them">];
}

def AddVariants : Pass<"tfc-add-variants", "::mlir::ModuleOp"> {
  let summary = "one copy of each kernel per CPU of the artifact";
  let description = [{
    With `cpu=x86-64-v3+x86-64-v4` the kernel `@k` becomes the variant for the most capable CPU, and each further CPU gets a copy beside it:

    ```mlir
    func.func private @k(...) attributes {tfc.kernel, ...}
    // becomes
    func.func private @k(...) attributes {tfc.kernel, tfc.cpu = "x86-64-v4", ...}
    func.func private @"k.x86-64-v3"(...) attributes {tfc.kernel, tfc.cpu = "x86-64-v3", tfc.variant_of = @k, ...}
    ```

    The passes that choose block sizes then go by each kernel's `tfc.cpu`. Launches name `@k` only. With one CPU nothing is copied. The module's own
    `tfc.cpu` says what its kernels are compiled for.
  }];
  let options = [Option<"cpu", "cpu", "std::string", "\"native\"", "the CPUs of the artifact, `+` between them">];
}

def JoinVariants : Pass<"tfc-join-variants", "::mlir::ModuleOp"> {
  let summary = "give all variants of a framed kernel the same tiles and scratch";
  let description = [{
    `tfc.tiles` and `tfc.scratch` of every variant become the largest of them, which is what a launch is given. A variant that had fewer tiles takes a range
    [begin, end) of the launch's as [begin * own / tiles, end * own / tiles) of its own.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def GenerateContraction : Pass<"tfc-generate-contraction", "::mlir::ModuleOp"> {
  let summary = "write loops and vectors for framed kernels that are one matrix product of f32";
  let description = [{
    Applies to a framed kernel that is a `tfc.matmul` of f32 without `transpose_a` and its epilogue (ContractionEpilogue.h). Where
    that ends in a cast or a transpose, elements are made in scratch and go from there to their places. Any other kernel is left to the
    generic road. Sets `tfc.tiles` and `tfc.scratch` on the kernel. Every element is one chain of multiply-adds
    in the order of k, whatever the tile, so results do not depend on how the work is cut.
  }];
  let options = [Option<"cpu", "cpu", "std::string", "\"native\"", "the CPUs to choose block sizes for">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

def GrowInPlace : Pass<"tfc-grow-in-place", "::mlir::ModuleOp"> {
  let summary = "let results that are an argument with rows behind it share its memory";
  let description = [{
    Applies to a result of an entry that a launch of one concat makes of an argument and something else: the present of an
    attention's past. Its caller may keep both in one buffer with room for more rows. Whether he does is known in the
    run only, so the entry gets a symbol that is no size: the rows that there is room for, or 0 where past and
    present lie apart. Results whose lengths are the same expression share one. The result says so as `tfc.alias`,
    `tfc.room` and `tfc.room_axis`.

    The kernels that read or write the argument or the result become variants over that symbol, whose `tfc.layout` has the dims
    of the buffer that the tensor is the front part of. The one that appends says in `tfc.moved_rows` how many rows it
    has to copy: none in place.

    Left alone: an argument or result that something else than launches uses (a reshape would have to know of the room), elements
    that are no whole bytes, lengths that are born in the run.

    ```mlir
    %1 = tfc.launch @concat_0(%past, %0) symbols [past, seq] ...
    return %1 : tensor<?x4x?x16xf32, #tfc.dims<batch, 4, past + seq, 16>>
    ```
    becomes, with the result's `tfc.room = "room"`,
    ```mlir
    %1 = tfc.launch @concat_0_in_place(%past, %0) symbols [past, seq, room] ...

    func.func private @concat_0_in_place(%past: tensor<?x4x?x16xf32, #tfc.dims<s0, 4, s1, 16>> {tfc.layout = #tfc.dims<s0, 4, max(s1, s3), 16>}, ...)
        -> (tensor<?x4x?x16xf32, #tfc.dims<s0, 4, s1 + s2, 16>> {tfc.layout = #tfc.dims<s0, 4, max(s1 + s2, s3), 16>})
        attributes {tfc.moved_rows = #tfc.expr<s1 - s1 * min(s3, 1)>, ...}
    ```
  }];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
  let statistics = [Statistic<"grown", "grown", "Results that may share the memory of an argument">];
}

def SplitKeys : Pass<"tfc-split-keys", "::mlir::ModuleOp"> {
  let summary = "do a step of decoding over many keys in two launches";
  let description = [{
    Applies to a kernel that is one `tfc.attention` (as tfc-generate-attention wants it), whose queries may be few while its keys are many.
    With few queries there are few tiles, one per batch and head. So the keys are cut into parts (`DecodeSplit` says when, and how many there
    are: a function of the lengths alone). A first kernel, with a tile per part, gives what each makes of every query: sums of values, the greatest
    score, the sum of exponentials. The attention's own kernel takes that as one more operand and combines it. Where the run's lengths call for no parts,
    their number is 0: the first kernel has no tiles, what it gives no elements, and the second one does all as if it were alone.

    In tfc ops the first kernel repeats the attention's output as often as its result has room, and the second one does not look at
    it, so that each stands for itself; only tfc-generate-attention knows what the operand holds.

    The result gets a slot above all others of its segment, which all such launches share: it is dead when the next one begins.

    ```mlir
    %0 = tfc.launch @attention_0(%q, %k, %v) symbols [batch, seq, past + seq] nodes ["MatMul_7"] places [#tfc.place<slot, 3>] : ...
    ```
    becomes
    ```mlir
    %0 = tfc.launch @attention_0_parts(%q, %k, %v) symbols [batch, seq, past + seq] nodes ["MatMul_7"] places [#tfc.place<slot, 9>] : ...
    %1 = tfc.launch @attention_0(%q, %k, %v, %0) symbols [batch, seq, past + seq] nodes ["MatMul_7"] places [#tfc.place<slot, 3>] : ...

    func.func private @attention_0_parts(...) -> tensor<?x4x?x66xf32, #tfc.dims<s0, 4, s1 * ..., 66>> attributes {tfc.makes_key_parts = #tfc.expr<...>, ...}
    func.func private @attention_0(..., tensor<?x4x?x66xf32, ...>) -> ... attributes {tfc.takes_key_parts = #tfc.expr<...>, ...}
    ```
  }];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
  let statistics = [Statistic<"split", "split", "Kernels whose keys may be cut into parts">];
}

def GenerateAppend : Pass<"tfc-generate-append", "::mlir::ModuleOp"> {
  let summary = "write loops for framed kernels that put rows behind others";
  let description = [{
    Applies to a framed kernel with `tfc.moved_rows` (tfc-grow-in-place) that is one `tfc.concat` of two operands, each read
    through transposes and slices. The rows of the first that are in their place already are neither read nor written. A
    tile is one place along the dims in front of the axis. Any other kernel is left to the generic road.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

def GenerateAttention : Pass<"tfc-generate-attention", "::mlir::ModuleOp"> {
  let summary = "write loops and vectors for framed kernels that are one attention of f32";
  let description = [{
    Applies to a framed kernel that is one `tfc.attention` of f32 with head dims of 1 to 256 known at compile time, transposes
    and slices of its query, key and value, and a transpose of its output, all of which leave the last dim as it is. Any other
    kernel is left to the generic road. A few queries go one by one with the head dim along the lanes, more of them in blocks with a query per
    lane. Up to 32 queries of all heads that read the same keys are one tile. Kernels of tfc-split-keys make parts, or combine them. Keys that no query of a block may see, for `causal`, a window or `key_lengths`, are not read unless a query that may see none at all needs
    them. Sets `tfc.tiles` and `tfc.scratch` on the kernel. What a query gets does not depend on the batch, on the
    other heads, or on how the tiles are cut.
  }];
  let options = [Option<"cpu", "cpu", "std::string", "\"native\"", "the CPUs to choose block sizes for">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect"];
}

def ExpandMath : Pass<"tfc-expand-math", "::mlir::ModuleOp"> {
  let summary = "replace math functions by straight-line arithmetic that vectorizes";
  let description = [{
    exp, exp2, log, tanh, erf, sin, cos and rsqrt of f32 become polynomials (errors are stated in the source); f16 and bf16 are computed in f32.
    tanh and erf with the flag `afn` become shorter ones with larger errors.
    What is left, and f64, becomes calls of the C math library.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::func::FuncDialect"];
}

def FinishKernels : Pass<"tfc-finish-kernels", "::mlir::ModuleOp"> {
  let summary = "set linkage and attributes of kernels in the LLVM dialect";
  let options = [Option<"cpu", "cpu", "std::string", "\"native\"", "the CPUs the kernels are for">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TFC_CODEGEN_CPU_PASSES
