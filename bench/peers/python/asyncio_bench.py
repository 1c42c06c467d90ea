# SPDX-License-Identifier: MIT
"""asyncio, and with FERN_BENCH_LOOP=uvloop the same on uvloop."""

import asyncio
import os
import sys
import time

import ground
from ground import BATCH, ns_each, report


async def yields(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def measure_yield(_):
    count = 200_000
    start = time.perf_counter()
    await asyncio.gather(yields(count // 2), yields(count // 2))
    report("yield", ns_each(start, count), "ns")


async def measure_yield_100k(_):
    each = 3
    futures = [asyncio.get_running_loop().create_future() for _ in range(BATCH)]

    async def wait_then_yield(future):
        await future
        await yields(each)

    tasks = [asyncio.ensure_future(wait_then_yield(future)) for future in futures]
    await yields(2)
    ground.shuffled(futures)
    start = time.perf_counter()
    for future in futures:
        future.set_result(None)
    await asyncio.gather(*tasks)
    report("yield-100k", ns_each(start, BATCH * each), "ns")


async def nothing():
    pass


async def measure_spawn(_):
    count = 50_000
    start = time.perf_counter()
    for _ in range(count):
        await asyncio.create_task(nothing())
    report("spawn", ns_each(start, count), "ns")


async def measure_batch(_):
    for name in "spawn-batch-cold", "spawn-batch":
        start = time.perf_counter()
        await asyncio.gather(*[asyncio.create_task(nothing()) for _ in range(BATCH)])
        report(name, ns_each(start, BATCH), "ns")


async def measure_pingpong(_):
    count = 100_000
    to_pong, to_ping = asyncio.Queue(1), asyncio.Queue(1)

    async def pong():
        for _ in range(count // 2):
            await to_ping.put(await to_pong.get())

    task = asyncio.create_task(pong())
    start = time.perf_counter()
    for i in range(count // 2):
        await to_pong.put(i)
        await to_ping.get()
    await task
    report("pingpong", ns_each(start, count), "ns")


async def measure_parked(lead):
    parked = 0

    async def sleep():
        nonlocal parked
        parked += 1
        await asyncio.sleep(deadline - time.perf_counter())

    memory = ground.memory_bytes()
    start = time.perf_counter()
    deadline = start + float(lead)
    tasks = [asyncio.create_task(sleep()) for _ in range(BATCH)]
    while parked < BATCH:
        await asyncio.sleep(0)
    created = time.perf_counter()
    memory = ground.memory_bytes() - memory
    if created >= deadline:
        sys.exit(ground.TOO_LATE)
    await asyncio.wait(tasks)
    woken = time.perf_counter() - deadline
    ground.report_parked("parked-100k", BATCH, memory, created - start, woken)


async def measure_sleeps(name, count, duration):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        await asyncio.sleep(duration)
        times.append((start, time.perf_counter()))
    report(name, ground.median_late_us(times, duration), "us")


async def measure_scope(_):
    count = 50_000
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 3600
    start = time.perf_counter()
    for _ in range(count):
        async with asyncio.timeout_at(deadline):
            await nothing()
    report("scope", ns_each(start, count), "ns")
    start = time.perf_counter()
    for _ in range(count):
        async with asyncio.timeout(3600):
            await nothing()
    report("scope-in", ns_each(start, count), "ns")


async def echo(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve(path):
    ground.fds_raise()
    if path:
        server = await asyncio.start_unix_server(echo, path, backlog=4096)
    else:
        server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=4096)
    print("ready", 0 if path else server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


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
    if os.environ.get("FERN_BENCH_LOOP") == "uvloop":
        import uvloop

        uvloop.install()
    asyncio.run(MEASURES[chosen](argument))
