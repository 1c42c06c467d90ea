/* SPDX-License-Identifier: MIT */
/*
 * A mutex that nobody else wants, and an event that many wait for.
 */
#include "fern_bench.h"

#include <fern/event.h>
#include <fern/lock.h>

#define LOCKS  INT64_C(50000000)
#define ROUNDS 200

static fern_mutex mutex;

void
measure_queue_mutex(const char *argument)
{
    (void)argument;
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < LOCKS; i++) {
        must(fern_mutex_lock(&mutex, FERN_FOREVER));
        must(fern_mutex_unlock(&mutex));
    }
    bench_print("queue-mutex", (double)(bench_now_ns() - start) / LOCKS, "ns");
}

static fern_event event;
static fern_waitgroup left;
static size_t rounds;

static void *
wait_each_round(void *unused)
{
    for (size_t i = 0; i < rounds; i++) {
        must(fern_event_wait(&event, FERN_FOREVER));
        must(fern_waitgroup_done(&left));
    }
    return unused;
}

/* All wait, one sets, all go on and wait again. */
static void
wake_all(const char *measure, size_t waiters)
{
    rounds = ROUNDS * 1000 / waiters;
    for (size_t i = 0; i < waiters; i++)
        must(fern_go(wait_each_round, NULL));
    must(fern_yield());
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < rounds; i++) {
        must(fern_waitgroup_add(&left, (int64_t)waiters));
        must(fern_event_set(&event));
        must(fern_event_clear(&event));
        must(fern_waitgroup_wait(&left, FERN_FOREVER));
    }
    bench_print(
            measure, (double)(bench_now_ns() - start) / (double)(rounds * waiters), "ns");
}

void
measure_queue_event(const char *argument)
{
    (void)argument;
    wake_all("queue-event", 1000);
    wake_all("queue-event-10k", 10000);
}
