#!/usr/bin/env python3
"""snippets.py FOLDER SOURCE BUILD CC: the blocks of C, CMake and IR on the pages are built, and run where they can be.

Commands are run by commands.py, Python by test/Python/docs.py. A block of C stands in a program of Inputs/ where that says `#include "NAME.inc"`; the
block of CMake is the whole CMakeLists.txt of a project whose programs are those that the page writes. A block without a place in PLACES fails.
"""

import os
import pathlib
import platform
import re
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "Integration"), str(HERE.parent / "Frontend" / "ONNX")]
from checks import MODELS, Checks, scratch_folder
from onnx_writer import chunk, graph, model, node, value_info

checks = Checks()
folder = scratch_folder()
source, build, compiler = pathlib.Path(sys.argv[2]), *sys.argv[3:]
os.chdir(folder)
BERT = MODELS / "bert_tiny" / "model.op17.onnx"


def in_program(name, block):
    """Builds the program with the block in it, beside the model of the same name; returns the command that runs it."""
    pathlib.Path(f"{name}.inc").write_text(block)
    built = checks.run(compiler, "-std=c11", "-Wall", "-Werror", "-I.", HERE / "Inputs" / f"{name}.c", *sorted(map(str, pathlib.Path(".").glob(f"{name}-*.so"))),
                       "-Wl,-rpath,$ORIGIN", "-lm", "-o", name)
    return f"./{name}" if built.returncode == 0 else "false"


def cache(page, block):
    checks.run("tfc-compile", "--builtin", "gpt2", "--config", "hidden=768,layers=1,heads=12,vocab=64,positions=1024", "--name=gpt", "--header=gpt.h", "-o", "cache-gpt.so")
    checks.run(in_program("cache", block), says="the same bits")


def own_operator(page, block):
    twice = [node("Swirl", ["x"], ["a"], "first", "my.domain", alpha=0.5), node("Neg", ["a"], ["y"])]
    pathlib.Path("own.onnx").write_bytes(model(graph(twice, [value_info("x", ["n"])], [value_info("y", ["n"])]) + chunk(13, value_info("a", ["n"])), (("", 17), ("my.domain", 1))))
    checks.run("tfc-compile", "own.onnx", "--allow-extern", "--name=own", "--header=own.h", "-o", "operator-own.so")
    checks.run(in_program("operator", block), says="1 call, 2 -4 6")


def project(page, block):
    checks.run("cmake", "--install", build, "--prefix", "prefix")
    os.mkdir("project")
    for name, text in re.findall(r"^cat > (main\.c(?:pp)?) <<'END'\n(.*?)^END$", page, re.S | re.M):
        pathlib.Path("project", name).write_text(text)
    pathlib.Path("project/CMakeLists.txt").write_text(block)
    shutil.copy(BERT, "project/model.onnx")
    cxx = re.sub(r"clang(?=[^/]*$)", "clang++", re.sub(r"gcc(?=[^/]*$)", "g++", compiler))
    checks.run("cmake", "-S", "project", "-B", "out", "-G", "Ninja", f"-DCMAKE_C_COMPILER={compiler}", f"-DCMAKE_CXX_COMPILER={cxx}", f"-DCMAKE_PREFIX_PATH={folder}/prefix")
    checks.run("cmake", "--build", "out")
    if platform.machine() == "x86_64" and {"avx2", "fma", "bmi2"} <= set(pathlib.Path("/proc/cpuinfo").read_text().split()):
        said = [checks.run(f"./{name}", cwd="out", says="3 tokens, first value ").stdout for name in ("app", "app-cpp")]
        checks.check("C and C++ say the same", said[0] == said[1], said)


def parsed(page, block):
    pathlib.Path("block.mlir").write_text(block)
    checks.run("tfc-opt", "block.mlir", "-o", "parsed.mlir")


# Page, language, heading (or any) -> who checks it.
PLACES = {
    ("Embedding.md", "c", "A cache that grows in place"): cache,
    ("Embedding.md", "c", "Operators of your own"): own_operator,
    ("Embedding.md", "cmake", "CMake, the model as a target"): project,
    ("Architecture.md", "mlir", "What the IR looks like"): parsed,
}

seen = set()
for path in [source / "README.md", *sorted((source / "docs").rglob("*.md"))]:
    if path.name in ("Dialect.md", "Passes.md"):
        continue  # Made from TableGen: examples of single ops, with values that nobody gives.
    page = path.read_text()
    heading = ""
    for title, language, block in re.findall(r"^## ([^\n]*)$|^```(\w+)\n(.*?)^```$", page, re.S | re.M):
        heading = title or heading
        if language in ("c", "cmake", "mlir"):
            place = (path.name, language, heading)
            if checks.check(f"{place} is built by a test", place in PLACES):
                PLACES[place](page, block)
                seen.add(place)
checks.check("every block is there", seen == set(PLACES), set(PLACES) - seen)
sys.exit(checks.finish())
