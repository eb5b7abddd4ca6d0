# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models and contexts."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from . import _abi, _arrays, _describe, _dlpack, _signals
from ._describe import Entry, Port, Symbol
from ._errors import Code, Error
from ._profile import Profile, Recorder


def load(path: str | os.PathLike[str], *, query: str | None = None) -> Model:
    """Opens a model.so.

    query: the name of its exported function, if it was compiled with --query-symbol.
    Raises Error: NOT_FOUND, BAD_ARTIFACT (not a model, cut short, weights missing), ABI_MISMATCH, UNSUPPORTED_CPU.
    """
    return Model(path, query=query)


def _c_string(value: str, what: str) -> bytes:
    coded = os.fsencode(value)
    if b"\0" in coded:
        raise Error(f"{what} has a zero byte in it", Code.BAD_ARGUMENT)
    return coded


class Model:
    """A compiled model in memory. It never changes and may be used by any number of threads.

    path, name, producer ("tfc 0.1.0, LLVM 22.1.8"), triple: as the artifact says.
    entries: its entry points by name, in the model's order.
    inputs, outputs, symbols: those of the first entry point, which most models have as the only one.
    """

    def __init__(self, path: str | os.PathLike[str], *, query: str | None = None):
        """The same as tfc.load."""
        library = _abi.runtime()
        handle = ctypes.c_void_p()
        symbol = None if query is None else _c_string(query, "the name of the query function")
        _abi.check(library.tfc_model_open(_c_string(os.fspath(path), "the path"), symbol, ctypes.byref(handle)))
        self._handle = handle
        # The library keeps the model while contexts of it live, so the order of the two ends does not matter.
        self._close = weakref.finalize(self, library.tfc_model_close, handle)
        self._own = threading.local()
        described = library.tfc_model_describe(handle).contents
        self.path = os.fspath(path)
        self.name = _abi.text(described.name)
        self.producer = _abi.text(described.producer)
        self.triple = _abi.text(described.triple)
        raw = [described.entries[i] for i in range(described.entry_count)]
        self.entries: dict[str, Entry] = {entry.name: entry for entry in map(_describe.entry, raw)}
        self._numbers = {_abi.text(entry.name): number for number, entry in enumerate(raw)}
        self._types = [_types_of(entry) for entry in raw]

    @property
    def inputs(self) -> tuple[Port, ...]:
        return next(iter(self.entries.values())).inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        return next(iter(self.entries.values())).outputs

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return next(iter(self.entries.values())).symbols

    def context(self, threads: int = 0, *, device: str | None = None, stream: int | None = None) -> Context:
        """What a run needs: threads, memory, the shapes of the run before.

        threads: how many a run uses, the caller's included; 0 for as many as this process may have.
        device: "cpu", "cuda" or "cuda:1"; default: the CPU where the model has code for it, else the first GPU.
        stream: of a GPU, the CUDA stream that runs are put on (torch.cuda.current_stream().cuda_stream); default: one of the context's own.
        Raises Error: BAD_ARGUMENT, OUT_OF_MEMORY, UNSUPPORTED_CPU, NO_DEVICE.
        """
        return Context(self, threads, device=device, stream=stream)

    def __call__(self, inputs: Mapping[str, npt.ArrayLike] | None = None, /, **named: npt.ArrayLike) -> dict[str, np.ndarray]:
        """Runs the first entry point: model(input_ids=ids, ...). See Context.__call__.

        Every Python thread gets a context of its own for this, with as many threads as the process may have; take
        contexts with fewer threads from `context` where many Python threads run models at once.
        """
        context = getattr(self._own, "context", None)
        if context is None:
            context = self._own.context = self.context()
        return context(inputs, **named)

    def profile(
        self,
        inputs: Mapping[str, npt.ArrayLike] | None = None,
        /,
        *,
        repeat: int = 10,
        warmup: int = 2,
        threads: int = 0,
        device: str | None = None,
        **named: npt.ArrayLike,
    ) -> Profile:
        """Runs the first entry point and says where the time went: print(model.profile(input_ids=ids)).

        repeat: how many runs are measured. warmup: runs before those. threads, device: as in `context`. On a GPU the times are
        those of the GPU's clock.
        Raises Error as Context.run does. `tfc-run --profile` knows more: threads side by side, the machine's peaks.
        """
        recorder = Recorder()
        with Context(self, threads, device=device, recorder=recorder) as context:
            for number in range(max(0, warmup) + max(1, repeat)):
                recorder.measuring = number >= warmup
                context(inputs, **named)
            described = context._program or _abi.runtime().tfc_model_describe(self._handle).contents
            return recorder.profile(described, described.entries[0])

    def weights(self) -> dict[str, np.ndarray]:
        """The graph's weights, under its names and in its order, whatever the compiler made of them: copies; seeded ones are made.

        bf16 as uint16 and 8-bit floats as uint8. Left out is what the model does not hold as the graph had it, for the compiler had no
        use for it. `tfc-run --dump-weights` writes the same to a file.
        """
        library = _abi.runtime()
        described = library.tfc_model_describe(self._handle).contents
        result: dict[str, np.ndarray] = {}
        if described.bytes < ctypes.sizeof(_abi.TfcModel):
            return result
        for number in range(described.graph_weight_count):
            weight = described.graph_weights[number]
            dtype = _describe.element(weight.dtype)[1]
            if dtype is None:
                continue
            array = np.empty(tuple(weight.dims[: weight.rank]), dtype)
            code = library.tfc_model_read_weight(self._handle, number, array.ctypes.data, array.nbytes)
            if code != Code.NOT_FOUND:
                _abi.check(code)
                result[_abi.text(weight.name)] = array
        return result

    def close(self) -> None:
        """Gives the model up. Contexts that were made work on; memory goes with the last of them."""
        self._own = threading.local()
        self._close()

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<tfc.Model {self.name!r}: {', '.join(map(_signature, self.entries.values()))}>"


def _device_of(name: str | None) -> tuple[int, int]:
    """As TfcContextOptions says it."""
    kind, colon, number = (name or "").partition(":")
    if name is None or (kind == "cpu" and not colon):
        return (0 if name is None else _dlpack.CPU), 0
    if kind != "cuda" or (colon and not (number.isascii() and number.isdigit() and len(number) < 5)):
        raise Error(f"device is {name!r}; there are 'cpu', 'cuda' and 'cuda:1'", Code.BAD_ARGUMENT)
    return _dlpack.CUDA, int(number or 0)


def _signature(entry: Entry) -> str:
    def ports(several: tuple[Port, ...]) -> str:
        return ", ".join(f"{port.name}: {port.dtype}[{', '.join(map(str, port.dims))}]" for port in several)

    return f"{entry.name}({ports(entry.inputs)}) -> ({ports(entry.outputs)})"


def _types_of(entry: _abi.TfcEntry) -> tuple[list[_abi.TfcDataType], list[_abi.TfcDataType]]:
    """The element types of inputs and outputs, copied: the model's memory may go before a context does."""

    def copies(ports: ctypes.Array, count: int) -> list[_abi.TfcDataType]:
        types = (ports[i].dtype for i in range(count))
        return [_abi.TfcDataType(dtype.code, dtype.bits, dtype.lanes) for dtype in types]

    return copies(entry.inputs, entry.input_count), copies(entry.outputs, entry.output_count)


class Context:
    """What one run at a time needs. Make one per thread that runs models; they share the model's weights.

    threads: how many threads its runs use.
    stream: the CUDA stream of its runs; None on the CPU.
    """

    def __init__(
        self, model: Model, threads: int = 0, *, device: str | None = None, stream: int | None = None, recorder: Recorder | None = None
    ):
        """The same as model.context. recorder: see Model.profile."""
        if not model._close.alive:
            raise Error("the model is closed", Code.BAD_ARGUMENT)
        if not -(2**31) <= threads < 2**31:
            raise Error(f"threads is {threads}, which no machine has", Code.BAD_ARGUMENT)
        library = _abi.runtime()
        self._entries = model.entries
        self._numbers = model._numbers
        self._types = model._types
        self._first = next(iter(model.entries))
        # Held through a run: it keeps a second thread out, and `close` from taking the memory away.
        self._busy = threading.Lock()
        rooms = self._rooms = _Rooms()
        options = _abi.TfcContextOptions(bytes=ctypes.sizeof(_abi.TfcContextOptions), threads=threads)
        options.allocate_output = rooms.callback
        options.device_type, options.device_id = _device_of(device)
        options.stream = stream
        program = ctypes.POINTER(_abi.TfcProgram)()
        _abi.check(library.tfc_model_program(model._handle, options.device_type, options.device_id, ctypes.byref(program)))
        self._program: _abi.TfcProgram | None = program.contents if program else None
        self._recorder = recorder
        if recorder is not None:
            options.profiler = recorder.callback
            options.profiler_events = recorder.events or 1 << _abi.EVENT_RUN | 1 << (_abi.EVENT_DEVICE if program else _abi.EVENT_LAUNCH)
        handle = ctypes.c_void_p()
        _abi.check(library.tfc_context_create(model._handle, ctypes.byref(options), ctypes.byref(handle)))
        self._handle = handle
        self._close = weakref.finalize(self, library.tfc_context_destroy, handle)
        self.threads: int = library.tfc_context_threads(handle)
        self.stream: int | None = library.tfc_context_stream(handle)

    def __call__(self, inputs: Mapping[str, npt.ArrayLike] | None = None, /, **named: npt.ArrayLike) -> dict[str, np.ndarray]:
        """Runs the first entry point and gives its outputs by name.

        Inputs are given by name, or in a mapping where a name is no Python identifier, or both. See `run`.
        """
        if inputs is not None and not isinstance(inputs, Mapping):
            first = next(iter(self._entries[self._first].inputs), None)
            raise Error(f"inputs are given by name: model({first.name if first else 'name'}=...), or in a mapping", Code.BAD_ARGUMENT)
        return self.run({**(inputs or {}), **named})

    def run(
        self,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        entry: str | None = None,
        outputs: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        """Runs an entry point (default: the first) and gives its outputs by name, in the model's order.

        inputs: an array for each of the entry's inputs, with the dtype and dims that its Port says. Any strides will
            do; only arrays that are not row-major are copied. Lists and numbers become the input's dtype. In a context on a GPU
            also tensors in its memory that speak DLPack (torch's), row-major.
        outputs: arrays to write to, by name; of the rest, new ones are made. An array must have the output's dims, or
            where numbers computed in the run decide them, room enough: then the result is its used part. It may be
            the input that the port names as alias_of: where both are front parts of one buffer, `cache[:, :, :past]` and
            `cache[:, :, :past + new]`, and all such caches are given so, only the new rows are written. In a context on a GPU
            also tensors in its memory, row-major; they come back as they were given.

        Raises Error with the runtime's sentence: BAD_INPUT (dtype, dim or symbol does not fit), BAD_INDEX (an index in
        the data is out of bounds), BUFFER_TOO_SMALL, BAD_ARGUMENT (unknown entry, closed context, another thread is
        using it), OUT_OF_MEMORY. The context is as good as before then; arrays of `outputs` may be half written.
        """
        number, described = self._find(entry)
        input_types, output_types = self._types[number]
        _check_names("input", described.inputs, inputs, complete=True)
        _check_names("output", described.outputs, outputs or {}, complete=False)
        # These hold the memory that the tensors point to until the run is over.
        arrays = [_arrays.input_array(port, inputs[port.name], self.stream) for port in described.inputs]
        tensors = (_abi.TfcTensor * len(arrays))()
        for tensor, port, dtype, array in zip(tensors, described.inputs, input_types, arrays):
            _arrays.fill(tensor, port, dtype, array)
        results = _arrays.Outputs(described.outputs, output_types, dict(outputs or {}), self.stream)
        self._locked_run(number, tensors, results)
        return results.arrays()

    def _find(self, entry: str | None) -> tuple[int, Entry]:
        name = self._first if entry is None else entry
        if name not in self._numbers:
            known = ", ".join(f"'{known}'" for known in self._numbers)
            raise Error(f"the model has no entry '{name}'; it has: {known}", Code.BAD_ARGUMENT)
        described = self._entries[name]
        for port in described.inputs + described.outputs:
            if port.numpy is None:
                raise Error(f"'{port.name}' is of {port.dtype}, which numpy does not have", Code.BAD_ARGUMENT)
        return self._numbers[name], described

    def _locked_run(self, number: int, tensors: ctypes.Array, results: _arrays.Outputs) -> None:
        self._enter()
        try:
            self._rooms.results = results
            self._rooms.interrupt = None
            with _signals.Deferred():
                code = _abi.runtime().tfc_run(self._handle, number, tensors, len(tensors), results.tensors, len(results.tensors))
            # An error in Python while it made room for an output: ctypes would have swallowed it.
            interrupt = self._rooms.interrupt or (self._recorder and self._recorder.interrupt)
            if interrupt:
                raise interrupt
            _abi.check(code)
        finally:
            self._rooms.results = None
            self._busy.release()

    def _enter(self) -> None:
        if not self._busy.acquire(blocking=False):
            raise Error("the context is busy: another thread is using it; give each thread a context of its own", Code.BAD_ARGUMENT)
        if not self._close.alive:
            self._busy.release()
            raise Error("the context is closed", Code.BAD_ARGUMENT)

    def close(self) -> None:
        """Gives threads and memory back. Raises Error (BAD_ARGUMENT) while another thread is in a run."""
        if self._close.alive:
            self._enter()
            self._close()
            self._busy.release()

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Rooms:
    """Gives the run in progress memory for its outputs. It knows no context, so that contexts can be collected."""

    def __init__(self) -> None:
        self.results: _arrays.Outputs | None = None
        self.interrupt: BaseException | None = None
        reference = weakref.ref(self)
        self.callback = _abi.AllocateOutput(lambda _data, number, size: _allocate(reference(), number, size))


def _allocate(rooms: _Rooms | None, number: int, size: int) -> int | None:
    if rooms is None or rooms.results is None:
        return None
    try:
        return rooms.results.allocate(number, size)
    except BaseException as interrupt:  # whoever called C code from Python gets it, when that is back
        rooms.interrupt = interrupt
        return None


def _check_names(kind: str, ports: tuple[Port, ...], given: Mapping[str, object], complete: bool) -> None:
    names = [port.name for port in ports]
    listed = ", ".join(f"'{name}'" for name in names) or "none"
    for name in given:
        if name not in names:
            raise Error(f"the model has no {kind} '{name}'; it has: {listed}", Code.BAD_INPUT)
    for name in names if complete else ():
        if name not in given:
            raise Error(f"{kind} '{name}' is missing; the model has: {listed}", Code.BAD_INPUT)
