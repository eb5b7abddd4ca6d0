#!/usr/bin/env python3
"""run_errors.py FOLDER: inputs that do not fit end in exit code 2 and one line that names tensor, node and symbol."""

import os
import sys
import pathlib

import numpy

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
checks.run("tfc-compile", MODELS / "bert_tiny" / "model.op17.onnx", "-o", "bert.so")
checks.run("tfc-compile", MODELS / "gpt2_tiny_past" / "model.op17.onnx", "-o", "gpt.so")
good = dict(numpy.load(MODELS / "bert_tiny" / "2x7.inputs.npz"))
expected = MODELS / "bert_tiny" / "2x7.outputs.npz"
ids, mask = good["input_ids"], good["attention_mask"]


def bert(says, code=2, **changes):
    arrays = {**good, **changes}
    numpy.savez("inputs.npz", **{name: array for name, array in arrays.items() if array is not None})
    words = ["tfc-run", "./bert.so", "--inputs", "inputs.npz"]
    return checks.refuses(*words, says=says) if code else checks.run(*words, says=says)


def with_id(value):
    changed = ids.copy()
    changed[1, 3] = value
    return changed


# Indices are checked where they are used: value, bound, node and tensor; a negative one counts from the end as ONNX has it.
for value in (101, 102, 2**31, 2**62, -102, -(2**63)):
    bert([f"index {value} is outside [", ", 101) in node '/emb/w/Gather': input_ids"], input_ids=with_id(value))
bert("token_type_ids", token_type_ids=numpy.full_like(ids, 2))
bert("output last_hidden_state", code=0, input_ids=with_id(-1))
bert("output last_hidden_state", code=0)

# Types, ranks, dims, names.
bert(["'input_ids' is f32", "must be i64"], input_ids=ids.astype(numpy.float32))
bert(["'input_ids' is i32", "must be i64"], input_ids=ids.astype(numpy.int32))
bert("input 'input_ids': its rank is 1, but must be 2", input_ids=ids[0])
bert(["no array 'input_ids'", "'attention_mask'"], input_ids=None)
bert("input 'attention_mask': dim 0 is 1, but 'batch' is 2 (from input 'input_ids', dim 0)", attention_mask=mask[:1])
bert("input 'attention_mask': dim 1 is 3, but 'seq' is 7 (from input 'input_ids', dim 1)", attention_mask=mask[:, :3])
checks.check("an array too many is only noted", "more" in (note := bert("", code=0, stranger=ids).stderr) or "also has" in note, note)


def random(model, dims, *words, says=None, code=2):
    words = ["tfc-run", f"./{model}.so", "--random", "--dim", dims, *words]
    return checks.refuses(*words, says=says, code=code) if code else checks.run(*words, says=says)


def gpt(batch, seq, past):
    return f"batch={batch},seq={seq},past_seq={past},total_seq={past + seq}"


# Tables of positions end; the symbol, its value and the bound are named.
random("bert", "batch=1,seq=65", says=["node '/emb/Slice'", "'seq' is 65", "at most 64"])
random("gpt", gpt(1, 1, 64), says=["65", "at most 64"])
random("gpt", gpt(2, 65, 0), says=["65", "at most 64"])
random("gpt", "batch=2,seq=3,past_seq=4,total_seq=8", says=["'total_seq'", "8", "7"])
# What is empty or smallest is right, unless a node asks for what is not there: BERT's pooler takes the first token.
for dims in ("batch=0,seq=5", "batch=0,seq=0", "batch=1,seq=1", "batch=1,seq=64"):
    random("bert", dims, says="output pooler_output", code=0)
random("bert", "batch=2,seq=0", says="index 0 is outside")
for dims in (gpt(0, 1, 3), gpt(2, 0, 3), gpt(2, 0, 0), gpt(1, 1, 0), gpt(1, 1, 63), gpt(1, 64, 0)):
    random("gpt", dims, says="output logits", code=0)

# What tfc-run is asked for.
random("bert", "batch=1", says="add --dim seq=N")
random("bert", "batch=1,seq=2,depth=3", says="no symbol 'depth'")
random("bert", "batch=-1,seq=2", says="at least 0")
random("bert", "batch=99999999999,seq=99999999999", says="input_ids")
checks.refuses("tfc-run", "./bert.so", says="--inputs")
checks.refuses("tfc-run", "./bert.so", "--nosuch", says="'--nosuch'")
checks.refuses("tfc-run", "./bert.so", "--random", "--inputs", "inputs.npz", says="exclude")
checks.refuses("tfc-run", "./nosuch.so", "--random", says="nosuch.so")
checks.refuses("tfc-run", "inputs.npz", "--random", says="not a model")
checks.refuses("tfc-run", "./bert.so", "--inputs", "nosuch.npz", says="nosuch.npz")
random("bert", "batch=1,seq=2", "--outputs", "nowhere/out.npz", says="nowhere/out.npz")
random("bert", "batch=1,seq=2", "--entry", "other", says="'other'")
whole = (folder / "bert.so").read_bytes()
for part in (0, 100, len(whole) // 2, len(whole) - 1):
    (folder / "cut.so").write_bytes(whole[:part])
    checks.refuses("tfc-run", "./cut.so", "--describe", says="cut.so")

# --expect passes, and fails with code 1 on a changed value, name, shape and NaN, and names the worst element.
run_good = ["tfc-run", "./bert.so", "--inputs", MODELS / "bert_tiny" / "2x7.inputs.npz"]
checks.run(*run_good, "--expect", expected, says="as expected")
outputs = dict(numpy.load(expected))


def differs(says, **changes):
    numpy.savez("changed.npz", **{name: array for name, array in {**outputs, **changes}.items() if array is not None})
    checks.refuses(*run_good, "--expect", "changed.npz", code=1, says=says)


pooled = outputs["pooler_output"].copy()
pooled[0, 5] += 0.001
pooled[1, 17] += 0.25
differs(["output 'pooler_output' at [1, 17]", "2 of"], pooler_output=pooled)
pooled[1, 17] = numpy.nan
differs(["output 'pooler_output' at [1, 17]", "nan"], pooler_output=pooled)
differs("[1, 64]", pooler_output=outputs["pooler_output"][:1])
differs("'pooler_output'", pooler_output=None)
differs("'stranger'", stranger=pooled)
differs("pooler_output", pooler_output=outputs["pooler_output"].astype(numpy.float64))
sys.exit(checks.finish())
