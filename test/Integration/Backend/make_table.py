#!/usr/bin/env python3
"""Makes docs/Operators.md of what run_backend.py has written.

    make_table.py PLAIN.json DYNAMIC.json > docs/Operators.md
    make_table.py --check docs/Operators.md

PLAIN.json comes from a plain run, DYNAMIC.json from one with --dynamic=all. What operators there are, of which opsets, with which types and
on which devices says `tfc-compile --list-operators --json`; --check tells whether the page still says the same.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

INTRODUCTION = """# Operators

Made by test/Integration/Backend/make_table.py of the import table (`tfc-compile --list-operators`) and the official ONNX node tests (Debian's
libonnx-testdata, node/ and simple/); do not edit. To make it anew:

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
declares, it does not train, and its operators all stand in test/Integration/Backend/scope.txt. `dynamic` is the same with every dim of
every input forced to be a symbol. The data of HannWindow, HammingWindow and BlackmanWindow were made with 3.1415 for pi, and are off by 7e-5.

The node tests of ONNX's own repository, up to opset 27 as they stood in July 2026, are not in that package. Of the 1310 whose operators stand in
scope.txt and that are in scope otherwise, 1257 pass; 52 use types that tfc lacks (float4, float8e8m0, 2-bit integers), and in one the ranks of an
If's branches differ. 1297 of that set were also run with --fold-inputs, all pass, and with --dynamic=all: 1294 pass, and 3 (AffineGrid written out) are refused
because the length of a shape is not known. Of their Attention tests those of before April 2026 that have a soft cap and a mask differ: the standard has since put
the cap in front of the mask.

`from` is the first opset of which the operator is known; of each later one up to 25 it has that one's meaning. Opsets below 7 work where the meaning did not
change since. Types are those that the operator computes on; indices, shapes, masks and axes beside them have the types that the standard says.
`numbers` are f16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64, `floats` are f16 bf16 f32 f64, `integers` the others, `float8` are f8e4m3fn f8e4m3fnuz f8e5m2 f8e5m2fnuz.
test/Frontend/ONNX/types.test imports every operator with every one of its types.

On `cuda` every operator has at least the plain kernel that CPUs run, one thread per tile. The counts are those of the CPU; on an emulated GPU (`--target cuda-emu:sm_80`) the same tests pass
(test/Integration/Backend/gpu_all.test), and every operator with every one of its types gives what the CPU gives and is assembled by ptxas (test/Integration/Gpu/operators-all.test). No GPU has run them yet.
"""

GROUPS = [("numbers", "f16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64"), ("floats", "f16 bf16 f32 f64"), ("integers", "i8 i16 i32 i64 u8 u16 u32 u64"),
          ("float8", "f8e4m3fn f8e4m3fnuz f8e5m2 f8e5m2fnuz")]


def shorten(types):
    text = " ".join(types)
    for name, members in GROUPS:
        text = text.replace(members, name)
    return text


def read_import_table():
    listed = subprocess.run(["tfc-compile", "--list-operators", "--json"], capture_output=True, text=True, check=True)
    return json.loads(listed.stdout)


def describe(row):
    """The cells of a row that do not depend on tests."""
    name = row["operator"] if row["domain"] == "ai.onnx" else f"{row['domain']}:{row['operator']}"
    return [name, str(row["since_opset"]), shorten(row["types"]), " ".join(row["devices"])]


def check(page):
    rows = [line.strip("| ").split(" | ")[:4] for line in page.read_text().splitlines() if re.match(r"\| [A-Za-z.:0-9]+ \| \d+ \| [a-z]", line)]
    expected = [describe(row) for row in read_import_table()]
    for row in expected:
        if row not in rows:
            print("the page lacks", row)
    for row in rows:
        if row not in expected:
            print("the page has", row)
    return 0 if rows == expected else 1


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
    print("| operator | from | types | devices | passed | dynamic | in scope | total |\n|---|---:|---|---|---:|---:|---:|---:|")
    passed, inside, _, total = counts["all tests"]
    print(f"| all tests | | | | {passed} | {counts_dynamic['all tests'][0]} | {inside} | {total} |")
    known = [describe(row) for row in read_import_table()]
    for cells in known:
        passed, inside, _, total = counts.get(cells[0], [0] * 4)
        print(f"| {' | '.join(cells)} | {passed} | {counts_dynamic[cells[0]][0] if total else 0} | {inside} | {total} |")
    # Tests outside the scope that pass all the same.
    more = {op: row for op, row in counts.items() if op not in scope and row[2] and op != "all tests"}
    print("\nOutside the scope, and passed: " + ", ".join(f"{op} ({row[2]} of {row[3]} tests)" for op, row in sorted(more.items())) + ".")
    missing = sorted(set(counts) - {cells[0] for cells in known} - {"all tests"})
    print("\nNot supported: " + ", ".join(missing) + ".")
    untested = sorted(scope - {op for op in counts if counts[op][1]})
    print("\nIn the scope, but without a test in this data (test/Integration/Operators and test/Integration/Attention have theirs): " + ", ".join(untested) + ".")


def print_misses(title, results, scope):
    misses = [r for r in results if is_in_scope(r, scope) and r["state"] != "pass"]
    print(f"\n## {title}\n")
    if not misses:
        print("None.")
    for result in misses:
        print(f"- {result['name']}: {result['reason']}")


def main():
    if sys.argv[1] == "--check":
        return check(pathlib.Path(sys.argv[2]))
    plain, dynamic = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:3])
    scope = read_scope()
    print(INTRODUCTION)
    print_table(plain, dynamic, scope)
    print_misses("Tests in scope that do not pass", plain, scope)
    print_misses("Tests in scope that do not pass with every dim dynamic", dynamic, scope)
    print("\n## Left out: training mode, data that does not fit its model\n")
    for result in plain:
        if result["state"] == "out of scope" and result["reason"].startswith(("input ", "training ")):
            print(f"- {result['name']}: {result['reason']}")


if __name__ == "__main__":
    sys.exit(main())
