# SPDX-License-Identifier: MIT
"""gevent: greenlets in Python over libev."""

import socket
import sys
import time

import gevent
from gevent.server import StreamServer

import ground
from ground import BATCH, ns_each, report


def yields(count):
    for _ in range(count):
        gevent.sleep(0)


def measure_yield(_):
    count = 100_000
    start = time.perf_counter()
    gevent.joinall([gevent.spawn(yields, count // 2) for _ in range(2)])
    report("yield", ns_each(start, count), "ns")


def measure_yield_100k(_):
    each = 3
    hub = gevent.get_hub()

    def wait_then_yield():
        hub.switch()
        yields(each)

    greenlets = [gevent.spawn(wait_then_yield) for _ in range(BATCH)]
    yields(2)
    order = ground.shuffled(greenlets[:])
    start = time.perf_counter()
    for greenlet in order:
        hub.loop.run_callback(greenlet.switch)
    gevent.joinall(greenlets)
    report("yield-100k", ns_each(start, BATCH * each), "ns")


def nothing():
    pass


def measure_spawn(_):
    count = 20_000
    start = time.perf_counter()
    for _ in range(count):
        gevent.spawn(nothing).join()
    report("spawn", ns_each(start, count), "ns")


def measure_batch(_):
    for name in "spawn-batch-cold", "spawn-batch":
        start = time.perf_counter()
        gevent.joinall([gevent.spawn(nothing) for _ in range(BATCH)])
        report(name, ns_each(start, BATCH), "ns")


def measure_pingpong(_):
    count = 100_000
    hub = gevent.get_hub()

    def play():
        other = players[gevent.getcurrent() is players[0]]
        for _ in range(count // 2):
            hub.loop.run_callback(other.switch)
            hub.switch()
        if not other.dead:
            hub.loop.run_callback(other.switch)

    start = time.perf_counter()
    players = [gevent.spawn(play), gevent.spawn(play)]
    gevent.joinall(players)
    report("pingpong", ns_each(start, count), "ns")


def measure_parked(lead):
    parked = 0

    def sleep():
        nonlocal parked
        parked += 1
        gevent.sleep(deadline - time.perf_counter())

    memory = ground.memory_bytes()
    start = time.perf_counter()
    deadline = start + float(lead)
    greenlets = [gevent.spawn(sleep) for _ in range(BATCH)]
    while parked < BATCH:
        gevent.sleep(0)
    created = time.perf_counter()
    memory = ground.memory_bytes() - memory
    if created >= deadline:
        sys.exit(ground.TOO_LATE)
    gevent.joinall(greenlets)
    woken = time.perf_counter() - deadline
    ground.report_parked("parked-100k", BATCH, memory, created - start, woken)


def measure_sleeps(name, count, duration):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        gevent.sleep(duration)
        times.append((start, time.perf_counter()))
    report(name, ground.median_late_us(times, duration), "us")


def measure_scope(_):
    count = 100_000
    start = time.perf_counter()
    for _ in range(count):
        with gevent.Timeout(3600):
            nothing()
    report("scope-in", ns_each(start, count), "ns")


def echo(connection, _):
    while data := connection.recv(4096):
        connection.sendall(data)


def serve(path):
    ground.fds_raise()
    if path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
    else:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    listener.setblocking(False)
    print("ready", 0 if path else listener.getsockname()[1], flush=True)
    StreamServer(gevent.socket.socket(fileno=listener.detach()), echo).serve_forever()


MEASURES = {
    "yield": measure_yield,
    "yield-100k": measure_yield_100k,
    "spawn": measure_spawn,
    "spawn-batch": measure_batch,
    "pingpong": measure_pingpong,
    "parked-100k": measure_parked,
    "sleep-100us": lambda _: measure_sleeps("sleep-100us", 300, 100e-6),
    "sleep-1ms": lambda _: measure_sleeps("sleep-1ms", 300, 1e-3),
    "scope": measure_scope,
    "echo": serve,
}

if __name__ == "__main__":
    chosen, argument = ground.arguments(MEASURES)
    MEASURES[chosen](argument)
