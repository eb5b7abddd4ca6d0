// Rows that are chosen by data, and what is computed with them: see born.test.
// RUN: tfc-opt %s
module attributes {tfc.model_name = "rows"} {
  func.func @main(%x: tensor<?xf32, #tfc.dims<n>> {tfc.name = "x"}, %t: tensor<?x4xf32, #tfc.dims<n, 4>> {tfc.name = "table"})
      -> (tensor<?x4xf32, #tfc.dims<k, 4>> {tfc.name = "rows"}, tensor<?x?xf32, #tfc.dims<k, k>> {tfc.name = "products"}) attributes {tfc.entry} {
    %r = tfc.relu %x : tensor<?xf32, #tfc.dims<n>>
    %n = tfc.count_nonzero %r : tensor<?xf32, #tfc.dims<n>>
    tfc.bind %n as ["k"] : tensor<i64> loc("NonZero_1")
    %i = tfc.nonzero %r : tensor<?xf32, #tfc.dims<n>> -> tensor<1x?xi64, #tfc.dims<1, k>>
    %f = tfc.reshape %i : tensor<1x?xi64, #tfc.dims<1, k>> -> tensor<?xi64, #tfc.dims<k>>
    %g = tfc.gather %t, %f axis 0 : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?xi64, #tfc.dims<k>>
    %e = tfc.exp %g : tensor<?x4xf32, #tfc.dims<k, 4>>
    %p = tfc.matmul %e, %g {transpose_b} : tensor<?x4xf32, #tfc.dims<k, 4>>, tensor<?x4xf32, #tfc.dims<k, 4>>
    return %e, %p : tensor<?x4xf32, #tfc.dims<k, 4>>, tensor<?x?xf32, #tfc.dims<k, k>>
  }
}
