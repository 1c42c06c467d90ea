#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the library keeps its thread-locals in one place.

    tools/tls_check.py [ROOT]

A compiler may keep the address of a thread-local across a context switch, and patching may move
the thread pointer. So all of them are one struct behind core/self.h, read anew after a switch.
"""

import re
import sys

from csource import C_ENDINGS, blank, finish, line_of, list_files, read

HOME = ("src/core/self.c", "src/core/self.h")
THREAD_LOCAL = re.compile(r"\b(__thread|_Thread_local|thread_local)\b")
ADVICE = "Put it into the struct of core/self.h, and reach it through the function there."


def main(root):
    problems = []
    for name in list_files(root, C_ENDINGS, "src/") + list_files(root, (".h",), "include/"):
        if name in HOME:
            continue
        code = blank(read(root, name))
        for match in THREAD_LOCAL.finditer(code):
            problems.append(f"{name}:{line_of(code, match.start())}: {match.group(1)} outside "
                            "core/self.[ch]")
    finish(problems, ADVICE)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
