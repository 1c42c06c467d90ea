/* SPDX-License-Identifier: MIT */
/*
 * What an actor does that may wait, each with what its result may be.
 */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

static fern_time
pick_deadline(const struct actor *a)
{
    unsigned kind = draw(10);
    if (kind < 2)
        return FERN_NOWAIT;
    if (kind < 5 && !actor_shielded(a))
        return FERN_FOREVER; /* a kill will end it; a shield would keep the kill away */
    return fern_in((int64_t)draw(7) * 500 * FERN_US - 1 + (int64_t)draw(2));
}

static int64_t
pick_duration(void)
{
    return chance(50) ? (int64_t)draw(6) * 500 * FERN_US : (int64_t)draw(2000000);
}

static struct actor *
pick_actor(void)
{
    return &world.actor[draw((unsigned)world.actors)];
}

/* Whether a scope that counts for it has fired in this way. */
static bool
has_fired(const struct actor *a, bool cancelled)
{
    for (int i = a->depth; i-- && !a->is_shield[i];)
        if (fern_scope_fired(&a->scopes[i]) &&
                (fern_scope_code(&a->scopes[i]) != -ETIME) == cancelled)
            return true;
    return false;
}

static void
open_wait(struct actor *a, enum waiting kind, fern_time deadline)
{
    a->waiting = kind;
    a->deadline = deadline.ns ? deadline : FERN_FOREVER;
    a->arrival = ++world.clock;
    for (int i = 0; i < a->depth; i++)
        a->had_fired[i] = fern_scope_fired(&a->scopes[i]);
}

/* Of the scopes that time out at one moment only that one is to blame which ends first, and of
 * equal ones the outermost. */
static void
check_blame(const struct actor *a)
{
    for (int i = 0; i < a->depth; i++) {
        const fern_scope *s = &a->scopes[i];
        if (a->had_fired[i] || !fern_scope_fired(s) || fern_scope_code(s) != -ETIME)
            continue;
        for (int j = i; j-- && !a->is_shield[j];)
            MUST(a->scopes[j].fern__deadline_ns > s->fern__deadline_ns,
                    "scope %d is blamed for what scope %d did", i, j);
    }
}

/* Hold a result against what could be known: `entry` is the interrupt when the call began. */
static void
close_wait(struct actor *a, int entry, ssize_t r, fern_time deadline)
{
    int kind = (int)a->waiting;
    a->waiting = WAIT_NOTHING;
    tell("wait %d gave %d", kind, (int)r);
    check_blame(a);
    MUST(!entry || !deadline.ns || r == entry, "wait %d gave %d, interrupted by %d", kind,
            (int)r, entry);
    switch (r) {
    case -EAGAIN:
        MUST(!deadline.ns, "wait %d: -EAGAIN with a deadline", kind);
        break;
    case -ETIME:
        MUST(deadline.ns, "wait %d: -ETIME though it must not wait", kind);
        MUST(fern_now().ns >= deadline.ns || has_fired(a, false), "wait %d: -ETIME early",
                kind);
        break;
    case -ECANCELED:
        MUST(deadline.ns, "wait %d: -ECANCELED though it must not wait", kind);
        MUST(fern_cancelling(a->g) || has_fired(a, true), "wait %d: nobody cancelled it",
                kind);
        break;
    default:
        MUST(r >= 0, "wait %d gave %d", kind, (int)r);
    }
}

static void
do_yield(struct actor *a)
{
    int entry = actor_interrupt(a);
    int r = fern_yield();
    MUST(r == entry, "a yield gave %d, not %d", r, entry);
}

static void
do_sleep(struct actor *a)
{
    int64_t ns = pick_duration();
    int entry = actor_interrupt(a);
    fern_time when = fern_in(ns);
    open_wait(a, WAIT_SLEEP, when);
    uint64_t arrival = a->arrival;
    int r = ns ? fern_sleep_until(when) : fern_sleep(0);
    close_wait(a, entry, r, ns ? FERN_FOREVER : when);
    if (r < 0 || !ns)
        return;
    MUST(fern_now().ns >= when.ns, "a sleep ended early");
    bool in_order = when.ns > world.slept.ns ||
                    (when.ns == world.slept.ns && arrival > world.slept_arrival);
    MUST(schedule.permuted || in_order, "sleeps ended out of order");
    world.slept = when;
    world.slept_arrival = arrival;
}

static void
do_park(struct actor *a)
{
    fern_time deadline = pick_deadline(a);
    int entry = actor_interrupt(a);
    bool token = a->token;
    a->granted = false;
    open_wait(a, WAIT_PARK, deadline);
    /* The token is the library's to take now; one that comes during the wait is told apart. */
    if (token && !(entry && deadline.ns))
        a->token = false;
    int r = fern_park(deadline);
    close_wait(a, entry, r, deadline);
    if (entry && deadline.ns)
        return;
    bool must_succeed = token || a->granted;
    MUST((r == 0) == must_succeed, "a park gave %d; token %d, granted %d", r, token,
            a->granted);
}

static void
check_outcome(const struct actor *target, const fern_outcome *outcome)
{
    bool good = outcome->code == 0 || (outcome->cancelled && outcome->code == -ECANCELED);
    MUST(good == fern_successful(target->g), "success of %d", target->number);
    MUST(outcome->cancelled || outcome->code == 0 || outcome->message, "no message");
    MUST(outcome->code != 0 || outcome->value == target || outcome->cancelled,
            "the value of %d is not its own", target->number);
}

static void
do_join(struct actor *a)
{
    struct actor *t = pick_actor();
    fern_time deadline = pick_deadline(a);
    int entry = actor_interrupt(a);
    bool ended = fern_ready(t->g);
    fern_outcome outcome = {.code = 12345};
    a->target = t;
    open_wait(a, WAIT_JOIN, deadline);
    uint64_t arrival = a->arrival;
    tell("joins %d", t->number);
    bool get = chance(50);
    int r = get ? fern_get(t->g, &outcome, deadline) : fern_join(t->g, deadline);
    if (t == a && deadline.ns && !entry) {
        MUST(r == -EDEADLK, "joining itself gave %d", r);
        a->waiting = WAIT_NOTHING;
        return;
    }
    close_wait(a, entry, r, deadline);
    MUST(r != 0 || fern_ready(t->g), "joined %d, who has not ended", t->number);
    MUST(r == 0 || outcome.code == 12345, "an outcome was written without success");
    if (r == 0 && get)
        check_outcome(t, &outcome);
    if (r == 0 && !ended && !schedule.permuted) {
        MUST(arrival > world.joined[t->number], "joiners woke out of order");
        world.joined[t->number] = arrival;
    }
}

/* One that ends with its spawner, because it has not started, is served just before it. */
static uint64_t
end_of(const fern_greenlet *g)
{
    const struct actor *a = fern_greenlet_data(g);
    bool orphan = a->with_parent && !a->runs && fern_ready(a->parent->g) &&
                  a->parent->end_order < a->end_order;
    return orphan ? a->parent->end_order : a->end_order;
}

/* Those that had ended come first, in the order of the array; the others in order of ending. */
static void
check_done(fern_greenlet **before, size_t n_before, fern_greenlet **done, size_t n_done)
{
    MUST(n_done >= n_before, "%zu ended, of which %zu before", n_done, n_before);
    for (size_t i = 0; i < n_done; i++) {
        MUST(fern_ready(done[i]), "given as ended, but is not");
        MUST(i >= n_before || done[i] == before[i], "ended before, out of order");
        MUST(i <= n_before || end_of(done[i]) >= end_of(done[i - 1]), "ended out of order");
    }
}

static size_t
pick_set(struct actor *a, fern_greenlet **set)
{
    size_t n = 0;
    for (unsigned left = draw(SET_MAX + 1); left; left--) {
        struct actor *t = pick_actor();
        if (t != a)
            set[n++] = t->g;
    }
    return n;
}

/* Those of the set that count as ended before the wait. */
static size_t
pick_ended(const struct actor *a, fern_greenlet **ret)
{
    size_t n = 0;
    for (size_t i = 0; i < a->set_count && n < a->set_wanted; i++) {
        if (!fern_ready(a->set[i]))
            continue;
        ret[n++] = a->set[i];
        if (a->set_stops && !fern_successful(a->set[i]))
            break;
    }
    return n;
}

static void
do_join_all(struct actor *a)
{
    fern_greenlet *set[SET_MAX], *done[SET_MAX], *before[SET_MAX], *failed = a->g;
    size_t count = 0;
    FERN_JOIN_OPTIONS(options);
    fern_time deadline = pick_deadline(a);
    a->set = set;
    a->set_count = pick_set(a, set);
    options.count = a->set_count ? draw((unsigned)a->set_count + 1) : 0;
    a->set_wanted = options.count ? options.count : a->set_count;
    a->set_stops = options.stop_at_failure = chance(30);
    options.ret_done = done;
    options.ret_done_count = &count;
    options.ret_failed = &failed;
    int entry = a->set_count ? actor_interrupt(a) : 0;
    size_t n_before = pick_ended(a, before);
    open_wait(a, WAIT_JOIN_ALL, deadline);
    int r = fern_join_all_with(set, a->set_count, &options, deadline);
    close_wait(a, entry, r, deadline);
    MUST(r != 0 || actor_set_satisfied(a), "joined a set that has not ended");
    MUST(!failed || (a->set_stops && !fern_successful(failed)), "a failure that is none");
    if (!(entry && deadline.ns))
        check_done(before, n_before, done, count);
}

static void
do_idle(struct actor *a)
{
    fern_time deadline = pick_deadline(a);
    int entry = actor_interrupt(a);
    if (world.looking)
        return;
    open_wait(a, WAIT_IDLE, deadline);
    close_wait(a, entry, fern_idle(deadline), deadline);
}

static void
do_kill_and_join(struct actor *a)
{
    struct actor *t = pick_actor();
    fern_time deadline = pick_deadline(a);
    int entry = actor_interrupt(a);
    a->target = t;
    open_wait(a, WAIT_JOIN, deadline);
    tell("kills %d and waits", t->number);
    int r = fern_kill(t->g, (int)draw(3), deadline);
    if (t == a) {
        MUST(r == -ECANCELED, "killing itself gave %d", r);
        a->waiting = WAIT_NOTHING;
        return;
    }
    /* What frees the other's argument may kill this one before the join begins. */
    if (entry)
        entry = actor_interrupt(a);
    close_wait(a, entry, r, deadline);
    MUST(r != 0 || fern_ready(t->g), "killed %d, who has not ended", t->number);
}

/* ---- sockets ---- */

static void
do_recv(struct actor *a)
{
    int at = (int)draw(PAIRS), side = (int)draw(2);
    struct pair *p = &world.pair[at];
    if (!world.with_io || p->closed[side])
        return;
    fern_time deadline = pick_deadline(a);
    int entry = actor_interrupt(a);
    char bytes[3];
    a->pair = at;
    a->side = side;
    open_wait(a, WAIT_RECV, deadline);
    ssize_t r = fern_recv(p->fds[side], bytes, 1 + draw(3), 0, deadline);
    if (r == -EBADF || r == -ECONNRESET) {
        MUST(p->closed[r == -EBADF ? side : !side], "recv gave %d", (int)r);
        a->waiting = WAIT_NOTHING;
        return;
    }
    close_wait(a, entry, r, deadline);
    MUST(r != 0 || p->closed[!side] || p->ended[side], "the end of a stream that is open");
    MUST(r <= p->bytes[side], "%d bytes of %d", (int)r, p->bytes[side]);
    if (r > 0)
        p->bytes[side] -= (int)r;
}

static void
do_wait_fd(struct actor *a)
{
    int at = (int)draw(PAIRS), side = (int)draw(2);
    struct pair *p = &world.pair[at];
    if (!world.with_io || p->closed[side])
        return;
    fern_time deadline = pick_deadline(a);
    int entry = actor_interrupt(a);
    /* Bytes may have been taken by one that has not returned from its call yet. */
    bool ready = p->closed[!side] || p->ended[side];
    a->pair = at;
    a->side = side;
    open_wait(a, WAIT_RECV, deadline);
    int r = fern_wait_fd(p->fds[side], POLLIN, deadline);
    if (r == -EBADF) {
        MUST(p->closed[side], "a wait for an open fd gave -EBADF");
        a->waiting = WAIT_NOTHING;
        return;
    }
    close_wait(a, entry, r, deadline);
    MUST(r != 0, "ready for nothing");
    MUST(!ready || r > 0 || (entry && deadline.ns), "a ready fd gave %d", r);
}

static void
do_poll(struct actor *a)
{
    struct pollfd fds[PAIRS * 2];
    size_t n = 0;
    memset(a->polls, 0, sizeof a->polls);
    for (int i = 0; world.with_io && i < PAIRS; i++)
        for (int s = 0; s < 2; s++) {
            if (world.pair[i].closed[s] || chance(50))
                continue;
            a->polls[i][s] = true;
            fds[n++] = (struct pollfd){.fd = world.pair[i].fds[s], .events = POLLIN};
        }
    if (!n)
        return;
    fern_time deadline = pick_deadline(a);
    int entry = actor_interrupt(a);
    open_wait(a, WAIT_POLL, deadline);
    int r = fern_poll(fds, n, deadline);
    if (r == -EBADF) {
        a->waiting = WAIT_NOTHING;
        return;
    }
    close_wait(a, entry, r, deadline);
    int ready = 0;
    for (size_t i = 0; i < n; i++)
        ready += fds[i].revents != 0;
    MUST(r < 0 || (r > 0 && r == ready), "a poll gave %d of %d", r, ready);
}

/* ---- raw coroutines ---- */

static void *
coroutine(void *first)
{
    fern_greenlet *parent = fern_raw_parent(fern_self());
    intptr_t value = (intptr_t)first;
    unsigned rounds = draw(4);
    for (unsigned i = 0; i < rounds; i++) {
        if (chance(20) && fern_sleep((int64_t)draw(1000) * FERN_US) < 0)
            return (void *)-1;
        void *next;
        int r = fern_raw_switch(parent, (void *)(value + 1), &next);
        if (r < 0) {
            MUST(r == -ECANCELED || r == -EBUSY, "a coroutine's switch gave %d", r);
            return (void *)-1;
        }
        value = (intptr_t)next;
    }
    return (void *)(value + 1);
}

static void
end_coroutine(fern_greenlet *co)
{
    fern_scope shield = FERN_SCOPE_INIT;
    MUST(fern_shield_start(&shield) == 0, "shield");
    int r = fern_kill(co, 0, FERN_FOREVER);
    MUST(r == 0, "the end of a coroutine gave %d", r);
    MUST(fern_shield_stop(&shield) == 0, "shield");
    fern_greenlet_unref(co);
}

static void
do_coroutine(struct actor *a)
{
    fern_greenlet *co = fern_raw_new(coroutine, NULL);
    MUST(co, "no coroutine");
    unsigned rounds = 1 + draw(5);
    for (unsigned i = 0; i < rounds; i++) {
        void *value = NULL;
        intptr_t sent = 1 + (intptr_t)draw(1000);
        int entry = actor_interrupt(a);
        bool ended = fern_ready(co);
        open_wait(a, WAIT_RAW, FERN_FOREVER);
        int r = fern_raw_switch(co, (void *)sent, &value);
        if (ended && !entry) {
            MUST(r == -ESRCH, "a switch to an ended coroutine gave %d", r);
            break;
        }
        close_wait(a, entry, r, FERN_FOREVER);
        if (r < 0)
            break;
        bool killed = world.draining && (intptr_t)value == -1; /* with its thread */
        MUST((intptr_t)value == sent + 1 || killed, "a coroutine gave %ld for %ld",
                (long)value, (long)sent);
    }
    a->waiting = WAIT_RAW;
    end_coroutine(co);
    a->waiting = WAIT_NOTHING;
}

void
do_wait(struct actor *a)
{
    static void (*const waits[])(struct actor *) = {do_yield, do_sleep, do_sleep, do_park,
            do_park, do_join, do_join, do_join_all, do_idle, do_kill_and_join, do_wait_fd,
            do_poll, do_recv, do_recv, do_coroutine};
    waits[draw(sizeof waits / sizeof *waits)](a);
}
