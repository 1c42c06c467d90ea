/* SPDX-License-Identifier: MIT */
/*
 * Who waits for what, and what must become of the wait.
 */
#include "things.h"

#include <errno.h>
#include <string.h>

#include "core/greenlet.h"
#include "core/waitable.h"

struct model model;

int
user_interrupt(const struct user *u)
{
    bool fired = u->in_scope && fern_scope_fired(&u->scope);
    if (fern_cancelling(u->g) || (fired && fern_scope_code(&u->scope) != -ETIME))
        return -ECANCELED;
    return fired ? -ETIME : 0;
}

fern_time
pick_deadline(void)
{
    unsigned kind = draw(10);
    if (kind < 2)
        return FERN_NOWAIT;
    if (kind < 5)
        return FERN_FOREVER; /* a kill will end it */
    return fern_in((int64_t)draw(7) * 500 * FERN_US - 1 + (int64_t)draw(2));
}

/* ---- lines ---- */

bool
waits_for_guard(const struct user *u)
{
    return u->guarded &&
           !(u->waits && u->g->waiting && strcmp(u->g->waiting->name, "condition") == 0);
}

/* Once it has been timed out, killed or served, it is not parked any more. Where the model comes
 * behind the library, one that the library has served counts as still waiting. */
static bool
still_waits(const struct user *u)
{
    if (!u->waits || u->won >= 0 || waits_for_guard(u))
        return false;
    fern_state state = fern_greenlet_state(u->g);
    bool served = u->g->result != -ETIME && u->g->result != -ECANCELED;
    return state == FERN_STATE_PARKED ||
           (model.late && state == FERN_STATE_READY && served);
}

static void
drop_first(struct line *line)
{
    memmove(line->way, line->way + 1, (size_t)--line->count * sizeof line->way[0]);
}

void
line_skip(struct line *line)
{
    drop_first(line);
}

struct way *
line_first(struct line *line)
{
    while (line->count && !still_waits(line->way[0]->user))
        drop_first(line);
    return line->count ? line->way[0] : NULL;
}

struct way *
line_claim(struct line *line)
{
    struct way *w = line_first(line);
    if (w)
        w->user->won = (int)(w - w->user->way);
    return w;
}

size_t
line_count(const struct line *line)
{
    size_t n = 0;
    for (int i = 0; i < line->count; i++)
        n += still_waits(line->way[i]->user);
    return n;
}

bool
line_empty(const struct line *line)
{
    return line->count == 0;
}

struct way *
line_head(struct line *line)
{
    while (line->count && !line->way[0]->user->selects && !still_waits(line->way[0]->user))
        drop_first(line);
    return line->count ? line->way[0] : NULL;
}

bool
line_pop(struct line *line)
{
    struct way *w = line->way[0];
    bool waited = still_waits(w->user);
    drop_first(line);
    if (waited)
        w->user->won = (int)(w - w->user->way);
    return waited;
}

static void
line_drop(struct line *line, const struct user *u)
{
    int kept = 0;
    for (int i = 0; i < line->count; i++)
        if (line->way[i]->user != u)
            line->way[kept++] = line->way[i];
    line->count = kept;
}

void
serve(struct way *w, int result)
{
    struct user *u = w->user;
    u->won = (int)(w - u->way);
    u->served = ++model.clock;
    w->result = result;
    tell("serves user %d by %s %d: %d", u->number, w->thing->kind->name, w->thing->number,
            result);
}

size_t
line_others(const struct line *line, const struct user *u)
{
    size_t n = 0;
    for (int i = 0; i < line->count; i++)
        n += line->way[i]->user != u && still_waits(line->way[i]->user);
    return n;
}

void
serve_line(struct line *line, int result)
{
    for (struct way *w; (w = line_first(line));)
        serve(w, result);
}

/* ---- calls ---- */

struct way *
only_way(struct user *u, struct thing *t, struct line *line)
{
    u->ways = 1;
    u->way[0] = (struct way){.thing = t, .line = line};
    return &u->way[0];
}

bool
way_is_ready(const struct way *w)
{
    return w->thing ? w->thing->kind->ready(w) : w->when.ns <= fern_now().ns;
}

static void
take(struct user *u, struct way *w)
{
    u->won = (int)(w - u->way);
    w->result = 0;
    if (w->thing)
        w->thing->kind->take(w);
}

void
wait_begin(struct user *u, fern_time deadline)
{
    u->waits = true;
    u->deadline = deadline;
    u->entry = deadline.ns ? user_interrupt(u) : 0;
    u->won = -1;
    u->at_once = true;
    model.runs = u;
    for (int i = 0; i < u->ways; i++)
        u->way[i].user = u;
    if (u->entry)
        return;
    for (int i = 0; i < u->ways && !u->open; i++) {
        if (!way_is_ready(&u->way[i]))
            continue;
        if (!u->drawn) /* else it is known only afterwards */
            take(u, &u->way[i]);
        return;
    }
    u->at_once = deadline.ns == 0;
    for (int i = 0; i < u->ways && deadline.ns; i++) {
        struct way *w = &u->way[i];
        w->arrival = ++model.clock;
        if (w->line)
            w->line->way[w->line->count++] = w;
        if (w->thing && !u->open && w->thing->kind->wait)
            w->thing->kind->wait(w);
    }
}

/* Of a deadline, a scope and a moment of a select the earliest ends the wait. */
static void
check_moments(const struct user *u)
{
    int64_t limit = u->in_scope ? u->scope.fern__deadline_ns : INT64_MAX;
    for (int i = 0; i < u->ways && !u->entry && !u->open; i++) {
        const struct way *w = &u->way[i];
        MUST(w->thing || w->when.ns > u->deadline.ns || w->when.ns >= limit,
                "user %d timed out though case %d came first", u->number, i);
    }
}

static void
check_code(const struct user *u, int r)
{
    bool fired = u->in_scope && fern_scope_fired(&u->scope);
    bool cancelled = fired && fern_scope_code(&u->scope) != -ETIME;
    switch (r) {
    case -EAGAIN:
        MUST(!u->deadline.ns, "-EAGAIN with a deadline");
        break;
    case -ETIME:
        MUST(u->deadline.ns, "-ETIME though it must not wait");
        MUST(fern_now().ns >= u->deadline.ns || (fired && !cancelled), "-ETIME early");
        check_moments(u);
        break;
    case -ECANCELED:
        MUST(u->deadline.ns, "-ECANCELED though it must not wait");
        MUST(fern_cancelling(u->g) || cancelled, "nobody cancelled it");
        break;
    default:
        MUST(false, "user %d: the call gave %d", u->number, r);
    }
}

/* @param won  the way by which the call says that it has ended, or -1 */
static bool
end(struct user *u, int won, int r)
{
    tell("gave %d", r);
    MUST(!u->entry || r == u->entry, "gave %d, interrupted by %d", r, u->entry);
    MUST(!u->at_once || model.runs == u, "a call that had not to wait has switched");
    MUST(won == u->won, "user %d: gave %d by %d, but was served by %d", u->number, r, won,
            u->won);
    if (won < 0)
        check_code(u, r);
    if (won >= 0 && !u->at_once && u->served && !u->retakes) {
        MUST(schedule.permuted || u->served > model.ran, "user %d runs out of order",
                u->number);
        model.ran = u->served;
    }
    for (int i = 0; i < u->ways; i++)
        if (u->way[i].line)
            line_drop(u->way[i].line, u);
    u->waits = u->drawn = u->selects = u->retakes = u->open = u->passes = false;
    u->served = 0;
    model.runs = u;
    return won >= 0;
}

bool
wait_end(struct user *u, int r)
{
    int won = r == -EAGAIN || r == -ETIME || r == -ECANCELED ? -1 : 0;
    MUST(won < 0 || u->won < 0 || r == u->way[0].result, "user %d: %s %d gave %d, not %d",
            u->number, u->way[0].thing->kind->name, u->way[0].thing->number, r,
            u->way[0].result);
    return end(u, won, r);
}

bool
select_end(struct user *u, int r, const fern_case *cases)
{
    MUST(r < u->ways, "a select of %d gave %d", u->ways, r);
    struct way *w = r < 0 ? NULL : &u->way[r];
    model.late = true;
    if (w && u->won < 0 && u->drawn && u->at_once && way_is_ready(w))
        take(u, w);
    model.late = false;
    if (w && u->won < 0 && !w->thing && way_is_ready(w) && w->when.ns <= u->deadline.ns)
        u->won = r;
    MUST(!w || u->won != r || cases[r].result == w->result,
            "user %d: case %d gave %d, not %d", u->number, r, cases[r].result, w->result);
    return end(u, r < 0 ? -1 : r, r);
}

void
open_begin(struct user *u, struct thing *t, struct line *line, fern_time deadline)
{
    only_way(u, t, line);
    u->open = true;
    wait_begin(u, deadline);
}

/* Nobody may still wait who came before. */
static void
check_nobody_passed(const struct user *u)
{
    const struct line *line = u->way[0].line;
    for (int i = 0; line && !u->passes && i < line->count && line->way[i]->user != u; i++) {
        const struct user *other = line->way[i]->user;
        MUST(!still_waits(other) || user_interrupt(other),
                "user %d passed by user %d at %s %d", u->number, other->number,
                u->way[0].thing->kind->name, u->way[0].thing->number);
    }
}

bool
open_end(struct user *u, int r)
{
    bool served = r != -EAGAIN && r != -ETIME && r != -ECANCELED;
    if (served) {
        u->won = 0;
        check_nobody_passed(u);
    }
    return end(u, served ? 0 : -1, r);
}

void
rest_end(struct user *u, int r)
{
    if (r == 0)
        u->won = 0;
    end(u, r == 0 ? 0 : -1, r);
}
