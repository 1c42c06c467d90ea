/* SPDX-License-Identifier: MIT */
/*
 * Spawning greenlets that do nothing: one after another, and in a batch.
 */
#include "fern_bench.h"

#define SPAWNS INT64_C(5000000)

static void *
nothing(void *unused)
{
    return unused;
}

void
measure_spawn(const char *argument)
{
    (void)argument;
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < SPAWNS; i++) {
        fern_greenlet *greenlet = spawned(fern_spawn(nothing, NULL));
        must(fern_join(greenlet, FERN_FOREVER));
        fern_greenlet_unref(greenlet);
    }
    bench_print("spawn", (double)(bench_now_ns() - start) / SPAWNS, "ns");
}

static fern_greenlet *waiter;
static size_t left;

/* As a goroutine counts down its sync.WaitGroup: the last one wakes who waits. */
static void *
count_down(void *unused)
{
    if (--left == 0)
        must(fern_unpark(waiter));
    return unused;
}

static void
batch_counted(const char *measure)
{
    waiter = fern_self();
    left = FERN_BENCH_BATCH;
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < FERN_BENCH_BATCH; i++)
        must(fern_go(count_down, NULL));
    must(fern_park(FERN_FOREVER));
    bench_print(measure, (double)(bench_now_ns() - start) / FERN_BENCH_BATCH, "ns");
}

static void
batch_joined(const char *measure, fern_greenlet **greenlets)
{
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < FERN_BENCH_BATCH; i++)
        greenlets[i] = spawned(fern_spawn(nothing, NULL));
    join_and_unref(greenlets, FERN_BENCH_BATCH);
    bench_print(measure, (double)(bench_now_ns() - start) / FERN_BENCH_BATCH, "ns");
}

void
measure_batch(const char *argument)
{
    (void)argument;
    batch_counted("spawn-batch-cold");
    batch_counted("spawn-batch");
    fern_greenlet **greenlets = bench_allocate(FERN_BENCH_BATCH * sizeof(*greenlets));
    batch_joined("spawn-batch-joined-cold", greenlets);
    batch_joined("spawn-batch-joined", greenlets);
}
