// RUN: tfc-opt %s --tfc-generate-gpu-kernels=generate=false --split-input-file | FileCheck %s

// One thread per element: the step makes the block of words and calls the kernel tile by tile, all threads of the grid apart.
// CHECK-LABEL: func.func private @double_step(
// CHECK-SAME: %[[X:.*]]: !llvm.ptr, %[[Y:.*]]: !llvm.ptr, %[[S0:.*]]: i64, %[[WORKSPACE:.*]]: !llvm.ptr, %[[STATUS:.*]]: !llvm.ptr)
// CHECK-SAME: attributes {tfc.step}
// CHECK: %[[ARGS:.*]] = llvm.alloca %{{.*}} x i64
// CHECK: llvm.store %[[X]]
// CHECK: llvm.store %[[Y]]
// CHECK: llvm.store %[[S0]]
// CHECK: %[[WORKER:.*]] = llvm.alloca
// CHECK: nvvm.read.ptx.sreg.ctaid.x
// CHECK: nvvm.read.ptx.sreg.tid.x
// CHECK: scf.for
// CHECK: func.call @double(%[[ARGS]], %[[TILE:.*]], %{{.*}}, %[[WORKER]])
// A failed check is noted under the lock of the launch's status, and the lock is given back in the same pass of the loop.
// CHECK: scf.while
// CHECK: llvm.getelementptr %[[STATUS]][0]
// CHECK: llvm.cmpxchg
// CHECK: arith.cmpi ult
// CHECK: llvm.atomicrmw xchg
// CHECK-LABEL: func.func private @double(
// CHECK-SAME: tfc.steps = [{block = 128 : i64, cluster = 1 : i64, function = @kernels::@double_step,
// CHECK-SAME: grid = [#tfc.expr<min(-1 * floordiv(-1 * s0, 128), 16384)>, #tfc.expr<1>, #tfc.expr<1>], maps = [], shared = 0 : i64}]
// CHECK-SAME: tfc.tiles = #tfc.expr<s0>
// CHECK-SAME: tfc.workspace = #tfc.expr<0>
func.func private @double(%x: tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>>
    attributes {tfc.kernel, tfc.symbols = ["s0"], tfc.flops = #tfc.expr<s0>, tfc.bytes = #tfc.expr<8 * s0>} {
  %0 = tfc.add %x, %x : tensor<?xf32, #tfc.dims<s0>>, tensor<?xf32, #tfc.dims<s0>>
  return %0 : tensor<?xf32, #tfc.dims<s0>>
}

// -----

// A row's temporaries are too large for registers: each of fewer threads has a piece of the workspace.
// CHECK-LABEL: func.func private @softmax(
// CHECK-SAME: grid = [#tfc.expr<min(-1 * floordiv(-1 * s0, 128), 32)>
// CHECK-SAME: tfc.workspace = #tfc.expr<{{.*}}s0{{.*}}>
func.func private @softmax(%x: tensor<?x512xf32, #tfc.dims<s0, 512>>) -> tensor<?x512xf32, #tfc.dims<s0, 512>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.softmax %x axis 1 : tensor<?x512xf32, #tfc.dims<s0, 512>>
  return %0 : tensor<?x512xf32, #tfc.dims<s0, 512>>
}

// -----

// A kernel that has steps is left alone.
// CHECK-NOT: @done_step
// CHECK-LABEL: func.func private @done(
// CHECK-SAME: tfc.steps = []
// CHECK-NOT: @done_step
func.func private @done(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
    attributes {tfc.kernel, tfc.symbols = ["s0"], tfc.steps = [], tfc.workspace = #tfc.expr<0>, tfc.tiles = #tfc.expr<1>, tfc.scratch = #tfc.expr<0>} {
  return
}
