# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tfc-c/ModelABI.h and tfc-c/Runtime.h for ctypes.

Structs are declared as far as this package reads them, and always in whole: test/Python/abi.test compares their
sizes with those that the header states. Pointers that are only passed on are void pointers here.
"""

from __future__ import annotations

import ctypes
import functools
from ctypes import CFUNCTYPE, POINTER, Structure
from ctypes import c_char_p, c_double, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p

from . import _find
from ._errors import Code, Error


class TfcDataType(Structure):
    _fields_ = [("code", c_uint8), ("bits", c_uint8), ("lanes", c_uint16)]


class TfcTensor(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("dtype", TfcDataType),
        ("rank", c_int32),
        ("dims", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("byte_offset", c_uint64),
        ("capacity_bytes", c_uint64),
    ]


class TfcExprWord(Structure):
    _fields_ = [("op", c_int64), ("operand", c_int64)]


class TfcExpr(Structure):
    _fields_ = [("words", POINTER(TfcExprWord)), ("word_count", c_uint32), ("segment", c_uint32), ("text", c_char_p)]


class TfcSymbol(Structure):
    _fields_ = [("name", c_char_p), ("min", c_int64), ("max", c_int64), ("born_in", c_int32), ("kind", c_uint32)]


class TfcPort(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("dtype", TfcDataType),
        ("rank", c_int32),
        ("dims", POINTER(c_uint32)),
        ("alias_of_input", c_int32),
        ("hint", c_uint32),
        ("hint_bound", c_uint32),
        ("room", c_uint16),
        ("room_axis", c_uint16),
    ]


class TfcVariant(Structure):
    _fields_ = [("features", c_uint64), ("run", c_void_p)]


class TfcKernel(Structure):
    _fields_ = [("name", c_char_p), ("variants", POINTER(TfcVariant)), ("variant_count", c_uint32), ("reserved", c_uint32)]


class TfcLaunch(Structure):
    _fields_ = [
        ("kernel", c_uint32),
        ("tiles", c_uint32),
        ("scratch", c_uint32),
        ("flops", c_uint32),
        ("bytes", c_uint32),
        ("node_count", c_uint32),
        ("nodes", POINTER(c_char_p)),
        ("checks", POINTER(c_char_p)),
        ("check_count", c_uint32),
        ("source_count", c_uint32),
        ("sources", POINTER(c_int32)),
        ("tensors", c_void_p),
        ("operand_count", c_uint32),
        ("result_count", c_uint32),
    ]


class TfcRequirement(Structure):
    _fields_ = [("kind", c_uint32), ("lhs", c_uint32), ("rhs", c_uint32), ("reserved", c_uint32), ("node", c_char_p)]


class TfcEntry(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("symbols", POINTER(TfcSymbol)),
        ("values", POINTER(TfcExpr)),
        ("inputs", POINTER(TfcPort)),
        ("outputs", POINTER(TfcPort)),
        ("requirements", POINTER(TfcRequirement)),
        ("launches", POINTER(TfcLaunch)),
        ("binds", c_void_p),
        ("arena_bytes", c_void_p),
        ("symbol_count", c_uint32),
        ("value_count", c_uint32),
        ("input_count", c_uint32),
        ("output_count", c_uint32),
        ("requirement_count", c_uint32),
        ("launch_count", c_uint32),
        ("bind_count", c_uint32),
        ("reserved", c_uint32),
        ("run", c_void_p),
    ]


class TfcWeights(Structure):
    _fields_ = [
        ("mode", c_uint32),
        ("weight_count", c_uint32),
        ("weights", c_void_p),
        ("bytes", c_uint64),
        ("embedded", c_void_p),
        ("embedded_bytes", c_uint64),
        ("file", c_char_p),
        ("hash", c_uint64 * 2),
    ]


class TfcSeed(Structure):
    _fields_ = [("kind", c_uint32), ("reserved", c_uint32), ("seed", c_uint64), ("stream", c_uint64), ("mean", c_double), ("scale", c_double)]


class TfcGraphWeight(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("dtype", TfcDataType),
        ("rank", c_int32),
        ("dims", POINTER(c_int64)),
        ("seeded", c_int32),
        ("piece_count", c_uint32),
        ("pieces", POINTER(c_uint32)),
        ("seed", TfcSeed),
    ]


class TfcProgram(Structure):
    _fields_ = [
        ("kind", c_uint32),
        ("capability", c_uint32),
        ("exact", c_uint32),
        ("weights", c_uint32),
        ("target", c_char_p),
        ("entries", POINTER(TfcEntry)),
        ("kernels", POINTER(TfcKernel)),
        ("launches", c_void_p),
        ("fetches", POINTER(c_uint32)),
        ("code", c_void_p),
        ("code_bytes", c_uint64),
        ("cubin", c_void_p),
        ("cubin_bytes", c_uint64),
        ("kernel_count", c_uint32),
        ("reserved", c_uint32),
    ]


class TfcModel(Structure):
    _fields_ = [
        ("magic", c_uint32),
        ("version", c_uint32),
        ("bytes", c_uint64),
        ("name", c_char_p),
        ("producer", c_char_p),
        ("triple", c_char_p),
        ("entries", POINTER(TfcEntry)),
        ("kernels", POINTER(TfcKernel)),
        ("entry_count", c_uint32),
        ("kernel_count", c_uint32),
        ("weights", TfcWeights),
        ("api", c_void_p),
        ("programs", c_void_p),
        ("more_weights", POINTER(TfcWeights)),
        ("program_count", c_uint32),
        ("more_weight_count", c_uint32),
        ("device_only", c_uint32),
        ("reserved", c_uint32),
        ("graph_weights", POINTER(TfcGraphWeight)),
        ("graph_weight_count", c_uint64),
    ]


class TfcEvent(Structure):
    _fields_ = [
        ("kind", c_uint32),
        ("after", c_int32),
        ("entry", POINTER(TfcEntry)),
        ("values", POINTER(c_int64)),
        ("launch", c_uint32),
        ("worker", c_int32),
        ("begin", c_int64),
        ("end", c_int64),
        ("args", c_void_p),
    ]


EVENT_RUN, EVENT_LAUNCH, EVENT_DEVICE, EVENT_DEVICE_RUN = 0, 1, 3, 4
Profiler = CFUNCTYPE(None, c_void_p, POINTER(TfcEvent))
AllocateOutput = CFUNCTYPE(c_void_p, c_void_p, c_uint32, c_uint64)


class TfcContextOptions(Structure):
    _fields_ = [
        ("bytes", c_uint64),
        ("threads", c_int32),
        ("reserved", c_int32),
        ("executor", c_void_p),
        ("executor_data", c_void_p),
        ("executor_width", c_int32),
        ("profiler_events", c_uint32),
        ("allocate", c_void_p),
        ("release", c_void_p),
        ("allocator", c_void_p),
        ("profiler", Profiler),
        ("profiler_data", c_void_p),
        ("allocate_output", AllocateOutput),
        ("allocate_output_data", c_void_p),
        ("extern_call", c_void_p),
        ("extern_data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("stream", c_void_p),
    ]


_FUNCTIONS = {
    "tfc_model_open": (c_int32, c_char_p, c_char_p, POINTER(c_void_p)),
    "tfc_model_close": (None, c_void_p),
    "tfc_model_describe": (POINTER(TfcModel), c_void_p),
    "tfc_model_read_weight": (c_int32, c_void_p, c_uint64, c_void_p, c_uint64),
    "tfc_model_program": (c_int32, c_void_p, c_int32, c_int32, POINTER(POINTER(TfcProgram))),
    "tfc_context_stream": (c_void_p, c_void_p),
    "tfc_context_create": (c_int32, c_void_p, POINTER(TfcContextOptions), POINTER(c_void_p)),
    "tfc_context_destroy": (None, c_void_p),
    "tfc_context_threads": (c_int32, c_void_p),
    "tfc_workspace_bytes": (c_int32, c_void_p, c_uint32, POINTER(TfcTensor), c_uint32, POINTER(c_uint64)),
    "tfc_run": (c_int32, c_void_p, c_uint32, POINTER(TfcTensor), c_uint32, POINTER(TfcTensor), c_uint32),
    "tfc_last_error": (c_char_p,),
}


@functools.lru_cache(maxsize=None)
def runtime() -> ctypes.CDLL:
    """libtfc-runtime, opened once. Its calls let other Python threads run. Raises Error (NOT_FOUND)."""
    path = _find.library()
    try:
        library = ctypes.CDLL(path)
        for name, (result, *arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as problem:
        raise Error(f"cannot load libtfc-runtime: {problem}; set TFC_HOME to tfc's build folder", Code.NOT_FOUND) from None
    return library


def text(value: bytes | None) -> str:
    """A string of the C side. Names come from models, so any bytes can be in them."""
    return (value or b"").decode("utf-8", "backslashreplace")


def check(code: int) -> None:
    """Raises the runtime's sentence unless `code` is TFC_OK."""
    if code:
        known = Code(code) if code in Code._value2member_map_ else Code.SYSTEM
        raise Error(text(runtime().tfc_last_error()), known)
