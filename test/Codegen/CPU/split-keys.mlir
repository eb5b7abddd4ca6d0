// RUN: tfc-opt %s --tfc-plan-memory --tfc-split-keys --split-input-file | FileCheck %s

// Queries and keys have lengths of their own, so a run may have few queries and many keys. Parts lie above all that is planned.
// CHECK-LABEL: func.func @main
// CHECK-SAME: tfc.slots = [#tfc.slot<<512 * batch * seq>>, #tfc.slot<<[[BYTES:.*]]> above[0]>]
// CHECK: %[[Q:.*]] = tfc.launch @id_0
// CHECK: %[[PARTS:.*]] = tfc.launch @attend_0_parts(%[[Q]], %{{.*}}, %{{.*}}) symbols [batch, seq, keys] nodes ["MatMul_1"] places [#tfc.place<slot, 1>]
// CHECK: tfc.launch @attend_0(%[[Q]], %{{.*}}, %{{.*}}, %[[PARTS]]) symbols [batch, seq, keys] nodes ["MatMul_1"] places [#tfc.place<output, 0>]
// CHECK-LABEL: func.func private @attend_0_parts(
// CHECK-SAME: tfc.makes_key_parts = #tfc.expr<-1 * floordiv(-1 * s2, 512) * min(floordiv(s2 + -1, 1024), 1) * min(floordiv(32, 2 * s1), 1)>
// CHECK: %[[O:.*]] = tfc.attention
// CHECK: tfc.tile %[[O]]
// CHECK-LABEL: func.func private @attend_0(
// CHECK-SAME: tfc.takes_key_parts
// CHECK: %[[O:.*]] = tfc.attention
// CHECK: return %[[O]]
!q = tensor<?x4x?x32xf32, #tfc.dims<batch, 4, seq, 32>>
!k = tensor<?x2x?x32xf32, #tfc.dims<batch, 2, keys, 32>>
!lq = tensor<?x4x?x32xf32, #tfc.dims<s0, 4, s1, 32>>
!lk = tensor<?x2x?x32xf32, #tfc.dims<s0, 2, s2, 32>>
func.func @main(%q: !q, %k: !k, %v: !k) -> !q attributes {tfc.entry} {
  %0 = tfc.launch @id_0(%q) symbols [batch, seq] nodes [] : (!q) -> !q
  %1 = tfc.launch @attend_0(%0, %k, %v) symbols [batch, seq, keys] nodes ["MatMul_1"] : (!q, !k, !k) -> !q
  return %1 : !q
}
func.func private @id_0(%x: !lq) -> !lq attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.neg %x : !lq
  return %0 : !lq
}
func.func private @attend_0(%q: !lq, %k: !lk, %v: !lk) -> !lq attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2"]} {
  %0 = tfc.attention %q, %k, %v : (!lq, !lk, !lk) -> !lq
  return %0 : !lq
}

// -----

// As many keys as queries: many keys are many queries.
// CHECK-LABEL: func.func @main
// CHECK-NOT: tfc.place<slot
// CHECK-NOT: key_parts
!t = tensor<?x2x?x16xf32, #tfc.dims<b, 2, s, 16>>
!l = tensor<?x2x?x16xf32, #tfc.dims<s0, 2, s1, 16>>
func.func @main(%q: !t, %k: !t, %v: !t) -> !t attributes {tfc.entry} {
  %0 = tfc.launch @attend_0(%q, %k, %v) symbols [b, s] nodes [] : (!t, !t, !t) -> !t
  return %0 : !t
}
func.func private @attend_0(%q: !l, %k: !l, %v: !l) -> !l attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.attention %q, %k, %v : (!l, !l, !l) -> !l
  return %0 : !l
}

// -----

// Lengths that are known: 1024 keys are not cut, nor are those of 40 queries; 1025 keys of one query are.
// CHECK-LABEL: func.func @main
// CHECK-NEXT: tfc.launch @few_keys(
// CHECK-NEXT: tfc.launch @many_queries(
// CHECK-NEXT: tfc.launch @cut_parts({{.*}} -> tensor<1x1x3x10xf32>
// CHECK-NEXT: tfc.launch @cut(
!q1 = tensor<1x1x1x8xf32>
!q40 = tensor<1x1x40x8xf32>
!k1024 = tensor<1x1x1024x8xf32>
!k1025 = tensor<1x1x1025x8xf32>
func.func @main(%q1: !q1, %q40: !q40, %k: !k1024, %k1: !k1025) -> (!q1, !q40, !q1) attributes {tfc.entry} {
  %0 = tfc.launch @few_keys(%q1, %k, %k) symbols [] nodes [] : (!q1, !k1024, !k1024) -> !q1
  %1 = tfc.launch @many_queries(%q40, %k1, %k1) symbols [] nodes [] : (!q40, !k1025, !k1025) -> !q40
  %2 = tfc.launch @cut(%q1, %k1, %k1) symbols [] nodes [] : (!q1, !k1025, !k1025) -> !q1
  return %0, %1, %2 : !q1, !q40, !q1
}
func.func private @few_keys(%q: !q1, %k: !k1024, %v: !k1024) -> !q1 attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v : (!q1, !k1024, !k1024) -> !q1
  return %0 : !q1
}
func.func private @many_queries(%q: !q40, %k: !k1025, %v: !k1025) -> !q40 attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v : (!q40, !k1025, !k1025) -> !q40
  return %0 : !q40
}
func.func private @cut(%q: !q1, %k: !k1025, %v: !k1025) -> !q1 attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v : (!q1, !k1025, !k1025) -> !q1
  return %0 : !q1
}

// -----

// A plain kernel, columns as keys, and more than an attention are left to others.
// CHECK-LABEL: func.func @main
// CHECK-NOT: key_parts
!q = tensor<1x1x1x8xf32>
!k = tensor<1x1x2048x8xf32>
!c = tensor<1x1x8x2048xf32>
func.func @main(%q: !q, %k: !k, %c: !c) -> (!q, !q, !q) attributes {tfc.entry} {
  %0 = tfc.launch @plain(%q, %k, %k) symbols [] nodes [] : (!q, !k, !k) -> !q
  %1 = tfc.launch @columns(%q, %c, %k) symbols [] nodes [] : (!q, !c, !k) -> !q
  %2 = tfc.launch @more(%q, %k, %k) symbols [] nodes [] : (!q, !k, !k) -> !q
  return %0, %1, %2 : !q, !q, !q
}
func.func private @plain(%q: !q, %k: !k, %v: !k) -> !q attributes {tfc.kernel, tfc.plain, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v : (!q, !k, !k) -> !q
  return %0 : !q
}
func.func private @columns(%q: !q, %k: !c, %v: !k) -> !q attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.transpose %k [0, 1, 3, 2] : !c
  %1 = tfc.attention %q, %0, %v : (!q, !k, !k) -> !q
  return %1 : !q
}
func.func private @more(%q: !q, %k: !k, %v: !k) -> !q attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.attention %q, %k, %v : (!q, !k, !k) -> !q
  %1 = tfc.neg %0 : !q
  return %1 : !q
}
