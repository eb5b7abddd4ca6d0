// Loops whose variables change places, and a loop inside a loop: see control-flow.test.
// RUN: tfc-opt %s
module attributes {tfc.model_name = "loops"} {
  func.func @main(%x: tensor<?xf32, #tfc.dims<n>> {tfc.name = "x"}, %y: tensor<?xf32, #tfc.dims<n>> {tfc.name = "y"}, %outer: tensor<i64> {tfc.name = "outer"},
                  %inner: tensor<i64> {tfc.name = "inner"})
      -> (tensor<?xf32, #tfc.dims<n>> {tfc.name = "a"}, tensor<?xf32, #tfc.dims<n>> {tfc.name = "b"}, tensor<i64> {tfc.name = "turns"}) attributes {tfc.entry} {
    %zero = tfc.constant dense<0> : tensor<i64>
    %one = tfc.constant dense<1> : tensor<i64>
    %all:4 = scf.while (%a = %x, %b = %y, %i = %zero, %t = %zero)
        : (tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>, tensor<i64>)
        -> (tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>, tensor<i64>) {
      %q = tfc.compare lt %i, %outer : tensor<i64>, tensor<i64>
      %p = tensor.extract %q[] : tensor<i1>
      scf.condition(%p) %a, %b, %i, %t : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>, tensor<i64>
    } do {
    ^bb0(%a: tensor<?xf32, #tfc.dims<n>>, %b: tensor<?xf32, #tfc.dims<n>>, %i: tensor<i64>, %t: tensor<i64>):
      %in:3 = scf.while (%c = %a, %j = %zero, %u = %t) : (tensor<?xf32, #tfc.dims<n>>, tensor<i64>, tensor<i64>) -> (tensor<?xf32, #tfc.dims<n>>, tensor<i64>, tensor<i64>) {
        %q = tfc.compare lt %j, %inner : tensor<i64>, tensor<i64>
        %p = tensor.extract %q[] : tensor<i1>
        scf.condition(%p) %c, %j, %u : tensor<?xf32, #tfc.dims<n>>, tensor<i64>, tensor<i64>
      } do {
      ^bb0(%c: tensor<?xf32, #tfc.dims<n>>, %j: tensor<i64>, %u: tensor<i64>):
        %d = tfc.add %c, %y : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>
        %k = tfc.add %j, %one : tensor<i64>, tensor<i64>
        %v = tfc.add %u, %one : tensor<i64>, tensor<i64>
        scf.yield %d, %k, %v : tensor<?xf32, #tfc.dims<n>>, tensor<i64>, tensor<i64>
      }
      %k = tfc.add %i, %one : tensor<i64>, tensor<i64>
      scf.yield %b, %in#0, %k, %in#2 : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>, tensor<i64>
    }
    %swapped:3 = scf.while (%a = %all#0, %b = %all#1, %i = %zero) : (tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>)
        -> (tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>) {
      %q = tfc.compare lt %i, %outer : tensor<i64>, tensor<i64>
      %p = tensor.extract %q[] : tensor<i1>
      scf.condition(%p) %b, %a, %i : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>
    } do {
    ^bb0(%b: tensor<?xf32, #tfc.dims<n>>, %a: tensor<?xf32, #tfc.dims<n>>, %i: tensor<i64>):
      %k = tfc.add %i, %one : tensor<i64>, tensor<i64>
      scf.yield %b, %a, %k : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>
    }
    return %swapped#0, %swapped#1, %all#3 : tensor<?xf32, #tfc.dims<n>>, tensor<?xf32, #tfc.dims<n>>, tensor<i64>
  }
}
