#!/usr/bin/env python3
"""shared.py: what scripts share to compare numbers finds what it must, and nothing else."""

import contextlib
import io
import pathlib
import sys

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[2])]
from bfloat16 import from_bf16, to_bf16
from checks import Checks
from model_runs import emulated_gpu, succeeds, worst_error

checks = Checks()


def errors():
    """The error of the worst output relative to its own magnitude; what cannot be compared is infinitely far away."""
    def error(found, expected):
        with contextlib.redirect_stdout(io.StringIO()):
            return worst_error({"y": np.asarray(found)}, {"y": np.asarray(expected)})

    checks.check("none", error([1.0, -2.0], [1.0, -2.0]) == 0)
    checks.check("relative to the largest", error([1.0, -2.0], [1.5, -2.0]) == 0.25)
    checks.check("none of what is empty", error(np.zeros((0, 3)), np.zeros((0, 3))) == 0)
    checks.check("none of equal NaNs and infinities", error([np.nan, np.inf, 3.0], [np.nan, np.inf, 3.0]) == 0)
    checks.check("nor of a single NaN", error(np.nan, np.nan) == 0)
    checks.check("the worst of several", worst_error({"a": np.ones(2), "b": np.ones(2)}, {"a": np.ones(2), "b": np.array([1.0, 2.0])}) == 0.5)
    for what, found, expected in (("a NaN", [np.nan, 1.0], [1.0, 1.0]), ("no NaN", [1.0, 1.0], [np.nan, 1.0]), ("a sign", [np.inf], [-np.inf]),
                                  ("NaN for infinity", [np.nan], [np.inf]), ("a type", np.float32([1]), np.float64([1])), ("a shape", [[1.0]], [1.0])):
        checks.check(f"infinite for {what}", error(found, expected) == np.inf)
    with contextlib.redirect_stdout(io.StringIO()):
        checks.check("infinite for a missing one", worst_error({}, {"y": np.ones(1)}) == np.inf)


def words():
    """All words of bf16, the numbers between two of them, and numbers at random."""
    rng = np.random.default_rng()
    every = np.arange(1 << 16, dtype=np.uint16)
    numbers = from_bf16(every)
    plain = ~np.isnan(numbers)
    checks.check("a number of bf16 stays", np.array_equal(to_bf16(numbers[plain]), every[plain]))
    checks.check("NaN is NaN", np.isnan(from_bf16(to_bf16(numbers[~plain]))).all())
    grid = np.sort(numbers[np.isfinite(numbers)]).astype(np.float64)
    grid = grid[np.append(True, grid[1:] != grid[:-1])]
    at = rng.integers(0, len(grid) - 1, 100000)
    part = rng.choice([0.25, 0.5, 0.75], len(at))
    between = (grid[at] + (grid[at + 1] - grid[at]) * part).astype(np.float32)
    even = to_bf16(grid[at].astype(np.float32)) % 2 == 0
    nearest = np.where((part < 0.5) | ((part == 0.5) & even), grid[at], grid[at + 1])
    checks.check("the nearest, and of two the even one", np.array_equal(from_bf16(to_bf16(between)), nearest.astype(np.float32)))


def commands():
    with contextlib.redirect_stdout(io.StringIO()) as said:
        checks.check("a good command", succeeds("true") and not said.getvalue())
        checks.check("a bad one is shown", not succeeds("sh", "-c", "echo $WORD >&2; exit 3", environment={"WORD": "why"}))
    checks.check("with all it said", all(text in said.getvalue() for text in ("why", "exit code 3")), said.getvalue())
    checks.check("an emulated GPU", emulated_gpu("cpu,cuda-emu:sm_90", "stub.so") == {"TFC_CUDA_DRIVER": "stub.so", "TFC_STUB_CUDA": "capability=90"})
    checks.check("none is named", emulated_gpu("cpu,cuda:sm_90", "stub.so") == {})


errors()
words()
commands()
sys.exit(checks.finish())
