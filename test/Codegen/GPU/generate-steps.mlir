// RUN: tfc-opt %s --tfc-generate-steps=chip=sm_80 | FileCheck %s
// RUN: not tfc-opt %s --tfc-generate-steps=chip=sm_1 2>&1 | FileCheck %s --check-prefix=CHIP

// CHIP: unknown GPU target 'sm_1'

// A generator takes an elementwise kernel: its steps stand in the gpu.module, the kernel keeps what is known of it.
// CHECK-LABEL: func.func private @double(
// CHECK-SAME: !llvm.ptr, %{{.*}}: index, %{{.*}}: index, %{{.*}}: !llvm.ptr)
// CHECK-SAME: tfc.steps = [{
// CHECK-SAME: function = @kernels::@[[STEP:[a-z0-9_]+]]
// CHECK-SAME: tfc.workspace = #tfc.expr<0>
// CHECK-NEXT: return
func.func private @double(%x: tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.add %x, %x : tensor<?xf32, #tfc.dims<s0>>, tensor<?xf32, #tfc.dims<s0>>
  return %0 : tensor<?xf32, #tfc.dims<s0>>
}

// One that is to stay plain is not looked at.
// CHECK-LABEL: func.func private @plain(
// CHECK-SAME: tensor<?xf32
// CHECK-NOT: tfc.steps
// CHECK: tfc.add
func.func private @plain(%x: tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.plain, tfc.symbols = ["s0"]} {
  %0 = tfc.add %x, %x : tensor<?xf32, #tfc.dims<s0>>, tensor<?xf32, #tfc.dims<s0>>
  return %0 : tensor<?xf32, #tfc.dims<s0>>
}

// Kernels count with 32 bits. Where it is known that these do not reach, the kernel goes the generic road, which counts with 64.
// CHECK-LABEL: func.func private @too_large(
// CHECK-SAME: tensor<2147483648x3xf32>
// CHECK-NOT: tfc.steps
// CHECK: tfc.add
func.func private @too_large(%x: tensor<2147483648x3xf32>) -> tensor<2147483648x3xf32> attributes {tfc.kernel} {
  %0 = tfc.add %x, %x : tensor<2147483648x3xf32>, tensor<2147483648x3xf32>
  return %0 : tensor<2147483648x3xf32>
}

// As many elements, but fewer pieces of 16 bytes.
// CHECK-LABEL: func.func private @in_pieces(
// CHECK-SAME: grid = [#tfc.expr<2097152>, #tfc.expr<1>, #tfc.expr<1>]
func.func private @in_pieces(%x: tensor<536870912x4xf32>) -> tensor<536870912x4xf32> attributes {tfc.kernel} {
  %0 = tfc.add %x, %x : tensor<536870912x4xf32>, tensor<536870912x4xf32>
  return %0 : tensor<536870912x4xf32>
}

// Where only the run knows, the grid has more blocks along y than a grid can have: the runtime refuses that.
// CHECK-LABEL: func.func private @rows(
// CHECK-SAME: grid = [#tfc.expr<-1 * floordiv(-1 * s0, 4)>, #tfc.expr<max(65536 * floordiv(s0, 2147418113), 1)>, #tfc.expr<1>]
func.func private @rows(%x: tensor<?x64xf32, #tfc.dims<s0, 64>>) -> tensor<?x64xf32, #tfc.dims<s0, 64>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.softmax %x axis 1 : tensor<?x64xf32, #tfc.dims<s0, 64>>
  return %0 : tensor<?x64xf32, #tfc.dims<s0, 64>>
}

// What is used twice is looked at once: this would take longer than anybody waits.
// CHECK-LABEL: func.func private @twice(
// CHECK-SAME: tfc.steps
func.func private @twice(%x0: tensor<8xf32>) -> tensor<8xf32> attributes {tfc.kernel} {
  %x1 = tfc.add %x0, %x0 : tensor<8xf32>, tensor<8xf32>
  %x2 = tfc.add %x1, %x1 : tensor<8xf32>, tensor<8xf32>
  %x3 = tfc.add %x2, %x2 : tensor<8xf32>, tensor<8xf32>
  %x4 = tfc.add %x3, %x3 : tensor<8xf32>, tensor<8xf32>
  %x5 = tfc.add %x4, %x4 : tensor<8xf32>, tensor<8xf32>
  %x6 = tfc.add %x5, %x5 : tensor<8xf32>, tensor<8xf32>
  %x7 = tfc.add %x6, %x6 : tensor<8xf32>, tensor<8xf32>
  %x8 = tfc.add %x7, %x7 : tensor<8xf32>, tensor<8xf32>
  %x9 = tfc.add %x8, %x8 : tensor<8xf32>, tensor<8xf32>
  %x10 = tfc.add %x9, %x9 : tensor<8xf32>, tensor<8xf32>
  %x11 = tfc.add %x10, %x10 : tensor<8xf32>, tensor<8xf32>
  %x12 = tfc.add %x11, %x11 : tensor<8xf32>, tensor<8xf32>
  %x13 = tfc.add %x12, %x12 : tensor<8xf32>, tensor<8xf32>
  %x14 = tfc.add %x13, %x13 : tensor<8xf32>, tensor<8xf32>
  %x15 = tfc.add %x14, %x14 : tensor<8xf32>, tensor<8xf32>
  %x16 = tfc.add %x15, %x15 : tensor<8xf32>, tensor<8xf32>
  %x17 = tfc.add %x16, %x16 : tensor<8xf32>, tensor<8xf32>
  %x18 = tfc.add %x17, %x17 : tensor<8xf32>, tensor<8xf32>
  %x19 = tfc.add %x18, %x18 : tensor<8xf32>, tensor<8xf32>
  %x20 = tfc.add %x19, %x19 : tensor<8xf32>, tensor<8xf32>
  %x21 = tfc.add %x20, %x20 : tensor<8xf32>, tensor<8xf32>
  %x22 = tfc.add %x21, %x21 : tensor<8xf32>, tensor<8xf32>
  %x23 = tfc.add %x22, %x22 : tensor<8xf32>, tensor<8xf32>
  %x24 = tfc.add %x23, %x23 : tensor<8xf32>, tensor<8xf32>
  %x25 = tfc.add %x24, %x24 : tensor<8xf32>, tensor<8xf32>
  %x26 = tfc.add %x25, %x25 : tensor<8xf32>, tensor<8xf32>
  %x27 = tfc.add %x26, %x26 : tensor<8xf32>, tensor<8xf32>
  %x28 = tfc.add %x27, %x27 : tensor<8xf32>, tensor<8xf32>
  %x29 = tfc.add %x28, %x28 : tensor<8xf32>, tensor<8xf32>
  %x30 = tfc.add %x29, %x29 : tensor<8xf32>, tensor<8xf32>
  %x31 = tfc.add %x30, %x30 : tensor<8xf32>, tensor<8xf32>
  %x32 = tfc.add %x31, %x31 : tensor<8xf32>, tensor<8xf32>
  %x33 = tfc.add %x32, %x32 : tensor<8xf32>, tensor<8xf32>
  %x34 = tfc.add %x33, %x33 : tensor<8xf32>, tensor<8xf32>
  %x35 = tfc.add %x34, %x34 : tensor<8xf32>, tensor<8xf32>
  %x36 = tfc.add %x35, %x35 : tensor<8xf32>, tensor<8xf32>
  %x37 = tfc.add %x36, %x36 : tensor<8xf32>, tensor<8xf32>
  %x38 = tfc.add %x37, %x37 : tensor<8xf32>, tensor<8xf32>
  %x39 = tfc.add %x38, %x38 : tensor<8xf32>, tensor<8xf32>
  %x40 = tfc.add %x39, %x39 : tensor<8xf32>, tensor<8xf32>
  return %x40 : tensor<8xf32>
}

// At another place it would be written twice: so much is not.
// CHECK-LABEL: func.func private @twice_elsewhere(
// CHECK-NOT: tfc.steps
// CHECK: tfc.transpose
func.func private @twice_elsewhere(%x0: tensor<8x8xf32>) -> tensor<8x8xf32> attributes {tfc.kernel} {
  %x1 = tfc.add %x0, %x0 : tensor<8x8xf32>, tensor<8x8xf32>
  %x2 = tfc.add %x1, %x1 : tensor<8x8xf32>, tensor<8x8xf32>
  %x3 = tfc.add %x2, %x2 : tensor<8x8xf32>, tensor<8x8xf32>
  %x4 = tfc.add %x3, %x3 : tensor<8x8xf32>, tensor<8x8xf32>
  %x5 = tfc.add %x4, %x4 : tensor<8x8xf32>, tensor<8x8xf32>
  %x6 = tfc.add %x5, %x5 : tensor<8x8xf32>, tensor<8x8xf32>
  %x7 = tfc.add %x6, %x6 : tensor<8x8xf32>, tensor<8x8xf32>
  %x8 = tfc.add %x7, %x7 : tensor<8x8xf32>, tensor<8x8xf32>
  %x9 = tfc.add %x8, %x8 : tensor<8x8xf32>, tensor<8x8xf32>
  %x10 = tfc.add %x9, %x9 : tensor<8x8xf32>, tensor<8x8xf32>
  %x11 = tfc.add %x10, %x10 : tensor<8x8xf32>, tensor<8x8xf32>
  %x12 = tfc.add %x11, %x11 : tensor<8x8xf32>, tensor<8x8xf32>
  %y = tfc.transpose %x12 [1, 0] : tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}

// A size of a symbol that the kernel does not have.
// CHECK-LABEL: func.func private @foreign_symbol(
// CHECK-NOT: tfc.steps
// CHECK: tfc.add
func.func private @foreign_symbol(%x: tensor<?xf32, #tfc.dims<s1>>) -> tensor<?xf32, #tfc.dims<s1>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.add %x, %x : tensor<?xf32, #tfc.dims<s1>>, tensor<?xf32, #tfc.dims<s1>>
  return %0 : tensor<?xf32, #tfc.dims<s1>>
}

// CHECK: gpu.module @kernels
// CHECK: llvm.func @[[STEP]]
// CHECK-NOT: @too_large
