#!/usr/bin/env python3
"""both.py FOLDER [models]: in an artifact for a CPU and a GPU the CPU has the kernels that it has alone, and the GPU those that it has alone."""

import json
import os
import pathlib
import sys

import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
GPU = "cuda-emu:sm_80"


def compile_for(model, target, *words):
    name = target.replace(",", "-").replace(":", "-")
    checks.run("tfc-compile", model, "--target", target, "--header=none", "-o", f"{name}.so", "--report", f"{name}.json", *words)
    return f"./{name}.so", json.loads(pathlib.Path(f"{name}.json").read_text())


def kernels_of(artifact):
    entry = json.loads(checks.run("tfc-run", artifact, "--describe", "--json").stdout)["entries"][0]
    return sorted((kernel["name"], kernel["launches"]) for kernel in entry["kernels"])


def outputs_of(artifact, inputs):
    checks.run("tfc-run", artifact, "--device", "cpu", "--inputs", inputs, "--outputs", "out.npz")
    return pathlib.Path("out.npz").read_bytes()


def compare(model, cases, own, *words):
    alone, _ = compile_for(model, "cpu", *words)
    _, for_gpu = compile_for(model, GPU, *words)
    both, report = compile_for(model, f"cpu,{GPU}", *words)
    name = f"{model.parent.name}/{model.name} {' '.join(words)}"
    checks.check(f"{name}: the CPU's kernels", kernels_of(both) == kernels_of(alone), (kernels_of(both), kernels_of(alone)))
    checks.check(f"{name}: the GPU's", report["programs"] == for_gpu["programs"], (report["programs"], for_gpu["programs"]))
    checks.check(f"{name}: fusions are told once", report["fusions"] == for_gpu["fusions"], report["fusions"])
    stages = [stage["name"] for stage in report["stages"]]
    checks.check(f"{name}: kernels are formed {'twice' if own else 'once'}", ("kernels.cpu:native" in stages) == own and stages.count("kernels") == 1, stages)
    for inputs in cases:
        checks.check(f"{name} {inputs}: the same bits", outputs_of(both, inputs) == outputs_of(alone, inputs))
    return both


def models():
    for model, *words in ((HERE / "models" / "gpt2_f16" / "model.op17.onnx", True), (MODELS / "bert_tiny" / "model.op17.onnx", True, "--precision", "bf16"),
                          (MODELS / "bert_tiny" / "model.op17.onnx", False)):
        compare(model, sorted(model.parent.glob("*.inputs.npz")), *words)


def products():
    halves = pathlib.Path("halves.mlir")
    text = (HERE / "two_products.mlir").read_text()
    halves.write_text(text)
    rng = numpy.random.default_rng()
    for n in (1, 70):
        x = rng.standard_normal((n, 32))
        numpy.savez(f"f16-{n}.npz", x=x.astype(numpy.float16))
        numpy.savez(f"f32-{n}.npz", x=x.astype(numpy.float32))
    compare(halves, ["f16-1.npz", "f16-70.npz"], True)
    # Nothing is formed twice where nothing is rounded.
    floats = pathlib.Path("floats.mlir")
    floats.write_text(text.replace("f16", "f32"))
    compare(floats, ["f32-1.npz"], False)
    compare(floats, ["f32-70.npz"], True, "--precision", "bf16")
    # A plan is one module for all its targets, the GPU's where they differ. What has been formed stays as it is.
    checks.run("tfc-compile", halves, "--target", f"cpu,{GPU}", "--emit=plan", "-o", "plan.mlir")
    both, report = compile_for("plan.mlir", f"cpu,{GPU}")
    stages = [stage["name"] for stage in report["stages"]]
    checks.check("nothing is formed behind a plan", "kernels" not in stages and "kernels.cpu:native" not in stages, stages)
    alone, _ = compile_for(halves, "cpu")
    checks.run("tfc-run", alone, "--inputs", "f16-70.npz", "--outputs", "alone.npz")
    checks.run("tfc-run", both, "--device", "cpu", "--inputs", "f16-70.npz", "--expect", "alone.npz", "--rtol", "2e-2", "--atol", "2e-2", says="as expected")


models() if sys.argv[2:] == ["models"] else products()
sys.exit(checks.finish())
