/* SPDX-License-Identifier: MIT */
/*
 * What an operation costs that does not succeed: a thousand greenlets wait for an item each, and
 * get it, or are cancelled one by one, or their deadline passes. For all three they park, are
 * woken and run again. The share compares with three times the first and one reading of the clock.
 */
#include "fern_bench.h"

#include <fern/queue.h>
#include <fern/scope.h>

#include <errno.h>

enum { WAITERS = 1000, ROUNDS = 5000 };

static const int64_t WAITS = (int64_t)WAITERS * ROUNDS;

static fern_queue queue;
static fern_scope scopes[WAITERS];

static void
must_be(int result, int expected)
{
    if (result != expected)
        bench_die("an operation ended otherwise", result < 0 ? -result : 0);
}

static void *
get_all(void *unused)
{
    int64_t item;
    for (int i = 0; i < ROUNDS; i++)
        must(fern_queue_get(&queue, &item, FERN_FOREVER));
    return unused;
}

static void
put_all(void)
{
    for (int64_t i = 0; i < WAITERS; i++)
        must(fern_queue_put(&queue, &i, FERN_FOREVER));
}

static void *
be_cancelled(void *place)
{
    fern_scope *scope = place;
    int64_t item;
    for (int i = 0; i < ROUNDS; i++) {
        must(fern_scope_start(scope, FERN_FOREVER));
        must_be(fern_queue_get(&queue, &item, FERN_FOREVER), -ECANCELED);
        must(fern_scope_stop(scope));
    }
    return NULL;
}

static void
cancel_all(void)
{
    for (int i = 0; i < WAITERS; i++)
        must(fern_scope_cancel(&scopes[i], 0));
}

static void *
be_late(void *unused)
{
    int64_t item;
    for (int i = 0; i < ROUNDS; i++)
        must_be(fern_queue_get(&queue, &item, fern_in(1)), -ETIME);
    return unused;
}

/* @return ns of an operation, the part of whoever ends it included */
static double
run(fern_fn *wait, void (*end_all)(void))
{
    static fern_greenlet *waiters[WAITERS];
    must(fern_queue_init(&queue, sizeof(int64_t), WAITERS));
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = spawned(fern_spawn(wait, &scopes[i]));
    int64_t start = bench_now_ns();
    for (int i = 0; end_all && i < ROUNDS; i++) {
        fern_yield(); /* now all wait */
        end_all();
    }
    join_and_unref(waiters, WAITERS);
    double took_ns = (double)(bench_now_ns() - start) / (double)WAITS;
    must(fern_queue_fini(&queue));
    return took_ns;
}

static double
read_clocks(void)
{
    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < WAITS; i++)
        bench_now_ns();
    return (double)(bench_now_ns() - start) / (double)WAITS;
}

void
measure_cancel(const char *argument)
{
    (void)argument;
    double pair = run(get_all, put_all), clock = read_clocks();
    double cancelled = run(be_cancelled, cancel_all), late = run(be_late, NULL);
    bench_print("cancel-pair", pair, "ns");
    bench_print("cancel-clock", clock, "ns");
    bench_print("cancel", cancelled, "ns");
    bench_print("cancel-share", cancelled / (3 * pair + clock), "bars");
    bench_print("cancel-late", late, "ns");
    bench_print("cancel-late-share", late / (3 * pair + clock), "bars");
}
