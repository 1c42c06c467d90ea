/* SPDX-License-Identifier: MIT */
/*
 * The users' lives, and a schedule of them from its seed to its end.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "core/hub.h"
#include "harness.h"
#include "things.h"

static struct user *
pick_user(void)
{
    return &model.user[draw((unsigned)model.users)];
}

static struct thing *
pick_thing(void)
{
    return &model.thing[draw((unsigned)model.things)];
}

/* ---- what a user does ---- */

static void *user_main(void *user);

static void
user_free(void *user)
{
    ((struct user *)user)->frees++;
}

static void
spawn_user(void)
{
    if (model.users == model.users_wanted)
        return;
    struct user *u = &model.user[model.users];
    u->number = model.users++;
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    options.free_arg = user_free;
    options.delay_ns = chance(30) ? (int64_t)draw(5) * 500 * FERN_US : 0;
    u->g = fern_spawn_with(user_main, u, &options);
    MUST(u->g, "no user %d", u->number);
}

void
do_rest(struct user *u)
{
    int64_t ns = (int64_t)draw(5) * 500 * FERN_US;
    u->ways = 0;
    wait_begin(u, fern_in(ns));
    if (ns) {
        rest_end(u, fern_sleep_until(u->deadline));
        return;
    }
    u->at_once = u->entry;
    rest_end(u, fern_yield());
}

static void
do_kill(void)
{
    struct user *t = pick_user();
    tell("kills user %d", t->number);
    int r = fern_kill(t->g, 0, FERN_NOWAIT);
    MUST(r == 0 || r == -EAGAIN || r == -ECANCELED, "a kill gave %d", r);
}

static void
do_scope(struct user *u)
{
    int r;
    if (u->in_scope)
        r = fern_scope_stop(&u->scope);
    else
        r = fern_scope_start(&u->scope, fern_in((int64_t)draw(9) * 500 * FERN_US));
    MUST(r == 0, "a scope gave %d", r);
    u->in_scope = !u->in_scope;
}

static void
do_cancel_scope(void)
{
    struct user *t = pick_user();
    if (!t->in_scope)
        return;
    int r = fern_scope_cancel(&t->scope, 0);
    MUST(r == 0 || r == -EALREADY || fern_ready(t->g), "cancelling a scope gave %d", r);
}

/* Time passes, and the hub has not looked. */
static void
do_compute(void)
{
    if (fern__clock_is_virtual())
        fern__clock_advance(fern_in((int64_t)draw(1500) * FERN_US).ns);
}

static void
poke(struct thing *t)
{
    tell("pokes %s %d", t->kind->name, t->number);
    t->kind->poke(t);
}

static void
on_poke(void *arg)
{
    struct poker *p = arg;
    p->started = false;
    poke(pick_thing());
}

static void
start_poker(void)
{
    struct poker *p = &model.poker[draw(POKERS)];
    p->started = true;
    fern_time when = fern_in((int64_t)draw(6) * 500 * FERN_US);
    MUST(fern_timer_start(&p->timer, when, 0, on_poke, p) == 0, "timer");
}

static void
do_deed(struct user *u)
{
    switch (draw(8)) {
    case 0:
        if (chance(50))
            do_kill();
        break;
    case 1:
        do_scope(u);
        break;
    case 2:
        do_cancel_scope();
        break;
    case 3:
        do_compute();
        break;
    case 4:
        start_poker();
        break;
    case 5:
        if (!model.draining)
            (void)fern_uncancel();
        break;
    default:
        spawn_user();
    }
}

static void
do_something(struct user *u)
{
    unsigned what = draw(100);
    struct thing *t = pick_thing();
    if (what < 45) {
        tell("user %d acts on %s %d", u->number, t->kind->name, t->number);
        t->kind->act(u, t);
    } else if (what < 55) {
        do_select(u);
    } else if (what < 60) {
        do_watch(u);
    } else if (what < 70) {
        do_rest(u);
    } else if (what < 88) {
        poke(t);
    } else {
        do_deed(u);
    }
}

/* Whatever has ended it, it gives back what it holds. */
static void
give_back(void *user)
{
    struct user *u = user;
    u->cleanups_owed--;
    model.runs = u;
    for (int i = 0; i < model.things; i++)
        if (model.thing[i].kind->leave)
            model.thing[i].kind->leave(u, &model.thing[i]);
}

static void *
user_main(void *user)
{
    struct user *u = user;
    u->runs++;
    u->cleanups_owed++;
    model.runs = u;
    FERN_AUTO(give_back, u);
    unsigned steps = 2 + draw(24);
    for (unsigned i = 0; i < steps && !(model.draining && chance(70)); i++)
        do_something(u);
    if (chance(20))
        fern_exit(NULL);
    return NULL;
}

/* ---- beginning ---- */

static const struct kind *
pick_kind(void)
{
    static const struct kind *const kinds[] = {&kind_event, &kind_result, &kind_queue,
            &kind_queue, &kind_semaphore, &kind_mutex, &kind_condition, &kind_barrier,
            &kind_rwlock, &kind_waitgroup, &kind_once, &kind_barging, &kind_several,
            &kind_future, &kind_task, &kind_pool, &kind_actor, &kind_stock,
            &kind_generator};
    const struct kind *kind;
    do {
        kind = kinds[draw(sizeof kinds / sizeof kinds[0])];
    } while (model.leaving && kind->stays);
    return kind;
}

static void
begin(uint64_t seed, bool tracing, bool leaving)
{
    memset(&model, 0, sizeof model);
    schedule_begin(seed, tracing);
    model.leaving = leaving;
    model.things = 2 + (int)draw(5);
    /* Some programs are about one kind alone, so that it is crowded. */
    const struct kind *one = chance(50) ? pick_kind() : NULL;
    for (int i = 0; i < model.things; i++) {
        struct thing *t = &model.thing[i];
        t->kind = one ? one : pick_kind();
        t->number = i;
        t->kind->begin(t);
    }
    model.users_wanted = 3 + (int)draw(USERS_MAX - 2);
    unsigned first = 1 + draw((unsigned)model.users_wanted);
    while (first--)
        spawn_user();
}

/* ---- looking at those who wait ---- */

static void
look_at(const struct user *u, fern_time now)
{
    if (fern_greenlet_state(u->g) != FERN_STATE_PARKED)
        return;
    if (waits_for_guard(u)) {
        MUST(fern_mutex_locked(&u->guarded->guard),
                "user %d waits for a guard that is free", u->number);
        return;
    }
    MUST(u->waits, "user %d is parked without a wait", u->number);
    MUST(u->won < 0, "user %d still waits though it was served", u->number);
    MUST(u->deadline.ns > now.ns, "user %d still waits after its deadline", u->number);
    MUST(!user_interrupt(u), "user %d still waits though it is interrupted", u->number);
    bool passed = u->in_scope && u->scope.fern__deadline_ns < now.ns;
    MUST(!passed, "user %d still waits though a scope has passed", u->number);
    if (u->wanted) {
        int ready = 0;
        for (int i = 0; i < u->ways; i++)
            ready += u->way[i].thing ? way_is_ready(&u->way[i])
                                     : u->way[i].when.ns <= now.ns;
        MUST(ready < u->wanted, "user %d still waits though %d of its cases are ready",
                u->number, ready);
        return;
    }
    for (int i = 0; i < u->ways; i++)
        MUST(!u->way[i].thing || !u->way[i].thing->kind->ready(&u->way[i]),
                "user %d still waits though %s %d is ready", u->number,
                u->way[i].thing->kind->name, u->way[i].thing->number);
}

static void
look_around(void)
{
    int r = fern_idle(FERN_FOREVER);
    MUST(r == 0, "main is idle: %d", r);
    fern_time now = {fern__self_hub()->now};
    for (int i = 0; i < model.users; i++)
        look_at(&model.user[i], now);
    for (int i = 0; i < model.things; i++)
        model.thing[i].kind->check(&model.thing[i]);
}

static void
look_a_few_times(void)
{
    for (unsigned looks = 1 + draw(7); looks; looks--) {
        MUST(fern_sleep((int64_t)draw(3000) * FERN_US) == 0, "main sleeps");
        model.runs = NULL;
        look_around();
        for (unsigned pokes = draw(6); pokes; pokes--)
            poke(pick_thing());
    }
}

/* ---- the end ---- */

static bool
all_have_ended(void)
{
    bool all = true;
    for (int i = 0; i < model.users; i++) {
        if (fern_ready(model.user[i].g))
            continue;
        all = false;
        if (chance(80))
            (void)fern_kill(model.user[i].g, 0, FERN_NOWAIT);
    }
    return all;
}

static void
check_user(const struct user *u)
{
    MUST(u->frees == 1, "user %d was freed %d times", u->number, u->frees);
    MUST(u->runs <= 1, "user %d ran %d times", u->number, u->runs);
    MUST(!u->cleanups_owed, "user %d owes %d cleanups", u->number, u->cleanups_owed);
}

static void
end(void)
{
    model.draining = true;
    for (int round = 0; !all_have_ended(); round++) {
        MUST(round < 300, "somebody does not end");
        MUST(fern_sleep(FERN_MS) == 0, "main sleeps");
    }
    for (int i = 0; i < POKERS; i++) {
        int stopped = fern_timer_stop(&model.poker[i].timer);
        MUST(stopped == model.poker[i].started, "stopping a timer gave %d", stopped);
    }
    int r = fern_idle(FERN_FOREVER);
    MUST(r == 0, "main is idle: %d", r);
    for (int i = 0; i < model.users; i++) {
        check_user(&model.user[i]);
        fern_greenlet_unref(model.user[i].g);
    }
    for (int i = 0; i < model.things; i++) {
        model.thing[i].kind->check(&model.thing[i]);
        model.thing[i].kind->end(&model.thing[i]);
        r = fern_idle(FERN_FOREVER); /* an end may have taken its time */
        MUST(r == 0, "main is idle: %d", r);
    }
    const char *leaks = fern__test_leaks();
    MUST(!leaks, "left behind: %s", leaks);
}

void
world_run(uint64_t seed, bool with_io, bool tracing)
{
    (void)with_io;
    begin(seed, tracing, false);
    look_a_few_times();
    end();
}

struct visit {
    uint64_t seed;
    bool tracing;
};

static void *
visit(void *arg)
{
    const struct visit *v = arg;
    begin(v->seed, v->tracing, true);
    look_a_few_times();
    model.draining = true;
    return NULL;
}

void
world_run_and_leave(uint64_t seed, bool with_io, bool tracing)
{
    (void)with_io;
    struct visit v = {seed, tracing};
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, visit, &v) == 0, "no thread");
    MUST(pthread_join(thread, NULL) == 0, "no end of the thread");
    /* Their hub has ended, so they are this thread's to end. */
    for (int i = 0; i < model.things; i++) {
        if (model.thing[i].kind == &kind_queue)
            kind_queue.end(&model.thing[i]);
    }
    for (int i = 0; i < model.users; i++)
        check_user(&model.user[i]);
}
