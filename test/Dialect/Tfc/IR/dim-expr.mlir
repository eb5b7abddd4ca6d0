// RUN: tfc-opt %s -split-input-file | FileCheck %s

// Sums and products come out in one order, whatever the order they went in.
// CHECK-LABEL: @canonical_order
// CHECK-SAME: tensor<?xf32, #tfc.dims<a * b + 2 * a + b + 3>>
func.func private @canonical_order(tensor<?xf32, #tfc.dims<3 + b + a + b * a + a>>)
