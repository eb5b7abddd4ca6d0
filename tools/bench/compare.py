#!/usr/bin/env python3
"""Times a compiled model beside ONNX Runtime and what the machine can do, interleaved.

usage: compare.py MODEL.so MODEL.onnx --dim batch=1,seq=128 [--ort-bench ort_bench.js] [--vocab N] [--rounds 3] [--wall]

Every round measures the machine's multiply-adds and reading of memory, tfc and ONNX Runtime one after the other; the table has the
medians of the rounds. The last columns are tfc's rates as shares of the machine's: of its multiply-adds, and of its reading where the
bytes that the graph asks for at least are counted once (the weights, the past, the present). Times are
CPU time of one thread: the difference between many runs and few, divided by their number, so that neither loading nor other
processes count. --wall takes wall-clock medians instead, for an idle machine and for several --threads. With a list, --threads 1,2, every round
measures each number of threads, and the table says how many times as fast as the first each of the others is. --start times processes that load the
model and run it once, and shows their greatest resident memory.

ONNX Runtime is left out without --ort-bench, a script that takes MODEL.onnx --dim --threads --vocab --repeat --warmup and prints one line of
JSON with median_ms; NODE_PATH must have onnxruntime-node.
"""
import argparse, json, os, resource, statistics, subprocess, sys, tempfile, time

FEW, MANY = 2, 12


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result.stdout


def milliseconds(command, wall):
    if wall:
        _, text = cpu_seconds(command + ["--repeat", "15", "--warmup", "3"])
        return json.loads(text.splitlines()[-1])["median_ms"]
    few, many = (cpu_seconds(command + ["--repeat", str(n), "--warmup", "1"])[0] for n in (FEW, MANY))
    return (many - few) * 1000 / (MANY - FEW)


def peaks(threads):
    """GFLOP/s and GB/s. The machine's own file of peaks is left alone."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["tfc-run", "--measure-machine", "--threads", threads, "--json"]
        result = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "XDG_CACHE_HOME": folder})
    machine = next(peak for peak in json.loads(result.stdout)["machine"] if peak["threads"] == int(threads))
    return machine["gflops"], machine["gbytes"]


def work(artifact, dims):
    """Floating point operations and bytes of a run, as the graph asks for them."""
    command = ["tfc-run", artifact, "--random", "--json", "--dim", dims, "--threads", "1", "--repeat", "1", "--profile"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    kernels = next(json.loads(line)["kernels"] for line in lines if line.startswith('{"kernels"'))
    return tuple(sum(kernel[unit] for kernel in kernels) for unit in ("flops", "bytes"))


def compare(args, dims, tfc, ort):
    """One row of the table per number of threads. `tfc` and `ort` give commands."""
    operations, size = work(os.path.abspath(args.artifact), dims)
    counts = args.threads.split(",")
    machine, ours, theirs = ({threads: [] for threads in counts} for _ in range(3))
    for _ in range(args.rounds):
        for threads in counts:
            machine[threads].append(peaks(threads))
            ours[threads].append(milliseconds(tfc(dims, threads), args.wall))
            if args.ort_bench:
                theirs[threads].append(milliseconds(ort(dims, threads), args.wall))
    first = statistics.median(ours[counts[0]])
    for threads in counts:
        gflops, gbytes = (statistics.median(peak[i] for peak in machine[threads]) for i in (0, 1))
        own, other = statistics.median(ours[threads]), statistics.median(theirs[threads]) if args.ort_bench else None
        print(f"| {dims} | {threads} | {own:.1f} | " + (f"{other:.1f} | {own / other:.2f}" if other else "- | -") +
              f" | {first / own:.2f} | {gflops:.0f} | {gbytes:.1f} | {operations / own / gflops / 1e4:.0f} % | {size / own / gbytes / 1e4:.0f} % |", flush=True)


def start(command):
    """Wall-clock milliseconds and greatest resident megabytes of a process that loads and runs once."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    return (time.perf_counter() - begin) * 1000, usage.ru_maxrss / 1024


def compare_starts(args, tfc, ort):
    print("| case | tfc ms | ONNX Runtime ms | ratio | tfc MB | ONNX Runtime MB |\n|---|---|---|---|---|---|")
    ours, theirs = [], []
    for _ in range(args.rounds):
        ours.append(start(tfc))
        if ort:
            elapsed, memory = start(ort + ["--repeat", "1", "--warmup", "0"])
            # What JavaScript takes to come up is not ONNX Runtime's.
            theirs.append((elapsed - start(["node", "-e", "require('onnxruntime-node')"])[0], memory))
    median = lambda pairs, i: statistics.median(pair[i] for pair in pairs)
    both = f"{median(theirs, 0):.0f} | {median(ours, 0) / median(theirs, 0):.2f}" if theirs else "- | -"
    print(f"| start, {args.dim[0]} | {median(ours, 0):.0f} | {both} | {median(ours, 1):.0f} | " +
          (f"{median(theirs, 1):.0f} |" if theirs else "- |"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifact")
    parser.add_argument("onnx")
    parser.add_argument("--dim", action="append", required=True)
    parser.add_argument("--threads", default="1", help="a number, or several with commas between")
    parser.add_argument("--vocab", default="100")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ort-bench")
    parser.add_argument("--wall", action="store_true")
    parser.add_argument("--start", action="store_true")
    args = parser.parse_args()
    artifact = os.path.abspath(args.artifact)
    if "," in args.threads and not (args.wall and all(threads.isdecimal() for threads in args.threads.split(","))):
        parser.error("several --threads are numbers, and measured with --wall: CPU time does not shrink with threads")
    tfc = lambda dims, threads: ["tfc-run", artifact, "--random", "--json", "--dim", dims, "--threads", threads]
    ort = lambda dims, threads: ["node", args.ort_bench, args.onnx, "--dim", dims, "--threads", threads, "--vocab", args.vocab]
    if args.start:
        return compare_starts(args, tfc(args.dim[0], args.threads), ort(args.dim[0], args.threads) if args.ort_bench else None)
    print("| case | threads | tfc ms | ONNX Runtime ms | ratio | speed-up | peak GFLOP/s | peak GB/s | share of GFLOP/s | share of GB/s |\n"
          "|---|---|---|---|---|---|---|---|---|---|")
    for dims in args.dim:
        compare(args, dims, tfc, ort)


if __name__ == "__main__":
    sys.exit(main())
