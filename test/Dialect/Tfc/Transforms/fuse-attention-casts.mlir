// RUN: tfc-opt %s --tfc-fuse-attention --verify-diagnostics --split-input-file | FileCheck %s

// Scores and probabilities of f16 around a softmax in f32: the op works in f32 throughout, which rounds less often. A bias of f16 keeps its
// meaning: the lowest number stays the lowest, so that a row of masked scores only has equal probabilities as before.
!q = tensor<?x4x?x16xf16, #tfc.dims<b, 4, n, 16>>
!s = tensor<?x4x?x?xf16, #tfc.dims<b, 4, n, n>>
!p = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, n>>
!m = tensor<?x1x1x?xf16, #tfc.dims<b, 1, 1, n>>
// CHECK-LABEL: func.func @upcast
// CHECK: %[[ONE:.*]] = tfc.constant dense<1.000000e+00> : tensor<f32>
// CHECK: %[[IDS:.*]] = tfc.cast %arg3 : {{.*}}xi64, {{.*}} -> tensor<{{.*}}xf32
// CHECK: %[[NOT:.*]] = tfc.sub %[[ONE]], %[[IDS]]
// CHECK: %[[LOW:.*]] = tfc.constant dense<-3.40282347E+38> : tensor<f32>
// CHECK: %[[BIAS:.*]] = tfc.mul %[[NOT]], %[[LOW]]
// CHECK: %[[O:.*]] = tfc.attention %{{.*}}, %{{.*}}, %{{.*}} bias %[[BIAS]] {scale = 2.500000e-01 : f32} : (tensor<?x4x?x16xf32
// CHECK: tfc.cast %[[O]] : {{.*}} -> tensor<?x4x?x16xf16
func.func @upcast(%q: !q, %k: !q, %v: !q, %ids: tensor<?x1x1x?xi64, #tfc.dims<b, 1, 1, n>>) -> !q {
  %c = tfc.constant dense<0.25> : tensor<f16>
  %one = tfc.constant dense<1.0> : tensor<f16>
  %lowest = tfc.constant dense<-65504.0> : tensor<f16>
  %m = tfc.cast %ids : tensor<?x1x1x?xi64, #tfc.dims<b, 1, 1, n>> -> !m
  %not = tfc.sub %one, %m : tensor<f16>, !m
  %bias = tfc.mul %not, %lowest : !m, tensor<f16>
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  %1 = tfc.mul %0, %c : !s, tensor<f16>
  %2 = tfc.add %1, %bias : !s, !m
  %3 = tfc.cast %2 : !s -> !p
  // expected-remark @+1 {{fused: attention: scale 0.25, in f32, bias}}
  %4 = tfc.softmax %3 axis 3 : !p
  %5 = tfc.cast %4 : !p -> !s
  %6 = tfc.matmul %5, %v : !s, !q
  return %6 : !q
}

// -----

// A bias that comes from outside: the lowest number is looked for. What is added behind the cast is f32 as it is.
!q = tensor<?x4x?x16xf16, #tfc.dims<b, 4, n, 16>>
!s = tensor<?x4x?x?xf16, #tfc.dims<b, 4, n, n>>
!p = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, n>>
// CHECK-LABEL: func.func @bias_from_outside
// CHECK: %[[CAST:.*]] = tfc.cast %arg3
// CHECK: %[[LOW:.*]] = tfc.constant dense<-6.550400e+04> : tensor<f16>
// CHECK: %[[WIDE:.*]] = tfc.constant dense<-3.40282347E+38> : tensor<f32>
// CHECK: %[[IS:.*]] = tfc.compare eq %arg3, %[[LOW]]
// CHECK: %[[B:.*]] = tfc.select %[[IS]], %[[WIDE]], %[[CAST]]
// CHECK: %[[SUM:.*]] = tfc.add %[[B]], %arg4
// CHECK: tfc.attention {{.*}} bias %[[SUM]]
func.func @bias_from_outside(%q: !q, %k: !q, %v: !q, %bias: !s, %more: !p) -> !q {
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  %1 = tfc.add %0, %bias : !s, !s
  %2 = tfc.cast %1 : !s -> !p
  %3 = tfc.add %2, %more : !p, !p
  // expected-remark @+1 {{fused: attention: scale 1, in f32, bias}}
  %4 = tfc.softmax %3 axis 3 : !p
  %5 = tfc.cast %4 : !p -> !s
  %6 = tfc.matmul %5, %v : !s, !q
  return %6 : !q
}

// -----

// Queries and keys are cast before the product, as GPT-J has it, and the values stay bf16. A select in f32 is a mask.
!q = tensor<?x4x?x16xbf16, #tfc.dims<b, 4, n, 16>>
!f = tensor<?x4x?x16xf32, #tfc.dims<b, 4, n, 16>>
!s = tensor<?x4x?x?xbf16, #tfc.dims<b, 4, n, n>>
!p = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, n>>
!m = tensor<?x1x1x?xi1, #tfc.dims<b, 1, 1, n>>
// CHECK-LABEL: func.func @cast_before
// CHECK: tfc.attention {{.*}} mask %arg3
// CHECK-SAME: -> tensor<?x4x?x16xf32
// CHECK: tfc.cast {{.*}} -> tensor<?x4x?x16xbf16
func.func @cast_before(%q: !q, %k: !q, %v: !q, %mask: !m) -> !q {
  %lowest = tfc.constant dense<-3.40282347E+38> : tensor<f32>
  %qf = tfc.cast %q : !q -> !f
  %kf = tfc.cast %k : !q -> !f
  %0 = tfc.matmul %qf, %kf {transpose_b} : !f, !f
  %1 = tfc.select %mask, %0, %lowest : !m, !p, tensor<f32>
  // expected-remark @+1 {{fused: attention: scale 1, in f32, mask, rows without keys are uniform}}
  %2 = tfc.softmax %1 axis 3 : !p
  %3 = tfc.cast %2 : !p -> !s
  %4 = tfc.matmul %3, %v : !s, !q
  return %4 : !q
}

// -----

// A past of f16 stays f16: it is what the next run takes.
!q = tensor<?x4x?x16xf16, #tfc.dims<b, 4, n, 16>>
!past = tensor<?x4x?x16xf16, #tfc.dims<b, 4, t, 16>>
!k = tensor<?x4x?x16xf16, #tfc.dims<b, 4, n + t, 16>>
!s = tensor<?x4x?x?xf16, #tfc.dims<b, 4, n, n + t>>
!p = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, n + t>>
// CHECK-LABEL: func.func @past
// CHECK: %[[K:.*]] = tfc.concat %arg3, %arg1
// CHECK: %[[V:.*]] = tfc.concat %arg4, %arg2
// CHECK: %[[O:.*]] = tfc.attention
// CHECK: return %{{.*}}, %[[K]], %[[V]]
func.func @past(%q: !q, %k: !q, %v: !q, %pk: !past, %pv: !past) -> (!q, !k, !k) {
  %keys = tfc.concat %pk, %k axis 2 : !past, !q
  %values = tfc.concat %pv, %v axis 2 : !past, !q
  %0 = tfc.matmul %q, %keys {transpose_b} : !q, !k
  %1 = tfc.cast %0 : !s -> !p
  // expected-remark @+1 {{fused: attention: scale 1, in f32}}
  %2 = tfc.softmax %1 axis 3 : !p
  %3 = tfc.cast %2 : !p -> !s
  %4 = tfc.matmul %3, %values : !s, !k
  return %4, %keys, %values : !q, !k, !k
}

// -----

// Scores that lose digits before the softmax stay: f16 turns what is below -65504 into -inf.
!q = tensor<?x4x?x16xf32, #tfc.dims<b, 4, n, 16>>
!v = tensor<?x4x?x16xf16, #tfc.dims<b, 4, n, 16>>
!s = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, n>>
!h = tensor<?x4x?x?xf16, #tfc.dims<b, 4, n, n>>
// CHECK-LABEL: func.func @narrowed
// CHECK-NOT: tfc.attention
func.func @narrowed(%q: !q, %k: !q, %v: !v) -> !v {
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  // expected-remark @+2 {{not fused: attention: the scores lose digits between the product and the softmax}}
  %1 = tfc.cast %0 : !s -> !h
  %2 = tfc.softmax %1 axis 3 : !h
  %3 = tfc.matmul %2, %v : !h, !v
  return %3 : !v
}

// -----

// So do probabilities that are cast to something wider, or to integers.
!q = tensor<?x4x?x16xf16, #tfc.dims<b, 4, n, 16>>
!f = tensor<?x4x?x16xf32, #tfc.dims<b, 4, n, 16>>
!s = tensor<?x4x?x?xf16, #tfc.dims<b, 4, n, n>>
!p = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, n>>
// CHECK-LABEL: func.func @widened
// CHECK-NOT: tfc.attention
func.func @widened(%q: !q, %k: !q, %v: !f) -> !f {
  %0 = tfc.matmul %q, %k {transpose_b} : !q, !q
  // expected-remark @+1 {{not fused: attention: tfc.cast stands between the softmax and the product with the values}}
  %1 = tfc.softmax %0 axis 3 : !s
  %2 = tfc.cast %1 : !s -> !p
  %3 = tfc.matmul %2, %v : !p, !f
  return %3 : !f
}
