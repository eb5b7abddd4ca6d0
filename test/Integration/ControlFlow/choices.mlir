// A choice, a loop with a choice inside, and work before and behind them: see control-flow.test.
// RUN: tfc-opt %s
module attributes {tfc.model_name = "choices"} {
  func.func @main(%x: tensor<?x4xf32, #tfc.dims<n, 4>> {tfc.name = "x"}, %c: tensor<i1> {tfc.name = "choose"}, %turns: tensor<i64> {tfc.name = "turns"})
      -> (tensor<?x4xf32, #tfc.dims<n, 4>> {tfc.name = "y"}, tensor<i64> {tfc.name = "done"}) attributes {tfc.entry} {
    %zero = tfc.constant dense<0> : tensor<i64>
    %one = tfc.constant dense<1> : tensor<i64>
    %half = tfc.constant dense<0.5> : tensor<f32>
    %before = tfc.exp %x : tensor<?x4xf32, #tfc.dims<n, 4>>
    %p = tensor.extract %c[] : tensor<i1>
    %a = scf.if %p -> tensor<?x4xf32, #tfc.dims<n, 4>> {
      %1 = tfc.neg %before : tensor<?x4xf32, #tfc.dims<n, 4>>
      %2 = tfc.tanh %1 : tensor<?x4xf32, #tfc.dims<n, 4>>
      scf.yield %2 : tensor<?x4xf32, #tfc.dims<n, 4>>
    } else {
      scf.yield %before : tensor<?x4xf32, #tfc.dims<n, 4>>
    }
    %b:2 = scf.while (%v = %a, %i = %zero) : (tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<i64>) -> (tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<i64>) {
      %q = tfc.compare lt %i, %turns : tensor<i64>, tensor<i64>
      %e = tensor.extract %q[] : tensor<i1>
      scf.condition(%e) %v, %i : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<i64>
    } do {
    ^bb0(%v: tensor<?x4xf32, #tfc.dims<n, 4>>, %i: tensor<i64>):
      %w = tfc.mul %v, %half : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<f32>
      %u = scf.if %p -> tensor<?x4xf32, #tfc.dims<n, 4>> {
        %3 = tfc.add %w, %x : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>
        scf.yield %3 : tensor<?x4xf32, #tfc.dims<n, 4>>
      } else {
        %4 = tfc.sub %w, %x : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>
        scf.yield %4 : tensor<?x4xf32, #tfc.dims<n, 4>>
      }
      %k = tfc.add %i, %one : tensor<i64>, tensor<i64>
      scf.yield %u, %k : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<i64>
    }
    %y = tfc.add %b#0, %before : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<?x4xf32, #tfc.dims<n, 4>>
    return %y, %b#1 : tensor<?x4xf32, #tfc.dims<n, 4>>, tensor<i64>
  }
}
