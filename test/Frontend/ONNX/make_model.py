#!/usr/bin/env python3
"""Writes the small models that the .test files of this folder import: make_model.py CASE FILE"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_writer import *  # noqa: E402,F403

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def sequence(nodes, inputs, outputs, initializers=(), opset=17):
    return model(graph(nodes, inputs, outputs, initializers), (("", opset),))


IDS = value_info("ids", ["batch", "seq"], INT64)


@case
def packed_weight():
    """A product with a matrix of 4-bit numbers, and one whose matrix is an input."""
    nodes = [node("MatMulNBits", ["a", "b", "s"], ["y"], "known", "com.microsoft", K=32, N=3, bits=4, block_size=16),
             node("MatMulNBits", ["a", "c", "s"], ["z"], "given", "com.microsoft", K=32, N=3, bits=4, block_size=16)]
    constants = [tensor("b", [3, 2, 8], UINT8, bytes(range(48))), floats("s", [6], [0.5, 1, 2, 4, 8, 16])]
    return model(graph(nodes, [value_info("a", ["m", 32]), value_info("c", [3, 2, 8], UINT8)], ["y", "z"], constants), (("", 17), ("com.microsoft", 1)))


# ---- Slice ----------------------------------------------------------------------------------------------------------

def slice_of(dims, start, end, step=None, opset=17):
    constants = [([1], [start]), ([1], [end]), ([1], [len(dims) - 1])]
    return one_node("Slice", [dims], constants=constants + ([([1], [step])] if step else []), opset=opset)


@case
def slice_to_end():
    return slice_of(["n"], 1, 2**63 - 1)


@case
def slice_last():
    return slice_of(["n"], -2, 2**31 - 1)


@case
def slice_all_but_last():
    return slice_of(["n"], 0, -1)


@case
def slice_reversed():
    return slice_of(["n"], -1, -(2**63), -1)


@case
def slice_every_third():
    return slice_of([10], 1, 9, 3)


@case
def slice_attributes():
    return one_node("Slice", [[4, 6]], {"axes": [1], "starts": [2], "ends": [100]}, opset=9)


@case
def slice_table_to_length():
    """position_ids[:, :seq] of a table of 512."""
    nodes = [node("Shape", ["ids"], ["shape"]), node("Gather", ["shape", "one"], ["length"], axis=0),
             node("Slice", ["table", "zero", "length", "one"], ["y"], "positions")]
    table = ints("table", [1, 512], range(512))
    return sequence(nodes, [IDS], ["y"], [table, ints("one", [1], [1]), ints("zero", [1], [0])])


# ---- Shapes ---------------------------------------------------------------------------------------------------------

@case
def reshape_heads():
    """view(batch, -1, 12, 64) with the batch from Shape, as exporters write it."""
    nodes = [node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["b"], axis=0),
             node("Unsqueeze", ["b", "axes"], ["b1"]), node("Concat", ["b1", "rest"], ["target"], axis=0),
             node("Reshape", ["x", "target"], ["y"], "view")]
    constants = [ints("zero", [], [0]), ints("axes", [1], [0]), ints("rest", [3], [-1, 12, 64])]
    return sequence(nodes, [value_info("x", ["batch", "seq", 768])], ["y"], constants)


@case
def expand_idiom():
    """Where(shape == -1, ones, shape), the target that exporters give Expand."""
    nodes = [node("Shape", ["ids"], ["s"]), node("ConstantOfShape", ["two"], ["ones"], value=ints("v", [1], [1])),
             node("Mul", ["ones", "minus"], ["m"]), node("Equal", ["s", "m"], ["e"]), node("Where", ["e", "ones", "s"], ["t"]),
             node("Expand", ["x", "t"], ["y"], "expand")]
    inputs = [IDS, value_info("x", [1, 1])]
    return sequence(nodes, inputs, ["y"], [ints("two", [1], [2]), ints("minus", [], [-1])])


@case
def arange_by_nonzero():
    nodes = [node("Shape", ["ids"], ["s"]), node("Gather", ["s", "one"], ["n"], axis=0), node("Unsqueeze", ["n"], ["n1"], axes=[0]),
             node("ConstantOfShape", ["n1"], ["ones"], value=ints("v", [1], [1])), node("NonZero", ["ones"], ["z"], "nz"),
             node("Transpose", ["z"], ["t"], perm=[1, 0]), node("Squeeze", ["t"], ["y"], axes=[1])]
    return sequence(nodes, [IDS], ["y"], [ints("one", [], [1])], opset=10)


@case
def range_in_floats():
    nodes = [node("Shape", ["ids"], ["s"]), node("Gather", ["s", "one"], ["n"], axis=0), node("Cast", ["n"], ["f"], to=FLOAT),
             node("Neg", ["f"], ["m"]), node("Range", ["f", "m", "step"], ["y"], "range")]
    return sequence(nodes, [IDS], ["y"], [ints("one", [], [1]), floats("step", [], [-1.0])])


@case
def range_from_data():
    return sequence([node("Range", ["a", "b", "c"], ["y"], "range")],
                    [value_info(n, [], INT64) for n in "abc"], ["y"])


@case
def reshape_from_data():
    nodes = [node("Unsqueeze", ["n", "axes"], ["n1"]), node("Concat", ["n1", "open"], ["t"], axis=0),
             node("Reshape", ["x", "t"], ["y"], "reshape")]
    inputs = [value_info("x", ["rows", 6]), value_info("n", [], INT64)]
    return sequence(nodes, inputs, ["y"], [ints("axes", [1], [0]), ints("open", [1], [-1])])


@case
def nonzero_of_data():
    return one_node("NonZero", [["rows", 6]])


# ---- Einsum ---------------------------------------------------------------------------------------------------------

def einsum(equation, *dims):
    return one_node("Einsum", list(dims), {"equation": equation})


@case
def einsum_heads():
    return einsum("ibnd,jbnd->bnij", ["i", "b", 4, 16], ["j", "b", 4, 16])


@case
def einsum_projection():
    return einsum("bfnd,ndh->bfh", ["b", "f", 4, 16], [4, 16, 64])


@case
def einsum_outer():
    return einsum("i,d->id", ["i"], [8])


@case
def einsum_transpose():
    return einsum("ijbn->bnij", ["i", "j", "b", 4])


@case
def einsum_ellipsis():
    return einsum("...ij,...jk->...ik", ["b", 2, 3, 4], [2, 4, 5])


@case
def einsum_implicit_sum():
    return einsum("ij,kj", [2, 3], [4, 3])


# ---- Versions -------------------------------------------------------------------------------------------------------

@case
def softmax_11():
    return one_node("Softmax", [["b", 3, 4]], {"axis": 1}, opset=11)


@case
def softmax_13():
    return one_node("Softmax", [["b", 3, 4]], {"axis": 1}, opset=13)


@case
def reduce_attribute():
    return one_node("ReduceMean", [["b", 3]], {"axes": [-1]}, opset=13)


@case
def reduce_input():
    return one_node("ReduceMean", [["b", 3]], {"keepdims": 0}, constants=[([1], [-1])], opset=18)


@case
def split_attribute():
    return one_node("Split", [["b", 6]], {"axis": 1, "split": [2, 4]}, opset=11, outputs=("y", "z"))


@case
def split_last_shorter():
    return one_node("Split", [[7]], {"num_outputs": 3}, opset=18, outputs=("a", "b", "c"))


@case
def layer_norm_old():
    return one_node("LayerNormalization", [["b", 8], [8], [8]], {"epsilon": 1e-12, "axis": -1}, opset=11)


# ---- Weights --------------------------------------------------------------------------------------------------------

@case
def weights():
    """A tied matrix, a copy of it, a bias of a few floats, a scalar, and small integers."""
    nodes = [node("MatMul", ["x", "table"], ["a"]), node("MatMul", ["a", "copy"], ["b"]), node("Add", ["b", "bias"], ["c"]),
             node("Mul", ["c", "half"], ["d"]), node("Reshape", ["d", "target"], ["y"])]
    values = [i / 7 for i in range(16)]
    constants = [floats("table", [4, 4], values), floats("copy", [4, 4], values), floats("bias", [4], [1, 2, 3, 4]),
                 floats("half", [], [0.5]), ints("target", [1], [-1])]
    return sequence(nodes, [value_info("x", ["n", 4])], ["y"], constants)


@case
def weights_unused():
    nodes = [node("Relu", ["x"], ["y"]), node("Add", ["x", "unused"], ["dead"])]
    return sequence(nodes, [value_info("x", ["n", 4])], ["y"], [floats("unused", [4], [1, 2, 3, 4])])


# ---- Buffers of causal masks ----------------------------------------------------------------------------------------

def buffer(inside, outside, within, size=16):
    """A matrix of two numbers, added to x."""
    values = [inside if within(i - j) else outside for i in range(size) for j in range(size)]
    return sequence([node("Add", ["x", "m"], ["y"])], [value_info("x", ["n", size, size])], ["y"], [floats("m", [1, size, size], values)])


@case
def buffer_triangle():
    return buffer(0.0, float("-inf"), lambda distance: distance >= 0)


@case
def buffer_band():
    return buffer(1.0, 0.0, lambda distance: 0 <= distance <= 3)


@case
def buffer_hole():
    return buffer(1.0, 0.0, lambda distance: distance in (0, 1, 3))


@case
def buffer_diagonal():
    return buffer(1.0, 0.0, lambda distance: distance == 0)


@case
def buffer_upper():
    return buffer(1.0, 0.0, lambda distance: distance <= 1)


@case
def buffer_small():
    return buffer(1.0, 0.0, lambda distance: distance >= 0, size=4)


# ---- Names ----------------------------------------------------------------------------------------------------------

@case
def names():
    nodes = [node("Relu", ["x"], ["a"], "encoder/layer.0/Relu"), node("Neg", ["a"], ["y"])]
    return sequence(nodes, [value_info("x", ["%batch", "past + 1", -1])], ["y"])


@case
def many_unsupported():
    nodes = [node("Foo", ["x" if i == 0 else "f%d" % i], ["f%d" % (i + 1)], "foo_%d" % i) for i in range(5)]
    nodes += [node("Bar", ["f5"], ["y"], "the_bar", domain="com.example")]
    return model(graph(nodes, [value_info("x", [2])], ["y"]), (("", 17), ("com.example", 3)))


if __name__ == "__main__":
    with open(sys.argv[2], "wb") as f:
        f.write(CASES[sys.argv[1]]())
