#!/usr/bin/env python3
"""random_graphs.py FOLDER [--graphs N] [--seed S]: random graphs, run by tfc and by ONNX Runtime, compared.

Needs node and the package onnxruntime-node (NODE_PATH). Ops that jump (Floor, ArgMax, ...) see inputs only: a last bit
that differs before them would show as a difference of one.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "Frontend" / "ONNX")]
from onnx_writer import *  # noqa: E402,F403

MS = "com.microsoft"
SMOOTH = ["Abs", "Neg", "Tanh", "Sigmoid", "Erf", "Softplus", "Softsign", "Elu", "Selu", "HardSigmoid", "LeakyRelu", "Sin", "Cos", "Relu", "Identity", "HardSwish",
          "Celu", "Gelu", "FastGelu", "QuickGelu", "ThresholdedRelu", "Mish"]
JUMPS = ["Floor", "Ceil", "Round", "Sign", "IsNaN"]
REDUCTIONS = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd"]


class Graph:
    """Nodes, and the values so far with their shapes."""

    def __init__(self, rng):
        self.rng, self.nodes, self.initializers, self.values, self.inputs = rng, [], [], {}, {}
        for shape in ((2, 3, 4), (3, 4), (4,), (2, 1, 4)):
            name = f"x{len(self.inputs)}"
            self.inputs[name] = rng.standard_normal(shape).astype(np.float32)
            self.values[name] = shape

    def pick(self, least=0, most=9):
        names = [name for name, shape in self.values.items() if least <= len(shape) <= most and int(np.prod(shape)) <= 4096]
        # Late values more often than early ones, so that graphs get deep.
        return names[min(int(self.rng.triangular(0, len(names), len(names))), len(names) - 1)]

    def constant(self, values, kind="i64"):
        name = f"c{len(self.initializers)}"
        values = np.asarray(values)
        self.initializers.append(ints(name, values.shape, values.reshape(-1).tolist()) if kind == "i64" else floats(name, values.shape, values.reshape(-1).tolist()))
        return name

    def weight(self, *shape):
        return self.constant(self.rng.standard_normal(shape).astype(np.float32), "f32")

    def add(self, operator, inputs, shape, domain="", keep=True, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(node(operator, inputs, [name], f"{operator}_{len(self.nodes)}", domain, **attributes))
        if keep:
            self.values[name] = tuple(int(d) for d in shape)
        return name

    # ---- Kinds of nodes ---------------------------------------------------------------------------------------------------

    def unary(self):
        x, operator = self.pick(), str(self.rng.choice(SMOOTH))
        self.add(operator, [x], self.values[x], MS if operator in ("Gelu", "FastGelu", "QuickGelu") else "")

    def jump(self):
        x = str(self.rng.choice(list(self.inputs)))
        operator = str(self.rng.choice(JUMPS))
        y = self.add(operator, [x], self.values[x], keep=operator != "IsNaN")
        if operator == "IsNaN":
            self.add("Cast", [y], self.values[x], to=1)

    def binary(self):
        a, b = self.pick(), self.pick()
        try:
            shape = np.broadcast_shapes(self.values[a], self.values[b])
        except ValueError:
            return
        operator = str(self.rng.choice(["Add", "Sub", "Mul", "Max", "Min", "Div", "Where", "Sum", "Mean", "PRelu"]))
        if operator == "Div":
            bottom = self.add("Add", [self.add("Mul", [b, b], self.values[b]), self.constant(np.float32(1), "f32")], self.values[b])
            self.add("Div", [a, bottom], shape)
        elif operator == "Where":
            x = str(self.rng.choice(list(self.inputs)))
            try:
                shape = np.broadcast_shapes(shape, self.values[x])
            except ValueError:
                return
            flag = self.add(str(self.rng.choice(["Greater", "LessOrEqual"])), [x, self.constant(np.float32(0), "f32")], (), keep=False)
            self.add("Where", [flag, a, b], shape)
        elif operator == "PRelu":
            if shape == self.values[a]:
                self.add(operator, [a, b], shape)
        else:
            self.add(operator, [a, b], shape)

    def axis_op(self):
        x = self.pick(1)
        shape = self.values[x]
        axis = int(self.rng.integers(-len(shape), len(shape)))
        operator = str(self.rng.choice(["Softmax", "LogSoftmax", "CumSum", "LayerNormalization", "Trilu"]))
        if operator in ("Softmax", "LogSoftmax"):
            self.add(operator, [x], shape, axis=axis)
        elif operator == "CumSum":
            self.add(operator, [x, self.constant(np.array(axis))], shape, exclusive=int(self.rng.integers(2)), reverse=int(self.rng.integers(2)))
        elif operator == "LayerNormalization":
            if shape[-1] > 1:
                self.add(operator, [x, self.weight(shape[-1]), self.weight(shape[-1])], shape, axis=-1, epsilon=1e-3)
        elif len(shape) >= 2:
            self.add("Trilu", [x, self.constant(np.array(int(self.rng.integers(-1, 2))))], shape, upper=int(self.rng.integers(2)))

    def reduce(self):
        x = self.pick(1)
        shape, operator = self.values[x], str(self.rng.choice(REDUCTIONS))
        axes = sorted(self.rng.choice(len(shape), int(self.rng.integers(1, len(shape) + 1)), replace=False).tolist())
        keep = int(self.rng.integers(2))
        new = [1 if i in axes else d for i, d in enumerate(shape) if keep or i not in axes]
        self.add(operator, [x, self.constant(np.array(axes))], new, keepdims=keep)

    def move(self):
        x = self.pick(1)
        shape = self.values[x]
        operator = str(self.rng.choice(["Transpose", "Reshape", "Slice", "Unsqueeze", "Expand", "Tile", "Pad", "Flatten", "Gather", "GatherElements", "Concat", "Split"]))
        axis = int(self.rng.integers(len(shape)))
        if operator == "Transpose":
            perm = self.rng.permutation(len(shape)).tolist()
            self.add(operator, [x], [shape[i] for i in perm], perm=perm)
        elif operator == "Reshape":
            self.add(operator, [x, self.constant(np.array([-1, shape[-1]]))], (int(np.prod(shape[:-1])), shape[-1]))
        elif operator == "Slice" and shape[axis] > 1:
            step = int(self.rng.choice([1, 2, -1]))
            start, end = (0, shape[axis] - 1) if step > 0 else (-1, -shape[axis])
            length = len(range(*slice(start, end, step).indices(shape[axis])))
            self.add(operator, [x, *[self.constant(np.array([v])) for v in (start, end, axis, step)]], shape[:axis] + (length,) + shape[axis + 1:])
        elif operator == "Unsqueeze":
            self.add(operator, [x, self.constant(np.array([axis]))], shape[:axis] + (1,) + shape[axis:])
        elif operator == "Expand":
            self.add(operator, [x, self.constant(np.array([2, *[1] * len(shape)]))], (2, *shape))
        elif operator == "Tile":
            times = self.rng.integers(1, 3, len(shape))
            self.add(operator, [x, self.constant(times)], times * shape)
        elif operator == "Pad":
            pads = self.rng.integers(0, 3, 2 * len(shape))
            self.add(operator, [x, self.constant(pads)], [d + a + b for d, a, b in zip(shape, pads, pads[len(shape):])])
        elif operator == "Flatten":
            self.add(operator, [x], (int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))), axis=axis)
        elif operator == "Gather":
            index = self.rng.integers(-shape[axis], shape[axis], (2, 2))
            self.add(operator, [x, self.constant(index)], shape[:axis] + (2, 2) + shape[axis + 1:], axis=axis)
        elif operator == "GatherElements":
            self.add(operator, [x, self.constant(self.rng.integers(-shape[axis], shape[axis], shape))], shape, axis=axis)
        elif operator == "Concat":
            self.add(operator, [x, x], shape[:axis] + (2 * shape[axis],) + shape[axis + 1:], axis=axis)

    def scatter(self):
        x = self.pick(1)
        shape = self.values[x]
        axis = int(self.rng.integers(len(shape)))
        reduction = str(self.rng.choice(["none", "add", "mul"]))
        if self.rng.integers(2):
            index = np.argsort(self.rng.random(shape), axis)
            self.add("ScatterElements", [x, self.constant(index), x], shape, axis=axis, reduction=reduction)
        else:
            index = self.rng.permutation(shape[0])[:max(1, shape[0] - 1)].reshape(-1, 1)
            self.add("ScatterND", [x, self.constant(index), self.weight(index.size, *shape[1:])], shape, reduction=reduction)

    def product(self):
        x = self.pick(1)
        shape, columns = self.values[x], int(self.rng.integers(1, 7))
        operator = str(self.rng.choice(["MatMul", "Gemm", "FusedMatMul", "BiasGelu", "SkipLayerNormalization", "Einsum"]))
        if operator == "MatMul":
            self.add(operator, [x, self.weight(shape[-1], columns)], shape[:-1] + (columns,))
        elif operator == "Gemm" and len(shape) == 2:
            self.add(operator, [x, self.weight(columns, shape[1]), self.weight(columns)], (shape[0], columns), transB=1, alpha=0.5, beta=2.0)
        elif operator == "FusedMatMul" and len(shape) >= 2:
            self.add(operator, [x, self.weight(columns, shape[-1])], shape[:-1] + (columns,), MS, transB=1, alpha=0.25)
        elif operator == "BiasGelu":
            self.add(operator, [x, self.weight(shape[-1])], shape, MS)
        elif operator == "SkipLayerNormalization" and len(shape) == 3 and shape[-1] > 1:
            self.add(operator, [x, x, self.weight(shape[-1]), self.weight(shape[-1])], shape, MS, epsilon=1e-3)
        elif operator == "Einsum" and len(shape) == 2:
            self.add(operator, [x, self.weight(shape[1], columns)], (columns, shape[0]), equation="ij,jk->ki")

    def choice(self):
        x = self.pick()
        flag = self.add("Greater", [self.add("ReduceSum", ["x2"], (), keep=False, keepdims=0), self.constant(np.float32(0), "f32")], (), keep=False)
        number = len(self.nodes)
        then = subgraph([node("Tanh", [x], [f"t{number}"])], [], [f"t{number}"])
        otherwise = subgraph([node("Mul", [x, "x2"], [f"e{number}"])], [], [f"e{number}"])
        if self.values[x][-1:] == (4,):
            self.add("If", [flag], self.values[x], then_branch=then, else_branch=otherwise)

    def build(self, count):
        kinds = [self.unary, self.unary, self.binary, self.binary, self.axis_op, self.reduce, self.move, self.move, self.scatter, self.product, self.jump, self.choice]
        while len(self.nodes) < count:
            kinds[int(self.rng.integers(len(kinds)))]()
        outputs = [name for name in self.values if name not in self.inputs][-4:]
        infos = [value_info(name, [f"{name}_{i}" for i in range(array.ndim)], 1) for name, array in self.inputs.items()]
        return model(graph(self.nodes, infos, [value_info(name, [f"{name}_{i}" for i in range(len(self.values[name]))], 1) for name in outputs], self.initializers),
                     (("", 18), (MS, 1)))


def close(a, b):
    return a.shape == b.shape and np.allclose(a, b, rtol=2e-3, atol=2e-4 * (1 + np.nanmax(np.abs(np.where(np.isfinite(b), b, 0)), initial=0)), equal_nan=True)


def main():
    words = sys.argv[1:]
    option = lambda name, absent: int(words[words.index(name) + 1]) if name in words else absent
    folder = pathlib.Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    graphs, seed = option("--graphs", 100), option("--seed", 1)
    for i in range(graphs):
        g = Graph(np.random.default_rng([seed, i]))
        (folder / f"g{i:04}.onnx").write_bytes(g.build(int(g.rng.integers(3, 25))))
        (folder / f"g{i:04}.json").write_text(json.dumps({name: {"type": str(a.dtype), "dims": list(a.shape), "data": base64.b64encode(a.tobytes()).decode()}
                                                          for name, a in g.inputs.items()}))
        np.savez(folder / f"g{i:04}.npz", **g.inputs)
    subprocess.run(["node", HERE / "run_ort.js", folder], check=True)
    same, refused_by_ort, different = 0, [], []
    for path in sorted(folder.glob("*.onnx")):
        reference = json.loads(path.with_suffix(".out.json").read_text())
        if "error" in reference:
            refused_by_ort.append((path.name, reference["error"][:200]))
            continue
        artifact = path.with_suffix(".so")
        steps = (["tfc-compile", path, "--header=none", "-o", artifact], ["tfc-run", artifact, "--inputs", path.with_suffix(".npz"), "--outputs", folder / "outputs.npz"])
        problem = ""
        for step in steps:
            result = subprocess.run([str(word) for word in step], capture_output=True, text=True, errors="replace")
            if result.returncode:
                problem = f"{step[0]}: exit code {result.returncode}: {result.stderr.strip()[:300]}"
                break
        if not problem:
            with np.load(folder / "outputs.npz") as made:
                for name, wanted in reference.items():
                    expected = np.frombuffer(base64.b64decode(wanted["data"]), np.float32).reshape(wanted["dims"])
                    if not close(made[name], expected):
                        problem = f"{name}: {made[name].shape} {made[name].reshape(-1)[:4]} instead of {expected.shape} {expected.reshape(-1)[:4]}"
        artifact.unlink(missing_ok=True)
        if problem:
            different.append((path.name, problem))
        else:
            same += 1
    for name, problem in different:
        print("DIFFERENT", name, problem)
    for name, problem in refused_by_ort[:5]:
        print("refused by ONNX Runtime:", name, problem)
    print(f"{graphs} graphs: {same} agree, {len(different)} differ, {len(refused_by_ort)} refused by ONNX Runtime")
    return 1 if different or not same else 0


sys.exit(main())
