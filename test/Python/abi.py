"""The structs and codes of python/tfc are those of tfc-c/ModelABI.h: abi.py COMPILER."""

import ctypes
import re
import subprocess
import sys
import tempfile

from harness import SOURCE
from tfc import Code, _abi

INCLUDE = SOURCE / "include"


def structs():
    return [c for c in vars(_abi).values() if isinstance(c, type) and issubclass(c, ctypes.Structure) and c.__module__ == "tfc._abi"]


def layout_from_c(compiler):
    """Size of each struct and offset of each field, as a C compiler sees them."""
    lines = ['#include "tfc-c/ModelABI.h"', "#include <stdio.h>", "int main(void) {"]
    for struct in structs():
        name = struct.__name__
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        lines += [f'printf("{name}.{field[0]} %zu\\n", offsetof({name}, {field[0]}));' for field in struct._fields_]
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/layout"
        command = [compiler, "-x", "c", "-", "-I", str(INCLUDE), "-o", program]
        subprocess.run(command, input="\n".join([*lines, "}"]), text=True, check=True)
        printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return {name: int(number) for name, number in map(str.split, printed.splitlines())}


def layout_from_python():
    layout = {}
    for struct in structs():
        layout[struct.__name__] = ctypes.sizeof(struct)
        layout.update({f"{struct.__name__}.{field[0]}": getattr(struct, field[0]).offset for field in struct._fields_})
    return layout


header = (INCLUDE / "tfc-c" / "ModelABI.h").read_text()
codes = re.search(r"typedef enum TfcCode \{(.*?)\} TfcCode;", header, re.S).group(1)
codes = {name: int(number) for name, number in re.findall(r"TFC_(\w+) = (\d+)", codes)}
assert codes == {code.name: code.value for code in Code}, codes

expected, found = layout_from_c(sys.argv[1]), layout_from_python()
assert len(structs()) >= 10 and found == expected, set(found.items()) ^ set(expected.items())
