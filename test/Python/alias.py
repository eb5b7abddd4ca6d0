"""alias.py ARTIFACT: runs a small built-in gpt2 with the present written over the past it reads."""

import sys

import numpy as np

import tfc

BATCH, PAST, SEQ, HEADS, HEAD_DIM = 2, 5, 2, 4, 16

tfc.compile(None, sys.argv[1], "--builtin", "gpt2", "--config", "hidden=64,layers=1,heads=4,vocab=50,positions=64")
model = tfc.load(sys.argv[1])
rng = np.random.default_rng(0)
inputs = {
    "input_ids": rng.integers(0, 50, (BATCH, SEQ)),
    "attention_mask": np.ones((BATCH, PAST + SEQ), np.int64),
    "past_key_values.0.key": rng.standard_normal((BATCH, HEADS, PAST, HEAD_DIM)).astype(np.float32),
    "past_key_values.0.value": rng.standard_normal((BATCH, HEADS, PAST, HEAD_DIM)).astype(np.float32),
}
expected = model({name: array.copy() for name, array in inputs.items()})

# Rows of the past lie closer together than those of the present: written in place, later rows would be lost.
count = inputs["past_key_values.0.key"].size
buffer = np.zeros(BATCH * HEADS * (PAST + SEQ) * HEAD_DIM, np.float32)
buffer[:count] = inputs["past_key_values.0.key"].ravel()
inputs["past_key_values.0.key"] = buffer[:count].reshape(BATCH, HEADS, PAST, HEAD_DIM)
present = buffer.reshape(BATCH, HEADS, PAST + SEQ, HEAD_DIM)
with model.context(threads=1) as context:
    results = context.run(inputs, outputs={"present.0.key": present})

for name, array in expected.items():
    assert np.array_equal(results[name], array), name
assert np.array_equal(present, expected["present.0.key"])
