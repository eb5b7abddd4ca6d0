// Two dims that are born one after the other: the second where the first is known, with work before, between and behind.
// RUN: tfc-compile %s -o %t.so
// RUN: tfc-run %t.so --describe | FileCheck %s
// CHECK: symbol  n {{.*}}0 or more
// CHECK: symbol  k {{.*}}known in the run, from node 'first'
// CHECK: symbol  m {{.*}}known in the run, from node 'second'
// CHECK: arena
// CHECK: arena   after 'first'
// CHECK: arena   after 'second'
module attributes {tfc.model_name = "twice"} {
  func.func @main(%x: tensor<?xf32, #tfc.dims<n>> {tfc.name = "x"}) -> (tensor<?xf32, #tfc.dims<m>> {tfc.name = "y"}) attributes {tfc.entry} {
    %r = tfc.relu %x : tensor<?xf32, #tfc.dims<n>>
    %c = tfc.count_nonzero %r : tensor<?xf32, #tfc.dims<n>>
    tfc.bind %c as ["k"] : tensor<i64> loc("first")
    %i = tfc.nonzero %r : tensor<?xf32, #tfc.dims<n>> -> tensor<1x?xi64, #tfc.dims<1, k>>
    %f = tfc.reshape %i : tensor<1x?xi64, #tfc.dims<1, k>> -> tensor<?xi64, #tfc.dims<k>>
    %g = tfc.gather %r, %f axis 0 : tensor<?xf32, #tfc.dims<n>>, tensor<?xi64, #tfc.dims<k>>
    %l = tfc.floor %g : tensor<?xf32, #tfc.dims<k>>
    %d = tfc.count_nonzero %l : tensor<?xf32, #tfc.dims<k>>
    tfc.bind %d as ["m"] : tensor<i64> loc("second")
    %j = tfc.nonzero %l : tensor<?xf32, #tfc.dims<k>> -> tensor<1x?xi64, #tfc.dims<1, m>>
    %h = tfc.reshape %j : tensor<1x?xi64, #tfc.dims<1, m>> -> tensor<?xi64, #tfc.dims<m>>
    %o = tfc.gather %g, %h axis 0 : tensor<?xf32, #tfc.dims<k>>, tensor<?xi64, #tfc.dims<m>>
    %y = tfc.neg %o : tensor<?xf32, #tfc.dims<m>>
    return %y : tensor<?xf32, #tfc.dims<m>>
  }
}
