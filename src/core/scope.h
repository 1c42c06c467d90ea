/* SPDX-License-Identifier: MIT */
/*
 * Scopes, as timers and kills see them.
 */
#ifndef FERN_CORE_SCOPE_H
#define FERN_CORE_SCOPE_H

#include "core/greenlet.h"

/* The nearest deadline of the scopes that count now, INT64_MAX if there is none. */
int64_t fern__scope_nearest(const fern_greenlet *g);

/* Fire the scopes whose deadline has passed; of equal deadlines, only the outermost. */
void fern__scope_expire(fern_greenlet *g, int64_t now);

/* Drop the scopes that an ended greenlet left open. */
void fern__scope_abandon(fern_greenlet *g);

#endif
