// RUN: tfc-opt %s --tfc-lower-host-program --split-input-file | FileCheck %s

!x = tensor<?xf32, #tfc.dims<n>>
// Weights that are used get a place, equal ones share it, others go.
// CHECK: tfc.weight_bytes = 74176 : i64
// CHECK-NOT: @unused
// CHECK: tfc.weight @w {{.*}} {segment_offset = 0 : i64}
// CHECK-NOT: @same
// CHECK: tfc.weight @large {{.*}} {segment_offset = 4096 : i64}
// CHECK: tfc.weight @small {{.*}} {segment_offset = 74048
// CHECK-NOT: @lost
// CHECK: tfc.weight @b {{.*}} {segment_offset = 74124
// CHECK: tfc.weight @ab {{.*}} #tfc.stack<[@a, @b]> {segment_offset = 74112
// CHECK: tfc.weight @a {{.*}} {segment_offset = 74112
module {
  tfc.weight @unused : tensor<4xf32> = #tfc.file<"m", 64, 16>
  tfc.weight @w : tensor<4xf32> = #tfc.file<"m", 0, 16>
  tfc.weight @same : tensor<4xf32> = #tfc.file<"m", 0, 16>
  tfc.weight @large : tensor<17476xf32> = #tfc.file<"m", 1024, 69904>
  tfc.weight @small : tensor<1xf32> = #tfc.file<"m", 128, 4>
  tfc.weight @lost : tensor<3xf32> = #tfc.stack<[@lost_part]>
  tfc.weight @lost_part : tensor<3xf32> = #tfc.file<"m", 0, 12>
  tfc.weight @b : tensor<2xf32> = #tfc.file<"m", 0, 8>
  tfc.weight @ab : tensor<5xf32> = #tfc.stack<[@a, @b]>
  tfc.weight @a : tensor<3xf32> = #tfc.file<"m", 0, 12>
  func.func private @k(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
      attributes {tfc.kernel, tfc.symbols = ["s0"], tfc.tiles = #tfc.expr<2 * s0>, tfc.scratch = #tfc.expr<0>, tfc.flops = #tfc.expr<s0>, tfc.bytes = #tfc.expr<8 * s0>} { return }
  // CHECK-LABEL: llvm.func @main_run(
  // CHECK-SAME: %[[PROGRAM:.*]]: !llvm.ptr) -> i32
  // CHECK: %[[ARGS:.*]] = llvm.alloca {{.*}} !llvm.array<7 x i64>
  // CHECK: llvm.call %{{.*}}(%[[PROGRAM]], %{{.*}}, %[[ARGS]]) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr) -> i32
  // CHECK: llvm.cond_br %{{.*}}, ^[[FAIL:bb[0-9]+]](%{{.*}} : i32), ^[[NEXT:bb[0-9]+]]
  // CHECK: ^[[NEXT]]:
  // CHECK: llvm.call
  // CHECK: ^[[FAIL]](%[[CODE:.*]]: i32):
  // CHECK-NEXT: llvm.return %[[CODE]]
  // CHECK: tfc.entry @main {arena_bytes = array<i64: [[ARENA:[0-9]+]]>
  // CHECK-SAME: inputs = [{dims = array<i64: 1>, hint = 0 : i64, hint_bound = 0 : i64, name = "x", type = tensor<?xf32>}]
  // CHECK-SAME: kernels = [@k]
  // CHECK-SAME: launches = [{bytes = {{.*}} checks = ["node 'A': x"], {{.*}} kernel = 0 : i64, nodes = ["A"]
  // CHECK-SAME: outputs = [{alias = 0 : i64, dims = array<i64: 1>, name = "y", type = tensor<?xf32>}]
  // CHECK-SAME: requirements = [{kind = 2 : i64, lhs = 1 : i64, node = "Slice_1", rhs = {{[0-9]+}} : i64}]
  // CHECK-SAME: run = @main_run
  // CHECK-SAME: symbols = [{born_in = 0 : i64, max = 9223372036854775807 : i64, min = 0 : i64, name = "n"}]
  // CHECK-SAME: values = [#tfc.expr<0>, #tfc.expr<n>
  // CHECK-NOT: func.func @main
  func.func @main(%x: !x {tfc.name = "x"}) -> (!x {tfc.name = "y", tfc.alias = "x"})
      attributes {tfc.entry, tfc.slots = [#tfc.slot<<64 * floordiv(4 * n + 63, 64)>>]} {
    %w = tfc.weight_ref @w : tensor<4xf32>
    %s = tfc.weight_ref @same : tensor<4xf32>
    %l = tfc.weight_ref @large : tensor<17476xf32>
    %m = tfc.weight_ref @small : tensor<1xf32>
    tfc.require at_most n, 512 loc("Slice_1")
    %0 = tfc.launch @k(%x, %w, %s, %l, %m) symbols [n] nodes ["A"] checks ["node 'A': x"] places [#tfc.place<slot, 0>]
      : (!x, tensor<4xf32>, tensor<4xf32>, tensor<17476xf32>, tensor<1xf32>) -> !x
    %ab = tfc.weight_ref @ab : tensor<5xf32>
    %1 = tfc.launch @k(%0, %ab) symbols [n] nodes ["B"] places [#tfc.place<output, 0>] : (!x, tensor<5xf32>) -> !x
    return %1 : !x
  }
}
