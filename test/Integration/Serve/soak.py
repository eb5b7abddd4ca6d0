#!/usr/bin/env python3
"""soak.py FOLDER SECONDS: serves a model from threads that come and go, and watches the memory of the process."""

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


def serve(until, first):
    """A client: contexts live for a while, each thread makes its own."""
    global answered, refused
    number = first
    while time.monotonic() < until:
        for which, model in enumerate(models):
            names = [port.name for port in model.inputs]
            with model.context(threads=1 + number % 2) as context:
                for _ in range(40):
                    number += 1
                    inputs = {name: array for name, array in request(number % 97).items() if name in names}
                    if number % 50 == 0:
                        try:
                            context({**inputs, "input_ids": inputs["input_ids"] + 1000})
                        except tfc.Error as error:
                            assert error.code == tfc.Code.BAD_INDEX, error
                            refused += 1
                        continue
                    outputs = context(inputs)
                    bits = {name: array.tobytes() for name, array in outputs.items()}
                    with lock:
                        assert expected.setdefault((which, number % 97), bits) == bits, "other bits for the same request"
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


# Every request has been seen, and the allocator has its arenas, before memory counts.
for warmup in range(4):
    serve_for(max(1.0, duration / 20))
sizes = [resident()]
for slice_number in range(8):
    serve_for(duration / 10)
    sizes.append(resident())
    print(f"{answered} answered, {refused} refused, {sizes[-1] / 1e6:.1f} MB", flush=True)
grown = min(sizes[-3:]) - max(sizes[:3])
assert answered > 100 and refused > 0
# Threads of Python come and go with arenas of malloc: a few pages more or less, but no slope.
assert grown < max(1 << 20, sizes[0] // 50), f"memory grew by {grown} bytes: {sizes}"
print(f"memory grew by {grown / 1024:.0f} KB")
