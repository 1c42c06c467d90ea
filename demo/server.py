# SPDX-License-Identifier: MIT
"""Starting and stopping the servers of the demonstration."""

import contextlib
import os
import socket
import subprocess
import time


def example(build, name):
    return os.path.abspath(os.path.join(build, "examples", "example_" + name))


def stop(process):
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def serving(*command):
    """Run a server of fern's, whose first line tells its address; yields process and address."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline().split()
        assert line, f"{command[0]} did not start"
        yield process, line[-1]
    finally:
        stop(process)
        process.stdout.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(process, port):
    for _ in range(500):
        if process.poll() is not None:
            raise OSError(f"it ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise OSError("it does not listen")


@contextlib.contextmanager
def running(command, port):
    """Run somebody else's server on a port of 127.0.0.1; yields its address.

    Raises OSError when it does not start."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_listening(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        stop(process)
