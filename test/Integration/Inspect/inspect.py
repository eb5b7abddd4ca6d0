#!/usr/bin/env python3
"""inspect.py FOLDER: tfc-run --check-nan, --dump-tensors and --compare-with."""

import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
# This script's own folder comes behind: its name is that of a module of Python's.
sys.path.remove(str(HERE))
sys.path.append(str(HERE))

import numpy

from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
BERT = MODELS / "bert_tiny" / "model.op17.onnx"
INPUTS = ["--inputs", MODELS / "bert_tiny" / "2x7.inputs.npz"]
checks.run("tfc-compile", BERT, "-o", "bert.so")


def check_nan():
    """The first kernel whose result has what nothing it read had; what came in with the inputs is nobody's fault."""
    checks.run("tfc-compile", HERE / "odd.mlir", "-o", "odd.so")
    weights = numpy.eye(4, dtype=numpy.float32)

    def odd(x, code, says):
        numpy.savez("odd.npz", x=numpy.array(x, numpy.float32), w=weights)
        return checks.run("tfc-run", "./odd.so", "--inputs", "odd.npz", "--check-nan", "--threads=1", code=code, says=says)

    clean = odd([[1, 2, 3, 4], [4, 3, 2, 1]], 0, "no kernel makes a NaN or an infinity")
    checks.check("nothing else is said", len(clean.stdout.splitlines()) == 1, clean.stdout)
    negative = odd([[1, 2, 3, 4], [-4, -3, -2, -1]], 1, ["NaN begins in kernel", "node 'logs': at [1], 1 of 2 elements"])
    checks.check("one place, and no infinity", negative.stdout.count("begins in") == 1 and "infinity" not in negative.stdout, negative.stdout)
    odd([[0, 0, 0, 0]], 1, "infinity begins in kernel")
    odd([[numpy.nan, 0, 0, 0], [1, 1, 1, 1]], 0, ["input 'x' has 1 elements that are NaN", "no kernel makes"])
    # An infinity that comes in is made a NaN by the product with zeros.
    odd([[numpy.inf, 1, 1, 1]], 1, "NaN begins in kernel matmul_0, node 'product'")
    # f32 overflows in the second product only.
    weights *= 1e30
    odd([[1, 2, 3, 4]], 1, "node 'again'")
    told = json.loads(checks.run("tfc-run", "./odd.so", "--inputs", "odd.npz", "--check-nan", "--json", code=1).stdout.splitlines()[-1])["not_finite"]
    checks.check("as JSON", told and told[0]["node"] == "again" and told[0]["what"] == "infinity" and told[0]["elements"] <= told[0]["of"], told)
    clean = checks.run("tfc-run", "./bert.so", *INPUTS, "--check-nan", "--json", says="no kernel makes").stdout
    checks.check("nothing found, as JSON", json.loads(clean.splitlines()[-1]) == {"not_finite": []}, clean)


RARE = """module {
  func.func @main(%x: tensor<?xf32, #tfc.dims<n>> {tfc.name = "x"}, %c: tensor<i1> {tfc.name = "choose"}) -> (tensor<?xf32, #tfc.dims<n>> {tfc.name = "y"}) attributes {tfc.entry} {
    %p = tensor.extract %c[] : tensor<i1>
    %a = scf.if %p -> tensor<?xf32, #tfc.dims<n>> {
      %1 = tfc.tanh %x : tensor<?xf32, #tfc.dims<n>> loc("rare")
      scf.yield %1 : tensor<?xf32, #tfc.dims<n>>
    } else {
      scf.yield %x : tensor<?xf32, #tfc.dims<n>>
    }
    %b = tfc.exp %a : tensor<?xf32, #tfc.dims<n>> loc("always")
    return %b : tensor<?xf32, #tfc.dims<n>>
  }
}
"""


def dump_tensors():
    """What a node makes is what it makes when it is an output; nodes inside of kernels are named."""
    said = checks.run("tfc-run", "./bert.so", *INPUTS, "--dump-tensors", "all").stdout
    index = json.loads(pathlib.Path("all/index.json").read_text())
    told = json.loads(checks.run("tfc-run", "./bert.so", *INPUTS, "--dump-tensors", "all", "--json").stdout.splitlines()[-1])
    checks.check("the index on the terminal", told["tensors"] == index and {"node": "/emb/w/Gather", "kernel": index[1]["kernel"]} in told["inside"], told)
    checks.check("every file is listed once", sorted(row["file"] for row in index) == sorted(p.name for p in pathlib.Path("all").glob("*.npy")))
    checks.check("the number is said", said.startswith(f"{len(index)} tensors in all"), said)
    for row in index:
        array = numpy.load(pathlib.Path("all", row["file"]))
        checks.check(row["name"], list(array.shape) == row["shape"] and row["dtype"] == {"float32": "f32", "int64": "i64"}[str(array.dtype)], row)
    names = "^/layers.1/(ln1/LayerNormalization|Mul_1|Transpose_3)$"
    checks.run("tfc-compile", BERT, f"--expose={names}", "-o", "exposed.so")
    checks.run("tfc-run", "./exposed.so", *INPUTS, "--outputs", "exposed.npz")
    checks.run("tfc-run", "./bert.so", *INPUTS, "--dump-tensors", "some", "--names", names, says="3 tensors in some")
    exposed = numpy.load("exposed.npz")
    for row in json.loads(pathlib.Path("some/index.json").read_text()):
        array, expected = numpy.load(pathlib.Path("some", row["file"])), exposed[row["name"]]
        # As an output it has the graph's dims; between kernels heads may lie elsewhere.
        same = array.shape == expected.shape or sorted(array.shape) == sorted(expected.shape)
        checks.check(f"{row['name']} is as exposed", same and numpy.allclose(numpy.sort(array, None), numpy.sort(expected, None), 1e-4, 1e-5), (array.shape, expected.shape))
    last = next(row for row in index if row["name"] == "/layers.1/ln2/LayerNormalization")
    checks.run("tfc-run", "./bert.so", *INPUTS, "--outputs", "out.npz")
    checks.check("the same bits as the output", numpy.array_equal(numpy.load(pathlib.Path("all", last["file"])), numpy.load("out.npz")["last_hidden_state"]))
    checks.run("tfc-run", "./bert.so", *INPUTS, "--dump-tensors", "none", "--names", "layers.0/Softmax", says=["0 tensors", "'/layers.0/Softmax' is inside of kernel attention_0", "--expose"])
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--dump-tensors", "none", "--names", "layers.1/Sofdmax", says=["none of the ", "--names 'layers.1/Sofdmax'", "the nearest: '/layers.1/Softmax', "])
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--dump-tensors", "none", "--names", "(", says="no regular expression")
    checks.refuses("tfc-run", "./bert.so", "--inputs", "nowhere.npz", "--dump-tensors", "none", says="nowhere.npz")
    checks.check("no folder where nothing is written", not os.path.exists("none"))
    pathlib.Path("rare.mlir").write_text(RARE)
    checks.run("tfc-compile", "rare.mlir", "-o", "rare.so")
    for choose, code, says in ((True, 0, "1 tensor in rare"), (False, 2, "did not run")):
        numpy.savez("rare.npz", x=numpy.zeros(3, numpy.float32), choose=numpy.array(choose))
        checks.run("tfc-run", "./rare.so", "--inputs", "rare.npz", "--dump-tensors", f"rare-{choose}", "--names", "rare", code=code, says=says)
        checks.check("a folder for what is made", os.path.exists(f"rare-{choose}") == choose)
    os.mkdir("there")
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--dump-tensors", "there", "--names", "nowhere", says="'nowhere'")
    checks.check("one that was there stays", os.listdir("there") == [])
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--dump-tensors", "bert.so", says="bert.so")


def compare_with():
    """The table against plain kernels and against single ops; a kernel that is wrong is named, and only that one."""
    checks.run("tfc-compile", BERT, "--plain-kernels", "-o", "plain.so")
    checks.run("tfc-compile", BERT, "--reference", "--disable-fusion=attention,layer_norm,gelu,qkv,softmax", "-o", "reference.so")

    def compare(artifact, other, code=0):
        lines = checks.run("tfc-run", artifact, *INPUTS, "--compare-with", other, "--json", code=code).stdout.splitlines()
        return json.loads(lines[-1])["comparison"] if lines else []

    rows = compare("./bert.so", "./plain.so")
    checks.check("a row per launch, each compared", len(rows) > 10 and all(row["error"] is not None and row["fine"] for row in rows), rows)
    checks.check("they are not the same artifact", any(row["error"] > 0 for row in rows))
    rows = compare("./bert.so", "./reference.so")
    checks.check("most have a counterpart", sum(row["error"] is not None for row in rows) > 0.7 * len(rows), rows)

    # A kernel is made wrong: tanh becomes a sigmoid.
    checks.run("tfc-compile", BERT, "--emit=kernels", "-o", "kernels.mlir")
    text = pathlib.Path("kernels.mlir").read_text()
    checks.check("there is one tanh", text.count("= tfc.tanh") == 1)
    pathlib.Path("wrong.mlir").write_text(text.replace("= tfc.tanh", "= tfc.sigmoid"))
    checks.run("tfc-compile", "wrong.mlir", "-o", "wrong.so")
    rows = compare("./wrong.so", "./plain.so", code=1)
    checks.check("that kernel alone", [row["nodes"][-1] for row in rows if not row["fine"]] == ["/Tanh"], rows)
    # In the middle: what follows is computed from the same values, so it is not blamed.
    kernel = re.search(r"func\.func private @(add_add_layer_norm_0)\b.*?\n  }", text, re.S).group(0)
    pathlib.Path("wrong.mlir").write_text(text.replace(kernel, kernel.replace("= tfc.add ", "= tfc.sub ", 1)))
    checks.run("tfc-compile", "wrong.mlir", "-o", "wrong.so")
    for other in ("./plain.so", "./reference.so"):
        rows = compare("./wrong.so", other, code=1)
        checks.check(f"the norms alone ({other})", {row["kernel"] for row in rows if row["error"] is not None and not row["fine"]} == {"add_add_layer_norm_0"}, rows)

    # A decoder: a Gemm is a product in one kernel and a sum in the next, so the product is no node's; caches are the Concats', and an
    # attention is two launches where it is generated.
    for name, flags in (("decoder", []), ("plain-decoder", ["--plain-kernels"]), ("reference-decoder", ["--reference"])):
        checks.run("tfc-compile", MODELS / "gpt2_tiny_past" / "model.op17.onnx", *flags, "-o", f"{name}.so")
    past = ["--inputs", MODELS / "gpt2_tiny_past" / "2x3x5.inputs.npz"]
    for other, least in (("plain", 1.0), ("reference", 0.7)):
        lines = checks.run("tfc-run", "./decoder.so", *past, "--compare-with", f"./{other}-decoder.so", "--json").stdout.splitlines()
        rows = json.loads(lines[-1])["comparison"]
        # The parts of an attention are its kernel's own affair.
        rows = [row for row in rows if not row["kernel"].endswith("_parts")]
        checks.check(f"{other}: compared", sum(row["error"] is not None for row in rows) >= least * len(rows), rows)
        checks.check(f"{other}: every launch has nodes", all(row["nodes"] for row in rows if "cast" not in row["kernel"]), rows)
    checks.run("tfc-run", "./decoder.so", *past, "--dump-tensors", "decoder", "--names", "blocks.0/")
    names = {row["name"] for row in json.loads(pathlib.Path("decoder/index.json").read_text())}
    checks.check("caches by their names", {"/blocks.0/Concat_3", "/blocks.0/Concat_4"} <= names, names)
    checks.check("no part of a node under its name", "/blocks.0/c_proj/Gemm" not in names, names)

    # Loops: a launch that runs several times is compared every time.
    loops = HERE.parent / "ControlFlow" / "loops.mlir"
    for name, flags in (("loops", []), ("plain-loops", ["--plain-kernels"]), ("reference-loops", ["--reference"])):
        checks.run("tfc-compile", loops, *flags, "-o", f"{name}.so")
    numpy.savez("loops.npz", x=numpy.arange(3, dtype=numpy.float32), y=numpy.ones(3, numpy.float32), outer=numpy.int64(3), inner=numpy.int64(2))
    for other in ("plain-loops", "reference-loops"):
        checks.run("tfc-run", "./loops.so", "--inputs", "loops.npz", "--compare-with", f"./{other}.so")

    checks.run("tfc-compile", MODELS / "gpt2_tiny" / "model.op17.onnx", "-o", "gpt.so")
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--compare-with", "./gpt.so")
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--compare-with", "./nowhere.so", says="nowhere.so")


def flags():
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--check-nan", "--profile", says="--profile")
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--check-nan", "--dump-tensors", "d", says="exclude each other")
    checks.refuses("tfc-run", "./bert.so", *INPUTS, "--names", "x", says="--dump-tensors")


check_nan()
dump_tensors()
compare_with()
flags()
sys.exit(checks.finish())
