# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws what a model's attentions look at: python -m tfc.attention_map model.onnx --inputs x.npz -o maps/

The model is compiled with --emit-attention, run once, and each attention is drawn as one picture with a heat map per
head: queries from top to bottom, keys from left to right, dark where much is attended. Needs matplotlib.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile

import numpy as np

from ._compile import compile
from ._errors import Error
from ._model import load


def draw(probabilities: np.ndarray, title: str, path: pathlib.Path, tokens: list[str] | None = None) -> None:
    """Writes one picture of one attention.

    probabilities: [heads, queries, keys]. tokens: names of the keys, the last ones also of the queries, or of the queries alone;
    None: positions.
    """
    import matplotlib  # type: ignore

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    heads, queries, keys = probabilities.shape
    past = keys - queries
    top = max(float(probabilities.max(initial=0.0)), 1e-6)  # else a map of many keys is white
    columns = min(4, heads)
    rows = -(-heads // columns)
    side = min(6.0, max(2.2, 0.16 * max(queries, keys) + 0.8))
    figure, axes = pyplot.subplots(rows, columns, figsize=(side * columns, side * rows + 0.6), squeeze=False, layout="constrained")
    for head, axis in enumerate(axes.flat):
        if head >= heads:
            axis.axis("off")
            continue
        image = axis.imshow(probabilities[head], cmap="Blues", vmin=0.0, vmax=top, aspect="auto", interpolation="nearest",
                            extent=(-0.5, keys - 0.5, keys - 0.5, past - 0.5))
        axis.set_title(f"head {head}", fontsize=9)
        axis.tick_params(labelsize=6)
        axis.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        axis.yaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        # With a past there are more keys than queries, and the tokens may be those of the queries alone.
        if tokens and len(tokens) == keys and keys <= 48:
            axis.set_xticks(range(keys), tokens, rotation=90, fontsize=6)
        if tokens and len(tokens) in (queries, keys) and queries <= 48:
            axis.set_yticks(range(past, keys), tokens[-queries:], fontsize=6)
    figure.suptitle(title, fontsize=11)
    figure.colorbar(image, ax=axes, shrink=0.6, label="probability")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tfc.attention_map", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a .onnx or .mlir file")
    parser.add_argument("--inputs", required=True, metavar="FILE.npz", help="arrays by the names of the model's inputs")
    parser.add_argument("-o", "--output", default="attention", metavar="FOLDER", help="where the pictures go (default: attention)")
    parser.add_argument("--batch", type=int, default=0, metavar="N", help="which row of the batch (default 0)")
    parser.add_argument("--tokens", metavar="FILE", help="one token per line, for the axes (default: the first integer input's numbers)")
    parser.add_argument("--npz", metavar="FILE.npz", help="write the probabilities as arrays too")
    options = parser.parse_args(words)
    try:
        with np.load(options.inputs) as archive:
            inputs = {name: archive[name] for name in archive.files}
        with tempfile.TemporaryDirectory(prefix="tfc-") as scratch:
            model = load(compile(options.model, pathlib.Path(scratch, "model.so"), "--emit-attention", "--header=none"))
        outputs = {name: array for name, array in model(inputs).items() if name.startswith("attention.")}
        if not outputs:
            print("error: the model has no attention that tfc recognizes; tfc-compile --explain-fusion says why", file=sys.stderr)
            return 2
        tokens = _tokens(options, inputs)
        folder = pathlib.Path(options.output)
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in outputs.items():
            if not 0 <= options.batch < array.shape[0]:
                print(f"error: --batch {options.batch}, but there are {array.shape[0]} rows", file=sys.stderr)
                return 2
            draw(array[options.batch], f"{pathlib.Path(options.model).name}: {name}", folder / f"{name}.png", tokens)
        if options.npz:
            np.savez(options.npz, **outputs)
        print(f"{len(outputs)} pictures in {folder}")
        return 0
    except ImportError as problem:
        print(f"error: {problem}; Debian's package python3-matplotlib has it", file=sys.stderr)
        return 2
    except (Error, OSError, ValueError) as problem:
        print(f"error: {str(problem).removeprefix('error: ')}", file=sys.stderr)
        return 2


def _tokens(options: argparse.Namespace, inputs: dict[str, np.ndarray]) -> list[str] | None:
    if options.tokens:
        return pathlib.Path(options.tokens).read_text().split("\n")[:-1]
    for array in inputs.values():
        if array.dtype.kind == "i" and array.ndim == 2 and options.batch < array.shape[0]:
            return [str(number) for number in array[options.batch]]
    return None


if __name__ == "__main__":
    sys.exit(main())
