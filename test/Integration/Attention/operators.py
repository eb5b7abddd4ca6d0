#!/usr/bin/env python3
"""operators.py FOLDER [--target=TARGET] [PART...]: the attention operators of ai.onnx and com.microsoft against numpy in float64.

All nodes that can stand in one model do, each with inputs of its own: as the file states their dims, and with
--dynamic=all every dim a symbol.
"""

import os
import pathlib
import sys

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[2] / "Frontend/ONNX")]
import onnx_writer as onnx
import reference as ref
from checks import Checks, scratch_folder

checks = Checks()
TYPES = {np.dtype(np.float32): onnx.FLOAT, np.dtype(np.int64): onnx.INT64, np.dtype(np.int32): onnx.INT32,
         np.dtype(bool): onnx.BOOL, np.dtype(np.uint8): onnx.UINT8, np.dtype(np.int8): onnx.INT8}
rng = np.random.default_rng(11)
TARGET = [word for word in sys.argv[2:] if word.startswith("--target=")]
PARTS = [word for word in sys.argv[2:] if word not in TARGET]


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


class Model:
    def __init__(self, opset=24):
        self.opset, self.nodes, self.inputs, self.arrays, self.expected = opset, [], [], {}, {}

    def add(self, name, op, inputs, outputs, domain="", **attributes):
        """A node; an input is an array or None, an output what numpy gives or None."""
        names = []
        for i, array in enumerate(inputs):
            names.append("" if array is None else f"{name}_x{i}")
            if array is not None:
                self.arrays[names[-1]] = array
                self.inputs.append(onnx.value_info(names[-1], array.shape, TYPES[array.dtype]))
        wanted = ["" if output is None else f"{name}_y{i}" for i, output in enumerate(outputs)]
        self.expected.update({n: np.asarray(o, np.float32) for n, o in zip(wanted, outputs) if n})
        self.nodes.append(onnx.node(op, names, wanted, name=name, domain=domain, **attributes))

    def check(self, name, *modes):
        pathlib.Path(f"{name}.onnx").write_bytes(onnx.model(
            onnx.graph(self.nodes, self.inputs, list(self.expected)), (("", self.opset), ("com.microsoft", 1))))
        np.savez(f"{name}.inputs.npz", **self.arrays)
        np.savez(f"{name}.expected.npz", **self.expected)
        for mode in modes if modes else ([], ["--dynamic=all"]):
            checks.run("tfc-compile", f"{name}.onnx", "-o", f"{name}.so", *mode, *TARGET)
            checks.run("tfc-run", f"./{name}.so", "--inputs", f"{name}.inputs.npz", "--expect", f"{name}.expected.npz",
                       "--rtol", "2e-5", "--atol", "2e-5")


def standard():
    model = Model()

    def case(name, q, k, v, outputs=1, positional=(), **keys):
        """`positional` are mask, past key, past value, lengths."""
        mask, past_key, past_value, lengths = (list(positional) + [None] * 4)[:4]
        y = ref.attention(q, k, v, mask, past_key, past_value, lengths, **keys)
        names = {"mode": "qk_matmul_output_mode", "left": "left_window_size", "right": "right_window_size"}
        attributes = {names.get(key, key): value for key, value in keys.items()}
        model.add(name, "Attention", [q, k, v, *positional], [o if i < outputs else None for i, o in enumerate(y)][:outputs], **attributes)

    q, k, v = normal(2, 3, 4, 8), normal(2, 3, 6, 8), normal(2, 3, 6, 5)
    case("plain", q, k, v)
    case("scaled", q, k, v, scale=0.01)
    case("capped", q, k, v, softcap=2.0, scale=3.0)
    case("causal", q, k, v, is_causal=1)
    case("square", q, q, q, is_causal=1)
    case("bool2d", q, k, v, positional=[rng.random((4, 6)) < 0.5])
    empty = rng.random((2, 1, 4, 6)) < 0.5
    empty[0, 0, 1] = empty[1, 0, 3] = False
    case("bool4d", q, k, v, positional=[empty], is_causal=1, softcap=5.0)
    case("float3d", q, k, v, positional=[normal(3, 4, 6)])
    infinite = np.where(empty, normal(2, 1, 4, 6), -np.inf).astype(np.float32)
    case("infinite", q, k, v, positional=[infinite])
    case("short", q, k, v, positional=[rng.random((1, 1, 4, 5)) < 0.8])
    case("short_float", q, k, v, positional=[normal(4, 3)], is_causal=1)
    case("integer_mask", q, k, v, positional=[rng.integers(-3, 3, (4, 6))])
    case("grouped", normal(2, 6, 4, 8), normal(2, 2, 4, 8), normal(2, 2, 4, 8), is_causal=1)
    for mode in range(4):
        case(f"scores{mode}", q, k, v, 4, positional=[empty], mode=mode, softcap=3.0, is_causal=1)
    case("scores_biased", q, k, v, 4, positional=[normal(4, 6)], mode=1)
    case("scores_windows", q, k, v, 4, positional=[infinite], mode=2, left=1, right=2)
    pk, pv = normal(2, 3, 5, 8), normal(2, 3, 5, 6)
    n = normal(2, 3, 4, 8), normal(2, 3, 4, 8), normal(2, 3, 4, 6)
    case("past", *n, 3, positional=[None, pk, pv], is_causal=1)
    case("past_mask", *n, 3, positional=[rng.random((2, 1, 4, 9)) < 0.7, pk, pv], is_causal=1)
    case("past_scores", *n, 4, positional=[None, pk, pv], mode=3)
    case("past_raw", *n, 4, positional=[None, pk, pv], mode=0, is_causal=1)
    case("past_other", n[0], normal(2, 3, 2, 8), normal(2, 3, 2, 6), 3, positional=[None, pk, pv], is_causal=1)
    case("lengths", q, k, v, positional=[None, None, None, np.array([6, 3])])
    case("lengths_causal", q, k, v, positional=[None, None, None, np.array([6, 2])], is_causal=1)
    case("lengths_mask", q, k, v, positional=[rng.random((2, 1, 4, 6)) < 0.7, None, None, np.array([5, 0])])
    case("lengths_scores", q, k, v, 4, positional=[None, None, None, np.array([6, 2])], is_causal=1, mode=2)
    case("rank3", normal(2, 4, 24), normal(2, 6, 8), normal(2, 6, 10), 4, q_num_heads=6, kv_num_heads=2, scale=0.4)
    case("rank3_rows", normal(2, 4, 24), normal(2, 4, 12), normal(2, 4, 12), 1, q_num_heads=6, kv_num_heads=3, is_causal=1)
    case("window_left", q, k, v, left=1)
    case("window_both", q, q, q, left=2, right=1)
    case("window_causal", q, q, q, left=1, right=2, is_causal=1)
    case("window_past", *n, positional=[None, pk, pv], left=3, right=0)
    case("one", normal(1, 1, 1, 3), normal(1, 1, 1, 3), normal(1, 1, 1, 2), is_causal=1)
    model.check("standard")
    half = Model(23)
    half.add("half", "Attention", [q, k, v], [ref.attention(q, k, v)[0]], softmax_precision=10)
    half.check("precision")


def rotary_and_scatter():
    model = Model()
    positions = rng.integers(0, 9, (2, 4))
    for interleaved in (0, 1):
        for rotated, pairs in ((0, 4), (6, 3)):
            x, cos, sin = normal(2, 3, 4, 8), normal(9, pairs), normal(9, pairs)
            y = ref.rotate(x, cos[positions], sin[positions], interleaved)
            keys = dict(interleaved=interleaved, rotary_embedding_dim=rotated)
            tag = f"{interleaved}{rotated}"
            model.add("heads" + tag, "RotaryEmbedding", [x, cos, sin, positions], [y], **keys)
            flat = ref.merge_heads(x)
            model.add("flat" + tag, "RotaryEmbedding", [flat, cos, sin, positions], [ref.merge_heads(y)], num_heads=3, **keys)
            model.add("caches" + tag, "RotaryEmbedding", [x, cos[positions], sin[positions]], [y], **keys)
            model.add("contrib" + tag, "RotaryEmbedding", [x, positions, cos, sin], [y], domain="com.microsoft", **keys)
            first = np.arange(4)[None] + 3
            z = ref.merge_heads(ref.rotate(x, cos[first], sin[first], interleaved))
            model.add("offset" + tag, "RotaryEmbedding", [flat, np.array([3]), cos, sin], [z], domain="com.microsoft", num_heads=3, **keys)
    cache, update = normal(3, 2, 6, 5), normal(3, 2, 4, 5)
    at = np.array([0, 2, 1])
    model.add("scatter", "TensorScatter", [cache, update, at], [ref.tensor_scatter(cache, update, at)])
    model.add("scatter_first", "TensorScatter", [cache, update], [ref.tensor_scatter(cache, update, None)], mode="linear")
    at = np.array([5, 0, 3])
    model.add("scatter_round", "TensorScatter", [cache, update, at], [ref.tensor_scatter(cache, update, at, circular=True)], mode="circular")
    flat, more = normal(3, 6, 5), normal(3, 1, 5)
    model.add("scatter_flat", "TensorScatter", [flat, more, at], [ref.tensor_scatter(flat, more, at, 1)], axis=1)
    wide, rows = normal(3, 4, 2, 6), normal(3, 4, 2, 2)
    model.add("scatter_last", "TensorScatter", [wide, rows, np.array([1, 4, 0])],
              [ref.tensor_scatter(wide, rows, np.array([1, 4, 0]), 3)], axis=-1)
    model.check("rotary")


def contrib():
    model = Model()
    heads, b, n, d = 3, 2, 4, 12
    x, w, bias = normal(b, n, 7), normal(7, 3 * d), normal(3 * d)

    def project(x, w, bias, sizes=(d, d, d)):
        whole = x.astype(np.float64) @ w + (0 if bias is None else bias)
        return [ref.split_heads(part, heads) for part in np.split(whole, np.cumsum(sizes)[:2], 2)]

    def attention(name, inputs, mask=None, stack=False, value=-10000.0, **keys):
        q, k, v = project(*(inputs[:3] if len(inputs) > 2 else [*inputs, None]), keys.pop("qkv_hidden_sizes", (d, d, d)))
        past = inputs[4] if len(inputs) > 4 and inputs[4] is not None else None
        summand = None if mask is None else np.where(mask, 0, value)
        if len(inputs) > 5:
            summand = inputs[5] if summand is None else summand + inputs[5]
        y, pk, pv = ref.contrib(q, k, v, summand, keys.get("unidirectional"), keys.get("scale"), past)
        return [y] + ([np.stack([pk, pv])] if stack else [])

    def case(name, inputs, mask=None, stack=False, **keys):
        attributes = {key: value for key, value in keys.items() if key != "value"}
        if "value" in keys:
            attributes["mask_filter_value"] = keys["value"]
        model.add(name, "Attention", inputs, attention(name, inputs, mask, stack, **keys), domain="com.microsoft", num_heads=heads, **attributes)

    j = np.arange(n)
    case("plain", [x, w])
    case("biased", [x, w, bias], scale=0.7)
    case("causal", [x, w, bias], unidirectional=1, stack=True)
    raw = (rng.random((b, n)) < 0.6).astype(np.int32)
    raw[0], raw[1, 0] = [0, 1, 0, 0], 1  # -10000 costs a row without keys four digits
    case("raw", [x, w, bias, raw], raw[:, None, None] != 0)
    raw3 = (rng.random((b, n, n)) < 0.6).astype(np.int32)
    case("raw3", [x, w, bias, raw3], raw3[:, None] != 0, unidirectional=1, value=-3.4028234663852886e38)
    case("right", [x, w, bias, np.array([3, 1], np.int32)], (j[None] < [[3], [1]])[:, None, None])
    past = normal(2, b, heads, 3, 4)
    case("past", [x, w, bias, None, past], unidirectional=1, stack=True)
    mega = np.tril(np.ones((1, 1, 9, 9), np.int32))
    mega = np.repeat(mega, b, 0)
    case("mega", [x, w, bias, mega, past], mega[:, :, 3:7, :7] != 0, stack=True)
    case("summand", [x, w, bias, raw, None, normal(1, heads, n, n)], raw[:, None, None] != 0)
    narrow, small = normal(7, 2 * d + 6), normal(2 * d + 6)
    case("sizes", [x, narrow, small], qkv_hidden_sizes=[d, d, 6])
    # QAttention: the same from integers.
    xq, wq = rng.integers(0, 255, (b, n, 7)).astype(np.uint8), rng.integers(-90, 90, (7, 3 * d)).astype(np.int8)
    sx, zx = np.array(0.02, np.float32), np.array(128, np.uint8)
    for tag, sw, zw in (("one", np.array(0.01, np.float32), np.array(3, np.int8)),
                        ("columns", (rng.random(3 * d) * 0.02).astype(np.float32), rng.integers(-5, 5, 3 * d).astype(np.int8))):
        q, k, v = project((xq.astype(np.float64) - 128) * sx, (wq.astype(np.float64) - zw) * sw, bias)
        y = ref.contrib(q, k, v, np.where(raw[:, None, None] != 0, 0, -10000.0))[0]
        model.add("quantized_" + tag, "QAttention", [xq, wq, bias, sx, sw, raw, zx, zw], [y], domain="com.microsoft", num_heads=heads)
    # MultiHeadAttention
    q, k, v = normal(b, n, d), normal(b, 5, d), normal(b, 5, 6)

    def multi(name, inputs, y, op="MultiHeadAttention", **keys):
        model.add(name, op, inputs, list(y), domain="com.microsoft", num_heads=heads, **keys)

    split = [ref.split_heads(t, heads) for t in (q, k, v)]
    multi("mha", [q, k, v], ref.contrib(*split)[:1], scale=0.0)
    all_bias = normal(2 * d + 6)
    added = [ref.split_heads(t + a, heads) for t, a in zip((q, k, v), np.split(all_bias, [d, 2 * d]))]
    multi("mha_bias", [q, k, v, all_bias], ref.contrib(*added)[:1])
    mask5 = (rng.random((b, 5)) < 0.7).astype(np.int32)
    multi("mha_mask", [q, k, v, None, mask5], ref.contrib(*split, np.where(mask5[:, None, None], 0, -10000.0))[:1])
    multi("mha_length", [q, k, v, None, np.array([5, 2], np.int32)],
          ref.contrib(*split, np.where((np.arange(5)[None] < [[5], [2]])[:, None, None], 0, -10000.0))[:1])
    summand = normal(b, 1, n, 5)
    multi("mha_summand", [q, k, v, None, None, summand], ref.contrib(*split, summand)[:1])
    packed = normal(b, n, heads, 3, 4)
    multi("mha_packed", [packed], ref.contrib(*(packed[:, :, :, i].transpose(0, 2, 1, 3) for i in range(3)), None, True)[:1], unidirectional=1)
    pair = normal(b, 5, heads, 2, 4)
    multi("mha_pair", [q, pair], ref.contrib(split[0], *(pair[:, :, :, i].transpose(0, 2, 1, 3) for i in range(2)))[:1])
    k4, v4 = normal(b, heads, 6, 4), normal(b, heads, 6, 4)
    multi("mha_cross", [q, k4, v4], ref.contrib(split[0], k4, v4)[:1])
    kn, vn, pk, pv = normal(b, n, d), normal(b, n, d), normal(b, heads, 3, 4), normal(b, heads, 3, 4)
    new = [ref.split_heads(t, heads) for t in (q, kn, vn)]
    multi("mha_past", [q, kn, vn, None, None, None, pk, pv], ref.contrib(*new, None, True, None, (pk, pv)), unidirectional=1)
    one = [normal(b, 1, d) for _ in range(3)]
    multi("decoder", [*one, None, None, pk, pv], ref.contrib(*(ref.split_heads(t, heads) for t in one), None, False, None, (pk, pv)),
          op="DecoderMaskedMultiHeadAttention")
    model.check("contrib")
    # Two numbers per batch: that they are two is known only where the batch is.
    model = Model()
    case("left", [x, w, bias, np.array([4, 3, 1, 0], np.int32)],
         ((j[None] < [[4], [3]]) & (j[None] >= [[1], [0]]))[:, None, None])
    model.check("left", [])


def group_query():
    model = Model()
    heads, kv, d, b = 4, 2, 6, 2
    cos, sin = normal(16, 3), normal(16, 3)

    def case(name, n, lengths, total, past=None, packed=False, rotary=None, bias=None, positions=None, outputs=3, **keys):
        q, k, v = normal(b, n, heads * d), normal(b, n, kv * d), normal(b, n, kv * d)
        pk, pv = (None, None) if past is None else (normal(b, kv, past, d), normal(b, kv, past, d))
        seqlens = np.array(lengths, np.int32) - 1
        tables = (cos, sin) if rotary is not None else (None, None)
        y = ref.group_query(q, k, v, heads, kv, seqlens, total, pk, pv, bias=bias, cos=tables[0], sin=tables[1], positions=positions,
                            interleaved=rotary == 1, window=keys.get("local_window_size", -1), softcap=keys.get("softcap", 0.0),
                            scale=keys.get("scale"), causal=keys.get("causal", 1))
        operands = [np.concatenate([q, k, v], 2), None, None] if packed else [q, k, v]
        inputs = [*operands, pk, pv, seqlens, np.array(total, np.int32), *tables, positions, bias]
        while inputs[-1] is None:
            inputs.pop()
        if rotary is not None:
            keys.update(do_rotary=1, rotary_interleaved=rotary)
        model.add(name, "GroupQueryAttention", inputs, list(y[:outputs]), domain="com.microsoft", num_heads=heads, kv_num_heads=kv, **keys)

    case("prompt", 5, [5, 5], 5)
    case("prompt_padded", 5, [5, 3], 5, rotary=0)
    case("prompt_packed", 5, [5, 5], 5, packed=True, rotary=1, local_window_size=2)
    case("prompt_buffer", 5, [5, 4], 5, past=9)
    case("step", 1, [6, 4], 6, past=5)
    case("step_buffer", 1, [6, 4], 6, past=9, rotary=0, softcap=1.5, scale=2.0)
    case("step_window", 1, [6, 4], 6, past=9, local_window_size=3)
    case("steps", 3, [8, 8], 8, past=5, rotary=1)
    case("step_bias", 1, [6, 6], 6, past=6, bias=normal(1, heads, 1, 6))
    case("step_bias_buffer", 1, [6, 4], 6, past=9, bias=normal(1, heads, 1, 6))
    case("step_positions", 1, [6, 6], 6, past=8, rotary=0, positions=np.array([[5], [5]]))
    case("both_ways", 4, [4, 4], 4, causal=0)
    model.check("group")
    biases = Model()
    for bidirectional in (0, 1):
        table = normal(8, 3)
        biases.add(f"relative{bidirectional}", "RelativePositionBias", [table, np.array([9]), np.array([40])],
                   [ref.relative_bias(table, 9, 40, 20, bidirectional)], domain="com.microsoft", max_distance=20, is_bidirectional=bidirectional)
    biases.check("relative")


def refused():
    """What is not supported is one line that names the node and why."""
    f = lambda *shape: np.zeros(shape, np.float32)
    q = f(1, 2, 3, 4)
    cases = [
        ("past_key and past_value come together", "Attention", [q, q, q, None, q], {}, ""),
        ("nonpad_kv_seqlen does not go with", "Attention", [q, q, q, None, q, q, np.array([3])], {}, ""),
        ("q_num_heads is missing", "Attention", [f(1, 3, 8)] * 3, {}, ""),
        ("does not split into 3 heads", "Attention", [f(1, 3, 8)] * 3, dict(q_num_heads=3, kv_num_heads=1), ""),
        ("floats of one rank, 3 or 4", "Attention", [q, q, f(1, 3, 8)], {}, ""),
        ("qk_matmul_output_mode 7 is not known", "Attention", [q, q, q], dict(qk_matmul_output_mode=7), ""),
        ("left_window_size must be -1 or more", "Attention", [q, q, q], dict(left_window_size=-2), ""),
        ("attn_mask must have rank 1 to 4", "Attention", [q, q, q, f(1, 1, 1, 3, 3)], {}, ""),
        ("different head dims", "Attention", [q, f(1, 2, 3, 5), q], {}, ""),
        ("not a multiple of the key heads", "Attention", [f(1, 3, 3, 4), q, q], {}, ""),
        ("the mask does not broadcast", "Attention", [q, q, q, np.zeros((5, 3), bool)], {}, ""),
        ("dim 2 of an operand is 3, not 2", "RotaryEmbedding", [q, f(1, 3, 3), f(1, 3, 3)], {}, ""),
        ("num_heads is missing", "RotaryEmbedding", [f(1, 3, 8), f(1, 3, 2), f(1, 3, 2)], {}, ""),
        ("the axis may not be the batch", "TensorScatter", [q, q], dict(axis=0), ""),
        ("neither linear nor circular", "TensorScatter", [q, q], dict(mode="sideways"), ""),
        ("the update is longer", "TensorScatter", [q, f(1, 2, 5, 4)], {}, ""),
        ("num_heads is missing", "Attention", [f(1, 3, 8), f(8, 24)], {}, "com.microsoft"),
        ("hidden sizes do not fit", "Attention", [f(1, 3, 8), f(8, 25)], dict(num_heads=2), "com.microsoft"),
        ("do_rotary is not supported", "Attention", [f(1, 3, 8), f(8, 24)], dict(num_heads=2, do_rotary=1), "com.microsoft"),
        ("cache_indirection is not supported", "MultiHeadAttention", [f(1, 3, 8)] * 3 + [None] * 6 + [np.zeros((1, 1, 3), np.int32)],
         dict(num_heads=2), "com.microsoft"),
        ("the value is missing", "MultiHeadAttention", [f(1, 3, 8)] * 2, dict(num_heads=2), "com.microsoft"),
        ("head_sink is not supported", "GroupQueryAttention",
         [f(1, 3, 8)] * 3 + [None, None, np.array([2], np.int32), np.array(3, np.int32)] + [None] * 4 + [f(2)],
         dict(num_heads=2, kv_num_heads=2), "com.microsoft"),
        ("smooth_softmax is not supported", "GroupQueryAttention",
         [f(1, 3, 8)] * 3 + [None, None, np.array([2], np.int32), np.array(3, np.int32)],
         dict(num_heads=2, kv_num_heads=2, smooth_softmax=1), "com.microsoft"),
        ("positive multiple of kv_num_heads", "GroupQueryAttention", [f(1, 3, 8)], dict(num_heads=3, kv_num_heads=2), "com.microsoft"),
    ]
    for says, op, inputs, attributes, domain in cases:
        model = Model()
        model.add("the_node", op, inputs, [0], domain=domain, **attributes)
        pathlib.Path("bad.onnx").write_bytes(onnx.model(onnx.graph(model.nodes, model.inputs, ["the_node_y0"]),
                                                        (("", 24), ("com.microsoft", 1))))
        checks.refuses("tfc-compile", "bad.onnx", "-o", "bad.so", says=[says, "the_node"])


os.chdir(scratch_folder())
for part in (standard, rotary_and_scatter, contrib, group_query, refused):
    if not PARTS or part.__name__ in PARTS:
        part()
sys.exit(checks.finish())
