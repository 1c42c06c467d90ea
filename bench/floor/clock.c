/* SPDX-License-Identifier: MIT */
/*
 * One reading of the monotonic clock: what any deadline given as a duration must pay.
 */
#include "../bench.h"

#define READINGS 5000000

static void
measure_clock(const char *argument)
{
    (void)argument;
    int64_t start = bench_now_ns();
    for (int i = 0; i < READINGS; i++)
        bench_now_ns();
    bench_print("scope-clock", (double)(bench_now_ns() - start) / READINGS, "ns");
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"scope", measure_clock},
            {NULL, NULL},
    };
    return bench_main(argc, argv, measures);
}
