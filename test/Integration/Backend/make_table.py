#!/usr/bin/env python3
"""Makes docs/Operators.md of what run_backend.py has written.

    make_table.py PLAIN.json DYNAMIC.json > docs/Operators.md

PLAIN.json comes from a plain run, DYNAMIC.json from one with --dynamic=all.
"""

import collections
import json
import pathlib
import sys

INTRODUCTION = """# Operators

Made by test/Integration/Backend/make_table.py of the official ONNX node tests (Debian's libonnx-testdata, node/ and
simple/); do not edit. To make it anew:

```
D=/usr/share/libonnx-testdata/data
cd test/Integration/Backend
./run_backend.py $D/node $D/simple --json plain.json
./run_backend.py $D/node $D/simple --dynamic=all --json dynamic.json
./make_table.py plain.json dynamic.json > ../../../docs/Operators.md
```

A test passes when every output is within rtol 1e-3 and atol 1e-7 of the reference (integers equal, bfloat16 within
one unit of its last place). It counts for each operator of its model, subgraphs included. A test is in scope when its
model is of opset 7 or later, all its values are tensors of numbers or bools, its data fits the inputs that the model
declares, and its operators all stand in test/Integration/Backend/scope.txt. `dynamic` is the same with every dim of
every input forced to be a symbol.
"""


def read_scope():
    lines = (pathlib.Path(__file__).parent / "scope.txt").read_text().splitlines()
    return {word for line in lines if not line.startswith("#") for word in line.split()}


def is_in_scope(result, scope):
    return result["state"] != "out of scope" and set(result["operators"]) <= scope


def count(results, scope):
    """operator -> (passed in scope, in scope, passed, total)"""
    table = collections.defaultdict(lambda: [0, 0, 0, 0])
    for result in results:
        inside, passed = is_in_scope(result, scope), result["state"] == "pass"
        for operator in result["operators"] + ["all tests"]:
            row = table[operator]
            for i, holds in enumerate((inside and passed, inside, passed, True)):
                row[i] += holds
    return table


def print_table(plain, dynamic, scope):
    counts, counts_dynamic = count(plain, scope), count(dynamic, scope)
    print("| operator | passed | dynamic | in scope | total |\n|---|---:|---:|---:|---:|")
    for operator in ["all tests", *sorted(set(counts) - {"all tests"})]:
        passed, inside, _, total = counts[operator]
        if inside:
            print(f"| {operator} | {passed} | {counts_dynamic[operator][0]} | {inside} | {total} |")
    # Tests outside the scope that pass all the same.
    more = {op: row for op, row in counts.items() if op not in scope and row[2] and op != "all tests"}
    print("\nAlso supported, beyond that list: " + ", ".join(f"{op} ({row[2]} of {row[3]} tests)" for op, row in sorted(more.items())) + ".")
    missing = sorted(op for op, row in counts.items() if op not in scope and not row[2] and op != "all tests")
    print("\nNot supported: " + ", ".join(missing) + ".")
    untested = sorted(scope - {op for op in counts if counts[op][1]})
    print("\nIn the list, but without a test in this data: " + ", ".join(untested) + ".")


def print_misses(title, results, scope):
    misses = [r for r in results if is_in_scope(r, scope) and r["state"] != "pass"]
    print(f"\n## {title}\n")
    if not misses:
        print("None.")
    for result in misses:
        print(f"- {result['name']}: {result['reason']}")


def main():
    plain, dynamic = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:3])
    scope = read_scope()
    print(INTRODUCTION)
    print_table(plain, dynamic, scope)
    print_misses("Tests in scope that do not pass", plain, scope)
    print_misses("Tests in scope that do not pass with every dim dynamic", dynamic, scope)
    print("\n## Data that does not fit its model\n")
    for result in plain:
        if result["state"] == "out of scope" and result["reason"].startswith("input "):
            print(f"- {result['name']}: {result['reason']}")


if __name__ == "__main__":
    main()
