"""Runs of a compiled model on the GPU, and clocks. Without a GPU (emulated) everything lies in memory of the host."""

import ctypes
import os
import pathlib
import statistics
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
sys.dont_write_bytecode = True


def use(folder):
    """Takes the runtime out of the folder that was carried; before tfc is imported."""
    os.environ["TFC_HOME"] = str(folder)


def torch_or_none():
    try:
        import torch
    except ImportError:
        return None
    return torch


class Clock:
    """What tfc.Context wants of a recorder: here, the GPU's time of each run, nothing standing between its launches."""

    def __init__(self):
        from tfc import _abi

        self.events = 1 << _abi.EVENT_DEVICE_RUN
        self.runs, self.interrupt = [], None
        self.callback = _abi.Profiler(lambda _data, event: self.runs.append((event.contents.end - event.contents.begin) / 1e6))


class Prepared:
    """A run whose tensors are described once, so that repeating it measures the runtime and not Python."""

    def __init__(self, context, inputs, outputs, entry=None):
        from tfc import _abi, _arrays

        number, described = context._find(entry)
        input_types, output_types = context._types[number]
        self.context, self.number, self.library, self.check = context, number, _abi.runtime(), _abi.check
        self.arrays = [_arrays.input_array(port, inputs[port.name], context.stream) for port in described.inputs]
        self.tensors = (_abi.TfcTensor * len(self.arrays))()
        for tensor, port, dtype, array in zip(self.tensors, described.inputs, input_types, self.arrays):
            _arrays.fill(tensor, port, dtype, array)
        self.results = _arrays.Outputs(described.outputs, output_types, dict(outputs), context.stream)

    def __call__(self):
        self.context._rooms.results = self.results
        self.check(self.library.tfc_run(self.context._handle, self.number, self.tensors, len(self.tensors), self.results.tensors, len(self.results.tensors)))


def output_shapes(context, inputs):
    """Shapes of the outputs, by name."""
    from tfc import _abi, _arrays

    number, described = context._find(None)
    input_types, _ = context._types[number]
    arrays = [_arrays.input_array(port, inputs[port.name], context.stream) for port in described.inputs]
    tensors, made = (_abi.TfcTensor * len(arrays))(), (_abi.TfcTensor * len(described.outputs))()
    for tensor, port, dtype, array in zip(tensors, described.inputs, input_types, arrays):
        _arrays.fill(tensor, port, dtype, array)
    for one, port in zip(made, described.outputs):
        one.dims = (ctypes.c_int64 * max(1, len(port.dims)))()
    library = _abi.runtime()
    library.tfc_output_dims.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(_abi.TfcTensor), ctypes.c_uint32, ctypes.POINTER(_abi.TfcTensor), ctypes.c_uint32]
    _abi.check(library.tfc_output_dims(context._handle, number, tensors, len(tensors), made, len(made)))
    return {port.name: tuple(one.dims[: len(port.dims)]) for one, port in zip(made, described.outputs)}


def torch_type(torch, name):
    return {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64, "f64": torch.float64, "bool": torch.bool, "i32": torch.int32}[name]


def as_input(tensor, on_gpu):
    """bf16 cannot be a numpy array; over DLPack it can be read where it lies."""
    return tensor.contiguous() if on_gpu else tensor.contiguous()


def empty_outputs(torch, context, inputs, on_gpu):
    """Tensors for the outputs; on the host the context makes its own."""
    if not on_gpu:
        return {}
    _, described = context._find(None)
    shapes = output_shapes(context, inputs)
    return {port.name: torch.empty(shapes[port.name], dtype=torch_type(torch, port.dtype), device="cuda") for port in described.outputs}


def as_tensors(torch, described, results):
    """Outputs as tensors on the CPU, in float64."""
    tensors = {}
    for port in described.outputs:
        value = results[port.name]
        if isinstance(value, np.ndarray):
            value = torch.from_numpy(value.view(np.int16).copy()).view(torch.bfloat16) if port.dtype == "bf16" else torch.from_numpy(value.copy())
        tensors[port.name] = value.detach().to("cpu").double()
    return tensors


def relative_error(torch, found, expected):
    if found.numel() == 0:
        return 0.0
    if not torch.isfinite(found).all():
        return float("inf")
    return float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-30))


class Timer:
    """Medians, in milliseconds."""

    def __init__(self, torch, on_gpu, seconds=1.0, most=200):
        self.torch, self.on_gpu, self.seconds, self.most = torch, on_gpu, seconds if on_gpu else 0.2, most if on_gpu else 3

    def _repeat(self, once):
        for _ in range(5 if self.on_gpu else 1):
            once()
        times, end = [], time.perf_counter() + self.seconds
        while len(times) < 3 or (time.perf_counter() < end and len(times) < self.most):
            times.append(once())
        return statistics.median(times)

    def wall(self, function):
        """From the call to the moment when its results are there."""
        def once():
            if self.on_gpu:
                self.torch.cuda.synchronize()
            start = time.perf_counter()
            function()
            if self.on_gpu:
                self.torch.cuda.synchronize()
            return 1e3 * (time.perf_counter() - start)
        return self._repeat(once)

    def events(self, function):
        """Between two CUDA events around it."""
        if not self.on_gpu:
            return self.wall(function)

        def once():
            begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            function()
            end.record()
            end.synchronize()
            return begin.elapsed_time(end)
        return self._repeat(once)

    def graph(self, function):
        """The same of a CUDA graph of it, so that no launch is waited for."""
        if not self.on_gpu:
            return self.wall(function)
        stream = self.torch.cuda.Stream()
        stream.wait_stream(self.torch.cuda.current_stream())
        with self.torch.cuda.stream(stream):
            for _ in range(3):
                function()
        self.torch.cuda.current_stream().wait_stream(stream)
        graph = self.torch.cuda.CUDAGraph()
        with self.torch.cuda.graph(graph):
            function()
        return self.events(graph.replay)

    def ours(self, prepared, clock):
        """(GPU time of a run's graph, time of a call)"""
        wall = self.wall(prepared)
        clock.runs.clear()
        prepared()
        self._repeat(lambda: prepared() or 0.0)
        return statistics.median(clock.runs), wall
