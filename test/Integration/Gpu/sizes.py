#!/usr/bin/env python3
"""Sizes at the edge of what a GPU counts: a product over no elements, and dims that 32 bits do not hold.

    sizes.py STUB
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

stub = sys.argv[1]

# n counts, though nothing has n bytes: so large sizes need no memory here.
COUNTED = """
func.func @main(%x: tensor<?x0xf32, #tfc.dims<n, 0>> {tfc.name = "x"}, %v: tensor<1x1xf32> {tfc.name = "v"}) -> (tensor<1xf32> {tfc.name = "y"}) attributes {tfc.entry} {
  %e = tfc.expand %v : tensor<1x1xf32> -> tensor<1x?xf32, #tfc.dims<1, n>>
  %y = tfc.reduce sum %e axes [1] : tensor<1x?xf32, #tfc.dims<1, n>> loc("CountAll_3")
  return %y : tensor<1xf32>
}
"""
# The products of many rows go to wgmma, whose tensor maps cannot have extents of 0.
OVER_NOTHING = """
func.func @main(%x: tensor<?x0xf16, #tfc.dims<n, 0>> {tfc.name = "x"}, %w: tensor<0x4096xf16> {tfc.name = "w"}) -> (tensor<?x4096xf16, #tfc.dims<n, 4096>> {tfc.name = "y"}) attributes {tfc.entry} {
  %y = tfc.matmul %x, %w : tensor<?x0xf16, #tfc.dims<n, 0>>, tensor<0x4096xf16>
  return %y : tensor<?x4096xf16, #tfc.dims<n, 4096>>
}
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        environment = {**os.environ, "TFC_CUDA_DRIVER": stub, "TFC_STUB_CUDA": "capability=90"}

        def compile_model(text, stem):
            (folder / f"{stem}.mlir").write_text(text)
            subprocess.run(["tfc-compile", folder / f"{stem}.mlir", "--target", "cuda-emu:sm_90a", "--header=none", "-o", folder / f"{stem}.so"], check=True)
            return folder / f"{stem}.so"

        def run(artifact, **inputs):
            np.savez(folder / "in.npz", **inputs)
            result = subprocess.run(["tfc-run", artifact, "--inputs", folder / "in.npz", "--outputs", folder / "out.npz", "--repeat", "2"],
                                    capture_output=True, text=True, env=environment)
            return result.stderr.strip() if result.returncode else np.load(folder / "out.npz")["y"]

        counted = compile_model(COUNTED, "counted")
        for n in (0, 1, 77, 100000):
            found = run(counted, x=np.zeros((n, 0), np.float32), v=np.full((1, 1), 2, np.float32))
            assert not isinstance(found, str) and found.shape == (1,) and abs(found[0] - 2 * n) <= 1e-5 * n, (n, found)
        for n in (2**31 - 1, 2**31, 2**32, 2**32 + 5, 2**40):
            found = run(counted, x=np.zeros((n, 0), np.float32), v=np.full((1, 1), 2, np.float32))
            assert isinstance(found, str) and "is too large for the GPU" in found and "CountAll_3" in found, (n, found)

        over_nothing = compile_model(OVER_NOTHING, "over_nothing")
        for n in (0, 1, 5, 20, 100, 700):
            found = run(over_nothing, x=np.zeros((n, 0), np.float16), w=np.zeros((0, 4096), np.float16))
            assert not isinstance(found, str) and found.shape == (n, 4096) and not found.any(), (n, found)


main()
