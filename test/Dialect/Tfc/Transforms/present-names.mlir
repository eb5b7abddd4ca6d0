// RUN: tfc-opt %s --tfc-fuse-attention --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s --check-prefix=FUSED
// RUN: tfc-opt %s --tfc-fuse-attention --tfc-decompose-ops --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s --check-prefix=APART

// An attention that takes past keys and values in remembers what the graph calls them together with those that follow, so that they have
// their names again where the two are taken apart.
!q = tensor<2x3x4x8xf32>
!p = tensor<2x3x6x8xf32>
!t = tensor<2x3x10x8xf32>
!s = tensor<2x3x4x10xf32>

// FUSED: tfc.attention {{.*}} loc(fused<[loc("Keys"), loc("Values")]>["Scores", "Softmax", "Out"])
// APART: %[[K:.*]] = tfc.concat %{{.*}} loc("Keys")
// APART: %[[V:.*]] = tfc.concat %{{.*}} loc("Values")
// APART: tfc.matmul %{{.*}}, %[[K]]
func.func @main(%q: !q, %k: !q, %v: !q, %pk: !p, %pv: !p) -> (!q, !t, !t) {
  %nk = tfc.concat %pk, %k axis 2 : !p, !q loc("Keys")
  %nv = tfc.concat %pv, %v axis 2 : !p, !q loc("Values")
  %s = tfc.matmul %q, %nk {transpose_b} : !q, !t loc("Scores")
  %p = tfc.softmax %s axis 3 : !s loc("Softmax")
  %o = tfc.matmul %p, %nv : !s, !t loc("Out")
  return %o, %nk, %nv : !q, !t, !t
}

// One that was given so has one name for all.
// APART-LABEL: @given
// APART: tfc.concat %{{.*}} loc("Attention")
func.func @given(%q: !q, %k: !q, %v: !q, %pk: !p, %pv: !p) -> !q {
  %o = tfc.attention %q, %k, %v past %pk, %pv {scale = 1.0 : f32} : (!q, !q, !q, !p, !p) -> !q loc("Attention")
  return %o : !q
}
