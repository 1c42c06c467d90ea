/* SPDX-License-Identifier: MIT */
/*
 * A queue, among the files that make it up: queue.c moves items between greenlets, queue_items.c
 * keeps them, queue_end.c begins, closes and ends queues and counts their work, queue_report.c tells
 * of those who wait.
 *
 * Always: somebody waits to get or to look only if there is no item, and to put only if there are
 * as many as the limit or more. (Cells of a select that another case has won may still be linked.)
 *
 * `room` and `direct` are what the quick ways through put and get ask for, one comparison each;
 * they may be stricter than the truth, never laxer, and promise nothing before the queue is bound.
 * Who begins to wait makes them strict, and the next operation that goes the long way makes them
 * true again (fern__queue_renew).
 */
#ifndef FERN_SYNC_QUEUE_H
#define FERN_SYNC_QUEUE_H

#include "sync/object.h"

#include <fern/queue.h>

struct fern__queue {
    struct fern__sync sync; /* its waiters want to get */
    char *slots;            /* a ring, or a heap whose top is the first; or NULL */
    size_t head;            /* of the oldest item; masked when used */
    size_t tail;            /* of the next free place */
    size_t mask;            /* places less one; there may be none: SIZE_MAX */
    size_t room; /* with fewer items than this a put is only a copy of 8 bytes to the tail */
    uint32_t item_size; /* 0: not begun */
    uint8_t kind;
    bool direct; /* if there is an item, a get is only a copy of 8 bytes from the head */
    bool closed;
    uint8_t unused8;
    size_t limit;        /* the capacity */
    uint64_t unfinished; /* put and not done */
    struct fern__list putters;
    struct fern__list peekers;
    struct fern__list joiners;
    size_t stride;     /* from place to place */
    uint64_t sequence; /* of the next item of a heap */
    fern_queue_compare_fn *compare;
    fern_queue_drop_fn *drop;
    const fern_queue_container *container;
    void *container_arg;
    size_t linked;      /* greenlets that will be put: a place is kept for each */
    uint64_t putter_id; /* who went the long way last: for reports */
    uint64_t getter_id;
    uint64_t reserved[2];
};

_Static_assert(sizeof(struct fern__queue) == sizeof(fern_queue), "one is the other");

extern const struct fern__waitable fern__waitable_queue_put;
extern const struct fern__waitable fern__waitable_queue_get;

static inline struct fern__queue *
fern__queue_of(const fern_queue *queue)
{
    return (struct fern__queue *)(uintptr_t)queue;
}

static inline size_t
fern__queue_count(const struct fern__queue *q)
{
    return q->tail - q->head;
}

/* ---- items: queue_items.c ---- */

/* Make sure of places for so many items. @return 0; -ENOMEM */
int fern__queue_reserve(struct fern__queue *q, size_t count);

/* Fill a new queue with copies of the items of another of its kind. @return 0; -ENOMEM */
int fern__queue_copy_items(struct fern__queue *q, const struct fern__queue *from);

/* Keep a copy of an item. @return 0; -ENOMEM; what a container says */
int fern__queue_push(struct fern__queue *q, const void *item);

/* Give out the item whose turn it is; there is one. */
void fern__queue_pop(struct fern__queue *q, void *ret_item);

/* Give a copy of it. */
void fern__queue_front(struct fern__queue *q, void *ret_item);

/* Drop all items. */
void fern__queue_discard(struct fern__queue *q);

/* ---- moving: queue.c ---- */

/* Work out `room` and `direct` anew. */
void fern__queue_renew(struct fern__queue *q);

/* An item has come that stays or goes to the first who waits for one. @return 0; -ENOMEM; what a
 * container says */
int fern__queue_accept(struct fern__queue *q, const void *item);

/* Let in who waits to put, as far as there is room. */
void fern__queue_refill(struct fern__queue *q);

/* ---- reports: queue_report.c ---- */

/* Of who waits to put, or for those who get; and of who waits to get or to look. */
void fern__queue_describe_putter(const struct fern__cell *cell, char *text, size_t bytes);
void fern__queue_describe_getter(const struct fern__cell *cell, char *text, size_t bytes);
void fern__queue_owners_putter(const struct fern__cell *cell, struct fern__owners *owners);
void fern__queue_owners_getter(const struct fern__cell *cell, struct fern__owners *owners);

#endif
