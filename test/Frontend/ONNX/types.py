#!/usr/bin/env python3
"""types.py FOLDER: every operator of `tfc-compile --list-operators` is imported with every type that stands there."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "Integration")]
from checks import Checks, scratch_folder  # noqa: E402
from operator_models import build_operator, has_signature, has_types, list_operators  # noqa: E402

checks = Checks()
path = scratch_folder() / "model.onnx"
for row in list_operators():
    label = f"{row['domain']}:{row['operator']}"
    checks.check(f"{label} has types and devices", row["types"] and row["devices"])
    if has_types(row) and checks.check(f"{label} has a signature in operator_models.py", has_signature(row)):
        path.write_bytes(build_operator(row))
        checks.run("tfc-import-onnx", path, "--quiet")
sys.exit(checks.finish())
