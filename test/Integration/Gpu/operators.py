#!/usr/bin/env python3
"""operators.py FOLDER [--filter TEXT] [--assemble]: every operator with every one of its types gives on the emulated GPU what it gives on the CPU.

TFC_CUDA_DRIVER names the driver. What the CPU gives, tests of the operators compare with numpy. With --assemble the models are compiled for a
real GPU instead, and not run: ptxas, where it is there, takes every kernel.
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "Frontend" / "ONNX")]
from checks import Checks, scratch_folder  # noqa: E402
from operator_models import build_operator, has_types, list_operators  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder")
parser.add_argument("--filter", default="")
parser.add_argument("--assemble", action="store_true")
options = parser.parse_args()
checks, folder = Checks(), scratch_folder()
path, artifact, expected = folder / "model.onnx", folder / "model.so", folder / "outputs.npz"
target = "cuda:sm_80" if options.assemble else "cpu,cuda-emu:sm_80"
for row in list_operators():
    if not has_types(row) or options.filter not in row["operator"]:
        continue
    path.write_bytes(build_operator(row))
    checks.check(f"{row['operator']} has the device cuda", "cuda" in row["devices"])
    if checks.run("tfc-compile", path, "--target", target, "--header=none", "-o", artifact).returncode or options.assemble:
        continue
    checks.run("tfc-run", artifact, "--random", "--device", "cpu", "--outputs", expected)
    checks.run("tfc-run", artifact, "--random", "--device", "cuda", "--expect", expected, "--rtol", "1e-5", "--atol", "1e-6")
sys.exit(checks.finish())
