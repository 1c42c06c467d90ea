/* SPDX-License-Identifier: MIT */
/*
 * Queues: their beginning, their end, and how much of their work is done.
 */
#include "sync/queue.h"

#include <stdlib.h>
#include <string.h>

/* ---- beginning ---- */

static bool
known(size_t item_size, const fern_queue_options *o)
{
    if (o->size != sizeof *o || (unsigned)o->kind > FERN_QUEUE_CUSTOM)
        return false;
    if (o->kind == FERN_QUEUE_PRIORITY)
        return o->compare || item_size >= sizeof(int64_t);
    const fern_queue_container *c = o->container;
    return o->kind != FERN_QUEUE_CUSTOM || (c && c->put && c->get && c->peek);
}

/* From place to place: in a heap the number of the put is behind the item, and the next item is
 * aligned as the first. */
static size_t
stride_of(size_t item_size, fern_queue_kind kind)
{
    if (kind != FERN_QUEUE_PRIORITY)
        return item_size;
    size_t aligned = item_size % 16 == 0 ? 16 : sizeof(uint64_t);
    return (item_size + sizeof(uint64_t) + aligned - 1) & ~(aligned - 1);
}

int
fern_queue_init_with(fern_queue *queue, size_t item_size, size_t capacity,
        const fern_queue_options *options)
{
    FERN_QUEUE_OPTIONS(plain);
    const fern_queue_options *o = options ? options : &plain;
    FERN_CHECK(queue && item_size && item_size <= INT32_MAX, -EINVAL);
    FERN_CHECK(known(item_size, o), -EINVAL);
    struct fern__queue *q = fern__queue_of(queue);
    *q = (struct fern__queue){.item_size = (uint32_t)item_size,
            .kind = (uint8_t)o->kind,
            .limit = capacity,
            .mask = SIZE_MAX,
            .stride = stride_of(item_size, o->kind),
            .compare = o->compare,
            .drop = o->drop,
            .container = o->container,
            .container_arg = o->container_arg};
    int r = capacity == FERN_QUEUE_UNBOUNDED ? 0 : fern__queue_reserve(q, capacity);
    if (o->kind == FERN_QUEUE_CUSTOM && !(q->slots = malloc(item_size)))
        r = -ENOMEM;
    if (r < 0)
        *q = (struct fern__queue){0};
    else
        fern__queue_renew(q);
    return r;
}

int
fern_queue_init(fern_queue *queue, size_t item_size, size_t capacity)
{
    return fern_queue_init_with(queue, item_size, capacity, NULL);
}

int
fern_queue_copy(fern_queue *queue, const fern_queue *from)
{
    FERN_CHECK(queue && from && queue != from, -EINVAL);
    struct fern__queue *q = fern__queue_of(from);
    int r = fern__sync_check(&q->sync);
    if (r < 0)
        return r;
    FERN_CHECK(q->item_size && q->kind != FERN_QUEUE_CUSTOM && !q->drop, -EINVAL);
    FERN_QUEUE_OPTIONS(options);
    options.kind = (fern_queue_kind)q->kind;
    options.compare = q->compare;
    r = fern_queue_init_with(queue, q->item_size, q->limit, &options);
    if (r < 0)
        return r;
    r = fern__queue_copy_items(fern__queue_of(queue), q);
    if (r < 0)
        (void)fern_queue_fini(queue);
    return r;
}

int
fern_queue_fini(fern_queue *queue)
{
    FERN_CHECK(queue, -EINVAL);
    struct fern__queue *q = fern__queue_of(queue);
    int r = fern__sync_may_end(&q->sync);
    if (r < 0)
        return r;
    FERN_CHECK(!q->linked && fern__list_empty(&q->putters), -EBUSY);
    FERN_CHECK(fern__list_empty(&q->peekers) && fern__list_empty(&q->joiners), -EBUSY);
    fern__queue_discard(q);
    free(q->slots);
    *q = (struct fern__queue){0};
    return 0;
}

/* ---- closing ---- */

/* So many items are done. */
static void
finish(struct fern__queue *q, size_t count)
{
    q->unfinished -= count;
    if (q->unfinished == 0)
        fern__sync_grant_all(&q->joiners, 0);
}

int
fern_queue_close(fern_queue *queue, int flags)
{
    FERN_CHECK(queue && !(flags & ~FERN_QUEUE_DROP), -EINVAL);
    struct fern__queue *q = fern__queue_of(queue);
    int r = fern__sync_check(&q->sync);
    if (r < 0)
        return r;
    FERN_CHECK(q->item_size, -EINVAL);
    size_t dropped = flags & FERN_QUEUE_DROP ? fern__queue_count(q) : 0;
    if (q->closed && !dropped)
        return -EALREADY;
    q->closed = true;
    q->room = 0;
    fern__sync_grant_all(&q->sync.waiters, -EPIPE);
    fern__sync_grant_all(&q->peekers, -EPIPE);
    fern__sync_grant_all(&q->putters, -EPIPE);
    if (dropped) {
        fern__queue_discard(q);
        finish(q, dropped);
    }
    return 0;
}

bool
fern_queue_closed(const fern_queue *queue)
{
    return queue && fern__queue_of(queue)->closed;
}

/* ---- work that is done ---- */

static const struct fern__waitable waitable_join = {.name = "queue join",
        .describe = fern__queue_describe_putter,
        .owners = fern__queue_owners_putter};

int
fern_queue_task_done(fern_queue *queue)
{
    FERN_CHECK(queue, -EINVAL);
    struct fern__queue *q = fern__queue_of(queue);
    int r = fern__sync_check(&q->sync);
    if (r < 0)
        return r;
    FERN_CHECK(q->unfinished, -EOVERFLOW);
    finish(q, 1);
    return 0;
}

int
fern_queue_join(fern_queue *queue, fern_time deadline)
{
    FERN_CHECK(queue, -EINVAL);
    struct fern__queue *q = fern__queue_of(queue);
    struct fern__hub *hub;
    fern_greenlet *g;
    int r = fern__sync_enter(&q->sync, &hub, &g, deadline);
    if (r < 0 || !q->unfinished)
        return r;
    if (deadline.ns == 0)
        return -EAGAIN;
    fern__wait_begin(g, &waitable_join, q);
    fern__wait_add(&q->joiners, &g->cell);
    return fern__park(hub, g, deadline);
}

size_t
fern_queue_unfinished(const fern_queue *queue)
{
    return queue ? fern__queue_of(queue)->unfinished : 0;
}

/* ---- state ---- */

size_t
fern_queue_len(const fern_queue *queue)
{
    return queue ? fern__queue_count(fern__queue_of(queue)) : 0;
}

bool
fern_queue_empty(const fern_queue *queue)
{
    return fern_queue_len(queue) == 0;
}

size_t
fern_queue_capacity(const fern_queue *queue)
{
    return queue ? fern__queue_of(queue)->limit : 0;
}

bool
fern_queue_full(const fern_queue *queue)
{
    return fern_queue_len(queue) >= fern_queue_capacity(queue);
}

size_t
fern_queue_getting(const fern_queue *queue)
{
    return queue ? fern__sync_count(&fern__queue_of(queue)->sync.waiters) : 0;
}

size_t
fern_queue_putting(const fern_queue *queue)
{
    return queue ? fern__sync_count(&fern__queue_of(queue)->putters) : 0;
}

int
fern_queue_resize(fern_queue *queue, size_t capacity)
{
    FERN_CHECK(queue, -EINVAL);
    struct fern__queue *q = fern__queue_of(queue);
    int r = fern__sync_check(&q->sync);
    if (r < 0)
        return r;
    FERN_CHECK(q->item_size, -EINVAL);
    size_t places;
    if (capacity != FERN_QUEUE_UNBOUNDED) {
        if (__builtin_add_overflow(capacity, q->linked, &places))
            return -ENOMEM;
        r = fern__queue_reserve(q, places);
        if (r < 0)
            return r;
    }
    q->limit = capacity;
    fern__queue_refill(q);
    return 0;
}

/* ---- as an iterator ---- */

static int
queue_next(void *self, void *ret_item, fern_time deadline)
{
    struct fern__queue *q = fern__queue_of(self);
    void *unwanted = NULL;
    if (!ret_item && !(ret_item = unwanted = malloc(q->item_size)))
        return -ENOMEM;
    int r = fern_queue_get(self, ret_item, deadline);
    if (r == 0 && unwanted && q->drop)
        q->drop(unwanted);
    free(unwanted);
    return r == 0 ? 1 : r == -EPIPE ? 0 : r;
}

fern_iterator
fern_queue_iterator(fern_queue *queue)
{
    static const fern_iterator_ops ops = {.next = queue_next};
    return (fern_iterator){
            .ops = &ops, .self = queue, .item_size = fern__queue_of(queue)->item_size};
}

/* ---- links ---- */

/* The place that was kept is there. */
static void
take_in(fern_greenlet *g, void *arg)
{
    struct fern__queue *q = arg;
    q->linked--;
    if (!q->closed) {
        fern_greenlet *item = fern_greenlet_ref(g);
        (void)fern__queue_accept(q, &item);
    }
}

int
fern_queue_link(fern_queue *queue, fern_greenlet *greenlet)
{
    FERN_CHECK(queue && greenlet, -EINVAL);
    struct fern__queue *q = fern__queue_of(queue);
    int r = fern__sync_bind(&q->sync, fern__greenlet_hub(greenlet));
    if (r == 0)
        r = fern__sync_check(&q->sync);
    if (r < 0)
        return r;
    FERN_CHECK(q->kind != FERN_QUEUE_CUSTOM && q->item_size, -EINVAL);
    FERN_CHECK(q->item_size == sizeof(fern_greenlet *), -EMSGSIZE);
    FERN_CHECK(!q->closed, -EPIPE);
    size_t most = fern__queue_count(q);
    if (q->limit != FERN_QUEUE_UNBOUNDED && q->limit > most)
        most = q->limit;
    r = fern__queue_reserve(q, most + q->linked + 1);
    if (r == 0)
        r = fern_link(greenlet, take_in, q, FERN_LINK_ANY);
    if (r == 0)
        q->linked++;
    fern__queue_renew(q);
    return r;
}
