/* SPDX-License-Identifier: MIT */
/*
 * Barriers.
 *
 * The last to arrive lets the others through by granting each its number: from then on they have
 * nothing to do with the barrier any more, so the next meeting can begin before they run. While
 * the action runs, who arrives stands at the door, and arrives in earnest when it is over.
 *
 * `meeting` counts meetings that were completed or broken off: who comes back from a wait knows by
 * it whether the barrier it waited at is still the same.
 */
#include "sync/object.h"

#include <fern/lock.h>
#include <stdio.h>

struct barrier {
    uint64_t parties;
    struct fern__sync sync;
    struct fern__list door;
    uint64_t arrived; /* at most so many wait; those that have left are not taken off */
    uint64_t meeting;
    fern_action *action;
    void *arg;
    uint64_t actor_id; /* whose action runs, or 0 */
    bool broken;
    uint8_t unused[7];
    uint64_t reserved[2];
};

_Static_assert(sizeof(struct barrier) == sizeof(fern_barrier), "one is the other");
_Static_assert(offsetof(struct barrier, parties) == 0, "FERN_BARRIER_INIT knows where");

static struct barrier *
barrier_of(const fern_barrier *barrier)
{
    return (struct barrier *)(uintptr_t)barrier;
}

static void
barrier_describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct barrier *b = cell->object;
    if (b->actor_id)
        snprintf(text, bytes, "%p, for %llu, #%llu acts", cell->object,
                (unsigned long long)b->parties, (unsigned long long)b->actor_id);
    else
        snprintf(text, bytes, "%p, for %llu", cell->object, (unsigned long long)b->parties);
}

static void
barrier_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct barrier *b = cell->object;
    fern__owners_add(owners, b->actor_id);
}

static const struct fern__waitable waitable_barrier = {
        .name = "barrier", .describe = barrier_describe, .owners = barrier_owners};

/* ---- making ---- */

int
fern_barrier_init(fern_barrier *barrier, size_t parties, fern_action *action, void *arg)
{
    FERN_CHECK(barrier && parties, -EINVAL);
    *barrier_of(barrier) =
            (struct barrier){.parties = parties, .action = action, .arg = arg};
    return 0;
}

int
fern_barrier_fini(fern_barrier *barrier)
{
    FERN_CHECK(barrier, -EINVAL);
    struct barrier *b = barrier_of(barrier);
    int r = fern__sync_may_end(&b->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!fern__sync_lives(b->actor_id) && fern__list_empty(&b->door), -EBUSY);
    *b = (struct barrier){.parties = b->parties, .action = b->action, .arg = b->arg};
    return 0;
}

/* ---- meeting ---- */

/* Send all who wait away. */
static void
break_off(struct barrier *b)
{
    b->meeting++;
    b->arrived = 0;
    fern__sync_grant_all(&b->sync.waiters, -ESHUTDOWN);
}

/* A meeting for which all have arrived. */
struct meeting {
    struct barrier *b;
    uint64_t number;
    int result; /* of the action */
    int index;  /* of the last to arrive */
};

static void
disperse(struct meeting *m)
{
    struct barrier *b = m->b;
    b->actor_id = 0;
    if (m->number != b->meeting)
        m->result = m->result < 0 ? m->result : -ESHUTDOWN;
    else if (m->result < 0)
        b->broken = true;
    m->index = 0;
    for (struct fern__cell *cell; (cell = fern__sync_claim(&b->sync.waiters)); m->index++)
        fern__sync_grant(cell, m->result < 0 ? -ESHUTDOWN : m->index);
    b->arrived = 0;
    fern__sync_grant_all(&b->door, 0);
}

static void
act(struct meeting *m, fern_greenlet *g)
{
    m->b->actor_id = g->id;
    m->result = -ESHUTDOWN; /* unless the action returns, and does not call fern_exit() */
    FERN_AUTO(disperse, m);
    m->result = m->b->action(m->b->arg);
}

/* All have arrived, and the caller is the last. @return its number, or why there is none */
static int
complete(struct barrier *b, fern_greenlet *g)
{
    struct meeting m = {.b = b, .number = ++b->meeting};
    if (b->action)
        act(&m, g);
    else
        disperse(&m);
    return m.result < 0 ? m.result : m.index;
}

static bool
is_last(struct barrier *b)
{
    if (b->arrived + 1 < b->parties)
        return false;
    b->arrived = fern__sync_count(&b->sync.waiters);
    return b->arrived + 1 == b->parties;
}

static int
wait_at(struct fern__list *waiters, struct fern__hub *hub, fern_greenlet *g,
        struct barrier *b, fern_time deadline)
{
    fern__wait_begin(g, &waitable_barrier, b);
    fern__wait_add(waiters, &g->cell);
    return fern__park(hub, g, deadline);
}

static int
arrive(struct fern__hub *hub, fern_greenlet *g, struct barrier *b, fern_time deadline)
{
    FERN_CHECK(!b->broken, -ESHUTDOWN);
    if (is_last(b))
        return complete(b, g);
    if (deadline.ns == 0)
        return -EAGAIN;
    uint64_t meeting = b->meeting;
    b->arrived++;
    int r = wait_at(&b->sync.waiters, hub, g, b, deadline);
    if (r == -ETIME && meeting == b->meeting) {
        b->broken = true;
        break_off(b);
    }
    return r;
}

/* The action runs: wait until it is over. */
static int
stand_at_door(
        struct fern__hub *hub, fern_greenlet *g, struct barrier *b, fern_time deadline)
{
    FERN_CHECK(b->actor_id != g->id, -EDEADLK);
    if (deadline.ns == 0)
        return -EAGAIN;
    int r = wait_at(&b->door, hub, g, b, deadline);
    return r == 0 ? g->interrupt : r;
}

int
fern_barrier_wait(fern_barrier *barrier, fern_time deadline)
{
    FERN_CHECK(barrier, -EINVAL);
    struct barrier *b = barrier_of(barrier);
    FERN_CHECK(b->parties, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&b->sync, &hub, &g, deadline);
    while (r == 0 && b->actor_id)
        r = stand_at_door(hub, g, b, deadline);
    return r < 0 ? r : arrive(hub, g, b, deadline);
}

/* ---- breaking ---- */

static int
end_meeting(struct barrier *b, bool broken)
{
    FERN_CHECK(b, -EINVAL);
    int r = fern__sync_check(&b->sync);
    if (r < 0)
        return r;
    b->broken = broken;
    break_off(b);
    return 0;
}

int
fern_barrier_reset(fern_barrier *barrier)
{
    return end_meeting(barrier_of(barrier), false);
}

int
fern_barrier_abort(fern_barrier *barrier)
{
    return end_meeting(barrier_of(barrier), true);
}

/* ---- asking ---- */

bool
fern_barrier_broken(const fern_barrier *barrier)
{
    return barrier && barrier_of(barrier)->broken;
}

size_t
fern_barrier_waiting(const fern_barrier *barrier)
{
    return barrier ? fern__sync_count(&barrier_of(barrier)->sync.waiters) : 0;
}
