// Every op in its pretty form, through the generic form and back.
// RUN: tfc-opt %s | FileCheck %s
// RUN: tfc-opt %s -mlir-print-op-generic | tfc-opt | FileCheck %s
// RUN: tfc-opt %s -emit-bytecode | tfc-opt | FileCheck %s

!t = tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
!v = tensor<?xi64, #tfc.dims<n>>

// CHECK: tfc.weight @w0 : tensor<8x4xf32> = #tfc.file<"m.onnx", 64, 128>
tfc.weight @w0 : tensor<8x4xf32> = #tfc.file<"m.onnx", 64, 128>
// CHECK: tfc.weight @element : tensor<f32> = #tfc.file<"m.onnx", 64, 128> layout <3>
tfc.weight @element : tensor<f32> = #tfc.file<"m.onnx", 64, 128> layout <3>
// CHECK: tfc.weight @w1 : tensor<4x8xf32> = #tfc.file<"m.onnx", 64, 128> layout <0, [1, 4]>
tfc.weight @w1 : tensor<4x8xf32> = #tfc.file<"m.onnx", 64, 128> layout <0, [1, 4]>
// CHECK: tfc.weight @w2 : tensor<4xf32> = #tfc.file<"m.onnx", 64, 8> as f16
tfc.weight @w2 : tensor<4xf32> = #tfc.file<"m.onnx", 64, 8> as f16
// CHECK: tfc.weight @w3 : tensor<4xf32> = #tfc.seed<normal, 1, 2, 0.000000e+00 : f32, 2.000000e-02 : f32>
tfc.weight @w3 : tensor<4xf32> = #tfc.seed<normal, 1, 2, 0.0 : f32, 2.0e-2 : f32>
// CHECK: tfc.weight @w4 : tensor<2xf32> = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
tfc.weight @w4 : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32>
// CHECK: tfc.entry @main {name = "main"}
tfc.entry @main {name = "main"}

// CHECK-LABEL: func.func private @kernel
func.func private @kernel(tensor<?x?x8xf32, #tfc.dims<s0, s1, 8>>) -> tensor<?x?x8xf32, #tfc.dims<s0, s1, 8>>
    attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]}

// CHECK-LABEL: func.func @program
// CHECK-SAME: #tfc.slot<<32 * b * s>>, #tfc.slot<<b> above[0] segment 1>
func.func @program(%x: !t) -> !t attributes {tfc.slots = [#tfc.slot<<32 * b * s>>, #tfc.slot<<b> above [0] segment 1>]} {
  // CHECK: tfc.weight_ref @w0 : tensor<8x4xf32>
  %w = tfc.weight_ref @w0 : tensor<8x4xf32>
  // CHECK: tfc.launch @kernel(%{{.*}}) symbols [b, s] nodes ["one"] checks ["ids"] places [#tfc.place<slot, 0>] : (tensor<?x?x8xf32, #tfc.dims<b, s, 8>>) -> tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %0 = tfc.launch @kernel(%x) symbols [b, s] nodes ["one"] checks ["ids"] places [#tfc.place<slot, 0>] : (!t) -> !t
  // CHECK: tfc.launch @kernel(%{{.*}}) symbols [b, s] nodes [] : (
  %1 = tfc.launch @kernel(%0) symbols [b, s] nodes [] : (!t) -> !t
  // CHECK: tfc.extern_call "my.Op"(%{{.*}}) {alpha = 1 : i64} : (tensor<?x?x8xf32, #tfc.dims<b, s, 8>>) -> tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %2 = tfc.extern_call "my.Op"(%1) {alpha = 1 : i64} : (!t) -> !t
  return %2 : !t
}

// CHECK-LABEL: func.func @shapes
func.func @shapes(%x: !t, %n: tensor<i64>, %i: i64, %bound: index) {
  // CHECK: tfc.constant dense<[1, 2]> : tensor<2xi64>
  %0 = tfc.constant dense<[1, 2]> : tensor<2xi64>
  // CHECK: tfc.dim_values [b, -1, s + 1] : tensor<3xi64>
  %1 = tfc.dim_values [b, -1, 1 + s] : tensor<3xi64>
  // CHECK: tfc.shape %{{.*}} from 0 to 2 : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %2 = tfc.shape %x from 0 to 2 : !t
  // CHECK: tfc.bind %{{.*}} as ["count"] : tensor<i64>
  tfc.bind %n as ["count"] : tensor<i64>
  // CHECK: tfc.require equal b, count + s
  tfc.require equal b, s + count
  // CHECK: tfc.require broadcastable "a b", 2 * s
  tfc.require broadcastable "a b", 2 * s
  // CHECK: tfc.require at_most s, 512
  tfc.require at_most s, 512
  // CHECK: tfc.dim b * s
  %3 = tfc.dim b * s
  // CHECK: tfc.check_index %{{.*}} below %{{.*}} check 0
  %4 = tfc.check_index %i below %bound check 0
  // CHECK: tfc.check_index %{{.*}} below %{{.*}} check 1 no_wrap
  %5 = tfc.check_index %i below %bound check 1 no_wrap
  return
}

// CHECK-LABEL: func.func @contractions
func.func @contractions(%x: !t, %w: tensor<8x4xf32>, %i: tensor<4x8xi8>, %u: tensor<8x4xui8>, %q: tensor<?x4x?x8xf16, #tfc.dims<b, 4, s, 8>>,
    %k: tensor<?x2x?x8xf16, #tfc.dims<b, 2, s, 8>>, %p: tensor<?x2x?x8xf16, #tfc.dims<b, 2, past, 8>>, %m: tensor<?x?xi1, #tfc.dims<s, past + s>>,
    %bias: tensor<f16>) {
  // CHECK: tfc.matmul %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8x4xf32>
  %0 = tfc.matmul %x, %w : !t, tensor<8x4xf32>
  // CHECK: tfc.matmul %{{.*}}, %{{.*}} {transpose_b} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %1 = tfc.matmul %x, %x {transpose_b} : !t, !t
  // CHECK: tfc.matmul %{{.*}}, %{{.*}} {result_type = i32} : tensor<4x8xi8>, tensor<8x4xui8>
  %2 = tfc.matmul %i, %u {result_type = i32} : tensor<4x8xi8>, tensor<8x4xui8>
  // CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} {causal, scale = 1.250000e-01 : f32} :
  %3 = tfc.attention %q, %k, %k {causal, scale = 0.125 : f32} : (tensor<?x4x?x8xf16, #tfc.dims<b, 4, s, 8>>, tensor<?x2x?x8xf16, #tfc.dims<b, 2, s, 8>>, tensor<?x2x?x8xf16, #tfc.dims<b, 2, s, 8>>) -> tensor<?x4x?x8xf16, #tfc.dims<b, 4, s, 8>>
  // CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} bias %{{.*}} past %{{.*}}, %{{.*}} masked_row zero :
  %4:3 = tfc.attention %q, %k, %k mask %m bias %bias past %p, %p masked_row zero : (tensor<?x4x?x8xf16, #tfc.dims<b, 4, s, 8>>, tensor<?x2x?x8xf16, #tfc.dims<b, 2, s, 8>>, tensor<?x2x?x8xf16, #tfc.dims<b, 2, s, 8>>, tensor<?x?xi1, #tfc.dims<s, past + s>>, tensor<f16>, tensor<?x2x?x8xf16, #tfc.dims<b, 2, past, 8>>, tensor<?x2x?x8xf16, #tfc.dims<b, 2, past, 8>>) -> (tensor<?x4x?x8xf16, #tfc.dims<b, 4, s, 8>>, tensor<?x2x?x8xf16, #tfc.dims<b, 2, past + s, 8>>, tensor<?x2x?x8xf16, #tfc.dims<b, 2, past + s, 8>>)
  return
}

// CHECK-LABEL: func.func @attention_attributes
func.func @attention_attributes(%q: tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, %n: tensor<?xi32, #tfc.dims<b>>) {
  // CHECK: tfc.attention %{{.*}}, %{{.*}}, %{{.*}} key_lengths %{{.*}} masked_row nan {causal, softcap = 5.000000e+01 : f32, window_left = 2 : i64} :
  %0:2 = tfc.attention %q, %q, %q key_lengths %n masked_row nan {causal, softcap = 50.0 : f32, window_left = 2 : i64} : (tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?xi32, #tfc.dims<b>>) -> (tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?x4x3x3xf32, #tfc.dims<b, 4, 3, 3>>)
  // CHECK: %{{.*}}, %{{.*}}:3 = tfc.attention %{{.*}}, %{{.*}}, %{{.*}} past %{{.*}}, %{{.*}} {window_left = 0 : i64, window_right = 7 : i64} :
  %1:4 = tfc.attention %q, %q, %q past %q, %q {window_left = 0 : i64, window_right = 7 : i64} : (tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>) -> (tensor<?x4x3x8xf32, #tfc.dims<b, 4, 3, 8>>, tensor<?x4x6x8xf32, #tfc.dims<b, 4, 6, 8>>, tensor<?x4x6x8xf32, #tfc.dims<b, 4, 6, 8>>, tensor<?x4x3x6xf32, #tfc.dims<b, 4, 3, 6>>)
  return
}

// CHECK-LABEL: func.func @normalizations_and_reductions
func.func @normalizations_and_reductions(%x: !t, %g: tensor<8xf32>) {
  // CHECK: tfc.softmax %{{.*}} axis 2 : tensor
  %0 = tfc.softmax %x axis 2 : !t
  // CHECK: tfc.softmax %{{.*}} axis 1 {log} : tensor
  %1 = tfc.softmax %x axis 1 {log} : !t
  // CHECK: tfc.layer_norm %{{.*}} scale %{{.*}} bias %{{.*}} axis 2 epsilon 1.000000e-05 :
  %2 = tfc.layer_norm %x scale %g bias %g axis 2 epsilon 1.0e-5 : (!t, tensor<8xf32>, tensor<8xf32>) -> !t
  // CHECK: tfc.layer_norm %{{.*}} axis 2 epsilon 0.000000e+00 :
  %3 = tfc.layer_norm %x axis 2 epsilon 0.0 : (!t) -> !t
  // CHECK: tfc.rms_norm %{{.*}} scale %{{.*}} axis 2 epsilon 1.000000e-05 :
  %4 = tfc.rms_norm %x scale %g axis 2 epsilon 1.0e-5 : (!t, tensor<8xf32>) -> !t
  // CHECK: tfc.reduce mean %{{.*}} axes [1, 2] keep_dims : tensor
  %5 = tfc.reduce mean %x axes [1, 2] keep_dims : !t
  // CHECK: tfc.reduce max %{{.*}} axes [0] : tensor
  %6 = tfc.reduce max %x axes [0] : !t
  // CHECK: tfc.arg_reduce %{{.*}} axis 1 min last keep_dims : tensor
  %7 = tfc.arg_reduce %x axis 1 min last keep_dims : !t
  // CHECK: tfc.cumsum %{{.*}} axis 1 exclusive reverse : tensor
  %8 = tfc.cumsum %x axis 1 exclusive reverse : !t
  // CHECK: tfc.count_nonzero %{{.*}} : tensor
  %9 = tfc.count_nonzero %x : !t
  // CHECK: tfc.top_k %{{.*}} axis 2 smallest : tensor<?x?x8xf32, #tfc.dims<b, s, 8>> -> tensor<?x?x3xf32, #tfc.dims<b, s, 3>>, tensor<?x?x3xi64, #tfc.dims<b, s, 3>>
  %10:2 = tfc.top_k %x axis 2 smallest : !t -> tensor<?x?x3xf32, #tfc.dims<b, s, 3>>, tensor<?x?x3xi64, #tfc.dims<b, s, 3>>
  return
}

// CHECK-LABEL: func.func @movements
func.func @movements(%x: !t, %v: !v, %f: tensor<f32>, %i: tensor<i64>, %ids: tensor<?x?x8xi64, #tfc.dims<b, s, 8>>, %c: tensor<?xi1, #tfc.dims<n>>) {
  // CHECK: tfc.reshape %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>> -> tensor<?x8xf32, #tfc.dims<b * s, 8>>
  %0 = tfc.reshape %x : !t -> tensor<?x8xf32, #tfc.dims<b * s, 8>>
  // CHECK: tfc.transpose %{{.*}} [2, 0, 1] : tensor
  %1 = tfc.transpose %x [2, 0, 1] : !t
  // CHECK: tfc.expand %{{.*}} : tensor<f32> -> tensor<?xf32, #tfc.dims<n>>
  %2 = tfc.expand %f : tensor<f32> -> tensor<?xf32, #tfc.dims<n>>
  // CHECK: tfc.slice %{{.*}} offsets [0, s + -1, 7] strides [1, -1, -2] : tensor<?x?x8xf32, #tfc.dims<b, s, 8>> -> tensor<?x?x4xf32, #tfc.dims<b, s, 4>>
  %3 = tfc.slice %x offsets [0, s - 1, 7] strides [1, -1, -2] : !t -> tensor<?x?x4xf32, #tfc.dims<b, s, 4>>
  // CHECK: tfc.concat %{{.*}}, %{{.*}} axis 1 : tensor
  %4 = tfc.concat %x, %x axis 1 : !t, !t
  // CHECK: tfc.pad %{{.*}} value %{{.*}} "constant" low [0, 1, 0] :
  %5 = tfc.pad %x value %f "constant" low [0, 1, 0] : (!t, tensor<f32>) -> tensor<?x?x9xf32, #tfc.dims<b, s + 1, 9>>
  // CHECK: tfc.pad %{{.*}} "reflect" low [0, 0, 1] :
  %6 = tfc.pad %x "reflect" low [0, 0, 1] : (!t) -> tensor<?x?x9xf32, #tfc.dims<b, s, 9>>
  // CHECK: tfc.tile %{{.*}} : tensor<?xi64, #tfc.dims<n>> -> tensor<?xi64, #tfc.dims<3 * n>>
  %7 = tfc.tile %v : !v -> tensor<?xi64, #tfc.dims<3 * n>>
  // CHECK: tfc.gather %{{.*}}, %{{.*}} axis 0 : tensor
  %8 = tfc.gather %x, %v axis 0 : !t, !v
  // CHECK: tfc.scatter_elements add %{{.*}}, %{{.*}}, %{{.*}} axis 1 : tensor
  %scattered = tfc.scatter_elements add %x, %ids, %x axis 1 : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<?x?x8xi64, #tfc.dims<b, s, 8>>, tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  // CHECK: tfc.gather_elements %{{.*}}, %{{.*}} axis 1 : tensor
  %9 = tfc.gather_elements %x, %ids axis 1 : !t, tensor<?x?x8xi64, #tfc.dims<b, s, 8>>
  // CHECK: tfc.trilu %{{.*}} k 1 upper : tensor
  %10 = tfc.trilu %x k 1 upper : !t
  // CHECK: tfc.trilu %{{.*}} k s : tensor
  %11 = tfc.trilu %x k s : !t
  // CHECK: tfc.range %{{.*}}, %{{.*}} : (tensor<i64>, tensor<i64>) -> tensor<?xi64, #tfc.dims<s>>
  %12 = tfc.range %i, %i : (tensor<i64>, tensor<i64>) -> tensor<?xi64, #tfc.dims<s>>
  // CHECK: tfc.eye k -1 : tensor<3x4xf32>
  %13 = tfc.eye k -1 : tensor<3x4xf32>
  // CHECK: tfc.one_hot %{{.*}} off %{{.*}} on %{{.*}} axis 1 :
  %14 = tfc.one_hot %v off %f on %f axis 1 : (!v, tensor<f32>, tensor<f32>) -> tensor<?x9xf32, #tfc.dims<n, 9>>
  // CHECK: tfc.nonzero %{{.*}} : tensor<?xi1, #tfc.dims<n>> -> tensor<1x?xi64, #tfc.dims<1, count>>
  %15 = tfc.nonzero %c : tensor<?xi1, #tfc.dims<n>> -> tensor<1x?xi64, #tfc.dims<1, count>>
  return
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: !t, %y: tensor<8xf32>, %i: tensor<4xi32>, %m: tensor<4xi1>, %s: tensor<f32>, %z: tensor<i8>) {
  // CHECK: tfc.abs %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %0 = tfc.abs %x : !t
  // CHECK: tfc.neg %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %1 = tfc.neg %x : !t
  // CHECK: tfc.sign %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %2 = tfc.sign %x : !t
  // CHECK: tfc.ceil %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %3 = tfc.ceil %x : !t
  // CHECK: tfc.floor %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %4 = tfc.floor %x : !t
  // CHECK: tfc.round %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %5 = tfc.round %x : !t
  // CHECK: tfc.exp %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %6 = tfc.exp %x : !t
  // CHECK: tfc.log %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %7 = tfc.log %x : !t
  // CHECK: tfc.sqrt %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %8 = tfc.sqrt %x : !t
  // CHECK: tfc.reciprocal %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %9 = tfc.reciprocal %x : !t
  // CHECK: tfc.sin %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %10 = tfc.sin %x : !t
  // CHECK: tfc.cos %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %11 = tfc.cos %x : !t
  // CHECK: tfc.tan %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %12 = tfc.tan %x : !t
  // CHECK: tfc.tanh %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %13 = tfc.tanh %x : !t
  // CHECK: tfc.erf %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %14 = tfc.erf %x : !t
  // CHECK: tfc.sigmoid %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %15 = tfc.sigmoid %x : !t
  // CHECK: tfc.relu %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %16 = tfc.relu %x : !t
  // CHECK: tfc.is_nan %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %17 = tfc.is_nan %x : !t
  // CHECK: tfc.is_inf %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>
  %18 = tfc.is_inf %x : !t
  // CHECK: tfc.is_inf %{{.*}} {negative = false} : tensor
  %19 = tfc.is_inf %x {negative = false} : !t
  // CHECK: tfc.not %{{.*}} : tensor<4xi1>
  %20 = tfc.not %m : tensor<4xi1>
  // CHECK: tfc.gelu erf %{{.*}} : tensor
  %21 = tfc.gelu erf %x : !t
  // CHECK: tfc.gelu tanh %{{.*}} : tensor
  %22 = tfc.gelu tanh %x : !t
  // CHECK: tfc.gelu quick %{{.*}} : tensor
  %23 = tfc.gelu quick %x : !t
  // CHECK: tfc.add %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8xf32>
  %24 = tfc.add %x, %y : !t, tensor<8xf32>
  // CHECK: tfc.sub %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8xf32>
  %25 = tfc.sub %x, %y : !t, tensor<8xf32>
  // CHECK: tfc.mul %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8xf32>
  %26 = tfc.mul %x, %y : !t, tensor<8xf32>
  // CHECK: tfc.div %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8xf32>
  %27 = tfc.div %x, %y : !t, tensor<8xf32>
  // CHECK: tfc.mod %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8xf32>
  %28 = tfc.mod %x, %y : !t, tensor<8xf32>
  // CHECK: tfc.pow %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8xf32>
  %29 = tfc.pow %x, %y : !t, tensor<8xf32>
  // CHECK: tfc.min %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8xf32>
  %30 = tfc.min %x, %y : !t, tensor<8xf32>
  // CHECK: tfc.max %{{.*}}, %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>>, tensor<8xf32>
  %31 = tfc.max %x, %y : !t, tensor<8xf32>
  // CHECK: tfc.mod %{{.*}}, %{{.*}} {fmod} : tensor
  %32 = tfc.mod %x, %y {fmod} : !t, tensor<8xf32>
  // CHECK: tfc.and %{{.*}}, %{{.*}} : tensor<4xi1>, tensor<4xi1>
  %33 = tfc.and %m, %m : tensor<4xi1>, tensor<4xi1>
  // CHECK: tfc.or %{{.*}}, %{{.*}} : tensor<4xi1>, tensor<4xi1>
  %34 = tfc.or %m, %m : tensor<4xi1>, tensor<4xi1>
  // CHECK: tfc.xor %{{.*}}, %{{.*}} : tensor<4xi1>, tensor<4xi1>
  %35 = tfc.xor %m, %m : tensor<4xi1>, tensor<4xi1>
  // CHECK: tfc.compare eq %{{.*}}, %{{.*}} : tensor<4xi32>, tensor<4xi32>
  %36 = tfc.compare eq %i, %i : tensor<4xi32>, tensor<4xi32>
  // CHECK: tfc.compare ne %{{.*}}, %{{.*}} : tensor<4xi32>, tensor<4xi32>
  %37 = tfc.compare ne %i, %i : tensor<4xi32>, tensor<4xi32>
  // CHECK: tfc.compare lt %{{.*}}, %{{.*}} : tensor<4xi32>, tensor<4xi32>
  %38 = tfc.compare lt %i, %i : tensor<4xi32>, tensor<4xi32>
  // CHECK: tfc.compare le %{{.*}}, %{{.*}} : tensor<4xi32>, tensor<4xi32>
  %39 = tfc.compare le %i, %i : tensor<4xi32>, tensor<4xi32>
  // CHECK: tfc.compare gt %{{.*}}, %{{.*}} : tensor<4xi32>, tensor<4xi32>
  %40 = tfc.compare gt %i, %i : tensor<4xi32>, tensor<4xi32>
  // CHECK: tfc.compare ge %{{.*}}, %{{.*}} : tensor<4xi32>, tensor<4xi32>
  %41 = tfc.compare ge %i, %i : tensor<4xi32>, tensor<4xi32>
  // CHECK: tfc.select %{{.*}}, %{{.*}}, %{{.*}} : tensor<4xi1>, tensor<f32>, tensor<f32>
  %42 = tfc.select %m, %s, %s : tensor<4xi1>, tensor<f32>, tensor<f32>
  // CHECK: tfc.cast %{{.*}} : tensor<?x?x8xf32, #tfc.dims<b, s, 8>> -> tensor<?x?x8xf16, #tfc.dims<b, s, 8>>
  %43 = tfc.cast %x : !t -> tensor<?x?x8xf16, #tfc.dims<b, s, 8>>
  // CHECK: tfc.cast %{{.*}} {saturate = false} : tensor<8xf32> -> tensor<8xf8E4M3FN>
  %44 = tfc.cast %y {saturate = false} : tensor<8xf32> -> tensor<8xf8E4M3FN>
  // CHECK: tfc.quantize %{{.*}} scale %{{.*}} zero_point %{{.*}} : (tensor<8xf32>, tensor<f32>, tensor<i8>) -> tensor<8xi8>
  %45 = tfc.quantize %y scale %s zero_point %z : (tensor<8xf32>, tensor<f32>, tensor<i8>) -> tensor<8xi8>
  // CHECK: tfc.dequantize %{{.*}} scale %{{.*}} {axis = 0 : i64} : (tensor<8xi8>, tensor<8xf32>) -> tensor<8xf32>
  %46 = tfc.dequantize %45 scale %y {axis = 0 : i64} : (tensor<8xi8>, tensor<8xf32>) -> tensor<8xf32>
  return
}
