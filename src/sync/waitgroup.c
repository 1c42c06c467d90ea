/* SPDX-License-Identifier: MIT */
/*
 * Wait groups: a count, and who waits until it is zero.
 */
#include "sync/object.h"

#include <fern/lock.h>
#include <stdio.h>

struct waitgroup {
    struct fern__sync sync;
    int64_t count;
    uint64_t reserved[4];
};

_Static_assert(sizeof(struct waitgroup) == sizeof(fern_waitgroup), "one is the other");

static void
waitgroup_describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct waitgroup *w = cell->object;
    snprintf(text, bytes, "%p, %lld under way", cell->object, (long long)w->count);
}

static const struct fern__waitable waitable_waitgroup = {
        .name = "wait group", .describe = waitgroup_describe};

static struct waitgroup *
waitgroup_of(fern_waitgroup *group)
{
    return (struct waitgroup *)group;
}

int
fern_waitgroup_add(fern_waitgroup *group, int64_t n)
{
    FERN_CHECK(group, -EINVAL);
    struct waitgroup *w = waitgroup_of(group);
    int r = fern__sync_check(&w->sync);
    if (r < 0)
        return r;
    int64_t count;
    FERN_CHECK(!__builtin_add_overflow(w->count, n, &count) && count >= 0, -EOVERFLOW);
    w->count = count;
    if (count == 0)
        fern__sync_grant_all(&w->sync.waiters, 0);
    return 0;
}

int
fern_waitgroup_done(fern_waitgroup *group)
{
    return fern_waitgroup_add(group, -1);
}

int
fern_waitgroup_wait(fern_waitgroup *group, fern_time deadline)
{
    FERN_CHECK(group, -EINVAL);
    struct waitgroup *w = waitgroup_of(group);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&w->sync, &hub, &g, deadline);
    if (r < 0 || w->count == 0)
        return r;
    if (deadline.ns == 0)
        return -EAGAIN;
    return fern__sync_wait(hub, g, &w->sync, &waitable_waitgroup, NULL, deadline);
}

int
fern_waitgroup_fini(fern_waitgroup *group)
{
    FERN_CHECK(group, -EINVAL);
    int r = fern__sync_may_end(&waitgroup_of(group)->sync);
    if (r == 0)
        *waitgroup_of(group) = (struct waitgroup){0};
    return r;
}
