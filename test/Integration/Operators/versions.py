#!/usr/bin/env python3
"""versions.py FOLDER [MODE...]: operators and types that came or changed after opset 17."""

import math
import sys

from operators import *  # noqa: F403

rng = np.random.default_rng(3)
F = np.float32
FLOATS, INTS = ("f32", "f64", "f16"), ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")
erf = np.vectorize(math.erf, otypes=[np.float64])


def f(*shape, kind=F):
    return rng.standard_normal(shape).astype(kind)


def i(kind, *shape, low=0, high=9):
    return rng.integers(low, high, shape).astype(TYPES[kind][1])


def like(x, y):
    return np.asarray(y).astype(x.dtype)


# ---- Activations and norms ------------------------------------------------------------------------------------------------

for kind in FLOATS:
    x = f(2, 3, 8, kind=TYPES[kind][1])
    w = x.astype(np.float64)
    op(kind, "Gelu", [x], [like(x, 0.5 * w * (1 + erf(w / math.sqrt(2))))], opset=20)
    op(kind + "_tanh", "Gelu", [x], [like(x, 0.5 * w * (1 + np.tanh(math.sqrt(2 / math.pi) * (w + 0.044715 * w**3))))], opset=20, approximate="tanh")
    op(kind, "Mish", [x], [like(x, w * np.tanh(np.log1p(np.exp(w))))], opset=18)
    op(kind, "HardSwish", [x], [like(x, w * np.clip(w / 6 + 0.5, 0, 1))], opset=22)
    op(kind, "Swish", [x], [like(x, w / (1 + np.exp(-w)))], opset=24)
    op(kind + "_alpha", "Swish", [x], [like(x, w / (1 + np.exp(-1.5 * w)))], opset=24, alpha=1.5)
    for axis in (-1, 1):
        axes = tuple(range(axis % 3, 3))
        scale = f(*x.shape[axis % 3:], kind=x.dtype)
        op(f"{kind}_{axis}", "RMSNormalization", [x, scale], [like(x, w / np.sqrt((w**2).mean(axes, keepdims=True) + 1e-5) * scale)], opset=23, axis=axis)
    op(kind + "_wide", "RMSNormalization", [x, scale[:1, :1]], [like(x, w / np.sqrt((w**2).mean((1, 2), keepdims=True) + 1e-3) * scale[:1, :1])], opset=23, axis=1, epsilon=1e-3)
    channels = f(2, 6, 3, 2, kind=x.dtype)
    grouped = channels.astype(np.float64).reshape(2, 3, -1)
    normal = ((grouped - grouped.mean(-1, keepdims=True)) / np.sqrt(grouped.var(-1, keepdims=True) + 1e-5)).reshape(channels.shape)
    per_channel, per_group = [f(6, kind=x.dtype) for _ in "ab"], [f(3, kind=x.dtype) for _ in "ab"]
    column = lambda v: v.reshape(-1, 1, 1)
    op(kind, "GroupNormalization", [channels, *per_channel], [like(x, normal * column(per_channel[0]) + column(per_channel[1]))], opset=21, num_groups=3)
    wide = [np.repeat(v, 2) for v in per_group]
    op(kind, "GroupNormalization", [channels, *per_group], [like(x, normal * column(wide[0]) + column(wide[1]))], opset=18, num_groups=3)
    flat = channels.astype(np.float64)
    normal = (flat - flat.mean((2, 3), keepdims=True)) / np.sqrt(flat.var((2, 3), keepdims=True) + 1e-5)
    op(kind, "InstanceNormalization", [channels, *per_channel], [like(x, normal * column(per_channel[0]) + column(per_channel[1]))], opset=22)
    mean = w.mean(-1, keepdims=True)
    inv = 1 / np.sqrt(w.var(-1, keepdims=True) + 1e-5)
    g = f(8, kind=x.dtype)
    op(kind, "LayerNormalization", [x, g], [like(x, (w - mean) * inv * g), mean.astype(F), inv.astype(F)], opset=17)
    op(kind + "_stash", "LayerNormalization", [x, g], [like(x, (w - mean) * inv * g), bf16(mean), bf16(inv)], opset=17, stash_type=16)

# ---- Bits, comparisons, integers ------------------------------------------------------------------------------------------

for kind in INTS:
    top = min(np.iinfo(TYPES[kind][1]).max, 2**62)
    a, b = i(kind, 3, 4, high=top), i(kind, 4, high=top)
    op(kind, "BitwiseAnd", [a, b], [a & b], opset=18)
    op(kind, "BitwiseOr", [a, b], [a | b], opset=18)
    op(kind, "BitwiseXor", [a, b], [a ^ b], opset=18)
    op(kind, "BitwiseNot", [a], [~a], opset=18)
    op(kind, "Clip", [a, np.array(3, a.dtype), np.array(50, a.dtype)], [np.clip(a, 3, 50)], opset=13)
    op(kind, "Max", [a, b], [np.maximum(a, b)], opset=13)
    op(kind, "Min", [a, b], [np.minimum(a, b)], opset=13)
    op(kind, "Mod", [a, np.maximum(b, 1)], [a % np.maximum(b, 1)], opset=13)
    op(kind, "Equal", [a, b], [a == b], opset=19)
    op(kind, "LessOrEqual", [a, b], [a <= b], opset=16)
    op(kind, "ReduceMax", [a, const(np.array([1]))], [a.max(1, keepdims=True)], opset=20)
    op(kind, "Where", [a > b, a, b + a * 0], [np.where(a > b, a, b)], opset=16)
    op(kind, "Add", [a, b], [a + b], opset=14)
    op(kind, "Transpose", [a], [a.T.copy()], opset=21, perm=[1, 0])
    if kind[0] == "i":
        op(kind, "Abs", [-a], [a], opset=13)
        op(kind, "Sign", [a - 3], [np.sign(a - 3)], opset=13)
    if kind in ("i32", "i64"):
        small = i(kind, 3, 4, high=4)
        op(kind, "ReduceProd", [small, const(np.array([-1]))], [small.prod(1, keepdims=True).astype(small.dtype)], opset=18)
        op(kind, "CumSum", [small, const(np.array(1))], [small.cumsum(1).astype(small.dtype)], opset=14)
        op(kind, "Range", [np.array(2, a.dtype), np.array(11, a.dtype), np.array(3, a.dtype)], [np.arange(2, 11, 3, a.dtype)], opset=11)
flags = rng.random((3, 4)) < 0.5
op("bool", "ReduceMax", [flags, const(np.array([1]))], [flags.max(1, keepdims=True)], opset=20)
op("bool", "ReduceMin", [flags, const(np.array([0]))], [flags.min(0, keepdims=True)], opset=20)
odd = np.array([1, -np.inf, np.inf, np.nan, 0], F)
for kind in FLOATS:
    v = odd.astype(TYPES[kind][1])
    op(kind, "IsInf", [v], [np.isinf(v)], opset=20)
    op(kind + "_positive", "IsInf", [v], [np.isposinf(v)], opset=20, detect_negative=0)
    op(kind + "_negative", "IsInf", [v], [np.isneginf(v)], opset=20, detect_positive=0)
    op(kind, "IsNaN", [v], [np.isnan(v)], opset=20)
for left, right in ((np.int32, np.float32), (np.float32, np.int64), (np.int64, np.float64), (np.float64, np.int32)):
    base, power = np.array([1, 2, 3]).astype(left), np.array([2, 0, 3]).astype(right)
    op(f"{base.dtype}_{power.dtype}", "Pow", [base, power], [np.array([1, 1, 27]).astype(left)], opset=15)

# ---- Reductions of nothing, shapes, data movement -----------------------------------------------------------------------------

empty = np.zeros((2, 0, 3), F)
one = const(np.array([1]))
for name, value in (("ReduceSum", 0), ("ReduceProd", 1), ("ReduceMax", -np.inf), ("ReduceMin", np.inf), ("ReduceSumSquare", 0), ("ReduceL1", 0), ("ReduceL2", 0),
                    ("ReduceLogSum", -np.inf), ("ReduceLogSumExp", -np.inf)):
    op("empty", name, [empty, one], [np.full((2, 1, 3), value, F)], opset=20)
    # Axes that are data.
    op("empty_at", name, [empty, np.array([1])], [np.full((2, 1, 3), value, F)], opset=20)
    op("empty_beside", name, [empty, np.array([2])], [np.zeros((2, 0, 1), F)], opset=20)
    op("empty_gone", name, [empty, np.array([-2])], [np.full((2, 3), value, F)], opset=20, keepdims=0)
x = f(2, 3, 4)
op("noop", "ReduceSum", [x, const(np.zeros(0, np.int64))], [x], opset=18, noop_with_empty_axes=1)
op("noop", "ReduceSumSquare", [x], [x * x], opset=18, noop_with_empty_axes=1)
op("all", "ReduceMean", [x], [x.mean(keepdims=True).reshape(1, 1, 1)], opset=18)
op("zero", "Reshape", [empty, const(np.array([0, 5, 3]))], [np.zeros((0, 5, 3), F)], opset=19, allowzero=1)
op("copy", "Reshape", [x, const(np.array([0, -1]))], [x.reshape(2, 12)], opset=21)
op("part", "Shape", [x], [np.array([3, 4])], opset=19, start=1)
op("part", "Shape", [x], [np.array([3])], opset=21, start=-2, end=-1)
seven = f(7, 2)
op("outputs", "Split", [seven], [seven[:3], seven[3:6], seven[6:]], opset=18, num_outputs=3)
op("axes", "Pad", [x, const(np.array([1, 2])), const(np.array(7, F)), const(np.array([1]))], [np.pad(x, ((0, 0), (1, 2), (0, 0)), constant_values=7)], opset=18)
op("negative_axes", "Pad", [x, const(np.array([1, 0, 0, 1])), None, const(np.array([-1, 0]))], [np.pad(x, ((0, 1), (0, 0), (1, 0)))], opset=19)
for mode, numpy_mode in (("wrap", "wrap"), ("reflect", "reflect"), ("edge", "edge")):
    op(mode, "Pad", [x, const(np.array([0, 1, 2, 0, 1, 1]))], [np.pad(x, ((0, 0), (1, 1), (2, 1)), mode=numpy_mode)], opset=19, mode=mode)
for k in (-1, 0, 2):
    op(f"upper_{k}", "Trilu", [x, const(np.array(k))], [np.triu(x, k)], opset=14)
    grid = i("i64", 3, 5)
    op(f"lower_{k}", "Trilu", [grid, const(np.array(k))], [np.tril(grid, k)], opset=14, upper=0)
for kind in ("f32", "f64", "f16", "i32", "i64", "u8", "bool"):
    eye = np.eye(3, 5, 1).astype(TYPES[kind][1])
    op(kind, "EyeLike", [f(3, 5)], [eye], opset=22, dtype=TYPES[kind][0], k=1)
op("small", "Range", [np.array(1, np.int16), np.array(9, np.int16), np.array(2, np.int16)], [np.arange(1, 9, 2, np.int16)], opset=11)
for kind in ("i8", "i16", "u8", "u32", "f64"):
    v = rng.permutation(20).reshape(4, 5).astype(TYPES[kind][1])
    order = np.argsort(-v.astype(np.int64), 1)[:, :2]
    op(kind, "TopK", [v, const(np.array([2]))], [np.take_along_axis(v, order, 1), order], opset=24)

# ---- Casts and quantization ---------------------------------------------------------------------------------------------------


def float8(bits, exponent_bits, bias, kind):
    """The numbers of all 256 bit patterns."""
    sign, mantissa_bits = bits >> 7, 7 - exponent_bits
    exponent, mantissa = (bits & 127) >> mantissa_bits, bits & ((1 << mantissa_bits) - 1)
    value = np.where(exponent == 0, mantissa * 2.0 ** (1 - bias - mantissa_bits), (1 + mantissa / 2.0**mantissa_bits) * 2.0 ** (exponent.astype(float) - bias))
    value = np.where(sign == 1, -value, value)
    if kind == "e4m3fn":
        return np.where((bits & 127) == 127, np.nan, value)
    if kind.endswith("uz"):
        return np.where(bits == 128, np.nan, value)
    top = (bits & 127) >= 124
    return np.where(top, np.where((bits & 3) == 0, np.where(sign == 1, -np.inf, np.inf), np.nan), value)


every = np.arange(256, dtype=np.uint8)
for kind, exponent_bits, bias in (("e4m3fn", 4, 7), ("e4m3fnuz", 4, 8), ("e5m2", 5, 15), ("e5m2fnuz", 5, 16)):
    name = "f8" + kind
    with np.errstate(over="ignore"):
        numbers = float8(every.astype(np.int64), exponent_bits, bias, kind).astype(F)
    op(f"from_{name}", "Cast", [Tensor(every, name)], [numbers], opset=21, to=1)
    finite = every[np.isfinite(numbers)]
    # Back to the very bits; what is beyond saturates, or does not where the model says so.
    op(f"to_{name}", "Cast", [numbers[np.isfinite(numbers)]], [Tensor(finite, name)], opset=21, to=TYPES[name][0])
    largest = finite[np.argmax(numbers[np.isfinite(numbers)])]
    op(f"saturate_{name}", "Cast", [np.array([1e6, -1e6], F)], [Tensor(np.array([largest, largest | 128], np.uint8), name)], opset=21, to=TYPES[name][0])
    beyond = {"e4m3fn": [0x7F, 0xFF], "e5m2": [0x7C, 0xFC]}.get(kind, [0x80, 0x80])
    op(f"beyond_{name}", "Cast", [np.array([1e6, -1e6], F)], [Tensor(np.array(beyond, np.uint8), name)], opset=21, to=TYPES[name][0], saturate=0)
    op(f"nan_{name}", "Cast", [np.array([np.nan, -np.nan], F)], [Tensor(np.array({"e4m3fn": [0x7F, 0xFF], "e5m2": [0x7E, 0xFE]}.get(kind, [0x80, 0x80]), np.uint8), name)],
       opset=21, to=TYPES[name][0])
    op(f"zero_{name}", "DequantizeLinear", [Tensor(finite, name), np.array(2, F), Tensor(np.zeros(1, np.uint8), name)], [numbers[np.isfinite(numbers)] * F(2)], opset=21)
    op(f"dequantize_{name}", "DequantizeLinear", [Tensor(finite, name), np.array(0.5, F)], [numbers[np.isfinite(numbers)] * F(0.5)], opset=21)
    op(f"like_{name}", "CastLike", [numbers[np.isfinite(numbers)], Tensor(every[:1], name)], [Tensor(finite, name)], opset=21)
for kind, low, high in (("u4", 0, 15), ("i4", -8, 7)):
    v = np.arange(low, high + 1).astype(TYPES[kind][1])[:15]
    op(f"from_{kind}", "Cast", [Tensor(v, kind)], [v.astype(F)], opset=21, to=1)
    op(f"from_{kind}_i32", "Cast", [Tensor(v, kind)], [v.astype(np.int32)], opset=21, to=6)
    # A zero point that is a list of one; numbers beyond the range keep their low bits.
    op(f"zero_{kind}", "DequantizeLinear", [Tensor(v, kind), np.array(2, F), Tensor(v[1:2], kind)], [(v.astype(F) - F(v[1])) * 2], opset=21)
    wrapped = (np.arange(-9, 16) + 8 & 15) - 8 if low else np.arange(-9, 16) & 15
    for source in (F, np.float16, np.int32):
        op(f"to_{kind}_{np.dtype(source)}", "Cast", [np.arange(-9, 16).astype(source)], [Tensor(wrapped.astype(v.dtype), kind)], opset=21, to=TYPES[kind][0])
    op(f"saturate_{kind}", "QuantizeLinear", [np.array([-99, low, 3, high, 99], F), np.array(1, F), Tensor(np.zeros(1, v.dtype), kind)],
       [Tensor(np.array([low, low, 3, high, high]).astype(v.dtype), kind)], opset=21)
    blocks = rng.integers(low, high + 1, (3, 8)).astype(v.dtype)
    zeros, scales = rng.integers(low, high + 1, (3, 2)).astype(v.dtype), np.abs(f(3, 2))
    wanted = ((blocks.astype(F) - np.repeat(zeros, 4, 1)) * np.repeat(scales, 4, 1)).astype(F)
    op(f"block_{kind}", "DequantizeLinear", [const(blocks, kind), scales, const(zeros, kind)], [wanted], opset=21, axis=1, block_size=4)
for kind in ("u8", "i8", "u16", "i16"):
    limits = np.iinfo(TYPES[kind][1])
    x = f(3, 8) * 40
    scales, zeros = np.abs(f(3)) + F(0.1), rng.integers(0, 9, 3).astype(limits.dtype)
    wanted = np.clip(np.rint(x / scales[:, None]) + zeros[:, None], limits.min, limits.max).astype(limits.dtype)
    op(f"axis_{kind}", "QuantizeLinear", [x, scales, zeros], [wanted], opset=21, axis=0)
    op(f"axis_{kind}", "DequantizeLinear", [wanted, scales, zeros], [((wanted.astype(F) - zeros[:, None]) * scales[:, None]).astype(F)], opset=21, axis=0)
    op(f"dtype_{kind}", "QuantizeLinear", [x, np.array(0.5, F)], [np.clip(np.rint(x / F(0.5)), limits.min, limits.max).astype(limits.dtype)], opset=21, output_dtype=TYPES[kind][0])
    grid = np.abs(f(3, 2)) + F(0.1)
    wanted = np.clip(np.rint(x / np.repeat(grid, 4, 1)), limits.min, limits.max).astype(limits.dtype)
    op(f"block_{kind}", "QuantizeLinear", [x, grid], [wanted], opset=21, axis=1, block_size=4, output_dtype=TYPES[kind][0])
    op(f"block_{kind}", "DequantizeLinear", [wanted, grid], [(wanted.astype(F) * np.repeat(grid, 4, 1)).astype(F)], opset=21, axis=-1, block_size=4)
op("half", "DequantizeLinear", [np.arange(5, dtype=np.int8), np.array(0.5, np.float16)], [np.arange(5).astype(np.float16) * np.float16(0.5)], opset=19)
op("stated", "DequantizeLinear", [np.arange(5, dtype=np.int8), np.array(0.5, F)], [np.arange(5).astype(np.float16) * np.float16(0.5)], opset=23, output_dtype=10)
wide = np.array([0.1, 1.5, -3.25, 65504.0 * 4], F)
op("bf16", "Cast", [wide], [bf16(wide)], opset=13, to=16)
op("f32_i8", "Cast", [np.array([1.9, -1.9, 100], F)], [np.array([1, -1, 100], np.int8)], opset=13, to=3)
for kind in ("bf16",):
    a, b = bf16(f(3, 4)), bf16(f(3, 4))
    sums = as_numbers("bf16", a.array) + as_numbers("bf16", b.array)
    op(kind, "Add", [a, b], [bf16(sums)], opset=14)
    op(kind, "MatMul", [a, Tensor(b.array.T.copy(), "bf16")], [bf16(as_numbers("bf16", a.array) @ as_numbers("bf16", b.array).T)], opset=13)
    op(kind, "Relu", [a], [bf16(np.maximum(as_numbers("bf16", a.array), 0))], opset=14)
# Roots and logarithms of integers are cut to integers.
whole = np.array([[3, 4], [-6, 8], [1, 1]], np.int32)
op("of_i32", "ReduceL2", [whole, const(np.array([1]))], [np.array([[5], [10], [1]], np.int32)], opset=18)
op("of_u32", "ReduceLogSum", [np.array([[20, 10], [1, 2]], np.uint32), const(np.array([1]))], [np.array([3, 1], np.uint32)], opset=18, keepdims=0)
op("of_i64", "ReduceLogSumExp", [np.array([[5, 5], [-9, 2]]), const(np.array([1]))], [np.array([5, 2])], opset=18, keepdims=0)
sys.exit(main())
