#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the table of names, docs/names.md, against the headers and the tests.

    tools/names_check.py [ROOT]

docs/names.txt lists the names of Python's libraries that fern stands for, one a line; # begins a
comment. Each has one row in docs/names.md:

    | `gevent.spawn` | `fern_spawn` | `fern/greenlet.h` | `tests/core/spawn_test.c`: `the_name` |
    | `gevent.idle` | `fern_idle` | `fern/greenlet.h` | `examples/idle.c` |
    | `monkey.patch_all` | later: `patch` | | |
    | `GIL` | none: there is no interpreter to lock | | |

A call, macro or type must stand in its header outside of comments, a test in its file, which uses
all of them, an example beside the output that it is compared with; what comes later names the
room it will come in.
"""

import os
import re
import sys

from csource import blank, finish, read

INDEX, TABLE = "docs/names.txt", "docs/names.md"
ROOMS = ("sync", "work", "proc", "io", "net", "http", "debug", "patch")
ROW = re.compile(r"^\| *`([^`]+)` *\|(.*)\|(.*)\|(.*)\|$")
TEST = re.compile(r"`(tests/[^`]+)`: `(\w+)`$")
EXAMPLE = re.compile(r"`(examples/[^`]+\.c)`$")
ADVICE = "Give the name its row, or mend it; the form is told in tools/names_check.py."


class Tree:
    def __init__(self, root):
        self.root = root
        self.texts = {}

    def has(self, name):
        return os.path.isfile(os.path.join(self.root, name))

    def code(self, name):
        """The text of a file without its comments."""
        if name not in self.texts:
            self.texts[name] = blank(read(self.root, name), keep=("string", "char"))
        return self.texts[name]


def call_faults(tree, calls, headers):
    names, paths = re.findall(r"`(\w+)`", calls), re.findall(r"`([^`]+)`", headers)
    if not names or not paths:
        yield "names no call, or no header"
    for path in paths:
        if not tree.has("include/" + path):
            yield f"there is no header {path}"
            return
    for name in names:
        if not any(re.search(rf"\b{name}\b", tree.code("include/" + path)) for path in paths):
            yield f"{name} is not in {' or '.join(paths)}"


def proof_fault(tree, calls, proof):
    test, example = TEST.match(proof), EXAMPLE.match(proof)
    if not test and not example:
        return "names neither a test nor an example"
    path = (test or example).group(1)
    if test and not (tree.has(path) and re.search(rf"\bTEST\({test[2]}\b", tree.code(path))):
        return f"there is no test {test[2]} in {path}"
    if example and not (tree.has(path) and tree.has(path[:-2] + ".out")):
        return f"there is no example {path} with its output"
    unused = [name for name in re.findall(r"`(\w+)`", calls)
              if not re.search(rf"\b{name}\b", tree.code(path))]
    return f"{path} does not use {', '.join(unused)}" if unused else None


def row_faults(tree, calls, headers, proof):
    if calls.startswith("later: "):
        room = calls[len("later: "):].strip("`")
        if room not in ROOMS:
            yield f"there will be no room {room}"
    elif calls.startswith("none: "):
        return
    else:
        yield from call_faults(tree, calls, headers)
        fault = proof_fault(tree, calls, proof)
        if fault:
            yield fault


def main(root):
    tree, problems, seen = Tree(root), [], {}
    for number, line in enumerate(read(root, TABLE).splitlines(), 1):
        row = ROW.match(line)
        if not row:
            continue
        name, calls, headers, proof = (cell.strip() for cell in row.groups())
        if name in seen:
            problems.append(f"{TABLE}:{number}: {name} has a row already, at line {seen[name]}")
        seen[name] = number
        problems += [f"{TABLE}:{number}: {name}: {fault}"
                     for fault in row_faults(tree, calls, headers, proof)]
    index = {}
    for number, line in enumerate(read(root, INDEX).splitlines(), 1):
        name = line.split("#")[0].strip()
        if name:
            index[name] = number
    problems += [f"{INDEX}:{number}: {name} has no row in {TABLE}"
                 for name, number in index.items() if name not in seen]
    problems += [f"{TABLE}:{number}: {name} is not in {INDEX}"
                 for name, number in seen.items() if name not in index]
    if not index:
        problems.append(f"{INDEX}:1: lists no names")
    finish(problems, ADVICE)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
