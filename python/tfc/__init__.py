# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tfc from Python: compile Transformer models and run them on numpy arrays.

    import numpy as np, tfc

    model = tfc.compile("model.onnx")
    outputs = model(input_ids=np.array([[101, 7592, 102]]), attention_mask=np.ones((1, 3), np.int64))

tfc.compile("model.onnx", "model.so") keeps the artifact; tfc.load("model.so") loads one. It stands on libtfc-runtime and tfc-compile, found through TFC_HOME, in the build folder beside the sources, or on the
PATH. docs/Python.md tells more.
"""

from ._compile import compile
from ._describe import Entry, Port, Symbol
from ._errors import Code, CompileError, Error
from ._model import Context, Model, load
from ._profile import KernelTime, Profile

__all__ = ["Code", "CompileError", "Context", "Entry", "Error", "KernelTime", "Model", "Port", "Profile", "Symbol", "compile", "load"]
