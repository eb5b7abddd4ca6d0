"""Writes ONNX files byte by byte, so that tests can also write what no ONNX library would."""

import struct

FLOAT, UINT8, INT8, INT32, INT64, STRING, BOOL = 1, 2, 3, 6, 7, 8, 9


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def chunk(field, data):
    if isinstance(data, str):
        data = data.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data


def fixed32(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value)


def tensor(name, dims, data_type=FLOAT, raw=None, extra=b""):
    out = b"".join(number(1, d) for d in dims) + number(2, data_type) + chunk(8, name)
    if raw is not None:
        out += chunk(9, raw)
    return out + extra


def floats(name, dims, values):
    return tensor(name, dims, FLOAT, struct.pack("<%df" % len(values), *values))


def ints(name, dims, values):
    return tensor(name, dims, INT64, struct.pack("<%dq" % len(values), *values))


def external(name, dims, entries, data_type=FLOAT):
    pairs = b"".join(chunk(13, chunk(1, key) + chunk(2, value)) for key, value in entries)
    return tensor(name, dims, data_type, extra=pairs + number(14, 1))


class Subgraph(bytes):
    """A graph that is an attribute."""


def subgraph(nodes, inputs, outputs, initializers=()):
    return Subgraph(graph(nodes, inputs, outputs, initializers))


class Reference(str):
    """An attribute of a function's node that is the call's attribute of this name."""


def function(name, inputs, outputs, nodes, attributes=(), defaults=None, domain="own", opsets=(("", 17),)):
    out = chunk(1, name) + b"".join(chunk(4, i) for i in inputs) + b"".join(chunk(5, o) for o in outputs)
    out += b"".join(chunk(6, a) for a in attributes) + b"".join(chunk(7, n) for n in nodes)
    out += b"".join(chunk(9, chunk(1, d) + number(2, v)) for d, v in opsets) + chunk(10, domain)
    return out + b"".join(chunk(11, attribute(k, v)) for k, v in (defaults or {}).items())


def attribute(name, value):
    """An attribute of the type that Python's type says; bytes are a tensor."""
    out = chunk(1, name)
    if isinstance(value, Reference):
        return out + chunk(21, value)
    if isinstance(value, int):
        return out + number(3, value) + number(20, 2)
    if isinstance(value, float):
        return out + fixed32(2, value) + number(20, 1)
    if isinstance(value, str):
        return out + chunk(4, value) + number(20, 3)
    if isinstance(value, Subgraph):
        return out + chunk(6, value) + number(20, 5)
    if isinstance(value, bytes):
        return out + chunk(5, value) + number(20, 4)
    if value and isinstance(value[0], float):
        return out + b"".join(fixed32(7, v) for v in value) + number(20, 6)
    return out + b"".join(number(8, v) for v in value) + number(20, 7)


def node(op, inputs, outputs, name="", domain="", **attributes):
    out = b"".join(chunk(1, i) for i in inputs) + b"".join(chunk(2, o) for o in outputs)
    if name:
        out += chunk(3, name)
    out += chunk(4, op)
    out += b"".join(chunk(5, attribute(k, v)) for k, v in attributes.items())
    if domain:
        out += chunk(7, domain)
    return out


def value_info(name, dims, data_type=FLOAT):
    """dims None: no shape. A dim that is a string is a symbol."""
    shape = b""
    if dims is not None:
        encoded = b"".join(chunk(1, chunk(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
        shape = chunk(2, encoded)
    return chunk(1, name) + chunk(2, chunk(1, number(1, data_type) + shape))


def graph(nodes, inputs, outputs, initializers=(), name="g"):
    out = b"".join(chunk(1, n) for n in nodes) + chunk(2, name)
    out += b"".join(chunk(5, t) for t in initializers)
    out += b"".join(chunk(11, i) for i in inputs)
    out += b"".join(chunk(12, o if isinstance(o, bytes) else value_info(o, None)) for o in outputs)
    return out


def model(graph_bytes, opsets=(("", 17),), ir_version=8, functions=()):
    out = b"" if ir_version is None else number(1, ir_version)
    out += chunk(7, graph_bytes)
    out += b"".join(chunk(8, chunk(1, domain) + number(2, version)) for domain, version in opsets)
    return out + b"".join(chunk(25, f) for f in functions)


def one_node(op, input_dims, attributes=None, constants=(), opset=17, outputs=("y",), types=None, domain=""):
    """A model of one node: inputs x0, x1, ... with these dims, then the constants' names."""
    inputs = ["x%d" % i for i in range(len(input_dims))]
    types = types or [FLOAT] * len(inputs)
    infos = [value_info(n, d, t) for n, d, t in zip(inputs, input_dims, types)]
    names = ["c%d" % i for i in range(len(constants))]
    body = node(op, inputs + names, outputs, name="the_node", domain=domain, **(attributes or {}))
    initializers = [ints(n, c[0], c[1]) if isinstance(c, tuple) else c for n, c in zip(names, constants)]
    return model(graph([body], infos, list(outputs), initializers), (("", opset),) + (((domain, 1),) if domain else ()))
