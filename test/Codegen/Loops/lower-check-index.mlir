// RUN: tfc-opt %s --allow-unregistered-dialect --tfc-lower-check-index --split-input-file | FileCheck %s

// A negative index counts from the end; one outside is noted with its number, value and bound, unless the worker has noted one
// before, and index 0 is used in its place. The load of an operand moves out of the loop that does not change it, and the check with it.
// CHECK-LABEL: func.func private @gather_tiles(
// CHECK: %[[I:.*]] = memref.load %{{.*}}[%{{.*}}] : memref<?xi64
// CHECK: %[[INDEX:.*]] = arith.index_cast %[[I]] : i64 to index
// CHECK: %[[NEGATIVE:.*]] = arith.cmpi slt, %[[INDEX]]
// CHECK: %[[WRAPPED:.*]] = arith.select %[[NEGATIVE]]
// CHECK: %[[BAD:.*]] = arith.cmpi uge, %[[WRAPPED]]
// CHECK: scf.if %[[BAD]]
// CHECK: %[[NOTED:.*]] = llvm.load
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[NOTED]]
// CHECK: scf.if %[[FIRST]]
// CHECK: arith.constant 7 : i32
// CHECK-COUNT-3: llvm.store
// CHECK: %[[SAFE:.*]] = arith.select %[[BAD]], %{{.*}}, %[[WRAPPED]]
// CHECK: scf.for
// CHECK-NOT: scf.if
// CHECK: "test.use"(%[[SAFE]]
func.func private @gather_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @gather} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %bound = arith.constant 100 : index
  %ids = builtin.unrealized_conversion_cast %x : !llvm.ptr to memref<?xi64>
  scf.for %k = %c0 to %c8 step %c1 {
    %0 = memref.load %ids[%begin] : memref<?xi64>
    %1 = tfc.check_index %0 below %bound check 7
    "test.use"(%1, %k) : (index, index) -> ()
  }
  return
}
func.func private @gather(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  call @gather_tiles(%args, %begin, %end, %worker, %worker) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}

// -----

// Where negative indices have no meaning nothing is added to them: compared as unsigned, they are too large. An index that is computed in
// the loop is checked in the loop.
// CHECK-LABEL: func.func private @lookup_tiles(
// CHECK: scf.for
// CHECK: "test.index"
// CHECK-NOT: arith.cmpi slt
// CHECK: arith.cmpi uge
// CHECK: scf.if
func.func private @lookup_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @lookup} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %bound = arith.constant 100 : index
  scf.for %k = %c0 to %bound step %c1 {
    %0 = "test.index"(%k) : (index) -> i64
    %1 = tfc.check_index %0 below %bound check 0 no_wrap
    "test.use"(%1) : (index) -> ()
  }
  return
}
func.func private @lookup(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  call @lookup_tiles(%args, %begin, %end, %worker, %worker) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}
