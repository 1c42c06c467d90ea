# SPDX-License-Identifier: MIT
"""Medians, and how sure they are, with nothing assumed about how values are spread."""

import math
import statistics

CONFIDENCE = 0.95


def rank_of_interval(count, confidence=CONFIDENCE):
    """How many values may be cut off at each end so that what is left still spans the median
    of what was sampled with that confidence; None when there are too few values for it.

    The median lies outside of the k-th lowest to the k-th highest of n values only if fewer than
    k of n fall on one side of it, and each falls there with probability one half.
    """
    tail = 0.0
    rank = None
    for below in range(count // 2 + 1):
        tail += math.comb(count, below) / 2**count
        if 2 * tail > 1 - confidence:
            break
        rank = below
    return rank


def interval_of_median(values):
    """(low, high) of the 95 % interval; with fewer than six values all of their range."""
    ordered = sorted(values)
    cut = rank_of_interval(len(ordered)) or 0
    return ordered[cut], ordered[len(ordered) - 1 - cut]


def summary(values):
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "rounds": len(values),
    }


def paired_ratio(ours, theirs):
    """Ours over theirs, round by round: the median ratio and its interval. Both are values by
    round number; rounds that only one of them ran do not count. None if no round is left."""
    ratios = [ours[n] / theirs[n] for n in sorted(ours.keys() & theirs.keys()) if theirs[n] > 0]
    if not ratios:
        return None
    low, high = interval_of_median(ratios)
    return {"ratio": statistics.median(ratios), "ratio_low": low, "ratio_high": high}
