// RUN: tfc-opt %s --tfc-outline-device-code | FileCheck %s

// Host programs stay; steps become kernels of the GPU; what they call comes with them and is inlined; what nothing calls goes.
// CHECK: tfc.entry @main
// CHECK-NEXT: llvm.func @main_run
// CHECK-NOT: llvm.func
// CHECK: gpu.module @kernels {
// CHECK: llvm.mlir.global internal constant @table
// CHECK: llvm.func internal @work(%{{.*}}: i64) attributes {{.*}}always_inline
// CHECK: llvm.func @k_step(%{{.*}}: !llvm.ptr) attributes {nvvm.kernel}
// CHECK-NOT: @unused
// CHECK-NOT: tfc.symbol
tfc.entry @main {run = @main_run}
llvm.func @main_run(%run: !llvm.ptr) -> i32 {
  %0 = llvm.mlir.constant(0 : i32) : i32
  llvm.return %0 : i32
}
llvm.mlir.global internal constant @table(dense<1> : tensor<4xi64>) : !llvm.array<4 x i64>
llvm.mlir.global internal constant @unused_table(dense<1> : tensor<4xi64>) : !llvm.array<4 x i64>
llvm.func @work(%s0: i64 {tfc.symbol = "s0"}) {
  %0 = llvm.mlir.addressof @table : !llvm.ptr
  llvm.return
}
llvm.func @unused() {
  llvm.return
}
llvm.func @k_step(%status: !llvm.ptr) attributes {tfc.step} {
  %0 = llvm.mlir.constant(0 : i64) : i64
  llvm.call @work(%0) : (i64) -> ()
  llvm.return
}
