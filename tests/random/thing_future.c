/* SPDX-License-Identifier: MIT */
/*
 * Futures: two plain ones, a gather of both and a shield of the first, with callbacks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "things.h"

enum { ONE, OTHER, GATHER, SHIELD, FUTURES, CALLBACKS = 6 };
/* What a way waits for, if not for one of them to be done. */
enum { ALL = FUTURES, FIRST, FIRST_ERROR };

enum how { PENDING, VALUE, ERROR, CANCELLED };

struct callback {
    struct thing *thing;
    int which;
    bool armed;
    bool due;
    uint64_t arrival;
    uint64_t served;
};

struct futures {
    fern_future *f[FUTURES];
    enum how how[FUTURES];
    int32_t value[FUTURES]; /* or code */
    uint64_t
            done_at[FUTURES]; /* when those were told who wait; made of it is told before */
    bool keeps_errors;        /* the gather: an error is an outcome */
    bool asked;               /* to be cancelled */
    int left;
    int woken;
    struct callback callback[CALLBACKS];
};

static struct futures *
futures_of(const struct thing *t)
{
    return t->own;
}

static void
futures_make(struct thing *t)
{
    struct futures *s = futures_of(t);
    *s = (struct futures){.keeps_errors = chance(40), .left = 2};
    s->f[ONE] = fern_future_new();
    s->f[OTHER] = fern_future_new();
    s->f[GATHER] = fern_gather(s->f, 2, s->keeps_errors ? FERN_GATHER_ERRORS : 0);
    s->f[SHIELD] = fern_future_shield(s->f[ONE]);
    for (int i = 0; i < FUTURES; i++)
        MUST(s->f[i], "no future %d", i);
}

static void
future_begin(struct thing *t)
{
    t->own = calloc(1, sizeof(struct futures));
    MUST(t->own, "no memory");
    futures_make(t);
}

/* ---- being done ---- */

static struct callback *
first_callback(struct futures *s, int which)
{
    struct callback *first = NULL;
    for (int i = 0; i < CALLBACKS; i++) {
        struct callback *c = &s->callback[i];
        if (c->armed && !c->due && c->which == which &&
                (!first || c->arrival < first->arrival))
            first = c;
    }
    return first;
}

static void
callback_due(struct callback *c)
{
    c->due = true;
    c->served = ++model.clock;
}

/* Those who wait and those who are called come in one order. */
static void
serve_future(struct thing *t, int which)
{
    struct futures *s = futures_of(t);
    for (;;) {
        struct way *w = line_first(&t->line[which]);
        struct callback *c = first_callback(s, which);
        if (!w && !c)
            return;
        if (c && (!w || c->arrival < w->arrival)) {
            callback_due(c);
        } else {
            s->woken += !w->user->selects;
            serve(w, 0);
        }
    }
}

static void
become(struct thing *t, int which, enum how how, int32_t value)
{
    struct futures *s = futures_of(t);
    s->how[which] = how;
    s->value[which] = value;
    if (which <= OTHER) {
        s->left--;
        if (s->how[GATHER] == PENDING) {
            if (how != VALUE && !s->keeps_errors && !s->asked)
                become(t, GATHER, how, value);
            else if (s->left == 0)
                become(t, GATHER, s->asked ? CANCELLED : VALUE, s->asked ? -ECANCELED : 0);
        }
    }
    if (which == ONE && s->how[SHIELD] == PENDING)
        become(t, SHIELD, how, value);
    s->done_at[which] = ++model.clock;
    serve_future(t, which);
}

static void
become_cancelled(struct thing *t, int which)
{
    struct futures *s = futures_of(t);
    if (which != GATHER) {
        become(t, which, CANCELLED, -ECANCELED);
        return;
    }
    s->asked = true;
    for (int i = ONE; i <= OTHER; i++)
        if (s->how[i] == PENDING)
            become(t, i, CANCELLED, -ECANCELED);
}

/* ---- looking ---- */

static void
check_outcome(const struct thing *t, int which, const fern_outcome *o)
{
    const struct futures *s = futures_of(t);
    enum how how = o->cancelled ? CANCELLED : o->code ? ERROR : VALUE;
    MUST(how == s->how[which], "future %d.%d ended as %d, not %d", t->number, which,
            (int)how, (int)s->how[which]);
    if (how != VALUE) {
        MUST(o->code == s->value[which], "future %d.%d has code %d, not %d", t->number,
                which, o->code, s->value[which]);
    } else if (which != GATHER) {
        MUST((intptr_t)o->value == s->value[which], "future %d.%d has another value",
                t->number, which);
    } else {
        check_outcome(t, ONE, o->value);
        check_outcome(t, OTHER, (const fern_outcome *)o->value + 1);
    }
}

static bool
future_ready(const struct way *w)
{
    const struct futures *s = futures_of(w->thing);
    int done = 0, failed = 0;
    for (int i = 0; i < FUTURES; i++) {
        done += s->how[i] != PENDING;
        failed += s->how[i] == ERROR;
    }
    switch (w->what) {
    case ALL:
        return done == FUTURES;
    case FIRST:
        return done > 0;
    case FIRST_ERROR:
        return failed || done == FUTURES;
    default:
        return s->how[w->what] != PENDING;
    }
}

static void
future_take(struct way *w)
{
    (void)w;
}

/* ---- calls ---- */

/* What has been done while it was on its way back counts. */
static void
see_what_was_done(struct user *u, const struct thing *t, int r)
{
    enum how how = futures_of(t)->how[u->way[0].what];
    if (r != 0 || u->won >= 0 || how == PENDING || how == CANCELLED)
        return;
    u->won = 0;
    u->way[0].result = 0;
}

static void
wait_for_one(struct user *u, struct thing *t, int which)
{
    struct futures *s = futures_of(t);
    fern_future *f = s->f[which];
    fern_time deadline = pick_deadline();
    fern_outcome o = {.code = 12345};
    bool cancels = chance(25);
    only_way(u, t, &t->line[which])->what = which;
    wait_begin(u, deadline);
    bool waits = !u->at_once;
    s->woken += cancels; /* it looks at it until it returns */
    int r = cancels ? fern_wait_for(f, &o, deadline) : fern_future_get(f, &o, deadline);
    s->woken -= cancels;
    bool was_woken = u->served;
    if (cancels)
        see_what_was_done(u, t, r);
    s->woken -= waits && was_woken;
    if (wait_end(u, r)) {
        check_outcome(t, which, &o);
        return;
    }
    MUST(o.code == 12345, "an outcome was written without success");
    if (cancels && waits && s->how[which] == PENDING) {
        model.late = true;
        become_cancelled(t, which);
        model.late = false;
    }
}

/* Those that were done before come first, as listed, then the others in their order. */
static void
check_order(const struct thing *t, fern_future *const *done, int count, uint64_t since)
{
    const struct futures *s = futures_of(t);
    uint64_t last = 0;
    for (int i = 0; i < count; i++) {
        int k = 0;
        while (s->f[k] != done[i])
            k++;
        MUST(s->how[k] != PENDING, "future %d.%d is not done", t->number, k);
        uint64_t at = s->done_at[k] < since ? (uint64_t)k : s->done_at[k];
        MUST(i == 0 || at > last, "future %d.%d was done before the one listed before it",
                t->number, k);
        last = at;
    }
}

static void
wait_for_many(struct user *u, struct thing *t)
{
    struct futures *s = futures_of(t);
    fern_future *done[FUTURES];
    static const fern_when whens[] = {
            FERN_WHEN_ALL, FERN_WHEN_FIRST, FERN_WHEN_FIRST_ERROR};
    int which = (int)draw(3);
    fern_time deadline = pick_deadline();
    open_begin(u, t, NULL, deadline);
    u->way[0].what = ALL + which;
    uint64_t since = ++model.clock;
    s->woken++; /* it looks at them until it returns */
    int r = fern_wait_futures(s->f, FUTURES, whens[which], done, deadline);
    s->woken--;
    bool late = deadline.ns == 0 || fern_now().ns >= deadline.ns;
    MUST(r < 0 || late || future_ready(&u->way[0]), "user %d waited for more of %d",
            u->number, t->number);
    if (open_end(u, r))
        check_order(t, done, r, since);
}

static void
iterate(struct user *u, struct thing *t)
{
    struct futures *s = futures_of(t);
    fern_future *done[FUTURES];
    int count = 0, r = 1;
    uint64_t since = ++model.clock;
    fern_completed *it = fern_as_completed(s->f, FUTURES);
    MUST(it, "no iterator");
    s->woken++;
    while (r == 1 && !chance(15)) {
        fern_time deadline = pick_deadline();
        open_begin(u, t, NULL, deadline);
        u->way[0].what = count == 0 ? FIRST : ALL;
        r = fern_completed_next(it, &done[count < FUTURES ? count : 0], deadline);
        MUST(r != 0 || count == FUTURES, "only %d of %d came", count, t->number);
        count += open_end(u, r) && r == 1;
    }
    s->woken--;
    fern_completed_free(it);
    check_order(t, done, count, since);
}

static void
future_act(struct user *u, struct thing *t)
{
    unsigned what = draw(10);
    if (what < 7)
        wait_for_one(u, t, (int)draw(FUTURES));
    else if (what < 9)
        wait_for_many(u, t);
    else
        iterate(u, t);
}

/* ---- deeds ---- */

static void
set_one(struct thing *t)
{
    struct futures *s = futures_of(t);
    int which = (int)draw(2);
    int32_t value = ++model.last_item;
    bool is_error = chance(30);
    int wanted = s->how[which] == PENDING ? 0 : -EALREADY;
    if (wanted == 0)
        become(t, which, is_error ? ERROR : VALUE, value);
    int r = is_error ? fern_future_set_error(s->f[which], value, NULL)
                     : fern_future_set(s->f[which], (void *)(intptr_t)value);
    MUST(r == wanted, "assigning future %d.%d gave %d", t->number, which, r);
}

static void
cancel_one(struct thing *t)
{
    struct futures *s = futures_of(t);
    int which = (int)draw(FUTURES);
    int wanted = s->how[which] == PENDING;
    if (wanted)
        become_cancelled(t, which);
    int r = fern_future_cancel(s->f[which], 0);
    MUST(r == wanted, "cancelling future %d.%d gave %d", t->number, which, r);
}

static void
called(fern_future *f, void *arg)
{
    struct callback *c = arg;
    struct futures *s = futures_of(c->thing);
    MUST(c->due, "callback %d was called too early or again", (int)(c - s->callback));
    MUST(f == s->f[c->which], "a callback of another future");
    MUST(schedule.permuted || c->served > model.ran, "a callback out of order");
    model.ran = c->served;
    model.runs = NULL;
    c->armed = c->due = false;
}

static void
add_or_remove(struct thing *t)
{
    struct futures *s = futures_of(t);
    struct callback *c = &s->callback[draw(CALLBACKS)];
    if (c->armed) {
        int r = fern_future_remove_callback(s->f[c->which], called, c);
        MUST(r == 1, "taking a callback back gave %d", r);
        c->armed = c->due = false;
        return;
    }
    *c = (struct callback){.thing = t,
            .which = (int)draw(FUTURES),
            .armed = true,
            .arrival = ++model.clock};
    if (s->how[c->which] != PENDING)
        callback_due(c);
    int r = fern_future_add_callback(s->f[c->which], called, c);
    MUST(r == 0, "adding a callback gave %d", r);
}

static void
look(struct thing *t)
{
    struct futures *s = futures_of(t);
    for (int i = 0; i < FUTURES; i++) {
        fern_outcome o;
        int r = fern_future_outcome(s->f[i], &o);
        MUST(r == (s->how[i] == PENDING ? -EINPROGRESS : 0),
                "future %d.%d: outcome gave %d", t->number, i, r);
        if (r == 0)
            check_outcome(t, i, &o);
    }
}

static void
give_back(struct thing *t)
{
    struct futures *s = futures_of(t);
    look(t); /* errors have been seen */
    for (int i = FUTURES; i--;)
        fern_future_unref(s->f[i]);
}

static void
renew(struct thing *t)
{
    struct futures *s = futures_of(t);
    bool busy = s->woken > 0 || t->watched;
    for (int i = 0; i < FUTURES; i++)
        busy |= !line_empty(&t->line[i]);
    for (int i = 0; i < CALLBACKS; i++)
        busy |= s->callback[i].due;
    if (busy)
        return;
    give_back(t);
    futures_make(t);
}

static void
future_poke(struct thing *t)
{
    unsigned what = draw(100);
    if (what < 45)
        set_one(t);
    else if (what < 57)
        cancel_one(t);
    else if (what < 75)
        add_or_remove(t);
    else if (what < 80)
        look(t);
    else
        renew(t);
}

static fern_case
future_choose(struct user *u, struct way *w)
{
    (void)u;
    w->what = (int)draw(FUTURES);
    w->line = &w->thing->line[w->what];
    return fern_case_future(futures_of(w->thing)->f[w->what]);
}

static void
future_check(struct thing *t)
{
    struct futures *s = futures_of(t);
    look(t);
    for (int i = 0; i < CALLBACKS; i++)
        MUST(!s->callback[i].due, "callback %d was not called", i);
}

static void
future_end(struct thing *t)
{
    MUST(!futures_of(t)->woken, "%d were served and have not run", futures_of(t)->woken);
    give_back(t);
    free(t->own);
}

const struct kind kind_future = {.name = "future",
        .begin = future_begin,
        .act = future_act,
        .poke = future_poke,
        .ready = future_ready,
        .take = future_take,
        .choose = future_choose,
        .check = future_check,
        .end = future_end,
        .stays = true};
