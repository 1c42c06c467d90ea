#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the documents and comments speak of functions that exist.

    tools/name_check.py [ROOT]

Every name that begins with fern_ or FERN_, in README.md, docs/*.md and the comments of the
library, must occur in the code: names drift, and a comment that names what is gone misleads.
A name followed by * stands for a family; one that begins FERN_ may also be an environment
variable, then it occurs in a string.
"""

import re
import sys

from csource import C_ENDINGS, TOKEN, blank, finish, line_of, list_files, read

NAME = re.compile(r"\b(?:fern_|FERN_)\w+(?!\w*\*)")
CODE = ("src/", "include/", "tests/", "examples/", "bench/")
BUILD = ("meson.build", "meson_options.txt", ".S", ".map", ".in")
ADVICE = "Rename it here too, or take the sentence out."


def known_names(root):
    """Every such name in code, strings included, comments not."""
    names = set()
    for name in list_files(root):
        if name.endswith(C_ENDINGS) and name.startswith(CODE):
            names.update(NAME.findall(blank(read(root, name), keep=("string", "char"))))
        elif name.endswith(BUILD):
            names.update(NAME.findall(read(root, name)))
    return names


def unknown(text, names):
    for match in NAME.finditer(text):
        if match.group(0) not in names and not match.group(0).endswith("_"):
            yield match.start(), match.group(0)


def main(root):
    names, problems = known_names(root), []
    for name in list_files(root):
        text = read(root, name) if name.endswith((".md",) + C_ENDINGS) else ""
        if name.endswith(".md") and (name == "README.md" or name.startswith("docs/")):
            for offset, found in unknown(text, names):
                problems.append(f"{name}:{line_of(text, offset)}: there is no {found}")
        elif name.startswith(("src/", "include/")):
            for comment in TOKEN.finditer(text):
                if comment.lastgroup != "block":
                    continue
                for offset, found in unknown(comment.group(0), names):
                    line = line_of(text, comment.start() + offset)
                    problems.append(f"{name}:{line}: there is no {found}")
    finish(problems, ADVICE)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
