"""Attention operators in float64 numpy, written from their specifications: every step as the text has it."""

import math

import numpy as np


def softmax(s):
    """Rows of only -inf give 0, as ai.onnx.Attention says."""
    top = s.max(-1, keepdims=True) if s.shape[-1] else np.zeros(s.shape[:-1] + (1,))
    e = np.exp(s - np.where(np.isneginf(top), 0, top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def split_heads(x, heads):
    b, s, d = x.shape
    return x.reshape(b, s, heads, d // heads).transpose(0, 2, 1, 3)


def merge_heads(x):
    b, h, s, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(b, s, h * d)


def attention(q, k, v, mask=None, past_key=None, past_value=None, lengths=None, scale=None, is_causal=0, softcap=0.0, mode=0,
              q_num_heads=None, kv_num_heads=None, left=-1, right=-1):
    """ai.onnx.Attention: Y, present_key, present_value, qk_matmul_output."""
    rank3 = q.ndim == 3
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    if rank3:
        q, k, v = split_heads(q, q_num_heads), split_heads(k, kv_num_heads), split_heads(v, kv_num_heads)
    past = 0
    if past_key is not None:
        past = past_key.shape[2]
        k, v = np.concatenate([past_key, k], 2), np.concatenate([past_value, v], 2)
    present = k, v
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, 1), np.repeat(v, group, 1)
    b, h, n, d = q.shape
    m = k.shape[2]
    scores = q @ k.transpose(0, 1, 3, 2) * (1 / math.sqrt(d) if scale is None else scale)
    raw = scores
    if softcap > 0:
        scores = softcap * np.tanh(scores / softcap)
    capped = scores
    bias = np.zeros((b, h, n, m))
    if mask is not None:
        missing = m - mask.shape[-1]
        value = np.where(mask, 0.0, -np.inf) if mask.dtype == bool else mask.astype(np.float64)
        value = np.pad(value, [(0, 0)] * (mask.ndim - 1) + [(0, missing)], constant_values=-np.inf)
        bias = bias + value
    for batch in range(b):
        offset = past if lengths is None else int(lengths[batch]) - n
        for i in range(n):
            for j in range(m):
                p = i + offset
                allowed = (not is_causal or j <= p) and (left < 0 or j >= p - left) and (right < 0 or j <= p + right)
                if not allowed or (lengths is not None and j >= lengths[batch]):
                    bias[batch, :, i, j] = -np.inf
    scores = scores + bias
    p = softmax(scores)
    y = p @ v
    # Mode 1 without a soft cap is an older numbering, which meant the biased scores.
    return (merge_heads(y) if rank3 else y), *present, [raw, capped if softcap > 0 else scores, scores, p][mode]


def rotate(x, cosines, sines, interleaved):
    """Pairs of the last dim of [b, h, s, d]; cosines and sines are [b or 1, s, pairs]."""
    pairs = cosines.shape[-1]
    c, s = cosines[:, None].astype(np.float64), sines[:, None].astype(np.float64)
    y = np.array(x, np.float64)
    first = np.s_[..., 0:2 * pairs:2] if interleaved else np.s_[..., :pairs]
    second = np.s_[..., 1:2 * pairs:2] if interleaved else np.s_[..., pairs:2 * pairs]
    y[first] = c * x[first] - s * x[second]
    y[second] = s * x[first] + c * x[second]
    return y


def tensor_scatter(cache, update, indices, axis=-2, circular=False):
    y = cache.copy()
    axis %= cache.ndim
    moved, source = np.moveaxis(y, axis, 1), np.moveaxis(update, axis, 1)
    for b in range(cache.shape[0]):
        for i in range(source.shape[1]):
            at = (0 if indices is None else int(indices[b])) + i
            moved[b, at % moved.shape[1] if circular else at] = source[b, i]
    return y


def contrib(q, k, v, bias=None, causal=False, scale=None, past=None):
    """What the com.microsoft operators make of split heads, with masks as summands: output, keys, values."""
    offset = 0
    if past is not None:
        offset = past[0].shape[2]
        k, v = np.concatenate([past[0], k], 2), np.concatenate([past[1], v], 2)
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    s = q @ k.transpose(0, 1, 3, 2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    s = s if bias is None else s + bias
    if causal:
        n, m = s.shape[2:]
        s = np.where(np.arange(m)[None] <= np.arange(n)[:, None] + offset, s, np.finfo(np.float32).min)
    return merge_heads(softmax(s) @ v), k, v


def group_query(q, k, v, heads, kv_heads, seqlens_k, total, past_key=None, past_value=None, window=-1, softcap=0.0, scale=None,
                bias=None, cos=None, sin=None, positions=None, interleaved=False, causal=True):
    """com.microsoft.GroupQueryAttention, one batch at a time: output, present_key, present_value."""
    q, k, v = split_heads(q, heads), split_heads(k, kv_heads), split_heads(v, kv_heads)
    b, _, n, d = q.shape
    before = [0 if total == n else int(seqlens_k[i]) + 1 - n for i in range(b)]
    if cos is not None:
        at = np.array([[p + i for i in range(n)] for p in before]) if positions is None else positions
        q, k = (rotate(x, cos[at], sin[at], interleaved) for x in (q, k))
    capacity = n if past_key is None else max(total, past_key.shape[2])
    keys, values = np.zeros((b, kv_heads, capacity, d)), np.zeros((b, kv_heads, capacity, d))
    out = np.zeros((b, heads, n, d))
    for i in range(b):
        for cache, past, new in ((keys, past_key, k), (values, past_value, v)):
            if past is not None:
                cache[i, :, :past.shape[2]] = past[i]
            cache[i, :, before[i]:before[i] + n] = new[i]
        for h in range(heads):
            for j in range(n):
                end = before[i] + j + 1 if causal else before[i] + n
                begin = max(0, before[i] + j + 1 - window) if window > 0 else 0
                kh = h // (heads // kv_heads)
                s = keys[i, kh, begin:end] @ q[i, h, j].astype(np.float64) * (1 / math.sqrt(d) if scale is None else scale)
                s = softcap * np.tanh(s / softcap) if softcap > 0 else s
                if bias is not None:
                    s = s + np.broadcast_to(bias, (b, heads, n, bias.shape[-1]))[i, h, j, begin:end]
                out[i, h, j] = softmax(s) @ values[i, kh, begin:end]
    return merge_heads(out), keys, values


def relative_bias(table, n, m, max_distance, bidirectional):
    """T5's position bias: [1, heads, n, m]."""
    buckets = table.shape[0] // 2 if bidirectional else table.shape[0]
    exact = buckets // 2
    out = np.zeros((1, table.shape[1], n, m))
    for i in range(n):
        for j in range(m):
            distance = abs(j - i) if bidirectional else max(i - j, 0)
            bucket = buckets if bidirectional and j > i else 0
            if distance < exact:
                bucket += distance
            else:
                step = np.float32(math.log(np.float32(distance) / exact)) / np.float32(math.log(max_distance / exact))
                bucket += min(exact + int(step * (buckets - exact)), buckets - 1)
            out[0, :, i, j] = table[bucket]
    return out
