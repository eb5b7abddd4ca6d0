#!/usr/bin/env python3
"""Runs tests in the layout of ONNX's backend tests: compiles each model, runs it on each data set, compares.

    run_backend.py FOLDER... [--filter REGEX] [--list FILE] [--dynamic=all] [--fold-inputs] [--via onnx|onnx-import] [--target TARGET] [--like FILE] [-j N] [--json FILE] [--markdown FILE]

A FOLDER is one test (model.onnx, test_data_set_*/input_*.pb, output_*.pb) or holds tests. Every test is one of

    pass           every output of every data set within rtol 1e-3 and atol 1e-7 (ONNX's own), integers equal
    fail           anything else, a crash, a timeout and outputs that nobody has written included
    unsupported    tfc-compile said in one line that it does not support something (exit code 2)
    out of scope   the model has values that are no tensors, strings or complex numbers, or is older than opset 7; or
                   the data does not fit the inputs that the model declares

With --target cuda-emu:sm_80 the tests run on an emulated GPU; TFC_CUDA_DRIVER names the driver.

Exit code 0 when nothing failed; with --strict an unsupported test is a failure too, with --like FILE every test that passes in FILE, which
--json has written, and does not pass now.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2])]
from bfloat16 import from_bf16  # noqa: E402
from onnx_reader import Model, Unreadable, read_tensor

RTOL, ATOL = 1e-3, 1e-7
TIMEOUT = 1800  # seconds until a command that hangs is given up: the machine may be busy, or stopped for a while
VIA = None  # --via
OUT_OF_SCOPE_TYPES = {None, "string", "complex64", "complex128"}
STATES = ("pass", "fail", "unsupported", "out of scope")


class Result:
    def __init__(self, folder, state="pass", reason="", operators=(), opset=0):
        self.name, self.state, self.reason = folder.name, state, reason
        self.operators, self.opset, self.seconds = sorted(operators), opset, 0.0

    def as_dict(self):
        return {"name": self.name, "state": self.state, "reason": self.reason, "operators": self.operators,
                "opset": self.opset, "seconds": round(self.seconds, 3)}


class Failure(Exception):
    """A step went wrong; the state tells how the test counts."""

    def __init__(self, reason, state="fail"):
        super().__init__(reason)
        self.state = state


def run(command):
    """Exit code and what was said. A tool that hangs is ended with all it has started."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    try:
        said, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise Failure(f"{command[0]}: no end after {TIMEOUT} s") from None
    return process.returncode, said.decode(errors="replace").strip()


def first_error(said):
    lines = [line for line in said.splitlines() if "error" in line] or said.splitlines() or ["(it said nothing)"]
    return re.sub(r"^error: \S+\.onnx: ", "", lines[0])[:300]


def as_numbers(type_name, array):
    """What to compare: bfloat16 as the numbers that its bits mean; 8-bit floats are equal in their bits or not."""
    if type_name == "bfloat16":
        return from_bf16(array)
    return array.astype(np.float64) if array.dtype == np.float16 else array


def tolerance(type_name):
    """bfloat16 cannot hold a relative error of 1e-3: one unit in its last place is allowed. Older data sets were
    made by an encoder that cuts where the standard rounds."""
    return 2.0**-7 if type_name == "bfloat16" else RTOL


def compare(name, type_name, actual, expected):
    if actual.shape != expected.shape:
        raise Failure(f"output {name}: shape {list(actual.shape)}, expected {list(expected.shape)}")
    if actual.dtype != expected.dtype:
        raise Failure(f"output {name}: type {actual.dtype}, expected {expected.dtype}")
    actual, expected = as_numbers(type_name, actual), as_numbers(type_name, expected)
    if np.issubdtype(expected.dtype, np.floating):
        bad = ~np.isclose(actual, expected, rtol=tolerance(type_name), atol=ATOL, equal_nan=True)
    else:
        bad = actual != expected
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise Failure(f"output {name}: {int(bad.sum())} of {bad.size} differ, first at {list(at)}: "
                      f"{actual[at]}, expected {expected[at]}")


def read_data(folder, kind, names):
    """The tensors kind_0.pb, kind_1.pb, ... of a data set, by the names of the model's inputs or outputs."""
    tensors = {}
    for i, name in enumerate(names):
        path = folder / f"{kind}_{i}.pb"
        if not path.exists():
            raise Failure(f"{path.name} is missing")
        _, type_name, array = read_tensor(path.read_bytes())
        if array is None:
            raise Failure(f"{path.name}: {type_name}", "out of scope")
        tensors[name] = (type_name, array)
    return tensors


def write_arrays(path, arrays):
    """An .npz file. numpy.savez takes the names as keywords, and some names of inputs are keywords of its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)


def run_data_set(path, flags, folds, model, folder, scratch):
    """Compiles the model once for each data set where its inputs are folded in."""
    artifact = scratch / "model.so"
    inputs = read_data(folder, "input", model.inputs)
    expected = read_data(folder, "output", model.outputs)
    for name, (_, array) in inputs.items():
        if not model.inputs[name].fits(array):
            raise Failure(f"input {name} of the data has the shape {list(array.shape)}, the model declares "
                          f"{model.inputs[name].dims}", "out of scope")
    given, made = scratch / "inputs.npz", scratch / "outputs.npz"
    write_arrays(given, {name: array for name, (_, array) in inputs.items()})
    if folds:
        compile_model(path, artifact, [*flags, f"--fold-inputs={given}"])
    code, said = run(["tfc-run", artifact, *(["--random"] if folds else ["--inputs", given]), "--outputs", made])
    if code != 0:
        raise Failure(f"tfc-run, exit code {code}: {first_error(said)}")
    with np.load(made) as actual:
        for name, (_, array) in expected.items():
            if name not in actual:
                raise Failure(f"output {name} is missing")
            # The model's type, not the file's: older data sets hold bfloat16 as uint16.
            compare(name, model.outputs[name].type, actual[name], array)


def compile_model(path, artifact, flags):
    if VIA:
        written = artifact.with_name("written.onnx")
        code, said = run(["tfc-compile", path, f"--emit={VIA}", "-o", written, *flags])
        if code != 0:
            raise Failure(first_error(said), "unsupported" if code == 2 else "fail")
        path, flags = written, []
    code, said = run(["tfc-compile", path, "-o", artifact, "--header=none", *flags])
    if code == 2:
        raise Failure(first_error(said), "unsupported")
    if code != 0:
        raise Failure(f"tfc-compile, exit code {code}: {first_error(said)}")


def read_exclusions():
    """Tests that no compiler for inference passes, with the reason: `name: reason`."""
    lines = (pathlib.Path(__file__).parent / "excluded.txt").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def check_scope(folder, model):
    if reason := read_exclusions().get(folder.name):
        raise Failure(reason, "out of scope")
    if any(port.type in OUT_OF_SCOPE_TYPES for port in [*model.inputs.values(), *model.outputs.values()]):
        raise Failure("values that are no tensors of numbers", "out of scope")
    if model.opsets.get("", model.opsets.get("ai.onnx", 99)) < 7:
        raise Failure("older than opset 7", "out of scope")


def run_test(folder, flags, folds):
    start = time.monotonic()
    result = Result(folder)
    try:
        model = Model((folder / "model.onnx").read_bytes())
        result.operators = sorted(model.operators)
        result.opset = model.opsets.get("", 0)
        check_scope(folder, model)
        with tempfile.TemporaryDirectory(prefix="tfc-backend-") as name:
            scratch = pathlib.Path(name)
            if not folds:
                compile_model(folder / "model.onnx", scratch / "model.so", flags)
            data_sets = sorted(folder.glob("test_data_set_*"))
            if not data_sets:
                raise Failure("there is no data set")
            for data_set in data_sets:
                run_data_set(folder / "model.onnx", flags, folds, model, data_set, scratch)
    except Failure as failure:
        result.state, result.reason = failure.state, str(failure)
    except (Unreadable, IndexError, UnicodeDecodeError) as problem:
        result.state, result.reason = "fail", f"the test cannot be read: {problem}"
    result.seconds = time.monotonic() - start
    return result


def find_tests(folders):
    for folder in folders:
        if (folder / "model.onnx").exists():
            yield folder
        else:
            yield from sorted(path.parent for path in folder.glob("**/model.onnx"))


def count_by_operator(results):
    """operator -> Counter of states. A test counts for every operator of its model."""
    table = collections.defaultdict(collections.Counter)
    for result in results:
        for operator in result.operators:
            table[operator][result.state] += 1
    return dict(sorted(table.items()))


def print_summary(results, is_verbose):
    for result in results:
        if result.state == "fail" or is_verbose:
            print(f"{result.state}: {result.name} ({', '.join(result.operators)}): {result.reason}")
    print(f"{'operator':32}" + "".join(f"{state:>14}" for state in STATES))
    for operator, counts in count_by_operator(results).items():
        print(f"{operator:32}" + "".join(f"{counts[state]:14}" for state in STATES))
    totals = collections.Counter(result.state for result in results)
    print(f"{len(results)} tests: " + ", ".join(f"{totals[state]} {state}" for state in STATES))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--filter", default="", help="only tests whose name this regular expression finds")
    parser.add_argument("--list", type=pathlib.Path, help="only the tests named in this file, one a line; all must exist")
    parser.add_argument("--dynamic", choices=["all"], help="hand --dynamic to tfc-compile")
    parser.add_argument("--fold-inputs", action="store_true", help="make the inputs of each data set constants")
    parser.add_argument("--via", choices=["onnx", "onnx-import"], help="write each model back as ONNX first, and compile that")
    parser.add_argument("--target", help="hand it to tfc-compile")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--json", type=pathlib.Path, help="write every result here")
    parser.add_argument("--strict", action="store_true", help="unsupported tests are failures too")
    parser.add_argument("--like", type=pathlib.Path, help="what passes in this file must pass")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for every test")
    return parser.parse_args()


def select_tests(options):
    tests = [test for test in find_tests(options.folders) if re.search(options.filter, test.name)]
    if not options.list:
        return tests
    lines = (line.partition("#")[0].strip() for line in options.list.read_text().splitlines())
    wanted = {line for line in lines if line}
    missing = wanted - {test.name for test in tests}
    if missing:
        sys.exit("no such test: " + ", ".join(sorted(missing)))
    return [test for test in tests if test.name in wanted]


def find_worse(results, path):
    """What passed when the file was written and does not now."""
    before = {result["name"] for result in json.loads(path.read_text()) if result["state"] == "pass"}
    return [result for result in results if result.name in before and result.state != "pass"]


def main():
    global VIA
    options = parse_options()
    VIA = options.via
    tests = select_tests(options)
    if not tests:
        sys.exit("no test found")
    flags = [f"--dynamic={options.dynamic}"] if options.dynamic else []
    flags += [f"--target={options.target}"] if options.target else []
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        results = list(pool.map(lambda test: run_test(test, flags, options.fold_inputs), tests))
    print_summary(results, options.verbose)
    if options.json:
        options.json.write_text(json.dumps([result.as_dict() for result in results], indent=1) + "\n")
    worse = find_worse(results, options.like) if options.like else []
    for result in worse:
        print(f"passes in {options.like}, now {result.state}: {result.name}: {result.reason}")
    bad = {"fail", "unsupported"} if options.strict else {"fail"}
    return 1 if worse or any(result.state in bad for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
