// RUN: tfc-opt --split-input-file --tfc-convert-to-linalg %s | FileCheck %s

// Encodings go, bools become bytes, the dims stay where tfc-lower-dims finds them.
// CHECK-LABEL: @signature
// CHECK-SAME: %{{.*}}: tensor<?xi8> {tfc.dims = #tfc.dims<n>}, %{{.*}}: tensor<4xi8>
// CHECK-SAME: -> tensor<?xi8>
// CHECK: linalg.generic
// CHECK: arith.cmpi ne
// CHECK: arith.xori
// CHECK: arith.extui {{.*}} : i1 to i8
func.func @signature(%x: tensor<?xi1, #tfc.dims<n>>, %u: tensor<4xui8>) -> tensor<?xi1, #tfc.dims<n>> {
  %y = tfc.not %x : tensor<?xi1, #tfc.dims<n>>
  return %y : tensor<?xi1, #tfc.dims<n>>
}

// -----

// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: @broadcast_known
// CHECK-NOT: tensor.extract
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[ALL]]]
func.func @broadcast_known(%x: tensor<?x4xf32, #tfc.dims<n, 4>>, %y: tensor<1x4xf32>) -> tensor<?x4xf32, #tfc.dims<n, 4>> {
  %z = tfc.add %x, %y : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<1x4xf32>
  return %z : tensor<?x4xf32, #tfc.dims<n, 4>>
}

// -----

// Which operand broadcasts is decided at run time: index times 0 or 1.
// CHECK-LABEL: @broadcast_unknown
// CHECK: %[[A:.*]] = tfc.dim a
// CHECK: %[[ONE:.*]] = arith.cmpi eq, %[[A]], %c1
// CHECK: %[[STEP:.*]] = arith.select %[[ONE]], %c0{{.*}}, %c1
// CHECK: linalg.generic
// CHECK: %[[I:.*]] = linalg.index 0
// CHECK: %[[AT:.*]] = arith.muli %[[I]], %[[STEP]]
// CHECK: tensor.extract %{{.*}}[%[[AT]]]
func.func @broadcast_unknown(%x: tensor<?xf32, #tfc.dims<a>>, %y: tensor<?xf32, #tfc.dims<b>>) -> tensor<?xf32, #tfc.dims<broadcast(a, b)>> {
  %z = tfc.add %x, %y : tensor<?xf32, #tfc.dims<a>>, tensor<?xf32, #tfc.dims<b>>
  return %z : tensor<?xf32, #tfc.dims<broadcast(a, b)>>
}

// -----

// A constant of one element is a scalar of the body, not memory.
// CHECK-LABEL: @scalar_constant
// CHECK: %[[C:.*]] = arith.constant 2.500000e+00 : f32
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4xf32>) outs
// CHECK: arith.mulf %{{.*}}, %[[C]]
func.func @scalar_constant(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = tfc.constant dense<2.5> : tensor<f32>
  %y = tfc.mul %x, %c : tensor<4xf32>, tensor<f32>
  return %y : tensor<4xf32>
}

// -----

// f16 is computed in f32.
// CHECK-LABEL: @half
// CHECK: arith.extf {{.*}} : f16 to f32
// CHECK: math.exp {{.*}} : f32
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @half(%x: tensor<4xf16>) -> tensor<4xf16> {
  %y = tfc.exp %x : tensor<4xf16>
  return %y : tensor<4xf16>
}

// -----

// The innermost loop is parallel; one fused multiply-add per step of k.
// CHECK-LABEL: @matmul
// CHECK: linalg.fill
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "parallel"]
// CHECK: math.fma
// CHECK-NOT: arith.addf
func.func @matmul(%a: tensor<?x8xf32, #tfc.dims<m, 8>>, %b: tensor<8x4xf32>) -> tensor<?x4xf32, #tfc.dims<m, 4>> {
  %c = tfc.matmul %a, %b : tensor<?x8xf32, #tfc.dims<m, 8>>, tensor<8x4xf32>
  return %c : tensor<?x4xf32, #tfc.dims<m, 4>>
}

// -----

// A view: nothing is copied.
// CHECK-LABEL: @reshape_view
// CHECK-NOT: linalg
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2, 3]]
func.func @reshape_view(%x: tensor<?x?x12xf32, #tfc.dims<b, s, 12>>) -> tensor<?x?x3x4xf32, #tfc.dims<b, s, 3, 4>> {
  %y = tfc.reshape %x : tensor<?x?x12xf32, #tfc.dims<b, s, 12>> -> tensor<?x?x3x4xf32, #tfc.dims<b, s, 3, 4>>
  return %y : tensor<?x?x3x4xf32, #tfc.dims<b, s, 3, 4>>
}

// -----

// Two dims of unknown size out of one are no view: elements are copied through their linear index.
// CHECK-LABEL: @reshape_copy
// CHECK-NOT: expand_shape
// CHECK: linalg.generic
// CHECK: tensor.extract
func.func @reshape_copy(%x: tensor<?xf32, #tfc.dims<b * s>>, %u: tensor<?x?xf32, #tfc.dims<b, s>>) -> tensor<?x?xf32, #tfc.dims<b, s>> {
  %y = tfc.reshape %x : tensor<?xf32, #tfc.dims<b * s>> -> tensor<?x?xf32, #tfc.dims<b, s>>
  return %y : tensor<?x?xf32, #tfc.dims<b, s>>
}

// -----

// Every index from data is checked, in the order of the body.
// CHECK-LABEL: @gather
// CHECK: tfc.check_index %{{.*}} below %{{.*}} check 0
// CHECK: tfc.check_index %{{.*}} below %{{.*}} check 1
func.func @gather(%x: tensor<9x4xf32>, %i: tensor<3xi64>, %j: tensor<2xi32>) -> tensor<2x4xf32> {
  %a = tfc.gather %x, %i axis 0 : tensor<9x4xf32>, tensor<3xi64>
  %y = tfc.gather %a, %j axis 0 : tensor<3x4xf32>, tensor<2xi32>
  return %y : tensor<2x4xf32>
}

// -----

// A program of launches is not a kernel and stays as it is.
// CHECK-LABEL: @main
// CHECK: tfc.launch
// CHECK-SAME: tensor<?xf32, #tfc.dims<n>>
func.func private @k(%x: tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s0>> attributes {tfc.kernel, tfc.symbols = ["s0"]}
func.func @main(%x: tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>> {
  %y = tfc.launch @k(%x) symbols [n] nodes ["k"] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<n>>
  return %y : tensor<?xf32, #tfc.dims<n>>
}

// -----

// Control flow carries plain tensors too.
// CHECK-LABEL: @control_flow
// CHECK: scf.if %{{.*}} -> (tensor<?xi8>)
func.func @control_flow(%c: i1, %x: tensor<?xi1, #tfc.dims<n>>) -> tensor<?xi1, #tfc.dims<n>> {
  %y = scf.if %c -> tensor<?xi1, #tfc.dims<n>> {
    %z = tfc.not %x : tensor<?xi1, #tfc.dims<n>>
    scf.yield %z : tensor<?xi1, #tfc.dims<n>>
  } else {
    scf.yield %x : tensor<?xi1, #tfc.dims<n>>
  }
  return %y : tensor<?xi1, #tfc.dims<n>>
}
