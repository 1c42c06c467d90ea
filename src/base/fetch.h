/* SPDX-License-Identifier: MIT */
/*
 * Fetching memory before it is needed.
 */
#ifndef FERN_BASE_FETCH_H
#define FERN_BASE_FETCH_H

enum { FERN__LINE_BYTES = 64 };

/* Begin to fetch a cache line that will be written. The address may be any: a wrong one costs time
 * only. GCC takes a function that only fetches for one without effect and drops its calls; the
 * empty asm is an effect. */
static inline __attribute__((always_inline)) void
fern__fetch(const void *line)
{
    __asm__ volatile("");
    __builtin_prefetch(line, 1);
}

#endif
