// RUN: tfc-opt --split-input-file --tfc-fuse-attention --verify-diagnostics %s | FileCheck %s

!q = tensor<2x3x4x8xf32>
!p = tensor<2x3x6x8xf32>
!t = tensor<2x3x10x8xf32>
!s = tensor<2x3x4x10xf32>

// Past and new keys go in apart; who used both together gets them from the op.
// CHECK-LABEL: @past_and_present
// CHECK-SAME: (%[[Q:.*]]: tensor<2x3x4x8xf32>, %[[K:.*]]: tensor<2x3x4x8xf32>, %[[V:.*]]: tensor<2x3x4x8xf32>, %[[PK:.*]]: tensor<2x3x6x8xf32>, %[[PV:.*]]: tensor<2x3x6x8xf32>)
// CHECK-NEXT: %[[O:.*]], %[[PRESENT:.*]]:2 = tfc.attention %[[Q]], %[[K]], %[[V]] past %[[PK]], %[[PV]] {scale = 1.000000e+00 : f32}
// CHECK-NEXT: return %[[O]], %[[PRESENT]]#0, %[[PRESENT]]#1
func.func @past_and_present(%q: !q, %k: !q, %v: !q, %pk: !p, %pv: !p) -> (!q, !t, !t) {
  %nk = tfc.concat %pk, %k axis 2 : !p, !q
  %nv = tfc.concat %pv, %v axis 2 : !p, !q
  %s = tfc.matmul %q, %nk {transpose_b} : !q, !t
  // expected-remark @below {{fused: attention: scale 1, past}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %nv : !s, !t
  return %o, %nk, %nv : !q, !t, !t
}

// -----

!q = tensor<2x3x4x8xf32>
!p = tensor<2x3x6x8xf32>
!t = tensor<2x3x10x8xf32>
!s = tensor<2x3x4x10xf32>

// CHECK-LABEL: @past_alone
// CHECK-NOT: tfc.concat
// CHECK: %[[O:.*]] = tfc.attention %{{.*}}, %{{.*}}, %{{.*}} past %{{.*}}, %{{.*}} {scale = 5.000000e-01 : f32}
// CHECK-NEXT: return %[[O]]
func.func @past_alone(%q: !q, %k: !q, %v: !q, %pk: !p, %pv: !p) -> !q {
  %half = tfc.constant dense<0.5> : tensor<f32>
  %nk = tfc.concat %pk, %k axis 2 : !p, !q
  %scaled = tfc.mul %nk, %half : !t, tensor<f32>
  %nv = tfc.concat %pv, %v axis 2 : !p, !q
  %s = tfc.matmul %q, %scaled {transpose_b} : !q, !t
  // expected-remark @below {{fused: attention: scale 0.5, past}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %nv : !s, !t
  return %o : !q
}

// -----

!q = tensor<2x6x4x8xf32>
!k = tensor<2x3x4x8xf32>
!p = tensor<2x3x6x8xf32>
!t = tensor<2x3x10x8xf32>
!r = tensor<2x3x1x10x8xf32>
!e = tensor<2x3x2x10x8xf32>
!w = tensor<2x6x10x8xf32>
!s = tensor<2x6x4x10xf32>

// Grouped queries behind a past.
// CHECK-LABEL: @past_grouped
// CHECK: %[[O:.*]], %[[PRESENT:.*]]:2 = tfc.attention %{{.*}}, %{{.*}}, %{{.*}} past
// CHECK-NEXT: return %[[O]], %[[PRESENT]]#0, %[[PRESENT]]#1
func.func @past_grouped(%q: !q, %k: !k, %v: !k, %pk: !p, %pv: !p) -> (!q, !t, !t) {
  %nk = tfc.concat %pk, %k axis 2 : !p, !k
  %nv = tfc.concat %pv, %v axis 2 : !p, !k
  %k1 = tfc.reshape %nk : !t -> !r
  %k2 = tfc.expand %k1 : !r -> !e
  %k3 = tfc.reshape %k2 : !e -> !w
  %v1 = tfc.reshape %nv : !t -> !r
  %v2 = tfc.expand %v1 : !r -> !e
  %v3 = tfc.reshape %v2 : !e -> !w
  %s = tfc.matmul %q, %k3 {transpose_b} : !q, !w
  // expected-remark @below {{fused: attention: scale 1, 3 key heads, past}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %v3 : !s, !w
  return %o, %nk, %nv : !q, !t, !t
}

// -----

!q = tensor<2x3x4x8xf32>
!p = tensor<2x3x6x8xf32>
!t = tensor<2x3x10x8xf32>
!s = tensor<2x3x4x10xf32>

// Somebody needs them together before the op: they stay together there, and go in apart.
// CHECK-LABEL: @used_before
// CHECK: %[[NK:.*]] = tfc.concat
// CHECK: %[[E:.*]] = tfc.exp %[[NK]]
// CHECK: %[[O:.*]] = tfc.attention %[[Q:.*]], %{{.*}}, %{{.*}} past
func.func @used_before(%q: !q, %k: !q, %v: !q, %pk: !p, %pv: !p) -> (!q, !t) {
  %nk = tfc.concat %pk, %k axis 2 : !p, !q
  %e = tfc.exp %nk : !t
  %nv = tfc.concat %pv, %v axis 2 : !p, !q
  %s = tfc.matmul %q, %nk {transpose_b} : !q, !t
  // expected-remark @below {{fused: attention: scale 1, past}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %nv : !s, !t
  return %o, %e : !q, !t
}

// -----

!q = tensor<2x3x4x8xf32>
!t = tensor<2x3x8x8xf32>
!s = tensor<2x3x4x8xf32>

// Keys and values of different pasts are no past: 3 and 5 rows, where the op takes one length.
// CHECK-LABEL: @different_lengths
// CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{[a-z0-9]*}} {scale
func.func @different_lengths(%q: !q, %k: tensor<2x3x5x8xf32>, %v: tensor<2x3x3x8xf32>, %pk: tensor<2x3x3x8xf32>, %pv: tensor<2x3x5x8xf32>) -> !q {
  %nk = tfc.concat %pk, %k axis 2 : tensor<2x3x3x8xf32>, tensor<2x3x5x8xf32>
  %nv = tfc.concat %pv, %v axis 2 : tensor<2x3x5x8xf32>, tensor<2x3x3x8xf32>
  %s = tfc.matmul %q, %nk {transpose_b} : !q, !t
  // expected-remark @below {{fused: attention: scale 1}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %nv : !s, !t
  return %o : !q
}

// -----

!q = tensor<2x4x4x8xf32>
!h = tensor<2x2x4x8xf32>
!s = tensor<2x4x4x4xf32>

// Heads that are joined are no past.
// CHECK-LABEL: @wrong_axis
// CHECK: %[[K:.*]] = tfc.concat
// CHECK: %[[V:.*]] = tfc.concat
// CHECK: tfc.attention %{{.*}}, %[[K]], %[[V]] {scale
func.func @wrong_axis(%q: !q, %a: !h, %b: !h, %c: !h, %d: !h) -> !q {
  %nk = tfc.concat %a, %b axis 1 : !h, !h
  %nv = tfc.concat %c, %d axis 1 : !h, !h
  %s = tfc.matmul %q, %nk {transpose_b} : !q, !q
  // expected-remark @below {{fused: attention: scale 1}}
  %p = tfc.softmax %s axis 3 : !s
  %o = tfc.matmul %p, %nv : !s, !q
  return %o : !q
}
