#!/usr/bin/env python3
"""dynamic.py FOLDER: with --dynamic=all every input dim is a symbol of its own; what must be equal is checked when it runs."""

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
case = MODELS / "bert_tiny" / "2x7"
good = dict(numpy.load(f"{case}.inputs.npz"))
expected = dict(numpy.load(f"{case}.outputs.npz"))
checks.run("tfc-compile", MODELS / "bert_tiny" / "model.op17.onnx", "--dynamic=all", "-o", "dynamic.so")
symbols = [symbol["name"] for symbol in json.loads(checks.run("tfc-run", "./dynamic.so", "--describe", "--json").stdout)["entries"][0]["symbols"]]
checks.check("every dim has a symbol of its own", sorted(symbols) == sorted(f"{name}_d{d}" for name in good for d in (0, 1)), symbols)


def run(**changes):
    numpy.savez("inputs.npz", **{**good, **changes})
    return ["tfc-run", "./dynamic.so", "--inputs", "inputs.npz"]


checks.run(*run(), "--expect", f"{case}.outputs.npz", says="as expected")
checks.refuses(*run(attention_mask=good["attention_mask"][:, :5]), says=["attention_mask_d1", "is 5", "7"])
checks.refuses(*run(token_type_ids=good["token_type_ids"][:, :5]), says=["_d1", "is 7", "5"])
checks.refuses(*run(attention_mask=numpy.concatenate([good["attention_mask"]] * 2)), says=["attention_mask_d0", "is 4"])
# A dim of one broadcasts, as the file's operators have it: one mask for all rows.
checks.run(*run(attention_mask=good["attention_mask"][:1]), "--outputs", "one.npz")
both = numpy.concatenate([good["attention_mask"][:1]] * 2)
checks.run(*run(attention_mask=both), "--expect", "one.npz", "--rtol=0", "--atol=0", says="as expected")

# A dim fixed at compile time is checked, too.
checks.run("tfc-compile", MODELS / "bert_tiny" / "model.op17.onnx", "--dim=batch=2,seq=7", "-o", "fixed.so")
checks.run("tfc-run", "./fixed.so", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz")
checks.refuses("tfc-run", "./fixed.so", "--inputs", MODELS / "bert_tiny" / "1x16.inputs.npz", says=["'input_ids'", "dim 0 is 1", "must be 2"])
sys.exit(checks.finish())
