/* SPDX-License-Identifier: MIT */
/*
 * Select over any of the things, and moments.
 */
#include "things.h"

static fern_case
pick_case(struct user *u, struct way *w)
{
    struct thing *t = &model.thing[draw((unsigned)model.things)];
    *w = (struct way){.user = u};
    if (t->kind->choose && !chance(10)) {
        w->thing = t;
        w->line = &t->line[0]; /* unless the kind knows better */
        return t->kind->choose(u, w);
    }
    w->when = chance(80) ? fern_in((int64_t)draw(8) * 500 * FERN_US) : FERN_FOREVER;
    return w->when.ns == INT64_MAX ? fern_case_event(NULL) : fern_case_timer(w->when);
}

void
do_select(struct user *u)
{
    fern_case cases[WAYS_MAX];
    fern_time deadline = pick_deadline();
    u->selects = true;
    u->drawn = chance(30);
    u->ways = 1 + (int)draw(WAYS_MAX);
    for (int i = 0; i < u->ways; i++)
        cases[i] = pick_case(u, &u->way[i]);
    wait_begin(u, deadline);
    tell("user %d selects", u->number);
    int flags = u->drawn ? FERN_SELECT_RANDOM : 0;
    int r = fern_select(cases, (size_t)u->ways, flags, deadline);
    select_end(u, r, cases);
    for (int i = 0; i < u->ways; i++)
        if (u->way[i].thing && u->way[i].thing->kind->chosen)
            u->way[i].thing->kind->chosen(u, &u->way[i], i == r);
}
