#!/usr/bin/env python3
"""crash.py FOLDER COMPILER: crash reproducers of tfc-compile, and tfc-reduce."""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
BERT = MODELS / "bert_tiny" / "model.op17.onnx"
subprocess.run([sys.argv[2], "-shared", "-fPIC", HERE / "fault.c", "-o", "fault.so"], check=True)


def with_fault(kind):
    return {**os.environ, "LD_PRELOAD": str(folder / "fault.so"), "FAULT": kind}


def reproducers():
    # Crashes by a signal, out of stack, and a pass that fails where none may.
    for kind, how in (("abort", "crash"), ("deep", "crash"), ("fail", "failure")):
        result = checks.run("tfc-compile", BERT, "-o", f"{kind}.so", code=3, env=with_fault(kind), says=f"note: {how} in pass tfc-bufferize-kernels; tfc-opt --run-reproducer {kind}.so.reproducer.mlir")
        checks.check("one line and a note", len(result.stderr.splitlines()) == 2 and result.stderr.startswith("error: "), result.stderr)
        checks.check("nothing else is left", sorted(p.name for p in folder.glob(f"{kind}*")) == sorted([f"{kind}.so.reproducer.mlir"] + [p.name for p in folder.glob(f"{kind}*.weights")]))
    repeat = ["tfc-opt", "--run-reproducer", "abort.so.reproducer.mlir", "-o", "out.mlir"]
    again = subprocess.run(repeat, env=with_fault("abort"), capture_output=True, text=True, errors="replace")
    checks.check("the reproducer repeats it", again.returncode != 0 and "runOneShotBufferize" not in again.stdout, again.returncode)
    checks.run(*repeat)  # and the fault is not in it
    # Somewhere else, or nowhere.
    checks.run("tfc-compile", BERT, "-o", "other.so", "--reproducer-dir=crashes", code=3, env=with_fault("abort"), says="crashes/other.so.reproducer.mlir")
    checks.refuses("tfc-compile", BERT, "-o", "none.so", "--reproducer-dir=none", code=3, env=with_fault("abort"), says="it crashed")
    checks.check("none was written", not list(folder.glob("none*")))
    # What the user did wrong is no crash.
    pathlib.Path("bad.mlir").write_text("module { func.func @main() attributes {tfc.entry} { return }")
    checks.refuses("tfc-compile", "bad.mlir", "-o", "bad.so")
    checks.check("no reproducer of bad input", not list(folder.glob("bad*.reproducer*")))


def script(name, text):
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def reduction():
    crash = script("crash.sh", f"FAULT=abort LD_PRELOAD={folder}/fault.so tfc-compile \"$1\" --reproducer-dir=none -o {folder}/out.so 2>&1 | grep -q 'it crashed'\n")
    said = checks.run("tfc-reduce", "abort.so.reproducer.mlir", crash).stdout
    left = re.search(r"reduced.mlir: (\d+) of (\d+) ops are left", said)
    checks.check("nothing is left that does not matter", left and int(left[1]) <= 2 and int(left[2]) > 100, said)
    # What matters stays: an attention that is recognized, and a weight that is large enough.
    checks.run("tfc-compile", BERT, "--emit=import", "-o", "import.mlir")
    attention = script("attention.sh", "tfc-compile \"$1\" --emit=fused -o - 2>/dev/null | grep -q tfc.attention\n")
    checks.run("tfc-reduce", "-o", "small.mlir", "import.mlir", attention)
    small = pathlib.Path("small.mlir").read_text()
    checks.check("the products and the softmax", small.count("tfc.matmul") == 2 and small.count("tfc.softmax") == 1, small)
    checks.check("little else", sum(line.lstrip().startswith("%") for line in small.splitlines()) <= 6, small)
    checks.run("tfc-compile", "small.mlir", "-o", "small.so")
    gelu = script("weight.sh", "grep -q 'tensor<64x128xf32>' \"$1\"\n")
    checks.run("tfc-reduce", "-o", "weight.mlir", "import.mlir", gelu)
    checks.check("one weight", pathlib.Path("weight.mlir").read_text().count("tfc.weight ") == 1)
    # Words of the test, and tests that say no.
    script("words.sh", "test \"$1\" = first && grep -q tfc.tanh \"$2\"\n")
    checks.run("tfc-reduce", "-o", "tanh.mlir", "import.mlir", folder / "words.sh", "first")
    checks.check("tanh", pathlib.Path("tanh.mlir").read_text().count("= tfc.") == 1)
    checks.refuses("tfc-reduce", "import.mlir", script("no.sh", "exit 1\n"), code=1, says="the test does not find the fault")
    checks.refuses("tfc-reduce", "import.mlir", "/nowhere.sh", says="/nowhere.sh")
    checks.refuses("tfc-reduce", "nowhere.mlir", attention, says="nowhere.mlir")
    checks.refuses("tfc-reduce", "bad.mlir", attention)


reproducers()
reduction()
sys.exit(checks.finish())
