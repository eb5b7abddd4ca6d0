"""abi.py SOURCE HEADER: docs/RuntimeABI.md names every function, code and option of the C API, and all that a model.h declares.

HEADER: the model.h of a model called bert.
"""

import pathlib
import re
import sys

source, header = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text()
page = (source / "docs" / "RuntimeABI.md").read_text()
runtime = (source / "include" / "tfc-c" / "Runtime.h").read_text()
abi = (source / "include" / "tfc-c" / "ModelABI.h").read_text()
cxx = (source / "include" / "tfc-c" / "Model.hpp").read_text()


def body(kind, name):
    return re.sub(r"/\*.*?\*/", "", re.search(rf"typedef {kind} {name} \{{(.*?)\n?\}} {name};", abi, re.S).group(1), flags=re.S)


functions = set(re.findall(r"^(?:int32_t|void|const \w+ \*)\s*(tfc_\w+)\(", runtime, re.M))
codes = set(re.findall(r"\bTFC_\w+", body("enum", "TfcCode")))
members = set(re.findall(r"\(\*(\w+)\)", body("struct", "TfcApi")))
options = {name for line in body("struct", "TfcContextOptions").split(";") for name in re.findall(r"\(\*(\w+)\)\(|(\w+)$", line.strip())[:1] for name in name if name}
classes = set(re.findall(r"^class (\w+)", cxx, re.M)) | {"view", "typeOf", "check"}
# What the model's ports and symbols are called in the page's example.
declared = {name for name in re.findall(r"\b(bert_\w+)\b", header)}
example = {name for name in declared if not re.search(r"attention_mask|token_type_ids|last_hidden_state|_seq", name)}
assert len(functions) >= 19 and len(codes) >= 13 and len(members) >= 8 and len(options) > 14 and len(example) > 15, (functions, codes, members, options, example)
# Of a symbol the header has the range that the model's requirements leave: embeddings of 64 positions.
assert "bert_main_symbol_seq_max INT64_C(64)" in header and "bert_main_symbol_batch_max INT64_C(9223372036854775807)" in header
missing = sorted(name for name in functions | codes | members | options | classes | example if name != "reserved" and not re.search(rf"\b{name}\b", page))
if missing:
    sys.exit(f"docs/RuntimeABI.md does not name {', '.join(missing)}")
print(f"{len(functions)} functions, {len(codes)} codes, {len(options)} options and the header are there")
