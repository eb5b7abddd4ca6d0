#!/usr/bin/env python3
"""cache.py FOLDER: libraries made with a cache of kernels are those made without; a cache that does not work is a warning."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
# Three kernels that compile in no time, and real models.
small = folder / "small.mlir"
small.write_text("""module attributes {tfc.model_name = "small"} {
  tfc.weight @w : tensor<8x100xf32> = #tfc.seed<normal, 0, 1, 0.0, 1.0>
  func.func @main(%x: tensor<?x8xf32, #tfc.dims<n, 8>> {tfc.name = "x"}) -> (tensor<?x100xf32, #tfc.dims<n, 100>> {tfc.name = "y"}, tensor<?x8xf32, #tfc.dims<n, 8>> {tfc.name = "z"})
      attributes {tfc.entry} {
    %w = tfc.weight_ref @w : tensor<8x100xf32>
    %m = tfc.matmul %x, %w : tensor<?x8xf32, #tfc.dims<n, 8>>, tensor<8x100xf32>
    %y = tfc.softmax %m axis 1 : tensor<?x100xf32, #tfc.dims<n, 100>>
    %z = tfc.neg %x : tensor<?x8xf32, #tfc.dims<n, 8>>
    return %y, %z : tensor<?x100xf32, #tfc.dims<n, 100>>, tensor<?x8xf32, #tfc.dims<n, 8>>
  }
}
""")
bert = MODELS / "bert_tiny" / "model.op17.onnx"
gpt = MODELS / "gpt2_tiny_past" / "model.op17.onnx"


def compiled(model, *words, **keys):
    """The library's bytes and how many kernels came from the cache, of how many; and what was said."""
    result = checks.run("tfc-compile", model, "-o", "model.so", "--report=report.json", *words, **keys)
    report = json.loads(pathlib.Path("report.json").read_text())
    return pathlib.Path("model.so").read_bytes(), report["kernels_from_cache"], len(report["kernels"]), result.stderr


def files(cache):
    return sorted(pathlib.Path(cache).glob("*.tfc-kernel"))


for model, target in ((bert, "cpu"), (gpt, "cpu"), (small, "cpu:x86-64-v2+x86-64-v3")):
    words = ("--target", target)
    without, none, count, _ = compiled(model, *words)
    checks.check("no cache, nothing from it", none == 0)
    before = len(files("cache"))
    cold, found, _, said = compiled(model, *words, "--cache-dir=cache")
    # Models have kernels in common.
    checks.check(f"{target}: cold", found < count // 2 and said == "", (found, said))
    new = len(files("cache")) - before
    checks.check(f"{target}: one file per kernel", new + found == count, (new, count, found))
    warm, found, _, said = compiled(model, *words, "--cache-dir=cache")
    checks.check(f"{target}: warm", found == count and said == "", (found, count, said))
    checks.check(f"{target}: the same bytes with a cold cache", without == cold)
    checks.check(f"{target}: the same bytes with a warm cache", without == warm)
without, _, count, _ = compiled(small)
checks.check("several kernels", count == 3, count)
case = MODELS / "bert_tiny" / "2x7"
compiled(bert, "--cache-dir=cache")
checks.run("tfc-run", "./model.so", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz", says="as expected")

# What the code depends on is part of the key: other targets, other sizes.
for words in (("--target=cpu:x86-64-v2",), ("--reference",)):
    _, found, _, _ = compiled(small, *words, "--cache-dir=other")
    checks.check(f"{words}: compiled", found == 0, found)
_, found, _, _ = compiled(small, "--target=cpu:x86-64-v3", "--cache-dir=other")
checks.check("nothing of x86-64-v2 is taken for x86-64-v3", found == 0, found)

# A part of the kernels: whichever they are, the bytes are the same.
kept = files("other")
shutil.rmtree("part", ignore_errors=True)
compiled(small, "--cache-dir=part")
for number, path in enumerate(files("part")):
    if number % 2:
        path.unlink()
some, found, _, _ = compiled(small, "--cache-dir=part")
checks.check("half of the kernels", 0 < found < count and some == without, (found, count))

# Damage of every kind is seen and mended.
entries = files("part")
whole = {path: path.read_bytes() for path in entries}
damages = {
    "cut short": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "one bit": lambda data: data[:-200] + bytes([data[-200] ^ 1]) + data[-199:],
    "longer": lambda data: data + b"x",
    "another kernel's": lambda data: next(other for other in whole.values() if other != data),
    "text": lambda data: b"hello, world\n" * 100,
}
for name, damage in damages.items():
    for path in entries:
        path.write_bytes(damage(whole[path]))
    mended, found, _, said = compiled(small, "--cache-dir=part")
    checks.check(f"{name}: compiled again", found == 0 and mended == without and said == "", (found, said))
    checks.check(f"{name}: mended", {path: path.read_bytes() for path in entries} == whole)
victim = entries[0]
victim.unlink()
victim.mkdir()
mended, _, _, said = compiled(small, "--cache-dir=part")
checks.check("a folder in the place of an entry", mended == without and "warning: the cache of kernels does not work" in said, said)
victim.rmdir()
os.mkfifo(victim)
mended, _, _, said = compiled(small, "--cache-dir=part")
checks.check("a pipe in the place of an entry", mended == without, said)
victim.unlink()

# A folder that cannot be used is one warning, and the compilation goes on.
pathlib.Path("file").write_text("")
for cache in ("file", "file/below", "/proc/nothing"):
    made, found, _, said = compiled(small, f"--cache-dir={cache}")
    checks.check(f"{cache}: goes on", found == 0 and made == without)
    checks.check(f"{cache}: one warning", said.count("\n") == 1 and said.startswith("warning: the cache of kernels does not work: "), said)
if os.geteuid() != 0:
    os.mkdir("locked", 0o555)
    made, _, _, said = compiled(small, "--cache-dir=locked")
    checks.check("a folder that cannot be written", made == without and said.count("warning") == 1, said)
made, _, _, said = compiled(small, "--cache-dir=/dev/full")
checks.check("a device", made == without and said.count("warning") == 1, said)

# The folder stays within its limit; what was used last stays.
shutil.rmtree("bounded", ignore_errors=True)
compiled(small, "--cache-dir=bounded", "--target=cpu:x86-64-v2")
for path in files("bounded"):
    os.utime(path, (1000, 1000))
pathlib.Path("bounded/notes.txt").write_text("not ours")
old = pathlib.Path("bounded") / (files("bounded")[0].name + ".abcd.tmp")
old.write_text("a writer that died")
os.utime(old, (1000, 1000))
young = pathlib.Path("bounded") / (files("bounded")[0].name + ".efgh.tmp")
young.write_text("a writer that may live")
compiled(small, "--cache-dir=bounded")
checks.check("within the usual limit all stays", len(files("bounded")) == 2 * count, files("bounded"))
checks.check("files of others stay", pathlib.Path("bounded/notes.txt").exists() and young.exists() and not old.exists())
made, _, _, said = compiled(small, "--cache-dir=bounded", "--cache-limit=0")
checks.check("a limit of nothing", made == without and said == "" and not files("bounded"), said)

# Several compilers at once.
shutil.rmtree("shared", ignore_errors=True)
running = [subprocess.Popen(["tfc-compile", str(model), "-o", f"{number}.so", "--cache-dir=shared", "--name=model"], stderr=subprocess.PIPE)
           for number, model in enumerate([small, small, bert, small])]
said = [process.communicate()[1] for process in running]
checks.check("all end well", all(process.returncode == 0 for process in running) and not any(said), said)
checks.run("tfc-run", "./2.so", "--inputs", f"{case}.inputs.npz", "--expect", f"{case}.outputs.npz", says="as expected")
_, found, _, _ = compiled(small, "--cache-dir=shared")
checks.check("and leave a cache that works", found == count, (found, count))

# Archives, whose symbols have other names.
checks.run("tfc-compile", small, "--emit=archive", "-o", "without.a", "--name=one")
for found in (0, count):
    checks.run("tfc-compile", small, "--emit=archive", "-o", "with.a", "--name=one", "--cache-dir=cache", "--report=report.json")
    report = json.loads(pathlib.Path("report.json").read_text())
    checks.check(f"archive: {found} from the cache", report["kernels_from_cache"] == found, report["kernels_from_cache"])
    checks.check("archive: the same bytes", pathlib.Path("with.a").read_bytes() == pathlib.Path("without.a").read_bytes())
checks.run("tfc-compile", small, "--emit=archive", "-o", "two.a", "--name=two", "--cache-dir=cache", "--report=report.json")
checks.check("another model's names", json.loads(pathlib.Path("report.json").read_text())["kernels_from_cache"] == 0)

# Stages that are written out are whole.
for stage in ("host", "llvm", "obj"):
    checks.run("tfc-compile", small, f"--emit={stage}", "-o", "with.out", "--cache-dir=cache")
    checks.run("tfc-compile", small, f"--emit={stage}", "-o", "without.out")
    checks.check(f"--emit={stage} is whole", pathlib.Path("with.out").read_bytes() == pathlib.Path("without.out").read_bytes())
checks.run("tfc-compile", small, "-o", "model.so", "--cache-dir=cache", "--save-stages=stages")
checks.check("saved stages are whole", "tfc.cached" not in pathlib.Path("stages/4-host.mlir").read_text())

# Flags that say nothing.
checks.refuses("tfc-compile", small, "-o", "bad.so", "--cache-limit=5", says="--cache-limit goes with --cache-dir", lines=2)
checks.refuses("tfc-compile", small, "-o", "bad.so", "--cache-dir=", says="--cache-dir wants a folder", lines=2)
sys.exit(checks.finish())
