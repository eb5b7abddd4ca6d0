"""commands.py SOURCE BUILD CC PAGE...: runs all ```sh blocks of each page, one behind the other in one shell."""

import os
import pathlib
import re
import subprocess
import sys

source, build, compiler, *pages = sys.argv[1:]
# The pages say cc, c++ and python3; not every machine that can build tfc has the first two, nor numpy for the last.
cxx = re.sub(r"clang(?=[^/]*$)", "clang++", re.sub(r"gcc(?=[^/]*$)", "g++", compiler))
prelude = f"""set -e
python3() {{ '{sys.executable}' "$@"; }}
command -v cc > /dev/null || cc() {{ '{compiler}' "$@"; }}
command -v c++ > /dev/null || function c++ {{ '{cxx}' "$@"; }}
"""
failed = 0
for page in pages:
    blocks = re.findall(r"^```sh\n(.*?)^```", pathlib.Path(source, "docs", page).read_text(), re.S | re.M)
    assert blocks, f"{page} has no commands"
    # The page stands in the sources with a build folder of the usual name; here it may have another.
    script = prelude + "".join(blocks).replace("$PWD/build/", f"{build}/").replace("$tfc/build/", f"{build}/")
    result = subprocess.run(["bash", "-c", script], cwd=source, capture_output=True, text=True, errors="replace", timeout=7200)
    if result.returncode:
        failed += 1
        print(f"FAILED {page}: exit code {result.returncode}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
    else:
        print(f"{page}: {len(blocks)} blocks ran")
sys.exit(bool(failed))
