# SPDX-License-Identifier: MIT
"""One start of one program: pinned, with a time limit, its printed lines read as values."""

import contextlib
import os
import re
import select
import statistics
import subprocess
import tempfile
import time

TIMEOUT_S = 180
READY_S = 20
TOO_LATE = 3
LEAD_MAX_S = 60
SLICES, SLICE_S, WARM_S = 8, 0.125, 0.1  # of an echo server's round

LINE = re.compile(r"^([\w-]+) (-?[\d.]+(?:e[-+]?\d+)?) (\S+)$", re.M)


class Failed(Exception):
    """A program ended in error, or said nothing."""


def cpus():
    """The CPU of a measured program and that of its client: apart when two are online."""
    online = sorted(os.sched_getaffinity(0))
    return online[-1], online[0]


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def read_values(text):
    """{measure: (value, unit)} from the lines that a program printed."""
    return {name: (float(value), unit) for name, value, unit in LINE.findall(text)}


def finish(command, cpu, environment=None):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S,
                              preexec_fn=pinned(cpu), env={**os.environ, **(environment or {})},
                              check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"no result after {TIMEOUT_S} s") from None
    if done.returncode not in (0, TOO_LATE):
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Failed(lines[-1])
    return done


class Runner:
    """Starts programs, and remembers how much lead each needs to get all of its sleepers to
    sleep before their common deadline."""

    def __init__(self, commands, tools):
        self.commands = commands
        self.tools = tools
        self.leads = {}
        self.cpu, self.client_cpu = cpus()

    def measure(self, program, run):
        if run.touch_bytes:
            finish([*self.tools["touch"], str(run.touch_bytes)], self.cpu)
        values = self.measure_alone(program, run)
        if not values:
            raise Failed("it printed no value")
        return values

    def measure_alone(self, program, run):
        command = [*self.commands[program.name], run.name]
        if not run.lead_s:
            return read_values(finish(command, self.cpu, program.environment).stdout)
        lead = self.leads.get((program.name, run.name), run.lead_s)
        while lead <= LEAD_MAX_S:
            done = finish([*command, str(lead)], self.cpu, program.environment)
            if done.returncode == 0:
                return read_values(done.stdout)
            lead *= 2
            self.leads[program.name, run.name] = lead
        raise Failed(f"its sleepers were not all asleep after {LEAD_MAX_S} s")

    def measure_servers(self, programs, run):
        """One round of echo servers: all are up, and are loaded in short turns, there and back,
        so that a machine that changes its speed within a round meets all of them alike.
        {name: values, or why there are none}"""
        servers, found = {}, {}
        with contextlib.ExitStack() as up:
            for program in programs:
                try:
                    servers[program.name] = up.enter_context(Server(self, program, run))
                except Failed as reason:
                    found[program.name] = reason
            slices = {name: [] for name in servers}
            for number in range(SLICES):
                for name in servers if number % 2 == 0 else reversed(servers):
                    if name in found:
                        continue
                    try:
                        slices[name].append(self.load(servers[name], run))
                    except Failed as reason:
                        found[name] = reason
        return {name: merge(parts) for name, parts in slices.items()} | found

    def load(self, server, run):
        command = self.load_command(server, run, SLICE_S, WARM_S)
        return read_values(finish(command, self.client_cpu).stdout)

    def load_command(self, server, run, window_s, warm_s):
        return [*self.tools["load"], "--name", run.name, "--server", str(server.pid),
                "--connections", str(run.connections), "--warm", str(warm_s),
                "--window", str(window_s), *server.address]


def merge(slices):
    """The mean over the slices of a round, which are equally long."""
    return {name: (statistics.fmean(part[name][0] for part in slices), unit)
            for name, (_, unit) in slices[0].items()} if slices else {}


class Server:
    """An echo server while a `with` lasts, ended by its process id."""

    def __init__(self, runner, program, run):
        self.folder = tempfile.TemporaryDirectory(prefix="fern-bench-")
        command = [*runner.commands[program.name], "echo"]
        self.path = os.path.join(self.folder.name, "echo.sock") if run.unix else None
        if self.path:
            command.append(self.path)
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=pinned(runner.cpu), env={**os.environ, **program.environment})
        self.pid = self.process.pid
        self.address = None

    def __enter__(self):
        try:
            port = self.wait_ready()
        except Failed:
            self.__exit__()
            raise
        self.address = ["--path", self.path] if self.path else ["--port", port]
        return self

    def wait_ready(self):
        deadline = time.monotonic() + READY_S
        text = b""
        while time.monotonic() < deadline:
            if not select.select([self.process.stdout], [], [], 0.5)[0]:
                continue
            part = os.read(self.process.stdout.fileno(), 4096)
            text += part
            found = re.search(rb"^ready (\d+)$", text, re.M)
            if found:
                return found.group(1).decode()
            if not part:
                break
        raise Failed("the echo server did not get ready")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()
