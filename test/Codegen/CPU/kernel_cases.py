"""The kernels that run_kernels.py runs: tfc ops, sizes, inputs and what numpy makes of them in float64."""
import math
import pathlib
import sys
import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2])]
from bfloat16 import from_bf16, to_bf16  # noqa: E402

CASES = []


class Case:
    def __init__(self, name, body, sizes, make, tolerance=2e-6, scale=None, dtypes=None, failed=None, bench=None,
                 work=None, flops=False):
        self.name, self.body, self.sizes, self.make = name, body, sizes, make
        self.tolerance, self.scale, self.dtypes, self.failed = tolerance, scale, dtypes, failed
        self.bench, self.work, self.flops = bench, work, flops
        CASES.append(self)

    def source(self):
        count = len(self.sizes[0])
        symbols = ", ".join(f'"s{i}"' for i in range(count))
        arguments, results, body = self.body
        return (f"func.func private @{self.name}({arguments}) -> ({results}) "
                f"attributes {{tfc.kernel, tfc.symbols = [{symbols}]}} {{\n{body}\n}}")


def dims(text, element="f32"):
    """tensor type of a comma list of dims, as in dims('s0, 64')."""
    parts = [p.strip() for p in text.split(",")] if text else []
    shape = "x".join([p if p.isdigit() else "?" for p in parts] + [element])
    if all(p.isdigit() for p in parts):
        return f"tensor<{shape}>"
    return f"tensor<{shape}, #tfc.dims<{text}>>"


def f32(x):
    return np.asarray(x, np.float32)


def normal(rng, *shape):
    return f32(rng.standard_normal(shape))


# What numpy must not compute on: the inputs as float64.
def d(x):
    return np.asarray(x, np.float64)


def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x)


#===-- Elementwise ------------------------------------------------------------------------------------===#

SPECIAL = f32([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 3e38, -3e38, 88.8, -88.8, -103.5, 1e-8, 0.625])


def with_special(x):
    flat = x.reshape(-1)
    n = min(flat.size, SPECIAL.size)
    flat[:n] = SPECIAL[:n]
    return x


def unary(name, op, reference, tolerance=1e-6, spread=3.0):
    t = dims("s0, s1")

    def make(rng, a, b):
        x = with_special(normal(rng, a, b) * np.float32(spread))
        with np.errstate(all="ignore"):
            return [x], [f32(reference(d(x)))]
    Case(name, (f"%x: {t}", t, f"%0 = tfc.{op} %x : {t}\nreturn %0 : {t}"),
         [(1, 1), (3, 17), (5, 333), (0, 4), (4, 0), (2, 3072)], make, tolerance)


unary("exp", "exp", np.exp, spread=30)
unary("log", "log", np.log)
unary("tanh", "tanh", np.tanh)
unary("erf", "erf", erf)
unary("relu", "relu", lambda x: np.where(np.isnan(x), x, np.maximum(x, 0)))
unary("sin", "sin", np.sin)
unary("cos", "cos", np.cos)
unary("sin_large", "sin", np.sin, spread=1e12)
unary("cos_large", "cos", np.cos, spread=1e30)
unary("sqrt", "sqrt", np.sqrt)


def gelu(x):
    return x / 2 * (1 + erf(x / math.sqrt(2)))


T3072 = dims("s0, s1, 3072")
Case("gelu", (f"%x: {T3072}", T3072, f"%0 = tfc.gelu erf %x : {T3072}\nreturn %0 : {T3072}"), [(1, 1), (2, 3), (0, 5)],
     lambda rng, b, s: (lambda x: ([x], [gelu(d(x))]))(normal(rng, b, s, 3072) * 2), 1e-6, bench=(1, 128),
     work=lambda b, s: b * s * 3072)

TBS = dims("s0, s1, 768")
Case("bias_residual", (f"%x: {TBS}, %b: tensor<768xf32>, %r: {TBS}", TBS,
                       f"%0 = tfc.add %x, %b : {TBS}, tensor<768xf32>\n%1 = tfc.add %0, %r : {TBS}, {TBS}\nreturn %1 : {TBS}"),
     [(1, 1), (2, 7)],
     lambda rng, b, s: (lambda x, c, r: ([x, c, r], [d(x) + d(c) + d(r)]))(
         normal(rng, b, s, 768), normal(rng, 768), normal(rng, b, s, 768)))

TS = dims("s0")
Case("vector", (f"%x: {TS}", TS, f"%0 = tfc.neg %x : {TS}\nreturn %0 : {TS}"), [(0,), (1,), (2047,), (2048,), (5001,)],
     lambda rng, n: (lambda x: ([x], [-d(x)]))(normal(rng, n)), 0)

#===-- Rows -------------------------------------------------------------------------------------------===#


def softmax(x):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)


TQK = dims("s0, 12, s1, s2")
Case("softmax", (f"%x: {TQK}", TQK, f"%0 = tfc.softmax %x axis 3 : {TQK}\nreturn %0 : {TQK}"),
     [(1, 1, 1), (2, 3, 5), (1, 7, 128), (1, 2, 333), (0, 2, 3), (1, 2, 0)],
     lambda rng, b, s, t: (lambda x: ([x], [softmax(d(x)) if t else d(x)]))(normal(rng, b, 12, s, t) * 4), 1e-6,
     bench=(1, 128, 128), work=lambda b, s, t: b * 12 * s * t)

TM = dims("s0, 1, 1, s2")
Case("softmax_mask", (f"%x: {TQK}, %m: {TM}", TQK,
                      f"%0 = tfc.add %x, %m : {TQK}, {TM}\n%1 = tfc.softmax %0 axis 3 : {TQK}\nreturn %1 : {TQK}"),
     [(1, 2, 9), (2, 3, 65)],
     lambda rng, b, s, t: (lambda x, m: ([x, m], [softmax(d(x) + d(m))]))(
         normal(rng, b, 12, s, t), f32(np.where(rng.random((b, 1, 1, t)) < 0.3, -1e9, 0))), 1e-6, bench=(1, 128, 128),
     work=lambda b, s, t: b * 12 * s * t)


def layer_norm(x, g, b, eps):
    c = x - x.mean(-1, keepdims=True)
    return c / np.sqrt((c * c).mean(-1, keepdims=True) + eps) * g + b


Case("layer_norm", (f"%x: {TBS}, %r: {TBS}, %g: tensor<768xf32>, %b: tensor<768xf32>", TBS,
                    f"%0 = tfc.add %x, %r : {TBS}, {TBS}\n"
                    f"%1 = tfc.layer_norm %0 scale %g bias %b axis 2 epsilon 1.0e-12 : ({TBS}, tensor<768xf32>, tensor<768xf32>) -> {TBS}\n"
                    f"return %1 : {TBS}"),
     [(1, 1), (2, 9), (0, 3)],
     lambda rng, b, s: (lambda x, r, g, c: ([x, r, g, c], [layer_norm(d(x) + d(r), d(g), d(c), 1e-12)]))(
         normal(rng, b, s, 768), normal(rng, b, s, 768), normal(rng, 768), normal(rng, 768)), 5e-6, bench=(1, 128),
     work=lambda b, s: b * s * 768)

#===-- Matrix products --------------------------------------------------------------------------------===#


def matmul(name, a, b, c, sizes, transposed=False, shape_a=None, shape_b=None, **more):
    suffix = " {transpose_b}" if transposed else ""

    def make(rng, *s):
        x, y = normal(rng, *shape_a(*s)), normal(rng, *shape_b(*s))
        right = np.swapaxes(d(y), -1, -2) if transposed else d(y)
        return [x, y], [d(x) @ right]
    Case(name, (f"%a: {a}, %b: {b}", c, f"%0 = tfc.matmul %a, %b{suffix} : {a}, {b}\nreturn %0 : {c}"), sizes, make,
         tolerance=2e-5, scale=lambda *s: 10.0, **more)


matmul("linear", TBS, "tensor<768x3072xf32>", T3072, [(1, 1), (1, 7), (2, 65), (0, 3)], shape_a=lambda b, s: (b, s, 768),
       shape_b=lambda b, s: (768, 3072), bench=(1, 128), work=lambda b, s: 2 * b * s * 768 * 3072, flops=True)
matmul("linear_odd", dims("s0, 77"), "tensor<77x101xf32>", dims("s0, 101"), [(1,), (8,), (9,), (130,)],
       shape_a=lambda m: (m, 77), shape_b=lambda m: (77, 101))
matmul("linear_static", "tensor<13x33xf32>", "tensor<33x64xf32>", "tensor<13x64xf32>", [()], shape_a=lambda: (13, 33),
       shape_b=lambda: (33, 64))
matmul("product", dims("s0, s1"), dims("s1, s2"), dims("s0, s2"),
       [(1, 1, 1), (5, 3, 47), (17, 9, 49), (65, 130, 97), (3, 0, 5), (0, 3, 5), (3, 5, 0)], shape_a=lambda m, k, n: (m, k),
       shape_b=lambda m, k, n: (k, n))
TQ, TK = dims("s0, 12, s1, 64"), dims("s0, 12, s2, 64")
matmul("scores", TQ, TK, TQK, [(1, 1, 1), (2, 5, 17), (1, 128, 128), (1, 3, 333)], transposed=True,
       shape_a=lambda b, s, t: (b, 12, s, 64), shape_b=lambda b, s, t: (b, 12, t, 64), bench=(1, 128, 128),
       work=lambda b, s, t: 2 * b * 12 * s * t * 64, flops=True)
matmul("context", TQK, TK, TQ, [(1, 1, 1), (2, 5, 17), (1, 128, 128), (1, 3, 333)],
       shape_a=lambda b, s, t: (b, 12, s, t), shape_b=lambda b, s, t: (b, 12, t, 64), bench=(1, 128, 128),
       work=lambda b, s, t: 2 * b * 12 * s * t * 64, flops=True)
matmul("transposed_odd", dims("s0, s1"), dims("s2, s1"), dims("s0, s2"),
       [(1, 1, 1), (5, 3, 47), (17, 19, 49), (130, 65, 97), (3, 0, 5)], transposed=True, shape_a=lambda m, k, n: (m, k),
       shape_b=lambda m, k, n: (n, k))
matmul("broadcast_batch", dims("s0, 3, s1, 5"), dims("3, 5, s2"), dims("s0, 3, s1, s2"), [(2, 3, 4), (1, 9, 50)],
       shape_a=lambda b, m, n: (b, 3, m, 5), shape_b=lambda b, m, n: (3, 5, n))



def epilogue(name, k, n, b_type, sizes, kind="long", **more):
    """bias, activation and residual behind a product; `few` ops stay on the accumulators, `scalar` ones are no vectors of f32."""
    ta, tc, bias = dims(f"s0, {k}"), dims("s0, " + n), dims(n) if n.startswith("s") else f"tensor<{n}xf32>"
    body = (f"%0 = tfc.matmul %a, %b : {ta}, {b_type}\n%1 = tfc.add %bias, %0 : {bias}, {tc}\n%2 = tfc.tanh %1 : {tc}\n"
            f"%c = tfc.constant dense<2.0> : tensor<f32>\n%3 = tfc.mul %2, %c : {tc}, tensor<f32>\n"
            f"%4 = tfc.add %3, %r : {tc}, {tc}\nreturn %4 : {tc}")
    act, truth = np.tanh, tc.replace("f32", "i1")
    if kind != "long":
        middle = {"few": f"%3 = tfc.relu %1 : {tc}\n",
                  "scalar": f"%z = tfc.constant dense<0.0> : tensor<f32>\n"
                            f"%2 = tfc.compare gt %1, %z : {tc}, tensor<f32>\n%3 = tfc.select %2, %1, %z : {truth}, {tc}, tensor<f32>\n"}[kind]
        body = body.split("%2 =")[0] + middle + f"%4 = tfc.add %3, %r : {tc}, {tc}\nreturn %4 : {tc}"
        act = lambda x: np.maximum(x, 0) / 2

    def make(rng, m, *s):
        columns = s[0] if s else int(n)
        x, y, v, r = normal(rng, m, k), normal(rng, k, columns), normal(rng, columns), normal(rng, m, columns)
        return [x, y, v, r], [2 * act(d(x) @ d(y) + d(v)) + d(r)]
    Case(name, (f"%a: {ta}, %b: {b_type}, %bias: {bias}, %r: {tc}", tc, body), sizes, make, tolerance=2e-5,
         scale=lambda *s: 10.0, **more)


epilogue("epilogue", 33, "101", "tensor<33x101xf32>", [(1,), (9,), (70,), (0,)])
epilogue("epilogue_whole", 8, "48", "tensor<8x48xf32>", [(1,), (9,)])
epilogue("epilogue_fewer_vectors", 8, "80", "tensor<8x80xf32>", [(1,), (9,)])
for kind in ("few", "scalar"):
    epilogue("epilogue_" + kind, 33, "101", "tensor<33x101xf32>", [(1,), (9,), (70,), (0,)], kind)
    epilogue(f"epilogue_{kind}_whole", 8, "48", "tensor<8x48xf32>", [(1,), (9,)], kind)
epilogue("epilogue_dynamic", 19, "s1", dims("19, s1"), [(1, 1), (9, 50), (3, 0), (65, 97)])


def epilogue_out(name, perm, b_type, sizes, element="f32", transposed=False):
    """What follows a product is a cast, a transpose of what is stored, or both."""
    ta = dims("s0, s1, 21")
    tc, stored = dims("s0, s1, 37"), [["s0", "s1", "37"][i] for i in perm]
    tl, to = dims("s0, s1, 37", element), dims(", ".join(stored), element)
    body = ("%0 = tfc.matmul %a, %b" + (" {transpose_b}" if transposed else "") + f" : {ta}, {b_type}\n"
            f"%1 = tfc.add %0, %bias : {tc}, tensor<37xf32>\n")
    last = "%1"
    if element != "f32":
        body += f"%2 = tfc.cast %1 : {tc} -> {tl}\n"
        last = "%2"
    if perm != [0, 1, 2]:
        body += f"%3 = tfc.transpose {last} {perm} : {tl}\n"
        last = "%3"

    def make(rng, b, s):
        x, v = normal(rng, b, s, 21), normal(rng, 37)
        y = normal(rng, *([b] if "s0" in b_type else []), *((37, 21) if transposed else (21, 37)))
        whole = d(x) @ (d(y).swapaxes(-1, -2) if transposed else d(y)) + d(v)
        return [x, y, v], [np.ascontiguousarray(whole.transpose(perm)).astype(np.float16 if element == "f16" else np.float32)]
    Case(name, (f"%a: {ta}, %b: {b_type}, %bias: tensor<37xf32>", to, body + f"return {last} : {to}"), sizes, make,
         tolerance=1e-3 if element == "f16" else 2e-5, scale=lambda *s: 10.0, dtypes=[np.float16 if element == "f16" else np.float32])


OUT_SIZES = [(1, 1), (1, 7), (2, 65), (3, 19), (0, 3), (2, 0)]
epilogue_out("out_f16", [0, 1, 2], "tensor<21x37xf32>", OUT_SIZES, "f16")
epilogue_out("out_rows", [0, 2, 1], "tensor<21x37xf32>", OUT_SIZES)
epilogue_out("out_batch", [1, 0, 2], "tensor<21x37xf32>", OUT_SIZES)
epilogue_out("out_both", [2, 1, 0], "tensor<21x37xf32>", OUT_SIZES, "f16")
epilogue_out("out_batches", [1, 0, 2], dims("s0, 21, 37"), OUT_SIZES)
epilogue_out("out_transposed", [2, 0, 1], dims("s0, 37, 21"), OUT_SIZES, "f16", transposed=True)


# Numbers of 16 bits: numpy has bf16 as integers alone.
def narrow(x, element):
    """The number rounded, as it is stored and as f64."""
    if element == "f16":
        half = np.asarray(x, np.float16)
        return half, d(half)
    if element == "bf16":
        words = to_bf16(x)
        return words, d(from_bf16(words))
    return f32(x), d(f32(x))


def packed(name, k, n, width, sizes, epilogue=None, to_f16=False, chain=False, element="f32", **more):
    """
    A right operand in panels, as tfc-pack-weights leaves it; a width that the target's vectors do not fit takes the generic road.
    `epilogue` is one of EPILOGUES. With `chain` all products are exact, and the sums must be those of one chain in the order of k.
    A right operand of 16 bits is read through a cast.
    """
    panels, rest = n // width, n % width
    tp, tw, tt, tb = (f"tensor<{x}x{element}>" for x in (f"{panels}x{k}x{width}", f"{k}x{panels * width}", f"{k}x{rest}", f"{k}x{n}"))
    ta, tc = dims(f"s0, s1, {k}"), dims(f"s0, s1, {n}")
    join = f"%b = tfc.concat %w, %t axis 1 : {tw}, {tt}\n" if rest else ""
    b, wide = "%b" if rest else "%w", f"tensor<{k}x{n}xf32>"
    cast = f"%c = tfc.cast {b} : {tb} -> {wide}\n" if element != "f32" else ""
    body = (f"%x = tfc.transpose %p [1, 0, 2] : {tp}\n%w = tfc.reshape %x : tensor<{k}x{panels}x{width}x{element}> -> {tw}\n{join}{cast}"
            f"%0 = tfc.matmul %a, {'%c' if cast else b} : {ta}, {wide}\n")
    ops, apply = EPILOGUES[epilogue]
    made = "%0"
    for i, op in enumerate(ops, 1):
        body += f"%{i} = " + op.format(made, t=tc, n=n) + "\n"
        made = f"%{i}"
    to = tc
    if to_f16:
        th, to = dims(f"s0, s1, {n}", "f16"), dims(f"s1, {n}, s0", "f16")
        body += f"%h = tfc.cast {made} : {tc} -> {th}\n%o = tfc.transpose %h [1, 2, 0] : {th}\n"
        made = "%o"
    body += f"return {made} : {to}"

    def make(rng, b, s):
        x, bias, residual = normal(rng, b, s, k), normal(rng, n), normal(rng, b, s, n)
        y, exact = narrow(normal(rng, k, n), element)
        if chain:
            x = f32(rng.choice([-1, 1], (b, s, 1)) * rng.choice([0.5, 1, 2], (b, s, k)))
        whole = np.ascontiguousarray(y[:, :panels * width].reshape(k, panels, width).transpose(1, 0, 2))
        inputs = [x, whole] + ([np.ascontiguousarray(y[:, panels * width:])] if rest else [])
        if chain:
            return inputs, [np.cumsum(x[..., None] * y, axis=2, dtype=np.float32)[:, :, -1]]
        expected = apply(d(x) @ exact, d(bias), d(residual))
        inputs += [bias] * (epilogue is not None) + [residual] * (epilogue == "residual")
        return inputs, [np.ascontiguousarray(expected.transpose(1, 2, 0)).astype(np.float16) if to_f16 else expected]
    arguments = f"%a: {ta}, %p: {tp}" + (f", %t: {tt}" if rest else "") + (f", %v: tensor<{n}xf32>" if epilogue else "")
    arguments += f", %r: {tc}" if epilogue == "residual" else ""
    Case(name, (arguments, to, body), sizes, make, tolerance=0 if chain else 1e-3 if to_f16 else 2e-5,
         # A number of f16 may be the neighbour, whatever its size.
         scale=None if to_f16 else lambda *s: 10.0 if k < 1000 else 40.0, dtypes=[np.float16] if to_f16 else None, **more)


BIAS = "tfc.add {}, %v : {t}, tensor<{n}xf32>"
EPILOGUES = {None: ([], lambda x, v, r: x),
             "bias": ([BIAS], lambda x, v, r: x + v),
             "residual": ([BIAS, "tfc.add {}, %r : {t}, {t}"], lambda x, v, r: x + v + r),
             "gelu": ([BIAS, "tfc.gelu erf {} : {t}"], lambda x, v, r: gelu(x + v))}


packed("packed", 768, 3072, 48, [(1, 1), (1, 9), (2, 45), (1, 300), (0, 3)], bench=(1, 128),
       work=lambda b, s: 2 * b * s * 768 * 3072, flops=True)
packed("packed_tail", 77, 101, 48, [(1, n) for n in range(1, 18)] + [(3, 43), (1, 257)])
packed("packed_whole_vector_tail", 70, 112, 48, [(1, 1), (1, 20)])
packed("packed_large_a", 768, 101, 48, [(1, 2800), (3, 1001)])
packed("packed_wide_tail", 70, 140, 48, [(1, 1), (1, 5), (2, 23)])
packed("packed_block_tail", 33, 120, 48, [(1, 1), (1, 13)])
packed("packed_short", 3, 50, 32, [(1, 1), (1, 33)])
packed("packed_other_width", 33, 61, 24, [(1, 1), (1, 19), (2, 50)])
packed("packed_chain", 1000, 101, 48, [(1, 1), (1, 9), (2, 45)], chain=True)
# K in slices: some that end inside of the unrolled loop, tails of columns, more panels than are gone through together, several
# tiles of rows, and all kinds of epilogue.
packed("sliced", 2048, 96, 48, [(1, 1), (1, 8), (1, 300), (0, 3)])
packed("sliced_chain", 3075, 301, 48, [(1, 1), (1, 13), (2, 70)], chain=True)
packed("sliced_tail", 2051, 101, 48, [(1, n) for n in range(1, 18)] + [(3, 43), (1, 257)], epilogue="bias")
packed("sliced_residual", 2500, 510, 48, [(1, 1), (3, 50), (2, 129)], epilogue="residual")
packed("sliced_gelu", 2049, 300, 48, [(1, 1), (3, 50)], epilogue="gelu")
packed("sliced_out", 2050, 149, 48, [(1, 1), (2, 65), (0, 3), (2, 0)], epilogue="gelu", to_f16=True)
packed("sliced_narrow", 2053, 61, 24, [(1, 1), (1, 19), (2, 50)], epilogue="residual")
packed("sliced_f16", 2049, 301, 48, [(1, 1), (1, 9), (2, 70)], epilogue="residual", element="f16")
packed("sliced_bf16", 2050, 96, 48, [(1, 1), (1, 300)], epilogue="bias", element="bf16")
for element in ("f16", "bf16"):
    packed(f"packed_{element}", 768, 3072, 48, [(1, 1), (1, 9), (2, 45), (1, 300), (0, 3)], element=element, bench=(1, 128),
           work=lambda b, s: 2 * b * s * 768 * 3072, flops=True)
    packed(f"packed_{element}_tail", 77, 101, 48, [(1, n) for n in range(1, 18)] + [(3, 43), (1, 257)], element=element)
    packed(f"packed_{element}_block_tail", 33, 120, 48, [(1, 1), (1, 13)], element=element)
    packed(f"packed_{element}_other_width", 33, 61, 24, [(1, 1), (1, 19), (2, 50)], element=element)


def transposed_half(name, k, n, element, sizes):
    """A right operand of 16 bits as [n, k], which is not packed, and one as [k, n]."""
    for flag, tb, turn in ((" {transpose_b}", f"{n}x{k}", True), ("", f"{k}x{n}", False)):
        ta, tc = dims(f"s0, {k}"), dims(f"s0, {n}")
        body = (f"%c = tfc.cast %b : tensor<{tb}x{element}> -> tensor<{tb}xf32>\n"
                f"%0 = tfc.matmul %a, %c{flag} : {ta}, tensor<{tb}xf32>\nreturn %0 : {tc}")

        def make(rng, m, turn=turn):
            x, (y, exact) = normal(rng, m, k), narrow(normal(rng, n, k) if turn else normal(rng, k, n), element)
            return [x, y], [d(x) @ (exact.T if turn else exact)]
        Case(f"{name}_{'t' if turn else 'n'}", (f"%a: {ta}, %b: tensor<{tb}x{element}>", tc, body), sizes, make, tolerance=2e-5, scale=lambda *s: 10.0)


for element in ("f16", "bf16"):
    transposed_half(f"rows_{element}", 45, 101, element, [(1,), (2,), (17,), (0,)])

#===-- Data movement ----------------------------------------------------------------------------------===#

TI = dims("s0, s1", "i64")


def make_gather(rng, b, s):
    table, ids = normal(rng, 101, 768), rng.integers(-101, 101, (b, s))
    return [table, ids], [d(table)[ids]]


Case("gather", (f"%t: tensor<101x768xf32>, %i: {TI}", TBS,
                f"%0 = tfc.gather %t, %i axis 0 : tensor<101x768xf32>, {TI}\nreturn %0 : {TBS}"),
     [(1, 1), (2, 7), (0, 3)], make_gather, 0, bench=(1, 128), work=lambda b, s: b * s * 768)


def make_bad_gather(rng, b, s):
    table, ids = normal(rng, 101, 768), rng.integers(0, 101, (b, s))
    ids[0, 1] = 101
    expected = d(table)[np.where(ids == 101, 0, ids)]
    return [table, ids], [expected]


Case("gather_bad", (f"%t: tensor<101x768xf32>, %i: {TI}", TBS,
                    f"%0 = tfc.gather %t, %i axis 0 : tensor<101x768xf32>, {TI}\nreturn %0 : {TBS}"),
     [(1, 4)], make_bad_gather, 0, failed=(0, 101, -101))



def packed_lookup(name, rows, columns, width, transposed):
    """A table that is packed for the product it is tied to: rows of it, or of its transpose."""
    n, k = (rows, columns) if transposed else (columns, rows)
    panels, rest = n // width, n % width
    tp, tx, tw, tt, tb = (f"tensor<{x}xf32>" for x in (f"{panels}x{k}x{width}", f"{k}x{panels}x{width}", f"{k}x{panels * width}",
                                                      f"{k}x{rest}", f"{k}x{n}"))
    join = f"%b = tfc.concat %w, %t axis 1 : {tw}, {tt}\n" if rest else ""
    b = "%b" if rest else "%w"
    swap = f"%y = tfc.transpose {b} [1, 0] : {tb}\n" if transposed else ""
    result = dims(f"s0, s1, {columns}")
    body = (f"%x = tfc.transpose %p [1, 0, 2] : {tp}\n%w = tfc.reshape %x : {tx} -> {tw}\n{join}{swap}"
            f"%0 = tfc.gather {'%y' if transposed else b}, %i axis 0 : tensor<{rows}x{columns}xf32>, {TI}\nreturn %0 : {result}")

    def make(rng, s, t):
        table, ids = normal(rng, rows, columns), rng.integers(-rows, rows, (s, t))
        y = table.T if transposed else table
        whole = np.ascontiguousarray(y[:, :panels * width].reshape(k, panels, width).transpose(1, 0, 2))
        return [whole] + ([np.ascontiguousarray(y[:, panels * width:])] if rest else []) + [ids], [d(table)[ids]]
    Case(name, (f"%p: {tp}, " + (f"%t: {tt}, " if rest else "") + f"%i: {TI}", result, body), [(1, 1), (3, 200), (0, 2)], make, 0)


packed_lookup("lookup_in_panels", 101, 37, 16, True)
packed_lookup("lookup_in_whole_panels", 96, 37, 48, True)
packed_lookup("lookup_across_panels", 37, 101, 16, False)

TPAST, TNEW, TALL = dims("s0, 3, s1, 8"), dims("s0, s2, 3, 8"), dims("s0, 3, s1 + s2, 8")
TROW = dims("s0, s2, 9, 8")


def make_present(rng, b, past, new):
    old, row = normal(rng, b, 3, past, 8), normal(rng, b, new, 9, 8)
    return [old, row], [np.concatenate([old, row[:, :, 3:6].swapaxes(1, 2)], 2)]


Case("present", (f"%a: {TPAST}, %b: {TROW}", TALL,
                 f"%0 = tfc.slice %b offsets [0, 0, 3, 0] strides [1, 1, 1, 1] : {TROW} -> {TNEW}\n"
                 f"%1 = tfc.transpose %0 [0, 2, 1, 3] : {TNEW}\n"
                 f"%2 = tfc.concat %a, %1 axis 2 : {TPAST}, {dims('s0, 3, s2, 8')}\nreturn %2 : {TALL}"),
     [(1, 4, 1), (2, 0, 5), (1, 300, 7), (2, 3, 0), (0, 1, 1)], make_present, 0)

TH = dims("s0, s1, 12, 64")
TT = dims("s0, 12, s1, 64")
Case("transpose", (f"%x: {TH}", TT, f"%0 = tfc.transpose %x [0, 2, 1, 3] : {TH}\nreturn %0 : {TT}"), [(1, 1), (2, 5)],
     lambda rng, b, s: (lambda x: ([x], [d(x).transpose(0, 2, 1, 3)]))(normal(rng, b, s, 12, 64)), 0, bench=(1, 128),
     work=lambda b, s: b * s * 768)

TB = dims("s0, s1", "i1")
T2 = dims("s0, s1")
Case("compare_select", (f"%x: {T2}, %y: {T2}", f"{TB}, {T2}",
                        f"%0 = tfc.compare lt %x, %y : {T2}, {T2}\n%1 = tfc.select %0, %x, %y : {TB}, {T2}, {T2}\n"
                        f"return %0, %1 : {TB}, {T2}"), [(1, 1), (3, 77)],
     lambda rng, a, b: (lambda x, y: ([x, y], [x < y, np.minimum(d(x), d(y))]))(normal(rng, a, b), normal(rng, a, b)), 0,
     dtypes=[np.uint8, np.float32])

Case("cumsum", (f"%x: {T2}", T2, f"%0 = tfc.cumsum %x axis 1 : {T2}\nreturn %0 : {T2}"), [(1, 1), (3, 20), (0, 2), (2, 0)],
     lambda rng, a, b: (lambda x: ([x], [np.cumsum(d(x), 1)]))(normal(rng, a, b)), 1e-5)

Case("column_sum", (f"%x: {T2}", dims("s1"), f"%0 = tfc.reduce sum %x axes [0] : {T2}\nreturn %0 : {dims('s1')}"),
     [(1, 1), (30, 77), (0, 2), (2, 0)],
     lambda rng, a, b: (lambda x: ([x], [d(x).sum(0)]))(normal(rng, a, b)), 1e-5)
