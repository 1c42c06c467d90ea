#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks how much of the parker's stack the scheduler and the poller use.

    tools/stack_check.py BUILD [ROOT [TABLE]]

There is no scheduler stack: who parks runs the scheduler and the poller on its own. The check
compiles src/base, src/core and src/poll as BUILD does (compile_commands.json), with GCC's
-fcallgraph-info=su, and sums the frames along the deepest path from the roots in TABLE
(tools/stack_calls), which also tells what a compiler cannot know: whom an indirect call calls,
what libc's functions use, and which calls leave the stack.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOMS = ("src/base/", "src/core/", "src/poll/")
NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]*)")?')
BYTES = re.compile(r"\\n(\d+) bytes \(([a-z,]+)\)")
INDIRECT = "__indirect_call"
ADVICE = """Make the frames on this path smaller: move arrays into the hub, split off what is rare
with noinline. If a line of tools/stack_calls is missing, add it."""


class Table:
    """tools/stack_calls, read."""

    def __init__(self, path):
        self.limit = 0
        self.roots = []
        self.calls = {}
        self.sizes = {}
        self.ends = set()
        with open(path, encoding="utf-8") as file:
            for line in file:
                words = line.split("#")[0].split()
                if words:
                    self.add(words)

    def add(self, words):
        verb, name, rest = words[0], words[1], words[2:]
        if verb == "limit":
            self.limit = int(name)
        elif verb == "root":
            self.roots.append(name)
        elif verb == "call":
            self.calls.setdefault(name, []).extend(rest)
        elif verb == "size":
            self.sizes[name] = int(rest[0])
        elif verb == "end":
            self.ends.add(name)
        else:
            sys.exit(f"stack_calls: unknown word '{verb}'")


class Graph:
    def __init__(self):
        self.frames = {}
        self.calls = {}
        self.places = {}
        self.unbounded = set()

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                node, edge = NODE.match(line), EDGE.match(line)
                if node:
                    self.add_node(*node.groups())
                elif edge:
                    source, target, place = edge.groups()
                    self.calls.setdefault(plain(source), set()).add(plain(target))
                    self.places.setdefault((plain(source), plain(target)), place or "?")

    def add_node(self, title, label):
        size = BYTES.search(label)
        if not size:
            return
        name = plain(title)
        self.frames[name] = max(self.frames.get(name, 0), int(size.group(1)))
        if size.group(2) == "dynamic":
            self.unbounded.add(name)


def plain(title):
    """Function names without the file that GCC puts before static ones, or clones' endings."""
    return re.sub(r"\.(isra|part|constprop|cold|lto_priv)(\.\d+)*", "", title.split(":")[-1].lstrip("*"))


class Search:
    """The deepest path below a function, with what could not be known on the way."""

    def __init__(self, graph, table):
        self.graph, self.table = graph, table
        self.known = {}
        self.open = []
        self.problems = []

    def deepest(self, name):
        """(bytes, [names]) of the deepest path that starts with `name`."""
        if name in self.table.ends:
            return 0, []
        if name in self.table.sizes:
            return self.table.sizes[name], [name]
        if name in self.open:
            self.problems.append("recursion: " + " -> ".join(self.open + [name]))
            return 0, []
        if name not in self.known:
            self.open.append(name)
            self.known[name] = self.measure(name)
            self.open.pop()
        return self.known[name]

    def measure(self, name):
        if name not in self.graph.frames:
            self.problems.append(f"unknown function {name}, called by "
                                 f"{self.open[-2] if len(self.open) > 1 else 'the table'}: "
                                 "give its 'size' or an 'end'")
            return 0, [name]
        if name in self.graph.unbounded:
            self.problems.append(f"{name}: its frame has no bound (alloca or a variable array)")
        best, path = 0, []
        for callee in sorted(self.callees(name)):
            below, names = self.deepest(callee)
            if below > best:
                best, path = below, names
        return self.graph.frames[name] + best, [name] + path

    def callees(self, name):
        direct = set(self.graph.calls.get(name, ()))
        if INDIRECT in direct:
            direct.discard(INDIRECT)
            if name not in self.table.calls:
                place = self.graph.places[(name, INDIRECT)]
                self.problems.append(f"{place}: an indirect call in {name}: 'call {name} ...' "
                                     "must say whom it calls")
        return direct | set(self.table.calls.get(name, ()))


def compile_graph(build, root):
    """Compiles the three rooms anew, for their call graphs only."""
    graph = Graph()
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    seen = set()
    with tempfile.TemporaryDirectory() as scratch:
        for entry in commands:
            source = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
            name = os.path.relpath(source, os.path.realpath(root))
            if not name.startswith(ROOMS) or not name.endswith(".c") or name in seen:
                continue
            seen.add(name)
            words = shlex.split(entry["command"])
            target = os.path.join(scratch, f"{len(seen)}.o")
            words[words.index("-o") + 1] = target
            if "-MF" in words:
                words[words.index("-MF") + 1] = target + ".d"
            if subprocess.call(words + ["-fcallgraph-info=su", "-w"], cwd=entry["directory"]):
                sys.exit(f"{name}:1: does not compile")
            graph.read(target[:-2] + ".ci")
    if not seen:
        sys.exit(f"{build}: compiles nothing of {' '.join(ROOMS)}")
    return graph


def show(graph, table, name, path):
    for step in path:
        print(f"    {graph.frames.get(step, table.sizes.get(step)):6d}  {step}")


def main(build, root=".", path=None):
    table = Table(path or os.path.join(root, "tools", "stack_calls"))
    graph = compile_graph(build, root)
    search = Search(graph, table)
    bad = False
    for name in table.roots:
        used, steps = search.deepest(name)
        if used > table.limit:
            print(f"{name}: {used} bytes of stack; at most {table.limit}. The deepest path:")
            show(graph, table, name, steps)
            bad = True
        else:
            print(f"{name}: {used} of {table.limit} bytes: {' > '.join(steps)}")
    for problem in dict.fromkeys(search.problems):
        print(problem)
    if bad or search.problems:
        print(ADVICE)
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
