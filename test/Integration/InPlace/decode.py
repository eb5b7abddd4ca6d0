#!/usr/bin/env python3
"""decode.py FOLDER: decodes 32 tokens with past and present in one buffer, and with separate ones, as different models have their
pasts, and compares the bits of all outputs. The bytes that the appending kernels move are counted.
"""

import json
import os
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "Frontend/ONNX")]
import onnx_writer as onnx
from checks import MODELS, Checks, scratch_folder

checks = Checks()
STEPS, FLOAT = 32, 1


def operator(path, op, domain, **attributes):
    """One attention operator with a past, projections and all that a cache needs, over inputs [batch, new, 32] of 4 heads."""
    rng = np.random.default_rng(3)
    weights = [onnx.floats(f"w{i}", (32, 32), (rng.standard_normal((32, 32)) / 6).ravel()) for i in range(3)]
    nodes = [onnx.node("MatMul", ["x", f"w{i}"], [f"p{i}"], name=f"proj{i}") for i in range(3)]
    if domain:
        operands = ["p0", "p1", "p2", "", "", "", "past_key", "past_value"]
    else:
        weights.append(onnx.ints("shape", (4,), [0, 0, 4, 8]))
        for i in range(3):
            nodes.append(onnx.node("Reshape", [f"p{i}", "shape"], [f"r{i}"], name=f"split{i}"))
            nodes.append(onnx.node("Transpose", [f"r{i}"], [f"h{i}"], name=f"heads{i}", perm=[0, 2, 1, 3]))
        operands = ["h0", "h1", "h2", "", "past_key", "past_value"]
    nodes.append(onnx.node(op, operands, ["y", "present_key", "present_value"], name="attention", domain=domain, **attributes))
    past = ["batch", 4, "past", 8]
    inputs = [onnx.value_info("x", ["batch", "new", 32]), onnx.value_info("past_key", past), onnx.value_info("past_value", past)]
    made = ["batch", "new", 32] if domain else ["batch", 4, "new", 8]
    present = ["batch", 4, "total", 8]
    outputs = [onnx.value_info("y", made), onnx.value_info("present_key", present), onnx.value_info("present_value", present)]
    opsets = (("", 23), ("com.microsoft", 1))
    path.write_bytes(onnx.model(onnx.graph(nodes, inputs, outputs, weights), opsets=opsets, ir_version=10))
    return path


def bytes_appended(folder, artifact, dims, *words):
    """What the kernels that append move in one run, as the profile counts it."""
    result = checks.run("tfc-run", artifact, "--random", "--dim", dims, "--profile", "--json", *words, env={**os.environ, "XDG_CACHE_HOME": str(folder)})
    table = next(json.loads(line) for line in result.stdout.splitlines() if line.startswith('{"kernels"'))
    rows = [row for row in table["kernels"] if row["kernel"].startswith("concat")]
    return sum(row["bytes"] for row in rows)


def decode(folder, name, dims, row_bytes, *source):
    """`dims` takes past=N. `row_bytes` are those of one new row of all pasts together, for one batch."""
    artifact = folder / f"{name}.so"
    checks.run("tfc-compile", *source, "-o", artifact)
    for past in (0, 5):
        sizes = dims.format(past=past, total=past + 1)
        outputs = []
        for kind, words in (("copied", []), ("tight", ["--in-place"]), ("roomy", ["--in-place", "--room", 45]),
                            ("one_thread", ["--in-place", "--room", 64, "--threads", 1])):
            path = folder / f"{name}.{past}.{kind}.npz"
            checks.run("tfc-run", artifact, "--random", "--dim", sizes, "--steps", STEPS, "--outputs", path, *words)
            outputs.append(dict(np.load(path)))
        rows = [array.shape[2] for key, array in outputs[0].items() if "present" in key]
        checks.check(f"{name}: rows after {past} and {STEPS}", rows and set(rows) == {past + STEPS}, rows)
        for kind, other in zip(("tight", "roomy", "one_thread"), outputs[1:]):
            same = all(np.array_equal(array, other[key]) and np.isfinite(array).all() for key, array in outputs[0].items())
            checks.check(f"{name}: same bits, past {past}, {kind}", same)
    sizes = dims.format(past=20, total=21)
    checks.run("tfc-run", artifact, "--random", "--dim", sizes, "--in-place", "--room", 20, code=3, says="dim 2 is 21, but its buffer has room for 20 there")
    batch = 2
    copied, in_place = bytes_appended(folder, artifact, sizes), bytes_appended(folder, artifact, sizes, "--in-place")
    checks.check(f"{name}: bytes that are copied", copied == 2 * batch * row_bytes * 21, copied)
    checks.check(f"{name}: bytes in place", in_place == 2 * batch * row_bytes, in_place)


def main():
    folder = scratch_folder()
    gpt = "hidden=64,layers=2,heads=4,intermediate=128,vocab=50,positions=128"
    decode(folder, "builtin", "batch=2,seq=1,past={past}", 2 * 2 * 64 * 4, "--builtin", "gpt", "--config", gpt)
    decode(folder, "onnx", "batch=2,seq=1,past_seq={past},total_seq={total}", 2 * 2 * 64 * 4, MODELS / "gpt2_tiny_past/model.op17.onnx")
    own = operator(folder / "attention.onnx", "Attention", "", is_causal=1)
    decode(folder, "operator", "batch=2,new=1,past={past}", 2 * 32 * 4, own)
    contrib = operator(folder / "multi.onnx", "MultiHeadAttention", "com.microsoft", num_heads=4, unidirectional=1)
    decode(folder, "multi_head", "batch=2,new=1,past={past}", 2 * 32 * 4, contrib)
    sys.exit(checks.finish())


main()
