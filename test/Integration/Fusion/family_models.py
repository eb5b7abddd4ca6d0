"""Families 14 to 20: what single models have that others have not."""

import math

import numpy as np

from family_parts import *
from family_norms import erf_of, rms


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
