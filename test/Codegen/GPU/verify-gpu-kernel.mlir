// RUN: tfc-gpu-opt %s --pass-pipeline='builtin.module(gpu.module(tfc-verify-gpu-kernel))' --split-input-file --verify-diagnostics

gpu.module @fine {
  llvm.func @helper(%x: f32) -> f32 {
    %0 = llvm.intr.sqrt(%x) : (f32) -> f32
    llvm.return %0 : f32
  }
  llvm.func @kernel(%x: f32, %p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
    %0 = llvm.call @helper(%x) : (f32) -> f32
    %1 = llvm.call_intrinsic "llvm.nvvm.ex2.approx.f32"(%0) : (f32) -> f32
    %2 = nvvm.read.ptx.sreg.tid.x : i32
    %3 = llvm.getelementptr %p[%2] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    llvm.store %1, %3 : f32, !llvm.ptr<1>
    llvm.return
  }
}

// -----

gpu.module @functions {
  llvm.func @kernel(%x: f32, %y: f64) {
    // expected-error @below {{is a function that no GPU has as an instruction}}
    %0 = llvm.intr.exp(%x) : (f32) -> f32
    // expected-error @below {{has no form in the LLVM dialect on a GPU}}
    %1 = math.erf %y : f64
    // expected-error @below {{is a remainder, which NVPTX would compute inexactly}}
    %2 = llvm.frem %x, %x : f32
    llvm.return
  }
}

// -----

gpu.module @calls {
  llvm.func @__nv_expf(f32) -> f32
  llvm.func @kernel(%x: f32) {
    // expected-error @below {{calls a function without a body in its module}}
    %0 = llvm.call @__nv_expf(%x) : (f32) -> f32
    // expected-error @below {{calls the intrinsic llvm.x86.rdtsc, which is not one of NVVM}}
    %1 = llvm.call_intrinsic "llvm.x86.rdtsc"() : () -> i64
    llvm.return
  }
}

// -----

gpu.module @wide {
  llvm.func @kernel(%x: f128) {
    // expected-error @below {{works on floats wider than f64}}
    %0 = llvm.fadd %x, %x : f128
    llvm.return
  }
}
