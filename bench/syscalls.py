# SPDX-License-Identifier: MIT
"""System calls per request of an echo server, in a short run of its own. `perf stat` counts them
at full speed. Where it cannot, `strace` does, which slows the server down so much that the next
message has always come: reads that find nothing are hidden then, and polls differ."""

import re
import shutil
import subprocess
import time

from execute import WARM_S, Failed, Server, pinned

KINDS = {
    "recv": ("recvfrom", "recvmsg", "read", "readv", "preadv2"),
    "send": ("sendto", "sendmsg", "write", "writev", "pwritev2"),
    "poll": ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"),
    "ctl": ("epoll_ctl",),
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}
SETTLE_S = 1.0
COUNT_S = 1.0
PREFIX = "syscalls:sys_enter_"


def read_strace(text):
    """{system call: calls} from the table of `strace -c`."""
    counts = {}
    for line in text.splitlines():
        fields = line.split()
        # % time, seconds, usecs/call, calls, [errors,] syscall
        if len(fields) in (5, 6) and fields[3].isdigit():
            counts[fields[-1]] = int(fields[3])
    return counts


def read_perf(text):
    """{system call: calls} from the lines of `perf stat -x,`."""
    found = re.findall(rf"^(\d+),[^,]*,{PREFIX}(\w+),", text, re.M)
    return {name: int(calls) for calls, name in found}


def per_request(counts):
    """{kind: calls per request}. Each answer is one send, and no send of 64 bytes fails."""
    totals = dict.fromkeys(KINDS, 0)
    for name, calls in counts.items():
        if name in KIND_OF:
            totals[KIND_OF[name]] += calls
    if not totals["send"]:
        raise Failed("no answers were seen")
    return {kind: calls / totals["send"] for kind, calls in totals.items()}


class Counter:
    """The way of counting that this machine has: `name`, or None if it has none."""

    def __init__(self):
        self.name = None
        self.events = self.perf_events()
        if self.events:
            self.name = "perf"
        elif shutil.which("strace"):
            self.name = "strace"

    @staticmethod
    def perf_events():
        """The events of the calls that this kernel has, if it lets us count them."""
        if not shutil.which("perf"):
            return []
        known = subprocess.run(["perf", "list", f"{PREFIX}*"], capture_output=True, text=True,
                               check=False).stdout
        names = set(re.findall(rf"{PREFIX}(\w+)", known)) & KIND_OF.keys()
        events = [f"{PREFIX}{name}" for name in sorted(names)]
        works = events and subprocess.run(["perf", "stat", "-e", ",".join(events), "true"],
                                          capture_output=True, check=False).returncode == 0
        return events if works else []

    def count(self, pid):
        if self.name == "perf":
            done = subprocess.run(
                ["perf", "stat", "-x,", "-e", ",".join(self.events), "-p", str(pid), "--",
                 "sleep", str(COUNT_S)], capture_output=True, text=True, check=False)
            return read_perf(done.stderr)
        trace = subprocess.Popen(["strace", "-f", "-c", "-p", str(pid)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(COUNT_S)
        trace.send_signal(2)
        return read_strace(trace.communicate(timeout=20)[1])

    def measure(self, runner, program, run):
        """{kind: calls per request} in steady state."""
        with Server(runner, program, run) as server:
            load = subprocess.Popen(
                runner.load_command(server, run, SETTLE_S + COUNT_S + 2, WARM_S),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                preexec_fn=pinned(runner.client_cpu))
            try:
                time.sleep(SETTLE_S)
                return per_request(self.count(server.pid))
            finally:
                load.terminate()
                load.wait()
