# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles functions of tfc ops through the plain lowering and calls them with numpy arrays.

All cases go into one module and one shared library, so that the tools run once. `tfc.check_index` becomes a call into a
few lines of C that keep the first bad index.
"""

import ctypes
import os
import re
import subprocess

import numpy as np

NUMPY_TYPES = {
    "f16": np.float16, "bf16": np.uint16, "f32": np.float32, "f64": np.float64, "i1": np.bool_,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "ui8": np.uint8, "ui16": np.uint16, "ui32": np.uint32, "ui64": np.uint64,
}

TO_LINALG = "func.func(tfc-decompose-ops,tfc-convert-to-linalg,tfc-lower-dims,canonicalize,cse)"
TO_LLVM = (
    "one-shot-bufferize{bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map},"
    "canonicalize,func.func(tfc-lower-row-reductions,convert-linalg-to-loops),"
    "expand-strided-metadata,lower-affine,convert-scf-to-cf,arith-expand{include-bf16=true},"
    "convert-math-to-llvm,convert-math-to-libm,convert-vector-to-llvm,convert-arith-to-llvm,convert-index-to-llvm,"
    "finalize-memref-to-llvm,convert-func-to-llvm,convert-cf-to-llvm,convert-ub-to-llvm,reconcile-unrealized-casts")

CHECK_INDEX_C = """
long long bad_check = -1, bad_value = 0;
long long check_index(long long index, long long bound, long long check) {
  long long wrapped = index < 0 ? index + bound : index;
  if (wrapped >= 0 && wrapped < bound) return wrapped;
  if (bad_check < 0) { bad_check = check; bad_value = index; }
  return 0;
}
"""


def tensor_type(dims, element):
    """The tfc tensor type with these dims: integers, or expressions as text."""
    shape = "".join("?x" if isinstance(dim, str) else f"{dim}x" for dim in dims)
    if any(isinstance(dim, str) for dim in dims):
        return f"tensor<{shape}{element}, #tfc.dims<{', '.join(map(str, dims))}>>"
    return f"tensor<{shape}{element}>"


class Case:
    """One function: arguments {name: (dims, element)}, a body, results [(dims, element)], a reference on arrays."""

    def __init__(self, name, arguments, body, results, reference, sizes, data, tolerance, bad=None):
        self.name, self.arguments, self.results = name, arguments, results
        self.reference, self.sizes, self.data, self.tolerance, self.bad = reference, sizes, data, tolerance, bad
        types = {k: tensor_type(*v) for k, v in arguments.items()}
        types.update({f"r{i}": tensor_type(*r) for i, r in enumerate(results)})
        self.types = types
        lines = re.sub(r"\{(\w+)\}", lambda match: types.get(match.group(1), match.group(0)), body)
        names = re.findall(r"^\s*((?:%\w+(?:, )?)+)(?::\d+)? =", lines, re.M)[-1]
        returned = names.strip()
        result_types = ", ".join(types[f"r{i}"] for i in range(len(results)))
        args = ", ".join(f"%{k}: {types[k]}" for k in arguments)
        self.text = (f"func.func @{name}({args}) -> ({result_types}) attributes {{llvm.emit_c_interface}} {{\n"
                     f"{lines}\n  return {returned} : {result_types}\n}}\n")


def descriptor(rank):
    fields = [("allocated", ctypes.c_void_p), ("aligned", ctypes.c_void_p), ("offset", ctypes.c_int64)]
    if rank:
        fields += [("sizes", ctypes.c_int64 * rank), ("strides", ctypes.c_int64 * rank)]
    return type(f"Descriptor{rank}", (ctypes.Structure,), {"_fields_": fields})


def pack(array):
    result = descriptor(array.ndim)()
    result.allocated = result.aligned = array.ctypes.data
    for i in range(array.ndim):
        result.sizes[i] = array.shape[i]
        result.strides[i] = array.strides[i] // array.itemsize
    return result


def unpack(memref, rank, dtype):
    shape = tuple(memref.sizes) if rank else ()
    if 0 in shape:
        return np.zeros(shape, dtype)
    size = np.dtype(dtype).itemsize
    strides = [s * size for s in memref.strides] if rank else []
    span = sum((n - 1) * s for n, s in zip(shape, strides)) + size
    raw = (ctypes.c_char * span).from_address(memref.aligned + memref.offset * size)
    return np.ndarray(shape, dtype, raw, 0, strides).copy()


class Library:
    """The cases, compiled."""

    def __init__(self, cases, tfc_opt, llvm_bin, folder):
        def run(arguments, text):
            done = subprocess.run(arguments, input=text, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{' '.join(arguments[:2])} failed:\n{done.stderr[:6000]}")
            return done.stdout

        module = "func.func private @check_index(i64, index, i64) -> index\n" + "".join(c.text for c in cases)
        self.write(folder, "cases.mlir", module)
        linalg = run([tfc_opt, f"--pass-pipeline=builtin.module({TO_LINALG})", "-"], module)
        self.write(folder, "linalg.mlir", linalg)
        linalg = re.sub(r"(%\S+) = tfc.check_index (\S+) below (\S+) check (\d+).*",
                        r"%check_\4_ = arith.constant \4 : i64\n\1 = func.call @check_index(\2, \3, %check_\4_) : "
                        r"(i64, index, i64) -> index", linalg)
        # mlir-translate does not know the dialect whose attribute names the dims.
        linalg = re.sub(r" \{tfc\.dims = #tfc\.dims<[^\n]*?>\}", "", linalg)
        lowered = run([tfc_opt, f"--pass-pipeline=builtin.module({TO_LLVM})", "-"], linalg)
        llvm_ir = run([os.path.join(llvm_bin, "mlir-translate"), "--mlir-to-llvmir", "-"], lowered)
        ll = self.write(folder, "cases.ll", llvm_ir)
        c = self.write(folder, "check.c", CHECK_INDEX_C)
        path = os.path.join(folder, "cases.so")
        run([os.path.join(llvm_bin, "clang"), "-O1", "-march=native", "-Wno-override-module", "-shared", "-fPIC", ll, c,
             "-lm", "-o", path], "")
        self.library = ctypes.CDLL(path)

    @staticmethod
    def write(folder, name, text):
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def first_bad_index(self):
        """(check, value) of the first bad index since the last call, or None."""
        check = ctypes.c_longlong.in_dll(self.library, "bad_check")
        value = ctypes.c_longlong.in_dll(self.library, "bad_value")
        found = None if check.value < 0 else (check.value, value.value)
        check.value = -1
        return found

    def call(self, case, arrays):
        fields = [(f"r{i}", descriptor(len(dims))) for i, (dims, _) in enumerate(case.results)]
        results = type("Results", (ctypes.Structure,), {"_fields_": fields})()
        arguments = [np.array(a, order="C", copy=True) for a in arrays]
        packed = [pack(a) for a in arguments]
        getattr(self.library, f"_mlir_ciface_{case.name}")(ctypes.byref(results), *[ctypes.byref(p) for p in packed])
        return [unpack(getattr(results, f"r{i}"), len(dims), NUMPY_TYPES[element])
                for i, (dims, element) in enumerate(case.results)]
