# SPDX-License-Identifier: MIT
"""System calls per request of an echo server, counted by strace in a short run of its own. The
tracing slows the server down, so that each poll finds more: polls are fewer than at full speed,
receives and sends per request are what they are."""

import shutil
import subprocess
import time

from execute import Failed, Server, pinned

KINDS = {
    "recv": ("recvfrom", "recvmsg", "read", "readv"),
    "send": ("sendto", "sendmsg", "write", "writev"),
    "poll": ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"),
    "ctl": ("epoll_ctl",),
}
SETTLE_S = 0.5
COUNT_S = 1.0


def read_counts(text):
    """{kind: calls} and the number of sends that succeeded, from the table of `strace -c`."""
    counts = dict.fromkeys(KINDS, 0)
    answers = 0
    for line in text.splitlines():
        fields = line.split()
        # % time, seconds, usecs/call, calls, [errors,] syscall
        if len(fields) not in (5, 6) or not fields[3].isdigit():
            continue
        calls, errors = int(fields[3]), int(fields[4]) if len(fields) == 6 else 0
        for kind, names in KINDS.items():
            if fields[-1] in names:
                counts[kind] += calls
                answers += calls - errors if kind == "send" else 0
    return counts, answers


def per_request(runner, program, run):
    """{kind: calls per request} in steady state, or None without strace."""
    strace = shutil.which("strace")
    if not strace:
        return None
    with Server(runner, program, run) as server:
        load = subprocess.Popen(
            runner.load_command(server, run, SETTLE_S + COUNT_S + 2), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=pinned(runner.client_cpu))
        try:
            time.sleep(SETTLE_S)
            trace = subprocess.Popen(
                [strace, "-f", "-c", "-p", str(server.pid)], stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True)
            time.sleep(COUNT_S)
            trace.send_signal(2)
            text = trace.communicate(timeout=20)[1]
        finally:
            load.terminate()
            load.wait()
    counts, answers = read_counts(text)
    if not answers:
        raise Failed("strace saw no answers")
    return {kind: calls / answers for kind, calls in counts.items()}
