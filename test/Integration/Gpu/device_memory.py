#!/usr/bin/env python3
"""Runs a model through libtfc-runtime with inputs and outputs in memory of the (emulated) device and in memory of the host, and reads from the
driver's log what the runtime did: one capture per shape, launches of graphs, patches only where addresses changed.

    device_memory.py MODEL.onnx STUB LIBTFC_RUNTIME
"""

import collections
import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile

model, stub, library = sys.argv[1:]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "python"))
import numpy as np  # noqa: E402
from tfc import _abi  # noqa: E402

CUDA, CPU = 2, 1


class Driver:
    """The stub's functions, for memory of our own."""

    def __init__(self):
        self.library = ctypes.CDLL(stub)
        self.call("cuInit", 0)
        self.call("cuCtxPushCurrent", ctypes.c_void_p(1))

    def call(self, name, *arguments):
        function = ctypes.c_void_p()
        assert self.library.cuGetProcAddress_v2(name.encode(), ctypes.byref(function), 12000, ctypes.c_uint64(0), None) == 0
        result = ctypes.CFUNCTYPE(ctypes.c_int)(function.value)(*arguments)
        assert result == 0, (name, result)

    def put(self, array):
        pointer = ctypes.c_uint64()
        self.call("cuMemAlloc", ctypes.byref(pointer), ctypes.c_size_t(max(array.nbytes, 1)))
        self.call("cuMemcpyHtoDAsync", pointer, ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes), None)
        return pointer.value

    def get(self, pointer, array):
        self.call("cuMemcpyDtoHAsync", ctypes.c_void_p(array.ctypes.data), ctypes.c_uint64(pointer), ctypes.c_size_t(array.nbytes), None)


def tensor(address, array, device, strides=None):
    result = _abi.TfcTensor()
    result.data, result.device_type, result.device_id = address, device, 0
    kind = {"i": 0, "u": 1, "f": 2, "b": 6}[array.dtype.kind]
    result.dtype.code, result.dtype.bits, result.dtype.lanes = kind, array.dtype.itemsize * 8, 1
    result.rank = array.ndim
    result.dims = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
    if strides:
        result.strides = (ctypes.c_int64 * len(strides))(*strides)
    return result


class Log:
    def __init__(self, path):
        self.path, self.seen = path, 0

    def counts(self):
        """How often each function was called since the last time."""
        lines = self.path.read_text().split("\n")[:-1] if self.path.exists() else []
        new, self.seen = lines[self.seen:], len(lines)
        return collections.Counter(line.split()[0] for line in new)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        artifact, log = folder / "model.so", Log(folder / "log")
        subprocess.run(["tfc-compile", model, "--target", "cpu,cuda-emu:sm_80", "-o", artifact], check=True)
        os.environ["TFC_CUDA_DRIVER"] = stub
        os.environ["TFC_STUB_CUDA"] = f"log={log.path}"
        runtime = ctypes.CDLL(library)
        runtime.tfc_last_error.restype = ctypes.c_char_p
        opened = ctypes.c_void_p()

        def check(code):
            assert code == 0, (code, runtime.tfc_last_error())

        check(runtime.tfc_model_open(str(artifact).encode(), None, ctypes.byref(opened)))

        def context(device):
            options = _abi.TfcContextOptions(bytes=ctypes.sizeof(_abi.TfcContextOptions), device_type=device)
            made = ctypes.c_void_p()
            check(runtime.tfc_context_create(opened, ctypes.byref(options), ctypes.byref(made)))
            return made

        gpu, cpu = context(CUDA), context(CPU)
        driver = Driver()
        rng = np.random.default_rng(7)

        def make_inputs(batch, seq):
            return [rng.integers(0, 50, (batch, seq)), np.ones((batch, seq), np.int64), np.zeros((batch, seq), np.int64)][:input_count]

        def run(where, inputs, outputs):
            code = runtime.tfc_run(where, 0, (_abi.TfcTensor * len(inputs))(*inputs), len(inputs), (_abi.TfcTensor * len(outputs))(*outputs),
                                   len(outputs))
            return code, runtime.tfc_last_error().decode() if code else ""

        described = ctypes.cast(ctypes.c_void_p(runtime_describe(runtime, opened)), ctypes.POINTER(_abi.TfcModel)).contents
        entry = described.entries[0]
        input_count = entry.input_count

        def make_outputs(arrays):
            tensors = [tensor(array.ctypes.data, array, CPU) for array in arrays]
            made = [_abi.TfcTensor() for _ in range(entry.output_count)]
            for i, one in enumerate(made):
                one.dims = (ctypes.c_int64 * 16)()
            code = runtime.tfc_output_dims(cpu, 0, (_abi.TfcTensor * len(tensors))(*tensors), len(tensors), (_abi.TfcTensor * len(made))(*made),
                                           len(made))
            check(code)
            return [np.zeros([made_one.dims[d] for d in range(entry.outputs[i].rank)], np.float32) for i, made_one in enumerate(made)]

        def reference(arrays):
            outputs = make_outputs(arrays)
            check(run(cpu, [tensor(a.ctypes.data, a, CPU) for a in arrays], [tensor(o.ctypes.data, o, CPU) for o in outputs])[0])
            return outputs

        def same(found, expected):
            for a, b in zip(found, expected):
                error = np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)
                assert error < 1e-5, error

        def run_host(arrays):
            outputs = make_outputs(arrays)
            check(run(gpu, [tensor(a.ctypes.data, a, CPU) for a in arrays], [tensor(o.ctypes.data, o, CPU) for o in outputs])[0])
            same(outputs, reference(arrays))

        def run_device(arrays):
            outputs = make_outputs(arrays)
            places = [driver.put(o) for o in outputs]
            check(run(gpu, [tensor(driver.put(a), a, CUDA) for a in arrays],
                      [tensor(place, o, CUDA) for place, o in zip(places, outputs)])[0])
            for place, o in zip(places, outputs):
                driver.get(place, o)
            same(outputs, reference(arrays))

        # Host memory: the first run goes launch by launch, the second captures, the next of its shape only launch, whatever arrays they come with.
        log.counts()
        run_host(make_inputs(2, 5))
        single = log.counts()
        assert single["cuStreamBeginCapture"] == 0 and single["cuGraphLaunch"] == 0 and single["cuLaunchKernelEx"] > 0, single
        run_host(make_inputs(2, 5))
        first = log.counts()
        assert first["cuStreamBeginCapture"] == 1 and first["cuGraphLaunch"] == 1 and first["cuLaunchKernelEx"] > 0, first
        run_host(make_inputs(2, 5))
        again = log.counts()
        assert again["cuGraphLaunch"] == 1, again
        for absent in ("cuStreamBeginCapture", "cuLaunchKernelEx", "cuGraphExecKernelNodeSetParams", "cuMemAlloc"):
            assert again[absent] == 0, (absent, again)

        # Another shape has a graph of its own; the first is still there.
        run_host(make_inputs(1, 9))
        assert log.counts()["cuStreamBeginCapture"] == 0
        run_host(make_inputs(1, 9))
        assert log.counts()["cuStreamBeginCapture"] == 1
        run_host(make_inputs(2, 5))
        back = log.counts()
        assert back["cuStreamBeginCapture"] == 0 and back["cuLaunchKernelEx"] == 0, back

        # Device memory: other addresses are patched into the nodes that have them, and into no others.
        run_device(make_inputs(2, 5))
        patched = log.counts()
        assert patched["cuStreamBeginCapture"] == 0 and patched["cuGraphLaunch"] == 1, patched
        assert 0 < patched["cuGraphExecKernelNodeSetParams"] < first["cuLaunchKernelEx"], (patched, first)
        run_host(make_inputs(2, 5))
        assert log.counts()["cuGraphExecKernelNodeSetParams"] > 0

        # Eight shapes are kept.
        for seq in range(1, 10):
            run_host(make_inputs(1, seq))
        log.counts()
        run_host(make_inputs(1, 9))
        assert log.counts()["cuStreamBeginCapture"] == 1
        run_host(make_inputs(1, 9))
        kept = log.counts()
        assert kept["cuStreamBeginCapture"] == 0 and kept["cuGraphLaunch"] == 1 and kept["cuLaunchKernelEx"] == 0, kept
        run_host(make_inputs(1, 2))
        assert log.counts()["cuStreamBeginCapture"] == 1
        run_host(make_inputs(2, 5))
        forgotten = log.counts()
        assert forgotten["cuStreamBeginCapture"] == 0 and forgotten["cuGraphLaunch"] == 0 and forgotten["cuLaunchKernelEx"] > 0, forgotten

        # An output in the memory of an input is made elsewhere; strides on the device are refused; so is another device.
        arrays = make_inputs(2, 5)
        outputs = make_outputs(arrays)
        on_host = [tensor(a.ctypes.data, a, CPU) for a in arrays]
        wrong = tensor(driver.put(arrays[0]), arrays[0], CUDA, strides=[1, 2])
        code, sentence = run(gpu, [wrong, *on_host[1:]], [tensor(o.ctypes.data, o, CPU) for o in outputs])
        assert code == 1 and "must be row-major" in sentence, (code, sentence)
        other = tensor(driver.put(arrays[0]), arrays[0], CUDA)
        other.device_id = 3
        code, sentence = run(gpu, [other, *on_host[1:]], [tensor(o.ctypes.data, o, CPU) for o in outputs])
        assert code == 1 and "lies on GPU 3" in sentence, (code, sentence)
        code, sentence = run(cpu, [tensor(driver.put(arrays[0]), arrays[0], CUDA), *on_host[1:]], [tensor(o.ctypes.data, o, CPU) for o in outputs])
        assert code == 1 and "takes memory of the CPU" in sentence, (code, sentence)

        # An index outside of its table: the sentence of the CPU, and a context that is as good as before.
        bad = make_inputs(2, 5)
        bad[0][1, 3] = 10**6
        sentences = [run(where, [tensor(a.ctypes.data, a, CPU) for a in bad], [tensor(o.ctypes.data, o, CPU) for o in make_outputs(bad)])
                     for where in (cpu, gpu)]
        assert sentences[0] == sentences[1] and sentences[0][0] == 2, sentences
        run_host(make_inputs(2, 5))

        runtime.tfc_context_destroy(gpu)
        runtime.tfc_context_destroy(cpu)
        runtime.tfc_model_close(opened)


def runtime_describe(runtime, opened):
    runtime.tfc_model_describe.restype = ctypes.c_void_p
    return runtime.tfc_model_describe(opened)


main()
