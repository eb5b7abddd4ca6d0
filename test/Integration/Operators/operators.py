"""One-node models against numpy: what the cases of this folder share.

A file of cases calls `op(...)` for each and ends with `sys.exit(main())`. Cases of one opset are joined into one
model, so that a case costs a few milliseconds. Everything runs three times: with the dims of the arrays, with every dim
a symbol (`--dynamic=all`), and with the inputs folded in as constants (`--fold-inputs`).
"""

import collections
import os
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1]), str(HERE.parents[1] / "Frontend" / "ONNX")]
from bfloat16 import from_bf16, to_bf16  # noqa: E402
from checks import Checks, scratch_folder  # noqa: E402
from onnx_writer import *  # noqa: E402,F403

TYPES = {"f32": (1, np.float32), "u8": (2, np.uint8), "i8": (3, np.int8), "u16": (4, np.uint16), "i16": (5, np.int16),
         "i32": (6, np.int32), "i64": (7, np.int64), "bool": (9, np.bool_), "f16": (10, np.float16), "f64": (11, np.float64),
         "u32": (12, np.uint32), "u64": (13, np.uint64), "bf16": (16, np.uint16), "f8e4m3fn": (17, np.uint8),
         "f8e4m3fnuz": (18, np.uint8), "f8e5m2": (19, np.uint8), "f8e5m2fnuz": (20, np.uint8), "u4": (21, np.uint8), "i4": (22, np.int8)}
NAMES = {np.dtype(kind): name for name, (_, kind) in TYPES.items() if name not in ("bf16", "u4", "i4") and not name.startswith("f8")}
TOLERANCE = {"f16": 2e-3, "bf16": 2.0**-7, "f64": 1e-9}


class Tensor:
    """An array with the name of its ONNX type; `is_constant`: an initializer in place of an input."""

    def __init__(self, array, type_name=None, is_constant=False, dims=None):
        self.array = np.asarray(array)
        self.type = type_name or NAMES[self.array.dtype]
        self.is_constant = is_constant
        # The dims that the model declares; strings are symbols.
        self.dims = list(self.array.shape) if dims is None else dims

    @property
    def code(self):
        return TYPES[self.type][0]

    def pack(self):
        """The bytes of a TensorProto."""
        if self.type in ("u4", "i4"):
            flat = self.array.reshape(-1).view(np.uint8) & 15
            flat = np.concatenate([flat, np.zeros(flat.size % 2, np.uint8)])
            return (flat[0::2] | flat[1::2] << 4).tobytes()
        return np.ascontiguousarray(self.array).tobytes()


def const(array, type_name=None):
    return Tensor(array, type_name, is_constant=True)


def bf16(array):
    """The nearest bfloat16 numbers."""
    return Tensor(to_bf16(array), "bf16")


def as_tensor(value):
    return value if isinstance(value, Tensor) or value is None else Tensor(value)


class Case:
    def __init__(self, name, inputs, outputs, nodes, opsets, tolerance, functions=()):
        self.name, self.inputs, self.outputs, self.nodes, self.opsets, self.tolerance = name, inputs, outputs, nodes, opsets, tolerance
        self.functions, self.is_alone = list(functions), False


CASES = []


def graph_case(name, inputs, outputs, nodes, opset=17, domains=(), tolerance=None, functions=()):
    """`inputs` and `outputs` are dicts of arrays by name; `nodes` are encoded. It gets a model of its own."""
    CASES.append(Case(name, {key: as_tensor(value) for key, value in inputs.items()}, {key: as_tensor(value) for key, value in outputs.items()},
                      nodes, (("", opset), *((domain, 1) for domain in domains)), tolerance, functions))
    CASES[-1].is_alone = True


def op(name, operator, inputs, outputs, opset=17, domain="", tolerance=None, **attributes):
    """One node. None in `inputs` is an input that is absent, in `outputs` an output that nobody wants."""
    label = f"{operator}_{name}"
    named = [(f"{label}.x{i}", as_tensor(value)) for i, value in enumerate(inputs)]
    results = [(f"{label}.y{i}", as_tensor(value)) for i, value in enumerate(outputs)]
    body = node(operator, [key if value else "" for key, value in named], [key if value else "" for key, value in results],
                label, domain, **attributes)
    CASES.append(Case(label, {key: value for key, value in named if value}, {key: value for key, value in results if value},
                      [body], (("", opset), *([(domain, 1)] if domain else [])), tolerance))


REFUSED = []


def refused_graph(name, inputs, outputs, nodes, says, at="run", **keys):
    """The same for a graph; the messages name its nodes, which `says` must tell."""
    graph_case(name, inputs, outputs, nodes, **keys)
    REFUSED.append((CASES.pop(), [says] if isinstance(says, str) else says, at))


def refused(name, operator, inputs, says, opset=17, domain="", at="run", **attributes):
    """One node that must end in exit code 2 and one line with the texts `says`: at "compile", or when it runs."""
    op(name, operator, inputs, [np.zeros(())], opset, domain, **attributes)
    case = CASES.pop()
    REFUSED.append((case, [case.name, *([says] if isinstance(says, str) else says)], at))


def run_refused(checks, case, says, at, target):
    pathlib.Path("refused.onnx").write_bytes(encode([case]))
    np.savez("inputs.npz", **{key: value.array for key, value in case.inputs.items() if not value.is_constant})
    if at == "compile":
        checks.refuses("tfc-compile", "refused.onnx", *target, "-o", "refused.so", says=says)
    elif not checks.run("tfc-compile", "refused.onnx", *target, "-o", "refused.so").returncode:
        checks.refuses("tfc-run", "./refused.so", "--inputs", "inputs.npz", says=says)


def encode(cases):
    """One model of all cases."""
    inputs, outputs, initializers, nodes = [], [], [], []
    for case in cases:
        nodes += case.nodes
        for key, value in case.inputs.items():
            if value.is_constant:
                initializers.append(tensor(key, value.array.shape, value.code, value.pack()))
            else:
                inputs.append(value_info(key, value.dims, value.code))
        outputs += [value_info(key, [f"{key}_r{i}" for i in range(value.array.ndim)], value.code) for key, value in case.outputs.items()]
    opsets = dict(pair for case in cases for pair in case.opsets)
    return model(graph(nodes, inputs, outputs, initializers), tuple(opsets.items()), functions=sum((case.functions for case in cases), []))


def as_numbers(type_name, array):
    if type_name == "bf16":
        return from_bf16(array)
    return array.astype(np.float64) if array.dtype == np.float16 else array


def describe_difference(case, wanted, actual):
    """Empty where the arrays agree."""
    if actual.shape != wanted.array.shape or actual.dtype != wanted.array.dtype:
        return f"{actual.dtype}{list(actual.shape)} instead of {wanted.array.dtype}{list(wanted.array.shape)}"
    a, w = as_numbers(wanted.type, actual), as_numbers(wanted.type, wanted.array)
    if np.issubdtype(w.dtype, np.floating):
        tolerance = case.tolerance or TOLERANCE.get(wanted.type, 1e-5)
        bad = ~np.isclose(a, w, rtol=tolerance, atol=tolerance / 10, equal_nan=True)
    else:
        bad = np.abs(a.astype(np.int64) - w.astype(np.int64)) > (case.tolerance or 0)
    if not bad.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"{int(bad.sum())} of {bad.size} differ, first at {list(at)}: {a[at]} instead of {w[at]}"


def run_model(checks, stem, cases, flags):
    path = pathlib.Path(f"{stem}.onnx")
    path.write_bytes(encode(cases))
    arrays = {key: value.array for case in cases for key, value in case.inputs.items() if not value.is_constant}
    np.savez("inputs.npz", **arrays)
    if flags and flags[0].startswith("--emit"):
        # What is written back as ONNX gives the same.
        if checks.run("tfc-compile", path, *flags, "-o", f"{stem}.written.onnx").returncode:
            return False
        path, flags = f"{stem}.written.onnx", []
    flags = ["--fold-inputs=inputs.npz" if flag == "--fold-inputs" else flag for flag in flags]
    if checks.run("tfc-compile", path, "--header=none", "-o", f"{stem}.so", *flags).returncode:
        return False
    given = [] if "--fold-inputs=inputs.npz" in flags else ["--inputs", "inputs.npz"]
    if checks.run("tfc-run", f"./{stem}.so", *(given or ["--random"]), "--outputs", "outputs.npz").returncode:
        return False
    with np.load("outputs.npz") as made:
        for case in cases:
            for key, wanted in case.outputs.items():
                problem = describe_difference(case, wanted, made[key])
                checks.check(f"{key} {' '.join(flags)}", not problem, problem)
    return True


MODES = {"static": [], "dynamic": ["--dynamic=all"], "folded": ["--fold-inputs"]}
GPU = {"gpu": ["--target=cuda-emu:sm_80"], "gpu-dynamic": ["--target=cuda-emu:sm_80", "--dynamic=all"]}
WRITTEN = {"onnx": ["--emit=onnx"], "onnx-import": ["--emit=onnx-import"], "onnx-dynamic": ["--emit=onnx", "--dynamic=all"]}


def main():
    """operators.py FOLDER [MODE...] [--filter TEXT]; MODE: static, dynamic, folded (the three by default), onnx, onnx-import, onnx-dynamic,
    gpu, gpu-dynamic (on the emulated GPU of the driver that TFC_CUDA_DRIVER names)"""
    checks = Checks()
    os.chdir(scratch_folder())
    words = sys.argv[2:]
    text = words[words.index("--filter") + 1] if "--filter" in words else ""
    known = {**MODES, **GPU, **WRITTEN}
    modes = [word for word in words if word in known] or list(MODES)
    groups = collections.defaultdict(list)
    for i, case in enumerate(CASES):
        if text in case.name:
            groups[(case.opsets, i) if case.is_alone or text else case.opsets].append(case)
    for mode in modes:
        for i, cases in enumerate(groups.values()):
            # Where all together fail, each alone tells which.
            if not run_model(checks, f"model{i}", cases, known[mode]) and len(cases) > 1:
                for case in cases:
                    run_model(checks, "alone", [case], known[mode])
    for target in {tuple(GPU["gpu"] if mode in GPU else []) for mode in modes}:
        for case, says, at in REFUSED:
            if text in case.name:
                run_refused(checks, case, says, at, target)
    return checks.finish()
