# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors of types that numpy cannot take over DLPack: bfloat16 and 8-bit floats, as arrays of their bits where they lie."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_int32, c_int64, c_uint64, c_void_p

import numpy as np

from . import _abi, _describe

CPU, CUDA = 1, 2


class _Tensor(Structure):
    """DLTensor, the beginning of a DLManagedTensor."""

    _fields_ = [
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("rank", c_int32),
        ("dtype", _abi.TfcDataType),
        ("dims", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("byte_offset", c_uint64),
    ]


_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.restype, _get_pointer.argtypes = c_void_p, [ctypes.py_object, ctypes.c_char_p]


def bits(tensor: object) -> tuple[np.ndarray, str]:
    """The tensor's bits, not copied, and the name of its element type: (uint16, "bf16"). Raises ValueError for what it cannot read."""
    capsule = tensor.__dlpack__()  # type: ignore[attr-defined]
    seen = _Tensor.from_address(_get_pointer(capsule, b"dltensor"))
    name, dtype = _describe.element(seen.dtype)
    if seen.device_type != CPU:
        raise ValueError("it does not lie in the memory of the CPU")
    if dtype is None or seen.dtype.lanes != 1:
        raise ValueError(f"its type is {name}")
    dims = tuple(seen.dims[: seen.rank])
    if 0 in dims:
        return np.empty(dims, dtype), name
    strides = tuple(seen.strides[: seen.rank]) if seen.strides else tuple(int(np.prod(dims[d + 1 :])) for d in range(seen.rank))
    if any(stride < 0 for stride in strides):
        raise ValueError("its strides are negative")
    last = sum((dim - 1) * stride for dim, stride in zip(dims, strides))
    memory = (ctypes.c_uint8 * ((last + 1) * dtype.itemsize)).from_address(seen.data + seen.byte_offset)
    # The capsule owns the memory: it lives as long as an array does that looks at it.
    memory._owner = capsule  # type: ignore[attr-defined]
    return np.ndarray(dims, dtype, memory, 0, tuple(stride * dtype.itemsize for stride in strides)), name


class DeviceTensor:
    """A tensor in a GPU's memory, as another library gives it: where it lies, and what keeps it there.

    stream: the runs' CUDA stream, which is made to wait for what the other library has under way on the tensor.
    Raises ValueError for what it cannot read.
    """

    def __init__(self, tensor: object, stream: int):
        self._capsule = tensor.__dlpack__(stream=stream)  # type: ignore[attr-defined]
        seen = _Tensor.from_address(_get_pointer(self._capsule, b"dltensor"))
        if seen.device_type != CUDA:
            raise ValueError("it lies neither in the memory of the CPU nor in that of a GPU")
        self.given = tensor
        self.address: int = (seen.data or 0) + seen.byte_offset
        self.device_id: int = seen.device_id
        self.dtype = _abi.TfcDataType(seen.dtype.code, seen.dtype.bits, seen.dtype.lanes)
        self.shape: tuple[int, ...] = tuple(seen.dims[: seen.rank])
        self.strides: tuple[int, ...] | None = tuple(seen.strides[: seen.rank]) if seen.strides else None

    def fill(self, tensor: _abi.TfcTensor) -> None:
        """Makes `tensor` describe it; this object must outlive it."""
        tensor.data, tensor.device_type, tensor.device_id = self.address, CUDA, self.device_id
        tensor.dtype, tensor.rank = self.dtype, len(self.shape)
        tensor.dims = (ctypes.c_int64 * len(self.shape))(*self.shape)
        if self.strides is not None:
            tensor.strides = (ctypes.c_int64 * len(self.shape))(*self.strides)


def on_device(tensor: object, stream: int | None) -> DeviceTensor | None:
    """The tensor, if it lies in the memory of a GPU and the runs do, too; else nothing: it is to be taken as an array."""
    if isinstance(tensor, np.ndarray) or not hasattr(tensor, "__dlpack_device__") or tensor.__dlpack_device__()[0] != CUDA:
        return None
    if stream is None:
        raise ValueError("it lies in the memory of a GPU, and the context runs on the CPU")
    return DeviceTensor(tensor, stream)
