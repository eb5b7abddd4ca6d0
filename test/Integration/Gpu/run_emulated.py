#!/usr/bin/env python3
"""Compiles one model for an emulated GPU and runs all its cases against their references, through the runtime's own code for devices.

    run_emulated.py MODEL.onnx STUB [--target TARGET] [--rtol X] [--atol X]

Cases are the pairs CASE.inputs.npz / CASE.outputs.npz beside the model. Each runs three times in one context: launch by launch is compared
by the outputs of the last run, which comes from a graph where the model can have one. Exit code 0 when all match.
"""

import argparse
import pathlib
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from model_runs import succeeds  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("stub", type=pathlib.Path)
    parser.add_argument("--target", default="cuda-emu:sm_80")
    parser.add_argument("--capability", default="80")
    parser.add_argument("--rtol", default="1e-4")
    parser.add_argument("--atol", default="1e-5")
    options = parser.parse_args()
    driver = {"TFC_CUDA_DRIVER": str(options.stub), "TFC_STUB_CUDA": f"capability={options.capability}"}
    with tempfile.TemporaryDirectory() as name:
        artifact = pathlib.Path(name) / "model.so"
        if not succeeds("tfc-compile", options.model, "--target", options.target, "-o", artifact):
            return 1
        cases = sorted(options.model.parent.glob("*.inputs.npz"))
        passed = bool(cases)
        for inputs in cases:
            expected = str(inputs).replace(".inputs.npz", ".outputs.npz")
            passed &= succeeds("tfc-run", artifact, "--device", "cuda", "--inputs", inputs, "--expect", expected, "--repeat", "2",
                          "--rtol", options.rtol, "--atol", options.atol, environment=driver)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
