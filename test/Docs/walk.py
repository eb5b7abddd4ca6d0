#!/usr/bin/env python3
"""walk.py FOLDER SOURCE CC: the way of a new user, from a clean clone: build, README, the pages, a profile's picture, a planted fault.

A clone that FOLDER has from an earlier walk is brought up to date and kept.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

folder, source, compiler = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
clone = folder / "clone"
folder.mkdir(parents=True, exist_ok=True)
# The same file has the same name for ccache wherever the clone lies.
environment = {**os.environ, "CCACHE_BASEDIR": str(folder)}
for name in ("TFC_HOME", "PYTHONPATH"):
    environment.pop(name, None)


def step(what, script, cwd=clone):
    start = time.monotonic()
    result = subprocess.run(["bash", "-ec", script], cwd=cwd, env=environment, capture_output=True, text=True, errors="replace")
    print(f"{'FAILED' if result.returncode else 'ok'} {what}, {time.monotonic() - start:.0f} s", flush=True)
    if result.returncode:
        sys.exit(f"{script}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
    return result.stdout


if clone.exists():
    step("bring the clone up to date", f"git fetch -q '{source}' HEAD && git reset -q --hard FETCH_HEAD")
else:
    step("clone", f"git clone -q '{source}' clone", folder)
readme = re.findall(r"^```sh\n(.*?)^```", (clone / "README.md").read_text(), re.S | re.M)
by_hand = next(block for block in readme if block.startswith("cmake --preset"))
step("build as README.md says", by_hand.splitlines()[0])
environment.setdefault("XDG_CACHE_HOME", str(folder / "cache"))  # after the build: ccache has its files there too
step("tools/bootstrap demo", "tools/bootstrap demo")

# README.md speaks of the reader's model.onnx and x.npz.
models = clone / "test" / "Integration" / "models" / "bert_tiny"
shutil.copy(models / "model.op17.onnx", clone / "model.onnx")
shutil.copy(models / "2x7.inputs.npz", clone / "x.npz")
own = [block for block in readme if "tfc-" in block]
assert len(own) >= 3, own
step("the commands of README.md", "".join(own))
pages = "Tutorial.md Embedding.md Profiling.md ONNX.md Python.md Fusion.md"
step("the commands of the pages", f"'{sys.executable}' test/Docs/commands.py '{clone}' '{clone}/build' '{compiler}' {pages}")
path = f"export PATH='{clone}/build/bin':$PATH TFC_HOME='{clone}/build' PYTHONPATH='{clone}/python:{clone}/test/Python'\n"
step("the examples of Python.md", path + f"'{sys.executable}' test/Python/docs.py '{folder}/python'")
step("the picture of a profile", path + f"'{sys.executable}' test/Integration/Profile/profile.py '{folder}/profile'")
step("faults are planted and found", path + f"'{sys.executable}' test/Integration/Bisect/bisect_faults.py '{folder}/bisect'")
print(f"look at {folder}/profile/profile.png")
