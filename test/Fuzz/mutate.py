#!/usr/bin/env python3
"""Damages good files at random and gives them to a tool, which must take or refuse them and nothing else.

    mutate.py [--seed N] [--runs N] [--cpu SECONDS] [--keep FOLDER] FILE... -- COMMAND [ARGUMENT...]

`{}` in the command stands for the damaged file. A run is a finding when it does not end within 60 s with exit code
0, 1 or 2, when a sanitizer says something, or when exit code 2 comes without a line on stderr. Findings are kept in FOLDER. The
same seed damages the same way; run number N alone is repeated by --first N --runs 1. Exit code 1 if there was a finding.
"""

import argparse
import io
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import zipfile

TIME_LIMIT = 60
NUMBERS = [b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\xff\xff\xff\x07", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", b"\xff" * 9 + b"\x01"]


def somewhere(generator, data):
    """An offset. Weights are most of a model and matter least: bytes among text and small numbers are preferred."""
    for _ in range(200):
        at = generator.randrange(len(data))
        window = data[max(0, at - 8) : at + 8]
        if sum(byte < 0x7B for byte in window) * 8 >= len(window) * 7:
            break
    return at


def damage_once(generator, data):
    at, length = somewhere(generator, data), generator.choice([1, 1, 2, 4, 8, 16, 64, 500])
    kind = generator.randrange(8)
    if kind == 0:
        data[at] ^= 1 << generator.randrange(8)
    elif kind == 1:
        data[at] = generator.randrange(256)
    elif kind == 2:
        data[at] = max(0, min(255, data[at] + generator.choice([-2, -1, 1, 2])))
    elif kind == 3:
        number = generator.choice(NUMBERS)
        data[at : at + generator.choice([0, 1, len(number)])] = number
    elif kind == 4:
        del data[at : at + length]
    elif kind == 5:
        other = somewhere(generator, data)
        data[at : at + length] = data[other : other + length]
    elif kind == 6:
        data[at:at] = data[at : at + length]
    elif kind == 7 and generator.randrange(4) == 0:
        del data[at:]


def damage(generator, data):
    data = bytearray(data)
    for _ in range(generator.choice([1, 1, 1, 2, 3, 8])):
        if data:
            damage_once(generator, data)
    return bytes(data)


def damage_members(generator, data):
    """A zip archive whose members are damaged but have right checksums: what a reader would refuse first is in order."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(result, "w") as target:
        spoiled = generator.choice(source.namelist())
        for name in source.namelist():
            contents = source.read(name)
            if name == spoiled:
                head = damage(generator, contents[:128])
                contents = head + contents[128:] if generator.randrange(4) else damage(generator, contents)
            target.writestr(name, contents, generator.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    return result.getvalue()


def problem_of(command):
    """What is wrong with a run of the tool (None: nothing), what it said, and its exit code."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        return f"more than {TIME_LIMIT} s", "", None
    said = result.stderr.decode("utf-8", "replace")
    if "Sanitizer" in said or "runtime error:" in said:
        return "sanitizer", said, result.returncode
    if result.returncode not in (0, 1, 2):
        return f"exit code {result.returncode}", said, result.returncode
    mute = result.returncode == 2 and not said.strip()
    return "exit code 2 without a word" if mute else None, said, result.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--cpu", type=float, default=600)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("files", type=pathlib.Path, nargs="+")
    if "--" not in sys.argv:
        parser.error("no command: give it after --")
    divide = sys.argv.index("--")
    options, command = parser.parse_args(sys.argv[1:divide]), sys.argv[divide + 1 :]
    findings, outcomes = 0, {}
    with tempfile.TemporaryDirectory() as folder:
        for run in range(options.first, options.first + options.runs):
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            if usage.ru_utime + usage.ru_stime > options.cpu:
                break
            generator = random.Random(options.seed * 1000003 + run)
            source = generator.choice(options.files)
            inside = source.suffix == ".npz" and generator.randrange(2)
            data = (damage_members if inside else damage)(generator, source.read_bytes())
            path = pathlib.Path(folder, "damaged" + source.suffix)
            path.write_bytes(data)
            problem, said, code = problem_of([word.replace("{}", str(path)) for word in command])
            outcome = problem or f"ended with {code}"
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            if not problem:
                continue
            findings += 1
            print(f"run {run} ({source}): {problem}\n{said[:3000]}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{options.seed}-{run}{source.suffix}").write_bytes(data)
    print(f"{sum(outcomes.values())} runs, {findings} findings: {outcomes}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
