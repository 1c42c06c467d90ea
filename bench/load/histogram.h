/* SPDX-License-Identifier: MIT */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

/*
 * Counts of values by size: exact below 64, above that 64 steps for each doubling, so that a
 * percentile is right to 1.6 %.
 */

#include <stdint.h>

#define HISTOGRAM_STEPS 64
#define HISTOGRAM_SLOTS (HISTOGRAM_STEPS * 40)

struct histogram {
    uint64_t total;
    uint64_t slots[HISTOGRAM_SLOTS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The smallest value that at least `share` (0 to 1) of all values do not exceed. */
uint64_t histogram_percentile(const struct histogram *histogram, double share);

#endif
