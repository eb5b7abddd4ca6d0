#!/usr/bin/env python3
"""operators.py FOLDER [--filter TEXT] [--assemble]: every operator with every one of its types gives on the emulated GPU what it gives on the CPU.

TFC_CUDA_DRIVER names the driver. What the CPU gives, tests of the operators compare with numpy. With --assemble the models are compiled for a
real GPU instead, and not run: ptxas, where it is there, takes every kernel.
"""

import argparse
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "Frontend" / "ONNX")]
from checks import Checks, scratch_folder  # noqa: E402
from operator_models import build_operator, has_types, list_operators  # noqa: E402

# Of the greatest number of an output: a unit in the last place or two of 16 bits, and of the others what sums in another order are off by.
BOUNDS = {"f64": 1e-13, "f32": 2e-6, "f16": 2e-3, "bf16": 2.0**-7}


def numbers(kind, array):
    return (array.astype(np.uint32) << 16).view(np.float32) if kind == "bf16" and array.dtype == np.uint16 else array


def difference(kind, actual, expected):
    """Empty where the arrays agree."""
    a, e = numbers(kind, actual), numbers(kind, expected)
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return f"{actual.dtype}{list(actual.shape)} instead of {expected.dtype}{list(expected.shape)}"
    if not np.issubdtype(e.dtype, np.floating):
        return "" if (a == e).all() else f"{int((a != e).sum())} of {a.size} differ"
    a, e = a.astype(np.float64), e.astype(np.float64)
    finite = np.isfinite(e)
    if (finite != np.isfinite(a)).any() or not np.array_equal(a[~finite], e[~finite], equal_nan=True):
        return "NaN or infinity differ"
    worst = np.abs(a - e, where=finite, out=np.zeros(e.shape)).max(initial=0)
    allowed = BOUNDS.get(kind, BOUNDS["f32"]) * np.abs(e[finite]).max(initial=0)
    return "" if worst <= allowed else f"off by {worst:.1e}, allowed {allowed:.1e}"


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder")
parser.add_argument("--filter", default="")
parser.add_argument("--assemble", action="store_true")
options = parser.parse_args()
checks, folder = Checks(), scratch_folder()
path, artifact = folder / "model.onnx", folder / "model.so"
target = "cuda:sm_80" if options.assemble else "cpu,cuda-emu:sm_80"
for row in list_operators():
    if not has_types(row) or options.filter not in row["operator"]:
        continue
    path.write_bytes(build_operator(row))
    checks.check(f"{row['operator']} has the device cuda", "cuda" in row["devices"])
    if checks.run("tfc-compile", path, "--target", target, "--header=none", "-o", artifact).returncode or options.assemble:
        continue
    made = {}
    for device in ("cpu", "cuda"):
        if checks.run("tfc-run", artifact, "--random", "--device", device, "--outputs", folder / "outputs.npz").returncode == 0:
            with np.load(folder / "outputs.npz") as arrays:
                made[device] = dict(arrays)
    for name, expected in made.get("cpu", {}).items():
        if "cuda" in made:
            problem = difference(name.split(".")[0], made["cuda"][name], expected)
            checks.check(f"{row['domain']}:{row['operator']} {name}", not problem, problem)
sys.exit(checks.finish())
