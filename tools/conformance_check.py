#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that each test and example named in docs/conformance.md is there.

    tools/conformance_check.py [ROOT]

A row has the number of a case, a sentence, and what shows it:

    | 46 | a scope expires | `tests/core/scope_test.c`: `the_name_of_the_test` |
    | 90 | the trace | `examples/seeds/000-16-queue.c` |
    | 62 | from another thread | later: `work` |
    | 78 | repr | none: a mutex is a value |

No row stands there twice, and the numbers of a chapter rise.
"""

import os
import re
import sys

from csource import finish, read
from names_check import ROOMS, Tree, proof_fault

TABLE = "docs/conformance.md"
ROW = re.compile(r"^\| *(\d+) *\| *(.*?) *\| *(.*?) *\|$")
LOOSE = re.compile(r"^\| *\d")
ADVICE = "Name the test that shows the case; the form is told in tools/conformance_check.py."


def fault_of(tree, proof):
    if proof.startswith("none: "):
        return None
    if proof.startswith("later: "):
        room = proof[len("later: "):].strip("`")
        return None if room in ROOMS else f"there will be no room {room}"
    return proof_fault(tree, "", proof)


def main(root):
    tree, problems, seen, last = Tree(root), [], set(), 0
    for number, line in enumerate(read(root, TABLE).splitlines(), 1):
        row = ROW.match(line)
        if line.startswith("#"):
            last = 0
        if not row:
            if LOOSE.match(line):
                problems.append(f"{TABLE}:{number}: this is no row of three cells")
            continue
        case, sentence, proof = int(row[1]), row[2], row[3]
        faults = [fault_of(tree, proof)]
        if case < last:
            faults.append(f"stands behind {last}")
        if (case, sentence) in seen:
            faults.append(f"'{sentence}' stands there twice")
        last = case
        seen.add((case, sentence))
        problems += [f"{TABLE}:{number}: {case}: {fault}" for fault in faults if fault]
    if not seen:
        problems.append(f"{TABLE}:1: has no rows")
    finish(problems, ADVICE)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
