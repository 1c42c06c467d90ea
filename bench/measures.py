# SPDX-License-Identifier: MIT
"""What is run, how often, and what it is about. One run is one start of a program; it may take
several measures, whose names begin with that of the run."""

from dataclasses import dataclass

GIB = 1 << 30


@dataclass(frozen=True)
class Run:
    name: str
    about: str
    rounds: int = 9
    # Long runs: these programs take part in every round, the others in each `every`-th.
    close: tuple = ()
    every: int = 1
    # Seconds until the deadline common to all sleepers; made longer when it proves too short.
    lead_s: float = 0
    # Touched by another process right before each start, so that the host has backed them.
    touch_bytes: int = 0
    # Of an echo server.
    connections: int = 0
    unix: bool = False

    @property
    def group(self):
        return self.name.split("-")[0]


CLOSE_1M = ("fern", "go")
CLOSE_ECHO = ("fern", "epoll-lt", "epoll-et", "epoll-own", "blocking")

RUNS = (
    Run("yield", "a yield between two threads, per switch"),
    Run("yield-callers", "the same from two different chains of callers"),
    Run("yield-100k", "a yield among 100,000 threads made ready in random order"),
    Run("spawn", "spawn, run and join an empty thread, one after another"),
    Run("spawn-batch", "spawn 100,000 empty threads, then wait until all have ended, per thread"),
    Run("pingpong", "a message back and forth between two threads, per message"),
    Run("parked-100k", "100,000 threads in a sleep: memory of each, time to create and to wake",
        lead_s=1),
    Run("parked-1m", "1,000,000 threads in a sleep", rounds=7, close=CLOSE_1M, every=3,
        lead_s=4, touch_bytes=5 * GIB),
    Run("sleepers-1m", "1,000,000 sleeps of up to 1 s: CPU time, first and second round in one "
        "process", rounds=7, close=CLOSE_1M, every=3, touch_bytes=5 * GIB),
    Run("sleep-100us", "how late a sleep of 100 us ends, median"),
    Run("sleep-1ms", "how late a sleep of 1 ms ends, median"),
    Run("scope", "a timeout around an operation that succeeds at once"),
    Run("cancel", "an operation that is cancelled, or times out, against one that succeeds"),
    Run("queue-pingpong", "a ball between two threads through two queues of one place, per pass"),
    Run("queue-rendezvous", "the same through two channels without any place, per pass"),
    Run("queue-buffered", "items of 8 bytes through a queue of 128 places, per item"),
    Run("queue-select", "the first of 8 channels that gives an item, per item"),
    Run("queue-skynet", "a tree of threads, ten children a node, a million leaves: the sum by join",
        touch_bytes=2 * GIB),
    Run("queue-skynet-channel", "the same through a channel of each node", touch_bytes=2 * GIB),
    Run("pool-map", "1,000,000 items through a pool of 100, results in order, per item"),
    Run("queue-mutex", "taking and releasing a mutex that nobody else wants"),
    Run("queue-event", "waking 1,000 (10,000) that wait for one event, per waiter"),
    Run("echo-1", "TCP echo of 64 bytes, 1 connection: server CPU per request",
        rounds=31, close=CLOSE_ECHO, every=4, connections=1),
    Run("echo-64", "TCP echo of 64 bytes, 64 connections: server CPU per request",
        rounds=31, close=CLOSE_ECHO, every=4, connections=64),
    Run("echo-1000", "TCP echo of 64 bytes, 1000 connections: server CPU per request",
        rounds=31, close=CLOSE_ECHO, every=4, connections=1000),
    Run("echo-unix-64", "Unix socket echo of 64 bytes, 64 connections: server CPU per request",
        rounds=31, close=CLOSE_ECHO, every=4, connections=64, unix=True),
)


def select(only):
    """The runs that ONLY names, by first word or in full; all if it names none."""
    words = [word for word in only.replace(",", " ").split() if word]
    known = {run.group for run in RUNS} | {run.name for run in RUNS}
    unknown = [word for word in words if word not in known]
    if unknown:
        groups = " ".join(dict.fromkeys(run.group for run in RUNS))
        raise ValueError(f"no measure named {' '.join(unknown)}; groups are: {groups}")
    return [run for run in RUNS if not words or run.group in words or run.name in words]
