# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The little of an ONNX file that a comparison needs, read without the onnx package: what its nodes and outputs are called."""

from __future__ import annotations

import dataclasses
import mmap
import os
from collections.abc import Iterator

# Field numbers of onnx.proto.
_GRAPH = 7
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12
_NODE_OUTPUT, _NODE_NAME, _NODE_OP = 2, 3, 4
_TENSOR_LOCATION, _EXTERNAL = 14, 1
_NAME = 1


@dataclasses.dataclass(frozen=True)
class Node:
    """name: as tfc calls the node, also where the file gives it none. outputs: names of tensors; "" for those left out."""

    name: str
    op: str
    outputs: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Graph:
    """nodes: in the file's order. outputs: names. external: some weights lie in other files."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    external: bool


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number has too many bytes")


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(field, first, behind) of the fields of one message; of a number, `first` is the number and `behind` -1."""
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value, -1
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > end:
            raise ValueError("a field is longer than its message")
        yield key >> 3, at, at + size
        at += size


def _text(data: mmap.mmap, first: int, behind: int) -> str:
    return data[first:behind].decode("utf-8", "backslashreplace")


def _node(data: mmap.mmap, first: int, behind: int) -> Node:
    name = op = ""
    outputs = []
    for field, at, end in _fields(data, first, behind):
        if field == _NODE_OUTPUT:
            outputs.append(_text(data, at, end))
        elif field == _NODE_NAME:
            name = _text(data, at, end)
        elif field == _NODE_OP:
            op = _text(data, at, end)
    return Node(name or f"{op}({outputs[0] if outputs else ''})", op, tuple(outputs))


def read_graph(path: str | os.PathLike[str]) -> Graph:
    """Raises OSError, or ValueError when the file is no ONNX model."""
    nodes: list[Node] = []
    outputs: list[str] = []
    external = False
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            for field, graph, graph_end in _fields(data, 0, len(data)):
                if field != _GRAPH or graph_end < 0:
                    continue
                for part, at, end in _fields(data, graph, graph_end):
                    if part == _NODE:
                        nodes.append(_node(data, at, end))
                    elif part == _OUTPUT:
                        outputs += [_text(data, a, b) for f, a, b in _fields(data, at, end) if f == _NAME]
                    elif part == _INITIALIZER:
                        external |= any(f == _TENSOR_LOCATION and a == _EXTERNAL and b < 0 for f, a, b in _fields(data, at, end))
        except (IndexError, ValueError) as problem:
            raise ValueError(f"{path} is no ONNX model: {problem}") from None
    if not nodes:
        raise ValueError(f"{path} is no ONNX model: it has no nodes")
    return Graph(tuple(nodes), tuple(outputs), external)


def _message(field: int, contents: bytes) -> bytes:
    size, head = len(contents), bytes([field << 3 | 2])
    while size >= 0x80:
        head += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + bytes([size]) + contents


def more_outputs(names: list[str]) -> bytes:
    """What to write behind an ONNX file to make these tensors outputs too: readers of protobuf put the two graphs together."""
    return _message(_GRAPH, b"".join(_message(_OUTPUT, _message(_NAME, name.encode())) for name in names))
