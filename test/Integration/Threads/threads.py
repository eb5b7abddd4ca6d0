#!/usr/bin/env python3
"""threads.py FOLDER: the same bits for any number of threads, for a row alone or among others, and from run to run."""

import os
import pathlib
import sys

import numpy

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)


def outputs(model, inputs, *words):
    numpy.savez("inputs.npz", **inputs)
    checks.run("tfc-run", f"./{model}.so", "--inputs", "inputs.npz", "--outputs", "outputs.npz", *words)
    return dict(numpy.load("outputs.npz"))


def same(name, a, b):
    for key in a:
        checks.check(f"{name}: {key}", a[key].shape == b[key].shape and a[key].tobytes() == b[key].tobytes())


def five_rows(inputs):
    """The case's two rows, and three more made of them: other tokens, a shorter mask."""
    rows = {}
    for name, array in inputs.items():
        more = [array[1], array[0], array[1]]
        if array.dtype == numpy.int64 and "ids" in name and "type" not in name:
            more = [(row + 1 + i) % 50 for i, row in enumerate(more)]
        rows[name] = numpy.concatenate([array, numpy.stack(more)])
    return rows


for model, case in (("bert_tiny", "2x7"), ("gpt2_tiny_past", "leftpad_2x4x5"), ("t5_tiny_dec", "2x5x7")):
    checks.run("tfc-compile", MODELS / model / "model.op17.onnx", "-o", f"{model}.so")
    inputs = five_rows(dict(numpy.load(MODELS / model / f"{case}.inputs.npz")))
    one = outputs(model, inputs, "--threads=1")
    for threads in (2, 3, 16):
        same(f"{model} with {threads} threads", one, outputs(model, inputs, f"--threads={threads}"))
    same(f"{model} run again", one, outputs(model, inputs, "--threads=2", "--repeat=20"))
    for row in (0, 3):
        alone = outputs(model, {name: array[row : row + 1] for name, array in inputs.items()}, "--threads=2")
        same(f"{model} row {row} alone", {name: array[row : row + 1] for name, array in one.items()}, alone)
    expected = dict(numpy.load(MODELS / model / f"{case}.outputs.npz"))
    for name, array in expected.items():
        checks.check(f"{model} {name} is right", numpy.allclose(one[name][:2], array, 1e-4, 1e-5, equal_nan=True))
    changed = {name: array.copy() for name, array in inputs.items()}
    ids = next(name for name in changed if name.endswith("ids"))
    changed[ids][0, -1] += 1
    checks.check(f"{model}: other tokens give other bits", any(one[name].tobytes() != array.tobytes() for name, array in outputs(model, changed).items()))
sys.exit(checks.finish())
