// One output per spelling of what tfc fuses, over weights of every kind, to be compiled with and without each fusion.
!x = tensor<?x?x24xf32, #tfc.dims<b, s, 24>>
!y = tensor<?x?x40xf32, #tfc.dims<b, s, 40>>
!wide = tensor<?x?x80xf32, #tfc.dims<b, s, 80>>
!flat = tensor<?x24xf32, #tfc.dims<b * s, 24>>
!flaty = tensor<?x40xf32, #tfc.dims<b * s, 40>>
!one = tensor<?x?x1xf32, #tfc.dims<b, s, 1>>
!h32 = tensor<?x?x32xf32, #tfc.dims<b, s, 32>>
!h16 = tensor<?x?x16xf32, #tfc.dims<b, s, 16>>
!heads = tensor<?x?x4x8xf32, #tfc.dims<b, s, 4, 8>>
!heads2 = tensor<?x?x2x8xf32, #tfc.dims<b, s, 2, 8>>
!q = tensor<?x4x?x8xf32, #tfc.dims<b, 4, s, 8>>
!k = tensor<?x2x?x8xf32, #tfc.dims<b, 2, s, 8>>
!ids = tensor<?x?xi64, #tfc.dims<b, s>>

module attributes {tfc.model_name = "spellings"} {
  tfc.weight @gate : tensor<24x40xf32> = #tfc.seed<normal, 1, 1, 0.0, 0.3>
  tfc.weight @up : tensor<40x24xf32> = #tfc.seed<normal, 1, 2, 0.0, 0.3> layout <0, [1, 40]>
  tfc.weight @both : tensor<24x80xf32> = #tfc.seed<normal, 1, 3, 0.0, 0.3>
  tfc.weight @bias80 : tensor<80xf32> = #tfc.seed<normal, 1, 4, 0.0, 0.3>
  tfc.weight @pairs : tensor<24x80xf32> = #tfc.seed<normal, 1, 12, 0.0, 0.3>
  tfc.weight @gemm : tensor<24x40xf32> = #tfc.seed<normal, 1, 13, 0.0, 0.3>
  tfc.weight @wq : tensor<24x32xf32> = #tfc.seed<normal, 1, 5, 0.0, 0.3>
  tfc.weight @wk : tensor<24x16xf32> = #tfc.seed<normal, 1, 6, 0.0, 0.3>
  tfc.weight @wv : tensor<16x24xf32> = #tfc.seed<normal, 1, 7, 0.0, 0.3>
  tfc.weight @bq : tensor<32xf32> = #tfc.seed<normal, 1, 8, 0.0, 0.3>
  tfc.weight @table : tensor<50x24xf32> = #tfc.seed<normal, 1, 9, 0.0, 1.0>
  tfc.weight @places : tensor<70x24xf32> = #tfc.seed<normal, 1, 10, 0.0, 1.0>
  tfc.weight @scale : tensor<24xf32> = #tfc.seed<normal, 1, 11, 1.0, 0.2>

  func.func @main(%x: !x {tfc.name = "x"}, %ids: !ids {tfc.name = "ids"}, %place: !ids {tfc.name = "place"})
      -> (!y {tfc.name = "swiglu_two_products"}, !y {tfc.name = "geglu_split"}, !y {tfc.name = "swiglu_interleaved"},
          !q {tfc.name = "queries"}, !k {tfc.name = "keys"}, !k {tfc.name = "values"},
          !x {tfc.name = "embedding"}, !x {tfc.name = "log_softmax"}, !x {tfc.name = "layer_norm_of_sums"},
          !x {tfc.name = "rms_norm_plus_one"}, !y {tfc.name = "gemm_gelu"}, !x {tfc.name = "residual_sum"},
          !x {tfc.name = "residual_norm"}, !x {tfc.name = "quick_gelu"}) attributes {tfc.entry} {
    %one = tfc.constant dense<1.0> : tensor<f32>
    %half = tfc.constant dense<0.5> : tensor<f32>
    %eps = tfc.constant dense<1.0e-5> : tensor<f32>
    %count = tfc.constant dense<24.0> : tensor<f32>
    %root = tfc.constant dense<0.7071> : tensor<f32>
    %c1702 = tfc.constant dense<-1.702> : tensor<f32>
    %gate = tfc.weight_ref @gate : tensor<24x40xf32>
    %up = tfc.weight_ref @up : tensor<40x24xf32>
    %both = tfc.weight_ref @both : tensor<24x80xf32>
    %bias80 = tfc.weight_ref @bias80 : tensor<80xf32>
    %pairs = tfc.weight_ref @pairs : tensor<24x80xf32>
    %gemmw = tfc.weight_ref @gemm : tensor<24x40xf32>

    // x / (1 + exp(-x)), in another place than the other factor.
    %g = tfc.matmul %x, %gate : !x, tensor<24x40xf32> loc("gate")
    %u = tfc.matmul %x, %up {transpose_b} : !x, tensor<40x24xf32> loc("up")
    %gn = tfc.neg %g : !y
    %ge = tfc.exp %gn : !y
    %gd = tfc.add %ge, %one : !y, tensor<f32>
    %gs = tfc.div %g, %gd : !y, !y loc("swish")
    %swiglu = tfc.mul %gs, %u : !y, !y loc("swiglu")

    %p = tfc.matmul %x, %both : !x, tensor<24x80xf32>
    %pb = tfc.add %bias80, %p : tensor<80xf32>, !wide
    %a = tfc.slice %pb offsets [0, 0, 0] strides [1, 1, 1] : !wide -> !y
    %b = tfc.slice %pb offsets [0, 0, 40] strides [1, 1, 1] : !wide -> !y
    %bs = tfc.mul %b, %root : !y, tensor<f32>
    %be = tfc.erf %bs : !y loc("erf")
    %b1 = tfc.add %be, %one : !y, tensor<f32>
    %bh = tfc.mul %b1, %half : !y, tensor<f32>
    %bg = tfc.mul %bh, %b : !y, !y
    %geglu = tfc.mul %a, %bg : !y, !y loc("geglu")

    %i = tfc.matmul %x, %pairs : !x, tensor<24x80xf32> loc("interleaved")
    %i0 = tfc.slice %i offsets [0, 0, 0] strides [1, 1, 2] : !wide -> !y
    %i1 = tfc.slice %i offsets [0, 0, 1] strides [1, 1, 2] : !wide -> !y
    %is = tfc.sigmoid %i1 : !y
    %ia = tfc.mul %is, %i1 : !y, !y
    %interleaved = tfc.mul %ia, %i0 : !y, !y

    // Grouped queries; keys without a bias.
    %wq = tfc.weight_ref @wq : tensor<24x32xf32>
    %wk = tfc.weight_ref @wk : tensor<24x16xf32>
    %wv = tfc.weight_ref @wv : tensor<16x24xf32>
    %bq = tfc.weight_ref @bq : tensor<32xf32>
    %bv = tfc.constant dense<[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6]> : tensor<16xf32>
    %q0 = tfc.matmul %x, %wq : !x, tensor<24x32xf32> loc("query")
    %q1 = tfc.add %q0, %bq : !h32, tensor<32xf32>
    %q2 = tfc.reshape %q1 : !h32 -> !heads
    %q = tfc.transpose %q2 [0, 2, 1, 3] : !heads
    %k0 = tfc.matmul %x, %wk : !x, tensor<24x16xf32> loc("key")
    %k2 = tfc.reshape %k0 : !h16 -> !heads2
    %k = tfc.transpose %k2 [0, 2, 1, 3] : !heads2
    %v0 = tfc.matmul %x, %wv {transpose_b} : !x, tensor<16x24xf32> loc("value")
    %v1 = tfc.add %v0, %bv : !h16, tensor<16xf32>
    %v2 = tfc.reshape %v1 : !h16 -> !heads2
    %v = tfc.transpose %v2 [0, 2, 1, 3] : !heads2

    %scale = tfc.weight_ref @scale : tensor<24xf32>
    %table = tfc.weight_ref @table : tensor<50x24xf32>
    %places = tfc.weight_ref @places : tensor<70x24xf32>
    %e0 = tfc.gather %table, %ids axis 0 : tensor<50x24xf32>, !ids
    %e1 = tfc.gather %places, %place axis 0 : tensor<70x24xf32>, !ids
    %e2 = tfc.add %e0, %e1 : !x, !x
    %embedding = tfc.layer_norm %e2 scale %scale axis 2 epsilon 1.0e-12 : (!x, tensor<24xf32>) -> !x loc("embedding")

    %sm = tfc.reduce max %x axes [2] keep_dims : !x
    %sd = tfc.sub %x, %sm : !x, !one
    %se = tfc.exp %sd : !x
    %ss = tfc.reduce sum %se axes [2] keep_dims : !x loc("softmax")
    %sl = tfc.log %ss : !one
    %logsoftmax = tfc.sub %sd, %sl : !x, !one

    // A layer norm whose means are sums.
    %n0 = tfc.reduce sum %x axes [2] keep_dims : !x
    %n1 = tfc.div %n0, %count : !one, tensor<f32>
    %n2 = tfc.sub %x, %n1 : !x, !one
    %n3 = tfc.mul %n2, %n2 : !x, !x
    %n4 = tfc.reduce sum %n3 axes [2] : !x
    %n5 = tfc.reshape %n4 : tensor<?x?xf32, #tfc.dims<b, s>> -> !one
    %n6 = tfc.div %n5, %count : !one, tensor<f32> loc("sums")
    %n7 = tfc.add %n6, %eps : !one, tensor<f32>
    %n8 = tfc.sqrt %n7 : !one
    %norm = tfc.div %n2, %n8 : !x, !one

    %r0 = tfc.mul %x, %x : !x, !x
    %r1 = tfc.reduce mean %r0 axes [2] keep_dims : !x loc("squares")
    %r2 = tfc.add %r1, %eps : !one, tensor<f32>
    %r3 = tfc.sqrt %r2 : !one
    %r4 = tfc.reciprocal %r3 : !one
    %r5 = tfc.mul %x, %r4 : !x, !one
    %r6 = tfc.add %scale, %one : tensor<24xf32>, tensor<f32>
    %rms = tfc.mul %r6, %r5 : tensor<24xf32>, !x

    // Gemm between flat rows.
    %f0 = tfc.reshape %x : !x -> !flat
    %f1 = tfc.matmul %f0, %gemmw : !flat, tensor<24x40xf32> loc("gemm")
    %f2 = tfc.reshape %f1 : !flaty -> !y
    %gemm = tfc.gelu tanh %f2 : !y

    // A residual sum with a norm and another use.
    %s0 = tfc.add %x, %embedding : !x, !x loc("residual")
    %s1 = tfc.rms_norm %s0 scale %scale axis 2 epsilon 1.0e-06 : (!x, tensor<24xf32>) -> !x loc("skip")

    %t0 = tfc.mul %x, %c1702 : !x, tensor<f32>
    %t1 = tfc.exp %t0 : !x
    %t2 = tfc.add %one, %t1 : tensor<f32>, !x
    %t3 = tfc.reciprocal %t2 : !x loc("quick")
    %quick = tfc.mul %t3, %x : !x, !x
    return %swiglu, %geglu, %interleaved, %q, %k, %v, %embedding, %logsoftmax, %norm, %rms, %gemm, %s0, %s1, %quick
        : !y, !y, !y, !q, !k, !k, !x, !x, !x, !x, !y, !x, !x, !x
  }
}
