// RUN: tfc-opt %s --tfc-frame-kernels --tfc-generate-append --split-input-file | FileCheck %s

// Rows of the past are copied where they are to be moved, and the new ones in any case. A tile is one block of rows.
// CHECK-LABEL: func.func private @append_tiles(
// CHECK: scf.for
// CHECK: %[[MOVED:.*]] = tfc.dim -1 * s1 * min(s3, 1) + s1
// CHECK: scf.for {{.*}} to %[[MOVED]]
// CHECK: scf.for {{.*}} to %c4
// CHECK: memref.load
// CHECK: memref.store
// CHECK: tfc.dim s2
// CHECK: memref.store
// CHECK-NOT: tfc.concat
// CHECK-LABEL: func.func private @append(
// CHECK-SAME: tfc.tiles = #tfc.expr<2 * s0>
func.func private @append(%past: tensor<?x2x?x4xf16, #tfc.dims<s0, 2, s1, 4>> {tfc.layout = #tfc.dims<s0, 2, max(s1, s3), 4>}, %new: tensor<?x?x6x4xf16, #tfc.dims<s0, s2, 6, 4>>)
    -> (tensor<?x2x?x4xf16, #tfc.dims<s0, 2, s1 + s2, 4>> {tfc.layout = #tfc.dims<s0, 2, max(s1 + s2, s3), 4>})
    attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2", "s3"], tfc.moved_rows = #tfc.expr<-1 * s1 * min(s3, 1) + s1>} {
  %0 = tfc.slice %new offsets [0, 0, 2, 0] strides [1, 1, 1, 1] : tensor<?x?x6x4xf16, #tfc.dims<s0, s2, 6, 4>> -> tensor<?x?x2x4xf16, #tfc.dims<s0, s2, 2, 4>>
  %1 = tfc.transpose %0 [0, 2, 1, 3] : tensor<?x?x2x4xf16, #tfc.dims<s0, s2, 2, 4>>
  %2 = tfc.concat %past, %1 axis 2 : tensor<?x2x?x4xf16, #tfc.dims<s0, 2, s1, 4>>, tensor<?x2x?x4xf16, #tfc.dims<s0, 2, s2, 4>>
  return %2 : tensor<?x2x?x4xf16, #tfc.dims<s0, 2, s1 + s2, 4>>
}

// -----

// Any other concat takes the generic road.
// CHECK-LABEL: func.func private @concat_tiles(
// CHECK: tfc.concat
func.func private @concat(%a: tensor<?x4xf32, #tfc.dims<s0, 4>>, %b: tensor<?x4xf32, #tfc.dims<s1, 4>>) -> tensor<?x4xf32, #tfc.dims<s0 + s1, 4>>
    attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.concat %a, %b axis 0 : tensor<?x4xf32, #tfc.dims<s0, 4>>, tensor<?x4xf32, #tfc.dims<s1, 4>>
  return %0 : tensor<?x4xf32, #tfc.dims<s0 + s1, 4>>
}

// -----

// One that is marked as plain too, whose views have the strides of the buffers.
// CHECK-LABEL: func.func private @plain_tiles(
// CHECK-SAME: %arg0: !llvm.ptr {llvm.noalias, tfc.layout = #tfc.dims<2, max(s0, s2), 4>}
// CHECK: memref<2x?x4xf32, strided<[?, 4, 1]>>
// CHECK: tfc.concat
func.func private @plain(%a: tensor<2x?x4xf32, #tfc.dims<2, s0, 4>> {tfc.layout = #tfc.dims<2, max(s0, s2), 4>}, %b: tensor<2x?x4xf32, #tfc.dims<2, s1, 4>>)
    -> (tensor<2x?x4xf32, #tfc.dims<2, s0 + s1, 4>> {tfc.layout = #tfc.dims<2, max(s0 + s1, s2), 4>})
    attributes {tfc.kernel, tfc.plain, tfc.symbols = ["s0", "s1", "s2"], tfc.moved_rows = #tfc.expr<s0>} {
  %0 = tfc.concat %a, %b axis 1 : tensor<2x?x4xf32, #tfc.dims<2, s0, 4>>, tensor<2x?x4xf32, #tfc.dims<2, s1, 4>>
  return %0 : tensor<2x?x4xf32, #tfc.dims<2, s0 + s1, 4>>
}
