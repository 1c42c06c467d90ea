/* SPDX-License-Identifier: MIT */
/*
 * Mutexes, plain and recursive, and conditions.
 */
#include <errno.h>

#include "things.h"

/* ---- mutex ---- */

static void
mutex_begin(struct thing *t)
{
    t->clears = chance(40);
    int r = fern_mutex_init(&t->mutex, t->clears ? FERN_MUTEX_RECURSIVE : 0);
    MUST(r == 0, "mutex");
}

static bool
mutex_ready(const struct way *w)
{
    const struct thing *t = w->thing;
    if (t->owner != w->user || w->user->selects)
        return !t->owner;
    return t->clears || w->user->deadline.ns;
}

static void
mutex_take(struct way *w)
{
    struct thing *t = w->thing;
    if (t->owner && !t->clears)
        w->result = -EDEADLK; /* it would wait for itself */
    else if (t->owner)
        t->depth++;
    t->owner = w->user;
}

static void
mutex_release(struct user *u, struct thing *t)
{
    if (t->depth) {
        t->depth--;
    } else {
        struct way *first = line_claim(&t->line[0]);
        t->owner = first ? first->user : NULL;
        if (first)
            serve(first, 0);
    }
    int r = fern_mutex_unlock(&t->mutex);
    MUST(r == 0, "user %d releases mutex %d: %d", u->number, t->number, r);
}

static void
mutex_act(struct user *u, struct thing *t)
{
    if (t->owner == u && chance(60)) {
        mutex_release(u, t);
        return;
    }
    fern_time deadline = pick_deadline();
    only_way(u, t, &t->line[0]);
    wait_begin(u, deadline);
    wait_end(u, fern_mutex_lock(&t->mutex, deadline));
}

/* By nobody, who holds nothing. */
static void
mutex_poke(struct thing *t)
{
    struct user *owner = t->owner;
    MUST(fern_mutex_locked(&t->mutex) == (owner != NULL), "mutex %d is held or not",
            t->number);
    if (owner && owner->g != fern_self())
        MUST(fern_mutex_unlock(&t->mutex) == -EPERM, "mutex %d was another's", t->number);
}

static void
mutex_leave(struct user *u, struct thing *t)
{
    while (t->owner == u)
        mutex_release(u, t);
}

static fern_case
mutex_choose(struct user *u, struct way *w)
{
    (void)u;
    return fern_case_mutex(&w->thing->mutex);
}

static void
mutex_check(struct thing *t)
{
    MUST(fern_mutex_locked(&t->mutex) == (t->owner != NULL), "mutex %d is held or not",
            t->number);
    MUST(t->owner || line_empty(&t->line[0]), "mutex %d is free and waited for", t->number);
}

static void
mutex_end(struct thing *t)
{
    MUST(fern_mutex_fini(&t->mutex) == 0, "mutex %d is in use", t->number);
}

const struct kind kind_mutex = {.name = "mutex",
        .begin = mutex_begin,
        .act = mutex_act,
        .poke = mutex_poke,
        .ready = mutex_ready,
        .take = mutex_take,
        .choose = mutex_choose,
        .leave = mutex_leave,
        .check = mutex_check,
        .end = mutex_end};

/* ---- condition ---- */

/*
 * When its guard is taken again is the library's to know. So of the guard no more is known here
 * than that one user at most is inside, and that nobody waits for it while it is free.
 */

static void
condition_begin(struct thing *t)
{
    t->condition = FERN_CONDITION_INIT;
    MUST(fern_mutex_init(&t->guard, chance(30) ? FERN_MUTEX_RECURSIVE : 0) == 0, "guard");
}

static bool
condition_ready(const struct way *w)
{
    (void)w;
    return false;
}

static void
condition_take(struct way *w)
{
    (void)w;
}

static bool
enter(struct user *u, struct thing *t)
{
    u->guarded = t;
    int r = fern_mutex_lock(&t->guard, pick_deadline());
    u->guarded = NULL;
    if (r < 0)
        return false;
    MUST(!t->owner, "user %d came to where user %d is", u->number, t->owner->number);
    t->owner = u;
    return true;
}

static void
leave(struct user *u, struct thing *t)
{
    t->owner = NULL;
    int r = fern_mutex_unlock(&t->guard);
    MUST(r == 0, "user %d leaves guard %d: %d", u->number, t->number, r);
}

static void
notify(struct thing *t)
{
    size_t n = chance(20) ? SIZE_MAX : draw(3);
    int woken = 0;
    for (struct way *w; (size_t)woken < n && (w = line_claim(&t->line[0])); woken++)
        serve(w, 0);
    int r = fern_condition_notify(&t->condition, n);
    MUST(r == woken, "condition %d has woken %d, not %d", t->number, r, woken);
}

static void
condition_wait(struct user *u, struct thing *t)
{
    fern_time deadline = pick_deadline();
    only_way(u, t, &t->line[0]);
    u->retakes = true;
    u->guarded = t;
    wait_begin(u, deadline);
    if (!u->at_once)
        t->owner = NULL;
    bool inside = u->at_once;
    int r = fern_condition_wait(&t->condition, &t->guard, deadline);
    u->guarded = NULL;
    MUST(inside || !t->owner, "user %d came to where somebody is", u->number);
    t->owner = u;
    wait_end(u, r);
}

static void
condition_act(struct user *u, struct thing *t)
{
    if (!enter(u, t))
        return;
    for (unsigned left = draw(4); left; left--) {
        switch (draw(4)) {
        case 0:
            notify(t);
            break;
        case 1:
            (void)!fern_yield();
            break;
        default:
            condition_wait(u, t);
        }
        MUST(t->owner == u, "user %d is not alone inside", u->number);
    }
    leave(u, t);
}

static void
condition_poke(struct thing *t)
{
    bool mine = t->owner && t->owner->g == fern_self();
    if (mine || fern_mutex_lock(&t->guard, FERN_NOWAIT) < 0)
        return;
    MUST(!t->owner, "a callback came to where user %d is", t->owner->number);
    notify(t);
    MUST(fern_mutex_unlock(&t->guard) == 0, "guard");
}

static void
condition_check(struct thing *t)
{
    MUST(fern_mutex_locked(&t->guard) == (t->owner != NULL), "guard %d is held or not",
            t->number);
}

static void
condition_end(struct thing *t)
{
    MUST(fern_condition_fini(&t->condition) == 0, "condition %d is in use", t->number);
    MUST(fern_mutex_fini(&t->guard) == 0, "guard %d is in use", t->number);
}

const struct kind kind_condition = {.name = "condition",
        .begin = condition_begin,
        .act = condition_act,
        .poke = condition_poke,
        .ready = condition_ready,
        .take = condition_take,
        .check = condition_check,
        .end = condition_end};
