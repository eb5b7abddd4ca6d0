#!/usr/bin/env python3
"""official.py FOLDER [MODE...]: what ONNX's own node tests of Attention, RMSNormalization, RotaryEmbedding, TensorScatter and Swish
ask, under their names and with their shapes, against float64 numpy written from the text of the standard."""

import pathlib
import sys

# Behind this folder, whose operators.py is meant below.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "Attention"))
import reference as ref  # noqa: E402
from operators import *  # noqa: E402,F403

rng = np.random.default_rng(23)
F = np.float32
ATTRIBUTES = {"mode": "qk_matmul_output_mode", "left": "left_window_size", "right": "right_window_size"}


def f(*shape):
    return rng.random(shape).astype(F)


# ---- Attention ------------------------------------------------------------------------------------------------------------


def attention(name, q, k, v, rest=(), outputs=1, opset=23, precision=None, **keys):
    """`rest` are mask, past key, past value and lengths."""
    results = ref.attention(q, k, v, *rest, **keys)[:outputs]
    attributes = {ATTRIBUTES.get(key, key): value for key, value in keys.items()}
    if precision:
        attributes["softmax_precision"] = precision
    op(name, "Attention", [q, k, v, *rest], [np.asarray(y).astype(q.dtype) for y in results], opset=opset,
       tolerance=5e-3 if q.dtype == np.float16 else 1e-4, **attributes)


def past(heads=3, wide=8, length=12):
    return f(2, heads, length, 8), f(2, heads, length, wide)


def masks(last):
    """Rank 1 to 4, of numbers and of bools."""
    shapes = {"1d": (last,), "2d": (4, last), "3d": (1, 4, last), "4d": (2, 1, 4, last)}
    for tag, shape in shapes.items():
        yield tag, f(*shape)
        yield f"bool_{tag}", rng.random(shape) < 0.6


for rank in ("4d", "3d"):
    flat = ref.merge_heads if rank == "3d" else lambda x: x
    for kind, heads, wide in (("", 3, 8), ("_gqa", 9, 8), ("_diff_heads_sizes", 3, 10)):
        q, k, v = flat(f(2, heads, 4, 8)), flat(f(2, 3, 6, 8)), flat(f(2, 3, 6, wide))
        counts = dict(q_num_heads=heads, kv_num_heads=3) if rank == "3d" else {}
        name = f"{rank}{kind}"
        attention(name, q, k, v, **counts)
        attention(f"{name}_scaled", q, k, v, scale=0.01, **counts)
        attention(f"{name}_causal", q, k, v, is_causal=1, **counts)
        attention(f"{name}_softcap", q, k, v, softcap=3.0, **counts)
        attention(f"{name}_attn_mask", q, k, v, [f(4, 6)], **counts)
        pk, pv = past(wide=wide)
        attention(f"{name}_with_past_and_present", q, k, v, [f(4, 18), pk, pv], outputs=3, **counts)
        for mode, what in enumerate(("qk_matmul", "qk_matmul_softcap", "qk_matmul_bias", "qk_matmul_softmax")):
            attention(f"{name}_past_{what}", q, k, v, [f(4, 18), pk, pv], outputs=4, mode=mode, softcap=2.0, **counts)
            attention(f"{name}_{what}", q, k, v, [f(4, 6)], outputs=4, mode=mode, **counts)
q, k, v = f(2, 3, 4, 8), f(2, 3, 6, 8), f(2, 3, 6, 8)
half = [x.astype(np.float16) for x in (q, k, v)]
attention("4d_fp16", *half)
attention("4d_fp16_past", *half, [None, *(x.astype(np.float16) for x in past())], outputs=3)
attention("3d_transpose_verification", np.arange(12, dtype=F).reshape(1, 3, 4) / 10, np.ones((1, 3, 4), F), np.arange(12, dtype=F).reshape(1, 3, 4),
          q_num_heads=2, kv_num_heads=2)
for tag, mask in masks(6):
    attention(f"4d_attn_mask_{tag}", q, k, v, [mask])
    attention(f"4d_attn_mask_{tag}_causal", q, k, v, [mask], is_causal=1)
for tag, mask in masks(18):
    attention(f"4d_past_attn_mask_{tag}_causal", q, k, v, [mask, *past()], outputs=4, is_causal=1, mode=2)
for precision in (1, 10, 11, 16):
    attention(f"precision_{precision}", q, k, v, outputs=4, mode=3, precision=precision)
# A mask that ends before the keys do allows none of those behind it; rows without any key are 0.
attention("4d_diff_heads_mask4d_padded_kv", q, k, f(2, 3, 6, 10), [f(2, 3, 4, 4), None, None, np.array([3, 4])], opset=24)
attention("padded_bool", q, k, v, [rng.random((4, 4)) < 0.5])
poison = np.zeros((4, 6), F)
poison[:, 4:], poison[2] = -np.inf, -np.inf
attention("4d_softcap_neginf_mask", q, k, v, [poison], outputs=4, softcap=2.0, mode=2)
attention("4d_softcap_neginf_mask_poison", q, k, np.where(np.arange(6)[:, None] < 4, v, F(1000)), [poison], softcap=2.0)
none = rng.random((4, 6)) < 0.7
none[1] = False
for opset in (23, 24):
    attention(f"{opset}_boolmask_fullymasked_row", q, k, v, [none], outputs=4, opset=opset, mode=3)
    attention(f"{opset}_causal_boolmask", q, k, v, [none], opset=opset, is_causal=1)
for kind, heads, dtype in (("", 3, F), ("_gqa", 9, F), ("_fp16", 3, np.float16)):
    long = [x.astype(dtype) for x in (f(2, heads, 4, 8), f(2, 3, 6, 8), f(2, 3, 6, 8))]
    for tag, lengths in (("prefill", [4, 4]), ("continued", [6, 5]), ("negative_offset", [2, 0]), ("beyond", [4, 9])):
        attention(f"4d{kind}_causal_nonpad_{tag}", *long, [None, None, None, np.array(lengths)], opset=24, is_causal=1)
        attention(f"4d{kind}_nonpad_{tag}", *long, [None, None, None, np.array(lengths)], opset=24)
    decode = [long[0][:, :, :1], *long[1:]]
    attention(f"4d{kind}_causal_nonpad_decode", *decode, [None, None, None, np.array([3, 6])], opset=24, is_causal=1)
attention("4d_causal_nonpad_attn_mask_composition", q, k, v, [f(4, 6), None, None, np.array([5, 6])], opset=24, is_causal=1)
attention("local_window", q, k, v, opset=25, is_causal=1, left=2)
attention("bidirectional_window", q, k, v, opset=25, left=1, right=2)
attention("local_window_default", q, k, v, opset=25, left=-1, right=-1)
attention("local_window_rank1_boolean_mask", q, k, v, [rng.random(6) < 0.6], opset=25, is_causal=1, left=2)
attention("local_window_with_past", q, k, v, [None, *past()], outputs=3, opset=25, is_causal=1, left=2)
for tag, mask in masks(6):
    attention(f"local_window_ext_cache_{tag}", q, k, v, [mask, None, None, np.array([6, 4])], opset=25, is_causal=1, left=2)

# ---- RMSNormalization and Swish ---------------------------------------------------------------------------------------------


def rms(name, x, axis, scale, tolerance=None, **keys):
    """The norm has X's type, the result that of the scale."""
    w = x.astype(np.float64)
    norm = w / np.sqrt((w**2).mean(tuple(range(axis % x.ndim, x.ndim)), keepdims=True) + keys.get("epsilon", 1e-5))
    op(name, "RMSNormalization", [x, scale], [(norm.astype(x.dtype).astype(np.float64) * scale).astype(scale.dtype)], opset=23, axis=axis,
       tolerance=2e-3 if np.float16 in (x.dtype, scale.dtype) else tolerance, **keys)


for shape, epsilon in (((3, 4), {}), ((2, 3, 5), {"epsilon": 1e-1}), ((2, 3, 4, 5), {})):
    for axis in range(-len(shape), len(shape)):
        rms(f"{len(shape)}d_{axis}", f(*shape), axis, f(*shape[axis % len(shape):]), **epsilon)
rms("mixed", f(2, 8).astype(np.float16), -1, f(8))
rms("mixed_back", f(2, 3, 8), 1, f(3, 8).astype(np.float16))
rms("mixed_wide", f(2, 8), -1, rng.random((1, 8)), tolerance=1e-6, stash_type=11)
x = f(2, 3, 4, 5)
for axis in range(-4, 4):
    w, axes = x.astype(np.float64), tuple(range(axis % 4, 4))
    mean, inverse = w.mean(axes, keepdims=True), 1 / np.sqrt(w.var(axes, keepdims=True) + 1e-5)
    scale, bias = f(*x.shape[axis % 4:]), f(*x.shape[axis % 4:])
    op(f"4d_{axis}", "LayerNormalization", [x, scale, bias], [((w - mean) * inverse * scale + bias).astype(F), mean.astype(F), inverse.astype(F)], opset=17, axis=axis,
       tolerance=1e-4)
for alpha in (1.0, 0.5, -2.0):
    x = rng.standard_normal((3, 4, 5)).astype(F)
    op(f"{alpha}", "Swish", [x], [(x / (1 + np.exp(-alpha * x.astype(np.float64)))).astype(F)], opset=24, alpha=alpha)

# ---- RotaryEmbedding and TensorScatter --------------------------------------------------------------------------------------

positions = rng.integers(0, 50, (2, 3))
for dtype in (F, np.float16):
    for interleaved in (0, 1):
        for rotated in (0, 4):
            pairs = (rotated or 8) // 2
            x, cosines, sines = f(2, 4, 3, 8).astype(dtype), f(50, pairs).astype(dtype), f(50, pairs).astype(dtype)
            y = ref.rotate(x, cosines[positions], sines[positions], interleaved).astype(dtype)
            keys = dict(opset=23, interleaved=interleaved, rotary_embedding_dim=rotated)
            name = f"{np.dtype(dtype)}_{interleaved}_{rotated}"
            op(name, "RotaryEmbedding", [x, cosines, sines, positions], [y], **keys)
            op(f"{name}_heads", "RotaryEmbedding", [x, cosines, sines, positions], [y], num_heads=4, **keys)
            op(f"{name}_3d", "RotaryEmbedding", [ref.merge_heads(x), cosines, sines, positions], [ref.merge_heads(y)], num_heads=4, **keys)
            op(f"{name}_no_positions", "RotaryEmbedding", [x, cosines[positions], sines[positions]], [y], **keys)
for kind in ("f32", "f16", "i8", "bool", "u32"):
    cache, update = ((rng.random(shape) * 9).astype(TYPES[kind][1]) for shape in ((2, 3, 4, 5), (2, 3, 2, 5)))
    flat, row = cache.reshape(2, 12, 5), update[:, 0, :1].copy()
    for mode, at in (("linear", np.array([1, 2])), ("circular", np.array([1, 3]))):
        op(f"{kind}_{mode}", "TensorScatter", [cache, update, at], [ref.tensor_scatter(cache, update, at, circular=mode == "circular")], opset=24, mode=mode)
        op(f"{kind}_{mode}_3d", "TensorScatter", [flat, row, at * 4 - 1], [ref.tensor_scatter(flat, row, at * 4 - 1)], opset=24, mode=mode, axis=1)
    op(f"{kind}_first", "TensorScatter", [cache, update], [ref.tensor_scatter(cache, update, None)], opset=24)
    op(f"{kind}_last", "TensorScatter", [cache, update[:, :, :1].repeat(4, 2)[..., :3].copy(), np.array([2, 0])],
       [ref.tensor_scatter(cache, update[:, :, :1].repeat(4, 2)[..., :3], np.array([2, 0]), axis=-1)], opset=24, axis=-1)

# ---- What no such node may ask ----------------------------------------------------------------------------------------------

x, table, place = f(2, 4, 3, 8), f(50, 4), positions
cache, update = f(2, 4, 5), f(2, 2, 5)


def bad(name, operator, inputs, says, **keys):
    refused(name, operator, inputs, says, opset=25, at="compile", **keys)


bad("axis", "RMSNormalization", [x, f(8)], "axis 4 is outside", axis=4)
bad("axis_text", "RMSNormalization", [x, f(8)], "attribute 'axis' must be an integer", axis="last")
bad("stash", "RMSNormalization", [x, f(8)], "stash_type 7 is no float type", stash_type=7)
bad("stash", "LayerNormalization", [x, f(8)], "stash_type 7 is no float type", stash_type=7)
bad("scale", "RMSNormalization", [x, f(7)], "does not broadcast")
bad("integers", "RMSNormalization", [x.astype(np.int64), f(8)], "must be floats")
bad("unknown", "RMSNormalization", [x, f(8)], "attribute 'eps' is not known", eps=1e-5)
bad("unknown", "LayerNormalization", [x, f(8)], "attribute 'eps' is not known", eps=1e-5)
bad("integers", "Swish", [x.astype(np.int64)], "must be floats")
bad("integers", "HardSwish", [x.astype(np.int64)], "must be floats")
bad("alpha", "Swish", [x], "attribute 'alpha' must be a float", alpha=1)
bad("beta", "Swish", [x], "attribute 'beta' is not known", beta=1.0)
bad("flag", "RotaryEmbedding", [x, table, table, place], "attribute 'interleaved' must be 0 or 1", interleaved=2)
bad("odd", "RotaryEmbedding", [x, table, table, place], "must be even", rotary_embedding_dim=3)
bad("heads", "RotaryEmbedding", [f(2, 3, 32), table, table, place], "does not split into 5 heads", num_heads=5)
bad("other_heads", "RotaryEmbedding", [x, table, table, place], "is 4, not 5", num_heads=5)
bad("rank", "RotaryEmbedding", [f(3, 8), table, table, place], "rank 3 or 4")
bad("type", "RotaryEmbedding", [x, table.astype(np.float64), table, place], "floats of one type")
bad("positions", "RotaryEmbedding", [x, table, table, place.astype(F)], "position_ids must be of type int64")
bad("positions_rank", "RotaryEmbedding", [x, table, table, place[0]], "position_ids must have rank 2")
bad("tables", "RotaryEmbedding", [x, table, table[:9], place], "is 9, not 50")
bad("unknown", "RotaryEmbedding", [x, table, table, place], "attribute 'scale' is not known", scale=1.0)
bad("mode", "TensorScatter", [cache, update], "neither linear nor circular", mode="ring")
bad("axis", "TensorScatter", [cache, update], "may not be the batch", axis=-3)
bad("type", "TensorScatter", [cache, update.astype(np.float64)], "differ in rank or type")
bad("indices", "TensorScatter", [cache, update, np.zeros(2, np.int32)], "type int64")
bad("indices_length", "TensorScatter", [cache, update, np.zeros(3, np.int64)], "is 3, not 2")
bad("unknown", "TensorScatter", [cache, update], "attribute 'reduction' is not known", reduction="add")
for name, at in (("behind", [0, 3]), ("before", [-1, 0]), ("far", [2**62, 0]), ("least", [0, -(2**63)])):
    refused(name, "TensorScatter", [cache, update, np.array(at)], "is outside", opset=24)
heads = [f(2, 3, 4, 8)] * 3
bad("flag", "Attention", heads, "attribute 'is_causal' must be 0 or 1", is_causal=2)
bad("type", "Attention", [heads[0], heads[1].astype(np.float64), heads[2]], "Q and K have different types")
bad("heads", "Attention", heads, "is 3, not 4", kv_num_heads=4)
bad("unknown", "Attention", heads, "attribute 'local_window_size' is not known", local_window_size=2)

sys.exit(main())
