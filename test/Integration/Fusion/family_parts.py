"""What the families of patterns are written with: how a case is registered, and the pieces that most of them have."""

import math
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Frontend/ONNX"))
import onnx_writer as onnx
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
