/* SPDX-License-Identifier: MIT */
/*
 * The slower way through a switch, for hubs that somebody watches: sanitizers, hooks, canaries,
 * kept floating-point control words, a permuted ready queue.
 */
#ifndef FERN_CORE_OBSERVE_H
#define FERN_CORE_OBSERVE_H

#include "core/hub.h"

/* A greenlet has been given its stack. */
void fern__observe_start(struct fern__hub *hub, fern_greenlet *g);

/* Just before the switch, and just after coming back. The C++ runtime's state is kept in the
 * caller's frame; NULL is that of a new greenlet. */
void fern__observe_leave(struct fern__hub *hub, fern_greenlet *from, fern_greenlet *to,
        struct fern__cxx_globals *ret_cxx);
void fern__observe_arrive(
        struct fern__hub *hub, fern_greenlet *self, const struct fern__cxx_globals *cxx);

/* Once a turn where there are no guards. */
void fern__observe_canary(struct fern__hub *hub);

/* A greenlet has ended; it is still on its stack. */
void fern__observe_end(struct fern__hub *hub, fern_greenlet *g);

/* It does not count any more among those that make switches go the slower way. */
void fern__observe_forget(struct fern__hub *hub, fern_greenlet *g);

/* Move a random one of the ready queue to its head. */
void fern__observe_permute(struct fern__hub *hub);

/* The next number of a seeded generator, whose state is not 0. */
uint64_t fern__observe_random(uint64_t *state);

#endif
