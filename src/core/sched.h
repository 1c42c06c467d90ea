/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: the ready queue, one turn of the hub, and the one place that switches.
 */
#ifndef FERN_CORE_SCHED_H
#define FERN_CORE_SCHED_H

#include "core/hub.h"

/* An item of the ready queue is the address of a greenlet, with a tag in its lowest bits: so a
 * switch to a greenlet that has run need not look at the line of the block that tells its life. */
enum {
    FERN__ITEM_CALL =
            1, /* a call instead of a greenlet; without an address: an empty place */
    FERN__ITEM_UNRUN = 2, /* the greenlet has not run, or has ended before it did */
    FERN__ITEM_TAGS = 3,
};

static inline uintptr_t
fern__unrun(fern_greenlet *g)
{
    return (uintptr_t)g | FERN__ITEM_UNRUN;
}

/* Append a greenlet that has run to the ready queue. Room has been reserved. */
static inline void
fern__ready(struct fern__hub *hub, fern_greenlet *g)
{
    fern__assert_slow(g->magic == FERN__GREENLET_MAGIC && g->life == FERN__LIFE_LIVE);
    fern__ring_push(&hub->ready, g);
}

/* Append one that has not. */
static inline void
fern__ready_unrun(struct fern__hub *hub, fern_greenlet *g)
{
    fern__ring_push(&hub->ready, (void *)fern__unrun(g));
}

/* Have this item run next, before everything that is ready. */
static inline void
fern__ready_first(struct fern__hub *hub, uintptr_t item)
{
    fern__ring_push_front(&hub->ready, (void *)item);
    hub->ordered = true;
}

/* The same for one that the current greenlet hands the CPU to. It goes past the queue, by whose
 * head turns are counted, but counts. */
static inline void
fern__sched_next(struct fern__hub *hub, uintptr_t item)
{
    fern__ready_first(hub, item);
    hub->turn_at--;
    hub->turned_head--;
}

/* Leave the CPU to the next ready greenlet, polling until there is one. Returns when switched back
 * to; the caller has seen to it that somebody will. @return 0, so that callers may end with it */
int fern__sched_leave(struct fern__hub *hub, fern_greenlet *from);

/* Leave a stack whose greenlet has ended. */
__attribute__((noreturn)) void fern__sched_leave_dead(
        struct fern__hub *hub, void *stack_top, bool odd);

/* Close what a dead greenlet left that could not be closed on its own stack. */
void fern__sched_bury(struct fern__hub *hub);

/* One turn: look at the poller and the timers, waiting at most as long as allowed. */
void fern__sched_turn(struct fern__hub *hub, bool may_wait);

/* An operation has succeeded without a park: it costs budget, and now and then the CPU. Not for
 * calls with FERN_NOWAIT, which never switch. */
void fern__sched_spend_slow(struct fern__hub *hub);

static inline void
fern__sched_spend(struct fern__hub *hub)
{
    if (fern__unlikely(--hub->ops_left <= 0 || --hub->ops_unclocked <= 0))
        fern__sched_spend_slow(hub);
}

#endif
