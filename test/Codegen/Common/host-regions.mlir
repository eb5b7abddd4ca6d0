// What the kernels need for the host program is put in by hand here; tfc-generate-kernels does it otherwise.
// RUN: tfc-opt %s --tfc-form-kernels --tfc-plan-memory --split-input-file \
// RUN:   | sed 's/tfc.kernel,/tfc.kernel, tfc.tiles = #tfc.expr<1>, tfc.scratch = #tfc.expr<0>,/' \
// RUN:   | tfc-opt --tfc-lower-host-program --split-input-file | FileCheck %s

// Both branches write the slot that the result is read from.
// CHECK-LABEL: llvm.func @branch_run
// CHECK: %[[BYTE:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i8
// CHECK: %[[C:.*]] = llvm.icmp "ne" %[[BYTE]]
// CHECK: llvm.cond_br %[[C]], ^[[THEN:bb[0-9]+]], ^[[ELSE:bb[0-9]+]]
// CHECK: ^[[THEN]]:
// CHECK: llvm.call
// CHECK: ^[[ELSE]]:
// CHECK: llvm.call
// CHECK: tfc.entry @branch
func.func @branch(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> attributes {tfc.entry} {
  %p = tensor.extract %c[] : tensor<i1>
  %0 = scf.if %p -> tensor<4xf32> {
    %1 = tfc.neg %x : tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  } else {
    scf.yield %x : tensor<4xf32>
  }
  %2 = tfc.exp %0 : tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// CHECK-LABEL: llvm.func @loop_run
// CHECK: llvm.call
// CHECK: llvm.br ^[[BEFORE:bb[0-9]+]]
// CHECK: ^[[BEFORE]]:
// CHECK: llvm.cond_br %{{.*}}, ^[[AFTER:bb[0-9]+]], ^[[BEHIND:bb[0-9]+]]
// CHECK: ^[[AFTER]]:
// CHECK: llvm.br ^[[BEFORE]]
// CHECK: ^[[BEHIND]]:
// CHECK: tfc.entry @loop
func.func @loop(%x: tensor<i64>, %end: tensor<i64>, %step: tensor<i64>) -> tensor<i64> attributes {tfc.entry} {
  %0 = scf.while (%v = %x) : (tensor<i64>) -> tensor<i64> {
    %c = tfc.compare lt %v, %end : tensor<i64>, tensor<i64>
    %p = tensor.extract %c[] : tensor<i1>
    scf.condition(%p) %v : tensor<i64>
  } do {
  ^bb0(%v: tensor<i64>):
    %n = tfc.add %v, %step : tensor<i64>, tensor<i64>
    scf.yield %n : tensor<i64>
  }
  return %0 : tensor<i64>
}
