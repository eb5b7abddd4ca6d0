# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What can go wrong, as exceptions."""

from __future__ import annotations

import enum


class Code(enum.IntEnum):
    """The runtime's codes (TfcCode in tfc-c/ModelABI.h)."""

    OK = 0
    BAD_INPUT = 1  #: count, dtype, rank, dim or symbol of an input or output does not fit
    BAD_INDEX = 2  #: an index that came from data lies outside what it indexes
    BAD_ARGUMENT = 3  #: unknown entry, closed or busy context
    OUT_OF_MEMORY = 4
    UNSUPPORTED_CPU = 5
    ABI_MISMATCH = 6
    BAD_ARTIFACT = 7  #: not a model, or its weights file is missing or another one
    BUFFER_TOO_SMALL = 8  #: an output array that was given has too little room
    NOT_FOUND = 9  #: file, entry, library or tool does not exist
    SYSTEM = 10
    NO_DEVICE = 11  #: no GPU that the model has code for
    DEVICE_FAILED = 12


class Error(Exception):
    """The runtime refused. str(error) is its sentence, `code` says which kind of refusal it is."""

    def __init__(self, sentence: str, code: Code):
        super().__init__(sentence)
        self.code = code


class CompileError(Error):
    """tfc-compile did not make the artifact. str(error) is what it printed.

    exit_code: 2 for a bad or unsupported model and for wrong flags, 3 for a defect of tfc or of the machine;
    -N when signal N ended the compiler.
    """

    def __init__(self, message: str, exit_code: int):
        super().__init__(message, Code.BAD_INPUT if exit_code == 2 else Code.SYSTEM)
        self.exit_code = exit_code
