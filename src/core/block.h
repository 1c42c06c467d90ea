/* SPDX-License-Identifier: MIT */
/*
 * Taking and giving back control blocks, and ending a greenlet: the parts that every spawn and
 * every end go through, kept in line.
 */
#ifndef FERN_CORE_BLOCK_H
#define FERN_CORE_BLOCK_H

#include "base/fetch.h"
#include "core/hub.h"
#include "core/link.h"

/* How many blocks ahead the next free ones are fetched. */
enum { FERN__FETCH_FREE = 24 };

/* A free block, which there is, zero where it matters and with an id. */
static inline fern_greenlet *
fern__greenlet_alloc_free(struct fern__hub *hub)
{
    size_t at = --hub->free_count;
    fern_greenlet *g = hub->free[at];
    fern__fetch(hub->free[at >= FERN__FETCH_FREE ? at - FERN__FETCH_FREE : at]);
    g->id = ++hub->id_last;
    g->born_ns = hub->now;
    g->life = FERN__LIFE_NEW;
    return g;
}

/* A block, free or new; or NULL. */
static inline fern_greenlet *
fern__greenlet_alloc(struct fern__hub *hub)
{
    if (fern__likely(hub->free_count))
        return fern__greenlet_alloc_free(hub);
    return fern__greenlet_alloc_new(hub);
}

static inline void
fern__greenlet_recycle(struct fern__hub *hub, fern_greenlet *g)
{
    g->life = FERN__LIFE_FREE;
    hub->free[hub->free_count++] = g;
}

/* Drop one reference of a greenlet of this hub. */
static inline void
fern__greenlet_drop(struct fern__hub *hub, fern_greenlet *g)
{
    if (--g->refs)
        return;
    if (fern__unlikely(g->dirty || g->life == FERN__LIFE_NEW))
        fern__greenlet_free_marked(hub, g);
    else
        fern__greenlet_recycle(hub, g);
}

/* The end of a greenlet without marks but those who wait for it. */
static inline void
fern__greenlet_finish_awaited(struct fern__hub *hub, fern_greenlet *g, void *value)
{
    g->arg = value;
    g->life = FERN__LIFE_DONE;
    g->dirty = 0;
    g->flags = 0;
    fern__link_serve(g);
    hub->ended++;
    fern__greenlet_drop(hub, g);
}

/* End a greenlet that has run, still on its stack. */
static inline void
fern__greenlet_finish(struct fern__hub *hub, fern_greenlet *g, void *value)
{
    if (fern__unlikely(hub->observed || g->dirty & ~FERN__DIRTY_ENDED)) {
        fern__greenlet_finish_marked(hub, g, value);
        return;
    }
    if (g->dirty) {
        fern__greenlet_finish_awaited(hub, g, value);
        return;
    }
    hub->ended++;
    if (--g->refs == 0) {
        fern__greenlet_recycle(hub, g);
        return;
    }
    g->arg = value;
    g->life = FERN__LIFE_DONE;
}

#endif
