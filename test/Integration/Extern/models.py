#!/usr/bin/env python3
"""models.py FOLDER: models with operators that only a host knows, and some that cannot be made calls of one."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Frontend" / "ONNX"))
from onnx_writer import *  # noqa: E402,F403

folder = pathlib.Path(sys.argv[1])
OPSETS = (("", 17), ("own", 1))
INT4 = 22


def write(name, nodes, inputs, outputs, initializers=(), infos=()):
    body = graph(nodes, inputs, outputs, initializers) + b"".join(chunk(13, info) for info in infos)
    (folder / f"{name}.onnx").write_bytes(model(body, OPSETS))


X = value_info("x", ["n", 3])


def affine(x, outputs, name, **attributes):
    """y = alpha * x + k[axes[0]], and how many elements x has."""
    return node("Affine", [x, "", "k"], outputs, name, "own", alpha=0.5, axes=[1, 0], mode='a "b"\n', **attributes)


K = floats("k", [2], [100.0, 10.0])
# Between kernels, on what a kernel made, with a constant, an input and an output that are left out.
write("main", [node("Abs", ["x"], ["a"]), affine("a", ["b", "", "count"], "first"), node("Add", ["b", "x"], ["y"])],
      [X], [value_info("y", ["n", 3]), value_info("count", [], INT64)], [K], [value_info("b", ["n", 3])])
# In a branch, in a loop, and on inputs and outputs of the model themselves.
turn = subgraph([affine("v", ["w"], "turn"), node("Identity", ["go"], ["on"])],
                [value_info("i", [], INT64), value_info("go", [], BOOL), value_info("v", ["n", 3])], ["on", "w"])
infos = [value_info("w", ["n", 3]), value_info("t", ["n", 3])]
turn += b"".join(chunk(13, info) for info in infos[:1])
then = subgraph([affine("x", ["t"], "then")], [], [value_info("t", ["n", 3])])
other = subgraph([node("Neg", ["x"], ["e"])], [], ["e"])
write("regions", [node("Loop", ["trips", "", "x"], ["y"], "loop", body=Subgraph(turn)),
                  node("If", ["flag"], ["z"], "choice", then_branch=then, else_branch=other), affine("x", ["d"], "direct")],
      [X, value_info("trips", [], INT64), value_info("flag", [], BOOL)], ["y", "z", value_info("d", ["n", 3])], [K])
# 4-bit numbers stand one in a byte.
write("nibbles", [node("Nibbles", ["q"], ["p"], "nibbles", "own"), node("Cast", ["p"], ["y"], to=FLOAT)],
      [value_info("q", ["n"], INT4)], ["y"], [], [value_info("p", ["n"], INT4)])
# What cannot be done.
for name, info, attributes in [
        ("undeclared", None, {}), ("no_shape", value_info("b", None), {}), ("foreign_dim", value_info("b", ["m", 3]), {}),
        ("open_dim", value_info("b", ["n", ""]), {}), ("text", value_info("b", ["n", 3], STRING), {}),
        ("tensor", value_info("b", ["n", 3]), {"table": floats("", [1], [1.0])})]:
    write(name, [affine("x", ["b"], "first", **attributes), node("Abs", ["b"], ["y"])], [X], ["y"], [K], [info] if info else [])
