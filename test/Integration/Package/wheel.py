#!/usr/bin/env python3
"""wheel.py FOLDER SOURCE: makes the wheel, installs it in an empty folder, compiles and runs a model with it."""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
source = pathlib.Path(sys.argv[2])
os.chdir(folder)
made = checks.run(sys.executable, source / "python" / "tfc_wheel.py", "made").stdout.strip()
checks.check("it is a wheel for this machine", made.startswith("made/tfc-") and made.endswith(f"{os.uname().machine}.whl"), made)
pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
has_pip = subprocess.run([*pip, "--version"], capture_output=True).returncode == 0
if has_pip:
    # Copied, for pip leaves nothing in the sources; the build folder is named by TFC_HOME.
    shutil.copytree(source / "python", "copy/python", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CMakeLists.txt", "LICENSE", "docs/Python.md"):
        pathlib.Path("copy", name).parent.mkdir(exist_ok=True)
        shutil.copy(source / name, pathlib.Path("copy", name))
    checks.run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", "by-pip", "copy/python")
    checks.check("pip makes the same bytes", [p.read_bytes() for p in pathlib.Path("by-pip").iterdir()] == [pathlib.Path(made).read_bytes()])
    checks.run(*pip, "install", "--no-deps", "--no-index", "--target", "site", made)
else:
    zipfile.ZipFile(made).extractall("site")
    for tool in pathlib.Path("site/tfc/_home/bin").iterdir():
        tool.chmod(0o755)

# Nothing of the build folder, and no tools on the PATH.
environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder / "site"), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder)}
program = """
import pathlib, sys, numpy as np, tfc
assert pathlib.Path(tfc.__file__).is_relative_to(sys.argv[1]), tfc.__file__
case = sys.argv[2]
model = tfc.compile(case + '/model.op17.onnx')
found = model({**np.load(case + '/2x7.inputs.npz')})
for name, array in np.load(case + '/2x7.outputs.npz').items():
    np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5)
tfc.compile(case + '/model.op17.onnx', 'kept.so')
maps = open('/proc/self/maps').read()
assert 'libtfc-runtime.so' in maps and 'LLVM' not in maps and 'MLIR' not in maps
print('right')
"""
case = MODELS / "bert_tiny"
checks.run(sys.executable, "-c", program, folder / "site", case, env=environment, says="right")

# The runtime half alone; the compiler half says what it lacks.
shutil.copytree("site", "runtime")
bin_folder = folder / "runtime/tfc/_home/bin"
environment["PYTHONPATH"] = str(folder / "runtime")
(bin_folder / "tfc-run").unlink()
(bin_folder / "tfc-compile").write_text("#!/bin/sh\necho \"$0: error while loading shared libraries: libMLIR.so.22.1: cannot open shared object file\" >&2\nexit 127\n")
lacks = "import sys, tfc\ntry: tfc.compile(sys.argv[1])\nexcept tfc.Error as error: print(error)"
checks.run(sys.executable, "-c", lacks, case / "model.op17.onnx", env=environment, says=["libMLIR.so.22.1", "Debian packages: ", "libmlir-22"])
(bin_folder / "tfc-compile").unlink()
runs = "import sys, numpy as np, tfc; print(tfc.load('kept.so')({**np.load(sys.argv[1])})['pooler_output'].shape)"
checks.run(sys.executable, "-c", runs, case / "2x7.inputs.npz", env=environment, says="(2, 64)")
checks.run(sys.executable, "-c", lacks, case / "model.op17.onnx", env=environment, says="tfc-compile was not found")
sys.exit(checks.finish())
