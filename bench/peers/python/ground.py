# SPDX-License-Identifier: MIT
"""What the measures of gevent, asyncio and uvloop stand on."""

import random
import resource
import statistics
import sys
import time

BATCH = 100_000
TOO_LATE = 3


def report(measure, value, unit):
    print(measure, value, unit, flush=True)


def ns_each(start, count):
    return (time.perf_counter() - start) * 1e9 / count


def memory_bytes():
    """Resident pages and page tables."""
    total = 0
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(("VmRSS:", "VmPTE:")):
                total += int(line.split()[1]) * 1024
    return total


def report_parked(name, count, memory, created, woken):
    report(f"{name}-bytes", memory / count, "B")
    report(f"{name}-create", created, "s")
    report(f"{name}-wake", woken, "s")


def median_late_us(times, duration):
    return statistics.median((end - start - duration) * 1e6 for start, end in times)


def shuffled(items):
    random.seed(42)
    random.shuffle(items)
    return items


def fds_raise():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def arguments(measures):
    """The measure to run and its argument, from the command line."""
    measure = sys.argv[1] if len(sys.argv) > 1 else ""
    if measure not in measures:
        sys.exit(f"no measure '{measure}'; there are: {' '.join(measures)}")
    return measure, sys.argv[2] if len(sys.argv) > 2 else None
