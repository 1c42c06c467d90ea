/* SPDX-License-Identifier: MIT */
/*
 * Finding greenlets that wait for each other: over locks, joins, and whatever else can say whose
 * doing it waits for.
 *
 * Each one's owners are listed first. Then a walk goes from one to another, the way back noted in
 * each, and whoever is met while still on the way closes a circle. Each arrow is followed once.
 */
#include "debug/cycle.h"

#include "core/wait.h"

#include <errno.h>
#include <stdlib.h>

enum state { UNSEEN, ON_THE_WAY, SEEN };

/* One of the census; places in it are numbers. */
struct node {
    enum state state;
    bool told;
    size_t arrow, end; /* its arrows that have not been followed yet */
    size_t from;       /* who led here */
    size_t next;       /* whom it waits for in the circle that is told */
};

struct search {
    struct fern__owners owners; /* first: what is handed to a waitable */
    const struct fern__census *census;
    struct node *nodes;
    size_t *arrows;
    size_t arrow_count;
    size_t arrow_room;
    bool full; /* there was no memory for an arrow */
    void (*fn)(fern_greenlet *g, bool first, void *arg);
    void *arg;
};

/* ---- who waits for whom ---- */

static void
add_arrow(struct fern__owners *owners, uint64_t id)
{
    struct search *s = fern__container_of(owners, struct search, owners);
    size_t to = fern__census_find(s->census, id);
    if (to == s->census->n)
        return;
    if (s->arrow_count == s->arrow_room) {
        size_t room = s->arrow_room ? 2 * s->arrow_room : 64;
        size_t *more = realloc(s->arrows, room * sizeof *more);
        if (!more) {
            s->full = true;
            return;
        }
        s->arrows = more;
        s->arrow_room = room;
    }
    s->arrows[s->arrow_count++] = to;
}

static void
list_arrows(struct search *s)
{
    for (size_t i = 0; i < s->census->n; i++) {
        const fern_greenlet *g = s->census->all[i].g;
        s->nodes[i].arrow = s->arrow_count;
        if (fern__wait_is_open(g) && g->waiting && g->waiting->owners)
            g->waiting->owners(&g->cell, &s->owners);
        s->nodes[i].end = s->arrow_count;
    }
}

/* ---- walking ---- */

static void
tell(struct search *s, size_t first, size_t last)
{
    struct node *nodes = s->nodes;
    bool told = nodes[first].told;
    for (size_t i = last; i != first; i = nodes[i].from)
        told = told || nodes[i].told;
    if (told)
        return;
    nodes[last].next = first;
    for (size_t i = last; i != first; i = nodes[i].from)
        nodes[nodes[i].from].next = i;
    size_t i = first;
    do {
        nodes[i].told = true;
        s->fn(s->census->all[i].g, i == first, s->arg);
        i = nodes[i].next;
    } while (i != first);
}

static void
follow(struct search *s, size_t start)
{
    struct node *nodes = s->nodes;
    size_t nobody = s->census->n, at = start;
    nodes[start].state = ON_THE_WAY;
    nodes[start].from = nobody;
    while (at != nobody) {
        if (nodes[at].arrow == nodes[at].end) {
            nodes[at].state = SEEN;
            at = nodes[at].from;
            continue;
        }
        size_t to = s->arrows[nodes[at].arrow++];
        if (nodes[to].state == ON_THE_WAY) {
            tell(s, to, at);
        } else if (nodes[to].state == UNSEEN) {
            nodes[to].state = ON_THE_WAY;
            nodes[to].from = at;
            at = to;
        }
    }
}

int
fern__cycle_each(const struct fern__census *census,
        void (*fn)(fern_greenlet *g, bool first, void *arg), void *arg)
{
    struct search s = {.owners.add = add_arrow, .census = census, .fn = fn, .arg = arg};
    s.nodes = calloc(census->n, sizeof *s.nodes);
    if (!s.nodes)
        return -ENOMEM;
    list_arrows(&s);
    for (size_t i = 0; i < census->n && !s.full; i++) {
        if (s.nodes[i].state == UNSEEN)
            follow(&s, i);
    }
    free(s.arrows);
    free(s.nodes);
    return s.full ? -ENOMEM : 0;
}
