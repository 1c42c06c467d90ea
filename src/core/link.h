/* SPDX-License-Identifier: MIT */
/*
 * What happens when a greenlet ends: joiners are woken and links served, in the order in which
 * they came.
 */
#ifndef FERN_CORE_LINK_H
#define FERN_CORE_LINK_H

#include "core/hub.h"

/* A link stands in a greenlet's `ended` list by a cell that has no greenlet of its own. */
struct fern__link {
    struct fern__cell cell;
    /* Called when the greenlet has ended, unlinked; must not run the user's code. */
    void (*ended)(struct fern__link *link, fern_greenlet *g);
};

static inline void
fern__link_mark(fern_greenlet *g)
{
    g->flags |= FERN__LINKED;
    g->dirty |= FERN__DIRTY_ENDED;
}

/* The end of a greenlet, as one of several things to wait for. */
extern const struct fern__waitable fern__waitable_end;

/* Names the greenlet that is its cell's object. */
void fern__end_owners(const struct fern__cell *cell, struct fern__owners *owners);

/* Link behind those that wait for the greenlet's end; it has not ended. */
void fern__link_add(fern_greenlet *g, struct fern__link *link);

/* Serve everybody who waits for its end: it has ended. */
void fern__link_serve(fern_greenlet *g);

#endif
