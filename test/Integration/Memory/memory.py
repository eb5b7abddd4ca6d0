#!/usr/bin/env python3
"""memory.py FOLDER CC: allocations of a run, where weights lie, and the peak of a process that runs a model."""

import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "python")]
import numpy
import tfc
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
compiler = sys.argv[2]
os.chdir(folder)

# No allocation in a run after the first of a shape.
checks.run("tfc-compile", MODELS / "bert_tiny" / "model.op17.onnx", "-o", "bert.so", "--name=bert")
checks.run(compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-I.", HERE / "no_malloc.c", "-o", "no_malloc", "./bert.so", "-Wl,-rpath," + str(folder), "-lm", "-lpthread")
said = checks.run("./no_malloc", folder).stdout
first, later, smaller = map(int, re.fullmatch(r"first (-?\d+), later (-?\d+), smaller (-?\d+)\n", said).groups())
checks.check("the first run of a shape makes room", first > 0, said)
checks.check("later runs and smaller shapes ask for nothing", later == 0 and smaller == 0, said)

# Peak of a process: weights, arena and little else.
SIZES = "hidden=256,layers=12,heads=4,intermediate=1024,vocab=8000,positions=128"
for mode in ("embed", "external", "seed"):
    checks.run("tfc-compile", "--builtin=bert", f"--config={SIZES}", f"--weights={mode}", "-o", f"{mode}.so")
    facts = json.loads(checks.run("tfc-run", f"./{mode}.so", "--describe", "--json").stdout)
    weights = facts["weights"]["bytes"]
    text = checks.run("tfc-run", f"./{mode}.so", "--describe", "--dim", "batch=4,seq=128").stdout
    arena = int(re.search(r"arena +bytes +(\d+)", text).group(1))
    ran = checks.run("tfc-run", f"./{mode}.so", "--random", "--dim", "batch=4,seq=128", "--threads=2", "--repeat=3", "--json")
    peak = json.loads(ran.stdout.splitlines()[-1])["peak_bytes"]
    checks.check(f"{mode}: at least the weights are in memory", peak > 0.7 * weights, (peak, weights))
    checks.check(f"{mode}: peak", peak <= 1.15 * weights + arena + 30e6, (peak, weights, arena))
checks.run("tfc-run", "./embed.so", "--random", "--dim", "batch=4,seq=128", "--profile", says="at most, weights included")


def mappings(name):
    """What the kernel says of each piece of memory that is a file of this name: [(where, rights, {"Private_Dirty": kB, ...})]."""
    found, current = [], None
    for line in open("/proc/self/smaps"):
        head = re.match(r"([0-9a-f]+-[0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)\n", line)
        if head:
            current = (head.group(1), head.group(2), {}) if head.group(3).endswith(name) else None
            if current:
                found.append(current)
        elif current:
            key, _, value = line.partition(":")
            if value.strip().endswith("kB"):
                current[2][key] = int(value.split()[0])
    return found


# Contexts share the weights, which lie in memory as the file has them: read, not copied.
for mode, name in (("embed", "embed.so"), ("external", "external.weights")):
    model = tfc.load(folder / f"{mode}.so")
    inputs = {"input_ids": [[1, 2, 3]], "attention_mask": [[1, 1, 1]], "token_type_ids": [[0, 0, 0]]}
    inputs = {port.name: numpy.array(inputs[port.name], numpy.int64) for port in model.inputs}
    expected = model(**inputs)
    before = mappings(name)
    contexts = [model.context(threads=1) for _ in range(3)]
    results = [context(**inputs) for context in contexts]
    same = all(result[key].tobytes() == value.tobytes() for result in results for key, value in expected.items())
    checks.check(f"{mode}: every context gives the same", same)
    large = [entry for entry in before if entry[2]["Size"] * 1024 > 0.9 * facts["weights"]["bytes"]]
    checks.check(f"{mode}: the weights are mapped once", len(large) == 1, before)
    where, rights, sizes = large[0]
    checks.check(f"{mode}: read-only", rights.startswith("r--"), rights)
    checks.check(f"{mode}: nothing of them is a copy", sizes["Anonymous"] == 0, sizes)
    checks.check(f"{mode}: more contexts map nothing more", [entry[0] for entry in mappings(name)] == [entry[0] for entry in before])
sys.exit(checks.finish())
