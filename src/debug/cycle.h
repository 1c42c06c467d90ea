/* SPDX-License-Identifier: MIT */
/*
 * Finding greenlets that wait for each other.
 */
#ifndef FERN_DEBUG_CYCLE_H
#define FERN_DEBUG_CYCLE_H

#include "debug/census.h"

/* Call a function for each greenlet that is part of a circle, circle by circle, each one followed
 * by one that it waits for; `first` tells where a circle begins. Nobody is told twice. @return 0;
 * -ENOMEM */
int fern__cycle_each(const struct fern__census *census,
        void (*fn)(fern_greenlet *g, bool first, void *arg), void *arg);

#endif
