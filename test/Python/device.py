"""Runs a model on an (emulated) GPU from Python: device.py STUB FOLDER."""

import collections
import ctypes
import os
import pathlib
import sys

import numpy as np

import tfc
from harness import assert_close, cases, expect
from tfc import _abi
from tfc._dlpack import _Tensor

stub, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
log = folder / "log"
log.unlink(missing_ok=True)
os.environ["TFC_STUB_CUDA"] = f"log={log}"
driver = ctypes.CDLL(stub)


def call(name, *arguments):
    function = ctypes.c_void_p()
    assert driver.cuGetProcAddress_v2(name.encode(), ctypes.byref(function), 12000, ctypes.c_uint64(0), None) == 0
    assert ctypes.CFUNCTYPE(ctypes.c_int)(function.value)(*arguments) == 0, name


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


make_capsule = ctypes.pythonapi.PyCapsule_New
make_capsule.restype, make_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class OnDevice:
    """What torch's tensors are to a model: memory of the device behind DLPack."""

    def __init__(self, array, device_id=0, strides=None):
        self.array, self.device_id, self.streams = np.ascontiguousarray(array), device_id, []
        self.address = ctypes.c_uint64()
        call("cuMemAlloc", ctypes.byref(self.address), ctypes.c_size_t(max(array.nbytes, 1)))
        call("cuMemcpyHtoDAsync", self.address, ctypes.c_void_p(self.array.ctypes.data), ctypes.c_size_t(array.nbytes), None)
        self.strides = strides or [stride // array.itemsize for stride in self.array.strides]

    def __dlpack_device__(self):
        return 2, self.device_id

    def __dlpack__(self, *, stream=None):
        self.streams.append(stream)
        self.managed = _Managed()
        tensor = self.managed.tensor
        tensor.data, tensor.device_type, tensor.device_id, tensor.rank = self.address.value, 2, self.device_id, self.array.ndim
        tensor.dtype = _abi.TfcDataType({"i": 0, "f": 2}[self.array.dtype.kind], 8 * self.array.itemsize, 1)
        tensor.dims = (ctypes.c_int64 * self.array.ndim)(*self.array.shape)
        tensor.strides = (ctypes.c_int64 * self.array.ndim)(*self.strides)
        return make_capsule(ctypes.addressof(self.managed), b"dltensor", None)

    def read(self):
        result = np.empty_like(self.array)
        call("cuMemcpyDtoHAsync", ctypes.c_void_p(result.ctypes.data), self.address, ctypes.c_size_t(result.nbytes), None)
        return result


def count(name):
    return collections.Counter(line.split()[0] for line in log.read_text().splitlines())[name]


artifact = folder / "model.so"
bert = pathlib.Path(__file__).resolve().parents[1] / "Integration/models/bert_tiny/model.op17.onnx"
model = tfc.load(tfc.compile(bert, artifact, "--target=cpu,cuda-emu:sm_80"))
inputs, expected = next(cases("bert_tiny"))
call("cuInit", 0)
call("cuCtxPushCurrent", ctypes.c_void_p(1))

# Arrays of the host; without a word the CPU runs, and needs no GPU.
assert_close(model(inputs), expected)
assert count("cuModuleLoadDataEx") == 0
gpu = model.context(device="cuda")
assert gpu.stream and model.context(device="cpu").stream is None
assert_close(gpu(inputs), expected)
assert_close(gpu(inputs), expected)
assert count("cuGraphLaunch") == 1
assert set(model.weights()) > {"emb.w.weight", "emb.ln.bias"} and model.weights()["emb.w.weight"].shape == (101, 64)

# Tensors of the device are read and written where they lie, on the context's stream; arrays may stand beside them.
tensors = {name: OnDevice(array) for name, array in inputs.items()}
copies = count("cuMemcpyHtoDAsync")
results = {name: OnDevice(np.zeros_like(array)) for name, array in expected.items()}
made = gpu.run(tensors, outputs=results)
assert all(made[name] is results[name] for name in expected) and count("cuMemcpyHtoDAsync") == copies + len(results)
assert_close({name: result.read() for name, result in results.items()}, expected)
assert all(tensor.streams == [gpu.stream] for tensor in [*tensors.values(), *results.values()])
first, *others = inputs
assert_close(gpu.run({first: tensors[first], **{name: inputs[name] for name in others}}), expected)

# A stream of the caller's.
stream = ctypes.c_void_p()
call("cuStreamCreate", ctypes.byref(stream), 0)
streams = count("cuStreamCreate")
with model.context(device="cuda:0", stream=stream.value) as own:
    assert own.stream == stream.value
    assert_close(own(inputs), expected)
assert count("cuStreamCreate") == streams and count("cuStreamDestroy") < streams
call("cuStreamDestroy", stream)

# Where the time goes.
profile = model.profile(inputs, repeat=2, warmup=1, device="cuda")
assert len(profile.run_ms) == 2 and sum(kernel.ms for kernel in profile.kernels) > 0 and "matmul" in str(profile)
assert count("cuEventElapsedTime") > 0 and model.profile(inputs, repeat=1).kernels

# What does not go.
expect(tfc.Error, "there are 'cpu', 'cuda' and 'cuda:1'", model.context, device="tpu")
expect(tfc.Error, "there are 'cpu', 'cuda' and 'cuda:1'", model.context, device="cuda:x")
expect(tfc.Error, "there are 'cpu', 'cuda' and 'cuda:1'", model.context, device="cpu:1")
assert expect(tfc.Error, "there is no GPU 3", model.context, device="cuda:3").code is tfc.Code.NO_DEVICE
assert expect(tfc.Error, "the context runs on the CPU", model, {**inputs, first: tensors[first]}).code is tfc.Code.BAD_INPUT
assert expect(tfc.Error, "lies on GPU 3", gpu, {**inputs, first: OnDevice(inputs[first], device_id=3)}).code is tfc.Code.BAD_INPUT
expect(tfc.Error, "must be row-major", gpu, {**inputs, first: OnDevice(inputs[first], strides=[2 * inputs[first].shape[1], 2])})
expect(tfc.Error, first, gpu, {**inputs, first: OnDevice(inputs[first].astype(np.float32))})
assert_close(gpu(inputs), expected)
