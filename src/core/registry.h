/* SPDX-License-Identifier: MIT */
/*
 * All hubs of the process.
 */
#ifndef FERN_CORE_REGISTRY_H
#define FERN_CORE_REGISTRY_H

#include "core/hub.h"

/* Give a hub its serial, too. */
void fern__registry_add(struct fern__hub *hub);
void fern__registry_remove(struct fern__hub *hub);

/* Whether the hub with this serial has not ended. */
bool fern__registry_has(uint64_t serial);

/* How many of them sleep with nothing of their own that could wake them. */
long fern__registry_stuck(void);

/* The start of a range of ids, 2^40 of them, that nobody else gives out: the next one is a hub's
 * first. Those of the main thread begin with 1. */
uint64_t fern__registry_ids(void);

#endif
