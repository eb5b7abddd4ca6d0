#!/usr/bin/env python3
"""Adds up the results of ctest (JUnit XML) and lit (JSON) and prints "N passed, N failed" as the last line.

Exit code 1 when a test failed, or when no test ran at all.
"""

import json
import sys
import xml.etree.ElementTree

LIT_PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
LIT_SKIPPED = {"UNSUPPORTED", "EXCLUDED", "SKIPPED"}


def count_unit(path):
    suite = xml.etree.ElementTree.parse(path).getroot()
    total, failed = int(suite.get("tests", 0)), int(suite.get("failures", 0))
    skipped = int(suite.get("skipped", 0)) + int(suite.get("disabled", 0))
    return total - failed - skipped, failed, skipped


def count_lit(path):
    codes = [test["code"] for test in json.load(open(path))["tests"]]
    passed = sum(code in LIT_PASSED for code in codes)
    skipped = sum(code in LIT_SKIPPED for code in codes)
    return passed, len(codes) - passed - skipped, skipped


def main():
    sums = [0, 0, 0]
    for path in sys.argv[1:]:
        counts = count_lit(path) if path.endswith(".json") else count_unit(path)
        sums = [a + b for a, b in zip(sums, counts)]
    passed, failed, skipped = sums
    if skipped:
        print(f"({skipped} skipped: this machine lacks what they need, or they take long)")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
