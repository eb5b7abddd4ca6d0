#!/usr/bin/env python3
"""Models whose data decides what runs, or how large something is, give on an emulated GPU what they give on the CPU, launch by launch.

    data_decides.py TEST_FOLDER STUB
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

tests, stub = pathlib.Path(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(3)


def cases():
    for choose in (False, True):
        for turns in (0, 3):
            yield "ControlFlow/choices.mlir", {"x": rng.standard_normal((5, 4), np.float32), "choose": np.array(choose), "turns": np.array(turns)}
    for n in (1, 6):
        yield "Born/rows.mlir", {"x": rng.standard_normal(n, np.float32), "table": rng.standard_normal((n, 4), np.float32)}
        yield "Born/twice.mlir", {"x": rng.standard_normal(n, np.float32)}


def run(command, log=None):
    environment = {**os.environ, "TFC_CUDA_DRIVER": stub, "TFC_STUB_CUDA": f"log={log}" if log else ""}
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stderr


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for number, (model, inputs) in enumerate(cases()):
            artifact, log = folder / (pathlib.Path(model).stem + ".so"), folder / f"{number}.log"
            if not artifact.exists():
                said = run(["tfc-compile", "-v", tests / model, "--target", "cpu,cuda-emu:sm_80", "--header=none", "-o", artifact])
                assert "runs without a graph, for it reads back at" in said, said
            np.savez(folder / "in.npz", **inputs)
            outputs = []
            for device in ("cpu", "cuda"):
                run(["tfc-run", artifact, "--device", device, "--inputs", folder / "in.npz", "--outputs", folder / f"{device}.npz"], log)
                outputs.append(dict(np.load(folder / f"{device}.npz")))
            for key, expected in outputs[0].items():
                found = outputs[1][key]
                assert found.shape == expected.shape and found.dtype == expected.dtype, (model, key, found.shape, expected.shape)
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=f"{model} {key}")
            assert "cuGraphLaunch" not in log.read_text()


main()
