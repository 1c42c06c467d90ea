/* SPDX-License-Identifier: MIT */
/*
 * Finding greenlets that wait for each other.
 */
#ifndef FERN_DEBUG_CYCLE_H
#define FERN_DEBUG_CYCLE_H

#include "debug/census.h"

struct fern__cycle {
    size_t size;
    bool presumed; /* what one of them waits for may be another's doing */
};

/* Called with the circle for its first, then with NULL for the others. */
typedef void fern__cycle_fn(fern_greenlet *g, const struct fern__cycle *begins, void *arg);

/* Call a function for each greenlet that is part of a circle, circle by circle, each one followed
 * by one that it waits for. Nobody is told twice; circles that are presumed come last. @return 0;
 * -ENOMEM */
int fern__cycle_each(const struct fern__census *census, fern__cycle_fn *fn, void *arg);

#endif
