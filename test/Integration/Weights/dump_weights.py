#!/usr/bin/env python3
"""dump_weights.py FOLDER: the weights of an artifact as a .safetensors file."""

import os
import pathlib
import resource
import sys

import numpy

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "Builtin"), str(HERE.parents[1]), str(HERE.parents[1] / "GpuCheck")]
import reference
from bfloat16 import from_bf16
from checks import Checks, scratch_folder
from files import read_safetensors

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
# Widths that panels do not divide, so that weights have tails, and large enough for weights to be packed.
CONFIG = {"bert": "hidden=56,layers=1,heads=4,vocab=131,positions=24,intermediate=100", "gpt2": "hidden=56,layers=1,heads=4,vocab=131,positions=24"}


def dump(artifact, **keys):
    checks.run("tfc-run", f"./{artifact}", "--dump-weights", f"{artifact}.safetensors", says="weights, ", **keys)
    return read_safetensors(f"{artifact}.safetensors")


def same(name, found, expected):
    checks.check(f"{name}: the same names", set(found) == set(expected), sorted(set(found) ^ set(expected))[:5])
    for key in set(found) & set(expected):
        a, b = found[key], expected[key]
        checks.check(f"{name}: {key}", a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes(), (a.shape, b.shape, a.dtype, b.dtype))


def widened(array):
    """Numbers of bf16, which numpy has as integers, as f32."""
    return from_bf16(array) if array.dtype == numpy.uint16 else array


def from_files():
    """What was read from a file comes back, however it was packed, merged and split; bf16 stays bf16 where products and lookups read it."""
    rng = numpy.random.default_rng()
    for family, config in CONFIG.items():
        shapes = (reference.bert_shapes if family == "bert" else reference.gpt2_shapes)(reference.parse_config(family, config))
        prefix = "bert." if family == "bert" else "transformer."
        tensors = {prefix + name: reference.random_weight(rng, name, shape) for name, shape in shapes}
        for dtype in ("F32", "BF16"):
            reference.write_safetensors("in.safetensors", tensors, dtype)
            expected = {name: array.astype(numpy.float32) for name, array in reference.read_safetensors("in.safetensors").items()}
            for mode, target in (("embed", "cpu:x86-64-v3"), ("external", "cuda-emu:sm_80")) if dtype == "F32" and family == "gpt2" else (("embed", "cpu:x86-64-v4"),):
                checks.run("tfc-compile", "--builtin", family, "--config", config, "--load", "in.safetensors", f"--weights={mode}", "--target", target,
                           "--header=none", "-o", "file.so")
                found = dump("file.so", env={**os.environ, "TFC_MAX_ISA": "x86-64-v2"} if "cuda" in target else None)
                narrow = [name for name, array in found.items() if array.dtype == numpy.uint16]
                tables = {name for name in expected if name.endswith(("dense.weight", "c_fc.weight", "c_proj.weight", "wte.weight", "word_embeddings.weight"))}
                checks.check(f"{family} {dtype}: matrices in 16 bits", len(tables) > 2 and tables <= set(narrow) if dtype == "BF16" else not narrow, narrow)
                same(f"{family} {dtype} {mode} {target}", {name: widened(array) for name, array in found.items()}, expected)


def from_seeds():
    """Seeded weights are made as the compiler would have made them, wherever the model runs."""
    for family, config in CONFIG.items():
        for mode, target in (("embed", "cpu"), ("seed", "cpu"), ("seed", "cuda-emu:sm_80")):
            checks.run("tfc-compile", "--builtin", family, "--config", config, "--seed=9", f"--weights={mode}", "--target", target, "--header=none", "-o",
                       f"{mode}.{target[:4]}.so")
        # Embedded, they were written by the compiler as they are.
        expected = dump("embed.cpu.so")
        checks.check("there are as many as the family has", len(expected) > 10, len(expected))
        for artifact in ("seed.cpu.so", "seed.cuda.so"):
            same(f"{family} {artifact}", dump(artifact), expected)
        checks.run("tfc-compile", "--builtin", family, "--config", config, "--seed=10", "--weights=seed", "--header=none", "-o", "other.so")
        other = dump("other.so")
        checks.check("another seed, other weights", any(other[name].tobytes() != array.tobytes() for name, array in expected.items()))


PARTS = """module attributes {tfc.model_name = "parts"} {
  tfc.weight @used : tensor<2x3xf32> = dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  tfc.weight @"half \\22 used" : tensor<4xf32> = dense<[1.0, 2.0, 3.0, 4.5]> : tensor<4xf32>
  tfc.weight @unused : tensor<2xf32> = dense<[7.0, 8.0]> : tensor<2xf32>
  func.func @main(%x: tensor<2x3xf32> {tfc.name = "x"}) -> (tensor<3x2xf32> {tfc.name = "y"}, tensor<2xf32> {tfc.name = "z"}) attributes {tfc.entry} {
    %w = tfc.weight_ref @used : tensor<2x3xf32>
    %h = tfc.weight_ref @"half \\22 used" : tensor<4xf32>
    %s = tfc.slice %h offsets [2] strides [1] : tensor<4xf32> -> tensor<2xf32>
    %z = tfc.neg %s : tensor<2xf32>
    %a = tfc.add %x, %w : tensor<2x3xf32>, tensor<2x3xf32>
    %y = tfc.transpose %a [1, 0] : tensor<2x3xf32>
    return %y, %z : tensor<3x2xf32>, tensor<2xf32>
  }
}
"""


def missing():
    """What the artifact does not hold as it was is named, not made up."""
    pathlib.Path("parts.mlir").write_text(PARTS)
    checks.run("tfc-compile", "parts.mlir", "--header=none", "-o", "parts.so")
    said = checks.run("tfc-run", "./parts.so", "--dump-weights", "parts.safetensors").stdout
    found = read_safetensors("parts.safetensors")
    checks.check("what is used is there", found.get("used", numpy.zeros(0)).tolist() == [[1, 2, 3], [4, 5, 6]], found)
    for name in ("unused", 'half \\" used'):
        checks.check(f"{name} is named", f'not in the model as the graph has it: "{name}"' in said and name not in found, said)


def failures():
    """A file is there when it is complete, or not at all."""
    before = set(os.listdir())
    checks.refuses("tfc-run", "./seed.cpu.so", "--dump-weights", "nowhere/w.safetensors", says="cannot write nowhere/w.safetensors")
    checks.refuses("tfc-run", "./seed.cpu.so", "--dump-weights", "w.safetensors", code=3, says="cannot write w.safetensors",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000)))
    checks.refuses("tfc-run", "./seed.cpu.so", "--dump-weights", "w.safetensors", "--random", says="--dump-weights runs nothing")
    checks.check("nothing is left behind", set(os.listdir()) == before, set(os.listdir()) - before)


from_files()
from_seeds()
missing()
failures()
sys.exit(checks.finish())
