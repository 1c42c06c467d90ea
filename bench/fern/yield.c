/* SPDX-License-Identifier: MIT */
/*
 * Switching: yields between two greenlets, from one caller or two, among 100,000 that became
 * ready in random order, and a wake-up back and forth.
 */
#include "fern_bench.h"

#define YIELDS    INT64_C(20000000)
#define YIELDS_BY 20 /* each of 100,000 */
#define MESSAGES  INT64_C(10000000)

static fern_greenlet *ping, *pong;
static size_t waiting;

static __attribute__((noinline)) void
yield_called(void)
{
    fern_yield();
}

BENCH_CALLER(one_near, yield_called)
BENCH_CALLER(one_far, one_near)
BENCH_CALLER(other_near, yield_called)
BENCH_CALLER(other_middle, other_near)
BENCH_CALLER(other_far, other_middle)

static void *
yield_direct(void *unused)
{
    for (int64_t i = 0; i < YIELDS / 2; i++)
        fern_yield();
    return unused;
}

static void *
yield_as_one(void *unused)
{
    for (int64_t i = 0; i < YIELDS / 2; i++)
        one_far();
    return unused;
}

static void *
yield_as_other(void *unused)
{
    for (int64_t i = 0; i < YIELDS / 2; i++)
        other_far();
    return unused;
}

static void
run_two(const char *measure, int64_t count, fern_fn *first, fern_fn *second)
{
    int64_t start = bench_now_ns();
    fern_greenlet *both[] = {
            spawned(fern_spawn(first, NULL)), spawned(fern_spawn(second, NULL))};
    join_and_unref(both, 2);
    bench_print(measure, (double)(bench_now_ns() - start) / (double)count, "ns");
}

void
measure_yield(const char *argument)
{
    (void)argument;
    run_two("yield", YIELDS, yield_direct, yield_direct);
}

void
measure_callers(const char *argument)
{
    (void)argument;
    run_two("yield-callers", YIELDS, yield_as_one, yield_as_other);
}

static void *
wait_then_yield(void *unused)
{
    waiting++;
    must(fern_park(FERN_FOREVER));
    for (int i = 0; i < YIELDS_BY; i++)
        fern_yield();
    return unused;
}

void
measure_yield_100k(const char *argument)
{
    (void)argument;
    static fern_greenlet *greenlets[FERN_BENCH_BATCH];
    static uint32_t order[FERN_BENCH_BATCH];
    bench_shuffle(order, FERN_BENCH_BATCH);
    for (size_t i = 0; i < FERN_BENCH_BATCH; i++)
        greenlets[i] = spawned(fern_spawn(wait_then_yield, NULL));
    while (waiting < FERN_BENCH_BATCH)
        fern_yield();

    int64_t start = bench_now_ns();
    for (size_t i = 0; i < FERN_BENCH_BATCH; i++)
        must(fern_unpark(greenlets[order[i]]));
    join_and_unref(greenlets, FERN_BENCH_BATCH);
    int64_t took = bench_now_ns() - start;
    bench_print("yield-100k", (double)took / (FERN_BENCH_BATCH * YIELDS_BY), "ns");
}

static void *
play_ping(void *unused)
{
    for (int64_t i = 0; i < MESSAGES / 2; i++) {
        must(fern_unpark(pong));
        must(fern_park(FERN_FOREVER));
    }
    return unused;
}

static void *
play_pong(void *unused)
{
    for (int64_t i = 0; i < MESSAGES / 2; i++) {
        must(fern_park(FERN_FOREVER));
        must(fern_unpark(ping));
    }
    return unused;
}

void
measure_pingpong(const char *argument)
{
    (void)argument;
    int64_t start = bench_now_ns();
    /* The one that begins by parking runs first. */
    pong = spawned(fern_spawn(play_pong, NULL));
    ping = spawned(fern_spawn(play_ping, NULL));
    fern_greenlet *both[] = {ping, pong};
    join_and_unref(both, 2);
    bench_print("pingpong", (double)(bench_now_ns() - start) / MESSAGES, "ns");
}
