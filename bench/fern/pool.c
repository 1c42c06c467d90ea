/* SPDX-License-Identifier: MIT */
/*
 * A million items mapped over a pool of a hundred: time for each, and how much memory grows.
 */
#include "fern_bench.h"

#include <fern/pool.h>

static void *
square(void *number)
{
    int64_t x = (int64_t)(intptr_t)number;
    return (void *)(x * x);
}

static int
next_number(void *state, void **ret_item)
{
    int64_t *number = state;
    *ret_item = (void *)*number;
    return (*number)++ < FERN_BENCH_MILLION;
}

void
measure_pool_map(const char *argument)
{
    (void)argument;
    int64_t number = 0, seen = 0, warm = 0, start = bench_now_ns();
    fern_pool *pool = fern_pool_new(100);
    fern_input input = fern_input_from(next_number, &number);
    fern_pile *pile = fern_pool_imap(pool, square, &input, 0, 0);
    fern_outcome outcome;
    int r;
    while ((r = fern_pile_next(pile, &outcome, FERN_FOREVER)) > 0) {
        if ((int64_t)(intptr_t)outcome.value != seen * seen)
            bench_die("a result is out of order", 0);
        if (++seen == FERN_BENCH_MILLION / 100)
            warm = bench_memory_bytes();
    }
    must(r);
    int64_t ns = bench_now_ns() - start;
    must(fern_pile_free(pile));
    must(fern_pool_free(pool));
    bench_print("pool-map", (double)ns / FERN_BENCH_MILLION, "ns");
    bench_print("pool-map-growth", (double)(bench_memory_bytes() - warm), "B");
}
