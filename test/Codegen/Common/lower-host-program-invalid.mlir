// RUN: tfc-opt %s --tfc-lower-host-program --split-input-file --verify-diagnostics

!x = tensor<?xf32, #tfc.dims<n>>
// expected-error @below {{has no tfc.slots; run tfc-plan-memory first}}
func.func @no_plan(%x: !x) attributes {tfc.entry} {
  return
}

// -----

!x = tensor<?xf32, #tfc.dims<n>>
!k = tensor<?xf32, #tfc.dims<s0>>
func.func private @k(%x: !k) -> !k attributes {tfc.kernel, tfc.symbols = ["s0"]} { return %x : !k }
func.func @no_tiles(%x: !x) -> !x attributes {tfc.entry, tfc.slots = []} {
  // expected-error @below {{kernel 'k' has no tfc.tiles}}
  %0 = tfc.launch @k(%x) symbols [n] nodes [] places [#tfc.place<output, 0>] : (!x) -> !x
  return %0 : !x
}

// -----

func.func private @k(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
  attributes {tfc.kernel, tfc.symbols = [], tfc.tiles = #tfc.expr<1>, tfc.scratch = #tfc.expr<0>, tfc.flops = #tfc.expr<0>, tfc.bytes = #tfc.expr<0>} { return }
func.func @no_places() -> tensor<4xf32> attributes {tfc.entry, tfc.slots = []} {
  // expected-error @below {{has no places}}
  %0 = tfc.launch @k() symbols [] nodes [] : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func private @k(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr)
  attributes {tfc.kernel, tfc.symbols = [], tfc.tiles = #tfc.expr<1>, tfc.scratch = #tfc.expr<0>, tfc.flops = #tfc.expr<0>, tfc.bytes = #tfc.expr<0>} { return }
func.func @no_slot() -> tensor<4xf32> attributes {tfc.entry, tfc.slots = []} {
  // expected-error @below {{(C4) there is no slot 3}}
  %0 = tfc.launch @k() symbols [] nodes [] places [#tfc.place<slot, 3>] : () -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @below {{slots lie above each other in a circle}}
func.func @circle() attributes {tfc.entry, tfc.slots = [#tfc.slot<<64> above [1]>, #tfc.slot<<64> above [0]>]} {
  return
}

// -----

// expected-error @below {{slot 0 lies above 7, which is no slot of its segment}}
func.func @no_such_slot() attributes {tfc.entry, tfc.slots = [#tfc.slot<<64> above [7]>]} {
  return
}

// -----

// expected-error @below {{symbol 'm' is bound by no input and no tfc.bind}}
func.func @unbound(%x: tensor<?xf32, #tfc.dims<n>>) attributes {tfc.entry, tfc.slots = [#tfc.slot<<64 * m>>]} {
  return
}

// -----

func.func @not_formed(%x: tensor<4xf32>) attributes {tfc.entry, tfc.slots = []} {
  // expected-error @below {{cannot stand in a host program; run tfc-form-kernels first}}
  %0 = tfc.neg %x : tensor<4xf32>
  return
}

// -----

// expected-error @below {{result 0 is an alias of 'y', which is no input}}
func.func @alias(%x: tensor<4xf32> {tfc.name = "x"}) -> (tensor<4xf32> {tfc.alias = "y"}) attributes {tfc.entry, tfc.slots = []} {
  return %x : tensor<4xf32>
}

// -----

// expected-error @below {{needs the name 'main_run' for its host program, which is taken}}
func.func @main() attributes {tfc.entry, tfc.slots = []} {
  return
}
func.func private @main_run()
