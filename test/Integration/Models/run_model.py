#!/usr/bin/env python3
"""Compiles one model and runs all its cases against their references.

    run_model.py MODEL.onnx [--mode MODE]...

Cases are the pairs CASE.inputs.npz / CASE.outputs.npz beside the model. Modes (default: plain):

    plain      as a user would compile it
    dynamic    --dynamic=all: every input dim a symbol of its own
    unfused    --disable-fusion of every fusion
    reference  --reference: every op through its plain lowering
    STAGE      written out at that stage (import, fused, kernels, plan, host, llvm) and compiled again from there

Exit code 0 when every output of every case is within rtol 1e-4 and atol 1e-5, else 1.
"""

import argparse
import pathlib
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from model_runs import succeeds  # noqa: E402

STAGES = ["import", "fused", "kernels", "plan", "host", "llvm"]


def compile_model(model, mode, folder):
    artifact = folder / "model.so"
    if mode in STAGES:
        module = folder / f"{mode}.mlir"
        if not succeeds("tfc-compile", model, f"--emit={mode}", "-o", module):
            return None
        model = module
    flags = {"dynamic": ["--dynamic=all"], "unfused": ["--disable-fusion=attention,layer_norm,rms_norm,softmax,gelu,silu,swiglu,embedding,qkv,epilogue"],
             "reference": ["--reference"]}.get(mode, [])
    return artifact if succeeds("tfc-compile", model, "-o", artifact, *flags) else None


def check_mode(model, mode):
    with tempfile.TemporaryDirectory() as name:
        artifact = compile_model(model, mode, pathlib.Path(name))
        if not artifact:
            return False
        cases = sorted(model.parent.glob("*.inputs.npz"))
        passed = bool(cases)
        for inputs in cases:
            outputs = str(inputs).replace(".inputs.npz", ".outputs.npz")
            passed &= succeeds("tfc-run", artifact, "--inputs", inputs, "--expect", outputs, "--rtol", "1e-4", "--atol", "1e-5")
        return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--mode", action="append", choices=["plain", "dynamic", "unfused", "reference", *STAGES])
    options = parser.parse_args()
    failed = [mode for mode in options.mode or ["plain"] if not check_mode(options.model, mode)]
    if failed:
        print("failed modes:", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
