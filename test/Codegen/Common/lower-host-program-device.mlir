// RUN: tfc-opt %s --tfc-lower-host-program | FileCheck %s

// In a module for a device a condition is fetched by the runtime, and launches say what they are there: expressions become numbers of values.
// CHECK: llvm.func @main_run
// CHECK: %[[ARGS:.*]] = llvm.alloca
// CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %{{.*}}, %[[ARGS]]) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i64, !llvm.ptr) -> i32
// CHECK: llvm.load %[[ARGS]] : !llvm.ptr -> i8
// CHECK: tfc.entry @main {
// CHECK-SAME: fetches = 1 : i64
// CHECK-SAME: launches = [{
// CHECK-SAME: steps = [{block = 128 : i64, function = @kernels::@even_step, grid = [{{[0-9]+}}, {{[0-9]+}}, {{[0-9]+}}], maps = []
// CHECK-SAME: words = 3 : i64, workspace = {{[0-9]+}} : i64}
module attributes {tfc.device = "cuda:sm_80"} {
  func.func private @even(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
      attributes {tfc.kernel, tfc.symbols = ["s0"], tfc.tiles = #tfc.expr<1>, tfc.scratch = #tfc.expr<0>, tfc.flops = #tfc.expr<s0>, tfc.bytes = #tfc.expr<s0>,
                  tfc.steps = [{block = 128 : i64, function = @kernels::@even_step, grid = [#tfc.expr<floordiv(s0 + 127, 128)>, #tfc.expr<1>, #tfc.expr<1>], maps = []}],
                  tfc.workspace = #tfc.expr<4 * s0>}
  func.func private @copy(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
      attributes {tfc.kernel, tfc.symbols = ["s0"], tfc.tiles = #tfc.expr<1>, tfc.scratch = #tfc.expr<0>, tfc.flops = #tfc.expr<s0>, tfc.bytes = #tfc.expr<s0>,
                  tfc.steps = [{block = 128 : i64, function = @kernels::@copy_step, grid = [#tfc.expr<1>, #tfc.expr<1>, #tfc.expr<1>], maps = []}],
                  tfc.workspace = #tfc.expr<0>}
  func.func @main(%x: tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
      attributes {tfc.entry, tfc.slots = [#tfc.slot<<64>>]} {
    %0 = tfc.launch @even(%x) symbols [n] nodes [] places [#tfc.place<slot, 0>] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<i1>
    %c = tensor.extract %0[] : tensor<i1>
    %1 = scf.if %c -> tensor<?xf32, #tfc.dims<n>> {
      %2 = tfc.launch @copy(%x) symbols [n] nodes [] places [#tfc.place<output, 0>] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
      scf.yield %2 : tensor<?xf32, #tfc.dims<n>>
    } else {
      %3 = tfc.launch @copy(%x) symbols [n] nodes [] places [#tfc.place<output, 0>] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
      scf.yield %3 : tensor<?xf32, #tfc.dims<n>>
    }
    return %1 : tensor<?xf32, #tfc.dims<n>>
  }
}
