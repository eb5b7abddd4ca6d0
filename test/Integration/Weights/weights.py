#!/usr/bin/env python3
"""weights.py FOLDER: the three ways weights travel, tied weights, and what happens to damaged ones."""

import json
import os
import pathlib
import struct
import subprocess
import sys

import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "Builtin")]
import reference
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
MODES = ("embed", "external", "seed")
# The table of tokens is much larger than the rest, and it is used twice.
GPT = ["--builtin", "gpt2", "--config", "hidden=16,layers=1,heads=2,vocab=2000,positions=16"]
TABLE = 2000 * 16 * 4


def weights_of(model):
    return json.loads(checks.run("tfc-run", f"./{model}", "--describe", "--json").stdout)["weights"]


def built_in():
    """A built-in graph gives the same bits whichever way its weights travel; a seed needs no file and no room."""
    results = {}
    for mode in MODES:
        checks.run("tfc-compile", *GPT, "--seed=5", f"--weights={mode}", "-o", f"{mode}.so")
        checks.run("tfc-run", f"./{mode}.so", "--random", "--dim", "batch=2,seq=3,past=2", "--outputs", f"{mode}.npz", "--threads", "2" if mode == "embed" else "1")
        results[mode] = {name: array.tobytes() for name, array in numpy.load(f"{mode}.npz").items()}
        checks.check(f"{mode} is what the artifact says", weights_of(f"{mode}.so")["mode"] == mode)
    checks.check("external weights give the same bits", results["embed"] == results["external"])
    checks.check("weights made from the seed give the same bits", results["embed"] == results["seed"])
    checks.check("only external weights have a file", sorted(p.name for p in folder.glob("*.weights")) == ["external.weights"])
    size = {mode: os.path.getsize(f"{mode}.so") for mode in MODES}
    checks.check("embedded weights are in the library", size["embed"] - size["seed"] >= TABLE, size)
    checks.check("the tied table is stored once", TABLE <= os.path.getsize("external.weights") < 1.5 * TABLE, os.path.getsize("external.weights"))
    checks.run("tfc-compile", *GPT, "--seed=6", "--weights=seed", "-o", "other.so")
    checks.run("tfc-run", "./other.so", "--random", "--dim", "batch=2,seq=3,past=2", "--outputs", "other.npz")
    other = {name: array.tobytes() for name, array in numpy.load("other.npz").items()}
    checks.check("another seed, other weights", other["logits"] != results["embed"]["logits"])


PADDED = """module attributes {tfc.model_name = "padded"} {
  tfc.weight @w : tensor<5x7xf32> = #tfc.seed<normal, 3, 1, 0.0 : f64, 1.0 : f64>
  func.func @main(%x: tensor<9x12xf32> {tfc.name = "x"}) -> (tensor<9x12xf32> {tfc.name = "y"}, tensor<5x7xf32> {tfc.name = "w"}) attributes {tfc.entry} {
    %w = tfc.weight_ref @w : tensor<5x7xf32>
    %p = tfc.pad %w "constant" low [2, 3] : (tensor<5x7xf32>) -> tensor<9x12xf32>
    %y = tfc.add %x, %p : tensor<9x12xf32>, tensor<9x12xf32>
    %z = tfc.neg %w : tensor<5x7xf32>
    return %y, %z : tensor<9x12xf32>, tensor<5x7xf32>
  }
}
"""


def padded():
    """Padding is a layout: written with the artifact, or made by the runtime from the seed."""
    pathlib.Path("padded.mlir").write_text(PADDED)
    numpy.savez("zeros.npz", x=numpy.zeros((9, 12), numpy.float32))
    for mode in MODES:
        checks.run("tfc-compile", "padded.mlir", f"--weights={mode}", "-o", f"padded-{mode}.so")
        checks.run("tfc-run", f"./padded-{mode}.so", "--inputs", "zeros.npz", "--outputs", "padded.npz")
        outputs = numpy.load("padded.npz")
        checks.check(f"padding, {mode}", (outputs["y"] == numpy.pad(-outputs["w"], ((2, 2), (3, 2)))).all() and outputs["w"].std() > 0.5)


def onnx():
    """A file's weights have no seed: they travel with the artifact in every mode."""
    case = MODELS / "bert_tiny" / "2x7"
    for mode in ("external", "seed"):
        checks.run("tfc-compile", MODELS / "bert_tiny" / "model.op17.onnx", f"--weights={mode}", "-o", f"bert-{mode}.so")
        checks.run("tfc-run", f"./bert-{mode}.so", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz", says="as expected")


def damage():
    """An external file must be the one that was written; where it lies matters, where the program stands does not."""
    run = ["tfc-run", str(folder / "external.so"), "--random", "--dim", "batch=1,seq=1,past=0"]
    checks.run(*run, cwd="/")
    file = pathlib.Path("external.weights")
    whole = file.read_bytes()
    for name, contents in (("one bit", whole[:-1] + bytes([whole[-1] ^ 1])), ("too short", whole[:-64]), ("too long", whole + bytes(64)), ("empty", b"")):
        file.write_bytes(contents)
        checks.refuses(*run, says="external.weights")
        checks.check(f"{name} is another file", contents != whole)
    file.unlink()
    checks.refuses(*run, says="external.weights")
    file.write_bytes(whole)
    checks.run(*run)


def segments():
    """Embedded weights are read-only, and no relocation touches them."""
    lines = subprocess.run(["readelf", "-lW", "embed.so"], capture_output=True, text=True, check=True).stdout.splitlines()
    loads = [line.split() for line in lines if line.split()[:1] == ["LOAD"]]
    last = loads[-1]
    checks.check("the last segment is read-only and holds the weights", last[6] == "R" and int(last[4], 16) >= TABLE and int(last[1], 16) % 4096 == 0, last)
    begin, end = int(last[2], 16), int(last[2], 16) + int(last[5], 16)
    relocations = subprocess.run(["readelf", "-rW", "embed.so"], capture_output=True, text=True, check=True).stdout.splitlines()
    offsets = [int(line.split()[0], 16) for line in relocations if line[:12].strip() and all(c in "0123456789abcdef" for c in line.split()[0]) and len(line.split()[0]) >= 12]
    checks.check("no relocation in the weights", offsets and not [o for o in offsets if begin <= o < end])


def safetensors():
    """Weights from a file with the Hugging Face names; a broken one is refused."""
    config = "hidden=32,layers=1,heads=2,vocab=40,positions=8"
    pathlib.Path("load").mkdir()
    cases = reference.write("gpt2", pathlib.Path("load"), config, "F32", False)
    words = ["tfc-compile", "--builtin", "gpt2", "--config", config, "--load"]
    checks.run(*words, "load/weights.safetensors", "-o", "load/model.so")
    for case in cases:
        checks.run("tfc-run", "load/model.so", "--inputs", f"load/{case}.inputs.npz", "--expect", f"load/{case}.outputs.npz")
    whole = pathlib.Path("load/weights.safetensors").read_bytes()
    for name, contents in (("cut", whole[: len(whole) // 2]), ("long", struct.pack("<Q", 2**63) + whole[8:]), ("none", b"")):
        pathlib.Path(f"{name}.safetensors").write_bytes(contents)
        checks.refuses(*words, f"{name}.safetensors", "-o", "broken.so", says=f"{name}.safetensors")
    checks.refuses(*words, "nosuch.safetensors", "-o", "broken.so", says="nosuch.safetensors")
    checks.refuses(*[word.replace("vocab=40", "vocab=41") for word in words], "load/weights.safetensors", "-o", "broken.so", says="wte")
    checks.check("nothing is left", not list(folder.glob("broken*")))


for part in (built_in, padded, onnx, damage, segments, safetensors):
    part()
sys.exit(checks.finish())
