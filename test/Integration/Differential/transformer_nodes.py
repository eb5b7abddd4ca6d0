#!/usr/bin/env python3
"""transformer_nodes.py FOLDER [--target=TARGET]: nodes of com.microsoft as decoders with a cache use them, run by tfc and by ONNX Runtime, compared.

The cache of GroupQueryAttention is a buffer: past and present have the same capacity, seqlens_k and total_sequence_length say how
much of it counts. Needs node and the package onnxruntime-node (NODE_PATH).
"""

import base64
import json
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "Frontend" / "ONNX")]
from checks import Checks, scratch_folder  # noqa: E402
from onnx_writer import *  # noqa: E402,F403

MS = "com.microsoft"
TYPES = {"float32": FLOAT, "int64": INT64, "int32": INT32}
rng = np.random.default_rng(5)
folder = scratch_folder()
CASES = {}


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def case(name, operator, inputs, ranks, used=None, **attributes):
    """One node. `ranks` of the outputs; of the caches only the rows that count are compared: `used` of each batch."""
    names = ["" if array is None else f"x{i}" for i, array in enumerate(inputs)]
    arrays = {key: array for key, array in zip(names, inputs) if key}
    outputs = [f"y{i}" for i in range(len(ranks))]
    infos = [value_info(key, [f"{key}_{i}" for i in range(array.ndim)], TYPES[str(array.dtype)]) for key, array in arrays.items()]
    results = [value_info(key, [f"{key}_{i}" for i in range(rank)]) for key, rank in zip(outputs, ranks)]
    body = graph([node(operator, names, outputs, name, MS, **attributes)], infos, results)
    (folder / f"{name}.onnx").write_bytes(model(body, (("", 17), (MS, 1))))
    (folder / f"{name}.json").write_text(json.dumps({key: {"type": str(a.dtype), "dims": list(a.shape), "data": base64.b64encode(a.tobytes()).decode()}
                                                     for key, a in arrays.items()}))
    np.savez(folder / f"{name}.npz", **arrays)
    CASES[name] = used


def group_query(name, queries, lengths, capacity, heads=4, kv_heads=2, size=16, packed=False, rotary=None, partial=False, bias=False, positions=False, **keys):
    """`lengths`: how many keys each batch has after this run."""
    batch, total = len(lengths), max(lengths)
    q, k, v = f(batch, queries, heads * size), f(batch, queries, kv_heads * size), f(batch, queries, kv_heads * size)
    operands = [np.concatenate([q, k, v], 2), None, None] if packed else [q, k, v]
    caches = [f(batch, kv_heads, capacity, size) for _ in "kv"] if capacity is not None else [None, None]
    inputs = [*operands, *caches, np.array(lengths, np.int32) - 1, np.array(total, np.int32)]
    if rotary is not None:
        angles = rng.random((32, size // 4 if partial else size // 2)) * 6
        inputs += [np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)]
        keys.update(do_rotary=1, rotary_interleaved=rotary)
    if positions or bias:
        inputs += [None] * (9 - len(inputs))
        first = [0 if total == queries else length - queries for length in lengths]
        inputs.append(np.array([[p + i for i in range(queries)] for p in first]) if positions else None)
    if bias:
        inputs.append(f(batch, heads, queries, total))
    case(name, "GroupQueryAttention", inputs, [3, 4, 4], lengths, num_heads=heads, kv_num_heads=kv_heads, **keys)


# The prompt: into an empty buffer of GenAI, into none, padded on the right.
group_query("prompt", 5, [5, 5], None)
group_query("prompt_buffer", 5, [5, 5], 16)
group_query("prompt_buffer_padded", 5, [5, 3], 16)
group_query("prompt_buffer_empty", 5, [5, 5], 0)
group_query("prompt_rotary", 5, [5, 4], 16, rotary=0)
group_query("prompt_packed", 5, [5, 5], 16, packed=True, rotary=1)
group_query("prompt_window", 6, [6, 6], 16, local_window_size=3)
group_query("prompt_capped", 6, [6, 6], 16, softcap=1.5, scale=2.0)
# One token after the other: the buffer is longer than what is used, batches differ in length.
for window in (-1, 1, 3, 100):
    group_query(f"step_window_{max(window, 0)}", 1, [9, 6], 16, local_window_size=window)
group_query("step_exact", 1, [9, 9], 8)
group_query("step_rotary", 1, [9, 6], 16, rotary=0)
group_query("step_rotary_interleaved", 1, [9, 6], 16, rotary=1)
group_query("step_rotary_partial", 1, [9, 6], 16, rotary=0, size=32, partial=True)
group_query("step_packed", 1, [9, 6], 16, packed=True, rotary=0)
group_query("step_capped", 1, [9, 6], 16, softcap=1.5, scale=2.0)
group_query("step_all", 1, [9, 6], 16, packed=True, rotary=1, softcap=3.0, local_window_size=4)
group_query("step_positions", 1, [9, 6], 16, rotary=0, positions=True)
group_query("step_bias", 1, [9, 9], 16, bias=True)
group_query("step_many_heads", 1, [9, 6], 16, heads=8, kv_heads=1)
group_query("step_one_group", 1, [9, 6], 16, heads=3, kv_heads=3)
group_query("step_full", 1, [16, 16], 16, rotary=0)
# Several tokens behind a past: what speculative decoding and chunked prompts ask.
group_query("steps", 3, [8], 16, rotary=0)
group_query("steps_window", 3, [8], 16, local_window_size=2)
group_query("steps_exact", 3, [8], 5)

# ---- MultiHeadAttention and what stands beside it -----------------------------------------------------------------------------

heads, size, batch = 3, 8, 2
q, k, v = f(batch, 4, 24), f(batch, 4, 24), f(batch, 4, 24)
pk, pv = f(batch, heads, 5, size), f(batch, heads, 5, size)
case("mha", "MultiHeadAttention", [q, k, v], [3], num_heads=heads)
case("mha_causal", "MultiHeadAttention", [q, k, v], [3], num_heads=heads, unidirectional=1)
case("mha_past", "MultiHeadAttention", [q, k, v, None, None, None, pk, pv], [3, 4, 4], num_heads=heads)
case("mha_past_causal", "MultiHeadAttention", [q, k, v, f(72), None, None, pk, pv], [3, 4, 4], num_heads=heads, unidirectional=1)
case("mha_past_bias", "MultiHeadAttention", [q, k, v, None, None, f(1, heads, 4, 9), pk, pv], [3, 4, 4], num_heads=heads)
mask = (rng.random((batch, 9)) < 0.7).astype(np.int32)
mask[:, 0] = 1
case("mha_past_mask", "MultiHeadAttention", [q, k, v, None, mask, None, pk, pv], [3, 4, 4], num_heads=heads)
case("mha_step", "MultiHeadAttention", [q[:, :1], k[:, :1], v[:, :1], None, None, None, pk, pv], [3, 4, 4], num_heads=heads, scale=0.2)
case("mha_cross", "MultiHeadAttention", [q, f(batch, heads, 6, size), f(batch, heads, 6, size)], [3], num_heads=heads)
case("mha_lengths", "MultiHeadAttention", [q, k, v, None, np.array([4, 2], np.int32)], [3], num_heads=heads)
x, w, b = f(batch, 4, 24), f(24, 72), f(72)
case("attention_past", "Attention", [x, w, b, None, f(2, batch, heads, 5, size)], [3, 5], num_heads=heads, unidirectional=1)
case("attention_mask", "Attention", [x, w, b, mask[:, :4]], [3], num_heads=heads)
case("attention_mask_past", "Attention", [x, w, b, mask, f(2, batch, heads, 5, size)], [3, 5], num_heads=heads)

checks = Checks()
subprocess.run(["node", HERE / "run_ort.js", folder], check=True)
for name, used in CASES.items():
    path = folder / f"{name}.onnx"
    reference = json.loads(path.with_suffix(".out.json").read_text())
    if not checks.check(name, "error" not in reference, reference.get("error", "")):
        continue
    artifact = path.with_suffix(".so")
    if checks.run("tfc-compile", path, "--header=none", "-o", artifact, *sys.argv[2:]).returncode:
        continue
    if checks.run("tfc-run", artifact, "--inputs", path.with_suffix(".npz"), "--outputs", folder / "outputs.npz").returncode:
        continue
    with np.load(folder / "outputs.npz") as made:
        for key, wanted in reference.items():
            expected, actual = np.frombuffer(base64.b64decode(wanted["data"]), np.float32).reshape(wanted["dims"]), made[key]
            if not checks.check(f"{name} {key}", actual.shape == expected.shape, f"{actual.shape} instead of {expected.shape}"):
                continue
            # Rows of a cache that do not count, and of a prompt's padding, may be anything.
            if used and actual.ndim == 4:
                actual, expected = (np.concatenate([c[i, :, :length].ravel() for i, length in enumerate(used)]) for c in (actual, expected))
            elif used and actual.shape[1] == max(used):
                actual, expected = (np.concatenate([c[i, :length].ravel() for i, length in enumerate(used)]) for c in (actual, expected))
            checks.check(f"{name} {key}", np.allclose(actual, expected, rtol=1e-3, atol=1e-4), np.abs(actual - expected).max(initial=0))
sys.exit(checks.finish())
