/* SPDX-License-Identifier: MIT */
/*
 * Parking and waking.
 *
 * Invariants: a greenlet's winner word is OPEN exactly while it may be woken; whoever turns it to
 * NONE makes the greenlet ready once. A parked greenlet's timer stands at the nearest of the
 * call's deadline and its scopes, so that no wait needs a second timer. Called by every room that
 * waits; timers and kills come in here too.
 */
#include "core/wait.h"

#include "core/sched.h"
#include "core/scope.h"
#include "core/timer.h"

int
fern__park(struct fern__hub *hub, fern_greenlet *g, fern_time deadline)
{
    bool outside = g->waiting->outside;
    if (deadline.ns != INT64_MAX || g->scopes)
        fern__timer_arm_park(g, deadline.ns);
    if (outside && !(g->flags & FERN__DAEMON))
        hub->wakers++;
    fern__sched_leave(hub, g);
    if (outside) {
        if (!(g->flags & FERN__DAEMON))
            hub->wakers--;
        g->waiting = NULL; /* it counts no more: fern_set_daemon() looks here */
    }
    if (fern__wheel_armed(&g->timer) && !g->scopes)
        fern__timer_disarm(g);
    return g->result;
}

void
fern__wait_grant(fern_greenlet *g, int result)
{
    if (fern__list_linked(&g->cell.node))
        fern__list_remove(&g->cell.node);
    g->result = result;
    fern__ready(fern__greenlet_hub(g), g);
}

#if defined(FERN__PLANT_LOST_WAKE) && FERN__PLANT_LOST_WAKE
unsigned long fern__planted_wakes;
#endif

bool
fern__wake(struct fern__cell *cell, int result)
{
    fern_greenlet *g = cell->greenlet;
    fern__wait_remove(cell);
#if defined(FERN__PLANT_LOST_WAKE) && FERN__PLANT_LOST_WAKE
    if (++fern__planted_wakes % 1000 == 0)
        return true;
#endif
    if (!fern__wait_claim(g))
        return false;
    fern__wait_grant(g, result);
    return true;
}
