#!/usr/bin/env python3
"""dump_weights_onnx.py FOLDER MODEL...: what tfc-run --dump-weights writes are the initializers of the ONNX file; those that it does not hold are named."""

import pathlib
import sys

import numpy
import onnx
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "GpuCheck")]
from files import read_safetensors
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
for number, name in enumerate(sys.argv[2:]):
    graph = onnx.load(MODELS / name).graph
    inside = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    artifact, file = folder / f"{number}.so", folder / f"{number}.safetensors"
    checks.run("tfc-compile", MODELS / name, "--header=none", "-o", artifact)
    said = checks.run("tfc-run", artifact, "--dump-weights", file).stdout
    found = read_safetensors(file)
    checks.check(f"{name}: the large weights are there", {key for key, array in inside.items() if array.size >= 64 and array.dtype == numpy.float32} <= set(found))
    for key, array in found.items():
        same = key in inside and array.shape == inside[key].shape and array.dtype == inside[key].dtype and array.tobytes() == inside[key].tobytes()
        checks.check(f"{name}: {key}", same)
sys.exit(checks.finish())
