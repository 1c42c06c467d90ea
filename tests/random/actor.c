/* SPDX-License-Identifier: MIT */
/*
 * An actor's life: what it does is drawn from the seed, how it ends too.
 */
#include "world.h"

#include <errno.h>

bool
actor_shielded(const struct actor *a)
{
    for (int i = 0; i < a->depth; i++)
        if (a->is_shield[i])
            return true;
    return false;
}

int
actor_interrupt(const struct actor *a)
{
    int code = 0;
    for (int i = a->depth; i--;) {
        if (a->is_shield[i])
            return code;
        if (!fern_scope_fired(&a->scopes[i]))
            continue;
        if (fern_scope_code(&a->scopes[i]) != -ETIME)
            return -ECANCELED;
        code = -ETIME;
    }
    return fern_cancelling(a->g) ? -ECANCELED : code;
}

bool
actor_set_satisfied(const struct actor *a)
{
    size_t done = 0;
    for (size_t i = 0; i < a->set_count; i++) {
        if (!fern_ready(a->set[i]))
            continue;
        done++;
        if (a->set_stops && !fern_successful(a->set[i]))
            return true;
    }
    return done >= a->set_wanted;
}

bool
pair_readable(const struct pair *p, int side)
{
    return p->bytes[side] || p->closed[!side] || p->ended[side];
}

void
actor_free(void *actor)
{
    struct actor *a = actor;
    a->frees++;
    bool orphan = a->with_parent && !a->runs;
    if (!world.draining && !orphan && chance(10))
        act_without_waiting();
    /* Whoever this has ended was served before. */
    a->end_order = ++world.clock;
}

static void
pay(void *actor)
{
    struct actor *a = actor;
    a->cleanups_owed--;
    if (chance(20))
        do_wait(a);
}

static void
live(struct actor *a)
{
    unsigned steps = draw(13);
    for (unsigned i = 0; i < steps && !(world.draining && chance(70)); i++) {
        if (chance(55))
            do_wait(a);
        else
            do_deed(a);
    }
}

/* Scopes that are still open are left to the end of the greenlet, or left in the middle. */
static void
leave_some_scopes(struct actor *a)
{
    if (a->depth && chance(50)) {
        int at = (int)draw((unsigned)a->depth);
        int r = a->is_shield[at] ? fern_shield_stop(&a->scopes[at])
                                 : fern_scope_stop(&a->scopes[at]);
        MUST(r == 0, "leaving scope %d of %d: %d", at, a->depth, r);
        a->depth = at;
    }
}

static void *
finish(struct actor *a)
{
    leave_some_scopes(a);
    tell("ends");
    switch (draw(8)) {
    case 0:
        return fern_fail(1 + (int)draw(9), "actor %d", a->number);
    case 1:
        fern_exit(a);
    default:
        return a;
    }
}

void *
actor_main(void *actor)
{
    struct actor *a = actor;
    a->runs++;
    tell("is actor %d", a->number);
    MUST(!a->g || fern_self() == a->g, "actor %d is somebody else", a->number);
    a->g = fern_self(); /* one that is spawned to run now is known to nobody else yet */
    FERN_AUTO(pay, a);
    a->cleanups_owed++;
    live(a);
    return finish(a);
}
