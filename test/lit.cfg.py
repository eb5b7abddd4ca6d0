# How lit runs tfc's tests: every .mlir and .test file under test/ is one, its RUN lines say what.
#
# A test may REQUIRE:
#   long     it takes more than a few seconds; `--param long=1` (target check-tfc-long) lets it run
#   numpy    %python has numpy
#   onnx     %python has the onnx package
#   mypy     %python has mypy
#   git-clone  the sources are a git repository
#   sanitizer  (UNSUPPORTED) tfc is built with one: no other program can load its libraries
#   onnx-testdata  the official ONNX node tests are installed (Debian: libonnx-testdata), or
#                  `--param onnx-testdata=FOLDER` says where they are
#   onnxruntime-node  NODE_PATH names a folder with this package of npm
#   qemu-aarch64  the compiler links libraries for aarch64, and an emulator with a C library of that machine is here
#                  (Debian: libc6-dev-arm64-cross, qemu-user-static)
#   gpu-emulator  GPU kernels can run on this machine's CPU
#   fuzzer   the programs of libFuzzer are built (preset `fuzz`)
#   stub-cuda  the stub of NVIDIA's driver is built: %stub_cuda is its path, and GPUs can be emulated
#   ptxas    NVIDIA's assembler is on this machine: %ptxas is its path
#   cuobjdump  NVIDIA's disassembler too: %cuobjdump
#   <flag>   the machine has this flag in /proc/cpuinfo, written as cpu-avx512f

import os
import shutil
import subprocess

import lit.formats
import lit.util

config.name = "tfc"
# The internal shell: the same on every machine, and quicker than bash.
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
# Unit tests are run by ctest; Inputs hold what tests read.
config.excludes = ["Inputs", "Unit", "lib", "Fuzz"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.tfc_binary_root, "test")


def modules_of(python):
    """Which of the modules that tests ask for this interpreter has."""
    probe = "import importlib.util as u; print(*[m for m in ('numpy', 'onnx', 'mypy') if u.find_spec(m)])"
    try:
        return subprocess.run([python, "-c", probe], capture_output=True, text=True, timeout=60).stdout.split()
    except OSError:
        return []


# The distribution's interpreter first: it is the one whose packages docs/Development.md asks for.
candidates = [lit_config.params.get("python"), "/usr/bin/python3", config.python_executable]
python, modules = config.python_executable, []
for candidate in filter(None, candidates):
    found = modules_of(candidate)
    if len(found) > len(modules):
        python, modules = candidate, found
config.available_features.update(modules)

try:
    with open("/proc/cpuinfo") as cpuinfo:
        flags = next((line for line in cpuinfo if line.startswith("flags")), "")
    config.available_features.update("cpu-" + flag for flag in flags.partition(":")[2].split())
except OSError:
    pass

node_path = os.environ.get("NODE_PATH", "")
if any(os.path.isdir(os.path.join(folder, "onnxruntime-node")) for folder in node_path.split(os.pathsep)):
    config.available_features.add("onnxruntime-node")
    config.environment["NODE_PATH"] = node_path

aarch64 = "/usr/aarch64-linux-gnu"
qemu = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
if qemu and os.path.exists(f"{aarch64}/lib/crt1.o") and os.path.exists(os.path.join(config.tfc_binary_root, "lib", "tfc-core-aarch64.o")):
    config.available_features.add("qemu-aarch64")
# Built where its fibers can run.
if os.path.exists(os.path.join(config.tfc_tools_dir, "tfc-gpu-test")):
    config.available_features.add("gpu-emulator")

if os.path.exists(os.path.join(config.tfc_tools_dir, "tfc-fuzz-onnx")):
    config.available_features.add("fuzzer")

stub_cuda = os.path.join(config.tfc_binary_root, "lib", "libtfc-stub-cuda.so")
if os.path.exists(stub_cuda):
    config.available_features.add("stub-cuda")
cuda_path = os.pathsep.join(filter(None, [os.environ.get("PATH", ""), config.cuda_bin, "/usr/local/cuda/bin"]))
ptxas, cuobjdump = lit.util.which("ptxas", cuda_path), lit.util.which("cuobjdump", cuda_path)
if ptxas:
    config.available_features.add("ptxas")
if cuobjdump:
    config.available_features.add("cuobjdump")

onnx_testdata = lit_config.params.get("onnx-testdata", "/usr/share/libonnx-testdata/data")
if os.path.isdir(os.path.join(onnx_testdata, "node")):
    config.available_features.add("onnx-testdata")

if shutil.which("git") and os.path.exists(os.path.join(config.tfc_source_root, ".git")):
    config.available_features.add("git-clone")

if lit_config.params.get("long", "0") not in ("", "0"):
    config.available_features.add("long")

# The tools just built first, then FileCheck, not and friends.
path = [config.tfc_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]
config.environment["PATH"] = os.pathsep.join(path)
if config.tfc_sanitize:
    config.available_features.add("sanitizer")
    config.environment.update(pair.split("=", 1) for pair in config.tfc_sanitizer_environment.split(";"))
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions += [
    ("%python", python),
    ("%tfc_source_root", config.tfc_source_root),
    ("%tfc_binary_root", config.tfc_binary_root),
    ("%llvm_tools", config.llvm_tools_dir),
    ("%mlir_include", config.mlir_include_dir),
    ("%cc", config.c_compiler),
    ("%onnx_testdata", onnx_testdata),
    ("%aarch64_run", f"{qemu} -L {aarch64}"),
    # What clang would need a whole cross compiler for: the C library's own start, and no compiler's library.
    ("%aarch64_cc", f"{config.llvm_tools_dir}/clang --target=aarch64-linux-gnu -isystem {aarch64}/include -fuse-ld=lld -nostdlib "
                    f"-Wl,--dynamic-linker=/lib/ld-linux-aarch64.so.1 -L{aarch64}/lib {aarch64}/lib/crt1.o {aarch64}/lib/crti.o -lm -lc {aarch64}/lib/crtn.o"),
    ("%stub_cuda", stub_cuda),
    ("%ptxas", ptxas or "ptxas"),
    ("%cuobjdump", cuobjdump or "cuobjdump"),
]
