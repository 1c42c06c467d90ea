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

#include <stdio.h>

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

static void
describe_select(const struct fern__cell *cell, char *text, size_t bytes)
{
    snprintf(text, bytes, "the first of %zu", (size_t)(uintptr_t)cell->object);
}

void
fern__choice_owners(const fern_greenlet *g, const struct fern__choice *choice,
        struct fern__owners *owners)
{
    struct fern__cell as_if = {.greenlet = (fern_greenlet *)(uintptr_t)g};
    as_if.object = choice->object;
    if (choice->kind->owners)
        choice->kind->owners(&as_if, owners);
}

static void
select_owners(const struct fern__cell *cell, struct fern__owners *owners)
{
    const struct fern__choice *choices = cell->greenlet->item;
    for (size_t i = 0; i < (size_t)(uintptr_t)cell->object; i++)
        fern__choice_owners(cell->greenlet, &choices[i], owners);
}

const struct fern__waitable fern__waitable_select = {
        .name = "select", .describe = describe_select, .owners = select_owners};
const struct fern__waitable fern__waitable_select_outside = {.name = "select",
        .outside = true,
        .describe = describe_select,
        .owners = select_owners};

/* The result of a wait that a cell other than the greenlet's own has ended: of a select it is the
 * number of the case. */
static __attribute__((noinline)) int
choose(struct fern__cell *cell, int result)
{
    const struct fern__waitable *waiting = cell->greenlet->waiting;
    if (waiting != &fern__waitable_select && waiting != &fern__waitable_select_outside)
        return result;
    struct fern__choice *choice = fern__choice_of(cell);
    choice->result = result;
    return choice->index;
}

void
fern__wait_grant_cell(struct fern__cell *cell, int result)
{
    fern_greenlet *g = cell->greenlet;
#if defined(FERN__PLANT_LOST_WAKE) && FERN__PLANT_LOST_WAKE
    if (++fern__planted_wakes % 1000 == 0) {
        atomic_store_explicit(&g->winner, FERN__WAIT_OPEN, memory_order_relaxed);
        return;
    }
#endif
    fern__wait_grant(g, fern__unlikely(cell != &g->cell) ? choose(cell, result) : result);
}

bool
fern__wake(struct fern__cell *cell, int result)
{
    fern_greenlet *g = cell->greenlet;
    fern__wait_remove(cell);
    if (!fern__wait_claim(g))
        return false;
    fern__wait_grant_cell(cell, result);
    return true;
}
