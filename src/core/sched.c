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
#include "base/fetch.h"
#include "core/block.h"
#include "core/call.h"
#include "core/cxx.h"
#include "core/fair.h"
#include "core/observe.h"
#include "core/pause.h"
#include "core/report.h"
#include "core/starve.h"
#include "core/timer.h"

#define UNINSTRUMENTED __attribute__((no_sanitize("thread", "address")))

/* There must be one copy of the switch. Clang makes no clones, and has no word to forbid them. */
#if defined(__clang__)
#define ONE_COPY __attribute__((noinline))
#else
#define ONE_COPY __attribute__((noinline, noclone))
#endif

/* ---- the ready queue ---- */

/* FETCH_GROUP greenlets are fetched at once, if at least FETCH_LEAST others are ready; of each
 * stack FETCH_FRAMES bytes, which hold the frames between a park and whoever called the call that
 * waits. */
enum { FETCH_GROUP = 8, FETCH_LEAST = 5, FETCH_FRAMES = 320, FETCH_UNRUN = 24 };

static inline void
fetch_waiter(const fern_greenlet *g)
{
    for (int at = 0; at < FETCH_FRAMES; at += FERN__LINE_BYTES)
        fern__fetch((char *)g->ctx.sp + at);
    if (g->item)
        fern__fetch(g->item);
    if (g->cell.object)
        fern__fetch(g->cell.object);
}

/* Fetch what the next ones need: at a thousand connections every switch would otherwise wait for
 * memory several times, and for the page tables before. A CPU walks several page tables at a
 * time, but a fetch that waits for one holds up what comes after it: so a group is fetched
 * together, its blocks one group earlier (measured at 1000 connections: 3 to 5 % of an echo). */
static __attribute__((noinline)) void
fetch_group(struct fern__hub *hub)
{
    struct fern__ring *ring = &hub->ready;
    uint32_t count = fern__ring_count(ring);
    uint32_t near = count < FETCH_GROUP ? count : FETCH_GROUP;
    uint32_t far = count < 2 * FETCH_GROUP ? count : 2 * FETCH_GROUP;
    hub->fetch_at = ring->head + near;
    for (uint32_t i = 0; i < near; i++) {
        uintptr_t item = (uintptr_t)fern__ring_peek(ring, i);
        if (!(item & FERN__ITEM_TAGS))
            fetch_waiter((fern_greenlet *)item);
    }
    for (uint32_t i = near; i < far; i++) {
        uintptr_t item = (uintptr_t)fern__ring_peek(ring, i);
        size_t line = item & FERN__ITEM_TAGS ? 0 : offsetof(fern_greenlet, ctx);
        char *block = (char *)(item & ~(uintptr_t)FERN__ITEM_TAGS) + line;
        fern__fetch(block);
        fern__fetch(block + FERN__LINE_BYTES);
    }
}

/* The same among greenlets that have not run, which have no stacks yet. */
static inline void
prefetch_unrun(const struct fern__ring *ring)
{
    if (fern__ring_count(ring) > FETCH_UNRUN) {
        uintptr_t far = (uintptr_t)fern__ring_peek(ring, FETCH_UNRUN);
        fern__fetch((void *)(far & ~(uintptr_t)FERN__ITEM_TAGS));
    }
}

/* The oldest that is ready, as an item, or 0. */
static uintptr_t
take(struct fern__hub *hub)
{
    while (fern__ring_count(&hub->ready)) {
        if (fern__unlikely(hub->permuted && !hub->ordered))
            fern__observe_permute(hub);
        hub->ordered = false;
        uintptr_t item = (uintptr_t)fern__ring_pop(&hub->ready);
        if (!(item & FERN__ITEM_TAGS))
            return item;
        if (item & FERN__ITEM_UNRUN) {
            fern_greenlet *g = (fern_greenlet *)(item & ~(uintptr_t)FERN__ITEM_TAGS);
            if (fern__likely(g->life == FERN__LIFE_SPAWNED))
                return item;
            hub->ended++; /* killed before it ran */
            hub->stale--;
            fern__greenlet_drop(hub, g);
        } else if (item == FERN__ITEM_CALL) {
            hub->calls--; /* a call that was taken back */
        } else {
            return fern__call_item(hub, item);
        }
    }
    return 0;
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
    int64_t now = fern__clock_now();
    return next > now ? next - now : 0;
}

void
fern__sched_turn(struct fern__hub *hub, bool may_wait)
{
    fern__assert_slow(hub->magic == FERN__HUB_MAGIC);
    int saved_errno = *hub->errno_at; /* of the greenlet on whose stack this runs */
    fern__sched_bury(hub);
    if (fern__unlikely(atomic_load_explicit(&hub->dump_wanted, memory_order_relaxed)))
        fern__report_wanted(hub);
    if (fern__unlikely(hub->stacks.guard == FERN__GUARD_CANARY))
        fern__observe_canary(hub);

    int64_t wait = time_to_wait(hub, may_wait);
    bool starved = wait > 0 && hub->wakers == 0;
    if (starved) {
        if (fern__pause_drained(hub) || fern__starve(hub)) {
            *hub->errno_at = saved_errno;
            return; /* main is ready: nothing could ever have woken it; or who waited for this */
        }
        wait = wait < hub->recheck_ns ? wait : hub->recheck_ns;
    }

    /* 1. poll */
    hub->stats.polls++;
    if (wait > 0)
        fern__fair_wait(hub, wait);
    else if (hub->poller->busy)
        hub->poller->ops->turn(hub->poller, 0);
    if (starved) {
        atomic_store(&hub->stuck, false);
        if (fern__ring_count(&hub->ready))
            hub->recheck_ns =
                    0; /* a foreign thread has woken somebody: it may end any time */
    }

    /* 2. timers */
    hub->now = fern__clock_now();
    fern__cxx_turn(hub, hub->now);
    fern__timers_run(hub, hub->now);

    /* 3. idle */
    if (may_wait && fern__ring_count(&hub->ready) == 0)
        fern__pause_idle(hub);

    /* 4. pace */
    fern__fair_pace(hub);
    hub->fetch_at = hub->ready.head;
    fern__hub_plan_trim(hub);
    *hub->errno_at = saved_errno;
}

/* ---- starting and leaving ---- */

/* Give a greenlet that has not run its stack. */
static inline void
start(struct fern__hub *hub, fern_greenlet *g)
{
    if (fern__likely(!g->dirty || !(g->flags & FERN__ODD_STACK)))
        g->stack_top = fern__stack_take(&hub->stacks);
    g->life = FERN__LIFE_LIVE;
    fern__context_init(&g->ctx, g->stack_top);
    if (fern__unlikely(hub->observed))
        fern__observe_start(hub, g);
}

/* The next to run, as an item, polling until there is one. */
static __attribute__((noinline)) uintptr_t
next_item(struct fern__hub *hub)
{
    if (fern__fair_turn_due(hub))
        fern__sched_turn(hub, false);
    for (;;) { /* ends: a turn that may wait makes somebody ready, main if nobody else */
        uintptr_t item = take(hub);
        if (item)
            return item;
        fern__sched_turn(hub, true);
    }
}

/* The next to run, with a stack, polling until there is one. */
static __attribute__((noinline)) fern_greenlet *
next_slow(struct fern__hub *hub)
{
    int saved_errno = *hub->errno_at; /* a new stack may want system calls */
    struct fern__ring *ring = &hub->ready;
    uintptr_t item = (uintptr_t)fern__ring_peek(ring, 0);
    bool plain = (int32_t)(hub->turn_at - ring->head) > 0 && ring->head != ring->tail;
    fern_greenlet *g = (fern_greenlet *)(item & ~(uintptr_t)FERN__ITEM_TAGS);
    if (plain && item & FERN__ITEM_UNRUN && g->life == FERN__LIFE_SPAWNED) {
        ring->head++;
        prefetch_unrun(ring);
    } else {
        item = next_item(hub);
        g = (fern_greenlet *)(item & ~(uintptr_t)FERN__ITEM_TAGS);
    }
    if (item & FERN__ITEM_UNRUN)
        start(hub, g);
    *hub->errno_at = saved_errno;
    return g;
}

/* The next to run if it has run before, no turn is due and nobody watches, as mostly: this is kept
 * straight. Else NULL: ask next_slow(). */
static inline __attribute__((always_inline)) fern_greenlet *
next(struct fern__hub *hub)
{
    struct fern__ring *ring = &hub->ready;
    uint32_t head = ring->head, behind = ring->tail - head - 1;
    fern_greenlet *to = fern__ring_peek(ring, 0);
    if (fern__unlikely(
                (int32_t)(hub->turn_at - head) <= 0 || (uintptr_t)to & FERN__ITEM_TAGS))
        return NULL;
    if (fern__unlikely(behind >= FETCH_LEAST)) {
        if (behind == UINT32_MAX) /* nothing is ready: `to` is a leftover */
            return NULL;
        if ((int32_t)(hub->fetch_at - head) <= 0)
            fetch_group(hub);
    }
    ring->head = head + 1;
    return to;
}

/* The only call site of the switch. */
ONE_COPY UNINSTRUMENTED int
fern__sched_leave(struct fern__hub *hub, fern_greenlet *from)
{
    fern_greenlet *to = next(hub);
    int saved_errno = *hub->errno_at;
    struct fern__cxx_globals cxx;
    if (fern__unlikely(!to)) {
        to = next_slow(hub);
        if (to == from) /* nobody is to see a switch that is none */
            return 0;
        if (hub->observed)
            fern__observe_leave(hub, from, to, &cxx);
    }
    hub->current = to;

    fern__switch(&from->ctx, &to->ctx);

    /* From the thread, not from what the switch restored: the reads below need not wait for it. */
    hub = fern__self_hub();
    if (fern__unlikely(hub->observed))
        fern__observe_arrive(hub, hub->current, &cxx);
    if (fern__unlikely(*hub->errno_at != saved_errno))
        *hub->errno_at = saved_errno;
    return 0;
}

void
fern__sched_bury(struct fern__hub *hub)
{
    if (fern__unlikely(hub->corpse.bytes != 0))
        fern__tool_dead(&hub->corpse);
    if (fern__unlikely(hub->corpse_stack != NULL)) {
        fern__stack_close(&hub->stacks, hub->corpse_stack);
        hub->corpse_stack = NULL;
    }
}

/* Leave the stack of a greenlet that has ended. */
static inline __attribute__((always_inline, noreturn)) void
leave_dead(struct fern__hub *hub, void *stack_top, bool odd)
{
    hub->current = &hub->nobody;
    if (fern__unlikely(odd || hub->tooled)) {
        /* A turn buries the dead, and this one still stands: so take the turn that may be due
         * now, and none below. */
        fern__ready_first(hub, next_item(hub));
        fern__fair_delay(hub);
        fern__sched_bury(hub);
        hub->corpse = hub->dying;
        hub->dying = (struct fern__tool){0};
    }
    if (odd)
        hub->corpse_stack = stack_top;
    else
        fern__stack_give(&hub->stacks, stack_top);
    fern_greenlet *to = next(hub);
    if (fern__unlikely(!to)) {
        to = next_slow(hub);
        if (hub->observed)
            fern__observe_leave(hub, &hub->nobody, to, NULL);
    }
    hub->current = to;
    fern__context_jump(&to->ctx);
}

UNINSTRUMENTED void
fern__sched_leave_dead(struct fern__hub *hub, void *stack_top, bool odd)
{
    leave_dead(hub, stack_top, odd);
}

/* Take the next ready one if it can go on with a stack that has just become free. */
static inline fern_greenlet *
adopt(struct fern__hub *hub, void *stack_top)
{
    struct fern__ring *ring = &hub->ready;
    uintptr_t item = (uintptr_t)fern__ring_peek(ring, 0);
    bool plain = (int32_t)(hub->turn_at - ring->head) > 0 && ring->head != ring->tail;
    if (!plain || !(item & FERN__ITEM_UNRUN))
        return NULL;
    fern_greenlet *g = (fern_greenlet *)(item & ~(uintptr_t)FERN__ITEM_TAGS);
    if (fern__unlikely(g->dirty && g->flags & FERN__ODD_STACK))
        return NULL;
    if (fern__unlikely(g->life != FERN__LIFE_SPAWNED))
        return NULL;
    ring->head++;
    prefetch_unrun(ring);
    g->stack_top = stack_top;
    g->life = FERN__LIFE_LIVE;
    hub->current = g;
    return g;
}

UNINSTRUMENTED void
fern__greenlet_main(struct fern__context *context)
{
    fern_greenlet *g = fern__container_of(context, fern_greenlet, ctx);
    struct fern__hub *hub = fern__greenlet_hub(g);
    void *stack_top = g->stack_top;
    bool odd = g->flags & FERN__ODD_STACK;
    int *errno_at = hub->errno_at;
    if (fern__unlikely(hub->observed))
        fern__observe_arrive(hub, g, NULL);
    do {
        *errno_at = 0;
        fern__greenlet_finish(hub, g, g->fn(g->arg));
        g = odd ? NULL : adopt(hub, stack_top);
    } while (g);
    leave_dead(hub, stack_top, odd);
}
