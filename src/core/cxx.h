/* SPDX-License-Identifier: MIT */
/*
 * The C++ runtime's exception state, which is kept per greenlet when there is such a runtime.
 */
#ifndef FERN_CORE_CXX_H
#define FERN_CORE_CXX_H

#include "core/hub.h"

/* Look for the runtime, if libraries have been loaded since the last look. */
void fern__cxx_find(struct fern__hub *hub);

enum { FERN__CXX_PERIOD_NS = 100000 };

/* Once a turn, at `now`. */
static inline void
fern__cxx_turn(struct fern__hub *hub, int64_t now)
{
    if (!hub->cxx && now - hub->cxx_looked >= FERN__CXX_PERIOD_NS) {
        hub->cxx_looked = now;
        fern__cxx_find(hub);
    }
}

#endif
