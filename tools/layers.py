#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the walls between the rooms of src/.

    tools/layers.py [ROOT]

A file may include its own room and lower ones, and names the room: #include "core/wait.h".
Neighbours never include each other. patch/ stands on the public headers alone. The public
headers include only each other and the system's.
"""

import re
import sys

from csource import C_ENDINGS, blank, finish, line_of, list_files, read

# Lowest storey first; meson.build holds the same order.
ROOMS = ["base", "core", "poll", "sync", "work", "io", "proc", "net", "http", "debug", "patch"]
NEIGHBOURS = [{"poll", "sync"}]
PUBLIC_ONLY = {"patch"}
# The system has a folder of the same name as a room.
SYSTEM = ("net/if.h",)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)

ADVICE = """A room includes itself and the rooms below it, lowest first: %s.
Move what is needed down, or hand it up through a table of functions.""" % " ".join(ROOMS)


def includes(text):
    code = blank(text, keep=("string",))
    for match in INCLUDE.finditer(code):
        yield line_of(code, match.start()), match.group(1), match.group(2)


def is_public(name):
    return name == "fern.h" or name.startswith("fern/")


def why_not(room, quote, name):
    """Why a file of `room` must not include `name`, or None."""
    if is_public(name):
        return None
    target = name.split("/")[0] if "/" in name else None
    if quote == "<" and name in SYSTEM:
        return None
    if target not in ROOMS:
        if quote == "<":
            return None
        return "does not name a room"
    if quote == "<":
        return "is ours and so goes in quotes"
    if target == room:
        return None
    if room in PUBLIC_ONLY:
        return f"is inside the library; {room}/ uses the public headers alone"
    if {room, target} in NEIGHBOURS:
        return f"is of a neighbour; {room}/ and {target}/ never include each other"
    if ROOMS.index(target) > ROOMS.index(room):
        return f"is of a higher room than {room}/"
    return None


def check_source(root, name, problems):
    parts = name.split("/")
    room = parts[1] if len(parts) > 2 else None
    if room not in ROOMS:
        problems.append(f"{name}:1: lies in no room")
        return
    for line, quote, included in includes(read(root, name)):
        why = why_not(room, quote, included)
        if why:
            problems.append(f'{name}:{line}: "{included}" {why}')


def check_public(root, name, problems):
    for line, quote, included in includes(read(root, name)):
        if is_public(included) and quote == '"':
            problems.append(f"{name}:{line}: write <{included}>: the header is used installed")
        elif not is_public(included) and (quote == '"' or included.split("/")[0] in ROOMS):
            problems.append(f'{name}:{line}: "{included}" is not public')


def main(root):
    problems = []
    for name in list_files(root, C_ENDINGS + (".S",), "src/"):
        check_source(root, name, problems)
    for name in list_files(root, (".h",), "include/"):
        check_public(root, name, problems)
    finish(problems, ADVICE)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")
