#!/usr/bin/env python3
"""Compiles a graph of 16-bit floats, runs all its cases, and compares with their references in f64.

    run_half.py MODEL.onnx [--target TARGET] [--stub STUB] [--device DEVICE] [--bound X] [--fused KIND:N]... [--matrix-kernels N] [--fallbacks N] [--extra FLAG]...

Of each output the largest error is measured against its largest magnitude: 1e-2 for a model in bf16, 3e-3 for f16. Each KIND was fused N times
exactly. A target for an emulated GPU runs there (STUB is the driver), unless DEVICE is cpu; compiled for one there are so many kernels for tensor cores
and so many fallbacks: those of the f32 graph with --precision. The number of threads changes no bit on a CPU. Exit code 0 when all hold.
"""
import argparse, json, pathlib, sys, tempfile
import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from model_runs import call, emulated_gpu, worst_error  # noqa: E402


def check_kernels(options, report):
    passed = True
    for kind in options.fused:
        kind, count = kind.split(":")
        found = sum(f["kind"] == kind and f["status"] == "fused" for f in report["fusions"])
        missed = [f for f in report["fusions"] if f["kind"] == kind and f["status"] != "fused"]
        if found != int(count):
            passed = False
            print(f"FAIL: {found} of {kind} fused, not {count}:", *(f"{f['node']}: {f['reason']};" for f in missed))
    for program in report.get("programs", []):
        found = program["fallback_kernels"], program["tensor_core_kernels"]
        if found != (options.fallbacks, options.matrix_kernels):
            passed = False
            print(f"FAIL: {found[0]} fallbacks and {found[1]} kernels for tensor cores, not {options.fallbacks} and {options.matrix_kernels}")
    return passed


def check_same_bits(artifact, inputs, given, folder):
    other = folder / "other.npz"
    call("tfc-run", artifact, "--inputs", inputs, "--outputs", other, "--threads", "3")
    with np.load(given) as a, np.load(other) as b:
        return all(a[n].tobytes() == b[n].tobytes() for n in a.files)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--stub")
    parser.add_argument("--device", choices=["cpu", "cuda"])
    parser.add_argument("--bound", type=float)
    parser.add_argument("--fused", action="append", default=[])
    parser.add_argument("--matrix-kernels", type=int)
    parser.add_argument("--fallbacks", type=int, default=0)
    parser.add_argument("--extra", action="append", default=[])
    options = parser.parse_args()
    bound = options.bound or (1e-2 if "bf16" in options.model.parent.name else 3e-3)
    driver = emulated_gpu(options.target, options.stub)
    device = ["--device", options.device or "cuda"] if driver else []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        artifact, report, given = folder / "model.so", folder / "report.json", folder / "outputs.npz"
        call("tfc-compile", options.model, "--target", options.target, "--header=none", "-o", artifact, "--report", report, *options.extra)
        passed = check_kernels(options, json.loads(report.read_text()))
        cases = sorted(options.model.parent.glob("*.inputs.npz"))
        assert cases
        for inputs in cases:
            call("tfc-run", artifact, "--inputs", inputs, "--outputs", given, *device, environment=driver)
            with np.load(given) as actual, np.load(str(inputs).replace(".inputs.", ".outputs.")) as expected:
                error = worst_error(dict(actual), dict(expected))
            print(f"{options.model.parent.name} {options.target} {inputs.name}: {error:.1e}")
            if not error <= bound:
                passed = False
                print(f"FAIL: allowed is {bound:.0e}")
            if not driver and not check_same_bits(artifact, inputs, given, folder):
                passed = False
                print("FAIL: other bits with other threads")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
