# SPDX-License-Identifier: MIT
"""The example programs of a well-known tutorial, and what its text says they print."""

import glob
import os
import subprocess
import sys
import time

from server import example

TITLE = "The programs of a tutorial, compared with what it says they print"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LONG = {"002-16-two-coroutines"}  # of 100 s of sleep: in virtual time only
RUN_EXAMPLE = os.path.join(ROOT, "tools", "run_example.py")


def start(build, name, poller):
    program = example(build, "seeds_" + name.replace("-", "_"))
    return subprocess.Popen(
        [sys.executable, RUN_EXAMPLE, program, f"{ROOT}/examples/seeds/{name}.out"],
        env={**os.environ, "FERN_POLLER": poller}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)


def run_all(build, names, poller):
    """All at once; {name: difference} of those that printed something else."""
    processes = {name: start(build, name, poller) for name in names}
    texts = {name: process.communicate(timeout=120)[0] for name, process in processes.items()}
    return {name: texts[name] for name in names if processes[name].returncode}


def run_patiently(build, names, poller):
    """As run_all; in real time a busy machine may be late, so those that differ run again."""
    differ = run_all(build, names, poller)
    return run_all(build, list(differ), poller) if differ and poller != "sim" else differ


def show(build):
    names = sorted(os.path.basename(path)[:-2] for path in
                   glob.glob(f"{ROOT}/examples/seeds/*.c"))
    assert names, "there are no examples"
    for poller, what in (("sim", "in virtual time"), ("epoll", "in real time")):
        began = time.monotonic()
        shown = [name for name in names if poller == "sim" or name not in LONG]
        failed = run_patiently(build, shown, poller)
        left_out = f"; {', '.join(LONG)} sleeps for 100 s" if len(shown) < len(names) else ""
        print(f"   {what:16} {len(shown) - len(failed)} of {len(shown)} as they should be"
              f"  ({time.monotonic() - began:.1f} s{left_out})", flush=True)
        assert not failed, "\n".join(f"{name}:\n{text}" for name, text in failed.items())
    return f"{len(names)} tutorial programs print what they should"
