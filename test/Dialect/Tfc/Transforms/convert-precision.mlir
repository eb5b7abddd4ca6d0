// RUN: tfc-opt %s --split-input-file --tfc-convert-precision=to=bf16 | FileCheck %s
// RUN: tfc-opt %s --split-input-file --tfc-convert-precision=to=tf32 | FileCheck %s --check-prefix=TF32
// RUN: not tfc-opt %s --split-input-file --tfc-convert-precision=to=int4 2>&1 | FileCheck %s --check-prefix=WRONG

// WRONG: unknown precision 'int4'; there are tf32, bf16 and f16

// The operands of products become casts of 16-bit tensors; what the norm makes stays in f32 for the residual. The weight
// keeps its name and is rounded when it is written; the bias is no operand.
// CHECK: tfc.weight @w : tensor<64x96xbf16> = #tfc.file<"w", 0, 24576> as f32
// CHECK: tfc.weight @bias : tensor<96xf32>
// CHECK: tfc.weight @half : tensor<96x64xbf16> = #tfc.file<"w", 24960, 12288>{{$}}
// CHECK-LABEL: func.func @block
// CHECK: %[[N:.*]] = tfc.layer_norm %arg0
// CHECK-NEXT: %[[N16:.*]] = tfc.cast %[[N]] : {{.*}}f32{{.*}} -> {{.*}}bf16
// CHECK-DAG: %[[A:.*]] = tfc.cast %[[N16]]
// CHECK-DAG: %[[W:.*]] = tfc.cast {{.*}} : tensor<64x96xbf16> -> tensor<64x96xf32>
// CHECK: %[[P:.*]] = tfc.matmul %[[A]], %[[W]] : tensor<?x64xf32, #tfc.dims<n, 64>>, tensor<64x96xf32>
// CHECK: %[[S:.*]] = tfc.add %[[P]]
// CHECK: %[[G:.*]] = tfc.gelu erf %[[S]]
// CHECK-NEXT: %[[G16:.*]] = tfc.cast %[[G]]
// CHECK: %[[Q:.*]] = tfc.matmul
// CHECK: tfc.add %[[Q]], %[[N]]
// TF32-LABEL: func.func @block
// TF32: tfc.matmul {{.*}} {tfc.tf32} : {{.*}}f32
// TF32: tfc.matmul {{.*}} {tfc.tf32} : {{.*}}f32
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
!y = tensor<?x96xf32, #tfc.dims<n, 96>>
tfc.weight @w : tensor<64x96xf32> = #tfc.file<"w", 0, 24576>
tfc.weight @bias : tensor<96xf32> = #tfc.file<"w", 24576, 384>
tfc.weight @half : tensor<96x64xf32> = #tfc.file<"w", 24960, 12288> as bf16
func.func @block(%x: !x) -> !x {
  %n = tfc.layer_norm %x axis 1 epsilon 1.0e-05 : (!x) -> !x
  %w = tfc.weight_ref @w : tensor<64x96xf32>
  %b = tfc.weight_ref @bias : tensor<96xf32>
  %h = tfc.weight_ref @half : tensor<96x64xf32>
  %0 = tfc.matmul %n, %w : !x, tensor<64x96xf32>
  %1 = tfc.add %0, %b : !y, tensor<96xf32>
  %2 = tfc.gelu erf %1 : !y
  %3 = tfc.matmul %2, %h : !y, tensor<96x64xf32>
  %4 = tfc.add %3, %n : !x, !x
  return %4 : !x
}

// -----

// Casts go up through what only moves elements for products: here to the sum. Scores, bias and softmax stay in f32.
// CHECK-LABEL: func.func @attention
// CHECK: %[[S:.*]] = tfc.add %arg0, %arg0
// CHECK-NEXT: %[[S16:.*]] = tfc.cast %[[S]]
// CHECK: tfc.slice %{{.*}} : tensor<2x5x3x4x16xbf16> -> tensor<2x5x1x4x16xbf16>
// CHECK: tfc.transpose {{.*}} : tensor<2x5x4x16xbf16>
// CHECK: %[[O:.*]] = tfc.attention {{.*}} bias %arg1 {{.*}}f32>) -> tensor<2x4x5x16xf32>
// CHECK-NEXT: %[[O16:.*]] = tfc.cast %[[O]] : tensor<2x4x5x16xf32> -> tensor<2x4x5x16xbf16>
// CHECK: tfc.transpose %[[O16]]
// TF32-LABEL: func.func @attention
// TF32-NOT: bf16
tfc.weight @w : tensor<64x64xf32> = #tfc.seed<normal, 1, 2, 0.0 : f32, 1.0 : f32>
func.func @attention(%x: tensor<2x5x192xf32>, %m: tensor<2x1x1x5xf32>) -> tensor<2x5x64xf32> {
  %s = tfc.add %x, %x : tensor<2x5x192xf32>, tensor<2x5x192xf32>
  %p = tfc.reshape %s : tensor<2x5x192xf32> -> tensor<2x5x3x4x16xf32>
  %q0 = tfc.slice %p offsets [0, 0, 0, 0, 0] strides [1, 1, 1, 1, 1] : tensor<2x5x3x4x16xf32> -> tensor<2x5x1x4x16xf32>
  %k0 = tfc.slice %p offsets [0, 0, 1, 0, 0] strides [1, 1, 1, 1, 1] : tensor<2x5x3x4x16xf32> -> tensor<2x5x1x4x16xf32>
  %v0 = tfc.slice %p offsets [0, 0, 2, 0, 0] strides [1, 1, 1, 1, 1] : tensor<2x5x3x4x16xf32> -> tensor<2x5x1x4x16xf32>
  %q1 = tfc.reshape %q0 : tensor<2x5x1x4x16xf32> -> tensor<2x5x4x16xf32>
  %k1 = tfc.reshape %k0 : tensor<2x5x1x4x16xf32> -> tensor<2x5x4x16xf32>
  %v1 = tfc.reshape %v0 : tensor<2x5x1x4x16xf32> -> tensor<2x5x4x16xf32>
  %q = tfc.transpose %q1 [0, 2, 1, 3] : tensor<2x5x4x16xf32>
  %k = tfc.transpose %k1 [0, 2, 1, 3] : tensor<2x5x4x16xf32>
  %v = tfc.transpose %v1 [0, 2, 1, 3] : tensor<2x5x4x16xf32>
  %o = tfc.attention %q, %k, %v bias %m : (tensor<2x4x5x16xf32>, tensor<2x4x5x16xf32>, tensor<2x4x5x16xf32>, tensor<2x1x1x5xf32>) -> tensor<2x4x5x16xf32>
  %t = tfc.transpose %o [0, 2, 1, 3] : tensor<2x4x5x16xf32>
  %r = tfc.reshape %t : tensor<2x5x4x16xf32> -> tensor<2x5x64xf32>
  %w = tfc.weight_ref @w : tensor<64x64xf32>
  %y = tfc.matmul %r, %w : tensor<2x5x64xf32>, tensor<64x64xf32>
  return %y : tensor<2x5x64xf32>
}

// -----

// A past stays in f32, outside and inside: what the op reads of it is narrowed for the product alone.
// CHECK-LABEL: func.func @past
// CHECK: %[[K:.*]] = tfc.concat %arg3, %arg1 axis 2 : tensor<1x2x3x8xf32>, tensor<1x2x1x8xf32>
// CHECK-NEXT: %[[K16:.*]] = tfc.cast %[[K]]
// CHECK: %[[V:.*]] = tfc.concat %arg4, %arg2 axis 2
// CHECK-DAG: %[[KW:.*]] = tfc.cast %[[K16]]
// CHECK: tfc.attention %{{.*}}, %[[KW]], %{{.*}} {causal}
// CHECK: return %{{.*}}, %[[K]], %[[V]]
!new = tensor<1x2x1x8xf32>
!past = tensor<1x2x3x8xf32>
!all = tensor<1x2x4x8xf32>
func.func @past(%q: !new, %k: !new, %v: !new, %pk: !past, %pv: !past) -> (!new, !all, !all) {
  %o, %nk, %nv = tfc.attention %q, %k, %v past %pk, %pv {causal} : (!new, !new, !new, !past, !past) -> (!new, !all, !all)
  return %o, %nk, %nv : !new, !all, !all
}

// -----

// A table that is tied to a product is stored once: lookups read it in 16 bits. One that something else reads as well is stored
// in both types, and a stack of weights changes with its parts.
// CHECK: tfc.weight @tied : tensor<50x64xbf16> = #tfc.file<"w", 0, 12800> as f32
// CHECK: tfc.weight @shared_bf16 : tensor<64x16xbf16> = #tfc.file<"w", 12800, 4096> as f32
// CHECK: tfc.weight @shared : tensor<64x16xf32> = #tfc.file<"w", 12800, 4096>
// CHECK: tfc.weight @q : tensor<16x64xbf16> = #tfc.file<"w", 16896, 4096> layout <0, [1, 16]> as f32
// CHECK: tfc.weight @k : tensor<16x64xbf16>
// CHECK: tfc.weight @both : tensor<32x64xbf16> = #tfc.stack<[@q, @k]>
// CHECK: tfc.weight @looked : tensor<9x64xf32>
// CHECK-LABEL: func.func @tables
// CHECK: %[[E:.*]] = tfc.gather %{{.*}}, %arg0 axis 0 : tensor<50x64xbf16>
// CHECK-NEXT: tfc.cast %[[E]] : {{.*}}bf16{{.*}} -> {{.*}}f32
// CHECK: tfc.gather %{{.*}}, %arg0 axis 0 : tensor<9x64xf32>
// CHECK: tfc.add %{{.*}}, %{{.*}} : tensor<64x16xf32>
!i = tensor<?xi64, #tfc.dims<n>>
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
!l = tensor<?x50xf32, #tfc.dims<n, 50>>
tfc.weight @tied : tensor<50x64xf32> = #tfc.file<"w", 0, 12800>
tfc.weight @shared : tensor<64x16xf32> = #tfc.file<"w", 12800, 4096>
tfc.weight @q : tensor<16x64xf32> = #tfc.file<"w", 16896, 4096> layout <0, [1, 16]>
tfc.weight @k : tensor<16x64xf32> = #tfc.file<"w", 20992, 4096> layout <0, [1, 16]>
tfc.weight @both : tensor<32x64xf32> = #tfc.stack<[@q, @k]>
tfc.weight @looked : tensor<9x64xf32> = #tfc.file<"w", 25088, 2304>
func.func @tables(%i: !i) -> (!l, tensor<?x16xf32, #tfc.dims<n, 16>>, tensor<?x32xf32, #tfc.dims<n, 32>>, tensor<64x16xf32>) {
  %t = tfc.weight_ref @tied : tensor<50x64xf32>
  %u = tfc.weight_ref @looked : tensor<9x64xf32>
  %s = tfc.weight_ref @shared : tensor<64x16xf32>
  %b = tfc.weight_ref @both : tensor<32x64xf32>
  %e = tfc.gather %t, %i axis 0 : tensor<50x64xf32>, !i
  %f = tfc.gather %u, %i axis 0 : tensor<9x64xf32>, !i
  %x = tfc.add %e, %f : !x, !x
  %0 = tfc.matmul %x, %t {transpose_b} : !x, tensor<50x64xf32>
  %1 = tfc.matmul %x, %s : !x, tensor<64x16xf32>
  %2 = tfc.matmul %x, %b {transpose_b} : !x, tensor<32x64xf32>
  %3 = tfc.add %s, %s : tensor<64x16xf32>, tensor<64x16xf32>
  return %0, %1, %2, %3 : !l, tensor<?x16xf32, #tfc.dims<n, 16>>, tensor<?x32xf32, #tfc.dims<n, 32>>, tensor<64x16xf32>
}

// -----

// Outer products, products of other types, and attentions that give their probabilities stay as they are.
// CHECK-LABEL: func.func @left_alone
// CHECK-NOT: tfc.cast
// CHECK: return
// TF32-LABEL: func.func @left_alone
// TF32-NOT: tfc.tf32
// TF32: return
!p = tensor<2x4x4xf32>
!q = tensor<1x2x4x8xf32>
func.func @left_alone(%place: tensor<9x1xf32>, %rate: tensor<1x16xf32>, %h: tensor<4x16xbf16>, %w: tensor<16x8xbf16>, %d: tensor<4x16xf64>, %q: !q)
    -> (tensor<9x16xf32>, tensor<4x8xbf16>, tensor<4x4xf64>, !q, tensor<1x2x4x4xf32>) {
  %0 = tfc.matmul %place, %rate : tensor<9x1xf32>, tensor<1x16xf32>
  %1 = tfc.matmul %h, %w : tensor<4x16xbf16>, tensor<16x8xbf16>
  %2 = tfc.matmul %d, %d {transpose_b} : tensor<4x16xf64>, tensor<4x16xf64>
  %o, %probabilities = tfc.attention %q, %q, %q : (!q, !q, !q) -> (!q, tensor<1x2x4x4xf32>)
  return %0, %1, %2, %o, %probabilities : tensor<9x16xf32>, tensor<4x8xbf16>, tensor<4x4xf64>, !q, tensor<1x2x4x4xf32>
}

// -----

// A value that is cast to the type already is read where it was narrow; one cast serves all products.
// CHECK-LABEL: func.func @once
// CHECK: tfc.cast %arg1 : tensor<16x8xf32> -> tensor<16x8xbf16>
// CHECK-NEXT: tfc.cast %arg0 : tensor<4x16xbf16> -> tensor<4x16xf32>
// CHECK-NEXT: tfc.cast %arg0 : tensor<4x16xbf16> -> tensor<4x16xf32>
// CHECK-NOT: -> tensor<{{.*}}xbf16>
// CHECK: return
func.func @once(%h: tensor<4x16xbf16>, %x: tensor<16x8xf32>) -> (tensor<4x8xf32>, tensor<8x8xf32>) {
  %w = tfc.cast %h : tensor<4x16xbf16> -> tensor<4x16xf32>
  %0 = tfc.matmul %w, %x : tensor<4x16xf32>, tensor<16x8xf32>
  %1 = tfc.matmul %x, %x {transpose_a} : tensor<16x8xf32>, tensor<16x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<8x8xf32>
}
