// RUN: tfc-gpu-opt %s --pass-pipeline='builtin.module(gpu.module(tfc-expand-gpu-math))' | FileCheck %s

// Values are tested by run_gpu_kernels.py.
gpu.module @kernels {
  // CHECK-LABEL: llvm.func @instructions
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.f32"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.f32"
  // CHECK: llvm.call_intrinsic "llvm.nvvm.rsqrt.approx.f"
  // CHECK: llvm.inline_asm "tanh.approx.f32
  // CHECK: llvm.return
  llvm.func @instructions(%x: f32) -> f32 {
    %0 = math.exp %x : f32
    %1 = math.exp2 %0 : f32
    %2 = math.rsqrt %1 : f32
    %3 = math.tanh %2 fastmath<afn> : f32
    llvm.return %3 : f32
  }

  // CHECK-LABEL: llvm.func @polynomials
  // CHECK-NOT: math.{{tanh|erf|log|sin|cos|tan|powf}}
  // CHECK-NOT: tanh.approx
  // CHECK: llvm.return
  llvm.func @polynomials(%x: f32) -> f32 {
    %0 = math.tanh %x : f32
    %1 = math.erf %0 : f32
    %2 = math.log %1 : f32
    %3 = math.sin %2 : f32
    %4 = math.cos %3 : f32
    %5 = math.tan %4 : f32
    %6 = math.powf %5, %x : f32
    llvm.return %6 : f32
  }

  // CHECK-LABEL: llvm.func @doubles
  // CHECK-NOT: math.{{exp|tanh|erf|log|sin|cos|tan|powf|rsqrt}}
  // CHECK: math.sqrt %{{.*}} : f64
  // CHECK-NOT: math.{{exp|tanh|erf|log|sin|cos|tan|powf|rsqrt}}
  // CHECK: llvm.return
  llvm.func @doubles(%x: f64) -> f64 {
    %0 = math.tanh %x : f64
    %1 = math.erf %0 : f64
    %2 = math.log %1 : f64
    %3 = math.exp %2 : f64
    %4 = math.exp2 %3 : f64
    %5 = math.powf %4, %x : f64
    %6 = math.rsqrt %5 : f64
    llvm.return %6 : f64
  }

  // Large angles take the road of integers.
  // CHECK-LABEL: llvm.func @angle
  // CHECK: scf.if
  // CHECK: arith.mului_extended
  // CHECK: else
  // CHECK-NOT: arith.mului_extended
  // CHECK: llvm.return
  llvm.func @angle(%x: f64) -> f64 {
    %0 = math.sin %x : f64
    llvm.return %0 : f64
  }

  // Of f32 too, in f64. The op of the LLVM dialect is what the generic road leaves.
  // CHECK-LABEL: llvm.func @remainders
  // CHECK: arith.extf
  // CHECK: scf.while
  // CHECK: scf.while
  // CHECK-NOT: rem
  // CHECK: llvm.return
  llvm.func @remainders(%x: f32, %y: f64) -> f64 {
    %0 = arith.remf %x, %x : f32
    %1 = arith.extf %0 : f32 to f64
    %2 = llvm.frem %1, %y : f64
    llvm.return %2 : f64
  }

  // What every GPU has an instruction for stays, and what no op of tfc means.
  // CHECK-LABEL: llvm.func @left
  // CHECK: math.sqrt
  // CHECK: math.floor
  // CHECK: math.sqrt
  // CHECK: math.atan
  llvm.func @left(%x: f32, %y: f64) -> f64 {
    %0 = math.sqrt %x : f32
    %1 = math.floor %0 : f32
    %2 = math.sqrt %y : f64
    %3 = math.atan %2 : f64
    llvm.return %3 : f64
  }
}
