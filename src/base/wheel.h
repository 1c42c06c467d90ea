/* SPDX-License-Identifier: MIT */
/*
 * Timers: a hierarchical wheel of intrusive nodes, O(1) to insert and to remove.
 *
 * After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (1987): 8 levels of 64 slots
 * with occupancy bitmaps, a tick of 2^16 ns at the lowest level. A node keeps its exact deadline
 * in ns; nodes come out sorted by (deadline, order of insertion), and never early.
 */
#ifndef FERN_BASE_WHEEL_H
#define FERN_BASE_WHEEL_H

#include "base/list.h"

enum {
    FERN__WHEEL_LEVELS = 8,
    FERN__WHEEL_SLOTS = 64,
    FERN__WHEEL_TICK_SHIFT = 16, /* 65.5 us */
    FERN__WHEEL_KIND_BITS = 3,
};

struct fern__wheel_node {
    struct fern__list link; /* unlinked: not in the wheel */
    int64_t deadline;       /* ns */
    uint64_t order;         /* sequence of insertion << 3 | kind: the owner's tag, 0 to 7 */
};

struct fern__wheel {
    int64_t tick; /* all ticks up to this one have been moved to `fresh` */
    uint64_t sequence;
    uint64_t count;
    struct fern__list due;   /* sorted; the tick that has come, and what is late */
    struct fern__list fresh; /* as due, but not sorted yet */
    uint64_t occupied[FERN__WHEEL_LEVELS];
    struct fern__list slots[FERN__WHEEL_LEVELS][FERN__WHEEL_SLOTS];
};

void fern__wheel_init(struct fern__wheel *w, int64_t now);

/* Insert an unlinked node. */
void fern__wheel_insert(struct fern__wheel *w, struct fern__wheel_node *node,
        int64_t deadline, unsigned kind);

/* Remove a linked node. */
void fern__wheel_remove(struct fern__wheel *w, struct fern__wheel_node *node);

/* Take out the next node that is due at `now`, or NULL. */
struct fern__wheel_node *fern__wheel_pop(struct fern__wheel *w, int64_t now);

/* When to look again: not after the first deadline, and hardly ever before it. INT64_MAX if the
 * wheel is empty. */
int64_t fern__wheel_next(struct fern__wheel *w);

static inline bool
fern__wheel_armed(const struct fern__wheel_node *node)
{
    return fern__list_linked(&node->link);
}

static inline unsigned
fern__wheel_kind(const struct fern__wheel_node *node)
{
    return (unsigned)(node->order & ((1u << FERN__WHEEL_KIND_BITS) - 1));
}

#endif
