# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a model says of itself, as plain values that outlive it."""

from __future__ import annotations

import dataclasses

import numpy as np

from . import _abi

_INT, _UINT, _FLOAT, _BFLOAT, _BOOL = 0, 1, 2, 4, 6
_FLOAT8 = {10: "f8E4M3FN", 11: "f8E4M3FNUZ", 12: "f8E5M2", 13: "f8E5M2FNUZ"}

_AT_MOST, _OP_CONST, _OP_SYMBOL = 2, 0, 1  # TFC_REQUIRE_AT_MOST, TFC_EXPR_CONST, TFC_EXPR_SYMBOL

#: DLPack's type code for each of numpy's kinds.
CODE_OF_KIND = {"i": _INT, "u": _UINT, "f": _FLOAT, "b": _BOOL}


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A size that a run decides.

    min, max: the values it may have, both inclusive; max is None when there is no upper bound.
    from_data: False when an input's dim gives the value, True when numbers computed in the run do.
    """

    name: str
    min: int
    max: int | None
    from_data: bool


@dataclasses.dataclass(frozen=True)
class Port:
    """An input or output.

    dtype: the model's element type: f32, f16, bf16, i64, ui8, bool, ...
    numpy: the dtype of its arrays. bf16 is carried as uint16 and 8-bit floats as uint8: the bits as they are.
        None for elements below 8 bits, which numpy does not have.
    dims: an int where the size is fixed, else the text of an expression of the entry's symbols: "batch", "past + seq".
    alias_of: of an output: the input whose memory it may share, if any.
    """

    name: str
    dtype: str
    numpy: np.dtype | None
    dims: tuple[int | str, ...]
    alias_of: str | None = None


@dataclasses.dataclass(frozen=True)
class Entry:
    """An entry point: its inputs and outputs in the model's order, and the symbols of their dims."""

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    symbols: tuple[Symbol, ...]


def element(dtype: _abi.TfcDataType) -> tuple[str, np.dtype | None]:
    """The name of an element type, and the dtype of its arrays: None where numpy cannot hold it."""
    code, bits = dtype.code, dtype.bits
    if code == _BOOL:
        return "bool", np.dtype(np.bool_)
    if code == _BFLOAT:
        return f"bf{bits}", np.dtype(np.uint16)
    if code in _FLOAT8:
        return _FLOAT8[code], np.dtype(np.uint8)
    letter = {_INT: "i", _UINT: "ui", _FLOAT: "f"}.get(code, "?")
    known = letter != "?" and bits in ((16, 32, 64) if letter == "f" else (8, 16, 32, 64))
    return f"{letter}{bits}", np.dtype(f"{letter[0]}{bits // 8}") if known else None


def _dim(value: _abi.TfcExpr) -> int | str:
    if value.word_count == 1 and value.words[0].op == 0:
        return int(value.words[0].operand)
    return _abi.text(value.text) or "?"


def _port(entry: _abi.TfcEntry, port: _abi.TfcPort) -> Port:
    dtype, array_type = element(port.dtype)
    alias = port.alias_of_input
    return Port(
        name=_abi.text(port.name),
        dtype=dtype,
        numpy=array_type,
        dims=tuple(_dim(entry.values[port.dims[d]]) for d in range(port.rank)),
        alias_of=_abi.text(entry.inputs[alias].name) if alias >= 0 else None,
    )


def _largest(entry: _abi.TfcEntry, number: int) -> int:
    """What requirements of the form "this symbol is at most 64" leave of its range."""
    largest = entry.symbols[number].max
    for requirement in entry.requirements[: entry.requirement_count]:
        lhs, rhs = entry.values[requirement.lhs], entry.values[requirement.rhs]
        if requirement.kind == _AT_MOST and lhs.word_count == rhs.word_count == 1:
            if (lhs.words[0].op, lhs.words[0].operand, rhs.words[0].op) == (_OP_SYMBOL, number, _OP_CONST):
                largest = min(largest, rhs.words[0].operand)
    return int(largest)


def _symbol(entry: _abi.TfcEntry, number: int) -> Symbol:
    symbol, largest = entry.symbols[number], _largest(entry, number)
    return Symbol(_abi.text(symbol.name), symbol.min, None if largest == 2**63 - 1 else largest, symbol.born_in != 0)


def entry(described: _abi.TfcEntry) -> Entry:
    """The description of one entry of an open model."""
    return Entry(
        name=_abi.text(described.name),
        inputs=tuple(_port(described, described.inputs[i]) for i in range(described.input_count)),
        outputs=tuple(
            _port(described, described.outputs[i]) for i in range(described.output_count)
        ),
        symbols=tuple(_symbol(described, i) for i in range(described.symbol_count) if described.symbols[i].kind == 0),
    )
