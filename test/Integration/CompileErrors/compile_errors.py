#!/usr/bin/env python3
"""compile_errors.py FOLDER: whatever a user can get wrong ends in one clear line and exit code 2, and leaves nothing behind."""

import os
import pathlib
import stat
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "Frontend" / "ONNX")]

import bad_inputs
from checks import MODELS, Checks, scratch_folder
from onnx_writer import model, node, graph, value_info

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
bert = MODELS / "bert_tiny" / "model.op17.onnx"


def broken_files():
    """Broken files of many kinds, through the compiler itself."""
    wanted = {"empty": "is empty", "html": "web page", "truncated_8_16": "", "deep_nesting": "", "cycle": "cycle", "dangling_input": "nobody",
              "output_twice": "n2", "perm_duplicates": "the_node", "reshape_two_open": "the_node", "dims_overflow": "'w'",
              "raw_23_of_24": "'w'", "external_path_0": "'w'", "constant_of_shape_too_large": "the_node", "slice_step_zero": "the_node"}
    seen = []

    class Collector:
        def __call__(self, name, contents, *_):
            if name in wanted:
                seen.append(name)
                path = folder / f"{name}.onnx"
                path.write_bytes(contents)
                checks.refuses("tfc-compile", path, "-o", "broken.so", says=["error: ", wanted[name]])

        def either(self, *_):
            pass

    for part in (bad_inputs.files, bad_inputs.structure, bad_inputs.attributes, bad_inputs.tensors):
        part(Collector())
    bad_inputs.external_data(Collector(), str(folder))
    checks.check("all broken files are there", sorted(seen) == sorted(wanted), set(wanted) - set(seen))


def unsupported():
    """Every operator that is not supported is named in one run."""
    nodes = [node("Foo", ["x"], ["a"], "foo_0"), node("Foo", ["a"], ["b"], "foo_1"), node("Bar", ["b"], ["c"], "the_bar"), node("Relu", ["c"], ["y"], "fine")]
    pathlib.Path("unsupported.onnx").write_bytes(model(graph(nodes, [value_info("x", [2, 3])], ["y"])))
    result = checks.refuses("tfc-compile", "unsupported.onnx", "-o", "broken.so", lines=2,
                            says=["Foo (opset 17) is not supported: 2 nodes, 'foo_0', 'foo_1'", "Bar (opset 17) is not supported: 1 node, 'the_bar'"])
    checks.check("nothing is said of a supported one", "fine" not in result.stderr and "Relu" not in result.stderr, result.stderr)


def outputs():
    """Outputs that cannot be written, or would destroy what is read."""
    pathlib.Path("folder").mkdir(exist_ok=True)
    small = HERE / "small.mlir"
    copy = pathlib.Path("copy.mlir")
    copy.write_bytes(small.read_bytes())
    checks.refuses("tfc-compile", small, "-o", "folder", says="'folder': Is a directory")
    checks.refuses("tfc-compile", small, "--emit=fused", "-o", "folder", says="'folder': Is a directory")
    checks.refuses("tfc-compile", small, "-o", "nowhere/x.so", says="nowhere/x.so")
    checks.refuses("tfc-compile", small, "-o", "x.so", "--header=nowhere/x.h", says="nowhere/x.h")
    checks.refuses("tfc-compile", copy, "--emit=fused", "-o", copy, says="also an input", lines=2)
    checks.refuses("tfc-compile", copy, "-o", "x.so", "--report", copy, says="also an input", lines=2)
    checks.check("the input is whole", copy.read_bytes() == small.read_bytes())
    checks.refuses("tfc-compile", small, "-o", "x.so", "--report=nowhere/r.json", says="nowhere/r.json", lines=2)
    checks.refuses("tfc-compile", small, "-o", "x.so", "--save-stages", copy, says="copy.mlir")
    checks.refuses("tfc-compile", small, "-o", "-", says="standard output", lines=2)
    if os.access("/dev/full", os.W_OK):
        checks.refuses("tfc-compile", small, "--emit=fused", "-o", "/dev/full", code=3, says="No space left")
    if make_device("null"):
        checks.run("tfc-compile", small, "--emit=fused", "-o", "null")
        checks.check("a device stays a device", stat.S_ISCHR(os.stat("null").st_mode))


def make_device(name):
    """A null device of our own: the system's must not suffer when this test fails."""
    try:
        os.mknod(name, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        with open(name, "w") as file:
            file.write("x")
        return True
    except OSError:
        return False


def full_disk():
    """A disk that is full is a fault of the machine; nothing half done stays on it."""
    pathlib.Path("disk").mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", "disk"], capture_output=True)
    if mount.returncode != 0:
        print("skipped: no right to mount a small disk")
        return
    try:
        checks.refuses("tfc-compile", HERE / "small.mlir", "-o", "disk/model.so", code=3, says="No space left")
        checks.check("nothing stays on the full disk", not os.listdir("disk"), os.listdir("disk"))
    finally:
        subprocess.run(["umount", "disk"], check=True)


def flags():
    """Usage: one line for what is wrong, one for where help is."""
    def usage(*words, says, lines=2):
        checks.refuses("tfc-compile", *words, says=says, lines=lines)

    usage(says="no model given")
    usage("--nosuch", bert, says="--nosuch", lines=1)
    usage(bert, bert, says="positional", lines=1)
    usage(bert, "--builtin=gpt2", says="not both")
    usage(bert, "--emit=everything", says="unknown stage 'everything'")
    usage(bert, "--target=gpu", says="unknown target 'gpu'")
    usage(bert, "--target=cpu:z80", says="z80", lines=1)
    usage(bert, "--weights=maybe", says="unknown weights mode 'maybe'")
    usage(bert, "--dynamic=some", says="'some'")
    usage(bert, "--dim", "batch", says="NAME=N")
    usage(bert, "--dim=batch=-1", says="NAME=N")
    usage(bert, "--dim=nobody=1", "-o", "x.so", says="'nobody'", lines=1)
    usage(bert, "--config", "layers=1", says="built-in")
    usage(bert, "--load", "x.safetensors", says="built-in")
    usage(bert, "--seed=1", says="built-in")
    usage("--builtin=gpt2", "--seed=-1", says="'-1'", lines=1)
    usage("--builtin=gpt2", "--dynamic=all", says="built-in")
    usage("--builtin=gpt2", "--dim=batch=1", says="built-in")
    usage("--builtin=nosuch", "-o", "x.so", says="'nosuch'", lines=1)
    usage("--builtin=gpt2", "--config=heads=7", "-o", "x.so", says="heads", lines=1)
    usage("--builtin=gpt2", "--config=nosuch.json", "-o", "x.so", says="nosuch.json", lines=1)
    usage(HERE / "small.mlir", "--dynamic=all", says=".mlir")
    usage(HERE / "small.mlir", "--dim=n=4", says=".mlir")
    usage(bert, "--emit=import", "--header=x.h", says="--header")
    usage(bert, "--query-symbol", "a b", "-o", "x.so", says="no C identifier", lines=1)
    usage("nosuch.onnx", says="nosuch.onnx", lines=1)
    usage("nosuch.mlir", says="nosuch.mlir", lines=1)
    usage("folder", says="folder", lines=1)


def ir_files():
    """Broken .mlir, and .mlir that stands too far down the road."""
    def refuse(name, text, says, lines=1):
        pathlib.Path(f"{name}.mlir").write_text(text)
        checks.refuses("tfc-compile", f"{name}.mlir", "-o", "broken.so", says=says, lines=lines)

    refuse("syntax", "module {\n  foo\n", "syntax.mlir:2:3: ")
    refuse("no_entry", "module {}", "")
    refuse("nested", "module attributes {t.a = " + "[" * 100000 + "]" * 100000 + "} {}", "nested.mlir:1:1: brackets are nested more than 1000 deep")
    refuse("free_symbol", "func.func @main(%x: tensor<?xf32, #tfc.dims<n>>) -> tensor<?xf32, #tfc.dims<m>> attributes {tfc.entry} {\n"
           "  %0 = tfc.expand %x : tensor<?xf32, #tfc.dims<n>> -> tensor<?xf32, #tfc.dims<m>>\n  return %0 : tensor<?xf32, #tfc.dims<m>>\n}\n", 'symbol "m" is not bound here')
    refuse("verifier", "func.func @main(%x: tensor<2x3xf32>, %y: tensor<4x5xf32>) -> tensor<2x5xf32> attributes {tfc.entry} {\n"
           "  %0 = \"tfc.matmul\"(%x, %y) : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>\n  return %0 : tensor<2x5xf32>\n}\n", "verifier.mlir:2:8: (C3) contracted dims differ", lines=2)
    pathlib.Path("bytes.mlir").write_bytes(struct.pack("<I", 0x52EF4D4C) + bytes(range(64)))
    checks.refuses("tfc-compile", "bytes.mlir", "-o", "broken.so", says="bytes.mlir")
    checks.run("tfc-compile", HERE / "small.mlir", "--emit=plan", "-o", "plan.mlir")
    checks.refuses("tfc-compile", "plan.mlir", "--emit=fused", "-o", "broken.so", says="the input stands at stage plan, after the stage fused")
    # Kernels that somebody has changed are input too: what later stages need of them is asked for, not taken as a defect.
    plan = pathlib.Path("plan.mlir").read_text()
    checks.check("the plan says the work of its kernel", "tfc.bytes" in plan and "tfc.flops" in plan)
    refuse("no_bytes", plan.replace("tfc.bytes", "tfc.others"), "tfc.bytes")


def tool_codes():
    """tfc-opt keeps MlirOptMain's codes; help and version are no errors; values stand behind a space or an equals sign."""
    checks.run("tfc-opt", "syntax.mlir", code=1, says="syntax.mlir:2:3: error")
    checks.run("tfc-opt", HERE / "small.mlir")
    for tool in ("tfc-compile", "tfc-run"):
        checks.run(tool, "--help", says="Exit code")
        checks.run(tool, "--version", says="tfc")
    for words in (["--emit", "fused", "-o", "a.mlir"], ["--emit=fused", "-o=a2.mlir"]):
        checks.run("tfc-compile", HERE / "small.mlir", *words)
    checks.check("both ways to give a value are one", pathlib.Path("a.mlir").read_bytes() == pathlib.Path("a2.mlir").read_bytes())


for part in (broken_files, unsupported, outputs, full_disk, flags, ir_files, tool_codes):
    part()
left = sorted(path.name for path in folder.rglob("*") if path.name.startswith(("broken.", "x.")) or ".tmp" in path.name)
checks.check("nothing is left behind", not left, left)
sys.exit(checks.finish())
