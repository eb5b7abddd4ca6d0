// Two products of 16-bit operands, one handing on to the other: see both.test.
// RUN: tfc-opt %s
module attributes {tfc.model_name = "two_products"} {
  tfc.weight @first : tensor<32x48xf16> = #tfc.seed<normal, 1, 0, 0.0 : f32, 2.0e-1 : f32>
  tfc.weight @second : tensor<48x32xf16> = #tfc.seed<normal, 2, 0, 0.0 : f32, 2.0e-1 : f32>
  func.func @main(%x: tensor<?x32xf16, #tfc.dims<n, 32>> {tfc.name = "x"}) -> (tensor<?x32xf16, #tfc.dims<n, 32>> {tfc.name = "y"}) attributes {tfc.entry} {
    %first = tfc.weight_ref @first : tensor<32x48xf16>
    %second = tfc.weight_ref @second : tensor<48x32xf16>
    %0 = tfc.matmul %x, %first : tensor<?x32xf16, #tfc.dims<n, 32>>, tensor<32x48xf16>
    %1 = tfc.relu %0 : tensor<?x48xf16, #tfc.dims<n, 48>>
    %2 = tfc.matmul %1, %second : tensor<?x48xf16, #tfc.dims<n, 48>>, tensor<48x32xf16>
    return %2 : tensor<?x32xf16, #tfc.dims<n, 32>>
  }
}
