// RUN: tfc-opt --tfc-lower-row-reductions %s | FileCheck %s

#all = affine_map<(r, k) -> (r, k)>
#row = affine_map<(r, k) -> (r)>

// Four accumulators for blocks of 64, one for blocks of 16, a masked rest, and a tree.
// CHECK-LABEL: @sum
// CHECK: scf.for
// CHECK: scf.for {{.*}} step %c64{{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-4: vector.load
// CHECK: scf.for {{.*}} step %c16{{.*}} -> (vector<16xf32>)
// CHECK: vector.load
// CHECK: scf.if
// CHECK: %[[MASK:.*]] = vector.create_mask
// CHECK: vector.maskedload
// CHECK: arith.select %[[MASK]]
// CHECK-COUNT-8: vector.shuffle
// CHECK: memref.store
// CHECK-NOT: linalg.generic
func.func @sum(%x: memref<?x?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %0 = arith.mulf %a, %a : f32
    %1 = arith.addf %sum, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// A reduction whose last loop is parallel already runs as vectors in a fixed order.
// CHECK-LABEL: @leading_axis
// CHECK: linalg.generic
func.func @leading_axis(%x: memref<?x?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#all, affine_map<(k, n) -> (n)>], iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %1 = arith.addf %sum, %a : f32
    linalg.yield %1 : f32
  }
  return
}

// Integer sums may be reordered by LLVM.
// CHECK-LABEL: @integers
// CHECK: linalg.generic
func.func @integers(%x: memref<?x?xi32>, %y: memref<?xi32>) {
  linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x?xi32>) outs(%y : memref<?xi32>) {
  ^bb0(%a: i32, %sum: i32):
    %1 = arith.addi %sum, %a : i32
    linalg.yield %1 : i32
  }
  return
}

// The accumulator is used twice: this is no plain sum.
// CHECK-LABEL: @no_plain_sum
// CHECK: linalg.generic
func.func @no_plain_sum(%x: memref<?x?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %0 = arith.mulf %a, %sum : f32
    %1 = arith.addf %sum, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// A body that reads at indices of its own runs lane by lane, with the same sum.
// CHECK-LABEL: @reads_by_itself
// CHECK: scf.for
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-16: memref.load %arg1
// CHECK: vector.from_elements
// CHECK-NOT: linalg
func.func @reads_by_itself(%x: memref<?x?xf32>, %t: memref<?xf32>, %y: memref<?xf32>, %step: index) {
  linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %k = linalg.index 1 : index
    %i = arith.muli %k, %step : index
    %b = memref.load %t[%i] : memref<?xf32>
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %sum, %0 : f32
    linalg.yield %1 : f32
  }
  return
}
