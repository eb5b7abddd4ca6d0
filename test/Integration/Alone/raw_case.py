#!/usr/bin/env python3
"""raw_case.py CASE FOLDER: writes the arrays of CASE.inputs.npz and CASE.outputs.npz as FOLDER/NAME.bin, for programs in C."""

import pathlib
import sys

import numpy

case, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
for part in ("inputs", "outputs"):
    for name, array in numpy.load(f"{case}.{part}.npz").items():
        (folder / f"{name}.bin").write_bytes(numpy.ascontiguousarray(array).tobytes())
