"""One model, many contexts, many Python threads: threads.py FOLDER."""

import concurrent.futures
import gc
import pathlib
import sys
import threading

import numpy as np

import tfc
from harness import MODELS, cases, expect

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
model = tfc.load(tfc.compile(MODELS / "gpt2_tiny" / "model.op17.onnx", folder / "model.so"))
work = [inputs for inputs, _ in cases("gpt2_tiny")] * 4
truth = [model(inputs)["logits"] for inputs in work]


def all_of(run):
    """The same bits, whatever the thread and the context."""
    return all(np.array_equal(run(inputs)["logits"], logits) for inputs, logits in zip(work, truth))


for threads in (1, 2, 3):
    with model.context(threads=threads) as context:
        assert context.threads == threads and all_of(context)
assert model.context().threads >= 1

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert all(pool.map(lambda _: all_of(model.context(threads=2)), range(8)))
    assert all(pool.map(lambda _: all_of(model), range(8)))

# A context is used by one thread at a time: a second one is told so, and the first is none the worse.
shared, said, right, done = model.context(threads=1), [], [], threading.Event()
long = {"input_ids": np.ones((16, 64), np.int64), "attention_mask": np.ones((16, 64), np.int64)}
long = {name: array for name, array in long.items() if name in work[0]}
expected = model(long)["logits"]


def keep_running():
    while not done.is_set():
        try:
            right.append(np.array_equal(shared(long)["logits"], expected))
        except tfc.Error as error:
            assert error.code == tfc.Code.BAD_ARGUMENT
            said.append(str(error))
            done.set()


with concurrent.futures.ThreadPoolExecutor(3) as pool:
    runs = [pool.submit(keep_running) for _ in range(3)]
    timer = threading.Timer(60, done.set)
    timer.start()
    for finished in concurrent.futures.as_completed(runs):
        finished.result()
    timer.cancel()
assert "the context is busy: another thread" in said[0] and all(right)
assert all_of(shared)

# Contexts outlive their model; what is closed says so.
model.close()
assert all_of(shared)
expect(tfc.Error, "the model is closed", model.context)
expect(tfc.Error, "the model is closed", model, work[0])
shared.close()
shared.close()
expect(tfc.Error, "the context is closed", shared, work[0])
del model, shared
gc.collect()
