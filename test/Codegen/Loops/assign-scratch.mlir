// RUN: tfc-opt %s --allow-unregistered-dialect --tfc-assign-scratch --split-input-file --verify-diagnostics | FileCheck %s

// A small buffer of static size goes on the stack.
// CHECK-LABEL: func.func private @small_tiles(
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<4x4xf32>
// CHECK-NOT: memref.dealloc
// CHECK-LABEL: func.func private @small(
// CHECK-SAME: tfc.scratch = #tfc.expr<0>
func.func private @small_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @small} {
  %buffer = memref.alloc() : memref<4x4xf32>
  "test.use"(%buffer) : (memref<4x4xf32>) -> ()
  memref.dealloc %buffer : memref<4x4xf32>
  return
}
func.func private @small(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  %scratch = llvm.load %worker : !llvm.ptr -> !llvm.ptr
  call @small_tiles(%args, %begin, %end, %worker, %scratch) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}

// -----

// What does not fit there, and what hangs on a symbol, lies in the worker's scratch one behind the other, each at a cache line and
// each a noalias argument of its own. A tile of min(16, what is left) rows needs room for 16.
// CHECK-LABEL: func.func private @rows_tiles(
// CHECK-SAME: %{{.*}}: !llvm.ptr {llvm.noalias}, %[[LARGE:.*]]: !llvm.ptr {llvm.noalias}, %[[ROWS:.*]]: !llvm.ptr {llvm.noalias}, %{{.*}}: index {tfc.symbol = "s0"}
// CHECK-NOT: memref.alloc
// CHECK: memref.view {{.*}} : memref<?xi8> to memref<16384xf32>
// CHECK: memref.view {{.*}} : memref<?xi8> to memref<?x?xf32>
// CHECK-LABEL: func.func private @rows(
// CHECK-SAME: tfc.scratch = #tfc.expr<64 * s0 + 65536>
// CHECK: %[[PLACE:.*]] = arith.constant 65536 : index
// CHECK: %[[WORD:.*]] = arith.index_cast %[[PLACE]]
// CHECK: llvm.getelementptr %{{.*}}[%[[WORD]]]
func.func private @rows_tiles(%x: !llvm.ptr {llvm.noalias}, %s0: index {tfc.symbol = "s0"}, %begin: index, %end: index, %worker: !llvm.ptr,
                              %scratch: !llvm.ptr {llvm.noalias}) attributes {tfc.symbols = ["s0"], tfc.tiles_of = @rows} {
  %c16 = arith.constant 16 : index
  %large = memref.alloc() : memref<16384xf32>
  %columns = tfc.dim s0
  %left = arith.subi %columns, %begin : index
  %height = arith.minsi %left, %c16 : index
  %rows = memref.alloc(%height, %columns) : memref<?x?xf32>
  "test.use"(%large, %rows) : (memref<16384xf32>, memref<?x?xf32>) -> ()
  return
}
func.func private @rows(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %scratch = llvm.load %worker : !llvm.ptr -> !llvm.ptr
  %word = llvm.load %args : !llvm.ptr -> i64
  %s0 = arith.index_cast %word : i64 to index
  call @rows_tiles(%args, %s0, %begin, %end, %worker, %scratch) : (!llvm.ptr, index, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}

// -----

// A size that nothing bounds has no place.
func.func private @unbounded_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @unbounded} {
  %size = "test.size"() : () -> index
  // expected-error @+1 {{has a size that is not an expression of the kernel's symbols}}
  %buffer = memref.alloc(%size) : memref<?xf32>
  "test.use"(%buffer) : (memref<?xf32>) -> ()
  return
}
func.func private @unbounded(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  %scratch = llvm.load %worker : !llvm.ptr -> !llvm.ptr
  call @unbounded_tiles(%args, %begin, %end, %worker, %scratch) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}

// -----

// Nor has one of a symbol that the kernel does not have.
func.func private @foreign_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @foreign} {
  %size = tfc.dim other
  // expected-error @+1 {{has a size of symbol 'other', which the kernel does not have}}
  %buffer = memref.alloc(%size) : memref<?xf32>
  "test.use"(%buffer) : (memref<?xf32>) -> ()
  return
}
func.func private @foreign(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  %scratch = llvm.load %worker : !llvm.ptr -> !llvm.ptr
  call @foreign_tiles(%args, %begin, %end, %worker, %scratch) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}
