#!/usr/bin/env python3
"""spellings.py FOLDER [NAME...]: one small encoder written as exporters write it, in many ways. Each must fuse into one attention
per layer, say so, and give with and without fusion, and with --dynamic=all, what numpy gives in float64.
"""

import math
import os
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "Frontend/ONNX")]
import onnx_writer as onnx
from checks import Checks, scratch_folder
from graph import BOOL, FLOAT, HALF, INT64, LOWEST, Graph

checks = Checks()
BATCH, SEQ, HEADS, SIZE, LAYERS, ROOM = 2, 5, 4, 6, 2, 16
HIDDEN = HEADS * SIZE


# --- masks: an additive one [.., seq or 1, seq], or (for some) another way to mask the scores ------------------------


def padding(g, ids):
    """(1 - m) * lowest, as BERT has it."""
    m = g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2]))
    return g("Mul", g("Sub", np.float32(1), g("Cast", m, to=FLOAT)), np.float32(LOWEST))


def add_padding(g, scores, ids, x):
    return g("Add", scores, padding(g, ids))


def boolean_padding(g, scores, ids, x):
    m = g("Cast", g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2])), to=BOOL)
    return g("Where", m, scores, np.float32(-np.inf))


def boolean_bias(g, scores, ids, x):
    m = g("Cast", g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2])), to=BOOL)
    target = g.vector(g.size(x, 0), 1, g.size(x, 1), g.size(x, 1))
    return g("Add", scores, g("Where", g("Expand", m, target), np.float32(0), np.float32(-np.inf)))


def causal_trilu(g, x, value=-np.inf):
    """triu of a full matrix, as torch.triu(torch.full(...), 1)."""
    n = g.size(x, 1)
    full = g("Expand", np.full((1,), value, np.float32), g.vector(n, n))
    return g("Trilu", full, np.array(1), upper=1)


def add_triangle(g, scores, ids, x):
    return g("Add", g("Add", scores, causal_trilu(g, x)), padding(g, ids))


def inverted(g, ids, x, wide):
    """1 - m, filled with the lowest number where it is not 0, for all scores."""
    m = g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2]))
    if wide:
        m = g("Expand", m, g.vector(g.size(x, 0), 1, g.size(x, 1), g.size(x, 1)))
    rest = g("Sub", np.float32(1), g("Cast", m, to=FLOAT))
    return g("Where", g("Cast", rest, to=BOOL), np.float32(LOWEST), rest)


def inverted_and_causal(g, scores, ids, x):
    """LLaMA and its kin: where the triangle is not 0, the lowest number instead of the inverted mask."""
    n = g.size(x, 1)
    triangle = g("Where", g("Less", arange(g, x), g("Unsqueeze", g("Add", arange(g, x), np.array(1)), np.array([1]))), np.float32(0),
                 g("Expand", np.full((1,), LOWEST, np.float32), g.vector(n, n)))
    return g("Add", scores, g("Where", g("Cast", triangle, to=BOOL), np.float32(LOWEST), inverted(g, ids, x, wide=True)))


def raised(g, scores, ids, x):
    """OPT: two masks of the lowest number, and the scores are at least that."""
    both = g("Add", causal_trilu(g, x, LOWEST), inverted(g, ids, x, wide=False))
    return g("Max", g("Add", scores, both), np.float32(LOWEST))


def arange(g, x, axis=1):
    return g("Range", np.array(0), g.size(x, axis), np.array(1))


def compare_ranges(g, scores, ids, x):
    """k <= q with a boolean padding, in one Where of 0 and lowest."""
    q, k = g("Unsqueeze", arange(g, x), np.array([1])), g("Unsqueeze", arange(g, x), np.array([0]))
    m = g("Cast", g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2])), to=BOOL)
    allowed = g("And", g("LessOrEqual", k, q), m)
    return g("Add", scores, g("Where", allowed, np.float32(0), np.float32(LOWEST)))


def buffer(g, x, array):
    """A buffer for all positions, cut to those of the run: [1, 1, ROOM, ROOM][:, :, :n, :n]."""
    n = g("Unsqueeze", g.size(x, 1), np.array([0]))
    rows = g("Slice", g.constant(array[None, None]), np.array([0]), n, np.array([2]), np.array([1]))
    return g("Slice", rows, np.array([0]), n, np.array([3]), np.array([1]))


TRIL = np.tril(np.ones((ROOM, ROOM), bool))


def where_buffer(g, scores, ids, x):
    """GPT-2: Where(tril buffer, scores, lowest), then the padding is added."""
    return g("Add", g("Where", buffer(g, x, TRIL), scores, np.float32(LOWEST)), padding(g, ids))


def where_buffer_small(g, scores, ids, x):
    """Older GPT-2: -10000 in both places."""
    m = g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2]))
    pad = g("Mul", g("Sub", np.float32(1), g("Cast", m, to=FLOAT)), np.float32(-10000))
    return g("Add", g("Where", buffer(g, x, TRIL), scores, np.float32(-10000)), pad)


def float_buffer(g, scores, ids, x):
    """A buffer of 0 and -inf, as nn.Transformer keeps it."""
    return g("Add", g("Add", scores, buffer(g, x, np.where(TRIL, 0, -np.inf).astype(np.float32))), padding(g, ids))


def local_buffer(g, scores, ids, x):
    """GPT-Neo: the buffer has a band of the last three positions."""
    return g("Add", g("Where", buffer(g, x, TRIL ^ np.tril(TRIL, -3)), scores, np.float32(LOWEST)), padding(g, ids))


def sliding_window(g, scores, ids, x):
    """Mistral: k <= q and k > q - 3."""
    q, k = g("Unsqueeze", arange(g, x), np.array([1])), g("Unsqueeze", arange(g, x), np.array([0]))
    bad = g("Or", g("Greater", k, q), g("LessOrEqual", k, g("Sub", q, np.array(3))))
    m = g("Equal", g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2])), np.array(0))
    return g("Where", g("Or", bad, m), np.float32(LOWEST), scores)


def distance_window(g, scores, ids, x):
    """ModernBERT: |q - k| <= 1."""
    q, k = g("Unsqueeze", arange(g, x), np.array([1])), g("Unsqueeze", arange(g, x), np.array([0]))
    near = g("LessOrEqual", g("Abs", g("Sub", q, k)), np.array(1))
    m = g("Cast", g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2])), to=BOOL)
    return g("Add", scores, g("Where", g("And", near, m), np.float32(0), np.float32(-np.inf)))


# --- attention: from hidden [b, s, HIDDEN] to [b, s, HIDDEN] ----------------------------------------------------------


def project(g, x, w):
    return g("Add", g("MatMul", x, w[0]), w[1])


def heads(g, t, count=HEADS, perm=(0, 2, 1, 3)):
    return g("Transpose", g("Reshape", t, np.array([0, 0, count, SIZE])), perm=list(perm))


def merge(g, t):
    return g("Reshape", g("Transpose", t, perm=[0, 2, 1, 3]), np.array([0, 0, HIDDEN]))


def primitives(mask, scale="div", guard=False, key_perm="0231", cap=0.0, repeat=1, rotary=False):
    def build(g, x, ids, w):
        kv = HEADS // repeat
        q = heads(g, project(g, x, w["q"]))
        if scale == "query":
            q = g("Mul", q, np.float32(1 / math.sqrt(SIZE)))
        k = project(g, x, w["k"])
        v = heads(g, project(g, x, w["v"]), kv)
        if rotary:
            q, k = rotate(g, q), rotate(g, heads(g, k))
            kt = g("Transpose", k, perm=[0, 1, 3, 2])
        elif repeat > 1:
            k, v = (repeat_heads(g, t, repeat) for t in (heads(g, k, kv), v))
            kt = g("Transpose", k, perm=[0, 1, 3, 2])
        elif key_perm == "0231":
            kt = heads(g, k, perm=(0, 2, 3, 1))
        else:
            kt = g("Transpose", heads(g, k), perm=[0, 1, 3, 2])
        if scale == "both":
            root = np.float32(1 / math.sqrt(math.sqrt(SIZE)))
            q, kt = g("Mul", q, root), g("Mul", kt, root)
        scores = g("MatMul", q, kt)
        if scale == "div":
            scores = g("Div", scores, np.float32(math.sqrt(SIZE)))
        if cap:
            scores = g("Mul", g("Tanh", g("Div", scores, np.float32(cap))), np.float32(cap))
        p = g("Softmax", mask(g, scores, ids, x), axis=-1)
        if guard:
            p = g("Where", g("IsNaN", p), np.float32(0), p)
        return merge(g, g("MatMul", p, v))
    return build


def repeat_heads(g, t, repeat):
    n = g("Unsqueeze", g.size(t, 2), np.array([0]))
    b = g("Unsqueeze", g.size(t, 0), np.array([0]))
    wide = g("Expand", g("Unsqueeze", t, np.array([2])),
             g("Concat", b, np.array([HEADS // repeat, repeat]), n, np.array([SIZE]), axis=0))
    return g("Reshape", wide, g("Concat", b, np.array([HEADS]), n, np.array([SIZE]), axis=0))


ANGLES = np.outer(np.arange(ROOM), 1 / 10 ** np.arange(0, 1, 2 / SIZE))
COS, SIN = (np.concatenate([f(ANGLES)] * 2, 1).astype(np.float32) for f in (np.cos, np.sin))


def rotate(g, t):
    half = SIZE // 2
    n = g("Unsqueeze", g.size(t, 2), np.array([0]))
    cos, sin = (g("Slice", table, np.array([0]), n, np.array([0])) for table in (COS, SIN))
    first = g("Slice", t, np.array([0]), np.array([half]), np.array([3]))
    second = g("Slice", t, np.array([half]), np.array([SIZE]), np.array([3]))
    turned = g("Concat", g("Neg", second), first, axis=-1)
    return g("Add", g("Mul", t, cos), g("Mul", turned, sin))


def sdpa(g, x, ids, w):
    """The standard's operator, opset 23."""
    q, k, v = (project(g, x, w[n]) for n in "qkv")
    m = g("Cast", g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2])), to=BOOL)
    return g("Attention", q, k, v, m, q_num_heads=HEADS, kv_num_heads=HEADS)


def einsum(g, x, ids, w):
    """TensorFlow: every product an Einsum, weights of rank 3."""
    def dense(n):
        return g("Add", g("Einsum", x, w[n][0].reshape(HIDDEN, HEADS, SIZE), equation="bfd,dnh->bfnh"), w[n][1].reshape(HEADS, SIZE))
    q, k, v = dense("q"), dense("k"), dense("v")
    scores = g("Mul", g("Einsum", k, q, equation="btnh,bfnh->bnft"), np.float32(1 / math.sqrt(SIZE)))
    p = g("Softmax", g("Add", scores, padding(g, ids)), axis=-1)
    return g("Reshape", g("Einsum", p, v, equation="bnft,btnh->bfnh"), np.array([0, 0, HIDDEN]))


def per_head(g, x, ids, w):
    """Split into heads, one small attention each, joined again."""
    parts = [g("Split", project(g, x, w[n]), outputs=HEADS, axis=2) for n in "qkv"]
    mask = g("Squeeze", padding(g, ids), np.array([1]))
    outs = []
    for q, k, v in zip(*parts):
        scores = g("Div", g("MatMul", q, g("Transpose", k, perm=[0, 2, 1])), np.float32(math.sqrt(SIZE)))
        outs.append(g("MatMul", g("Softmax", g("Add", scores, mask), axis=-1), v))
    return g("Concat", *outs, axis=2)


def flat(g, x, ids, w):
    """tf2onnx: products of matrices, so everything is reshaped to two dims and back."""
    rows = g("Reshape", x, np.array([-1, HIDDEN]))
    target = g.vector(g.size(x, 0), g.size(x, 1), HEADS, SIZE)
    q, k, v = (g("Transpose", g("Reshape", g("Add", g("MatMul", rows, w[n][0]), w[n][1]), target), perm=[0, 2, 1, 3]) for n in "qkv")
    scores = g("Mul", g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2])), np.float32(1 / math.sqrt(SIZE)))
    m = g("Cast", g("Reshape", ids, g.vector(g.size(x, 0), 1, g.size(x, 1))), to=FLOAT)
    ones = g("Expand", np.ones((1,), np.float32), g.vector(g.size(x, 0), g.size(x, 1), 1))
    square = g("Unsqueeze", g("Mul", ones, m), np.array([1]))
    scores = g("Add", scores, g("Mul", g("Sub", np.float32(1), square), np.float32(-10000)))
    out = g("Transpose", g("MatMul", g("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    return g("Reshape", g("Reshape", out, np.array([-1, HIDDEN])), g.vector(g.size(x, 0), g.size(x, 1), HIDDEN))


def dynamo(g, x, ids, w):
    """Reshapes behind reshapes, transposes that cancel, weights with a batch of 1, batch and heads merged."""
    def split(n):
        t = g("Reshape", g("Add", g("MatMul", x, w[n][0][None]), w[n][1]), g.vector(g.size(x, 0), g.size(x, 1), HEADS, SIZE))
        t = g("Reshape", t, g.vector(g.size(x, 0), g.size(x, 1), HEADS, SIZE))
        return g("Transpose", g("Transpose", g("Transpose", t, perm=[0, 2, 1, 3]), perm=[0, 2, 1, 3]), perm=[0, 2, 1, 3])
    q, k, v = split("q"), split("k"), split("v")
    merged = [g("Reshape", t, g.vector(-1, g.size(x, 1), SIZE)) for t in (q, k, v)]
    scores = g("MatMul", merged[0], g("Transpose", merged[1], perm=[0, 2, 1]))
    scores = g("Reshape", scores, g.vector(g.size(x, 0), HEADS, g.size(x, 1), g.size(x, 1)))
    scores = g("Add", g("Mul", scores, np.float32(1 / math.sqrt(SIZE))), padding(g, ids))
    p = g("Reshape", g("Softmax", scores, axis=-1), g.vector(-1, g.size(x, 1), g.size(x, 1)))
    out = g("Reshape", g("MatMul", p, merged[2]), g.vector(g.size(x, 0), HEADS, g.size(x, 1), SIZE))
    return g("Reshape", g("Reshape", g("Transpose", out, perm=[0, 2, 1, 3]), np.array([0, 0, HEADS, SIZE])), np.array([0, 0, -1]))


def packed(g, x, ids, w):
    """One product for all three, reshaped to (b, s, 3, heads, size) and gathered, as in ViT."""
    whole = g("Add", g("MatMul", x, np.concatenate([w[n][0] for n in "qkv"], 1)), np.concatenate([w[n][1] for n in "qkv"]))
    t = g("Transpose", g("Reshape", whole, np.array([0, 0, 3, HEADS, SIZE])), perm=[2, 0, 3, 1, 4])
    q, k, v = (g("Gather", t, np.array(i), axis=0) for i in range(3))
    scores = g("Mul", g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2])), np.float32(1 / math.sqrt(SIZE)))
    return merge(g, g("MatMul", g("Softmax", g("Add", scores, padding(g, ids)), axis=-1), v))


def multi_head_operator(g, x, ids, w):
    q, k, v = (g("MatMul", x, w[n][0]) for n in "qkv")
    mask = g("Cast", ids, to=6)
    return g("MultiHeadAttention", q, k, v, np.concatenate([w[n][1] for n in "qkv"]), mask, domain="com.microsoft", num_heads=HEADS)


def half(g, x, ids, w):
    """LLaMA in f16: products of f16, the softmax in f32."""
    q, k, v = (g("Cast", heads(g, project(g, x, w[n])), to=HALF) for n in "qkv")
    lowest = g("Cast", np.float32(-65504), to=HALF)
    m = g("Unsqueeze", g("Unsqueeze", ids, np.array([1])), np.array([2]))
    bias = g("Mul", g("Sub", g("Cast", np.float32(1), to=HALF), g("Cast", m, to=HALF)), lowest)
    scores = g("Mul", g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2])), g("Cast", np.float32(1 / math.sqrt(SIZE)), to=HALF))
    p = g("Cast", g("Softmax", g("Cast", g("Add", scores, bias), to=FLOAT), axis=-1), to=HALF)
    return merge(g, g("Cast", g("MatMul", p, v), to=FLOAT))


def half_masked(g, x, ids, w):
    """GPT-J: queries and keys are cast to f32 before their product, the mask is a Where."""
    q, k, v = (g("Cast", heads(g, project(g, x, w[n])), to=HALF) for n in "qkv")
    q, k = g("Cast", q, to=FLOAT), g("Cast", k, to=FLOAT)
    scores = g("Div", g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2])), np.float32(math.sqrt(SIZE)))
    scores = where_buffer(g, scores, ids, x)
    p = g("Cast", g("Softmax", scores, axis=-1), to=HALF)
    return merge(g, g("Cast", g("MatMul", p, v), to=FLOAT))


# name: (how, what --explain-fusion says of it, reference's keyword arguments, opset)
SPELLINGS = {
    "torchscript": (primitives(add_padding), "fused: attention: scale 0.408248, bias", {}),
    "scaled_query": (primitives(add_padding, "query", key_perm="0132"), "fused: attention: scale 0.408248, bias", {}),
    "both_sides_guard_bool": (primitives(boolean_bias, "both", True), "mask, rows without keys are zero", {}),
    "masked_fill": (primitives(boolean_padding), "mask, rows without keys are nan", {}),
    "operator23": (sdpa, None, {}, 23),
    "multi_head_operator": (multi_head_operator, None, {}),
    "einsum": (einsum, "fused: attention", {}),
    "per_head": (per_head, f"{HEADS} heads of one attention each are one attention", {}),
    "flat": (flat, "fused: attention", {}),
    "dynamo": (dynamo, "fused: attention", {}),
    "packed": (packed, "fused: attention", {}),
    "softcap": (primitives(add_padding, cap=0.7), "softcap 0.7, bias", dict(cap=0.7)),
    "grouped": (primitives(add_padding, repeat=2), "2 key heads, bias", dict(repeat=2)),
    "rotary": (primitives(add_triangle, rotary=True), "bias, causal", dict(rotary=True, left=ROOM, right=0)),
    "triangle": (primitives(add_triangle), "bias, causal", dict(left=ROOM, right=0)),
    "llama": (primitives(inverted_and_causal), "causal, mask, rows without keys are uniform", dict(left=ROOM, right=0)),
    "opt": (primitives(raised), "fused: attention: scale 0.408248, bias", dict(left=ROOM, right=0)),
    "ranges": (primitives(compare_ranges), "causal, mask", dict(left=ROOM, right=0)),
    "gpt2": (primitives(where_buffer), "bias, causal, rows without keys are biased", dict(left=ROOM, right=0)),
    "gpt2_small": (primitives(where_buffer_small), "bias, causal, rows without keys are biased", dict(left=ROOM, right=0)),
    "float_buffer": (primitives(float_buffer), "bias, causal", dict(left=ROOM, right=0)),
    "gpt_neo": (primitives(local_buffer), "causal, window of 2 to the left", dict(left=2, right=0)),
    "mistral": (primitives(sliding_window), "causal, window of 2 to the left, mask", dict(left=2, right=0)),
    "half": (half, "scale 0.408203, bias", {}),
    "half_masked": (half_masked, "bias, causal", dict(left=ROOM, right=0)),
    "modern_bert": (primitives(distance_window), "window of 1 to the left, window of 1 to the right, mask", dict(left=1, right=1)),
}


def reference(x, ids, weights, cap=0.0, repeat=1, rotary=False, left=ROOM, right=ROOM):
    i = np.arange(x.shape[1])
    allowed = (ids[:, None, None, :] != 0) & (i[None] >= i[:, None] - left) & (i[None] <= i[:, None] + right)
    for w in weights:
        split = lambda t: t.reshape(*t.shape[:2], -1, SIZE).transpose(0, 2, 1, 3)
        q, k, v = (split(x @ w[n][0].astype(np.float64) + w[n][1]) for n in "qkv")
        if rotary:
            cos, sin, half = COS[:x.shape[1]].astype(np.float64), SIN[:x.shape[1]], SIZE // 2
            turn = lambda t: t * cos + np.concatenate([-t[..., half:], t[..., :half]], -1) * sin
            q, k = turn(q), turn(k)
        k, v = np.repeat(k, repeat, 1), np.repeat(v, repeat, 1)
        s = q @ k.transpose(0, 1, 3, 2) / math.sqrt(SIZE)
        s = cap * np.tanh(s / cap) if cap else s
        s = np.where(allowed, s, -np.inf)
        p = np.exp(s - s.max(-1, keepdims=True))
        y = (p / p.sum(-1, keepdims=True)) @ v
        x = x + y.transpose(0, 2, 1, 3).reshape(x.shape) @ w["o"][0].astype(np.float64) + w["o"][1]
    return x


def check(name, build, says, keys, opset=17):
    rng = np.random.default_rng(sum(map(ord, name)))
    kv = HIDDEN // keys.get("repeat", 1)
    weights = [{n: ((rng.standard_normal((HIDDEN, kv if n in "kv" else HIDDEN)) * 0.4).astype(np.float32),
                    rng.standard_normal(kv if n in "kv" else HIDDEN).astype(np.float32)) for n in "qkvo"} for _ in range(LAYERS)]
    g = Graph(opset)
    x = "x"
    for w in weights:
        x = g("Add", x, project(g, build(g, x, "attention_mask", w), w["o"]))
    g("Identity", x)
    inputs = [onnx.value_info("x", ["b", "s", HIDDEN]), onnx.value_info("attention_mask", ["b", "s"], INT64)]
    pathlib.Path(f"{name}.onnx").write_bytes(onnx.model(onnx.graph(g.nodes, inputs, [x], g.weights), (("", opset), ("com.microsoft", 1))))
    ids = np.ones((BATCH, SEQ), np.int64)
    ids[1, 3:] = 0
    array = rng.standard_normal((BATCH, SEQ, HIDDEN)).astype(np.float32)
    np.savez(f"{name}.in.npz", x=array, attention_mask=ids)
    np.savez(f"{name}.out.npz", **{x: reference(array.astype(np.float64), ids, weights, **keys).astype(np.float32)})
    fused = [f"--require-fusion=attention:{LAYERS}", "--explain-fusion"]
    tolerance = "1e-1" if name.startswith("half") else "1e-4"
    for mode in (fused, ["--disable-fusion=attention"], ["--dynamic=all", *fused]):
        result = checks.run("tfc-compile", f"{name}.onnx", "-o", f"{name}.so", *mode)
        if mode is fused and says:
            checks.check(f"{name}: {says}", says in result.stderr, result.stderr)
        checks.run("tfc-run", f"./{name}.so", "--inputs", f"{name}.in.npz", "--expect", f"{name}.out.npz", "--rtol", tolerance, "--atol", tolerance)


os.chdir(scratch_folder())
for name, spelling in SPELLINGS.items():
    if len(sys.argv) < 3 or name in sys.argv[2:]:
        check(name, *spelling)
sys.exit(checks.finish())
