#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs the benchmarks: ours, the peers' and the floors, in interleaved rounds.

    make bench                        everything, about half an hour
    make bench ONLY=yield,echo        some groups, or single runs by name
    make bench PROGRAMS=fern,go       some programs
    make bench ROUNDS=5               fewer rounds

Within a round each program runs once (echo servers in short turns), and the order is turned
around from round to round, so that a machine that slows down or speeds up meets all alike. Ratios are taken within rounds.
README.md tells how to read what it prints.
"""

import os
import signal
import sys
import time

import execute
import goals
import machine
import measures
import plot
import programs
import report
import syscalls

# What others may use of the CPUs before it is worth a warning.
OTHERS_MAX = 0.05
COUNTED = ("fern", "epoll-lt", "epoll-et", "go", "tokio", "libuv", "state-threads")


def chosen_programs(names):
    wanted = set(names.replace(",", " ").split())
    unknown = wanted - {program.name for program in programs.PROGRAMS}
    if unknown:
        known = " ".join(program.name for program in programs.PROGRAMS)
        raise ValueError(f"no program named {' '.join(sorted(unknown))}; there are: {known}")
    return [p for p in programs.PROGRAMS if not wanted or p.name in wanted]


class Bench:
    def __init__(self, runs, wanted, rounds):
        self.runs = runs
        self.rounds = rounds
        self.samples = report.Samples()
        self.left_out = {}
        self.programs = [p for p in wanted if any(run.name in p.runs for run in runs)]
        self.runner = execute.Runner(self.build(), programs.build_load())
        self.counter = syscalls.Counter()

    def build(self):
        commands = {}
        for program in self.programs:
            print(f"building {program.name} ...", end=" ", flush=True)
            try:
                commands[program.name] = program.build(program)
                print(program.language)
            except programs.Missing as reason:
                self.left_out[program.name] = str(reason)
                print("left out")
        self.programs = [p for p in self.programs if p.name in commands]
        return commands

    def leave_out(self, program, run, reason):
        self.left_out[f"{program.name} in {run.name}"] = str(reason)

    def due(self, run, number):
        """The programs of a round, in its order."""
        due = [p for p in self.programs
               if run.name in p.runs and f"{p.name} in {run.name}" not in self.left_out
               and (p.name in run.close or number % run.every == 0)]
        return due if number % 2 == 0 else due[::-1]

    def do_run(self, run):
        rounds = self.rounds or run.rounds
        start, watch = time.monotonic(), machine.Watch()
        print(f"\n{run.name}: {run.about}", flush=True)
        for number in range(rounds):
            show_progress(f"  round {number + 1} of {rounds}")
            for program, values in self.do_round(run, number):
                if isinstance(values, execute.Failed):
                    self.leave_out(program, run, values)
                else:
                    self.samples.add(program.name, number, values)
        if run.connections > 1:
            self.count_calls(run)
        show_progress("")
        rows = [row for row in self.samples.rows() if belongs(row["measure"], run)]
        report.print_table(rows)
        print(f"  ({time.monotonic() - start:.0f} s){busy_text(watch.others())}", flush=True)

    def do_round(self, run, number):
        """Each program of a round with its values, or with why it has none."""
        due = self.due(run, number)
        if run.connections:
            found = self.runner.measure_servers(due, run)
            yield from ((program, found[program.name]) for program in due)
            return
        for program in due:
            try:
                yield program, self.runner.measure(program, run)
            except execute.Failed as reason:
                yield program, reason

    def count_calls(self, run):
        if not self.counter.name:
            self.left_out[f"system calls of {run.name}"] = "neither perf nor strace works here"
            return
        for program in self.due(run, 0):
            if program.name not in COUNTED:
                continue
            show_progress(f"  counting system calls: {program.name}")
            try:
                counts = self.counter.measure(self.runner, program, run)
            except execute.Failed as reason:
                self.left_out[f"{program.name} in system calls of {run.name}"] = str(reason)
                continue
            self.samples.add(program.name, 0, {
                f"{run.name}-calls": (counts["recv"] + counts["send"], "recv+send/request"),
                f"{run.name}-polls": (counts["poll"], "polls/request"),
            })
        show_progress("")
        print(f"  system calls counted by {self.counter.name}")

    def finish(self):
        rows = self.samples.rows()
        path = os.path.join(programs.OUT, "results.json")
        report.write_json(rows, path)
        charts = plot.plot(rows, programs.OUT)
        if self.left_out:
            print("\nLeft out:")
            for what, reason in self.left_out.items():
                print(f"  {what}: {reason}")
        print_goals(rows)
        print(f"\n{len(rows)} rows in {os.path.relpath(path)}, {len(charts)} plots beside it.")
        return any(what.split(" ")[0] == report.OURS for what in self.left_out)


def belongs(measure, run):
    """Whether a measure came from this run and not from one with a longer name."""
    names = [r.name for r in measures.RUNS if measure == r.name or measure.startswith(r.name + "-")]
    return bool(names) and max(names, key=len) == run.name


def busy_text(share):
    """A warning when other programs were at work."""
    if share < OTHERS_MAX:
        return ""
    return f"  Other programs used {share:.0%} of the CPUs meanwhile: trust this less."


def print_goals(rows):
    lines = [f"  {'met   ' if met else 'missed'}  {goal.text():<44} {row[goal.field]:.4g}"
             for goal, row, met in goals.verdicts(rows)]
    if lines:
        print("\nGoals:\n" + "\n".join(lines))


def show_progress(text):
    if sys.stdout.isatty():
        print(f"\r{text:<72}", end="\r", flush=True)


def main():
    try:
        runs = measures.select(os.environ.get("ONLY", ""))
        wanted = chosen_programs(os.environ.get("PROGRAMS", ""))
        rounds = int(os.environ.get("ROUNDS") or 0)
    except ValueError as error:
        sys.exit(f"bench: {error}")
    os.makedirs(programs.OUT, exist_ok=True)
    # Ended early, it still stops the servers it has started and writes what it has.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    bench = Bench(runs, wanted, rounds)
    interrupted = False
    try:
        for run in runs:
            bench.do_run(run)
    except KeyboardInterrupt:
        interrupted = True
        print("\n\nStopped early; what follows is what there was until then.")
    return bench.finish() or interrupted


if __name__ == "__main__":
    sys.exit(main())
