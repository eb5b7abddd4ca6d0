// RUN: tfc-opt --split-input-file --verify-diagnostics --tfc-lower-dims %s | FileCheck %s

// A symbol that an index argument gives.
// CHECK-LABEL: @symbol_argument
// CHECK-SAME: %[[S:.*]]: index
// CHECK: %[[TWO:.*]] = arith.constant 2
// CHECK: %[[N:.*]] = arith.muli %[[S]], %[[TWO]]
// CHECK: return %[[N]]
func.func @symbol_argument(%s: index {tfc.symbol = "s0"}) -> index {
  %n = tfc.dim 2 * s0
  return %n : index
}

// -----

// A symbol that is the bare dim of an argument, by its encoding or by the attribute that stands for it.
// CHECK-LABEL: @argument_dims
// CHECK-SAME: %[[X:.*]]: tensor<?x?xf32, #tfc.dims<2 * a, b>>, %[[Y:.*]]: tensor<?xf32>
// CHECK-DAG: %[[B:.*]] = tensor.dim %[[X]], %c1
// CHECK-DAG: %[[A:.*]] = tensor.dim %[[Y]], %c0
// CHECK: arith.muli %[[A]], %[[B]]
// CHECK-NOT: tfc.dim
func.func @argument_dims(%x: tensor<?x?xf32, #tfc.dims<2 * a, b>>, %y: tensor<?xf32> {tfc.dims = #tfc.dims<a>}) -> index {
  %n = tfc.dim a * b
  return %n : index
}

// -----

// Division by a symbol that is 0 gives 0 and does not trap.
// CHECK-LABEL: @guarded_division
// CHECK: %[[ZERO:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK: %[[SAFE:.*]] = arith.select %[[ZERO]], %c1{{.*}}, %{{.*}}
// CHECK: arith.divsi %{{.*}}, %[[SAFE]]
func.func @guarded_division(%a: index {tfc.symbol = "a"}, %b: index {tfc.symbol = "b"}) -> index {
  %n = tfc.dim floordiv(a, b)
  return %n : index
}

// -----

// `2 * a` is not a bare symbol: nothing gives the value of a.
func.func @unknown_symbol(%x: tensor<?xf32, #tfc.dims<2 * a>>) -> index {
  // expected-error@+1 {{no argument gives the value of symbol 'a'}}
  %n = tfc.dim a
  return %n : index
}
