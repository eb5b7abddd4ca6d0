# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention: the cases of run_numeric.py."""

import numpy as np

from numeric_cases import BS, case
from numeric_sums import softmax

# --- attention ------------------------------------------------------------------------------------------------------
def attention(q, k, v, mask=None, bias=None, scale=None, causal=False, masked="uniform", softcap=None, left=None, right=None,
              lengths=None, probabilities=False, fill=None):
    """tfc.attention as its description says it, in float64."""
    q, k, v = (t.astype(np.float64) for t in (q, k, v))
    repeat = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, repeat, 1), np.repeat(v, repeat, 1)
    s = q @ k.transpose(0, 1, 3, 2) * (1 / np.sqrt(q.shape[3]) if scale is None else scale)
    s = s if softcap is None else softcap * np.tanh(s / softcap)
    s = s if bias is None or masked == "biased" else s + bias
    allowed = np.ones(s.shape, bool) if mask is None else np.broadcast_to(mask, s.shape).copy()
    n, m = s.shape[2:]
    for b in range(s.shape[0]):
        count = m if lengths is None else int(lengths[b])
        for i in range(n):
            for j in range(m):
                position = i + count - n
                allowed[b, :, i, j] &= ((j < count or lengths is None) and (not causal or j <= position) and
                                        (left is None or j >= position - left) and (right is None or j <= position + right))
    lowest = np.finfo(np.float32).min if fill is None else fill
    s = np.where(allowed, s, lowest if masked in ("uniform", "biased") else -np.inf)
    if masked == "biased" and bias is not None:
        with np.errstate(over="ignore"):
            s = (s.astype(np.float32) + bias.astype(np.float32)).astype(np.float64)
    p = softmax(s, 3)
    if masked == "zero":
        p = np.where(np.all(np.isneginf(s), 3, keepdims=True), 0, p)
    return (p @ v, p) if probabilities else p @ v


QKV = {"q": (["b", 4, "s", 8], "f32"), "k": (["b", 4, "t", 8], "f32"), "v": (["b", 4, "t", 6], "f32")}
OUT = [(["b", 4, "s", 6], "f32")]
BST = [dict(b=2, s=3, t=5), dict(b=1, s=1, t=9), dict(b=2, s=5, t=3), dict(b=0, s=2, t=2)]
case("attention", QKV, "%o = tfc.attention %q, %k, %v : ({q}, {k}, {v}) -> {r0}", OUT, attention, BST, tolerance=1e-5)
case("attention_scale", QKV, "%o = tfc.attention %q, %k, %v {scale = 0.5 : f32} : ({q}, {k}, {v}) -> {r0}", OUT,
     lambda q, k, v: attention(q, k, v, scale=0.5), BST, tolerance=1e-5)
case("attention_bias", {**QKV, "m": (["b", 1, 1, "t"], "f32")}, "%o = tfc.attention %q, %k, %v bias %m : ({q}, {k}, {v}, {m}) -> {r0}",
     OUT, lambda q, k, v, m: attention(q, k, v, bias=m), BST, tolerance=1e-5)
for masked in ("uniform", "nan", "zero"):
    attribute = "" if masked == "uniform" else f"masked_row {masked}"
    case(f"attention_causal_{masked}", QKV, f"%o = tfc.attention %q, %k, %v {attribute} {{causal}} : ({{q}}, {{k}}, {{v}}) -> {{r0}}",
         OUT, lambda q, k, v, masked=masked: attention(q, k, v, causal=True, masked=masked), BST, tolerance=1e-5)
    case(f"attention_mask_{masked}", {**QKV, "m": (["b", 1, "s", "t"], "i1")},
         f"%o = tfc.attention %q, %k, %v mask %m {attribute} : ({{q}}, {{k}}, {{v}}, {{m}}) -> {{r0}}", OUT,
         lambda q, k, v, m, masked=masked: attention(q, k, v, m, masked=masked), BST,
         data=lambda n, s, r: (r.random(s) < 0.6) & (np.arange(s[2])[:, None] != 0) if n == "m" else None, tolerance=1e-5)
case("attention_grouped", {"q": (["b", 6, "s", 8], "f32"), "k": (["b", 2, "s", 8], "f32"), "v": (["b", 2, "s", 8], "f32")},
     "%o = tfc.attention %q, %k, %v {causal} : ({q}, {k}, {v}) -> {r0}", [(["b", 6, "s", 8], "f32")],
     lambda q, k, v: attention(q, k, v, causal=True), BS, tolerance=1e-5)
case("attention_past", {"q": (["b", 4, "s", 8], "f32"), "k": (["b", 2, "s", 8], "f32"), "v": (["b", 2, "s", 6], "f32"),
                        "pk": (["b", 2, "p", 8], "f32"), "pv": (["b", 2, "p", 6], "f32")},
     "%o, %nk, %nv = tfc.attention %q, %k, %v past %pk, %pv {causal} : ({q}, {k}, {v}, {pk}, {pv}) -> ({r0}, {r1}, {r2})",
     [(["b", 4, "s", 6], "f32"), (["b", 2, "p + s", 8], "f32"), (["b", 2, "p + s", 6], "f32")],
     lambda q, k, v, pk, pv: (attention(q, np.concatenate([pk, k], 2), np.concatenate([pv, v], 2), causal=True),
                              np.concatenate([pk, k], 2), np.concatenate([pv, v], 2)),
     [dict(b=2, s=3, p=4), dict(b=1, s=1, p=0), dict(b=1, s=4, p=7)], tolerance=1e-5)


BOUNDS = {"causal": dict(causal=True), "left": dict(left=2), "right": dict(right=1), "both": dict(left=1, right=2),
          "causal_left": dict(causal=True, left=0), "wide": dict(left=2**63 - 1, right=2**63 - 1)}


def bound_text(bounds):
    return ", ".join("causal" if name == "causal" else f"window_{name} = {width} : i64" for name, width in bounds.items())


for name, bounds in BOUNDS.items():
    case(f"attention_window_{name}", QKV,
         f"%o = tfc.attention %q, %k, %v masked_row zero {{{bound_text(bounds)}}} : " "({q}, {k}, {v}) -> {r0}", OUT,
         lambda q, k, v, bounds=bounds: attention(q, k, v, masked="zero", **bounds), BST, tolerance=1e-5)
    for masked in ("uniform", "nan", "zero"):
        attribute = "" if masked == "uniform" else f"masked_row {masked}"
        case(f"attention_lengths_{name}_{masked}", {**QKV, "n": (["b"], "i64" if masked == "zero" else "i32")},
             f"%o = tfc.attention %q, %k, %v key_lengths %n {attribute} {{{bound_text(bounds)}}} : " "({q}, {k}, {v}, {n}) -> {r0}", OUT,
             lambda q, k, v, n, bounds=bounds, masked=masked: attention(q, k, v, lengths=n, masked=masked, **bounds), BST,
             data=lambda n, s, r: r.choice([-2, 0, 1, 2, 3, 4, 7, 9], s) if n == "n" else None, tolerance=1e-5)
case("attention_lengths", {**QKV, "n": (["b"], "i64")}, "%o = tfc.attention %q, %k, %v key_lengths %n : ({q}, {k}, {v}, {n}) -> {r0}", OUT,
     lambda q, k, v, n: attention(q, k, v, lengths=n), BST, data=lambda n, s, r: r.integers(0, 6, s) if n == "n" else None,
     tolerance=1e-5)
case("attention_softcap", {**QKV, "m": (["b", 4, "s", "t"], "f32")},
     "%o = tfc.attention %q, %k, %v bias %m {softcap = 1.5 : f32, scale = 2.0 : f32} : ({q}, {k}, {v}, {m}) -> {r0}", OUT,
     lambda q, k, v, m: attention(q, k, v, bias=m, softcap=1.5, scale=2.0), BST, tolerance=1e-5)
# A bias of -inf masks too: rows of only such scores are 0.
case("attention_bias_zero", {**QKV, "m": (["b", 1, "s", "t"], "f32")},
     "%o = tfc.attention %q, %k, %v bias %m masked_row zero : ({q}, {k}, {v}, {m}) -> {r0}", OUT,
     lambda q, k, v, m: attention(q, k, v, bias=m, masked="zero"), BST, tolerance=1e-5,
     data=lambda n, s, r: np.where((r.random(s) < 0.6) & (np.arange(s[2])[:, None] != 0), 0.5, -np.inf) if n == "m" else None)
# Two masks with the lowest number: where both hold, the score is -inf.
case("attention_biased", {**QKV, "m": (["b", 1, 1, "t"], "f32")},
     "%o = tfc.attention %q, %k, %v bias %m masked_row biased {causal} : ({q}, {k}, {v}, {m}) -> {r0}", OUT,
     lambda q, k, v, m: attention(q, k, v, bias=m, causal=True, masked="biased"), BST, tolerance=1e-5,
     data=lambda n, s, r: np.where(np.arange(s[3]) > s[3] // 2, 0, np.finfo(np.float32).min) * np.ones(s) if n == "m" else None)
for masked in ("uniform", "biased"):
    case(f"attention_fill_{masked}", {**QKV, "m": (["b", 1, 1, "t"], "f32")},
         f"%o = tfc.attention %q, %k, %v bias %m masked_row {masked} {{causal, fill = -50.0 : f32}} : " "({q}, {k}, {v}, {m}) -> {r0}", OUT,
         lambda q, k, v, m, masked=masked: attention(q, k, v, bias=m, causal=True, masked=masked, fill=-50.0), BST, tolerance=1e-5,
         data=lambda n, s, r: np.where(np.arange(s[3]) > s[3] // 2, 0, -50.0) * np.ones(s) if n == "m" else None)
# A row with a NaN is no row without keys.
case("attention_zero_keeps_nan", {**QKV, "m": (["b", 1, "s", "t"], "i1")},
     "%o, %p = tfc.attention %q, %k, %v mask %m masked_row zero {window_right = 1 : i64} : ({q}, {k}, {v}, {m}) -> ({r0}, {r1})",
     [OUT[0], (["b", 4, "s", "t"], "f32")],
     lambda q, k, v, m: attention(q, k, v, m, right=1, masked="zero", probabilities=True), BST, tolerance=1e-5,
     data=lambda n, s, r: np.where(r.random(s) < 0.1, np.nan, 1.0) if n == "k" else None)
case("attention_all", {"q": (["b", 4, "s", 8], "f32"), "k": (["b", 2, "s", 8], "f32"), "v": (["b", 2, "s", 6], "f32"),
                       "m": (["b", 1, "s", "p + s"], "i1"), "a": ([4, 1, "p + s"], "f32"), "n": (["b"], "i32"),
                       "pk": (["b", 2, "p", 8], "f32"), "pv": (["b", 2, "p", 6], "f32")},
     "%o, %nk, %nv, %w = tfc.attention %q, %k, %v mask %m bias %a past %pk, %pv key_lengths %n masked_row zero "
     "{causal, window_left = 3 : i64, softcap = 3.0 : f32} : ({q}, {k}, {v}, {m}, {a}, {pk}, {pv}, {n}) -> ({r0}, {r1}, {r2}, {r3})",
     [(["b", 4, "s", 6], "f32"), (["b", 2, "p + s", 8], "f32"), (["b", 2, "p + s", 6], "f32"), (["b", 4, "s", "p + s"], "f32")],
     lambda q, k, v, m, a, n, pk, pv: (
         attention(q, np.concatenate([pk, k], 2), np.concatenate([pv, v], 2), m, a, None, True, "zero", 3.0, 3, None, n),
         np.concatenate([pk, k], 2), np.concatenate([pv, v], 2),
         attention(q, np.concatenate([pk, k], 2), np.concatenate([pv, v], 2), m, a, None, True, "zero", 3.0, 3, None, n, True)[1]),
     [dict(b=2, s=3, p=4), dict(b=3, s=1, p=0), dict(b=1, s=4, p=7), dict(b=2, s=0, p=2)],
     data=lambda n, s, r: r.integers(0, 9, s) if n == "n" else None, tolerance=1e-5)
