"""Attention kernels of features and sizes drawn at random, for run_kernels.py. TFC_SEED draws others, TFC_COUNT as many."""
import os

import numpy as np
from attention_cases import PLAIN, SPLIT, attention

rng = np.random.default_rng(int(os.environ.get("TFC_SEED", "1")))
pick = lambda *options: options[rng.integers(len(options))]
HEAD_DIMS = (1, 3, 8, 15, 16, 17, 31, 33, 40, 48, 64, 65, 72, 80, 96, 100, 128, 160, 200, 255, 256)

for number in range(int(os.environ.get("TFC_COUNT", "24"))):
    key_heads, group = pick(1, 2, 3), pick(1, 1, 2, 5, 12)
    heads = key_heads * group
    shapes = [f"{pick('s0', '1')}, {pick('1', str(heads))}, {pick('1', 's1')}, {pick('1', 's2')}" for _ in range(2)]
    mask, bias = (pick(None, shape) for shape in shapes)
    causal = pick(True, False)
    left = pick(None, None, 0, 1, 9, 150)
    right = None if causal else pick(None, None, 0, 3, 200)
    lengths = pick(None, None, "i32", "i64")
    kinds = ["uniform", "nan", "zero"] + (["biased"] if bias else [])
    masked_row = pick(*kinds)
    restricted = mask or causal or left is not None or right is not None or lengths
    sizes = [(int(rng.integers(1, 4)), int(pick(1, 2, 4, 5, 16, 17, 33, 40, 129)), int(pick(0, 1, 2, 15, 16, 17, 128, 130, 300))) for _ in range(6)]
    sizes += [(2, 1, 77), (1, 0, 5), (0, 2, 3)]
    attention(f"random_attention_{number}", int(pick(*HEAD_DIMS)), sizes, value_dim=int(pick(*HEAD_DIMS)), heads=heads, key_heads=key_heads,
              mask=mask, bias=bias, causal=causal, left=left, right=right, lengths=lengths,
              masked_row=masked_row if restricted else "uniform", softcap=pick(None, None, 1.5), layout=pick(PLAIN, SPLIT),
              scale=pick(None, 0.25), tolerance=1e-5)
