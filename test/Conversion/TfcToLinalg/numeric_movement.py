# Part of tfc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What moves data: shapes, slices, lookups, scatters: the cases of run_numeric.py."""

import numpy as np

from numeric_cases import AB, BS, CASES, N4, case

# --- data movement --------------------------------------------------------------------------------------------------
case("transpose", {"x": (["b", "s", 3, 4], "f32")}, "%y = tfc.transpose %x [0, 2, 1, 3] : {x}", [(["b", 3, "s", 4], "f32")],
     lambda x: x.transpose(0, 2, 1, 3), [dict(b=2, s=5), dict(b=0, s=1)])
case("transpose_bool", {"x": (["n", 4], "i1")}, "%y = tfc.transpose %x [1, 0] : {x}", [([4, "n"], "i1")], lambda x: x.T, N4)


def reshape(name, source, target, sizes, element="f32"):
    # The second argument only gives the symbols.
    case(f"reshape_{name}", {"x": (source, element), "u": (["b", "s"], "f32")}, "%y = tfc.reshape %x : {x} -> {r0}",
         [(target, element)], None, [{"b": 1, "s": 1, **s} for s in sizes])
    CASES[-1].target = target


reshape("split_last", ["b", "s", 12], ["b", "s", 3, 4], BS)
reshape("merge_last", ["b", "s", 3, 4], ["b", "s", 12], BS)
reshape("flatten", ["b", "s", 4], ["b * s * 4"], BS)
reshape("merge_first", ["b", "s", 4], ["b * s", 4], BS)
reshape("split_two_dynamic", ["b * s", 4], ["b", "s", 4], BS)
reshape("ones", ["b", "s"], ["b", 1, 1, "s"], BS)
reshape("drop_ones", ["b", 1, 1, "s"], ["b", "s"], BS)
reshape("lead_ones", ["b", "s"], [1, "b", "s", 1], BS)
reshape("regroup", [6, "s"], ["s", 6], BS)
reshape("regroup_static", [2, 6, 5], [4, 15], [{}])
reshape("regroup_mixed", ["b", "4 * s", 3], ["b", "s", 12], BS)
reshape("swap", ["b", "s"], ["s", "b"], BS)
reshape("to_scalar", [1, 1], [], [{}])
reshape("from_scalar", [], [1, 1], [{}])
reshape("bool", ["b", "s"], ["b * s"], BS, "i1")
reshape("same", ["b", "s"], ["b", "s"], BS)
reshape("trailing_ones", ["b", 4], ["b", 4, 1, 1], BS)
reshape("empty_static", [0, "s"], ["s", 0], BS)
case("expand", {"x": ([1, "n"], "i64")}, "%y = tfc.expand %x : {x} -> {r0}", [([3, "n"], "i64")],
     lambda x: np.broadcast_to(x, (3, x.shape[1])), N4)
case("expand_rank", {"x": ([], "i1")}, "%y = tfc.expand %x : {x} -> {r0}", [([3, 2], "i1")], lambda x: np.broadcast_to(x, (3, 2)))
case("expand_at_run_time", {"x": (["a"], "f32"), "u": (["b"], "f32")}, "%y = tfc.expand %x : {x} -> {r0}", [(["b"], "f32")],
     lambda x, u: np.broadcast_to(x, u.shape), [dict(a=1, b=4), dict(a=4, b=4), dict(a=1, b=0)])
case("slice", {"x": (["n + 2", 6], "f32"), "u": (["n"], "f32")}, "%y = tfc.slice %x offsets [2, 1] strides [1, 2] : {x} -> {r0}",
     [(["n", 2], "f32")], lambda x, u: x[2:, 1:5:2], N4)
case("slice_negative", {"x": (["n"], "i64")}, "%y = tfc.slice %x offsets [n - 1] strides [-1] : {x} -> {r0}", [(["n"], "i64")],
     lambda x: x[::-1], N4)
case("slice_symbol", {"x": ([20], "f32"), "u": (["past", "seq"], "f32")}, "%y = tfc.slice %x offsets [past] strides [1] : {x} -> {r0}",
     [(["seq"], "f32")], lambda x, u: x[u.shape[0]:u.shape[0] + u.shape[1]], [dict(past=3, seq=4), dict(past=0, seq=20), dict(past=20, seq=0)])
case("concat", {"x": (["a", 3], "f32"), "y": (["b", 3], "f32"), "z": ([2, 3], "f32")},
     "%r = tfc.concat %x, %y, %z axis 0 : {x}, {y}, {z}", [(["a + b + 2", 3], "f32")], lambda *x: np.concatenate(x, 0), AB)
case("concat_last", {"x": (["n", "a"], "i1"), "y": (["n", "b"], "i1")}, "%r = tfc.concat %x, %y axis 1 : {x}, {y}",
     [(["n", "a + b"], "i1")], lambda *x: np.concatenate(x, 1), [dict(n=3, **ab) for ab in AB])
case("concat_one", {"x": (["n"], "f32")}, "%r = tfc.concat %x axis 0 : {x}", [(["n"], "f32")], lambda x: x, N4)
for mode in ("constant", "edge", "reflect", "wrap"):
    case(f"pad_{mode}", {"x": (["n", 3], "f32")}, f'%y = tfc.pad %x "{mode}" low [2, 1] : ({{x}}) -> {{r0}}', [(["n + 3", 6], "f32")],
         lambda x, mode=mode: np.pad(x, ((2, 1), (1, 2)), mode), [dict(n=3), dict(n=6)])
case("pad_value", {"x": (["n"], "i64"), "v": ([], "i64")}, '%y = tfc.pad %x value %v "constant" low [1] : ({x}, {v}) -> {r0}',
     [(["n + 2"], "i64")], lambda x, v: np.pad(x, (1, 1), constant_values=int(v)), N4)
case("pad_cut", {"x": (["n + 3"], "f32"), "u": (["n"], "f32")}, '%y = tfc.pad %x "constant" low [-2] : ({x}) -> {r0}', [(["n"], "f32")],
     lambda x, u: x[2:-1], N4)
case("tile", {"x": (["n", 2], "f32")}, "%y = tfc.tile %x : {x} -> {r0}", [(["3 * n", 4], "f32")], lambda x: np.tile(x, (3, 2)), N4)
for upper in (True, False):
    for k in ("0", "-1", "m - n + 1"):
        number = {"0": 0, "-1": -1, "m - n + 1": 2}[k]
        case(f"trilu_{'upper' if upper else 'lower'}_{len(CASES)}", {"x": ([2, "n", "m"], "f32")},
             f"%y = tfc.trilu %x k {k}{' upper' if upper else ''} : {{x}}", [([2, "n", "m"], "f32")],
             lambda x, f=np.triu if upper else np.tril, number=number: f(x, number), [dict(n=4, m=5), dict(n=7, m=8)])
case("trilu_bool", {"x": ([5, 5], "i1")}, "%y = tfc.trilu %x k 0 : {x}", [([5, 5], "i1")], np.tril)


# --- indices --------------------------------------------------------------------------------------------------------
def ids(low, high):
    return lambda name, shape, rng: rng.integers(low, high, shape) if name == "i" else None


case("gather", {"x": ([11, 4], "f32"), "i": (["b", "s"], "i64")}, "%y = tfc.gather %x, %i axis 0 : {x}, {i}", [(["b", "s", 4], "f32")],
     lambda x, i: x[i], BS, ids(-11, 11))
case("gather_axis_1", {"x": (["n", 6, 2], "f32"), "i": ([3], "i32")}, "%y = tfc.gather %x, %i axis 1 : {x}, {i}", [(["n", 3, 2], "f32")],
     lambda x, i: x[:, i], N4, ids(-6, 6))
case("gather_scalar", {"x": ([5, "n"], "i1"), "i": ([], "i64")}, "%y = tfc.gather %x, %i axis 0 : {x}, {i}", [(["n"], "i1")],
     lambda x, i: x[i], N4, ids(0, 5))
case("gather_bad", {"x": ([11, 4], "f32"), "i": ([3], "i64")}, "%y = tfc.gather %x, %i axis 0 : {x}, {i}", [([3, 4], "f32")],
     lambda x, i: x[np.array([2, 0, 0])], data=lambda n, s, r: [2, 11, -12] if n == "i" else None, bad=(0, 11))
case("gather_empty_table", {"x": ([0, 4], "f32"), "i": (["n"], "i64")}, "%y = tfc.gather %x, %i axis 0 : {x}, {i}", [(["n", 4], "f32")],
     lambda x, i: np.zeros((0, 4)), [dict(n=0)])
case("gather_second_check", {"x": ([4, 2], "f32"), "i": ([3], "i64"), "j": ([2], "i64")},
     "%a = tfc.gather %x, %i axis 0 : {x}, {i}\n%y = tfc.gather %a, %j axis 0 : tensor<3x2xf32>, {j}", [([2, 2], "f32")],
     lambda x, i, j: x[i][np.array([1, 0])], data=lambda n, s, r: {"i": [3, 2, 1], "j": [1, -9]}.get(n), bad=(1, -9))
case("gather_elements", {"x": (["n", 5], "f32"), "i": (["n", 3], "i64")}, "%y = tfc.gather_elements %x, %i axis 1 : {x}, {i}",
     [(["n", 3], "f32")], lambda x, i: np.take_along_axis(x, i % 5, 1), N4, ids(-5, 5))
case("gather_elements_0", {"x": ([6, 3], "f32"), "i": (["n", 2], "i32")}, "%y = tfc.gather_elements %x, %i axis 0 : {x}, {i}",
     [(["n", 2], "f32")], lambda x, i: np.take_along_axis(x[:, :2], i.astype(np.int64) % 6, 0), N4, ids(-6, 6))
case("gather_elements_bad", {"x": ([3], "f32"), "i": ([2], "i64")}, "%y = tfc.gather_elements %x, %i axis 0 : {x}, {i}",
     [([2], "f32")], lambda x, i: x[np.array([0, 2])], data=lambda n, s, r: [99, 2] if n == "i" else None, bad=(0, 99))
def scatter(combine):
    def reference(x, i, u):
        y = x.copy()
        for row, column in np.ndindex(*i.shape):
            at = (row, i[row, column])
            y[at] = combine(y[at], u[row, column])
        return y
    return reference


for kind, combine in (("set", lambda x, u: u), ("add", lambda x, u: x + u), ("mul", lambda x, u: x * u),
                      ("min", np.minimum), ("max", np.maximum)):
    for element in ("f32", "f16", "i64", "ui8"):
        case(f"scatter_elements_{kind}_{element}", {"x": (["n", 5], element), "i": (["n", 4], "i64"), "u": (["n", 4], element)},
             f"%y = tfc.scatter_elements {kind} %x, %i, %u axis 1 : {{x}}, {{i}}, {{u}}", [(["n", 5], element)],
             scatter(combine), N4, ids(-5, 5))
case("scatter_elements_bad", {"x": ([3], "f32"), "i": ([2], "i64"), "u": ([2], "f32")},
     "%y = tfc.scatter_elements set %x, %i, %u axis 0 : {x}, {i}, {u}", [([3], "f32")],
     lambda x, i, u: np.array([u[0], x[1], u[1]]), data=lambda n, s, r: [99, 2] if n == "i" else None, bad=(0, 99))
case("range_i64", {"s": ([], "i64"), "d": ([], "i64"), "u": (["n"], "f32")}, "%y = tfc.range %s, %d : ({s}, {d}) -> {r0}",
     [(["n"], "i64")], lambda s, d, u: s + d * np.arange(u.size), N4)
case("range_f32", {"s": ([], "f32"), "d": ([], "f32"), "u": (["n"], "f32")}, "%y = tfc.range %s, %d : ({s}, {d}) -> {r0}",
     [(["n"], "f32")], lambda s, d, u: s + d * np.arange(u.size), N4)
case("eye", {"u": (["n"], "f32")}, "%y = tfc.eye k 1 : {r0}", [(["n", 4], "f32")], lambda u: np.eye(u.size, 4, 1), N4)

def one_hot_ids(element):
    wanted = np.array([0, 1, 4, 5, 7, -1, -5, -6, 2])
    return wanted % 256 if element == "ui8" else wanted


for element in ("i64", "f32", "ui8"):
    case(f"one_hot_{element}", {"i": (["n"], element), "off": ([], "f32"), "on": ([], "f32")},
         "%y = tfc.one_hot %i off %off on %on axis 1 : ({i}, {off}, {on}) -> {r0}", [(["n", 5], "f32")],
         lambda i, off, on: np.where(np.where(i < 0, i.astype(np.float64) + 5, i)[:, None] == np.arange(5), on, off),
         [dict(n=0), dict(n=9)], lambda n, s, r, e=element: one_hot_ids(e)[:s[0]] if n == "i" else None)
case("one_hot_axis_0", {"i": ([2, 3], "i64"), "off": ([], "i1"), "on": ([], "i1")},
     "%y = tfc.one_hot %i off %off on %on axis 0 : ({i}, {off}, {on}) -> {r0}", [([4, 2, 3], "i1")],
     lambda i, off, on: np.where(i[None] == np.arange(4)[:, None, None], on, off),
     data=lambda n, s, r: r.integers(0, 4, s) if n == "i" else n == "on")
case("nonzero", {"x": ([3, 4], "i1"), "u": (["c"], "f32")}, "%y = tfc.nonzero %x : {x} -> {r0}", [([2, "c"], "i64")],
     lambda x, u: np.array(np.nonzero(x)), [dict(c=5)],
     data=lambda n, s, r: np.isin(np.arange(12), [0, 3, 4, 9, 11]).reshape(3, 4) if n == "x" else None)
case("nonzero_empty", {"x": (["n"], "f32"), "u": (["c"], "f32")}, "%y = tfc.nonzero %x : {x} -> {r0}", [([1, "c"], "i64")],
     lambda x, u: np.array(np.nonzero(x)), [dict(n=0, c=0), dict(n=4, c=0)], data=lambda n, s, r: np.zeros(s))
