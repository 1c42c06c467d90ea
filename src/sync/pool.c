/* SPDX-License-Identifier: MIT */
/*
 * Pools: slots, members, and waiting for them.
 *
 * Invariants: taken >= size while anybody waits for a slot; each member, and each spawner that
 * has been given a slot and has not run yet, holds one of `taken`. A slot that becomes free goes
 * to the first who waits before anybody else can see it.
 *
 * A member that ends gives its slot back by a callback, which stands in the ready queue behind
 * those that were ready before and ahead of all who wait for its end: several that end in the same
 * round are counted off together, and all of them still see the pool as full as it was.
 */
#include "sync/pool.h"

#include <limits.h>
#include <stdlib.h>

static void
pool_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const fern_pool *pool = cell->object;
    FERN__LIST_FOREACH (node, &pool->members) {
        const struct fern__member *m = fern__container_of(node, struct fern__member, node);
        fern__owners_add(owners, m->greenlet->id);
    }
}

/* ---- making ---- */

static bool
size_is_valid(size_t size)
{
    return size == FERN_POOL_UNLIMITED || size <= SSIZE_MAX;
}

fern_pool *
fern_pool_new(size_t size)
{
    if (!size_is_valid(size)) {
        errno = EINVAL;
        return NULL;
    }
    fern_pool *pool = calloc(1, sizeof *pool);
    if (pool)
        pool->size = size;
    return pool;
}

fern_group *
fern_group_new(void)
{
    return fern_pool_new(FERN_POOL_UNLIMITED);
}

static void leave(void *arg);

int
fern__pool_bind(fern_pool *pool)
{
    FERN_CHECK(pool, -EINVAL);
    struct fern__hub *hub = fern__hub_need();
    int r = hub ? fern__sync_bind(&pool->sync, hub) : fern__hub_error();
    if (r < 0 || pool->leave.hub)
        return r;
    r = fern__call_reserve(hub);
    if (r == 0)
        pool->leave = (struct fern__call){
                .fn = leave, .arg = pool, .hub = hub, .keeps_place = true};
    return r;
}

static void
unbind(fern_pool *pool)
{
    if (pool->leave.pending)
        fern__call_remove(pool->leave.hub, &pool->leave); /* which gives the place back */
    else if (pool->leave.hub)
        pool->leave.hub->calls--;
}

/* Unlink a member that is not going to be told of its greenlet's end. */
static void
forget(struct fern__member *member)
{
    fern__wait_remove(&member->link.cell);
    fern__list_remove(&member->node);
    free(member);
}

int
fern_pool_free(fern_pool *pool)
{
    if (!pool)
        return 0;
    int r = fern__sync_check(&pool->sync);
    if (r < 0)
        return r;
    leave(pool);
    bool awaited = !fern__list_empty(&pool->joiners) || !fern__list_empty(&pool->idlers) ||
                   !fern__list_empty(&pool->lookers);
    FERN_CHECK(!awaited && !pool->queued && !pool->users && !pool->killing, -EBUSY);
    FERN__LIST_FOREACH_SAFE (node, after, &pool->members)
        forget(fern__container_of(node, struct fern__member, node));
    unbind(pool);
    fern_greenlet_unref(pool->failed);
    free(pool);
    return 0;
}

/* ---- slots ---- */

/* Give free slots to those who wait for one, first come first served. */
static void
hand_on(fern_pool *pool)
{
    struct fern__cell *cell;
    while (pool->taken < pool->size && (cell = fern__wait_first(&pool->sync.waiters))) {
        fern__wait_remove(cell);
        pool->queued--;
        pool->taken++;
        if (cell->greenlet) {
            fern__wait_claim(cell->greenlet);
            fern__sync_grant(cell, 0);
            continue;
        }
        struct fern__member *member = fern__container_of(cell, struct fern__member, cell);
        fern_greenlet *g = member->greenlet;
        fern__list_append(&pool->members, &member->node);
        fern_start(g);
        if (pool->killing)
            fern__greenlet_kill(g, pool->kill_code);
    }
}

static int
available(const fern_pool *pool)
{
    size_t n = pool->taken < pool->size ? pool->size - pool->taken : 0;
    return n < INT_MAX ? (int)n : INT_MAX;
}

/* Something has changed: serve those who wait for it. What is killed on its way in comes here
 * again: the first one goes on with it. */
static void
settle(fern_pool *pool)
{
    if (pool->settling)
        return;
    pool->settling = true;
    hand_on(pool);
    pool->settling = false;
    if (pool->taken < pool->size)
        fern__sync_grant_all(&pool->lookers, available(pool));
    if (pool->taken == 0) {
        fern__sync_grant_all(&pool->joiners, 0);
        if (pool->queued == 0)
            fern__sync_grant_all(&pool->idlers, 0);
    }
}

void
fern__pool_give(fern_pool *pool)
{
    pool->taken--;
    settle(pool);
}

/* The members that have ended leave. */
static void
leave(void *arg)
{
    fern_pool *pool = arg;
    pool->taken -= pool->leaving;
    pool->leaving = 0;
    settle(pool);
}

int
fern__pool_take(fern_pool *pool, enum fern__pool_self self, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    FERN_CHECK(pool, -EINVAL);
    int r = fern__sync_enter(&pool->sync, &hub, &g, deadline);
    if (r == 0 && fern__unlikely(!pool->leave.hub))
        r = fern__pool_bind(pool);
    if (r < 0)
        return r;
    if (pool->taken < pool->size) {
        pool->taken++;
        return 0;
    }
    if (deadline.ns == 0)
        return -EAGAIN;
    if (self == FERN__POOL_LENT ||
            (self == FERN__POOL_MEMBER && fern__pool_member(pool, g)))
        return 1;
    pool->queued++;
    r = fern__sync_wait(hub, g, &pool->sync, &fern__waitable_pool_slot, NULL, deadline);
    if (r < 0) {
        pool->queued--;
        settle(pool);
    }
    return r;
}

int
fern_pool_resize(fern_pool *pool, size_t size)
{
    FERN_CHECK(pool && size_is_valid(size), -EINVAL);
    int r = fern__sync_check(&pool->sync);
    if (r < 0)
        return r;
    pool->size = size;
    settle(pool);
    return 0;
}

/* ---- members ---- */

static void
member_ended(struct fern__link *link, fern_greenlet *g)
{
    struct fern__member *member = fern__container_of(link, struct fern__member, link);
    fern_pool *pool = member->pool;
    bool entered = fern__list_linked(&member->node);
    if (!member->done && !pool->failed && !fern_successful(g))
        pool->failed = fern_greenlet_ref(g);
    if (entered) {
        fern__list_remove(&member->node);
        pool->leaving++;
        if (!pool->leave.pending)
            fern__call_push(pool->leave.hub, &pool->leave);
    } else {
        fern__wait_remove(&member->cell);
        pool->queued--;
        settle(pool);
    }
    if (member->done)
        member->done(member, g);
    else
        free(member);
}

static void
attach(fern_pool *pool, struct fern__member *member, fern_greenlet *g)
{
    member->link.ended = member_ended;
    member->pool = pool;
    member->greenlet = g;
    /* Ahead of those who wait for its end already. */
    fern__link_mark(g);
    if (!g->ended.next)
        fern__list_init(&g->ended);
    fern__list_insert_before(g->ended.next, &member->link.cell.node);
}

void
fern__pool_admit(fern_pool *pool, struct fern__member *member, fern_greenlet *g)
{
    attach(pool, member, g);
    fern__list_append(&pool->members, &member->node);
    if (pool->killing)
        fern__greenlet_kill(g, pool->kill_code);
}

void
fern__pool_enqueue(fern_pool *pool, struct fern__member *member, fern_greenlet *g)
{
    attach(pool, member, g);
    pool->queued++;
    fern__wait_add(&pool->sync.waiters, &member->cell);
    settle(pool);
}

struct fern__member *
fern__pool_member(const fern_pool *pool, const fern_greenlet *g)
{
    if (!(g->flags & FERN__LINKED))
        return NULL;
    FERN__LIST_FOREACH (node, &g->ended) {
        struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
        struct fern__link *link = fern__container_of(cell, struct fern__link, cell);
        if (cell->greenlet || link->ended != member_ended)
            continue;
        struct fern__member *member = fern__container_of(link, struct fern__member, link);
        if (member->pool == pool)
            return member;
    }
    return NULL;
}

/* Enter a greenlet on a slot that was taken, unless it ended meanwhile. */
static int
enter(fern_pool *pool, fern_greenlet *g)
{
    int r = 0;
    struct fern__member *member = NULL;
    if (g->life == FERN__LIFE_DONE)
        r = 0;
    else if (fern__pool_member(pool, g))
        r = -EALREADY;
    else if (!(member = calloc(1, sizeof *member)))
        r = -ENOMEM;
    if (member)
        fern__pool_admit(pool, member, g);
    else
        fern__pool_give(pool);
    return r;
}

int
fern_pool_add(fern_pool *pool, fern_greenlet *g, fern_time deadline)
{
    FERN_CHECK(pool && g, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    int r = fern__pool_bind(pool);
    if (r < 0 || g->life == FERN__LIFE_DONE)
        return r;
    FERN_CHECK(!fern__pool_member(pool, g), -EALREADY);
    fern_greenlet_ref(g);
    r = fern__pool_take(pool, FERN__POOL_NOBODY, deadline);
    if (r == 0)
        r = enter(pool, g);
    fern_greenlet_unref(g);
    return r;
}

int
fern_pool_start(fern_pool *pool, fern_greenlet *g, fern_time deadline)
{
    FERN_CHECK(pool, -EINVAL);
    if (!g)
        return 0;
    int r = fern_pool_add(pool, g, deadline);
    return r < 0 ? r : fern_start(g);
}

int
fern_pool_discard(fern_pool *pool, fern_greenlet *g)
{
    FERN_CHECK(pool && g, -EINVAL);
    int r = fern__sync_check(&pool->sync);
    if (r < 0)
        return r;
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    struct fern__member *member = fern__pool_member(pool, g);
    FERN_CHECK(member, -ESRCH);
    FERN_CHECK(!member->done && fern__list_linked(&member->node), -EBUSY);
    forget(member);
    fern__pool_give(pool);
    return 0;
}

/* ---- looking ---- */

bool
fern_pool_contains(const fern_pool *pool, const fern_greenlet *g)
{
    return pool && g && fern__pool_member(pool, g);
}

size_t
fern_pool_members(const fern_pool *pool, fern_greenlet **ret_members, size_t room)
{
    size_t n = 0;
    if (!pool)
        return 0;
    FERN__LIST_FOREACH (node, &pool->members) {
        if (n < room)
            ret_members[n] = fern__container_of(node, struct fern__member, node)->greenlet;
        n++;
    }
    return n;
}

fern_greenlet *
fern_pool_failed(fern_pool *pool)
{
    fern_greenlet *g = pool ? pool->failed : NULL;
    if (g)
        pool->failed = NULL;
    return g;
}

size_t
fern_pool_running(const fern_pool *pool)
{
    return pool ? pool->taken : 0;
}

ssize_t
fern_pool_available(const fern_pool *pool)
{
    if (!pool)
        return 0;
    if (pool->size == FERN_POOL_UNLIMITED)
        return SSIZE_MAX;
    return (ssize_t)pool->size - (ssize_t)pool->taken;
}

bool
fern_pool_full(const fern_pool *pool)
{
    return pool && pool->taken >= pool->size;
}

size_t
fern_pool_waiting(const fern_pool *pool)
{
    return pool ? pool->queued : 0;
}

/* ---- as cases ---- */

static int
pool_slot_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    fern_pool *pool = choice->object;
    int r = fern__sync_bind(&pool->sync, hub);
    if (r < 0)
        return r;
    return pool->taken < pool->size ? available(pool) : -EAGAIN;
}

static int
pool_slot_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    fern_pool *pool = choice->object;
    fern__sync_arm(choice, hub, &pool->lookers);
    return 0;
}

const struct fern__waitable fern__waitable_pool_slot = {.name = "slot of a pool",
        .owners = pool_owners,
        .attempt = pool_slot_ready,
        .ready = pool_slot_ready,
        .arm = pool_slot_arm};

static int
pool_idle_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    fern_pool *pool = choice->object;
    int r = fern__sync_bind(&pool->sync, hub);
    if (r < 0)
        return r;
    if (fern__pool_member(pool, hub->current))
        return -EDEADLK;
    return pool->taken || pool->queued ? -EAGAIN : 0;
}

static int
pool_idle_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    fern_pool *pool = choice->object;
    fern__sync_arm(choice, hub, &pool->idlers);
    return 0;
}

const struct fern__waitable fern__waitable_pool_idle = {.name = "pool",
        .owners = pool_owners,
        .attempt = pool_idle_ready,
        .ready = pool_idle_ready,
        .arm = pool_idle_arm};

/* ---- waiting and killing ---- */

static int
wait_in(fern_pool *pool, struct fern__list *queue, fern_time deadline)
{
    struct fern__hub *hub = fern__self_hub();
    fern_greenlet *g = hub->current;
    fern__wait_begin(g, &fern__waitable_pool_idle, pool);
    fern__wait_add(queue, &g->cell);
    return fern__park(hub, g, deadline);
}

/* Begin a wait for others. @return as fern__sync_enter() */
static int
enter_wait(fern_pool *pool, fern_greenlet **ret_self, fern_time deadline)
{
    struct fern__hub *hub;
    FERN_CHECK(pool, -EINVAL);
    return fern__sync_enter(&pool->sync, &hub, ret_self, deadline);
}

int
fern_pool_wait_available(fern_pool *pool, fern_time deadline)
{
    fern_greenlet *self;
    int r = enter_wait(pool, &self, deadline);
    if (r < 0)
        return r;
    if (pool->taken < pool->size)
        return available(pool);
    if (deadline.ns == 0)
        return -EAGAIN;
    return wait_in(pool, &pool->lookers, deadline);
}

int
fern_pool_join(fern_pool *pool, fern_time deadline)
{
    fern_greenlet *self;
    int r = enter_wait(pool, &self, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(!fern__pool_member(pool, self), -EDEADLK);
    if (pool->taken == 0)
        return 0;
    if (deadline.ns == 0)
        return -EAGAIN;
    return wait_in(pool, &pool->joiners, deadline);
}

int
fern_pool_wait_all(fern_pool *pool, fern_time deadline)
{
    fern_greenlet *self;
    int r = enter_wait(pool, &self, deadline);
    if (r < 0)
        return r;
    FERN_CHECK(!fern__pool_member(pool, self), -EDEADLK);
    if (pool->taken == 0 && pool->queued == 0)
        return 0;
    if (deadline.ns == 0)
        return -EAGAIN;
    return wait_in(pool, &pool->idlers, deadline);
}

/* Those that wait to be started. */
static void
kill_queued(fern_pool *pool)
{
    FERN__LIST_FOREACH_SAFE (node, after, &pool->sync.waiters) {
        struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
        if (!cell->greenlet)
            fern__greenlet_kill(
                    fern__container_of(cell, struct fern__member, cell)->greenlet,
                    pool->kill_code);
    }
}

/* The members but the caller, each once. */
static void
kill_members(fern_pool *pool, const fern_greenlet *self, bool unrun)
{
    FERN__LIST_FOREACH_SAFE (node, after, &pool->members) {
        fern_greenlet *g = fern__container_of(node, struct fern__member, node)->greenlet;
        if (g != self && !g->kills && (g->life != FERN__LIFE_LIVE) == unrun)
            fern__greenlet_kill(g, pool->kill_code);
    }
}

int
fern_pool_kill(fern_pool *pool, int code, fern_time deadline)
{
    int r = fern__pool_bind(pool);
    if (r < 0)
        return r;
    fern_greenlet *self = fern__self_hub()->current;
    pool->kills++;
    pool->kill_code = code;
    pool->killing++;
    kill_queued(pool);
    kill_members(pool, self, true); /* these never run */
    kill_members(pool, self, false);
    if (fern__pool_member(pool, self)) {
        fern__greenlet_kill(self, code);
        r = -ECANCELED;
    } else {
        r = fern_pool_join(pool, deadline);
    }
    pool->killing--;
    return r;
}

int
fern_pool_kill_one(fern_pool *pool, fern_greenlet *g, int code, fern_time deadline)
{
    FERN_CHECK(pool && g, -EINVAL);
    FERN_CHECK(fern__greenlet_here(g), -EXDEV);
    int r = fern__sync_check(&pool->sync);
    if (r < 0)
        return r;
    FERN_CHECK(fern__pool_member(pool, g), -ESRCH);
    return fern_kill(g, code, deadline);
}
