// GELU with a rounded constant, of values near -4: fused and unfused differ by more than they may.
module attributes {tfc.model_name = "far_off"} {
  func.func @main(%x: tensor<?x8xf32, #tfc.dims<n, 8>> {tfc.name = "x"})
      -> (tensor<?x8xf32, #tfc.dims<n, 8>> {tfc.name = "y"}) attributes {tfc.entry} {
    %minus = tfc.constant dense<-4.0> : tensor<f32>
    %s = tfc.constant dense<0.7071> : tensor<f32>
    %one = tfc.constant dense<1.0> : tensor<f32>
    %half = tfc.constant dense<0.5> : tensor<f32>
    %z = tfc.add %x, %minus : tensor<?x8xf32, #tfc.dims<n, 8>>, tensor<f32>
    %u = tfc.mul %z, %s : tensor<?x8xf32, #tfc.dims<n, 8>>, tensor<f32>
    %e = tfc.erf %u : tensor<?x8xf32, #tfc.dims<n, 8>> loc("erf")
    %a = tfc.add %e, %one : tensor<?x8xf32, #tfc.dims<n, 8>>, tensor<f32>
    %m = tfc.mul %z, %a : tensor<?x8xf32, #tfc.dims<n, 8>>, tensor<?x8xf32, #tfc.dims<n, 8>>
    %y = tfc.mul %m, %half : tensor<?x8xf32, #tfc.dims<n, 8>>, tensor<f32>
    return %y : tensor<?x8xf32, #tfc.dims<n, 8>>
  }
}
