#!/usr/bin/env python3
"""Compiles every function of a lit file with and without fusion, runs both on made-up inputs, and compares.

    fused_equals_unfused.py FILE.mlir...

The functions are the variants and near-misses that the passes are tested on. Masks are random, with rows that allow no key; what
is added to scores has rows of the lowest number and of -inf. Fused and unfused must agree within 1e-5 of the output's
largest magnitude, with NaN where there is NaN. Exit code 1 when one differs.
"""

import pathlib
import re
import sys
import tempfile

import numpy

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from model_runs import call, worst_error  # noqa: E402

ALL = "--disable-fusion=attention,layer_norm,rms_norm,softmax,gelu,silu,swiglu,embedding,qkv,epilogue"
SIGNATURE = re.compile(r"func\.func @(\w+)\((.*?)\) -> (\(.*?\)|\S+) \{\n", re.S)


def make_entry(chunk):
    """The chunk as a module with one entry point; its name, and the arguments as (name, type)."""
    for alias, text in re.findall(r"^!(\w+) = (.*)$", chunk, re.M):
        chunk = re.sub(rf"^!{alias} = .*$", "", chunk, flags=re.M)
        chunk = re.sub(rf"!{alias}\b", text, chunk)
    found = SIGNATURE.search(chunk)
    # Half precision agrees only to its own precision.
    if not found or "?" in found[2] or "f16" in found[2]:
        return None
    arguments = re.findall(r"%(\w+): (tensor<\w+>)", found[2])
    results = re.findall(r"tensor<\w+>", found[3])
    takes = ", ".join(f'%{name}: {kind} {{tfc.name = "{name}"}}' for name, kind in arguments)
    gives = ", ".join(f'{kind} {{tfc.name = "out{i}"}}' for i, kind in enumerate(results))
    head = f"func.func @main({takes}) -> ({gives}) attributes {{tfc.entry}} {{\n"
    return found[1], arguments, chunk[: found.start()] + head + chunk[found.end() :]


def make_inputs(arguments, random):
    """One array per argument. Keys are the last dim of masks and of what is added to scores."""
    arrays = {}
    for name, kind in arguments:
        *shape, element = kind[len("tensor<") : -1].split("x")
        shape = [int(n) for n in shape]
        if element == "i1":
            mask = random.random(shape) < 0.6
            if mask.ndim > 1:
                mask.reshape(-1, shape[-1])[0] = False
            arrays[name] = mask
            continue
        # Of a usual size: a rounded constant (0.7071) may cost 3e-6, whatever the size of the output.
        array = (2 * random.standard_normal(shape)).astype(numpy.float32)
        if name == "b" and array.ndim > 1:
            array[random.random(shape) < 0.3] = numpy.finfo(numpy.float32).min
            rows = array.reshape(-1, shape[-1])
            rows[0] = numpy.finfo(numpy.float32).min
            rows[-1] = -numpy.inf
        arrays[name] = array
    return arrays


def check(chunk, folder):
    entry = make_entry(chunk)
    if entry is None:
        return True
    name, arguments, text = entry
    (folder / "model.mlir").write_text(text)
    numpy.savez(folder / "inputs.npz", **make_inputs(arguments, numpy.random.default_rng(7)))
    outputs = []
    for variant, flags in (("fused", []), ("unfused", [ALL])):
        library = folder / f"{variant}.so"
        call("tfc-compile", folder / "model.mlir", "-o", library, "--header=none", *flags)
        call("tfc-run", library, "--inputs", folder / "inputs.npz", "--outputs", folder / f"{variant}.npz")
        with numpy.load(folder / f"{variant}.npz") as file:
            outputs.append(dict(file))
    error = worst_error(*outputs)
    passed = error <= 1e-5
    print(f"{'ok' if passed else 'FAILED':7}{name}: worst error {error:.1e}")
    return passed


def main():
    passed = True
    for path in sys.argv[1:]:
        for chunk in pathlib.Path(path).read_text().split("// -----\n"):
            with tempfile.TemporaryDirectory() as name:
                passed &= check(chunk, pathlib.Path(name))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
