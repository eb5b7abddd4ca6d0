// RUN: tfc-opt %s --tfc-finish-kernels=cpu=x86-64-v4 | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: tfc-opt %s --tfc-finish-kernels=cpu=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,NARROW
// RUN: tfc-opt %s --tfc-finish-kernels=cpu=native | FileCheck %s --check-prefixes=CHECK,TUNED
// RUN: not tfc-opt %s --tfc-finish-kernels=cpu=abacus 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: {{.*}}abacus

// The function with the work is local and stays one; what the runtime calls keeps its linkage. Neither unwinds.
// CHECK: llvm.func internal @gelu_tiles(
// CHECK-SAME: no_inline
// CHECK-SAME: no_unwind
// WIDE-SAME: prefer_vector_width = "512"
// NARROW-NOT: prefer_vector_width
// NARROW-NOT: tune_cpu
// What the host can do beyond its level is not used.
// TUNED-NOT: target_features
// TUNED-SAME: tune_cpu = "
llvm.func @gelu_tiles(%x: !llvm.ptr) attributes {tfc.symbols = [], tfc.tiles_of = @gelu} {
  llvm.return
}
// CHECK: llvm.func @gelu(
// CHECK-SAME: no_unwind
// CHECK-NOT: no_inline
llvm.func @gelu(%args: !llvm.ptr, %begin: i64, %end: i64, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  llvm.return
}
// What is not a kernel is left alone.
// CHECK: llvm.func @host()
// CHECK-NOT: no_unwind
// CHECK: llvm.return
llvm.func @host() {
  llvm.return
}
