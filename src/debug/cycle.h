/* SPDX-License-Identifier: MIT */
/*
 * Finding greenlets that wait for each other.
 */
#ifndef FERN_DEBUG_CYCLE_H
#define FERN_DEBUG_CYCLE_H

#include "core/hub.h"

/* Call a function for each greenlet that is part of a circle, circle by circle, each one followed
 * by the one that it waits for; `first` tells where a circle begins. */
void fern__cycle_each(struct fern__hub *hub,
        void (*fn)(fern_greenlet *g, bool first, void *arg), void *arg);

#endif
