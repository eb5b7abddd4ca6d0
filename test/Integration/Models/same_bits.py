#!/usr/bin/env python3
"""Results are the same bits whatever the batch and the number of threads (docs/Numerics.md).

    same_bits.py MODEL.onnx ID_INPUT,... [ONES_INPUT,...]

Runs the model on a batch of random rows with one, two and three threads, then on each row alone, and compares bits.
Inputs are of shape [batch, length]: ids in [0, 99), or ones.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

BATCH = 5


def run(artifact, folder, inputs, threads):
    np.savez(folder / "x.npz", **inputs)
    subprocess.run(["tfc-run", str(artifact), "--inputs", str(folder / "x.npz"), "--outputs", str(folder / "y.npz"),
                    "--threads", str(threads)], check=True, stdout=subprocess.DEVNULL)
    with np.load(folder / "y.npz") as file:
        return {name: file[name] for name in file}


def same(a, b, what):
    for name in a:
        if a[name].shape != b[name].shape or a[name].tobytes() != b[name].tobytes():
            print(f"{what}: '{name}' differs in {(a[name] != b[name]).sum()} of {a[name].size} elements")
            return False
    return True


def main():
    model, ids = sys.argv[1], sys.argv[2].split(",")
    others = sys.argv[3].split(",") if len(sys.argv) > 3 else []
    rng = np.random.default_rng(3)
    ok = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        artifact = folder / "model.so"
        subprocess.run(["tfc-compile", model, "-o", str(artifact)], check=True)
        # Lengths whose rows split into blocks of different heights for one row of the batch and for all.
        for length in (1, 7, 13):
            inputs = {k: rng.integers(0, 99, (BATCH, length)) for k in ids} | {k: np.ones((BATCH, length), np.int64) for k in others}
            whole = run(artifact, folder, inputs, 1)
            for threads in (2, 3):
                ok &= same(whole, run(artifact, folder, inputs, threads), f"length {length}, {threads} threads")
            for row in range(BATCH):
                alone = run(artifact, folder, {k: v[row:row + 1] for k, v in inputs.items()}, 1)
                ok &= same(alone, {k: v[row:row + 1] for k, v in whole.items()}, f"length {length}, row {row} alone")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
