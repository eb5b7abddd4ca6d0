#!/usr/bin/env python3
"""A reference for the built-in models: numpy in float64, written from the papers' formulas.

    reference.py bert OUTPUT_DIR --config hidden=64,layers=2,heads=4,intermediate=96,vocab=101,positions=32
    reference.py gpt2 OUTPUT_DIR --config hidden=64,layers=2,heads=4,vocab=101,positions=32 --dtype BF16

Writes OUTPUT_DIR/weights.safetensors with random weights under Hugging Face's names, reads that file again, and writes
what the model gives for each case: OUTPUT_DIR/<case>.inputs.npz and OUTPUT_DIR/<case>.outputs.npz (float32). Then

    tfc-compile --builtin bert --config hidden=64,... --load OUTPUT_DIR/weights.safetensors -o m.so
    tfc-run m.so --inputs OUTPUT_DIR/padded.inputs.npz --expect OUTPUT_DIR/padded.outputs.npz
"""
import argparse
import json
import math
import os
import pathlib
import struct
import sys

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2])]
from bfloat16 import from_bf16, to_bf16  # noqa: E402

DEFAULTS = {
    'bert': dict(hidden=768, layers=12, heads=12, vocab=30522, positions=512, type_vocab=2, eps=1e-12,
                 activation='gelu'),
    'gpt2': dict(hidden=768, layers=12, heads=12, vocab=50257, positions=1024, eps=1e-5, activation='gelu_new'),
}


def parse_config(family, text):
    config = dict(DEFAULTS[family])
    for pair in filter(None, text.split(',')):
        key, value = pair.split('=')
        config[key] = value if key == 'activation' else float(value) if key == 'eps' else int(value)
    config.setdefault('intermediate', 4 * config['hidden'])
    return config


# --- Weights ------------------------------------------------------------------------------------------------------


def bert_shapes(c):
    h, i = c['hidden'], c['intermediate']
    yield 'embeddings.word_embeddings.weight', (c['vocab'], h)
    yield 'embeddings.position_embeddings.weight', (c['positions'], h)
    yield 'embeddings.token_type_embeddings.weight', (c['type_vocab'], h)
    linears = {'pooler.dense': (h, h)}
    norms = ['embeddings.LayerNorm']
    for n in range(c['layers']):
        layer = f'encoder.layer.{n}.'
        for part in 'query', 'key', 'value':
            linears[layer + 'attention.self.' + part] = (h, h)
        linears[layer + 'attention.output.dense'] = (h, h)
        linears[layer + 'intermediate.dense'] = (i, h)
        linears[layer + 'output.dense'] = (h, i)
        norms += [layer + 'attention.output.LayerNorm', layer + 'output.LayerNorm']
    for name, (out_width, in_width) in linears.items():
        yield name + '.weight', (out_width, in_width)
        yield name + '.bias', (out_width,)
    for name in norms:
        yield name + '.weight', (h,)
        yield name + '.bias', (h,)


def gpt2_shapes(c):
    h, i = c['hidden'], c['intermediate']
    yield 'wte.weight', (c['vocab'], h)
    yield 'wpe.weight', (c['positions'], h)
    norms = ['ln_f']
    for n in range(c['layers']):
        layer = f'h.{n}.'
        for name, in_width, out_width in (('attn.c_attn', h, 3 * h), ('attn.c_proj', h, h), ('mlp.c_fc', h, i),
                                          ('mlp.c_proj', i, h)):
            yield layer + name + '.weight', (in_width, out_width)
            yield layer + name + '.bias', (out_width,)
        norms += [layer + 'ln_1', layer + 'ln_2']
    for name in norms:
        yield name + '.weight', (h,)
        yield name + '.bias', (h,)


def random_weight(rng, name, shape):
    """Every kind of weight differs from its initial value, so that none can be left out unnoticed."""
    values = rng.standard_normal(shape)
    if len(shape) > 1:
        return 0.1 * values
    return 1 + 0.2 * values if name.endswith('.weight') else 0.1 * values


def to_bytes(values, dtype):
    if dtype == 'BF16':
        return to_bf16(values).tobytes()
    return values.astype({'F32': '<f4', 'F16': '<f2'}[dtype]).tobytes()


def from_bytes(data, dtype):
    if dtype == 'BF16':
        return from_bf16(np.frombuffer(data, '<u2'))
    return np.frombuffer(data, {'F32': '<f4', 'F16': '<f2'}[dtype])


def write_safetensors(path, tensors, dtype):
    header, data = {'__metadata__': {'format': 'pt'}}, b''
    for name, values in tensors.items():
        raw = to_bytes(values, dtype)
        header[name] = {'dtype': dtype, 'shape': list(values.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def read_safetensors(path):
    with open(path, 'rb') as file:
        contents = file.read()
    (length,) = struct.unpack('<Q', contents[:8])
    header = json.loads(contents[8:8 + length])
    data = contents[8 + length:]
    tensors = {}
    for name, entry in header.items():
        if name != '__metadata__':
            begin, end = entry['data_offsets']
            tensors[name] = from_bytes(data[begin:end], entry['dtype']).astype(np.float64).reshape(entry['shape'])
    return tensors


# --- Blocks --------------------------------------------------------------------------------------------------------


def layer_norm(x, w, name, eps):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred ** 2).mean(-1, keepdims=True)
    return centred / np.sqrt(variance + eps) * w[name + '.weight'] + w[name + '.bias']


ACTIVATIONS = {
    'gelu': lambda x: 0.5 * x * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2))),
    'gelu_new': lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))),
    'quick_gelu': lambda x: x / (1 + np.exp(-1.702 * x)),
    'relu': lambda x: np.maximum(x, 0),
}


def split_heads(x, heads):
    batch, seq, hidden = x.shape
    return x.reshape(batch, seq, heads, hidden // heads).transpose(0, 2, 1, 3)


def attention(q, k, v, allowed):
    """allowed [batch, 1, queries, keys]; a query without any allowed key attends to all keys alike."""
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    scores = np.where(allowed, scores, -np.inf)
    scores = np.where(allowed.any(-1, keepdims=True), scores, 0.0)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    context = weights / weights.sum(-1, keepdims=True) @ v
    batch, heads, seq, width = context.shape
    return context.transpose(0, 2, 1, 3).reshape(batch, seq, heads * width)


# --- Models --------------------------------------------------------------------------------------------------------


def bert(c, w, inputs):
    ids, types = inputs['input_ids'], inputs['token_type_ids']
    linear = lambda x, name: x @ w[name + '.weight'].T + w[name + '.bias']
    allowed = inputs['attention_mask'][:, None, None, :] != 0
    allowed = np.broadcast_to(allowed, (ids.shape[0], 1, ids.shape[1], ids.shape[1]))
    x = w['embeddings.word_embeddings.weight'][ids] + w['embeddings.token_type_embeddings.weight'][types]
    x = layer_norm(x + w['embeddings.position_embeddings.weight'][:ids.shape[1]], w, 'embeddings.LayerNorm', c['eps'])
    for n in range(c['layers']):
        layer = f'encoder.layer.{n}.'
        q, k, v = (split_heads(linear(x, layer + 'attention.self.' + part), c['heads'])
                   for part in ('query', 'key', 'value'))
        a = linear(attention(q, k, v, allowed), layer + 'attention.output.dense')
        a = layer_norm(a + x, w, layer + 'attention.output.LayerNorm', c['eps'])
        y = ACTIVATIONS[c['activation']](linear(a, layer + 'intermediate.dense'))
        x = layer_norm(linear(y, layer + 'output.dense') + a, w, layer + 'output.LayerNorm', c['eps'])
    return {'last_hidden_state': x, 'pooler_output': np.tanh(linear(x[:, 0], 'pooler.dense'))}


def gpt2(c, w, inputs):
    ids = inputs['input_ids']
    past = inputs['past_key_values.0.key'].shape[2]
    seq, total = ids.shape[1], past + ids.shape[1]
    linear = lambda x, name: x @ w[name + '.weight'] + w[name + '.bias']
    causal = np.arange(total)[None, :] <= past + np.arange(seq)[:, None]
    allowed = causal[None, None] & (inputs['attention_mask'][:, None, None, :] != 0)
    x = w['wte.weight'][ids] + w['wpe.weight'][past:total]
    presents = {}
    for n in range(c['layers']):
        layer = f'h.{n}.'
        projected = linear(layer_norm(x, w, layer + 'ln_1', c['eps']), layer + 'attn.c_attn')
        q, k, v = (split_heads(part, c['heads']) for part in np.split(projected, 3, axis=-1))
        k = np.concatenate([inputs[f'past_key_values.{n}.key'], k], axis=2)
        v = np.concatenate([inputs[f'past_key_values.{n}.value'], v], axis=2)
        presents[f'present.{n}.key'], presents[f'present.{n}.value'] = k, v
        x = x + linear(attention(q, k, v, allowed), layer + 'attn.c_proj')
        y = ACTIVATIONS[c['activation']](linear(layer_norm(x, w, layer + 'ln_2', c['eps']), layer + 'mlp.c_fc'))
        x = x + linear(y, layer + 'mlp.c_proj')
    return {'logits': layer_norm(x, w, 'ln_f', c['eps']) @ w['wte.weight'].T, **presents}


# --- Cases ---------------------------------------------------------------------------------------------------------


def bert_cases(c, rng):
    def case(batch, seq):
        return {'input_ids': rng.integers(0, c['vocab'], (batch, seq)),
                'attention_mask': np.ones((batch, seq), np.int64),
                'token_type_ids': rng.integers(0, c['type_vocab'], (batch, seq))}

    longest = min(c['positions'], 19)
    yield 'plain', case(2, min(7, longest))
    yield 'one_token', case(1, 1)
    yield 'longest', case(1, longest)
    padded = case(3, longest)
    padded['attention_mask'][1, longest // 2:] = 0
    padded['attention_mask'][2, :longest // 3] = 0
    yield 'padded', padded
    masked = case(2, min(5, longest))
    masked['attention_mask'][1] = 0
    yield 'fully_masked', masked


def gpt2_cases(c, rng):
    def case(batch, seq, past):
        inputs = {'input_ids': rng.integers(0, c['vocab'], (batch, seq)),
                  'attention_mask': np.ones((batch, past + seq), np.int64)}
        for n in range(c['layers']):
            for part in 'key', 'value':
                shape = (batch, c['heads'], past, c['hidden'] // c['heads'])
                inputs[f'past_key_values.{n}.{part}'] = rng.standard_normal(shape).astype(np.float32)
        return inputs

    longest = min(c['positions'], 19)
    yield 'prefill', case(2, min(7, longest), 0)
    yield 'decode', case(2, 1, longest - 1)
    yield 'chunk', case(1, longest - longest // 2, longest // 2)
    right = case(2, longest, 0)
    right['attention_mask'][1, longest // 2:] = 0
    yield 'right_padded', right
    left = case(2, longest, 0)
    left['attention_mask'][1, :longest // 3] = 0
    yield 'left_padded', left


def write(family, folder, config_text='', dtype='F32', bare=False, seed=0):
    """Writes weights and cases into the folder; gives the names of the cases."""
    config = parse_config(family, config_text)
    rng = np.random.default_rng(seed)
    shapes, model, cases, prefix = {'bert': (bert_shapes, bert, bert_cases, 'bert.'),
                                    'gpt2': (gpt2_shapes, gpt2, gpt2_cases, 'transformer.')}[family]
    if bare:
        prefix = ''
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, 'weights.safetensors')
    write_safetensors(path, {prefix + name: random_weight(rng, name, shape) for name, shape in shapes(config)}, dtype)
    weights = {name[len(prefix):]: values for name, values in read_safetensors(path).items()}
    names = []
    for name, inputs in cases(config, rng):
        outputs = model(config, weights, inputs)
        np.savez(os.path.join(folder, name + '.inputs.npz'), **inputs)
        np.savez(os.path.join(folder, name + '.outputs.npz'),
                 **{key: value.astype(np.float32) for key, value in outputs.items()})
        names.append(name)
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('family', choices=['bert', 'gpt2'])
    parser.add_argument('folder')
    parser.add_argument('--config', default='')
    parser.add_argument('--dtype', default='F32', choices=['F32', 'F16', 'BF16'])
    parser.add_argument('--bare', action='store_true', help="names without 'bert.' or 'transformer.'")
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    for name in write(options.family, options.folder, options.config, options.dtype, options.bare, options.seed):
        print(name)


if __name__ == '__main__':
    main()
