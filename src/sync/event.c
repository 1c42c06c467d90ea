/* SPDX-License-Identifier: MIT */
/*
 * Events.
 *
 * Who was waiting when the event was set has been woken, whatever becomes of the flag before it
 * runs. `woken` counts those that have not run yet: while there are some, the event is in use,
 * and who comes to a set one takes its turn behind them instead of passing them by.
 */
#include "sync/event.h"

#include "core/sched.h"

#include <fern/event.h>

struct event {
    struct fern__sync sync;
    uint32_t woken;
    bool set;
    bool clears; /* FERN_EVENT_AUTO */
    uint16_t unused16;
    uint64_t reserved[4];
};

_Static_assert(sizeof(struct event) == sizeof(fern_event), "one is the other");

static struct event *
event_of(const fern_event *event)
{
    return (struct event *)(uintptr_t)event;
}

/* Pass a set event. */
static void
pass(struct event *e)
{
    if (e->clears)
        e->set = false;
}

static int
event_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    struct event *e = choice->object;
    int r = fern__sync_bind(&e->sync, hub);
    if (r < 0)
        return r;
    return e->set ? 0 : -EAGAIN;
}

static int
event_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    int r = event_ready(hub, choice);
    if (r == 0)
        pass(choice->object);
    return r;
}

static int
event_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    struct event *e = choice->object;
    fern__sync_arm(choice, hub, &e->sync.waiters);
    return 0;
}

const struct fern__waitable fern__waitable_event = {
        .name = "event", .attempt = event_attempt, .ready = event_ready, .arm = event_arm};

int
fern_event_init(fern_event *event, int flags)
{
    FERN_CHECK(event && !(flags & ~FERN_EVENT_AUTO), -EINVAL);
    *event_of(event) = (struct event){.clears = flags & FERN_EVENT_AUTO};
    return 0;
}

int
fern_event_fini(fern_event *event)
{
    FERN_CHECK(event, -EINVAL);
    struct event *e = event_of(event);
    int r = fern__sync_may_end(&e->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!e->woken, -EBUSY);
    *e = (struct event){.clears = e->clears};
    return 0;
}

/* One in fern_event_wait() counts itself off when it runs; a select does not come back. */
static void
wake(struct event *e, struct fern__cell *cell)
{
    e->woken += cell == &cell->greenlet->cell;
    fern__sync_grant(cell, 0);
}

int
fern_event_set(fern_event *event)
{
    FERN_CHECK(event, -EINVAL);
    struct event *e = event_of(event);
    int r = fern__sync_check(&e->sync);
    if (r < 0)
        return r;
    struct fern__cell *first = fern__sync_claim(&e->sync.waiters);
    if (e->clears && first) {
        wake(e, first);
        return 0;
    }
    e->set = true;
    for (; first; first = fern__sync_claim(&e->sync.waiters))
        wake(e, first);
    return 0;
}

int
fern_event_clear(fern_event *event)
{
    FERN_CHECK(event, -EINVAL);
    int r = fern__sync_check(&event_of(event)->sync);
    if (r == 0)
        event_of(event)->set = false;
    return r;
}

bool
fern_event_is_set(const fern_event *event)
{
    return event && event_of(event)->set;
}

/* Take one's turn behind those that were woken before. */
static int
queue_behind(struct fern__hub *hub, fern_greenlet *g, struct event *e, fern_time deadline)
{
    fern__wait_begin(g, &fern__waitable_event, e);
    fern__wait_claim(g);
    fern__wait_grant(g, 0);
    e->woken++;
    return fern__park(hub, g, deadline);
}

int
fern_event_wait(fern_event *event, fern_time deadline)
{
    FERN_CHECK(event, -EINVAL);
    struct event *e = event_of(event);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&e->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    if (e->set && (!e->woken || e->clears || deadline.ns == 0)) {
        pass(e);
        return 0;
    }
    if (deadline.ns == 0)
        return -EAGAIN;
    if (e->set)
        r = queue_behind(hub, g, e, deadline);
    else
        r = fern__sync_wait(hub, g, &e->sync, &fern__waitable_event, NULL, deadline);
    if (r == 0)
        e->woken--;
    return r;
}
