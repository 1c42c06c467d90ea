/* SPDX-License-Identifier: MIT */
/*
 * One schedule from its seed to its end: who begins it, who looks at it while nothing is ready,
 * and what must be true when it is over.
 */
#include "world.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/hub.h"
#include "harness.h"

struct world world;

/* ---- beginning ---- */

static void
hook_ended(fern_greenlet *g, void *unused)
{
    (void)unused;
    MUST(fern_ready(g), "an end of one that is not ready");
}

/* Failures are a part of the schedule. */
static void
hook_failed(fern_greenlet *g, const fern_outcome *outcome, void *unused)
{
    (void)g;
    (void)outcome;
    (void)unused;
}

static void
open_pairs(void)
{
    for (int i = 0; world.with_io && i < PAIRS; i++) {
        int r = fern_socketpair(AF_UNIX, SOCK_STREAM, 0, world.pair[i].fds);
        MUST(r == 0, "socketpair: %d", r);
    }
}

static void
begin(uint64_t seed, bool with_io, bool tracing)
{
    memset(&world, 0, sizeof world);
    schedule_begin(seed, tracing);
    world.with_io = with_io;
    fern_hooks hooks = {.size = sizeof hooks, .ended = hook_ended};
    MUST(fern_set_hooks(chance(10) ? &hooks : NULL) == 0, "hooks");
    MUST(fern_set_error_hook(hook_failed, NULL) == 0, "error hook");
    open_pairs();
    world.actors_wanted = 4 + (int)draw(ACTORS_MAX - 4);
    int first = 2 + (int)draw((unsigned)world.actors_wanted - 2);
    for (int i = 0; i < first; i++)
        spawn_actor(NULL);
}

/* ---- looking at those who wait ---- */

static bool
is_polled_ready(const struct actor *a)
{
    for (int i = 0; i < PAIRS; i++)
        for (int s = 0; s < 2; s++)
            if (a->polls[i][s] &&
                    (world.pair[i].closed[s] || pair_readable(&world.pair[i], s)))
                return true;
    return false;
}

/* Whether what it waits for has happened, so that it should not be waiting any more. */
static const char *
reason_to_be_awake(const struct actor *a, fern_time now)
{
    if (a->deadline.ns <= now.ns)
        return "its deadline has passed";
    if (actor_interrupt(a))
        return "it is interrupted";
    switch (a->waiting) {
    case WAIT_PARK:
        return a->token ? "it was unparked" : NULL;
    case WAIT_JOIN:
        return fern_ready(a->target->g) ? "the one that it joins has ended" : NULL;
    case WAIT_JOIN_ALL:
        return actor_set_satisfied(a) ? "those that it joins have ended" : NULL;
    case WAIT_IDLE:
        return "nobody is ready";
    case WAIT_RECV:
        if (world.pair[a->pair].closed[a->side])
            return "its fd was closed";
        return pair_readable(&world.pair[a->pair], a->side) ? "there is something" : NULL;
    case WAIT_POLL:
        return is_polled_ready(a) ? "one of several fds is ready" : NULL;
    default:
        return NULL;
    }
}

/* The earliest scope that has passed, as far as no shield hides it. */
static bool
scope_passed(const struct actor *a, fern_time now)
{
    for (int i = a->depth; i-- && !a->is_shield[i];)
        if (a->scopes[i].fern__deadline_ns < now.ns && !fern_scope_fired(&a->scopes[i]) &&
                !actor_interrupt(a))
            return true;
    return false;
}

static void
look_at(const struct actor *a, fern_time now)
{
    bool orphan = a->with_parent && !a->runs && fern_ready(a->parent->g);
    MUST(!orphan || fern_ready(a->g), "actor %d outlived its spawner unrun", a->number);
    if (fern_greenlet_state(a->g) != FERN_STATE_PARKED || a->waiting == WAIT_RAW)
        return;
    MUST(a->waiting != WAIT_NOTHING, "actor %d is parked without a wait", a->number);
    const char *why = reason_to_be_awake(a, now);
    MUST(!why, "actor %d still waits (%d) though %s", a->number, (int)a->waiting, why);
    MUST(!scope_passed(a, now), "actor %d still waits though a scope has passed",
            a->number);
}

static void
look_at_timers(fern_time now)
{
    for (int i = 0; i < TIMERS_MAX; i++) {
        const struct timer_record *t = &world.timer[i];
        bool late = t->started && !t->repeat_ns && t->when.ns < now.ns;
        MUST(!late || t->calls == 1, "timer %d did not fire", i);
    }
}

/* Wait until nobody is ready, and look at everybody. */
static void
look_around(void)
{
    world.looking = true;
    int r = fern_idle(FERN_FOREVER); /* lets the others that wait for this go first */
    MUST(r == 0, "main is idle: %d", r);
    r = fern_idle(FERN_FOREVER);
    MUST(r == 0, "main is idle: %d", r);
    world.looking = false;
    /* The clock may have moved since the hub has looked at it. */
    fern_time now = {fern__self_hub()->now};
    for (int i = 0; i < world.actors; i++)
        look_at(&world.actor[i], now);
    for (int i = 0; i < CALLS_MAX; i++)
        MUST(!world.call[i].pending, "call %d was not made", i);
    look_at_timers(now);
}

/* ---- the end ---- */

/* Kill and wake whoever is left, until nobody is. */
static void
drain(void)
{
    world.draining = true;
    for (int round = 0; round < 300; round++) {
        int alive = 0;
        for (int i = 0; i < world.actors; i++) {
            struct actor *a = &world.actor[i];
            if (fern_ready(a->g))
                continue;
            alive++;
            if (chance(80))
                (void)fern_kill(a->g, 0, FERN_NOWAIT);
            else
                unpark_actor(a);
        }
        if (!alive)
            return;
        MUST(fern_sleep(FERN_MS) == 0, "main sleeps");
    }
    contradict(__FILE__, __LINE__, "somebody does not end");
}

static void
check_actor(const struct actor *a)
{
    fern_outcome outcome;
    MUST(fern_get(a->g, &outcome, FERN_NOWAIT) == 0, "actor %d has not ended", a->number);
    MUST(a->frees == 1, "actor %d was freed %d times", a->number, a->frees);
    MUST(a->runs <= 1, "actor %d ran %d times", a->number, a->runs);
    bool orphaned = a->with_parent && !a->runs;
    MUST(!orphaned || outcome.cancelled, "actor %d was no orphan", a->number);
    MUST(a->runs || outcome.cancelled, "actor %d ended unrun and uncancelled", a->number);
    MUST(!a->cleanups_owed, "actor %d owes %d cleanups", a->number, a->cleanups_owed);
}

static void
check_link(int i)
{
    const struct link_record *l = &world.link[i];
    if (!l->used)
        return;
    int outcomes = l->flags & (FERN_LINK_SUCCESS | FERN_LINK_FAILURE);
    int outcome = fern_successful(l->g) ? FERN_LINK_SUCCESS : FERN_LINK_FAILURE;
    int wanted = !l->unlinked && (!outcomes || outcomes & outcome);
    MUST(l->calls == wanted, "link %d was called %d times, not %d", i, l->calls, wanted);
}

static void
close_pairs(void)
{
    for (int i = 0; world.with_io && i < PAIRS; i++)
        for (int s = 0; s < 2; s++)
            if (!world.pair[i].closed[s])
                MUST(fern_close(world.pair[i].fds[s]) == 0, "close");
}

static void
end(void)
{
    fern_greenlet *all[ACTORS_MAX];
    for (int i = 0; i < world.actors; i++)
        all[i] = world.actor[i].g;
    int r = fern_join_all(all, (size_t)world.actors, FERN_FOREVER);
    MUST(r == 0, "main joins all: %d", r);
    MUST(fern_sleep(5 * FERN_MS) == 0, "main sleeps"); /* the greenlets of links end */
    stop_calls_and_timers();
    r = fern_idle(FERN_FOREVER);
    MUST(r == 0, "main is idle: %d", r);
    for (int i = 0; i < LINKS_MAX; i++)
        check_link(i);
    for (int i = 0; i < world.actors; i++) {
        check_actor(&world.actor[i]);
        fern_greenlet_unref(world.actor[i].g);
    }
    close_pairs();
    MUST(fern_set_hooks(NULL) == 0, "hooks");
    const char *leaks = fern__test_leaks();
    MUST(!leaks, "left behind: %s", leaks);
}

static void
look_a_few_times(void)
{
    unsigned looks = 1 + draw(4);
    for (unsigned i = 0; i < looks; i++) {
        MUST(fern_sleep((int64_t)draw(3000) * FERN_US) == 0, "main sleeps");
        look_around();
    }
}

void
world_run(uint64_t seed, bool with_io, bool tracing)
{
    begin(seed, with_io, tracing);
    look_a_few_times();
    drain();
    end();
}

struct visit {
    uint64_t seed;
    bool with_io;
    bool tracing;
};

static void *
visit(void *arg)
{
    const struct visit *v = arg;
    begin(v->seed, v->with_io, v->tracing);
    look_a_few_times();
    world.draining = true;
    return NULL;
}

void
world_run_and_leave(uint64_t seed, bool with_io, bool tracing)
{
    struct visit v = {seed, with_io, tracing};
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, visit, &v) == 0, "no thread");
    MUST(pthread_join(thread, NULL) == 0, "no end of the thread");
    for (int i = 0; i < world.actors; i++) {
        const struct actor *a = &world.actor[i];
        MUST(a->frees == 1, "actor %d was freed %d times", i, a->frees);
        MUST(!a->cleanups_owed, "actor %d owes %d cleanups", i, a->cleanups_owed);
    }
    for (int i = 0; i < LINKS_MAX; i++) {
        const struct link_record *l = &world.link[i];
        /* The greenlet of a link may be killed itself before it is its turn. */
        bool any = l->used && !l->unlinked && l->flags == FERN_LINK_ANY;
        MUST(l->calls <= 1 && (!any || l->calls == 1), "link %d was called %d times", i,
                l->calls);
    }
    for (int i = 0; with_io && i < PAIRS; i++)
        for (int s = 0; s < 2; s++)
            if (!world.pair[i].closed[s])
                MUST(close(world.pair[i].fds[s]) == 0, "close");
}
