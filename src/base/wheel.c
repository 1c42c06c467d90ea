/* SPDX-License-Identifier: MIT */
/*
 * The timer wheel.
 *
 * Where a node is: with d the highest group of 6 bits in which its tick differs from the wheel's
 * tick, it is in slot (that group of its tick) of level d. So every occupied slot of a level lies
 * after the wheel's own position on that level, and the lowest occupied level holds the next
 * slot to come. When the tick reaches the start of a slot of a higher level, its nodes move down;
 * a slot of level 0 moves to `fresh`, which is sorted and merged into `due` when it is looked at.
 *
 * Invariants: `due` is sorted by (deadline, order); a bit of `occupied` is set if and only if its
 * slot is not empty; count is the number of linked nodes.
 */
#include "base/wheel.h"

enum {
    GROUP_BITS = 6,
    GROUP_MASK = FERN__WHEEL_SLOTS - 1,
    SCAN_MAX = 16, /* nodes worth looking at for an exact deadline */
    SORT_BINS = 40,
};

static inline struct fern__wheel_node *
node_of(struct fern__list *link)
{
    return fern__container_of(link, struct fern__wheel_node, link);
}

static inline bool
before(const struct fern__wheel_node *a, const struct fern__wheel_node *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
}

void
fern__wheel_init(struct fern__wheel *w, int64_t now)
{
    *w = (struct fern__wheel){.tick = now >> FERN__WHEEL_TICK_SHIFT};
    fern__list_init(&w->due);
    fern__list_init(&w->fresh);
}

static void
place(struct fern__wheel *w, struct fern__wheel_node *node)
{
    int64_t tick = node->deadline >> FERN__WHEEL_TICK_SHIFT;
    if (tick <= w->tick) {
        fern__list_append(&w->fresh, &node->link);
        return;
    }
    uint64_t differ = (uint64_t)tick ^ (uint64_t)w->tick;
    unsigned level = (63u - (unsigned)__builtin_clzll(differ)) / GROUP_BITS;
    unsigned slot = (unsigned)(tick >> (GROUP_BITS * level)) & GROUP_MASK;
    fern__list_append(&w->slots[level][slot], &node->link);
    w->occupied[level] |= UINT64_C(1) << slot;
}

void
fern__wheel_insert(struct fern__wheel *w, struct fern__wheel_node *node, int64_t deadline,
        unsigned kind)
{
    fern__assert_slow(!fern__wheel_armed(node));
    node->deadline = deadline;
    node->order = w->sequence++ << FERN__WHEEL_KIND_BITS | kind;
    w->count++;
    place(w, node);
}

void
fern__wheel_remove(struct fern__wheel *w, struct fern__wheel_node *node)
{
    struct fern__list *neighbour = node->link.next;
    bool last = neighbour == node->link.prev;
    fern__list_remove(&node->link);
    w->count--;
    struct fern__list *first = &w->slots[0][0];
    if (!last || neighbour < first ||
            neighbour >= first + FERN__WHEEL_LEVELS * FERN__WHEEL_SLOTS)
        return;
    size_t at = (size_t)(neighbour - first);
    w->occupied[at / FERN__WHEEL_SLOTS] &= ~(UINT64_C(1) << at % FERN__WHEEL_SLOTS);
}

/* Merge two sorted chains, linked by next and ended by NULL. */
static struct fern__list *
merge(struct fern__list *a, struct fern__list *b)
{
    struct fern__list head, *tail = &head;
    while (a && b) {
        struct fern__list **smaller = before(node_of(b), node_of(a)) ? &b : &a;
        tail->next = *smaller;
        tail = *smaller;
        *smaller = tail->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

/* Turn a list into a chain sorted by (deadline, order): a bottom-up merge sort, in one pass over
 * what is sorted already. */
static struct fern__list *
sort(struct fern__list *list)
{
    struct fern__list *bins[SORT_BINS] = {0};
    list->prev->next = NULL;
    struct fern__list *next = list->next;
    while (next) {
        struct fern__list *run = next, *last = next;
        while (last->next && !before(node_of(last->next), node_of(last)))
            last = last->next;
        next = last->next;
        last->next = NULL;
        unsigned i = 0;
        for (; i < SORT_BINS - 1 && bins[i]; i++) {
            run = merge(bins[i], run);
            bins[i] = NULL;
        }
        bins[i] = bins[i] ? merge(bins[i], run) : run;
    }
    struct fern__list *all = NULL;
    for (unsigned i = 0; i < SORT_BINS; i++)
        all = bins[i] ? merge(bins[i], all) : all;
    fern__list_init(list);
    return all;
}

static void
relink(struct fern__list *list, struct fern__list *chain)
{
    struct fern__list *prev = list;
    for (; chain; chain = chain->next) {
        prev->next = chain;
        chain->prev = prev;
        prev = chain;
    }
    prev->next = list;
    list->prev = prev;
}

/* Sort what is fresh into what is due. */
static void
settle(struct fern__wheel *w)
{
    if (fern__list_empty(&w->fresh))
        return;
    struct fern__list *chain = sort(&w->fresh);
    if (!fern__list_empty(&w->due)) {
        struct fern__list *due = w->due.next;
        w->due.prev->next = NULL;
        chain = merge(due, chain);
    }
    relink(&w->due, chain);
}

/* The lowest occupied level, or -1. */
static int
lowest_level(const struct fern__wheel *w)
{
    for (int level = 0; level < FERN__WHEEL_LEVELS; level++) {
        if (w->occupied[level])
            return level;
    }
    return -1;
}

static int64_t
slot_start(const struct fern__wheel *w, int level, unsigned slot)
{
    int shift = GROUP_BITS * level;
    int64_t above = w->tick >> (shift + GROUP_BITS) << (shift + GROUP_BITS);
    return above | (int64_t)slot << shift;
}

/* Bring the wheel to a tick: slots whose start is reached move down or to `fresh`. */
static void
advance(struct fern__wheel *w, int64_t to_tick)
{
    int level;
    while ((level = lowest_level(w)) >= 0) {
        unsigned slot = (unsigned)__builtin_ctzll(w->occupied[level]);
        int64_t start = slot_start(w, level, slot);
        if (start > to_tick)
            break;
        w->tick = start;
        w->occupied[level] &= w->occupied[level] - 1;
        struct fern__list *list = &w->slots[level][slot];
        if (level == 0) {
            fern__list_splice(&w->fresh, list);
            continue;
        }
        for (struct fern__list *link; (link = fern__list_pop(list));)
            place(w, node_of(link));
    }
    if (to_tick > w->tick)
        w->tick = to_tick;
}

struct fern__wheel_node *
fern__wheel_pop(struct fern__wheel *w, int64_t now)
{
    int64_t tick = now >> FERN__WHEEL_TICK_SHIFT;
    if (tick > w->tick)
        advance(w, tick);
    settle(w);
    if (fern__list_empty(&w->due))
        return NULL;
    struct fern__wheel_node *node = node_of(w->due.next);
    if (node->deadline > now)
        return NULL;
    fern__list_remove(&node->link);
    w->count--;
    return node;
}

/* The earliest deadline of a short list, or `otherwise` for a long one. */
static int64_t
earliest(struct fern__list *list, int64_t otherwise)
{
    int64_t first = INT64_MAX;
    int seen = 0;
    FERN__LIST_FOREACH (link, list) {
        if (++seen > SCAN_MAX)
            return otherwise;
        if (node_of(link)->deadline < first)
            first = node_of(link)->deadline;
    }
    return first;
}

int64_t
fern__wheel_next(struct fern__wheel *w)
{
    settle(w);
    if (!fern__list_empty(&w->due))
        return node_of(w->due.next)->deadline;
    int level = lowest_level(w);
    if (level < 0)
        return INT64_MAX;
    unsigned slot = (unsigned)__builtin_ctzll(w->occupied[level]);
    int64_t start = slot_start(w, level, slot) << FERN__WHEEL_TICK_SHIFT;
    return earliest(&w->slots[level][slot], start);
}
