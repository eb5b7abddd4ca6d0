#!/usr/bin/env python3
"""round_trip.py FOLDER [--ort] [MODEL...]: writes models back as ONNX, fused and as imported, and compares.

What is written is compiled again and run on the cases beside the model (CASE.inputs.npz, CASE.outputs.npz); with --ort ONNX
Runtime runs it too. Where Python has the onnx package its checker looks at what is of opset 17.
"""

import base64
import json
import pathlib
import subprocess
import sys

import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from checks import MODELS, Checks, scratch_folder  # noqa: E402

try:
    import onnx
except ImportError:
    onnx = None

checks = Checks()
folder = scratch_folder()
words = sys.argv[2:]
with_ort = "--ort" in words
models = [pathlib.Path(word) for word in words if word != "--ort"] or sorted(MODELS.glob("*/model*.onnx"))
ORT_TYPES = {"float32", "int64", "int32", "bool", "uint8", "int8", "float64"}


def cases_of(model):
    """Pairs of inputs and expected outputs."""
    return [(dict(numpy.load(path)), dict(numpy.load(str(path).replace(".inputs.", ".outputs."))))
            for path in sorted(model.parent.glob("*.inputs.npz"))]


def differs(got, expected):
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return f"{got.dtype}{got.shape} instead of {expected.dtype}{expected.shape}"
    close = numpy.isclose(got.astype(float), expected.astype(float), rtol=1e-4, atol=1e-5, equal_nan=True)
    return "" if close.all() else f"largest difference {numpy.nanmax(abs(got.astype(float) - expected.astype(float)))}"


def compare(name, got, expected):
    for output, array in expected.items():
        problem = differs(got[output], array) if output in got else "it is missing"
        checks.check(f"{name}: {output}", not problem, problem)


ort_runs = {}
(folder / "ort").mkdir()
for model in models:
    model_stem = f"{model.parent.name}-{model.stem}"
    cases = cases_of(model)
    for kind in ("onnx", "onnx-import"):
        stem = f"{model_stem}.{kind}"
        written = folder / f"{stem}.onnx"
        checks.run("tfc-compile", model, f"--emit={kind}", "-o", written)
        if not written.exists():
            continue
        if onnx and onnx.load(written).opset_import[0].version <= onnx.defs.onnx_opset_version():
            try:
                onnx.checker.check_model(str(written))
            except Exception as error:  # noqa: BLE001
                checks.check(f"checker {stem}", False, error)
        checks.run("tfc-compile", written, "-o", folder / f"{stem}.so", "--header=none")
        for number, (inputs, expected) in enumerate(cases):
            numpy.savez(folder / "in.npz", **inputs)
            checks.run("tfc-run", folder / f"{stem}.so", "--inputs", folder / "in.npz", "--outputs", folder / "out.npz")
            compare(stem, dict(numpy.load(folder / "out.npz")), expected)
            if with_ort and all(str(array.dtype) in ORT_TYPES for array in inputs.values()):
                target = folder / "ort" / f"{stem}.{number}"
                target.with_name(target.name + ".onnx").symlink_to(written.resolve())
                target.with_name(target.name + ".json").write_text(json.dumps(
                    {name: {"type": str(array.dtype), "dims": array.shape, "data": base64.b64encode(array.tobytes()).decode()}
                     for name, array in inputs.items()}))
                ort_runs[target.name] = expected
if with_ort:
    subprocess.run(["node", HERE.parent / "Differential" / "run_ort.js", folder / "ort"], check=True)
    for name, expected in ort_runs.items():
        result = json.loads((folder / "ort" / f"{name}.out.json").read_text())
        if checks.check(f"ONNX Runtime {name}", "error" not in result, result.get("error")):
            compare(f"ONNX Runtime {name}", {
                output: numpy.frombuffer(base64.b64decode(value["data"]), value["type"]).reshape(value["dims"])
                for output, value in result.items()}, expected)
sys.exit(checks.finish())
