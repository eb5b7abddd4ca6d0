#!/usr/bin/env python3
"""Times a compiled model beside ONNX Runtime and the machine's FMA peak, interleaved.

usage: compare.py MODEL.so MODEL.onnx --dim batch=1,seq=128 [--ort-bench ort_bench.js] [--vocab N] [--rounds 3] [--wall]

Every round runs the peak loop, tfc and ONNX Runtime one after the other; the table has the medians of the rounds. Times are
CPU time of one thread: the difference between many runs and few, divided by their number, so that neither loading nor other
processes count. --wall takes wall-clock medians instead, for an idle machine and for several --threads.

ONNX Runtime is left out without --ort-bench, a script that takes MODEL.onnx --dim --threads --vocab --repeat --warmup and prints one line of
JSON with median_ms; NODE_PATH must have onnxruntime-node.
"""
import argparse, json, os, resource, statistics, subprocess, sys, tempfile

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


def peak_gflops():
    """Of one thread. The machine's own file of peaks is left alone."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["tfc-run", "--measure-machine", "--threads", "1", "--json"]
        result = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "XDG_CACHE_HOME": folder})
    return json.loads(result.stdout)["machine"][0]["gflops"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifact")
    parser.add_argument("onnx")
    parser.add_argument("--dim", action="append", required=True)
    parser.add_argument("--threads", default="1")
    parser.add_argument("--vocab", default="100")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ort-bench")
    parser.add_argument("--wall", action="store_true")
    args = parser.parse_args()
    print("| case | tfc ms | ONNX Runtime ms | ratio | FMA peak GFLOP/s |\n|---|---|---|---|---|")
    for dims in args.dim:
        peaks, ours, theirs = [], [], []
        for _ in range(args.rounds):
            peaks.append(peak_gflops())
            ours.append(milliseconds(["tfc-run", os.path.abspath(args.artifact), "--random", "--json", "--dim", dims, "--threads",
                                      args.threads], args.wall))
            if args.ort_bench:
                theirs.append(milliseconds(["node", args.ort_bench, args.onnx, "--dim", dims, "--threads", args.threads,
                                            "--vocab", args.vocab], args.wall))
        tfc, ort = statistics.median(ours), statistics.median(theirs) if theirs else None
        print(f"| {dims} | {tfc:.1f} | " + (f"{ort:.1f} | {tfc / ort:.2f}" if ort else "- | -") + f" | {statistics.median(peaks):.0f} |",
              flush=True)


if __name__ == "__main__":
    sys.exit(main())
