# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The list of cases, and what the modules that fill it share: sizes and data."""

import math

import numpy as np

from numeric_harness import Case

CASES = []
erf = np.vectorize(math.erf, otypes=[np.float64])


def case(name, arguments, body, results, reference, sizes=({},), data=None, tolerance=None, bad=None):
    CASES.append(Case(name, arguments, body, results, reference, list(sizes), data, tolerance, bad))


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3e38, -3e38, 1e-40, np.inf, -np.inf, np.nan, 7.0]


def special(name, shape, rng):
    """All pairs of special values for 16 x 16 operands."""
    grid = np.array(SPECIAL)
    if shape == [16, 16]:
        return np.broadcast_to(grid[:, None] if name == "x" else grid[None, :], (16, 16))
    return np.resize(np.concatenate([grid, rng.standard_normal(40) * 3]), shape)


N4 = [dict(n=0), dict(n=1), dict(n=5)]
# Dims that broadcast when it runs, and dims of a batch.
AB = [dict(a=1, b=5), dict(a=5, b=1), dict(a=3, b=3), dict(a=1, b=1), dict(a=0, b=1), dict(a=1, b=0), dict(a=0, b=0)]
BS = [dict(b=2, s=3), dict(b=1, s=7), dict(b=0, s=3)]
