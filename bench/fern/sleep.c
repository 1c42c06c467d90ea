/* SPDX-License-Identifier: MIT */
/*
 * Sleeping: many greenlets parked until one deadline, many with deadlines of their own, and how
 * late one sleep ends.
 */
#include "fern_bench.h"

#include <stdlib.h>

static fern_time deadline;
static size_t parked;

static void *
sleep_until_deadline(void *unused)
{
    parked++;
    must(fern_sleep_until(deadline));
    return unused;
}

static void
measure_parked(const char *prefix, size_t count, const char *argument)
{
    fern_greenlet **greenlets = bench_allocate(count * sizeof(*greenlets));
    int64_t before = bench_memory_bytes(), start = bench_now_ns();
    deadline = fern_in(bench_seconds(argument));
    for (size_t i = 0; i < count; i++)
        greenlets[i] = spawned(fern_spawn(sleep_until_deadline, NULL));
    while (parked < count)
        fern_yield();
    int64_t created = bench_now_ns();
    int64_t memory = bench_memory_bytes() - before;
    if (created >= deadline.ns)
        exit(BENCH_TOO_LATE);
    join_and_unref(greenlets, count);
    int64_t ended = bench_now_ns();
    bench_print_parked(prefix, count, memory, created - start, ended - deadline.ns);
}

void
measure_parked_100k(const char *argument)
{
    measure_parked("parked-100k", FERN_BENCH_BATCH, argument);
}

void
measure_parked_1m(const char *argument)
{
    measure_parked("parked-1m", FERN_BENCH_MILLION, argument);
}

static void *
sleep_random(void *duration_ns)
{
    must(fern_sleep((int64_t)(intptr_t)duration_ns));
    return NULL;
}

static void
sleep_all(const char *measure, fern_greenlet **greenlets)
{
    uint64_t state = 42;
    int64_t start = bench_cpu_ns();
    for (size_t i = 0; i < FERN_BENCH_MILLION; i++) {
        intptr_t duration_ns = (intptr_t)(bench_random(&state) % (uint64_t)BENCH_S);
        greenlets[i] = spawned(fern_spawn(sleep_random, (void *)duration_ns));
    }
    join_and_unref(greenlets, FERN_BENCH_MILLION);
    bench_print(measure, (double)(bench_cpu_ns() - start) / 1e9, "s");
}

void
measure_sleepers(const char *argument)
{
    (void)argument;
    fern_greenlet **greenlets = bench_allocate(FERN_BENCH_MILLION * sizeof(*greenlets));
    sleep_all("sleepers-1m", greenlets);
    sleep_all("sleepers-1m-warm", greenlets);
}

static void
measure_sleep(const char *measure, int64_t duration_ns, size_t count)
{
    double *late_us = bench_allocate(count * sizeof(*late_us));
    for (size_t i = 0; i < count; i++) {
        int64_t start = bench_now_ns();
        must(fern_sleep(duration_ns));
        late_us[i] = (double)(bench_now_ns() - start - duration_ns) / 1e3;
    }
    bench_print(measure, bench_median(late_us, count), "us");
}

void
measure_sleep_100us(const char *argument)
{
    (void)argument;
    measure_sleep("sleep-100us", 100 * BENCH_US, 1000);
}

void
measure_sleep_1ms(const char *argument)
{
    (void)argument;
    measure_sleep("sleep-1ms", BENCH_MS, 300);
}
