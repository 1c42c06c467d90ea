# SPDX-License-Identifier: MIT
"""How much of the machine others used meanwhile: what makes a run untrustworthy."""

import os
import resource
import time


def read_busy(text):
    """Seconds that all CPUs were not idle, from the first line of /proc/stat."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, text.split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def busy():
    with open("/proc/stat", encoding="ascii") as file:
        return read_busy(file.read())


def own():
    """Seconds of this process and of its children that have ended."""
    total = 0.0
    for who in resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN:
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


class Watch:
    """The share of all CPU time that others took since it was made, 0 to 1."""

    def __init__(self):
        self.start = time.monotonic(), busy(), own()

    def others(self):
        start, busy_before, own_before = self.start
        capacity = (time.monotonic() - start) * (os.cpu_count() or 1)
        used = (busy() - busy_before) - (own() - own_before)
        return min(max(used / capacity, 0.0), 1.0) if capacity > 0 else 0.0
