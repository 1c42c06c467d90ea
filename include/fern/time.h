/* SPDX-License-Identifier: MIT */
/*
 * Time: points and durations, which do not mix.
 *
 * A point in time is a fern_time: nanoseconds on CLOCK_MONOTONIC. A duration is a plain int64_t
 * in nanoseconds. Every call that may block takes a point, its deadline, as its last parameter:
 *
 *     int r = fern_join(g, fern_in(500 * FERN_MS));
 *
 * Arithmetic saturates: a deadline too far away to be expressed is FERN_FOREVER.
 */
#ifndef FERN_TIME_H
#define FERN_TIME_H

#include <fern/base.h>

FERN__BEGIN_DECLS

/** A point in time: nanoseconds on the monotonic clock. */
typedef struct fern_time {
    int64_t ns;
} fern_time;

/* Durations, in nanoseconds. */
#define FERN_US     INT64_C(1000)
#define FERN_MS     INT64_C(1000000)
#define FERN_SECOND INT64_C(1000000000)
#define FERN_MINUTE INT64_C(60000000000)
#define FERN_HOUR   INT64_C(3600000000000)

#ifdef __cplusplus
#define FERN__TIME(ns) (fern_time{(ns)})
#else
#define FERN__TIME(ns) ((fern_time){(ns)})
#endif

/** A deadline that never passes. */
#define FERN_FOREVER FERN__TIME(INT64_MAX)

/** Not to wait at all: a call that would block returns -EAGAIN at once and never switches. */
#define FERN_NOWAIT FERN__TIME(0)

/**
 * The present moment, read from the clock itself (from the virtual clock under the sim poller).
 *
 * @return the monotonic time
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API fern_time fern_now(void);

/**
 * The moment that lies a duration ahead of now.
 *
 * @param  duration_ns  nanoseconds, any value; what is negative or zero gives a moment that has
 *                      passed, so that a call with it still lets others run once; a sum too
 *                      large to express gives FERN_FOREVER
 * @return the moment
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API fern_time fern_in(int64_t duration_ns);

/**
 * A moment moved by a duration.
 *
 * @param  t            a moment; FERN_FOREVER stays what it is
 * @param  duration_ns  nanoseconds, any value; the sum saturates
 * @return the moment
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API fern_time fern_time_add(fern_time t, int64_t duration_ns);

/**
 * The duration from one moment to a later one.
 *
 * @param  later    a moment
 * @param  earlier  a moment
 * @return later - earlier in nanoseconds, negative if they stand the other way round, saturated
 *
 * May switch: no.  Thread: any.  Owner: none.
 */
FERN_API int64_t fern_time_diff(fern_time later, fern_time earlier);

FERN__END_DECLS

#endif
