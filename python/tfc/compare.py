# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a model with ONNX Runtime, node by node: python -m tfc.compare model.onnx --inputs x.npz

Both run the same inputs with the tensors of all nodes as extra outputs; a table shows the worst error of each, in the order of the
graph, and the first node beyond the tolerance is named. The outputs of the model as it is usually compiled, with everything
fused, are compared as well. Needs ONNX Runtime, Python's or npm's.

Exit codes: 0 all is within the tolerance; 1 something is not; 2 bad input, or something is missing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

from . import _find, _onnx, _ort
from ._compile import compile
from ._errors import Code, Error
from ._model import load


@dataclasses.dataclass(frozen=True)
class Row:
    """One tensor. error: of its worst element. largest: the largest magnitude expected. fine: whether all elements are close enough."""

    node: str
    op: str
    shape: tuple[int, ...]
    error: float
    largest: float
    fine: bool


def measure(node: str, op: str, found: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> Row:
    """Integers and booleans must be equal; NaN equals NaN, an infinity itself."""
    if found.shape != expected.shape:
        return Row(node, op, found.shape, np.inf, np.inf, False)
    if expected.dtype.kind != "f":
        differ = found != expected
        worst = float(np.abs(found[differ].astype(float) - expected[differ].astype(float)).max(initial=0.0))
        return Row(node, op, found.shape, worst, float(np.abs(expected.astype(float)).max(initial=0.0)), not differ.any())
    got, wanted = found.astype(np.float64), expected.astype(np.float64)
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    with np.errstate(invalid="ignore"):
        errors = np.where(same, 0.0, np.abs(got - wanted))
        errors[np.isnan(errors)] = np.inf
        finite = np.where(np.isfinite(wanted), np.abs(wanted), 0.0)
    return Row(node, op, found.shape, float(errors.max(initial=0.0)), float(finite.max(initial=0.0)), bool((errors <= atol + rtol * finite).all()))


def _say(step: str) -> None:
    """A sign of life for somebody who waits."""
    if sys.stderr.isatty():
        print(f"{step} ...", file=sys.stderr, flush=True)


def compare(model: str, inputs: dict[str, np.ndarray], rtol: float = 1e-3, atol: float = 1e-4, names: str = ".") -> tuple[list[Row], list[Row]]:
    """Rows for the nodes, in the order of the graph, and for the outputs of the model as it is usually compiled.

    model: path of an .onnx file. names: regular expression of the nodes to look at; those that both make as one tensor are compared.
    Raises Error, also when a side cannot run the model, and OSError or ValueError when the file is no model.
    """
    _ort.which()
    _say("reading the graph, running ONNX Runtime")
    graph = _onnx.read_graph(model)
    single = [node for node in graph.nodes if len(node.outputs) == 1 and node.outputs[0]]
    wanted = [node.outputs[0] for node in single if node.outputs[0] not in graph.outputs]
    # Weights outside the file are looked up beside it.
    place = pathlib.Path(model).resolve().parent if graph.external else None
    with tempfile.TemporaryDirectory(prefix=".tfc-", dir=place) as folder:
        extended = pathlib.Path(folder, "extended.onnx") if place is None else place / f"{pathlib.Path(folder).name}.onnx"
        try:
            shutil.copyfile(model, extended)
            with open(extended, "ab") as file:
                file.write(_onnx.more_outputs(wanted))
            expected = _ort.run(extended, inputs)
        finally:
            extended.unlink(missing_ok=True)
        _say("compiling with all tensors as outputs, running")
        exposed = load(compile(model, pathlib.Path(folder, "exposed.so"), f"--expose={names}", "--header=none"))(inputs)
        _say("compiling as usual, running")
        usual = load(compile(model, pathlib.Path(folder, "usual.so"), "--header=none"))(inputs)
    rows: list[Row] = []
    seen = set()
    for node in single:
        # A node that is called like an output has a number behind its name.
        name = f"{node.name}#2" if node.name in graph.outputs else node.name
        if name in exposed and node.outputs[0] in expected and name not in seen:
            seen.add(name)
            rows.append(measure(node.name, node.op, exposed[name], expected[node.outputs[0]], rtol, atol))
    if not rows:
        raise Error(f"no node that both make as a tensor has a name that '{names}' matches", Code.BAD_INPUT)
    return rows, [measure(name, "output", usual[name], expected[name], rtol, atol) for name in usual if name in expected]


def table(rows: list[Row]) -> str:
    width = min(60, max([4, *(len(row.node) for row in rows)]))
    lines = [f"{'node':<{width}}  {'operator':<20} {'shape':<18} {'error':>10} {'of largest':>10}"]
    for row in rows:
        name = row.node if len(row.node) <= width else "..." + row.node[3 - width :]
        part = row.error / row.largest if row.error and row.largest else row.error
        lines.append(f"{name:<{width}}  {row.op:<20} {str(list(row.shape)):<18} {row.error:>10.3g} {part:>10.3g}{'' if row.fine else '  TOO FAR'}")
    return "\n".join(lines)


def as_json(nodes: list[Row], outputs: list[Row]) -> str:
    """Both tables as one object; an error that is infinite is null."""

    def plain(row: Row) -> dict[str, object]:
        finite = {key: value if math.isfinite(value) else None for key, value in (("error", row.error), ("largest", row.largest))}
        return {**dataclasses.asdict(row), **finite}

    return json.dumps({"nodes": [plain(row) for row in nodes], "outputs": [plain(row) for row in outputs]})


def _inputs(options: argparse.Namespace, folder: str) -> dict[str, np.ndarray]:
    path = options.inputs
    if path is None:
        artifact, path = compile(options.model, pathlib.Path(folder, "model.so"), "--header=none"), f"{folder}/inputs.npz"
        tool = pathlib.Path(_find.compiler()).with_name("tfc-run")
        words = [str(tool), str(artifact), "--random", "--seed", str(options.seed), "--save-inputs", path]
        result = subprocess.run(words + (["--dim", options.dim] if options.dim else []), capture_output=True, text=True, errors="replace")
        if result.returncode:
            raise Error(result.stderr.strip().removeprefix("tfc-run: error: "), Code.BAD_INPUT)
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tfc.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="an .onnx file")
    parser.add_argument("--inputs", metavar="FILE.npz", help="arrays by the names of the model's inputs (default: made-up ones, sized by --dim)")
    parser.add_argument("--dim", metavar="NAME=N,...", help="sizes of the model's symbols for made-up inputs")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other made-up inputs")
    parser.add_argument("--names", default=".", metavar="REGEX", help="the nodes to look at (default: all)")
    parser.add_argument("--rtol", type=float, default=1e-3, metavar="X", help="allowed: atol + rtol * |expected| (default 1e-3)")
    parser.add_argument("--atol", type=float, default=1e-4, metavar="X", help="(default 1e-4)")
    parser.add_argument("--json", action="store_true", help="last line: both tables as one object")
    options = parser.parse_args(words)
    try:
        with tempfile.TemporaryDirectory(prefix="tfc-") as folder:
            inputs = _inputs(options, folder)
        nodes, outputs = compare(options.model, inputs, options.rtol, options.atol, options.names)
    except (Error, OSError, ValueError) as problem:
        print(f"error: {str(problem).removeprefix('error: ')}", file=sys.stderr)
        return 2
    code = _tell(nodes, outputs)
    if options.json:
        print(as_json(nodes, outputs))
    return code


def _tell(nodes: list[Row], outputs: list[Row]) -> int:
    """Prints tables and verdict; gives the exit code."""
    print(table(nodes))
    print("\nAs it is usually compiled, everything fused:\n" + table(outputs))
    wrong = next((row for row in nodes if not row.fine), None)
    if wrong:
        print(f"\nfirst node beyond the tolerance: {wrong.node} ({wrong.op}), error {wrong.error:.3g}")
    elif any(not row.fine for row in outputs):
        print("\nevery node is right, but what is fused is not: tfc-bisect finds what breaks it")
    else:
        print(f"\n{len(nodes)} nodes and {len(outputs)} outputs are within the tolerance")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
