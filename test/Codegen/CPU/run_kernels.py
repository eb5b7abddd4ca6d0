#!/usr/bin/env python3
"""Compiles kernels to machine code, runs them, and compares with float64 numpy.

usage: run_kernels.py TFC_OPT [--cases=kernel_cases|attention_cases|random_attention_cases] [--cpu=native] [--filter=TEXT] [--keep=FOLDER] [--bench]
                      [--cc=COMMAND --emulator=COMMAND]

With --emulator, kernels of another machine run in it; --cc compiles and links programs for that machine.

Every kernel runs over several sizes (odd ones, zero, one). Outputs are poisoned with NaN and stand between guard
bytes. Each case runs three times with the range of tiles split in different random ways: the bits must be the same.
"""
import argparse, ctypes, importlib, os, re, shlex, struct, subprocess, sys, tempfile, time
import numpy as np

LLVM = os.environ.get("LLVM_TOOLS", "/usr/lib/llvm-22/bin")
GUARD = 256


class Worker(ctypes.Structure):
    _fields_ = [("scratch", ctypes.c_void_p), ("index", ctypes.c_int32), ("failed_check", ctypes.c_int32),
                ("failed_value", ctypes.c_int64), ("failed_bound", ctypes.c_int64)]


def evaluate(text, symbols):
    names = {"floordiv": lambda a, b: a // b if b else 0, "mod": lambda a, b: a % b if b else 0, "min": min, "max": max,
             "broadcast": lambda a, b: b if a == 1 else a, "wrap": lambda a, b: a + b if a < 0 else a}
    return eval(text, {"__builtins__": {}}, {**names, **symbols})


def balanced(text, start):
    """The text from `start`, which is behind an opening angle bracket, to its partner."""
    depth, i = 1, start
    while depth:
        depth += {"<": 1, ">": -1}.get(text[i], 0)
        i += 1
    return text[start:i - 1]


class NativeKernels:
    """A library with kernels of this machine."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)

    def call(self, name, buffers, symbols, ranges):
        """The last of the buffers, which are what guarded() makes, is scratch. Gives what the kernel notes of its checks."""
        block, worker = self.arguments(buffers, symbols)
        function = self.function(name)
        for begin, end in ranges:
            function(block, ctypes.c_int64(begin), ctypes.c_int64(end), ctypes.byref(worker))
        return worker.failed_check, worker.failed_value, worker.failed_bound

    def function(self, name):
        function = getattr(self.library, name)
        function.restype = None
        return function

    @staticmethod
    def arguments(buffers, symbols):
        words = [b[3].ctypes.data for b in buffers[:-1]] + list(symbols.values())
        return (ctypes.c_uint64 * max(len(words), 1))(*words), Worker(buffers[-1][3].ctypes.data, 0, -1, 0, 0)


class EmulatedKernels:
    """A program (call_kernels.c) with kernels of another machine, which runs in an emulator and is given calls through a pipe."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def call(self, name, buffers, symbols, ranges):
        put = self.process.stdin.write
        put(struct.pack("<Q", len(name)) + name.encode() + struct.pack("<Q", len(buffers)))
        for raw, start, _, _ in buffers:
            put(struct.pack("<QQ", raw.size, start))
            put(raw.tobytes())
        put(struct.pack(f"<Q{len(symbols)}q", len(symbols), *symbols.values()))
        put(struct.pack(f"<Q{2 * len(ranges)}q", len(ranges), *(x for pair in ranges for x in pair)))
        self.process.stdin.flush()
        noted = struct.unpack("<3q", self.take(24))
        for raw, _, _, _ in buffers:
            raw[...] = np.frombuffer(self.take(raw.size), np.uint8)
        return noted

    def take(self, count):
        taken = self.process.stdout.read(count)
        if len(taken) != count:
            sys.exit(f"the emulated program ended with exit code {self.process.wait()}")
        return taken


def lower_kernels(opt, cpu, source, folder):
    """The path of the kernels as LLVM IR, and their numbers of tiles and bytes of scratch."""
    paths = {k: os.path.join(folder, "kernels." + k) for k in ("mlir", "llvm.mlir", "ll")}
    with open(paths["mlir"], "w") as f:
        f.write(source)
    subprocess.run([opt, paths["mlir"], f"--tfc-generate-kernels=cpu={cpu}", f"--tfc-lower-cpu-to-llvm=cpu={cpu}", "-o",
                    paths["llvm.mlir"]], check=True)
    text = open(paths["llvm.mlir"]).read()
    facts = {}
    for line in text.splitlines():
        name = re.search(r"llvm\.func .*?@(\w+)\(", line)
        if not name or "tfc.kernel" not in line:
            continue
        facts[name.group(1)] = {}
        for key in ("tiles", "scratch"):
            at = re.search(rf"tfc\.{key} = #tfc\.expr<", line)
            facts[name.group(1)][key] = balanced(line, at.end())
    # What is tfc's own means nothing to mlir-translate.
    def strip(line):
        if "llvm.func" not in line or "attributes {" not in line:
            return line
        head, attributes = line.split("attributes {", 1)
        kept = [a for a in ("no_inline", "no_unwind") if a in attributes]
        width = re.search(r'prefer_vector_width = "\d+"', attributes)
        return head + "attributes {" + ", ".join(kept + ([width.group(0)] if width else [])) + "} {"
    with open(paths["llvm.mlir"], "w") as f:
        f.write("\n".join(map(strip, text.splitlines())))
    subprocess.run([f"{LLVM}/mlir-translate", "--mlir-to-llvmir", paths["llvm.mlir"], "-o", paths["ll"]], check=True)
    return paths["ll"], facts


FLAGS = ["-O3", "-fno-slp-vectorize", "-Wno-override-module", "-Wno-unused-command-line-argument"]


def link_library(code, cpu):
    """The path of a library of this machine."""
    path = os.path.join(os.path.dirname(code), "kernels.so")
    subprocess.run([f"{LLVM}/clang", *FLAGS, f"-march={cpu}", "-shared", "-fPIC", code, "-o", path, "-lm"], check=True)
    return path


def link_program(code, cc, program):
    """The path of a C program for another machine, linked with the kernels."""
    path = os.path.join(os.path.dirname(code), "kernels")
    subprocess.run([*shlex.split(cc), *FLAGS, "-c", code, "-o", path + ".o"], check=True)
    subprocess.run([*shlex.split(cc), "-O2", "-Wl,--export-dynamic", program, path + ".o", "-o", path], check=True)
    return path


def guarded(array_or_shape, dtype):
    """A buffer between guard bytes, and its contents as an array."""
    shape = array_or_shape if isinstance(array_or_shape, tuple) else array_or_shape.shape
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.full(size + 2 * GUARD + 64, 0xA5, np.uint8)
    start = GUARD + (-(raw.ctypes.data + GUARD)) % 64
    view = raw[start:start + size].view(dtype).reshape(shape)
    raw[start:start + size] = 0xFF
    if not isinstance(array_or_shape, tuple):
        view[...] = array_or_shape
    return raw, start, size, view


def intact(raw, start, size):
    return (raw[:start] == 0xA5).all() and (raw[start + size:] == 0xA5).all()


def run(library, name, facts, inputs, outputs, symbols, rng):
    buffers = [guarded(np.ascontiguousarray(x), x.dtype) for x in inputs] + [guarded(s, t) for s, t in outputs]
    tiles, bytes_ = (evaluate(facts[k], symbols) for k in ("tiles", "scratch"))
    buffers.append(guarded((bytes_,), np.uint8))
    cuts = sorted({0, tiles, *rng.integers(0, tiles + 1, rng.integers(0, 4))})
    ranges = [(int(x), int(y)) for x, y in zip(cuts, cuts[1:])] or [(0, 0)]
    rng.shuffle(ranges)
    noted = library.call(name, buffers, symbols, ranges)
    ok = all(intact(*b[:3]) for b in buffers)
    return [b[3] for b in buffers[len(inputs):-1]], noted, ok, (buffers, tiles)


def error(actual, expected, scale):
    """The greatest error, relative to `scale` where it is above 1; infinite where NaN or inf disagree."""
    a, e = actual.astype(np.float64), np.asarray(expected, np.float64)
    if a.size == 0:
        return 0.0
    same = (np.isnan(a) & np.isnan(e)) | (a == e)
    if not (np.isfinite(a) | same).all() or not (np.isfinite(e) | same).all():
        return np.inf
    with np.errstate(invalid="ignore"):
        return float(np.where(same, 0, np.abs(a - e) / np.maximum(np.abs(e) if scale is None else scale, 1)).max())


def check(case, sizes, library, facts, rng):
    symbols = {f"s{i}": v for i, v in enumerate(sizes)}
    inputs, expected = case.make(rng, *sizes)
    dtypes = case.dtypes or [np.float32] * len(expected)
    outputs = [(np.shape(e), t) for e, t in zip(expected, dtypes)]
    first = None
    for attempt in range(3):
        actual, noted, ok, _ = run(library, case.name, facts, inputs, outputs, symbols, rng)
        if not ok:
            return "wrote outside its buffers"
        if case.failed is not None and noted != case.failed:
            return f"noted {noted}, not {case.failed}"
        if case.failed is None and noted[0] != -1:
            return f"noted check {noted[0]}, value {noted[1]}"
        bits = [a.tobytes() for a in actual]
        if first is not None and bits != first:
            return "bits depend on the split"
        first = bits
    for i, (a, e) in enumerate(zip(actual, expected)):
        worst = error(a, e, case.scale(*sizes) if case.scale else None)
        if not worst <= case.tolerance:
            return f"result {i} is off by {worst:.2e}, allowed {case.tolerance:.0e}"
    return None


def bench(case, sizes, library, facts, rng):
    symbols = {f"s{i}": v for i, v in enumerate(sizes)}
    inputs, expected = case.make(rng, *sizes)
    dtypes = case.dtypes or [np.float32] * len(expected)
    _, _, _, (buffers, tiles) = run(library, case.name, facts, inputs, [(np.shape(e), t) for e, t in zip(expected, dtypes)], symbols, rng)
    (block, worker), function = library.arguments(buffers, symbols), library.function(case.name)
    best = 1e9
    for _ in range(30):
        t = time.perf_counter()
        function(block, ctypes.c_int64(0), ctypes.c_int64(tiles), ctypes.byref(worker))
        best = min(best, time.perf_counter() - t)
    work = case.work(*sizes)
    unit = "GFLOP/s" if case.flops else "ns/element"
    value = work / best / 1e9 if case.flops else best * 1e9 / work
    print(f"  bench {case.name} {sizes}: {best * 1e6:.1f} us, {value:.3f} {unit}, {tiles} tiles")


def collect(module):
    """The cases that a module defines itself."""
    import kernel_cases
    before = 0 if module == "kernel_cases" else len(kernel_cases.CASES)
    importlib.import_module(module)
    return kernel_cases.CASES[before:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("opt")
    parser.add_argument("--cpu", default="native")
    parser.add_argument("--cases", default="kernel_cases")
    parser.add_argument("--filter", default="")
    parser.add_argument("--keep")
    parser.add_argument("--bench", action="store_true", help="not in an emulator")
    parser.add_argument("--cc", help="compiles and links for the machine of the emulator")
    parser.add_argument("--emulator")
    args = parser.parse_args()
    cases = [c for c in collect(args.cases) if args.filter in c.name]
    folder = args.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    failures = 0
    code, facts = lower_kernels(args.opt, args.cpu, "module {\n" + "\n".join(c.source() for c in cases) + "}\n", folder)
    if args.emulator:
        program = link_program(code, args.cc, os.path.join(os.path.dirname(os.path.abspath(__file__)), "call_kernels.c"))
        library = EmulatedKernels([*shlex.split(args.emulator), program])
    else:
        library = NativeKernels(link_library(code, args.cpu))
    for case in cases:
        for sizes in case.sizes:
            problem = check(case, sizes, library, facts[case.name], np.random.default_rng(7))
            if problem:
                failures += 1
                print(f"FAIL {case.name} {sizes}: {problem}")
        if args.bench and case.bench:
            bench(case, case.bench, library, facts[case.name], np.random.default_rng(7))
    print(f"{len(cases)} kernels, {sum(len(c.sizes) for c in cases)} cases, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
