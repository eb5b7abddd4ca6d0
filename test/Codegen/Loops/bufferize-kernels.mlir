// RUN: tfc-opt %s --tfc-frame-kernels --tfc-convert-to-linalg --reconcile-unrealized-casts --canonicalize --tfc-fuse-kernel-loops --tfc-tile-kernels --canonicalize --tfc-bufferize-kernels --split-input-file | FileCheck %s

// A result is computed where it belongs: no buffer, no copy.
// CHECK-LABEL: func.func private @scale_tiles(
// CHECK-NOT: tensor<
// CHECK-NOT: memref.alloc
// CHECK: %[[OUT:.*]] = memref.subview
// CHECK: linalg.generic {{.*}} outs(%[[OUT]]
// CHECK-NOT: memref.copy
// CHECK-LABEL: func.func private @scale(
func.func private @scale(%x: tensor<?x8xf32, #tfc.dims<s0, 8>>, %y: tensor<8xf32>) -> tensor<?x8xf32, #tfc.dims<s0, 8>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.mul %x, %y : tensor<?x8xf32, #tfc.dims<s0, 8>>, tensor<8xf32>
  return %0 : tensor<?x8xf32, #tfc.dims<s0, 8>>
}

// -----

// What lies between two loop nests has a buffer of one tile.
// CHECK-LABEL: func.func private @softmax_tiles(
// CHECK: scf.for
// CHECK: memref.alloc(%{{.*}}) {{.*}}: memref<?x512xf32>
// CHECK-LABEL: func.func private @softmax(
func.func private @softmax(%x: tensor<?x512xf32, #tfc.dims<s0, 512>>) -> tensor<?x512xf32, #tfc.dims<s0, 512>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.softmax %x axis 1 : tensor<?x512xf32, #tfc.dims<s0, 512>>
  return %0 : tensor<?x512xf32, #tfc.dims<s0, 512>>
}

// -----

// A copy is a loop like any other, so that LLVM sees it and no library is called.
// CHECK-LABEL: func.func private @identity_tiles(
// CHECK: linalg.generic
// CHECK-NOT: memref.copy
// CHECK-LABEL: func.func private @identity(
func.func private @identity(%x: tensor<?x8xf32, #tfc.dims<s0, 8>>) -> tensor<?x8xf32, #tfc.dims<s0, 8>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  return %x : tensor<?x8xf32, #tfc.dims<s0, 8>>
}
