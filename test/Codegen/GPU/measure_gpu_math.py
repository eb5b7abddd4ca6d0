#!/usr/bin/env python3
"""Measures the errors of functions on GPUs, in the emulator, against 80-bit floats (docs/Numerics.md).

usage: measure_gpu_math.py TFC_GPU_TEST TFC_GPU_OPT [--filter=TEXT] [--count=4096] [--seed=N] [--ptxas=PROGRAM]

Arguments are of every size: what matters to the function, random bit patterns, and every pair of special numbers. NaN, infinities, zeros and
their signs must be those of the C library (numpy's), everything else within a limit in units of the last place (ULP). Remainders of f32
and f64 must be exact. With --ptxas the kernels are assembled too. exp2 and rsqrt, which are no ops of tfc, are compiled for this machine by MLIR's own
tools, from what the pass in TFC_GPU_OPT makes of them. Instructions that are approximate, as ex2.approx is, are exact in the emulator: what f32 functions are off by
on a GPU is more.
"""
import argparse, ctypes, os, re, subprocess, sys, tempfile
import numpy as np

LLVM = os.environ.get("LLVM_TOOLS", "/usr/lib/llvm-22/bin")
LONG = np.longdouble
SPECIAL = np.array([0.0, 1.0, 2.0, 3.0, 0.5, 1.5, 0.75, 1e-8, 5e-324, 2.2250738585072014e-308, 1e-310, 1.7976931348623157e308, np.inf, np.pi, np.pi / 2,
                    np.pi / 4, 2.0**30, 2.0**31 - 1, 2.0**53, 2.0**53 + 2, 1e22, 709.782712893384, 745.2, 708.4, 1024.0, 1074.9, 22.0, 6.0, 5.9,
                    6381956970095103.0 * 2.0**797])  # the f64 that is nearest to a multiple of pi / 2
SPECIAL = np.concatenate([SPECIAL, -SPECIAL, [np.nan]])


def any_bits(rng, count, dtype=np.float64):
    return rng.integers(0, 2**(8 * np.dtype(dtype).itemsize), count, f"u{np.dtype(dtype).itemsize}").view(dtype)


def spread(rng, count, low, high):
    """Of both signs and all sizes between 2^low and 2^high."""
    return np.ldexp(rng.uniform(1, 2, count), rng.integers(low, high, count)) * rng.choice([-1.0, 1.0], count)


def near_whole_quarters(rng, count):
    """What is hard for sine and cosine: the numbers next to multiples of pi / 2."""
    return np.float64(np.rint(LONG(2.0) ** rng.uniform(0, 62, count)) * (np.arccos(LONG(-1)) / 2)) * rng.choice([-1.0, 1.0], count)


def exact_erf(x):
    """The C library's, with 64 bits as its result."""
    erfl = ctypes.CDLL("libm.so.6").erfl
    result = np.empty(x.shape, LONG)
    erfl.argtypes, erfl.restype = [ctypes.c_longdouble], ctypes.c_longdouble
    for i, number in enumerate(x):
        result[i] = erfl(number)  # ctypes makes an f64 of it, which is half a ULP
    return result


def unary(reference, low, high):
    return reference, lambda rng, count: [np.concatenate([spread(rng, count, low, high), rng.uniform(-4, 4, count), any_bits(rng, count), SPECIAL])]


def angles(reference):
    def make(rng, count):
        return [np.concatenate([rng.uniform(-10, 10, count), spread(rng, count, 0, 1023), near_whole_quarters(rng, count), any_bits(rng, count), SPECIAL])]
    return reference, make


def powers(rng, count):
    x = np.abs(spread(rng, count, -1074, 1024))
    with np.errstate(all="ignore"):
        y = rng.uniform(-760, 760, count) / np.log(x)  # results of all sizes
    near = 1 + spread(rng, count, -50, -1)
    x = np.concatenate([x, near, rng.uniform(-3, 3, count), any_bits(rng, count), np.repeat(SPECIAL, SPECIAL.size)])
    y = np.concatenate([y, rng.uniform(-760, 760, count) / np.log(np.abs(near)), rng.integers(-9, 9, count), any_bits(rng, count), np.tile(SPECIAL, SPECIAL.size)])
    return [x, y]


def single(make):
    """The arguments as f32, half of them random bit patterns."""
    def made(rng, count):
        with np.errstate(all="ignore"):
            return [np.concatenate([x.astype(np.float32), any_bits(rng, x.size, np.float32)]) for x in make(rng, count)]
    return made


def divisions(dtype):
    def make(rng, count):
        with np.errstate(all="ignore"):
            special = SPECIAL.astype(dtype)
        whole = rng.integers(-99, 99, count).astype(dtype)
        x = np.concatenate([any_bits(rng, count, dtype), whole, rng.uniform(-9, 9, count).astype(dtype), np.repeat(special, special.size)])
        y = np.concatenate([any_bits(rng, count, dtype), rng.integers(-9, 9, count).astype(dtype), rng.uniform(-9, 9, count).astype(dtype), np.tile(special, special.size)])
        return [x, y]
    return make


# name: (op, the exact function, arguments, limit in ULP)
DOUBLE = {
    "exp": (*unary(np.exp, -60, 10), 0.85), "log": (*unary(np.log, -1074, 1024), 0.8), "tanh": (*unary(np.tanh, -60, 6), 2.7),
    "erf": (*unary(exact_erf, -60, 4), 1.05), "sin": (*angles(np.sin), 0.9), "cos": (*angles(np.cos), 0.9), "tan": (*angles(np.tan), 2.4),
    "pow": (np.power, powers, 1.0), "exp2": (*unary(np.exp2, -60, 11), 0.85), "rsqrt": (*unary(lambda x: 1 / np.sqrt(x), -1074, 1024), 1.5),
}
SINGLE = {"exp": 2.1, "log": 0.8, "tanh": 1.9, "erf": 1.1, "sin": 1.6, "cos": 1.6, "tan": 3.6, "pow": 0.8}
CASES = {
    **{name: (name, *case) for name, case in DOUBLE.items()},
    **{f"{name}_f32": (name, DOUBLE[name][0], single(DOUBLE[name][1]), limit) for name, limit in SINGLE.items()},
    "fmod": ("mod", np.fmod, divisions(np.float64), 0), "fmod_f32": ("mod", np.fmod, divisions(np.float32), 0),
}


def source(name, op, inputs):
    element = "f32" if inputs[0].dtype == np.float32 else "f64"
    t = f"tensor<{inputs[0].size}x{element}>"
    arguments = ["%x", "%y"][:len(inputs)]
    types = ", ".join([t] * len(inputs))
    body = f"tfc.{op} {', '.join(arguments)}{' {fmod}' if op == 'mod' else ''} : {types}"
    return (f"func.func private @{name}({', '.join(f'{a}: {t}' for a in arguments)}) -> {t} attributes {{tfc.kernel, tfc.symbols = []}} {{\n"
            f"  %r = {body}\n  return %r : {t}\n}}\n")


def ulps(actual, exact):
    """Errors in units of the last place of the exact result; denormal results have that of the least normal number. Where only one of the two is
    NaN or infinite, or the signs differ, that is infinitely wrong."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(actual.dtype)
        unit = np.spacing(np.maximum(np.abs(rounded), np.finfo(actual.dtype).tiny))
        off = np.abs(actual.astype(LONG) - exact) / unit
    both_nan = np.isnan(rounded) & np.isnan(actual)
    off = np.where(np.isfinite(rounded) & np.isfinite(actual), off, np.where(both_nan | (rounded == actual), 0, np.inf))
    return np.where(both_nan | (np.signbit(rounded) == np.signbit(actual)), off, np.inf)


def emulate(args, name, op, inputs, folder):
    at = os.path.join(folder, name)
    os.makedirs(at)
    path = at + ".mlir"
    with open(path, "w") as f:
        f.write(source(name, op, inputs))
    open(os.path.join(at, "symbols"), "w").close()
    for i, array in enumerate(inputs):
        array.tofile(os.path.join(at, f"in{i}.bin"))
    subprocess.run([args.tool, path, "--run=" + at], check=True)
    if args.ptxas:
        assemble(args, name, path)
    return np.fromfile(os.path.join(at, "out0.bin"), inputs[0].dtype)


def assemble(args, name, path):
    ptx = subprocess.run([args.tool, path, "--emit=ptx"], check=True, stdout=subprocess.PIPE, text=True).stdout
    if ".extern" in ptx:
        sys.exit(f"{name}: calls a function from outside")
    with open(path + ".ptx", "w") as f:
        f.write(ptx)
    said = subprocess.run([args.ptxas, "-arch=sm_80", "-v", path + ".ptx", "-o", os.devnull], capture_output=True, text=True)
    said = said.stdout + said.stderr
    print("  " + " ".join(re.findall(r"Used \d+ registers|\d+ bytes spill \w+|error.*", said)))
    if "Used" not in said or re.search(r"[1-9]\d* bytes spill|error", said):
        sys.exit(f"{name}: ptxas: {said}")


def compile_here(args, name, inputs, folder):
    """Calls the function as this machine's code."""
    path = os.path.join(folder, name)
    text = f"gpu.module @m {{\nllvm.func @{name}(%x: f64) -> f64 {{\n%y = math.{name} %x : f64\nllvm.return %y : f64\n}}\n}}"
    pipe = lambda command, text: subprocess.run(command, input=text, check=True, stdout=subprocess.PIPE, text=True).stdout
    text = pipe([args.opt, "--pass-pipeline=builtin.module(gpu.module(tfc-expand-gpu-math))"], text)
    text = text[text.index("llvm.func"):text.rindex("}", 0, text.rindex("}"))]
    text = pipe([f"{LLVM}/mlir-opt", "--convert-math-to-llvm", "--convert-arith-to-llvm"], text)
    text = pipe([f"{LLVM}/mlir-translate", "--mlir-to-llvmir"], text)
    pipe([f"{LLVM}/clang", "-O2", "-march=x86-64-v3", "-shared", "-w", "-x", "ir", "-", "-o", path + ".so"], text)
    function = getattr(ctypes.CDLL(path + ".so"), name)
    function.argtypes, function.restype = [ctypes.c_double], ctypes.c_double
    return np.array([function(x) for x in inputs[0]])


def run(args, name, folder):
    op, exact, make, limit = CASES[name]
    inputs = make(np.random.default_rng(args.seed), args.count)
    if name in ("exp2", "rsqrt"):
        actual = compile_here(args, name, inputs, folder)
    else:
        actual = emulate(args, name, op, inputs, folder)
    with np.errstate(all="ignore"):
        expected = exact(*(x.astype(LONG) for x in inputs)) if limit else exact(*inputs)
    off = ulps(actual, expected)
    worst = int(np.argmax(off))
    print(f"{name:10} {inputs[0].size:6} arguments, {float(off[worst]):.3f} ULP at {', '.join(float(x[worst]).hex() for x in inputs)}: "
          f"{float(actual[worst])!r}, exactly {expected[worst]!r}")
    return off[worst] <= limit


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("opt")
    parser.add_argument("--filter", default="")
    parser.add_argument("--count", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--ptxas")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bad = [name for name in CASES if re.search(args.filter, name) and not run(args, name, folder)]
    sys.exit("above the limit: " + " ".join(bad) if bad else 0)


if __name__ == "__main__":
    main()
