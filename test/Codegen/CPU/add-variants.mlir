// RUN: tfc-opt %s --tfc-add-variants=cpu=x86-64-v3+x86-64-v4 --split-input-file | FileCheck %s
// RUN: tfc-opt %s --tfc-add-variants=cpu=x86-64-v3 --split-input-file | FileCheck %s --check-prefix=ONE
// RUN: not tfc-opt %s --tfc-add-variants=cpu=x86-64-v3+aarch64 2>&1 | FileCheck %s --check-prefix=MIXED
// RUN: not tfc-opt %s --tfc-add-variants=cpu=x86-64-v3+x86-64-v3 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not tfc-opt %s --tfc-add-variants=cpu=x86-64-v3+ 2>&1 | FileCheck %s --check-prefix=EMPTY

// MIXED: error: {{.*}}the targets 'aarch64' and 'x86-64-v3' are of different architectures: an artifact is for one of them
// TWICE: error: {{.*}}the target 'x86-64-v3' is named twice
// EMPTY: error: {{.*}}unknown CPU target ''

// The kernel becomes the variant of the most capable CPU, whatever the order of the names. What is no kernel stays.
// CHECK: module attributes {{.*}}tfc.cpu = "x86-64-v3+x86-64-v4"
// CHECK: func.func private @negate(
// CHECK-SAME: tfc.cpu = "x86-64-v4"
// CHECK-NOT: tfc.variant_of
// CHECK: func.func private @"negate.x86-64-v3"(
// CHECK-SAME: tfc.cpu = "x86-64-v3"
// CHECK-SAME: tfc.variant_of = @negate
// CHECK: tfc.neg
// CHECK: func.func private @helper(
// CHECK-NOT: tfc.cpu

// One CPU: nothing is copied, and nothing need be said of the kernel.
// ONE: module attributes {{.*}}tfc.cpu = "x86-64-v3"
// ONE: func.func private @negate(
// ONE-NOT: tfc.cpu
// ONE-NOT: @"negate
func.func private @negate(%a: tensor<8xf32>) -> tensor<8xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.neg %a : tensor<8xf32>
  return %0 : tensor<8xf32>
}
func.func private @helper(%a: tensor<8xf32>) -> tensor<8xf32> {
  return %a : tensor<8xf32>
}
