"""ONNX graphs written node by node, for the scripts of this folder."""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Frontend/ONNX"))
import onnx_writer as onnx

LOWEST = float(np.finfo(np.float32).min)
FLOAT, INT64, BOOL, HALF = 1, 7, 9, 10


class Graph:
    """Nodes by their outputs' names; constants where they are used."""

    def __init__(self, opset=17):
        self.opset, self.nodes, self.weights, self.uses, self.count = opset, [], [], [], 0

    def name(self, hint="t"):
        self.count += 1
        return f"{hint}_{self.count}"

    def constant(self, array):
        array = np.asarray(array)
        name = self.name("c")
        kinds = {"f": (FLOAT, np.float32), "i": (INT64, np.int64), "b": (BOOL, np.uint8)}
        code, dtype = kinds[array.dtype.kind]
        self.weights.append(onnx.tensor(name, array.shape, code, array.astype(dtype).tobytes()))
        return name

    def __call__(self, op, *inputs, outputs=1, domain="", label=None, **attributes):
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        made = [self.name(op.lower()) for _ in range(outputs)]
        self.uses.append(names)
        self.nodes.append(onnx.node(op, names, made, name=label or f"{made[0]}_node", domain=domain, **attributes))
        return made[0] if outputs == 1 else made

    def size(self, x, axis):
        """The number as a scalar, by Shape and Gather."""
        return self("Gather", self("Shape", x), np.array(axis), axis=0)

    def vector(self, *numbers):
        """A shape from numbers and scalars."""
        parts = [n if isinstance(n, str) else np.array(n) for n in numbers]
        return self("Concat", *(self("Unsqueeze", p, np.array([0])) for p in parts), axis=0)
