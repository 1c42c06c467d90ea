/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: the ready queue, one turn of the hub, and the one place that switches.
 */
#ifndef FERN_CORE_SCHED_H
#define FERN_CORE_SCHED_H

#include "core/hub.h"

/* Append to the ready queue. Room has been reserved. */
static inline void
fern__ready(struct fern__hub *hub, fern_greenlet *g)
{
    fern__ring_push(&hub->ready, g);
}

/* Leave the CPU to a given greenlet, or (NULL) to the next ready one, polling until there is one.
 * Returns when switched back to; the caller has seen to it that somebody will. */
void fern__sched_leave(struct fern__hub *hub, fern_greenlet *from, fern_greenlet *to);

/* The next greenlet to run, taken off the ready queue; polls until there is one. */
fern_greenlet *fern__sched_next(struct fern__hub *hub);

/* Leave a stack whose greenlet has ended, for a given greenlet or the next ready one. */
__attribute__((noreturn)) void fern__sched_leave_dead(
        struct fern__hub *hub, void *stack_top, bool odd, fern_greenlet *to);

/* Close what a dead greenlet left that could not be closed on its own stack. */
void fern__sched_bury(struct fern__hub *hub);

/* One turn: look at the poller and the timers, waiting at most as long as allowed. */
void fern__sched_turn(struct fern__hub *hub, bool may_wait);

/* An operation has succeeded without a park: it costs budget, and now and then the CPU. */
void fern__sched_spend_slow(struct fern__hub *hub);

static inline void
fern__sched_spend(struct fern__hub *hub)
{
    if (fern__unlikely(--hub->ops_left <= 0 || --hub->ops_unclocked <= 0))
        fern__sched_spend_slow(hub);
}

#endif
