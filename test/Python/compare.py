"""python -m tfc.compare on models and on a compiler with faults: compare.py FOLDER."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.remove(str(pathlib.Path(__file__).resolve().parent))  # its name is not tfc's
sys.path.append(str(pathlib.Path(__file__).resolve().parent))
from harness import MODELS

folder = pathlib.Path(sys.argv[1])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
BERT = MODELS / "bert_tiny" / "model.op17.onnx"


def compare(*words, code, home=None):
    environment = {**os.environ, **({"TFC_HOME": str(home)} if home else {})}
    result = subprocess.run([sys.executable, "-m", "tfc.compare", *map(str, words)], capture_output=True, text=True, env=environment)
    assert result.returncode == code, (words, result.returncode, result.stdout[-2000:], result.stderr)
    return result.stdout + result.stderr


text = compare(BERT, "--dim", "batch=2,seq=5", code=0)
rows = [line for line in text.splitlines() if line.startswith("/")]
assert len(rows) > 70 and "/layers.0/Softmax" in text and "are within the tolerance" in text, text
# Past and masks, from a file.
gpt = MODELS / "gpt2_tiny_past"
text = compare(gpt / "model.op17.onnx", "--inputs", gpt / "2x3x5.inputs.npz", "--names", "Softmax|MatMul", code=0)
assert "Softmax" in text and " Add " not in text, text
assert "matches" in compare(BERT, "--dim", "batch=2,seq=5", "--names", "nobody", code=2)
assert compare("/nowhere.onnx", "--dim", "batch=1", code=2).startswith("error: /nowhere.onnx"), "the word error once"
told = json.loads(compare(BERT, "--dim", "batch=2,seq=5", "--names", "Softmax", "--json", code=0).splitlines()[-1])
assert len(told["nodes"]) == 2 and all(row["fine"] and row["error"] < 1e-3 for row in told["nodes"] + told["outputs"]), told
assert "seq" in compare(BERT, "--dim", "batch=2", code=2)
assert "no ONNX model" in compare(__file__, "--inputs", MODELS / "bert_tiny" / "2x7.inputs.npz", code=2)
assert "nowhere.onnx" in compare("/nowhere.onnx", "--dim", "batch=1", code=2)

# A compiler that takes a sigmoid for tanh: always, or only where nothing is exposed.
FRONT = """#!{python}
import pathlib, subprocess, sys
words, real = sys.argv[1:], {real!r}
if not {always} and any('--expose' in word for word in words):
    sys.exit(subprocess.run([real, *words]).returncode)
out = words[words.index('-o') + 1]
subprocess.run([real, words[0], '--emit=import', '-o', out + '.mlir'], check=True)
text = pathlib.Path(out + '.mlir').read_text()
pathlib.Path(out + '.mlir').write_text(text.replace('= tfc.tanh', '= tfc.sigmoid'))
sys.exit(subprocess.run([real, out + '.mlir', *words[1:]]).returncode)
"""
real = pathlib.Path(os.environ["TFC_HOME"])
for always, says in ((True, "first node beyond the tolerance: /Tanh (Tanh)"), (False, "every node is right, but what is fused is not")):
    home = folder / f"home{always}"
    (home / "bin").mkdir(parents=True)
    (home / "lib").symlink_to(real / "lib")
    for tool in ("tfc-run",):
        (home / "bin" / tool).symlink_to(real / "bin" / tool)
    (home / "bin" / "tfc-compile").write_text(FRONT.format(python=sys.executable, real=str(real / "bin" / "tfc-compile"), always=always))
    (home / "bin" / "tfc-compile").chmod(0o755)
    text = compare(BERT, "--inputs", MODELS / "bert_tiny" / "2x7.inputs.npz", home=home, code=1)
    assert says in text and "pooler_output" in text, text
print("compared")
