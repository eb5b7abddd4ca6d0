#!/usr/bin/env python3
"""Measures the errors of functions of f32 against double precision (docs/Numerics.md).

usage: measure_math.py TFC_OPT [--cpu=native] [--step=61] [--cc=COMMAND --emulator=COMMAND]

Ends with exit code 1 where an error is above its limit, or NaN or infinity is wrong.

Every STEP-th bit pattern of f32 is an argument: 61 takes seconds, 1 is all of them.
"""
import argparse, os, shlex, subprocess, sys, tempfile
import run_kernels

# One shape, so that the number of tiles is known here.
SOURCE = """func.func private @{op}_f32(%x: tensor<65536xf32>) -> tensor<65536xf32> attributes {{tfc.kernel, tfc.symbols = []}} {{
  %y = tfc.{code} %x : tensor<65536xf32>
  return %y : tensor<65536xf32>
}}
"""


OPS = {op: op for op in ("exp", "log", "tanh", "erf", "sin", "cos")}
OPS |= {"gelu_erf": "gelu erf", "gelu_tanh": "gelu tanh"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("opt")
    parser.add_argument("--cpu", default="native")
    parser.add_argument("--step", default="61")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--program", default=f"{here}/measure_math.c", help="the program that measures")
    parser.add_argument("--cc", help="as run_kernels.py has it")
    parser.add_argument("--emulator")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = "module {\n" + "".join(SOURCE.format(op=op, code=code) for op, code in OPS.items()) + "}\n"
        code, facts = run_kernels.lower_kernels(args.opt, args.cpu, source, folder)
        tiles = {run_kernels.evaluate(fact["tiles"], {}) for fact in facts.values()}
        if args.emulator:
            program = run_kernels.link_program(code, f"{args.cc} -DTILES={max(tiles)}", args.program)
            return subprocess.run([*shlex.split(args.emulator), program, "linked", args.step]).returncode
        program = os.path.join(folder, "measure_math")
        subprocess.run([f"{run_kernels.LLVM}/clang", "-O2", f"-DTILES={max(tiles)}", args.program, "-o", program, "-lm", "-ldl"],
                       check=True)
        return subprocess.run([program, run_kernels.link_library(code, args.cpu), args.step]).returncode



if __name__ == "__main__":
    sys.exit(main())
