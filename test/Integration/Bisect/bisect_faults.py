#!/usr/bin/env python3
"""bisect_faults.py FOLDER: plants faults by tools that stand in front of the real ones and change what they write."""

import json
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
case = MODELS / "bert_tiny" / "2x7"
BISECT = ["tfc-bisect", MODELS / "bert_tiny" / "model.op17.onnx", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz"]

# Runs the real tool; a fault is a function of its command line and of the text it wrote.
FRONT = """#!{python}
import pathlib, re, subprocess, sys
words = sys.argv[1:]
{fault}
"""
REAL = "real = {real!r}\n"


def tools_with(name, tool, fault):
    """A folder of tools of which one has a fault."""
    tools = folder / name
    tools.mkdir()
    for each in ("tfc-compile", "tfc-opt", "tfc-run"):
        os.symlink(shutil.which(each), tools / each)
    real = shutil.which(tool)
    (tools / tool).unlink()
    (tools / tool).write_text(FRONT.format(python=sys.executable, fault=REAL.format(real=real) + fault))
    (tools / tool).chmod(0o755)
    return ["--tools", tools]


told = checks.run(*BISECT, "--json", says="the model is right: there is nothing to find").stdout.splitlines()[-1]
checks.check("as JSON", json.loads(told)["right"] and len(json.loads(told)["tries"]) == 1, told)
checks.run(*BISECT, "--keep", "/proc/nowhere", code=2, says="--keep")
checks.run(*BISECT[:-1], f"{case}.inputs.npz", code=2, says="makes no output 'input_ids'")
checks.run(*BISECT, "--", "--target=abacus", code=2, says="abacus")
checks.run("tfc-bisect", "/nowhere.onnx", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz", code=2, says="/nowhere.onnx")

# A reference of something else: the import itself does not agree.
other = MODELS / "bert_tiny" / "1x16"
if not (MODELS / "bert_tiny" / "wrong.npz").exists():
    import numpy

    outputs = dict(numpy.load(f"{case}.outputs.npz"))
    outputs["last_hidden_state"] = outputs["last_hidden_state"] + 1
    numpy.savez(folder / "wrong.npz", **outputs)
wrong = checks.run(*BISECT[:-1], folder / "wrong.npz", code=1)
checks.check("the import is named", "culprit: the import" in wrong.stdout.splitlines()[-1], wrong.stdout)

# A fusion: layer norms are made with another epsilon when they are fused. Only the road to the fused graph sees them so.
FUSION = """
result = subprocess.run([real, *words], capture_output=True, text=True)
sys.stderr.write(result.stderr)
text = result.stdout
if any('fuse-normalization' in word for word in words):
    text = re.sub(r'(tfc.layer_norm .*?)epsilon 9\\S+', r'\\g<1>epsilon 5.0e-01', text)
sys.stdout.write(text)
sys.exit(result.returncode)
"""
# The whole compilation must be wrong too: it goes through the same fault.
WHOLE = """
if '--emit=import' not in words and '--reference' not in words and any(w.endswith('.onnx') for w in words):
    out = words[words.index('-o') + 1]
    subprocess.run([real, *[w for w in words if w not in ('--header=none',)][:-2], '--emit=fused', '-o', out + '.mlir'], check=True)
    text = pathlib.Path(out + '.mlir').read_text()
    pathlib.Path(out + '.mlir').write_text(re.sub(r'(tfc.layer_norm .*?)epsilon 9\\S+', r'\\g<1>epsilon 5.0e-01', text))
    sys.exit(subprocess.run([real, out + '.mlir', '--header=none', '-o', out]).returncode)
sys.exit(subprocess.run([real, *words]).returncode)
"""
tools = tools_with("fusion", "tfc-opt", FUSION)
front = folder / "fusion" / "tfc-compile"
real = shutil.which("tfc-compile")
front.unlink()
front.write_text(FRONT.format(python=sys.executable, fault=REAL.format(real=real) + WHOLE))
front.chmod(0o755)
found = checks.run(*BISECT, *tools, code=1)
checks.check("the pass is named", "tfc-fuse-normalization" in found.stdout.splitlines()[-1], found.stdout)

# A kernel: one of them adds where it should subtract, unless it takes the plain road.
KERNEL = """
source = next((w for w in words if w.endswith('.onnx') or 'marked' in w), None)
if source and '--emit=import' not in words and '--reference' not in words and '--emit=kernels' not in words:
    out = words[words.index('-o') + 1]
    stage = out + '.mlir'
    subprocess.run([real, source, '--emit=kernels', '-o', stage], check=True)
    lines = pathlib.Path(stage).read_text().splitlines()
    inside = broken = False
    for number, line in enumerate(lines):
        if line.startswith('  func.func private @'):
            inside = 'tanh' in line and 'tfc.plain' not in line
        if inside and 'tfc.tanh' in line:
            lines[number] = line.replace('tfc.tanh', 'tfc.sigmoid')
    pathlib.Path(stage).write_text('\\n'.join(lines) + '\\n')
    sys.exit(subprocess.run([real, stage, '--header=none', '-o', out]).returncode)
sys.exit(subprocess.run([real, *words]).returncode)
"""
found = checks.run(*BISECT, *tools_with("kernel", "tfc-compile", KERNEL), code=1)
checks.check("the last try is told", "WRONG" in found.stdout)
checks.check("the kernel is named, with its nodes", "culprit: kernel" in found.stdout.splitlines()[-1] and "tanh" in found.stdout.splitlines()[-1].lower(), found.stdout)
sys.exit(checks.finish())
