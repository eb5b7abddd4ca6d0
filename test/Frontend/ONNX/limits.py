#!/usr/bin/env python3
"""limits.py FOLDER: each limit of docs/Limits.md from below and from above, and raised by its flag."""

import pathlib
import resource
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "Integration")]
from checks import Checks, scratch_folder  # noqa: E402
from onnx_writer import *  # noqa: E402,F403

checks = Checks()
folder = scratch_folder()
X = value_info("x", [4])


def write(graph_bytes, **keys):
    path = folder / "model.onnx"
    path.write_bytes(model(graph_bytes, **keys))
    return path


def accepts(path, *flags):
    checks.run("tfc-import-onnx", path, "--quiet", *flags)


def cpu_seconds():
    """Of all commands so far: it does not depend on what else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def refuses(path, says, *flags):
    before = cpu_seconds()
    checks.refuses("tfc-import-onnx", path, "--quiet", *flags, says=says)
    checks.check(f"{says}: in time", cpu_seconds() - before < 10)


def at_limit(below, above, says, *raised):
    """`raised`: the flag that makes the second one right; none where nothing does."""
    accepts(write(**below) if isinstance(below, dict) else write(below))
    path = write(**above) if isinstance(above, dict) else write(above)
    refuses(path, says)
    if raised:
        accepts(path, *raised)


# Rank, entries of a shape, elements, versions.
def reshape_to(rank):
    return graph([node("Reshape", ["x", "s"], ["y"])], [X], ["y"], [ints("s", [rank], [4] + [1] * (rank - 1))])


def input_of(dims):
    return graph([node("Abs", ["x"], ["y"])], [value_info("x", dims)], ["y"])


at_limit(reshape_to(64), reshape_to(65), "at most 64")
at_limit(input_of([1] * 64), input_of([1] * 65), "rank 65 is more than 64")
at_limit(input_of([2**24, 2**24]), input_of([2**24, 2**24 + 1]), "more than 2^48")
at_limit(input_of([2**24, 2**24, 0]), input_of([2**24, 2**25, 0]), "more than 2^48")
at_limit({"graph_bytes": input_of([1]), "ir_version": 1000}, {"graph_bytes": input_of([1]), "ir_version": 1001}, "ir_version is 1001")
at_limit({"graph_bytes": input_of([1]), "opsets": (("", 1000),)}, {"graph_bytes": input_of([1]), "opsets": (("", 1001),)}, "opset 1001")


# The file: messages inside each other, fields, bytes.
def nested_ifs(depth):
    body = subgraph([node("Abs", ["x"], ["y"])], [], ["y"])
    for _ in range(depth):
        body = subgraph([node("If", ["c"], ["y"], then_branch=body, else_branch=body)] if depth < 4 else
                        [node("If", ["c"], ["y"], then_branch=body, else_branch=subgraph([node("Neg", ["x"], ["y"])], [], ["y"]))], [], ["y"])
    return graph([node("If", ["c"], ["y"], then_branch=body, else_branch=subgraph([node("Neg", ["x"], ["y"])], [], ["y"]))],
                 [X, value_info("c", [], BOOL)], ["y"])


# A branch is three messages deep (node, attribute, graph); the innermost node is one more, the model's graph another.
at_limit(nested_ifs(27), nested_ifs(30), "nested more than 90 deep (--limit=nesting=N allows more)", "--limit=nesting=100")
accepts(write(nested_ifs(95)), "--limit=nesting=300")
refuses(write(nested_ifs(105)), "nested more than 300 deep", "--limit=nesting=300")
chain = write(graph([node("Abs", [f"v{i}" if i else "x"], [f"v{i + 1}"]) for i in range(200)], [X], ["v200"]))
fields = 3 + 200 * 4 + 20
accepts(chain, f"--limit=file-fields={fields + 200}")
refuses(chain, "--limit=file-fields=N", f"--limit=file-fields={fields - 200}")
accepts(chain, f"--limit=file-bytes={chain.stat().st_size + 5000}")
refuses(chain, "file-bytes=N allows more", f"--limit=file-bytes={chain.stat().st_size // 2}")


# Functions: depth and number of nodes.
def calls(depth, twice=False):
    """f0 is one node, f(i + 1) calls f(i) once or twice."""
    functions = [function("f0", ["a"], ["b"], [node("Abs", ["a"], ["b"])])]
    for i in range(1, depth):
        body = [node(f"f{i - 1}", ["a"], ["m" if twice else "b"], domain="own")] + ([node(f"f{i - 1}", ["m"], ["b"], domain="own")] if twice else [])
        functions.append(function(f"f{i}", ["a"], ["b"], body, opsets=(("", 17), ("own", 1))))
    return {"graph_bytes": graph([node(f"f{depth - 1}", ["x"], ["y"], domain="own")], [X], ["y"]), "functions": functions,
            "opsets": (("", 17), ("own", 1))}


at_limit(calls(64), calls(65), "call each other more than 64 deep (--limit=call-depth=N allows more)", "--limit=call-depth=65")
at_limit(calls(12, twice=True), calls(40, twice=True), "more than 1048576 nodes (--limit=expanded-nodes=N allows more)")
path = write(**calls(8, twice=True))
accepts(path, "--limit=expanded-nodes=600")
refuses(path, "--limit=expanded-nodes=N", "--limit=expanded-nodes=100")


# Loops that cannot but be unrolled.
def loops(turns, inner_turns=None):
    step = [node("Identity", ["g"], ["g2"]), node("Concat", ["v", "x"], ["v2"], axis=0), node("Neg", ["v2"], ["v3"])]
    info = [value_info("j", [], INT64), value_info("g", [], BOOL), value_info("v", None)]
    body = subgraph(step, info, ["g2", "v3"])
    constants = [ints("m", [], [turns])]
    if inner_turns:
        constants.append(ints("m2", [], [inner_turns]))
        outer = [node("Identity", ["go"], ["go2"]), node("Loop", ["m2", "", "a"], ["a2"], "inner", body=body)]
        body = subgraph(outer, [value_info("i", [], INT64), value_info("go", [], BOOL), value_info("a", None)], ["go2", "a2"])
    return graph([node("Loop", ["m", "", "x"], ["y"], "loop", body=body)], [X], ["y"], constants)


accepts(write(loops(100)))
accepts(write(loops(100)), "--limit=unrolled-nodes=300")
refuses(write(loops(100)), "at most 299 (--limit=unrolled-nodes=N allows more)", "--limit=unrolled-nodes=299")
refuses(write(loops(2**62)), "at most 16384 (--limit=unrolled-nodes=N allows more)")
# Loops inside loops multiply.
accepts(write(loops(10, 10)))
refuses(write(loops(10, 10)), "expand to more than 200 nodes (--limit=expanded-nodes=N", "--limit=expanded-nodes=200")
path = write(loops(8000, 5000))
refuses(path, "--limit=expanded-nodes=N", "--limit=expanded-nodes=3000")

# The flag of the compiler.
path = write(loops(100))
for flag, says in (("unrolled-nodes", "--limit wants NAME=N"), ("unrolled-nodes=-1", "--limit wants NAME=N"), ("rank=65", "there is no limit 'rank'; there are nesting"),
                   ("nesting=301", "the limit 'nesting' can be 300 at most")):
    checks.refuses("tfc-compile", path, f"--limit={flag}", says=says, lines=2)
checks.refuses("tfc-compile", path, "--limit=unrolled-nodes=299,call-depth=3", says="at most 299")
checks.run("tfc-compile", path, "--limit=unrolled-nodes=300,call-depth=3", "--emit=import")
checks.refuses("tfc-compile", "--builtin", "bert-base", "--limit=nesting=10", says="are for ONNX files", lines=2)
sys.exit(checks.finish())
