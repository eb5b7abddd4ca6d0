#!/usr/bin/env python3
"""same_bytes.py FOLDER: the same input gives the same bytes; names and order of the file's nodes do not reach the machine code."""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "Backend"), str(HERE.parents[1] / "Frontend" / "ONNX")]
from checks import MODELS, Checks, scratch_folder
from onnx_reader import fields
from onnx_writer import chunk, number

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
source = MODELS / "bert_tiny" / "model.op17.onnx"
shutil.copy(source, "bert.onnx")


def compile_in(place, model, *words):
    pathlib.Path(place).mkdir()
    checks.run("tfc-compile", model, "-o", "model.so", *words, cwd=place)
    return pathlib.Path(place, "model.so").read_bytes(), pathlib.Path(place, "model.h").read_bytes()


def machine_code(model, name):
    """The object file of the kernels, and the code in it."""
    checks.run("tfc-compile", model, "--emit=obj", "-o", f"{name}.o")
    subprocess.run(["objcopy", "-O", "binary", "--only-section=.text", f"{name}.o", f"{name}.text"], check=True)
    return pathlib.Path(f"{name}.o").read_bytes(), pathlib.Path(f"{name}.text").read_bytes()


def written(field, value):
    """A field of a protobuf message as it stood in the file."""
    return number(field, value) if isinstance(value, int) else chunk(field, value)


def reversed_nodes(data):
    """The model with its nodes in the other order."""
    model = b""
    for field, value in fields(data):
        if field == 7:
            parts = list(fields(value))
            nodes = [written(*part) for part in parts if part[0] == 1]
            value = b"".join(nodes[::-1] + [written(*part) for part in parts if part[0] != 1])
        model += written(field, value)
    return model


first = compile_in("first", "../bert.onnx", "--save-stages=stages", "--report=report.json")
second = compile_in("second", folder / "bert.onnx")
checks.check("the library is the same", first[0] == second[0])
checks.check("the header is the same", first[1] == second[1])
os.mkdir("elsewhere")
shutil.copy("bert.onnx", "elsewhere/bert.onnx")
third = compile_in("third", "../elsewhere/bert.onnx", "--mlir-disable-threading")
checks.check("neither the model's folder nor threads of the compiler show", first == third)

data = source.read_bytes()
# Names of the same length, so that the file stays one.
pathlib.Path("renamed.onnx").write_bytes(data.replace(b"/layers.", b"/zimmer."))
plain, renamed = machine_code("bert.onnx", "plain"), machine_code("renamed.onnx", "renamed")
checks.check("names are in the descriptor", plain[0] != renamed[0] and b"/zimmer." in renamed[0])
checks.check("names are not in the machine code", len(plain[1]) > 10000 and plain[1] == renamed[1])
pathlib.Path("reversed").mkdir()
pathlib.Path("reversed/bert.onnx").write_bytes(reversed_nodes(data))
checks.check("the nodes stand otherwise", pathlib.Path("reversed/bert.onnx").read_bytes() != data)
compile_in("reversed-out", "../reversed/bert.onnx")
case = MODELS / "bert_tiny" / "2x7"
checks.run("tfc-run", "reversed-out/model.so", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz")
sys.exit(checks.finish())
