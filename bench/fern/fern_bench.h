/* SPDX-License-Identifier: MIT */
#ifndef FERN_BENCH_H
#define FERN_BENCH_H

/*
 * The measures of fern, one function each, by file: yield.c, spawn.c, sleep.c, scope.c, queue.c,
 * skynet.c, pool.c, lock.c, echo.c.
 * They use nothing but the public headers, as a program of a user would.
 */

#include "../bench.h"

#include <fern/greenlet.h>

#define FERN_BENCH_BATCH   100000
#define FERN_BENCH_MILLION 1000000

void measure_yield(const char *argument);
void measure_callers(const char *argument);
void measure_yield_100k(const char *argument);
void measure_pingpong(const char *argument);
void measure_spawn(const char *argument);
void measure_batch(const char *argument);
void measure_parked_100k(const char *argument);
void measure_parked_1m(const char *argument);
void measure_sleepers(const char *argument);
void measure_sleep_100us(const char *argument);
void measure_sleep_1ms(const char *argument);
void measure_scope(const char *argument);
void measure_cancel(const char *argument);
void measure_queue_pingpong(const char *argument);
void measure_queue_rendezvous(const char *argument);
void measure_queue_buffered(const char *argument);
void measure_queue_select(const char *argument);
void measure_skynet(const char *argument);
void measure_skynet_channel(const char *argument);
void measure_pool_map(const char *argument);
void measure_queue_mutex(const char *argument);
void measure_queue_event(const char *argument);
void serve_echo(const char *path);

/* End the program if a call of fern's failed. */
static inline void
must(int result)
{
    if (result < 0)
        bench_die("a call of fern failed", -result);
}

/* Spawn, or end the program. */
static inline fern_greenlet *
spawned(fern_greenlet *greenlet)
{
    if (!greenlet)
        bench_die("spawn failed", 0);
    return greenlet;
}

/* Wait for each of them and give it back. */
static inline void
join_and_unref(fern_greenlet **greenlets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        must(fern_join(greenlets[i], FERN_FOREVER));
        fern_greenlet_unref(greenlets[i]);
    }
}

#endif
