// RUN: tfc-opt %s --tfc-lower-host-program | FileCheck %s

// A tensor has the name of the node that made it, unless a launch that reads it goes on with that node: then it is a part of what the
// node makes. Views in between change nothing, nor does it matter for one of several merged nodes.
!x = tensor<?xf32, #tfc.dims<n>>
module {
  func.func private @k(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
      attributes {tfc.kernel, tfc.symbols = ["s0"], tfc.tiles = #tfc.expr<1>, tfc.scratch = #tfc.expr<0>, tfc.flops = #tfc.expr<0>, tfc.bytes = #tfc.expr<0>} { return }
  // CHECK: launches = [
  // CHECK-SAME: nodes = ["Gemm"], operands = [{{[^]]*}}name = "x"{{[^]]*}}], results = [{{[^]]*}}name = ""
  // CHECK-SAME: nodes = ["Gemm", "Add"], operands = [{{[^]]*}}name = ""{{[^]]*}}], results = [{{[^]]*}}name = "Add"
  // CHECK-SAME: nodes = ["Q", "K"], operands = [{{[^]]*}}name = "Add"{{[^]]*}}], results = [{{[^]]*}}name = ""
  // CHECK-SAME: nodes = ["K", "Mul"], operands = [{{[^]]*}}name = ""{{[^]]*}}], results = [{{[^]]*}}name = "Mul"
  func.func @main(%x: !x {tfc.name = "x"}) -> (!x {tfc.name = "y"})
      attributes {tfc.entry, tfc.slots = [#tfc.slot<<64 * floordiv(4 * n + 63, 64)>>]} {
    %0 = tfc.launch @k(%x) symbols [n] nodes ["Gemm"] places [#tfc.place<slot, 0>] : (!x) -> !x
    %view = tfc.reshape %0 : !x -> tensor<1x?xf32, #tfc.dims<1, n>>
    %1 = tfc.launch @k(%view) symbols [n] nodes ["Gemm", "Add"] places [#tfc.place<slot, 0>] : (tensor<1x?xf32, #tfc.dims<1, n>>) -> !x
    %2 = tfc.launch @k(%1) symbols [n] nodes ["Q", "K"] places [#tfc.place<slot, 0>] {result_nodes = ["Q+K"]} : (!x) -> !x
    %3 = tfc.launch @k(%2) symbols [n] nodes ["K", "Mul"] places [#tfc.place<output, 0>] : (!x) -> !x
    return %3 : !x
  }
}
