# SPDX-License-Identifier: MIT
"""What the project set itself, compared with what a run gave."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    measure: str
    program: str  # the one that we are compared with; fern for a bound on our own value
    field: str  # of the row
    bound: float
    at_least: bool = False

    def judge(self, row):
        value = row[self.field]
        return value >= self.bound if self.at_least else value <= self.bound

    def text(self):
        sign = ">=" if self.at_least else "<="
        if self.program == "fern":
            return f"{self.measure} {sign} {self.bound:g}"
        end = ", upper end" if self.field == "ratio_high" else ""
        return f"{self.measure} / {self.program}{end} {sign} {self.bound:g}"


def echo_goals():
    for loop in "epoll-lt", "epoll-et":
        for measure, bound in ("echo-64", 1.03), ("echo-1000", 1.03), ("echo-unix-64", 1.08):
            yield Goal(measure, loop, "ratio_high", bound)
        yield Goal("echo-1-rps", loop, "ratio", 1.5, at_least=True)
        yield Goal("echo-1", loop, "ratio", 1.0)


GOALS = (
    Goal("yield", "boost", "ratio", 1.1),
    Goal("yield", "go", "ratio", 0.12),
    Goal("spawn", "go", "ratio", 0.12),
    Goal("spawn-batch", "go", "ratio", 0.015),
    Goal("parked-1m-bytes", "fern", "median", 4750),
    Goal("parked-1m-create", "go", "ratio", 1.0),
    Goal("parked-1m-wake", "go", "ratio", 0.5),
    Goal("sleepers-1m", "go", "ratio", 0.9),
    Goal("sleepers-1m-warm", "go", "ratio", 0.5),
    Goal("sleep-100us", "nanosleep", "ratio", 1.3),
    Goal("sleep-1ms", "nanosleep", "ratio", 1.3),
    Goal("scope", "fern", "median", 10),
    Goal("scope-in-net", "fern", "median", 10),
    Goal("cancel-share", "fern", "median", 1),
    Goal("cancel-late-share", "fern", "median", 1),
    Goal("queue-pingpong", "go", "ratio", 0.17),
    Goal("queue-pingpong", "state-threads", "ratio", 0.85),
    Goal("queue-pingpong", "boost-fiber", "ratio", 0.85),
    Goal("queue-rendezvous", "go", "ratio", 0.17),
    Goal("queue-rendezvous", "boost-fiber", "ratio", 0.85),
    Goal("queue-buffered", "go", "ratio", 0.2),
    Goal("queue-select", "go", "ratio", 0.25),
    Goal("queue-skynet", "go", "ratio", 0.4),
    Goal("queue-skynet-channel", "go", "ratio", 0.4),
    Goal("queue-mutex", "go", "ratio", 0.35),
    *echo_goals(),
)


def verdicts(rows):
    """(goal, row, met) for each goal that the rows speak of."""
    by_key = {(row["measure"], row["program"]): row for row in rows}
    for goal in GOALS:
        row = by_key.get((goal.measure, goal.program))
        if row and row[goal.field] is not None:
            yield goal, row, goal.judge(row)
