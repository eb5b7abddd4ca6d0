#!/usr/bin/env python3
"""scatter.py FOLDER [MODE...]: ScatterElements, ScatterND and Scatter of every version."""

import sys

from operators import *  # noqa: F403

rng = np.random.default_rng(11)
COMBINE = {"none": lambda x, u: u, "add": lambda x, u: x + u, "mul": lambda x, u: x * u, "min": np.minimum, "max": np.maximum}


def make(shape, kind):
    if kind == "bool":
        return rng.random(shape) < 0.5
    kind = TYPES[kind][1]
    return rng.standard_normal(shape).astype(kind) if np.issubdtype(kind, np.floating) else rng.integers(0, 7, shape).astype(kind)


def scatter_elements(x, indices, updates, axis, reduction="none"):
    y = x.copy()
    for at in np.ndindex(*indices.shape):
        target = list(at)
        target[axis] = indices[at]
        y[tuple(target)] = COMBINE[reduction](y[tuple(target)], updates[at])
    return y


def scatter_nd(x, indices, updates, reduction="none"):
    y = x.copy()
    for at in np.ndindex(*indices.shape[:-1]):
        target = tuple(indices[at])
        y[target] = COMBINE[reduction](y[target], updates[at])
    return y


# Duplicates are likely: the later one is on top, and sums run in the order of the indices.
for opset, reductions in ((11, ["none"]), (16, ["none", "add", "mul"]), (18, list(COMBINE))):
    for reduction in reductions:
        attributes = {} if reduction == "none" else {"reduction": reduction}
        for kind in ("f32", "f64", "f16", "i64", "i32", "i8", "u8", "u32") if opset == 18 else ("f32", "i64"):
            for index_kind in (np.int64, np.int32) if kind == "f32" else (np.int64,):
                x, u = make((3, 5, 4), kind), make((2, 4, 4), kind)
                axis = int(rng.integers(-3, 3))
                i = rng.integers(-x.shape[axis], x.shape[axis], u.shape).astype(index_kind)
                op(f"{opset}_{reduction}_{kind}_{i.dtype}", "ScatterElements", [x, i, u], [scatter_elements(x, i, u, axis % 3, reduction)],
                   opset=opset, axis=axis, **attributes)
        for kind in ("f32", "i16", "u64"):
            for depth in (1, 2, 3):
                x = make((4, 3, 5), kind)
                i = np.stack([rng.integers(-x.shape[d], x.shape[d], (2, 6)) for d in range(depth)], -1)
                u = make((2, 6) + x.shape[depth:], kind)
                op(f"{opset}_{reduction}_{kind}_{depth}", "ScatterND", [x, i, u], [scatter_nd(x, i, u, reduction)], opset=opset, **attributes)

b, ub, i = make((4, 6), "bool"), make((2, 6), "bool"), rng.integers(-4, 4, (2, 6))
op("bool", "ScatterElements", [b, i, ub], [scatter_elements(b, i, ub, 0)])
op("old", "Scatter", [b, i, ub], [scatter_elements(b, i, ub, 0)], opset=9)
op("old_axis", "Scatter", [b.T.copy(), i.T.copy(), ub.T.copy()], [scatter_elements(b, i, ub, 0).T.copy()], opset=9, axis=1)

# Nothing to scatter, and nothing to scatter to.
x = make((4, 6), "f32")
op("no_updates", "ScatterElements", [x, np.zeros((0, 6), np.int64), np.zeros((0, 6), np.float32)], [x])
op("empty", "ScatterElements", [x[:0], np.zeros((0, 6), np.int64), np.zeros((0, 6), np.float32)], [x[:0]])
op("no_updates", "ScatterND", [x, np.zeros((0, 1), np.int64), np.zeros((0, 6), np.float32)], [x])
op("one_tuple", "ScatterND", [x, np.array([2]), x[1]], [scatter_nd(x, np.array([[2]]), x[1:2])])
# Indices and updates that stand in the file.
i = rng.integers(0, 4, (5, 1))
op("constant", "ScatterND", [x, const(i), x[[0] * 5]], [scatter_nd(x, i, x[[0] * 5])])

# A bad index ends the run: value, bound, node and tensor are named.
for bad in (4, -5, 2**62):
    refused(f"bad_{bad}", "ScatterElements", [x, np.array([[0, bad, 1, 0, 0, 0]]), x[:1]],
            [f"index {bad} is outside [", ", 4) in node", f"ScatterElements_bad_{bad}.x1"])
refused("bad", "ScatterND", [x, np.array([[4]]), x[:1]], ["index 4 is outside [", ", 4) in node", "ScatterND_bad.x1"])
refused("bad_tuple", "ScatterND", [x, np.array([[1, 6]]), x[0, :1]], ["is outside", "ScatterND_bad_tuple.x1"])
# What does not fit is refused before it runs.
refused("updates", "ScatterElements", [x, np.zeros((1, 6), np.int64), x[:2]], "differ", at="compile")
refused("wide", "ScatterElements", [x, np.zeros((1, 7), np.int64), np.zeros((1, 7), np.float32)], "exceeds", at="compile")
refused("reduction", "ScatterElements", [x, np.zeros((1, 6), np.int64), x[:1]], "reduction", at="compile", opset=18, reduction="mean")
refused("rank", "ScatterND", [x, np.zeros((1, 3), np.int64), x[:1]], "", at="compile")
refused("float_indices", "ScatterND", [x, np.zeros((1, 1), np.float32), x[:1]], "int32 or int64", at="compile")
sys.exit(main())
