"""NaN and infinity through the kernels of rows, for run_kernels.py: they come out of exactly the rows that hold them."""
import numpy as np
from kernel_cases import Case, d, dims, f32, normal, softmax

T, ROWS = dims("s0, s1"), dims("s0")
# Rows of less than a vector, of whole ones, and of tails; one tile and several.
SIZES = [(14, 1), (14, 3), (20, 16), (14, 17), (16, 33), (14, 64), (13, 100), (40, 333), (5, 1024)]


def special_rows(rng, rows, width):
    """Rows with one, two or only special values at random places, between rows without."""
    x = normal(rng, rows, width)
    for row in range(0, rows, 2):
        kind = [(np.nan,), (np.inf,), (-np.inf,), (np.inf, -np.inf), (np.nan, np.inf), "all -inf", "all inf", "all nan"][row // 2 % 8]
        if isinstance(kind, str):
            x[row] = float(kind[4:])
        else:
            x[row, rng.integers(0, width, len(kind))] = kind
    return f32(x)


def rows(name, body, reference, result=T, **more):
    def make(rng, a, b):
        x = special_rows(rng, a, b)
        with np.errstate(all="ignore"):
            return [x], [reference(d(x))]
    Case(f"special_{name}", (f"%x: {T}", result, f"%y = tfc.{body}\nreturn %y : {result}"), SIZES, make, 2e-5, **more)


def norm(x, centered):
    c = x - x.mean(-1, keepdims=True) if centered else x
    return c / np.sqrt((c * c).mean(-1, keepdims=True) + 1e-5)


rows("softmax", f"softmax %x axis 1 : {T}", softmax)
rows("layer_norm", f"layer_norm %x axis 1 epsilon 1.0e-5 : ({T}) -> {T}", lambda x: norm(x, True))
rows("rms_norm", f"rms_norm %x axis 1 epsilon 1.0e-5 : ({T}) -> {T}", lambda x: norm(x, False))
for kind, reference in (("sum", np.sum), ("mean", np.mean), ("max", np.max), ("min", np.min)):
    rows(f"reduce_{kind}", f"reduce {kind} %x axes [1] : {T}", lambda x, f=reference: f(x, 1), result=ROWS)
    rows(f"reduce_{kind}_columns", f"reduce {kind} %x axes [0] : {T}", lambda x, f=reference: f(x, 0), result=dims("s1"))
for op, reference in (("sigmoid", lambda x: 1 / (1 + np.exp(-x))), ("silu", lambda x: x / (1 + np.exp(-x)))):
    rows(op, f"{op} %x : {T}", reference)


def pair(op, reference):
    def make(rng, a, b):
        x, y = special_rows(rng, a, b), special_rows(rng, a, b)[::-1].copy()
        with np.errstate(all="ignore"):
            return [x, y], [reference(d(x), d(y))]
    Case(f"special_{op}", (f"%x: {T}, %y: {T}", T, f"%z = tfc.{op} %x, %y : {T}, {T}\nreturn %z : {T}"), SIZES, make)


pair("max", np.maximum)
pair("min", np.minimum)
pair("add", np.add)
pair("div", np.divide)


def product(name, columns):
    """A NaN in A reaches its row alone, one in B its column; 0 times infinity is NaN."""
    ta, tb, tc = dims("s0, s1"), dims(f"s1, {columns}"), dims(f"s0, {columns}")

    def make(rng, m, k):
        a, b = normal(rng, m, k), normal(rng, k, columns)
        a[m // 2, rng.integers(k)], b[rng.integers(k), columns - 1], b[rng.integers(k), 0] = np.nan, np.inf, np.nan
        a[0] = 0
        with np.errstate(all="ignore"):
            return [a, b], [d(a) @ d(b)]
    Case(f"special_{name}", (f"%a: {ta}, %b: {tb}", tc, f"%c = tfc.matmul %a, %b : {ta}, {tb}\nreturn %c : {tc}"),
         [(1, 1), (2, 3), (9, 33), (33, 70)], make, 2e-5, scale=lambda *s: 10.0)


product("product", 47)
product("product_narrow", 5)
