/* SPDX-License-Identifier: MIT */
/*
 * Events, plain ones and those that let one through, and results.
 */
#include <errno.h>

#include "things.h"

/* Serve everybody in line. Those of a select are not counted: they do not come back to it. */
static void
serve_all(struct thing *t)
{
    for (struct way *w; (w = line_first(&t->line[0]));) {
        w->item.key = t->value;
        t->woken += !w->user->selects;
        serve(w, 0);
    }
}

/* Whether what it gave when its use was to end is right. @return whether it is as new */
static bool
ended(struct thing *t, int r)
{
    bool linked =
            !line_empty(&t->line[0]) || t->watched; /* if only by one that has not run */
    bool busy = t->woken || line_count(&t->line[0]) > 0;
    MUST(r == -EBUSY || (r == 0 && !busy), "the end of %s %d gave %d", t->kind->name,
            t->number, r);
    MUST(r == 0 || busy || linked, "the end of %s %d gave %d", t->kind->name, t->number, r);
    return r == 0;
}

/* ---- event ---- */

static void
event_begin(struct thing *t)
{
    t->clears = chance(40);
    MUST(fern_event_init(&t->event, t->clears ? FERN_EVENT_AUTO : 0) == 0, "event");
}

static bool
event_ready(const struct way *w)
{
    return w->thing->set;
}

static void
event_take(struct way *w)
{
    struct thing *t = w->thing;
    struct user *u = w->user;
    if (t->clears) {
        t->set = false;
    } else if (t->woken && !u->selects && u->deadline.ns) {
        u->at_once = false; /* its turn is behind those */
        t->woken++;
        serve(w, 0);
    }
}

static void
event_set(struct thing *t)
{
    struct way *first = line_first(&t->line[0]);
    if (t->clears && first) {
        t->woken += !first->user->selects;
        serve(first, 0);
    } else {
        t->set = true;
        serve_all(t);
    }
    MUST(fern_event_set(&t->event) == 0, "set");
}

static void
event_poke(struct thing *t)
{
    if (chance(60)) {
        event_set(t);
    } else if (chance(80)) {
        t->set = false;
        MUST(fern_event_clear(&t->event) == 0, "clear");
    } else if (ended(t, fern_event_fini(&t->event))) {
        t->set = false;
    }
    MUST(fern_event_is_set(&t->event) == t->set, "event %d is set or not", t->number);
}

static void
event_act(struct user *u, struct thing *t)
{
    fern_time deadline = pick_deadline();
    only_way(u, t, &t->line[0]);
    wait_begin(u, deadline);
    bool waits = !u->at_once;
    int r = fern_event_wait(&t->event, deadline);
    if (wait_end(u, r) && waits)
        t->woken--;
}

static fern_case
event_choose(struct user *u, struct way *w)
{
    (void)u;
    return fern_case_event(&w->thing->event);
}

static void
event_check(struct thing *t)
{
    MUST(fern_event_is_set(&t->event) == t->set, "event %d is set or not", t->number);
    MUST(!t->woken, "event %d: %d were served and have not run", t->number, t->woken);
}

static void
event_end(struct thing *t)
{
    MUST(fern_event_fini(&t->event) == 0, "event %d is in use", t->number);
}

const struct kind kind_event = {.name = "event",
        .begin = event_begin,
        .act = event_act,
        .poke = event_poke,
        .ready = event_ready,
        .take = event_take,
        .choose = event_choose,
        .check = event_check,
        .end = event_end};

/* ---- result ---- */

static void
result_begin(struct thing *t)
{
    t->result = FERN_RESULT_INIT;
}

static void
result_take(struct way *w)
{
    w->item.key = w->thing->value;
}

static void
result_poke(struct thing *t)
{
    if (chance(30)) {
        if (ended(t, fern_result_reset(&t->result)))
            t->set = false;
        return;
    }
    bool was_set = t->set;
    int32_t value = ++model.last_item;
    bool is_error = chance(30);
    if (!was_set) {
        t->set = true;
        t->value = is_error ? -value : value;
        serve_all(t);
    }
    int r = is_error ? fern_result_set_error(&t->result, -value, NULL)
                     : fern_result_set(&t->result, (void *)(intptr_t)value);
    MUST(r == (was_set ? -EALREADY : 0), "assigning gave %d", r);
}

static void
result_act(struct user *u, struct thing *t)
{
    fern_time deadline = pick_deadline();
    fern_outcome outcome = {.code = 12345};
    struct way *w = only_way(u, t, &t->line[0]);
    wait_begin(u, deadline);
    bool waits = !u->at_once;
    int r = fern_result_get(&t->result, &outcome, deadline);
    if (!wait_end(u, r)) {
        MUST(outcome.code == 12345, "an outcome was written without success");
        return;
    }
    t->woken -= waits;
    int32_t value = outcome.code ? outcome.code : (int32_t)(intptr_t)outcome.value;
    MUST(value == w->item.key, "result %d gave %d, not %d", t->number, value,
            (int)w->item.key);
}

static fern_case
result_choose(struct user *u, struct way *w)
{
    (void)u;
    return fern_case_result(&w->thing->result);
}

static void
result_check(struct thing *t)
{
    MUST(fern_result_ready(&t->result) == t->set, "result %d is ready or not", t->number);
    MUST(!t->woken, "result %d: %d were served and have not run", t->number, t->woken);
}

static void
result_end(struct thing *t)
{
    MUST(fern_result_reset(&t->result) == 0, "result %d is in use", t->number);
}

const struct kind kind_result = {.name = "result",
        .begin = result_begin,
        .act = result_act,
        .poke = result_poke,
        .ready = event_ready,
        .take = result_take,
        .choose = result_choose,
        .check = result_check,
        .end = result_end};
