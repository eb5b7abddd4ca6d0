// RUN: tfc-opt %s --allow-unregistered-dialect --tfc-lower-bfloat16-memory --canonicalize --split-input-file | FileCheck %s

// Memory holds 16-bit integers. What was loaded becomes f32 by a shift; what is stored is rounded in integers.
// CHECK-LABEL: func.func private @double_tiles(
// CHECK-NOT: bf16
// CHECK: %[[BITS:.*]] = memref.load %{{.*}} : memref<8xi16>
// CHECK: arith.extui %[[BITS]] : i16 to i32
// CHECK: arith.shli
// CHECK: %[[X:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK: %[[Y:.*]] = arith.addf %[[X]], %[[X]] : f32
// CHECK: %[[ROUNDED:.*]] = arith.trunci %{{.*}} : i32 to i16
// CHECK: memref.store %{{.*}}, %{{.*}} : memref<8xi16>
// CHECK-NOT: bf16
// CHECK-LABEL: func.func private @double(
func.func private @double_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @double} {
  %buffer = "test.buffer"() : () -> memref<8xbf16>
  %0 = memref.load %buffer[%begin] : memref<8xbf16>
  %1 = arith.extf %0 : bf16 to f32
  %2 = arith.addf %1, %1 : f32
  %3 = arith.truncf %2 : f32 to bf16
  memref.store %3, %buffer[%begin] : memref<8xbf16>
  return
}
func.func private @double(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  call @double_tiles(%args, %begin, %end, %worker, %worker) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}

// -----

// f16 has conversions everywhere and stays.
// CHECK-LABEL: func.func private @half_tiles(
// CHECK: memref.load %{{.*}} : memref<8xf16>
// CHECK: arith.extf %{{.*}} : f16 to f32
func.func private @half_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @half} {
  %buffer = "test.buffer"() : () -> memref<8xf16>
  %0 = memref.load %buffer[%begin] : memref<8xf16>
  %1 = arith.extf %0 : f16 to f32
  "test.use"(%1) : (f32) -> ()
  return
}
func.func private @half(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  call @half_tiles(%args, %begin, %end, %worker, %worker) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}
