#!/usr/bin/env python3
"""targets.py FOLDER: libraries for several CPUs. The runtime takes the best variant that the CPU runs; weights are there once."""

import json
import os
import pathlib
import sys

import numpy

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
flags = pathlib.Path("/proc/cpuinfo").read_text().split()
levels = ["x86-64-v2", "x86-64-v3"] + (["x86-64-v4"] if "avx512bw" in flags else [])


def compiled(model, name, *cpus):
    checks.run("tfc-compile", MODELS / model / "model.op17.onnx", "-o", f"{name}.so", "--target", "cpu:" + "+".join(cpus))


def bits(name, case, level):
    """The outputs of the variant for a level, after they have been compared with the reference."""
    checks.run("tfc-run", f"./{name}.so", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz",
               "--outputs", "outputs.npz", "--isa", level, says="as expected")
    return {key: value.tobytes() for key, value in numpy.load("outputs.npz").items()}


def isa(name, level):
    return json.loads(checks.run("tfc-run", f"./{name}.so", "--describe", "--json", "--isa", level).stdout)["isa"]


for model, case in (("bert_tiny", "2x7"), ("gpt2_tiny_past", "leftpad_2x4x5"), ("t5_tiny_enc", "2x7")):
    case = MODELS / model / case
    if not pathlib.Path(f"{case}.inputs.npz").exists():
        case = sorted((MODELS / model).glob("*.inputs.npz"))[0].with_suffix("").with_suffix("")
    compiled(model, "all", *levels)
    of_all = {level: bits("all", case, level) for level in levels}
    for level in levels:
        checks.check(f"{model}: {level} is taken", isa("all", level) == level, isa("all", level))
        compiled(model, "one", level)
        # The width of panels, the blocks and the number of tiles differ; the order of every sum does not.
        checks.check(f"{model}: {level} gives the bits of a library for it alone", bits("one", case, level) == of_all[level])
    checks.check(f"{model}: without a fused multiply-add the bits differ", of_all["x86-64-v2"] != of_all["x86-64-v3"])

# Any number of threads: the tiles of a launch are those of the variant that has most.
large = ("--random", "--dim", "batch=5,seq=50", "--outputs")
compiled("bert_tiny", "all", *levels)
for level in levels:
    results = []
    for threads in (1, 2, 5):
        checks.run("tfc-run", "./all.so", *large, "large.npz", "--isa", level, f"--threads={threads}")
        results.append({key: value.tobytes() for key, value in numpy.load("large.npz").items()})
    checks.check(f"{level}: the same bits for any number of threads", results[0] == results[1] == results[2])

# Weights are stored once.
compiled("bert_tiny", "two", *levels[-2:])
compiled("bert_tiny", "wide", levels[-1])
describe = [json.loads(checks.run("tfc-run", f"./{name}.so", "--describe", "--json").stdout) for name in ("two", "wide")]
checks.check("weights are stored once", describe[0]["weights"] == describe[1]["weights"], describe[0]["weights"])
checks.check("the best comes first", describe[0]["entries"][0]["kernels"][0]["variants"] == levels[-2:][::-1], describe[0]["entries"][0]["kernels"][0])

# A CPU below all variants: a sentence, not a signal.
refused = checks.refuses("tfc-run", "./two.so", "--random", "--isa", "x86-64", says=[f"the model is compiled for {levels[-2]}", "this CPU has"])
checks.refuses("tfc-run", "./two.so", "--random", "--isa", "pentium", says=["TFC_MAX_ISA is 'pentium'", "x86-64-v3"])
environment = dict(os.environ, TFC_MAX_ISA="x86-64")
checks.refuses("tfc-run", "./two.so", "--random", says="the model is compiled for", env=environment)

# A module that was written out in between keeps its CPUs, whatever is asked for later.
for stage in ("plan", "host", "llvm"):
    target = "cpu:" + "+".join(levels)
    checks.run("tfc-compile", MODELS / "bert_tiny" / "model.op17.onnx", f"--emit={stage}", "-o", f"{stage}.mlir", "--target", target)
    again = ("--target", target) if stage == "plan" else ()
    checks.run("tfc-compile", f"{stage}.mlir", "-o", f"{stage}.so", *again)
    checks.check(f"re-entry at {stage}", [isa(stage, level) for level in levels] == levels)
    bits(stage, MODELS / "bert_tiny" / "2x7", levels[0])

# What cannot be.
model = MODELS / "bert_tiny" / "model.op17.onnx"
checks.refuses("tfc-compile", model, "--target=cpu:x86-64-v3+aarch64", "-o", "bad.so", lines=2, says=["different architectures", "'aarch64'", "'x86-64-v3'"])
checks.refuses("tfc-compile", model, "--target=cpu:x86-64-v3+x86-64-v3", "-o", "bad.so", lines=2, says="named twice")
checks.refuses("tfc-compile", model, "--target=cpu:x86-64-v3+abacus", "-o", "bad.so", lines=2, says="unknown CPU target 'abacus'")
checks.check("nothing was written", not os.path.exists("bad.so"))
sys.exit(checks.finish())
