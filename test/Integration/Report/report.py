#!/usr/bin/env python3
"""report.py FOLDER: what tfc-compile --report, -v and --save-stages and tfc-run --json and --describe promise."""

import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
model = MODELS / "bert_tiny" / "model.op17.onnx"
compiled = checks.run("tfc-compile", model, "-o", "bert.so", "--report", "report.json", "--save-stages=stages", "-v")
report = json.loads(pathlib.Path("report.json").read_text())

operators = {entry["name"]: entry["count"] for entry in report["operators"]}
checks.check("operators", operators.get("softmax") == 2 and operators.get("layer_norm") == 5, operators)
checks.check("fusions is a list", isinstance(report["fusions"], list))
for fusion in report["fusions"]:
    checks.check("a fusion says what it is", {"kind", "status", "reason", "node"} <= set(fusion), fusion)
names = [kernel["name"] for kernel in report["kernels"]]
checks.check("one entry per kernel", names and len(set(names)) == len(names), names)
for kernel in report["kernels"]:
    checks.check("a kernel has launches and nodes", kernel["launches"] >= 1 and all(isinstance(node, str) for node in kernel["nodes"]), kernel)
nodes = {node for kernel in report["kernels"] for node in kernel["nodes"]}
checks.check("nodes keep the names of the file", {"/emb/w/Gather", "/layers.0/q/MatMul", "/layers.1/q/MatMul"} <= nodes, nodes)
stages = {stage["name"]: stage["ms"] for stage in report["stages"]}
checks.check("stages with their times", list(stages) == ["import", "fused", "kernels", "plan", "host", "llvm", "so"] and min(stages.values()) >= 0, stages)
checks.check("the arena", 1000 < report["arena_bytes"] < 10**8, report["arena_bytes"])
checks.check("peak memory", 10**7 < report["peak_bytes"] < 10**9, report["peak_bytes"])
checks.check("-v tells the stages and the counts", all(stage in compiled.stderr for stage in stages) and f"{len(names)} kernels" in compiled.stderr, compiled.stderr)
saved = sorted(path.name for path in pathlib.Path("stages").iterdir() if path.suffix == ".mlir")
checks.check("a module for every stage", saved == ["0-import.mlir", "1-fused.mlir", "2-kernels.mlir", "3-plan.mlir", "4-host.mlir", "5-llvm.mlir"], saved)
for name in saved:
    checks.check(f"{name} holds no weights as text", os.path.getsize(f"stages/{name}") < 10**7 and "dense_resource" not in pathlib.Path("stages", name).read_text())

# The launches of the artifact are those of the report.
described = json.loads(checks.run("tfc-run", "./bert.so", "--describe", "--json").stdout)
entry = described["entries"][0]
checks.check("the same kernels", {kernel["name"]: kernel["launches"] for kernel in entry["kernels"]} == {k["name"]: k["launches"] for k in report["kernels"]})
checks.check("symbols keep their names", [symbol["name"] for symbol in entry["symbols"]] == ["batch", "seq"], entry["symbols"])
text = checks.run("tfc-run", "./bert.so", "--describe", says=["input_ids", "[batch, seq]", "last_hidden_state", "symbol", "arena", "matmul"]).stdout
checks.check("internal names do not show", not re.search(r"%\d", text + json.dumps(described)), text)
sized = checks.run("tfc-run", "./bert.so", "--describe", "--dim", "batch=1,seq=128", says="arena").stdout
checks.check("with sizes the arena is a number, as the report has it", re.search(rf"arena +bytes +{report['arena_bytes']}\n", sized), sized)

# What CPUs have beyond the plan is in it too: the kernels that make parts of attentions, and room for what those make.
checks.run("tfc-compile", MODELS / "gpt2_tiny_past" / "model.op17.onnx", "-o", "gpt.so", "--report", "gpt.json", "--target", "cpu:x86-64-v2+x86-64-v3")
report = json.loads(pathlib.Path("gpt.json").read_text())
kernels = {kernel["name"]: kernel["launches"] for kernel in report["kernels"]}
described = json.loads(checks.run("tfc-run", "./gpt.so", "--describe", "--json").stdout)["entries"][0]["kernels"]
checks.check("parts of attentions are kernels", any(name.endswith("_parts") for name in kernels), kernels)
checks.check("the same kernels as in the library", {kernel["name"]: kernel["launches"] for kernel in described} == kernels, (kernels, described))
checks.run("tfc-run", "./gpt.so", "--describe", "--dim", report["arena_dims"], says=f"{report['arena_bytes']}\n")

# Timing: the last line is one object.
run = ["tfc-run", "./bert.so", "--random", "--dim", "batch=1,seq=16"]
timed = checks.run(*run, "--repeat", "5", "--warmup=2", "--threads=2", "--json").stdout.splitlines()
timing = json.loads(timed[-1])
checks.check("the fields of --json", set(timing) >= {"min_ms", "median_ms", "p90_ms", "repeat", "threads"}, timing)
checks.check("they fit each other", 0 < timing["min_ms"] <= timing["median_ms"] <= timing["p90_ms"] and timing["repeat"] == 5 and timing["threads"] == 2, timing)
case = MODELS / "bert_tiny" / "1x16"
timed = checks.run("tfc-run", "./bert.so", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz", "--repeat=3", "--json").stdout.splitlines()
checks.check("--inputs works with --repeat and --json", json.loads(timed[-1])["repeat"] == 3)
checks.run(*run, "--profile", says=["matmul", "%"])
sys.exit(checks.finish())
