/* SPDX-License-Identifier: MIT */
/*
 * Taking and giving back control blocks, and ending a greenlet: the parts that every spawn and
 * every end go through, kept in line.
 */
#ifndef FERN_CORE_BLOCK_H
#define FERN_CORE_BLOCK_H

#include "core/hub.h"
#include "core/link.h"

/* A free block, which there is, zero where it matters and with an id. */
static inline fern_greenlet *
fern__greenlet_alloc_free(struct fern__hub *hub)
{
    size_t at = --hub->free_count;
    fern_greenlet *g = hub->free[at];
    __builtin_prefetch(hub->free[at >= 16 ? at - 16 : at], 1);
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

/* End a greenlet that has run, still on its stack. */
static inline void
fern__greenlet_finish(struct fern__hub *hub, fern_greenlet *g, void *value)
{
    if (fern__unlikely(g->dirty & ~FERN__DIRTY_ENDED || hub->observed)) {
        fern__greenlet_finish_marked(hub, g, value);
    } else {
        g->arg = value;
        g->life = FERN__LIFE_DONE;
        if (g->dirty) {
            g->dirty = 0;
            g->flags = 0;
            fern__link_serve(g);
        }
    }
    hub->live--;
    fern__greenlet_drop(hub, g);
}

#endif
