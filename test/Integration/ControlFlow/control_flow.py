#!/usr/bin/env python3
"""control_flow.py FOLDER: scf.if and scf.while around tfc ops, through the whole compiler and through every stage."""

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
generator = numpy.random.default_rng(2)


def run(model, inputs, outputs):
    numpy.savez("inputs.npz", **inputs)
    numpy.savez("expected.npz", **outputs)
    result = checks.run("tfc-run", f"./{model}.so", "--inputs", "inputs.npz", "--expect", "expected.npz", "--repeat", "2", "--threads", "2")
    if result.returncode:
        print(model, {name: array if array.size < 2 else array.shape for name, array in inputs.items()})


def choices(model, n, choose, turns):
    x = generator.standard_normal((n, 4)).astype(numpy.float32)
    before = numpy.exp(x)
    v = numpy.tanh(-before) if choose else before
    for _ in range(turns):
        v = v * numpy.float32(0.5) + (x if choose else -x)
    done = numpy.array(max(turns, 0), numpy.int64)
    run(model, {"x": x, "choose": numpy.array(choose), "turns": numpy.array(turns, numpy.int64)}, {"y": v + before, "done": done})


def loops(model, n, outer, inner):
    x, y = generator.standard_normal((2, n)).astype(numpy.float32)
    a, b, turns = x, y, 0
    for _ in range(outer):
        c = a
        for _ in range(inner):
            c, turns = c + y, turns + 1
        a, b = b, c
    # The second loop's condition hands its variables on in the other order: after `outer` turns and a last look.
    if outer % 2 == 0:
        a, b = b, a
    run(model, {"x": x, "y": y, "outer": numpy.array(outer, numpy.int64), "inner": numpy.array(inner, numpy.int64)},
        {"a": a, "b": b, "turns": numpy.array(turns, numpy.int64)})


def all_cases(suffix):
    for choose in (True, False):
        for turns in (-1, 0, 1, 2, 7):
            choices("choices" + suffix, 3, choose, turns)
    choices("choices" + suffix, 0, True, 2)
    choices("choices" + suffix, 100, False, 3)
    for outer, inner in ((0, 0), (0, 3), (1, 0), (1, 1), (2, 3), (3, 2), (5, 4)):
        loops("loops" + suffix, 17, outer, inner)


for model in ("choices", "loops"):
    checks.run("tfc-compile", HERE / f"{model}.mlir", "-o", f"{model}.so")
    checks.run("tfc-compile", HERE / f"{model}.mlir", "--reference", "-o", f"{model}-reference.so")
    source = HERE / f"{model}.mlir"
    for stage in ("fused", "kernels", "plan", "host", "llvm"):
        checks.run("tfc-compile", source, f"--emit={stage}", "-o", f"{model}-{stage}.mlir")
        source = f"{model}-{stage}.mlir"
    checks.run("tfc-compile", source, "-o", f"{model}-stages.so")
for suffix in ("", "-reference", "-stages"):
    all_cases(suffix)
sys.exit(checks.finish())
