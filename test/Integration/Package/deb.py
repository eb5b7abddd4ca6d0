#!/usr/bin/env python3
"""deb.py FOLDER BUILD: makes the .deb with CPack, looks into it, unpacks it and compiles a model."""

import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
if not all(map(shutil.which, ("cpack", "dpkg-deb", "dpkg-shlibdeps"))):
    print("skipped: cpack, dpkg-deb or dpkg-shlibdeps is missing")
    sys.exit(0)
os.chdir(folder)
checks.run("cpack", "--config", pathlib.Path(sys.argv[2]) / "CPackConfig.cmake", "-B", folder)
(package,) = folder.glob("*.deb")
fields = checks.run("dpkg-deb", "--info", package, says=["Package: tfc", "Architecture: "]).stdout
needs = next(line for line in fields.splitlines() if line.strip().startswith("Depends:"))
for name in ("libllvm22", "libmlir-22", "libstdc++6", "zlib1g"):
    checks.check(f"it needs {name}", name in needs, needs)
checks.check("it needs no tests", "gtest" not in needs, needs)
listed = checks.run("dpkg-deb", "--contents", package).stdout
for path in ("bin/tfc-compile", "bin/tfc-run", "bin/tfc-opt", "bin/tfc-bisect", "bin/tfc-reduce", "lib/libtfc-runtime.so", "include/tfc-c/ModelABI.h", "lib/cmake/tfc/tfcConfig.cmake", "lib/pkgconfig/tfc.pc", "share/tfc/python/tfc/__init__.py", "share/doc/tfc/LICENSE"):
    checks.check(f"/usr/{path} is in it", f"./usr/{path}\n" in listed, listed)
checks.run("dpkg-deb", "--extract", package, "root")
environment = {"PATH": f"{folder}/root/usr/bin:/usr/bin:/bin", "PYTHONPATH": f"{folder}/root/usr/share/tfc/python", "HOME": str(folder)}
checks.run("tfc-compile", MODELS / "bert_tiny" / "model.op17.onnx", "-o", "bert.so", env=environment)
checks.run("tfc-run", "./bert.so", "--inputs", MODELS / "bert_tiny" / "2x7.inputs.npz", "--expect", MODELS / "bert_tiny" / "2x7.outputs.npz", env=environment, says="as expected")
checks.run(sys.executable, "-c", "import tfc; print(tfc.load('bert.so'))", env=environment, says="pooler_output")
sys.exit(checks.finish())
