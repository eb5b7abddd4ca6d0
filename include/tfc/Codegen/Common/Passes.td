//===- Passes.td - Kernels, plan, host --------------------------------------------------------===//
//
// Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------------------------------===//

#ifndef TFC_CODEGEN_COMMON_PASSES
#define TFC_CODEGEN_COMMON_PASSES

include "mlir/Pass/PassBase.td"

def InsertRequirements : Pass<"tfc-insert-requirements", "::mlir::ModuleOp"> {
  let summary = "says as tfc.require what ops need of their dims";
  let description = [{
    Asks every op of `RequirementsOpInterface` in the entry functions what must hold of its dims beyond what the types
    prove, and inserts `tfc.require` ops with the op's Location: at the start of the function, or right after the
    `tfc.bind` that gives the last of their symbols its value. Each condition stands once. One that holds for every
    value of the symbols is dropped; one that holds for none is an error at the op.

    What an op inside an scf.if of the function's body needs is asked for only in runs that take its branch: the branch's
    condition is bound as a symbol, 1 or 0, and factors both sides. Inside scf.while conditions are checked in any
    case: they are checked when the symbols are bound, before it is known which way the program goes.

    ```mlir
    func.func @main(%a: tensor<?xf32, #tfc.dims<n>>, %b: tensor<?xf32, #tfc.dims<m>>) -> ... {
      %0 = tfc.add %a, %b : ...
    ```
    becomes
    ```mlir
    func.func @main(%a: tensor<?xf32, #tfc.dims<n>>, %b: tensor<?xf32, #tfc.dims<m>>) -> ... {
      tfc.require broadcastable n, broadcast(m, n)
      %0 = tfc.add %a, %b : ...
    ```
  }];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
  let statistics = [Statistic<"inserted", "requirements", "Conditions left for run time">,
                    Statistic<"proved", "requirements-proved", "Conditions that always hold">];
}

def FormKernels : Pass<"tfc-form-kernels", "::mlir::ModuleOp"> {
  let summary = "outlines groups of ops as kernels; main becomes a program of launches";
  let description = [{
    Groups the ops of every entry function (GroupOps.h says what may stand in one group and why), makes each group a
    private function with the attribute `tfc.kernel` over local symbols `s0, s1, ...`, and replaces it by a
    `tfc.launch`. Identical kernels are one function: weights are arguments, so layers of one shape share their
    kernels. Left in main: tfc.weight_ref, tfc.reshape (an alias), tfc.bind, tfc.require, tfc.extern_call, scf.if and
    scf.while (their regions are outlined too), tensor.extract of a condition, return.

    Constants and `tfc.dim_values` are cloned into the kernels that use them. Where main itself needs a buffer of its
    own (a result that is an argument, a weight, a constant, or is returned twice; a value that a region yields), a
    kernel that copies makes it.

    What follows a product and can be computed on its elements before they leave the cache (bias, activation, residual; a cast and a
    transpose of what is stored) is its epilogue, in its kernel; the lookups whose sum a norm takes are one kernel with the norm. Both are fusions: each candidate
    gets a remark, of kind `epilogue` or `embedding`, and either can be switched off. A residual sum that a norm and others
    use is a second result of the norm's kernel.

    With `operand-casts`, which GPUs want, a product has the casts of its operands to f32 in its kernel and reads 16 bits; an attention also those
    behind views, and casts from f32 of what no kernel could store narrow (inputs, concats). An attention's output, and what a norm or
    elementwise ops make, is stored narrow by its own kernel, also where others want it in f32: the kernel then has both as results.

    A result is called by the node that makes it: the last of the launch's `nodes`, or where that is another one, as `result_nodes` of the
    launch says. `plain` marks the kernels for their plain lowering and leaves all else as it is: to compare a kernel with.

    Inputs of the entry get what `tfc-run --random` should know of them: `tfc.hint`, `tfc.hint_bound` (PortHints.h).

    ```mlir
    %1 = tfc.add %0, %bias : tensor<?x256xf32, #tfc.dims<n, 256>>, tensor<256xf32> loc("Add_1")
    %2 = tfc.gelu erf %1 : tensor<?x256xf32, #tfc.dims<n, 256>> loc("Erf_2")
    ```
    becomes
    ```mlir
    %2 = tfc.launch @add_gelu_0(%0, %bias) symbols [n] nodes ["Add_1", "Erf_2"] : ...

    func.func private @add_gelu_0(%x: tensor<?x256xf32, #tfc.dims<s0, 256>>, %b: tensor<256xf32>) -> tensor<?x256xf32, #tfc.dims<s0, 256>>
        attributes {tfc.kernel, tfc.symbols = ["s0"], tfc.flops = #tfc.expr<512 * s0>, tfc.bytes = #tfc.expr<2048 * s0 + 1024>} { ... }
    ```
  }];
  let options = [Option<"fuse", "fuse", "bool", /*default=*/"true", "Let ops share kernels; false gives each op its own">,
                 Option<"epilogue", "epilogue", "bool", /*default=*/"true", "Let products take what follows them">,
                 Option<"embedding", "embedding", "bool", /*default=*/"true", "Let norms take the lookups before them">,
                 Option<"operandCasts", "operand-casts", "bool", /*default=*/"false", "Let products read their operands through casts from 16 bits">,
                 Option<"plain", "plain", "bool", /*default=*/"false", "Mark every kernel for its plain lowering (`tfc.plain`)">];
  let dependentDialects = ["::mlir::tfc::TfcDialect", "::mlir::func::FuncDialect"];
  let statistics = [Statistic<"launches", "launches", "Launches made">, Statistic<"kernels", "kernels", "Distinct kernels made">];
}

def PlanMemory : Pass<"tfc-plan-memory", "::mlir::ModuleOp"> {
  let summary = "gives every launch result a place: a slot of the arena or an output";
  let description = [{
    A result of the function is written in place, also through reshapes. Every other launch result gets a slot. Slots
    that are never alive together may share memory: ArenaPlan.h says how offsets come to be right for every value of
    the symbols. For the order of slots, symbols count 64, batch-like names (`batch`, `batch_size`, `b`, ...) 1.

    ```mlir
    func.func @main(...) attributes {tfc.entry} {
      %0 = tfc.launch @a(%x) symbols [n] nodes [] : (...) -> tensor<?xf32, #tfc.dims<n>>
      %1 = tfc.launch @b(%0) symbols [n] nodes [] : (...) -> tensor<?xf32, #tfc.dims<n>>
      return %1
    ```
    becomes
    ```mlir
    func.func @main(...) attributes {tfc.entry, tfc.slots = [#tfc.slot<<64 * floordiv(4 * n + 63, 64)>>]} {
      %0 = tfc.launch @a(%x) symbols [n] nodes [] places [#tfc.place<slot, 0>] : ...
      %1 = tfc.launch @b(%0) symbols [n] nodes [] places [#tfc.place<output, 0>] : ...
    ```
  }];
  let dependentDialects = ["::mlir::tfc::TfcDialect"];
  let statistics = [Statistic<"slots", "slots", "Slots of the arenas">];
}

def LowerHostProgram : Pass<"tfc-lower-host-program", "::mlir::ModuleOp"> {
  let summary = "main becomes LLVM code that calls the runtime's launch door";
  let description = [{
    Each entry function `main` becomes `llvm.func @main_run(!llvm.ptr) -> i32`, whose argument is a TfcRun, and a
    `tfc.entry` op with what the descriptor says (docs/RuntimeABI.md). Per launch the program builds the block of
    arguments on its stack and calls `run->table->launch`; a code other than 0 ends it. Kernels must carry `tfc.tiles`
    and `tfc.scratch`. Weights that are used get their place in the segment of weights, others are erased; weights
    of the same source, layout and type are one.
  }];
  let dependentDialects = ["::mlir::tfc::TfcDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif // TFC_CODEGEN_COMMON_PASSES
