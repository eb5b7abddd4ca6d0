"""in_place.py ARTIFACT: a cache with room is extended where it lies, from Python, and what is no such cache is copied as ever."""

import ctypes
import mmap
import os
import signal
import sys

import numpy as np

import tfc

HEADS, HEAD_DIM, LAYERS, VOCAB, ROOM = 4, 16, 2, 50, 128
NAMES = [f"{layer}.{kind}" for layer in range(LAYERS) for kind in ("key", "value")]

tfc.compile(None, sys.argv[1], "--builtin", "gpt", "--config",
            f"hidden=64,layers={LAYERS},heads={HEADS},intermediate=64,vocab={VOCAB},positions={ROOM}")
model = tfc.load(sys.argv[1])
rng = np.random.default_rng(0)
assert [symbol.name for symbol in model.symbols] == ["batch", "seq", "past"], model.symbols
assert [port.alias_of for port in model.outputs] == [None] + [f"past_key_values.{name}" for name in NAMES]


def inputs_of(pasts, batch, past, seq):
    arrays = {"input_ids": rng.integers(0, VOCAB, (batch, seq)), "attention_mask": np.ones((batch, past + seq), np.int64)}
    return {**arrays, **{f"past_key_values.{name}": array for name, array in pasts.items()}}


def random_pasts(batch, past):
    return {name: rng.standard_normal((batch, HEADS, past, HEAD_DIM)).astype(np.float32) for name in NAMES}


def buffers_of(pasts, room, batch=None):
    """Buffers with room, poisoned where they hold nothing yet."""
    made = {}
    for name, array in pasts.items():
        made[name] = np.full((array.shape[0], HEADS, room, HEAD_DIM), np.nan, np.float32)
        made[name][:, :, : array.shape[2]] = array
    return made


def part(buffers, rows):
    return {name: buffer[:, :, :rows] for name, buffer in buffers.items()}


def presents(arrays):
    return {f"present.{name}": array for name, array in arrays.items()}


def same(results, expected):
    for name, array in expected.items():
        assert np.array_equal(results[name], array), name


def decode(batch, seq, steps):
    """Step by step in place, and with separate arrays: the same bits, and no row is written that is not new."""
    with model.context() as context:
        pasts = random_pasts(batch, 0)
        buffers = buffers_of(pasts, ROOM)
        for step in range(steps):
            past = step * seq
            inputs = inputs_of(pasts, batch, past, seq)
            expected = context.run(inputs)
            before = {name: buffer.copy() for name, buffer in buffers.items()}
            inputs.update({f"past_key_values.{name}": array for name, array in part(buffers, past).items()})
            results = context.run(inputs, outputs=presents(part(buffers, past + seq)))
            same(results, expected)
            for name, buffer in buffers.items():
                np.testing.assert_array_equal(buffer[:, :, :past], before[name][:, :, :past])
                assert np.isnan(buffer[:, :, past + seq :]).all()
            pasts = {name: expected[f"present.{name}"] for name in NAMES}


decode(batch=1, seq=1, steps=32)
decode(batch=3, seq=2, steps=32)

# Any part of the caches that is kept apart, or kept otherwise, gives the same numbers: everything is copied then.
batch, past, seq = 2, 5, 3
pasts = random_pasts(batch, past)
inputs = inputs_of(pasts, batch, past, seq)
with model.context() as context:
    expected = context.run(inputs)

    def run_with(buffers, given):
        return context.run({**inputs, **{f"past_key_values.{name}": array for name, array in part(buffers, past).items()}}, outputs=given)

    buffers = buffers_of(pasts, 9)
    alone = presents(part(buffers, past + seq))
    alone.pop("present.1.value")
    same(run_with(buffers, alone), expected)
    # Rooms of different sizes.
    buffers = {**buffers_of(pasts, 9), "0.key": buffers_of(pasts, 11)["0.key"]}
    same(run_with(buffers, presents(part(buffers, past + seq))), expected)
    # Just enough room, after which the output is row-major.
    buffers = buffers_of(pasts, past + seq)
    same(run_with(buffers, presents(buffers)), expected)
    # Pasts of one buffer and presents of another, with strides.
    buffers, others = buffers_of(pasts, 9), buffers_of(pasts, 10)
    same(run_with(buffers, presents(part(others, past + seq))), expected)
    assert all(np.isnan(other[:, :, past + seq :]).all() for other in others.values())
    # Rows that lie apart: no front part of a row-major buffer.
    wide = {name: np.zeros((batch, HEADS, 9, 2, HEAD_DIM), np.float32)[:, :, :, 0] for name in NAMES}
    for name, array in wide.items():
        array[:, :, :past] = pasts[name]
    same(run_with(wide, presents(part(wide, past + seq))), expected)
    # Two caches in one buffer would write into each other.
    shared = buffers_of(pasts, 9)
    shared["0.value"] = shared["0.key"]
    try:
        run_with(shared, presents(part(shared, past + seq)))
        raise SystemExit("two outputs in one memory were taken")
    except tfc.Error as error:
        assert "share memory" in str(error), error
    # More rows than a block has room for.
    short = buffers_of(pasts, past + seq - 1)
    long = {name: np.lib.stride_tricks.as_strided(array, (batch, HEADS, past + seq, HEAD_DIM), array.strides) for name, array in short.items()}
    try:
        run_with(short, presents(long))
        raise SystemExit("rows beyond the room were written")
    except tfc.Error as error:
        assert error.code == tfc.Code.BUFFER_TOO_SMALL and "is 8, but its buffer has room for 7 there" in str(error), error
    same(context.run(inputs), expected)

# The rows of the past cannot be written: each head has a page of them, which is read-only, and a page of room.
page, rows = mmap.PAGESIZE, mmap.PAGESIZE // (HEAD_DIM * 4)
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
pasts = random_pasts(1, rows)
guarded = {}
for name in NAMES:
    memory = mmap.mmap(-1, HEADS * 2 * page)
    guarded[name] = np.frombuffer(memory, np.float32).reshape(1, HEADS, 2 * rows, HEAD_DIM)
    guarded[name][:, :, :rows] = pasts[name]
    for head in range(HEADS):
        assert libc.mprotect(guarded[name].ctypes.data + 2 * head * page, page, mmap.PROT_READ) == 0
inputs = inputs_of(pasts, 1, rows, 7)
expected = model(inputs)
inputs.update({f"past_key_values.{name}": array for name, array in part(guarded, rows).items()})
with model.context() as context:
    same(context.run(inputs, outputs=presents(part(guarded, rows + 7))), expected)
# That this would have been noticed: the kernels that copy write there.
child = os.fork()
if child == 0:
    presented = presents(part(guarded, rows + 7))
    inputs["past_key_values.0.key"] = inputs["past_key_values.0.key"].copy()
    with model.context(threads=1) as context:
        context.run(inputs, outputs=presented)
    os._exit(0)
status = os.waitpid(child, 0)[1]
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSEGV, status
