// A graph that makes NaNs of negative numbers and infinities of zeros, behind steps that make neither: see inspect.test.
// RUN: tfc-compile %s --emit=plan -o -
module attributes {tfc.model_name = "odd"} {
  func.func @main(%x: tensor<?x4xf32, #tfc.dims<n, 4>> {tfc.name = "x"}, %w: tensor<4x4xf32> {tfc.name = "w"})
      -> (tensor<?x4xf32, #tfc.dims<n, 4>> {tfc.name = "y"}, tensor<?xf32, #tfc.dims<n>> {tfc.name = "z"}) attributes {tfc.entry} {
    %0 = tfc.matmul %x, %w : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<4x4xf32> loc("product")
    %1 = tfc.reduce sum %0 axes [1] : tensor<?x4xf32, #tfc.dims<n, 4>> loc("sums")
    %2 = tfc.log %1 : tensor<?xf32, #tfc.dims<n>> loc("logs")
    %3 = tfc.matmul %0, %w : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<4x4xf32> loc("again")
    return %3, %2 : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?xf32, #tfc.dims<n>>
  }
}
