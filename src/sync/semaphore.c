/* SPDX-License-Identifier: MIT */
/*
 * Semaphores.
 *
 * Two queues: who waits to take permits, and who waits to give some back below the limit. An item
 * of theirs is a number of permits; a taker's 0 only looks whether there is one. Invariant: after
 * settle() the head of neither queue could be served, so that nobody is passed by.
 *
 * With FERN_SEMAPHORE_BARGE a taker is not served but woken, as many as the permits would do for;
 * when it runs and finds none it stands at the head again.
 */
#include "sync/holders.h"
#include "sync/lock.h"

#include <stdio.h>

struct semaphore {
    int64_t count;
    int64_t limit; /* 0: none */
    struct fern__sync sync;
    struct fern__list givers;
    uint32_t flags;
    uint32_t unused32;
    struct fern__list watchers;
    uint64_t turns;        /* of those who came to stand in line */
    fern__holders holders; /* of permits */
};

_Static_assert(sizeof(struct semaphore) == sizeof(fern_semaphore), "one is the other");
_Static_assert(offsetof(struct semaphore, count) == 0, "FERN_SEMAPHORE_INIT knows where");

static struct semaphore *
semaphore_of(const fern_semaphore *semaphore)
{
    return (struct semaphore *)(uintptr_t)semaphore;
}

/* A taker of one with FERN_SEMAPHORE_BARGE, which may have to stand in line again. */
struct comer {
    int64_t n;
    uint64_t turn; /* it came before those with a larger one */
};

/* ---- permits ---- */

static int64_t
limit_of(const struct semaphore *s)
{
    return s->limit ? s->limit : INT64_MAX;
}

/* Whether there is enough for a taker, of what is not promised. */
static bool
suffices(int64_t count, int64_t n)
{
    return count >= (n ? n : 1);
}

static bool
can_take(const struct semaphore *s, int64_t n)
{
    bool behind = fern__sync_awaited(&s->sync) && !(s->flags & FERN_SEMAPHORE_BARGE);
    return suffices(s->count, n) && !behind;
}

static bool
has_room(const struct semaphore *s, int64_t n)
{
    return s->count <= limit_of(s) - n;
}

/* How many permits a waiter takes or gives; a choice takes one. */
static int64_t
wanted(struct fern__cell *cell)
{
    return cell == &cell->greenlet->cell ? (int64_t)(intptr_t)cell->greenlet->item : 1;
}

static struct comer *
comer_of(struct fern__cell *cell)
{
    return fern__wait_item(cell);
}

/* A greenlet gives so many permits, or takes them if n < 0. */
static void
add_permits(struct semaphore *s, const fern_greenlet *g, int64_t n)
{
    s->count += n;
    fern__holders_add(&s->holders, g, -n);
}

/* Serve the first taker. @return false if it must wait on; *promised are woken takers' */
static bool
serve_taker(struct semaphore *s, int64_t *promised)
{
    struct fern__cell *first = fern__wait_first(&s->sync.waiters);
    if (!first)
        return false;
    bool plain = first == &first->greenlet->cell;
    bool barges = plain && s->flags & FERN_SEMAPHORE_BARGE;
    int64_t n = barges ? comer_of(first)->n : plain ? wanted(first) : 1;
    if (!suffices(s->count - *promised, n))
        return false;
    fern__wait_remove(first);
    if (!fern__wait_claim(first->greenlet))
        return true;
    if (barges)
        *promised += n;
    else
        add_permits(s, first->greenlet, -n);
    fern__sync_grant(first, 0);
    return true;
}

static bool
serve_giver(struct semaphore *s)
{
    struct fern__cell *first = fern__wait_first(&s->givers);
    if (!first || !has_room(s, wanted(first)))
        return false;
    fern__wait_remove(first);
    if (fern__wait_claim(first->greenlet)) {
        add_permits(s, first->greenlet, wanted(first));
        fern__sync_grant(first, 0);
    }
    return true;
}

/* The count has changed, or somebody has left a queue: serve whom it will do for. */
static void
settle(struct semaphore *s)
{
    int64_t promised = 0;
    while (serve_taker(s, &promised) || serve_giver(s))
        ;
    if (fern__unlikely(!fern__list_empty(&s->watchers)) && can_take(s, 1))
        fern__sync_tell(&s->watchers);
}

/* The next that still waits, from a node of a queue on; or NULL. */
static struct fern__cell *
next_waiting(const struct fern__list *queue, struct fern__list *node)
{
    for (; node && node != queue; node = node->next) {
        struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
        if (fern__wait_is_open(cell->greenlet))
            return cell;
    }
    return NULL;
}

/* Whether some would be left if all were served now: those ahead may have been woken otherwise and
 * not have run yet, so that nobody behind them was served. */
static bool
would_be_left(const struct semaphore *s, int64_t n)
{
    int64_t count = s->count;
    struct fern__list *taker = s->sync.waiters.next, *giver = s->givers.next;
    for (;;) {
        struct fern__cell *first = next_waiting(&s->sync.waiters, taker);
        struct fern__cell *room = next_waiting(&s->givers, giver);
        if (first && suffices(count, wanted(first))) {
            count -= wanted(first);
            taker = first->node.next;
        } else if (room && count <= limit_of(s) - wanted(room)) {
            count += wanted(room);
            giver = room->node.next;
        } else {
            return !first && suffices(count, n);
        }
    }
}

/* Whether a taker that comes now is served. */
static bool
is_served(const struct semaphore *s, int64_t n)
{
    return can_take(s, n) || (suffices(s->count, n) && would_be_left(s, n));
}

static void
take_permits(struct semaphore *s, const fern_greenlet *g, int64_t n)
{
    if (fern__unlikely(!can_take(s, n)))
        settle(s);
    add_permits(s, g, -n);
    if (fern__sync_awaited(&s->sync) || !fern__list_empty(&s->givers))
        settle(s);
}

/* ---- as one of several, and in dumps ---- */

static int
semaphore_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    struct semaphore *s = choice->object;
    int r = fern__sync_bind(&s->sync, hub);
    if (r < 0)
        return r;
    return s->flags & FERN_SEMAPHORE_UNLIMITED || is_served(s, 1) ? 0 : -EAGAIN;
}

static struct fern__list *
semaphore_watched(struct fern__choice *choice)
{
    return &((struct semaphore *)choice->object)->watchers;
}

static int
semaphore_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    struct semaphore *s = choice->object;
    int r = semaphore_ready(hub, choice);
    if (r == 0 && !(s->flags & FERN_SEMAPHORE_UNLIMITED))
        take_permits(s, hub->current, 1);
    return r;
}

static int
semaphore_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    struct semaphore *s = choice->object;
    fern__sync_arm(choice, hub, &s->sync.waiters);
    return 0;
}

static void
semaphore_describe(const struct fern__cell *cell, char *text, size_t bytes)
{
    const struct semaphore *s = cell->object;
    uint64_t id = fern__holders_only(s->holders, fern__greenlet_hub(cell->greenlet));
    int n = snprintf(text, bytes, "%p, %lld there", cell->object, (long long)s->count);
    if (id && n > 0 && (size_t)n < bytes)
        snprintf(text + n, bytes - (size_t)n, ", held by #%llu", (unsigned long long)id);
}

static void
semaphore_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct semaphore *s = cell->object;
    fern__holders_tell(s->holders, cell, &s->sync.waiters, owners);
}

const struct fern__waitable fern__waitable_semaphore = {.name = "semaphore",
        .describe = semaphore_describe,
        .owners = semaphore_owners,
        .attempt = semaphore_attempt,
        .ready = semaphore_ready,
        .watched = semaphore_watched,
        .arm = semaphore_arm};

static const struct fern__waitable waitable_refill = {
        .name = "semaphore's limit", .describe = semaphore_describe};

/* ---- making ---- */

int
fern_semaphore_init(fern_semaphore *semaphore, const fern_semaphore_options *options)
{
    const fern_semaphore_options *o = options;
    FERN_CHECK(semaphore && o && o->size == sizeof *o, -EINVAL);
    FERN_CHECK(o->count >= 0 && o->limit >= 0, -EINVAL);
    FERN_CHECK(!o->limit || o->count <= o->limit, -EINVAL);
    FERN_CHECK(!(o->flags & ~(FERN_SEMAPHORE_BARGE | FERN_SEMAPHORE_UNLIMITED)), -EINVAL);
    *semaphore_of(semaphore) = (struct semaphore){
            .count = o->count, .limit = o->limit, .flags = (uint32_t)o->flags};
    return 0;
}

int
fern_semaphore_fini(fern_semaphore *semaphore)
{
    FERN_CHECK(semaphore, -EINVAL);
    struct semaphore *s = semaphore_of(semaphore);
    int r = fern__sync_may_end(&s->sync);
    if (r < 0)
        return r;
    FERN_CHECK(fern__list_empty(&s->givers) && fern__list_empty(&s->watchers), -EBUSY);
    *s = (struct semaphore){.count = s->count, .limit = s->limit, .flags = s->flags};
    return 0;
}

/* ---- taking ---- */

/* As fern__sync_wait(), for which an object must begin with its sync. */
static int
wait_in(struct fern__list *queue, struct fern__hub *hub, fern_greenlet *g,
        struct semaphore *s, void *item, fern_time deadline)
{
    const struct fern__waitable *kind =
            queue == &s->givers ? &waitable_refill : &fern__waitable_semaphore;
    fern__wait_begin(g, kind, s);
    g->item = item;
    fern__wait_add(queue, &g->cell);
    return fern__park(hub, g, deadline);
}

/* Stand in line behind those who came before. Who stood there once and was woken in vain came
 * before all others but such as itself. */
static int
stand_by_turn(struct fern__hub *hub, fern_greenlet *g, struct semaphore *s,
        struct comer *comer, fern_time deadline)
{
    fern__wait_begin(g, &fern__waitable_semaphore, s);
    g->item = comer;
    fern__wait_add(&s->sync.waiters, &g->cell);
    FERN__LIST_FOREACH (node, &s->sync.waiters) {
        struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
        if (cell == &g->cell)
            break;
        if (cell == &cell->greenlet->cell && comer_of(cell)->turn < comer->turn)
            continue;
        fern__wait_remove(&g->cell);
        fern__list_insert_before(node, &g->cell.node);
        break;
    }
    return fern__park(hub, g, deadline);
}

static int
wait_to_barge(struct fern__hub *hub, fern_greenlet *g, struct semaphore *s, int64_t n,
        fern_time deadline)
{
    struct comer comer = {.n = n, .turn = s->turns++};
    int r = wait_in(&s->sync.waiters, hub, g, s, &comer, deadline);
    while (r == 0) {
        if (suffices(s->count, n)) {
            take_permits(s, g, n);
            return 0;
        }
        r = g->interrupt ? g->interrupt : stand_by_turn(hub, g, s, &comer, deadline);
    }
    return r;
}

static int
wait_to_take(struct fern__hub *hub, fern_greenlet *g, struct semaphore *s, int64_t n,
        fern_time deadline)
{
    int r = s->flags & FERN_SEMAPHORE_BARGE
                    ? wait_to_barge(hub, g, s, n, deadline)
                    : wait_in(&s->sync.waiters, hub, g, s, (void *)(intptr_t)n, deadline);
    if (r < 0)
        settle(s); /* those behind may have waited for this one's sake */
    return r;
}

static int
acquire(struct semaphore *s, int64_t n, fern_time deadline)
{
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&s->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    if (s->flags & FERN_SEMAPHORE_UNLIMITED)
        return 0;
    FERN_CHECK(n <= limit_of(s), -EINVAL);
    if (is_served(s, n)) {
        take_permits(s, g, n);
        return 0;
    }
    if (deadline.ns == 0)
        return -EAGAIN;
    return wait_to_take(hub, g, s, n, deadline);
}

int
fern_semaphore_acquire(fern_semaphore *semaphore, int64_t n, fern_time deadline)
{
    FERN_CHECK(semaphore && n >= 1, -EINVAL);
    return acquire(semaphore_of(semaphore), n, deadline);
}

int
fern_semaphore_wait(fern_semaphore *semaphore, fern_time deadline)
{
    FERN_CHECK(semaphore, -EINVAL);
    return acquire(semaphore_of(semaphore), 0, deadline);
}

/* ---- giving ---- */

int
fern_semaphore_release(fern_semaphore *semaphore, int64_t n)
{
    FERN_CHECK(semaphore && n >= 1, -EINVAL);
    struct semaphore *s = semaphore_of(semaphore);
    const struct fern__hub *hub = fern__self_hub();
    int r = fern__sync_check_by(&s->sync, hub);
    if (r < 0 || s->flags & FERN_SEMAPHORE_UNLIMITED)
        return r;
    FERN_CHECK(n <= limit_of(s) && has_room(s, n), -EOVERFLOW);
    if (fern__likely(hub))
        add_permits(s, hub->current, n);
    else
        s->count += n;
    if (fern__sync_awaited(&s->sync) || !fern__list_empty(&s->watchers))
        settle(s);
    return 0;
}

int
fern_semaphore_refill(fern_semaphore *semaphore, int64_t n, fern_time deadline)
{
    FERN_CHECK(semaphore && n >= 1, -EINVAL);
    struct semaphore *s = semaphore_of(semaphore);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&s->sync, &hub, &g, deadline);
    if (r < 0 || s->flags & FERN_SEMAPHORE_UNLIMITED)
        return r;
    FERN_CHECK(n <= limit_of(s), -EINVAL);
    if (has_room(s, n) && fern__list_empty(&s->givers)) {
        add_permits(s, g, n);
        settle(s);
        return 0;
    }
    if (deadline.ns == 0)
        return -EAGAIN;
    r = wait_in(&s->givers, hub, g, s, (void *)(intptr_t)n, deadline);
    if (r < 0)
        settle(s);
    return r;
}

/* ---- asking ---- */

int64_t
fern_semaphore_count(const fern_semaphore *semaphore)
{
    const struct semaphore *s = semaphore_of(semaphore);
    if (!s)
        return 0;
    return s->flags & FERN_SEMAPHORE_UNLIMITED ? INT64_MAX : s->count;
}

size_t
fern_semaphore_waiting(const fern_semaphore *semaphore)
{
    return semaphore ? fern__sync_count(&semaphore_of(semaphore)->sync.waiters) : 0;
}
