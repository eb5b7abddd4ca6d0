// RUN: tfc-opt %s --tfc-frame-kernels | FileCheck %s

// What the runtime calls loads pointers and symbols from the block; the work is in a function with noalias pointers.
// CHECK-LABEL: func.func private @negate_tiles(
// CHECK-SAME: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: index {tfc.symbol = "s0"}, %{{.*}}: index, %{{.*}}: index, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr {llvm.noalias})
// CHECK: %[[X:.*]] = bufferization.to_tensor
// CHECK: tfc.neg
// CHECK: bufferization.materialize_in_destination
// CHECK-LABEL: func.func private @negate(
// CHECK-SAME: !llvm.ptr, %{{.*}}: index, %{{.*}}: index, %{{.*}}: !llvm.ptr)
// CHECK-SAME: tfc.kernel
// CHECK-COUNT-4: llvm.load
// CHECK: call @negate_tiles
func.func private @negate(%x: tensor<?x8xf32, #tfc.dims<s0, 8>>) -> tensor<?x8xf32, #tfc.dims<s0, 8>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.neg %x : tensor<?x8xf32, #tfc.dims<s0, 8>>
  return %0 : tensor<?x8xf32, #tfc.dims<s0, 8>>
}

// A function that is no kernel stays.
// CHECK-LABEL: func.func @main(%{{.*}}: tensor<4xf32>) -> tensor<4xf32>
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
