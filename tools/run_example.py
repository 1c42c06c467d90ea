#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs an example and compares what it prints with what it must print.

    tools/run_example.py PROGRAM EXPECTED

EXPECTED is the text itself; a line that begins with ~ is a regular expression for that line,
for what may differ from run to run (an address, a duration). The status must be 0. The example
is started in the folder of EXPECTED, so that it finds the files beside it.
"""

import difflib
import os
import re
import subprocess
import sys


def differs(expected, actual):
    if expected.startswith("~"):
        return not re.fullmatch(expected[1:].lstrip(), actual)
    return expected != actual


def compare(expected, actual):
    """An empty list, or the difference to show."""
    if len(expected) == len(actual) and not any(map(differs, expected, actual)):
        return []
    return list(difflib.unified_diff(expected, actual, "expected", "printed", lineterm=""))


def run(program, folder):
    done = subprocess.run([os.path.abspath(program)], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=100)
    return done.returncode, done.stdout, done.stderr


def main(program, path):
    with open(path, encoding="utf-8") as file:
        expected = file.read().splitlines()
    status, out, err = run(program, os.path.dirname(os.path.abspath(path)))
    difference = compare(expected, out.splitlines())
    print("\n".join(difference))
    if status != 0 or difference:
        print(f"status {status}; stderr:\n{err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
