// RUN: tfc-opt %s --tfc-plan-memory --split-input-file | FileCheck %s
// What is planned can be written out and read in again.
// RUN: tfc-opt %s --tfc-plan-memory --split-input-file | tfc-opt --split-input-file | FileCheck %s

!x = tensor<?xf32, #tfc.dims<n>>
!k = tensor<?xf32, #tfc.dims<s0>>
func.func private @k(%x: !k) -> !k attributes {tfc.kernel, tfc.symbols = ["s0"]} { return %x : !k }

// The first and the third result never live together, so they share memory; the last one is the output.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: tfc.slots = [#tfc.slot<<64 * floordiv(4 * n + 63, 64)>>, #tfc.slot<<64 * floordiv(4 * n + 63, 64)> above[0, 2]>, #tfc.slot<<64 * floordiv(4 * n + 63, 64)>>]
// CHECK: places [#tfc.place<slot, 0>]
// CHECK: places [#tfc.place<slot, 1>]
// CHECK: places [#tfc.place<slot, 2>]
// CHECK: places [#tfc.place<output, 0>]
func.func @chain(%x: !x) -> !x attributes {tfc.entry} {
  %0 = tfc.launch @k(%x) symbols [n] nodes [] : (!x) -> !x
  %1 = tfc.launch @k(%0) symbols [n] nodes [] : (!x) -> !x
  %2 = tfc.launch @k(%1) symbols [n] nodes [] : (!x) -> !x
  %3 = tfc.launch @k(%2) symbols [n] nodes [] : (!x) -> !x
  return %3 : !x
}

// -----

!x = tensor<?x16xf32, #tfc.dims<n, 16>>
!f = tensor<?xf32, #tfc.dims<16 * n>>
!k = tensor<?x16xf32, #tfc.dims<s0, 16>>
func.func private @k(%x: !k) -> !k attributes {tfc.kernel, tfc.symbols = ["s0"]} { return %x : !k }

// A reshape is another name of the same memory: it keeps the first result alive, and an output is written in place through it.
// CHECK-LABEL: func.func @reshapes
// CHECK-SAME: tfc.slots = [#tfc.slot<<64 * n>>, #tfc.slot<<64 * n> above[0]>]
// CHECK: places [#tfc.place<slot, 0>]
// CHECK: places [#tfc.place<slot, 1>]
// CHECK: places [#tfc.place<output, 0>]
func.func @reshapes(%x: !x) -> !f attributes {tfc.entry} {
  %0 = tfc.launch @k(%x) symbols [n] nodes [] : (!x) -> !x
  %1 = tfc.reshape %0 : !x -> !f
  %2 = tfc.launch @k(%x) symbols [n] nodes [] : (!x) -> !x
  %3 = tfc.reshape %1 : !f -> !x
  %4 = tfc.launch @k(%3) symbols [n] nodes [] : (!x) -> !x
  %5 = tfc.reshape %4 : !x -> !f
  return %5 : !f
}

// -----

func.func private @count(%x: tensor<?xi1, #tfc.dims<s0>>) -> tensor<i64> attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  %0 = tfc.count_nonzero %x : tensor<?xi1, #tfc.dims<s0>>
  return %0 : tensor<i64>
}
func.func private @k(%x: tensor<?xf32, #tfc.dims<s0>>) -> tensor<?xf32, #tfc.dims<s1>> attributes {tfc.kernel, tfc.symbols = ["s0", "s1"]} {
  %0 = tfc.tile %x : tensor<?xf32, #tfc.dims<s0>> -> tensor<?xf32, #tfc.dims<s1>>
  return %0 : tensor<?xf32, #tfc.dims<s1>>
}

// A bind cuts the plan: what is made behind it lies in the next segment.
// CHECK-LABEL: func.func @segments
// CHECK-SAME: tfc.slots = [#tfc.slot<<64>>, #tfc.slot<<64 * floordiv(4 * count + 63, 64)> segment 1>]
func.func @segments(%m: tensor<?xi1, #tfc.dims<n>>, %x: tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<count>> attributes {tfc.entry} {
  %0 = tfc.launch @count(%m) symbols [n] nodes [] : (tensor<?xi1, #tfc.dims<n>>) -> tensor<i64>
  tfc.bind %0 as ["count"] : tensor<i64>
  %1 = tfc.launch @k(%x) symbols [n, count] nodes [] : (tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<count>>
  %2 = tfc.launch @k(%1) symbols [count, count] nodes [] : (tensor<?xf32, #tfc.dims<count>>) -> tensor<?xf32, #tfc.dims<count>>
  return %2 : tensor<?xf32, #tfc.dims<count>>
}

// -----

func.func private @copy(%x: tensor<i64>) -> tensor<i64> attributes {tfc.kernel, tfc.symbols = []} { return %x : tensor<i64> }
func.func private @less(%x: tensor<i64>, %y: tensor<i64>) -> tensor<i1> attributes {tfc.kernel, tfc.symbols = []} {
  %0 = tfc.compare lt %x, %y : tensor<i64>, tensor<i64>
  return %0 : tensor<i1>
}

// The variable of a loop is one slot, from before the loop to its end; a value from outside that the loop reads stays too.
// CHECK-LABEL: func.func @loop
// CHECK: tfc.launch @copy(%arg1) {{.*}} places [#tfc.place<slot, [[END:[0-9]+]]>]
// CHECK: tfc.launch @copy(%arg0) {{.*}} places [#tfc.place<slot, [[VAR:[0-9]+]]>]
// CHECK: scf.while
// CHECK: tfc.launch @less
// CHECK: tfc.launch @copy({{.*}} places [#tfc.place<slot, [[PASSED:[0-9]+]]>]
// CHECK: tfc.launch @copy({{.*}} places [#tfc.place<slot, [[NEXT:[0-9]+]]>]
// CHECK: tfc.launch @copy({{.*}} places [#tfc.place<slot, [[VAR]]>]
// CHECK: tfc.launch @copy({{.*}} places [#tfc.place<output, 0>]
func.func @loop(%x: tensor<i64>, %y: tensor<i64>) -> tensor<i64> attributes {tfc.entry} {
  %end = tfc.launch @copy(%y) symbols [] nodes [] : (tensor<i64>) -> tensor<i64>
  %init = tfc.launch @copy(%x) symbols [] nodes [] : (tensor<i64>) -> tensor<i64>
  %0 = scf.while (%v = %init) : (tensor<i64>) -> tensor<i64> {
    %c = tfc.launch @less(%v, %end) symbols [] nodes [] : (tensor<i64>, tensor<i64>) -> tensor<i1>
    %p = tensor.extract %c[] : tensor<i1>
    %passed = tfc.launch @copy(%v) symbols [] nodes [] : (tensor<i64>) -> tensor<i64>
    scf.condition(%p) %passed : tensor<i64>
  } do {
  ^bb0(%v: tensor<i64>):
    %n = tfc.launch @copy(%v) symbols [] nodes [] : (tensor<i64>) -> tensor<i64>
    %next = tfc.launch @copy(%n) symbols [] nodes [] : (tensor<i64>) -> tensor<i64>
    scf.yield %next : tensor<i64>
  }
  %r = tfc.launch @copy(%0) symbols [] nodes [] : (tensor<i64>) -> tensor<i64>
  return %r : tensor<i64>
}
