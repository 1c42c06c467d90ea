#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles and runs the programs shown in the documents, and compares what they print.

    tools/snippets.py COMPILER FLAGS...             README.md and docs/*.md
    tools/snippets.py --extract FILE                the first program of README.md, into FILE;
                                                    its output into FILE.out

A ```c block that has a main is a program and must compile. If the next block is ```text, that
is what it must print. Flags come from `pkg-config --cflags --libs fern`, as a user's do. They run
in virtual time, so that a busy machine prints the same; FERN_POLLER=epoll shows them in real time.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

from run_example import compare, run

BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.M | re.S)
MAIN = re.compile(r"\bmain\s*\(")


def programs(path):
    """(line, source, expected output or None) of each program of a document."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    blocks = list(BLOCK.finditer(text))
    for block, following in zip(blocks, blocks[1:] + [None]):
        if block.group(1) == "c" and MAIN.search(block.group(2)):
            output = following and following.group(1) == "text"
            line = text.count("\n", 0, block.start()) + 2
            yield line, block.group(2), following.group(2) if output else None


def extract(target):
    for _, source, output in programs("README.md"):
        with open(target, "w", encoding="utf-8") as file:
            file.write(source)
        with open(target + ".out", "w", encoding="utf-8") as file:
            file.write(output or "")
        return 0
    print("README.md:1: shows no program")
    return 1


def fault(source, output, command, folder):
    """What is wrong with a program, or None."""
    path, program = os.path.join(folder, "snippet.c"), os.path.join(folder, "snippet")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    compiled = subprocess.run([command[0], "-Wall", path, "-o", program, *command[1:]],
                              capture_output=True, text=True)
    if compiled.returncode or compiled.stderr:
        return compiled.stderr
    if output is None:
        return None
    status, out, err = run(program, folder)
    difference = compare(output.splitlines(), out.splitlines())
    if status or difference:
        return "\n".join(difference + [f"status {status}", err])
    return None


def main(command):
    os.environ.setdefault("FERN_POLLER", "sim")
    passed = failed = 0
    for path in ["README.md", *sorted(glob.glob("docs/**/*.md", recursive=True))]:
        for line, source, output in programs(path):
            with tempfile.TemporaryDirectory() as folder:
                wrong = fault(source, output, command, folder)
            passed += not wrong
            failed += bool(wrong)
            if wrong:
                print(f"{path}:{line}: this program does not do what the page says\n{wrong}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3 and sys.argv[1:2] != ["--extract"]:
        sys.exit(__doc__)
    sys.exit(extract(sys.argv[2]) if sys.argv[1] == "--extract" else main(sys.argv[1:]))
