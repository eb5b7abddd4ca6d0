"""Kernels whose products read operands of fewer bits than f32: through casts, or rounded to TF32."""
import attention_cases
import numpy as np
from gpu_cases import DTYPES, TOLERANCE, gelu, greatest, narrow
from kernel_cases import Case, d, dims, layer_norm, normal

#===-- Matrix products --------------------------------------------------------------------------------===#


def cast(name, to, *shape_and_elements):
    shape, element, wide = shape_and_elements
    return f"%{name} = tfc.cast %{to} : {dims(shape, element)} -> {dims(shape, wide)}\n"


def gemm(name, a, b, out, n, k, sizes, transposed=False, epilogue=False):
    """A of s0 x k and B of k x n in memory as `a` and `b`; the sums are f32, and so is the epilogue: bias, GELU, residual."""
    tb = f"{n}, {k}" if transposed else f"{k}, {n}"
    body = "".join(cast(x + "w", x, shape, element, "f32") if element != "f32" else "" for x, shape, element in (("a", f"s0, {k}", a), ("b", tb, b)))
    left, right = "aw" if a != "f32" else "a", "bw" if b != "f32" else "b"
    tc, suffix = dims(f"s0, {n}"), " {transpose_b}" if transposed else ""
    arguments = f"%a: {dims(f's0, {k}', a)}, %b: {dims(tb, b)}"
    body += f"%c = tfc.matmul %{left}, %{right}{suffix} : {dims(f's0, {k}')}, {dims(tb)}\n"
    last = "c"
    if epilogue:
        arguments += f", %v: tensor<{n}xf32>, %r: {tc}"
        body += f"%1 = tfc.add %c, %v : {tc}, tensor<{n}xf32>\n%2 = tfc.gelu erf %1 : {tc}\n%3 = tfc.add %2, %r : {tc}, {tc}\n"
        last = "3"
    if out != "f32":
        body += cast("o", last, f"s0, {n}", "f32", out)
        last = "o"

    def make(rng, m):
        (wa, xa), (wb, xb) = narrow(normal(rng, m, k) / k ** 0.25, a), narrow(normal(rng, *((n, k) if transposed else (k, n))) / k ** 0.25, b)
        product, more = xa @ (xb.T if transposed else xb), []
        if epilogue:
            more = [normal(rng, n), normal(rng, m, n)]
            product = gelu(product + d(more[0])) + d(more[1])
        return [wa, wb] + more, [product]
    # Products of 16-bit numbers are exact, and their sums are f32: nothing else is rounded before the end.
    Case(name, (arguments, dims(f"s0, {n}", out), body + f"return %{last} : {dims(f's0, {n}', out)}"), sizes, make,
         {"f32": 2e-6, "bf16": 4e-3, "f16": 5e-4}[out], scale=greatest, dtypes=[DTYPES[out]])


for element in ("bf16", "f16"):
    gemm(f"wide_gemm_{element}", element, element, "f32", 200, 136, [(1,), (65,), (130,), (0,)])
    gemm(f"wide_gemm_{element}_nk", element, element, element, 201, 136, [(1,), (63,), (130,)], transposed=True)
    gemm(f"wide_gemm_epilogue_{element}", element, element, element, 104, 96, [(1,), (74,)], epilogue=True)
    gemm(f"wide_gemm_odd_{element}", element, element, "f32", 33, 77, [(1,), (65,)])
gemm("wide_gemm_large", "bf16", "bf16", "bf16", 1280, 72, [(1800,)], epilogue=True)
gemm("wide_gemm_mixed", "f32", "bf16", "f32", 40, 72, [(1,), (70,)])
gemm("wide_gemm_mixed_nk", "f16", "f32", "f16", 40, 72, [(1,), (70,)], transposed=True)


def tf32(name, m, n, k, sizes, transposed=False, batch_a="", batch_b="", batch=""):
    """TF32 keeps 11 bits of each operand. Results are about normal: 2e-3 of 1 is less than 1e-3 of the largest."""
    join = lambda *parts: ", ".join(p for p in parts if p)
    ta, tb, tc = dims(join(batch_a, m, k)), dims(join(batch_b, *((n, k) if transposed else (k, n)))), dims(join(batch, m, n))
    flags = "{tfc.tf32, transpose_b}" if transposed else "{tfc.tf32}"

    def make(rng, *s):
        number = lambda text: [int(p) if p.strip().isdigit() else s[int(p.strip()[1:])] for p in text.split(",") if p.strip()]
        depth = max(number(k)[0], 1)
        a, b = normal(rng, *number(join(batch_a, m, k))), normal(rng, *number(join(batch_b, *((n, k) if transposed else (k, n)))))
        a, b = a / np.float32(depth ** 0.25), b / np.float32(depth ** 0.25)
        return [a, b], [d(a) @ (d(b).swapaxes(-1, -2) if transposed else d(b))]
    Case(name, (f"%a: {ta}, %b: {tb}", tc, f"%0 = tfc.matmul %a, %b {flags} : {ta}, {tb}\nreturn %0 : {tc}"), sizes, make, 1e-3, scale=greatest)


tf32("tf32", "s0", "200", "136", [(1,), (63,), (65,), (130,), (0,)])
tf32("tf32_nk", "s0", "201", "132", [(1,), (63,), (65,), (130,)], transposed=True)
tf32("tf32_large", "s0", "1284", "72", [(1800,)])
tf32("tf32_deep", "s0", "64", "1000", [(64,), (7,)])
tf32("tf32_batch", "s1", "40", "64", [(2, 5), (1, 70), (2, 0)], batch_a="s0, 3", batch_b="3", batch="s0, 3")
# Rows that are no whole chunks of 16 bytes are multiplied in f32.
tf32("tf32_odd", "s0", "33", "77", [(1,), (65,)])

#===-- What is stored in two types --------------------------------------------------------------------===#


def norm_twice(element, columns, sizes):
    t, t16 = dims(f"s0, {columns}"), dims(f"s0, {columns}", element)
    body = (f"%0 = tfc.add %x, %r : {t}, {t}\n%1 = tfc.layer_norm %0 axis 1 epsilon 1.0e-5 : ({t}) -> {t}\n"
            f"%2 = tfc.cast %1 : {t} -> {t16}\nreturn %0, %1, %2 : {t}, {t}, {t16}")

    def make(rng, m):
        x, r = normal(rng, m, columns), normal(rng, m, columns)
        y = layer_norm(d(x + r), 1, 0, 1e-5)
        return [x, r], [x + r, y, y]
    Case(f"twice_norm_{element}_{columns}", (f"%x: {t}, %r: {t}", f"{t}, {t}, {t16}", body), sizes, make, 4e-3 if element == "bf16" else 5e-4,
         scale=greatest, dtypes=[np.float32, np.float32, DTYPES[element]])


for columns in (7, 768, 5120):
    norm_twice("bf16", columns, [(1,), (6,)])
norm_twice("f16", 1000, [(3,)])

T, T16 = dims("s0, 24"), dims("s0, 24", "bf16")
Case("twice_sum", (f"%x: {T}, %y: {T}", f"{T}, {T16}", f"%0 = tfc.add %x, %y : {T}, {T}\n%1 = tfc.cast %0 : {T} -> {T16}\nreturn %0, %1 : {T}, {T16}"),
     [(1,), (9,)], lambda rng, a: (lambda x, y: ([x, y], [x + y, x + y]))(normal(rng, a, 24), normal(rng, a, 24)), 4e-3, dtypes=[np.float32, "bf16"])

#===-- Attention --------------------------------------------------------------------------------------===#


def flash(name, element, dim, sizes, query=None, key=None, out=None, heads=2, key_heads=None, causal=False, mask=None, bias=None, packed=False,
          masked_row="uniform"):
    """Query, key and value are rounded to `element`, and lie in memory as `query` and `key` say (default: so). Bias and scores are f32.
    packed: they are slices of one row [batch, length, 3 * heads, dim], stored as `query` says."""
    query, key, out, key_heads = query or element, key or element, out or element, key_heads or heads
    keys = "s1" if packed else "s2"
    shapes = {"q": f"s0, {heads}, s1, {dim}", "k": f"s0, {key_heads}, {keys}, {dim}", "v": f"s0, {key_heads}, {keys}, {dim}"}
    stored = {"q": query, "k": query if packed else key, "v": query if packed else key}
    arguments, lines, words, types = [], [], "", [dims(shape) for shape in shapes.values()]
    if packed:
        arguments.append(f"%p: {dims(f's0, s1, {3 * heads}, {dim}', query)}")
    for i, (x, shape) in enumerate(shapes.items()):
        last = x
        if packed:
            part = dims(f"s0, s1, {heads}, {dim}", query)
            lines.append(f"%{x}0 = tfc.slice %p offsets [0, 0, {i * heads}, 0] strides [1, 1, 1, 1] : {dims(f's0, s1, {3 * heads}, {dim}', query)} -> {part}")
            lines.append(f"%{x} = tfc.transpose %{x}0 [0, 2, 1, 3] : {part}")
        else:
            arguments.append(f"%{x}: {dims(shape, stored[x])}")
        if stored[x] == "f32":
            lines.append(cast(x + "n", last, shape, "f32", element).strip())
            last = x + "n"
        lines.append(cast(x + "w", last, shape, element, "f32").strip())
    for word, shape, kind in (("mask", mask, "i1"), ("bias", bias, "f32")):
        if shape:
            arguments.append(f"%{word}: {dims(shape, kind)}")
            words += f" {word} %{word}"
            types.append(dims(shape, kind))
    to, last = f"s0, {heads}, s1, {dim}", "o"
    row = f" masked_row {masked_row}" if masked_row != "uniform" else ""
    lines.append(f"%o = tfc.attention %qw, %kw, %vw{words}{row} {{{'causal' if causal else ''}}} : ({', '.join(types)}) -> {dims(to)}")
    if out != "f32":
        lines.append(cast("on", "o", to, "f32", out).strip())
        last = "on"
    if packed:
        lines.append(f"%r = tfc.transpose %{last} [0, 2, 1, 3] : {dims(to, out)}")
        to, last = f"s0, s1, {heads}, {dim}", "r"
    lines.append(f"return %{last} : {dims(to, out)}")

    def make(rng, b, s, *t):
        t = t[0] if t else s
        size = lambda text: [int(p) if p.strip().isdigit() else {"s0": b, "s1": s, "s2": t}[p.strip()] for p in text.split(",")]
        arrays = [normal(rng, *shape) for shape in ((b, heads, s, dim), (b, key_heads, t, dim), (b, key_heads, t, dim))]
        given = [narrow(x, stored[n])[0] for x, n in zip(arrays, "qkv")]
        q, kk, v = (narrow(x, element)[1] for x in arrays)
        allowed = rng.random(size(mask)) < 0.7 if mask else None
        # The lowest number of f32 would be -inf in f16.
        added = np.where(rng.random(size(bias)) < 0.3, np.finfo(np.float32).min, normal(rng, *size(bias))).astype(np.float32) if bias else None
        expected = attention_cases.reference(q, kk, v, dim ** -0.5, None if added is None else d(added), allowed, causal, masked_row, None)
        if packed:
            given, expected = [np.concatenate([x.swapaxes(1, 2) for x in given], 2)], expected.swapaxes(1, 2)
        return given + ([allowed.astype(np.uint8)] if mask else []) + ([added] if bias else []), [expected]
    Case(name, (", ".join(arguments), dims(to, out), "\n".join(lines)), sizes, make, {"bf16": 8e-3, "f16": 1e-3}[element],
         scale=greatest, dtypes=[DTYPES[out]])


for element in ("bf16", "f16"):
    flash(f"wide_flash_{element}", element, 64, [(1, 1, 1), (2, 65, 130), (1, 3, 200), (0, 2, 3), (2, 3, 0)])
    flash(f"wide_flash_packed_{element}", element, 64, [(1, 1), (2, 70)], packed=True, bias="s0, 1, 1, s1")
    flash(f"wide_flash_packed_f32_{element}", element, 64, [(1, 1), (2, 70)], packed=True, query="f32")
    # A past in f32.
    flash(f"wide_flash_past_{element}", element, 64, [(1, 1, 300), (2, 9, 77), (1, 70, 70)], key="f32", causal=True, bias="s0, 1, 1, s2")
    flash(f"wide_flash_out_{element}", element, 32, [(2, 5, 70), (1, 70, 66)], out="f32", mask="s0, 1, s1, s2", bias="1, 2, s1, s2")
flash("wide_flash_odd_dim", "bf16", 21, [(1, 9, 70), (1, 2, 70)], key="f32")
flash("wide_flash_160", "bf16", 160, [(1, 9, 40), (1, 2, 40)], query="f32")
flash("wide_flash_groups", "f16", 64, [(2, 9, 70), (1, 2, 70)], heads=6, key_heads=2, key="f32", masked_row="zero", mask="s0, 1, s1, s2")
