#!/usr/bin/env python3
"""Compiles a model in a precision, runs all its cases, and compares with their references in f32.

    run_precision.py MODEL.onnx --precision bf16 [--target TARGET] [--stub STUB] [--device DEVICE] [--casts N] [--extra FLAG]... [--bound X]

Of each output the largest error is measured against its largest magnitude: 1e-2 for bf16, 3e-3 for f16, 1e-3 for tf32. A target for an
emulated GPU runs there (STUB is the driver), unless DEVICE is cpu; compiled for one there are as many launches as in f32, and N more that only cast.
Exit code 0 when all hold.
"""
import argparse, json, pathlib, re, sys, tempfile
import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from model_runs import call, emulated_gpu, worst_error  # noqa: E402

BOUNDS = {"bf16": 1e-2, "f16": 3e-3, "tf32": 1e-3, "f32": 1e-5}


def compile_model(options, precision, folder):
    artifact, report = folder / f"{precision}.so", folder / f"{precision}.json"
    call("tfc-compile", options.model, "--precision", precision, "--target", options.target, "--header=none", "-o", artifact, "--report", report,
         *options.extra)
    return artifact, json.loads(report.read_text())


def check_kernels(options, folder, report):
    """The same kernels but for what makes narrow what no kernel makes: inputs."""
    wide = compile_model(options, "f32", folder)[1]
    count = lambda r, name: sum(kernel["launches"] for kernel in r["kernels"] if re.fullmatch(name, kernel["name"]))
    launches, casts = ([count(r, name) for r in (wide, report)] for name in (".*", r"(cast_)+\d+"))
    if launches[1] != launches[0] + options.casts or casts[1] != casts[0] + options.casts:
        print(f"FAIL: {launches[1]} launches, {casts[1]} of them casts; in f32 {launches[0]} and {casts[0]}; expected are {options.casts} more casts:",
              *(f"{kernel['name']}x{kernel['launches']}" for kernel in report["kernels"]))
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--precision", required=True)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--stub")
    parser.add_argument("--device", choices=["cpu", "cuda"])
    parser.add_argument("--casts", type=int, default=0, help="kernels that only cast, which f32 does not have")
    parser.add_argument("--bound", type=float)
    parser.add_argument("--extra", action="append", default=[])
    options = parser.parse_args()
    bound = options.bound or BOUNDS[options.precision]
    driver = emulated_gpu(options.target, options.stub)
    device = ["--device", options.device or "cuda"] if driver else []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        artifact, report = compile_model(options, options.precision, folder)
        passed = not driver or check_kernels(options, folder, report)
        cases = sorted(options.model.parent.glob("*.inputs.npz"))
        assert cases
        for inputs in cases:
            given = folder / "outputs.npz"
            call("tfc-run", artifact, "--inputs", inputs, "--outputs", given, *device, environment=driver)
            with np.load(given) as actual, np.load(str(inputs).replace(".inputs.", ".outputs.")) as expected:
                error = worst_error(dict(actual), dict(expected))
            print(f"{options.model.parent.name} {options.precision} {options.target} {inputs.name}: {error:.1e}")
            if not 0 < error <= bound:
                passed = False
                print(f"FAIL: allowed is {bound:.0e}, and more than 0")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
