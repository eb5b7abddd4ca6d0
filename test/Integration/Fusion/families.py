#!/usr/bin/env python3
"""families.py FOLDER FAMILY...: the families of graph patterns that exporters write, each in its variants and near-misses, as ONNX
models. Each says what must be told of it (--explain-fusion), with the node where that stands. With --verify, what fuses is run
with and without each fusion as well. docs/Fusion.md, "Families", is the list.
"""

import math
import os
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "Frontend/ONNX")]
import onnx_writer as onnx
from checks import Checks
from graph import BOOL, FLOAT, HALF, INT64, LOWEST, Graph

HEADS, SIZE, ROOM = 4, 8, 16
HIDDEN = HEADS * SIZE
ROOT = math.sqrt(SIZE)
FAMILIES = {}
rng = np.random.default_rng(7)


def weight(*shape):
    return (rng.standard_normal(shape) * 0.3).astype(np.float32)


def case(family, *told, opset=17, **keys):
    """Registers a builder of (graph, x [b, s, HIDDEN], mask [b, s] of 0 and 1) that gives the output, or several. `told` must be
    told of it; what begins with "!" must not."""
    def register(build):
        FAMILIES.setdefault(family, []).append((build.__name__, build, told, opset))
        return build
    return register


# --- pieces -------------------------------------------------------------------------------------------------------------


def dense(g, x, columns=HIDDEN, bias=True, rows=HIDDEN, **keys):
    y = g("MatMul", x, weight(rows, columns), **keys)
    return g("Add", y, weight(columns)) if bias else y


def heads(g, t, perm=(0, 2, 1, 3), count=HEADS):
    return g("Transpose", g("Reshape", t, np.array([0, 0, count, SIZE])), perm=list(perm))


def merge(g, t):
    return g("Reshape", g("Transpose", t, perm=[0, 2, 1, 3]), np.array([0, 0, HIDDEN]))


def split(g, x, **bias):
    return [heads(g, dense(g, x, bias=bias.get(n, True))) for n in "qkv"]


def product(g, q, k):
    return g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2]), label="scores")


def attend(g, q, k, v, mask=lambda g, s: s, scale=True, after=lambda g, p: p):
    s = product(g, q, k)
    if scale:
        s = g("Div", s, np.float32(ROOT), label="scale")
    return merge(g, g("MatMul", after(g, g("Softmax", mask(g, s), axis=-1, label="softmax")), v, label="context"))


def wide(g, mask):
    """[b, 1, 1, s]"""
    return g("Unsqueeze", g("Unsqueeze", mask, np.array([1])), np.array([2]))


def padding(g, mask, low=LOWEST):
    return g("Mul", g("Sub", np.float32(1), g("Cast", wide(g, mask), to=FLOAT)), np.float32(low))


def ranges(g, x):
    n = g.size(x, 1)
    r = g("Range", np.array(0), n, np.array(1))
    return g("Unsqueeze", r, np.array([1])), g("Unsqueeze", r, np.array([0]))


def layer_norm(g, x, epsilon=1e-5, axes=-1, square="pow", root="sqrt", label="mean", opset=17, scale=True):
    reduce = (lambda t, **k: g("ReduceMean", t, np.array([axes]), keepdims=1, **k)) if opset >= 18 else (
        lambda t, **k: g("ReduceMean", t, axes=[axes], keepdims=1, **k))
    d = g("Sub", x, reduce(x))
    squares = g("Pow", d, np.float32(2)) if square == "pow" else g("Mul", d, d)
    v = g("Add", reduce(squares, label=label), np.float32(epsilon))
    if root == "sqrt":
        y = g("Div", d, g("Sqrt", v))
    elif root == "reciprocal":
        y = g("Mul", d, g("Reciprocal", g("Sqrt", v)))
    else:
        y = g("Mul", d, g("Pow", v, np.float32(-0.5)))
    return g("Add", g("Mul", y, weight(HIDDEN)), weight(HIDDEN)) if scale else y


# --- 1: TorchScript BERT ------------------------------------------------------------------------------------------------


@case("1-torchscript-bert", "fused: attention: scale 0.353553, bias, at node 'softmax'", "fused: qkv: 3 products of 32, 32, 32 columns, bias",
      "fused: epilogue: add, at node")
def torchscript(g, x, mask):
    y = attend(g, *split(g, x), lambda g, s: g("Add", s, padding(g, mask)))
    return g("Add", dense(g, y), x)


@case("1-torchscript-bert", "not fused: attention: the scores are used elsewhere too, at node 'scale'")
def scores_are_an_output(g, x, mask):
    q, k, v = split(g, x)
    s = g("Div", product(g, q, k), np.float32(ROOT), label="scale")
    p = g("Softmax", g("Add", s, padding(g, mask)), axis=-1, label="softmax")
    return merge(g, g("MatMul", p, v)), g("Identity", s)


@case("1-torchscript-bert", "not fused: attention: the probabilities are used elsewhere too, at node 'softmax'")
def probabilities_are_an_output(g, x, mask):
    q, k, v = split(g, x)
    p = g("Softmax", g("Add", product(g, q, k), padding(g, mask)), axis=-1, label="softmax")
    return merge(g, g("MatMul", p, v)), g("Identity", p)


@case("1-torchscript-bert", "not fused: attention: the softmax is over axis 2, not over the keys, at node 'softmax'")
def softmax_over_queries(g, x, mask):
    q, k, v = split(g, x)
    return merge(g, g("MatMul", g("Softmax", product(g, q, k), axis=2, label="softmax"), v))


@case("1-torchscript-bert", "not fused: qkv: it is used as a whole too, not only split into heads, at node 'query'", "fused: qkv: 2 products", "fused: attention")
def query_is_an_output(g, x, mask):
    q = dense(g, x, label="query")
    k, v = heads(g, dense(g, x)), heads(g, dense(g, x))
    return attend(g, heads(g, q), k, v), g("Identity", q)


# --- 2: where the scale stands ------------------------------------------------------------------------------------------


@case("2-scale", "fused: attention: scale 0.353553, at node 'softmax'")
def scale_of_queries(g, x, mask):
    q, k, v = split(g, x)
    return attend(g, g("Mul", q, np.float32(1 / ROOT)), k, v, scale=False)


@case("2-scale", "fused: attention: scale 0.353553, at node 'softmax'")
def scale_of_keys(g, x, mask):
    q, k, v = split(g, x)
    return attend(g, q, g("Div", k, np.float32(ROOT)), v, scale=False)


@case("2-scale", "fused: attention: scale 0.353553, at node 'softmax'")
def root_on_both(g, x, mask):
    q, k, v = split(g, x)
    root = np.float32(1 / math.sqrt(ROOT))
    kt = g("Mul", g("Transpose", k, perm=[0, 1, 3, 2]), root)
    s = g("MatMul", g("Mul", q, root), kt)
    return merge(g, g("MatMul", g("Softmax", s, axis=-1, label="softmax"), v))


@case("2-scale", "fused: attention: scale 0.353553, at node 'softmax'")
def scale_by_square_root_of_the_shape(g, x, mask):
    """PyTorch: sqrt of the size that Shape gives, cast to float."""
    q, k, v = split(g, x)
    size = g("Cast", g("Gather", g("Shape", q), np.array(3), axis=0), to=FLOAT)
    factor = g("Sqrt", g("Div", np.float32(1), g("Sqrt", size)))
    s = g("MatMul", g("Mul", q, factor), g("Mul", g("Transpose", k, perm=[0, 1, 3, 2]), factor))
    return merge(g, g("MatMul", g("Softmax", s, axis=-1, label="softmax"), v))


@case("2-scale", "not fused: attention: the scores are scaled by something that is no scalar constant, at node 'scale'")
def scale_per_head(g, x, mask):
    q, k, v = split(g, x)
    s = g("Mul", product(g, q, k), np.arange(1, 5, dtype=np.float32).reshape(4, 1, 1), label="scale")
    return merge(g, g("MatMul", g("Softmax", s, axis=-1, label="softmax"), v))


@case("2-scale", "not fused: attention: the scores are scaled after they are masked, at node 'scale'")
def scale_behind_the_mask(g, x, mask):
    q, k, v = split(g, x)
    s = g("Where", g("Cast", wide(g, mask), to=BOOL), product(g, q, k), np.float32(-10000))
    s = g("Mul", s, np.float32(0.001), label="scale")
    return merge(g, g("MatMul", g("Softmax", s, axis=-1, label="softmax"), v))


# --- 3: the NaN guard ---------------------------------------------------------------------------------------------------


def guarded(number):
    def after(g, p):
        return g("Where", g("IsNaN", p), np.float32(number), p, label="guard")
    return after


def infinite(g, mask):
    return lambda g, s: g("Where", g("Cast", wide(g, mask), to=BOOL), s, np.float32(-np.inf))


@case("3-nan-guard", "fused: attention: scale 0.353553, mask, rows without keys are zero, at node 'softmax'")
def guard(g, x, mask):
    return attend(g, *split(g, x), infinite(g, mask), after=guarded(0))


@case("3-nan-guard", "fused: attention: scale 0.353553, mask, rows without keys are nan, at node 'softmax'")
def no_guard(g, x, mask):
    return attend(g, *split(g, x), infinite(g, mask))


@case("3-nan-guard", "not fused: attention: the probabilities are used elsewhere too, at node 'softmax'")
def guard_with_another_number(g, x, mask):
    return attend(g, *split(g, x), infinite(g, mask), after=guarded(1))


# --- 4: residuals and norms ---------------------------------------------------------------------------------------------


@case("4-residual-norm", "fused: layer_norm: epsilon 1e-05", "fused: skip_norm: layer_norm, the residual sum is a second result")
def residual_sum_is_kept(g, x, mask):
    h = g("Add", dense(g, x), x)
    return g("Add", dense(g, layer_norm(g, h)), h)


@case("4-residual-norm", "fused: layer_norm: epsilon 1e-05", "!skip_norm")
def residual_sum_of_the_norm_alone(g, x, mask):
    return layer_norm(g, g("Add", g("Add", dense(g, x), x), weight(HIDDEN)))


@case("4-residual-norm", "fused: layer_norm: epsilon 1e-05", "fused: layer_norm: epsilon 1e-12")
def another_epsilon_per_layer(g, x, mask):
    h = g("Add", dense(g, layer_norm(g, x, 1e-5)), x)
    return layer_norm(g, h, 1e-12)


# --- 5: projections without bias ----------------------------------------------------------------------------------------


@case("5-key-without-bias", "fused: attention: scale 0.353553", "fused: qkv: 3 products of 32, 32, 32 columns, bias")
def key_without_bias(g, x, mask):
    return attend(g, *split(g, x, k=False))


@case("5-key-without-bias", "fused: attention: scale 0.353553", "fused: qkv: 3 products of 32, 32, 32 columns, at node")
def no_bias(g, x, mask):
    return attend(g, *split(g, x, q=False, k=False, v=False))


@case("5-key-without-bias", "fused: attention", "not fused: qkv: its 24 columns are no multiple of 16")
def odd_columns(g, x, mask):
    size = 6
    parts = [g("Transpose", g("Reshape", dense(g, x, 24), np.array([0, 0, HEADS, size])), perm=[0, 2, 1, 3]) for _ in "qkv"]
    p = g("Softmax", product(g, *parts[:2]), axis=-1)
    return g("Reshape", g("Transpose", g("MatMul", p, parts[2]), perm=[0, 2, 1, 3]), np.array([0, 0, 24]))


# --- 6: masks -----------------------------------------------------------------------------------------------------------


def masked(build):
    return lambda g, x, mask: attend(g, *split(g, x), lambda g, s: build(g, s, x, mask))


def mask_case(name, told, build):
    run = masked(build)
    run.__name__ = name
    case("6-masks", told)(run)


BIAS = "fused: attention: scale 0.353553, bias, at node 'softmax'"
MASK = "fused: attention: scale 0.353553, mask, rows without keys are "
mask_case("minus_10000", BIAS, lambda g, s, x, m: g("Add", s, padding(g, m, -10000)))
mask_case("lowest", BIAS, lambda g, s, x, m: g("Add", s, padding(g, m)))
mask_case("where_not_infinite", MASK + "nan",
          lambda g, s, x, m: g("Where", g("Not", g("Cast", wide(g, m), to=BOOL)), np.float32(-np.inf), s))
mask_case("where_equal_zero", MASK + "uniform",
          lambda g, s, x, m: g("Where", g("Equal", wide(g, m), np.array(0)), np.float32(LOWEST), s))
mask_case("subtracted", BIAS, lambda g, s, x, m: g("Sub", s, g("Mul", g("Sub", np.float32(1), g("Cast", wide(g, m), to=FLOAT)), np.float32(10000))))
mask_case("expanded", BIAS, lambda g, s, x, m: g("Add", s, g("Expand", padding(g, m), g.vector(g.size(x, 0), 1, g.size(x, 1), g.size(x, 1)))))
mask_case("of_rank_2", BIAS, lambda g, s, x, m: g("Add", s, weight(1, 1)))
mask_case("alibi", BIAS, lambda g, s, x, m: g("Add", g("Add", s, alibi(g, x)), padding(g, m)))
mask_case("causal_trilu", "fused: attention: scale 0.353553, causal, rows without keys are nan, at node 'softmax'",
          lambda g, s, x, m: g("Add", s, g("Trilu", g("Expand", np.full((1,), -np.inf, np.float32), g.vector(g.size(x, 1), g.size(x, 1))), np.array(1), upper=1)))
mask_case("causal_ranges", "fused: attention: scale 0.353553, causal, rows without keys are uniform, at node 'softmax'",
          lambda g, s, x, m: g("Where", g("LessOrEqual", *reversed(ranges(g, x))), s, np.float32(LOWEST)))
mask_case("strict_triangle", "fused: attention: scale 0.353553, mask",
          lambda g, s, x, m: g("Where", g("Less", *reversed(ranges(g, x))), s, np.float32(LOWEST)))
mask_case("small_number", "not fused: attention: masked scores become -5, which softmax does not take for nothing, at node 'mask'",
          lambda g, s, x, m: g("Where", g("Cast", wide(g, m), to=BOOL), s, np.float32(-5), label="mask"))
mask_case("two_numbers", "not fused: attention: two masks put different numbers for masked scores, at node 'mask'",
          lambda g, s, x, m: g("Where", g("LessOrEqual", *reversed(ranges(g, x))), g("Where", g("Cast", wide(g, m), to=BOOL), s, np.float32(-20000)),
                               np.float32(LOWEST), label="mask"))


def alibi(g, x):
    """Slopes times distances."""
    q, k = ranges(g, x)
    distance = g("Cast", g("Sub", k, q), to=FLOAT)
    return g("Mul", (2.0 ** -np.arange(1, 1 + HEADS)).astype(np.float32).reshape(HEADS, 1, 1), g("Neg", g("Abs", distance)))


@case("6-masks", "not fused: attention: tfc.mul stands between the softmax and the product with the values, at node 'mask'")
def mask_behind_the_softmax(g, x, mask):
    return attend(g, *split(g, x), after=lambda g, p: g("Mul", p, g("Cast", wide(g, mask), to=FLOAT), label="mask"))


@case("6-masks", "not fused: attention: what masked scores become is no scalar constant, at node 'mask'")
def mask_on_the_wrong_side(g, x, mask):
    """The scores are what the mask takes the place of, but something else is where they are allowed."""
    return attend(g, *split(g, x), lambda g, s: g("Where", g("Cast", wide(g, mask), to=BOOL), padding(g, mask), s, label="mask"))


# --- 7: packed queries, keys and values ---------------------------------------------------------------------------------


@case("7-packed", "fused: attention: scale 0.353553, at node 'softmax'")
def by_split(g, x, mask):
    q, k, v = (heads(g, t) for t in g("Split", dense(g, x, 3 * HIDDEN), np.full(3, HIDDEN), outputs=3, axis=2))
    return attend(g, q, k, v)


@case("7-packed", "fused: attention: scale 0.353553, at node 'softmax'")
def by_slices(g, x, mask):
    t = dense(g, x, 3 * HIDDEN)
    parts = [g("Slice", t, np.array([i * HIDDEN]), np.array([(i + 1) * HIDDEN]), np.array([2])) for i in range(3)]
    return attend(g, *(heads(g, p) for p in parts))


@case("7-packed", "fused: attention: scale 0.353553, at node 'softmax'")
def vit(g, x, mask):
    t = g("Transpose", g("Reshape", dense(g, x, 3 * HIDDEN), np.array([0, 0, 3, HEADS, SIZE])), perm=[2, 0, 3, 1, 4])
    return attend(g, *(g("Gather", t, np.array(i), axis=0) for i in range(3)))


@case("7-packed", "fused: attention: scale 0.353553, at node 'softmax'")
def neox(g, x, mask):
    """Interleaved by head: (b, s, heads, 3 * size)."""
    t = g("Transpose", g("Reshape", dense(g, x, 3 * HIDDEN), np.array([0, 0, HEADS, 3 * SIZE])), perm=[0, 2, 1, 3])
    return attend(g, *g("Split", t, np.full(3, SIZE), outputs=3, axis=3))


@case("7-packed", "fused: attention: scale 0.353553, at node 'softmax'")
def gemm(g, x, mask):
    """GPT-2: Reshape to rows, Gemm, Reshape back."""
    rows = g("Reshape", x, np.array([-1, HIDDEN]))
    t = g("Gemm", rows, weight(HIDDEN, 3 * HIDDEN), weight(3 * HIDDEN))
    t = g("Reshape", t, g.vector(g.size(x, 0), g.size(x, 1), 3 * HIDDEN))
    return attend(g, *(heads(g, p) for p in g("Split", t, np.full(3, HIDDEN), outputs=3, axis=2)))


# --- 8: past and present ------------------------------------------------------------------------------------------------


def past_of(g, name):
    g.more_inputs.append(onnx.value_info(name, ["b", HEADS, "t", SIZE]))
    return name


@case("8-past", "fused: attention: scale 0.353553, past, at node 'softmax'")
def concat(g, x, mask):
    q, k, v = split(g, x)
    k, v = g("Concat", past_of(g, "past_key"), k, axis=2), g("Concat", past_of(g, "past_value"), v, axis=2)
    return attend(g, q, k, v), g("Identity", k), g("Identity", v)


@case("8-past", "fused: attention: scale 0.353553, past, at node 'softmax'")
def stacked(g, x, mask):
    """(2, B, H, S, D) in, and stacked again."""
    g.more_inputs.append(onnx.value_info("past", [2, "b", HEADS, "t", SIZE]))
    q, k, v = split(g, x)
    k = g("Concat", g("Gather", "past", np.array(0), axis=0), k, axis=2)
    v = g("Concat", g("Gather", "past", np.array(1), axis=0), v, axis=2)
    present = g("Concat", g("Unsqueeze", k, np.array([0])), g("Unsqueeze", v, np.array([0])), axis=0)
    return attend(g, q, k, v), present


@case("8-past", "fused: attention: scale 0.353553, at node 'softmax'", "!past")
def past_along_another_axis(g, x, mask):
    q, k, v = split(g, x)
    k, v = (g("Transpose", g("Concat", g("Transpose", past_of(g, n), perm=[0, 2, 1, 3]), g("Transpose", t, perm=[0, 2, 1, 3]), axis=1), perm=[0, 2, 1, 3])
            for n, t in (("past_key", k), ("past_value", v)))
    return attend(g, q, k, v)


# --- 9: dynamo ----------------------------------------------------------------------------------------------------------


@case("9-dynamo", "fused: attention: scale 0.353553, bias, at node 'softmax'", "fused: qkv")
def dynamo(g, x, mask):
    def part():
        t = g("Add", g("MatMul", x, weight(1, HIDDEN, HIDDEN)), weight(HIDDEN))
        t = g("Reshape", g("Reshape", t, np.array([0, 0, -1, SIZE])), np.array([0, 0, HEADS, SIZE]))
        return g("Transpose", g("Transpose", g("Transpose", t, perm=[0, 2, 1, 3]), perm=[0, 2, 1, 3]), perm=[0, 2, 1, 3])
    return attend(g, part(), part(), part(), lambda g, s: g("Add", s, padding(g, mask)))


@case("9-dynamo", "fused: layer_norm: epsilon 1e-05")
def cast_behind_the_norm(g, x, mask):
    return g("Cast", g("Cast", layer_norm(g, x), to=HALF), to=FLOAT)


# --- 10: tf2onnx --------------------------------------------------------------------------------------------------------


@case("10-tf2onnx", "fused: attention: scale 0.353553, bias, at node 'softmax'")
def einsum(g, x, mask):
    def part():
        return g("Add", g("Einsum", x, weight(HIDDEN, HEADS, SIZE), equation="bfd,dnh->bfnh"), weight(HEADS, SIZE))
    q, k, v = part(), part(), part()
    s = g("Mul", g("Einsum", k, q, equation="btnh,bfnh->bnft"), np.float32(1 / ROOT))
    p = g("Softmax", g("Add", s, padding(g, mask)), axis=-1, label="softmax")
    return g("Einsum", g("Einsum", p, v, equation="bnft,btnh->bfnh"), weight(HEADS, SIZE, HIDDEN), equation="abcd,cde->abe")


@case("10-tf2onnx", "fused: attention: scale 0.353553, bias, at node 'softmax'")
def rows_and_tile(g, x, mask):
    """Rows of a matrix everywhere; the mask is tiled over the queries."""
    rows = g("Reshape", x, np.array([-1, HIDDEN]))
    target = g.vector(g.size(x, 0), g.size(x, 1), HEADS, SIZE)
    q, k, v = (g("Transpose", g("Reshape", g("Add", g("MatMul", rows, weight(HIDDEN, HIDDEN)), weight(HIDDEN)), target), perm=[0, 2, 1, 3]) for _ in "qkv")
    tiled = g("Tile", g("Cast", wide(g, mask), to=FLOAT), g.vector(1, 1, g.size(x, 1), 1))
    s = g("Mul", product(g, q, k), np.float32(1 / ROOT))
    s = g("Add", s, g("Mul", g("Sub", np.float32(1), tiled), np.float32(-10000)))
    out = g("Transpose", g("MatMul", g("Softmax", s, axis=-1, label="softmax"), v), perm=[0, 2, 1, 3])
    return g("Reshape", g("Reshape", out, np.array([-1, HIDDEN])), g.vector(g.size(x, 0), g.size(x, 1), HIDDEN))


@case("10-tf2onnx", "not fused: attention: it is a product with a weight", "!fused: attention: scale")
def values_are_a_weight(g, x, mask):
    return g("MatMul", g("Softmax", g("MatMul", x, weight(HIDDEN, 16)), axis=-1, label="softmax"), weight(16, HIDDEN), label="context")


# --- 11: LayerNorm ------------------------------------------------------------------------------------------------------


def norm_case(name, told, opset=17, **keys):
    def run(g, x, mask):
        return layer_norm(g, x, opset=opset, **keys)
    run.__name__ = name
    case("11-layer-norm", *([told] if isinstance(told, str) else told), opset=opset)(run)


NORM = "fused: layer_norm: epsilon 1e-05, scale, bias, at node 'mean'"
norm_case("pow", NORM)
norm_case("mul", NORM, square="mul")
norm_case("reciprocal", NORM, root="reciprocal")
norm_case("power_of_minus_half", NORM, root="power")
norm_case("axes_as_input", NORM, opset=18)
norm_case("epsilon_1e_12", "fused: layer_norm: epsilon 1e-12, scale, bias, at node 'mean'", epsilon=1e-12)
norm_case("without_scale", "fused: layer_norm: epsilon 1e-05, at node 'mean'", scale=False)
norm_case("wrong_axis", "not fused: layer_norm: the mean is not over the last dims, at node 'mean'", axes=1)


@case("11-layer-norm", "fused: layer_norm: epsilon 1e-05, scale, bias, at node 'mean'")
def two_differences(g, x, mask):
    """Keras: x - mean is computed twice."""
    mean = g("ReduceMean", x, axes=[-1], keepdims=1)
    v = g("ReduceMean", g("Pow", g("Sub", x, mean), np.float32(2)), axes=[-1], keepdims=1, label="mean")
    y = g("Div", g("Sub", x, mean), g("Sqrt", g("Add", v, np.float32(1e-5))))
    return g("Add", g("Mul", y, weight(HIDDEN)), weight(HIDDEN))


@case("11-layer-norm", "fused: layer_norm")
def keras_batch_form(g, x, mask):
    """x * (gamma / root) + (beta - mean * (gamma / root)), as TensorFlow's batch_normalization writes it."""
    mean = g("ReduceMean", x, axes=[-1], keepdims=1)
    d = g("Sub", x, mean)
    v = g("ReduceMean", g("Mul", d, d), axes=[-1], keepdims=1, label="mean")
    inverse = g("Mul", g("Reciprocal", g("Sqrt", g("Add", v, np.float32(1e-5)))), weight(HIDDEN))
    return g("Add", g("Mul", x, inverse), g("Sub", weight(HIDDEN), g("Mul", mean, inverse)))


@case("11-layer-norm", "not fused: layer_norm: a value inside it is used elsewhere too")
def variance_is_an_output(g, x, mask):
    d = g("Sub", x, g("ReduceMean", x, axes=[-1], keepdims=1))
    v = g("ReduceMean", g("Pow", d, np.float32(2)), axes=[-1], keepdims=1, label="mean")
    return g("Div", d, g("Sqrt", g("Add", v, np.float32(1e-5)))), g("Identity", v)


@case("11-layer-norm", "not fused: layer_norm: mean and variance are taken over different axes")
def two_axes(g, x, mask):
    d = g("Sub", x, g("ReduceMean", x, axes=[1], keepdims=1))
    v = g("ReduceMean", g("Pow", d, np.float32(2)), axes=[-1], keepdims=1, label="mean")
    return g("Div", d, g("Sqrt", g("Add", v, np.float32(1e-5))))


@case("11-layer-norm", "!fused: layer_norm: epsilon")
def cubes(g, x, mask):
    d = g("Sub", x, g("ReduceMean", x, axes=[-1], keepdims=1))
    v = g("ReduceMean", g("Pow", d, np.float32(3)), axes=[-1], keepdims=1, label="mean")
    return g("Div", d, g("Sqrt", g("Add", v, np.float32(1e-5))))


# --- 12: RMSNorm --------------------------------------------------------------------------------------------------------


def rms(g, x, root="sqrt"):
    v = g("Add", g("ReduceMean", g("Pow", x, np.float32(2)), axes=[-1], keepdims=1, label="mean"), np.float32(1e-6))
    return g("Mul", x, g("Div", np.float32(1), g("Sqrt", v))) if root == "sqrt" else g("Div", x, g("Sqrt", v))


RMS = "fused: rms_norm: epsilon 1e-06, scale, at node 'mean'"


@case("12-rms-norm", RMS)
def llama(g, x, mask):
    return g("Mul", weight(HIDDEN), rms(g, x))


@case("12-rms-norm", RMS)
def t5_norm(g, x, mask):
    return g("Mul", rms(g, x, "div"), weight(HIDDEN))


@case("12-rms-norm", RMS)
def gemma(g, x, mask):
    return g("Mul", rms(g, x), g("Add", weight(HIDDEN), np.float32(1)))


@case("12-rms-norm", "fused: rms_norm: epsilon 1e-06")
def llama_in_half(g, x, mask):
    half = g("Cast", x, to=HALF)
    y = g("Cast", rms(g, g("Cast", half, to=FLOAT)), to=HALF)
    return g("Cast", g("Mul", g("Cast", weight(HIDDEN), to=HALF), y), to=FLOAT)


@case("12-rms-norm", "not fused: rms_norm: what is divided by the root is not the value whose squares were averaged")
def other_numerator(g, x, mask):
    v = g("ReduceMean", g("Pow", x, np.float32(2)), axes=[-1], keepdims=1, label="mean")
    return g("Div", g("Neg", x), g("Sqrt", g("Add", v, np.float32(1e-6))))


# --- 13: GELU and the like ----------------------------------------------------------------------------------------------


def activation_case(name, told, build):
    def run(g, x, mask):
        return build(g, x)
    run.__name__ = name
    case("13-activations", told)(run)


def erf_of(g, x, divisor=math.sqrt(2)):
    return g("Add", g("Erf", g("Div", x, np.float32(divisor)), label="erf"), np.float32(1))


def tanh_of(g, x, cube, c=math.sqrt(2 / math.pi), a=0.044715):
    return g("Add", g("Tanh", g("Mul", np.float32(c), g("Add", x, g("Mul", np.float32(a), cube(x)))), label="tanh"), np.float32(1))


ERF, TANH = "fused: gelu: erf, at node 'erf'", "fused: gelu: tanh, at node 'tanh'"
activation_case("half_last", ERF, lambda g, x: g("Mul", g("Mul", x, erf_of(g, x)), np.float32(0.5)))
activation_case("half_first", ERF, lambda g, x: g("Mul", g("Mul", x, np.float32(0.5)), erf_of(g, x)))
activation_case("half_of_the_sum", ERF, lambda g, x: g("Mul", x, g("Mul", np.float32(0.5), erf_of(g, x))))
activation_case("times_0_7071", ERF, lambda g, x: g("Mul", g("Mul", x, g("Add", g("Erf", g("Mul", x, np.float32(0.70710677)), label="erf"), np.float32(1))), np.float32(0.5)))
activation_case("tanh_of_a_power", TANH, lambda g, x: g("Mul", g("Mul", np.float32(0.5), x), tanh_of(g, x, lambda x: g("Pow", x, np.float32(3)))))
activation_case("tanh_of_products", TANH, lambda g, x: g("Mul", g("Mul", np.float32(0.5), x), tanh_of(g, x, lambda x: g("Mul", x, g("Mul", x, x)))))
activation_case("quick", "fused: gelu: quick", lambda g, x: g("Mul", x, g("Sigmoid", g("Mul", x, np.float32(1.702)))))
activation_case("silu", "fused: silu", lambda g, x: g("Mul", x, g("Sigmoid", x)))
activation_case("fast_gelu", "!not fused: gelu", lambda g, x: g("FastGelu", x, weight(HIDDEN), domain="com.microsoft"))
activation_case("wrong_divisor", "not fused: gelu: the argument of erf is 0.625 x, not 0.707107 x, at node 'erf'",
                lambda g, x: g("Mul", g("Mul", x, erf_of(g, x, 1.6)), np.float32(0.5)))
activation_case("wrong_cubic_factor", "not fused: gelu: the argument of tanh is 0.797885 x + 0.0398942 x^3, not 0.797885 x + 0.0356774 x^3, at node 'tanh'",
                lambda g, x: g("Mul", g("Mul", np.float32(0.5), x), tanh_of(g, x, lambda x: g("Pow", x, np.float32(3)), a=0.05)))
activation_case("another_factor", "not fused: gelu: ", lambda g, x: g("Mul", g("Mul", g("Neg", g("Exp", x)), erf_of(g, x)), np.float32(0.5)))


@case("13-activations", "not fused: gelu: a value inside it is used elsewhere too")
def erf_is_an_output(g, x, mask):
    e = erf_of(g, x)
    return g("Mul", g("Mul", x, e), np.float32(0.5)), g("Identity", e)


@case("13-activations", "fused: swiglu: silu, two products")
def swiglu(g, x, mask):
    a = dense(g, x, 64, bias=False)
    return g("Mul", g("Mul", a, g("Sigmoid", a)), dense(g, x, 64, bias=False))


@case("13-activations", "not fused: swiglu: its factors are products of different values")
def gate_of_other_values(g, x, mask):
    a = dense(g, x, 64, bias=False)
    return g("Mul", g("Mul", a, g("Sigmoid", a)), dense(g, g("Neg", x), 64, bias=False))


# --- 14: T5 -------------------------------------------------------------------------------------------------------------


def buckets(g, x, count=8, furthest=20):
    """Relative positions into buckets: exact ones near by, then logarithmic, both sides apart."""
    q, k = ranges(g, x)
    relative = g("Sub", k, q)
    side = g("Mul", g("Cast", g("Greater", relative, np.array(0)), to=INT64), np.array(count // 2))
    distance = g("Abs", relative)
    exact = count // 4
    far = g("Div", g("Log", g("Div", g("Cast", distance, to=FLOAT), np.float32(exact))), np.float32(math.log(furthest / exact)))
    far = g("Add", g("Cast", g("Mul", far, np.float32(count // 2 - exact)), to=INT64), np.array(exact))
    far = g("Min", far, np.array(count // 2 - 1))
    return g("Add", side, g("Where", g("Less", distance, np.array(exact)), distance, far))


def position_bias(g, x):
    table = g("Gather", weight(8, HEADS), buckets(g, x), axis=0)
    return g("Unsqueeze", g("Transpose", table, perm=[2, 0, 1]), np.array([0]))


@case("14-t5", "fused: attention: scale 1, bias, at node 'softmax'", "fused: rms_norm")
def t5(g, x, mask):
    bias = g("Add", position_bias(g, x), padding(g, mask))
    for _ in range(2):
        h = g("Mul", rms(g, x), weight(HIDDEN))
        y = attend(g, *split(g, h, q=False, k=False, v=False), lambda g, s: g("Add", s, bias), scale=False)
        x = g("Add", x, dense(g, y, bias=False))
    return x


# --- 15: DeBERTa --------------------------------------------------------------------------------------------------------


def disentangled(g, x, mask, fill, after):
    """Content to content, content to position and position to content, gathered by relative positions."""
    q, k, v = split(g, x)
    table = weight(1, HEADS, 2 * ROOM, SIZE)
    positions_k, positions_q = g.constant(table), g.constant(weight(1, HEADS, 2 * ROOM, SIZE))
    i, j = ranges(g, x)
    relative = g("Add", g("Sub", i, j), np.array(ROOM))
    n = g.size(x, 1)
    index = g("Expand", g("Unsqueeze", g("Unsqueeze", relative, np.array([0])), np.array([0])), g.vector(g.size(x, 0), HEADS, n, n))
    factor = np.float32(math.sqrt(3 * SIZE))
    s = g("MatMul", q, g("Div", g("Transpose", k, perm=[0, 1, 3, 2]), factor))
    c2p = g("GatherElements", g("MatMul", q, g("Transpose", positions_k, perm=[0, 1, 3, 2])), index, axis=3)
    p2c = g("GatherElements", g("MatMul", k, g("Transpose", positions_q, perm=[0, 1, 3, 2])), index, axis=3)
    s = g("Add", s, g("Add", g("Div", c2p, factor), g("Transpose", g("Div", p2c, factor), perm=[0, 1, 3, 2])))
    allowed = g("And", g("Cast", wide(g, mask), to=BOOL), g("Cast", g("Unsqueeze", g("Unsqueeze", mask, np.array([1])), np.array([3])), to=BOOL))
    p = g("Softmax", g("Where", g("Not", allowed), np.float32(fill), s, label="mask"), axis=-1, label="softmax")
    return merge(g, g("MatMul", after(g, p, allowed), v))


@case("15-deberta", "fused: attention: scale 0.204124, bias, mask, rows without keys are uniform, at node 'softmax'")
def deberta(g, x, mask):
    return disentangled(g, x, mask, LOWEST, lambda g, p, allowed: p)


@case("15-deberta", "fused: attention: scale 0.204124, bias, mask, rows without keys are zero, at node 'softmax'")
def xsoftmax(g, x, mask):
    """XSoftmax: what is masked is 0 behind the softmax too."""
    return disentangled(g, x, mask, LOWEST, lambda g, p, allowed: g("Where", g("Not", allowed), np.float32(0), p, label="again"))


@case("15-deberta", "not fused: attention: tfc.select behind the softmax has another mask than the scores, at node 'again'")
def another_mask_behind_the_softmax(g, x, mask):
    return disentangled(g, x, mask, LOWEST, lambda g, p, allowed: g("Where", g("LessOrEqual", *reversed(ranges(g, x))), p, np.float32(0), label="again"))


# --- 16: XLNet ----------------------------------------------------------------------------------------------------------


@case("16-xlnet", "fused: attention: scale 0.353553, bias, at node 'softmax'")
def relative_shift(g, x, mask):
    q, k, v = split(g, x)
    n = g.size(x, 1)
    two_n = g("Mul", n, np.array(2))
    positions = g("Slice", weight(1, HEADS, 2 * ROOM, SIZE), np.array([0]), g("Unsqueeze", two_n, np.array([0])), np.array([2]))
    raw = g("MatMul", g("Add", q, weight(HEADS, 1, SIZE)), g("Transpose", positions, perm=[0, 1, 3, 2]))
    shifted = g("Reshape", raw, g.vector(g.size(x, 0), HEADS, two_n, n))
    shifted = g("Slice", shifted, np.array([1]), np.array([2**31 - 1]), np.array([2]))
    shifted = g("Reshape", shifted, g.vector(g.size(x, 0), HEADS, n, g("Sub", two_n, np.array(1))))
    shifted = g("Slice", shifted, np.array([0]), g("Unsqueeze", n, np.array([0])), np.array([3]))
    s = g("Add", product(g, g("Add", q, weight(HEADS, 1, SIZE)), k), shifted)
    s = g("Sub", g("Mul", s, np.float32(1 / ROOT)), g("Mul", np.float32(1e30), g("Sub", np.float32(1), g("Cast", wide(g, mask), to=FLOAT))))
    return merge(g, g("MatMul", g("Softmax", s, axis=-1, label="softmax"), v))


# --- 17: ALBERT ---------------------------------------------------------------------------------------------------------


@case("17-albert", "fused: attention: scale 0.353553, bias, at node 'softmax'", "fused: qkv: 3 products of 32, 32, 32 columns, bias", "fused: gelu: erf")
def shared_weights(g, x, mask):
    """Layers that have their weights in common."""
    names = [(g.constant(weight(HIDDEN, HIDDEN)), g.constant(weight(HIDDEN))) for _ in range(5)]
    bias = padding(g, mask)
    for _ in range(3):
        q, k, v = (heads(g, g("Add", g("MatMul", x, w), b)) for w, b in names[:3])
        y = attend(g, q, k, v, lambda g, s: g("Add", s, bias))
        y = g("Add", g("Add", g("MatMul", y, names[3][0]), names[3][1]), x)
        z = g("Add", g("MatMul", y, names[4][0]), names[4][1])
        x = g("Add", g("Mul", g("Mul", z, erf_of(g, z)), np.float32(0.5)), y)
    return x


# --- 18: RoBERTa --------------------------------------------------------------------------------------------------------


def embedded(g, mask, other=False):
    """ids, positions counted over what is no padding, types."""
    ids = g("Mul", mask, np.array(5))
    padded = g("Cast", g("Not", g("Equal", ids, np.array(0))), to=INT64)
    positions = g("Add", g("Mul", g("CumSum", padded, np.array(1)), padded), np.array(1))
    words = g("Gather", weight(9, HIDDEN), ids, axis=0, label="words")
    places = g("Gather", weight(64, HIDDEN), positions, axis=0)
    h = g("Add", words, places)
    return layer_norm(g, h, label="mean"), words


@case("18-roberta", "fused: embedding: 2 lookups, layer_norm", "fused: layer_norm")
def positions_by_cumsum(g, x, mask):
    y, _ = embedded(g, mask)
    return attend(g, *split(g, y), lambda g, s: g("Add", s, padding(g, mask)))


@case("18-roberta", "not fused: embedding: the lookup is also used elsewhere, has other rows than the norm, or may not join it, at node 'words'")
def lookup_is_used_before(g, x, mask):
    words = g("Gather", weight(9, HIDDEN), mask, axis=0, label="words")
    other = dense(g, words)
    return g("Add", layer_norm(g, g("Add", words, g("Gather", weight(64, HIDDEN), g("CumSum", mask, np.array(1)), axis=0))), other)


# --- 19: DistilBERT -----------------------------------------------------------------------------------------------------


@case("19-distilbert", "fused: attention: scale 0.353553, mask, rows without keys are uniform, at node 'softmax'")
def where_expand_equal(g, x, mask):
    def fill(g, s):
        m = g("Reshape", g("Equal", mask, np.array(0)), g.vector(g.size(x, 0), 1, 1, g.size(x, 1)))
        return g("Where", g("Expand", m, g("Shape", s)), np.float32(LOWEST), s)
    q, k, v = split(g, x)
    return attend(g, g("Div", q, np.float32(ROOT)), k, v, fill, scale=False)


@case("19-distilbert", "not fused: attention: masked scores become 0, which softmax does not take for nothing, at node 'mask'")
def where_zero(g, x, mask):
    m = g("Equal", wide(g, mask), np.array(0))
    return attend(g, *split(g, x), lambda g, s: g("Where", m, np.float32(0), s, label="mask"))


# --- 20: ELECTRA and MobileBERT -----------------------------------------------------------------------------------------


@case("20-bottleneck", "fused: attention: scale 0.353553, bias, at node 'softmax'", "fused: epilogue", "!layer_norm")
def no_norm(g, x, mask):
    """MobileBERT: queries and keys from a bottleneck, a scale and a bias in place of each norm."""
    narrow = g("Add", g("Mul", dense(g, x), weight(HIDDEN)), weight(HIDDEN))
    q, k, v = heads(g, dense(g, narrow)), heads(g, dense(g, narrow)), heads(g, dense(g, x))
    y = attend(g, q, k, v, lambda g, s: g("Add", s, padding(g, mask)))
    return g("Add", g("Mul", g("Add", dense(g, y), narrow), weight(HIDDEN)), weight(HIDDEN))


@case("20-bottleneck", "fused: attention: scale 0.353553, bias, at node 'softmax'", "fused: layer_norm")
def embedding_projection(g, x, mask):
    """ELECTRA: small embeddings, projected behind their norm."""
    y, _ = embedded(g, mask)
    h = dense(g, y)
    return attend(g, *split(g, h), lambda g, s: g("Add", s, padding(g, mask)))


# --- running ------------------------------------------------------------------------------------------------------------


def run(checks, family, name, build, told, opset, verify):
    g = Graph(opset)
    g.more_inputs = []
    made = build(g, "x", "attention_mask")
    outputs = list(made) if isinstance(made, tuple) else [made]
    used = {i for node in g.uses for i in node} | set(outputs)
    inputs = [onnx.value_info("x", ["b", "s", HIDDEN]), onnx.value_info("attention_mask", ["b", "s"], INT64)]
    inputs = [i for i, n in zip(inputs, ("x", "attention_mask")) if n in used] + g.more_inputs
    path = pathlib.Path(f"{family}.{name}.onnx")
    path.write_bytes(onnx.model(onnx.graph(g.nodes, inputs, outputs, g.weights), (("", opset), ("com.microsoft", 1))))
    result = checks.run("tfc-compile", path, "--emit=kernels", "-o", path.with_suffix(".mlir"), "--explain-fusion")
    for text in told:
        wanted = not text.startswith("!")
        text = text.removeprefix("!")
        starts = text.startswith(("fused:", "not fused:"))
        found = any(line.startswith(text) if starts else text in line for line in result.stderr.splitlines())
        checks.check(f"{family} {name}: {text}", found == wanted, "\n" + result.stderr)
    if verify:
        compare(checks, path, inputs)


FUSIONS = "attention,layer_norm,rms_norm,softmax,gelu,silu,swiglu,embedding,qkv,epilogue"


def compare(checks, path, inputs):
    """Fused and unfused agree on inputs with padding, NaN where NaN."""
    arrays = {"x": weight(2, 5, HIDDEN) * 3, "attention_mask": np.array([[1] * 5, [1, 1, 1, 0, 0]]),
              "past_key": weight(2, HEADS, 3, SIZE), "past_value": weight(2, HEADS, 3, SIZE), "past": weight(2, 2, HEADS, 3, SIZE)}
    np.savez(path.with_suffix(".in.npz"), **arrays)
    results = []
    for kind, words in (("unfused", [f"--disable-fusion={FUSIONS}"]), ("fused", [])):
        library, made = pathlib.Path(f"{path.stem}.{kind}.so").resolve(), f"{path.stem}.{kind}.npz"
        checks.run("tfc-compile", path, "-o", library, *words)
        checks.run("tfc-run", library, "--inputs", path.with_suffix(".in.npz"), "--outputs", made)
        results.append(dict(np.load(made)))
    for name, wanted in results[0].items():
        got = results[1][name]
        same = np.isnan(wanted) == np.isnan(got)
        allowed = (2e-3 if "half" in path.name or "cast" in path.name else 1e-5) * np.nanmax(np.abs(wanted))
        error = np.nanmax(np.abs(got - wanted))
        checks.check(f"{path.stem}: fused equals unfused", same.all() and error <= allowed, f"error {error}, allowed {allowed}")


def main():
    folder, *names = [word for word in sys.argv[1:] if not word.startswith("--")]
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    checks = Checks()
    for family, cases in FAMILIES.items():
        if not names or family in names or family.split("-")[0] in names:
            for name, build, told, opset in cases:
                run(checks, family, name, build, told, opset, "--verify" in sys.argv)
    sys.exit(checks.finish())


main()
