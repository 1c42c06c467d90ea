/* SPDX-License-Identifier: MIT */
/*
 * Wait groups, and what is done once.
 */
#include <errno.h>

#include "things.h"

/* ---- wait group ---- */

static void
waitgroup_begin(struct thing *t)
{
    t->waitgroup = FERN_WAITGROUP_INIT;
}

static bool
waitgroup_ready(const struct way *w)
{
    return w->thing->count == 0;
}

static void
waitgroup_take(struct way *w)
{
    (void)w;
}

static void
waitgroup_poke(struct thing *t)
{
    int64_t n = chance(40) ? 1 + (int64_t)draw(3) : -(int64_t)(1 + draw(2));
    int wanted = t->count + n < 0 ? -EOVERFLOW : 0;
    if (wanted == 0)
        t->count += n;
    if (t->count == 0)
        serve_line(&t->line[0], 0);
    int r = n == -1 ? fern_waitgroup_done(&t->waitgroup)
                    : fern_waitgroup_add(&t->waitgroup, n);
    MUST(r == wanted, "adding %d to wait group %d gave %d", (int)n, t->number, r);
}

static void
waitgroup_act(struct user *u, struct thing *t)
{
    fern_time deadline = pick_deadline();
    only_way(u, t, &t->line[0]);
    wait_begin(u, deadline);
    wait_end(u, fern_waitgroup_wait(&t->waitgroup, deadline));
}

static void
waitgroup_check(struct thing *t)
{
    MUST(t->count || !line_count(&t->line[0]), "somebody waits for nobody at wait group %d",
            t->number);
}

static void
waitgroup_end(struct thing *t)
{
    MUST(fern_waitgroup_fini(&t->waitgroup) == 0, "wait group %d is in use", t->number);
}

const struct kind kind_waitgroup = {.name = "wait group",
        .begin = waitgroup_begin,
        .act = waitgroup_act,
        .poke = waitgroup_poke,
        .ready = waitgroup_ready,
        .take = waitgroup_take,
        .check = waitgroup_check,
        .end = waitgroup_end};

/* ---- once ---- */

struct doing {
    struct user *user;
    struct thing *thing;
    bool does;
};

static void
once_begin(struct thing *t)
{
    t->once = FERN_ONCE_INIT;
}

/* While nobody is ready: somebody who waits waits for one who is at it. */
static bool
once_ready(const struct way *w)
{
    return w->thing->set || !w->thing->owner;
}

static int
do_it(void *arg)
{
    struct doing *d = arg;
    struct thing *t = d->thing;
    MUST(!t->owner, "user %d does %d while user %d is at it", d->user->number, t->number,
            t->owner->number);
    MUST(!t->set, "user %d does %d again", d->user->number, t->number);
    open_end(d->user, 0);
    d->does = true;
    t->owner = d->user;
    if (chance(70))
        do_rest(d->user);
    t->owner = NULL;
    t->set = chance(30);
    return t->set ? 0 : -EIO;
}

static void
once_act(struct user *u, struct thing *t)
{
    if (t->set && line_empty(&t->line[0]) && chance(30)) {
        t->set = false;
        t->once = FERN_ONCE_INIT;
    }
    struct doing d = {.user = u, .thing = t};
    fern_time deadline = pick_deadline();
    open_begin(u, t, &t->line[0], deadline);
    bool was_set = t->set;
    int r = fern_once_do(&t->once, do_it, &d, deadline);
    if (d.does)
        MUST(r == (t->set ? 0 : -EIO) || t->owner, "doing %d gave %d", t->number, r);
    else if (open_end(u, r))
        MUST(r == 0 && (was_set || t->set), "what is not done gave user %d %d", u->number,
                r);
}

static void
once_poke(struct thing *t)
{
    MUST(fern_once_ready(&t->once) == t->set, "%d was done or not", t->number);
}

static void
once_check(struct thing *t)
{
    once_poke(t);
}

static void
once_end(struct thing *t)
{
    MUST(!t->owner, "user %d is still at it", t->owner->number);
}

const struct kind kind_once = {.name = "once",
        .begin = once_begin,
        .act = once_act,
        .poke = once_poke,
        .ready = once_ready,
        .take = waitgroup_take,
        .check = once_check,
        .end = once_end};
