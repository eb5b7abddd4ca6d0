#!/usr/bin/env python3
# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The plain lowering of every op against numpy: static, dynamic, empty and broadcast shapes, NaN and infinity.

usage: run_numeric.py TFC_OPT LLVM_BIN [FOLDER]     (prints one line per failure and `N passed, N failed`)
"""

import math
import os
import sys
import tempfile
import warnings

import numpy as np

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")]
from bfloat16 import from_bf16, to_bf16  # noqa: E402
from numeric_harness import Case, Library, NUMPY_TYPES  # noqa: E402

CASES = []
erf = np.vectorize(math.erf, otypes=[np.float64])
TOLERANCE = {"f16": 2e-3, "bf16": 1e-2, "f32": 2e-6, "f64": 1e-12}


def case(name, arguments, body, results, reference, sizes=({},), data=None, tolerance=None, bad=None):
    CASES.append(Case(name, arguments, body, results, reference, list(sizes), data, tolerance, bad))


def evaluate(dim, symbols):
    functions = {"broadcast": lambda a, b: b if a == 1 else a, "floordiv": lambda a, b: a // b if b else 0,
                 "mod": lambda a, b: a % b if b else 0, "wrap": lambda a, b: a + b if a < 0 else a}
    return dim if isinstance(dim, int) else eval(dim, {**functions, **symbols, "min": min, "max": max})


def make(rng, shape, element):
    dtype = NUMPY_TYPES[element]
    if element == "i1":
        return rng.random(shape) < 0.5
    if element == "bf16":
        return to_bf16(rng.standard_normal(shape).astype(np.float32))
    if np.issubdtype(dtype, np.integer):
        return rng.integers(0 if element[0] == "u" else -9, 10, shape).astype(dtype)
    return np.asarray(rng.standard_normal(shape) * 2).astype(dtype)


def run_case(library, case, rng):
    """The messages of what went wrong."""
    for symbols in case.sizes:
        arrays = []
        for name, (dims, element) in case.arguments.items():
            shape = [evaluate(d, symbols) for d in dims]
            given = case.data(name, shape, rng) if case.data else None
            arrays.append(make(rng, shape, element) if given is None else np.asarray(given, NUMPY_TYPES[element]))
            if list(arrays[-1].shape) != shape:
                yield f"{case.name}: test data of {name} has shape {arrays[-1].shape}, not {shape}"
                return
        plain = [from_bf16(a) if e == "bf16" else a for a, (_, e) in zip(arrays, case.arguments.values())]
        with np.errstate(all="ignore"):
            wanted = case.reference(*plain)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        results = library.call(case, arrays)
        bad = library.first_bad_index()
        if bad != case.bad:
            yield f"{case.name} {symbols}: first bad index (check, value) is {bad}, not {case.bad}"
        for got, want, (dims, element) in zip(results, wanted, case.results):
            want = np.asarray(want)
            shape = [evaluate(d, symbols) for d in dims]
            if list(got.shape) != shape or list(want.shape) != shape:
                yield f"{case.name} {symbols}: shapes: type {shape}, result {got.shape}, numpy {want.shape}"
                continue
            got = from_bf16(got) if element == "bf16" else got
            tolerance = case.tolerance if case.tolerance is not None else TOLERANCE.get(element, 0)
            if got.dtype == np.bool_ or np.issubdtype(got.dtype, np.integer):
                good = got == want
            else:
                good = np.isclose(got.astype(np.float64), want.astype(np.float64), rtol=tolerance,
                                  atol=tolerance, equal_nan=True)
            if not np.all(good):
                at = np.unravel_index(np.argmin(good), got.shape) if got.ndim else ()
                yield f"{case.name} {symbols}: at {at} {got[at]!r} instead of {want[at]!r} ({np.sum(~good)} wrong)"


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3e38, -3e38, 1e-40, np.inf, -np.inf, np.nan, 7.0]


def special(name, shape, rng):
    """All pairs of special values for 16 x 16 operands."""
    grid = np.array(SPECIAL)
    if shape == [16, 16]:
        return np.broadcast_to(grid[:, None] if name == "x" else grid[None, :], (16, 16))
    return np.resize(np.concatenate([grid, rng.standard_normal(40) * 3]), shape)


N4 = [dict(n=0), dict(n=1), dict(n=5)]

# --- elementwise, one operand ---------------------------------------------------------------------------------------
UNARY = {
    "abs": np.abs, "neg": np.negative, "sign": np.sign, "ceil": np.ceil, "floor": np.floor, "round": np.rint,
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "reciprocal": lambda x: 1 / x, "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "tanh": np.tanh, "erf": erf, "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.where(np.isnan(x), x, np.maximum(x, 0)),
}
for op, reference in UNARY.items():
    for element in ("f32", "f64", "f16", "bf16"):
        def f(x, reference=reference, op=op):
            y = reference(x.astype(np.float64) if x.dtype != np.float64 else x)
            return y
        data = None
        if element in ("f32", "f64") and op not in ("tan", "sin", "cos"):
            data = special
        case(f"{op}_{element}", {"x": (["n", 16], element)}, f"%y = tfc.{op} %x : {{x}}", [(["n", 16], element)],
             lambda x, f=f, e=element: f(x).astype(np.float32).astype(np.float16).astype(np.float32) if e == "f16"
             else from_bf16(to_bf16(f(x).astype(np.float32))) if e == "bf16" else f(x).astype(x.dtype),
             N4, data, tolerance=1e-5 if element == "f32" else None)
for op in ("abs", "neg", "sign", "relu"):
    reference = {"abs": np.abs, "neg": np.negative, "sign": np.sign, "relu": lambda x: np.maximum(x, 0)}[op]
    case(f"{op}_i32", {"x": ([9], "i32")}, f"%y = tfc.{op} %x : {{x}}", [([9], "i32")], reference,
         data=lambda n, s, r: [0, 1, -1, 5, -7, 2**31 - 1, -2**31, -2**31 + 1, 3])
    case(f"{op}_ui8", {"x": ([6], "ui8")}, f"%y = tfc.{op} %x : {{x}}", [([6], "ui8")],
         {"neg": lambda x: (-x.astype(np.int32)).astype(np.uint8), "sign": lambda x: (x > 0).astype(np.uint8)}.get(
             op, lambda x: x), data=lambda n, s, r: [0, 1, 127, 128, 200, 255])
case("not_i1", {"x": (["n", 3], "i1")}, "%y = tfc.not %x : {x}", [(["n", 3], "i1")], np.logical_not, N4)
case("not_i32", {"x": ([5], "i32")}, "%y = tfc.not %x : {x}", [([5], "i32")], np.invert)
case("is_nan", {"x": ([20], "f32")}, "%y = tfc.is_nan %x : {x}", [([20], "i1")], np.isnan, data=special)
case("is_inf", {"x": ([20], "f32")}, "%y = tfc.is_inf %x : {x}", [([20], "i1")], np.isinf, data=special)
case("is_inf_negative", {"x": ([20], "f32")}, "%y = tfc.is_inf %x {positive = false} : {x}", [([20], "i1")], np.isneginf,
     data=special)
GELU = {"erf": lambda x: x / 2 * (1 + erf(x / np.sqrt(2))),
        "tanh": lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        "quick": lambda x: x / (1 + np.exp(-1.702 * x))}
for kind, reference in GELU.items():
    case(f"gelu_{kind}", {"x": (["n", 7], "f32")}, f"%y = tfc.gelu {kind} %x : {{x}}", [(["n", 7], "f32")],
         lambda x, f=reference: f(x.astype(np.float64)), N4)

# --- casts ----------------------------------------------------------------------------------------------------------
BAD_FLOATS = [0.0, -0.9, 0.9, 1.5, -1.5, 127.9, -128.9, 300.0, -300.0, 3e9, -3e9, 1e19, -1e19, np.inf, -np.inf, np.nan]


def saturate(x, dtype):
    info = np.iinfo(dtype)
    out = []
    for v in np.asarray(x, np.float64).ravel():
        out.append(0 if np.isnan(v) else info.max if v >= float(info.max) + (info.bits < 64) else
                   info.min if v < info.min else int(v))
    return np.array(out, dtype).reshape(np.shape(x))


for target in ("i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64"):
    for source in ("f32", "f64"):
        case(f"cast_{source}_{target}", {"x": ([16], source)}, "%y = tfc.cast %x : {x} -> {r0}", [([16], target)],
             lambda x, t=target: saturate(x, NUMPY_TYPES[t]), data=lambda n, s, r: BAD_FLOATS)
INTEGERS = [0, 1, -1, 100, -100, 255, 256, 65535, -40000, 2**31 - 1, -2**31, 12345678]
for source, target in [("i32", "i8"), ("i32", "ui8"), ("i32", "i64"), ("i64", "i32"), ("ui8", "i32"), ("ui8", "i64"),
                       ("i8", "ui32"), ("ui32", "f32"), ("i32", "f32"), ("i64", "f64"), ("ui64", "f64"), ("i32", "f16")]:
    case(f"cast_{source}_{target}", {"x": ([12], source)}, "%y = tfc.cast %x : {x} -> {r0}", [([12], target)],
         lambda x, t=target: x.astype(np.float32).astype(NUMPY_TYPES[t]) if t == "f16" else x.astype(NUMPY_TYPES[t]),
         data=lambda n, s, r, t=source: np.array(INTEGERS, np.int64).astype(NUMPY_TYPES[t]))
case("cast_f32_i1", {"x": ([20], "f32")}, "%y = tfc.cast %x : {x} -> {r0}", [([20], "i1")], lambda x: x != 0, data=special)
case("cast_i64_i1", {"x": ([4], "i64")}, "%y = tfc.cast %x : {x} -> {r0}", [([4], "i1")], lambda x: x != 0,
     data=lambda n, s, r: [0, 1, 256, -1])
case("cast_i1_f32", {"x": (["n"], "i1")}, "%y = tfc.cast %x : {x} -> {r0}", [(["n"], "f32")], lambda x: x * 1.0, N4)
case("cast_i1_i64", {"x": (["n"], "i1")}, "%y = tfc.cast %x : {x} -> {r0}", [(["n"], "i64")], lambda x: x * 1, N4)
case("cast_f32_f16", {"x": ([40], "f32")}, "%y = tfc.cast %x : {x} -> {r0}", [([40], "f16")],
     lambda x: x.astype(np.float16), data=special, tolerance=0)
case("cast_f32_bf16", {"x": ([40], "f32")}, "%y = tfc.cast %x : {x} -> {r0}", [([40], "bf16")],
     lambda x: from_bf16(to_bf16(x)), tolerance=0)
# Values next to ties of f16 that a rounding by way of f32 would turn into ties.
TIES = [1 + 2**-11 + s * 2.0**-40 for s in (-1, 0, 1)] + [1 + 3 * 2**-11 + s * 2.0**-40 for s in (-1, 0, 1)]
case("cast_f64_f16", {"x": ([10], "f64")}, "%y = tfc.cast %x : {x} -> {r0}", [([10], "f16")],
     lambda x: x.astype(np.float16), data=lambda n, s, r: TIES + [np.inf, np.nan, 1e300, -65519.999], tolerance=0)
case("cast_f16_f64", {"x": ([40], "f16")}, "%y = tfc.cast %x : {x} -> {r0}", [([40], "f64")], lambda x: x, tolerance=0)
case("cast_bf16_f32", {"x": (["n"], "bf16")}, "%y = tfc.cast %x : {x} -> {r0}", [(["n"], "f32")], lambda x: x, N4)

# --- elementwise, two operands --------------------------------------------------------------------------------------
BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "min": np.minimum, "max": np.maximum,
          "mod": np.mod, "pow": np.power}
for op, reference in BINARY.items():
    case(f"{op}_special", {"x": ([16, 16], "f32"), "y": ([16, 16], "f32")}, f"%z = tfc.{op} %x, %y : {{x}}, {{y}}",
         [([16, 16], "f32")], reference, data=special, tolerance=1e-5)
    case(f"{op}_f16", {"x": ([8], "f16"), "y": ([8], "f16")}, f"%z = tfc.{op} %x, %y : {{x}}, {{y}}", [([8], "f16")],
         lambda x, y, f=reference: f(x.astype(np.float32), y.astype(np.float32)).astype(np.float16))
case("fmod_special", {"x": ([16, 16], "f32"), "y": ([16, 16], "f32")}, "%z = tfc.mod %x, %y {fmod} : {x}, {y}",
     [([16, 16], "f32")], np.fmod, data=special)
PAIRS = [(7, 2), (-7, 2), (7, -2), (-7, -2), (5, 0), (-5, 0), (0, 0), (6, 3), (-6, 3), (-2**31, -1), (-2**31, 1), (2**31 - 1, -1),
         (-8, -3), (0, -4)]


def int_div(x, y):
    out = [0 if b == 0 else int(abs(int(a)) // abs(int(b))) * (1 if (a < 0) == (b < 0) else -1) for a, b in zip(x, y)]
    return np.array(out, np.int64).astype(x.dtype)


def int_mod(x, y, fmod=False):
    out = [0 if b == 0 else int(math.fmod(a, b)) if fmod else int(a) % int(b) for a, b in zip(x, y)]
    return np.array(out, np.int64).astype(x.dtype)


def pairs(name, shape, rng):
    return np.array([p[0 if name == "x" else 1] for p in PAIRS], np.int64)


def binary_int(op, element, reference, data, count, extra=""):
    case(f"{op}_{element}{'_fmod' if extra else ''}", {"x": ([count], element), "y": ([count], element)},
         f"%z = tfc.{op} %x, %y {extra} : {{x}}, {{y}}", [([count], element)], reference, data=data)


for element in ("i32", "i64"):
    binary_int("div", element, int_div, pairs, len(PAIRS))
    binary_int("mod", element, int_mod, pairs, len(PAIRS))
    binary_int("mod", element, lambda x, y: int_mod(x, y, True), pairs, len(PAIRS), "{fmod}")
    for op in ("add", "sub", "mul", "min", "max"):
        binary_int(op, element, BINARY[op], pairs, len(PAIRS))
UPAIRS = ([0, 1, 200, 255, 128, 7], [0, 255, 3, 0, 127, 9])
for op, reference in {"div": int_div, "mod": int_mod, "min": np.minimum, "max": np.maximum, "add": np.add, "sub": np.subtract}.items():
    binary_int(op, "ui8", reference, lambda n, s, r: UPAIRS[n == "y"], 6)
POWERS = [(2, 10), (-2, 3), (3, 0), (0, 0), (0, -2), (1, -5), (-1, -3), (-1, -4), (2, -1), (7, 2), (3, 40), (-3, 1)]
case("pow_i32", {"x": ([12], "i32"), "y": ([12], "i32")}, "%z = tfc.pow %x, %y : {x}, {y}", [([12], "i32")],
     lambda x, y: np.array([(0 if a == 0 else 1 if a == 1 else (-1) ** (b % 2) if a == -1 else 0) if b < 0 else
                            ((int(a) ** int(b) + 2**31) % 2**32) - 2**31 for a, b in zip(x, y)]),
     data=lambda n, s, r: [p[n == "y"] for p in POWERS])
for op, reference in {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}.items():
    case(f"{op}_i1", {"x": (["n", 8], "i1"), "y": ([8], "i1")}, f"%z = tfc.{op} %x, %y : {{x}}, {{y}}", [(["n", 8], "i1")],
         reference, N4)
    binary_int(op, "i32", {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}[op], None, 7)
COMPARE = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
for kind, reference in COMPARE.items():
    case(f"compare_{kind}_f32", {"x": ([16, 16], "f32"), "y": ([16, 16], "f32")},
         f"%z = tfc.compare {kind} %x, %y : {{x}}, {{y}}", [([16, 16], "i1")], reference, data=special)
    case(f"compare_{kind}_i64", {"x": (["n"], "i64"), "y": ([], "i64")}, f"%z = tfc.compare {kind} %x, %y : {{x}}, {{y}}",
         [(["n"], "i1")], reference, [dict(n=40)])
    case(f"compare_{kind}_ui8", {"x": ([6], "ui8"), "y": ([6], "ui8")}, f"%z = tfc.compare {kind} %x, %y : {{x}}, {{y}}",
         [([6], "i1")], reference, data=lambda n, s, r: UPAIRS[n == "y"])
    case(f"compare_{kind}_i1", {"x": ([4], "i1"), "y": ([4], "i1")}, f"%z = tfc.compare {kind} %x, %y : {{x}}, {{y}}",
         [([4], "i1")], reference, data=lambda n, s, r: [0, 0, 1, 1] if n == "x" else [0, 1, 0, 1])
AB = [dict(a=1, b=5), dict(a=5, b=1), dict(a=3, b=3), dict(a=1, b=1), dict(a=0, b=1), dict(a=1, b=0), dict(a=0, b=0)]
case("broadcast_at_run_time", {"x": (["a", 4], "f32"), "y": (["b", 4], "f32")}, "%z = tfc.add %x, %y : {x}, {y}",
     [(["broadcast(a, b)", 4], "f32")], np.add, AB)
case("broadcast_last_dim_at_run_time", {"x": ([3, "a"], "f32"), "y": (["b"], "f32")}, "%z = tfc.sub %x, %y : {x}, {y}",
     [([3, "broadcast(a, b)"], "f32")], np.subtract, AB)
case("broadcast_to_static_at_run_time", {"x": (["a"], "f32"), "y": ([5], "f32")}, "%z = tfc.mul %x, %y : {x}, {y}",
     [([5], "f32")], np.multiply, [dict(a=1), dict(a=5)])
case("broadcast_ones", {"x": (["n", 1, 3], "f32"), "y": ([4, 1], "f32")}, "%z = tfc.add %x, %y : {x}, {y}",
     [(["n", 4, 3], "f32")], np.add, N4)
case("select", {"c": ([1, "n"], "i1"), "x": ([], "f32"), "y": ([3, "n"], "f32")}, "%z = tfc.select %c, %x, %y : {c}, {x}, {y}",
     [([3, "n"], "f32")], np.where, N4)
case("select_bool", {"c": (["n"], "i1"), "x": (["n"], "i1"), "y": (["n"], "i1")}, "%z = tfc.select %c, %x, %y : {c}, {x}, {y}",
     [(["n"], "i1")], np.where, N4)
case("scalar_constant", {"x": (["n"], "f32")}, "%c = tfc.constant dense<2.5> : tensor<f32>\n%z = tfc.mul %x, %c : {x}, tensor<f32>",
     [(["n"], "f32")], lambda x: x * 2.5, N4)
case("vector_constant", {"x": (["n", 3], "ui8")}, "%c = tfc.constant dense<[1, 2, 250]> : tensor<3xui8>\n"
     "%z = tfc.max %x, %c : {x}, tensor<3xui8>", [(["n", 3], "ui8")], lambda x: np.maximum(x, np.uint8([1, 2, 250])), N4)
case("bool_constant", {"x": (["n", 3], "i1")}, "%c = tfc.constant dense<[true, false, true]> : tensor<3xi1>\n"
     "%z = tfc.and %x, %c : {x}, tensor<3xi1>", [(["n", 3], "i1")], lambda x: x & np.array([True, False, True]), N4)
case("constant_result", {"x": ([2], "f32")}, "%c = tfc.constant dense<[true, false, true]> : tensor<3xi1>", [([3], "i1")],
     lambda x: np.array([True, False, True]))
case("dim_values", {"x": (["n", "m"], "f32")}, "%c = tfc.dim_values [2 * n + m, n * m, floordiv(n, m), mod(n, m), min(n, m), "
     "max(n, 3), wrap(m - 4, n), 7] : tensor<8xi64>", [([8], "i64")],
     lambda x: (lambda n, m: np.array([2 * n + m, n * m, n // m if m else 0, n % m if m else 0, min(n, m), max(n, 3),
                                       m - 4 + n if m < 4 else m - 4, 7]))(*x.shape),
     [dict(n=5, m=3), dict(n=4, m=0), dict(n=0, m=7), dict(n=9, m=9)])
case("chain", {"x": (["n", 40], "f32"), "y": ([40], "f32")},
     "%a = tfc.add %x, %y : {x}, {y}\n%b = tfc.compare gt %a, %y : {x}, {y}\n%z = tfc.select %b, %a, %x : {b}, {x}, {x}"
     .replace("{b}", "tensor<?x40xi1, #tfc.dims<n, 40>>"), [(["n", 40], "f32")], lambda x, y: np.where(x + y > y, x + y, x), N4)

# --- matmul ---------------------------------------------------------------------------------------------------------
MKN = [dict(m=4, k=7, n=5), dict(m=1, k=64, n=33), dict(m=0, k=3, n=2), dict(m=2, k=0, n=3)]
case("matmul", {"a": (["m", "k"], "f32"), "b": (["k", "n"], "f32")}, "%c = tfc.matmul %a, %b : {a}, {b}", [(["m", "n"], "f32")],
     np.matmul, MKN, tolerance=1e-5)
case("matmul_ta", {"a": (["k", "m"], "f32"), "b": (["k", "n"], "f32")}, "%c = tfc.matmul %a, %b {transpose_a} : {a}, {b}",
     [(["m", "n"], "f32")], lambda a, b: a.T @ b, MKN, tolerance=1e-5)
case("matmul_tb", {"a": (["m", "k"], "f32"), "b": (["n", "k"], "f32")}, "%c = tfc.matmul %a, %b {transpose_b} : {a}, {b}",
     [(["m", "n"], "f32")], lambda a, b: a @ b.T, MKN, tolerance=1e-5)
case("matmul_batch", {"a": (["b", 3, "m", 8], "f32"), "b": ([3, 8, 5], "f32")}, "%c = tfc.matmul %a, %b : {a}, {b}",
     [(["b", 3, "m", 5], "f32")], np.matmul, [dict(b=2, m=4), dict(b=0, m=2)], tolerance=1e-5)
case("matmul_batch_one", {"a": ([2, 1, 3, 4], "f32"), "b": ([5, 4, 6], "f32")}, "%c = tfc.matmul %a, %b : {a}, {b}",
     [([2, 5, 3, 6], "f32")], np.matmul, tolerance=1e-5)
case("matmul_batch_at_run_time", {"a": (["a", 3, 4], "f32"), "b": (["b", 4, 6], "f32")}, "%c = tfc.matmul %a, %b : {a}, {b}",
     [(["broadcast(a, b)", 3, 6], "f32")], np.matmul, AB, tolerance=1e-5)
case("matmul_f16", {"a": ([3, 64], "f16"), "b": ([64, 5], "f16")}, "%c = tfc.matmul %a, %b : {a}, {b}", [([3, 5], "f16")],
     lambda a, b: (a.astype(np.float32) @ b.astype(np.float32)).astype(np.float16))
case("matmul_bf16", {"a": ([3, 64], "bf16"), "b": ([64, 5], "bf16")}, "%c = tfc.matmul %a, %b : {a}, {b}", [([3, 5], "bf16")],
     lambda a, b: from_bf16(to_bf16(a @ b)))
case("matmul_f64", {"a": ([3, 64], "f64"), "b": ([64, 5], "f64")}, "%c = tfc.matmul %a, %b : {a}, {b}", [([3, 5], "f64")], np.matmul)
case("matmul_i32", {"a": ([3, 6], "i32"), "b": ([6, 5], "i32")}, "%c = tfc.matmul %a, %b : {a}, {b}", [([3, 5], "i32")], np.matmul)
case("matmul_ui8_i8_i32", {"a": ([3, 300], "ui8"), "b": ([300, 5], "i8")}, "%c = tfc.matmul %a, %b {result_type = i32} : {a}, {b}",
     [([3, 5], "i32")], lambda a, b: a.astype(np.int32) @ b.astype(np.int32),
     data=lambda n, s, r: r.integers(0, 256, s) if n == "a" else r.integers(-128, 128, s))
case("matmul_constants", {"x": ([1], "f32")}, "%a = tfc.constant dense<2.0> : tensor<2x3xf32>\n"
     "%c = tfc.matmul %a, %a {transpose_b} : tensor<2x3xf32>, tensor<2x3xf32>", [([2, 2], "f32")], lambda x: np.full((2, 2), 12.0))

# --- reductions -----------------------------------------------------------------------------------------------------
LENGTHS = [dict(n=3, k=k) for k in (0, 1, 5, 15, 16, 17, 63, 64, 65, 127, 128, 200, 768)]
REDUCE = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod}


def reduced(kind, axes, keep, dtype=np.float64):
    def f(x):
        if kind in ("max", "min") and any(x.shape[a] == 0 for a in axes):
            info = np.iinfo(x.dtype) if np.issubdtype(x.dtype, np.integer) else np.finfo(np.float32)
            worst = {"max": -np.inf, "min": np.inf} if x.dtype.kind == "f" else {"max": info.min, "min": info.max}
            return REDUCE[kind](x, axis=axes, keepdims=keep, initial=worst[kind])
        if kind == "mean" and x.dtype.kind in "iu":
            count = np.prod([x.shape[a] for a in axes])
            total = x.sum(axis=axes, keepdims=keep, dtype=x.dtype)
            return int_div(total.ravel(), np.full(total.size, count)).reshape(total.shape)
        if x.dtype.kind in "iu":
            return REDUCE[kind](x, axis=axes, keepdims=keep) if kind in ("max", "min") else \
                REDUCE[kind](x, axis=axes, keepdims=keep, dtype=x.dtype)
        return REDUCE[kind](x.astype(np.float64), axis=axes, keepdims=keep)
    return f


def near_one(name, shape, rng):
    return 1 + 0.05 * rng.standard_normal(shape)


for kind in REDUCE:
    data = near_one if kind == "prod" else None
    case(f"reduce_{kind}_last", {"x": (["n", "k"], "f32")}, f"%y = tfc.reduce {kind} %x axes [1] : {{x}}", [(["n"], "f32")],
         reduced(kind, (1,), False), LENGTHS, data, tolerance=1e-4)
    case(f"reduce_{kind}_first", {"x": (["n", "k"], "f32")}, f"%y = tfc.reduce {kind} %x axes [0] keep_dims : {{x}}",
         [([1, "k"], "f32")], reduced(kind, (0,), True), LENGTHS + [dict(n=0, k=3)], data, tolerance=1e-4)
    case(f"reduce_{kind}_middle", {"x": ([2, "n", 5], "f32")}, f"%y = tfc.reduce {kind} %x axes [1] : {{x}}", [([2, 5], "f32")],
         reduced(kind, (1,), False), N4, data, tolerance=1e-5)
    case(f"reduce_{kind}_all", {"x": ([3, "n", 20], "f32")}, f"%y = tfc.reduce {kind} %x axes [0, 1, 2] : {{x}}", [([], "f32")],
         reduced(kind, (0, 1, 2), False), N4, data, tolerance=1e-4)
    case(f"reduce_{kind}_two", {"x": ([3, "n", 20], "f32")}, f"%y = tfc.reduce {kind} %x axes [0, 2] keep_dims : {{x}}",
         [([1, "n", 1], "f32")], reduced(kind, (0, 2), True), N4, data, tolerance=1e-4)
    case(f"reduce_{kind}_i32", {"x": (["n", 7], "i32")}, f"%y = tfc.reduce {kind} %x axes [1] : {{x}}", [(["n"], "i32")],
         reduced(kind, (1,), False), N4)
    case(f"reduce_{kind}_empty_i32", {"x": ([2, "n"], "i32")}, f"%y = tfc.reduce {kind} %x axes [1] : {{x}}", [([2], "i32")],
         reduced(kind, (1,), False), N4)
    case(f"reduce_{kind}_f16", {"x": (["n", 100], "f16")}, f"%y = tfc.reduce {kind} %x axes [1] : {{x}}", [(["n"], "f16")],
         reduced(kind, (1,), False), N4, data)
    case(f"reduce_{kind}_f64", {"x": (["n", 100], "f64")}, f"%y = tfc.reduce {kind} %x axes [1] : {{x}}", [(["n"], "f64")],
         reduced(kind, (1,), False), N4, data)
    case(f"reduce_{kind}_constant", {"x": ([1], "f32")}, f"%c = tfc.constant dense<2.0> : tensor<2x3xf32>\n"
         f"%y = tfc.reduce {kind} %c axes [0, 1] : tensor<2x3xf32>", [([], "f32")],
         lambda x, kind=kind: REDUCE[kind](np.full((2, 3), 2.0)))
NAN_ROWS = np.array([[1, np.nan, 3] + [0.0] * 30, [np.nan] * 33, [1.0] * 20 + [np.inf] + [2.0] * 12, [-np.inf] * 33,
                     [5.0] * 32 + [np.nan]], np.float32)
for kind in ("sum", "mean", "max", "min"):
    case(f"reduce_{kind}_special", {"x": ([5, 33], "f32")}, f"%y = tfc.reduce {kind} %x axes [1] : {{x}}", [([5], "f32")],
         lambda x, kind=kind: REDUCE[kind](x, axis=1), data=lambda n, s, r: NAN_ROWS)
    case(f"reduce_{kind}_special_first", {"x": ([33, 5], "f32")}, f"%y = tfc.reduce {kind} %x axes [0] : {{x}}", [([5], "f32")],
         lambda x, kind=kind: REDUCE[kind](x, axis=0), data=lambda n, s, r: NAN_ROWS.T)
case("reduce_max_ui8", {"x": ([6], "ui8")}, "%y = tfc.reduce max %x axes [0] : {x}", [([], "ui8")], np.max,
     data=lambda n, s, r: UPAIRS[0])


def row_sum(row):
    """The order that tfc-lower-row-reductions promises, in float32, bit for bit."""
    sums, at = np.full((4, 16), -0.0, np.float32), 0
    for at in range(0, len(row) - 63, 64):
        sums = sums + row[at:at + 64].reshape(4, 16)
    lanes = (sums[0] + sums[1]) + (sums[2] + sums[3])
    for at in range(len(row) // 64 * 64, len(row) - 15, 16):
        lanes = lanes + row[at:at + 16]
    rest = row[len(row) // 16 * 16:]
    lanes = lanes + np.concatenate([rest, np.full(16 - len(rest), -0.0, np.float32)])
    while len(lanes) > 1:
        lanes = lanes[:len(lanes) // 2] + lanes[len(lanes) // 2:]
    return np.float32(0) + lanes[0]


case("reduce_sum_order", {"x": (["n", "k"], "f32")}, "%y = tfc.reduce sum %x axes [1] : {x}", [(["n"], "f32")],
     lambda x: np.array([row_sum(row) for row in x], np.float32).reshape(len(x)), LENGTHS + [dict(n=1, k=777), dict(n=8, k=777)],
     tolerance=0)

for extra, reference in {
        "": lambda x: np.argmax(x, 1), " min": lambda x: np.argmin(x, 1),
        " last": lambda x: np.array([np.argmax(r) if np.isnan(r).any() else len(r) - 1 - np.argmax(r[::-1]) for r in x]),
        " min last": lambda x: np.array([np.argmin(r) if np.isnan(r).any() else len(r) - 1 - np.argmin(r[::-1]) for r in x])}.items():
    tag = extra.replace(" ", "_")
    case(f"arg_reduce{tag}", {"x": (["n", 33], "f32")}, f"%y = tfc.arg_reduce %x axis 1{extra} : {{x}}", [(["n"], "i64")], reference, N4)
    case(f"arg_reduce_special{tag}", {"x": ([5, 33], "f32")}, f"%y = tfc.arg_reduce %x axis 1{extra} : {{x}}", [([5], "i64")], reference,
         data=lambda n, s, r: NAN_ROWS)
    case(f"arg_reduce_ui8{tag}", {"x": ([4, 9], "ui8")}, f"%y = tfc.arg_reduce %x axis 1{extra} keep_dims : {{x}}", [([4, 1], "i64")],
         lambda x, f=reference: f(x).reshape(4, 1), data=lambda n, s, r: r.integers(100, 255, s))
case("arg_reduce_first", {"x": (["n", 4], "i64")}, "%y = tfc.arg_reduce %x axis 0 : {x}", [([4], "i64")],
     lambda x: np.argmax(x, 0), [dict(n=1), dict(n=9)])
for extra in ("", " exclusive", " reverse", " exclusive reverse"):
    def cumsum(x, axis, extra=extra):
        y = np.flip(x, axis) if "reverse" in extra else x
        z = np.cumsum(y, axis, dtype=x.dtype)
        z = z - y if "exclusive" in extra else z
        return np.flip(z, axis) if "reverse" in extra else z
    tag = extra.replace(" ", "_")
    case(f"cumsum{tag}", {"x": ([2, "n", 3], "f32")}, f"%y = tfc.cumsum %x axis 1{extra} : {{x}}", [([2, "n", 3], "f32")],
         lambda x, f=cumsum: f(x, 1), N4, tolerance=1e-5)
    case(f"cumsum_i64{tag}", {"x": (["n"], "i64")}, f"%y = tfc.cumsum %x axis 0{extra} : {{x}}", [(["n"], "i64")],
         lambda x, f=cumsum: f(x, 0), N4)
for element in ("f32", "i64", "i1", "ui8"):
    case(f"count_nonzero_{element}", {"x": (["n", 6], element)}, "%y = tfc.count_nonzero %x : {x}", [([], "i64")],
         lambda x: np.count_nonzero(x), N4, data=lambda n, s, r: r.integers(0, 2, s))


def top_k(x, k, axis, smallest=False):
    key = np.where(np.isnan(x), np.inf, x) if x.dtype.kind == "f" else x.astype(np.int64)
    order = np.argsort(key if smallest else -key, axis=axis, kind="stable")
    index = np.take(order, range(k), axis)
    return np.take_along_axis(x, index, axis), index.astype(np.int64)


case("top_k", {"x": (["n", 9], "f32")}, "%v, %i = tfc.top_k %x axis 1 : {x} -> {r0}, {r1}", [(["n", 4], "f32"), (["n", 4], "i64")],
     lambda x: top_k(x, 4, 1), N4)
case("top_k_ties", {"x": ([3, 9], "i64")}, "%v, %i = tfc.top_k %x axis 1 smallest : {x} -> {r0}, {r1}",
     [([3, 9], "i64"), ([3, 9], "i64")], lambda x: top_k(x, 9, 1, True), data=lambda n, s, r: r.integers(0, 3, s))
case("top_k_nan", {"x": ([7], "f32")}, "%v, %i = tfc.top_k %x axis 0 : {x} -> {r0}, {r1}", [([5], "f32"), ([5], "i64")],
     lambda x: top_k(x, 5, 0), data=lambda n, s, r: [1, np.nan, 3, np.nan, -np.inf, 2, 3])
case("top_k_nan_smallest", {"x": ([6], "f32")}, "%v, %i = tfc.top_k %x axis 0 smallest : {x} -> {r0}, {r1}", [([6], "f32"), ([6], "i64")],
     lambda x: top_k(x, 6, 0, True), data=lambda n, s, r: [1, np.nan, 3, np.nan, -np.inf, 2])
case("top_k_first", {"x": (["n", 3], "f32")}, "%v, %i = tfc.top_k %x axis 0 : {x} -> {r0}, {r1}", [([2, 3], "f32"), ([2, 3], "i64")],
     lambda x: top_k(x, 2, 0), [dict(n=2), dict(n=8)])

# --- normalizations -------------------------------------------------------------------------------------------------
def softmax(x, axis):
    x = x.astype(np.float64)
    e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))
    return e / e.sum(axis, keepdims=True)


def layer_norm(x, axis, epsilon, scale=1.0, bias=0.0, rms=False):
    x = x.astype(np.float64)
    axes = tuple(range(axis, x.ndim))
    y = x if rms else x - x.mean(axes, keepdims=True)
    return y / np.sqrt((y * y).mean(axes, keepdims=True) + epsilon) * scale + bias


case("softmax_last", {"x": (["n", "k"], "f32")}, "%y = tfc.softmax %x axis 1 : {x}", [(["n", "k"], "f32")], lambda x: softmax(x, 1), LENGTHS)
case("softmax_first", {"x": (["n", "k"], "f32")}, "%y = tfc.softmax %x axis 0 : {x}", [(["n", "k"], "f32")], lambda x: softmax(x, 0), LENGTHS)
case("softmax_special", {"x": ([5, 33], "f32")}, "%y = tfc.softmax %x axis 1 : {x}", [([5, 33], "f32")], lambda x: softmax(x, 1),
     data=lambda n, s, r: NAN_ROWS)
case("softmax_large", {"x": ([3, 20], "f32")}, "%y = tfc.softmax %x axis 1 : {x}", [([3, 20], "f32")], lambda x: softmax(x, 1),
     data=lambda n, s, r: r.standard_normal(s) * 300 + np.array([[3e38], [-3e38], [0]]))
case("softmax_log", {"x": (["n", 40], "f32")}, "%y = tfc.softmax %x axis 1 {log} : {x}", [(["n", 40], "f32")],
     lambda x: np.log(softmax(x, 1)), N4, tolerance=1e-5)
case("softmax_f16", {"x": (["n", 40], "f16")}, "%y = tfc.softmax %x axis 1 : {x}", [(["n", 40], "f16")], lambda x: softmax(x, 1), N4)
case("softmax_bf16", {"x": (["n", 40], "bf16")}, "%y = tfc.softmax %x axis 1 : {x}", [(["n", 40], "bf16")], lambda x: softmax(x, 1), N4)
case("layer_norm", {"x": (["n", "k"], "f32"), "g": (["k"], "f32"), "b": (["k"], "f32")},
     "%y = tfc.layer_norm %x scale %g bias %b axis 1 epsilon 1.0e-5 : ({x}, {g}, {b}) -> {r0}", [(["n", "k"], "f32")],
     lambda x, g, b: layer_norm(x, 1, 1e-5, g, b), LENGTHS, tolerance=2e-5)
case("layer_norm_offset", {"x": (["n", 300], "f32")}, "%y = tfc.layer_norm %x axis 1 epsilon 1.0e-5 : ({x}) -> {r0}",
     [(["n", 300], "f32")], lambda x: layer_norm(x, 1, 1e-5), N4, data=lambda n, s, r: 1000 + r.standard_normal(s), tolerance=2e-3)
case("layer_norm_two_dims", {"x": (["n", 5, 20], "f32"), "g": ([5, 20], "f32")},
     "%y = tfc.layer_norm %x scale %g axis 1 epsilon 1.0e-5 : ({x}, {g}) -> {r0}", [(["n", 5, 20], "f32")],
     lambda x, g: layer_norm(x, 1, 1e-5, g), N4, tolerance=2e-5)
case("layer_norm_bias_only", {"x": (["n", 20], "f32"), "b": ([1], "f32")},
     "%y = tfc.layer_norm %x bias %b axis 1 epsilon 1.0e-5 : ({x}, {b}) -> {r0}", [(["n", 20], "f32")],
     lambda x, b: layer_norm(x, 1, 1e-5, 1, b), N4, tolerance=2e-5)
case("layer_norm_f16", {"x": (["n", 64], "f16"), "g": ([64], "f16"), "b": ([64], "f16")},
     "%y = tfc.layer_norm %x scale %g bias %b axis 1 epsilon 1.0e-5 : ({x}, {g}, {b}) -> {r0}", [(["n", 64], "f16")],
     lambda x, g, b: layer_norm(x, 1, 1e-5, g.astype(np.float64), b.astype(np.float64)), N4)
case("rms_norm", {"x": (["n", "k"], "f32"), "g": (["k"], "f32")}, "%y = tfc.rms_norm %x scale %g axis 1 epsilon 1.0e-6 : ({x}, {g}) -> {r0}",
     [(["n", "k"], "f32")], lambda x, g: layer_norm(x, 1, 1e-6, g, rms=True), LENGTHS, tolerance=2e-5)
case("rms_norm_plain", {"x": (["n", 33], "f64")}, "%y = tfc.rms_norm %x axis 1 epsilon 1.0e-6 : ({x}) -> {r0}",
     [(["n", 33], "f64")], lambda x: layer_norm(x, 1, 1e-6, rms=True), N4)

# --- data movement --------------------------------------------------------------------------------------------------
case("transpose", {"x": (["b", "s", 3, 4], "f32")}, "%y = tfc.transpose %x [0, 2, 1, 3] : {x}", [(["b", 3, "s", 4], "f32")],
     lambda x: x.transpose(0, 2, 1, 3), [dict(b=2, s=5), dict(b=0, s=1)])
case("transpose_bool", {"x": (["n", 4], "i1")}, "%y = tfc.transpose %x [1, 0] : {x}", [([4, "n"], "i1")], lambda x: x.T, N4)


def reshape(name, source, target, sizes, element="f32"):
    # The second argument only gives the symbols.
    case(f"reshape_{name}", {"x": (source, element), "u": (["b", "s"], "f32")}, "%y = tfc.reshape %x : {x} -> {r0}",
         [(target, element)], None, [{"b": 1, "s": 1, **s} for s in sizes])
    CASES[-1].target = target


BS = [dict(b=2, s=3), dict(b=1, s=7), dict(b=0, s=3)]
reshape("split_last", ["b", "s", 12], ["b", "s", 3, 4], BS)
reshape("merge_last", ["b", "s", 3, 4], ["b", "s", 12], BS)
reshape("flatten", ["b", "s", 4], ["b * s * 4"], BS)
reshape("merge_first", ["b", "s", 4], ["b * s", 4], BS)
reshape("split_two_dynamic", ["b * s", 4], ["b", "s", 4], BS)
reshape("ones", ["b", "s"], ["b", 1, 1, "s"], BS)
reshape("drop_ones", ["b", 1, 1, "s"], ["b", "s"], BS)
reshape("lead_ones", ["b", "s"], [1, "b", "s", 1], BS)
reshape("regroup", [6, "s"], ["s", 6], BS)
reshape("regroup_static", [2, 6, 5], [4, 15], [{}])
reshape("regroup_mixed", ["b", "4 * s", 3], ["b", "s", 12], BS)
reshape("swap", ["b", "s"], ["s", "b"], BS)
reshape("to_scalar", [1, 1], [], [{}])
reshape("from_scalar", [], [1, 1], [{}])
reshape("bool", ["b", "s"], ["b * s"], BS, "i1")
reshape("same", ["b", "s"], ["b", "s"], BS)
reshape("trailing_ones", ["b", 4], ["b", 4, 1, 1], BS)
reshape("empty_static", [0, "s"], ["s", 0], BS)
case("expand", {"x": ([1, "n"], "i64")}, "%y = tfc.expand %x : {x} -> {r0}", [([3, "n"], "i64")],
     lambda x: np.broadcast_to(x, (3, x.shape[1])), N4)
case("expand_rank", {"x": ([], "i1")}, "%y = tfc.expand %x : {x} -> {r0}", [([3, 2], "i1")], lambda x: np.broadcast_to(x, (3, 2)))
case("expand_at_run_time", {"x": (["a"], "f32"), "u": (["b"], "f32")}, "%y = tfc.expand %x : {x} -> {r0}", [(["b"], "f32")],
     lambda x, u: np.broadcast_to(x, u.shape), [dict(a=1, b=4), dict(a=4, b=4), dict(a=1, b=0)])
case("slice", {"x": (["n + 2", 6], "f32"), "u": (["n"], "f32")}, "%y = tfc.slice %x offsets [2, 1] strides [1, 2] : {x} -> {r0}",
     [(["n", 2], "f32")], lambda x, u: x[2:, 1:5:2], N4)
case("slice_negative", {"x": (["n"], "i64")}, "%y = tfc.slice %x offsets [n - 1] strides [-1] : {x} -> {r0}", [(["n"], "i64")],
     lambda x: x[::-1], N4)
case("slice_symbol", {"x": ([20], "f32"), "u": (["past", "seq"], "f32")}, "%y = tfc.slice %x offsets [past] strides [1] : {x} -> {r0}",
     [(["seq"], "f32")], lambda x, u: x[u.shape[0]:u.shape[0] + u.shape[1]], [dict(past=3, seq=4), dict(past=0, seq=20), dict(past=20, seq=0)])
case("concat", {"x": (["a", 3], "f32"), "y": (["b", 3], "f32"), "z": ([2, 3], "f32")},
     "%r = tfc.concat %x, %y, %z axis 0 : {x}, {y}, {z}", [(["a + b + 2", 3], "f32")], lambda *x: np.concatenate(x, 0), AB)
case("concat_last", {"x": (["n", "a"], "i1"), "y": (["n", "b"], "i1")}, "%r = tfc.concat %x, %y axis 1 : {x}, {y}",
     [(["n", "a + b"], "i1")], lambda *x: np.concatenate(x, 1), [dict(n=3, **ab) for ab in AB])
case("concat_one", {"x": (["n"], "f32")}, "%r = tfc.concat %x axis 0 : {x}", [(["n"], "f32")], lambda x: x, N4)
for mode in ("constant", "edge", "reflect", "wrap"):
    case(f"pad_{mode}", {"x": (["n", 3], "f32")}, f'%y = tfc.pad %x "{mode}" low [2, 1] : ({{x}}) -> {{r0}}', [(["n + 3", 6], "f32")],
         lambda x, mode=mode: np.pad(x, ((2, 1), (1, 2)), mode), [dict(n=3), dict(n=6)])
case("pad_value", {"x": (["n"], "i64"), "v": ([], "i64")}, '%y = tfc.pad %x value %v "constant" low [1] : ({x}, {v}) -> {r0}',
     [(["n + 2"], "i64")], lambda x, v: np.pad(x, (1, 1), constant_values=int(v)), N4)
case("pad_cut", {"x": (["n + 3"], "f32"), "u": (["n"], "f32")}, '%y = tfc.pad %x "constant" low [-2] : ({x}) -> {r0}', [(["n"], "f32")],
     lambda x, u: x[2:-1], N4)
case("tile", {"x": (["n", 2], "f32")}, "%y = tfc.tile %x : {x} -> {r0}", [(["3 * n", 4], "f32")], lambda x: np.tile(x, (3, 2)), N4)
for upper in (True, False):
    for k in ("0", "-1", "m - n + 1"):
        number = {"0": 0, "-1": -1, "m - n + 1": 2}[k]
        case(f"trilu_{'upper' if upper else 'lower'}_{len(CASES)}", {"x": ([2, "n", "m"], "f32")},
             f"%y = tfc.trilu %x k {k}{' upper' if upper else ''} : {{x}}", [([2, "n", "m"], "f32")],
             lambda x, f=np.triu if upper else np.tril, number=number: f(x, number), [dict(n=4, m=5), dict(n=7, m=8)])
case("trilu_bool", {"x": ([5, 5], "i1")}, "%y = tfc.trilu %x k 0 : {x}", [([5, 5], "i1")], np.tril)

# --- indices --------------------------------------------------------------------------------------------------------
def ids(low, high):
    return lambda name, shape, rng: rng.integers(low, high, shape) if name == "i" else None


case("gather", {"x": ([11, 4], "f32"), "i": (["b", "s"], "i64")}, "%y = tfc.gather %x, %i axis 0 : {x}, {i}", [(["b", "s", 4], "f32")],
     lambda x, i: x[i], BS, ids(-11, 11))
case("gather_axis_1", {"x": (["n", 6, 2], "f32"), "i": ([3], "i32")}, "%y = tfc.gather %x, %i axis 1 : {x}, {i}", [(["n", 3, 2], "f32")],
     lambda x, i: x[:, i], N4, ids(-6, 6))
case("gather_scalar", {"x": ([5, "n"], "i1"), "i": ([], "i64")}, "%y = tfc.gather %x, %i axis 0 : {x}, {i}", [(["n"], "i1")],
     lambda x, i: x[i], N4, ids(0, 5))
case("gather_bad", {"x": ([11, 4], "f32"), "i": ([3], "i64")}, "%y = tfc.gather %x, %i axis 0 : {x}, {i}", [([3, 4], "f32")],
     lambda x, i: x[np.array([2, 0, 0])], data=lambda n, s, r: [2, 11, -12] if n == "i" else None, bad=(0, 11))
case("gather_empty_table", {"x": ([0, 4], "f32"), "i": (["n"], "i64")}, "%y = tfc.gather %x, %i axis 0 : {x}, {i}", [(["n", 4], "f32")],
     lambda x, i: np.zeros((0, 4)), [dict(n=0)])
case("gather_second_check", {"x": ([4, 2], "f32"), "i": ([3], "i64"), "j": ([2], "i64")},
     "%a = tfc.gather %x, %i axis 0 : {x}, {i}\n%y = tfc.gather %a, %j axis 0 : tensor<3x2xf32>, {j}", [([2, 2], "f32")],
     lambda x, i, j: x[i][np.array([1, 0])], data=lambda n, s, r: {"i": [3, 2, 1], "j": [1, -9]}.get(n), bad=(1, -9))
case("gather_elements", {"x": (["n", 5], "f32"), "i": (["n", 3], "i64")}, "%y = tfc.gather_elements %x, %i axis 1 : {x}, {i}",
     [(["n", 3], "f32")], lambda x, i: np.take_along_axis(x, i % 5, 1), N4, ids(-5, 5))
case("gather_elements_0", {"x": ([6, 3], "f32"), "i": (["n", 2], "i32")}, "%y = tfc.gather_elements %x, %i axis 0 : {x}, {i}",
     [(["n", 2], "f32")], lambda x, i: np.take_along_axis(x[:, :2], i.astype(np.int64) % 6, 0), N4, ids(-6, 6))
case("gather_elements_bad", {"x": ([3], "f32"), "i": ([2], "i64")}, "%y = tfc.gather_elements %x, %i axis 0 : {x}, {i}",
     [([2], "f32")], lambda x, i: x[np.array([0, 2])], data=lambda n, s, r: [99, 2] if n == "i" else None, bad=(0, 99))
def scatter(combine):
    def reference(x, i, u):
        y = x.copy()
        for row, column in np.ndindex(*i.shape):
            at = (row, i[row, column])
            y[at] = combine(y[at], u[row, column])
        return y
    return reference


for kind, combine in (("set", lambda x, u: u), ("add", lambda x, u: x + u), ("mul", lambda x, u: x * u),
                      ("min", np.minimum), ("max", np.maximum)):
    for element in ("f32", "f16", "i64", "ui8"):
        case(f"scatter_elements_{kind}_{element}", {"x": (["n", 5], element), "i": (["n", 4], "i64"), "u": (["n", 4], element)},
             f"%y = tfc.scatter_elements {kind} %x, %i, %u axis 1 : {{x}}, {{i}}, {{u}}", [(["n", 5], element)],
             scatter(combine), N4, ids(-5, 5))
case("scatter_elements_bad", {"x": ([3], "f32"), "i": ([2], "i64"), "u": ([2], "f32")},
     "%y = tfc.scatter_elements set %x, %i, %u axis 0 : {x}, {i}, {u}", [([3], "f32")],
     lambda x, i, u: np.array([u[0], x[1], u[1]]), data=lambda n, s, r: [99, 2] if n == "i" else None, bad=(0, 99))
case("range_i64", {"s": ([], "i64"), "d": ([], "i64"), "u": (["n"], "f32")}, "%y = tfc.range %s, %d : ({s}, {d}) -> {r0}",
     [(["n"], "i64")], lambda s, d, u: s + d * np.arange(u.size), N4)
case("range_f32", {"s": ([], "f32"), "d": ([], "f32"), "u": (["n"], "f32")}, "%y = tfc.range %s, %d : ({s}, {d}) -> {r0}",
     [(["n"], "f32")], lambda s, d, u: s + d * np.arange(u.size), N4)
case("eye", {"u": (["n"], "f32")}, "%y = tfc.eye k 1 : {r0}", [(["n", 4], "f32")], lambda u: np.eye(u.size, 4, 1), N4)

def one_hot_ids(element):
    wanted = np.array([0, 1, 4, 5, 7, -1, -5, -6, 2])
    return wanted % 256 if element == "ui8" else wanted


for element in ("i64", "f32", "ui8"):
    case(f"one_hot_{element}", {"i": (["n"], element), "off": ([], "f32"), "on": ([], "f32")},
         "%y = tfc.one_hot %i off %off on %on axis 1 : ({i}, {off}, {on}) -> {r0}", [(["n", 5], "f32")],
         lambda i, off, on: np.where(np.where(i < 0, i.astype(np.float64) + 5, i)[:, None] == np.arange(5), on, off),
         [dict(n=0), dict(n=9)], lambda n, s, r, e=element: one_hot_ids(e)[:s[0]] if n == "i" else None)
case("one_hot_axis_0", {"i": ([2, 3], "i64"), "off": ([], "i1"), "on": ([], "i1")},
     "%y = tfc.one_hot %i off %off on %on axis 0 : ({i}, {off}, {on}) -> {r0}", [([4, 2, 3], "i1")],
     lambda i, off, on: np.where(i[None] == np.arange(4)[:, None, None], on, off),
     data=lambda n, s, r: r.integers(0, 4, s) if n == "i" else n == "on")
case("nonzero", {"x": ([3, 4], "i1"), "u": (["c"], "f32")}, "%y = tfc.nonzero %x : {x} -> {r0}", [([2, "c"], "i64")],
     lambda x, u: np.array(np.nonzero(x)), [dict(c=5)],
     data=lambda n, s, r: np.isin(np.arange(12), [0, 3, 4, 9, 11]).reshape(3, 4) if n == "x" else None)
case("nonzero_empty", {"x": (["n"], "f32"), "u": (["c"], "f32")}, "%y = tfc.nonzero %x : {x} -> {r0}", [([1, "c"], "i64")],
     lambda x, u: np.array(np.nonzero(x)), [dict(n=0, c=0), dict(n=4, c=0)], data=lambda n, s, r: np.zeros(s))

# --- quantization ---------------------------------------------------------------------------------------------------
def quantized(x, scale, zero, dtype):
    info = np.iinfo(dtype)
    return np.clip(np.rint(x / scale) + zero, info.min, info.max).astype(dtype)


QUANT = lambda n, s, r: {"s": np.abs(r.standard_normal(s)) + 0.1, "z": r.integers(0, 10, s)}.get(n, 20 * r.standard_normal(s)) \
    if n != "q" else r.integers(0, 100, s)
for element in ("i8", "ui8"):
    case(f"quantize_{element}", {"x": (["n", 8], "f32"), "s": ([], "f32"), "z": ([], element)},
         "%y = tfc.quantize %x scale %s zero_point %z : ({x}, {s}, {z}) -> {r0}", [(["n", 8], element)],
         lambda x, s, z: quantized(x, s, z.astype(np.float32), z.dtype), N4, QUANT)
    case(f"dequantize_{element}", {"q": (["n", 8], element), "s": ([8], "f32"), "z": ([8], element)},
         "%y = tfc.dequantize %q scale %s zero_point %z {axis = 1 : i64} : ({q}, {s}, {z}) -> {r0}", [(["n", 8], "f32")],
         lambda q, s, z: (q.astype(np.int32) - z.astype(np.int32)).astype(np.float32) * s, N4, QUANT)
case("quantize_axis", {"x": ([3, "n"], "f32"), "s": ([3], "f32")}, "%y = tfc.quantize %x scale %s {axis = 0 : i64} : ({x}, {s}) -> {r0}",
     [([3, "n"], "i8")], lambda x, s: quantized(x, s[:, None], 0, np.int8), N4, QUANT)
case("dequantize_block", {"q": ([2, 8], "i8"), "s": ([2, 2], "f32")},
     "%y = tfc.dequantize %q scale %s {axis = 1 : i64, block_size = 4 : i64} : ({q}, {s}) -> {r0}", [([2, 8], "f32")],
     lambda q, s: q * np.repeat(s, 4, 1), data=QUANT)

# --- attention ------------------------------------------------------------------------------------------------------
def attention(q, k, v, mask=None, bias=None, scale=None, causal=False, masked="uniform", softcap=None, left=None, right=None,
              lengths=None, probabilities=False, fill=None):
    """tfc.attention as its description says it, in float64."""
    q, k, v = (t.astype(np.float64) for t in (q, k, v))
    repeat = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, repeat, 1), np.repeat(v, repeat, 1)
    s = q @ k.transpose(0, 1, 3, 2) * (1 / np.sqrt(q.shape[3]) if scale is None else scale)
    s = s if softcap is None else softcap * np.tanh(s / softcap)
    s = s if bias is None or masked == "biased" else s + bias
    allowed = np.ones(s.shape, bool) if mask is None else np.broadcast_to(mask, s.shape).copy()
    n, m = s.shape[2:]
    for b in range(s.shape[0]):
        count = m if lengths is None else int(lengths[b])
        for i in range(n):
            for j in range(m):
                position = i + count - n
                allowed[b, :, i, j] &= ((j < count or lengths is None) and (not causal or j <= position) and
                                        (left is None or j >= position - left) and (right is None or j <= position + right))
    lowest = np.finfo(np.float32).min if fill is None else fill
    s = np.where(allowed, s, lowest if masked in ("uniform", "biased") else -np.inf)
    if masked == "biased" and bias is not None:
        with np.errstate(over="ignore"):
            s = (s.astype(np.float32) + bias.astype(np.float32)).astype(np.float64)
    p = softmax(s, 3)
    if masked == "zero":
        p = np.where(np.all(np.isneginf(s), 3, keepdims=True), 0, p)
    return (p @ v, p) if probabilities else p @ v


QKV = {"q": (["b", 4, "s", 8], "f32"), "k": (["b", 4, "t", 8], "f32"), "v": (["b", 4, "t", 6], "f32")}
OUT = [(["b", 4, "s", 6], "f32")]
BST = [dict(b=2, s=3, t=5), dict(b=1, s=1, t=9), dict(b=2, s=5, t=3), dict(b=0, s=2, t=2)]
case("attention", QKV, "%o = tfc.attention %q, %k, %v : ({q}, {k}, {v}) -> {r0}", OUT, attention, BST, tolerance=1e-5)
case("attention_scale", QKV, "%o = tfc.attention %q, %k, %v {scale = 0.5 : f32} : ({q}, {k}, {v}) -> {r0}", OUT,
     lambda q, k, v: attention(q, k, v, scale=0.5), BST, tolerance=1e-5)
case("attention_bias", {**QKV, "m": (["b", 1, 1, "t"], "f32")}, "%o = tfc.attention %q, %k, %v bias %m : ({q}, {k}, {v}, {m}) -> {r0}",
     OUT, lambda q, k, v, m: attention(q, k, v, bias=m), BST, tolerance=1e-5)
for masked in ("uniform", "nan", "zero"):
    attribute = "" if masked == "uniform" else f"masked_row {masked}"
    case(f"attention_causal_{masked}", QKV, f"%o = tfc.attention %q, %k, %v {attribute} {{causal}} : ({{q}}, {{k}}, {{v}}) -> {{r0}}",
         OUT, lambda q, k, v, masked=masked: attention(q, k, v, causal=True, masked=masked), BST, tolerance=1e-5)
    case(f"attention_mask_{masked}", {**QKV, "m": (["b", 1, "s", "t"], "i1")},
         f"%o = tfc.attention %q, %k, %v mask %m {attribute} : ({{q}}, {{k}}, {{v}}, {{m}}) -> {{r0}}", OUT,
         lambda q, k, v, m, masked=masked: attention(q, k, v, m, masked=masked), BST,
         data=lambda n, s, r: (r.random(s) < 0.6) & (np.arange(s[2])[:, None] != 0) if n == "m" else None, tolerance=1e-5)
case("attention_grouped", {"q": (["b", 6, "s", 8], "f32"), "k": (["b", 2, "s", 8], "f32"), "v": (["b", 2, "s", 8], "f32")},
     "%o = tfc.attention %q, %k, %v {causal} : ({q}, {k}, {v}) -> {r0}", [(["b", 6, "s", 8], "f32")],
     lambda q, k, v: attention(q, k, v, causal=True), BS, tolerance=1e-5)
case("attention_past", {"q": (["b", 4, "s", 8], "f32"), "k": (["b", 2, "s", 8], "f32"), "v": (["b", 2, "s", 6], "f32"),
                        "pk": (["b", 2, "p", 8], "f32"), "pv": (["b", 2, "p", 6], "f32")},
     "%o, %nk, %nv = tfc.attention %q, %k, %v past %pk, %pv {causal} : ({q}, {k}, {v}, {pk}, {pv}) -> ({r0}, {r1}, {r2})",
     [(["b", 4, "s", 6], "f32"), (["b", 2, "p + s", 8], "f32"), (["b", 2, "p + s", 6], "f32")],
     lambda q, k, v, pk, pv: (attention(q, np.concatenate([pk, k], 2), np.concatenate([pv, v], 2), causal=True),
                              np.concatenate([pk, k], 2), np.concatenate([pv, v], 2)),
     [dict(b=2, s=3, p=4), dict(b=1, s=1, p=0), dict(b=1, s=4, p=7)], tolerance=1e-5)


BOUNDS = {"causal": dict(causal=True), "left": dict(left=2), "right": dict(right=1), "both": dict(left=1, right=2),
          "causal_left": dict(causal=True, left=0), "wide": dict(left=2**63 - 1, right=2**63 - 1)}


def bound_text(bounds):
    return ", ".join("causal" if name == "causal" else f"window_{name} = {width} : i64" for name, width in bounds.items())


for name, bounds in BOUNDS.items():
    case(f"attention_window_{name}", QKV,
         f"%o = tfc.attention %q, %k, %v masked_row zero {{{bound_text(bounds)}}} : " "({q}, {k}, {v}) -> {r0}", OUT,
         lambda q, k, v, bounds=bounds: attention(q, k, v, masked="zero", **bounds), BST, tolerance=1e-5)
    for masked in ("uniform", "nan", "zero"):
        attribute = "" if masked == "uniform" else f"masked_row {masked}"
        case(f"attention_lengths_{name}_{masked}", {**QKV, "n": (["b"], "i64" if masked == "zero" else "i32")},
             f"%o = tfc.attention %q, %k, %v key_lengths %n {attribute} {{{bound_text(bounds)}}} : " "({q}, {k}, {v}, {n}) -> {r0}", OUT,
             lambda q, k, v, n, bounds=bounds, masked=masked: attention(q, k, v, lengths=n, masked=masked, **bounds), BST,
             data=lambda n, s, r: r.choice([-2, 0, 1, 2, 3, 4, 7, 9], s) if n == "n" else None, tolerance=1e-5)
case("attention_lengths", {**QKV, "n": (["b"], "i64")}, "%o = tfc.attention %q, %k, %v key_lengths %n : ({q}, {k}, {v}, {n}) -> {r0}", OUT,
     lambda q, k, v, n: attention(q, k, v, lengths=n), BST, data=lambda n, s, r: r.integers(0, 6, s) if n == "n" else None,
     tolerance=1e-5)
case("attention_softcap", {**QKV, "m": (["b", 4, "s", "t"], "f32")},
     "%o = tfc.attention %q, %k, %v bias %m {softcap = 1.5 : f32, scale = 2.0 : f32} : ({q}, {k}, {v}, {m}) -> {r0}", OUT,
     lambda q, k, v, m: attention(q, k, v, bias=m, softcap=1.5, scale=2.0), BST, tolerance=1e-5)
# A bias of -inf masks too: rows of only such scores are 0.
case("attention_bias_zero", {**QKV, "m": (["b", 1, "s", "t"], "f32")},
     "%o = tfc.attention %q, %k, %v bias %m masked_row zero : ({q}, {k}, {v}, {m}) -> {r0}", OUT,
     lambda q, k, v, m: attention(q, k, v, bias=m, masked="zero"), BST, tolerance=1e-5,
     data=lambda n, s, r: np.where((r.random(s) < 0.6) & (np.arange(s[2])[:, None] != 0), 0.5, -np.inf) if n == "m" else None)
# Two masks with the lowest number: where both hold, the score is -inf.
case("attention_biased", {**QKV, "m": (["b", 1, 1, "t"], "f32")},
     "%o = tfc.attention %q, %k, %v bias %m masked_row biased {causal} : ({q}, {k}, {v}, {m}) -> {r0}", OUT,
     lambda q, k, v, m: attention(q, k, v, bias=m, causal=True, masked="biased"), BST, tolerance=1e-5,
     data=lambda n, s, r: np.where(np.arange(s[3]) > s[3] // 2, 0, np.finfo(np.float32).min) * np.ones(s) if n == "m" else None)
for masked in ("uniform", "biased"):
    case(f"attention_fill_{masked}", {**QKV, "m": (["b", 1, 1, "t"], "f32")},
         f"%o = tfc.attention %q, %k, %v bias %m masked_row {masked} {{causal, fill = -50.0 : f32}} : " "({q}, {k}, {v}, {m}) -> {r0}", OUT,
         lambda q, k, v, m, masked=masked: attention(q, k, v, bias=m, causal=True, masked=masked, fill=-50.0), BST, tolerance=1e-5,
         data=lambda n, s, r: np.where(np.arange(s[3]) > s[3] // 2, 0, -50.0) * np.ones(s) if n == "m" else None)
# A row with a NaN is no row without keys.
case("attention_zero_keeps_nan", {**QKV, "m": (["b", 1, "s", "t"], "i1")},
     "%o, %p = tfc.attention %q, %k, %v mask %m masked_row zero {window_right = 1 : i64} : ({q}, {k}, {v}, {m}) -> ({r0}, {r1})",
     [OUT[0], (["b", 4, "s", "t"], "f32")],
     lambda q, k, v, m: attention(q, k, v, m, right=1, masked="zero", probabilities=True), BST, tolerance=1e-5,
     data=lambda n, s, r: np.where(r.random(s) < 0.1, np.nan, 1.0) if n == "k" else None)
case("attention_all", {"q": (["b", 4, "s", 8], "f32"), "k": (["b", 2, "s", 8], "f32"), "v": (["b", 2, "s", 6], "f32"),
                       "m": (["b", 1, "s", "p + s"], "i1"), "a": ([4, 1, "p + s"], "f32"), "n": (["b"], "i32"),
                       "pk": (["b", 2, "p", 8], "f32"), "pv": (["b", 2, "p", 6], "f32")},
     "%o, %nk, %nv, %w = tfc.attention %q, %k, %v mask %m bias %a past %pk, %pv key_lengths %n masked_row zero "
     "{causal, window_left = 3 : i64, softcap = 3.0 : f32} : ({q}, {k}, {v}, {m}, {a}, {pk}, {pv}, {n}) -> ({r0}, {r1}, {r2}, {r3})",
     [(["b", 4, "s", 6], "f32"), (["b", 2, "p + s", 8], "f32"), (["b", 2, "p + s", 6], "f32"), (["b", 4, "s", "p + s"], "f32")],
     lambda q, k, v, m, a, n, pk, pv: (
         attention(q, np.concatenate([pk, k], 2), np.concatenate([pv, v], 2), m, a, None, True, "zero", 3.0, 3, None, n),
         np.concatenate([pk, k], 2), np.concatenate([pv, v], 2),
         attention(q, np.concatenate([pk, k], 2), np.concatenate([pv, v], 2), m, a, None, True, "zero", 3.0, 3, None, n, True)[1]),
     [dict(b=2, s=3, p=4), dict(b=3, s=1, p=0), dict(b=1, s=4, p=7), dict(b=2, s=0, p=2)],
     data=lambda n, s, r: r.integers(0, 9, s) if n == "n" else None, tolerance=1e-5)


def main():
    tfc_opt, llvm_bin = sys.argv[1], sys.argv[2]
    folder = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    only = os.environ.get("TFC_NUMERIC_ONLY")
    cases = [c for c in CASES if not only or any(c.name.startswith(part) for part in only.split(","))]
    library = Library(cases, tfc_opt, llvm_bin, folder)
    warnings.simplefilter("ignore", RuntimeWarning)
    rng = np.random.default_rng(7)
    bad = 0
    for c in cases:
        if hasattr(c, "target"):
            messages = []
            for symbols in list(c.sizes):
                c.sizes = [symbols]
                shape = [evaluate(d, symbols) for d in c.target]
                c.reference = lambda x, u, shape=shape: x.reshape(shape)
                messages += run_case(library, c, rng)
        else:
            messages = list(run_case(library, c, rng))
        bad += bool(messages)
        for message in messages[:3]:
            print("FAIL", message)
    print(f"{len(cases) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
