"""tfc.compile passes on what the compiler says, and finds it where it should: compile.py FOLDER."""

import contextlib
import io
import os
import pathlib
import shutil
import subprocess
import sys

import tfc
from harness import MODELS, SOURCE, expect

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
os.chdir(folder)
model = MODELS / "bert_tiny" / "model.op17.onnx"


def refused(exit_code, sentence, *arguments):
    error = expect(tfc.CompileError, sentence, tfc.compile, *arguments)
    assert error.exit_code == exit_code, error.exit_code


def without(compiler_script, home):
    """What happens with another TFC_HOME; its tfc-compile is this script, if any."""
    tool = folder / home / "bin" / "tfc-compile"
    if compiler_script:
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text(compiler_script)
        tool.chmod(0o755)
    os.environ["TFC_HOME"] = str(folder / home)


said = io.StringIO()
with contextlib.redirect_stderr(said):
    assert tfc.compile(model, "stages.so", "-v") == pathlib.Path("stages.so")
assert "kernels" in said.getvalue() and pathlib.Path("stages.so").is_file()

# A name that begins with a dash is a name, and flags arrive.
shutil.copy(model, "-dash.onnx")
with contextlib.redirect_stderr(io.StringIO()):
    tfc.compile("-dash.onnx", "-dash.so", "--dim=batch=3")
assert tfc.load("-dash.so").inputs[0].dims == (3, "seq")
tfc.compile(None, "built.so", "--builtin=bert", "--config=hidden=16,layers=1,heads=2,intermediate=32,vocab=50,positions=32")
assert [port.name for port in tfc.load("built.so").inputs][0] == "input_ids"

pathlib.Path("text.onnx").write_text("no model\n")
refused(2, "text file", "text.onnx", "text.so")
refused(2, "no-such-flag", model, "flag.so", "--no-such-flag")
refused(2, "absent.onnx", "absent.onnx", "absent.so")
assert not list(pathlib.Path().glob("text.so*"))

home = os.environ["TFC_HOME"]
without("#!/bin/sh\necho 'a defect' >&2; exit 3\n", "defect")
refused(3, "a defect", model, "x.so")
without("#!/bin/sh\nkill -9 $$\n", "killed")
refused(-9, "ended by signal 9", model, "x.so")
without(None, "nothing")
assert expect(tfc.Error, "there is no bin/tfc-compile in it", tfc.compile, model, "x.so").code == tfc.Code.NOT_FOUND

# Without TFC_HOME and away from its sources, the package takes the tfc-compile of the PATH and the library beside it.
shutil.copytree(SOURCE / "python" / "tfc", "elsewhere/python/tfc", dirs_exist_ok=True)
program = "import tfc; print(tfc.__file__, tfc.load(tfc.compile(*__import__('sys').argv[1:])).name)"
environment = {**os.environ, "PYTHONPATH": "elsewhere/python", "PATH": f"{home}/bin:/usr/bin:/bin"}
del environment["TFC_HOME"]
ran = subprocess.run([sys.executable, "-c", program, str(model), "path.so"], env=environment, capture_output=True, text=True)
assert ran.returncode == 0 and "elsewhere" in ran.stdout, ran.stderr
environment["PATH"] = "/nonexistent"
ran = subprocess.run([sys.executable, "-c", program, str(model), "path.so"], env=environment, capture_output=True, text=True)
assert "tfc-compile was not found: set TFC_HOME" in ran.stderr, ran.stderr
