#!/usr/bin/env python3
"""serve.py FOLDER: tfc-run --clients."""

import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from checks import MODELS, Checks, scratch_folder

checks = Checks()
os.chdir(scratch_folder())
checks.run("tfc-compile", MODELS / "bert_tiny" / "model.op17.onnx", "-o", "bert.so")
BERT = ["tfc-run", "./bert.so", "--random", "--dim", "batch=1,seq=16"]
said = checks.run(*BERT, "--clients", "1,2,4", "--seconds", "0.5", "--json").stdout.splitlines()
rows = json.loads(said[-1])["throughput"]
checks.check("a row for each number of clients", [row["clients"] for row in rows] == [1, 2, 4], rows)
checks.check("requests were answered", all(row["requests"] >= row["clients"] and 0 < row["median_ms"] <= row["p90_ms"] for row in rows), rows)
checks.check("for at least the half second", all(row["seconds"] >= 0.5 for row in rows), rows)
checks.check("the rate is that of the time it took", all(abs(row["requests_per_s"] * row["seconds"] / row["requests"] - 1) < 1e-3 for row in rows), rows)
checks.check("memory does not grow", all(row["grown_kb"] < 2048 for row in rows), rows)
checks.check("and a table", len(said) == 1 + len(rows) + 1 and said[0].startswith("clients"), said)
for wrong in ("0", "1,,2", "x", "1,", "2000"):
    checks.refuses(*BERT, "--clients", wrong, says="--clients takes numbers from 1 to 1024")
checks.refuses(*BERT, "--clients", "1", "--seconds", "0", says="--seconds takes")
checks.refuses(*BERT, "--clients", "1", "--profile", says="--profile")
checks.refuses("tfc-run", "./bert.so", "--clients", "1", says="has inputs")
sys.exit(checks.finish())
