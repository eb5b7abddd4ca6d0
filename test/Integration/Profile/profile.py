#!/usr/bin/env python3
"""profile.py FOLDER: profiles of a run, as files and as a page."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from checks import MODELS, Checks, scratch_folder

checks = Checks()
folder = scratch_folder()
os.chdir(folder)
REPEAT, THREADS = 4, 2
checks.run("tfc-compile", "--builtin", "bert", "--config", "hidden=256,layers=2,heads=4,vocab=500", "--weights=seed", "-o", "bert.so")
entry = json.loads(checks.run("tfc-run", "./bert.so", "--describe", "--json").stdout)["entries"][0]
launches = sum(kernel["launches"] for kernel in entry["kernels"])
MODEL = ["tfc-run", "./bert.so", "--random", "--dim", "batch=2,seq=128", "--warmup=2"]
RUN = [*MODEL, "--repeat", REPEAT]


def events_of(path):
    with open(path) as file:
        return json.load(file)["traceEvents"]


def trace():
    """Perfetto's format: a track per thread, slices of kernels inside slices of runs, warm-up left out."""
    many = 30  # so that helpers get to do something also where other processes have most of the machine
    checks.run(*MODEL, "--repeat", many, f"--threads={THREADS}", "--profile", "trace.json", says=["GFLOP/s", "floor", "outside kernels"])
    events = events_of("trace.json")
    runs = [event for event in events if event.get("cat") == "run"]
    kernels = [event for event in events if event.get("cat") == "kernel"]
    checks.check("only measured runs", len(runs) == many, len(runs))
    on_caller = [event for event in kernels if event["tid"] == 0]
    checks.check("every launch of every run", len(on_caller) == many * launches, (len(on_caller), launches))
    checks.check("slices have the graph's nodes", all(event["args"]["nodes"] and event["name"] for event in kernels if "cast" not in event["args"]["kernel"]))
    checks.check("helpers have tracks", {event["tid"] for event in kernels} == set(range(THREADS)))
    inside = lambda event: any(run["ts"] - 1 <= event["ts"] and event["ts"] + event["dur"] <= run["ts"] + run["dur"] + 1 for run in runs)
    checks.check("kernels lie inside of runs", all(map(inside, kernels)))
    ordered = sorted(on_caller, key=lambda event: event["ts"])
    checks.check("one after the other", all(a["ts"] + a["dur"] <= b["ts"] + 1e-2 for a, b in zip(ordered, ordered[1:])))
    arena = [event["args"]["bytes"] for event in events if event["ph"] == "C" and event["name"] == "arena"]
    checks.check("the arena is a counter", max(arena) > 0 and min(arena) == 0, arena)
    names = [event["args"]["name"] for event in events if event["ph"] == "M" and event["name"] == "thread_name"]
    checks.check("tracks have names", len(names) == THREADS, names)


def sums():
    """The parts make the whole. Of kernels the best run counts: the machine may be busy between two of them."""
    checks.run(*RUN, "--threads=1", "--profile=one.json")
    events = events_of("one.json")
    total = {cat: sum(event["dur"] for event in events if event.get("cat") == cat) for cat in ("run", "kernel")}
    runs = [(event["ts"], event["ts"] + event["dur"]) for event in events if event.get("cat") == "run"]
    shares = [sum(event["dur"] for event in events if event.get("cat") == "kernel" and begin <= event["ts"] < end) / (end - begin) for begin, end in runs]
    checks.check("kernels make up the run", total["kernel"] <= total["run"] and max(shares) > 0.85, (total, shares))
    host = [event for event in events if event.get("cat") == "host"]
    checks.check("and what is left of it has slices too", abs(total["kernel"] + sum(event["dur"] for event in host) - total["run"]) <= 0.001 * total["run"] + 1, total)
    names = [event["name"] for event in sorted(host, key=lambda event: event["ts"])]
    checks.check("which say where in the run they are", names.count("before the first kernel") == names.count("after the last kernel") == REPEAT, names)
    table = [json.loads(line) for line in checks.run(*RUN, "--threads=1", "--profile", "--json").stdout.splitlines() if line.startswith("{")]
    profile, timing = table[-2], table[-1]
    checks.check("the last line stays the timing", set(timing) >= {"min_ms", "median_ms"}, timing)
    checks.check("the table's launches", sum(row["calls"] for row in profile["kernels"]) == launches, profile)
    flops = sum(row["flops"] for row in profile["kernels"])
    tokens, hidden = 2 * 128, 256
    products = 2 * (2 * tokens * hidden * hidden * 12 + 2 * 2 * tokens * 128 * hidden)
    checks.check("floating point operations of the products", products <= flops <= 1.3 * products, (flops, products))
    outside = profile["outside_ms"]
    checks.check("its rows add up to the wall time", abs(sum(row["ms"] for row in profile["kernels"]) + sum(outside.values()) - profile["run_ms"]) < 1e-3, profile)
    checks.check("none of what is no kernel is negative", all(ms > -1e-4 for ms in outside.values()), outside)
    checks.check("counters, where the machine has them", profile["hardware"] is None or profile["hardware"]["instructions"] > 1000, profile["hardware"])
    # Not that it is below the time: peaks that are measured beside other processes come out low.
    roofs = lambda row: (1e-6 * row["flops"] / profile["peak_gflops"], 1e-6 * row["bytes"] / profile["peak_gbytes"])
    checks.check("a row's floor is its roofline", all(abs(row["floor_ms"] - max(roofs(row))) <= 1e-3 * max(roofs(row)) + 1e-6 for row in profile["kernels"]), profile)
    floors = [row["floor_ms"] for row in profile["kernels"]]
    checks.check("the model's is that of all launches", 0.999 * sum(floors) <= profile["floor_ms"] <= 1.001 * sum(sum(roofs(row)) for row in profile["kernels"]), profile)


def page():
    """One file that loads nothing; a browser draws all of it."""
    checks.run(*RUN, f"--threads={THREADS}", "--profile-html", "profile.html")
    text = pathlib.Path("profile.html").read_text()
    checks.check("no reference to a network", not re.search(r"https?://|src=|@import|<link", text))
    data = json.loads(re.search(r"const data = (\{.*\});\n", text).group(1))
    checks.check("all launches", len(data["launches"]) == launches)
    checks.check("sources come before", all(source < number for number, launch in enumerate(data["launches"]) for source in launch["sources"]))
    checks.check("most launches read an earlier one", sum(any(s >= 0 for s in launch["sources"]) for launch in data["launches"]) > launches / 2)
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        print("no browser here: the page was not drawn")
        return
    hangs = 1800  # seconds; a busy machine may take minutes to start it
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder}/browser", "--window-size=1200,2600", "--virtual-time-budget=4000"]
    address = (folder / "profile.html").as_uri()
    try:
        shown = subprocess.run([*command, "--dump-dom", address], capture_output=True, text=True, timeout=hangs).stdout
    except subprocess.TimeoutExpired:
        shown = ""
    if not shown:
        print("the browser does not start here: the page was not drawn")
        return
    checks.check("its script came to the end", 'data-ready="yes"' in shown, shown[-2000:])
    checks.check("a row per kernel", len(re.findall(r"<tr><td", shown)) == len(data["table"]["kernels"]), len(re.findall(r"<tr><td", shown)))
    checks.check("a circle per kernel that computes", shown.count("<circle") > launches, shown.count("<circle"))
    checks.check("and rows for what is no kernel", all(f">{name}</td>" in shown for name in ("outside kernels", "– between kernels", "whole run")))
    checks.check("slices on the timeline", shown.count("<rect") >= 2 * launches)
    checks.check("arcs of the graph", shown.count("<path") >= launches / 2)
    subprocess.run([*command, f"--screenshot={folder}/profile.png", address], capture_output=True, timeout=hangs)
    picture = pathlib.Path("profile.png")
    checks.check("a picture", picture.exists() and picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and picture.stat().st_size > 50000, picture.exists() and picture.stat().st_size)


def machine():
    """Peaks are measured once and kept; a file of another machine is not believed."""
    kept = pathlib.Path(os.environ["XDG_CACHE_HOME"], "tfc", "machine.txt")
    rows = json.loads(checks.run("tfc-run", "--measure-machine", "--json").stdout)["machine"]
    checks.check("peaks", all(row["gflops"] > 1 and row["gbytes"] > 0.1 for row in rows), rows)
    checks.check("they are kept", f"threads {rows[-1]['threads']} " in kept.read_text())
    first, rest = kept.read_text().split("\n", 1)
    kept.write_text("cpu: an abacus\nthreads 1 flops 1 bytes 1\n")
    table = json.loads(next(line for line in checks.run(*RUN, "--threads=1", "--profile", "--json").stdout.splitlines() if line.startswith('{"kernels"')))
    checks.check("another machine's peaks are not used", table["peak_gflops"] > 1, table["peak_gflops"])


def errors():
    checks.refuses(*RUN, "--profile", "/nowhere/trace.json", says="/nowhere/trace.json")
    checks.refuses(*RUN, "--profile-html", "/nowhere/page.html", says="/nowhere/page.html")
    checks.check("nothing is left behind", not list(folder.glob("*draft*")))


trace()
sums()
page()
machine()
errors()
sys.exit(checks.finish())
