#!/usr/bin/env python3
"""package.py FOLDER BUILD CC: installs tfc, moves it, and uses it as a stranger would."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
build, compiler = sys.argv[2:4]
cxx = re.sub(r"clang(?=[^/]*$)", "clang++", re.sub(r"gcc(?=[^/]*$)", "g++", compiler))
compilers = ["-G", "Ninja", f"-DCMAKE_C_COMPILER={compiler}", f"-DCMAKE_CXX_COMPILER={cxx}"]
os.chdir(folder)
checks.run("cmake", "--install", build, "--prefix", folder / "first")
os.rename("first", "prefix")
prefix = folder / "prefix"
for name in ("bin/tfc-compile", "bin/tfc-run", "bin/tfc-opt", "lib/libtfc-runtime.so", "include/tfc-c/Model.hpp", "lib/cmake/tfc/tfcConfig.cmake", "lib/pkgconfig/tfc.pc", "share/tfc/python/tfc/__init__.py"):
    checks.check(f"{name} is installed", (prefix / name).exists())
# Nothing may come from the build folder or from tools on the PATH.
environment = {**os.environ, "PATH": "/usr/local/bin:/usr/bin:/bin", "CMAKE_PREFIX_PATH": str(prefix), "PYTHONPATH": str(prefix / "share/tfc/python")}
environment.pop("TFC_HOME", None)
for tool in ("tfc-compile", "tfc-run", "tfc-opt"):
    checks.run(prefix / "bin" / tool, "--version", env=environment)
checks.check("the old place is not written down in scripts", not any(str(folder / "first") in path.read_text() for path in (prefix / "lib/cmake/tfc").iterdir()))

shutil.copytree(HERE / "consumer", "consumer")
model = MODELS / "bert_tiny" / "model.op17.onnx"
checks.run("cmake", "-S", "consumer", "-B", "out", f"-DMODEL={model}", *compilers, env=environment)
checks.run("cmake", "--build", "out", env=environment)
from_c = checks.run("./from-c", cwd="out", env=environment).stdout.split()
from_cxx = checks.run("./from-cxx", cwd="out", env=environment, says=["is missing", "1 input 'attention_mask'", "elements of another type"]).stdout.splitlines()
checks.check("C and C++ give the same", from_c == from_cxx[0].split(), (from_c, from_cxx))
script = "import sys, numpy as np, tfc; i = np.array([[1, 17, 2]]); o = tfc.load(sys.argv[1])(input_ids=i, attention_mask=i * 0 + 1, token_type_ids=i * 0); print('%.9g %.9g' % (o['last_hidden_state'][0, 0, 0], o['pooler_output'][0, 0]))"
from_python = checks.run(sys.executable, "-c", script, "out/tiny.so", env=environment).stdout.split()
checks.check("Python gives the same", from_python == from_c[:2], (from_python, from_c))

if shutil.which("pkg-config"):
    flags = checks.run("pkg-config", "--cflags", "--libs", "tfc", env={**environment, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}).stdout.split()
    checks.run(cxx, "-std=c++17", "consumer/from_cxx.cpp", "-o", "by-pkg-config", *flags)
    checks.run("../by-pkg-config", cwd="out", env={**environment, "LD_LIBRARY_PATH": str(prefix / "lib")}, says=from_c[0])
# A model that cannot be compiled stops the build with the compiler's sentence.
pathlib.Path("broken.onnx").write_bytes(b"not a model")
checks.run("cmake", "-S", "consumer", "-B", "bad", f"-DMODEL={folder}/broken.onnx", *compilers, env=environment)
failed = subprocess.run(["cmake", "--build", "bad"], capture_output=True, text=True, env=environment)
checks.check("a broken model stops the build", failed.returncode != 0 and "broken.onnx" in failed.stdout + failed.stderr, failed.stdout + failed.stderr)
sys.exit(checks.finish())
