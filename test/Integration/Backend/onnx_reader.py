"""Reads what the runner needs of ONNX files: tensors with their data, and which operators a model has.

Only the wire format of protobuf, so that the tests ask for no ONNX package. Field numbers are those of onnx.proto.
"""

import struct

import numpy as np

# TensorProto.DataType: (name, numpy type of the elements, numpy type of the file's typed field, field number).
# bfloat16 stands as its bits (uint16), 8-bit floats too (uint8), 4-bit integers as int8.
DATA_TYPES = {
    1: ("float", np.float32, 4), 2: ("uint8", np.uint8, 5), 3: ("int8", np.int8, 5), 4: ("uint16", np.uint16, 5),
    5: ("int16", np.int16, 5), 6: ("int32", np.int32, 5), 7: ("int64", np.int64, 7), 8: ("string", None, 6),
    9: ("bool", np.bool_, 5), 10: ("float16", np.uint16, 5), 11: ("double", np.float64, 10), 12: ("uint32", np.uint32, 11),
    13: ("uint64", np.uint64, 11), 14: ("complex64", None, 4), 15: ("complex128", None, 10), 16: ("bfloat16", np.uint16, 5),
    17: ("float8e4m3fn", np.uint8, 5), 18: ("float8e4m3fnuz", np.uint8, 5), 19: ("float8e5m2", np.uint8, 5),
    20: ("float8e5m2fnuz", np.uint8, 5), 21: ("uint4", np.uint8, 5), 22: ("int4", np.int8, 5),
}


class Unreadable(Exception):
    """The file is not what the format says."""


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value & (1 << 64) - 1, at


def fields(data):
    """(field number, value) of a message; the value is an int or the bytes of a chunk."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = read_varint(data, at)
        elif kind == 2:
            size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at : at + size], at + size
        else:
            raise Unreadable(f"wire type {kind}")
        yield key >> 3, value


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def integers(value):
    """A repeated integer field: packed, or one at a time."""
    if isinstance(value, int):
        return [signed(value)]
    result, at = [], 0
    while at < len(value):
        number, at = read_varint(value, at)
        result.append(signed(number))
    return result


def unpack_nibbles(raw, count, is_signed):
    """Two 4-bit numbers per byte, the first one in the low half."""
    flat = np.stack([raw & 15, raw >> 4], axis=1).reshape(-1)[:count].astype(np.int16)
    return np.where(flat > 7, flat - 16, flat).astype(np.int8) if is_signed else flat.astype(np.uint8)


def read_tensor(data):
    """A TensorProto: (name, name of its element type, array). The array is None for types that numpy has not."""
    dims, code, name, raw, typed = [], 0, "", None, []
    for field, value in fields(data):
        if field == 1:
            dims += integers(value)
        elif field == 2:
            code = value
        elif field == 8:
            name = value.decode()
        elif field == 9:
            raw = value
        elif field in (4, 5, 7, 10, 11):
            typed.append((field, value))
        elif field == 14 and value == 1:
            raise Unreadable("external data")
    if code not in DATA_TYPES:
        return name, f"type {code}", None
    type_name, dtype, _ = DATA_TYPES[code]
    if dtype is None:
        return name, type_name, None
    count = int(np.prod(dims, dtype=np.int64))
    if raw is None:
        array = read_typed(typed, dtype)
    elif type_name in ("int4", "uint4"):
        array = unpack_nibbles(np.frombuffer(raw, np.uint8), count, type_name == "int4")
    else:
        array = np.frombuffer(raw, dtype)
    if type_name in ("int4", "uint4") and raw is None:
        array = unpack_nibbles(array.astype(np.uint8), count, type_name == "int4")
    if type_name == "float16":
        array = array.view(np.float16)
    return name, type_name, array.reshape(dims).copy()


def read_typed(typed, dtype):
    """The elements of float_data, int32_data and so on."""
    numbers = []
    for field, value in typed:
        if field in (4, 10):
            numbers += np.frombuffer(value, np.float32 if field == 4 else np.float64).tolist()
        else:
            numbers += integers(value)
    if np.issubdtype(dtype, np.floating):
        return np.array(numbers, dtype)
    return np.array([n & (1 << 64) - 1 for n in numbers], np.uint64).astype(dtype)


class Port:
    """A TypeProto: the name of the element type, None for what is no tensor; the dims, None for an open one."""

    def __init__(self, data):
        self.type, self.dims = None, None
        for field, value in fields(data):
            if field == 1:
                self.read_tensor_type(value)

    def read_tensor_type(self, data):
        for field, value in fields(data):
            if field == 1:
                self.type = DATA_TYPES.get(value, (f"type {value}",))[0]
            elif field == 2:
                dims = [dict(fields(dim)) for number, dim in fields(value) if number == 1]
                self.dims = [dim.get(1) for dim in dims]

    def fits(self, array):
        if self.dims is None:
            return True
        known = all(dim is None or dim == length for dim, length in zip(self.dims, array.shape))
        return known and len(self.dims) == array.ndim


class Model:
    """Inputs and outputs of a model (name -> Port), its operators, its opsets."""

    def __init__(self, data):
        self.inputs, self.outputs, self.operators, self.opsets, self.functions = {}, {}, set(), {}, set()
        for field, value in fields(data):
            if field == 7:
                self.read_graph(value, is_main=True)
            elif field == 8:
                entry = dict(fields(value))
                self.opsets[entry.get(1, b"").decode()] = entry.get(2, 0)
            elif field == 25:
                self.read_function(value)
        # What a model's own functions do counts, not what they are called.
        self.operators = {op for op in self.operators if op not in self.functions}

    def read_function(self, data):
        domain = name = ""
        for field, value in fields(data):
            if field == 1:
                name = value.decode()
            elif field == 7:
                self.read_node(value)
            elif field == 10:
                domain = value.decode()
        self.functions.add(f"{domain}.{name}" if domain else name)

    def read_graph(self, data, is_main=False):
        initializers = set()
        for field, value in fields(data):
            if field == 1:
                self.read_node(value)
            elif field == 5:
                initializers.add(next((v.decode() for f, v in fields(value) if f == 8), ""))
            elif field in (11, 12) and is_main:
                info = dict(fields(value))
                target = self.inputs if field == 11 else self.outputs
                target[info.get(1, b"").decode()] = Port(info.get(2, b""))
        for name in initializers:
            self.inputs.pop(name, None)

    def read_node(self, data):
        op = domain = ""
        for field, value in fields(data):
            if field == 4:
                op = value.decode()
            elif field == 7:
                domain = value.decode()
            elif field == 5:
                for inner, graph in fields(value):
                    if inner in (6, 11):
                        self.read_graph(graph)
        self.operators.add(op if domain in ("", "ai.onnx") else f"{domain}.{op}")
