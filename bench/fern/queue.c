/* SPDX-License-Identifier: MIT */
/*
 * Queues: a ball between two greenlets, items through 128 places, the first of eight queues.
 */
#include "fern_bench.h"

#include <fern/queue.h>
#include <fern/wait.h>

#define PASSES  INT64_C(10000000)
#define ITEMS   INT64_C(20000000)
#define SELECTS INT64_C(4000000)
#define QUEUES  8

static fern_queue queues[QUEUES];

static void
open_queues(size_t count, size_t capacity)
{
    for (size_t i = 0; i < count; i++)
        must(fern_queue_init(&queues[i], sizeof(int64_t), capacity));
}

static void
close_queues(size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(fern_queue_fini(&queues[i]));
}

static void *
pass_on(void *from)
{
    fern_queue *in = from, *out = &queues[in == &queues[0]];
    int64_t ball;
    for (int64_t i = 0; i < PASSES / 2; i++) {
        must(fern_queue_get(in, &ball, FERN_FOREVER));
        must(fern_queue_put(out, &ball, FERN_FOREVER));
    }
    return NULL;
}

static void
pass_between_two(const char *measure, size_t capacity)
{
    int64_t ball = 1;
    open_queues(2, capacity);
    int64_t start = bench_now_ns();
    fern_greenlet *both[] = {spawned(fern_spawn(pass_on, &queues[0])),
            spawned(fern_spawn(pass_on, &queues[1]))};
    must(fern_queue_put(&queues[0], &ball, FERN_FOREVER));
    join_and_unref(&both[0], 1);
    must(fern_queue_get(&queues[0], &ball, FERN_FOREVER)); /* the other's last pass */
    join_and_unref(&both[1], 1);
    bench_print(measure, (double)(bench_now_ns() - start) / PASSES, "ns");
    close_queues(2);
}

void
measure_queue_pingpong(const char *argument)
{
    (void)argument;
    pass_between_two("queue-pingpong", 1);
}

void
measure_queue_rendezvous(const char *argument)
{
    (void)argument;
    pass_between_two("queue-rendezvous", 0);
}

static void *
produce(void *unused)
{
    for (int64_t i = 0; i < ITEMS; i++)
        must(fern_queue_put(&queues[0], &i, FERN_FOREVER));
    return unused;
}

void
measure_queue_buffered(const char *argument)
{
    (void)argument;
    int64_t item;
    open_queues(1, 128);
    int64_t start = bench_now_ns();
    fern_greenlet *producer = spawned(fern_spawn(produce, NULL));
    for (int64_t i = 0; i < ITEMS; i++)
        must(fern_queue_get(&queues[0], &item, FERN_FOREVER));
    join_and_unref(&producer, 1);
    bench_print("queue-buffered", (double)(bench_now_ns() - start) / ITEMS, "ns");
    close_queues(1);
}

static void *
spread(void *unused)
{
    for (int64_t i = 0; i < SELECTS; i++)
        must(fern_queue_put(&queues[i * 5 % QUEUES], &i, FERN_FOREVER));
    return unused;
}

void
measure_queue_select(const char *argument)
{
    (void)argument;
    int64_t item;
    fern_case cases[QUEUES];
    open_queues(QUEUES, 0);
    for (size_t i = 0; i < QUEUES; i++)
        cases[i] = fern_case_get(&queues[i], &item);
    int64_t start = bench_now_ns();
    fern_greenlet *putter = spawned(fern_spawn(spread, NULL));
    for (int64_t i = 0; i < SELECTS; i++)
        must(fern_select(cases, QUEUES, 0, FERN_FOREVER));
    join_and_unref(&putter, 1);
    bench_print("queue-select", (double)(bench_now_ns() - start) / SELECTS, "ns");
    close_queues(QUEUES);
}
