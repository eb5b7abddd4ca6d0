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


VECTOR = "tensor<?xf32, #tfc.dims<{}>>"
KERNELS = "".join(f"""
  func.func private @{name}(%x: {VECTOR.format("s0")}) -> {VECTOR.format("s0")} attributes {{tfc.kernel, tfc.symbols = ["s0"], tfc.flops = #tfc.expr<s0>, tfc.bytes = #tfc.expr<8 * s0>}} {{
    %0 = tfc.{op} %x : {VECTOR.format("s0")}
    return %0 : {VECTOR.format("s0")}
  }}""" for name, op in (("first", "exp"), ("second", "neg"), ("third", "tanh"), ("fourth", "abs")))
LAUNCHES = "".join(f"""
    %{i} = tfc.launch @{name}({"%x" if i == 0 else f"%{i - 1}"}) symbols [n] nodes ["{name}"] places [#tfc.place<{place}>] : ({VECTOR.format("n")}) -> {VECTOR.format("n")}"""
                   for i, (name, place) in enumerate((("first", "slot, 0"), ("second", "slot, 1"), ("third", "slot, 2"), ("fourth", "output, 1"))))
PLAN = f"""module {{
  func.func @main(%x: {VECTOR.format("n")} {{tfc.name = "x"}}) -> ({VECTOR.format("n")} {{tfc.name = "same"}}, {VECTOR.format("n")} {{tfc.name = "y"}})
      attributes {{tfc.entry, tfc.slots = [#tfc.slot<<4 * n>>, #tfc.slot<<4 * n> above [0]>, #tfc.slot<<4 * n> above [1]>]}} {{{LAUNCHES}
    return %x, %3 : {VECTOR.format("n")}, {VECTOR.format("n")}
  }}{KERNELS}
}}
"""


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
    planned()
    # Words of the test, and tests that say no.
    script("words.sh", "test \"$1\" = first && grep -q tfc.tanh \"$2\"\n")
    checks.run("tfc-reduce", "-o", "tanh.mlir", "import.mlir", folder / "words.sh", "first")
    checks.check("tanh", pathlib.Path("tanh.mlir").read_text().count("= tfc.") == 1)
    checks.refuses("tfc-reduce", "import.mlir", script("no.sh", "exit 1\n"), code=1, says="the test does not find the fault")
    checks.refuses("tfc-reduce", "import.mlir", "/nowhere.sh", says="/nowhere.sh")
    checks.refuses("tfc-reduce", "nowhere.mlir", attention, says="nowhere.mlir")
    checks.refuses("tfc-reduce", "bad.mlir", attention)


def planned():
    """A module with a memory plan: slots in which nothing lies go, and what lay above them still lies above what they lay above."""
    # As what goes to one more place of the program: an output, the second of two, is one number less when the first goes.
    pathlib.Path("plan.mlir").write_text(PLAN)
    keep = script("keep.sh", f"grep -q 'launch @third' \"$1\" && grep -q 'launch @first' \"$1\" && tfc-compile \"$1\" --emit=host -o {folder}/host.mlir 2>/dev/null\n")
    checks.run("tfc-reduce", "-o", "small-plan.mlir", "plan.mlir", keep)
    small = pathlib.Path("small-plan.mlir").read_text()
    slots = re.search(r"tfc.slots = \[(.*?)\]\}", small)
    checks.check("two slots, one above the other", slots and slots[1] == "#tfc.slot<<4 * n>>, #tfc.slot<<4 * n> above[0]>", slots and slots[1])
    checks.check("both are used", re.search(r"@first.*slot, 0>", small) and re.search(r"@third.*slot, 1>", small), small)
    second = script("second.sh", "grep -q 'launch @fourth.*place<output' \"$1\" && tfc-compile \"$1\" --emit=host -o /dev/null 2>/dev/null\n")
    checks.run("tfc-reduce", "-o", "output.mlir", "plan.mlir", second)
    small = pathlib.Path("output.mlir").read_text()
    checks.check("the output is the first now", "place<output, 0>" in small and "tfc.slots = []" in small, small)
    # A plan that is none is left as it is: it may be the fault.
    pathlib.Path("bad-plan.mlir").write_text(PLAN.replace("above [1]", "above [7]"))
    checks.run("tfc-reduce", "-o", "small-bad.mlir", "bad-plan.mlir", script("bad.sh", "tfc-compile \"$1\" --emit=host -o /dev/null 2>&1 | grep -q 'lies above 7'\n"))
    checks.check("the fault is still there", "above[7]" in pathlib.Path("small-bad.mlir").read_text().replace("above [", "above["))


reproducers()
reduction()
sys.exit(checks.finish())
