/* SPDX-License-Identifier: MIT */
/*
 * Mutexes.
 *
 * Whoever releases one that is waited for makes the first waiter its owner before that runs. So a
 * free mutex has no waiters, and the fast ways are one look at the owner and one store; whatever
 * else there is to see to (a first use, an interrupt, a waiter, nesting, the order check) makes
 * one of their conditions false.
 */
#include "sync/lock.h"

#include <fern/scope.h>
#include <stdio.h>

/* ---- as one of several, and in dumps ---- */

static void
mutex_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct fern__mutex *m = cell->object;
    fern__owners_add(owners, m->owner_id);
}

static void
mutex_describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct fern__mutex *m = cell->object;
    snprintf(text, bytes, "%p, held by #%llu", cell->object,
            (unsigned long long)m->owner_id);
}

static int
mutex_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern__mutex *m = choice->object;
    int r = fern__sync_bind(&m->sync, hub);
    if (r < 0)
        return r;
    return m->owner_id ? -EAGAIN : 0;
}

static int
mutex_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    int r = mutex_ready(hub, choice);
    if (r == 0)
        ((struct fern__mutex *)choice->object)->owner_id = hub->current->id;
    return r;
}

static int
mutex_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern__mutex *m = choice->object;
    fern__sync_arm(choice, hub, &m->sync.waiters);
    return 0;
}

const struct fern__waitable fern__waitable_mutex = {.name = "mutex",
        .describe = mutex_describe,
        .owners = mutex_owners,
        .attempt = mutex_attempt,
        .ready = mutex_ready,
        .arm = mutex_arm};

/* ---- making ---- */

int
fern_mutex_init(fern_mutex *mutex, int flags)
{
    FERN_CHECK(mutex && !(flags & ~FERN_MUTEX_RECURSIVE), -EINVAL);
    *fern__mutex_of(mutex) = (struct fern__mutex){.flags = (uint32_t)flags};
    return 0;
}

int
fern_mutex_fini(fern_mutex *mutex)
{
    FERN_CHECK(mutex, -EINVAL);
    struct fern__mutex *m = fern__mutex_of(mutex);
    int r = fern__sync_may_end(&m->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!fern__sync_lives(m->owner_id), -EBUSY);
    fern__order_forget(m);
    *m = (struct fern__mutex){.flags = m->flags};
    return 0;
}

/* ---- taking ---- */

/* It is the caller's already. */
static int
nest(struct fern__mutex *m, fern_time deadline)
{
    if (!(m->flags & FERN_MUTEX_RECURSIVE))
        return deadline.ns == 0 ? -EAGAIN : -EDEADLK;
    FERN_CHECK(m->depth != UINT32_MAX, -EOVERFLOW);
    m->depth++;
    m->heavy |= FERN__MUTEX_NESTED;
    return 0;
}

__attribute__((noinline)) int
fern__mutex_lock(struct fern__mutex *m, fern_time deadline, const void *place)
{
    FERN_CHECK(m, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    fern__order_learn();
    int r = fern__sync_enter(&m->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    if (m->owner_id == g->id)
        return nest(m, deadline);
    if (m->owner_id && deadline.ns == 0)
        return -EAGAIN;
    if (fern__order_checked() && deadline.ns && (r = fern__order_may(m, place)) < 0)
        return r;
    if (m->owner_id)
        r = fern__sync_wait(hub, g, &m->sync, &fern__waitable_mutex, NULL, deadline);
    else
        m->owner_id = g->id;
    if (r == 0 && fern__order_checked())
        fern__order_track(m, place);
    return r;
}

int
fern_mutex_lock(fern_mutex *mutex, fern_time deadline)
{
    struct fern__mutex *m = fern__mutex_of(mutex);
    struct fern__hub *hub = fern__self_hub();
    if (fern__likely(m && hub && fern__sync_home(&m->sync) == hub->serial && !m->owner_id &&
                     !hub->current->interrupt && !fern__order_checked())) {
        m->owner_id = hub->current->id;
        return 0;
    }
    return fern__mutex_lock(m, deadline, __builtin_return_address(0));
}

/* ---- releasing ---- */

uint32_t
fern__mutex_release(struct fern__mutex *m)
{
    uint32_t depth = m->depth;
    if (m->heavy & FERN__MUTEX_TRACKED)
        fern__order_untrack(m);
    m->depth = m->heavy = 0;
    struct fern__cell *first = fern__sync_claim(&m->sync.waiters);
    if (first) {
        m->owner_id = first->greenlet->id;
        fern__sync_grant(first, 0);
    } else {
        m->owner_id = 0;
        m->sync.waiters.next = NULL; /* nobody is there: the fast way looks here */
    }
    return depth;
}

static __attribute__((noinline)) int
unlock_slow(struct fern__mutex *m)
{
    FERN_CHECK(m, -EINVAL);
    int r = fern__sync_check(&m->sync);
    if (r < 0)
        return r;
    FERN_CHECK(fern__mutex_mine(m), -EPERM);
    if (!m->depth) {
        fern__mutex_release(m);
        return 0;
    }
    if (--m->depth == 0)
        m->heavy &= ~(uint32_t)FERN__MUTEX_NESTED;
    return 0;
}

int
fern_mutex_unlock(fern_mutex *mutex)
{
    struct fern__mutex *m = fern__mutex_of(mutex);
    struct fern__hub *hub = fern__self_hub();
    if (fern__likely(m && hub && fern__sync_home(&m->sync) == hub->serial &&
                     m->owner_id == hub->current->id && !m->heavy &&
                     !m->sync.waiters.next)) {
        m->owner_id = 0;
        return 0;
    }
    return unlock_slow(m);
}

int
fern__mutex_retake(struct fern__mutex *m, uint32_t depth, const void *place)
{
    struct fern__hub *hub = fern__self_hub();
    fern_greenlet *g = hub->current;
    int r = 0;
    if (m->owner_id) {
        FERN_SHIELD (until_it_is_held)
            r = fern__sync_wait(
                    hub, g, &m->sync, &fern__waitable_mutex, NULL, FERN_FOREVER);
    } else {
        m->owner_id = g->id;
    }
    if (r < 0)
        return r;
    m->depth = depth;
    m->heavy = depth ? FERN__MUTEX_NESTED : 0;
    if (fern__order_checked())
        fern__order_track(m, place);
    return 0;
}

/* ---- asking ---- */

bool
fern_mutex_locked(const fern_mutex *mutex)
{
    return mutex && fern__mutex_of(mutex)->owner_id;
}

size_t
fern_mutex_depth(const fern_mutex *mutex)
{
    const struct fern__mutex *m = fern__mutex_of(mutex);
    return m && fern__mutex_mine(m) ? (size_t)m->depth + 1 : 0;
}
