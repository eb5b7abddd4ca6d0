// A graph that is quick to compile. It is no test of its own but for being right.
// RUN: tfc-compile %s --emit=plan -o -
module attributes {tfc.model_name = "small"} {
  func.func @main(%x: tensor<?x4xf32, #tfc.dims<n, 4>> {tfc.name = "x"}) -> (tensor<?x4xf32, #tfc.dims<n, 4>> {tfc.name = "y"}) attributes {tfc.entry} {
    %0 = tfc.neg %x : tensor<?x4xf32, #tfc.dims<n, 4>> loc("the_neg")
    return %0 : tensor<?x4xf32, #tfc.dims<n, 4>>
  }
}
