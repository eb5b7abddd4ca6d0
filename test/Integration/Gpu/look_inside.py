#!/usr/bin/env python3
"""look_inside.py FOLDER STUB: a run on an (emulated) GPU seen from the outside: its times, and its tensors."""

import collections
import json
import os
import pathlib
import sys

import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from checks import Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
stub = sys.argv[2]
os.chdir(folder)
os.environ["TFC_CUDA_DRIVER"] = stub
REPEAT = 3
CONFIG = "hidden=32,layers=1,heads=2,vocab=50,positions=16,intermediate=48"
RUN = ["tfc-run", "./both.so", "--device=cuda", "--random", "--dim", "batch=2,seq=5"]


def calls(path):
    return collections.Counter(line.split()[0] for line in pathlib.Path(path).read_text().splitlines())


def profile():
    """Launches are timed by the device's clock, in the graph that runs without a profiler too."""
    log = {**os.environ, "TFC_STUB_CUDA": "log=profile.log"}
    said = checks.run(*RUN, f"--repeat={REPEAT}", "--warmup=1", "--profile", "trace.json", "--json", env=log, says=["GFLOP/s", "at the peak of emulated"]).stdout
    table = json.loads([line for line in said.splitlines() if line.startswith('{"kernels"')][0])
    checks.check("the table says which device", table["device"] == "emulated" and table["peak_gbytes"] > 0, table)
    checks.check("kernels take time, and no more than the run", 0 < table["kernels_ms"] <= table["run_ms"], table)
    events = json.loads(pathlib.Path("trace.json").read_text())["traceEvents"]
    tracks = {event["args"]["name"]: event["tid"] for event in events if event["name"] == "thread_name"}
    kernels = [event for event in events if event.get("cat") == "kernel"]
    runs = [event for event in events if event.get("cat") == "run"]
    checks.check("the stream has a track", {event["tid"] for event in kernels} == {tracks["GPU, stream"]} and tracks["GPU, stream"] != tracks["caller, thread 0"], tracks)
    launches = sum(row["calls"] for row in table["kernels"])
    checks.check("every launch of every measured run", len(runs) == REPEAT and len(kernels) == REPEAT * launches, (len(runs), len(kernels), launches))
    ordered = all(a["ts"] + a["dur"] <= b["ts"] + 0.01 for a, b in zip(kernels, kernels[1:]))
    checks.check("launches follow each other", ordered)
    inside = all(any(run["ts"] - 0.01 <= event["ts"] and event["ts"] + event["dur"] <= run["ts"] + run["dur"] + 0.01 for run in runs) for event in kernels)
    checks.check("launches lie inside of their runs", inside)
    counts = calls("profile.log")
    checks.check("one graph, launched for every run but the first", counts["cuStreamBeginCapture"] == 1 and counts["cuGraphLaunch"] == REPEAT, counts)
    checks.run(*RUN, "--repeat=2", "--profile-html", "page.html")
    checks.check("the page is there", pathlib.Path("page.html").stat().st_size > 10000)
    # Without a profiler nothing is recorded.
    checks.run(*RUN, "--repeat=2", env={**os.environ, "TFC_STUB_CUDA": "log=plain.log"})
    checks.check("no events without a profiler", calls("plain.log")["cuEventRecordWithFlags"] == 0 and calls("plain.log")["cuEventCreate"] == 0)


def loops():
    """A launch that runs several times is timed each time."""
    checks.run("tfc-compile", HERE.parent / "ControlFlow/choices.mlir", "--target", "cuda-emu:sm_80", "--header=none", "-o", "loop.so")
    numpy.savez("loop.npz", x=numpy.ones((5, 4), numpy.float32), choose=numpy.array(True), turns=numpy.array(3))
    calls = []
    for turns in (0, 3):
        numpy.savez("loop.npz", x=numpy.ones((5, 4), numpy.float32), choose=numpy.array(True), turns=numpy.array(turns))
        said = checks.run("tfc-run", "./loop.so", "--inputs", "loop.npz", "--profile", "--json").stdout
        table = json.loads([line for line in said.splitlines() if line.startswith('{"kernels"')][0])
        calls.append(sum(row["calls"] for row in table["kernels"]))
    checks.check("turns are counted", calls[1] > calls[0], calls)


ROOT = """module attributes {tfc.model_name = "root"} {
  func.func @main(%x: tensor<4x3xf32> {tfc.name = "x"}, %w: tensor<3x5xf32> {tfc.name = "w"}) -> (tensor<4x5xf32> {tfc.name = "y"}) attributes {tfc.entry} {
    %r = tfc.sqrt %x : tensor<4x3xf32> loc("Sqrt_7")
    %m = tfc.softmax %r axis 1 : tensor<4x3xf32> loc("Softmax_8")
    %y = tfc.matmul %m, %w : tensor<4x3xf32>, tensor<3x5xf32> loc("MatMul_9")
    return %y : tensor<4x5xf32>
  }
}
"""


def tensors():
    """Copies of what lies on the device."""
    checks.run(*RUN, "--check-nan", says="no kernel makes a NaN")
    pathlib.Path("root.mlir").write_text(ROOT)
    checks.run("tfc-compile", "root.mlir", "--target", "cpu,cuda-emu:sm_80", "--header=none", "-o", "root.so")
    x = numpy.arange(12, dtype=numpy.float32).reshape(4, 3)
    x[2, 1] = -1
    numpy.savez("root.npz", x=x, w=numpy.ones((3, 5), numpy.float32))
    for device in ("cpu", "cuda"):
        said = checks.run("tfc-run", "./root.so", f"--device={device}", "--inputs", "root.npz", "--check-nan", code=1).stdout
        checks.check(f"{device}: the first kernel is found", "NaN begins in kernel" in said and said.count("NaN begins") == 1, said)
        checks.run("tfc-run", "./root.so", f"--device={device}", "--inputs", "root.npz", "--dump-tensors", device)
    on_cpu, on_gpu = (json.loads(pathlib.Path(device, "index.json").read_text()) for device in ("cpu", "cuda"))
    checks.check("the same tensors are dumped", len(on_cpu) > 0 and [row["name"] for row in on_cpu] == [row["name"] for row in on_gpu], (on_cpu, on_gpu))
    for row in on_cpu:
        a, b = (numpy.load(pathlib.Path(device, row["file"])) for device in ("cpu", "cuda"))
        checks.check(f"{row['name']} is the same", numpy.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True))


def comparison():
    """Kernels of the GPU against those of the CPU, each on what the GPU's gave to it; and the other way round."""
    for artifact in ("both.so", "gpu.so"):
        said = checks.run(*RUN, "--compare-with", f"./{artifact}", "--json").stdout
        rows = json.loads(said.splitlines()[-1])["comparison"]
        checks.check(f"{artifact}: all kernels are compared", rows and all(row["error"] is not None and row["fine"] for row in rows), rows)
    # A wrong kernel is found where it is: the other artifact has other weights.
    checks.run("tfc-compile", "--builtin=bert", "--config", CONFIG, "--seed=4", "--weights=seed", "--target", "cuda-emu:sm_80", "--header=none", "-o", "other.so")
    checks.run(*RUN, "--compare-with", "./other.so", code=1, says="TOO FAR")


for name, target in (("both", "cpu,cuda-emu:sm_80"), ("gpu", "cuda-emu:sm_80")):
    checks.run("tfc-compile", "--builtin=bert", "--config", CONFIG, "--weights=seed", "--target", target, "--header=none", "-o", f"{name}.so")
profile()
loops()
tensors()
comparison()
sys.exit(checks.finish())
