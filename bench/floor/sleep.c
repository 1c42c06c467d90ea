/* SPDX-License-Identifier: MIT */
/*
 * The floor under every sleep: how late clock_nanosleep returns on a thread whose timer slack is
 * 1 us, and what one reading of the clock costs.
 */
#include "../bench.h"

#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#define SLACK_NS       1000
#define SLEEPS_MAX     1000
#define CLOCK_READINGS 5000000

static void
measure_sleeps(const char *measure, int64_t duration_ns, size_t count)
{
    static double late_us[SLEEPS_MAX];
    if (prctl(PR_SET_TIMERSLACK, SLACK_NS) != 0)
        bench_die("PR_SET_TIMERSLACK", errno);
    for (size_t i = 0; i < count; i++) {
        int64_t deadline = bench_now_ns() + duration_ns;
        struct timespec until = {deadline / BENCH_S, deadline % BENCH_S};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        late_us[i] = (double)(bench_now_ns() - deadline) / 1e3;
    }
    bench_print(measure, bench_median(late_us, count), "us");
}

static void
measure_100us(const char *argument)
{
    (void)argument;
    measure_sleeps("sleep-100us", 100 * BENCH_US, 1000);
}

static void
measure_1ms(const char *argument)
{
    (void)argument;
    measure_sleeps("sleep-1ms", BENCH_MS, 300);
}

int
main(int argc, char **argv)
{
    static const bench_measure measures[] = {
            {"sleep-100us", measure_100us},
            {"sleep-1ms", measure_1ms},
            {NULL, NULL},
    };
    return bench_main(argc, argv, measures);
}
