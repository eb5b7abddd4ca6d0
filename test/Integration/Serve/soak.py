#!/usr/bin/env python3
"""soak.py FOLDER SECONDS [LEAK]: serves models from threads that come and go, and fits a line through the memory of the process.

Memory may grow by 16 bytes a request, and by two megabytes in all: malloc keeps arenas for threads that come and go. LEAK bytes are leaked with
every request, to see that they are found.
"""

import ctypes
import gc
import pathlib
import resource
import sys
import threading
import time

import numpy as np

import tfc

MODELS = pathlib.Path(__file__).resolve().parents[1] / "models"
folder, duration = pathlib.Path(sys.argv[1]), float(sys.argv[2])
leak = int(sys.argv[3]) if len(sys.argv) > 3 else 0
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.memset.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
folder.mkdir(parents=True, exist_ok=True)
models = [tfc.load(tfc.compile(MODELS / name / "model.op17.onnx", folder / f"{name}.so")) for name in ("bert_tiny", "gpt2_tiny")]
expected = {}
lock = threading.Lock()
answered = refused = 0


def request(number):
    """A shape that comes again, and its inputs: the same ones each time."""
    random = np.random.default_rng(number)
    batch, seq = 1 + number % 4, 1 + 7 * number % 31
    ids = random.integers(0, 101, (batch, seq))
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": ids * 0}


def inputs_of(model, number):
    names = [port.name for port in model.inputs]
    return {name: array for name, array in request(number).items() if name in names}


def bits_of(outputs):
    return {name: array.tobytes() for name, array in outputs.items()}


def serve(until, first):
    """A client: contexts live for a while, each thread makes its own."""
    global answered, refused
    number = first
    while time.monotonic() < until:
        for which, model in enumerate(models):
            with model.context(threads=1 + number % 2) as context:
                for _ in range(40):
                    number += 1
                    inputs = inputs_of(model, number % 97)
                    if number % 50 == 0:
                        try:
                            context({**inputs, "input_ids": inputs["input_ids"] + 1000})
                        except tfc.Error as error:
                            assert error.code == tfc.Code.BAD_INDEX, error
                            refused += 1
                        continue
                    assert bits_of(context(inputs)) == expected[which, number % 97], "other bits for the same request"
                    if leak:
                        libc.memset(libc.malloc(leak), 1, leak)
                    with lock:
                        answered += 1


def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()


def serve_for(seconds):
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=serve, args=(until, 31 * i)) for i in range(3)]
    failed = []
    threading.excepthook = lambda hook: failed.append(hook.exc_value)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


for which, model in enumerate(models):
    with model.context(threads=1) as context:
        expected.update({(which, number): bits_of(context(inputs_of(model, number))) for number in range(97)})
# Every shape has been seen, and the allocator has its arenas, before memory counts.
for warmup in range(4):
    serve_for(max(1.0, duration / 20))
answered = 0
readings = [(0, resident())]
# Enough requests that a leak of a kilobyte stands out, also on a machine that has other things to do.
while len(readings) <= 8 or answered < 6000:
    serve_for(duration / 10)
    readings.append((answered, resident()))
    print(f"{answered} answered, {refused} refused, {readings[-1][1] / 1e6:.1f} MB", flush=True)
slope = np.polyfit(*np.array(readings, float).T, 1)[0]
bound = 16 + (2 << 20) / answered
assert refused > 0
assert slope < bound, f"memory grows by {slope:.1f} bytes a request, beyond {bound:.1f}: {readings}"
print(f"memory grows by {slope:.1f} bytes a request (at most {bound:.1f} is noise)")
