// RUN: tfc-opt %s --allow-unregistered-dialect --tfc-expand-math --split-input-file | FileCheck %s

// Functions of f32 become arithmetic, on scalars and on vectors. Values are tested by run_kernels.py and measure_math.py.
// CHECK-LABEL: func.func private @singles_tiles(
// CHECK-NOT: math.{{exp|log|tanh|erf|rsqrt|sin|cos}}
// CHECK: math.sqrt %{{.*}} : f32
// CHECK: math.copysign %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK-NOT: math.{{exp|log|tanh|erf|rsqrt|sin|cos}}
// CHECK-LABEL: func.func private @singles(
func.func private @singles_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @singles} {
  %scalar = "test.scalar"() : () -> f32
  %vector = "test.vector"() : () -> vector<16xf32>
  %0 = math.exp %scalar : f32
  %1 = math.exp2 %0 : f32
  %2 = math.log %1 : f32
  %3 = math.rsqrt %2 : f32
  %4 = math.tanh %vector : vector<16xf32>
  %5 = math.erf %4 : vector<16xf32>
  %6 = math.sin %5 : vector<16xf32>
  %7 = math.cos %6 : vector<16xf32>
  "test.use"(%3, %7) : (f32, vector<16xf32>) -> ()
  return
}
func.func private @singles(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  call @singles_tiles(%args, %begin, %end, %worker, %worker) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}

// -----

// An approximation that will do is a quotient, without an exponential.
// CHECK-LABEL: func.func private @approximate_tiles(
// CHECK-NOT: arith.shli
// CHECK-COUNT-2: arith.divf
// CHECK-NOT: arith.shli
// CHECK-LABEL: func.func private @approximate(
func.func private @approximate_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @approximate} {
  %x0 = "test.vector"() : () -> vector<8xf32>
  %0 = math.tanh %x0 fastmath<afn> : vector<8xf32>
  %1 = math.erf %0 fastmath<afn> : vector<8xf32>
  "test.use"(%1) : (vector<8xf32>) -> ()
  return
}
func.func private @approximate(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  call @approximate_tiles(%args, %begin, %end, %worker, %worker) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}

// -----

// Doubles, and functions without a polynomial, are left to the C library; what is not in a kernel is left alone.
// CHECK-LABEL: func.func private @left_tiles(
// CHECK: math.exp %{{.*}} : f64
// CHECK: math.atan %{{.*}} : f32
// CHECK-LABEL: func.func private @outside(
// CHECK: math.exp %{{.*}} : f32
func.func private @left_tiles(%x: !llvm.ptr {llvm.noalias}, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr {llvm.noalias})
    attributes {tfc.symbols = [], tfc.tiles_of = @left} {
  %double = "test.double"() : () -> f64
  %single = "test.single"() : () -> f32
  %0 = math.exp %double : f64
  %1 = math.atan %single : f32
  "test.use"(%0, %1) : (f64, f32) -> ()
  return
}
func.func private @left(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  call @left_tiles(%args, %begin, %end, %worker, %worker) : (!llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) -> ()
  return
}
func.func private @outside(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}
