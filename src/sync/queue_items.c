/* SPDX-License-Identifier: MIT */
/*
 * Where a queue keeps its items: in a ring of a power of two of places, first in first out or last
 * in first out; in a binary heap, each item with the number of its put behind it, so that equal
 * ones keep their order; or in a container of the user's.
 *
 * head and tail only grow in a ring, and their difference counts the items; a heap's head is
 * always 0. A custom queue counts in the same way, and its one slot is for an item on its way out.
 */
#include "sync/queue.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_PLACES = 16 };

static char *
slot(const struct fern__queue *q, size_t number)
{
    return q->slots + (number & q->mask) * q->stride;
}

/* ---- places ---- */

/* Copy the items to the beginning of other places. */
static void
move_items(const struct fern__queue *q, char *to)
{
    size_t count = fern__queue_count(q), first = q->head & q->mask;
    if (count == 0)
        return;
    size_t until_end = q->mask + 1 - first;
    size_t part = count < until_end ? count : until_end;
    memcpy(to, q->slots + first * q->stride, part * q->stride);
    memcpy(to + part * q->stride, q->slots, (count - part) * q->stride);
}

int
fern__queue_reserve(struct fern__queue *q, size_t count)
{
    size_t places = 1, bytes;
    if (count <= q->mask + 1 || q->kind == FERN_QUEUE_CUSTOM)
        return 0;
    while (places < count) {
        if (places > SIZE_MAX / 2)
            return -ENOMEM;
        places *= 2;
    }
    if (__builtin_mul_overflow(places, q->stride, &bytes))
        return -ENOMEM;
    char *slots = malloc(bytes);
    if (!slots)
        return -ENOMEM;
    move_items(q, slots);
    free(q->slots);
    q->slots = slots;
    q->mask = places - 1;
    q->tail = fern__queue_count(q);
    q->head = 0;
    return 0;
}

int
fern__queue_copy_items(struct fern__queue *q, const struct fern__queue *from)
{
    size_t count = fern__queue_count(from);
    int r = fern__queue_reserve(q, count);
    if (r < 0)
        return r;
    move_items(from, q->slots);
    q->tail = count;
    q->sequence = from->sequence;
    q->unfinished = count;
    fern__queue_renew(q);
    return 0;
}

/* Room for one more item. Bounded queues have it; others double. */
static int
make_room(struct fern__queue *q)
{
    size_t need = fern__queue_count(q) + q->linked + 1;
    if (fern__likely(need <= q->mask + 1))
        return 0;
    return fern__queue_reserve(q, need < FIRST_PLACES ? FIRST_PLACES : need);
}

/* ---- the heap ---- */

static uint64_t
sequence_of(const struct fern__queue *q, const char *entry)
{
    uint64_t sequence;
    memcpy(&sequence, entry + q->stride - sizeof sequence, sizeof sequence);
    return sequence;
}

static int
compare_items(const struct fern__queue *q, const void *a, const void *b)
{
    if (q->compare)
        return q->compare(a, b);
    int64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static bool
comes_before(const struct fern__queue *q, const char *a, const char *b)
{
    int order = compare_items(q, a, b);
    return order < 0 || (order == 0 && sequence_of(q, a) < sequence_of(q, b));
}

/* The new item is the youngest: it passes only what comes behind it by its own worth. */
static void
heap_push(struct fern__queue *q, const void *item)
{
    size_t hole = q->tail++;
    uint64_t sequence = q->sequence++;
    while (hole > 0 && compare_items(q, item, slot(q, (hole - 1) / 2)) < 0) {
        memcpy(slot(q, hole), slot(q, (hole - 1) / 2), q->stride);
        hole = (hole - 1) / 2;
    }
    memcpy(slot(q, hole), item, q->item_size);
    memcpy(slot(q, hole) + q->stride - sizeof sequence, &sequence, sizeof sequence);
}

/* Fill the place at the top: the last entry goes where it belongs. */
static void
heap_remove_top(struct fern__queue *q)
{
    size_t count = --q->tail, hole = 0, child;
    const char *last = slot(q, count);
    while ((child = 2 * hole + 1) < count) {
        if (child + 1 < count && comes_before(q, slot(q, child + 1), slot(q, child)))
            child++;
        if (!comes_before(q, slot(q, child), last))
            break;
        memcpy(slot(q, hole), slot(q, child), q->stride);
        hole = child;
    }
    if (hole != count)
        memcpy(slot(q, hole), last, q->stride);
}

/* ---- in and out ---- */

int
fern__queue_push(struct fern__queue *q, const void *item)
{
    int r = q->kind == FERN_QUEUE_CUSTOM ? q->container->put(q->container_arg, item)
                                         : make_room(q);
    if (fern__unlikely(r < 0))
        return r;
    if (fern__likely(q->kind < FERN_QUEUE_PRIORITY))
        memcpy(slot(q, q->tail++), item, q->item_size);
    else if (q->kind == FERN_QUEUE_PRIORITY)
        heap_push(q, item);
    else
        q->tail++;
    return 0;
}

void
fern__queue_pop(struct fern__queue *q, void *ret_item)
{
    switch (q->kind) {
    case FERN_QUEUE_FIFO:
        memcpy(ret_item, slot(q, q->head++), q->item_size);
        break;
    case FERN_QUEUE_LIFO:
        memcpy(ret_item, slot(q, --q->tail), q->item_size);
        break;
    case FERN_QUEUE_PRIORITY:
        memcpy(ret_item, q->slots, q->item_size);
        heap_remove_top(q);
        break;
    default:
        q->tail--;
        q->container->get(q->container_arg, ret_item);
    }
}

void
fern__queue_front(struct fern__queue *q, void *ret_item)
{
    if (q->kind == FERN_QUEUE_CUSTOM)
        q->container->peek(q->container_arg, ret_item);
    else
        memcpy(ret_item, slot(q, q->kind == FERN_QUEUE_LIFO ? q->tail - 1 : q->head),
                q->item_size);
}

void
fern__queue_discard(struct fern__queue *q)
{
    if (q->kind == FERN_QUEUE_CUSTOM) {
        while (fern__queue_count(q)) {
            fern__queue_pop(q, q->slots);
            if (q->drop)
                q->drop(q->slots);
        }
        return;
    }
    for (size_t i = q->head; q->drop && i != q->tail; i++)
        q->drop(slot(q, i));
    q->head = q->tail = 0;
}
