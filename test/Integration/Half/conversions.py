"""Usage: conversions.py CPU. Converts all f16 to f32, and f32 of all kinds to f16, with a model for the CPU; numpy must find the same bits."""
import os
import subprocess
import sys
import tempfile

import numpy as np

MODEL = """
module attributes {tfc.model_name = "conversions"} {
  func.func @main(%h: tensor<?xf16, #tfc.dims<n>> {tfc.name = "h"}, %x: tensor<?xf32, #tfc.dims<m>> {tfc.name = "x"})
      -> (tensor<?xf32, #tfc.dims<n>> {tfc.name = "wide"}, tensor<?xf16, #tfc.dims<m>> {tfc.name = "narrow"}) attributes {tfc.entry} {
    %0 = tfc.cast %h : tensor<?xf16, #tfc.dims<n>> -> tensor<?xf32, #tfc.dims<n>>
    %1 = tfc.cast %x : tensor<?xf32, #tfc.dims<m>> -> tensor<?xf16, #tfc.dims<m>>
    return %0, %1 : tensor<?xf32, #tfc.dims<n>>, tensor<?xf16, #tfc.dims<m>>
  }
}
"""


def numbers(rng):
    """Numbers of every exponent, all numbers of f16 and what lies between two of them, or one step beside that."""
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    finite = np.sort(halves[np.isfinite(halves)])
    middles = ((finite[1:].astype(np.float64) + finite[:-1]) / 2).astype(np.float32)
    edges = np.float32([65519.996, 65520, 65520.004, 1e6, 3.4e38, 2.0 ** -25, 1e-30, 1e-45, np.inf, np.nan, 0])
    anything = rng.integers(0, 1 << 32, 300000, dtype=np.uint32).view(np.float32)
    all_ = np.concatenate([halves, middles, np.nextafter(middles, np.float32(np.inf)), np.nextafter(middles, np.float32(-np.inf)), edges, anything])
    return np.concatenate([all_, -all_])


def same(actual, expected):
    return np.array_equal(np.isnan(actual), np.isnan(expected)) and np.array_equal(
        np.where(np.isnan(actual), 0, actual).view(f"u{actual.itemsize}"), np.where(np.isnan(expected), 0, expected).view(f"u{expected.itemsize}"))


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        with open(path("m.mlir"), "w") as f:
            f.write(MODEL)
        subprocess.run(["tfc-compile", path("m.mlir"), "--target", f"cpu:{sys.argv[1]}", "-o", path("m.so")], check=True)
        h, x = np.arange(1 << 16, dtype=np.uint16).view(np.float16), numbers(np.random.default_rng(int.from_bytes(os.urandom(4), "little")))
        np.savez(path("in.npz"), h=h, x=x)
        subprocess.run(["tfc-run", path("m.so"), "--inputs", path("in.npz"), "--outputs", path("out.npz")], check=True, stdout=subprocess.DEVNULL)
        out = np.load(path("out.npz"))
        with np.errstate(over="ignore"):
            expected = {"wide": h.astype(np.float32), "narrow": x.astype(np.float16)}
        for name, value in expected.items():
            if not same(out[name], value):
                i = np.flatnonzero((out[name] != value) & ~(np.isnan(out[name]) & np.isnan(value)))[:5]
                sys.exit(f"{name}: {out[name][i]}, not {value[i]}, of {(h if name == 'wide' else x)[i]}")


main()
