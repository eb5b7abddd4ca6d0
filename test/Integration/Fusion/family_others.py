"""Attention as further models have it, which were written down after the fusions and not for them."""

import math

import numpy as np

from family_attention import alibi
from family_parts import *


@case("21-others", "fused: attention: scale 0.353553, 1 key heads, at node 'softmax'")
def falcon(g, x, mask):
    """Multi-query: one head of keys and values, which the products broadcast."""
    q = heads(g, dense(g, x))
    k, v = (g("Unsqueeze", dense(g, x, SIZE), np.array([1])) for _ in "kv")
    return attend(g, q, k, v)


@case("21-others", "fused: attention: scale 0.353553, bias, mask, rows without keys are uniform, at node 'softmax'")
def bloom(g, x, mask):
    """Interleaved by head, batch and heads merged, alibi added as baddbmm does."""
    t = g("Reshape", dense(g, x, 3 * HIDDEN), np.array([0, 0, HEADS, 3, SIZE]))
    q, k, v = (g("Squeeze", p, np.array([3])) for p in g("Split", t, np.ones(3, np.int64), outputs=3, axis=3))
    n = g.size(x, 1)
    q, v = (g("Reshape", g("Transpose", t, perm=[0, 2, 1, 3]), g.vector(-1, n, SIZE)) for t in (q, v))
    k = g("Reshape", g("Transpose", k, perm=[0, 2, 3, 1]), g.vector(-1, SIZE, n))
    slopes = (2.0 ** -np.arange(1, 1 + HEADS)).astype(np.float32).reshape(HEADS, 1)
    places = g("Mul", g("Sub", g("CumSum", mask, np.array(1)), np.array(1)), mask)
    distance = g("Mul", slopes, g("Cast", g("Unsqueeze", places, np.array([1])), to=FLOAT))
    bias = g("Reshape", distance, g.vector(-1, 1, n))
    s = g("Add", bias, g("Mul", g("MatMul", q, k), np.float32(1 / ROOT)))
    s = g("Reshape", s, g.vector(g.size(x, 0), HEADS, n, n))
    s = g("Where", g("Not", g("Cast", wide(g, mask), to=BOOL)), np.float32(LOWEST), s)
    p = g("Reshape", g("Softmax", s, axis=-1, label="softmax"), g.vector(-1, n, n))
    return merge(g, g("Reshape", g("MatMul", p, v), g.vector(g.size(x, 0), HEADS, n, SIZE)))


@case("21-others", "fused: attention: scale 0.353553, bias, causal, rows without keys are ", "fused: gelu: quick")
def clip(g, x, mask):
    """Causal and padding masks of rank 4 on views, batch and heads merged in between."""
    n = g.size(x, 1)
    q, k, v = (g("Reshape", t, g.vector(-1, n, SIZE)) for t in split(g, x))
    s = g("MatMul", g("Mul", q, np.float32(1 / ROOT)), g("Transpose", k, perm=[0, 2, 1]))
    views = g.vector(g.size(x, 0), HEADS, n, n)
    causal = g("Trilu", g("Expand", np.full((1,), LOWEST, np.float32), g.vector(n, n)), np.array(1), upper=1)
    s = g("Add", g("Reshape", s, views), g("Unsqueeze", g("Unsqueeze", causal, np.array([0])), np.array([0])))
    s = g("Reshape", g("Add", s, padding(g, mask)), g.vector(-1, n, n))
    o = g("MatMul", g("Softmax", s, axis=-1, label="softmax"), v)
    y = dense(g, merge(g, g("Reshape", o, g.vector(g.size(x, 0), HEADS, n, SIZE))))
    return g("Mul", y, g("Sigmoid", g("Mul", y, np.float32(1.702))))


@case("21-others", "fused: attention: scale 0.353553, at node 'softmax'", "fused: qkv: 2 products")
def whisper(g, x, mask):
    """Cross attention: queries are scaled, keys have no bias."""
    g.more_inputs.append(onnx.value_info("encoded", ["b", "t", HIDDEN]))
    q = heads(g, g("Mul", dense(g, x), np.float32(1 / ROOT)))
    k, v = heads(g, dense(g, "encoded", bias=False)), heads(g, dense(g, "encoded"))
    return attend(g, q, k, v, scale=False)


@case("21-others", "fused: attention: scale 0.353553, bias, causal")
def mpt(g, x, mask):
    """Products by Einsum, clipped projections, alibi."""
    q, k, v = (heads(g, g("Clip", dense(g, x, bias=False), np.float32(-6), np.float32(6))) for _ in "qkv")
    s = g("Add", g("Mul", g("Einsum", q, k, equation="bhid,bhjd->bhij"), np.float32(1 / ROOT)), alibi(g, x))
    s = g("Where", g("Less", *ranges(g, x)), np.float32(LOWEST), s)
    return merge(g, g("Einsum", g("Softmax", s, axis=-1, label="softmax"), v, equation="bhij,bhjd->bhid"))


@case("21-others", "fused: attention: scale 0.353553, at node 'softmax'", "fused: layer_norm: epsilon 1e-05")
def phi(g, x, mask):
    """Queries and keys are normed head by head."""
    def normed(t):
        d = g("Sub", t, g("ReduceMean", t, axes=[-1], keepdims=1))
        v = g("Add", g("ReduceMean", g("Pow", d, np.float32(2)), axes=[-1], keepdims=1), np.float32(1e-5))
        return g("Add", g("Mul", g("Div", d, g("Sqrt", v)), weight(SIZE)), weight(SIZE))
    q, k, v = split(g, x)
    return attend(g, normed(q), normed(k), v)


@case("21-others", "fused: attention: scale 0.353553, bias, at node 'softmax'")
def swin(g, x, mask):
    """A table of biases per head, then the scores are split into windows for their mask: rank 5."""
    n = g.size(x, 1)
    s = g("Add", g("Div", product(g, *split(g, x)[:2]), np.float32(ROOT)), g("Slice", weight(1, HEADS, ROOM, 1), np.array([0]), g("Unsqueeze", n, np.array([0])), np.array([2])))
    v = split(g, x)[2]
    s = g("Reshape", s, g.vector(g.size(x, 0), 1, HEADS, n, n))
    s = g("Add", s, g("Unsqueeze", g("Unsqueeze", g("Unsqueeze", g("Cast", g("Less", *ranges(g, x)), to=FLOAT), np.array([0])), np.array([0])), np.array([0])))
    s = g("Reshape", s, g.vector(-1, HEADS, n, n))
    return merge(g, g("MatMul", g("Softmax", s, axis=-1, label="softmax"), v))


@case("21-others", "fused: attention: scale 0.353553, 2 key heads, bias, at node 'softmax'")
def repeated_by_concat(g, x, mask):
    """Key heads are repeated by Unsqueeze, Tile and Reshape."""
    q = heads(g, dense(g, x))
    def repeated(t):
        t = g("Tile", g("Unsqueeze", t, np.array([2])), np.array([1, 1, 2, 1, 1]))
        return g("Reshape", t, g.vector(g.size(x, 0), HEADS, g.size(x, 1), SIZE))
    k, v = (repeated(heads(g, dense(g, x, HIDDEN // 2), count=2)) for _ in "kv")
    return attend(g, q, k, v, lambda g, s: g("Add", s, padding(g, mask)))
