/* SPDX-License-Identifier: MIT */
/*
 * Libraries that tell of changes by an fd, once for each.
 *
 * In each direction one greenlet at a time, the first, makes its calls; the others stand behind it.
 * It waits for the fd, or to be poked by the first of the other direction: a call that went through
 * may have changed what that one waits for, and a call that was made on news has taken the news away.
 * A call that was made on a poke, with no news at the fd, and would still block pokes nobody, or the
 * two would go on for ever. News that comes in the middle of such a call is taken away unseen:
 * while both wait, each tries again before long.
 */
#include "io/op.h"

#include "core/sched.h"
#include "sync/object.h"

#include <fern/event.h>
#include <fern/io.h>
#include <fern/wait.h>

static const int64_t TRY_AGAIN_NS = 100 * FERN_MS;

struct lane {
    struct fern__sync sync; /* those behind the first */
    fern_event poke;
    uint64_t busy; /* somebody is the first */
};

struct edge {
    struct lane lanes[2];
    int fd;
    int events;
    uint64_t reserved[7];
};

_Static_assert(sizeof(struct edge) == sizeof(fern_edge), "one is the other");

static const struct fern__waitable waitable_edge = {.name = "turn at a library's object"};

static struct edge *
edge_of(fern_edge *edge)
{
    return (struct edge *)edge;
}

int
fern_edge_init(fern_edge *edge, int fd, int events)
{
    FERN_CHECK(edge && fd >= 0 && events, -EINVAL);
    FERN_CHECK(!(events & ~(POLLIN | POLLOUT | POLLPRI | POLLRDHUP)), -EINVAL);
    struct edge *e = edge_of(edge);
    *e = (struct edge){.fd = fd, .events = events};
    for (int i = 0; i < 2; i++)
        (void)fern_event_init(&e->lanes[i].poke, FERN_EVENT_AUTO);
    return 0;
}

static bool
has_news(const struct edge *e)
{
    return fern_wait_fd(e->fd, e->events, FERN_NOWAIT) != -EAGAIN;
}

/* Call until it does not block. It is this greenlet's turn. */
static ssize_t
call(struct edge *e, int direction, fern_edge_fn *fn, void *arg, fern_time deadline)
{
    struct lane *other = &e->lanes[!direction];
    bool poked = false;
    for (;;) { /* ends with the call, or when the wait fails */
        poked = poked && !has_news(e);
        ssize_t r = fn(arg);
        if (other->busy && (r != -EAGAIN || !poked))
            (void)fern_event_set(&other->poke);
        if (r != -EAGAIN || deadline.ns == 0)
            return r;
        fern_case cases[] = {fern_case_fd(e->fd, (short)e->events),
                fern_case_event(&e->lanes[direction].poke),
                fern_case_timer(other->busy ? fern_in(TRY_AGAIN_NS) : FERN_FOREVER)};
        int which = fern_select(cases, 3, 0, deadline);
        if (which < 0)
            return which;
        if (which == 0 && cases[0].result < 0)
            return cases[0].result;
        poked = which > 0;
        fern__sched_spend(fern__self_hub());
    }
}

/* Pass the turn on. */
static void
leave(struct lane *lane)
{
    struct fern__cell *next = fern__sync_claim(&lane->sync.waiters);
    if (next) {
        fern__sync_grant(next, 0);
        return;
    }
    lane->busy = false;
    (void)fern_event_clear(&lane->poke);
}

ssize_t
fern_edge_call(
        fern_edge *edge, int direction, fern_edge_fn *fn, void *arg, fern_time deadline)
{
    FERN_CHECK(edge && fn, -EINVAL);
    FERN_CHECK(direction == FERN_EDGE_IN || direction == FERN_EDGE_OUT, -EINVAL);
    struct edge *e = edge_of(edge);
    struct lane *lane = &e->lanes[direction];
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&lane->sync, &hub, &g, deadline);
    if (r == 0)
        r = fern__sync_bind(&e->lanes[!direction].sync, hub);
    if (r < 0)
        return r;
    if (lane->busy) {
        if (deadline.ns == 0)
            return -EAGAIN;
        r = fern__sync_wait(hub, g, &lane->sync, &waitable_edge, NULL, deadline);
        if (r < 0)
            return r;
    }
    lane->busy = true;
    ssize_t n = call(e, direction, fn, arg, deadline);
    leave(lane);
    return n;
}

int
fern_edge_fini(fern_edge *edge)
{
    FERN_CHECK(edge, -EINVAL);
    struct edge *e = edge_of(edge);
    for (int i = 0; i < 2; i++) {
        int r = fern__sync_check(&e->lanes[i].sync);
        if (r < 0)
            return r;
        FERN_CHECK(!e->lanes[i].busy, -EBUSY);
    }
    *e = (struct edge){.fd = -1};
    return 0;
}
