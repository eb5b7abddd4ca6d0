#!/usr/bin/env python3
"""contrib.py FOLDER [MODE...]: the operators of com.microsoft that ONNX Runtime's optimizer and builders write."""

import math
import sys

from operators import *  # noqa: F403

rng = np.random.default_rng(7)
F, MS = np.float32, "com.microsoft"
erf = np.vectorize(math.erf, otypes=[np.float64])


def f(*shape):
    return rng.standard_normal(shape).astype(F)


def layer_norm(x, g, b, epsilon):
    x = x.astype(np.float64)
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    inv = 1 / np.sqrt(var + epsilon)
    return ((x - mean) * inv * g + b).astype(F), mean.astype(F), inv.astype(F)


def rms_norm(x, g, epsilon):
    inv = 1 / np.sqrt((x.astype(np.float64) ** 2).mean(-1, keepdims=True) + epsilon)
    return (x * inv * g).astype(F), inv.astype(F)


x, skip, g, b, bias = f(2, 3, 8), f(2, 3, 8), f(8), f(8), f(8)
for name, s in (("same", skip), ("row", skip[0]), ("one", skip[:1])):
    y, mean, inv = layer_norm(x + s, g, b, 1e-12)
    op(name, "SkipLayerNormalization", [x, s, g, b], [y, mean, inv, x + s], domain=MS)
    y, inv = rms_norm(x + s, g, 1e-12)
    op(name, "SkipSimplifiedLayerNormalization", [x, s, g], [y, None, inv, x + s], domain=MS)
y, _, _ = layer_norm(x + skip + bias, g, 0, 1e-5)
op("bias", "SkipLayerNormalization", [x, skip, g, None, bias], [y, None, None, x + skip + bias], domain=MS, epsilon=1e-5)
y, _ = rms_norm(x + skip + bias, g, 1e-5)
op("bias", "SkipSimplifiedLayerNormalization", [x, skip, g, bias], [y, None, None, x + skip + bias], domain=MS, epsilon=1e-5)
y, inv = rms_norm(x, g, 1e-6)
for domain in ("", MS):
    op("plain" + domain, "SimplifiedLayerNormalization", [x, g], [y, inv], domain=domain, epsilon=1e-6)

ids, segments, mask = rng.integers(0, 11, (2, 5)), rng.integers(0, 2, (2, 5)).astype(np.int32), np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
ids = ids.astype(np.int32)
words, positions, types = f(11, 8), f(9, 8), f(2, 8)
total = words[ids] + positions[:5] + types[segments]
op("all", "EmbedLayerNormalization", [ids, segments, words, positions, types, g, b, mask], [layer_norm(total, g, b, 1e-12)[0], mask.sum(1).astype(np.int32), total], domain=MS)
places = rng.integers(0, 9, (2, 5)).astype(np.int32)
total = words[ids] + positions[places]
op("places", "EmbedLayerNormalization", [ids, None, words, positions, None, g, b, None, places],
   [layer_norm(total, g, b, 1e-5)[0], np.zeros(2, np.int32), total], domain=MS, epsilon=1e-5)


def gelu(x):
    return (0.5 * x * (1 + erf(x / math.sqrt(2)))).astype(F)


def tanh_gelu(x):
    x = x.astype(np.float64)
    return (0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))).astype(F)


op("bias", "BiasGelu", [x, bias], [gelu(x + bias)], domain=MS)
op("plain", "Gelu", [x], [gelu(x)], domain=MS)
op("plain", "FastGelu", [x], [tanh_gelu(x)], domain=MS)
op("bias", "FastGelu", [x, bias], [tanh_gelu(x + bias)], domain=MS)
op("plain", "QuickGelu", [x], [(x / (1 + np.exp(-1.702 * x))).astype(F)], domain=MS)
op("alpha", "QuickGelu", [x], [(x / (1 + np.exp(-2.0 * x))).astype(F)], domain=MS, alpha=2.0)
op("skip", "BiasAdd", [x, bias, skip], [x + bias + skip], domain=MS)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


scores, weights = f(2, 3, 4, 5), f(2, 1, 1, 5)
op("last", "BiasSoftmax", [scores, weights], [softmax(scores + weights)], domain=MS, axis=3, is_inner_broadcast=1)
op("two", "BiasSoftmax", [scores, weights], [softmax((scores + weights).reshape(2, 3, 20)).reshape(scores.shape)], domain=MS, axis=2, is_inner_broadcast=1)

# ---- Products ---------------------------------------------------------------------------------------------------------

p, q = f(2, 3, 4, 5), f(2, 3, 5, 6)
swap = lambda m: np.swapaxes(m, -1, -2).copy()
for ta in (0, 1):
    for tb in (0, 1):
        op(f"{ta}{tb}", "FusedMatMul", [swap(p) if ta else p, swap(q) if tb else q], [F(0.5) * (p @ q)], domain=MS, alpha=0.5, transA=ta, transB=tb)
        batch_first = lambda m: np.moveaxis(m, -2, 0).copy()
        op(f"batch_{ta}{tb}", "FusedMatMul", [batch_first(swap(p) if ta else p), batch_first(swap(q) if tb else q)], [p @ q], domain=MS,
           transA=ta, transB=tb, transBatchA=1, transBatchB=1)
op("vector", "FusedMatMul", [p[0, 0, 0], q], [p[0, 0, 0] @ q], domain=MS, transA=1)

a8, b8 = rng.integers(0, 255, (2, 4, 6)).astype(np.uint8), rng.integers(-128, 127, (6, 5)).astype(np.int8)
column_scale, column_zero = np.abs(f(5)), rng.integers(-9, 9, 5).astype(np.int8)
product = (a8.astype(np.int64) - 100) @ (b8.astype(np.int64) - column_zero)
op("columns", "MatMulIntegerToFloat", [a8, b8, np.array(0.25, F), column_scale, np.array(100, np.uint8), column_zero, f(5) * 0 + bias[:5]],
   [(product * (0.25 * column_scale) + bias[:5]).astype(F)], domain=MS)
op("plain", "MatMulIntegerToFloat", [a8, b8, np.array([0.25], F), np.array([0.5], F)], [(a8.astype(np.int64) @ b8.astype(np.int64) * 0.125).astype(F)], domain=MS)


def quantize(x):
    low, high = min(x.min(), 0), max(x.max(), 0)
    scale = F(high - low) / F(255)
    zero = np.clip(np.rint(F(-low) / scale), 0, 255).astype(np.int64)
    return np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.int64) - zero, scale


a = f(2, 4, 6)
qa, scale = quantize(a)
op("all", "DynamicQuantizeMatMul", [a, b8, column_scale, column_zero, bias[:5]],
   [(qa @ (b8.astype(np.int64) - column_zero) * (scale * column_scale) + bias[:5]).astype(F)], domain=MS, tolerance=1e-4)
op("one_scale", "DynamicQuantizeMatMul", [a, b8, np.array([0.5], F)], [(qa @ b8.astype(np.int64) * (scale * F(0.5))).astype(F)], domain=MS, tolerance=1e-4)


def pack(numbers, bits):
    """The numbers of the last dim in bytes, the lowest bits first."""
    per = 8 // bits
    pad = -numbers.shape[-1] % per
    padded = np.concatenate([numbers, np.zeros(numbers.shape[:-1] + (pad,), numbers.dtype)], -1).reshape(numbers.shape[:-1] + (-1, per))
    return sum(padded[..., i].astype(np.uint32) << (bits * i) for i in range(per)).astype(np.uint8)


for bits in (2, 4, 8):
    for k, block in ((32, 16), (70, 32)):
        n, blocks = 5, -(-k // block)
        numbers = rng.integers(0, 1 << bits, (n, blocks, block))
        scales, zeros = np.abs(f(n, blocks)), rng.integers(0, 1 << bits, (n, blocks))
        left, shift = f(3, k), bits
        packed = pack(numbers, bits)

        def reference(zero):
            matrix = ((numbers - zero[..., None]) * scales[..., None]).reshape(n, -1)[:, :k]
            return (left.astype(np.float64) @ matrix.T).astype(F)

        attributes = dict(domain=MS, K=k, N=n, bits=bits, block_size=block, tolerance=1e-4)
        op(f"{bits}_{k}", "MatMulNBits", [left, const(packed), const(scales.reshape(-1))], [reference(np.full((n, blocks), 1 << (bits - 1)))], **attributes)
        op(f"{bits}_{k}_zeros", "MatMulNBits", [left, const(packed), const(scales), const(pack(zeros, bits)), None, bias[:n]],
           [reference(zeros) + bias[:n]], **attributes)
        op(f"{bits}_{k}_float_zeros", "MatMulNBits", [left, packed, scales, zeros.astype(F)], [reference(zeros)], **attributes)
        groups = rng.integers(0, blocks, k).astype(np.int32)
        matrix = (numbers.reshape(n, -1)[:, :k] - zeros[:, groups]) * scales[:, groups]
        op(f"{bits}_{k}_groups", "MatMulNBits", [left, packed, scales, pack(zeros, bits), groups], [(left.astype(np.float64) @ matrix.T).astype(F)], **attributes)

for name, changes, says in (("bits", {"bits": 3}, "bits must be"), ("block", {"block_size": 0}, "block_size"), ("size", {"K": 99}, "dim 1 of an operand is 2, not 7"),
                            ("rows", {"N": 0}, "N and K")):
    refused(name, "MatMulNBits", [f(3, 32), np.zeros((5, 2, 8), np.uint8), f(10)], says, domain=MS, at="compile", **({"K": 32, "N": 5, "bits": 4, "block_size": 16} | changes))
refused("zeros", "MatMulNBits", [f(3, 32), np.zeros((5, 2, 8), np.uint8), f(10), np.zeros(4, np.uint8)], "zero_points", domain=MS, at="compile", K=32, N=5, bits=4, block_size=16)
refused("table", "EmbedLayerNormalization", [ids, segments, words, positions[:3], types, g, b], "", domain=MS, at="compile")
refused("id", "EmbedLayerNormalization", [ids * 0 + 11, segments, words, positions, types, g, b], ["index 11", "x0"], domain=MS)
refused("pair", "EmbedLayerNormalization", [ids, None, words, positions, types, g, b], "come together", domain=MS, at="compile")
refused("gamma", "SkipLayerNormalization", [x, skip, f(7)], "", domain=MS, at="compile")
refused("epsilon", "SkipLayerNormalization", [x, skip, g], "epsilon", domain=MS, at="compile", epsilon=float("nan"))
sys.exit(main())
