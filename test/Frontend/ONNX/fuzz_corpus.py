#!/usr/bin/env python3
"""Writes the seeds of the importer's fuzzer: fuzz_corpus.py FOLDER"""

import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "Integration" / "Operators")]
import make_model  # noqa: E402

LARGEST = 20000
folder = pathlib.Path(sys.argv[1])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
for name, build in make_model.CASES.items():
    data = build()
    if isinstance(data, bytes) and len(data) <= LARGEST:
        (folder / name).write_bytes(data)
for source in ("/usr/share/libonnx-testdata/data/node", HERE.parents[1] / "Integration" / "models"):
    for path in sorted(pathlib.Path(source).glob("**/*.onnx")):
        if path.stat().st_size <= LARGEST:
            shutil.copyfile(path, folder / f"{path.parent.name}-{path.name}")
# The models of the operators' cases: one node each.
import operators  # noqa: E402

operators.main = lambda: 0
for file in ("scatter", "control", "contrib"):
    operators.CASES.clear(), operators.REFUSED.clear()
    try:
        exec(compile((HERE.parents[1] / "Integration" / "Operators" / f"{file}.py").read_text(), file, "exec"), {"__name__": file})
    except SystemExit:
        pass
    for case in [*operators.CASES, *(entry[0] for entry in operators.REFUSED)]:
        (folder / f"{file}-{case.name}").write_bytes(operators.encode([case]))
print(len(os.listdir(folder)), "seeds")
