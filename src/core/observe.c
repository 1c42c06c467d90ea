/* SPDX-License-Identifier: MIT */
/*
 * What a switch does more when somebody watches.
 *
 * Nothing here may be instrumented by ThreadSanitizer: between telling it of the switch and the
 * switch itself it already believes to be on the other stack.
 */
#include "core/observe.h"

#include "core/call.h"
#include "core/fair.h"
#include "core/overflow.h"

#define UNINSTRUMENTED __attribute__((no_sanitize("thread", "address")))

/* Whether a switch of this hub needs the slower way. */
void
fern__hub_observe(struct fern__hub *hub)
{
    hub->observed = hub->tooled || hub->cxx || hub->stacks.guard == FERN__GUARD_CANARY ||
                    hub->fpu_users || hub->hook_users || hub->hooks.switched ||
                    hub->hooks.started || hub->hooks.ended;
    hub->permuted = hub->seed != 0;
    hub->watch_spawns = hub->hooks.spawned || hub->inherits;
    if (fern__fair_watched(hub))
        hub->turn_at = hub->ready.head;
}

static struct fern__tool *
tool_of(struct fern__hub *hub, fern_greenlet *g)
{
    if (g == &hub->nobody)
        return NULL;
    return &g->extra->tool;
}

void
fern__observe_start(struct fern__hub *hub, fern_greenlet *g)
{
    if (hub->tooled) {
        struct fern__extra *extra = fern__greenlet_extra(g);
        if (!extra)
            fern__die(__FILE__, __LINE__, "no memory to tell the sanitizer of a greenlet");
        char *low = fern__stack_low(&hub->stacks, g->stack_top);
        size_t bytes = (size_t)((char *)g->stack_top - low);
        fern__tool_born(&extra->tool, low, bytes, extra->name);
    }
    if (hub->hooks.started)
        hub->hooks.started(g, hub->hooks.arg);
}

/* The control words live in the frame: below them the next words of the parked stack. */
static UNINSTRUMENTED void
fpu_save(uint32_t *ret_mxcsr, uint16_t *ret_fpucw)
{
#if defined(__x86_64__)
    __asm__ volatile("stmxcsr %0" : "=m"(*ret_mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(*ret_fpucw));
#elif defined(__aarch64__)
    (void)ret_fpucw;
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    *ret_mxcsr = (uint32_t)fpcr;
#endif
}

static UNINSTRUMENTED void
fpu_load(uint32_t mxcsr, uint16_t fpucw)
{
#if defined(__x86_64__)
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    __asm__ volatile("fldcw %0" : : "m"(fpucw));
#elif defined(__aarch64__)
    (void)fpucw;
    uint64_t fpcr = mxcsr;
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
#endif
}

UNINSTRUMENTED void
fern__observe_leave(struct fern__hub *hub, fern_greenlet *from, fern_greenlet *to,
        struct fern__cxx_globals *ret_cxx)
{
    if (hub->cxx && ret_cxx) {
        *ret_cxx = *hub->cxx;
        from->flags |= FERN__CXX; /* no mark: gone before its end */
    }
    if (from->flags & FERN__HOOKED && from->extra->hook_out)
        from->extra->hook_out(from->extra->hook_arg);
    if (hub->hooks.switched)
        hub->hooks.switched(from, to, hub->hooks.arg);
    if (hub->stacks.guard == FERN__GUARD_CANARY && from->stack_top)
        fern__overflow_check(hub, from, false);
    if (from->flags & FERN__FPU) {
        fpu_save(&from->extra->mxcsr, &from->extra->fpucw);
        fpu_load(hub->mxcsr, hub->fpucw);
    }
    if (hub->tooled)
        fern__tool_leave(tool_of(hub, from), tool_of(hub, to));
}

UNINSTRUMENTED void
fern__observe_arrive(
        struct fern__hub *hub, fern_greenlet *self, const struct fern__cxx_globals *cxx)
{
    if (hub->tooled)
        fern__tool_arrive(tool_of(hub, self));
    /* Who left before the runtime was known had no state, and has none in its frame. */
    if (hub->cxx)
        *hub->cxx = self->flags & FERN__CXX ? *cxx : (struct fern__cxx_globals){0};
    self->flags &= (uint16_t)~FERN__CXX;
    if (self->flags & FERN__FPU) {
        fpu_save(&hub->mxcsr, &hub->fpucw);
        fpu_load(self->extra->mxcsr, self->extra->fpucw);
    }
    if (self->flags & FERN__HOOKED && self->extra->hook_in)
        self->extra->hook_in(self->extra->hook_arg);
}

/* If guards have run out just now, canaries are looked at from here on; and the one that yields
 * while nobody else is ready must not be missed because it does not leave. */
void
fern__observe_canary(struct fern__hub *hub)
{
    fern__hub_observe(hub);
    if (hub->current->stack_top)
        fern__overflow_check(hub, hub->current, false);
}

void
fern__observe_end(struct fern__hub *hub, fern_greenlet *g)
{
    if (hub->stacks.guard == FERN__GUARD_CANARY && g->stack_top)
        fern__overflow_check(hub, g, true);
    if (hub->tooled)
        hub->dying = g->extra->tool;
    if (g->flags & FERN__FPU)
        fpu_load(hub->mxcsr, hub->fpucw);
}

void
fern__observe_forget(struct fern__hub *hub, fern_greenlet *g)
{
    unsigned counted = g->flags & (FERN__FPU | FERN__HOOKED);
    if (!counted)
        return;
    hub->fpu_users -= !!(counted & FERN__FPU);
    hub->hook_users -= !!(counted & FERN__HOOKED);
    g->flags = (uint16_t)(g->flags & ~counted);
    fern__hub_observe(hub);
}

/* xorshift64*, after Vigna, "An experimental exploration of Marsaglia's xorshift generators". */
uint64_t
fern__observe_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* A call keeps its number in the ring, so that it can be taken back. */
static void
renumber(struct fern__hub *hub, uint32_t ahead)
{
    uintptr_t item = (uintptr_t)fern__ring_peek(&hub->ready, ahead);
    if (item & FERN__ITEM_CALL && item != FERN__ITEM_CALL)
        ((struct fern__call *)(item & ~(uintptr_t)FERN__ITEM_TAGS))->place =
                hub->ready.head + ahead;
}

void
fern__observe_permute(struct fern__hub *hub)
{
    uint32_t count = fern__ring_count(&hub->ready);
    uint32_t ahead = (uint32_t)(fern__observe_random(&hub->seed) >> 33) % count;
    fern__ring_swap(&hub->ready, ahead);
    renumber(hub, 0);
    renumber(hub, ahead);
}
