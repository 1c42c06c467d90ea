#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that no source lies beside the build.

    tools/listed_check.py [ROOT]

A file that no meson.build names is not compiled, and a test that is not listed never fails. Each
source of src/, tests/ and examples/ must be named by the nearest meson.build above it: by its
path from there, with or without its ending, or without `_test.c`.
"""

import os
import re
import sys

from csource import finish, list_files, read

FOLDERS = ("src/", "tests/", "examples/")
# Compiled by tools/header_check; chosen by the processor's name; chosen by the runner's name.
ELSEWHERE = re.compile(r"tests/headers/|src/core/arch/switch_\w+\.S$|tests/harness_\w+\.c$")
ADVICE = "Name it in that meson.build, or remove it."


def nearest_build(root, name):
    folder = os.path.dirname(name)
    while not os.path.exists(os.path.join(root, folder, "meson.build")):
        if not folder:
            return None
        folder = os.path.dirname(folder)
    return os.path.join(folder, "meson.build")


def is_named(text, path):
    bare = re.sub(r"(_test)?\.(c|cc|S)$", "", path)
    names = {path, os.path.splitext(path)[0], bare}
    return any(f"'{name}'" in text for name in names)


def main(root):
    problems = []
    for name in list_files(root, (".c", ".cc", ".S")):
        if not name.startswith(FOLDERS) or ELSEWHERE.match(name):
            continue
        build = nearest_build(root, name)
        path = os.path.relpath(name, os.path.dirname(build)) if build else name
        if not build or not is_named(read(root, build), path):
            problems.append(f"{name}:1: {build or 'no meson.build'} does not name it")
    finish(problems, ADVICE)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
