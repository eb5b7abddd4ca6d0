// RUN: tfc-opt %s --tfc-bufferize-kernels --split-input-file --verify-diagnostics

// What the passes over framed kernels rely on is checked before they begin.

// expected-error @+1 {{holds the tiles of a kernel that does not exist: @nobody}}
func.func private @tiles_of_nobody(%begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr) attributes {tfc.symbols = [], tfc.tiles_of = @nobody} {
  return
}

// -----

// expected-error @+1 {{holds the tiles of a kernel that does not exist: 3}}
func.func private @no_reference(%begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr) attributes {tfc.symbols = [], tfc.tiles_of = 3 : i64} {
  return
}

// -----

// expected-error @+1 {{does not have the form of tiles}}
func.func private @short_tiles(%begin: index) attributes {tfc.symbols = [], tfc.tiles_of = @short} {
  return
}
func.func private @short() attributes {tfc.kernel} {
  return
}

// -----

// The symbol has no argument.
// expected-error @+1 {{does not have the form of tiles}}
func.func private @symbol_tiles(%x: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr)
    attributes {tfc.symbols = ["s0"], tfc.tiles_of = @symbol} {
  return
}
func.func private @symbol(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = ["s0"]} {
  return
}

// -----

func.func private @uncalled_tiles(%begin: index, %end: index, %worker: !llvm.ptr, %scratch: !llvm.ptr) attributes {tfc.symbols = [], tfc.tiles_of = @uncalled} {
  return
}
// expected-error @+1 {{is not (arguments, begin, end, worker) and a call of uncalled_tiles}}
func.func private @uncalled(%args: !llvm.ptr, %begin: index, %end: index, %worker: !llvm.ptr) attributes {tfc.kernel, tfc.symbols = []} {
  return
}
