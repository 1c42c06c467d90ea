/* SPDX-License-Identifier: MIT */
/*
 * What an actor does that does not wait: spawning, waking, killing, links, callbacks, timers,
 * scopes. Callbacks and links do some of it too.
 */
#include "world.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "core/sched.h"

static struct actor *
pick_actor(void)
{
    return &world.actor[draw((unsigned)world.actors)];
}

/* ---- others ---- */

struct actor *
spawn_actor(struct actor *parent)
{
    if (world.actors == world.actors_wanted)
        return NULL;
    struct actor *a = &world.actor[world.actors];
    a->number = world.actors++;
    a->parent = parent;
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    options.free_arg = actor_free;
    options.user_data = a;
    options.daemon = chance(10);
    options.save_fpu = chance(3);
    options.with_parent = a->with_parent = parent && chance(20);
    options.stack_bytes = chance(1) ? 256 * 1024 : 0;
    if (chance(10))
        options.unstarted = true;
    else if (chance(20))
        options.now = true;
    else if (chance(30))
        options.delay_ns = (int64_t)draw(5) * 500 * FERN_US;
    if (chance(2))
        options.name = "somebody";
    fern_greenlet *g = fern_spawn_with(actor_main, a, &options);
    MUST(g && (!a->g || a->g == g), "no actor %d", a->number);
    a->g = g;
    tell("spawned actor %d", a->number);
    return a;
}

void
unpark_actor(struct actor *t)
{
    bool parked = t->waiting == WAIT_PARK && fern_greenlet_state(t->g) == FERN_STATE_PARKED;
    bool ended = fern_ready(t->g);
    int r = fern_unpark(t->g);
    tell("unparks %d: %d", t->number, r);
    MUST(r == (ended ? -ESRCH : 0), "an unpark gave %d", r);
    if (parked)
        t->granted = true;
    else if (!ended)
        t->token = true;
}

static void
kill_actor(struct actor *t)
{
    bool ended = fern_ready(t->g);
    bool live = fern_greenlet_state(t->g) == FERN_STATE_PARKED || t->runs;
    int before = fern_cancelling(t->g);
    int r = chance(50) ? fern_kill(t->g, (int)draw(3), FERN_NOWAIT)
                       : fern_kill_id(fern_id(t->g), (int)draw(3));
    tell("kills %d: %d", t->number, r);
    if (ended)
        MUST(r == 0 || r == -ESRCH || (r == -ECANCELED && t->g == fern_self()),
                "a kill of the dead gave %d", r);
    else if (live)
        MUST(fern_cancelling(t->g) == before + 1, "a kill did not count");
    else
        MUST(fern_ready(t->g), "killed before it ran, and not ended");
}

static void
do_kill(struct actor *a)
{
    (void)a;
    kill_actor(pick_actor());
}

static void
do_kill_all(struct actor *a)
{
    fern_greenlet *gs[3];
    unsigned n = draw(4);
    for (unsigned i = 0; i < n; i++) {
        struct actor *t = pick_actor();
        gs[i] = t == a ? a->g : t->g;
    }
    int r = fern_kill_all(gs, n, 0, FERN_NOWAIT);
    MUST(r == 0 || r == -EAGAIN, "a kill of several gave %d", r);
}

static void
do_cancel_start(struct actor *a)
{
    struct actor *t = pick_actor();
    bool unrun = !t->runs && !fern_ready(t->g);
    int r = fern_cancel_start(t->g);
    MUST(r == unrun || t == a, "cancelling a start gave %d", r);
}

static void
do_start(struct actor *a)
{
    (void)a;
    MUST(fern_start(pick_actor()->g) == 0, "start");
}

static void
do_spawn(struct actor *a)
{
    spawn_actor(a);
}

static void
do_unpark(struct actor *a)
{
    (void)a;
    unpark_actor(pick_actor());
}

static void
do_set_daemon(struct actor *a)
{
    (void)a;
    MUST(fern_set_daemon(pick_actor()->g, chance(50)) == 0, "daemon");
}

/* ---- links, callbacks, timers ---- */

void
act_without_waiting(void)
{
    MUST(fern_sleep(1) == -EDEADLK, "slept where nobody can");
    if (chance(30))
        unpark_actor(pick_actor());
    if (chance(10))
        kill_actor(pick_actor());
}

static void
on_link(fern_greenlet *g, void *arg)
{
    struct link_record *l = arg;
    tell("link %d", (int)(l - world.link));
    MUST(l->used && l->g == g && fern_ready(g), "a link of somebody else");
    MUST(!l->unlinked, "a link that was taken back");
    l->calls++;
    if (!(l->flags & FERN_LINK_SPAWN)) {
        act_without_waiting();
        return;
    }
    int r = chance(50) ? fern_sleep((int64_t)draw(1000) * FERN_US) : 0;
    bool killed = world.draining && r == -ECANCELED; /* with its thread */
    MUST(r == 0 || killed, "a link's greenlet slept: %d", r);
    if (chance(50))
        fern_exit(NULL);
}

static void
do_link(struct actor *a)
{
    (void)a;
    struct link_record *l = &world.link[draw(LINKS_MAX)];
    if (l->used)
        return;
    l->used = true;
    l->g = pick_actor()->g;
    l->flags = (int)draw(8);
    MUST(fern_link(l->g, on_link, l, l->flags) == 0, "link");
}

static void
do_unlink(struct actor *a)
{
    (void)a;
    struct link_record *l = &world.link[draw(LINKS_MAX)];
    if (!l->used || l->unlinked)
        return;
    bool ended = fern_ready(l->g);
    int r = fern_unlink(l->g, on_link, l);
    MUST(r == (ended ? -ESRCH : 0), "an unlink gave %d", r);
    l->unlinked = !ended;
}

static void
do_unlink_all(struct actor *a)
{
    (void)a;
    fern_greenlet *g = pick_actor()->g;
    int wanted = 0;
    for (int i = 0; i < LINKS_MAX && !fern_ready(g); i++) {
        struct link_record *l = &world.link[i];
        if (l->used && !l->unlinked && l->g == g) {
            wanted++;
            l->unlinked = true;
        }
    }
    int r = fern_unlink_all(g);
    MUST(r == wanted, "%d links were taken back, not %d", r, wanted);
}

static void
on_call(void *arg)
{
    struct call_record *c = arg;
    tell("call %d", (int)(c - world.call));
    MUST(c->pending, "a call that was not pending");
    c->pending = false;
    MUST(schedule.permuted || c->order > world.last_call, "calls out of order");
    world.last_call = c->order;
    act_without_waiting();
}

static void
do_call(struct actor *a)
{
    (void)a;
    struct call_record *c = &world.call[draw(CALLS_MAX)];
    MUST(fern_callback_pending(&c->callback) == c->pending, "pending");
    if (c->pending) {
        MUST(fern_call_soon(&c->callback, on_call, c) == -EALREADY, "called twice");
        if (chance(50)) {
            MUST(fern_callback_cancel(&c->callback) == 1, "a call was not taken back");
            c->pending = false;
        }
        return;
    }
    MUST(fern_callback_cancel(&c->callback) == 0, "a call that was not pending");
    MUST(fern_call_soon(&c->callback, on_call, c) == 0, "call");
    c->pending = true;
    c->order = ++world.clock;
}

static void
on_timer(void *arg)
{
    struct timer_record *t = arg;
    tell("timer %d", (int)(t - world.timer));
    MUST(t->started, "a timer that was not started");
    MUST(fern_now().ns >= t->when.ns, "a timer fired early");
    t->calls++;
    t->started = t->repeat_ns != 0;
    act_without_waiting();
    if (t->started && chance(30)) {
        MUST(fern_timer_stop(&t->timer) == 1, "a repeating timer was not active");
        t->started = false;
    }
}

static void
stop_timer(struct timer_record *t)
{
    MUST(fern_timer_active(&t->timer) == t->started, "timer active");
    int r = fern_timer_stop(&t->timer);
    MUST(r == t->started, "stopping a timer gave %d", r);
    t->started = false;
}

static void
do_timer(struct actor *a)
{
    (void)a;
    struct timer_record *t = &world.timer[draw(TIMERS_MAX)];
    if (chance(30)) {
        stop_timer(t);
        return;
    }
    t->when = fern_in((int64_t)draw(8) * 250 * FERN_US - 250 * FERN_US);
    t->repeat_ns = chance(20) ? 1 + (int64_t)draw(2000000) : 0;
    t->calls = 0;
    MUST(fern_timer_start(&t->timer, t->when, t->repeat_ns, on_timer, t) == 0, "timer");
    t->started = true;
    if (chance(20))
        MUST(fern_timer_set_daemon(&t->timer, chance(50)) == 0, "daemon");
}

void
stop_calls_and_timers(void)
{
    for (int i = 0; i < TIMERS_MAX; i++)
        stop_timer(&world.timer[i]);
    for (int i = 0; i < CALLS_MAX; i++) {
        int r = fern_callback_cancel(&world.call[i].callback);
        MUST(r == world.call[i].pending, "taking a call back gave %d", r);
        world.call[i].pending = false;
    }
}

/* ---- scopes ---- */

static fern_time
pick_scope_deadline(void)
{
    unsigned kind = draw(8);
    return kind == 0   ? FERN_FOREVER
           : kind == 1 ? FERN_NOWAIT
                       : fern_in((int64_t)draw(9) * 500 * FERN_US - FERN_MS / 2);
}

static void
do_scope(struct actor *a)
{
    if (a->depth == SCOPES_MAX)
        return;
    fern_scope *s = &a->scopes[a->depth];
    a->is_shield[a->depth] = chance(25);
    int r = a->is_shield[a->depth] ? fern_shield_start(s)
                                   : fern_scope_start(s, pick_scope_deadline());
    MUST(r == 0, "a scope gave %d", r);
    a->depth++;
}

static void
do_leave(struct actor *a)
{
    if (!a->depth)
        return;
    int at = chance(70) ? a->depth - 1 : (int)draw((unsigned)a->depth);
    fern_scope *s = &a->scopes[at];
    int r = a->is_shield[at] ? fern_shield_stop(s) : fern_scope_stop(s);
    MUST(r == 0, "leaving a scope gave %d", r);
    for (int i = at; i < a->depth; i++)
        MUST(fern_scope_stop(&a->scopes[i]) == -EINVAL, "a scope that is still open");
    a->depth = at;
}

static void
do_reschedule(struct actor *a)
{
    if (!a->depth)
        return;
    int at = (int)draw((unsigned)a->depth);
    if (a->is_shield[at])
        return;
    fern_scope *s = &a->scopes[at];
    int wanted = fern_scope_fired(s) ? -EALREADY : 0;
    MUST(fern_scope_reschedule(s, pick_scope_deadline()) == wanted, "reschedule");
}

static void
do_cancel_scope(struct actor *a)
{
    (void)a;
    struct actor *t = pick_actor();
    if (!t->depth)
        return;
    int at = (int)draw((unsigned)t->depth);
    if (t->is_shield[at])
        return;
    fern_scope *s = &t->scopes[at];
    int wanted = fern_ready(t->g) ? -EINVAL : fern_scope_fired(s) ? -EALREADY : 0;
    int r = fern_scope_cancel(s, (int)draw(3));
    MUST(r == wanted, "cancelling a scope gave %d, not %d", r, wanted);
}

static void
do_uncancel(struct actor *a)
{
    if (world.draining)
        return; /* it is meant to end */
    int before = fern_cancelling(a->g);
    int r = fern_uncancel();
    MUST(r == (before ? before - 1 : 0), "uncancel gave %d of %d", r, before);
}

static void
do_checkpoint(struct actor *a)
{
    int r = fern_checkpoint();
    MUST(r == actor_interrupt(a), "a checkpoint gave %d", r);
}

/* Time passes, and the hub has not looked. */
static void
do_compute(struct actor *a)
{
    (void)a;
    if (!fern__clock_is_virtual())
        return;
    tell("computes");
    fern__clock_advance(fern_in((int64_t)draw(1500) * FERN_US).ns);
}

static void
do_step(struct actor *a)
{
    (void)a;
    if (world.looking)
        return; /* a step serves the idle too, and its caller runs on */
    tell("steps");
    MUST(fern_hub_step() >= 0, "a step");
}

static void
do_spend(struct actor *a)
{
    (void)a;
    for (unsigned left = draw(300); left; left--)
        fern__sched_spend(fern__self_hub());
}

/* ---- sockets ---- */

static void
do_send(struct actor *a)
{
    (void)a;
    struct pair *p = &world.pair[draw(PAIRS)];
    int side = (int)draw(2);
    if (!world.with_io || p->closed[side])
        return;
    /* They may be received before the call returns: it may cost the caller the CPU. */
    int n = 1 + (int)draw(3);
    p->bytes[!side] += n;
    ssize_t r = fern_send(p->fds[side], "abc", (size_t)n, 0, FERN_NOWAIT);
    tell("sends: %d", (int)r);
    p->bytes[!side] -= n - (r > 0 ? (int)r : 0);
    if (p->closed[!side] || p->ended[!side])
        MUST(r == -EPIPE || r == -ECONNRESET, "send to the closed gave %d", (int)r);
    else
        MUST(r > 0, "send gave %d", (int)r);
}

static void
do_shutdown(struct actor *a)
{
    (void)a;
    struct pair *p = &world.pair[draw(PAIRS)];
    int side = (int)draw(2);
    if (!world.with_io || p->closed[side] || chance(70))
        return;
    int r = fern_shutdown(p->fds[side], SHUT_WR);
    MUST(r == 0 || r == -ENOTCONN, "shutdown gave %d", r);
    p->ended[!side] |= r == 0;
}

static void
do_close(struct actor *a)
{
    (void)a;
    struct pair *p = &world.pair[draw(PAIRS)];
    int side = (int)draw(2);
    if (!world.with_io || p->closed[side] || chance(70))
        return;
    p->closed[side] = true;
    tell("closes");
    MUST(fern_close(p->fds[side]) == 0, "close");
}

void
do_deed(struct actor *a)
{
    static void (*const deeds[])(struct actor *) = {do_spawn, do_spawn, do_spawn, do_unpark,
            do_unpark, do_kill, do_kill_all, do_cancel_start, do_start, do_set_daemon,
            do_link, do_unlink, do_unlink_all, do_call, do_call, do_timer, do_timer,
            do_scope, do_scope, do_leave, do_reschedule, do_cancel_scope, do_uncancel,
            do_uncancel, do_checkpoint, do_spend, do_step, do_compute, do_compute, do_send,
            do_send, do_send, do_shutdown, do_close};
    deeds[draw(sizeof deeds / sizeof *deeds)](a);
}
