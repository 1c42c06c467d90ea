#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts single tests in a log of `meson test`, and prints those that failed.

    tools/tally.py build/meson-logs/testlog.json
    tools/tally.py results.tap

A program that speaks TAP counts each of its tests; tests that it announced and did not report
count as failed. Any other program is one test. The last line is `N passed, N failed, N skipped`.
The exit status is 0 when at least one test passed and none failed.
"""

import json
import re
import sys

RESULT = re.compile(r"^(ok|not ok) \d+(?: - (.*?))?(?: # (SKIP|TODO)\b.*)?$")
# Of valgrind about itself: system calls that it does not know.
CHATTER = re.compile(r"^--\d+-- ")
PLAN = re.compile(r"^1\.\.(\d+)")


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.reports = []

    def fail(self, count, report):
        self.failed += count
        self.reports.append(report)


def comments_after(lines, start):
    """The comment lines that follow a failed result: they say what was wrong."""
    taken = []
    for line in lines[start:]:
        if not line.startswith("#"):
            break
        taken.append("    " + line.lstrip("# "))
    return taken


def add_tap(tally, program, lines):
    """Counts one program's results; returns how many of its announced tests failed."""
    planned = sum(int(m.group(1)) for m in map(PLAN.match, lines) if m)
    seen = failed = 0
    for number, line in enumerate(lines):
        match = RESULT.match(line)
        if not match:
            continue
        seen += 1
        if match.group(1) == "not ok":
            failed += 1
            text = [f"  {program}: {match.group(2) or line}"]
            tally.fail(1, "\n".join(text + comments_after(lines, number + 1)))
        elif match.group(3):
            tally.skipped += 1
        else:
            tally.passed += 1
    if seen < planned:
        failed += planned - seen
        tally.fail(planned - seen, f"  {program}: ended after {seen} of {planned} tests")
    return failed


def add_stderr(tally, entry):
    """What a sanitizer or valgrind has to say goes to stderr; its beginning says most."""
    lines = [l for l in entry.get("stderr", "").splitlines() if not CHATTER.match(l)]
    shown = lines if len(lines) <= 60 else lines[:40] + ["..."] + lines[-20:]
    if shown:
        tally.reports.append("\n".join(["    its stderr:"] + ["    | " + l for l in shown]))


def add_program(tally, entry):
    program, result = entry["name"], entry["result"]
    lines = entry.get("stdout", "").splitlines()
    failed = 0
    if any(PLAN.match(line) for line in lines):
        failed = add_tap(tally, program, lines)
        if failed:
            add_stderr(tally, entry)
        if failed or result in ("OK", "SKIP"):
            return
    elif result == "OK":
        tally.passed += 1
        return
    elif result == "SKIP":
        tally.skipped += 1
        return
    tail = (entry.get("stdout", "") + entry.get("stderr", "")).splitlines()[-20:]
    text = [f"  {program}: {result}, exit status {entry.get('returncode')}"]
    tally.fail(1, "\n".join(text + ["    " + line for line in tail]))


def tally_log(path):
    tally = Tally()
    with open(path, encoding="utf-8", errors="replace") as log:
        if path.endswith(".tap"):
            text = log.read()
            result = "OK" if PLAN.match(text) else "ERROR"
            add_program(tally, {"name": "tests", "stdout": text, "result": result})
        else:
            for line in log:
                add_program(tally, json.loads(line))
    return tally


def main(paths):
    passed = failed = skipped = 0
    for path in paths:
        tally = tally_log(path)
        for report in tally.reports:
            print(report)
        passed += tally.passed
        failed += tally.failed
        skipped += tally.skipped
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
