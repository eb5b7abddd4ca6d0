#!/usr/bin/env python3
"""Checks the bytes of weights: usage weights.py TFC-TARGET-TEST FOLDER-OF-THIS-FILE SCRATCH-FOLDER [big]"""
import ctypes, os, pathlib, re, resource, shutil, struct, subprocess, sys
import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2])]
from bfloat16 import to_bf16  # noqa: E402

tool, here, work = shutil.which(sys.argv[1]), *sys.argv[2:4]
shutil.rmtree(work, ignore_errors=True)
os.makedirs(work)
os.chdir(work)
failures = 0


def check(name, condition):
    global failures
    print("ok  " if condition else "FAIL", name)
    failures += not condition


ints = np.array([5, 0, -7], np.int64)
small = (np.arange(12, dtype=np.float32).reshape(3, 4) + 1) / 3
large = np.arange(2048 * 2048, dtype=np.float32).reshape(2048, 2048)
with open("source.bin", "wb") as file:
    file.write(ints.tobytes().ljust(64, b"\0") + small.tobytes().ljust(64, b"\0") + large.tobytes())
text = open(os.path.join(here, "weights.mlir.in")).read().replace("@SOURCE@", os.path.abspath("source.bin"))
open("weights.mlir", "w").write(text)


def compile(*options, source="weights.mlir"):
    return subprocess.run([tool, source, *options], capture_output=True, text=True)


def at(data, offset, dtype, *dims):
    count = int(np.prod(dims))
    return np.frombuffer(data, dtype, count, offset).reshape(dims)


done = compile("-o", "external.so", "-weights", "external")
check("external: " + done.stderr, done.returncode == 0)
data = open("external.weights", "rb").read()
check("size", len(data) == 17178944)
check("plain", (at(data, 0, np.float32, 3, 4) == small).all())
check("transposed", (at(data, 64, np.float32, 4, 3) == small.T).all())
check("row", (at(data, 128, np.float32, 4) == small[1]).all())
check("half", (at(data, 192, np.float16, 3, 4) == small.astype(np.float16)).all())
brain = to_bf16(small.T)
check("brain", (at(data, 256, np.uint16, 4, 3) == brain).all())
check("ints", (at(data, 320, np.int32, 3) == ints).all())
check("floats", (at(data, 384, np.float32, 3) == ints).all())
check("bools", (at(data, 448, np.uint8, 3) == [1, 0, 1]).all())
check("scalar", at(data, 512, np.float32, 1)[0] == 2.5)
check("truth", (at(data, 576, np.uint8, 3) == [1, 0, 1]).all())
check("constant", (at(data, 640, np.float32, 5) == 0.5).all())
normal = at(data, 704, np.float32, 4, 8)
check("normal is spread out", normal.std() > 0.5 and abs(normal.mean()) < 0.6 and len(set(normal.flat)) == 32)
check("normal through a layout", (at(data, 832, np.float32, 8, 4) == normal.T).all())
check("padded", (at(data, 17178304, np.float32, 6, 5) == np.pad(small, ((2, 1), (0, 1)))).all())
check("panels", (at(data, 17178496, np.float32, 2, 3, 3) == np.pad(small, ((0, 0), (0, 2))).reshape(3, 2, 3).transpose(1, 0, 2)).all())
check("padded brain", (at(data, 17178624, np.uint16, 4, 4) == np.pad(brain.T, ((0, 1), (0, 0)))).all())
check("normal padded", (at(data, 17178688, np.float32, 6, 10) == np.pad(normal, ((1, 1), (0, 2)))).all())
check("large", (at(data, 1024, np.float32, 2048, 2048) == large.T).all())
check("tail", (at(data, 16778304, np.float32, 100, 1000).flat == large.flat[:100000]).all())

# Embedded: the same bytes, found where the program header says.
done = compile("-o", "embed.so")
check("embed: " + done.stderr, done.returncode == 0)
headers = subprocess.run(["readelf", "-lW", "embed.so"], capture_output=True, text=True).stdout
loads = re.findall(r"LOAD\s+0x(\w+)\s+0x(\w+)\s+0x\w+\s+0x(\w+)\s+0x(\w+)\s+(R\s+)0x", headers)
offset, size = int(loads[-1][0], 16), int(loads[-1][2], 16)
embedded = open("embed.so", "rb").read()
check("embedded bytes", size == len(data) and embedded[offset:offset + size] == data and offset % 4096 == 0)
ctypes.CDLL("./embed.so", mode=os.RTLD_NOW)

# Seeds: only what no seed makes travels.
done = compile("-o", "seed.so", "-weights", "seed")
check("seed: " + done.stderr, done.returncode == 0)
check("seeded weights stay out", os.path.getsize("seed.so") < os.path.getsize("embed.so"))


def broken(name, old, new, wanted):
    check(name + " changes the module", old in text)
    open("broken.mlir", "w").write(text.replace(old, new))
    done = compile("-o", "broken.so", source="broken.mlir")
    check(f"{name}: {done.stderr.strip()}", done.returncode == 2 and wanted in done.stderr and done.stderr.count("\n") == 1)
    check(name + " leaves nothing", not [f for f in os.listdir(".") if f.startswith("broken.so")])


broken("missing file", "source.bin", "missing.bin", "missing.bin")
broken("padding that reads outside", "<-8, [4, 1], pad [<-2,", "<-8, [4, 1], pad [<-1,", "weight @padded: its layout reads outside")
broken("beyond the end of the file", ", 128, 16777216> layout", ", 256, 16777216> layout", "weight @large")

# Weights above 2 GB (a file with a hole), and the memory it takes.
if "big" in sys.argv[4:] and os.statvfs(".").f_bavail * os.statvfs(".").f_frsize > 8 << 30:
    big = 3 << 30
    with open("big.bin", "wb") as file:
        file.truncate(big)
        file.seek(big - 4)
        file.write(struct.pack("<f", 42.0))
    head = text[text.index("  llvm.func"):]
    open("big.mlir", "w").write(
        f'module attributes {{tfc.model_name = "big", tfc.weight_bytes = {big} : i64}} {{\n'
        f'  tfc.weight @w : tensor<{big // 4}xf32> = #tfc.file<"{os.path.abspath("big.bin")}", 0, {big}> {{segment_offset = 0 : i64}}\n' + head)
    done = compile("-o", "big.so", source="big.mlir")
    check("3 GB: " + done.stderr, done.returncode == 0)
    # The largest child so far: the weights must have passed through, not stayed.
    check("3 GB: memory", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 400 * 1024)
    library = ctypes.CDLL("./big.so", mode=os.RTLD_NOW)
    library.tfc_model_query.restype = ctypes.c_void_p
    # TfcModel.weights.embedded
    model = (ctypes.c_uint64 * 17).from_address(library.tfc_model_query())
    base, size = model[11], model[12]
    check("3 GB: size in the descriptor", size == big)
    check("3 GB: last element", ctypes.c_float.from_address(base + big - 4).value == 42.0)
    for name in ("big.so", "big.bin"):
        os.remove(name)
print(failures, "failures")
sys.exit(failures > 0)
