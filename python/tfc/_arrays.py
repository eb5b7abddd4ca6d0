# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""numpy arrays as TfcTensors. Nothing is copied that the runtime can read or write where it lies."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _abi, _describe, _dlpack
from ._describe import Port
from ._errors import Code, Error


def _where_strides_are_elements(array: np.ndarray) -> bool:
    """The runtime counts strides in elements; a field of a record array can lie at odd bytes."""
    return array.flags.c_contiguous or all(stride % array.itemsize == 0 for stride in array.strides)


def _converted(port: Port, value: np.ndarray) -> np.ndarray:
    """What was a list or a number, as the input's dtype if that keeps its meaning, else as it is."""
    if port.numpy is None or port.numpy.kind != port.dtype[0] or value.dtype.kind not in _describe.CODE_OF_KIND:
        return value
    same_kind = np.can_cast(value.dtype, port.numpy, "same_kind")
    converted = value.astype(port.numpy)
    integers = port.numpy.kind in "iu" and value.dtype.kind in "iu"
    keeps = np.array_equal(converted, value) if integers else same_kind or value.size == 0
    return converted if keeps else value


def _from_dlpack(port: Port, value: Any) -> np.ndarray:
    """The tensor where it lies; of a type that numpy does not have, its bits, if the input is of that type."""
    try:
        return np.from_dlpack(value)
    except (RuntimeError, BufferError):
        array, name = _dlpack.bits(value)
        if name != port.dtype:
            raise ValueError(f"its type is {name}, but must be {port.dtype}") from None
        return array


def _on_device(kind: str, port: Port, value: object, stream: int | None) -> _dlpack.DeviceTensor | None:
    try:
        return _dlpack.on_device(value, stream)
    except (TypeError, ValueError, RuntimeError, BufferError) as problem:
        raise Error(f"{kind} '{port.name}': {problem}", Code.BAD_INPUT) from None


def input_array(port: Port, value: npt.ArrayLike, stream: int | None = None) -> np.ndarray | _dlpack.DeviceTensor:
    """The array to hand over for an input. Arrays keep their dtype: whether it fits is the runtime's to say.

    Numbers and lists have no dtype of their own and become the input's, unless that would change them. Tensors of other
    libraries that speak DLPack are read where they lie, in a context on a GPU (that has a `stream`) also on the GPU.
    """
    device = _on_device("input", port, value, stream)
    if device is not None:
        return device
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack__"):
        try:
            value = _from_dlpack(port, value)
        except (TypeError, ValueError, RuntimeError, BufferError) as problem:
            raise Error(f"input '{port.name}': {problem}", Code.BAD_INPUT) from None
    if not isinstance(value, np.ndarray):
        try:
            value = np.asarray(value)
        except (ValueError, OverflowError) as problem:
            raise Error(f"input '{port.name}': {problem}", Code.BAD_INPUT) from None
        value = _converted(port, value)
    if value.dtype.kind not in _describe.CODE_OF_KIND:
        raise Error(f"input '{port.name}': its type is {value.dtype}, but must be {port.dtype}", Code.BAD_INPUT)
    if not value.dtype.isnative:
        return value.astype(value.dtype.newbyteorder("="))
    return value if _where_strides_are_elements(value) else np.ascontiguousarray(value)


def check_output(port: Port, array: np.ndarray) -> None:
    """Raises Error when the runtime cannot write to an array that the caller gave for an output."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in _describe.CODE_OF_KIND:
        raise Error(f"output '{port.name}' must be a numpy array of {port.dtype}", Code.BAD_INPUT)
    if not array.flags.writeable or not array.dtype.isnative or not _where_strides_are_elements(array):
        raise Error(f"output '{port.name}': its array is read-only or lies in an odd way", Code.BAD_INPUT)


def _data_type(port: Port, raw: _abi.TfcDataType, array: np.ndarray) -> _abi.TfcDataType:
    """The array's type, or the port's own where numpy has no name for it (bf16 as uint16)."""
    if array.dtype == port.numpy:
        return raw
    return _abi.TfcDataType(_describe.CODE_OF_KIND[array.dtype.kind], array.itemsize * 8, 1)


def fill(tensor: _abi.TfcTensor, port: Port, raw: _abi.TfcDataType, array: np.ndarray | _dlpack.DeviceTensor) -> None:
    """Makes `tensor` describe `array`, which must outlive it."""
    if isinstance(array, _dlpack.DeviceTensor):
        array.fill(tensor)
        return
    tensor.data = array.ctypes.data
    tensor.device_type = _dlpack.CPU
    tensor.dtype = _data_type(port, raw, array)
    tensor.rank = array.ndim
    tensor.dims = (ctypes.c_int64 * array.ndim)(*array.shape)
    if not array.flags.c_contiguous:
        tensor.strides = (ctypes.c_int64 * array.ndim)(*(stride // array.itemsize for stride in array.strides))


class Outputs:
    """The output tensors of one run: arrays the caller gave, and memory that the run asks for."""

    def __init__(self, ports: tuple[Port, ...], raw: list[_abi.TfcDataType], given: dict[str, Any], stream: int | None = None):
        self._ports = ports
        self._given = given
        self._on_device: dict[str, _dlpack.DeviceTensor] = {}
        self._made: dict[int, np.ndarray] = {}
        self.tensors = (_abi.TfcTensor * len(ports))()
        for port, dtype, tensor in zip(ports, raw, self.tensors):
            device = _on_device("output", port, given[port.name], stream) if port.name in given else None
            if device is not None:
                self._on_device[port.name] = device
                device.fill(tensor)
            elif port.name in given:
                check_output(port, given[port.name])
                fill(tensor, port, dtype, given[port.name])
            else:
                tensor.device_type, tensor.dtype, tensor.rank = _dlpack.CPU, dtype, len(port.dims)
                tensor.dims = (ctypes.c_int64 * len(port.dims))()

    def allocate(self, number: int, size: int) -> int | None:
        """Room for output `number`: its address, or None when there is no memory."""
        try:
            self._made[number] = np.empty(size, np.uint8)
        except (MemoryError, ValueError):
            return None
        return self._made[number].ctypes.data

    def arrays(self) -> dict[str, np.ndarray]:
        """The results after a run, by name."""
        return {port.name: self._array(number, port) for number, port in enumerate(self._ports)}

    def _array(self, number: int, port: Port) -> np.ndarray:
        tensor = self.tensors[number]
        dims = tuple(tensor.dims[: tensor.rank])
        if port.name not in self._given:
            made = self._made.get(number)
            return np.empty(dims, port.numpy) if made is None else made.view(port.numpy).reshape(dims)
        array = self._given[port.name]
        if port.name in self._on_device or array.shape == dims:
            return array
        # Data decided the dims, and there is less than there was room for.
        if tensor.strides:
            return array[tuple(slice(dim) for dim in dims)]
        return array.reshape(-1)[: int(np.prod(dims))].reshape(dims)
