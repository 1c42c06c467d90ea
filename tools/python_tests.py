#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests of the tools (tests/tools/test_*.py, bench/test_*.py) and prints TAP."""

import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("tests/tools", "bench")


class Tap(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0

    def say(self, verdict, test, note=""):
        self.number += 1
        print(f"{verdict} {self.number} - {test.id()}{note}", flush=True)

    def addSuccess(self, test):
        self.say("ok", test)

    def addSkip(self, test, reason):
        self.say("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        self.say("not ok", test)
        for line in self._exc_info_to_string(err, test).splitlines():
            print(f"# {line}", flush=True)

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err:
            self.addFailure(subtest, err)


def main():
    suites = []
    for folder in FOLDERS:
        path = os.path.join(ROOT, folder)
        if os.path.isdir(path):
            # A loader of its own: it remembers the first top folder it was given.
            suites.append(unittest.TestLoader().discover(path, "test_*.py", path))
    suite = unittest.TestSuite(suites)
    print(f"1..{suite.countTestCases()}", flush=True)
    suite.run(Tap())


if __name__ == "__main__":
    sys.exit(main())
