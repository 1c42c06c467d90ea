/* SPDX-License-Identifier: MIT */
/*
 * Tasks, alone and in groups that live and fail together.
 */
#include <errno.h>
#include <stdlib.h>

#include "things.h"

/* What a way waits for, if not for the task of its number. */
enum { TASKS = 3, WAIT_FOR = TASKS, GROUP = 2 * TASKS, MEMBERS = 8 };

struct task {
    struct thing *thing;
    fern_future *f; /* NULL: there is none */
    bool ran, done;
    bool cancelled; /* how it ended */
    int32_t value;  /* less than 0: a failure */
    int woken;
};

static struct task *
task_of(const struct thing *t, int which)
{
    return (struct task *)t->own + which;
}

static void
task_begin(struct thing *t)
{
    t->own = calloc(TASKS, sizeof(struct task));
    MUST(t->own, "no memory");
}

/* ---- a task ---- */

/* The future is told of the end before those who wait for that itself. */
static void
task_over(struct task *k, bool cancelled, int32_t value)
{
    struct line *line = &k->thing->line[k - task_of(k->thing, 0)];
    k->done = true;
    k->cancelled = cancelled;
    k->value = value;
    for (struct way *w; (w = line_first(line)); serve(w, 0))
        k->woken += !w->user->selects;
    serve_line(line + TASKS, 0);
}

/* Some time, and some turns of others. @return whether it was not killed */
static bool
work(void)
{
    for (unsigned rests = draw(4); rests; rests--) {
        int r = chance(70) ? fern_sleep((int64_t)draw(5) * 500 * FERN_US) : fern_yield();
        MUST(r == 0 || r == -ECANCELED, "a task rests: %d", r);
        if (r < 0) {
            if (chance(30))
                (void)fern_uncancel();
            return false;
        }
    }
    return true;
}

static void *
task_main(void *arg)
{
    struct task *k = arg;
    k->ran = true;
    (void)work();
    int32_t value = ++model.last_item;
    bool fails = chance(30);
    task_over(k, fern_cancelling(fern_self()) > 0, fails ? -value : value);
    if (fails)
        return fern_fail(-value, "task");
    if (chance(20))
        fern_exit((void *)(intptr_t)value);
    return (void *)(intptr_t)value;
}

static void
task_spawn(struct thing *t, int which)
{
    struct task *k = task_of(t, which);
    *k = (struct task){.thing = t};
    k->f = fern_task(task_main, k);
    MUST(k->f, "no task %d.%d", t->number, which);
}

static void
check_task(const struct task *k, const fern_outcome *o)
{
    MUST(k->done, "task %d has an outcome and runs", k->thing->number);
    MUST(o->cancelled == k->cancelled, "task %d was cancelled or not", k->thing->number);
    int32_t value = o->code ? o->code : (int32_t)(intptr_t)o->value;
    MUST(o->cancelled || value == k->value, "task %d ended with %d, not %d",
            k->thing->number, value, k->value);
}

static bool
task_ready(const struct way *w)
{
    if (w->what == GROUP)
        return w->user->tasks == 0;
    return task_of(w->thing, w->what % TASKS)->done;
}

static void
task_take(struct way *w)
{
    (void)w;
}

/* ---- waiting for one ---- */

static void
get_task(struct user *u, struct thing *t, int which)
{
    struct task *k = task_of(t, which);
    fern_time deadline = pick_deadline();
    fern_outcome o = {.code = 12345};
    only_way(u, t, &t->line[which])->what = which;
    wait_begin(u, deadline);
    int r = fern_future_get(k->f, &o, deadline);
    k->woken -= u->served != 0;
    if (wait_end(u, r))
        check_task(k, &o);
    else
        MUST(o.code == 12345, "an outcome was written without success");
}

/* Who does not wait any more has ended it. */
static void
wait_for_task(struct user *u, struct thing *t, int which)
{
    struct task *k = task_of(t, which);
    fern_time deadline = pick_deadline();
    fern_outcome o;
    k->woken++; /* it looks at it until it returns */
    open_begin(u, t, NULL, deadline);
    u->way[0].what = WAIT_FOR + which;
    int entry = u->entry;
    int r = fern_wait_for(k->f, &o, deadline);
    k->woken--;
    if (!k->done && !k->ran && fern_future_cancelled(k->f)) {
        model.late = true;
        task_over(k, true, 0);
        model.late = false;
    }
    if (open_end(u, r))
        check_task(k, &o);
    else
        MUST(r == -EAGAIN || entry || k->done, "task %d.%d runs on: %d", t->number, which,
                r);
}

/* ---- groups ---- */

struct band {
    struct user *user;
    fern_task_group *group;
    int failures;
    int32_t first;
    int members; /* that were spawned */
};

static void *
member_main(void *arg)
{
    struct band *b = arg;
    b->user->tasks++;
    bool well = work();
    if (b->members < MEMBERS && chance(20)) {
        int r = fern_task_group_go(b->group, member_main, b);
        MUST(r == 0 || r == -EPIPE, "spawning in a task group gave %d", r);
        MUST(r == 0 || b->failures || !well || fern_cancelling(fern_self()) ||
                        b->members < 0,
                "a task group is shut without a reason");
        b->members += r == 0;
    }
    b->user->tasks--;
    if (!chance(well ? 25 : 50))
        return NULL;
    int32_t code = ++model.last_item;
    if (!fern_cancelling(fern_self()) && b->failures++ == 0)
        b->first = code;
    return fern_fail(code, "member");
}

/* Its body: there is nothing else to be waited for. */
static void
band_begin(struct band *b)
{
    for (unsigned n = draw(5); n; n--) {
        int r = fern_task_group_go(b->group, member_main, b);
        MUST(r == 0, "spawning in a task group gave %d", r);
        b->members++;
    }
    for (unsigned turns = draw(4); turns; turns--)
        (void)!fern_yield();
    if (chance(10)) {
        int r = fern_task_group_cancel(b->group, 0);
        MUST(r == (b->failures ? -EALREADY : 0), "cancelling a task group gave %d", r);
        b->members = -MEMBERS; /* it may be shut */
    }
}

static int
band_wait(struct band *b, struct thing *t, fern_time deadline)
{
    struct user *u = b->user;
    open_begin(u, t, NULL, deadline);
    u->way[0].what = GROUP;
    u->entry = 0; /* it waits all the same */
    u->at_once = deadline.ns == 0;
    int r = fern_task_group_wait(b->group, deadline);
    MUST(r == -EAGAIN || u->tasks == 0, "a task group was left with %d tasks", u->tasks);
    MUST((r > 0 || b->failures == 0 || r == -EAGAIN) && (r <= 0 || r == b->failures),
            "a task group gave %d after %d failures", r, b->failures);
    open_end(u, r);
    return r;
}

static void
act_in_group(struct user *u, struct thing *t)
{
    struct band b = {.user = u, .group = fern_task_group_new()};
    MUST(b.group, "no task group");
    band_begin(&b);
    int r = band_wait(&b, t, pick_deadline());
    fern_outcome o;
    if (r == -EAGAIN && chance(50))
        r = band_wait(&b, t, FERN_FOREVER);
    if (r > 0)
        MUST(fern_task_group_error(b.group, 0, &o) == 0 && o.code == b.first,
                "the first failure of a task group is %d, not %d", o.code, b.first);
    if (r == -EAGAIN) { /* freeing it ends them */
        open_begin(u, t, NULL, FERN_FOREVER);
        u->way[0].what = GROUP;
        u->entry = 0;
        u->at_once = false;
    }
    fern_task_group_free(b.group);
    MUST(u->tasks == 0, "a task group was freed with %d tasks", u->tasks);
    if (r == -EAGAIN)
        open_end(u, 0);
}

static void
task_act(struct user *u, struct thing *t)
{
    int which = (int)draw(TASKS);
    if (chance(25))
        act_in_group(u, t);
    else if (!task_of(t, which)->f)
        task_spawn(t, which);
    else if (chance(30))
        wait_for_task(u, t, which);
    else
        get_task(u, t, which);
}

/* ---- deeds ---- */

static void
task_cancel(struct task *k)
{
    int wanted = !k->done;
    if (!k->done && !k->ran)
        task_over(k, true, 0);
    int r = fern_future_cancel(k->f, 0);
    MUST(r == wanted, "cancelling a task gave %d", r);
}

static void
task_look(struct task *k)
{
    fern_outcome o;
    int r = fern_future_outcome(k->f, &o);
    MUST(r == (k->done ? 0 : -EINPROGRESS), "the outcome of a task: %d", r);
    if (r == 0)
        check_task(k, &o);
}

static void
task_poke(struct thing *t)
{
    int which = (int)draw(TASKS);
    struct task *k = task_of(t, which);
    if (!k->f) {
        task_spawn(t, which);
    } else if (k->done && !k->woken && !t->watched && line_empty(&t->line[which]) &&
               line_empty(&t->line[which + TASKS])) {
        task_look(k); /* failures have been seen */
        fern_future_unref(k->f);
        k->f = NULL;
    } else if (chance(40)) {
        task_cancel(k);
    } else if (chance(50) && !k->woken) { /* who waits for it relies on its end */
        int before = fern_future_cancelling(k->f);
        int r = fern_future_uncancel(k->f);
        MUST(r == (k->done         ? -EALREADY
                          : before ? before - 1
                                   : 0),
                "uncancelling a task gave %d", r);
    }
}

static fern_case
task_choose(struct user *u, struct way *w)
{
    (void)u;
    w->what = (int)draw(TASKS);
    bool end = chance(50);
    w->line = &w->thing->line[w->what + (end ? TASKS : 0)];
    if (!task_of(w->thing, w->what)->f)
        task_spawn(w->thing, w->what);
    fern_future *f = task_of(w->thing, w->what)->f;
    return end ? fern_case_end(fern_future_greenlet(f)) : fern_case_future(f);
}

static void
task_check(struct thing *t)
{
    for (int i = 0; i < TASKS; i++)
        if (task_of(t, i)->f)
            task_look(task_of(t, i));
}

static void
task_end(struct thing *t)
{
    for (int i = 0; i < TASKS; i++) {
        struct task *k = task_of(t, i);
        if (!k->f)
            continue;
        MUST(!k->woken, "%d were served and have not run", k->woken);
        while (!k->done) { /* ends: it does not sleep for ever */
            task_cancel(k);
            MUST(fern_future_wait(k->f, fern_in(FERN_SECOND)) == 0, "a task does not end");
        }
        task_look(k);
        fern_future_unref(k->f);
    }
    free(t->own);
}

const struct kind kind_task = {.name = "task",
        .begin = task_begin,
        .act = task_act,
        .poke = task_poke,
        .ready = task_ready,
        .take = task_take,
        .choose = task_choose,
        .check = task_check,
        .end = task_end,
        .stays = true};
