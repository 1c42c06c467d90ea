/* SPDX-License-Identifier: MIT */
/*
 * Two calls into a shared library that do next to nothing: no mutex and no queue in a library can
 * be faster. Go inlines its mutex, and is bound by no such thing.
 */
#include "calls.h"
#include "../bench.h"

#define PAIRS 50000000

static uint64_t ring[2 + 128];

static void
must(int result)
{
    if (result < 0)
        bench_die("a call", -result);
}

static void
measure_pair(const char *argument)
{
    (void)argument;
    int64_t start = bench_now_ns();
    for (int i = 0; i < PAIRS; i++) {
        must(calls_first(ring, 0));
        must(calls_second(ring));
    }
    bench_print("queue-mutex", (double)(bench_now_ns() - start) / PAIRS, "ns");
}

static void
measure_ring(const char *argument)
{
    (void)argument;
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < PAIRS; i += 128) {
        int64_t item;
        for (int64_t k = 0; k < 128; k++)
            must(calls_put(ring, &k, 0));
        for (int64_t k = 0; k < 128; k++)
            must(calls_get(ring, &item, 0));
    }
    bench_print("queue-buffered", (double)(bench_now_ns() - start) / PAIRS, "ns");
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"queue-mutex", measure_pair},
            {"queue-buffered", measure_ring},
            {NULL, NULL},
    };
    return bench_main(argc, argv, measures);
}
