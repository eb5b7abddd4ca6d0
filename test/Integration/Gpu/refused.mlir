// A function that no op of tfc means, and that no GPU has, is refused in a sentence with the graph's node.
// RUN: tfc-compile %s --target cuda:sm_80 --emit=host -o %t.host.mlir
// RUN: sed 's/math.sqrt/math.atan/' %t.host.mlir > %t.atan.mlir
// RUN: not tfc-compile %t.atan.mlir --target cuda:sm_80 -o %t.so 2>&1 | FileCheck %s
// RUN: tfc-compile %t.host.mlir --target cuda:sm_80 -o %t.so

// CHECK: error: node 'Root_3': {{.*}} is a function that no GPU has as an instruction
// CHECK-NOT: error
func.func @main(%x: tensor<8x511xf64> {tfc.name = "x"}) -> (tensor<8x511xf64> {tfc.name = "y"}) attributes {tfc.entry} {
  %0 = tfc.sqrt %x : tensor<8x511xf64> loc("Root_3")
  return %0 : tensor<8x511xf64>
}
