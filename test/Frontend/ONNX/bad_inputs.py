#!/usr/bin/env python3
"""Broken and hostile ONNX files: each must end in exit code 2 and one clear line, fast and without a crash.

    bad_inputs.py [-v] [--sanitized] COMMAND [ARGUMENT...]

The command gets the file's path as its last argument. It may take TIME_LIMIT seconds of processor time, and MEMORY_LIMIT_KB
more memory than it needs for a model of one node. --sanitized: it is built with sanitizers, which need as much memory as they like and
ten times the time.

A second list holds odd files that are right, so that the checks do not grow too strict.
"""

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from onnx_writer import *  # noqa: E402,F403

TIME_LIMIT = 2.0
MEMORY_LIMIT_KB = 256 * 1024
HANGS = 120
ADDRESS_SPACE_KB = 4000000
X = value_info("x", [2, 3])


def relu_graph(**changes):
    parts = dict(nodes=[node("Relu", ["x"], ["y"], "relu")], inputs=[X], outputs=["y"])
    parts.update(changes)
    return graph(**parts)


GOOD = model(relu_graph())


def weighted(weight, name="w"):
    """y = x + w with an initializer that the case spoils."""
    return model(relu_graph(nodes=[node("Add", ["x", name], ["y"], "add")], initializers=[weight]))


def files(bad):
    bad("empty", b"", "is empty")
    bad("one_byte", b"\x08", "")
    bad("text", b"This is a readme file and no model.\n", "text file")
    bad("html", b"<!DOCTYPE html><html><body>404</body></html>", "web page")
    bad("lfs_pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS")
    bad("zip", b"PK\x03\x04" + bytes(64), "zip")
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    bad("safetensors", struct.pack("<Q", len(header)) + header + bytes(4), "safetensors")
    big = weighted(floats("w", [2, 3], [0.5] * 6))
    for i in range(1, 16):
        bad("truncated_%d_16" % i, big[: len(big) * i // 16], "")
    generator = random.Random(7)
    for i in range(8):
        bad("random_%d" % i, bytes(generator.randrange(256) for _ in range(4096)), "")
    for i in range(8):
        spoiled = bytearray(GOOD)
        spoiled[generator.randrange(len(spoiled))] ^= 0x87
        bad.either("flipped_%d" % i, bytes(spoiled))
    nested = b""
    for _ in range(10000):
        nested = chunk(6, chunk(1, chunk(5, chunk(1, "g") + nested)))[-4000000:]
    bad("deep_nesting", model(relu_graph(nodes=[node("Relu", ["x"], ["y"]) + chunk(5, nested)])), "")
    deep = b"\x0a\x00"
    for _ in range(5000):
        deep = chunk(7, chunk(1, chunk(5, chunk(6, deep))))[2:] if len(deep) > 100000 else chunk(5, chunk(6, chunk(1, deep)))
    bad("deep_subgraphs", model(chunk(1, deep)), "nested")
    bad("huge_varint", b"\x08" + b"\xff" * 20, "")
    bad("huge_length", b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(8), "")
    bad("length_past_end", model(b"")[:2] + b"\x3a\xff\xff\x03" + b"abc", "")
    bad("group_wire_type", b"\x0b\x0c" + GOOD, "")
    bad("field_zero", b"\x00\x01" + GOOD, "")
    bad("no_ir_version", model(relu_graph(), ir_version=None), "ir_version")
    for version in (0, -1, 2**63):
        bad("ir_version_%d" % version, model(relu_graph(), ir_version=version), "ir_version")
    bad("no_opset", model(relu_graph(), opsets=()), "opset_import")
    bad("opset_twice", model(relu_graph(), opsets=(("", 17), ("ai.onnx", 13))), "twice")
    for version in (0, -1, 9999):
        bad("opset_%d" % version, model(relu_graph(), opsets=(("", version),)), "opset")
    bad("no_graph", number(1, 8) + chunk(8, number(2, 17)), "no graph")
    bad("empty_graph", model(b""), "no outputs")


def structure(bad):
    two = [node("Add", ["x", "b"], ["a"], "n1"), node("Relu", ["a"], ["b"], "n2")]
    bad("cycle", model(relu_graph(nodes=two, outputs=["b"])), "cycle")
    bad("self_loop", model(relu_graph(nodes=[node("Add", ["x", "y"], ["y"], "self")])), "cycle")
    bad("dangling_input", model(relu_graph(nodes=[node("Add", ["x", "nobody"], ["y"], "n1")])), "nobody")
    bad("dangling_output", model(relu_graph(outputs=["nobody"])), "nobody")
    bad("required_input_empty", model(relu_graph(nodes=[node("Add", ["x", ""], ["y"], "n1")])), "n1")
    bad("too_many_inputs", model(relu_graph(nodes=[node("Relu", ["x", "x"], ["y"], "n1")])), "n1")
    bad("output_twice", model(relu_graph(nodes=[node("Relu", ["x"], ["y"], "n1"), node("Neg", ["x"], ["y"], "n2")])), "n2")
    bad("output_is_input", model(relu_graph(nodes=[node("Relu", ["x"], ["x"], "n1")], outputs=["x"])), "n1")
    bad("output_is_initializer", model(relu_graph(initializers=[floats("y", [1], [1])])), "taken")
    bad("input_twice", model(relu_graph(inputs=[X, X])), "two inputs")
    bad("graph_output_twice", model(relu_graph(outputs=["y", "y"])), "two outputs")
    bad("initializer_twice", model(relu_graph(initializers=[floats("w", [1], [1])] * 2)), "two initializers")
    bad("no_outputs", model(relu_graph(outputs=[])), "no outputs")
    bad("input_without_shape", model(relu_graph(inputs=[value_info("x", None)])), "no shape")
    bad("input_negative_dim", model(relu_graph(inputs=[value_info("x", [2, -7])])), "negative")
    bad("input_huge_dims", model(relu_graph(inputs=[value_info("x", [2**40, 2**40])])), "too many")
    bad("input_rank_65", model(relu_graph(inputs=[value_info("x", [1] * 65)])), "rank 65")
    for kind in (0, 9999, STRING, 14):
        bad("input_type_%d" % kind, model(relu_graph(inputs=[value_info("x", [2], kind)])), "'x'")
    bad("input_no_type", model(relu_graph(inputs=[chunk(1, "x")])), "'x'")
    bad("input_sequence", model(relu_graph(inputs=[chunk(1, "x") + chunk(2, chunk(4, b""))])), "'x'")
    odd = "evil\n\x1b[31m%s%n\x00\xff"
    bad("odd_names", model(relu_graph(nodes=[node("Add", ["x", odd], [odd + "2"], odd)], outputs=[odd + "2"])), "\\0A")
    bad("long_name", model(relu_graph(nodes=[node("Add", ["x", "n" * 1000000], ["y"])])), "bytes)")
    bad("unsupported", model(relu_graph(nodes=[node("Frobnicate", ["x"], ["y"], "n1")])), "Frobnicate")
    bad("unknown_domain", one_node("Relu", [[2]], domain="com.example"), "com.example:Relu")
    bad("function_recursion", model(relu_graph(nodes=[node("f", ["x"], ["y"], "n1", domain="local")]), (("", 17), ("local", 1)))
        + chunk(25, chunk(1, "f") + chunk(4, "a") + chunk(5, "b") + chunk(10, "local") + chunk(7, node("f", ["a"], ["b"], domain="local"))), "local:f")
    branch = relu_graph(inputs=[])
    with_if = node("If", ["c"], ["y"], "n1") + chunk(5, chunk(1, "then_branch") + chunk(6, branch) + number(20, 5))
    bad("if_node", model(graph([with_if], [value_info("c", [], BOOL)], ["y"])), "If")


def attributes(bad):
    def one(name, op, dims, expect="the_node", **keys):
        bad(name, one_node(op, dims, **keys), expect)

    one("axis_out_of_range", "Softmax", [[2, 3]], attributes={"axis": 2})
    one("axis_huge", "Concat", [[2, 3], [2, 3]], attributes={"axis": -(2**31)})
    one("axis_missing", "Concat", [[2, 3], [2, 3]])
    one("axis_is_string", "Softmax", [[2, 3]], attributes={"axis": "1"})
    one("axis_is_float", "Gather", [[2, 3]], attributes={"axis": 1.0}, constants=[([1], [0])])
    one("perm_duplicates", "Transpose", [[2, 3]], attributes={"perm": [0, 0]})
    one("perm_short", "Transpose", [[2, 3]], attributes={"perm": [0]})
    one("perm_out_of_range", "Transpose", [[2, 3]], attributes={"perm": [0, 2**40]})
    one("reshape_two_open", "Reshape", [[2, 3]], constants=[([2], [-1, -1])])
    one("reshape_product", "Reshape", [[2, 3]], constants=[([2], [4, 2])])
    one("reshape_no_divisor", "Reshape", [[2, 3]], constants=[([2], [4, -1])])
    one("reshape_int_min", "Reshape", [[2, 3]], constants=[([1], [-(2**63)])])
    one("reshape_copies_too_far", "Reshape", [[2, 3]], constants=[([3], [2, 3, 0])])
    one("reshape_zero_and_open", "Reshape", [[2, 3]], constants=[([2], [0, -1])], attributes={"allowzero": 1})
    one("reshape_rank_100", "Reshape", [[2, 3]], constants=[([100], [1] * 100)])
    one("reshape_overflow", "Reshape", [[2, 3]], constants=[([2], [2**62, 2**62])])
    one("split_sum", "Split", [[2, 5]], constants=[([2], [2, 2])], attributes={"axis": 1}, outputs=("y", "z"))
    one("split_negative", "Split", [[2, 5]], constants=[([2], [-1, 6])], attributes={"axis": 1}, outputs=("y", "z"))
    one("split_uneven", "Split", [[2, 5]], attributes={"axis": 1}, outputs=("y", "z"))
    one("split_num_outputs", "Split", [[2, 6]], attributes={"axis": 1, "num_outputs": 3}, outputs=("y", "z"), opset=18)
    one("split_no_outputs", "Split", [[2, 6]], outputs=(), expect="")
    one("slice_step_zero", "Slice", [[5]], constants=[([1], [0]), ([1], [5]), ([1], [0]), ([1], [0])])
    one("slice_axis_twice", "Slice", [[5, 5]], constants=[([2], [0, 0]), ([2], [5, 5]), ([2], [0, 0])])
    one("slice_lengths", "Slice", [[5, 5]], constants=[([2], [0, 0]), ([1], [5])])
    one("squeeze_not_one", "Squeeze", [[2, 3]], constants=[([1], [0])])
    one("unsqueeze_twice", "Unsqueeze", [[2, 3]], constants=[([2], [0, 0])])
    one("unsqueeze_missing", "Unsqueeze", [[2, 3]])
    one("expand_mismatch", "Expand", [[2, 3]], constants=[([2], [2, 4])])
    one("expand_negative", "Expand", [[2, 3]], constants=[([2], [-1, 3])])
    one("expand_too_large", "Expand", [[1]], constants=[([3], [2**20, 2**20, 2**20])])
    one("tile_rank", "Tile", [[2, 3]], constants=[([1], [2])])
    one("tile_too_large", "Tile", [[2, 3]], constants=[([2], [2**40, 2**40])])
    one("constant_of_shape_negative", "ConstantOfShape", [], constants=[([1], [-5])])
    one("constant_of_shape_too_large", "ConstantOfShape", [], constants=[([1], [2**62])])
    one("range_step_zero", "Range", [], constants=[([], [0]), ([], [5]), ([], [0])])
    one("range_too_large", "Range", [], constants=[([], [0]), ([], [2**62]), ([], [1])])
    one("pad_negative", "Pad", [[2, 3]], constants=[([4], [-3, 0, 0, 0])])
    one("pad_count", "Pad", [[2, 3]], constants=[([3], [1, 1, 1])])
    one("pad_mode", "Pad", [[2, 3]], constants=[([4], [1, 1, 1, 1])], attributes={"mode": "mirror\n"})
    one("topk_too_many", "TopK", [[2, 3]], constants=[([1], [4])], outputs=("y", "z"))
    one("topk_negative", "TopK", [[2, 3]], constants=[([1], [-1])], outputs=("y", "z"))
    one("gather_float_indices", "Gather", [[2, 3], [2]])
    one("gather_scalar", "Gather", [[]], constants=[([1], [0])])
    one("einsum_malformed", "Einsum", [[2, 3], [3, 4]], attributes={"equation": "ij,j$->i"})
    one("einsum_terms", "Einsum", [[2, 3], [3, 4]], attributes={"equation": "ij->i"})
    one("einsum_rank", "Einsum", [[2, 3], [3, 4]], attributes={"equation": "ijk,kl->il"})
    one("einsum_output", "Einsum", [[2, 3], [3, 4]], attributes={"equation": "ij,jk->iz"})
    one("einsum_dims", "Einsum", [[2, 3], [4, 5]], attributes={"equation": "ij,jk->ik"})
    one("einsum_no_equation", "Einsum", [[2, 3], [3, 4]])
    one("gemm_rank", "Gemm", [[3], [3, 4]])
    one("gemm_scalar", "Gemm", [[], []])
    one("matmul_dims", "MatMul", [[2, 3], [4, 5]])
    one("matmul_scalar", "MatMul", [[], [2, 2]])
    one("add_types", "Add", [[2], [2]], types=[FLOAT, INT64])
    one("add_shapes", "Add", [[2], [3]])
    one("sqrt_of_ints", "Sqrt", [[2]], types=[INT64])
    one("where_condition", "Where", [[2], [2], [2]])
    one("cast_to_string", "Cast", [[2]], attributes={"to": STRING})
    one("cast_to_nothing", "Cast", [[2]])
    one("cast_to_unknown", "Cast", [[2]], attributes={"to": 77})
    one("constant_without_value", "Constant", [])
    one("constant_value_is_int", "Constant", [], attributes={"value": 3})
    one("layer_norm_epsilon", "LayerNormalization", [[2, 3], [3]], attributes={"epsilon": float("nan")})
    one("layer_norm_scale", "LayerNormalization", [[2, 3], [4]])
    one("layer_norm_axis", "LayerNormalization", [[2, 3], [3]], attributes={"axis": 5})
    one("reduce_axis_twice", "ReduceSum", [[2, 3]], constants=[([2], [0, -2])])
    one("reduce_axis_from_data", "ReduceSum", [[2, 3], ["n"]], types=[FLOAT, INT64])
    one("cumsum_axis", "CumSum", [[2, 3]], constants=[([], [7])])
    one("one_hot_depth", "OneHot", [[2], [2]], types=[INT64, FLOAT], expect="")
    one("trilu_rank", "Trilu", [[2]])
    one("eye_rank", "EyeLike", [[2, 2, 2]])


MS = "com.microsoft"


def contrib(bad):
    """Groups 52 to 60: operators of Transformers whose sizes, heads and indices do not go together."""

    def one(name, op, dims, domain=MS, types=None, **keys):
        bad(name, one_node(op, dims, domain=domain, types=types, **keys), "the_node")

    x, w, b = [2, 3, 8], [8, 24], [24]
    one("attention_heads", "Attention", [x, w, b], attributes={"num_heads": 3})
    one("attention_heads_0", "Attention", [x, w, b], attributes={"num_heads": 0})
    one("attention_heads_missing", "Attention", [x, w, b])
    one("attention_sizes_negative", "Attention", [x, w, b], attributes={"num_heads": 2, "qkv_hidden_sizes": [-8, 16, 16]})
    one("attention_sizes_sum", "Attention", [x, w, b], attributes={"num_heads": 2, "qkv_hidden_sizes": [8, 8, 16]})
    one("attention_weight_rank", "Attention", [x, [24], b], attributes={"num_heads": 2})
    one("attention_mask_rank", "Attention", [x, w, b, [2, 3, 3, 3, 3]], types=[FLOAT, FLOAT, FLOAT, INT32], attributes={"num_heads": 2})
    one("mha_heads", "MultiHeadAttention", [x, x, x], attributes={"num_heads": 3})
    one("mha_rank", "MultiHeadAttention", [[3, 8], x, x], attributes={"num_heads": 2})
    gqa = [x, [2, 3, 4], [2, 3, 4], [2, 1, 5, 4], [2, 1, 5, 4], [2], []]
    gqa_types = [FLOAT] * 5 + [INT32] * 2
    one("gqa_heads", "GroupQueryAttention", gqa, types=gqa_types, attributes={"num_heads": 3, "kv_num_heads": 2})
    one("gqa_kv_heads_0", "GroupQueryAttention", gqa, types=gqa_types, attributes={"num_heads": 2, "kv_num_heads": 0})
    one("gqa_lengths_rank", "GroupQueryAttention", gqa[:5] + [[2, 2], []], types=gqa_types, attributes={"num_heads": 2, "kv_num_heads": 1})
    one("rotary_odd", "RotaryEmbedding", [[2, 2, 3, 5], [2, 3], [9, 2], [9, 2]], types=[FLOAT, INT64, FLOAT, FLOAT])
    one("rotary_too_wide", "RotaryEmbedding", [[2, 2, 3, 4], [2, 3], [9, 3], [9, 3]], types=[FLOAT, INT64, FLOAT, FLOAT], attributes={"rotary_embedding_dim": 6, "num_heads": 2})
    one("embed_rank", "EmbedLayerNormalization", [[6], [2, 3], [9, 4], [9, 4], [9, 4], [4], [4]], types=[INT32] * 2 + [FLOAT] * 5, outputs=("y", "m"))
    one("embed_widths", "EmbedLayerNormalization", [[2, 3], [2, 3], [9, 4], [9, 5], [9, 4], [4], [4]], types=[INT32] * 2 + [FLOAT] * 5, outputs=("y", "m"))
    one("skip_gamma", "SkipLayerNormalization", [x, x, [7], [8]])
    one("skip_shape", "SkipLayerNormalization", [x, [2, 4, 8], [8], [8]])
    one("skip_epsilon", "SkipLayerNormalization", [x, x, [8], [8]], attributes={"epsilon": -1.0})
    heads = [2, 2, 3, 4]
    one("standard_rank3_heads", "Attention", [x, x, x], domain="", opset=23)
    one("standard_mode", "Attention", [heads] * 3, domain="", opset=23, attributes={"qk_matmul_output_mode": 4})
    one("standard_groups", "Attention", [[2, 3, 3, 4], heads, heads], domain="", opset=23)
    one("standard_mask", "Attention", [heads] * 3 + [[7, 9]], domain="", opset=23)
    one("standard_past_alone", "Attention", [heads] * 3 + [[3, 8], [2, 2, 5, 4]], domain="", opset=23)
    one("standard_softcap", "Attention", [heads] * 3, domain="", opset=23, attributes={"softcap": float("nan")})
    bits = {"K": 32, "N": 4, "bits": 4, "block_size": 16}
    packed = [[2, 32], [4, 2, 8], [8]]
    kinds = [FLOAT, UINT8, FLOAT]
    for name, changes in (("bits", {"bits": 3}), ("block_0", {"block_size": 0}), ("block_3", {"block_size": 3}), ("k", {"K": 48}), ("n", {"N": 5}), ("k_huge", {"K": 2**62})):
        one(f"nbits_{name}", "MatMulNBits", packed, types=kinds, attributes={**bits, **changes})
    one("nbits_zeros", "MatMulNBits", packed + [[5]], types=kinds + [UINT8], attributes=bits)
    one("scatter_mode", "TensorScatter", [[2, 4, 4], [2, 1, 4]], domain="", opset=24, attributes={"mode": "around"})
    one("scatter_axis", "TensorScatter", [[2, 4, 4], [2, 1, 4]], domain="", opset=24, attributes={"axis": 0})
    one("scatter_update", "TensorScatter", [[2, 4, 4], [2, 5, 4]], domain="", opset=24)
    one("layer_norm_axis_far", "LayerNormalization", [x, [8]], domain="", attributes={"axis": -4})
    one("rms_epsilon", "RMSNormalization", [x, [8]], domain="", opset=23, attributes={"epsilon": float("inf")})
    # Groups 21, 22: functions.
    call = node("f", ["x"], ["y"], "the_node", domain="own")
    opsets = (("", 17), ("own", 1))
    mutual = [function("f", ["a"], ["b"], [node("g", ["a"], ["b"], domain="own")], opsets=opsets), function("g", ["a"], ["b"], [node("f", ["a"], ["b"], domain="own")], opsets=opsets)]
    bad("function_mutual", model(relu_graph(nodes=[call]), opsets, functions=mutual), "calls itself")
    laughs = [function("f", ["a"], ["b"], [node("f1", ["a"], ["m"], domain="own"), node("f1", ["m"], ["b"], domain="own")], opsets=opsets)]
    for i in range(1, 99):
        laughs.append(function(f"f{i}", ["a"], ["b"], [node(f"f{i + 1}", ["a"], ["m"], domain="own"), node(f"f{i + 1}", ["m"], ["b"], domain="own")] if i < 98 else [node("Abs", ["a"], ["b"])], opsets=opsets))
    bad("function_laughs", model(relu_graph(nodes=[call]), opsets, functions=laughs), "--limit=")
    nowhere = [function("f", ["a"], ["b"], [node("Elu", ["a"], ["b"], alpha=Reference("nothing"))], opsets=opsets)]
    bad("function_reference", model(relu_graph(nodes=[call]), opsets, functions=nowhere), "has no attribute 'nothing'")
    # Groups 19, 20: branches and loops.
    then = subgraph([node("Abs", ["x"], ["t"])], [], ["t"])
    whole = subgraph([node("Cast", ["x"], ["e"], to=INT64)], [], ["e"])
    flag = value_info("c", [], BOOL)
    bad("if_types", model(graph([node("If", ["c"], ["y"], "the_node", then_branch=then, else_branch=whole)], [X, flag], ["y"])), "the_node")
    bad("if_counts", model(graph([node("If", ["c"], ["y", "z"], "the_node", then_branch=then, else_branch=then)], [X, flag], ["y", "z"])), "the_node")
    body = subgraph([node("Neg", ["v"], ["w"])], [value_info("i", [], INT64), value_info("v", None)], ["w"])
    bad("loop_without_condition", model(graph([node("Loop", ["n", "", "x"], ["y"], "the_node", body=body)], [X, value_info("n", [], INT64)], ["y"])), "the_node")
    scan = subgraph([node("Add", ["a", "b"], ["s"])], [value_info("a", None), value_info("b", None)], ["s"])
    bad("scan_lengths", model(graph([node("Scan", ["x", "z"], ["y"], "the_node", body=scan, num_scan_inputs=2)], [X, value_info("z", [5, 3])], ["y"])), "the_node")
    # Group 41: quantization.
    quantized = lambda name, scale, zero, **keys: bad(name, one_node("QuantizeLinear", [[2, 3], scale, zero], types=[FLOAT, FLOAT, UINT8], opset=21, **keys), "the_node")
    quantized("quantize_axis_length", [4], [4], attributes={"axis": 1})
    quantized("quantize_zero_shape", [3], [2], attributes={"axis": 1})
    quantized("quantize_block", [2, 2], [2, 2], attributes={"axis": 1, "block_size": -1})


def tensors(bad):
    w = [2, 3]
    bad("dims_overflow", weighted(tensor("w", [2**32, 2**32], FLOAT, b"1234")), "'w'")
    bad("dims_max", weighted(tensor("w", [2**63 - 1], FLOAT, b"1234")), "'w'")
    bad("dims_zero_times_max", weighted(tensor("w", [0, 2**62, 2**62], FLOAT, b"")), "'w'")
    bad("dims_negative", weighted(tensor("w", [-2, 3], FLOAT, b"1234")), "'w'")
    bad("dims_terabyte", weighted(tensor("w", [2**38], FLOAT, b"1234")), "'w'")
    bad("rank_65", weighted(tensor("w", [1] * 65, FLOAT, b"1234")), "'w'")
    for size in (0, 1, 23, 25, 48):
        bad("raw_%d_of_24" % size, weighted(tensor("w", w, FLOAT, bytes(size))), "'w'")
    raw = struct.pack("<6f", *range(6))
    bad("raw_and_typed", weighted(tensor("w", w, FLOAT, raw, chunk(4, raw))), "more than once")
    bad("wrong_typed_field", weighted(tensor("w", w, FLOAT, extra=chunk(7, bytes(6)))), "does not fit")
    bad("typed_too_short", weighted(tensor("w", w, FLOAT, extra=chunk(4, raw[:8]))), "'w'")
    int_w = lambda data: one_node("Reshape", [[6]], constants=[tensor("c0", [2], INT64, extra=data)])
    bad("varints_too_few", int_w(chunk(7, b"\x02")), "'c0'")
    bad("varints_too_many", int_w(chunk(7, b"\x02\x03\x01")), "'c0'")
    bad("varints_cut", int_w(chunk(7, b"\x02\x83")), "'c0'")
    bad("varints_missing_terabyte", weighted(tensor("w", [2**38], INT64, extra=chunk(7, b"\x01"))), "'w'")
    for kind in (0, 9999, STRING, 14):
        bad("tensor_type_%d" % kind, weighted(tensor("w", w, kind, raw)), "'w'")
    bad("tensor_no_name", weighted(floats("", w, range(6))), "")
    bad("sparse_initializer", model(relu_graph() + chunk(15, chunk(1, floats("w", [1], [1])) + chunk(2, ints("i", [1], [99])))), "sparse")
    bad("forged_token", weighted(tensor("w", w, FLOAT, None, chunk(6, struct.pack("<3Q", 9, 0, 24)))), "'w'")


def external_data(bad, folder):
    target = os.path.join(folder, "secret.bin")
    inside = os.path.join(folder, "inside.bin")
    for path in (target, inside):
        with open(path, "wb") as f:
            f.write(bytes(24))
    os.symlink("inside.bin", os.path.join(folder, "link.bin"))
    os.symlink("loop.bin", os.path.join(folder, "loop.bin"))
    os.symlink("/", os.path.join(folder, "root"))
    os.link(target, os.path.join(folder, "hard.bin"))
    os.mkfifo(os.path.join(folder, "fifo"))
    os.mkdir(os.path.join(folder, "folder"))
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(os.path.join(folder, "socket"))
    for i, path in enumerate(["../x", "a/../../x", "./a/./../../x", "..\\x", "/etc/passwd", "C:\\x", "\\\\?\\C:\\x", "file://x", "",
                              ".", "folder", "folder/", "x\0y", "a" * 5000, "\udcff", "link.bin", "loop.bin", "root/etc/passwd",
                              "hard.bin", "fifo", "socket", "/dev/zero", "missing.bin", "*/_ORT_MEM_ADDR_/*", "\x00" + "1:w"]):
        entries = [("location", path.encode("utf-8", "surrogateescape"))]
        bad("external_path_%d" % i, weighted(external("w", [2, 3], entries)), "'w'")
    for i, (key, value) in enumerate([("offset", "-1"), ("offset", "0x10"), ("offset", "1.5"), ("offset", ""), ("offset", "1e18"),
                                      ("offset", "18446744073709551615"), ("offset", "99999999999999999999999"), ("offset", "8"),
                                      ("length", "-24"), ("length", "23"), ("length", "1000000000000000"), ("length", "0"),
                                      ("__class__", "x"), ("location", "inside.bin")]):
        bad("external_entry_%d" % i, weighted(external("w", [2, 3], [("location", "inside.bin"), (key, value)])), "'w'")
    bad("external_no_location", weighted(external("w", [2, 3], [("offset", "0")])), "'w'")
    both = external("w", [2, 3], [("location", "inside.bin")]) + chunk(9, bytes(24))
    bad("external_and_raw", weighted(both), "'w'")
    constant = node("Constant", [], ["c"], "const", value=external("t", [2, 3], [("location", "../x")]))
    bad("external_in_constant", model(relu_graph(nodes=[constant, node("Add", ["x", "c"], ["y"])])), "'t'")


def good(ok, folder):
    ok("plain", GOOD)
    ok("unknown_fields", number(999, 5) + GOOD + chunk(1000, b"abc") + number(14, 3))
    ok("output_is_an_input", model(relu_graph(outputs=["x", "y"])))
    ok("ai_onnx_domain", model(relu_graph(nodes=[node("Relu", ["x"], ["y"], domain="ai.onnx")]), (("ai.onnx", 17),)))
    ok("rank_0", one_node("Add", [[], []]))
    ok("dims_zero", one_node("Add", [[0, 3], [0, 3]]))
    ok("negative_zero_weight", weighted(floats("w", [2, 3], [-0.0, 1e-40, float("inf"), float("nan"), 1, 2])))
    ok("unsorted", model(relu_graph(nodes=[node("Relu", ["a"], ["y"]), node("Neg", ["x"], ["a"])])))
    ok("dim_minus_one", model(relu_graph(inputs=[value_info("x", [-1, "n m"])])))
    ok("typed_data", weighted(tensor("w", [2, 3], FLOAT, extra=chunk(4, bytes(24)))))
    ok("unpacked_data", weighted(tensor("w", [2, 3], FLOAT, extra=b"".join(fixed32(4, v) for v in range(6)))))
    ok("initializer_as_input", model(relu_graph(nodes=[node("Add", ["x", "w"], ["y"])], inputs=[X, value_info("w", [3])],
                                                initializers=[floats("w", [3], [1, 2, 3])])))
    ok("expand_to_terabytes", one_node("Expand", [[1]], constants=[([2], [1000000, 1000000])]))
    ok("constant_of_shape_terabytes", one_node("ConstantOfShape", [], constants=[([2], [1000000, 1000000])]))
    ok("range_terabytes", one_node("Range", [], constants=[([], [0]), ([], [10**12]), ([], [1])]))
    ok("slice_int_max", one_node("Slice", [[5]], constants=[([1], [1]), ([1], [2**63 - 1])]))
    ok("slice_int_min", one_node("Slice", [[5]], constants=[([1], [-(2**63)]), ([1], [3])]))
    ok("slice_backwards", one_node("Slice", [[5]], constants=[([1], [-1]), ([1], [-(2**63)]), ([1], [0]), ([1], [-(2**63)])]))
    ok("nonzero", one_node("NonZero", [[2, 3]]))
    ok("reshape_from_data", one_node("Reshape", [[6], [2]], types=[FLOAT, INT64]))
    with open(os.path.join(folder, "good.bin"), "wb") as f:
        f.write(bytes(32))
    ok("external", weighted(external("w", [2, 3], [("location", "good.bin"), ("offset", "8"), ("length", "24"), ("checksum", "0")])))
    chain = [node("Relu", ["x" if i == 0 else "v%d" % i], ["v%d" % (i + 1)]) for i in range(20000)]
    ok("chain_20000", model(relu_graph(nodes=chain, outputs=["v20000"])))
    ok("fan_out", model(relu_graph(nodes=[node("Relu", ["x"], ["v%d" % i]) for i in range(20000)], outputs=["v7"])))


class Check:
    def __init__(self, command, folder, verbose, sanitized):
        limit = ["/bin/sh", "-c", 'ulimit -v %d; exec "$0" "$@"' % ADDRESS_SPACE_KB]
        self.command, self.folder, self.verbose = command if sanitized else limit + command, folder, verbose
        self.time_limit = TIME_LIMIT * 10 if sanitized else TIME_LIMIT
        self.memory_limit = float("inf")
        self.passed, self.failures, self.slowest, self.largest, self.baseline = 0, [], (0.0, ""), (0, ""), 0
        if not sanitized:
            self.run("baseline", GOOD)
            self.baseline = self.largest[0]
            self.memory_limit = self.baseline + MEMORY_LIMIT_KB

    def run(self, name, data):
        """Exit code, what was said, and why the run was too slow or too large."""
        path = os.path.join(self.folder, name + ".onnx")
        with open(path, "wb") as f:
            f.write(data)
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(self.command + [path], stdout=subprocess.DEVNULL, stderr=said)
            hanging = threading.Timer(HANGS, process.kill)
            hanging.start()
            _, status, used = os.wait4(process.pid, 0)
            hanging.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read().decode("utf-8", "replace")
        os.unlink(path)
        seconds = used.ru_utime + used.ru_stime
        self.slowest = max(self.slowest, (seconds, name))
        self.largest = max(self.largest, (used.ru_maxrss, name))
        problems = ["%.1f s" % seconds] * (seconds > self.time_limit)
        problems += ["%d MB" % (used.ru_maxrss // 1024)] * (used.ru_maxrss > self.memory_limit)
        return process.returncode, text, problems

    def judge(self, name, problems, text):
        if self.verbose:
            print("%-28s %s" % (name, text.strip()[:200]))
        if problems:
            self.failures.append("%s: %s\n    %s" % (name, "; ".join(problems), text.strip()[:400]))
        else:
            self.passed += 1

    def problems_of_refusal(self, code, text):
        problems = []
        if code != 2:
            problems.append("exit code %s" % code)
        if text.count("\n") != 1 or not text.startswith("error: "):
            problems.append("not one line that starts with 'error: '")
        if any(ord(c) < 32 and c != "\n" for c in text):
            problems.append("control characters in the message")
        if len(text) > 3000:
            problems.append("a message of %d characters" % len(text))
        return problems

    def __call__(self, name, data, expect):
        code, text, problems = self.run(name, data)
        problems += self.problems_of_refusal(code, text)
        if expect not in text:
            problems.append("the message lacks %r" % expect)
        self.judge(name, problems, text)

    def either(self, name, data):
        """Damage that may go unnoticed: right or refused, but nothing else."""
        code, text, problems = self.run(name, data)
        self.judge(name, problems + ([] if code == 0 else self.problems_of_refusal(code, text)), text)

    def accepted(self, name, data):
        code, text, problems = self.run(name, data)
        self.judge(name, problems + ["exit code %s" % code] * (code != 0), text)


def main():
    with tempfile.TemporaryDirectory() as folder:
        arguments = sys.argv[1:]
        verbose = arguments[:1] == ["-v"]
        sanitized = arguments[verbose:][:1] == ["--sanitized"]
        check = Check(arguments[verbose + sanitized:], folder, verbose, sanitized)
        for part in (files, structure, attributes, contrib, tensors):
            part(check)
        external_data(check, folder)
        good(check.accepted, folder)
    for failure in check.failures:
        print("FAILED " + failure)
    more = (check.largest[0] - check.baseline) // 1024
    print("%d passed, %d failed; slowest: %.2f s (%s); largest: %d MB above %d MB (%s)" % (
        check.passed, len(check.failures), *check.slowest, more, check.baseline // 1024, check.largest[1]))
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
