// RUN: tfc-opt %s --tfc-pack-weights=cpu=x86-64-v4 --split-input-file | FileCheck %s

// A whole panel of 64 columns and the 36 columns behind them, as views of the same source.
// CHECK-DAG: tfc.weight @w_panels : tensor<1x8x64xf32> = #tfc.seed<{{.*}}> layout <0, [64, 100, 1]>
// CHECK-DAG: tfc.weight @w_tail : tensor<8x36xf32> = #tfc.seed<{{.*}}> layout <64, [100, 1]>
// CHECK-NOT: tfc.weight @w :
// CHECK: tfc.launch @linear(%{{.*}}, %{{.*}}, %{{.*}}) symbols [n]
// CHECK: func.func private @linear(%[[A:.*]]: tensor<?x8xf32, {{.*}}>, %[[P:.*]]: tensor<1x8x64xf32>, %[[T:.*]]: tensor<8x36xf32>)
// CHECK: tfc.transpose %[[P]] [1, 0, 2]
// CHECK: tfc.reshape
// CHECK: tfc.concat
// CHECK: tfc.matmul %[[A]], %
tfc.weight @w : tensor<8x100xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0>
func.func @main(%x: tensor<?x8xf32, #tfc.dims<n, 8>> {tfc.name = "x"}) -> (tensor<?x100xf32, #tfc.dims<n, 100>> {tfc.name = "y"})
    attributes {tfc.entry} {
  %w = tfc.weight_ref @w : tensor<8x100xf32>
  %y = tfc.launch @linear(%x, %w) symbols [n] nodes ["MatMul_0"]
      : (tensor<?x8xf32, #tfc.dims<n, 8>>, tensor<8x100xf32>) -> tensor<?x100xf32, #tfc.dims<n, 100>>
  return %y : tensor<?x100xf32, #tfc.dims<n, 100>>
}
func.func private @linear(%a: tensor<?x8xf32, #tfc.dims<s0, 8>>, %b: tensor<8x100xf32>) -> tensor<?x100xf32, #tfc.dims<s0, 100>>
    attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x8xf32, #tfc.dims<s0, 8>>, tensor<8x100xf32>
  return %0 : tensor<?x100xf32, #tfc.dims<s0, 100>>
}

// -----

// A transposed weight is packed from the other side, and a layout that it had is composed with that of the panels.
// CHECK: tfc.weight @w_panels : tensor<1x8x64xf32> = #tfc.seed<{{.*}}> layout <5, [1280, 1, 20]>
// CHECK-NOT: transpose_b
tfc.weight @w : tensor<64x8xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0> layout <5, [20, 1]>
func.func @main(%x: tensor<3x8xf32> {tfc.name = "x"}) -> (tensor<3x64xf32> {tfc.name = "y"}) attributes {tfc.entry} {
  %w = tfc.weight_ref @w : tensor<64x8xf32>
  %y = tfc.launch @linear(%x, %w) symbols [] nodes ["MatMul_0"] : (tensor<3x8xf32>, tensor<64x8xf32>) -> tensor<3x64xf32>
  return %y : tensor<3x64xf32>
}
func.func private @linear(%a: tensor<3x8xf32>, %b: tensor<64x8xf32>) -> tensor<3x64xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b {transpose_b} : tensor<3x8xf32>, tensor<64x8xf32>
  return %0 : tensor<3x64xf32>
}

// -----

// A weight that is read in another way as well keeps its layout, and so does the kernel that reads it; a second
// weight of the same kernel is packed, for a copy of it.
// CHECK-DAG: tfc.weight @table : tensor<8x96xf32> = #tfc.seed<{{.*}}>{{$}}
// CHECK-DAG: tfc.weight @other_panels : tensor<2x8x48xf32>
// CHECK: %[[T:.*]] = tfc.weight_ref @table
// CHECK: tfc.launch @negate(%[[T]])
// CHECK: tfc.launch @linear(%{{.*}}, %[[T]])
// CHECK: tfc.launch @linear_packed(
// CHECK: func.func private @linear(%{{.*}}: tensor<3x8xf32>, %{{.*}}: tensor<8x96xf32>)
// CHECK: func.func private @linear_packed(%{{.*}}: tensor<3x8xf32>, %{{.*}}: tensor<2x8x48xf32>)
tfc.weight @table : tensor<8x96xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0>
tfc.weight @other : tensor<8x96xf32> = #tfc.seed<normal, 0, 2, 0.0, 1.0>
func.func @main(%x: tensor<3x8xf32> {tfc.name = "x"})
    -> (tensor<8x96xf32> {tfc.name = "n"}, tensor<3x96xf32> {tfc.name = "y"}, tensor<3x96xf32> {tfc.name = "z"}) attributes {tfc.entry} {
  %t = tfc.weight_ref @table : tensor<8x96xf32>
  %o = tfc.weight_ref @other : tensor<8x96xf32>
  %n = tfc.launch @negate(%t) symbols [] nodes ["Neg_0"] : (tensor<8x96xf32>) -> tensor<8x96xf32>
  %y = tfc.launch @linear(%x, %t) symbols [] nodes ["MatMul_0"] : (tensor<3x8xf32>, tensor<8x96xf32>) -> tensor<3x96xf32>
  %z = tfc.launch @linear(%x, %o) symbols [] nodes ["MatMul_1"] : (tensor<3x8xf32>, tensor<8x96xf32>) -> tensor<3x96xf32>
  return %n, %y, %z : tensor<8x96xf32>, tensor<3x96xf32>, tensor<3x96xf32>
}
func.func private @linear(%a: tensor<3x8xf32>, %b: tensor<8x96xf32>) -> tensor<3x96xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b : tensor<3x8xf32>, tensor<8x96xf32>
  return %0 : tensor<3x96xf32>
}
func.func private @negate(%a: tensor<8x96xf32>) -> tensor<8x96xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.neg %a : tensor<8x96xf32>
  return %0 : tensor<8x96xf32>
}

// -----

// A table that is tied to a product is packed for it, and looked up in the panels: no second copy.
// CHECK-DAG: tfc.weight @table_panels : tensor<1x8x64xf32> = #tfc.seed<{{.*}}> layout <0, [512, 1, 8]>
// CHECK-DAG: tfc.weight @table_tail : tensor<8x37xf32> = #tfc.seed<{{.*}}> layout <512, [1, 8]>
// CHECK-NOT: tfc.weight @table :
// CHECK: tfc.launch @lookup(%{{.*}}, %{{.*}}, %arg0)
// CHECK: func.func private @lookup(%[[P:.*]]: tensor<1x8x64xf32>, %[[T:.*]]: tensor<8x37xf32>, %{{.*}}: tensor<3xi64>)
// CHECK: tfc.transpose %[[P]] [1, 0, 2]
// CHECK: tfc.reshape
// CHECK: %[[B:.*]] = tfc.concat
// CHECK: %[[R:.*]] = tfc.transpose %[[B]] [1, 0]
// CHECK: tfc.gather %[[R]], %
tfc.weight @table : tensor<101x8xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0>
func.func @main(%i: tensor<3xi64> {tfc.name = "i"}) -> (tensor<3x101xf32> {tfc.name = "y"}) attributes {tfc.entry} {
  %t = tfc.weight_ref @table : tensor<101x8xf32>
  %x = tfc.launch @lookup(%t, %i) symbols [] nodes ["Gather_0"] checks ["node 'Gather_0'"] : (tensor<101x8xf32>, tensor<3xi64>) -> tensor<3x8xf32>
  %y = tfc.launch @linear(%x, %t) symbols [] nodes ["MatMul_0"] : (tensor<3x8xf32>, tensor<101x8xf32>) -> tensor<3x101xf32>
  return %y : tensor<3x101xf32>
}
func.func private @lookup(%t: tensor<101x8xf32>, %i: tensor<3xi64>) -> tensor<3x8xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.gather %t, %i axis 0 : tensor<101x8xf32>, tensor<3xi64>
  return %0 : tensor<3x8xf32>
}
func.func private @linear(%a: tensor<3x8xf32>, %b: tensor<101x8xf32>) -> tensor<3x101xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b {transpose_b} : tensor<3x8xf32>, tensor<101x8xf32>
  return %0 : tensor<3x101xf32>
}

// -----

// Of a stack each part is packed, in panels that end where it ends: 32 columns where 48 would be usual.
// CHECK-DAG: tfc.weight @q_panels : tensor<1x8x32xf32> = #tfc.seed<{{.*}}> layout <0, [32, 32, 1]>
// CHECK-DAG: tfc.weight @k_panels : tensor<2x8x32xf32> = #tfc.seed<{{.*}}> layout <0, [32, 64, 1]>
// CHECK-DAG: tfc.weight @qk_panels : tensor<3x8x32xf32> = #tfc.stack<[@q_panels, @k_panels]>
// CHECK: func.func private @linear(%{{.*}}: tensor<3x8xf32>, %{{.*}}: tensor<3x8x32xf32>)
// CHECK-NOT: transpose_b
tfc.weight @q : tensor<32x8xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0> layout <0, [1, 32]>
tfc.weight @k : tensor<64x8xf32> = #tfc.seed<normal, 0, 2, 0.0, 1.0> layout <0, [1, 64]>
tfc.weight @qk : tensor<96x8xf32> = #tfc.stack<[@q, @k]>
func.func @main(%x: tensor<3x8xf32> {tfc.name = "x"}) -> (tensor<3x96xf32> {tfc.name = "y"}) attributes {tfc.entry} {
  %w = tfc.weight_ref @qk : tensor<96x8xf32>
  %y = tfc.launch @linear(%x, %w) symbols [] nodes ["MatMul_0"] : (tensor<3x8xf32>, tensor<96x8xf32>) -> tensor<3x96xf32>
  return %y : tensor<3x96xf32>
}
func.func private @linear(%a: tensor<3x8xf32>, %b: tensor<96x8xf32>) -> tensor<3x96xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b {transpose_b} : tensor<3x8xf32>, tensor<96x8xf32>
  return %0 : tensor<3x96xf32>
}

// -----

// A lookup along another axis is a use like any other, and so is a lookup alone.
// CHECK-DAG: tfc.weight @table :
// CHECK-DAG: tfc.weight @alone :
// CHECK-NOT: _panels
tfc.weight @table : tensor<96x8xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0>
tfc.weight @alone : tensor<96x8xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0>
func.func @main(%i: tensor<8xi64> {tfc.name = "i"}) -> (tensor<96x96xf32> {tfc.name = "y"}, tensor<8x8xf32> {tfc.name = "z"}) attributes {tfc.entry} {
  %t = tfc.weight_ref @table : tensor<96x8xf32>
  %a = tfc.weight_ref @alone : tensor<96x8xf32>
  %x = tfc.launch @columns(%t, %i) symbols [] nodes ["Gather_0"] checks ["node 'Gather_0'"] : (tensor<96x8xf32>, tensor<8xi64>) -> tensor<96x8xf32>
  %y = tfc.launch @linear(%x, %t) symbols [] nodes ["MatMul_0"] : (tensor<96x8xf32>, tensor<96x8xf32>) -> tensor<96x96xf32>
  %z = tfc.launch @rows(%a, %i) symbols [] nodes ["Gather_1"] checks ["node 'Gather_1'"] : (tensor<96x8xf32>, tensor<8xi64>) -> tensor<8x8xf32>
  return %y, %z : tensor<96x96xf32>, tensor<8x8xf32>
}
func.func private @columns(%t: tensor<96x8xf32>, %i: tensor<8xi64>) -> tensor<96x8xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.gather %t, %i axis 1 : tensor<96x8xf32>, tensor<8xi64>
  return %0 : tensor<96x8xf32>
}
func.func private @rows(%t: tensor<96x8xf32>, %i: tensor<8xi64>) -> tensor<8x8xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.gather %t, %i axis 0 : tensor<96x8xf32>, tensor<8xi64>
  return %0 : tensor<8x8xf32>
}
func.func private @linear(%a: tensor<96x8xf32>, %b: tensor<96x8xf32>) -> tensor<96x96xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b {transpose_b} : tensor<96x8xf32>, tensor<96x8xf32>
  return %0 : tensor<96x96xf32>
}

// -----

// No panel ends where a part of 24 columns ends: the stack stays as it stands.
// CHECK: tfc.weight @qk : tensor<96x8xf32> = #tfc.stack<[@q, @k]>
// CHECK: transpose_b
tfc.weight @q : tensor<24x8xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0>
tfc.weight @k : tensor<72x8xf32> = #tfc.seed<normal, 0, 2, 0.0, 1.0>
tfc.weight @qk : tensor<96x8xf32> = #tfc.stack<[@q, @k]>
func.func @main(%x: tensor<3x8xf32> {tfc.name = "x"}) -> (tensor<3x96xf32> {tfc.name = "y"}) attributes {tfc.entry} {
  %w = tfc.weight_ref @qk : tensor<96x8xf32>
  %y = tfc.launch @linear(%x, %w) symbols [] nodes ["MatMul_0"] : (tensor<3x8xf32>, tensor<96x8xf32>) -> tensor<3x96xf32>
  return %y : tensor<3x96xf32>
}
func.func private @linear(%a: tensor<3x8xf32>, %b: tensor<96x8xf32>) -> tensor<3x96xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b {transpose_b} : tensor<3x8xf32>, tensor<96x8xf32>
  return %0 : tensor<3x96xf32>
}
