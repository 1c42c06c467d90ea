/* SPDX-License-Identifier: MIT */
/*
 * The ready queue's ring: a power-of-two FIFO of pointers.
 *
 * Its owner counts what may be pushed and makes room beforehand (fern__ring_grow), so pushing
 * never fails: a wake-up has nobody to report a lack of memory to. Always: tail - head <= mask +
 * 1. Places are numbered by head and tail, which only count up, so an item's number stays the
 * same when the ring grows.
 */
#ifndef FERN_BASE_RING_H
#define FERN_BASE_RING_H

#include "base/check.h"

struct fern__ring {
    void **slots;
    uint32_t mask;
    uint32_t head;
    uint32_t tail;
};

/* Make room for `needed` items in all. @return 0; -ENOMEM; -EOVERFLOW over 2^31 */
int fern__ring_grow(struct fern__ring *ring, size_t needed);

static inline size_t
fern__ring_room(const struct fern__ring *ring)
{
    return ring->slots ? (size_t)ring->mask + 1 : 0;
}

void fern__ring_fini(struct fern__ring *ring);

static inline uint32_t
fern__ring_count(const struct fern__ring *ring)
{
    return ring->tail - ring->head;
}

static inline void
fern__ring_push(struct fern__ring *ring, void *item)
{
    fern__assert_slow(fern__ring_count(ring) <= ring->mask);
    ring->slots[ring->tail++ & ring->mask] = item;
}

/* Put an item before the oldest one; room has been reserved. */
static inline void
fern__ring_push_front(struct fern__ring *ring, void *item)
{
    fern__assert_slow(fern__ring_count(ring) <= ring->mask);
    ring->slots[--ring->head & ring->mask] = item;
}

/* The oldest item; the ring must not be empty. */
static inline void *
fern__ring_pop(struct fern__ring *ring)
{
    return ring->slots[ring->head++ & ring->mask];
}

/* The item `ahead` places behind the oldest one. */
static inline void *
fern__ring_peek(const struct fern__ring *ring, uint32_t ahead)
{
    return ring->slots[(ring->head + ahead) & ring->mask];
}

/* Replace the item that was pushed as number `at`. */
static inline void
fern__ring_replace(struct fern__ring *ring, uint32_t at, void *item)
{
    ring->slots[at & ring->mask] = item;
}

/* Exchange the oldest item with the one `ahead` places behind it. */
static inline void
fern__ring_swap(struct fern__ring *ring, uint32_t ahead)
{
    void **a = &ring->slots[ring->head & ring->mask];
    void **b = &ring->slots[(ring->head + ahead) & ring->mask];
    void *was = *a;
    *a = *b;
    *b = was;
}

#endif
