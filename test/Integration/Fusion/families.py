#!/usr/bin/env python3
"""families.py FOLDER FAMILY...: the families of graph patterns that exporters write, each in its variants and near-misses, as ONNX
models. Each says what must be told of it (--explain-fusion), with the node where that stands. With --verify, what fuses is run
with and without each fusion as well. docs/Fusion.md, "Families", is the list.
"""

import os
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "Frontend/ONNX")]
import family_attention, family_models, family_norms, family_others  # noqa: F401 - they register their cases
import onnx_writer as onnx
from checks import Checks
from family_parts import FAMILIES, HEADS, HIDDEN, SIZE, weight
from graph import INT64, Graph


def run(checks, family, name, build, told, opset, verify):
    g = Graph(opset)
    g.more_inputs = []
    made = build(g, "x", "attention_mask")
    outputs = list(made) if isinstance(made, tuple) else [made]
    used = {i for node in g.uses for i in node} | set(outputs)
    inputs = [onnx.value_info("x", ["b", "s", HIDDEN]), onnx.value_info("attention_mask", ["b", "s"], INT64)]
    inputs = [i for i, n in zip(inputs, ("x", "attention_mask")) if n in used] + g.more_inputs
    path = pathlib.Path(f"{family}.{name}.onnx")
    path.write_bytes(onnx.model(onnx.graph(g.nodes, inputs, outputs, g.weights), (("", opset), ("com.microsoft", 1))))
    result = checks.run("tfc-compile", path, "--emit=kernels", "-o", path.with_suffix(".mlir"), "--explain-fusion")
    for text in told:
        wanted = not text.startswith("!")
        text = text.removeprefix("!")
        starts = text.startswith(("fused:", "not fused:"))
        found = any(line.startswith(text) if starts else text in line for line in result.stderr.splitlines())
        checks.check(f"{family} {name}: {text}", found == wanted, "\n" + result.stderr)
    if verify:
        compare(checks, path, inputs)


FUSIONS = "attention,layer_norm,rms_norm,softmax,gelu,silu,swiglu,embedding,qkv,epilogue"


def compare(checks, path, inputs):
    """Fused and unfused agree on inputs with padding, NaN where NaN."""
    arrays = {"x": weight(2, 5, HIDDEN) * 3, "attention_mask": np.array([[1] * 5, [1, 1, 1, 0, 0]]),
              "encoded": weight(2, 7, HIDDEN), "past_key": weight(2, HEADS, 3, SIZE), "past_value": weight(2, HEADS, 3, SIZE), "past": weight(2, 2, HEADS, 3, SIZE)}
    np.savez(path.with_suffix(".in.npz"), **arrays)
    results = []
    for kind, words in (("unfused", [f"--disable-fusion={FUSIONS}"]), ("fused", [])):
        library, made = pathlib.Path(f"{path.stem}.{kind}.so").resolve(), f"{path.stem}.{kind}.npz"
        checks.run("tfc-compile", path, "-o", library, *words)
        checks.run("tfc-run", library, "--inputs", path.with_suffix(".in.npz"), "--outputs", made)
        results.append(dict(np.load(made)))
    for name, wanted in results[0].items():
        got = results[1][name]
        same = np.isnan(wanted) == np.isnan(got)
        allowed = (2e-3 if "half" in path.name or "cast" in path.name else 1e-5) * np.nanmax(np.abs(wanted))
        error = np.nanmax(np.abs(got - wanted))
        checks.check(f"{path.stem}: fused equals unfused", same.all() and error <= allowed, f"error {error}, allowed {allowed}")


def main():
    folder, *names = [word for word in sys.argv[1:] if not word.startswith("--")]
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    checks = Checks()
    for family, cases in sorted(FAMILIES.items(), key=lambda item: int(item[0].split("-")[0])):
        if not names or family in names or family.split("-")[0] in names:
            for name, build, told, opset in cases:
                run(checks, family, name, build, told, opset, "--verify" in sys.argv)
    sys.exit(checks.finish())


main()
