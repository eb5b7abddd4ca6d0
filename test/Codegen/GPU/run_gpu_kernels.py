#!/usr/bin/env python3
"""Generates GPU kernels, runs them in the emulator, and compares with float64 numpy.

usage: run_gpu_kernels.py TFC_GPU_TEST [--cases=MODULE] [--chip=sm_80] [--filter=TEXT] [--keep=FOLDER] [--require=NAME,...] [--plant=WORD:N]
                          [--ptxas=PROGRAM --archs=sm_80,... [--assemble-only]]

The cases are those of the CPU's kernels (test/Codegen/CPU), and gpu_cases.py. A kernel that no generator takes is counted, and
a failure only if --require names it (`all`: every one). With --plant a call is left out of the generated code, and a case that still passes is the failure. With --ptxas every
kernel is assembled too: spills, warnings about wgmma and setmaxnreg, and functions from outside are failures.
"""
import argparse, importlib, os, re, struct, subprocess, sys, tempfile
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "CPU"), os.path.join(HERE, "..", "..")]
from bfloat16 import from_bf16  # noqa: E402
from run_kernels import collect, error  # noqa: E402

NO_GENERATOR = 4


def write_run(folder, case, sizes, rng):
    os.makedirs(folder)
    inputs, expected = case.make(rng, *sizes)
    with open(os.path.join(folder, "symbols"), "w") as f:
        f.write(" ".join(f"s{i}={v}" for i, v in enumerate(sizes)))
    for i, array in enumerate(inputs):
        with open(os.path.join(folder, f"in{i}.bin"), "wb") as f:
            f.write(np.ascontiguousarray(array).tobytes())
    return expected


def check(case, sizes, folder, expected):
    status = open(os.path.join(folder, "status.bin"), "rb").read()
    _, number, _, value, bound = struct.unpack("<iiQqq", status)
    noted = None if number == -1 else (number, value, bound)
    if noted != case.failed:
        return f"noted {noted}, not {case.failed}"
    dtypes = case.dtypes or [np.float32] * len(expected)
    for i, (reference, dtype) in enumerate(zip(expected, dtypes)):
        stored = np.uint16 if dtype == "bf16" else dtype
        actual = np.fromfile(os.path.join(folder, f"out{i}.bin"), stored).reshape(np.shape(reference))
        actual = from_bf16(actual) if dtype == "bf16" else actual
        # 16-bit results: relative to the greatest of all, for rounding alone is off by that much.
        finite = np.abs(np.asarray(reference, np.float64)[np.isfinite(reference)])
        scale = max(finite.max(initial=0), 1e-3) if np.dtype(stored).itemsize == 2 else case.scale(*sizes) if case.scale else None
        worst = error(actual, reference, scale)
        # Approximate instructions are a few units in the last place off.
        allowed = 2 * case.tolerance
        if not worst <= allowed:
            return f"result {i} is off by {worst:.2e}, allowed {allowed:.0e}"
    return None


def run_case(args, case, folder):
    """Problems of one kernel; None where no generator takes it."""
    source = os.path.join(folder, case.name + ".mlir")
    with open(source, "w") as f:
        f.write(case.source())
    command = [args.tool, source, "--chip=" + args.chip] + (["--plant=" + args.plant] if args.plant else [])
    expected = {}
    for number, sizes in enumerate([] if args.assemble_only else case.sizes):
        at = os.path.join(folder, f"{case.name}.{number}")
        expected[at] = (sizes, write_run(at, case, sizes, np.random.default_rng(7)))
        command.append("--run=" + at)
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode == NO_GENERATOR:
        return None
    if result.returncode != 0:
        return [f"exit code {result.returncode}: {result.stderr.strip()[:600]}"]
    problems = [(sizes, check(case, sizes, at, e)) for at, (sizes, e) in expected.items()]
    return [f"{sizes}: {problem}" for sizes, problem in problems if problem]


def assemble(args, case, folder):
    """What ptxas has to say against the kernel, and a line of its resources."""
    source, ptx = (os.path.join(folder, case.name + ending) for ending in (".mlir", ".ptx"))
    made = subprocess.run([args.tool, source, "--chip=" + args.chip, "--emit=ptx"], capture_output=True, text=True)
    problems = [] if ".extern .func" not in made.stdout else ["calls a function from outside"]
    with open(ptx, "w") as f:
        f.write(made.stdout)
    for arch in args.archs.split(","):
        result = subprocess.run([args.ptxas, "-arch=" + arch, "-v", ptx, "-o", os.devnull], capture_output=True, text=True)
        said = result.stdout + result.stderr
        spills = [int(n) for n in re.findall(r"(\d+) bytes spill", said)]
        if result.returncode != 0 or any(spills) or re.search(r"C75\d\d|warning", said):
            problems.append(f"ptxas -arch={arch}: {said.strip()[:400]}")
        for registers in re.findall(r"Used (\d+) registers", said):
            print(f"  {case.name} {arch}: {registers} registers")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--cases", default="gpu_cases")
    parser.add_argument("--chip", default="sm_80")
    parser.add_argument("--filter", default="")
    parser.add_argument("--require", default="")
    parser.add_argument("--keep")
    parser.add_argument("--plant")
    parser.add_argument("--ptxas")
    parser.add_argument("--archs", default="sm_80")
    parser.add_argument("--assemble-only", action="store_true")
    args = parser.parse_args()
    cases = [c for c in collect(args.cases) if re.search(args.filter, c.name)]
    folder = args.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    failures, left, runs = 0, [], 0
    for case in cases:
        problems = run_case(args, case, folder)
        if problems is None:
            left.append(case.name)
            problems = ["no generator takes it"] if args.require == "all" or case.name in args.require.split(",") else []
        else:
            runs += len(case.sizes)
            if args.plant:
                problems = [] if problems else ["passes in spite of the planted fault"]
            elif args.ptxas:
                problems += assemble(args, case, folder)
        for problem in problems:
            failures += 1
            print(f"FAIL {case.name} {problem}")
    print(f"{len(cases) - len(left)} kernels, {runs} cases, {failures} failures; left to the generic road: {' '.join(left) or 'none'}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
