#!/usr/bin/env python3
"""no_shape_arithmetic.py FOLDER: after simplification no integer tensor is computed that the dims alone decide.

The rule, for every op of every model's fused graph: no tfc.bind; and no op of static integer results whose operands are
all `tfc.constant`s, `tfc.dim_values` or results of such ops. What is left of shape arithmetic is then in types, and in
the few `tfc.dim_values` that enter arithmetic of data, such as the start of a range of positions."""

import pathlib
import re
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
OP = re.compile(r"^\s*(%\w+)(?::\d+)? = tfc\.(\w+)(.*)$")


def offences(text):
    decided, found = set(), []
    for line in text.splitlines():
        if "tfc.bind " in line:
            found.append(line)
        match = OP.match(line)
        if not match:
            continue
        result, op, rest = match.groups()
        rest = re.sub(r" loc\(.*", "", rest)
        operands = re.findall(r"%\w+", rest.split(" : ")[0])
        types = rest.rsplit("->", 1)[-1] if "->" in rest else rest.split(" : ", 1)[-1]
        integer = re.search(r"(tensor<|x)(i1|i32|i64)\b", types) and "?" not in types
        if op in ("constant", "dim_values"):
            decided.add(result)
        elif operands and integer and all(operand in decided for operand in operands):
            decided.add(result)
            found.append(line)
    return found


def fused(path, *words):
    output = folder / "fused.mlir"
    checks.run("tfc-compile", path, "--emit=fused", "-o", output, *words)
    return output.read_text()


models = sorted(MODELS.glob("*/*.onnx"))
checks.check("there are models", len(models) >= 13, len(models))
for path in models:
    found = offences(fused(path))
    checks.check(f"{path.parent.name}/{path.name}", not found, "\n".join(found))

# The rule sees what it should.
fixture = """
  %0 = tfc.constant dense<1> : tensor<i64>
  %1 = tfc.dim_values [seq] : tensor<i64>
  %2 = tfc.add %1, %0 : tensor<i64>, tensor<i64> loc("a")
  %3 = tfc.add %arg0, %0 : tensor<i64>, tensor<i64>
  %4 = tfc.cast %1 : tensor<i64> -> tensor<f32>
  %5 = tfc.gather %1, %0 axis 0 : tensor<2xi64>, tensor<i64>
  %6 = tfc.range %0, %1 : (tensor<i64>, tensor<i64>) -> tensor<?xi64, #tfc.dims<seq>>
  tfc.bind %3 as ["k"] : tensor<i64>
"""
seen = [line.split()[0] for line in offences(fixture)]
checks.check("the rule finds what it should", seen == ["%2", "%5", "tfc.bind"], seen)
sys.exit(checks.finish())
