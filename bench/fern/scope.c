/* SPDX-License-Identifier: MIT */
/*
 * A timeout scope around an operation that succeeds at once: the join of a greenlet that has
 * ended. The figures include the operation.
 */
#include "fern_bench.h"

#include <fern/scope.h>

#define SCOPES INT64_C(20000000)

static void *
nothing(void *unused)
{
    return unused;
}

static void
print_each(const char *measure, int64_t took_ns, int64_t less_ns)
{
    bench_print(measure, (double)(took_ns - less_ns) / SCOPES, "ns");
}

void
measure_scope(const char *argument)
{
    (void)argument;
    fern_greenlet *ended = spawned(fern_spawn(nothing, NULL));
    must(fern_join(ended, FERN_FOREVER));
    fern_time deadline = fern_in(FERN_HOUR);

    int64_t start = bench_now_ns();
    for (int64_t i = 0; i < SCOPES; i++) {
        FERN_SCOPE (scope, deadline)
            must(fern_join(ended, FERN_FOREVER));
    }
    print_each("scope", bench_now_ns() - start, 0);

    start = bench_now_ns();
    for (int64_t i = 0; i < SCOPES; i++)
        bench_now_ns();
    int64_t clock_ns = bench_now_ns() - start;
    print_each("scope-clock", clock_ns, 0);

    start = bench_now_ns();
    for (int64_t i = 0; i < SCOPES; i++) {
        FERN_SCOPE (scope, fern_in(FERN_HOUR))
            must(fern_join(ended, FERN_FOREVER));
    }
    int64_t took_ns = bench_now_ns() - start;
    print_each("scope-in", took_ns, 0);
    print_each("scope-in-net", took_ns, clock_ns);
    fern_greenlet_unref(ended);
}
