#!/usr/bin/env python3
"""sizes.py FOLDER: built-in graphs of their real sizes compile, hold no big file with --weights=seed, and run."""

import os
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from checks import Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
for name, dims, shape in (("bert-base", "batch=1,seq=16", "[1, 16, 768]"), ("gpt2", "batch=1,seq=16,past=3", "[1, 16, 50257]")):
    checks.run("tfc-compile", "--builtin", name, "--weights=seed", "-o", f"{name}.so")
    checks.check(f"{name} has no big file", os.path.getsize(f"{name}.so") < 2 * 10**6)
    checks.run("tfc-run", f"./{name}.so", "--random", "--dim", dims, says=shape)
sys.exit(checks.finish())
