/* SPDX-License-Identifier: MIT */
/*
 * The scheduler.
 *
 * There is no scheduler's stack: the greenlet that leaves takes the next one off the ready queue
 * and jumps to it. If none is ready it polls on its own stack, and when the first to become ready
 * is itself, it simply returns. So everything here and in the poller runs within 2 KiB of
 * whoever parks.
 *
 * One turn of the hub:
 *   1. poll: fds become ready, their waiters join the ready queue in the kernel's order
 *   2. timers: completions by (deadline, insertion), then time-outs likewise
 *   3. idle: if nothing has become ready, those who wait for that
 *   4. pace: how many switches until the next turn
 *
 * A turn is taken when nothing is ready, and after so many switches even if something is.
 */
#include "core/sched.h"

#include "base/clock.h"
#include "core/call.h"
#include "core/fair.h"
#include "core/observe.h"
#include "core/pause.h"
#include "core/report.h"
#include "core/starve.h"
#include "core/timer.h"

#define UNINSTRUMENTED __attribute__((no_sanitize("thread", "address")))

/* ---- the ready queue ---- */

/* Fetch what will be needed soon: at a hundred thousand greenlets every switch would otherwise
 * wait for memory several times. */
static inline void
prefetch(const struct fern__ring *ring)
{
    if (fern__ring_count(ring) <= 4)
        return;
    uintptr_t far = (uintptr_t)fern__ring_peek(ring, 4) & ~(uintptr_t)1;
    __builtin_prefetch((void *)far);
    __builtin_prefetch((char *)far + offsetof(fern_greenlet, ctx));
    uintptr_t near = (uintptr_t)fern__ring_peek(ring, 2);
    if (!(near & 1))
        __builtin_prefetch(((fern_greenlet *)near)->ctx.sp);
}

/* What a tagged item stands for: the hub's caller with a call to make; NULL: an empty place. */
static fern_greenlet *
take_call(struct fern__hub *hub, uintptr_t item)
{
    struct fern__call *call = (struct fern__call *)(item & ~(uintptr_t)1);
    if (!call) {
        fern__ring_unreserve(&hub->ready);
        return NULL;
    }
    hub->call = call;
    return hub->caller;
}

/* The oldest that is ready, or NULL. */
static inline fern_greenlet *
take(struct fern__hub *hub)
{
    while (fern__ring_count(&hub->ready)) {
        if (fern__unlikely(hub->permuted))
            fern__observe_permute(hub);
        uintptr_t item = (uintptr_t)fern__ring_pop(&hub->ready);
        prefetch(&hub->ready);
        fern_greenlet *g = (fern_greenlet *)item;
        if (fern__unlikely(item & 1)) {
            g = take_call(hub, item);
            if (g)
                return g;
        } else if (fern__unlikely(g->life == FERN__LIFE_DONE)) {
            fern__ring_unreserve(&hub->ready); /* killed before it ran */
            fern__greenlet_release(g);
        } else {
            return g;
        }
    }
    return NULL;
}

/* ---- one turn ---- */

static int64_t
time_to_wait(struct fern__hub *hub, bool may_wait)
{
    if (!may_wait || !fern__list_empty(&hub->idlers))
        return 0;
    int64_t next = fern__wheel_next(&hub->wheel);
    if (next == INT64_MAX)
        return INT64_MAX;
    int64_t wait = next - fern__clock_now();
    return wait > 0 ? wait : 0;
}

void
fern__sched_turn(struct fern__hub *hub, bool may_wait)
{
    fern__sched_bury(hub);
    fern__report_wanted(hub);

    int64_t wait = time_to_wait(hub, may_wait);
    if (wait > 0 && hub->wakers == 0) {
        if (fern__starve(hub))
            return; /* main is ready: nothing could ever have woken it */
        wait = wait < hub->recheck_ns ? wait : hub->recheck_ns;
    }

    /* 1. poll */
    hub->stats.polls++;
    if (wait > 0)
        fern__fair_wait(hub, wait);
    else if (hub->poller->busy)
        hub->poller->ops->turn(hub->poller, 0);

    /* 2. timers */
    hub->now = fern__clock_now();
    fern__timers_run(hub, hub->now);

    /* 3. idle */
    if (may_wait && fern__ring_count(&hub->ready) == 0)
        fern__pause_idle(hub);

    /* 4. pace */
    fern__fair_pace(hub);
    fern__hub_plan_trim(hub);
}

/* ---- starting and leaving ---- */

/* Give a greenlet that has not run its stack. */
static __attribute__((noinline)) void
start(struct fern__hub *hub, fern_greenlet *g)
{
    if (!(g->flags & FERN__ODD_STACK))
        g->stack_top = fern__stack_take(&hub->stacks);
    g->life = FERN__LIFE_LIVE;
    fern__context_init(&g->ctx, g->stack_top);
    if (hub->observed)
        fern__observe_start(hub, g);
}

fern_greenlet *
fern__sched_next(struct fern__hub *hub)
{
    if (fern__unlikely(--hub->countdown <= 0))
        fern__sched_turn(hub, false);
    for (;;) { /* ends: a turn that may wait makes somebody ready, main if nobody else */
        fern_greenlet *g = take(hub);
        if (fern__likely(g != NULL))
            return g;
        fern__sched_turn(hub, true);
    }
}

/* The only call site of the switch. */
__attribute__((noinline)) UNINSTRUMENTED void
fern__sched_leave(struct fern__hub *hub, fern_greenlet *from, fern_greenlet *to)
{
    if (fern__likely(!to)) {
        to = fern__sched_next(hub);
        if (to == from)
            return;
    }
    if (fern__unlikely(to->life != FERN__LIFE_LIVE))
        start(hub, to);
    int saved_errno = *hub->errno_at;
    struct fern__cxx_globals cxx = {0};
    if (fern__unlikely(hub->cxx != NULL))
        cxx = *hub->cxx;
    hub->switches++;
    hub->ops_left = (int32_t)hub->options.budget_ops;
    hub->current = to;
    if (fern__unlikely(hub->observed))
        fern__observe_leave(hub, from, to);

    fern__switch(&from->ctx, &to->ctx);

    if (fern__unlikely(hub->observed))
        fern__observe_arrive(hub, from);
    if (fern__unlikely(hub->cxx != NULL))
        *hub->cxx = cxx;
    *hub->errno_at = saved_errno;
}

void
fern__sched_bury(struct fern__hub *hub)
{
    if (fern__unlikely(hub->corpse.tsan_fiber != NULL))
        fern__tool_dead(&hub->corpse);
    if (fern__unlikely(hub->corpse_stack != NULL)) {
        fern__stack_close(&hub->stacks, hub->corpse_stack);
        hub->corpse_stack = NULL;
    }
}

void
fern__sched_leave_dead(struct fern__hub *hub, void *stack_top, bool odd, fern_greenlet *to)
{
    if (!to)
        to = fern__sched_next(hub);
    fern__sched_bury(hub);
    hub->corpse = hub->dying;
    hub->dying = (struct fern__tool){0};
    if (odd)
        hub->corpse_stack = stack_top;
    else
        fern__stack_give(&hub->stacks, stack_top);
    fern__sched_leave(hub, &hub->nobody, to);
    fern__die(__FILE__, __LINE__, "internal error: a dead greenlet was switched to");
}

void
fern__greenlet_main(struct fern__context *context)
{
    fern_greenlet *g = fern__container_of(context, fern_greenlet, ctx);
    struct fern__hub *hub = g->hub;
    void *stack_top = g->stack_top;
    if (fern__unlikely(hub->observed))
        fern__observe_arrive(hub, g);
    for (;;) { /* ends when the stack is not handed on */
        if (fern__unlikely(hub->cxx != NULL))
            *hub->cxx = (struct fern__cxx_globals){0};
        *hub->errno_at = 0;
        bool odd = g->flags & FERN__ODD_STACK;
        fern_greenlet *to = fern__greenlet_finish(g, g->fn(g->arg));
        if (to || odd)
            fern__sched_leave_dead(hub, stack_top, odd, to);
        to = fern__sched_next(hub);
        if (to->life != FERN__LIFE_SPAWNED || to->flags & FERN__ODD_STACK || hub->observed)
            fern__sched_leave_dead(hub, stack_top, false, to);
        /* The hot stack goes straight to the next one that has not run. */
        g = to;
        g->stack_top = stack_top;
        g->life = FERN__LIFE_LIVE;
        hub->switches++;
        hub->ops_left = (int32_t)hub->options.budget_ops;
        hub->current = g;
    }
}
