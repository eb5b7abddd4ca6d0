#!/usr/bin/env python3
"""Measures the errors of exp, log, tanh and erf of f32 against double precision (docs/Numerics.md).

usage: measure_math.py TFC_OPT [--cpu=native] [--step=61]

Every STEP-th bit pattern of f32 is an argument: 61 takes seconds, 1 is all of them.
"""
import argparse, os, subprocess, tempfile
import run_kernels

# One shape, so that the number of tiles is known here.
SOURCE = """func.func private @{op}_f32(%x: tensor<65536xf32>) -> tensor<65536xf32> attributes {{tfc.kernel, tfc.symbols = []}} {{
  %y = tfc.{op} %x : tensor<65536xf32>
  return %y : tensor<65536xf32>
}}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("opt")
    parser.add_argument("--cpu", default="native")
    parser.add_argument("--step", default="61")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = "module {\n" + "".join(SOURCE.format(op=op) for op in ("exp", "log", "tanh", "erf")) + "}\n"
        _, facts = run_kernels.compile_kernels(args.opt, args.cpu, source, folder)
        tiles = {run_kernels.evaluate(fact["tiles"], {}) for fact in facts.values()}
        program = os.path.join(folder, "measure_math")
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run([f"{run_kernels.LLVM}/clang", "-O2", f"-DTILES={max(tiles)}", f"{here}/measure_math.c", "-o", program, "-lm", "-ldl"],
                       check=True)
        subprocess.run([program, os.path.join(folder, "kernels.so"), args.step], check=True)


if __name__ == "__main__":
    main()
