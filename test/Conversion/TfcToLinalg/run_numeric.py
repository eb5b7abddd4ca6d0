#!/usr/bin/env python3
# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The plain lowering of every op against numpy: static, dynamic, empty and broadcast shapes, NaN and infinity.

usage: run_numeric.py TFC_OPT LLVM_BIN [FOLDER]     (prints one line per failure and `N passed, N failed`)
"""

import os
import sys
import tempfile
import warnings

import numpy as np

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")]
from bfloat16 import from_bf16, to_bf16  # noqa: E402
from numeric_cases import CASES  # noqa: E402
from numeric_harness import Library, NUMPY_TYPES  # noqa: E402

# Each adds its cases to the list.
import numeric_elementwise  # noqa: E402,F401
import numeric_sums  # noqa: E402,F401
import numeric_movement  # noqa: E402,F401
import numeric_attention  # noqa: E402,F401

TOLERANCE = {"f16": 2e-3, "bf16": 1e-2, "f32": 2e-6, "f64": 1e-12}


def evaluate(dim, symbols):
    functions = {"broadcast": lambda a, b: b if a == 1 else a, "floordiv": lambda a, b: a // b if b else 0,
                 "mod": lambda a, b: a % b if b else 0, "wrap": lambda a, b: a + b if a < 0 else a}
    return dim if isinstance(dim, int) else eval(dim, {**functions, **symbols, "min": min, "max": max})


def make(rng, shape, element):
    dtype = NUMPY_TYPES[element]
    if element == "i1":
        return rng.random(shape) < 0.5
    if element == "bf16":
        return to_bf16(rng.standard_normal(shape).astype(np.float32))
    if np.issubdtype(dtype, np.integer):
        return rng.integers(0 if element[0] == "u" else -9, 10, shape).astype(dtype)
    return np.asarray(rng.standard_normal(shape) * 2).astype(dtype)


def run_case(library, case, rng):
    """The messages of what went wrong."""
    for symbols in case.sizes:
        arrays = []
        for name, (dims, element) in case.arguments.items():
            shape = [evaluate(d, symbols) for d in dims]
            given = case.data(name, shape, rng) if case.data else None
            arrays.append(make(rng, shape, element) if given is None else np.asarray(given, NUMPY_TYPES[element]))
            if list(arrays[-1].shape) != shape:
                yield f"{case.name}: test data of {name} has shape {arrays[-1].shape}, not {shape}"
                return
        plain = [from_bf16(a) if e == "bf16" else a for a, (_, e) in zip(arrays, case.arguments.values())]
        with np.errstate(all="ignore"):
            wanted = case.reference(*plain)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        results = library.call(case, arrays)
        bad = library.first_bad_index()
        if bad != case.bad:
            yield f"{case.name} {symbols}: first bad index (check, value) is {bad}, not {case.bad}"
        for got, want, (dims, element) in zip(results, wanted, case.results):
            want = np.asarray(want)
            shape = [evaluate(d, symbols) for d in dims]
            if list(got.shape) != shape or list(want.shape) != shape:
                yield f"{case.name} {symbols}: shapes: type {shape}, result {got.shape}, numpy {want.shape}"
                continue
            got = from_bf16(got) if element == "bf16" else got
            tolerance = case.tolerance if case.tolerance is not None else TOLERANCE.get(element, 0)
            if got.dtype == np.bool_ or np.issubdtype(got.dtype, np.integer):
                good = got == want
            else:
                good = np.isclose(got.astype(np.float64), want.astype(np.float64), rtol=tolerance,
                                  atol=tolerance, equal_nan=True)
            if not np.all(good):
                at = np.unravel_index(np.argmin(good), got.shape) if got.ndim else ()
                yield f"{case.name} {symbols}: at {at} {got[at]!r} instead of {want[at]!r} ({np.sum(~good)} wrong)"


def main():
    tfc_opt, llvm_bin = sys.argv[1], sys.argv[2]
    folder = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    only = os.environ.get("TFC_NUMERIC_ONLY")
    cases = [c for c in CASES if not only or any(c.name.startswith(part) for part in only.split(","))]
    library = Library(cases, tfc_opt, llvm_bin, folder)
    warnings.simplefilter("ignore", RuntimeWarning)
    rng = np.random.default_rng(7)
    bad = 0
    for c in cases:
        if hasattr(c, "target"):
            messages = []
            for symbols in list(c.sizes):
                c.sizes = [symbols]
                shape = [evaluate(d, symbols) for d in c.target]
                c.reference = lambda x, u, shape=shape: x.reshape(shape)
                messages += run_case(library, c, rng)
        else:
            messages = list(run_case(library, c, rng))
        bad += bool(messages)
        for message in messages[:3]:
            print("FAIL", message)
    print(f"{len(cases) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
