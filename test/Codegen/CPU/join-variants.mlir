// RUN: tfc-opt %s --tfc-join-variants --split-input-file | FileCheck %s

// Blocks of narrow vectors are more: the launch gets their number, and the wide variant scales its range.
// CHECK-LABEL: func.func private @k_tiles(
// CHECK-SAME: %[[S:[a-z0-9]*]]: index {{.*}}, %[[BEGIN:[a-z0-9]*]]: index, %[[END:[a-z0-9]*]]: index
// CHECK-DAG: %[[OWN:.*]] = tfc.dim floordiv(s0, 8)
// CHECK-DAG: %[[ALL:.*]] = tfc.dim max(floordiv(s0, 4), floordiv(s0, 8))
// CHECK: %[[B:.*]] = arith.muli %[[BEGIN]], %[[OWN]]
// CHECK: %[[FROM:.*]] = arith.divui %[[B]], %[[ALL]]
// CHECK: %[[E:.*]] = arith.muli %[[END]], %[[OWN]]
// CHECK: %[[TO:.*]] = arith.divui %[[E]], %[[ALL]]
// CHECK: scf.for %{{.*}} = %[[FROM]] to %[[TO]]
// CHECK-LABEL: func.func private @k(
// CHECK-SAME: tfc.scratch = #tfc.expr<64>
// CHECK-SAME: tfc.tiles = #tfc.expr<max(floordiv(s0, 4), floordiv(s0, 8))>
// CHECK-LABEL: func.func private @"k.x86-64-v3"(
// CHECK-SAME: tfc.scratch = #tfc.expr<64>
// CHECK-SAME: tfc.tiles = #tfc.expr<max(floordiv(s0, 4), floordiv(s0, 8))>

// A kernel of one variant keeps what it has.
// CHECK-LABEL: func.func private @other_tiles(
// CHECK-NOT: arith.divui
// CHECK-LABEL: func.func private @other(
// CHECK-SAME: tfc.tiles = #tfc.expr<s0>
func.func private @k_tiles(%s0: index {tfc.symbol = "s0"}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr)
    attributes {tfc.symbols = ["s0"], tfc.tiles_of = @k} {
  %one = arith.constant 1 : index
  scf.for %i = %begin to %end step %one {
  }
  return
}
func.func private @k(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
    attributes {tfc.kernel, tfc.cpu = "x86-64-v4", tfc.scratch = #tfc.expr<64>, tfc.symbols = ["s0"], tfc.tiles = #tfc.expr<floordiv(s0, 8)>} {
  %s0 = arith.constant 7 : index
  call @k_tiles(%s0, %begin, %end, %worker, %args) : (index, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}
func.func private @"k.x86-64-v3_tiles"(%s0: index {tfc.symbol = "s0"}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr)
    attributes {tfc.symbols = ["s0"], tfc.tiles_of = @"k.x86-64-v3"} {
  return
}
func.func private @"k.x86-64-v3"(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
    attributes {tfc.kernel, tfc.cpu = "x86-64-v3", tfc.variant_of = @k, tfc.scratch = #tfc.expr<0>, tfc.symbols = ["s0"], tfc.tiles = #tfc.expr<floordiv(s0, 4)>} {
  %s0 = arith.constant 7 : index
  call @"k.x86-64-v3_tiles"(%s0, %begin, %end, %worker, %args) : (index, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}
func.func private @other_tiles(%s0: index {tfc.symbol = "s0"}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr)
    attributes {tfc.symbols = ["s0"], tfc.tiles_of = @other} {
  return
}
func.func private @other(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
    attributes {tfc.kernel, tfc.cpu = "x86-64-v4", tfc.scratch = #tfc.expr<0>, tfc.symbols = ["s0"], tfc.tiles = #tfc.expr<s0>} {
  %s0 = arith.constant 7 : index
  call @other_tiles(%s0, %begin, %end, %worker, %args) : (index, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}
