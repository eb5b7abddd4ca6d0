#!/usr/bin/env python3
"""control.py FOLDER [MODE...]: If, Loop and Scan, and functions that a model defines itself."""

import sys

from operators import *  # noqa: F403

rng = np.random.default_rng(5)
F = np.float32


def floats_of(*shape):
    return rng.standard_normal(shape).astype(F)


def scalar_i64(value):
    return np.array(value, np.int64)


X = value_info("x", ["n", 4])


def info(name, kind="f32", dims=None):
    return value_info(name, dims, TYPES[kind][0])


# ---- If ---------------------------------------------------------------------------------------------------------------

def branch_nodes(then, otherwise, **outer):
    return [*outer.get("before", []), node("If", ["c"], ["y"], "choice", then_branch=then, else_branch=otherwise)]


add_outer = subgraph([node("Add", ["x", "x"], ["t"], "then")], [], ["t"])
neg_outer = subgraph([node("Mul", ["x", "k"], ["e"], "else")], [], ["e"], [floats("k", [1], [-3.0])])
x = floats_of(3, 4)
for c in (True, False):
    graph_case(f"if_{c}", {"c": np.array(c), "x": x}, {"y": x + x if c else x * F(-3)}, branch_nodes(add_outer, neg_outer))
    graph_case(f"if_constant_{c}", {"c": const(np.array(c)), "x": x}, {"y": x + x if c else x * F(-3)}, branch_nodes(add_outer, neg_outer))
    # Both give what is outside: one branch makes nothing.
    outside = subgraph([], [], ["x"])
    graph_case(f"if_outside_{c}", {"c": np.array(c), "x": x}, {"y": x if c else x * F(-3)}, branch_nodes(outside, neg_outer))
    # Dims differ, and what one branch needs does not hold in the other.
    z = floats_of(5, 4)
    take_z = subgraph([node("Exp", ["z"], ["t"])], [], ["t"])
    graph_case(f"if_dims_{c}", {"c": np.array(c), "x": Tensor(x, dims=["n", 4]), "z": Tensor(z, dims=["m", 4])},
               {"y": np.exp(z) if c else x * F(-3)}, branch_nodes(take_z, neg_outer))
    pair = floats_of(3 if c else 2, 4)
    add_pair = subgraph([node("Add", ["x", "p"], ["t"])], [], ["t"])
    graph_case(f"if_need_{c}", {"c": np.array(c), "x": Tensor(x, dims=["n", 4]), "p": Tensor(pair, dims=["m", 4])},
               {"y": x + pair if c else x * F(-3)}, branch_nodes(add_pair, neg_outer))
    # A size that data gives inside, and does not leave.
    flags = np.array([True, False, True])
    pick = subgraph([node("Compress", ["x", "f"], ["t0"], axis=0), node("ReduceSum", ["t0", "zero"], ["t"], keepdims=1)], [], ["t"],
                    [ints("zero", [1], [0])])
    total = subgraph([node("ReduceSum", ["x", "zero"], ["e"], keepdims=1)], [], ["e"], [ints("zero", [1], [0])])
    graph_case(f"if_born_{c}", {"c": np.array(c), "x": x, "f": flags}, {"y": (x[flags] if c else x).sum(0, keepdims=True)}, branch_nodes(pick, total))
    for d in (True, False):
        inner = subgraph([node("If", ["d"], ["t"], "inner", then_branch=subgraph([node("Abs", ["x"], ["q"])], [], ["q"]),
                               else_branch=subgraph([node("Neg", ["x"], ["q"])], [], ["q"]))], [], ["t"])
        graph_case(f"if_if_{c}_{d}", {"c": np.array(c), "d": np.array(d), "x": x}, {"y": (abs(x) if d else -x) if c else x * F(-3)},
                   branch_nodes(inner, neg_outer))

# Exporters write this around a Squeeze: the declared rank says what is meant.
squeeze = subgraph([node("Squeeze", ["x", "one"], ["t"])], [], ["t"], [ints("one", [1], [1])])
keep = subgraph([node("Identity", ["x"], ["e"])], [], ["e"])
condition = [node("Shape", ["x"], ["s"], start=1, end=2), node("Equal", ["s", "unit"], ["c1"]), node("Squeeze", ["c1"], ["c"])]
v = floats_of(3, 1)
graph_case("if_rank", {"x": Tensor(v, dims=["n", "m"]), "unit": const(np.array([1], np.int64))}, {"y": v[:, 0]}, branch_nodes(squeeze, keep, before=condition))
refused_graph("if_rank", {"x": Tensor(x, dims=["n", "m"]), "unit": const(np.array([1], np.int64))}, {"y": v[:, 0]},
              branch_nodes(squeeze, keep, before=condition), "must equal")
refused_graph("if_types", {"c": np.array(True), "x": x}, {"y": x}, branch_nodes(add_outer, subgraph([node("Cast", ["x"], ["e"], to=7)], [], ["e"])),
              ["choice", "two types"], at="compile")
refused_graph("if_outputs", {"c": np.array(True), "x": x}, {"y": x},
              branch_nodes(add_outer, subgraph([node("Neg", ["x"], ["e"]), node("Neg", ["x"], ["f"])], [], ["e", "f"])), ["choice", "1 and 2 outputs"], at="compile")
refused_graph("if_unknown", {"c": np.array(True), "x": x}, {"y": x}, branch_nodes(add_outer, subgraph([node("Neg", ["nothing"], ["e"])], [], ["e"])),
              ["'nothing'", "which nothing makes"], at="compile")
refused_graph("if_operator", {"c": np.array(True), "x": x}, {"y": x}, branch_nodes(add_outer, subgraph([node("Mystery", ["x"], ["e"])], [], ["e"])),
              "ai.onnx:Mystery (opset 17) is not supported: 1 node", at="compile")


# ---- Loop -------------------------------------------------------------------------------------------------------------

def loop(inputs, outputs, body_nodes, variables, body_outputs, initializers=(), types=None):
    infos = [info("i", "i64", []), info("go", "bool", [])] + [info(v, (types or {}).get(v, "f32")) for v in variables]
    return node("Loop", inputs, outputs, "loop", body=subgraph(body_nodes, infos, body_outputs, initializers))


step = [node("Identity", ["go"], ["go2"]), node("Cast", ["i"], ["fi"], to=1), node("Add", ["a", "fi"], ["a2"]), node("ReduceMax", ["a2"], ["row"], keepdims=0)]
for turns in (0, 1, 4, -1):
    a, rows = x.copy(), []
    for i in range(turns):
        a = a + F(i)
        rows.append(a.max())
    for kind in ("data", "constant"):
        m = scalar_i64(turns)
        graph_case(f"loop_{turns}_{kind}", {"m": m if kind == "data" else const(m), "x": x}, {"y": a, "r": np.array(rows, F).reshape(-1)},
                   [loop(["m", "", "x"], ["y", "r"], step, ["a"], ["go2", "a2", "row"])])
    outer_go = np.array(turns == 4)
    graph_case(f"loop_go_{turns}", {"m": scalar_i64(max(turns, 2)), "g": np.array(False), "x": x}, {"y": x},
               [loop(["m", "g", "x"], ["y"], step[:3], ["a"], ["go2", "a2"])])

# The condition ends it: as many rows as there were turns.
until = [node("Add", ["a", "a"], ["a2"]), node("ReduceMax", ["a2"], ["top"], keepdims=0), node("Less", ["top", "bound"], ["go2"])]
for limit in (None, 2, 50):
    for start in (1.0, 7.0, 500.0):
        a, rows, go, turns = np.full(3, start, F), [], True, 0
        while go and (limit is None or turns < limit):
            a = a + a
            rows.append(a)
            go, turns = a.max() < 100, turns + 1
        inputs = {"x": np.full(3, start, F), "bound": const(np.array(100, F))} | ({} if limit is None else {"m": scalar_i64(limit)})
        graph_case(f"loop_until_{limit}_{start}", inputs, {"y": a, "r": np.array(rows, F).reshape(-1, 3)},
                   [loop(["" if limit is None else "m", "", "x"], ["y", "r"], until, ["a"], ["go2", "a2", "a2"])])

# Variables that change places; a loop inside a loop; a branch inside a loop; a size from data inside a loop.
swap = [node("Identity", ["go"], ["go2"]), node("Identity", ["a"], ["b2"]), node("Add", ["b", "x"], ["a2"])]
a, b = x, -x
for i in range(3):
    a, b = b + x, a
graph_case("loop_swap", {"m": scalar_i64(3), "x": x, "z": -x}, {"y": a, "w": b}, [loop(["m", "", "x", "z"], ["y", "w"], swap, ["a", "b"], ["go2", "a2", "b2"])])
inner = node("Loop", ["i", "", "a"], ["a2"], "inner", body=subgraph(
    [node("Identity", ["go_"], ["go_2"]), node("Add", ["a_", "x"], ["a_2"])], [info("i_", "i64", []), info("go_", "bool", []), info("a_")], ["go_2", "a_2"]))
graph_case("loop_loop", {"m": scalar_i64(4), "x": x}, {"y": x * F(7)}, [loop(["m", "", "x"], ["y"], [node("Identity", ["go"], ["go2"]), inner], ["a"], ["go2", "a2"])])
choose = [node("Identity", ["go"], ["go2"]), node("Mod", ["i", "two"], ["odd"]), node("Cast", ["odd"], ["c"], to=9),
          node("If", ["c"], ["a2"], "inside", then_branch=subgraph([node("Add", ["a", "x"], ["t"])], [], ["t"]),
               else_branch=subgraph([node("Mul", ["a", "a"], ["e"])], [], ["e"]))]
a = x
for i in range(3):
    a = a + x if i % 2 else a * a
graph_case("loop_if", {"m": scalar_i64(3), "x": x, "two": const(scalar_i64(2))}, {"y": a}, [loop(["m", "", "x"], ["y"], choose, ["a"], ["go2", "a2"])], tolerance=1e-4)
count = [node("Identity", ["go"], ["go2"]), node("Greater", ["x", "a"], ["more"]), node("NonZero", ["more"], ["places"]), node("Shape", ["places"], ["s"], start=1),
         node("Cast", ["s"], ["f"], to=1), node("Add", ["a", "f"], ["a2"])]
a, rows = np.zeros(1, F), []
line = np.array([0.5, 1.5, 3.5, 9, 12], F)
for i in range(3):
    a = a + F((line > a).sum())
    rows.append(a)
graph_case("loop_born", {"m": scalar_i64(3), "x": line, "z": np.zeros(1, F)}, {"y": a, "r": np.array(rows)},
           [loop(["m", "", "z"], ["y", "r"], count, ["a"], ["go2", "a2", "a2"])])
# Variables that grow: unrolled where the turns are known.
grow = [node("Identity", ["go"], ["go2"]), node("Concat", ["a", "x"], ["a2"], axis=0), node("ReduceSum", ["a2", "zero"], ["row"], keepdims=0)]
a, rows = x, []
for i in range(3):
    a = np.concatenate([a, x])
    rows.append(a.sum(0))
graph_case("loop_grow", {"m": const(scalar_i64(3)), "x": x, "zero": const(np.array([0]))}, {"y": a, "r": np.array(rows)},
           [loop(["m", "", "x"], ["y", "r"], grow, ["a"], ["go2", "a2", "row"])])
refused_graph("loop_grow", {"m": scalar_i64(3), "x": x}, {"y": a}, [loop(["m", "", "x"], ["y"], grow[:2], ["a"], ["go2", "a2"])], ["'loop'", "changes its dims"], at="compile")
refused_graph("loop_grow_far", {"m": const(scalar_i64(2**63 - 1)), "x": x}, {"y": a}, [loop(["m", "", "x"], ["y"], grow[:2], ["a"], ["go2", "a2"])], "cannot be unrolled", at="compile")
refused_graph("loop_forever", {"x": x}, {"y": x}, [loop(["", "", "x"], ["y"], step[:3], ["a"], ["go2", "a2"])], "neither a limit nor a condition", at="compile")
refused_graph("loop_body", {"m": scalar_i64(3), "x": x}, {"y": x}, [loop(["m", "", "x"], ["y"], step[:3], ["a"], ["a2"])], "do not fit the node", at="compile")
refused_graph("loop_type", {"m": scalar_i64(3), "x": x}, {"y": x}, [loop(["m", "", "x"], ["y"], [node("Identity", ["go"], ["go2"]), node("Cast", ["a"], ["a2"], to=11)], ["a"], ["go2", "a2"])],
              "changes its type", at="compile")


# ---- Scan -------------------------------------------------------------------------------------------------------------

body = subgraph([node("Add", ["s", "e"], ["s2"]), node("Mul", ["s2", "e"], ["o"])], [info("s"), info("e")], ["s2", "o"])
for axis in (0, 1):
    for backwards in (0, 1):
        for out_axis in (0, 1):
            for out_backwards in (0, 1):
                sequence = np.moveaxis(x, axis, 0)
                s, rows = np.zeros(sequence.shape[1], F), []
                for e in sequence[::-1] if backwards else sequence:
                    s = s + e
                    rows.append(s * e)
                rows = np.array(rows[::-1] if out_backwards else rows)
                graph_case(f"scan_{axis}{backwards}{out_axis}{out_backwards}", {"z": np.zeros(sequence.shape[1], F), "x": x},
                           {"y": s, "r": np.moveaxis(rows, 0, out_axis).copy()},
                           [node("Scan", ["z", "x"], ["y", "r"], "scan", body=body, num_scan_inputs=1, scan_input_axes=[axis], scan_input_directions=[backwards],
                                 scan_output_axes=[out_axis], scan_output_directions=[out_backwards])])

# ---- Functions --------------------------------------------------------------------------------------------------------

scaled = function("Scaled", ["x", "b"], ["y"], [node("LeakyRelu", ["x"], ["t"], alpha=Reference("slope")), node("Sub", ["t", "b"], ["y"])], ["slope"])
twice = function("Twice", ["x"], ["y"], [node("Scaled", ["x", "x"], ["t"], domain="own", slope=Reference("slope")), node("Scaled", ["t", "x"], ["y"], domain="own", slope=0.25)],
                 defaults={"slope": 0.5}, opsets=(("", 17), ("own", 1)))


def leaky(x, slope):
    return np.where(x < 0, x * F(slope), x)


for slope in (None, 0.125):
    t = leaky(x, 0.5 if slope is None else slope) - x
    graph_case(f"function_{slope}", {"x": x}, {"y": leaky(t, 0.25) - x}, [node("Twice", ["x"], ["y"], "call", "own", **({} if slope is None else {"slope": slope}))],
               domains=["own"], functions=[scaled, twice])
own_abs = function("Abs", ["x"], ["y"], [node("Exp", ["x"], ["y"])])
graph_case("function_overrides", {"x": x}, {"y": np.exp(x)}, [node("Abs", ["x"], ["y"], "call", "own")], domains=["own"], functions=[own_abs])
ends = function("Ends", ["x"], ["y"], [node("Again", ["x"], ["y"], domain="own")], opsets=(("own", 1),))
again = function("Again", ["x"], ["y"], [node("Ends", ["x"], ["y"], domain="own")], opsets=(("own", 1),))
refused_graph("function_recursion", {"x": x}, {"y": x}, [node("Ends", ["x"], ["y"], "call", "own")], "calls itself", at="compile", domains=["own"], functions=[ends, again])
doubling = [function(f"D{i}", ["x"], ["y"], [node(f"D{i + 1}", ["x"], ["t"], domain="own"), node(f"D{i + 1}", ["t"], ["y"], domain="own")]) for i in range(50)]
doubling.append(function("D50", ["x"], ["y"], [node("Neg", ["x"], ["y"])]))
refused_graph("function_bomb", {"x": x}, {"y": x}, [node("D0", ["x"], ["y"], "call", "own")], "expand to more than", at="compile", domains=["own"], functions=doubling)
refused_graph("function_inputs", {"x": x}, {"y": x}, [node("Abs", ["x", "x"], ["y"], "call", "own")], ["'call'", "do not fit the function"], at="compile",
              domains=["own"], functions=[own_abs])
stray = function("Stray", ["x"], ["y"], [node("LeakyRelu", ["x"], ["y"], alpha=Reference("nothing"))])
refused_graph("function_reference", {"x": x}, {"y": x}, [node("Stray", ["x"], ["y"], "call", "own")], "no attribute 'nothing'", at="compile", domains=["own"], functions=[stray])
sys.exit(main())
