# SPDX-License-Identifier: MIT
"""Ten thousand connections held open and echoing, through one server thread."""

import os
import re
import resource
import subprocess
import sys

from server import example, serving, stop

TITLE = "Ten thousand connections through one server thread, clients in a second process"
WANTED = 10_000
SPARE_FDS = 50
SECONDS = 4
PAGE_KIB = resource.getpagesize() // 1024


def affordable():
    """As many as the limit on descriptors allows, which no program may raise."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= WANTED + SPARE_FDS:
        return WANTED
    print(f"   The limit on descriptors is {hard:,} here: {hard - SPARE_FDS:,} connections, "
          f"not {WANTED:,}")
    return hard - SPARE_FDS


def status(pid):
    """(threads, KiB of memory with its page tables) of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    kib = int(fields["VmRSS"].split()[0]) + int(fields["VmPTE"].split()[0])
    return int(fields["Threads"]), kib


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Progress:
    """One line that is written over; on something that is no terminal, only its last state."""

    def __init__(self):
        self.text = ""

    def show(self, text):
        if sys.stdout.isatty():
            print(f"\r   {text:<70}", end="", flush=True)
        self.text = text

    def end(self):
        print(f"\r   {self.text:<70}".rstrip(), flush=True)


def follow(clients, until, form):
    """Show the progress that the clients print, until a line begins so; returns that line."""
    progress = Progress()
    for line in clients.stdout:
        if line.startswith(until):
            progress.end()
            return line
        progress.show(form(int(line.split()[1])))
    raise AssertionError(f"the clients ended with {clients.wait()}")


def phase(clients, name, what):
    """Follow a phase; returns messages a second."""
    line = follow(clients, f"{name}-rate", lambda count: f"{what}: {count:,} answers")
    rate = int(re.search(r"rate (\d+)", line).group(1))
    at = dict(re.findall(r"p([\d.]+) ([\d.]+)", line))
    print(f"      {rate:,} a second; half within {at['50']} ms, 90 % within {at['90']} ms, "
          f"99 % within {at['99']} ms, 99.9 % within {at['99.9']} ms", flush=True)
    return rate


def drive(server, clients, count):
    """Returns the clause for the last line."""
    _, before = status(server.pid)
    follow(clients, "opened", lambda n: f"open: {n:,} of {count:,}")
    clients.stdin.write("\n")
    clients.stdin.flush()
    phase(clients, "paced", "one message a second on each")
    threads, after = status(server.pid)
    each = (after - before) / count
    print(f"      the server: {threads} thread{'s' * (threads > 1)}, {each:.1f} KiB of memory "
          f"for each connection (the kernel's buffers not counted)", flush=True)
    used = cpu_seconds(server.pid)
    rate = phase(clients, "flat", "each sends again at once")
    used = cpu_seconds(server.pid) - used
    print(f"      the server used {1e6 * used / (rate * SECONDS):.1f} us of CPU for each",
          flush=True)
    assert threads == 1, f"the server has {threads} threads"
    assert clients.wait(timeout=30) == 0, "the clients failed"
    return f"{count:,} connections through {threads} thread, {each:.1f} KiB each, " \
           f"{rate:,} echoes a second"


def show(build):
    count = affordable()
    with serving(example(build, "echo_server"), "127.0.0.1:0") as (server, address):
        clients = subprocess.Popen([example(build, "echo_clients"), address, str(count),
                                    str(SECONDS)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        try:
            return drive(server, clients, count)
        finally:
            stop(clients)
            clients.stdin.close()
            clients.stdout.close()
