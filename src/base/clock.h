/* SPDX-License-Identifier: MIT */
/*
 * The clock: CLOCK_MONOTONIC, or the virtual clock of the whole process.
 */
#ifndef FERN_BASE_CLOCK_H
#define FERN_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds now. */
int64_t fern__clock_now(void);

/* From now on time stands still but for fern__clock_advance(). It starts at one second, so that
 * no reading is FERN_NOWAIT. Called before the first reading, and never undone. */
void fern__clock_virtual_start(void);

bool fern__clock_is_virtual(void);

/* Move the virtual clock forward to a moment; it never goes back. */
void fern__clock_advance(int64_t to_ns);

/* a + b, held within the range of int64_t. */
static inline int64_t
fern__add_saturating(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

#endif
