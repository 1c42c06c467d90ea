/* SPDX-License-Identifier: MIT */
/*
 * Who holds what several may hold: one word, for reports.
 *
 * The sum of a number for each thing held, which is made of its holder's id in a way that can be
 * undone but does not go with adding up. So whoever has come and gone leaves nothing behind, and
 * what is left tells its only part, or that it is made of certain ones. A thing that comes back
 * from somebody else leaves a sum that says nothing: then nobody is told.
 */
#ifndef FERN_SYNC_HOLDERS_H
#define FERN_SYNC_HOLDERS_H

#include "sync/object.h"

typedef uint64_t fern__holders;

/* `n` more are held by a greenlet; less than 0: fewer. */
static inline void
fern__holders_add(fern__holders *holders, const fern_greenlet *g, int64_t n)
{
    uint64_t x = g->id * UINT64_C(0x9e3779b97f4a7c15);
    *holders += (x ^ x >> 32) * (uint64_t)n;
}

/* Who holds all there is, which is one, as far as a hub has ever had such a greenlet; or 0. */
uint64_t fern__holders_only(fern__holders holders, const struct fern__hub *hub);

/* Name the holders whom a waiter waits for: the only one, the only one beside itself, or all who
 * wait with it. */
void fern__holders_tell(fern__holders holders, const struct fern__cell *cell,
        const struct fern__list *waiters, struct fern__owners *owners);

#endif
