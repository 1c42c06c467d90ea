/* SPDX-License-Identifier: MIT */
/*
 * Finding greenlets that wait for each other: over locks, joins, and whatever else can say whose
 * doing it waits for.
 *
 * Each one's owners are listed first. Then a walk goes from one to another, the way back noted in
 * each, and whoever is met while still on the way closes a circle. Each arrow is followed once.
 * This is done without and then with those arrows that are only presumed.
 */
#include "debug/cycle.h"

#include "core/wait.h"

#include <errno.h>
#include <stdlib.h>

enum state { UNSEEN, ON_THE_WAY, SEEN };

/* More of one greenlet's are not followed. */
enum { ARROWS_MAX = 1000 };

struct arrow {
    size_t to;
    bool presumed;
};

/* One of the census; places in it are numbers. */
struct node {
    enum state state;
    bool told;
    bool presumed;     /* the arrow that led here */
    size_t arrow, end; /* its arrows that have not been followed yet */
    size_t from;       /* who led here */
    size_t next;       /* whom it waits for in the circle that is told */
};

struct search {
    struct fern__owners owners; /* what is handed to a waitable */
    const struct fern__census *census;
    struct node *nodes;
    struct arrow *arrows;
    size_t arrow_count;
    size_t arrow_room;
    size_t from; /* whose arrows are being listed */
    bool presuming;
    bool full; /* there was no memory for an arrow */
    fern__cycle_fn *fn;
    void *arg;
};

/* ---- who waits for whom ---- */

static void
add_arrow(struct fern__owners *owners, uint64_t id, bool presumed)
{
    struct search *s = fern__container_of(owners, struct search, owners);
    size_t to = fern__census_find(s->census, id);
    if (to == s->census->n || (presumed && (!s->presuming || to == s->from)) ||
            s->arrow_count - s->nodes[s->from].arrow == ARROWS_MAX)
        return;
    if (s->arrow_count == s->arrow_room) {
        size_t room = s->arrow_room ? 2 * s->arrow_room : 64;
        struct arrow *more = realloc(s->arrows, room * sizeof *more);
        if (!more) {
            s->full = true;
            return;
        }
        s->arrows = more;
        s->arrow_room = room;
    }
    s->arrows[s->arrow_count++] = (struct arrow){to, presumed};
}

static void
list_arrows(struct search *s)
{
    s->arrow_count = 0;
    for (size_t i = 0; i < s->census->n; i++) {
        const fern_greenlet *g = s->census->all[i].g;
        struct node *node = &s->nodes[i];
        node->state = UNSEEN;
        node->arrow = s->arrow_count;
        s->from = i;
        if (fern__wait_is_open(g) && g->waiting && g->waiting->owners)
            g->waiting->owners(&g->cell, &s->owners);
        node->end = s->arrow_count;
    }
}

/* ---- walking ---- */

/* An arrow from the last on the way leads to one before it. */
static void
tell(struct search *s, size_t last, const struct arrow *closing)
{
    struct node *nodes = s->nodes;
    struct fern__cycle cycle = {.size = 1, .presumed = closing->presumed};
    bool told = nodes[closing->to].told;
    nodes[last].next = closing->to;
    for (size_t i = last; i != closing->to; i = nodes[i].from) {
        told = told || nodes[i].told;
        cycle.presumed = cycle.presumed || nodes[i].presumed;
        cycle.size++;
        nodes[nodes[i].from].next = i;
    }
    size_t at = closing->to;
    for (size_t i = 0; i < cycle.size && !told; i++) {
        nodes[at].told = true;
        s->fn(s->census->all[at].g, i ? NULL : &cycle, s->arg);
        at = nodes[at].next;
    }
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
        const struct arrow *arrow = &s->arrows[nodes[at].arrow++];
        struct node *to = &nodes[arrow->to];
        if (to->state == ON_THE_WAY) {
            tell(s, at, arrow);
        } else if (to->state == UNSEEN) {
            to->state = ON_THE_WAY;
            to->presumed = arrow->presumed;
            to->from = at;
            at = arrow->to;
        }
    }
}

int
fern__cycle_each(const struct fern__census *census, fern__cycle_fn *fn, void *arg)
{
    struct search s = {.owners.add = add_arrow, .census = census, .fn = fn, .arg = arg};
    s.nodes = calloc(census->n, sizeof *s.nodes);
    if (!s.nodes)
        return -ENOMEM;
    for (int round = 0; round < 2; round++) {
        s.presuming = round == 1;
        list_arrows(&s);
        for (size_t i = 0; i < census->n && !s.full; i++) {
            if (s.nodes[i].state == UNSEEN)
                follow(&s, i);
        }
    }
    free(s.arrows);
    free(s.nodes);
    return s.full ? -ENOMEM : 0;
}
