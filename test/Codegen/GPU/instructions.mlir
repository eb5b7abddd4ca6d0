// What must appear in the PTX of each kind of kernel.
// RUN: tfc-gpu-test %s --kernel=gelu --chip=sm_80 --emit=ptx | FileCheck %s --check-prefix=GELU
// RUN: tfc-gpu-test %s --kernel=norm --chip=sm_80 --emit=ptx | FileCheck %s --check-prefix=NORM
// RUN: tfc-gpu-test %s --kernel=product --chip=sm_80 --emit=ptx | FileCheck %s --check-prefix=MMA
// RUN: tfc-gpu-test %s --kernel=product --chip=sm_70 --emit=ptx | FileCheck %s --check-prefix=SIMT
// RUN: tfc-gpu-test %s --kernel=product --chip=sm_80 --emit=steps | FileCheck %s --check-prefix=STEPS
// RUN: tfc-gpu-test %s --kernel=attention --chip=sm_80 --emit=ptx | FileCheck %s --check-prefix=FLASH
// RUN: tfc-gpu-test %s --kernel=attention --chip=sm_70 --emit=ptx | FileCheck %s --check-prefix=FLASHSIMT
// RUN: tfc-gpu-test %s --kernel=product --chip=sm_90a --emit=ptx | FileCheck %s --check-prefix=WGMMA
// RUN: tfc-gpu-test %s --kernel=product_by_weight --chip=sm_90a --emit=ptx | FileCheck %s --check-prefix=SMALLWGMMA
// RUN: tfc-gpu-test %s --kernel=product_by_weight --chip=sm_90a --emit=steps | FileCheck %s --check-prefix=HOPPERSTEPS
// RUN: tfc-gpu-test %s --kernel=attention --chip=sm_90a --emit=ptx | FileCheck %s --check-prefix=FLASHWGMMA
// RUN: tfc-gpu-test %s --kernel=product_of_one_row --chip=sm_90 --emit=ptx | FileCheck %s --check-prefix=GEMV
// RUN: tfc-gpu-test %s --kernel=product_of_one_row --chip=sm_90 --emit=steps | FileCheck %s --check-prefix=GEMVSTEPS
// RUN: tfc-gpu-test %s --kernel=product_of_one_row --chip=sm_80 --emit=ptx | FileCheck %s --check-prefix=OLD
// RUN: not tfc-gpu-test %s --kernel=left --chip=sm_80 2>&1 | FileCheck %s --check-prefix=LEFT
// RUN: not tfc-gpu-test %s --kernel=gelu --chip=sm_81 2>&1 | FileCheck %s --check-prefix=CHIP

// Four numbers at a time, and no library.
// GELU: .target sm_80
// GELU-NOT: .extern .func
// GELU: ld.global.nc.v4.b32
// GELU: ex2.approx.f32
// GELU: st.global.v4.b32
func.func private @gelu(%x: tensor<?x64xf32, #tfc.dims<s0, 64>>) -> tensor<?x64xf32, #tfc.dims<s0, 64>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.gelu erf %x : tensor<?x64xf32, #tfc.dims<s0, 64>>
  return %0 : tensor<?x64xf32, #tfc.dims<s0, 64>>
}

// A warp per row: no shared memory, no barrier.
// NORM-NOT: bar.sync
// NORM: shfl.sync.bfly.b32
// NORM-NOT: bar.sync
// NORM: rsqrt.approx.f32
func.func private @norm(%x: tensor<?x768xf32, #tfc.dims<s0, 768>>, %g: tensor<768xf32>) -> tensor<?x768xf32, #tfc.dims<s0, 768>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.layer_norm %x scale %g axis 1 epsilon 1.0e-12 : (tensor<?x768xf32, #tfc.dims<s0, 768>>, tensor<768xf32>) -> tensor<?x768xf32, #tfc.dims<s0, 768>>
  return %0 : tensor<?x768xf32, #tfc.dims<s0, 768>>
}

// MMA: cp.async.cg.shared.global
// MMA: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// MMA: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// WGMMA: setmaxnreg.dec.sync.aligned.u32
// WGMMA: cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes
// WGMMA: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// SIMT: .target sm_70
// SIMT-NOT: mma.sync
// SIMT: fma.rn.f32
// The run chooses among steps: those it does not want have an empty grid. Sums of parts of K go through the workspace.
// STEPS: function = @kernels::@product_gemv1, grid
// STEPS-SAME: function = @kernels::@product_gemv4, grid
// STEPS-SAME: function = @kernels::@product_16x64, grid = [#tfc.expr<36 * floordiv(-1 * s0, 16) * min(floordiv(s0, 5), 1) * min(floordiv(s0, 17), 1) + -36 * floordiv(-1 * s0, 16) * min(floordiv(s0, 5), 1)>
// STEPS-SAME: function = @kernels::@product_16x64_sum
// STEPS-SAME: function = @kernels::@product_64x64_split
// STEPS-SAME: function = @kernels::@product_128x128,
func.func private @product(%a: tensor<?x768xbf16, #tfc.dims<s0, 768>>, %b: tensor<768x768xbf16>) -> tensor<?x768xbf16, #tfc.dims<s0, 768>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x768xbf16, #tfc.dims<s0, 768>>, tensor<768x768xbf16>
  return %0 : tensor<?x768xbf16, #tfc.dims<s0, 768>>
}

// Few rows on Hopper: tiles of 64 x 64, K in parts where they are few: a cluster adds them up, without a second step. Slices of a weight are
// asked for before the step waits for the one before, slices of A behind that.
// HOPPERSTEPS: cluster = 3 : i64, function = @kernels::@product_by_weight_16x64,
// HOPPERSTEPS-NOT: _sum
// HOPPERSTEPS: cluster = 3 : i64, function = @kernels::@product_by_weight_64x64_split,
// HOPPERSTEPS-NOT: _sum
// HOPPERSTEPS: cluster = 1 : i64, function = @kernels::@product_by_weight_64x64,
// SMALLWGMMA-LABEL: .entry product_by_weight_64x64_split(
// SMALLWGMMA: cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes
// SMALLWGMMA: griddepcontrol.wait;
// SMALLWGMMA-NOT: setmaxnreg
// SMALLWGMMA-DAG: cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes
// SMALLWGMMA-DAG: wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16
// SMALLWGMMA: barrier.cluster.arrive.aligned;
// SMALLWGMMA-NEXT: barrier.cluster.wait.aligned;
// SMALLWGMMA: mapa.shared::cluster
// SMALLWGMMA: ld.shared::cluster.v4.b32
// SMALLWGMMA: barrier.cluster.arrive.relaxed.aligned;
// SMALLWGMMA-NEXT: barrier.cluster.wait.aligned;
// SMALLWGMMA-LABEL: .entry product_by_weight_64x64(
// SMALLWGMMA: wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16
// SMALLWGMMA-LABEL: .entry product_by_weight_128x128(
// SMALLWGMMA: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
func.func private @product_by_weight(%a: tensor<?x768xbf16, #tfc.dims<s0, 768>>, %b: tensor<768x768xbf16> {tfc.weight_operand}) -> tensor<?x768xbf16, #tfc.dims<s0, 768>> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.matmul %a, %b : tensor<?x768xbf16, #tfc.dims<s0, 768>>, tensor<768x768xbf16>
  return %0 : tensor<?x768xbf16, #tfc.dims<s0, 768>>
}

// One row: 16 bytes of a weight per thread, asked for before the step waits for the one before, and no second step.
// GEMV-LABEL: .entry product_of_one_row_gemv1(
// GEMV: griddepcontrol.launch_dependents;
// GEMV-COUNT-8: ld.global.v4.b32
// GEMV: griddepcontrol.wait;
// GEMV: ld.global.v4.b32
// GEMV-COUNT-16: fma.rn.f32
// GEMV: ret;
// GEMV-NOT: .entry
// GEMVSTEPS: function = @kernels::@product_of_one_row_gemv1, grid = [#tfc.expr<48>, #tfc.expr<1>, #tfc.expr<1>], maps = [], overlaps
// GEMVSTEPS-NOT: function
// OLD-NOT: griddepcontrol
// OLD: .entry product_of_one_row_gemv1(
// OLD-NOT: griddepcontrol
func.func private @product_of_one_row(%a: tensor<1x768xbf16>, %b: tensor<768x768xbf16> {tfc.weight_operand}) -> tensor<1x768xbf16> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.matmul %a, %b : tensor<1x768xbf16>, tensor<768x768xbf16>
  return %0 : tensor<1x768xbf16>
}

// FLASH-DAG: cp.async.cg.shared.global
// FLASH-DAG: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// FLASH-DAG: ex2.approx.ftz.f32
// FLASH-DAG: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// Queries, keys and values come by the copy engine; weights are left operands in registers, and add to what is there.
// FLASHWGMMA: setmaxnreg.inc.sync.aligned.u32
// FLASHWGMMA: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16
// FLASHWGMMA-SAME: q, 1, 1, 0, 0; wgmma.mma_async
// FLASHWGMMA: ex2.approx.ftz.f32
// FLASHWGMMA: cvt.rn.bf16x2.f32
// FLASHWGMMA: wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16
// FLASHWGMMA-SAME: p, 1, 1, 1;
// FLASHWGMMA: setmaxnreg.dec.sync.aligned.u32
// FLASHWGMMA: cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes
// FLASHSIMT-NOT: mma.sync
// FLASHSIMT: ex2.approx.ftz.f32
func.func private @attention(%q: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, %k: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>,
    %v: tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1", "s2"]} {
  %0 = tfc.attention %q, %k, %v {causal} : (tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>, tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>,
    tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s2, 64>>) -> tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>
  return %0 : tensor<?x12x?x64xbf16, #tfc.dims<s0, 12, s1, 64>>
}

// LEFT: no generator takes the kernel
func.func private @left(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.cumsum %x axis 1 : tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHIP: unknown GPU target 'sm_81'; known are sm_70,
