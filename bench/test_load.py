# SPDX-License-Identifier: MIT
"""The load generator's percentiles are those of what it was given, and it measures a server."""

import ctypes
import os
import random
import subprocess
import tempfile
import unittest

import execute
import measures
import programs

STEPS, SLOTS = 64, 64 * 40


class Histogram(ctypes.Structure):
    _fields_ = [("total", ctypes.c_uint64), ("slots", ctypes.c_uint64 * SLOTS)]


class Percentiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = os.path.join(cls.folder.name, "histogram.so")
        subprocess.run(["cc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-o", path,
                        *programs.sources("load/histogram.c")], check=True)
        cls.library = ctypes.CDLL(path)
        cls.library.histogram_percentile.restype = ctypes.c_uint64

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def percentiles(self, values, shares):
        histogram = Histogram()
        for value in values:
            self.library.histogram_add(ctypes.byref(histogram), ctypes.c_uint64(value))
        return [self.library.histogram_percentile(ctypes.byref(histogram), ctypes.c_double(share))
                for share in shares]

    def test_small_values_are_exact(self):
        self.assertEqual(self.percentiles(range(1, 51), (0.02, 0.5, 0.98, 1.0)), [1, 25, 49, 50])

    def test_large_ones_are_right_to_one_step_of_64(self):
        source = random.Random(1)
        values = sorted(int(source.lognormvariate(12, 2)) for _ in range(5000))
        shares = (0.01, 0.5, 0.9, 0.99, 1.0)
        for share, found in zip(shares, self.percentiles(values, shares)):
            true = values[max(0, -(-int(share * 10000) * len(values) // 10000) - 1)]
            self.assertGreaterEqual(found, true, share)
            self.assertLessEqual(found, true * (1 + 1 / STEPS), share)

    def test_what_is_too_large_lands_in_the_last_slot(self):
        found = self.percentiles([2**63], [1.0])[0]
        self.assertGreater(found, 2**43)


class Load(unittest.TestCase):
    """One short load against the raw loop, by each engine and over both kinds of socket."""

    def test_every_engine_and_address_gives_four_values(self):
        with tempfile.TemporaryDirectory() as folder:
            old, programs.BIN = programs.BIN, folder
            try:
                loop = next(p for p in programs.PROGRAMS if p.name == "epoll-et")
                runner = execute.Runner({loop.name: loop.build(loop)}, programs.build_load())
                for run in measures.select("echo-64,echo-unix-64"):
                    for flags in ([], ["--epoll"]):
                        self.check_load(runner, loop, run, flags)
            finally:
                programs.BIN = old

    def test_a_round_gives_each_server_its_values_or_the_reason_why_not(self):
        with tempfile.TemporaryDirectory() as folder:
            old, programs.BIN = programs.BIN, folder
            try:
                first, second = (next(p for p in programs.PROGRAMS if p.name == name)
                                 for name in ("epoll-et", "epoll-lt"))
                commands = {first.name: first.build(first), second.name: ["/bin/false"]}
                runner = execute.Runner(commands, programs.build_load())
                run = measures.select("echo-1")[0]
                found = runner.measure_servers([first, second], run)
            finally:
                programs.BIN = old
        self.assertEqual(len(found[first.name]), 4)
        self.assertIsInstance(found[second.name], execute.Failed)

    def check_load(self, runner, loop, run, flags):
        with execute.Server(runner, loop, run) as server:
            command = [*runner.load_command(server, run, 0.05, 0.05), *flags]
            values = execute.read_values(execute.finish(command, runner.client_cpu).stdout)
        names = [run.name, f"{run.name}-rps", f"{run.name}-p50", f"{run.name}-p99"]
        self.assertEqual(sorted(values), sorted(names))
        self.assertTrue(all(value > 0 for value, _ in values.values()), values)
        self.assertLessEqual(values[f"{run.name}-p50"][0], values[f"{run.name}-p99"][0])


if __name__ == "__main__":
    unittest.main()
