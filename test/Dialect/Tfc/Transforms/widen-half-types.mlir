// RUN: tfc-opt %s --split-input-file --tfc-widen-half-types | FileCheck %s
// RUN: tfc-opt %s --split-input-file --tfc-widen-half-types --tfc-simplify-graph --tfc-convert-precision=to=stored | FileCheck %s --check-prefix=STORED
// RUN: tfc-opt %s --split-input-file --tfc-widen-half-types --tfc-simplify-graph --tfc-convert-precision=to=graph | FileCheck %s --check-prefix=GRAPH

// Between argument and result everything is computed in f32, and weights are of f32, made of bytes of f16. Products know what the graph rounded.
// Weights of products are stored in f16 again, those of norms are not. For tensor cores operands are rounded as the graph rounds them.
// CHECK: tfc.weight @w : tensor<64x96xf32> = #tfc.file<"w", 0, 12288> as f16
// CHECK: tfc.weight @s : tensor<64xf32> = #tfc.file<"w", 12288, 128> as f16
// CHECK-LABEL: func.func @block(%arg0: tensor<4x64xf16>) -> tensor<4x96xf16>
// CHECK: %[[X:.*]] = tfc.cast %arg0 : tensor<4x64xf16> -> tensor<4x64xf32>
// CHECK: %[[N:.*]] = tfc.layer_norm %[[X]] scale %{{.*}} axis 1 {{.*}} tensor<4x64xf32>
// CHECK: %[[P:.*]] = tfc.matmul %[[N]], %{{.*}} {tfc.operand_type = f16} : tensor<4x64xf32>, tensor<64x96xf32>
// CHECK: %[[G:.*]] = tfc.gelu erf %[[P]] : tensor<4x96xf32>
// CHECK: %[[Y:.*]] = tfc.cast %[[G]] : tensor<4x96xf32> -> tensor<4x96xf16>
// CHECK: return %[[Y]]
// STORED: tfc.weight @w : tensor<64x96xf16> = #tfc.file<"w", 0, 12288>{{$}}
// STORED: tfc.weight @s : tensor<64xf32> = #tfc.file<"w", 12288, 128> as f16
// STORED: %[[W:.*]] = tfc.weight_ref @w : tensor<64x96xf16>
// STORED: %[[WIDE:.*]] = tfc.cast %[[W]]
// STORED: tfc.matmul %{{.*}}, %[[WIDE]]
// GRAPH-LABEL: func.func @block
// GRAPH: %[[N:.*]] = tfc.layer_norm
// GRAPH: %[[N16:.*]] = tfc.cast %[[N]] : tensor<4x64xf32> -> tensor<4x64xf16>
// GRAPH: %[[A:.*]] = tfc.cast %[[N16]] : tensor<4x64xf16> -> tensor<4x64xf32>
// GRAPH: tfc.matmul %[[A]]
tfc.weight @w : tensor<64x96xf16> = #tfc.file<"w", 0, 12288>
tfc.weight @s : tensor<64xf16> = #tfc.file<"w", 12288, 128>
func.func @block(%x: tensor<4x64xf16>) -> tensor<4x96xf16> {
  %s = tfc.weight_ref @s : tensor<64xf16>
  %n = tfc.layer_norm %x scale %s axis 1 epsilon 1.0e-05 : (tensor<4x64xf16>, tensor<64xf16>) -> tensor<4x64xf16>
  %w = tfc.weight_ref @w : tensor<64x96xf16>
  %p = tfc.matmul %n, %w : tensor<4x64xf16>, tensor<64x96xf16>
  %g = tfc.gelu erf %p : tensor<4x96xf16>
  return %g : tensor<4x96xf16>
}

// -----

// Casts that a converter put around a softmax go, and so does one to f16 and back in a graph of f32.
// CHECK-LABEL: func.func @casts
// CHECK: %[[A:.*]] = tfc.add
// CHECK: %[[S:.*]] = tfc.softmax %[[A]] axis 1 : tensor<4x8xf32>
// CHECK: %[[M:.*]] = tfc.mul %[[S]], %[[S]] : tensor<4x8xf32>
// CHECK: return %[[M]]
func.func @casts(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tfc.cast %x : tensor<4x8xf32> -> tensor<4x8xf16>
  %1 = tfc.add %0, %0 : tensor<4x8xf16>, tensor<4x8xf16>
  %2 = tfc.cast %1 : tensor<4x8xf16> -> tensor<4x8xf32>
  %3 = tfc.softmax %2 axis 1 : tensor<4x8xf32>
  %4 = tfc.cast %3 : tensor<4x8xf32> -> tensor<4x8xf16>
  %5 = tfc.cast %4 : tensor<4x8xf16> -> tensor<4x8xf32>
  %6 = tfc.mul %5, %5 : tensor<4x8xf32>, tensor<4x8xf32>
  return %6 : tensor<4x8xf32>
}

// -----

// A product of f32 takes what the graph has rounded to bf16 and widened again: its operands may be rounded so. Of one that has an operand
// which was never rounded that is not said, and no rounding is added to it.
// CHECK-LABEL: func.func @products
// CHECK: tfc.matmul %{{.*}}, %{{.*}} {tfc.operand_type = bf16}
// CHECK: tfc.matmul %arg0, %{{.*}} : tensor<8x8xf32>, tensor<8x8xf32>
// GRAPH-LABEL: func.func @products
// GRAPH: tfc.matmul
// GRAPH: tfc.matmul %arg0
func.func @products(%x: tensor<8x8xf32>, %y: tensor<8x8xbf16>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %0 = tfc.cast %x : tensor<8x8xf32> -> tensor<8x8xbf16>
  %1 = tfc.cast %0 : tensor<8x8xbf16> -> tensor<8x8xf32>
  %2 = tfc.cast %y : tensor<8x8xbf16> -> tensor<8x8xf32>
  %3 = tfc.matmul %1, %2 : tensor<8x8xf32>, tensor<8x8xf32>
  %4 = tfc.matmul %x, %2 : tensor<8x8xf32>, tensor<8x8xf32>
  return %3, %4 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// Past keys of 16 bits are put together with new ones in their own type: they are the run's output, and the next run's past.
// CHECK-LABEL: func.func @past
// CHECK: %[[NEW:.*]] = tfc.mul
// CHECK: %[[ROUNDED:.*]] = tfc.cast %[[NEW]] : {{.*}} -> tensor<1x2x1x16xf16>
// CHECK: %[[ALL:.*]] = tfc.concat %arg0, %[[ROUNDED]] axis 2 : tensor<1x2x4x16xf16>, tensor<1x2x1x16xf16>
// CHECK: %[[WIDE:.*]] = tfc.cast %[[ALL]] : tensor<1x2x5x16xf16> -> tensor<1x2x5x16xf32>
// CHECK: tfc.attention %[[NEW]], %[[WIDE]], %{{.*}} {{.*}}tfc.operand_type = f16
// CHECK: return %{{.*}}, %[[ALL]]
func.func @past(%p: tensor<1x2x4x16xf16>, %x: tensor<1x2x1x16xf16>) -> (tensor<1x2x1x16xf16>, tensor<1x2x5x16xf16>) {
  %k = tfc.mul %x, %x : tensor<1x2x1x16xf16>, tensor<1x2x1x16xf16>
  %o, %a, %b = tfc.attention %k, %k, %k past %p, %p {scale = 1.0 : f32} : (tensor<1x2x1x16xf16>, tensor<1x2x1x16xf16>, tensor<1x2x1x16xf16>, tensor<1x2x4x16xf16>, tensor<1x2x4x16xf16>) -> (tensor<1x2x1x16xf16>, tensor<1x2x5x16xf16>, tensor<1x2x5x16xf16>)
  return %o, %a : tensor<1x2x1x16xf16>, tensor<1x2x5x16xf16>
}

// -----

// What stands for "masked" in f16 stands for it in f32; other numbers stay what they are.
// CHECK-LABEL: func.func @lowest
// CHECK-DAG: dense<-3.40282347E+38> : tensor<f32>
// CHECK-DAG: dense<-1.000000e+04> : tensor<f32>
func.func @lowest(%m: tensor<4xi1>, %x: tensor<4xf16>) -> (tensor<4xf16>, tensor<4xf16>) {
  %lowest = tfc.constant dense<-6.5504e+04> : tensor<f16>
  %low = tfc.constant dense<-1.0e+04> : tensor<f16>
  %0 = tfc.select %m, %x, %lowest : tensor<4xi1>, tensor<4xf16>, tensor<f16>
  %1 = tfc.select %m, %x, %low : tensor<4xi1>, tensor<4xf16>, tensor<f16>
  return %0, %1 : tensor<4xf16>, tensor<4xf16>
}

// -----

// Probabilities that are asked for keep their attention as it is, and what is sorted its type.
// CHECK-LABEL: func.func @kept
// CHECK: tfc.top_k {{.*}}f16
func.func @kept(%x: tensor<4x8xf16>) -> (tensor<4x2xf16>, tensor<4x2xi64>) {
  %0 = tfc.add %x, %x : tensor<4x8xf16>, tensor<4x8xf16>
  %v, %i = tfc.top_k %0 axis 1 : tensor<4x8xf16> -> tensor<4x2xf16>, tensor<4x2xi64>
  return %v, %i : tensor<4x2xf16>, tensor<4x2xi64>
}

// -----

// Blocks that do not stand in the order in which they run.
// CHECK-LABEL: func.func @blocks(
// CHECK: %[[H:.*]] = tfc.add %{{.*}} : tensor<8x8xf32>
func.func @blocks(%x: tensor<8x8xf16>) -> tensor<8x8xf16> {
  cf.br ^bb2
^bb1:
  %c = tfc.cast %h : tensor<8x8xf16> -> tensor<8x8xf32>
  %d = tfc.cast %c : tensor<8x8xf32> -> tensor<8x8xf16>
  return %d : tensor<8x8xf16>
^bb2:
  %h = tfc.add %x, %x : tensor<8x8xf16>, tensor<8x8xf16>
  cf.br ^bb1
}
