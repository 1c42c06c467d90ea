# SPDX-License-Identifier: MIT
"""The intervals that the benchmarks print are what they claim to be."""

import random
import statistics
import unittest

import stats


class Interval(unittest.TestCase):
    def test_ranks_are_those_of_the_binomial_table(self):
        # Two-sided sign test at 5 %: n -> values below the interval's lower end.
        table = {6: 0, 8: 0, 9: 1, 12: 2, 15: 3, 20: 5, 25: 7, 31: 9, 50: 17}
        for count, rank in table.items():
            self.assertEqual(stats.rank_of_interval(count), rank, count)

    def test_fewer_than_six_values_cannot_give_95_percent(self):
        self.assertIsNone(stats.rank_of_interval(5))
        self.assertEqual(stats.interval_of_median([3, 1, 2]), (1, 3))

    def test_interval_of_nine_cuts_one_value_at_each_end(self):
        self.assertEqual(stats.interval_of_median([9, 1, 8, 2, 7, 3, 6, 4, 5]), (2, 8))

    def test_interval_holds_the_true_median_at_least_95_times_of_100(self):
        source = random.Random(1)
        held = 0
        for _ in range(2000):
            values = [source.expovariate(1) for _ in range(31)]
            low, high = stats.interval_of_median(values)
            held += low <= 0.693147 <= high
        self.assertGreaterEqual(held, 1900)
        self.assertLess(held, 2000)


class PairedRatio(unittest.TestCase):
    def test_noise_that_both_share_cancels(self):
        theirs = {n: 10.0 * (n + 1) for n in range(9)}
        ours = {n: value * 1.02 for n, value in theirs.items()}
        ratio = stats.paired_ratio(ours, theirs)
        for key in ("ratio", "ratio_low", "ratio_high"):
            self.assertAlmostEqual(ratio[key], 1.02)

    def test_it_is_the_median_of_the_ratios_not_the_ratio_of_medians(self):
        ours, theirs = {0: 1, 1: 12, 2: 4}, {0: 4, 1: 2, 2: 1}
        self.assertEqual(stats.paired_ratio(ours, theirs)["ratio"], 4)
        self.assertEqual(statistics.median(ours.values()) / statistics.median(theirs.values()), 2)

    def test_rounds_that_only_one_side_ran_do_not_count(self):
        ratio = stats.paired_ratio({0: 2, 1: 100, 2: 4}, {0: 1, 2: 2})
        self.assertEqual(ratio["ratio"], 2)

    def test_without_a_common_round_there_is_no_ratio(self):
        self.assertIsNone(stats.paired_ratio({0: 1}, {1: 1}))


if __name__ == "__main__":
    unittest.main()
