#!/usr/bin/env python3
"""layers.py FOLDER: identical layers share their kernels, so that their number grows with the launches only."""

import json
import os
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from checks import Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
for family in ("bert", "gpt"):
    kernels, launches = [], []
    for layers in (2, 4, 12):
        checks.run("tfc-compile", "--builtin", family, "--config", f"hidden=64,heads=4,vocab=101,positions=32,layers={layers}",
                   "--emit=plan", "-o", "plan.mlir", "--report=report.json")
        report = json.loads(pathlib.Path("report.json").read_text())
        kernels.append(len(report["kernels"]))
        launches.append(sum(kernel["launches"] for kernel in report["kernels"]))
    print(family, kernels, launches)
    checks.check(f"{family}: as many kernels for 2, 4 and 12 layers", kernels[0] == kernels[1] == kernels[2], kernels)
    per_layer = (launches[1] - launches[0]) / 2
    checks.check(f"{family}: each layer is launched", per_layer >= 4 and launches[2] - launches[1] == 8 * per_layer, launches)
    # Many layers keep many buffers alive, and the arena is still one expression of the symbols.
    checks.run("tfc-compile", "--builtin", family, "--config", "hidden=16,heads=2,vocab=11,positions=8,layers=40", "-o", "deep.so", "--weights=seed")
    checks.run("tfc-run", "./deep.so", "--random", "--dim", "batch=2,seq=3" + (",past=2" if family == "gpt" else ""))
sys.exit(checks.finish())
