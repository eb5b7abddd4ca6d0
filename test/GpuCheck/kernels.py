"""The kernel tests of test/Codegen (tfc ops, sizes, float64 references) as entry points of artifacts, and their runs through the runtime."""

import pathlib
import sys

import numpy as np

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "Codegen" / "GPU"), str(TESTS / "Codegen" / "CPU"), str(TESTS)]
sys.dont_write_bytecode = True

import kernel_cases  # noqa: E402
import attention_cases  # noqa: E402,F401
import gpu_cases  # noqa: E402,F401
import precision_cases  # noqa: E402,F401
from bfloat16 import from_bf16  # noqa: E402
from run_kernels import error  # noqa: E402

# Those whose check is what a kernel notes of a bad index are the emulator's.
CASES = {case.name: case for case in kernel_cases.CASES if case.failed is None}


class Bare(kernel_cases.Case):
    """A kernel without a test."""

    def __init__(self, name, body, sizes):
        self.name, self.body, self.sizes = name, body, sizes


def split(text):
    """The parts of a comma list of types; types have commas in their brackets."""
    parts, depth = [""], 0
    for i, c in enumerate(text):
        depth += (c in "<([") - (c in ")]" or (c == ">" and text[i - 1] != "-"))
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts if part.strip()]


def entry(case):
    """An entry point that is one launch of the case's kernel: no pass on graphs makes anything else of it."""
    arguments, results, _ = case.body
    given, made = [part.split(" {")[0] for part in split(arguments)], split(results)
    named = ", ".join(f'{argument} {{tfc.name = "in{i}"}}' for i, argument in enumerate(given))
    outputs = ", ".join(f'{result} {{tfc.name = "out{i}"}}' for i, result in enumerate(made))
    values, types = zip(*(argument.split(":", 1) for argument in given)) if given else ((), ())
    symbols = ", ".join(f"s{i}" for i in range(len(case.sizes[0])))
    count, results = (f":{len(made)}", [f"%made#{i}" for i in range(len(made))]) if len(made) > 1 else ("", ["%made"])
    kernel = case.source().replace(f"@{case.name}(", f"@kernel_{case.name}(", 1)
    return (kernel.replace("{tfc.kernel,", "{tfc.kernel, tfc.flops = #tfc.expr<0>, tfc.bytes = #tfc.expr<0>,", 1) +
            f"\nfunc.func @{case.name}({named}) -> ({outputs}) attributes {{tfc.entry}} {{\n"
            f'%made{count} = tfc.launch @kernel_{case.name}({", ".join(value.strip() for value in values)}) symbols [{symbols}] nodes ["{case.name}"] : '
            f'({", ".join(types)}) -> ({", ".join(made)})\nreturn {", ".join(results)} : {", ".join(made)}\n}}')


def module(names):
    return "module {\n" + "\n".join(entry(CASES[name]) for name in names) + "\n}\n"


def check(context, described, name, sizes):
    """None, or what is wrong with one run of a case; and its greatest error over the one that is allowed."""
    case = CASES[name]
    inputs, expected = case.make(np.random.default_rng(7), *sizes)
    given = {port.name: np.asarray(array).astype(bool) if port.dtype == "bool" else array for port, array in zip(described.inputs, inputs)}
    found = context.run(given, entry=name)
    worst = 0.0
    for port, reference in zip(described.outputs, expected):
        actual = found[port.name]
        actual = from_bf16(actual) if port.dtype == "bf16" else actual
        if actual.shape != np.shape(reference):
            return f"{port.name} has the shape {actual.shape}, not {np.shape(reference)}", float("inf")
        finite = np.abs(np.asarray(reference, np.float64)[np.isfinite(reference)])
        # Of 16 bits: relative to the greatest of all, for rounding alone is off by that much.
        scale = max(finite.max(initial=0), 1e-3) if port.dtype in ("bf16", "f16") else case.scale(*sizes) if case.scale else None
        off = error(actual, reference, scale)
        # Approximate instructions are a few units in the last place off.
        allowed = 2 * case.tolerance
        worst = max(worst, off / allowed if allowed else (float("inf") if off else 0.0))
        if not off <= allowed:
            return f"{port.name} is off by {off:.2e}, allowed {allowed:.0e}", worst
    return None, worst
