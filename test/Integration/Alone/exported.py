#!/usr/bin/env python3
"""exported.py MODEL.so NAME: fails unless NAME is the one symbol that is exported and only libc, libm and libpthread are needed."""

import re
import subprocess
import sys

symbols = subprocess.run(["readelf", "--dyn-syms", "-W", sys.argv[1]], capture_output=True, text=True, check=True).stdout
rows = [line.split() for line in symbols.splitlines()]
exported = [row[7] for row in rows if len(row) > 7 and row[0].rstrip(":").isdigit() and row[4] in ("GLOBAL", "WEAK") and row[6] != "UND"]
dynamic = subprocess.run(["readelf", "-d", "-W", sys.argv[1]], capture_output=True, text=True, check=True).stdout
needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
strangers = [name for name in needed if not re.fullmatch(r"lib(c|m|pthread)\.so\.\d+", name)]
print("exported:", *exported)
print("needed:", *needed)
sys.exit(exported != [sys.argv[2]] or bool(strangers) or not needed or "RUNPATH" in dynamic or "RPATH" in dynamic)
