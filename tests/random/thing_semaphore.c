/* SPDX-License-Identifier: MIT */
/*
 * Semaphores, with and without a limit.
 */
#include <errno.h>

#include "things.h"

enum { TAKE, GIVE };

static bool
suffices(const struct thing *t, int64_t n)
{
    return t->count >= (n ? n : 1);
}

static bool
has_room(const struct thing *t, int64_t n)
{
    return !t->limit || t->count <= t->limit - n;
}

/* ---- serving ---- */

static bool
serve_taker(struct thing *t)
{
    struct way *w = line_head(&t->line[TAKE]);
    if (!w || !suffices(t, w->item.key))
        return false;
    if (line_pop(&t->line[TAKE])) {
        t->count -= w->item.key;
        serve(w, 0);
    }
    return true;
}

static bool
serve_giver(struct thing *t)
{
    struct way *w = line_head(&t->line[GIVE]);
    if (!w || !has_room(t, w->item.key))
        return false;
    if (line_pop(&t->line[GIVE])) {
        t->count += w->item.key;
        serve(w, 0);
    }
    return true;
}

static void
settle(struct thing *t)
{
    while (serve_taker(t) || serve_giver(t))
        continue;
}

/* Whether some would be left if all who wait were served: those ahead may have given up and not
 * have run yet. */
static bool
would_be_left(const struct thing *t, int64_t n)
{
    struct line takers = t->line[TAKE], givers = t->line[GIVE];
    struct thing as_if = {.count = t->count, .limit = t->limit};
    for (;;) {
        struct way *taker = line_first(&takers), *giver = line_first(&givers);
        if (taker && suffices(&as_if, taker->item.key)) {
            as_if.count -= taker->item.key;
            line_skip(&takers);
        } else if (giver && has_room(&as_if, giver->item.key)) {
            as_if.count += giver->item.key;
            line_skip(&givers);
        } else {
            return !taker && suffices(&as_if, n);
        }
    }
}

static bool
semaphore_ready(const struct way *w)
{
    struct thing *t = w->thing;
    if (w->what == GIVE)
        return has_room(t, w->item.key) && !line_head(&t->line[GIVE]);
    return suffices(t, w->item.key) && would_be_left(t, w->item.key);
}

static void
semaphore_take(struct way *w)
{
    if (w->what == TAKE && line_head(&w->thing->line[TAKE]))
        settle(w->thing);
    w->thing->count += w->what == GIVE ? w->item.key : -w->item.key;
    settle(w->thing);
}

/* ---- calls ---- */

static int
call(struct thing *t, int what, int64_t n, fern_time deadline)
{
    if (what == GIVE)
        return fern_semaphore_refill(&t->semaphore, n, deadline);
    return n ? fern_semaphore_acquire(&t->semaphore, n, deadline)
             : fern_semaphore_wait(&t->semaphore, deadline);
}

/* What the user has gained it gives back at its end, if not before. */
static void
semaphore_act(struct user *u, struct thing *t)
{
    fern_time deadline = pick_deadline();
    int what = t->limit && chance(20) ? GIVE : TAKE;
    int64_t n = what == GIVE ? 1 : draw(3);
    struct way *w = only_way(u, t, &t->line[what]);
    w->what = what;
    w->item.key = n;
    wait_begin(u, deadline);
    bool waits = !u->at_once;
    if (wait_end(u, call(t, what, n, deadline))) {
        u->held[t->number] += what == TAKE ? (int)n : 0;
    } else if (waits) {
        /* Those behind it may be served now, and have been by the library. */
        model.late = true;
        settle(t);
        model.late = false;
    }
}

static int
give(struct thing *t, int64_t n)
{
    int wanted = has_room(t, n) ? 0 : -EOVERFLOW;
    if (wanted == 0) {
        t->count += n;
        settle(t);
    }
    int r = fern_semaphore_release(&t->semaphore, n);
    MUST(r == wanted, "giving %d permits of semaphore %d back gave %d", (int)n, t->number,
            r);
    return r;
}

static void
semaphore_poke(struct thing *t)
{
    if (chance(70)) {
        give(t, 1 + draw(2));
        return;
    }
    struct user *u = &model.nobody;
    struct way *w = only_way(u, t, &t->line[TAKE]);
    w->item.key = 1;
    wait_begin(u, FERN_NOWAIT);
    wait_end(u, fern_semaphore_acquire(&t->semaphore, 1, FERN_NOWAIT));
}

static void
semaphore_leave(struct user *u, struct thing *t)
{
    if (u->held[t->number])
        give(t, u->held[t->number]);
    u->held[t->number] = 0;
}

static fern_case
semaphore_choose(struct user *u, struct way *w)
{
    (void)u;
    w->item.key = 1;
    return fern_case_semaphore(&w->thing->semaphore);
}

static void
semaphore_chosen(struct user *u, struct way *w, bool won)
{
    u->held[w->thing->number] += won;
}

/* ---- beginning, looking, ending ---- */

static void
semaphore_begin(struct thing *t)
{
    FERN_SEMAPHORE_OPTIONS(options);
    options.limit = t->limit = chance(40) ? 2 + draw(3) : 0;
    options.count = t->count = draw(3);
    MUST(fern_semaphore_init(&t->semaphore, &options) == 0, "semaphore");
}

static void
semaphore_check(struct thing *t)
{
    MUST(fern_semaphore_count(&t->semaphore) == t->count,
            "semaphore %d has %lld permits, not %lld", t->number,
            (long long)fern_semaphore_count(&t->semaphore), (long long)t->count);
    struct way *first = line_head(&t->line[TAKE]);
    MUST(!first || !suffices(t, first->item.key),
            "user %d waits for permits that are there", first->user->number);
    first = line_head(&t->line[GIVE]);
    MUST(!first || !has_room(t, first->item.key), "user %d waits for room that is there",
            first->user->number);
}

static void
semaphore_end(struct thing *t)
{
    MUST(fern_semaphore_fini(&t->semaphore) == 0, "semaphore %d is in use", t->number);
}

const struct kind kind_semaphore = {.name = "semaphore",
        .begin = semaphore_begin,
        .act = semaphore_act,
        .poke = semaphore_poke,
        .ready = semaphore_ready,
        .take = semaphore_take,
        .choose = semaphore_choose,
        .chosen = semaphore_chosen,
        .leave = semaphore_leave,
        .check = semaphore_check,
        .end = semaphore_end};
