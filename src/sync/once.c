/* SPDX-License-Identifier: MIT */
/*
 * What is done once.
 *
 * While one is at it the others wait; they are granted 0 when it is done, and YOUR_TURN, one of
 * them, when it has failed: from then on that one is at it, though it has not run yet.
 */
#include "sync/object.h"

#include <fern/lock.h>
#include <stdio.h>

enum { YOUR_TURN = 1 };

struct once {
    struct fern__sync sync;
    uint64_t actor_id; /* who is at it; 0: nobody */
    bool done;
    uint8_t unused[7];
    uint64_t reserved[3];
};

_Static_assert(sizeof(struct once) == sizeof(fern_once), "one is the other");

static struct once *
once_of(const fern_once *once)
{
    return (struct once *)(uintptr_t)once;
}

static void
once_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct once *o = cell->object;
    fern__owners_add(owners, o->actor_id);
}

static void
once_describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct once *o = cell->object;
    snprintf(text, bytes, "#%llu is at it", (unsigned long long)o->actor_id);
}

static const struct fern__waitable waitable_once = {
        .name = "once", .describe = once_describe, .owners = once_owners};

/* The action is over: unless it has succeeded it is the next one's turn. */
static void
leave(struct once *o)
{
    struct fern__cell *next = o->done ? NULL : fern__sync_claim(&o->sync.waiters);
    o->actor_id = next ? next->greenlet->id : 0;
    if (next)
        fern__sync_grant(next, YOUR_TURN);
    else if (o->done)
        fern__sync_grant_all(&o->sync.waiters, 0);
}

/* @return what the action returned */
static int
act(struct once *o, fern_action *action, void *arg)
{
    FERN_AUTO(leave, o); /* for fern_exit(), too */
    int r = action(arg);
    o->done = r >= 0;
    return r < 0 ? r : 0;
}

int
fern_once_do(fern_once *once, fern_action *action, void *arg, fern_time deadline)
{
    FERN_CHECK(once && action, -EINVAL);
    struct once *o = once_of(once);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&o->sync, &hub, &g, deadline);
    if (r < 0 || o->done)
        return r;
    if (o->actor_id) {
        FERN_CHECK(o->actor_id != g->id, -EDEADLK);
        if (deadline.ns == 0)
            return -EAGAIN;
        r = fern__sync_wait(hub, g, &o->sync, &waitable_once, NULL, deadline);
        if (r != YOUR_TURN)
            return r;
    }
    o->actor_id = g->id;
    return act(o, action, arg);
}

bool
fern_once_ready(const fern_once *once)
{
    return once && once_of(once)->done;
}
