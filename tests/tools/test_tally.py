# SPDX-License-Identifier: MIT
"""The count of tests cannot be made to look better than it is."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TALLY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "tally.py")


class Tally(unittest.TestCase):
    def tally(self, *entries):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
            for stdout, result in entries:
                log.write(json.dumps({"name": "p", "stdout": stdout, "result": result,
                                      "returncode": 0}) + "\n")
            log.flush()
            done = subprocess.run([sys.executable, TALLY, log.name], capture_output=True, text=True)
        return done.returncode, done.stdout.strip().splitlines()[-1]

    def test_single_tests_are_counted(self):
        self.assertEqual(self.tally(("1..2\nok 1 - a\nok 2 - b\n", "OK")),
                         (0, "2 passed, 0 failed, 0 skipped"))

    def test_a_failed_one_is_counted_once(self):
        self.assertEqual(self.tally(("1..2\nok 1 - a\nnot ok 2 - b\n# why\n", "ERROR")),
                         (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_skipped_one_has_not_passed(self):
        self.assertEqual(self.tally(("1..1\nok 1 - a # SKIP why\n", "SKIP")),
                         (1, "0 passed, 0 failed, 1 skipped"))

    def test_announced_but_missing_ones_have_failed(self):
        self.assertEqual(self.tally(("1..5\nok 1 - a\n", "ERROR")),
                         (1, "1 passed, 4 failed, 0 skipped"))

    def test_a_bad_end_after_all_results_is_a_failure(self):
        self.assertEqual(self.tally(("1..1\nok 1 - a\n", "ERROR")),
                         (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_program_without_tap_is_one_test(self):
        self.assertEqual(self.tally(("hello\n", "OK"), ("", "FAIL"), ("", "SKIP")),
                         (1, "1 passed, 1 failed, 1 skipped"))

    def test_a_run_that_timed_out_has_failed(self):
        self.assertEqual(self.tally(("1..1\n", "TIMEOUT"))[0], 1)

    def test_nothing_at_all_is_no_success(self):
        self.assertEqual(self.tally(), (1, "0 passed, 0 failed, 0 skipped"))


if __name__ == "__main__":
    unittest.main()
