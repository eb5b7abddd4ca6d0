"""What the scripts share that compile a model and run its cases: commands that say why they failed, emulated GPUs, errors of outputs."""

import os
import re
import subprocess
import sys

import numpy as np


def succeeds(*command, environment={}):
    """Whether a command ends with exit code 0; what it said is shown when it does not."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, env={**os.environ, **environment})
    if result.returncode != 0:
        print("command:", *command)
        print(f"{result.stdout}{result.stderr}\nexit code {result.returncode}")
    return result.returncode == 0


def call(*command, environment={}):
    """Runs a command that must succeed: the script ends where it does not."""
    if not succeeds(*command, environment=environment):
        sys.exit(1)


def emulated_gpu(target, stub):
    """The environment in which the driver `stub` emulates the GPU that a target names; empty where it names none."""
    emulated = re.search(r"cuda-emu:sm_(\d+)", target)
    return {"TFC_CUDA_DRIVER": str(stub), "TFC_STUB_CUDA": f"capability={emulated.group(1)}"} if emulated else {}


def worst_error(actual, expected):
    """The largest error of the outputs {name: array}, each relative to the largest magnitude of its own. Infinite, and told, where a name, a
    type or a shape is another, and where NaNs and infinities stand in other places or have another sign."""
    worst = 0.0
    for name, reference in expected.items():
        found = actual.get(name)
        if found is None or found.dtype != reference.dtype or found.shape != reference.shape:
            print(f"output '{name}' is {'missing' if found is None else f'{found.dtype}{found.shape}'}, not {reference.dtype}{reference.shape}")
            return np.inf
        found, reference = np.asarray(found, np.float64), np.asarray(reference, np.float64)
        finite = np.isfinite(reference)
        if not np.array_equal(np.isfinite(found), finite) or not np.array_equal(found[~finite], reference[~finite], equal_nan=True):
            print(f"output '{name}' has other NaNs or infinities")
            return np.inf
        worst = max(worst, float(np.abs(found[finite] - reference[finite]).max(initial=0) / np.abs(reference[finite]).max(initial=1e-30)))
    return worst
