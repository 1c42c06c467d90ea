/* SPDX-License-Identifier: MIT */
/*
 * Waiting for greenlets to end.
 *
 * Waiting for one uses the caller's own cell. Waiting for several puts a link at each, which
 * counts down and notes the order; they are on the caller's stack up to a few, else on the heap,
 * and are taken back before the call returns.
 */
#include "core/link.h"
#include "core/wait.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINKS_ON_STACK = 8 };

static void
describe_join(const struct fern__cell *cell, char *text, size_t bytes)
{
    const fern_greenlet *g = cell->object;
    snprintf(text, bytes, "end of #%llu", (unsigned long long)g->id);
}

static const struct fern__waitable waitable_join = {
        .name = "join", .describe = describe_join, .owners = fern__end_owners};

int
fern_join(fern_greenlet *g, fern_time deadline)
{
    FERN_CHECK(g, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    struct fern__hub *hub = fern__greenlet_hub(g);
    fern_greenlet *self = hub->current;
    if (fern__unlikely(self->interrupt) && deadline.ns)
        return self->interrupt;
    if (g->life == FERN__LIFE_DONE)
        return 0;
    if (deadline.ns == 0)
        return -EAGAIN;
    FERN_CHECK(g != self, -EDEADLK);
    fern__link_mark(g);
    fern__wait_begin(self, &waitable_join, g);
    fern__wait_add(&g->ended, &self->cell);
    return fern__park(hub, self, deadline);
}

int
fern_get(fern_greenlet *g, fern_outcome *ret_outcome, fern_time deadline)
{
    FERN_CHECK(g && ret_outcome, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    fern_greenlet_ref(g);
    int r = fern_join(g, deadline);
    if (r == 0)
        r = fern_greenlet_outcome(g, ret_outcome);
    fern_greenlet_unref(g);
    return r;
}

/* ---- several ---- */

struct crowd;

struct member {
    struct fern__link link;
    struct crowd *crowd;
};

struct crowd {
    const fern_join_options *options;
    fern_greenlet *waiter;
    struct member *members;
    fern_greenlet *const *gs; /* of the members */
    size_t n;
    size_t done;
    size_t wanted;
    fern_greenlet *failed;
};

/* Those that have not ended. */
static void
several_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct crowd *crowd = cell->object;
    for (size_t i = 0; i < crowd->n; i++) {
        if (fern__list_linked(&crowd->members[i].link.cell.node))
            fern__owners_add(owners, crowd->gs[i]->id);
    }
}

static const struct fern__waitable waitable_join_all = {
        .name = "join of several", .owners = several_owners};

static bool
satisfied(const struct crowd *crowd)
{
    return crowd->done >= crowd->wanted || crowd->failed;
}

/* One has ended, or had ended before. What comes after the last that was wanted is not counted. */
static void
note(struct crowd *crowd, fern_greenlet *g)
{
    if (satisfied(crowd))
        return;
    if (crowd->options->ret_done)
        crowd->options->ret_done[crowd->done] = g;
    crowd->done++;
    if (crowd->options->stop_at_failure && !fern_successful(g))
        crowd->failed = g;
}

static void
member_ended(struct fern__link *link, fern_greenlet *g)
{
    struct crowd *crowd = fern__container_of(link, struct member, link)->crowd;
    note(crowd, g);
    if (satisfied(crowd) && fern__wait_claim(crowd->waiter))
        fern__wait_grant(crowd->waiter, 0);
}

static int
wait_for(struct crowd *crowd, fern_time deadline)
{
    struct fern__hub *hub = fern__greenlet_hub(crowd->waiter);
    for (size_t i = 0; i < crowd->n; i++) {
        struct member *m = &crowd->members[i];
        *m = (struct member){.link.ended = member_ended, .crowd = crowd};
        if (crowd->gs[i]->life != FERN__LIFE_DONE)
            fern__link_add(crowd->gs[i], &m->link);
    }
    fern__wait_begin(crowd->waiter, &waitable_join_all, crowd);
    int r = fern__park(hub, crowd->waiter, deadline);
    for (size_t i = 0; i < crowd->n; i++) {
        if (fern__list_linked(&crowd->members[i].link.cell.node))
            fern__wait_remove(&crowd->members[i].link.cell);
    }
    return r;
}

static int
join_crowd(struct crowd *crowd, fern_time deadline)
{
    fern_greenlet *const *gs = crowd->gs;
    for (size_t i = 0; i < crowd->n; i++) {
        if (gs[i]->life == FERN__LIFE_DONE)
            note(crowd, gs[i]);
    }
    if (satisfied(crowd))
        return 0;
    if (deadline.ns == 0)
        return -EAGAIN;
    for (size_t i = 0; i < crowd->n; i++)
        FERN_CHECK(gs[i] != crowd->waiter || crowd->wanted < crowd->n, -EDEADLK);
    struct member few[LINKS_ON_STACK];
    crowd->members = few;
    if (crowd->n > LINKS_ON_STACK) {
        crowd->members = malloc(crowd->n * sizeof *crowd->members);
        if (!crowd->members)
            return -ENOMEM;
    }
    int r = wait_for(crowd, deadline);
    if (crowd->members != few)
        free(crowd->members);
    return r;
}

static int
check(fern_greenlet *const *gs, size_t n, const fern_join_options *o)
{
    FERN_CHECK(gs || n == 0, -EINVAL);
    FERN_CHECK(o->size == sizeof *o && o->count <= n, -EINVAL);
    for (size_t i = 0; i < n; i++) {
        FERN_CHECK(gs[i], -EINVAL);
        FERN_CHECK(fern__greenlet_here(gs[i]), -EXDEV);
    }
    return 0;
}

int
fern_join_all_with(fern_greenlet *const *gs, size_t n, const fern_join_options *options,
        fern_time deadline)
{
    FERN_JOIN_OPTIONS(plain);
    const fern_join_options *o = options ? options : &plain;
    int r = check(gs, n, o);
    if (r < 0)
        return r;
    struct crowd crowd = {
            .options = o, .gs = gs, .n = n, .wanted = o->count ? o->count : n};
    if (n) {
        crowd.waiter = fern__greenlet_hub(gs[0])->current;
        r = crowd.waiter->interrupt && deadline.ns ? crowd.waiter->interrupt
                                                   : join_crowd(&crowd, deadline);
    }
    if (o->ret_done_count)
        *o->ret_done_count = crowd.done;
    if (o->ret_failed)
        *o->ret_failed = crowd.failed;
    return r;
}

int
fern_join_all(fern_greenlet *const *gs, size_t n, fern_time deadline)
{
    FERN_JOIN_OPTIONS(plain);
    int r = check(gs, n, &plain);
    /* Nobody asks in which order they end: one after the other will do. */
    for (size_t i = 0; i < n && r == 0; i++)
        r = fern_join(gs[i], deadline);
    return r;
}
