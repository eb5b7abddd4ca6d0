// RUN: tfc-opt %s --tfc-insert-requirements --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: @unknown_broadcast
func.func @unknown_broadcast(%a: tensor<?xf32, #tfc.dims<n>>, %b: tensor<?xf32, #tfc.dims<m>>) -> tensor<?xf32, #tfc.dims<broadcast(n, m)>> attributes {tfc.entry} {
  // CHECK-NEXT: tfc.require{{ +}}broadcastable n, broadcast(m, n)
  // CHECK-NEXT: tfc.require{{ +}}broadcastable m, broadcast(m, n)
  // CHECK-NEXT: tfc.add
  // CHECK-NOT: tfc.require
  %0 = tfc.add %a, %b : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<m>>
  %1 = tfc.add %a, %b : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<m>>
  %2 = tfc.add %0, %1 : tensor<?xf32, #tfc.dims<broadcast(n, m)>>, tensor<?xf32, #tfc.dims<broadcast(n, m)>>
  return %2 : tensor<?xf32, #tfc.dims<broadcast(n, m)>>
}

// -----

// CHECK-LABEL: @proved
func.func @proved(%a: tensor<?x1xf32, #tfc.dims<n, 1>>, %b: tensor<?x4xf32, #tfc.dims<n, 4>>) -> tensor<?x4xf32, #tfc.dims<n, 4>> attributes {tfc.entry} {
  // CHECK-NOT: tfc.require
  %0 = tfc.add %a, %b : tensor<?x1xf32, #tfc.dims<n, 1>>, tensor<?x4xf32, #tfc.dims<n, 4>>
  return %0 : tensor<?x4xf32, #tfc.dims<n, 4>>
}

// -----

// What is no entry point is left alone.
// CHECK-LABEL: @helper
func.func @helper(%a: tensor<?xf32, #tfc.dims<n>>, %b: tensor<?xf32, #tfc.dims<m>>) -> tensor<?xf32, #tfc.dims<broadcast(n, m)>> {
  // CHECK-NOT: tfc.require
  %0 = tfc.add %a, %b : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<m>>
  return %0 : tensor<?xf32, #tfc.dims<broadcast(n, m)>>
}

// -----

// CHECK-LABEL: @born_symbol
func.func @born_symbol(%x: tensor<?xf32, #tfc.dims<n>>, %y: tensor<?xf32, #tfc.dims<m>>) -> tensor<1x?xf32, #tfc.dims<1, count>> attributes {tfc.entry} {
  // CHECK-NEXT: tfc.require{{ +}}equal 2 * n, m
  // CHECK: tfc.count_nonzero
  // CHECK-NEXT: tfc.bind
  // CHECK-NEXT: tfc.require{{ +}}equal count, n
  %f = tfc.reshape %y : tensor<?xf32, #tfc.dims<m>> -> tensor<?x2xf32, #tfc.dims<n, 2>>
  %c = tfc.count_nonzero %x : tensor<?xf32, #tfc.dims<n>>
  tfc.bind %c as ["count"] : tensor<i64>
  %0 = tfc.reshape %x : tensor<?xf32, #tfc.dims<n>> -> tensor<1x?xf32, #tfc.dims<1, count>>
  return %0 : tensor<1x?xf32, #tfc.dims<1, count>>
}

// -----

// What a branch needs is asked for where it is taken.
// CHECK-LABEL: @branch
func.func @branch(%c: tensor<i1>, %x: tensor<?xf32, #tfc.dims<n>>, %y: tensor<?xf32, #tfc.dims<m>>) -> tensor<?xf32, #tfc.dims<n>> attributes {tfc.entry} {
  // CHECK: %[[BIT:.*]] = tfc.cast %{{.*}} : tensor<i1> -> tensor<i64>
  // CHECK-NEXT: tfc.bind %[[BIT]] as ["branch_0"]
  // CHECK-NEXT: tfc.require{{ +}}equal branch_0 * n, branch_0 * m
  // CHECK: scf.if
  // CHECK: else
  // CHECK-NEXT: tfc.require{{ +}}at_most -3 * branch_0 + 3, -1 * branch_0 * n + n
  %p = tensor.extract %c[] : tensor<i1>
  %r = scf.if %p -> tensor<?xf32, #tfc.dims<n>> {
    %0 = tfc.reshape %y : tensor<?xf32, #tfc.dims<m>> -> tensor<?xf32, #tfc.dims<n>>
    scf.yield %0 : tensor<?xf32, #tfc.dims<n>>
  } else {
    tfc.require at_most 3, n
    scf.yield %x : tensor<?xf32, #tfc.dims<n>>
  }
  return %r : tensor<?xf32, #tfc.dims<n>>
}

// -----

func.func @never(%a: tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n + 1>> attributes {tfc.entry} {
  // expected-error @below {{needs n + 1 equal n, which never holds}}
  %0 = tfc.reshape %a : tensor<?xf32, #tfc.dims<n>> -> tensor<?xf32, #tfc.dims<n + 1>>
  return %0 : tensor<?xf32, #tfc.dims<n + 1>>
}
