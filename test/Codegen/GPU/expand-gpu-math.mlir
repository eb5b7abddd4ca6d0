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

  // What every GPU has an instruction for, and f64, stays.
  // CHECK-LABEL: llvm.func @left
  // CHECK: math.sqrt
  // CHECK: math.floor
  // CHECK: math.exp %{{.*}} : f64
  llvm.func @left(%x: f32, %y: f64) -> f64 {
    %0 = math.sqrt %x : f32
    %1 = math.floor %0 : f32
    %2 = math.exp %y : f64
    llvm.return %2 : f64
  }
}
