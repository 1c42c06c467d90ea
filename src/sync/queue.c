/* SPDX-License-Identifier: MIT */
/*
 * Queues: items from who puts to who gets.
 *
 * An item goes straight into the buffer of the first who waits for one; else into the queue, if
 * there is room; else it stays with its greenlet, which waits. A get that makes room, or any other
 * call that does, moves the item of the first of those in and wakes its owner. So what was put has
 * an owner at every moment, and a kill or a time-out finds a waiter that has nothing yet, or has
 * been served.
 *
 * The common case, 8 bytes and nobody waits, is one comparison and a copy; it is kept straight.
 */
#include "sync/queue.h"

#include <string.h>

static const struct fern__waitable waitable_peek;

/* ---- handing over ---- */

static inline void
copy(const struct fern__queue *q, void *to, const void *from)
{
    if (fern__likely(q->item_size == sizeof(uint64_t)))
        memcpy(to, from, sizeof(uint64_t));
    else
        memcpy(to, from, q->item_size);
}

void
fern__queue_renew(struct fern__queue *q)
{
    bool quick = q->item_size == sizeof(uint64_t) && q->kind <= FERN_QUEUE_LIFO &&
                 fern__sync_home(&q->sync) != 0;
    bool wanted = fern__sync_awaited(&q->sync) || !fern__list_empty(&q->peekers);
    size_t places = q->mask + 1 - q->linked;
    q->room = !quick || wanted || q->closed ? 0 : q->limit < places ? q->limit : places;
    q->direct = quick && q->kind == FERN_QUEUE_FIFO && fern__list_empty(&q->putters);
}

/* Everybody who waits to look sees this item. */
static void
show(struct fern__queue *q, const void *item)
{
    for (struct fern__cell *cell; (cell = fern__sync_claim(&q->peekers));) {
        copy(q, fern__wait_item(cell), item);
        fern__sync_grant(cell, 0);
    }
}

/* Give an item to a claimed getter. */
static inline void
hand_over(struct fern__queue *q, struct fern__cell *getter, const void *item)
{
    copy(q, fern__wait_item(getter), item);
    q->unfinished++;
    if (fern__unlikely(!fern__list_empty(&q->peekers)))
        show(q, item);
    fern__sync_grant(getter, 0);
}

/* Keep an item; nobody waits to get one. */
static __attribute__((noinline)) int
keep(struct fern__queue *q, const void *item)
{
    int r = fern__queue_push(q, item);
    if (fern__unlikely(r < 0))
        return r;
    q->unfinished++;
    fern__sync_tell(&q->sync.waiters);
    if (fern__unlikely(!fern__list_empty(&q->peekers)))
        show(q, item);
    fern__queue_renew(q);
    return 0;
}

int
fern__queue_accept(struct fern__queue *q, const void *item)
{
    struct fern__cell *getter = fern__sync_claim_waiter(&q->sync.waiters);
    if (!getter)
        return keep(q, item);
    hand_over(q, getter, item);
    return 0;
}

void
fern__queue_refill(struct fern__queue *q)
{
    while (fern__queue_count(q) < q->limit && !fern__list_empty(&q->putters)) {
        struct fern__cell *putter = fern__sync_claim(&q->putters);
        if (putter)
            fern__sync_grant(putter, fern__queue_accept(q, fern__wait_item(putter)));
    }
    fern__queue_renew(q);
}

/* ---- one attempt ---- */

/* @return 0; 1 it went to one who waited; -EAGAIN full; -EPIPE; -EINVAL; -ENOMEM */
static inline __attribute__((always_inline)) int
put_now(struct fern__queue *q, const void *item)
{
    struct fern__cell *getter = fern__sync_claim_waiter(&q->sync.waiters);
    if (getter) {
        hand_over(q, getter, item);
        return 1;
    }
    if (fern__unlikely(q->closed))
        return -EPIPE;
    if (fern__queue_count(q) < q->limit)
        return keep(q, item);
    return fern__likely(q->item_size) ? -EAGAIN : -EINVAL;
}

/* Why there is nothing to get. */
static int
nothing(const struct fern__queue *q)
{
    if (q->closed)
        return -EPIPE;
    return fern__likely(q->item_size) ? -EAGAIN : -EINVAL;
}

/* Nothing is in it: from one who waits to put into a channel. */
static inline __attribute__((always_inline)) int
get_directly(struct fern__queue *q, void *ret_item)
{
    struct fern__cell *putter = fern__sync_claim_waiter(&q->putters);
    if (!putter)
        return nothing(q);
    copy(q, ret_item, fern__wait_item(putter));
    q->unfinished++;
    fern__sync_grant(putter, 0);
    return 0;
}

static __attribute__((noinline)) int
get_kept(struct fern__queue *q, void *ret_item)
{
    fern__queue_pop(q, ret_item);
    fern__queue_refill(q);
    return 0;
}

/* @return 0; -EAGAIN empty; -EPIPE; -EINVAL */
static inline __attribute__((always_inline)) int
get_now(struct fern__queue *q, void *ret_item)
{
    return fern__queue_count(q) ? get_kept(q, ret_item) : get_directly(q, ret_item);
}

/* The first waiter that has not been woken otherwise, or NULL. */
static struct fern__cell *
first_waiting(const struct fern__list *waiters)
{
    FERN__LIST_FOREACH (node, waiters) {
        struct fern__cell *cell = fern__container_of(node, struct fern__cell, node);
        if (cell->greenlet && fern__wait_is_open(cell->greenlet))
            return cell;
    }
    return NULL;
}

/* As get_now(). */
static int
peek_now(struct fern__queue *q, void *ret_item)
{
    if (fern__queue_count(q)) {
        fern__queue_front(q, ret_item);
        return 0;
    }
    struct fern__cell *putter = first_waiting(&q->putters);
    if (!putter)
        return nothing(q);
    copy(q, ret_item, fern__wait_item(putter));
    return 0;
}

/* ---- waiting ---- */

static inline void
make_strict(struct fern__queue *q)
{
    q->room = 0;
    q->direct = false;
}

static int
wait_among(struct fern__queue *q, struct fern__list *waiters, struct fern__hub *hub,
        const struct fern__waitable *kind, fern_time deadline)
{
    fern_greenlet *g = hub->current;
    make_strict(q);
    fern__wait_begin(g, kind, q);
    fern__wait_add(waiters, &g->cell);
    return fern__park(hub, g, deadline);
}

/* Let the one who was handed an item run first. */
static int
step_behind(struct fern__queue *q, struct fern__hub *hub)
{
    fern_greenlet *g = hub->current;
    fern__wait_begin(g, &fern__waitable_queue_put, q);
    fern__wait_claim(g);
    fern__wait_grant(g, 0);
    return fern__park(hub, g, FERN_FOREVER);
}

static __attribute__((noinline)) int
put_long(struct fern__queue *q, const void *item, fern_time deadline)
{
    FERN_CHECK(q && item, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&q->sync, &hub, &g, deadline);
    if (fern__unlikely(r < 0))
        return r;
    q->putter_id = g->id;
    r = put_now(q, item);
    if (r == 1)
        return q->limit || deadline.ns == 0 ? 0 : step_behind(q, hub);
    if (r != -EAGAIN || deadline.ns == 0)
        return r;
    if (fern__unlikely(!fern__list_empty(&q->peekers)))
        show(q, item);
    if (fern__unlikely(fern__sync_awaited(&q->sync)))
        fern__sync_tell(&q->sync.waiters); /* of an item that a channel can give */
    g->item = (void *)(uintptr_t)item;
    return wait_among(q, &q->putters, hub, &fern__waitable_queue_put, deadline);
}

static __attribute__((noinline)) int
get_long(struct fern__queue *q, void *ret_item, fern_time deadline)
{
    FERN_CHECK(q && ret_item, -EINVAL);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&q->sync, &hub, &g, deadline);
    if (fern__unlikely(r < 0))
        return r;
    q->getter_id = g->id;
    r = get_now(q, ret_item);
    if (r != -EAGAIN || deadline.ns == 0)
        return r;
    if (fern__unlikely(!fern__list_empty(&q->putters)))
        fern__sync_tell(&q->putters); /* of one who takes what is put into a channel */
    g->item = ret_item;
    return wait_among(q, &q->sync.waiters, hub, &fern__waitable_queue_get, deadline);
}

/* Whether a quick way is open to the calling greenlet. A queue that promises `room` or is `direct` is
 * bound, so that a thread without a hub is not taken for its own. */
static inline bool
at_home(const struct fern__queue *q)
{
    struct fern__hub *hub = fern__self_hub();
    return fern__likely(hub && fern__sync_home(&q->sync) == hub->serial) &&
           fern__likely(!hub->current->interrupt);
}

int
fern_queue_put(fern_queue *queue, const void *item, fern_time deadline)
{
    struct fern__queue *q = fern__queue_of(queue);
    if (fern__unlikely(!q || !item || fern__queue_count(q) >= q->room || !at_home(q)))
        return put_long(q, item, deadline);
    memcpy(q->slots + (q->tail++ & q->mask) * sizeof(uint64_t), item, sizeof(uint64_t));
    q->unfinished++;
    return 0;
}

int
fern_queue_get(fern_queue *queue, void *ret_item, fern_time deadline)
{
    struct fern__queue *q = fern__queue_of(queue);
    if (fern__unlikely(!q || !ret_item || !q->direct || q->head == q->tail || !at_home(q)))
        return get_long(q, ret_item, deadline);
    memcpy(ret_item, q->slots + (q->head++ & q->mask) * sizeof(uint64_t), sizeof(uint64_t));
    return 0;
}

int
fern_queue_peek(fern_queue *queue, void *ret_item, fern_time deadline)
{
    FERN_CHECK(queue && ret_item, -EINVAL);
    struct fern__queue *q = fern__queue_of(queue);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&q->sync, &hub, &g, deadline);
    if (r < 0)
        return r;
    r = peek_now(q, ret_item);
    if (r != -EAGAIN || deadline.ns == 0)
        return r;
    g->item = ret_item;
    return wait_among(q, &q->peekers, hub, &waitable_peek, deadline);
}

/* ---- many ---- */

/* How many items so many bytes are. @return 1 or more; -EINVAL; -EMSGSIZE */
static ssize_t
items_in(const fern_queue *queue, const void *items, size_t bytes)
{
    FERN_CHECK(queue && items && fern__queue_of(queue)->item_size, -EINVAL);
    size_t size = fern__queue_of(queue)->item_size;
    FERN_CHECK(bytes && bytes % size == 0 && bytes <= PTRDIFF_MAX, -EMSGSIZE);
    return (ssize_t)(bytes / size);
}

ssize_t
fern_queue_put_many(fern_queue *queue, const void *items, size_t bytes, fern_time deadline)
{
    ssize_t count = items_in(queue, items, bytes);
    for (ssize_t i = 0; i < count; i++) {
        const char *item =
                (const char *)items + (size_t)i * fern__queue_of(queue)->item_size;
        int r = fern_queue_put(queue, item, deadline);
        if (r < 0)
            return i ? i : r;
    }
    return count;
}

ssize_t
fern_queue_get_many(fern_queue *queue, void *ret_items, size_t bytes, fern_time deadline)
{
    ssize_t count = items_in(queue, ret_items, bytes);
    for (ssize_t i = 0; i < count; i++) {
        char *item = (char *)ret_items + (size_t)i * fern__queue_of(queue)->item_size;
        int r = fern_queue_get(queue, item, i ? FERN_NOWAIT : deadline);
        if (r < 0)
            return i ? i : r;
    }
    return count;
}

/* ---- as cases of select ---- */

static int
queue_put_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern__queue *q = choice->object;
    FERN_CHECK(choice->item, -EINVAL);
    int r = fern__sync_bind(&q->sync, hub);
    if (r == 0)
        r = put_now(q, choice->item);
    return r == 1 ? 0 : r;
}

static int
queue_get_attempt(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern__queue *q = choice->object;
    FERN_CHECK(choice->item, -EINVAL);
    int r = fern__sync_bind(&q->sync, hub);
    return r == 0 ? get_now(q, choice->item) : r;
}

/* Whether a put or a get would be more than wait. @return 0; -EPIPE; -EAGAIN; -EXDEV */
static int
queue_put_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern__queue *q = choice->object;
    int r = fern__sync_bind(&q->sync, hub);
    if (r < 0 || q->closed)
        return r < 0 ? r : -EPIPE;
    if (fern__queue_count(q) < q->limit || first_waiting(&q->sync.waiters))
        return 0;
    return nothing(q);
}

static int
queue_get_ready(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern__queue *q = choice->object;
    int r = fern__sync_bind(&q->sync, hub);
    if (r < 0 || fern__queue_count(q) || first_waiting(&q->putters))
        return r;
    return nothing(q);
}

/* Link a choice to those on its side of the queue; who only watches the other side hears of it. */
static inline int
arm_among(struct fern__choice *choice, struct fern__hub *hub, struct fern__list *side,
        struct fern__list *other)
{
    make_strict(choice->object);
    if (fern__unlikely(!fern__list_empty(other)))
        fern__sync_tell(other);
    choice->watch.cell.greenlet = hub->current;
    choice->watch.cell.object = choice->object;
    fern__wait_add(side, &choice->watch.cell);
    return 0;
}

static int
queue_put_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern__queue *q = choice->object;
    q->putter_id = hub->current->id;
    if (fern__unlikely(!fern__list_empty(&q->peekers)))
        show(q, choice->item);
    return arm_among(choice, hub, &q->putters, &q->sync.waiters);
}

static int
queue_get_arm(struct fern__hub *hub, struct fern__choice *choice)
{
    struct fern__queue *q = choice->object;
    q->getter_id = hub->current->id;
    return arm_among(choice, hub, &q->sync.waiters, &q->putters);
}

/* Who only watches gives and takes nothing: the other side does not hear of it. */

static struct fern__list *
queue_put_watched(struct fern__choice *choice)
{
    struct fern__queue *q = choice->object;
    make_strict(q);
    return &q->putters;
}

static struct fern__list *
queue_get_watched(struct fern__choice *choice)
{
    struct fern__queue *q = choice->object;
    make_strict(q);
    return &q->sync.waiters;
}

const struct fern__waitable fern__waitable_queue_put = {.name = "queue put",
        .describe = fern__queue_describe_putter,
        .owners = fern__queue_owners_putter,
        .attempt = queue_put_attempt,
        .ready = queue_put_ready,
        .watched = queue_put_watched,
        .arm = queue_put_arm};

const struct fern__waitable fern__waitable_queue_get = {.name = "queue get",
        .describe = fern__queue_describe_getter,
        .owners = fern__queue_owners_getter,
        .attempt = queue_get_attempt,
        .ready = queue_get_ready,
        .watched = queue_get_watched,
        .arm = queue_get_arm};

static const struct fern__waitable waitable_peek = {.name = "queue peek",
        .describe = fern__queue_describe_getter,
        .owners = fern__queue_owners_getter};
