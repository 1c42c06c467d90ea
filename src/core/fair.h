/* SPDX-License-Identifier: MIT */
/*
 * Fairness and idling: how long until the next look at the poller, and how to wait there.
 */
#ifndef FERN_CORE_FAIR_H
#define FERN_CORE_FAIR_H

#include "core/hub.h"

void fern__fair_init(struct fern__hub *hub);

/* Whether every switch has to take the slower choice of the next greenlet: there a turn looks due
 * all the time, and only the count tells when it is. */
static inline bool
fern__fair_watched(const struct fern__hub *hub)
{
    return hub->observed || hub->permuted;
}

/* After a turn: set when the next one is due. */
void fern__fair_pace(struct fern__hub *hub);

/* Whether so many switches have been made that a turn is due. */
bool fern__fair_turn_due(const struct fern__hub *hub);

/* Take a turn at the next switch. */
void fern__fair_hurry(struct fern__hub *hub);

/* Take none at the next switch. */
void fern__fair_delay(struct fern__hub *hub);

/* How many switches the hub has made. */
uint64_t fern__fair_switches(const struct fern__hub *hub);

/* Wait in the poller, first without sleeping if recent gaps were short. */
void fern__fair_wait(struct fern__hub *hub, int64_t timeout_ns);

#endif
