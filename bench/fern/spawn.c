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

static void
spawn_batch(const char *measure, fern_greenlet **greenlets)
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
    fern_greenlet **greenlets = bench_allocate(FERN_BENCH_BATCH * sizeof(*greenlets));
    spawn_batch("spawn-batch-cold", greenlets);
    spawn_batch("spawn-batch", greenlets);
}
