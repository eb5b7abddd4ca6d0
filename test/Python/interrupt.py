"""KeyboardInterrupt and DLPack: interrupt.py FOLDER."""

import os
import pathlib
import resource
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


def interrupted(work, is_time):
    """Whether Ctrl-C, once it is time for it, ends the work with KeyboardInterrupt."""
    over = threading.Event()

    def interrupt():
        while not is_time() and not over.is_set():
            time.sleep(0.01)
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        over.set()
        thread.join()
    return False


def cpu_seconds(process):
    """What a process has used so far: however busy the machine is, it is the same when it comes equally far."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compiler_has_used(seconds):
    def check():
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rpartition(")")[2].split()
                if int(fields[1]) == os.getpid() and cpu_seconds(entry.parent.name) >= seconds:
                    return True
            except (OSError, ValueError, IndexError):
                pass  # it has just ended
        return False

    return check


signal.signal(signal.SIGINT, signal.default_int_handler)
before = set(folder.iterdir())
# A model that takes long to compile; no output, whole or in part, is left of it.
compile_large = lambda: tfc.compile(None, folder / "large.so", "--builtin=bert-base", "--weights=seed")
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
assert interrupted(compile_large, compiler_has_used(0.1))
try:
    os.waitpid(-1, 0)  # Python does not always wait for a child that it has killed
except ChildProcessError:
    pass
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used
assert 0 < used < 1, f"the compiler went on: {used} s"  # it needs several
assert set(folder.iterdir()) == before, set(folder.iterdir()) - before

model = tfc.load(tfc.compile(MODELS / "bert_tiny" / "model.op17.onnx", folder / "model.so"))
context = model.context(threads=2)
inputs, outputs = next(cases("bert_tiny"))


turns = 0


def forever():
    global turns
    while True:
        context(inputs)
        turns += 1


for _ in range(5):
    first = turns
    assert interrupted(forever, lambda: turns > first + 100)
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
