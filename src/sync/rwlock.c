/* SPDX-License-Identifier: MIT */
/*
 * Locks for readers and writers: one queue, first come first served. A waiter's item is not NULL
 * if it wants to write.
 *
 * Invariant: somebody who waits could not be let in now, or its wait has been ended already.
 */
#include "sync/holders.h"

#include <fern/lock.h>
#include <stdio.h>

struct rwlock {
    struct fern__sync sync;
    uint64_t writer_id; /* 0: nobody writes */
    uint64_t readers;
    fern__holders holders; /* those who read */
    uint64_t reserved[2];
};

_Static_assert(sizeof(struct rwlock) == sizeof(fern_rwlock), "one is the other");

static void
rwlock_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct rwlock *l = cell->object;
    if (l->writer_id)
        fern__owners_add(owners, l->writer_id);
    else
        fern__holders_tell(l->holders, cell, &l->sync.waiters, owners);
}

static void
rwlock_describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct rwlock *l = cell->object;
    uint64_t reader = fern__holders_only(l->holders, fern__greenlet_hub(cell->greenlet));
    if (l->writer_id)
        snprintf(text, bytes, "%p, written by #%llu", cell->object,
                (unsigned long long)l->writer_id);
    else if (reader)
        snprintf(
                text, bytes, "%p, read by #%llu", cell->object, (unsigned long long)reader);
    else
        snprintf(
                text, bytes, "%p, %llu read", cell->object, (unsigned long long)l->readers);
}

static const struct fern__waitable waitable_rwlock = {
        .name = "rwlock", .describe = rwlock_describe, .owners = rwlock_owners};

static struct rwlock *
rwlock_of(fern_rwlock *lock)
{
    return (struct rwlock *)lock;
}

int
fern_rwlock_fini(fern_rwlock *lock)
{
    FERN_CHECK(lock, -EINVAL);
    struct rwlock *l = rwlock_of(lock);
    int r = fern__sync_may_end(&l->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!(l->readers && fern__sync_is_home(&l->sync)) &&
                       !fern__sync_lives(l->writer_id),
            -EBUSY);
    *l = (struct rwlock){0};
    return 0;
}

static bool
admits(const struct rwlock *l, bool writes)
{
    return !l->writer_id && !(writes && l->readers);
}

static void
admit(struct rwlock *l, fern_greenlet *g, bool writes)
{
    if (writes) {
        l->writer_id = g->id;
    } else {
        l->readers++;
        fern__holders_add(&l->holders, g, 1);
    }
}

/* Let in who stands at the head of the queue: one writer, or readers up to the next writer. */
static void
let_in(struct rwlock *l)
{
    struct fern__cell *first;
    while ((first = fern__wait_first(&l->sync.waiters))) {
        bool writes = fern__wait_item(first) != NULL;
        if (!admits(l, writes))
            return;
        fern__wait_remove(first);
        if (!fern__wait_claim(first->greenlet))
            continue;
        admit(l, first->greenlet, writes);
        fern__sync_grant(first, 0);
    }
}

/* Whether one that comes now can be let in. One ahead that has been woken otherwise may not have
 * run yet: those behind it are let in first. */
static bool
can_enter(struct rwlock *l, bool writes)
{
    if (admits(l, writes) && fern__sync_awaited(&l->sync))
        let_in(l);
    return admits(l, writes) && !fern__sync_awaited(&l->sync);
}

static int
take(struct rwlock *l, bool writes, fern_time deadline)
{
    FERN_CHECK(l, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&l->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    if (can_enter(l, writes)) {
        admit(l, g, writes);
        return 0;
    }
    if (deadline.ns == 0)
        return -EAGAIN;
    FERN_CHECK(l->writer_id != g->id, -EDEADLK);
    r = fern__sync_wait(hub, g, &l->sync, &waitable_rwlock, writes ? l : NULL, deadline);
    if (r < 0)
        let_in(l); /* those behind may have waited for this one's sake */
    return r;
}

int
fern_rwlock_read(fern_rwlock *lock, fern_time deadline)
{
    return take(rwlock_of(lock), false, deadline);
}

int
fern_rwlock_write(fern_rwlock *lock, fern_time deadline)
{
    return take(rwlock_of(lock), true, deadline);
}

int
fern_rwlock_unlock(fern_rwlock *lock)
{
    FERN_CHECK(lock, -EINVAL);
    struct rwlock *l = rwlock_of(lock);
    int r = fern__sync_check(&l->sync);
    if (r < 0)
        return r;
    struct fern__hub *hub = fern__self_hub();
    FERN_CHECK(hub, -EPERM); /* nobody can hold it */
    if (l->writer_id) {
        FERN_CHECK(l->writer_id == hub->current->id, -EPERM);
        l->writer_id = 0;
    } else {
        FERN_CHECK(l->readers, -EPERM);
        l->readers--;
        fern__holders_add(&l->holders, hub->current, -1);
    }
    let_in(l);
    return 0;
}
