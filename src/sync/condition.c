/* SPDX-License-Identifier: MIT */
/*
 * Conditions.
 *
 * A notification claims its waiter: one that was killed or timed out before is passed over, and
 * one that is killed after has been notified all the same. So none is lost. The mutex is taken
 * again behind a shield, by each waiter when it runs.
 */
#include "sync/lock.h"

#include <limits.h>
#include <stdio.h>

struct condition {
    struct fern__sync sync;
    struct fern__mutex *mutex; /* of the first wait */
    uint64_t reserved[4];
};

_Static_assert(sizeof(struct condition) == sizeof(fern_condition), "one is the other");

/* Who notifies must hold the mutex: as long as somebody has it, nobody else can. */
static void
condition_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct condition *c = cell->object;
    fern__owners_add(owners, c->mutex->owner_id);
}

static void
condition_describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct condition *c = cell->object;
    uint64_t id = c->mutex->owner_id;
    if (id)
        snprintf(text, bytes, "%p, its mutex held by #%llu", cell->object,
                (unsigned long long)id);
    else
        snprintf(text, bytes, "%p", cell->object);
}

static const struct fern__waitable waitable_condition = {
        .name = "condition", .describe = condition_describe, .owners = condition_owners};

static struct condition *
condition_of(fern_condition *condition)
{
    return (struct condition *)condition;
}

int
fern_condition_fini(fern_condition *condition)
{
    FERN_CHECK(condition, -EINVAL);
    int r = fern__sync_may_end(&condition_of(condition)->sync);
    if (r == 0)
        *condition_of(condition) = (struct condition){0};
    return r;
}

/* Whether a wait may begin. */
static int
check(const struct condition *c, struct fern__mutex *m)
{
    int r = fern__sync_check(&m->sync);
    if (r < 0)
        return r;
    FERN_CHECK(fern__mutex_mine(m), -EPERM);
    FERN_CHECK(!c->mutex || c->mutex == m, -EINVAL);
    return 0;
}

static int
wait_once(struct condition *c, struct fern__mutex *m, fern_time deadline, const void *place)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&c->sync, &hub, &g, deadline);
    if (r == 0)
        r = check(c, m);
    if (r < 0)
        return r;
    if (deadline.ns == 0)
        return -EAGAIN;
    c->mutex = m;
    uint32_t depth = fern__mutex_release(m);
    r = fern__sync_wait(hub, g, &c->sync, &waitable_condition, NULL, deadline);
    int retaken = fern__mutex_retake(m, depth, place);
    return retaken < 0 ? retaken : r;
}

int
fern_condition_wait(fern_condition *condition, fern_mutex *mutex, fern_time deadline)
{
    FERN_CHECK(condition && mutex, -EINVAL);
    return wait_once(condition_of(condition), fern__mutex_of(mutex), deadline,
            __builtin_return_address(0));
}

int
fern_condition_wait_for(fern_condition *condition, fern_mutex *mutex,
        fern_predicate *predicate, void *arg, fern_time deadline)
{
    FERN_CHECK(condition && mutex && predicate, -EINVAL);
    struct condition *c = condition_of(condition);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&c->sync, &hub, &g, deadline);
    if (r == 0)
        r = check(c, fern__mutex_of(mutex));
    while (r == 0 && !predicate(arg))
        r = wait_once(c, fern__mutex_of(mutex), deadline, __builtin_return_address(0));
    return r == -ETIME && fern_mutex_depth(mutex) && predicate(arg) ? 0 : r;
}

int
fern_condition_notify(fern_condition *condition, size_t n)
{
    FERN_CHECK(condition, -EINVAL);
    struct condition *c = condition_of(condition);
    int r = fern__sync_check(&c->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!c->mutex || fern__mutex_mine(c->mutex), -EPERM);
    int woken = 0;
    struct fern__cell *first;
    while ((size_t)woken < n && woken < INT_MAX &&
            (first = fern__sync_claim(&c->sync.waiters))) {
        fern__sync_grant(first, 0);
        woken++;
    }
    return woken;
}

int
fern_condition_notify_all(fern_condition *condition)
{
    return fern_condition_notify(condition, SIZE_MAX);
}
