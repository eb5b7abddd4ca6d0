"""KeyboardInterrupt and DLPack: interrupt.py FOLDER."""

import os
import pathlib
import signal
import sys
import threading
import time

import numpy as np

import tfc
from harness import MODELS, assert_close, cases, expect
from tfc import _arrays, _dlpack

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def interrupted(work, after):
    """Whether Ctrl-C after so many seconds ends the work with KeyboardInterrupt, and how long it took to."""
    timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    start = time.monotonic()
    timer.start()
    try:
        work()
    except KeyboardInterrupt:
        return True, time.monotonic() - start - after
    finally:
        timer.cancel()
    return False, 0.0


signal.signal(signal.SIGINT, signal.default_int_handler)
before = set(folder.iterdir())
# A model that takes long to compile; no output, whole or in part, is left of it.
stopped, late = interrupted(lambda: tfc.compile(None, folder / "large.so", "--builtin=bert-base", "--weights=seed"), 0.3)
assert stopped and late < 20, late
assert set(folder.iterdir()) == before, set(folder.iterdir()) - before

model = tfc.load(tfc.compile(MODELS / "bert_tiny" / "model.op17.onnx", folder / "model.so"))
context = model.context(threads=2)
inputs, outputs = next(cases("bert_tiny"))


def forever():
    while True:
        context(inputs)


for _ in range(5):
    stopped, late = interrupted(forever, 0.05)
    assert stopped and late < 10, late
    assert_close(context(inputs), outputs)

# Also where it comes while Python makes room for an output.
allocate = _arrays.Outputs.allocate
_arrays.Outputs.allocate = lambda self, number, size: signal.raise_signal(signal.SIGINT)
try:
    context(inputs)
    raise AssertionError("no KeyboardInterrupt")
except KeyboardInterrupt:
    pass
finally:
    _arrays.Outputs.allocate = allocate
assert_close(context(inputs), outputs)


class Tensor:
    """Another library's array: it speaks DLPack and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **_):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


for name, array in inputs.items():
    array.flags.writeable = True
assert_close(context({name: Tensor(array) for name, array in inputs.items()}), outputs)
port = model.inputs[0]
ids = inputs["input_ids"]
for layout in (ids, ids[:, ::2], ids.T):
    assert np.shares_memory(_arrays.input_array(port, Tensor(layout)), ids), "DLPack was copied"
    assert np.shares_memory(_arrays.input_array(port, layout), ids), "numpy was copied"

# A type that numpy does not have, read where it lies: bits of numpy's own tensor under another name.
(folder / "half.mlir").write_text("""
module attributes {tfc.model_name = "half"} {
  func.func @main(%x: tensor<?x4xbf16, #tfc.dims<n, 4>> {tfc.name = "x"}) -> (tensor<?x4xbf16, #tfc.dims<n, 4>> {tfc.name = "y"}) attributes {tfc.entry} {
    %0 = tfc.neg %x : tensor<?x4xbf16, #tfc.dims<n, 4>>
    return %0 : tensor<?x4xbf16, #tfc.dims<n, 4>>
  }
}
""")


class Bfloat16(Tensor):
    def __dlpack__(self, **_):
        capsule = self.array.__dlpack__()
        _dlpack._Tensor.from_address(_dlpack._get_pointer(capsule, b"dltensor")).dtype.code = 4
        return capsule


half = tfc.compile(folder / "half.mlir")
bits = np.arange(24, dtype=np.uint16).reshape(3, 8) + 0x3F80
for layout in (bits[:, :4], bits[:, ::2], np.ascontiguousarray(bits[:, 4:]), bits[:0, :4]):
    assert np.array_equal(half(x=Bfloat16(layout))["y"], layout ^ 0x8000)
assert np.shares_memory(_arrays.input_array(half.inputs[0], Bfloat16(bits[:, ::2])), bits)
expect(tfc.Error, "input 'input_ids': its type is bf16, but must be i64", context, {**inputs, "input_ids": Bfloat16(bits)})
print("interrupted")
