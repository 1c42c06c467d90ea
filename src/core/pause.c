/* SPDX-License-Identifier: MIT */
/*
 * Yield, sleep, park and unpark, idle, drain.
 */
#include "core/pause.h"

#include "base/clock.h"
#include "core/sched.h"
#include "core/timer.h"
#include "core/wait.h"

const struct fern__waitable fern__waitable_sleep = {.name = "sleep"};
static const struct fern__waitable waitable_park = {.name = "park"};
static const struct fern__waitable waitable_idle = {.name = "idle"};
static const struct fern__waitable waitable_drain = {.name = "drain"};

void
fern__pause_yield(struct fern__hub *hub, fern_greenlet *g)
{
    if (fern__unlikely(g->scopes != NULL))
        fern__timer_arm_yield(g);
    fern__ready(hub, g);
    fern__sched_leave(hub, g);
}

static __attribute__((noinline)) int
yield_scoped(struct fern__hub *hub, fern_greenlet *g)
{
    fern__pause_yield(hub, g);
    return 0;
}

int
fern_yield(void)
{
    struct fern__hub *hub = fern__self_hub();
    if (fern__unlikely(!hub))
        return 0;
    fern_greenlet *g = hub->current;
    if (fern__unlikely(g->interrupt))
        return g->interrupt;
    if (fern__unlikely(g->scopes != NULL))
        return yield_scoped(hub, g);
    fern__ready(hub, g);
    return fern__sched_leave(hub, g);
}

int
fern_sleep_until(fern_time when)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, FERN_FOREVER);
    if (r < 0)
        return r;
    fern__wait_begin(g, &fern__waitable_sleep, NULL);
    return fern__park(hub, g, when);
}

int
fern_sleep(int64_t duration_ns)
{
    return duration_ns > 0 ? fern_sleep_until(fern_in(duration_ns)) : fern_yield();
}

int
fern_park(fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    if (g->flags & FERN__UNPARKED) {
        g->flags &= (uint16_t)~FERN__UNPARKED;
        return 0;
    }
    if (deadline.ns == 0)
        return -EAGAIN;
    fern__wait_begin(g, &waitable_park, NULL);
    return fern__park(hub, g, deadline);
}

int
fern_unpark(fern_greenlet *g)
{
    FERN_CHECK(g, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    FERN_CHECK(g->life != FERN__LIFE_DONE, -ESRCH);
    if (g->waiting == &waitable_park && fern__wait_claim(g))
        fern__wait_grant(g, 0);
    else
        fern__greenlet_mark(g, FERN__UNPARKED);
    return 0;
}

int
fern_idle(fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    if (deadline.ns == 0)
        return fern__ring_count(&hub->ready) ? -EAGAIN : 0;
    fern__wait_begin(g, &waitable_idle, hub);
    fern__wait_add(&hub->idlers, &g->cell);
    return fern__park(hub, g, deadline);
}

void
fern__pause_idle(struct fern__hub *hub)
{
    for (struct fern__cell *cell; (cell = fern__wait_first(&hub->idlers));)
        fern__wake(cell, 0);
}

/* While it waits it is a daemon: its own deadline and scopes are not what it waits for. */
int
fern_drain(fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__wait_enter(&hub, &g, deadline);
    if (r < 0)
        return r;
    bool daemon = g->flags & FERN__DAEMON;
    (void)fern_set_daemon(g, true);
    if (deadline.ns) {
        fern__wait_begin(g, &waitable_drain, hub);
        fern__wait_add(&hub->drainers, &g->cell);
        r = fern__park(hub, g, deadline);
    } else if (fern__ring_count(&hub->ready) || hub->wakers) {
        r = -EAGAIN;
    }
    (void)fern_set_daemon(g, daemon);
    return r;
}

bool
fern__pause_drained(struct fern__hub *hub)
{
    bool any = false;
    for (struct fern__cell *cell; (cell = fern__wait_first(&hub->drainers)); any = true)
        fern__wake(cell, 0);
    return any;
}

fern_time
fern_now(void)
{
    return FERN__TIME(fern__clock_now());
}

fern_time
fern_time_add(fern_time t, int64_t duration_ns)
{
    if (t.ns == INT64_MAX)
        return t;
    int64_t ns = fern__add_saturating(t.ns, duration_ns);
    /* What lies before the clock's beginning is past, but it is not FERN_NOWAIT. */
    return FERN__TIME(ns > 0 ? ns : 1);
}

fern_time
fern_in(int64_t duration_ns)
{
    return fern_time_add(fern_now(), duration_ns);
}

int64_t
fern_time_diff(fern_time later, fern_time earlier)
{
    int64_t diff;
    if (__builtin_sub_overflow(later.ns, earlier.ns, &diff))
        return later.ns > earlier.ns ? INT64_MAX : INT64_MIN;
    return diff;
}
