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

// CHECK: gpu.module @kernels
// CHECK: llvm.func @[[STEP]]
