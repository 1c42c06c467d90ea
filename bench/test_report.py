# SPDX-License-Identifier: MIT
"""What programs print becomes the right rows, and rows the right verdicts."""

import os
import unittest

import execute
import goals
import machine
import measures
import report
import run
import syscalls

STRACE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.600000           3       200           sendto
 35.00    0.350000           1       250        50 recvfrom
  5.00    0.050000          10        20           epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    1.000000           2       471        51 total
"""

PERF = """\
400,,syscalls:sys_enter_recvfrom,1000,100.00,,
3,,syscalls:sys_enter_epoll_pwait2,1000,100.00,,
<not counted>,,syscalls:sys_enter_read,0,100.00,,
"""


class Lines(unittest.TestCase):
    def test_only_lines_of_a_name_a_value_and_a_unit_are_values(self):
        text = "ready 8080\nyield 4.25 ns\n# yield 1 ns\nscope-in-net -1e-05 ns\nbad x ns\n"
        self.assertEqual(execute.read_values(text),
                         {"yield": (4.25, "ns"), "scope-in-net": (-1e-5, "ns")})

    def test_the_table_of_strace_is_read(self):
        self.assertEqual(syscalls.read_strace(STRACE),
                         {"sendto": 200, "recvfrom": 250, "epoll_wait": 20, "total": 471})

    def test_the_lines_of_perf_are_read(self):
        self.assertEqual(syscalls.read_perf(PERF), {"recvfrom": 400, "epoll_pwait2": 3})

    def test_calls_are_counted_per_answer(self):
        self.assertEqual(syscalls.per_request({"sendto": 200, "recvfrom": 250, "epoll_wait": 20,
                                               "total": 471, "futex": 9}),
                         {"recv": 1.25, "send": 1, "poll": 0.1, "ctl": 0})
        with self.assertRaises(execute.Failed):
            syscalls.per_request({"recvfrom": 250})


class Rows(unittest.TestCase):
    def rows(self):
        samples = report.Samples()
        for number, (ours, theirs) in enumerate([(2.0, 4.0), (3.0, 4.0), (4.0, 4.0)]):
            samples.add("go", number, {"yield": (theirs, "ns")})
            samples.add("fern", number, {"yield": (ours, "ns")})
        return samples.rows()

    def test_ours_comes_first_and_the_others_carry_the_ratio(self):
        ours, theirs = self.rows()
        self.assertEqual((ours["program"], ours["ratio"]), ("fern", None))
        self.assertEqual((ours["median"], ours["min"], ours["max"], ours["rounds"]), (3, 2, 4, 3))
        self.assertEqual((theirs["ratio"], theirs["ratio_low"], theirs["ratio_high"]),
                         (0.75, 0.5, 1.0))

    def test_every_row_has_the_keys_of_the_format(self):
        keys = "measure program unit median min max rounds ratio ratio_low ratio_high".split()
        for row in self.rows():
            self.assertEqual(list(row), keys)

    def test_numbers_keep_four_digits(self):
        self.assertEqual([report.number(n) for n in (0.1234, 1.2345, 12.345, 123456.7)],
                         ["0.123", "1.23", "12.3", "123,457"])


class Goals(unittest.TestCase):
    def test_a_goal_is_missed_by_the_upper_end_alone(self):
        row = {"measure": "echo-64", "program": "epoll-et", "ratio": 1.0, "ratio_high": 1.031}
        self.assertEqual([met for _, _, met in goals.verdicts([row])], [False])
        row["ratio_high"] = 1.03
        self.assertEqual([met for _, _, met in goals.verdicts([row])], [True])

    def test_every_goal_names_a_measure_of_a_run(self):
        for goal in goals.GOALS:
            self.assertEqual(sum(run.belongs(goal.measure, r) for r in measures.RUNS), 1, goal)


class Machine(unittest.TestCase):
    def test_idle_and_waiting_time_is_not_busy(self):
        tick = os.sysconf("SC_CLK_TCK")
        line = f"cpu {tick} 0 {tick} {9 * tick} {5 * tick} 0 {tick} 0 0 0\ncpu0 1 2 3"
        self.assertEqual(machine.read_busy(line), 3)

    def test_own_work_is_not_that_of_others(self):
        self.assertEqual(run.busy_text(0.01), "")
        self.assertIn("43%", run.busy_text(0.43))
        self.assertTrue(0 <= machine.Watch().others() <= 1)


class Selection(unittest.TestCase):
    def test_only_selects_by_first_word_or_by_name(self):
        names = [r.name for r in measures.select("yield,echo-64")]
        self.assertEqual(names, ["yield", "yield-callers", "yield-100k", "echo-64"])
        self.assertEqual(len(measures.select("")), len(measures.RUNS))

    def test_an_unknown_word_is_refused(self):
        with self.assertRaises(ValueError):
            measures.select("yields")

    def test_a_measure_belongs_to_the_run_of_the_longest_name(self):
        owners = [r.name for r in measures.RUNS if run.belongs("spawn-batch-cold", r)]
        self.assertEqual(owners, ["spawn-batch"])


class Order(unittest.TestCase):
    def test_rounds_turn_the_order_around_and_far_peers_join_some(self):
        bench = run.Bench.__new__(run.Bench)
        bench.left_out = {"libuv in echo-64": "it failed"}
        bench.programs = [p for p in run.programs.PROGRAMS
                          if p.name in ("fern", "epoll-et", "go", "libuv", "boost")]
        echo = measures.select("echo-64")[0]
        order = [[p.name for p in bench.due(echo, number)] for number in (0, 1, 4)]
        self.assertEqual(order, [["fern", "epoll-et", "go"], ["epoll-et", "fern"],
                                 ["fern", "epoll-et", "go"]])


if __name__ == "__main__":
    unittest.main()
