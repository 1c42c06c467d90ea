/* SPDX-License-Identifier: MIT */
/*
 * Waiting for nothing but time or a nudge: yield, sleep, park, idle, drain.
 */
#ifndef FERN_CORE_PAUSE_H
#define FERN_CORE_PAUSE_H

#include "core/hub.h"

extern const struct fern__waitable fern__waitable_sleep;

/* Let the others run, whatever the current greenlet's interrupt is. */
void fern__pause_yield(struct fern__hub *hub, fern_greenlet *g);

/* Nothing is ready and nothing was reported: wake those that waited for that. */
void fern__pause_idle(struct fern__hub *hub);

/* Nothing is left that the hub waits for: wake those that waited for that. @return whether there
 * were any */
bool fern__pause_drained(struct fern__hub *hub);

#endif
