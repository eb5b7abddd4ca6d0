"""Families 1 to 10 but 4: attention as each exporter writes it."""

import math

import numpy as np

from family_parts import *


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
