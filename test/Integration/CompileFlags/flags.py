#!/usr/bin/env python3
"""flags.py FOLDER: --fold-inputs, ranges of --dim, --external-root and --list-operators."""

import json
import os
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "Frontend" / "ONNX")]
from checks import MODELS, Checks, scratch_folder
from onnx_writer import *  # noqa: F403

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
bert = MODELS / "bert_tiny" / "model.op17.onnx"
good = dict(np.load(MODELS / "bert_tiny" / "2x7.inputs.npz"))
expected = MODELS / "bert_tiny" / "2x7.outputs.npz"

# Some inputs as constants: the symbols that they give a size are numbers then.
np.savez("mask.npz", attention_mask=good["attention_mask"])
checks.run("tfc-compile", bert, "--fold-inputs=mask.npz", "-o", "folded.so")
rest = {name: array for name, array in good.items() if name != "attention_mask"}
np.savez("rest.npz", **rest)
checks.run("tfc-run", "./folded.so", "--inputs", "rest.npz", "--expect", expected, says="as expected")
entry = json.loads(checks.run("tfc-run", "./folded.so", "--describe", "--json").stdout)["entries"][0]
checks.check("no symbols are left", entry["symbols"] == [], entry["symbols"])
np.savez("all.npz", **good)
checks.run("tfc-compile", bert, "--fold-inputs=all.npz", "-o", "folded.so")
checks.run("tfc-run", "./folded.so", "--random", "--expect", expected, says="as expected")


def refused(says, **arrays):
    np.savez("bad.npz", **arrays)
    checks.refuses("tfc-compile", bert, "--fold-inputs=bad.npz", "-o", "bad.so", says=["--fold-inputs", *says])


mask = good["attention_mask"]
refused(["'stranger'", "not an input"], stranger=mask)
refused(["'attention_mask'", "i32", "must be i64"], attention_mask=mask.astype(np.int32))
refused(["'attention_mask'", "rank 1"], attention_mask=mask[0])
refused(["'batch'", "2", "1"], attention_mask=mask, input_ids=good["input_ids"][:1])
checks.run("tfc-compile", bert, "--fold-inputs=nosuch.npz", "-o", "bad.so", code=2, says="nosuch.npz")

# A range is checked when it runs, and told by the descriptor.
checks.run("tfc-compile", bert, "--dim=batch=1..2,seq=5..7", "-o", "range.so")
checks.run("tfc-run", "./range.so", "--inputs", MODELS / "bert_tiny" / "2x7.inputs.npz", "--expect", expected, says="as expected")
checks.refuses("tfc-run", "./range.so", "--random", "--dim", "batch=3,seq=6", says=["batch", "3"])
checks.refuses("tfc-run", "./range.so", "--random", "--dim", "batch=2,seq=4", says=["seq", "4"])
for bad in ("seq=7..5", "seq=1..", "seq=..4", "seq=a..b", "=1..2"):
    checks.run("tfc-compile", bert, f"--dim={bad}", "-o", "bad.so", code=2, says="--dim wants")
checks.refuses("tfc-compile", bert, "--dim=nosuch=1..5", "-o", "bad.so", says="no input has a dim named 'nosuch'")

# Weights behind a link: refused where they are, taken from a folder that allows it.
os.makedirs("blobs")
os.makedirs("snapshot")
pathlib.Path("blobs/0123").write_bytes(np.arange(4, dtype=np.float32).tobytes())
os.symlink("../blobs/0123", "snapshot/w.bin")
weight = external("w", [4], [("location", "snapshot/w.bin")])
body = graph([node("Add", ["x", "w"], ["y"])], [value_info("x", [4])], ["y"], [weight])
pathlib.Path("linked.onnx").write_bytes(model(body))
checks.refuses("tfc-compile", "linked.onnx", "-o", "linked.so", says=["symbolic link", "--external-root"])
checks.run("tfc-compile", "linked.onnx", "--external-root", ".", "-o", "linked.so")
np.savez("x.npz", x=np.ones(4, np.float32))
np.savez("y.npz", y=np.arange(4, dtype=np.float32) + 1)
checks.run("tfc-run", "./linked.so", "--inputs", "x.npz", "--expect", "y.npz", says="as expected")
os.symlink("/etc/hostname", "snapshot/out.bin")
pathlib.Path("linked.onnx").write_bytes(model(body.replace(b"snapshot/w.bin", b"snapshot/o.bin")))
os.rename("snapshot/out.bin", "snapshot/o.bin")
checks.refuses("tfc-compile", "linked.onnx", "--external-root", ".", "-o", "linked.so", says="snapshot/o.bin")

# The table of operators.
rows = json.loads(checks.run("tfc-compile", "--list-operators", "--json").stdout)
names = {(row["domain"], row["operator"]) for row in rows}
checks.check("the table has the operators", {("ai.onnx", "MatMul"), ("ai.onnx", "Loop"), ("com.microsoft", "MatMulNBits")} <= names, len(names))
text = checks.run("tfc-compile", "--list-operators").stdout
checks.check("a line for each", len(text.splitlines()) == len(rows) + 1, len(rows))
sys.exit(checks.finish())
