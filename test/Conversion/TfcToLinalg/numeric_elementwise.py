# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Elementwise ops, casts and quantized numbers: the cases of run_numeric.py."""

import math

import numpy as np

from bfloat16 import from_bf16, to_bf16
from numeric_cases import AB, N4, case, erf, special
from numeric_harness import NUMPY_TYPES

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
