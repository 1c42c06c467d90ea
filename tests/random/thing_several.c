/* SPDX-License-Identifier: MIT */
/*
 * Semaphores of which whoever comes first takes the permits, and mutexes of which several are
 * taken at once.
 */
#include <errno.h>

#include "things.h"

/* ---- barging semaphore ---- */

static void
barging_begin(struct thing *t)
{
    FERN_SEMAPHORE_OPTIONS(options);
    options.flags = FERN_SEMAPHORE_BARGE;
    options.limit = t->limit = chance(40) ? 3 + draw(3) : 0;
    options.count = t->count = draw(3);
    MUST(fern_semaphore_init(&t->semaphore, &options) == 0, "barging semaphore");
}

/* Those who wait do so in their order: nobody but the first is known to have enough. */
static bool
barging_ready(const struct way *w)
{
    return line_first(&w->thing->line[0]) == w && w->thing->count >= w->item.key;
}

static void
barging_take(struct way *w)
{
    (void)w;
}

static void
barging_give(struct thing *t, int64_t n)
{
    int wanted = t->limit && t->count + n > t->limit ? -EOVERFLOW : 0;
    t->count += wanted ? 0 : n;
    int r = fern_semaphore_release(&t->semaphore, n);
    MUST(r == wanted, "giving %d permits of barging semaphore %d back gave %d", (int)n,
            t->number, r);
}

/* Permits that are there are anybody's, so that of one that fails nobody may say that there were
 * enough when it began and it could have waited. */
static void
barging_act(struct user *u, struct thing *t)
{
    fern_time deadline = pick_deadline();
    int64_t n = 1 + draw(2);
    open_begin(u, t, &t->line[0], deadline);
    u->way[0].item.key = n;
    u->passes = true;
    bool there = t->count >= n;
    int r = fern_semaphore_acquire(&t->semaphore, n, deadline);
    MUST(r != -EAGAIN || !there, "permits of barging semaphore %d were there", t->number);
    if (!open_end(u, r))
        return;
    t->count -= n;
    u->held[t->number] += (int)n;
    MUST(t->count >= 0, "barging semaphore %d gave what it had not", t->number);
}

static void
barging_poke(struct thing *t)
{
    if (chance(70))
        barging_give(t, 1 + draw(2));
    else if (fern_semaphore_acquire(&t->semaphore, 1, FERN_NOWAIT) == 0)
        MUST(t->count-- > 0, "barging semaphore %d gave what it had not", t->number);
}

static void
barging_leave(struct user *u, struct thing *t)
{
    if (u->held[t->number])
        barging_give(t, u->held[t->number]);
    u->held[t->number] = 0;
}

static void
barging_check(struct thing *t)
{
    MUST(fern_semaphore_count(&t->semaphore) == t->count,
            "barging semaphore %d has %lld permits, not %lld", t->number,
            (long long)fern_semaphore_count(&t->semaphore), (long long)t->count);
}

static void
barging_end(struct thing *t)
{
    MUST(fern_semaphore_fini(&t->semaphore) == 0, "barging semaphore %d is in use",
            t->number);
}

const struct kind kind_barging = {.name = "barging semaphore",
        .begin = barging_begin,
        .act = barging_act,
        .poke = barging_poke,
        .ready = barging_ready,
        .take = barging_take,
        .leave = barging_leave,
        .check = barging_check,
        .end = barging_end};

/* ---- several mutexes ---- */

static void
several_begin(struct thing *t)
{
    for (int i = 0; i < SEVERAL; i++)
        t->one[i] = FERN_MUTEX_INIT;
}

/* The way's number has a bit for each that is wanted. */
static bool
several_ready(const struct way *w)
{
    for (int i = 0; i < SEVERAL; i++)
        if (w->what & 1 << i && fern_mutex_locked(&w->thing->one[i]))
            return false;
    return true;
}

/* In an order that is drawn. @return how many */
static size_t
several_list(struct thing *t, int set, fern_mutex **ret_list)
{
    size_t n = 0;
    int first = (int)draw(SEVERAL), step = chance(50) ? 1 : SEVERAL - 1;
    for (int k = 0; k < SEVERAL; k++) {
        int i = (first + k * step) % SEVERAL;
        if (set & 1 << i)
            ret_list[n++] = &t->one[i];
    }
    return n;
}

static int
several_held(const struct user *u, const struct thing *t)
{
    int set = 0;
    for (int i = 0; i < SEVERAL; i++)
        set |= (t->holder[i] == u) << i;
    return set;
}

static void
several_release(struct user *u, struct thing *t)
{
    fern_mutex *list[SEVERAL];
    size_t n = several_list(t, several_held(u, t), list);
    for (int i = 0; i < SEVERAL; i++)
        if (t->holder[i] == u)
            t->holder[i] = NULL;
    int r = fern_unlock_all(list, n);
    MUST(r == 0, "user %d releases several of %d: %d", u->number, t->number, r);
}

static void
several_act(struct user *u, struct thing *t)
{
    /* Who holds some may not take others that come before them. */
    for (int i = t->number; i < model.things; i++) {
        struct thing *held = &model.thing[i];
        if (held->kind == &kind_several && several_held(u, held)) {
            several_release(u, held);
            return;
        }
    }
    fern_mutex *list[SEVERAL];
    fern_time deadline = pick_deadline();
    int set = 1 + (int)draw((1 << SEVERAL) - 1);
    size_t n = several_list(t, set, list);
    open_begin(u, t, NULL, deadline);
    u->way[0].what = set;
    int r = fern_lock_all(list, n, deadline);
    if (!open_end(u, r))
        return;
    MUST(r == 0, "user %d takes several of %d: %d", u->number, t->number, r);
    for (int i = 0; i < SEVERAL; i++) {
        if (!(set & 1 << i))
            continue;
        MUST(!t->holder[i], "user %d holds what user %d takes", t->holder[i]->number,
                u->number);
        t->holder[i] = u;
    }
}

static void
several_poke(struct thing *t)
{
    (void)t;
}

static void
several_leave(struct user *u, struct thing *t)
{
    if (several_held(u, t))
        several_release(u, t);
}

/* Somebody who waits for several may hold some of them; somebody else holds what he waits for. */
static void
several_check(struct thing *t)
{
    bool waits = false, held = false;
    for (int i = 0; i < model.users; i++)
        waits |= model.user[i].waits && model.user[i].ways &&
                 model.user[i].way[0].thing == t;
    for (int i = 0; i < SEVERAL; i++) {
        bool locked = fern_mutex_locked(&t->one[i]);
        held |= t->holder[i] != NULL;
        MUST(locked || !t->holder[i], "one of %d is held by nobody", t->number);
        MUST(!locked || t->holder[i] || waits, "one of %d was not released", t->number);
    }
    MUST(held || !waits, "those who wait for several of %d wait for each other", t->number);
}

static void
several_end(struct thing *t)
{
    for (int i = 0; i < SEVERAL; i++)
        MUST(fern_mutex_fini(&t->one[i]) == 0, "one of %d is in use", t->number);
}

const struct kind kind_several = {.name = "several",
        .begin = several_begin,
        .act = several_act,
        .poke = several_poke,
        .ready = several_ready,
        .take = barging_take,
        .leave = several_leave,
        .check = several_check,
        .end = several_end};
