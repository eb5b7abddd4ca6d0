# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products, reductions, top_k and normalizations: the cases of run_numeric.py."""

import numpy as np

from bfloat16 import from_bf16, to_bf16
from numeric_cases import AB, N4, case
from numeric_elementwise import UPAIRS, int_div

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
