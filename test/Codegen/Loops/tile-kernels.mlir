// RUN: tfc-opt %s --tfc-frame-kernels --tfc-convert-to-linalg --reconcile-unrealized-casts --canonicalize --tfc-fuse-kernel-loops --tfc-tile-kernels --split-input-file | FileCheck %s

// Rows of a softmax are cut, the axis it runs along is not.
// CHECK-LABEL: func.func private @softmax_tiles(
// CHECK: scf.for
// CHECK: tensor.extract_slice
// CHECK: linalg.generic
// CHECK: memref.subview
// CHECK-LABEL: func.func private @softmax(
// CHECK-SAME: tfc.tiles = #tfc.expr<{{.*}}s0{{.*}}>
func.func private @softmax(%x: tensor<?x512xf32, #tfc.dims<s0, 512>>) -> tensor<?x512xf32, #tfc.dims<s0, 512>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.softmax %x axis 1 : tensor<?x512xf32, #tfc.dims<s0, 512>>
  return %0 : tensor<?x512xf32, #tfc.dims<s0, 512>>
}

// -----

// Along its only axis nothing can be cut: one tile.
// CHECK-LABEL: func.func private @whole(
// CHECK-SAME: tfc.tiles = #tfc.expr<1>
func.func private @whole(%x: tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.softmax %x axis 0 : tensor<?xf32, #tfc.dims<s0>>
  return %0 : tensor<?xf32, #tfc.dims<s0>>
}

// -----

// A tensor with a dim of 0 is cut into empty ones; a result with such a dim is never stored.
// CHECK-LABEL: func.func private @of_nothing_tiles(
// CHECK: scf.for
// CHECK-NOT: tensor.extract_slice
// CHECK: memref.subview
// CHECK-LABEL: func.func private @of_nothing(
func.func private @of_nothing(%x: tensor<?x0x4xf32, #tfc.dims<s0, 0, 4>>) -> tensor<?x4xf32, #tfc.dims<s0, 4>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.reduce max %x axes [1] : tensor<?x0x4xf32, #tfc.dims<s0, 0, 4>>
  return %0 : tensor<?x4xf32, #tfc.dims<s0, 4>>
}

// -----

// CHECK-LABEL: func.func private @to_nothing_tiles(
// CHECK-NOT: memref.subview
// CHECK-LABEL: func.func private @to_nothing(
func.func private @to_nothing(%x: tensor<?x0x4xf32, #tfc.dims<s0, 0, 4>>) -> tensor<?x0x4xf32, #tfc.dims<s0, 0, 4>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.neg %x : tensor<?x0x4xf32, #tfc.dims<s0, 0, 4>>
  return %0 : tensor<?x0x4xf32, #tfc.dims<s0, 0, 4>>
}
