// y = (x + bias) * 2, rows of four, as two kernels with a buffer of the arena between them.
module attributes {tfc.model_name = "two-kernels", tfc.weight_bytes = 128 : i64} {
  tfc.weight @bias : tensor<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> {segment_offset = 0 : i64}
  tfc.weight @transposed : tensor<2x3xf32> = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32> layout <0, [1, 2]> {segment_offset = 64 : i64}
  tfc.weight @unused : tensor<4xf32> = dense<0.0> : tensor<4xf32>

  // args: x, bias, y, s0
  llvm.func @add_0(%args: !llvm.ptr, %begin: i64, %end: i64, %worker: !llvm.ptr) {
    %one = llvm.mlir.constant(1 : i64) : i64
    %four = llvm.mlir.constant(4 : i64) : i64
    %x = llvm.load %args : !llvm.ptr -> !llvm.ptr
    %bias_word = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, i64
    %bias = llvm.load %bias_word : !llvm.ptr -> !llvm.ptr
    %y_word = llvm.getelementptr %args[2] : (!llvm.ptr) -> !llvm.ptr, i64
    %y = llvm.load %y_word : !llvm.ptr -> !llvm.ptr
    %first = llvm.mul %begin, %four : i64
    %last = llvm.mul %end, %four : i64
    llvm.br ^head(%first : i64)
  ^head(%i: i64):
    %more = llvm.icmp "slt" %i, %last : i64
    llvm.cond_br %more, ^body, ^done
  ^body:
    %column = llvm.urem %i, %four : i64
    %x_at = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %bias_at = llvm.getelementptr %bias[%column] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %a = llvm.load %x_at : !llvm.ptr -> f32
    %b = llvm.load %bias_at : !llvm.ptr -> f32
    %sum = llvm.fadd %a, %b : f32
    %y_at = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    llvm.store %sum, %y_at : f32, !llvm.ptr
    %next = llvm.add %i, %one : i64
    llvm.br ^head(%next : i64)
  ^done:
    llvm.return
  }

  // args: x, y, s0
  llvm.func @double_0(%args: !llvm.ptr, %begin: i64, %end: i64, %worker: !llvm.ptr) {
    %one = llvm.mlir.constant(1 : i64) : i64
    %four = llvm.mlir.constant(4 : i64) : i64
    %x = llvm.load %args : !llvm.ptr -> !llvm.ptr
    %y_word = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, i64
    %y = llvm.load %y_word : !llvm.ptr -> !llvm.ptr
    %first = llvm.mul %begin, %four : i64
    %last = llvm.mul %end, %four : i64
    llvm.br ^head(%first : i64)
  ^head(%i: i64):
    %more = llvm.icmp "slt" %i, %last : i64
    llvm.cond_br %more, ^body, ^done
  ^body:
    %x_at = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %a = llvm.load %x_at : !llvm.ptr -> f32
    %sum = llvm.fadd %a, %a : f32
    %y_at = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    llvm.store %sum, %y_at : f32, !llvm.ptr
    %next = llvm.add %i, %one : i64
    llvm.br ^head(%next : i64)
  ^done:
    llvm.return
  }

  llvm.func @main_run(%run: !llvm.ptr) -> i32 {
    %zero = llvm.mlir.constant(0 : i32) : i32
    %one = llvm.mlir.constant(1 : i32) : i32
    %three = llvm.mlir.constant(4 : i32) : i32
    %args = llvm.alloca %three x i64 : (i32) -> !llvm.ptr
    %table = llvm.load %run : !llvm.ptr -> !llvm.ptr
    %door_at = llvm.getelementptr %table[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
    %door = llvm.load %door_at : !llvm.ptr -> !llvm.ptr
    %values_at = llvm.getelementptr %run[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
    %values = llvm.load %values_at : !llvm.ptr -> !llvm.ptr
    %rows = llvm.load %values : !llvm.ptr -> i64
    %inputs_at = llvm.getelementptr %run[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
    %inputs = llvm.load %inputs_at : !llvm.ptr -> !llvm.ptr
    %outputs_at = llvm.getelementptr %run[3] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
    %outputs = llvm.load %outputs_at : !llvm.ptr -> !llvm.ptr
    %arenas_at = llvm.getelementptr %run[4] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
    %arenas = llvm.load %arenas_at : !llvm.ptr -> !llvm.ptr
    %weights_at = llvm.getelementptr %run[5] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
    %weights = llvm.load %weights_at : !llvm.ptr -> !llvm.ptr
    %x = llvm.load %inputs : !llvm.ptr -> !llvm.ptr
    %y = llvm.load %outputs : !llvm.ptr -> !llvm.ptr
    %arena = llvm.load %arenas : !llvm.ptr -> !llvm.ptr
    %word1 = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, i64
    %word2 = llvm.getelementptr %args[2] : (!llvm.ptr) -> !llvm.ptr, i64
    %word3 = llvm.getelementptr %args[3] : (!llvm.ptr) -> !llvm.ptr, i64
    llvm.store %x, %args : !llvm.ptr, !llvm.ptr
    llvm.store %weights, %word1 : !llvm.ptr, !llvm.ptr
    llvm.store %arena, %word2 : !llvm.ptr, !llvm.ptr
    llvm.store %rows, %word3 : i64, !llvm.ptr
    %code = llvm.call %door(%run, %zero, %args) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr) -> i32
    %failed = llvm.icmp "ne" %code, %zero : i32
    llvm.cond_br %failed, ^fail, ^go
  ^fail:
    llvm.return %code : i32
  ^go:
    llvm.store %arena, %args : !llvm.ptr, !llvm.ptr
    llvm.store %y, %word1 : !llvm.ptr, !llvm.ptr
    llvm.store %rows, %word2 : i64, !llvm.ptr
    %second = llvm.call %door(%run, %one, %args) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr) -> i32
    llvm.return %second : i32
  }

  tfc.entry @main {
    run = @main_run,
    symbols = [{name = "batch", min = 1 : i64, max = 1000 : i64, born_in = 0 : i64}],
    values = [#tfc.expr<batch>, #tfc.expr<4>, #tfc.expr<0>, #tfc.expr<4 * batch>, #tfc.expr<32 * batch>,
              #tfc.expr<64 * floordiv(16 * "%0" + 63, 64)>],
    value_segments = array<i64: 0, 0, 0, 0, 0, 0>,
    inputs = [{name = "x*/0", type = tensor<?x4xf32>, dims = array<i64: 0, 1>, hint = 0 : i64, hint_bound = 0 : i64}],
    outputs = [{name = "y", type = tensor<?x4xf32>, dims = array<i64: 0, 1>, alias = -1 : i64}],
    requirements = [{kind = 2 : i64, lhs = 2 : i64, rhs = 0 : i64, node = "Add_0"}],
    kernels = [@add_0, @double_0],
    launches = [{kernel = 0 : i64, tiles = 0 : i64, scratch = 2 : i64, flops = 3 : i64, bytes = 4 : i64, nodes = ["Add_0"], checks = []},
                {kernel = 1 : i64, tiles = 0 : i64, scratch = 2 : i64, flops = 3 : i64, bytes = 4 : i64, nodes = ["Add_1"], checks = ["node 'Add_1': x"]}],
    binds = [],
    arena_bytes = array<i64: 5>
  }
}
