/* SPDX-License-Identifier: MIT */
/*
 * Latencies in bounded memory, see histogram.h. Called by load.c for each answer.
 */
#include "histogram.h"

#include <stddef.h>

static size_t
slot_of(uint64_t value)
{
    if (value < HISTOGRAM_STEPS)
        return (size_t)value;
    /* Shifted so that value lies in 64 .. 127: six bits follow the leading one. */
    unsigned shift = 57 - (unsigned)__builtin_clzll(value);
    size_t slot =
            (size_t)(shift + 1) * HISTOGRAM_STEPS + (value >> shift) - HISTOGRAM_STEPS;
    return slot < HISTOGRAM_SLOTS ? slot : HISTOGRAM_SLOTS - 1;
}

static uint64_t
highest_of(size_t slot)
{
    if (slot < HISTOGRAM_STEPS)
        return slot;
    unsigned shift = (unsigned)(slot / HISTOGRAM_STEPS) - 1;
    uint64_t lowest = (uint64_t)(slot % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << shift;
    return lowest + (UINT64_C(1) << shift) - 1;
}

void
histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->slots[slot_of(value)]++;
    histogram->total++;
}

uint64_t
histogram_percentile(const struct histogram *histogram, double share)
{
    uint64_t seen = 0;
    for (size_t slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
        seen += histogram->slots[slot];
        if (seen > 0 && (double)seen >= share * (double)histogram->total)
            return highest_of(slot);
    }
    return 0;
}
