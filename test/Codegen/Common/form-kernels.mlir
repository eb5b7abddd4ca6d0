// RUN: tfc-opt %s --tfc-form-kernels --split-input-file | FileCheck %s
// RUN: tfc-opt %s --tfc-form-kernels=fuse=false --split-input-file | FileCheck %s --check-prefix=APART

!x = tensor<?x64xf32, #tfc.dims<n, 64>>

// A chain of elementwise ops is one kernel, with the names of all its nodes.
// CHECK-LABEL: func.func @chain
// CHECK: %[[Y:.*]] = tfc.launch @add_gelu_0(%arg0, %arg1) symbols [n] nodes ["Add_1", "Erf_2"]
// CHECK-NEXT: return %[[Y]]
// CHECK: func.func private @add_gelu_0(%{{.*}}: tensor<?x64xf32, #tfc.dims<s0, 64>>, %{{.*}}: tensor<64xf32>) -> tensor<?x64xf32, #tfc.dims<s0, 64>>
// CHECK-SAME: tfc.bytes = #tfc.expr<512 * s0 + 256>, tfc.flops = #tfc.expr<128 * s0>, tfc.kernel, tfc.symbols = ["s0"]
// APART-LABEL: func.func @chain
// APART: tfc.launch @add_0
// APART: tfc.launch @gelu_0
func.func @chain(%x: !x, %bias: tensor<64xf32>) -> !x attributes {tfc.entry} {
  %0 = tfc.add %x, %bias : !x, tensor<64xf32> loc("Add_1")
  %1 = tfc.gelu erf %0 : !x loc("Erf_2")
  return %1 : !x
}

// -----

// Layers of one shape share their kernels: weights are arguments, the names of symbols do not count.
!a = tensor<?x64xf32, #tfc.dims<n, 64>>
!b = tensor<?x64xf32, #tfc.dims<m, 64>>
// CHECK-LABEL: func.func @layers
// CHECK: %[[W0:.*]] = tfc.weight_ref @w0
// CHECK: %[[W1:.*]] = tfc.weight_ref @w1
// CHECK: tfc.launch @matmul_0(%arg0, %[[W0]]) symbols [n]
// CHECK: tfc.launch @matmul_0(%{{.*}}, %[[W1]]) symbols [n]
// CHECK: tfc.launch @matmul_0(%arg1, %[[W1]]) symbols [m]
// CHECK-COUNT-1: func.func private
// CHECK-NOT: func.func private
tfc.weight @w0 : tensor<64x64xf32> = #tfc.file<"model.onnx", 0, 16384>
tfc.weight @w1 : tensor<64x64xf32> = #tfc.file<"model.onnx", 16384, 16384>
func.func @layers(%x: !a, %y: !b) -> (!a, !b) attributes {tfc.entry} {
  %w0 = tfc.weight_ref @w0 : tensor<64x64xf32>
  %w1 = tfc.weight_ref @w1 : tensor<64x64xf32>
  %0 = tfc.matmul %x, %w0 : !a, tensor<64x64xf32>
  %1 = tfc.matmul %0, %w1 : !a, tensor<64x64xf32>
  %2 = tfc.matmul %y, %w1 : !b, tensor<64x64xf32>
  return %1, %2 : !a, !b
}

// -----

// Scale, mask and softmax are one kernel; constants move into it.
!s = tensor<?x4x?x?xf32, #tfc.dims<b, 4, n, n>>
!m = tensor<?x1x1x?xf32, #tfc.dims<b, 1, 1, n>>
// CHECK-LABEL: func.func @masked_softmax
// CHECK-NEXT: %[[Y:.*]] = tfc.launch @mul_add_softmax_0(%arg0, %arg1) symbols [b, n]
// CHECK-NEXT: return %[[Y]]
// CHECK: func.func private @mul_add_softmax_0
// CHECK-NEXT: tfc.constant
func.func @masked_softmax(%x: !s, %mask: !m) -> !s attributes {tfc.entry} {
  %c = tfc.constant dense<0.125> : tensor<f32>
  %0 = tfc.mul %x, %c : !s, tensor<f32>
  %1 = tfc.add %0, %mask : !s, !m
  %2 = tfc.softmax %1 axis 3 : !s
  return %2 : !s
}

// -----

// The residual sum is used again behind the norm: a second result.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @residual_used_twice
// CHECK-NEXT: %[[Y:.*]]:2 = tfc.launch @add_layer_norm_0(%arg0, %arg1, %arg2)
// CHECK-NEXT: tfc.launch @matmul_add_0(%[[Y]]#1, %arg3, %[[Y]]#0)
func.func @residual_used_twice(%x: !x, %y: !x, %g: tensor<64xf32>, %w: tensor<64x64xf32>) -> !x attributes {tfc.entry} {
  %0 = tfc.add %x, %y : !x, !x
  %1 = tfc.layer_norm %0 scale %g axis 1 epsilon 1.0e-5 : (!x, tensor<64xf32>) -> !x
  %2 = tfc.matmul %1, %w : !x, tensor<64x64xf32>
  %3 = tfc.add %2, %0 : !x, !x
  return %3 : !x
}

// -----

// A matrix product computes what becomes of its elements: bias, activation, residual.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @product_and_epilogue
// CHECK-NEXT: %[[Y:.*]] = tfc.launch @matmul_add_gelu_mul_add_0(%arg0, %arg1, %arg2, %arg3)
// CHECK-NEXT: return %[[Y]]
// APART-LABEL: func.func @product_and_epilogue
// APART: tfc.launch @matmul_0
// APART: tfc.launch @add_0
func.func @product_and_epilogue(%x: !x, %w: tensor<64x64xf32>, %bias: tensor<64xf32>, %r: !x) -> !x attributes {tfc.entry} {
  %c = tfc.constant dense<0.5> : tensor<f32>
  %0 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %1 = tfc.add %0, %bias : !x, tensor<64xf32>
  %2 = tfc.gelu erf %1 : !x
  %3 = tfc.mul %2, %c : !x, tensor<f32>
  %4 = tfc.add %3, %r : !x, !x
  return %4 : !x
}

// -----

// It stores its elements as the type and at the places that they are wanted at.
!x = tensor<?x?x64xf32, #tfc.dims<b, n, 64>>
!h = tensor<?x?x64xf16, #tfc.dims<b, n, 64>>
// CHECK-LABEL: func.func @product_stored
// CHECK-NEXT: tfc.launch @matmul_add_cast_0(%arg0, %arg1, %arg2)
// CHECK-NEXT: tfc.launch @matmul_add_0(%arg0, %arg1, %arg2)
// CHECK-NEXT: tfc.launch @matmul_0(%arg0, %arg1)
// CHECK-NEXT: tfc.launch @matmul_cast_0(%arg0, %arg1)
// CHECK-NEXT: return
// CHECK: func.func private @matmul_add_0
// CHECK: tfc.add
// CHECK-NEXT: tfc.transpose
func.func @product_stored(%x: !x, %w: tensor<64x64xf32>, %bias: tensor<64xf32>)
    -> (!h, tensor<?x?x64xf32, #tfc.dims<n, b, 64>>, tensor<?x64x?xf32, #tfc.dims<b, 64, n>>, tensor<?x?x64xf16, #tfc.dims<n, b, 64>>) attributes {tfc.entry} {
  %0 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %1 = tfc.add %0, %bias : !x, tensor<64xf32>
  %2 = tfc.cast %1 : !x -> !h
  %3 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %4 = tfc.add %3, %bias : !x, tensor<64xf32>
  %5 = tfc.transpose %4 [1, 0, 2] : !x
  %6 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %7 = tfc.transpose %6 [0, 2, 1] : !x
  %8 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %9 = tfc.cast %8 : !x -> !h
  %10 = tfc.transpose %9 [1, 0, 2] : !h
  return %2, %5, %7, %10 : !h, tensor<?x?x64xf32, #tfc.dims<n, b, 64>>, tensor<?x64x?xf32, #tfc.dims<b, 64, n>>, tensor<?x?x64xf16, #tfc.dims<n, b, 64>>
}

// -----

// A product that is wanted as it is too, or before it is transposed, and what is computed in another type behind it, stay outside.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
!h = tensor<?x64xf16, #tfc.dims<n, 64>>
!t = tensor<64x?xf32, #tfc.dims<64, n>>
// CHECK-LABEL: func.func @product_elsewhere
// CHECK: tfc.launch @matmul_add_0
// CHECK: tfc.launch @transpose_0
// CHECK: tfc.launch @matmul_0
// CHECK: tfc.launch @transpose_0
// CHECK: tfc.launch @matmul_0
// CHECK: tfc.launch @cast_neg_0
func.func @product_elsewhere(%x: !x, %w: tensor<64x64xf32>, %bias: tensor<64xf32>) -> (!x, !t, !x, !t, !h) attributes {tfc.entry} {
  %0 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %1 = tfc.add %0, %bias : !x, tensor<64xf32>
  %2 = tfc.transpose %1 [1, 0] : !x
  %3 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %4 = tfc.transpose %3 [1, 0] : !x
  %5 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %6 = tfc.cast %5 : !x -> !h
  %7 = tfc.neg %6 : !h
  return %1, %2, %3, %4, %7 : !x, !t, !x, !t, !h
}

// -----

// It does not take a norm along its rows, what is broadcast along its columns, a result that is wanted elsewhere, or another product.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @no_epilogue
// CHECK: tfc.launch @matmul_0
// CHECK: tfc.launch @add_softmax_0
// CHECK: tfc.launch @matmul_0
// CHECK: tfc.launch @mul_0
// CHECK: %[[M:.*]] = tfc.launch @matmul_0
// CHECK: tfc.launch @neg_0(%[[M]])
// CHECK: %[[N:.*]] = tfc.launch @matmul_0
// CHECK: tfc.launch @matmul_add_0(%[[N]], %arg1)
func.func @no_epilogue(%x: !x, %w: tensor<64x64xf32>, %bias: tensor<64xf32>, %scale: tensor<?x1xf32, #tfc.dims<n, 1>>)
    -> (!x, !x, !x, !x, !x) attributes {tfc.entry} {
  %0 = tfc.matmul %x, %w : !x, tensor<64x64xf32>
  %1 = tfc.add %0, %bias : !x, tensor<64xf32>
  %2 = tfc.softmax %1 axis 1 : !x
  %3 = tfc.matmul %2, %w : !x, tensor<64x64xf32>
  %4 = tfc.mul %3, %scale : !x, tensor<?x1xf32, #tfc.dims<n, 1>>
  %5 = tfc.matmul %4, %w : !x, tensor<64x64xf32>
  %6 = tfc.neg %5 : !x
  %7 = tfc.matmul %6, %w : !x, tensor<64x64xf32>
  %8 = tfc.matmul %7, %w : !x, tensor<64x64xf32>
  %9 = tfc.add %8, %7 : !x, !x
  return %2, %4, %5, %6, %9 : !x, !x, !x, !x, !x
}

// -----

// A sum that is wanted in front of the norm's launch stays a kernel of its own: else the program would go in a circle.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @no_circle
// CHECK: %[[S:.*]] = tfc.launch @add_0
// CHECK: %[[T:.*]] = tfc.launch @transpose_0(%[[S]])
// CHECK: %[[M:.*]] = tfc.launch @matmul_0(%[[S]], %[[T]])
// CHECK: %[[V:.*]] = tfc.launch @matmul_1(%[[M]], %[[S]])
// CHECK: tfc.launch @add_softmax_0(%[[S]], %[[V]])
func.func @no_circle(%x: !x, %y: !x) -> !x attributes {tfc.entry} {
  %0 = tfc.add %x, %y : !x, !x
  %1 = tfc.transpose %0 [1, 0] : !x
  %2 = tfc.matmul %0, %1 : !x, tensor<64x?xf32, #tfc.dims<64, n>>
  %3 = tfc.matmul %2, %0 : tensor<?x?xf32, #tfc.dims<n, n>>, !x
  %4 = tfc.add %0, %3 : !x, !x
  %5 = tfc.softmax %4 axis 1 : !x
  return %5 : !x
}

// -----

// Softmax over an axis that is not the last one takes no neighbours. Nor do two row ops share a kernel.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @row_ops
// CHECK: tfc.launch @neg_0
// CHECK: tfc.launch @softmax_0
// CHECK: tfc.launch @abs_softmax_0
// CHECK: tfc.launch @softmax_exp_0
func.func @row_ops(%x: !x) -> !x attributes {tfc.entry} {
  %0 = tfc.neg %x : !x
  %1 = tfc.softmax %0 axis 0 : !x
  %2 = tfc.abs %1 : !x
  %3 = tfc.softmax %2 axis 1 : !x
  %4 = tfc.softmax %3 axis 1 : !x
  %5 = tfc.exp %4 : !x
  return %5 : !x
}

// -----

// A dear op on a small tensor is not computed again for every row it is broadcast to; a cheap one is.
!x = tensor<?x64xf32, #tfc.dims<n, 64>>
// CHECK-LABEL: func.func @broadcast
// CHECK: %[[E:.*]] = tfc.launch @exp_0(%arg1)
// CHECK: tfc.launch @neg_mul_add_0(%arg1, %arg0, %[[E]])
func.func @broadcast(%x: !x, %v: tensor<64xf32>) -> !x attributes {tfc.entry} {
  %0 = tfc.exp %v : tensor<64xf32>
  %1 = tfc.neg %v : tensor<64xf32>
  %2 = tfc.mul %x, %1 : !x, tensor<64xf32>
  %3 = tfc.add %2, %0 : !x, tensor<64xf32>
  return %3 : !x
}

// -----

// Results that no kernel makes for them alone get one that copies: an argument, a weight, a constant, an alias, the same again.
tfc.weight @w : tensor<4xf32> = #tfc.file<"model.onnx", 0, 16>
// CHECK-LABEL: func.func @copies
// CHECK: %[[W:.*]] = tfc.weight_ref @w
// CHECK-DAG: %[[A:.*]] = tfc.launch @expand_1(%arg0)
// CHECK-DAG: %[[B:.*]] = tfc.launch @expand_1(%[[W]])
// CHECK-DAG: %[[C:.*]] = tfc.launch @expand_0()
// CHECK-DAG: %[[N:.*]] = tfc.launch @neg_0(%arg0)
// CHECK-DAG: %[[R:.*]] = tfc.reshape %[[N]]
// CHECK-DAG: %[[D:.*]] = tfc.launch @expand_2(%[[R]])
// CHECK: return %[[A]], %[[B]], %[[C]], %[[N]], %[[D]]
func.func @copies(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2x2xf32>) attributes {tfc.entry} {
  %w = tfc.weight_ref @w : tensor<4xf32>
  %c = tfc.constant dense<1.0> : tensor<4xf32>
  %0 = tfc.neg %x : tensor<4xf32>
  %1 = tfc.reshape %0 : tensor<4xf32> -> tensor<2x2xf32>
  return %x, %w, %c, %0, %1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2x2xf32>
}

// -----

// Three lookups, their sum and its norm are one kernel with three checks; inputs learn their tables.
!e = tensor<?x?x8xf32, #tfc.dims<b, n, 8>>
!i = tensor<?x?xi64, #tfc.dims<b, n>>
// CHECK-LABEL: func.func @embeddings
// CHECK-SAME: %arg0: {{.*}} {tfc.hint = 1 : i64, tfc.hint_bound = #tfc.expr<30>, tfc.name = "input_ids"}
// CHECK-SAME: %arg1: {{.*}} {tfc.name = "token_type_ids"}
// CHECK-SAME: %arg2: {{.*}} {tfc.hint = 2 : i64, tfc.name = "attention_mask"}
// CHECK-SAME: %arg3: {{.*}} {tfc.hint = 3 : i64, tfc.name = "src_key_padding_mask"}
// CHECK: tfc.launch @gather_gather_add_layer_norm_0
// CHECK-SAME: checks ["node 'Gather_3': input_ids", "node 'Gather_4': token_type_ids"]
func.func @embeddings(%ids: !i {tfc.name = "input_ids"}, %types: !i {tfc.name = "token_type_ids"}, %mask: !i {tfc.name = "attention_mask"},
    %pad: tensor<?xi1, #tfc.dims<n>> {tfc.name = "src_key_padding_mask"}, %t: tensor<30x8xf32>, %u: tensor<2x8xf32>) -> !e attributes {tfc.entry} {
  %0 = tfc.gather %t, %ids axis 0 : tensor<30x8xf32>, !i loc("Gather_3")
  %1 = tfc.gather %u, %types axis 0 : tensor<2x8xf32>, !i loc("Gather_4")
  %2 = tfc.add %0, %1 : !e, !e
  %3 = tfc.layer_norm %2 axis 2 epsilon 1.0e-5 : (!e) -> !e
  return %3 : !e
}

// -----

// What a lookup reads lies in memory.
// CHECK-LABEL: func.func @lookup_operands
// CHECK: tfc.launch @cast_0
// CHECK: tfc.launch @gather_0
func.func @lookup_operands(%ids: tensor<?xi32, #tfc.dims<n>>, %t: tensor<30xf32>) -> tensor<?xf32, #tfc.dims<n>> attributes {tfc.entry} {
  %0 = tfc.cast %ids : tensor<?xi32, #tfc.dims<n>> -> tensor<?xi64, #tfc.dims<n>>
  %1 = tfc.gather %t, %0 axis 0 : tensor<30xf32>, tensor<?xi64, #tfc.dims<n>>
  return %1 : tensor<?xf32, #tfc.dims<n>>
}

// -----

// Launches that use a symbol born in the run stay behind its bind.
// CHECK-LABEL: func.func @born
// CHECK: %[[C:.*]] = tfc.launch @count_nonzero_0
// CHECK-NEXT: tfc.bind %[[C]] as ["count"]
// CHECK-NEXT: tfc.launch @nonzero_0(%arg0) symbols [n, count]
func.func @born(%x: tensor<?xi1, #tfc.dims<n>>) -> tensor<1x?xi64, #tfc.dims<1, count>> attributes {tfc.entry} {
  %0 = tfc.count_nonzero %x : tensor<?xi1, #tfc.dims<n>>
  tfc.bind %0 as ["count"] : tensor<i64>
  %1 = tfc.nonzero %x : tensor<?xi1, #tfc.dims<n>> -> tensor<1x?xi64, #tfc.dims<1, count>>
  return %1 : tensor<1x?xi64, #tfc.dims<1, count>>
}

// -----

// A loop: its variable has a buffer that is written before it and at the end of each turn.
// CHECK-LABEL: func.func @loop
// CHECK: %[[INIT:.*]] = tfc.launch @expand_0(%arg0)
// CHECK: scf.while (%[[V:.*]] = %[[INIT]])
// CHECK: %[[C:.*]] = tfc.launch @compare_0(%[[V]]
// CHECK: %[[P:.*]] = tensor.extract %[[C]]
// CHECK: %[[F:.*]] = tfc.launch @expand_0(%[[V]])
// CHECK: scf.condition(%[[P]]) %[[F]]
// CHECK: %[[N:.*]] = tfc.launch @add_0
// CHECK: %[[K:.*]] = tfc.launch @expand_0(%[[N]])
// CHECK: scf.yield %[[K]]
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

// -----

// The result's dims are born after the value was made: its output has no memory yet, so a copy is written there later.
// CHECK-LABEL: func.func @shaped_later
// CHECK: %[[Y:.*]] = tfc.launch @neg_0(%arg0)
// CHECK: tfc.bind %arg1 as ["rows", "columns"]
// CHECK: %[[R:.*]] = tfc.reshape %[[Y]]
// CHECK: %[[C:.*]] = tfc.launch @expand_0(%[[R]])
// CHECK: return %[[C]]
func.func @shaped_later(%x: tensor<?xf32, #tfc.dims<n>>, %shape: tensor<2xi64>)
    -> tensor<?x?xf32, #tfc.dims<rows, columns>> attributes {tfc.entry} {
  %0 = tfc.neg %x : tensor<?xf32, #tfc.dims<n>>
  tfc.bind %shape as ["rows", "columns"] : tensor<2xi64>
  %1 = tfc.reshape %0 : tensor<?xf32, #tfc.dims<n>> -> tensor<?x?xf32, #tfc.dims<rows, columns>>
  return %1 : tensor<?x?xf32, #tfc.dims<rows, columns>>
}

// -----

// Attention takes the transposes and slices around it into its kernel.

// CHECK-LABEL: func.func @heads
// CHECK-NEXT: %[[Y:.*]] = tfc.launch @attention_0(%arg0, %arg1)
// CHECK-NEXT: return %[[Y]]
// APART-LABEL: func.func @heads
// APART: tfc.launch @slice_0
// APART: tfc.launch @attention_0
func.func @heads(%qk: tensor<1x7x24x8xf32>, %v: tensor<1x7x12x8xf32>) -> tensor<1x7x12x8xf32> attributes {tfc.entry} {
  %0 = tfc.slice %qk offsets [0, 0, 0, 0] strides [1, 1, 1, 1] : tensor<1x7x24x8xf32> -> tensor<1x7x12x8xf32>
  %1 = tfc.slice %qk offsets [0, 0, 12, 0] strides [1, 1, 1, 1] : tensor<1x7x24x8xf32> -> tensor<1x7x12x8xf32>
  %2 = tfc.transpose %0 [0, 2, 1, 3] : tensor<1x7x12x8xf32>
  %3 = tfc.transpose %1 [0, 2, 1, 3] : tensor<1x7x12x8xf32>
  %4 = tfc.transpose %v [0, 2, 1, 3] : tensor<1x7x12x8xf32>
  %5 = tfc.attention %2, %3, %4 : (tensor<1x12x7x8xf32>, tensor<1x12x7x8xf32>, tensor<1x12x7x8xf32>) -> tensor<1x12x7x8xf32>
  %6 = tfc.transpose %5 [0, 2, 1, 3] : tensor<1x12x7x8xf32>
  return %6 : tensor<1x7x12x8xf32>
}

// -----

// A slice is a view in the kernel of the transpose that reads it.
// CHECK-LABEL: func.func @slice_of_heads
// CHECK: tfc.launch @slice_transpose_0(%arg0)
// CHECK-NEXT: tfc.launch @add_0(%arg0, %arg1)
// CHECK-NEXT: return
func.func @slice_of_heads(%x: tensor<4x6x8xf32>, %z: tensor<4x2x8xf32>) -> (tensor<2x4x8xf32>, tensor<4x2x8xf32>) attributes {tfc.entry} {
  %0 = tfc.slice %x offsets [0, 2, 0] strides [1, 1, 1] : tensor<4x6x8xf32> -> tensor<4x2x8xf32>
  %1 = tfc.transpose %0 [1, 0, 2] : tensor<4x2x8xf32>
  %2 = tfc.slice %x offsets [0, 1, 0] strides [1, 2, 1] : tensor<4x6x8xf32> -> tensor<4x2x8xf32>
  %3 = tfc.add %2, %z : tensor<4x2x8xf32>, tensor<4x2x8xf32>
  return %1, %3 : tensor<2x4x8xf32>, tensor<4x2x8xf32>
}

// -----

// Not those that move the last dim, nor those whose results others want, nor a bias.

// CHECK-LABEL: func.func @apart
// CHECK: tfc.launch @transpose_0(%arg0)
// CHECK: tfc.launch @transpose_1(%arg1)
// CHECK: tfc.launch @transpose_2(%arg2)
// CHECK: tfc.launch @attention_0
func.func @apart(%k: tensor<1x2x8x5xf32>, %v: tensor<1x5x2x8xf32>, %c: tensor<5x7xf32>, %q: tensor<1x2x7x8xf32>)
    -> (tensor<1x2x7x8xf32>, tensor<1x2x5x8xf32>) attributes {tfc.entry} {
  %0 = tfc.transpose %k [0, 1, 3, 2] : tensor<1x2x8x5xf32>
  %1 = tfc.transpose %v [0, 2, 1, 3] : tensor<1x5x2x8xf32>
  %2 = tfc.transpose %c [1, 0] : tensor<5x7xf32>
  %3 = tfc.attention %q, %0, %1 bias %2 : (tensor<1x2x7x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<7x5xf32>) -> tensor<1x2x7x8xf32>
  return %3, %1 : tensor<1x2x7x8xf32>, tensor<1x2x5x8xf32>
}

// -----

// What is put behind a past is read where it lies.

// CHECK-LABEL: func.func @present
// CHECK-NEXT: %[[Y:.*]] = tfc.launch @concat_0(%arg1, %arg0)
// CHECK-NEXT: return %[[Y]]
// APART-LABEL: func.func @present
// APART: tfc.launch @slice_0
// APART: tfc.launch @transpose_0
func.func @present(%past: tensor<1x12x5x8xf32>, %qk: tensor<1x7x24x8xf32>) -> tensor<1x12x12x8xf32> attributes {tfc.entry} {
  %0 = tfc.slice %qk offsets [0, 0, 12, 0] strides [1, 1, 1, 1] : tensor<1x7x24x8xf32> -> tensor<1x7x12x8xf32>
  %1 = tfc.transpose %0 [0, 2, 1, 3] : tensor<1x7x12x8xf32>
  %2 = tfc.concat %past, %1 axis 2 : tensor<1x12x5x8xf32>, tensor<1x12x7x8xf32>
  return %2 : tensor<1x12x12x8xf32>
}

// -----

// Not what is computed, nor a view that others want.

// CHECK-LABEL: func.func @present_apart
// CHECK: tfc.launch @neg_0
// CHECK: tfc.launch @transpose_0
// CHECK: tfc.launch @concat_0
func.func @present_apart(%a: tensor<3x5xf32>, %b: tensor<4x3xf32>) -> (tensor<3x4xf32>, tensor<3x9xf32>) attributes {tfc.entry} {
  %0 = tfc.neg %a : tensor<3x5xf32>
  %1 = tfc.transpose %b [1, 0] : tensor<4x3xf32>
  %2 = tfc.concat %0, %1 axis 1 : tensor<3x5xf32>, tensor<3x4xf32>
  return %1, %2 : tensor<3x4xf32>, tensor<3x9xf32>
}

// -----

// What a slice reads lies in memory; one that runs backwards, and one that two kernels read, are copies.
// CHECK-LABEL: func.func @slices_apart
// CHECK: tfc.launch @neg_0
// CHECK: tfc.launch @relu_0
// CHECK: tfc.launch @slice_0
// CHECK: tfc.launch @abs_0
// CHECK: tfc.launch @slice_1
// CHECK: tfc.launch @transpose_0
// CHECK: tfc.launch @add_0
// CHECK: tfc.launch @transpose_0
func.func @slices_apart(%x: tensor<4x6xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>, tensor<2x4xf32>, tensor<2x4xf32>) attributes {tfc.entry} {
  %0 = tfc.neg %x : tensor<4x6xf32>
  %1 = tfc.slice %0 offsets [0, 0] strides [1, 1] : tensor<4x6xf32> -> tensor<4x2xf32>
  %2 = tfc.relu %1 : tensor<4x2xf32>
  %3 = tfc.slice %x offsets [0, 5] strides [1, -1] : tensor<4x6xf32> -> tensor<4x2xf32>
  %4 = tfc.abs %3 : tensor<4x2xf32>
  %5 = tfc.slice %x offsets [0, 1] strides [1, 1] : tensor<4x6xf32> -> tensor<4x2xf32>
  %6 = tfc.transpose %5 [1, 0] : tensor<4x2xf32>
  %7 = tfc.add %5, %5 : tensor<4x2xf32>, tensor<4x2xf32>
  %8 = tfc.transpose %7 [1, 0] : tensor<4x2xf32>
  return %2, %4, %6, %8 : tensor<4x2xf32>, tensor<4x2xf32>, tensor<2x4xf32>, tensor<2x4xf32>
}
