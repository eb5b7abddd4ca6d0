// RUN: tfc-opt %s --tfc-form-kernels=operand-casts --split-input-file | FileCheck %s
// RUN: tfc-opt %s --tfc-form-kernels --split-input-file | FileCheck %s --check-prefix=WITHOUT

// A product reads 16 bits through its casts, each product through its own; what follows is stored narrow. Without the
// option a cast is a kernel like any other.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
!h = tensor<?x64xbf16, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @products
// CHECK: %[[A:.*]] = tfc.launch @matmul_gelu_cast_0(%arg0, %arg1) {{.*}} -> tensor<?x64xbf16
// CHECK: %[[B:.*]] = tfc.launch @matmul_0(%arg0, %arg1) {{.*}} -> tensor<?x64xf32
// CHECK: return %[[A]], %[[B]]
// CHECK: func.func private @matmul_gelu_cast_0
// CHECK-NEXT: %[[L:.*]] = tfc.cast
// CHECK-NEXT: %[[R:.*]] = tfc.cast
// CHECK-NEXT: tfc.matmul %[[L]], %[[R]]
// WITHOUT-LABEL: func.func @products
// WITHOUT-COUNT-2: tfc.launch @cast
// WITHOUT: tfc.launch @matmul_gelu
func.func @products(%x: !h, %w: tensor<64x64xbf16>) -> (!h, !x) attributes {tfc.entry} {
  %0 = tfc.cast %x : !h -> !x
  %1 = tfc.cast %w : tensor<64x64xbf16> -> tensor<64x64xf32>
  %2 = tfc.matmul %0, %1 : !x, tensor<64x64xf32>
  %3 = tfc.gelu erf %2 : !x
  %4 = tfc.cast %3 : !x -> !h
  %5 = tfc.matmul %0, %1 {transpose_b} : !x, tensor<64x64xf32>
  return %4, %5 : !h, !x
}

// -----

// A norm that is wanted in both types has both results, and the sum before it still is one as well.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
!h = tensor<?x64xbf16, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @norm
// CHECK: tfc.launch @add_layer_norm_cast_0(%arg0) {{.*}} -> (tensor<?x64xf32{{.*}}>, tensor<?x64xf32{{.*}}>, tensor<?x64xbf16
// CHECK-NOT: tfc.launch
// CHECK: return
// WITHOUT-LABEL: func.func @norm
// WITHOUT-COUNT-2: tfc.launch
// WITHOUT: return
func.func @norm(%x: !x) -> (!x, !x, !h) attributes {tfc.entry} {
  %0 = tfc.add %x, %x : !x, !x
  %1 = tfc.layer_norm %0 axis 1 epsilon 1.0e-05 : (!x) -> !x
  %2 = tfc.cast %1 : !x -> !h
  return %0, %1, %2 : !x, !x, !h
}

// -----

// So has a product.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
!h = tensor<?x64xbf16, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @product_in_both
// CHECK: tfc.launch @matmul_gelu_cast_0{{.*}} -> (tensor<?x64xf32{{.*}}>, tensor<?x64xbf16
// CHECK-NOT: tfc.launch
// CHECK: return
// WITHOUT-LABEL: func.func @product_in_both
// WITHOUT: tfc.launch @matmul_gelu_0
// WITHOUT: tfc.launch @cast_0
func.func @product_in_both(%x: !x, %w: tensor<64x64xf32>) -> (!x, !h) attributes {tfc.entry} {
  %0 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %1 = tfc.gelu erf %0 : !x
  %2 = tfc.cast %1 : !x -> !h
  return %1, %2 : !x, !h
}

// -----

// An attention reads query, key and value through views and casts in any order, and stores what it makes narrow and transposed. A
// bias that is cast is none of its operands; neither is a sum, which its own kernel stores narrow.
!p = tensor<2x5x4x16xf32>
!n = tensor<2x5x4x16xbf16>
!q = tensor<2x4x5x16xf32>
!m = tensor<2x4x5x16xbf16>
// CHECK-LABEL: func.func @attention
// CHECK: %[[SUM:.*]] = tfc.launch @add_cast_0(%arg2)
// CHECK: %[[BIAS:.*]] = tfc.launch @cast_0(%arg3)
// CHECK: tfc.launch @cast_attention_cast_0(%arg0, %arg1, %[[SUM]], %[[BIAS]]) {{.*}} -> tensor<2x5x4x16xbf16>
// WITHOUT-LABEL: func.func @attention
// WITHOUT: tfc.launch @attention_0
// WITHOUT: tfc.launch
func.func @attention(%a: !n, %b: !p, %c: !q, %d: tensor<2x1x1x5xf16>) -> !n attributes {tfc.entry} {
  %q0 = tfc.transpose %a [0, 2, 1, 3] : !n
  %q = tfc.cast %q0 : !m -> !q
  %k0 = tfc.cast %b : !p -> !n
  %k1 = tfc.transpose %k0 [0, 2, 1, 3] : !n
  %k = tfc.cast %k1 : !m -> !q
  %v0 = tfc.add %c, %c : !q, !q
  %v1 = tfc.cast %v0 : !q -> !m
  %v = tfc.cast %v1 : !m -> !q
  %bias = tfc.cast %d : tensor<2x1x1x5xf16> -> tensor<2x1x1x5xf32>
  %o = tfc.attention %q, %k, %v bias %bias : (!q, !q, !q, tensor<2x1x1x5xf32>) -> !q
  %o16 = tfc.cast %o : !q -> !m
  %r = tfc.transpose %o16 [0, 2, 1, 3] : !m
  return %r : !n
}
