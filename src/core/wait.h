/* SPDX-License-Identifier: MIT */
/*
 * Waiting: four verbs carry everything.
 *
 *     fern__wait_add     link a cell to a queue of waiters
 *     fern__wait_remove  unlink it
 *     fern__park         the only way off the CPU
 *     fern__wake         the only way to ready
 *
 * A plain wait uses the cell in the control block:
 *
 *     r = fern__wait_enter(&hub, &g, deadline);      (interrupts; FERN_NOWAIT is the caller's)
 *     if (r < 0) return r;
 *     if (it can be had now) { take it; return 0; }
 *     if (deadline.ns == 0) return -EAGAIN;
 *     fern__wait_begin(g, &kind, object);
 *     fern__wait_add(&object->waiters, &g->cell);
 *     return fern__park(hub, g, deadline);
 *
 * Every wait has one winner: the waker claims the winner word, moves what it has to give, and
 * wakes; whoever comes later (a time-out, a kill, another waker) finds the word taken and passes
 * on. Who wakes unlinks the cell.
 */
#ifndef FERN_CORE_WAIT_H
#define FERN_CORE_WAIT_H

#include "core/hub.h"

#include <errno.h>

/* A wait for events at an fd, told by the poller. */
struct fern__watch {
    struct fern__cell
            cell;    /* .greenlet and .object, the fd's record, are the waiter's to set */
    uint32_t events; /* POLLIN and so on; errors and hang-ups count always */
    uint32_t word;   /* the generation it was put at; the waiter's */
};

/* One of several things that a greenlet waits for at once. */
struct fern__choice {
    struct fern__watch watch; /* its cell, and for an fd what to watch for */
    const struct fern__waitable *kind;
    void *object;
    void *item; /* where what is handed over comes from or goes to */
    int32_t index;
    int32_t result; /* of the one that has won */
};

/* What a greenlet waits on that waits for several things: only inside, or at fds as well. Its
 * object is how many there are, its item their choices. */
extern const struct fern__waitable fern__waitable_select;
extern const struct fern__waitable fern__waitable_select_outside;

static inline struct fern__choice *
fern__choice_of(struct fern__cell *cell)
{
    return fern__container_of(cell, struct fern__choice, watch.cell);
}

/* Name those whose doing a choice of a greenlet's waits for. */
void fern__choice_owners(const fern_greenlet *g, const struct fern__choice *choice,
        struct fern__owners *owners);

/* Unlink a choice if it is linked. */
static inline void
fern__choice_disarm(struct fern__choice *choice)
{
    if (fern__list_linked(&choice->watch.cell.node))
        fern__list_remove(&choice->watch.cell.node);
}

/* Where a waiter's item is, its own cell's or a choice's. */
static inline void *
fern__wait_item(struct fern__cell *cell)
{
    fern_greenlet *g = cell->greenlet;
    return cell == &g->cell ? g->item : fern__choice_of(cell)->item;
}

/* Begin a call of the current greenlet that may wait. @return 0; -ECANCELED; -ETIME; -EDEADLK in
 * a callback; -ENOMEM, -EMFILE, -EINVAL no hub. With FERN_NOWAIT interrupts do not count. */
static inline int
fern__wait_enter(struct fern__hub **ret_hub, fern_greenlet **ret_g, fern_time deadline)
{
    struct fern__hub *hub = fern__hub_need();
    if (fern__unlikely(!hub))
        return fern__hub_error();
    *ret_hub = hub;
    *ret_g = hub->current;
    if (fern__unlikely(hub->current->interrupt))
        return deadline.ns ? hub->current->interrupt : 0;
    return 0;
}

/* Open the current greenlet's wait. */
static inline void
fern__wait_begin(fern_greenlet *g, const struct fern__waitable *kind, void *object)
{
    g->waiting = kind;
    g->cell.greenlet = g;
    g->cell.object = object;
    atomic_store_explicit(&g->winner, FERN__WAIT_OPEN, memory_order_relaxed);
}

static inline void
fern__wait_add(struct fern__list *queue, struct fern__cell *cell)
{
    fern__list_append(queue, &cell->node);
}

static inline void
fern__wait_remove(struct fern__cell *cell)
{
    fern__list_remove(&cell->node);
}

/* Park the current greenlet until it is woken, its deadline or a scope passes, or it is killed.
 * The wait has been opened and its cells are linked. @return what the winner passed */
int fern__park(struct fern__hub *hub, fern_greenlet *g, fern_time deadline);

/* Try to win a greenlet's wait. @return true if this caller is the one to wake it */
static inline bool
fern__wait_claim(fern_greenlet *g)
{
    /* All wakers of an unshared wait run on the hub's own thread. */
    if (atomic_load_explicit(&g->winner, memory_order_relaxed) != FERN__WAIT_OPEN)
        return false;
    atomic_store_explicit(&g->winner, FERN__WAIT_NONE, memory_order_relaxed);
    return true;
}

/* Make a claimed greenlet ready with a result; its own cell is unlinked if it is linked. */
void fern__wait_grant(fern_greenlet *g, int result);

/* The same by one of its cells, which is unlinked. */
void fern__wait_grant_cell(struct fern__cell *cell, int result);

/* Wake the waiter of a cell. @return false if somebody else has won; the cell is unlinked anyway */
bool fern__wake(struct fern__cell *cell, int result);

#if defined(FERN__PLANT_LOST_WAKE) && FERN__PLANT_LOST_WAKE
/* A bug on purpose: every thousandth wake-up is forgotten, so that the random tests can prove
 * that they find such a thing. This counts them; a test that wants to repeat a run sets it. */
extern unsigned long fern__planted_wakes;
#endif

/* The first waiter of a queue, or NULL. */
static inline struct fern__cell *
fern__wait_first(struct fern__list *queue)
{
    if (fern__list_empty(queue))
        return NULL;
    return fern__container_of(queue->next, struct fern__cell, node);
}

#endif
