"""Kernels of 16-bit floats, which only GPUs have generators for, and what numpy makes of them in float64."""
import numpy as np
from kernel_cases import Case, d, dims, f32, gelu, layer_norm, narrow, normal, softmax


DTYPES = {"bf16": "bf16", "f16": np.float16, "f32": np.float32}
TOLERANCE = {"bf16": 5e-3, "f16": 1e-3, "f32": 1e-6}


def greatest(*_):
    return 1.0


#===-- Matrix products --------------------------------------------------------------------------------===#


def gemm(name, element, m, n, k, sizes, transposed=False, batch_a="", batch_b="", batch="", weight=False):
    """m, n, k and the batch dims: texts of dims. Inputs are scaled so that results are about 1. weight: B is one."""
    join = lambda *parts: ", ".join(p for p in parts if p)
    ta, tb = dims(join(batch_a, m, k), element), dims(join(batch_b, *((n, k) if transposed else (k, n))), element)
    tc = dims(join(batch, m, n), element)
    suffix = " {transpose_b}" if transposed else ""

    def make(rng, *s):
        number = lambda text: [int(p) if p.strip().isdigit() else s[int(p.strip()[1:])] for p in text.split(",") if p.strip()]
        depth = max(number(k)[0], 1)
        a, b = normal(rng, *number(join(batch_a, m, k))), normal(rng, *number(join(batch_b, *((n, k) if transposed else (k, n)))))
        (wa, xa), (wb, xb) = narrow(a / depth ** 0.25, element), narrow(b / depth ** 0.25, element)
        return [wa, wb], [xa @ (xb.swapaxes(-1, -2) if transposed else xb)]
    Case(name, (f"%a: {ta}, %b: {tb}" + " {tfc.weight_operand}" * weight, tc, f"%0 = tfc.matmul %a, %b{suffix} : {ta}, {tb}\nreturn %0 : {tc}"), sizes, make,
         TOLERANCE[element], scale=greatest, dtypes=[DTYPES[element]])


for element in ("bf16", "f16"):
    gemm(f"gemm_{element}", element, "s0", "200", "136", [(1,), (63,), (65,), (130,), (0,)])
    gemm(f"gemm_{element}_nk", element, "s0", "201", "136", [(1,), (63,), (65,), (130,)], transposed=True)
gemm("gemm_large", "bf16", "s0", "1280", "72", [(1800,)])
gemm("gemm_large_nk", "bf16", "s0", "1281", "72", [(1800,)], transposed=True)
gemm("gemm_huge", "bf16", "s0", "2056", "72", [(2100,)])
gemm("gemm_huge_nk", "bf16", "s0", "2056", "72", [(2100,)], transposed=True)
gemm("gemm_batch", "bf16", "s1", "40", "64", [(2, 5), (1, 70), (0, 3), (2, 0)], batch_a="s0, 3", batch_b="3", batch="s0, 3")
# More small tiles than blocks; parts of K longer than the ring of buffers, of which the last have less, or nothing.
gemm("gemm_many_small", "f16", "s0", "768", "72", [(2560,)], weight=True)
for transposed in (False, True):
    gemm(f"gemm_parts_{int(transposed)}", "bf16", "s0", "1224", "1160", [(17,), (65,), (150,), (0,)], transposed=transposed, weight=True)
gemm("gemm_parts_empty", "f16", "s0", "72", "4168", [(18,), (64,)])
gemm("gemm_no_depth", "bf16", "s0", "72", "0", [(3,), (70,)], weight=True)
gemm("gemm_deep", "bf16", "s0", "64", "1000", [(64,), (7,)])
# A few rows: along N in pieces of every width, along K, with more and with less of both than threads.
FEW = [(1,), (2,), (4,), (0,)]
gemm("gemv_deep", "bf16", "s0", "72", "3000", FEW)
gemm("gemv_wide", "f16", "s0", "17000", "16", [(1,), (3,)], weight=True)
gemm("gemv_nk", "bf16", "s0", "50", "2056", FEW, transposed=True, weight=True)
gemm("gemv_wide_nk", "f16", "s0", "4301", "40", [(1,), (3,)], transposed=True)
gemm("gemv_odd", "bf16", "s0", "257", "64", FEW, weight=True)
for transposed in (False, True):
    gemm(f"gemv_f32_{int(transposed)}", "f32", "s0", "100", "1204", FEW + [(5,)], transposed=transposed, weight=True)
gemm("gemm_weight", "bf16", "s0", "136", "1000", [(9,), (64,), (130,)], weight=True)
# Rows that are no whole chunks of 16 bytes.
gemm("gemm_odd", "bf16", "s0", "33", "77", [(1,), (65,)])
gemm("gemm_odd_f16", "f16", "s0", "s1", "s2", [(5, 9, 3), (70, 65, 64), (3, 4, 0)], transposed=True)


def mixed_epilogue(name, n, sizes):
    """Product in bf16; bias, GELU and residual in f32."""
    ta, tb, tc, tf = dims("s0, s1, 96", "bf16"), f"tensor<96x{n}xbf16>", dims(f"s0, s1, {n}", "bf16"), dims(f"s0, s1, {n}")
    body = (f"%0 = tfc.matmul %a, %b : {ta}, {tb}\n%1 = tfc.cast %0 : {tc} -> {tf}\n%2 = tfc.add %1, %v : {tf}, tensor<{n}xf32>\n"
            f"%3 = tfc.gelu erf %2 : {tf}\n%4 = tfc.add %3, %r : {tf}, {tf}\n%5 = tfc.cast %4 : {tf} -> {tc}\nreturn %5 : {tc}")

    def make(rng, b, s):
        (wa, xa), (wb, xb) = narrow(normal(rng, b, s, 96) / 3, "bf16"), narrow(normal(rng, 96, n) / 3, "bf16")
        v, r = normal(rng, n), normal(rng, b, s, n)
        return [wa, wb, v, r], [gelu(xa @ xb + d(v)) + d(r)]
    Case(name, (f"%a: {ta}, %b: {tb}, %v: tensor<{n}xf32>, %r: {tf}", tc, body), sizes, make, 5e-3, dtypes=["bf16"])


mixed_epilogue("gemm_epilogue", 104, [(1, 1), (2, 37), (0, 3)])
mixed_epilogue("gemm_epilogue_odd", 101, [(1, 1), (2, 37)])

#===-- Rows and elementwise ---------------------------------------------------------------------------===#


def norm_case(element, columns, sizes):
    t, w = dims(f"s0, {columns}", element), f"tensor<{columns}x{element}>"
    body = (f"%0 = tfc.add %x, %r : {t}, {t}\n%1 = tfc.layer_norm %0 scale %g bias %b axis 1 epsilon 1.0e-5 : ({t}, {w}, {w}) -> {t}\n"
            f"return %1, %0 : {t}, {t}")

    def make(rng, m):
        arrays = [narrow(x, element) for x in (normal(rng, m, columns), normal(rng, m, columns), normal(rng, columns), normal(rng, columns))]
        (_, x), (_, r), (_, g), (_, b) = arrays
        total = narrow(x + r, element)[1]
        return [words for words, _ in arrays], [layer_norm(total, g, b, 1e-5), total]
    Case(f"norm_{element}_{columns}", (f"%x: {t}, %r: {t}, %g: {w}, %b: {w}", f"{t}, {t}", body), sizes, make, 2 * TOLERANCE[element],
         dtypes=[DTYPES[element]] * 2)


for columns in (1, 7, 33, 768, 1000, 2056, 4097, 12288):
    norm_case("f32", columns, [(1,), (5,)])
for columns in (64, 776, 5120):
    norm_case("bf16", columns, [(1,), (6,)])
norm_case("f32", 20001, [(2,)])

T = dims("s0, s1")
Case("rms_by_parts", (f"%x: {T}", T,
                      f"%0 = tfc.mul %x, %x : {T}, {T}\n%1 = tfc.reduce mean %0 axes [1] keep_dims : {T}\n"
                      f"%e = tfc.constant dense<1.0e-6> : tensor<f32>\n%2 = tfc.add %1, %e : {dims('s0, 1')}, tensor<f32>\n"
                      f"%3 = tfc.sqrt %2 : {dims('s0, 1')}\n%4 = tfc.div %x, %3 : {T}, {dims('s0, 1')}\nreturn %4 : {T}"),
     [(1, 1), (3, 70), (9, 300)],
     lambda rng, a, b: (lambda x: ([x], [d(x) / np.sqrt((d(x) ** 2).mean(1, keepdims=True) + 1e-6)]))(normal(rng, a, b)), 2e-6)

T16 = dims("s0, 40", "bf16")
Case("rms_norm", (f"%x: {T16}, %g: tensor<40xbf16>", T16,
                  f"%0 = tfc.rms_norm %x scale %g axis 1 epsilon 1.0e-6 : ({T16}, tensor<40xbf16>) -> {T16}\nreturn %0 : {T16}"), [(1,), (9,)],
     lambda rng, a: (lambda x, g: ([x[0], g[0]], [x[1] / np.sqrt((x[1] ** 2).mean(1, keepdims=True) + 1e-6) * g[1]]))(
         narrow(normal(rng, a, 40), "bf16"), narrow(normal(rng, 40), "bf16")), 5e-3, dtypes=["bf16"])

Case("row_sums", (f"%x: {T}", dims("s0"), f"%0 = tfc.reduce sum %x axes [1] : {T}\nreturn %0 : {dims('s0')}"), [(1, 1), (7, 333), (0, 5), (5, 0)],
     lambda rng, a, b: (lambda x: ([x], [d(x).sum(1)]))(normal(rng, a, b)), 1e-5)
# Several dims are one row: what comes before is read at its place, and a long sum is exact (numbers are not below zero, so nothing cancels).
TM = dims("s0, 6, 10")
Case("matrix_sums", (f"%x: {TM}, %g: tensor<6x1xf32>", dims("s0, 1, 1"),
                     f"%0 = tfc.mul %x, %g : {TM}, tensor<6x1xf32>\n%1 = tfc.reduce sum %0 axes [1, 2] keep_dims : {TM}\n%2 = tfc.abs %1 : {dims('s0, 1, 1')}\n"
                     f"return %2 : {dims('s0, 1, 1')}"), [(1,), (7,), (0,)],
     lambda rng, a: (lambda x, g: ([x, g], [np.abs((d(x) * d(g)).sum((1, 2), keepdims=True))]))(np.abs(normal(rng, a, 6, 10)), np.abs(normal(rng, 6, 1))), 1e-6)
TB = dims("s0, s1, s2")
Case("matrix_means", (f"%x: {TB}, %b: {dims('s1, s2')}", TB,
                      f"%0 = tfc.add %x, %b : {TB}, {dims('s1, s2')}\n%1 = tfc.reduce mean %0 axes [1, 2] keep_dims : {TB}\n"
                      f"%2 = tfc.sub %0, %1 : {TB}, {dims('s0, 1, 1')}\nreturn %2 : {TB}"), [(1, 1, 1), (3, 5, 7), (2, 70, 33), (0, 3, 2)],
     lambda rng, *s: (lambda x, b: ([x, b], [(d(x) + d(b)) - (d(x) + d(b)).mean((1, 2), keepdims=True)]))(normal(rng, *s), normal(rng, *s[1:])), 2e-6)
Case("sum_all", (f"%x: {TB}", "tensor<f32>", f"%0 = tfc.reduce sum %x axes [0, 1, 2] : {TB}\nreturn %0 : tensor<f32>"), [(1, 1, 1), (3, 21, 333), (0, 5, 5)],
     lambda rng, *s: (lambda x: ([x], [d(x).sum()]))(np.abs(normal(rng, *s))), 1e-6)
Case("sum_all_bf16", ("%x: tensor<30x90x11xbf16>", "tensor<1x1x1xbf16>",
                      "%0 = tfc.reduce sum %x axes [0, 1, 2] keep_dims : tensor<30x90x11xbf16>\nreturn %0 : tensor<1x1x1xbf16>"), [()],
     lambda rng: (lambda x: ([x[0]], [x[1].sum().reshape(1, 1, 1)]))(narrow(np.abs(normal(rng, 30, 90, 11)), "bf16")), TOLERANCE["bf16"], dtypes=["bf16"])
Case("log_softmax", (f"%x: {T}", T, f"%0 = tfc.softmax %x axis 1 {{log}} : {T}\nreturn %0 : {T}"), [(1, 1), (3, 333)],
     lambda rng, a, b: (lambda x: ([x], [np.log(softmax(d(x)))]))(normal(rng, a, b) * 3), 2e-6)

# Rows of -inf, of NaN, and of numbers whose exponentials overflow.
Case("softmax_special", ("%x: tensor<5x40xf32>", "tensor<5x40xf32>", "%0 = tfc.softmax %x axis 1 : tensor<5x40xf32>\nreturn %0 : tensor<5x40xf32>"),
     [()], lambda rng: (lambda x: ([x], [softmax(d(x))]))(np.stack(
         [np.full(40, -np.inf, np.float32), np.where(np.arange(40) == 3, np.nan, 1).astype(np.float32), f32(np.arange(40) * 100),
          np.where(np.arange(40) % 3, -np.inf, 2).astype(np.float32), f32(np.full(40, 3e38))])), 1e-6)

TE = dims("s0, s1, 64")
TIDS = dims("s0, s1", "i64")


def make_embedding(rng, b, s):
    words, kinds, places = normal(rng, 50, 64), normal(rng, 2, 64), normal(rng, 512, 64)
    g, c = normal(rng, 64), normal(rng, 64)
    i, t = rng.integers(-50, 50, (b, s)), rng.integers(0, 2, (b, s))
    total = d(words)[i] + d(kinds)[t] + d(places)[3:3 + s]
    return [words, i, kinds, t, places, g, c], [layer_norm(total, d(g), d(c), 1e-12)]


Case("embedding", (f"%w: tensor<50x64xf32>, %i: {TIDS}, %k: tensor<2x64xf32>, %t: {TIDS}, %p: tensor<512x64xf32>, %g: tensor<64xf32>, %b: tensor<64xf32>", TE,
                   f"%0 = tfc.gather %w, %i axis 0 : tensor<50x64xf32>, {TIDS}\n%1 = tfc.gather %k, %t axis 0 : tensor<2x64xf32>, {TIDS}\n"
                   f"%2 = tfc.add %0, %1 : {TE}, {TE}\n%3 = tfc.slice %p offsets [3, 0] strides [1, 1] : tensor<512x64xf32> -> {dims('s1, 64')}\n"
                   f"%4 = tfc.add %2, %3 : {TE}, {dims('s1, 64')}\n"
                   f"%5 = tfc.layer_norm %4 scale %g bias %b axis 2 epsilon 1.0e-12 : ({TE}, tensor<64xf32>, tensor<64xf32>) -> {TE}\nreturn %5 : {TE}"),
     [(1, 1), (2, 9), (0, 4)], make_embedding, 5e-6)

Case("gather_last_axis", (f"%x: {T}, %i: {dims('s2', 'i32')}", dims("s0, s2"),
                          f"%0 = tfc.gather %x, %i axis 1 : {T}, {dims('s2', 'i32')}\nreturn %0 : {dims('s0, s2')}"), [(3, 7, 5), (1, 1, 1)],
     lambda rng, a, b, n: (lambda x, i: ([x, i], [d(x)[:, i]]))(normal(rng, a, b), rng.integers(-b, b, n).astype(np.int32)), 0)

Case("slices_and_transpose", (f"%x: {dims('s0, s1, 24')}", dims("s1, s0, 8"),
                              f"%0 = tfc.slice %x offsets [0, 0, 8] strides [1, 1, 1] : {dims('s0, s1, 24')} -> {dims('s0, s1, 8')}\n"
                              f"%1 = tfc.transpose %0 [1, 0, 2] : {dims('s0, s1, 8')}\n%2 = tfc.neg %1 : {dims('s1, s0, 8')}\nreturn %2 : {dims('s1, s0, 8')}"),
     [(1, 1), (3, 5)], lambda rng, a, b: (lambda x: ([x], [-d(x)[:, :, 8:16].swapaxes(0, 1)]))(normal(rng, a, b, 24)), 0)

def concat(name, axis, shapes, sizes, element="f32", after=""):
    """shapes: texts of dims. after: an elementwise op that follows."""
    total = [[part.strip() for part in shape.split(",")] for shape in shapes]
    along = [parts[axis] for parts in total]
    whole = str(sum(map(int, along))) if all(x.isdigit() for x in along) else " + ".join(along)
    made = dims(", ".join(total[0][:axis] + [whole] + total[0][axis + 1:]), element)
    types = [dims(shape, element) for shape in shapes]
    arguments = ", ".join(f"%x{i}: {t}" for i, t in enumerate(types))
    body = f"%0 = tfc.concat {', '.join(f'%x{i}' for i in range(len(types)))} axis {axis} : {', '.join(types)}\n"
    body += f"%1 = tfc.{after} %0 : {made}\nreturn %1 : {made}" if after else f"return %0 : {made}"

    def make(rng, *s):
        size = lambda text: [int(p) if p.strip().isdigit() else s[int(p.strip()[1:])] for p in text.split(",")]
        parts = [narrow(normal(rng, *size(shape)), element) for shape in shapes]
        whole = np.concatenate([numbers for _, numbers in parts], axis)
        return [words for words, _ in parts], [-whole if after else whole]
    Case(name, (arguments, made, body), sizes, make, 0, dtypes=[DTYPES[element]])


concat("concat_past", 2, ["s0, 3, s1, 64", "s0, 3, s2, 64"], [(1, 5, 1), (2, 0, 3), (2, 3, 0), (0, 1, 1)], "bf16")
concat("concat_three", 1, ["s0, s1, 5", "s0, 2, 5", "s0, s2, 5"], [(1, 5, 1), (2, 0, 3)], after="neg")
concat("concat_last", 1, ["s0, 8", "s0, 16", "s0, 4"], [(1,), (5,)])
concat("concat_last_odd", 1, ["s0, 3", "s0, 1", "s0, 16"], [(1,), (5,)], "f16")
Case("turned_last_dim", (f"%x: {dims('s0, 12')}", dims("12, s0"),
                         f"%0 = tfc.transpose %x [1, 0] : {dims('s0, 12')}\nreturn %0 : {dims('12, s0')}"), [(1,), (9,)],
     lambda rng, a: (lambda x: ([x], [d(x).T]))(normal(rng, a, 12)), 0)
Case("backwards", (f"%x: tensor<6x10xf32>", "tensor<6x5xf32>",
                   "%0 = tfc.slice %x offsets [0, 9] strides [1, -2] : tensor<6x10xf32> -> tensor<6x5xf32>\nreturn %0 : tensor<6x5xf32>"), [()],
     lambda rng: (lambda x: ([x], [d(x)[:, ::-2]]))(normal(rng, 6, 10)), 0)

TBR = "tensor<?x20xf32, #tfc.dims<broadcast(s0, s1), 20>>"
Case("broadcast_at_run_time", (f"%x: {dims('s0, 20')}, %y: {dims('s1, 20')}", TBR,
                               f"%0 = tfc.add %x, %y : {dims('s0, 20')}, {dims('s1, 20')}\nreturn %0 : {TBR}"), [(1, 4), (4, 1), (3, 3), (1, 1)],
     lambda rng, a, b: (lambda x, y: ([x, y], [d(x) + d(y)]))(normal(rng, a, 20), normal(rng, b, 20)), 1e-6)


def make_powers(rng):
    x = np.concatenate([f32([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, -2, -3, 1e-40, 3e38, 0.5]), rng.uniform(0.01, 20, 84).astype(np.float32)])
    y = np.concatenate([f32([0, 2, -1, 3, 0.5, np.inf, -np.inf, np.nan, -3, 1e-3, 40, -0.5]), rng.uniform(-9, 9, 84).astype(np.float32)])
    a, b = np.meshgrid(x, y)
    with np.errstate(all="ignore"):
        return [f32(a), f32(b)], [f32(np.power(d(f32(a)), d(f32(b))))]


Case("pow", ("%x: tensor<96x96xf32>, %y: tensor<96x96xf32>", "tensor<96x96xf32>",
             "%0 = tfc.pow %x, %y : tensor<96x96xf32>, tensor<96x96xf32>\nreturn %0 : tensor<96x96xf32>"), [()], make_powers, 1e-6)
Case("integers", (f"%x: {dims('s0', 'i64')}, %y: {dims('s0', 'i64')}", f"{dims('s0', 'i64')}, {dims('s0')}",
                  f"%0 = tfc.div %x, %y : {dims('s0', 'i64')}, {dims('s0', 'i64')}\n%1 = tfc.cast %x : {dims('s0', 'i64')} -> {dims('s0')}\n"
                  f"return %0, %1 : {dims('s0', 'i64')}, {dims('s0')}"), [(1,), (100,)],
     lambda rng, n: (lambda x, y: ([x, y], [np.where(y == 0, 0, np.trunc(x / np.where(y == 0, 1, y))), d(x)]))(
         rng.integers(-1000, 1000, n), rng.integers(-5, 5, n)), 0, dtypes=[np.int64, np.float32])

#===-- Attention --------------------------------------------------------------------------------------===#

import attention_cases  # noqa: E402


def flash(name, element, dim, sizes, heads=2, key_heads=None, value_dim=None, causal=False, mask=None, bias=None, packed=False,
          masked_row="uniform", softcap=None, fill=None, left=None, right=None, lengths=False):
    """mask and bias: dims over s0 (batch), s1 (queries), s2 (keys). packed: query, key and value in one row [batch, length, 3 * heads, dim].
    lengths: the numbers of keys that count are an operand, no fewer than queries where there are as many keys; what is behind them is NaN."""
    value_dim, key_heads = value_dim or dim, key_heads or heads
    keys = "s1" if packed else "s2"
    tq, tk, tv, to = (dims(t, element) for t in (f"s0, {heads}, s1, {dim}", f"s0, {key_heads}, {keys}, {dim}",
                                                 f"s0, {key_heads}, {keys}, {value_dim}", f"s0, {heads}, s1, {value_dim}"))
    arguments, lines, words, types, result = [], [], "", [tq, tk, tv], to
    if packed:
        whole, part = dims(f"s0, s1, {3 * heads}, {dim}", element), dims(f"s0, s1, {heads}, {dim}", element)
        arguments.append(f"%p: {whole}")
        for i, x in enumerate("qkv"):
            lines.append(f"%{x}0 = tfc.slice %p offsets [0, 0, {i * heads}, 0] strides [1, 1, 1, 1] : {whole} -> {part}")
            lines.append(f"%{x} = tfc.transpose %{x}0 [0, 2, 1, 3] : {part}")
        result = dims(f"s0, s1, {heads}, {dim}", element)
    else:
        arguments += [f"%q: {tq}", f"%k: {tk}", f"%v: {tv}"]
    for word, shape, kind in (("mask", mask, "i1"), ("bias", bias, element)):
        if shape:
            arguments.append(f"%{word}: {dims(shape, kind)}")
            words += f" {word} %{word}"
            types.append(dims(shape, kind))
    if lengths:
        arguments.append(f"%n: {dims('s0', 'i32')}")
        words += " key_lengths %n"
        types.append(dims("s0", "i32"))
    attributes = ["causal"] * causal + [f"window_{side} = {width} : i64" for side, width in (("left", left), ("right", right)) if width is not None] + [f"softcap = {softcap} : f32"] * bool(softcap) + [f"fill = {fill} : f32"] * bool(fill)
    row = f" masked_row {masked_row}" if masked_row != "uniform" else ""
    lines.append(f"%o = tfc.attention %q, %k, %v{words}{row} {{{', '.join(attributes)}}} : ({', '.join(types)}) -> {to}")
    if packed:
        lines.append(f"%r = tfc.transpose %o [0, 2, 1, 3] : {to}")
    lines.append(f"return %{'r' if packed else 'o'} : {result}")

    def make(rng, b, s, *t):
        t = t[0] if t else s
        size = lambda text: [int(p) if p.strip().isdigit() else {"s0": b, "s1": s, "s2": t}[p.strip()] for p in text.split(",")]
        (wq, q), (wk, kk), (wv, v) = (narrow(normal(rng, *shape), element) for shape in
                                      ((b, heads, s, dim), (b, key_heads, t, dim), (b, key_heads, t, value_dim)))
        allowed = rng.random(size(mask)) < 0.7 if mask else None
        if mask and s > 2:
            allowed[..., min(1, allowed.shape[-2] - 1), :] = False
        wb, added = narrow(normal(rng, *size(bias)) * 2, element) if bias else (None, None)
        n = rng.integers(min(s, t), t + 1, b) if lengths else None
        expected = attention_cases.reference(q, kk, v, dim ** -0.5, added, allowed, causal, masked_row, softcap,
                                             *([fill] if fill else []), left=left, right=right, lengths=n)
        for batch, count in enumerate(n if lengths and t >= s else []):
            wk[batch, :, count:] = wv[batch, :, count:] = np.uint16(0x7FFF).view(wk.dtype) if element != "f32" else np.nan
        if packed:
            inputs = [np.concatenate([x.swapaxes(1, 2) for x in (wq, wk, wv)], 2)]
            expected = expected.swapaxes(1, 2)
        else:
            inputs = [wq, wk, wv]
        return inputs + ([allowed.astype(np.uint8)] if mask else []) + ([wb] if bias else []) + ([n.astype(np.int32)] if lengths else []), [expected]
    Case(name, (", ".join(arguments), result, "\n".join(lines)), sizes, make, {"bf16": 8e-3, "f16": 1e-3, "f32": 3e-6}[element],
         scale=greatest, dtypes=[DTYPES[element]])


for element in ("bf16", "f16", "f32"):
    flash(f"flash_{element}", element, 64, [(1, 1, 1), (2, 65, 130), (1, 128, 64), (1, 3, 200), (0, 2, 3), (2, 3, 0)])
    flash(f"flash_packed_{element}", element, 64, [(1, 1), (2, 70)], packed=True)
    flash(f"flash_mask_{element}", element, 64, [(2, 5, 70), (1, 70, 66)], mask="s0, 1, s1, s2", bias="1, 2, s1, s2")
    flash(f"flash_padding_{element}", element, 64, [(2, 5, 70)], mask="s0, 1, 1, s2")
    flash(f"flash_causal_{element}", element, 64, [(1, 1, 1), (2, 130, 130), (1, 5, 200), (1, 70, 3)], causal=True)
    flash(f"flash_causal_mask_{element}", element, 64, [(2, 70, 70), (1, 9, 130)], causal=True, mask="s0, 1, 1, s2")
flash("flash_decode", "bf16", 64, [(1, 1, 1024), (2, 8, 77), (1, 3, 7)], causal=True)
flash("flash_decode_f32", "f32", 64, [(1, 1, 1024), (2, 8, 77), (1, 3, 7)], causal=True, heads=4, key_heads=2)
flash("flash_128", "bf16", 128, [(1, 65, 130), (2, 1, 1)])
flash("flash_24", "bf16", 24, [(1, 65, 130), (2, 1, 1), (1, 5, 90)], value_dim=40)
flash("flash_80", "f16", 80, [(1, 65, 70)], value_dim=112)
flash("flash_long", "bf16", 64, [(1, 300, 700)])
flash("flash_long_causal", "bf16", 32, [(1, 600, 600)], causal=True, heads=1)
flash("flash_odd_dim", "bf16", 21, [(1, 9, 70), (1, 2, 70)], value_dim=13)
flash("flash_256", "f32", 256, [(1, 9, 40), (1, 2, 40)])
flash("flash_160", "bf16", 160, [(1, 9, 40), (1, 2, 40)])
flash("flash_groups", "bf16", 64, [(2, 9, 70)], heads=6, key_heads=2)
flash("flash_groups_f32", "f32", 32, [(2, 9, 70)], heads=6, key_heads=2)
for row in ("nan", "zero", "biased"):
    flash(f"flash_{row}", "bf16", 64, [(1, 6, 70), (1, 19, 70)], mask="s0, 1, s1, s2", bias="1, 2, s1, s2", masked_row=row)
    flash(f"flash_{row}_f32", "f32", 64, [(1, 6, 70), (1, 19, 70)], mask="s0, 1, s1, s2", bias="1, 2, s1, s2", masked_row=row)
flash("flash_causal_zero", "bf16", 64, [(1, 70, 3), (1, 130, 130)], causal=True, masked_row="zero")
BOUNDED = [(1, 40, 40), (3, 1, 300), (2, 40, 270), (2, 33, 5), (1, 20, 0), (1, 200, 300)]
flash("flash_window", "bf16", 64, BOUNDED, causal=True, left=20)
flash("flash_window_both", "f16", 64, BOUNDED, left=20, right=3, masked_row="zero")
flash("flash_lengths", "bf16", 64, BOUNDED, causal=True, lengths=True)
flash("flash_lengths_window", "f16", 64, BOUNDED, causal=True, lengths=True, left=9, heads=4, key_heads=2)
flash("flash_softcap", "bf16", 64, [(1, 6, 70), (1, 12, 70)], softcap=3.0)
flash("flash_fill", "bf16", 64, [(1, 6, 70), (1, 12, 70)], mask="s0, 1, s1, s2", fill=-10000.0)
