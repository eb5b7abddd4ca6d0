"""Attention kernels that run_kernels.py runs, and what numpy makes of them in float64."""
import numpy as np
from kernel_cases import Case, d, dims, f32, narrow, normal, softmax

LOWEST = np.finfo(np.float32).min


def reference(q, k, v, scale, bias=None, mask=None, causal=False, masked_row="uniform", softcap=None, fill=LOWEST, left=None, right=None, lengths=None):
    """[batch, heads, length, dim] each; heads of q a multiple of those of k."""
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(d(k), group, 1), np.repeat(d(v), group, 1)
    s, t = q.shape[2], k.shape[2]
    if t == 0:
        return np.zeros(q.shape[:3] + v.shape[3:])
    with np.errstate(all="ignore"):
        scores = d(q) @ k.swapaxes(2, 3) * scale
        if softcap:
            scores = softcap * np.tanh(scores / softcap)
        if bias is not None and masked_row != "biased":
            scores = scores + d(bias)
        # The lowest number swallows what is added to it in f32.
        scores = np.where(np.isfinite(scores), np.clip(scores, LOWEST, None), scores)
        allowed = np.ones((s, t), bool) if mask is None else mask
        if causal or lengths is not None or left is not None or right is not None:
            count = np.full(q.shape[0], t) if lengths is None else np.asarray(lengths, np.int64)
            count, place, key = count[:, None, None, None], np.arange(s)[:, None] + count[:, None, None, None] - s, np.arange(t)
            allowed = allowed & (key < count)
            for bound, sign in ((0 if causal else right, 1), (left, -1)):
                if bound is not None:
                    allowed = allowed & (sign * (key - place) <= bound)
        if not np.all(allowed) or mask is not None:
            scores = np.where(allowed, scores, fill if masked_row in ("uniform", "biased") else -np.inf)
        if bias is not None and masked_row == "biased":
            # As f32 rounds it: a second mask in the bias takes the lowest number to -inf.
            masked = np.broadcast_to(~np.asarray(allowed), scores.shape)
            scores = np.where(masked, d(np.float32(fill) + f32(bias)), scores + d(bias))
        probabilities = softmax(scores)
        if masked_row == "zero":
            probabilities = np.where(np.isneginf(scores).all(-1, keepdims=True), 0, probabilities)
        return probabilities @ v


# How q, k and v come: as they are, as [batch, length, heads, dim], or all in one row [batch, length, 3 * heads, dim].
PLAIN, SPLIT, PACKED = range(3)


def attention(name, dim, sizes, value_dim=None, heads=2, key_heads=None, bias=None, mask=None, causal=False,
              masked_row="uniform", scale=None, softcap=None, fill=None, layout=PLAIN, special=None,
              tolerance=3e-6, left=None, right=None, lengths=None, poison=False, half=None, **more):
    """bias and mask: dims over s0 (batch), s1 (queries), s2 (keys), or None. special: changes the inputs in place.
    lengths: the type of key lengths, which are random numbers from -1 to one more than there are keys. poison: every query has a key
    that counts, and those that do not count are NaN. half: the type of 16 bits that keys and values are stored in."""
    value_dim, key_heads = value_dim or dim, key_heads or heads
    keys = "s1" if layout == PACKED else "s2"
    tq, tk, tv, to = (dims(t) for t in (f"s0, {heads}, s1, {dim}", f"s0, {key_heads}, {keys}, {dim}",
                                        f"s0, {key_heads}, {keys}, {value_dim}", f"s0, {heads}, s1, {value_dim}"))
    arguments, lines, extra, types = [], [], "", []
    if layout == PLAIN:
        stored = lambda t: t.replace("xf32", f"x{half}") if half else t
        arguments += [f"%q: {tq}"] + [f"%{x}{'0' if half else ''}: {stored(t)}" for x, t in (("k", tk), ("v", tv))]
        lines += [f"%{x} = tfc.cast %{x}0 : {stored(t)} -> {t}" for x, t in (("k", tk), ("v", tv)) if half]
    elif layout == SPLIT:
        for x, h, n, w in (("q", heads, "s1", dim), ("k", key_heads, keys, dim), ("v", key_heads, keys, value_dim)):
            t = dims(f"s0, {n}, {h}, {w}")
            arguments.append(f"%{x}0: {t}")
            lines.append(f"%{x} = tfc.transpose %{x}0 [0, 2, 1, 3] : {t}")
    else:
        packed, part = dims(f"s0, s1, {3 * heads}, {dim}"), dims(f"s0, s1, {heads}, {dim}")
        arguments.append(f"%p: {packed}")
        for i, x in enumerate("qkv"):
            lines.append(f"%{x}0 = tfc.slice %p offsets [0, 0, {i * heads}, 0] strides [1, 1, 1, 1] : {packed} -> {part}")
            lines.append(f"%{x} = tfc.transpose %{x}0 [0, 2, 1, 3] : {part}")
    for word, shape, element in (("mask", mask, "i1"), ("bias", bias, "f32")):
        if shape:
            arguments.append(f"%{word}: {dims(shape, element)}")
            extra += f" {word} %{word}"
            types.append(dims(shape, element))
    if lengths:
        arguments.append(f"%n: {dims('s0', lengths)}")
        extra += " key_lengths %n"
        types.append(dims("s0", lengths))
    if masked_row != "uniform":
        extra += f" masked_row {masked_row}"
    attributes = ([] if scale is None else [f"scale = {scale:e} : f32"]) + (["causal"] if causal else []) + (
        [] if softcap is None else [f"softcap = {softcap:e} : f32"]) + ([] if fill is None else [f"fill = {fill:e} : f32"]) + [
            f"window_{side} = {width} : i64" for side, width in (("left", left), ("right", right)) if width is not None]
    lines.append(f"%o = tfc.attention %q, %k, %v{extra} {{{', '.join(attributes)}}} : ({', '.join([tq, tk, tv] + types)}) -> {to}")
    result = to
    if layout != PLAIN:
        result = dims(f"s0, s1, {heads}, {value_dim}")
        lines.append(f"%r = tfc.transpose %o [0, 2, 1, 3] : {to}")
    lines.append(f"return %{'o' if layout == PLAIN else 'r'} : {result}")

    def make(rng, b, s, t=None):
        t = s if t is None else t
        values = {"s0": b, "s1": s, "s2": t}
        q, k, v = normal(rng, b, heads, s, dim), normal(rng, b, key_heads, t, dim), normal(rng, b, key_heads, t, value_dim)
        shape = lambda text: [int(x) if x.strip().isdigit() else values[x.strip()] for x in text.split(",")]
        m = rng.random(shape(mask)) < 0.7 if mask else None
        c = normal(rng, *shape(bias)) if bias else None
        if special:
            special(rng, q, k, v, m, c)
        swap = lambda x: np.ascontiguousarray(x.swapaxes(1, 2))
        (k0, k), (v0, v) = narrow(k, half), narrow(v, half)
        inputs = [q, k0.copy(), v0.copy()] if layout == PLAIN else [swap(q), swap(k0), swap(v0)] if layout == SPLIT else [
            np.concatenate([swap(q), swap(k0), swap(v0)], 2)]
        n = rng.integers(s if poison else -1, t + 2, b) if lengths else None
        inputs += ([m.astype(np.uint8)] if mask else []) + ([c] if bias else []) + (
            [n.astype({"i32": np.int32, "i64": np.int64}[lengths])] if lengths else [])
        if poison:
            for batch, count in enumerate(n):
                inputs[1][batch, :, count:] = inputs[2][batch, :, count:] = np.nan
        factor = dim ** -0.5 if scale is None else scale
        out = reference(q, k, v, factor, c, m, causal, masked_row, softcap, LOWEST if fill is None else fill, left, right, n)
        return inputs, [out if layout == PLAIN else out.swapaxes(1, 2)]
    Case(name, (", ".join(arguments), result, "\n".join(lines)), sizes, make, tolerance, scale=lambda *s: 1.0, **more)


LENGTHS = (0, 1, 2, 7, 16, 31, 77, 128, 333)
SQUARE = [(1, n, n) for n in LENGTHS]
UNEQUAL = [(1, 1, 129), (2, 3, 40), (1, 5, 2), (1, 40, 7), (1, 129, 1), (1, 17, 0), (0, 3, 3), (1, 2, 300)]

FLOPS = dict(work=lambda b, s, t=None: 4 * b * 12 * s * (t or s) * 64, flops=True)
attention("attention_64", 64, SQUARE + UNEQUAL)
# One to four queries may be done one by one.
FEW = [(1, 1, 1), (2, 1, 20), (1, 2, 129), (1, 3, 300), (1, 4, 16), (1, 4, 2)]
for half in ("f16", "bf16"):
    attention(f"attention_{half}_keys", 64, [(1, 7, 7), (1, 77, 77)] + UNEQUAL + FEW, half=half)
    attention(f"attention_{half}_keys_40", 40, UNEQUAL + FEW, half=half, causal=True, key_heads=1, value_dim=24, bias="s0, 1, 1, s2")
for dim in (1, 16, 32, 40, 80, 128, 256):
    attention(f"attention_{dim}", dim, [(1, 7, 7), (1, 33, 140)] + FEW, heads=1)
attention("attention_value_dim", 24, [(1, 7, 9), (1, 40, 130)], value_dim=51)
attention("attention_value_wider", 5, [(1, 20, 9)], value_dim=72)
attention("attention_scale", 16, [(1, 9, 9), (1, 2, 9)], scale=0.75)
attention("attention_softcap", 16, [(1, 9, 9), (1, 40, 200), (1, 2, 200)], softcap=1.5)
attention("attention_softcap_bias", 16, [(1, 9, 9), (1, 2, 200)], softcap=0.5, bias="s1, s2", causal=True)
attention("attention_groups", 32, [(2, 9, 9), (1, 1, 70)], heads=6, key_heads=2)
attention("attention_one_key_head", 8, [(2, 5, 5)], heads=4, key_heads=1)


# Few queries of the heads that read the same keys are one tile: one by one, in a block, and heads apart where they are many.
GROUPED = [(2, 1, 70), (1, 1, 300), (2, 2, 40), (1, 3, 129), (1, 4, 16), (1, 5, 9), (1, 7, 21), (2, 8, 8), (1, 9, 140), (1, 16, 40), (1, 33, 33), (1, 40, 200),
           (1, 2, 0), (1, 0, 5), (0, 1, 3)]
for heads, key_heads in ((2, 1), (8, 2), (24, 2), (33, 1)):
    attention(f"attention_grouped_{heads}_{key_heads}", 24, GROUPED, heads=heads, key_heads=key_heads, value_dim=40)
attention("attention_grouped_split", 64, GROUPED, heads=8, key_heads=1, layout=SPLIT)
attention("attention_grouped_decode", 64, [(2, 1, 77)], heads=32, key_heads=4, bench=(1, 1, 2048),
          work=lambda b, s, t: 4 * b * 32 * s * t * 64, flops=True)
for masked_row in ("uniform", "nan", "zero"):
    attention(f"attention_grouped_causal_{masked_row}", 16, GROUPED + [(1, 5, 2)], heads=8, key_heads=2, causal=True, masked_row=masked_row)
    attention(f"attention_grouped_window_{masked_row}", 16, GROUPED + [(1, 5, 2)], heads=6, key_heads=3, left=9, right=2, lengths="i64",
              masked_row=masked_row)
    attention(f"attention_grouped_mask_{masked_row}", 16, GROUPED, heads=8, key_heads=2, masked_row=masked_row, mask="s0, 8, s1, s2",
              bias="8, 1, s2", special=lambda rng, q, k, v, m, c: m[:, :, ::3].fill(False))
attention("attention_grouped_bias_heads", 16, GROUPED, heads=8, key_heads=2, bias="1, 8, 1, 1")
attention("attention_grouped_key_mask", 16, GROUPED, heads=8, key_heads=2, mask="s0, 1, 1, s2", masked_row="zero")
attention("attention_grouped_poison", 16, [(4, 1, 300), (3, 3, 140), (2, 7, 40)], heads=8, key_heads=2, lengths="i64", causal=True, poison=True)

attention("attention_split", 64, SQUARE, heads=12, bias="s0, 1, 1, s2", layout=SPLIT, bench=(1, 128, 128), **FLOPS)
attention("attention_split_causal", 64, [(2, 77, 77)], heads=12, causal=True, layout=SPLIT, bench=(1, 128, 128), **FLOPS)
attention("attention_decode", 64, [(1, 1, 129), (2, 1, 77)], heads=12, bias="s0, 1, s1, s2", layout=SPLIT, bench=(1, 1, 129), **FLOPS)
attention("attention_split_full", 64, [(2, 77, 77)], heads=12, bias="s0, 1, s1, s2", layout=SPLIT, bench=(1, 128, 128), **FLOPS)
attention("attention_packed", 64, [(1, 1), (2, 77), (1, 128)], heads=12, layout=PACKED, bench=(1, 512), **FLOPS)
attention("attention_packed_causal", 64, [(1, 1), (2, 77), (1, 333)], heads=12, causal=True, layout=PACKED, bench=(1, 512), **FLOPS)

for masked_row in ("uniform", "nan", "zero"):
    attention(f"attention_causal_{masked_row}", 16, SQUARE + UNEQUAL, causal=True, masked_row=masked_row)
    attention(f"attention_mask_{masked_row}", 8, [(2, 9, 21), (1, 40, 140), (2, 3, 33)], mask="s0, 1, s1, s2", masked_row=masked_row,
              special=lambda rng, q, k, v, m, c: m[:, :, ::3].fill(False))
    attention(f"attention_key_mask_{masked_row}", 8, [(2, 9, 21), (3, 40, 140), (2, 3, 140)], mask="s0, 1, 1, s2", masked_row=masked_row,
              special=lambda rng, q, k, v, m, c: m[-1:].fill(False))
    attention(f"attention_causal_mask_{masked_row}", 8, [(2, 9, 21), (1, 70, 70), (1, 9, 4), (1, 3, 40), (1, 3, 2)], mask="s0, 2, s1, s2", causal=True,
              masked_row=masked_row, special=lambda rng, q, k, v, m, c: m[:, :, ::4].fill(False))

    BOUNDED = [(1, n, n) for n in (1, 4, 16, 40, 300)] + [(3, 1, 300), (3, 3, 140), (2, 40, 270), (2, 33, 5), (2, 2, 1), (1, 20, 0)]
    attention(f"attention_window_{masked_row}", 16, BOUNDED, left=9, right=3, masked_row=masked_row)
    attention(f"attention_window_causal_{masked_row}", 16, BOUNDED, left=150, causal=True, masked_row=masked_row)
    attention(f"attention_window_right_{masked_row}", 16, BOUNDED, right=5, masked_row=masked_row)
    attention(f"attention_lengths_{masked_row}", 16, BOUNDED, lengths="i64", masked_row=masked_row)
    attention(f"attention_lengths_causal_{masked_row}", 16, BOUNDED, lengths="i32", causal=True, masked_row=masked_row, heads=4, key_heads=2)
    attention(f"attention_lengths_window_mask_{masked_row}", 16, BOUNDED, lengths="i32", causal=True, left=20, masked_row=masked_row,
              mask="s0, 1, s1, s2")
attention("attention_lengths_poison", 16, [(4, 1, 300), (3, 3, 140), (3, 40, 300), (5, 20, 33)], lengths="i64", causal=True, poison=True)
attention("attention_window_far", 16, [(2, 40, 270), (1, 3, 9)], left=2 ** 62, right=2 ** 63 - 1, lengths="i64")
attention("attention_window_biased", 8, [(2, 9, 21), (1, 40, 300), (1, 3, 40)], bias="s1, s2", left=4, lengths="i64", masked_row="biased", fill=-2.0)

attention("attention_fill", 8, [(2, 9, 21), (1, 40, 300), (1, 3, 40), (1, 40, 3)], causal=True, fill=-3.0)
attention("attention_biased", 8, [(2, 9, 21), (1, 40, 300), (1, 3, 40), (1, 40, 3)], mask="s0, 1, s1, s2", bias="s1, s2", causal=True,
          masked_row="biased", fill=-2.0)

# Every way a bias may broadcast; a dim that is 1 or the length only at run time too.
for i, shape in enumerate(("s2", "s1, s2", "s1, 1", "1, 2, 1, 1", "s0, 2, s1, s2", "1, 1, 1, s2", "2, 1, s2", "1")):
    attention(f"attention_bias_{i}", 8, [(2, 9, 21), (1, 35, 130), (2, 3, 21), (1, 1, 30)], bias=shape)
    attention(f"attention_mask_{i}", 8, [(2, 9, 21), (1, 35, 130), (2, 3, 21), (1, 1, 30)], mask=shape)
attention("attention_bias_mask", 8, [(2, 9, 21), (1, 35, 150)], bias="s0, 1, s1, s2", mask="2, s1, s2")


def lowest_bias(rng, q, k, v, m, c):
    """Rows whose keys all have the lowest bias, as exporters write masks; and some keys of others."""
    c[:, :, ::2] = LOWEST
    c[..., ::3] = LOWEST


attention("attention_lowest", 16, [(1, 9, 40), (1, 70, 300), (1, 3, 300)], bias="s0, 1, s1, s2", special=lowest_bias)
attention("attention_lowest_causal", 16, [(1, 40, 40), (1, 300, 300), (1, 4, 300)], bias="s0, 1, s1, s2", causal=True, special=lowest_bias)
attention("attention_lowest_keys", 16, [(1, 9, 40), (2, 70, 300)], bias="s0, 1, 1, s2",
          special=lambda rng, q, k, v, m, c: c[..., 5:].fill(LOWEST))


def infinite_bias(rng, q, k, v, m, c):
    c[:, :, ::2] = -np.inf
    c[..., ::3] = -np.inf


attention("attention_infinite", 16, [(1, 9, 40), (1, 70, 300), (1, 3, 300)], bias="s0, 1, s1, s2", special=infinite_bias)
attention("attention_infinite_zero", 16, [(1, 9, 40), (1, 3, 300)], bias="s0, 1, s1, s2", masked_row="zero", special=infinite_bias)


def not_numbers(rng, q, k, v, m, c):
    q[:, :, 3], k[:, :1, 5, 2], v[:, 1:, 7, 1] = np.nan, np.inf, np.inf
    q.view(np.uint32)[:, :, 1, 0] = 0xFFFFFFFF


attention("attention_not_numbers", 16, [(1, 9, 40), (1, 70, 300), (1, 4, 300)], special=not_numbers)


def large_scores(rng, q, k, v, m, c):
    q *= np.float32(30)
    q[:, :, 2] *= np.float32(1e15)
    k[:, :, ::5] *= np.float32(1e15)


attention("attention_large", 16, [(1, 9, 40), (1, 70, 300), (1, 4, 300)], special=large_scores, tolerance=1e-3)

# Behind a mask: where both mask, a score is -inf, and rows with nothing else count what one of them masks.
attention("attention_biased_causal", 16, [(1, 40, 40), (2, 9, 21), (1, 300, 300)], bias="s0, 1, s1, s2", causal=True, masked_row="biased",
          special=lowest_bias)
attention("attention_biased_mask", 16, [(1, 40, 40), (2, 9, 21)], bias="s0, 1, 1, s2", mask="s1, s2", masked_row="biased",
          special=lambda rng, q, k, v, m, c: c[..., 1::2].fill(LOWEST))


def infinite_bias(rng, q, k, v, m, c):
    c[:, :, ::2] = -np.inf
    c[..., ::3] = -np.inf


for causal in (False, True):
    attention(f"attention_infinite_zero_{int(causal)}", 16, [(1, 9, 40), (1, 70, 300), (2, 5, 5)], bias="s0, 1, s1, s2", causal=causal,
              masked_row="zero", special=infinite_bias)
