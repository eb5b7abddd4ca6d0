#!/usr/bin/env python3
"""random_graphs.py FOLDER [--graphs N] [--seed S] [--target=TARGET]: random graphs, run by tfc and by ONNX Runtime, compared.

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
        # Integers are inputs of their own kinds of nodes; what these give is cast to floats.
        self.integers = {"i0": (2, 3, 4), "i1": (3, 4)}
        for name, shape in self.integers.items():
            self.inputs[name] = rng.integers(-9, 10, shape)

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
        x = self.input()
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
            x = self.input()
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

    def add_many(self, operator, inputs, shapes, domain="", **attributes):
        """A node with several outputs, all kept."""
        names = [f"v{len(self.nodes)}_{i}" for i in range(len(shapes))]
        self.nodes.append(node(operator, inputs, names, f"{operator}_{len(self.nodes)}", domain, **attributes))
        self.values.update({name: tuple(int(d) for d in shape) for name, shape in zip(names, shapes) if shape is not None})
        return names

    def to_float(self, x, shape):
        self.add("Cast", [x], shape, to=1)

    def input(self):
        return str(self.rng.choice([name for name in self.inputs if name not in self.integers]))

    def integer(self):
        a, b = str(self.rng.choice(list(self.integers))), "i1"
        shape = self.integers[a]
        operator = str(self.rng.choice(["Add", "Sub", "Mul", "Min", "Max", "Abs", "Neg", "Sign", "Mod", "Div", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot",
                                        "CumSum", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "Equal", "Less", "GreaterOrEqual", "Pow", "Clip"]))
        if self.rng.integers(2) and operator not in ("CumSum", "Pow", "Clip"):  # i32 as well
            a, b = (self.add("Cast", [name], (), keep=False, to=6) for name in (a, b))
            if operator in ("ReduceProd", "Neg", "Sign"):
                operator = "Abs"
        if operator in ("Abs", "Neg", "Sign", "BitwiseNot"):
            y = self.add(operator, [a], shape, keep=False)
        elif operator == "CumSum":
            y = self.add(operator, [a, self.constant(np.array(int(self.rng.integers(len(shape)))))], shape, keep=False, exclusive=int(self.rng.integers(2)))
        elif operator == "Clip":
            y = self.add(operator, [a, self.constant(np.array(-3)), self.constant(np.array(5))], shape, keep=False)
        elif operator == "Pow":
            y = self.add(operator, [a, self.constant(np.array(int(self.rng.integers(4))))], shape, keep=False)
        elif operator.startswith("Reduce"):
            axis = int(self.rng.integers(len(shape)))
            y = self.add(operator, [a, self.constant(np.array([axis]))], shape, keep=False, keepdims=0)
            shape = shape[:axis] + shape[axis + 1:]
        elif operator in ("Mod", "Div"):
            one = self.add("Cast", [self.constant(np.array(1))], (), keep=False, to=7)
            a, b = "i0", self.add("BitwiseOr", ["i1", one], (), keep=False)  # odd, so not 0
            shape = self.integers["i0"]
            y = self.add(operator, [a, b], shape, keep=False)
        else:
            y = self.add(operator, [a, b], shape, keep=False)
        self.to_float(y, shape)

    def logic(self):
        x, y = "x0", "x1"
        flags = [self.add(str(self.rng.choice(["Greater", "Less", "GreaterOrEqual", "LessOrEqual"])), [value, self.constant(np.float32(0.1), "f32")], (), keep=False)
                 for value in (x, y)]
        operator = str(self.rng.choice(["And", "Or", "Xor", "Not", "Equal"]))
        made = self.add(operator, flags[:1] if operator == "Not" else flags, (), keep=False)
        self.to_float(made, self.values[x])

    def positive(self):
        x = self.pick()
        shape, operator = self.values[x], str(self.rng.choice(["Sqrt", "Log", "Exp", "Reciprocal", "Pow", "ReduceLogSum", "Tan", "Cosh", "Sinh", "Clip", "IsInf", "Dropout", "Shrink"]))
        bounded = self.add("Tanh", [x], shape)
        if operator in ("Exp", "Tan", "Cosh", "Sinh", "Dropout"):
            self.add(operator, [bounded], shape)
        elif operator == "Shrink":
            self.add(operator, [self.input()], (), keep=False, lambd=0.3, bias=0.1)
        elif operator == "Clip":
            self.add(operator, [x, self.constant(np.float32(-0.5), "f32"), self.constant(np.float32(0.7), "f32")], shape)
        elif operator == "IsInf":
            self.to_float(self.add(operator, [x], shape, keep=False), shape)
        else:
            above = self.add("Add", [self.add("Abs", [bounded], shape), self.constant(np.float32(0.5), "f32")], shape)
            if operator == "Pow":
                self.add(operator, [above, self.constant(np.float32(self.rng.choice([0.5, 2, 3, -1])), "f32")], shape)
            elif operator == "ReduceLogSum":
                self.add(operator, [above], (), keepdims=0)
            else:
                self.add(operator, [above], shape)

    def select(self):
        """What chooses by value sees inputs only."""
        x = self.input()
        shape = self.values[x]
        axis = int(self.rng.integers(len(shape)))
        operator = str(self.rng.choice(["ArgMax", "ArgMin", "TopK", "NonZero", "Compress", "OneHot", "EyeLike", "Shape", "Size", "ConstantOfShape", "Range", "GatherND"]))
        without = shape[:axis] + shape[axis + 1:]
        if operator in ("ArgMax", "ArgMin"):
            self.to_float(self.add(operator, [x], without, keep=False, axis=axis, keepdims=0, select_last_index=int(self.rng.integers(2))), without)
        elif operator == "TopK":
            k = int(self.rng.integers(1, shape[axis] + 1))
            new = shape[:axis] + (k,) + shape[axis + 1:]
            values, indices = self.add_many(operator, [x, self.constant(np.array([k]))], [new, None], axis=axis, largest=int(self.rng.integers(2)))
            self.to_float(indices, new)
        elif operator == "NonZero":
            flag = self.add("Greater", [x, self.constant(np.float32(0), "f32")], (), keep=False)
            self.to_float(self.add("ReduceSum", [self.add(operator, [flag], (), keep=False), self.constant(np.array([1]))], (), keep=False, keepdims=0), (len(shape),))
        elif operator == "Compress":
            flags = np.arange(shape[axis]) % 2 == 0
            flag = self.add("Cast", [self.constant(flags.astype(np.int64))], (), keep=False, to=9)
            self.add(operator, [x, flag], shape[:axis] + (int(flags.sum()),) + shape[axis + 1:], axis=axis)
        elif operator == "OneHot":
            index = self.constant(self.rng.integers(-5, 5, (2, 3)))
            self.add(operator, [index, self.constant(np.array([4])), self.constant(np.array([0.25, 2.0], np.float32), "f32")], (2, 3, 4), axis=-1)
        elif operator == "EyeLike":
            self.add(operator, ["x1"], (3, 4), k=int(self.rng.integers(-2, 3)))
        elif operator == "Shape":
            self.to_float(self.add(operator, [x], (len(shape),), keep=False), (len(shape),))
        elif operator == "Size":
            self.to_float(self.add(operator, [x], (), keep=False), ())
        elif operator == "ConstantOfShape":
            self.add(operator, [self.add("Shape", [x], (), keep=False)], shape, value=floats("", [1], [0.5]))
        elif operator == "Range":
            length = self.add("Gather", [self.add("Shape", [x], (), keep=False), self.constant(np.array(axis))], (), keep=False)
            made = self.add(operator, [self.constant(np.array(-1)), length, self.constant(np.array(2))], (), keep=False)
            self.to_float(made, (len(range(-1, shape[axis], 2)),))
        else:
            index = np.stack([self.rng.integers(-d, d, 5) for d in shape[:max(1, axis)]], 1)
            self.add(operator, [x, self.constant(index)], (5,) + shape[max(1, axis):])

    def image(self):
        x = self.pick(1)
        shape = self.values[x]
        count = int(np.prod(shape))
        if count % 4 or count // 4 < 3 or count > 512:
            return
        length = count // 4
        y = self.add("Reshape", [x, self.constant(np.array([1, 4, length]))], (1, 4, length))
        operator = str(self.rng.choice(["Conv", "AveragePool", "MaxPool", "GlobalAveragePool", "BatchNormalization", "InstanceNormalization", "GroupNormalization"]))
        if operator == "Conv":
            kernel, stride, dilation, group = int(self.rng.integers(1, 4)), int(self.rng.integers(1, 3)), int(self.rng.integers(1, 3)), int(self.rng.choice([1, 2, 4]))
            pads = self.rng.integers(0, 3, 2).tolist()
            room = length + sum(pads) - dilation * (kernel - 1) - 1
            if room >= 0:
                self.add(operator, [y, self.weight(4, 4 // group, kernel), self.weight(4)], (1, 4, room // stride + 1), kernel_shape=[kernel], strides=[stride],
                         dilations=[dilation], pads=pads, group=group)
        elif operator in ("AveragePool", "MaxPool"):
            stride = int(self.rng.integers(1, 3))
            keys = {"count_include_pad": int(self.rng.integers(2))} if operator == "AveragePool" else {}
            self.add(operator, [y], (1, 4, (length + 1 - 2) // stride + 1), kernel_shape=[2], strides=[stride], pads=[1, 0], **keys)
        elif operator == "GlobalAveragePool":
            self.add(operator, [y], (1, 4, 1))
        elif operator == "BatchNormalization":
            self.add(operator, [y, self.weight(4), self.weight(4), self.weight(4), self.constant(self.rng.random(4).astype(np.float32) + 0.5, "f32")], (1, 4, length))
        elif operator == "InstanceNormalization" and length > 1:
            self.add(operator, [y, self.weight(4), self.weight(4)], (1, 4, length), epsilon=1e-2)
        elif operator == "GroupNormalization" and length > 1:
            self.add(operator, [y, self.weight(4), self.weight(4)], (1, 4, length), epsilon=1e-2, num_groups=2)

    def quantize(self):
        x = self.input()
        shape = self.values[x]
        operator = str(self.rng.choice(["QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"]))
        byte = lambda *dims: (lambda name: (self.initializers.append(tensor(name, dims, UINT8, self.rng.integers(0, 256, dims).astype(np.uint8).tobytes())), name)[1])(f"c{len(self.initializers)}")
        if operator == "QuantizeLinear":
            scale, zero = self.constant(np.float32(0.05), "f32"), byte()
            q = self.add(operator, [x, scale, zero], (), keep=False)
            self.add("DequantizeLinear", [q, scale, zero], shape)
        elif operator == "DynamicQuantizeLinear":
            q, scale, zero = self.add_many(operator, [x], [None] * 3)
            self.add("DequantizeLinear", [q, scale, zero], shape)
        elif operator == "MatMulInteger":
            q, scale, zero = self.add_many("DynamicQuantizeLinear", [x], [None] * 3)
            self.to_float(self.add(operator, [q, byte(shape[-1], 5), zero, byte()], (), keep=False), shape[:-1] + (5,))
        elif operator == "DynamicQuantizeMatMul" and len(shape) > 1:
            self.add(operator, [x, byte(shape[-1], 5), self.constant(np.array([0.02], np.float32), "f32"), byte(1)], shape[:-1] + (5,), MS)
        elif operator == "MatMulIntegerToFloat" and len(shape) > 1:
            q, scale, zero = self.add_many("DynamicQuantizeLinear", [x], [None] * 3)
            self.add(operator, [q, byte(shape[-1], 5), scale, self.constant(np.array([0.03], np.float32), "f32"), zero, byte(1), self.weight(5)], shape[:-1] + (5,), MS)

    def transformer(self):
        heads, size, queries, keys = 4, 8, int(self.rng.integers(1, 6)), int(self.rng.integers(1, 7))
        operator = str(self.rng.choice(["Attention", "Attention", "RMSNormalization", "RotaryEmbedding", "MultiHeadAttention", "MsAttention", "SkipSimplified", "MsRotary"]))
        if operator == "Attention":
            kv = int(self.rng.choice([1, 2, 4]))
            past = int(self.rng.integers(0, 4)) * int(self.rng.integers(2))
            inputs = [self.weight(2, heads, queries, size), self.weight(2, kv, keys, size), self.weight(2, kv, keys, size)]
            mask = [(queries, keys + past), (2, 1, queries, keys + past), (1, heads, queries, keys + past), None][int(self.rng.integers(4))]
            inputs.append(self.weight(*mask) if mask else "")
            keyed = {"scale": 0.3} if self.rng.integers(2) else {}
            if self.rng.integers(2):
                keyed["softcap"] = 2.0
            if past:
                inputs += [self.weight(2, kv, past, size), self.weight(2, kv, past, size)]
                self.add_many(operator, inputs, [(2, heads, queries, size), (2, kv, keys + past, size), (2, kv, keys + past, size)], **keyed)
            else:
                self.add(operator, inputs if mask else inputs[:3], (2, heads, queries, size), **keyed, is_causal=int(self.rng.integers(2)) if queries == keys else 0)
        elif operator == "RMSNormalization":
            x = self.pick(1)
            shape = self.values[x]
            axis = int(self.rng.integers(len(shape)))
            self.add(operator, [x, self.weight(*shape[axis:])], shape, axis=axis - len(shape), epsilon=1e-2)
        elif operator == "RotaryEmbedding":
            partial = int(self.rng.choice([0, 4]))
            half = (partial or size) // 2
            inputs = [self.weight(2, heads, queries, size), self.weight(9, half), self.weight(9, half), self.constant(self.rng.integers(0, 9, (2, queries)))]
            self.add(operator, inputs, (2, heads, queries, size), interleaved=int(self.rng.integers(2)), rotary_embedding_dim=partial)
        elif operator == "MultiHeadAttention":
            inputs = [self.weight(2, queries, heads * size), self.weight(2, keys, heads * size), self.weight(2, keys, heads * size)]
            if self.rng.integers(2):
                inputs.append(self.weight(3 * heads * size))
            self.add(operator, inputs, (2, queries, heads * size), MS, num_heads=heads)
        elif operator == "MsAttention":
            self.add("Attention", [self.weight(2, queries, 16), self.weight(16, 3 * heads * size), self.weight(3 * heads * size)], (2, queries, heads * size), MS,
                     num_heads=heads, unidirectional=int(self.rng.integers(2)))
        elif operator == "SkipSimplified":
            self.add("SkipSimplifiedLayerNormalization", [self.weight(2, queries, 16), self.weight(2, queries, 16), self.weight(16)], (2, queries, 16), MS, epsilon=1e-2)
        else:
            inputs = [self.weight(2, queries, heads * size), self.constant(self.rng.integers(0, 9, (2, queries))), self.weight(9, size // 2), self.weight(9, size // 2)]
            self.add("RotaryEmbedding", inputs, (2, queries, heads * size), MS, interleaved=int(self.rng.integers(2)), num_heads=0 if False else heads)

    def loop(self):
        x = self.pick(1)
        shape, number = self.values[x], len(self.nodes)
        turns = int(self.rng.integers(1, 4))
        names = [f"loop{number}_{letter}" for letter in "igabcr"]
        i, go, a, b, on, row = names
        body = subgraph([node("Tanh", [a], [f"loop{number}_t"]), node("Add", [f"loop{number}_t", x], [b]), node("Identity", [go], [on]), node("ReduceMax", [b], [row], keepdims=0)],
                        [value_info(i, [], INT64), value_info(go, [], BOOL), value_info(a, list(shape))], [value_info(on, [], BOOL), value_info(b, list(shape)), value_info(row, [])])
        self.add_many("Loop", [self.constant(np.array(turns)), "", x], [shape, (turns,)], body=body)

    def build(self, count):
        kinds = [self.unary, self.unary, self.binary, self.binary, self.axis_op, self.reduce, self.move, self.move, self.scatter, self.product, self.jump, self.choice,
                 self.integer, self.logic, self.positive, self.positive, self.select, self.select, self.image, self.quantize, self.transformer, self.transformer, self.loop]
        while len(self.nodes) < count:
            kinds[int(self.rng.integers(len(kinds)))]()
        outputs = [name for name in self.values if name not in self.inputs][-4:]
        infos = [value_info(name, [f"{name}_{i}" for i in range(array.ndim)], INT64 if name in self.integers else FLOAT) for name, array in self.inputs.items()]
        return model(graph(self.nodes, infos, [value_info(name, [f"{name}_{i}" for i in range(len(self.values[name]))], 1) for name in outputs], self.initializers),
                     (("", 23), (MS, 1)), ir_version=10)


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
    flags = [word for word in words if word.startswith("--target=")]
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
        steps = (["tfc-compile", path, "--header=none", "-o", artifact, *flags], ["tfc-run", artifact, "--inputs", path.with_suffix(".npz"), "--outputs", folder / "outputs.npz"])
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
    for name, problem in refused_by_ort[:12]:
        print("refused by ONNX Runtime:", name, problem)
    print(f"{graphs} graphs: {same} agree, {len(different)} differ, {len(refused_by_ort)} refused by ONNX Runtime")
    return 1 if different or not same else 0


sys.exit(main())
