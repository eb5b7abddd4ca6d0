# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running a model with ONNX Runtime, Python's or npm's."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

from ._errors import Code, Error

_TYPES = {"float32": "f4", "float64": "f8", "float16": "f2", "bool": "?", **{f"{u}int{n}": f"{u[:1] or 'i'}{n // 8}" for u in ("", "u") for n in (8, 16, 32, 64)}}
_RUNNER = pathlib.Path(__file__).resolve().parent / "run_ort.js"


def which() -> str:
    """"python" or "node": whose ONNX Runtime is there. Raises Error (NOT_FOUND)."""
    if importlib.util.find_spec("onnxruntime"):
        return "python"
    folders = [*filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep)), "node_modules"]
    if shutil.which("node") and any(os.path.isdir(os.path.join(folder, "onnxruntime-node")) for folder in folders):
        return "node"
    raise Error(
        "no ONNX Runtime: install Python's (pip install onnxruntime), or npm's (npm install onnxruntime-node) and set NODE_PATH to its node_modules",
        Code.NOT_FOUND,
    )


def run(model: str | os.PathLike[str], inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All outputs by name, each node computed as the graph says. Raises Error with what ONNX Runtime said."""
    return _run_python(model, inputs) if which() == "python" else _run_node(model, inputs)


def _run_python(model: str | os.PathLike[str], inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    import onnxruntime  # type: ignore

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(os.fspath(model), options, providers=["CPUExecutionProvider"])
        return dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs)))
    except Exception as problem:  # each of its errors has a class of its own
        raise Error(f"ONNX Runtime: {problem}", Code.BAD_INPUT) from None


def _run_node(model: str | os.PathLike[str], inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory(prefix="tfc-ort-") as name:
        folder = pathlib.Path(name)
        feeds = []
        for number, (key, array) in enumerate(inputs.items()):
            (folder / f"in{number}").write_bytes(np.ascontiguousarray(array).tobytes())
            feeds.append({"name": key, "type": str(array.dtype), "dims": array.shape, "file": f"in{number}"})
        (folder / "request.json").write_text(json.dumps({"model": os.path.abspath(model), "feeds": feeds}))
        node = subprocess.run(["node", str(_RUNNER), name], capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
        answer = folder / "answer.json"
        if not answer.exists():
            raise Error(f"ONNX Runtime: node ended with exit code {node.returncode}: {node.stderr.strip()[-500:]}", Code.SYSTEM)
        told = json.loads(answer.read_text())
        if "error" in told:
            raise Error(f"ONNX Runtime: {told['error']}", Code.BAD_INPUT)
        return {
            row["name"]: np.frombuffer((folder / row["file"]).read_bytes(), _TYPES[row["type"]]).reshape(row["dims"])
            for row in told["outputs"]
            if row["type"] in _TYPES
        }
