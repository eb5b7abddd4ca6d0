#!/usr/bin/env python3
"""Checks the includes of all sources against the rules of docs/Architecture.md ("Who may lean on whom").

    check_includes.py SOURCE_ROOT

Prints one line per offence, "file:line: include (rule)", and exits with 1 when there is one.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')

# (files, forbidden includes, exceptions, rule). Patterns are searched in the path relative to the root.
RULES = [
    (r"^include/tfc-c/ModelABI\.h$", r".", r"^(assert|stddef|stdint)\.h$", "1: the ABI header stands alone"),
    (r"^(lib/Runtime|lib/Session|tools/tfc-run)/", r"^(llvm|mlir|tfc)/",
     r"^tfc/(Weights/(SeedStream|LayoutRecipe|ContentHash)\.h|Runtime/|Version\.h)", "2: no LLVM in the runtime"),
    (r"^(lib|include/tfc)/(TargetInfo|Schedule|Weights)/", r"^mlir/", r"^$", "3: no MLIR below the dialect"),
    (r"^(lib|include/tfc)/Dialect/Tfc/IR/", r"^tfc/(Dialect/Tfc/Transforms|Conversion|Schedule|Codegen|Target/|Pipeline)",
     r"^$", "4: the dialect leans on nothing above it"),
    (r"^(lib|include/tfc)/Dialect/Tfc/Transforms/", r"^mlir/Dialect/(Vector|GPU|LLVMIR)/|^tfc/(Conversion|Schedule|Codegen)",
     r"^$", "5: graph passes do not know machines"),
    (r"^(lib|include/tfc)/Frontend/", r"^tfc/(Dialect/Tfc/Transforms|Conversion|Schedule|Codegen|Target/|Pipeline)", r"^$",
     "6: frontends do not fuse"),
    (r"^(?!(lib|include/tfc)/(Frontend|Target)/ONNX/)(lib|include|tools)/", r"onnx/|google/protobuf", r"^tfc/Frontend/ONNX/",
     "6: protobuf is seen in Frontend/ONNX and Target/ONNX alone"),
    (r"^(lib|include/tfc)/Conversion/", r"^tfc/(TargetInfo|Schedule|Codegen|Target/|Pipeline)", r"^$",
     "7: what an op means does not depend on the machine"),
    (r"^(lib|include/tfc)/Codegen/CPU/", r"^tfc/Codegen/GPU", r"^$", "8: CPU and GPU do not include each other"),
    (r"^(lib|include/tfc)/Codegen/GPU/", r"^tfc/Codegen/CPU", r"^$", "8: CPU and GPU do not include each other"),
    (r"^(lib|include/tfc)/Codegen/(Common|Loops)/", r"^tfc/(Codegen/(CPU|GPU)|Pipeline)", r"^$", "8: Common and Loops lean on neither"),
    (r"^(lib|include/tfc)/Target/", r"^tfc/(Dialect/Tfc/Transforms|Conversion|Schedule|Codegen|Frontend|Pipeline)", r"^$",
     "9: artifacts are made of modules, whoever made these"),
    (r"^(?!lib/Pipeline/|include/tfc/Pipeline/|tools/|(lib|include/tfc)/(Verify|CAPI)/)(lib|include)/", r"^tfc/Pipeline/", r"^$",
     "10: only Verify and tools include Pipeline"),
]


def main():
    root = pathlib.Path(sys.argv[1])
    offences = 0
    for folder in ("include", "lib", "tools"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".h", ".c", ".cpp", ".td"):
                continue
            name = path.relative_to(root).as_posix()
            rules = [rule for rule in RULES if re.search(rule[0], name)]
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                found = INCLUDE.match(line)
                if not found:
                    continue
                for _, forbidden, allowed, rule in rules:
                    if re.search(forbidden, found[1]) and not re.search(allowed, found[1]):
                        print(f"{name}:{number}: {found[1]} (rule {rule})")
                        offences += 1
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
