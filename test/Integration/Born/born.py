#!/usr/bin/env python3
"""born.py FOLDER: dims that data decides come out right, whatever their number, from .mlir and from ONNX."""

import os
import pathlib
import sys

import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from checks import Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)


def run(model, inputs, outputs, name):
    numpy.savez("inputs.npz", **inputs)
    numpy.savez("expected.npz", **outputs)
    checks.run("tfc-run", f"./{model}.so", "--inputs", "inputs.npz", "--expect", "expected.npz", "--repeat", "2", "--threads", "2")
    checks.check(name, True)


def rows(x):
    table = numpy.arange(len(x) * 4, dtype=numpy.float32).reshape(len(x), 4) / 10 - 1
    chosen = table[x > 0]
    run("rows", {"x": x, "table": table}, {"rows": numpy.exp(chosen), "products": numpy.exp(chosen) @ chosen.T}, f"{(x > 0).sum()} of {len(x)} rows")


def twice(x):
    positive = x[x > 0]
    run("twice", {"x": x}, {"y": -positive[positive >= 1]}, "twice")


generator = numpy.random.default_rng(1)
for words in ([], ["--reference"]):
    for model in ("rows", "twice"):
        checks.run("tfc-compile", HERE / f"{model}.mlir", "-o", f"{model}.so", *words)
    for n in (0, 1, 5, 300):
        rows(generator.standard_normal(n).astype(numpy.float32))
        twice(2 * generator.standard_normal(n).astype(numpy.float32))
    rows(-numpy.ones(6, numpy.float32))
    rows(numpy.ones(6, numpy.float32))
    twice(numpy.full(6, 0.5, numpy.float32))

# From ONNX, and through every stage that is written out in between.
checks.run(sys.executable, HERE.parents[1] / "Frontend" / "ONNX" / "make_model.py", "nonzero_of_data", "nonzero.onnx")
source = "nonzero.onnx"
for stage in ("import", "fused", "kernels", "plan", "host", "llvm"):
    checks.run("tfc-compile", source, f"--emit={stage}", "-o", f"{stage}.mlir")
    source = f"{stage}.mlir"
checks.run("tfc-compile", source, "-o", "nonzero.so")
x = generator.integers(-1, 2, (3, 6)).astype(numpy.float32)
run("nonzero", {"x0": x}, {"y": numpy.array(numpy.nonzero(x))}, "nonzero")
sys.exit(checks.finish())
