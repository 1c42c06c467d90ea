/* SPDX-License-Identifier: MIT */
/*
 * Generators that several ask, some of whom give up: each item comes once, and none is left out.
 */
#include <errno.h>
#include <stdlib.h>

#include "things.h"

enum { NEXT, CLOSE, GIVEN_MAX = 64 };

struct source {
    fern_generator *generator;
    int limit;
    int given; /* items so far */
    int got;
    bool seen[GIVEN_MAX];
    bool begun, ended;
    bool resting; /* it waits for something else than to be asked */
    bool closed;
    bool fails;
    int told;          /* of its failure */
    int users, asking; /* in a call, and in one for an item */
};

static struct source *
source_of(const struct thing *t)
{
    return t->own;
}

/* @return whether it may go on */
static bool
rest(struct source *s)
{
    s->resting = true;
    bool long_one = chance(5) && !s->closed; /* only its kill will end it */
    int r = fern_sleep(long_one ? FERN_HOUR : (int64_t)draw(4) * 500 * FERN_US);
    s->resting = false;
    MUST(r == 0 || r == -ECANCELED, "a generator rests: %d", r);
    return r == 0;
}

static void *
give_numbers(void *source)
{
    struct source *s = source;
    s->begun = true;
    int r = 0;
    while (r == 0 && s->given < s->limit) {
        if (chance(40) && !rest(s))
            break;
        int32_t item = s->given++;
        r = fern_generator_yield(&item, NULL);
    }
    MUST(r == 0 || (r == -ECANCELED && s->closed), "a yield gave %d", r);
    if (chance(30))
        (void)rest(s);
    s->fails = r == 0 && chance(20);
    s->ended = true;
    return s->fails ? fern_fail(7, "generator") : NULL;
}

static void
generator_make(struct thing *t)
{
    struct source *s = source_of(t);
    *s = (struct source){.limit = (int)draw(GIVEN_MAX)};
    s->generator = fern_generator_new(give_numbers, s, sizeof(int32_t));
    MUST(s->generator, "no generator");
}

static void
generator_begin(struct thing *t)
{
    t->own = calloc(1, sizeof(struct source));
    MUST(t->own, "no memory");
    generator_make(t);
}

/* ---- calls ---- */

/* While nobody is ready: it has given what was asked for, unless it waits itself. */
static bool
generator_ready(const struct way *w)
{
    const struct source *s = source_of(w->thing);
    return s->ended || !s->resting;
}

static void
generator_take(struct way *w)
{
    (void)w;
}

static void
note_item(struct thing *t, int32_t item)
{
    struct source *s = source_of(t);
    MUST(item >= 0 && item < s->given, "generator %d gave %d", t->number, item);
    MUST(!s->seen[item], "generator %d gave %d twice", t->number, item);
    s->seen[item] = true;
    s->got++;
}

static void
generator_next(struct user *u, struct thing *t)
{
    struct source *s = source_of(t);
    fern_time deadline = pick_deadline();
    int32_t item = -1;
    bool others = s->asking > 0, closed = s->closed;
    open_begin(u, t, NULL, deadline);
    u->way[0].what = NEXT;
    s->users++;
    s->asking++;
    int r = fern_generator_next(s->generator, &item, deadline);
    s->users--;
    s->asking--;
    bool served = open_end(u, r);
    MUST((r == 1) == (item != -1), "generator %d gave %d with item %d", t->number, r, item);
    if (!served)
        return;
    if (r == 1)
        note_item(t, item);
    else if (r == -EBUSY)
        MUST(others, "nobody else asks generator %d", t->number);
    else if (r == -7)
        MUST(s->fails && s->told++ == 0, "generator %d failed", t->number);
    else
        MUST(r == 0 && (s->ended || closed), "generator %d gave %d", t->number, r);
}

static void
generator_close(struct user *u, struct thing *t)
{
    struct source *s = source_of(t);
    fern_time deadline = pick_deadline();
    if (s->asking)
        return;
    open_begin(u, t, NULL, deadline);
    u->way[0].what = CLOSE;
    s->closed |= !u->entry;
    s->ended |= !s->begun && !u->entry;
    s->users++;
    int r = fern_generator_close(s->generator, deadline);
    s->users--;
    if (open_end(u, r))
        MUST(r == 0 && s->ended, "closing generator %d gave %d", t->number, r);
}

static void
generator_act(struct user *u, struct thing *t)
{
    if (chance(95))
        generator_next(u, t);
    else
        generator_close(u, t);
}

/* ---- deeds ---- */

static void
generator_poke(struct thing *t)
{
    struct source *s = source_of(t);
    if (chance(5)) {
        int r = fern_generator_close(s->generator, FERN_NOWAIT);
        MUST(r == 0 || r == -EAGAIN || (r == -EBUSY && s->asking), "a close gave %d", r);
        s->closed |= r != -EBUSY;
        s->ended |= r == 0;
    } else if (s->ended && !s->users && chance(50)) {
        fern_generator_free(s->generator);
        generator_make(t);
    }
}

/* What was asked for by one who has gone may wait for the next who asks. */
static void
generator_check(struct thing *t)
{
    const struct source *s = source_of(t);
    if (s->asking || s->closed)
        return;
    MUST(s->got == s->given || s->got == s->given - 1,
            "of %d items of generator %d %d have come", s->given, t->number, s->got);
    for (int i = 0; i < s->got; i++)
        MUST(s->seen[i], "item %d of generator %d was left out", i, t->number);
}

static void
generator_end(struct thing *t)
{
    struct source *s = source_of(t);
    s->closed = true;
    int r = fern_generator_close(s->generator, fern_in(FERN_SECOND));
    MUST(r == 0, "closing generator %d gave %d", t->number, r);
    MUST(s->ended || !s->begun, "generator %d goes on", t->number);
    fern_generator_free(s->generator);
    free(s);
}

const struct kind kind_generator = {.name = "generator",
        .begin = generator_begin,
        .act = generator_act,
        .poke = generator_poke,
        .ready = generator_ready,
        .take = generator_take,
        .check = generator_check,
        .end = generator_end,
        .stays = true};
