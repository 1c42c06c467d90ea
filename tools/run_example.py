#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs an example and compares what it prints with what it must print.

    tools/run_example.py PROGRAM EXPECTED.out

EXPECTED.out is the text itself, with two additions. A line that begins with ~ is a regular
expression for that line, for what may differ from run to run (an address, a duration). Lines
between a line {{ and a line }} may come in any order. EXPECTED.err, when it exists, is the same
for stderr, and EXPECTED.status holds the exit status, otherwise 0. The example is started in
the folder of EXPECTED.out, so that it finds the files beside it.
"""

import difflib
import os
import re
import subprocess
import sys


def matches(expected, actual):
    if expected.startswith("~"):
        return bool(re.fullmatch(expected[1:].lstrip(), actual))
    return expected == actual


def take(group, line):
    """Remove from group what the line matches; False if nothing does."""
    for wanted in group:
        if matches(wanted, line):
            group.remove(wanted)
            return True
    return False


def split(expected):
    """Groups of lines in order; within a group the order does not matter."""
    groups, open_group = [], None
    for line in expected:
        if line == "{{":
            open_group = []
        elif line == "}}":
            groups.append(open_group)
            open_group = None
        elif open_group is not None:
            open_group.append(line)
        else:
            groups.append([line])
    return groups


def is_same(expected, actual):
    actual = list(actual)
    for group in split(expected):
        while group:
            if not actual or not take(group, actual.pop(0)):
                return False
    return not actual


def compare(expected, actual):
    """An empty list, or the difference to show."""
    if is_same(expected, actual):
        return []
    return list(difflib.unified_diff(expected, actual, "expected", "printed", lineterm=""))


def run(program, folder):
    done = subprocess.run([os.path.abspath(program)], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=100)
    return done.returncode, done.stdout, done.stderr


def read_beside(path, ending):
    """The lines of the file of the same name with another ending, or None."""
    path = os.path.splitext(path)[0] + ending
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def main(program, path):
    status, out, err = run(program, os.path.dirname(os.path.abspath(path)))
    difference = compare(read_beside(path, ".out"), out.splitlines())
    wanted_err = read_beside(path, ".err")
    if wanted_err is not None:
        difference += compare(wanted_err, err.splitlines())
    wanted_status = int((read_beside(path, ".status") or ["0"])[0])
    print("\n".join(difference))
    if status != wanted_status or difference:
        print(f"status {status}, not {wanted_status}; stderr:\n{err}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
