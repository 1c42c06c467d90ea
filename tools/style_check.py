#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks what clang-format does not see: sizes, comments, licence lines.

    tools/style_check.py [ROOT]

- a function has at most 70 lines between its braces, a file at most 900;
- comments are /* */; none promises to be done later;
- a source of the library opens with a comment that says what it is for;
- every source names its licence in one of its first three lines.
"""

import ast
import re
import sys

from csource import C_ENDINGS, TOKEN, blank, finish, line_of, list_files, read

FUNCTION_MAX = 70
FILE_MAX = 900
LICENCE = "SPDX-License-Identifier: MIT"
SOURCES = C_ENDINGS + (".S", ".py", ".sh", ".rs", ".go", "meson.build", "Makefile")
SCRIPTS = ("tools/", ".ci/", "examples/", "bench/")
LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
ADVICE = """Split what is long by what it does. Write why in /* full sentences */. Do it now, or leave
it out: no TODO. A licence line is: SPDX-License-Identifier: MIT"""


def check_functions(name, text, problems):
    """By the layout that clang-format enforces: a body's braces stand alone at column 0."""
    start = None
    for number, line in enumerate(blank(text).split("\n"), 1):
        if line.rstrip() == "{":
            start = number
        elif line.rstrip() == "}" and start:
            length = number - start - 1
            if length > FUNCTION_MAX:
                problems.append(f"{name}:{start}: function of {length} lines; at most "
                                f"{FUNCTION_MAX}")
            start = None


def check_comments(name, text, problems):
    for match in TOKEN.finditer(text):
        where = f"{name}:{line_of(text, match.start())}:"
        if match.lastgroup == "line":
            problems.append(f"{where} a // comment")
        if match.lastgroup in ("line", "block") and LATER.search(match.group(0)):
            problems.append(f"{where} a comment that promises ({LATER.search(match.group(0))[1]})")


def check_opening(name, text, problems):
    body = "\n".join(l for l in text.split("\n") if LICENCE not in l).lstrip()
    if not body.startswith("/*"):
        problems.append(f"{name}:2: does not open with what it is for, what holds, who calls it")


def check_python(name, text, problems):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno
            if length > FUNCTION_MAX:
                problems.append(f"{name}:{node.lineno}: function of {length} lines; at most "
                                f"{FUNCTION_MAX}")


def is_script(root, name):
    return name.startswith(SCRIPTS) and read(root, name).startswith("#!")


def check_file(root, name, problems):
    text = read(root, name)
    lines = text.split("\n")
    if LICENCE not in "\n".join(lines[:3]):
        problems.append(f"{name}:1: no licence line")
    if len(lines) - 1 > FILE_MAX:
        problems.append(f"{name}:{FILE_MAX}: file of {len(lines) - 1} lines; at most {FILE_MAX}")
    if name.endswith(C_ENDINGS):
        check_functions(name, text, problems)
        check_comments(name, text, problems)
    if name.startswith("src/") and name.endswith(".c"):
        check_opening(name, text, problems)
    if name.endswith(".py"):
        check_python(name, text, problems)


def main(root):
    problems = []
    for name in list_files(root):
        if name.endswith(SOURCES) or is_script(root, name):
            check_file(root, name, problems)
    finish(problems, ADVICE)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
