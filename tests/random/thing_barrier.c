/* SPDX-License-Identifier: MIT */
/*
 * Barriers, and locks for readers and writers.
 */
#include <errno.h>

#include "things.h"

/* ---- barrier ---- */

/* What the last to arrive does was drawn before. */
static int
action(void *thing)
{
    return ((struct thing *)thing)->action_code;
}

static void
barrier_begin(struct thing *t)
{
    t->count = 1 + draw(4);
    t->set = chance(50);
    int r = fern_barrier_init(&t->barrier, (size_t)t->count, t->set ? action : NULL, t);
    MUST(r == 0, "barrier");
}

static bool
barrier_ready(const struct way *w)
{
    const struct thing *t = w->thing;
    return t->broken || line_others(&t->line[0], w->user) + 1 == (size_t)t->count;
}

static void
barrier_take(struct way *w)
{
    struct thing *t = w->thing;
    if (t->broken) {
        w->result = -ESHUTDOWN;
        return;
    }
    t->meeting++;
    t->broken = t->action_code < 0;
    int index = 0;
    for (struct way *other; (other = line_claim(&t->line[0])); index++)
        serve(other, t->broken ? -ESHUTDOWN : index);
    w->result = t->broken ? t->action_code : index;
}

static void
barrier_act(struct user *u, struct thing *t)
{
    fern_time deadline = pick_deadline();
    only_way(u, t, &t->line[0]);
    t->action_code = t->set && chance(15) ? -EIO : 0;
    wait_begin(u, deadline);
    bool waits = !u->at_once;
    uint64_t meeting = t->meeting;
    int r = fern_barrier_wait(&t->barrier, deadline);
    if (wait_end(u, r) || r != -ETIME || !waits || meeting != t->meeting)
        return;
    model.late = true;
    t->broken = true;
    t->meeting++;
    serve_line(&t->line[0], -ESHUTDOWN);
    model.late = false;
}

static void
barrier_poke(struct thing *t)
{
    if (chance(30)) {
        MUST(fern_barrier_broken(&t->barrier) == t->broken, "barrier %d is broken or not",
                t->number);
        return;
    }
    t->meeting++;
    t->broken = chance(15);
    serve_line(&t->line[0], -ESHUTDOWN);
    int r = t->broken ? fern_barrier_abort(&t->barrier) : fern_barrier_reset(&t->barrier);
    MUST(r == 0, "the end of a meeting gave %d", r);
}

static void
barrier_check(struct thing *t)
{
    MUST(fern_barrier_broken(&t->barrier) == t->broken, "barrier %d is broken or not",
            t->number);
    MUST(fern_barrier_waiting(&t->barrier) == line_count(&t->line[0]),
            "waiting at barrier %d", t->number);
}

static void
barrier_end(struct thing *t)
{
    MUST(fern_barrier_fini(&t->barrier) == 0, "barrier %d is in use", t->number);
}

const struct kind kind_barrier = {.name = "barrier",
        .begin = barrier_begin,
        .act = barrier_act,
        .poke = barrier_poke,
        .ready = barrier_ready,
        .take = barrier_take,
        .check = barrier_check,
        .end = barrier_end};

/* ---- readers and writers ---- */

static void
rwlock_begin(struct thing *t)
{
    t->rwlock = FERN_RWLOCK_INIT;
}

static bool
admits(const struct thing *t, bool writes)
{
    return !t->owner && !(writes && t->count);
}

static void
admit(struct thing *t, struct user *u, bool writes)
{
    if (writes)
        t->owner = u;
    else
        t->count++;
}

static void
let_in(struct thing *t)
{
    struct way *w;
    while ((w = line_first(&t->line[0])) && admits(t, w->what)) {
        admit(t, w->user, w->what);
        serve(w, 0);
    }
}

static bool
rwlock_ready(const struct way *w)
{
    struct thing *t = w->thing;
    if (admits(t, w->what))
        let_in(t); /* a writer may have given up, and not have run yet */
    if (admits(t, w->what) && line_count(&t->line[0]) == 0)
        return true;
    return t->owner == w->user && w->user->deadline.ns;
}

static void
rwlock_take(struct way *w)
{
    if (w->thing->owner)
        w->result = -EDEADLK;
    else
        admit(w->thing, w->user, w->what);
}

static void
rwlock_release(struct user *u, struct thing *t)
{
    if (t->owner == u) {
        t->owner = NULL;
    } else {
        t->count--;
        u->held[t->number]--;
    }
    let_in(t);
    int r = fern_rwlock_unlock(&t->rwlock);
    MUST(r == 0, "user %d releases rwlock %d: %d", u->number, t->number, r);
}

static void
rwlock_act(struct user *u, struct thing *t)
{
    if ((t->owner == u || u->held[t->number]) && chance(60)) {
        rwlock_release(u, t);
        return;
    }
    fern_time deadline = pick_deadline();
    struct way *w = only_way(u, t, &t->line[0]);
    w->what = chance(40);
    wait_begin(u, deadline);
    bool waits = !u->at_once;
    int r = w->what ? fern_rwlock_write(&t->rwlock, deadline)
                    : fern_rwlock_read(&t->rwlock, deadline);
    if (wait_end(u, r)) {
        u->held[t->number] += r == 0 && !w->what;
    } else if (waits) {
        model.late = true;
        let_in(t);
        model.late = false;
    }
}

static void
rwlock_poke(struct thing *t)
{
    bool mine = t->owner && t->owner->g == fern_self();
    if (!mine && !t->count)
        MUST(fern_rwlock_unlock(&t->rwlock) == -EPERM, "rwlock %d was not the caller's",
                t->number);
}

static void
rwlock_leave(struct user *u, struct thing *t)
{
    while (t->owner == u || u->held[t->number])
        rwlock_release(u, t);
}

static void
rwlock_check(struct thing *t)
{
    struct way *first = line_first(&t->line[0]);
    MUST(!first || !admits(t, first->what), "user %d waits for rwlock %d, which admits it",
            first->user->number, t->number);
}

static void
rwlock_end(struct thing *t)
{
    MUST(fern_rwlock_fini(&t->rwlock) == 0, "rwlock %d is in use", t->number);
}

const struct kind kind_rwlock = {.name = "rwlock",
        .begin = rwlock_begin,
        .act = rwlock_act,
        .poke = rwlock_poke,
        .ready = rwlock_ready,
        .take = rwlock_take,
        .leave = rwlock_leave,
        .check = rwlock_check,
        .end = rwlock_end};
