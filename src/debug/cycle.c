/* SPDX-License-Identifier: MIT */
/*
 * Finding greenlets that wait for each other: over locks, joins, and whatever else can say whose
 * doing it waits for.
 *
 * Each waits for one other at most, so from any of them there is one way to go. It ends, or comes
 * to where somebody has gone before, or bites its own tail. Each greenlet is passed twice at most.
 */
#include "debug/cycle.h"

#include "core/wait.h"

enum { UNSEEN, ON_THE_WAY, SEEN };

struct search {
    void (*fn)(fern_greenlet *g, bool first, void *arg);
    void *arg;
};

static fern_greenlet *
next_of(const fern_greenlet *g)
{
    if (!fern__wait_is_open(g) || !g->waiting || !g->waiting->owner)
        return NULL;
    return g->waiting->owner(&g->cell);
}

static void
tell(const struct search *s, fern_greenlet *first)
{
    fern_greenlet *g = first;
    do {
        s->fn(g, g == first, s->arg);
        g = next_of(g);
    } while (g != first);
}

static bool
follow(fern_greenlet *start, void *arg)
{
    fern_greenlet *g = start;
    for (; g && g->mark == UNSEEN; g = next_of(g))
        g->mark = ON_THE_WAY;
    if (g && g->mark == ON_THE_WAY)
        tell(arg, g);
    for (g = start; g && g->mark == ON_THE_WAY; g = next_of(g))
        g->mark = SEEN;
    return true;
}

static bool
unmark(fern_greenlet *g, void *unused)
{
    (void)unused;
    g->mark = UNSEEN;
    return true;
}

void
fern__cycle_each(struct fern__hub *hub, void (*fn)(fern_greenlet *g, bool first, void *arg),
        void *arg)
{
    struct search search = {fn, arg};
    fern__greenlet_each(hub, follow, &search);
    fern__greenlet_each(hub, unmark, NULL);
}
