# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running tfc-compile."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
from typing import overload

from . import _find
from ._errors import Code, CompileError, Error
from ._model import Model, load


@overload
def compile(source: str | os.PathLike[str] | None, artifact: None = None, *flags: str) -> Model: ...
@overload
def compile(source: str | os.PathLike[str] | None, artifact: str | os.PathLike[str], *flags: str) -> pathlib.Path: ...
def compile(source: str | os.PathLike[str] | None, artifact: str | os.PathLike[str] | None = None, *flags: str) -> Model | pathlib.Path:
    """Compiles a model with tfc-compile and loads it: model = tfc.compile("model.onnx").

    source: a .onnx or .mlir file; None for a built-in graph: tfc.compile(None, "bert.so", "--builtin=bert-base").
    artifact: where the model.so is to be; its path is returned then, and nothing is loaded. None: the artifact is kept
        only as long as the model.
    flags: those of the command line, one string each; `tfc-compile --help` lists them.

    What the compiler says of a compilation that succeeds goes to sys.stderr. Raises CompileError with its message
    and exit code when it fails, Error (NOT_FOUND) when there is no tfc-compile.
    """
    if artifact is None:
        if any(flag.startswith("--weights=external") for flag in flags):
            raise Error("external weights need an artifact to lie beside", Code.BAD_ARGUMENT)
        with tempfile.TemporaryDirectory(prefix="tfc-") as folder:
            # Loaded, the library is mapped: it can go from the folder.
            return load(compile(source, os.path.join(folder, "model.so"), *flags))
    command = [_find.compiler(), *([] if source is None else [_file(source)]), "-o", _file(artifact), *flags]
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    except (OSError, ValueError) as problem:
        raise Error(f"cannot run {command[0]}: {problem}", Code.SYSTEM) from None
    said = result.stderr.strip()
    if result.returncode < 0:
        said = f"{said}\ntfc-compile was ended by signal {-result.returncode}".strip()
    if "error while loading shared libraries" in said:
        packages = _find.needed_packages()
        raise Error(f"{said}" + (f"; tfc-compile needs these Debian packages: {packages}" if packages else ""), Code.SYSTEM)
    if result.returncode:
        raise CompileError(said or f"tfc-compile ended with exit code {result.returncode}", result.returncode)
    if said:
        print(said, file=sys.stderr)
    return pathlib.Path(artifact)


def _file(path: str | os.PathLike[str]) -> str:
    """A path as an argument: one that begins with a dash must not be taken for a flag."""
    name = os.fspath(path)
    return os.path.join(".", name) if name.startswith("-") else name
