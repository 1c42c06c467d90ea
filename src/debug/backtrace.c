/* SPDX-License-Identifier: MIT */
/*
 * Backtraces of greenlets, parked or running.
 *
 * libc's backtrace() walks the unwind information of whoever calls it; fern__unwind_from makes a
 * parked greenlet look like the caller. What lies between it and us is cut off at the inner end,
 * and at the outer end what lies above the greenlet's function: the unwind information of the
 * first instructions on a stack (core/arch) says that nothing does.
 */
#include "debug/backtrace.h"

#include "core/wait.h"
#include "debug/unwind.h"

#include <errno.h>
#include <execinfo.h>
#include <fern/debug.h>
#include <string.h>

enum {
    FRAMES_MAX = 1024,
    OUTER = 3,         /* frames above a greenlet's function, at most */
    MAIN_BYTES = 2048, /* fern__greenlet_main is not longer, even under a sanitizer */
    PARK_BYTES = 1024, /* nor is fern__park */
};

struct capture {
    void **frames;
    int max;
    int n;
};

static __attribute__((noinline)) void
capture(void *arg)
{
    struct capture *c = arg;
    c->n = backtrace(c->frames, c->max);
}

static bool
within(const void *pc, const void *low, const void *high)
{
    return (uintptr_t)pc >= (uintptr_t)low && (uintptr_t)pc <= (uintptr_t)high;
}

/* How many of the frames are left when those above the greenlet's function are cut off. */
static size_t
cut_outer(void *const *frames, size_t n)
{
    const char *first = (const char *)(uintptr_t)fern__greenlet_main;
    for (size_t i = n; i > 0 && i + OUTER > n; i--) {
        if (within(frames[i - 1], first, first + MAIN_BYTES))
            return i - 1;
    }
    return n;
}

/* Keep the frames from `inner` on. */
static size_t
keep(void **frames, size_t inner, size_t n)
{
    memmove(frames, frames + inner, (n - inner) * sizeof *frames);
    return cut_outer(frames, n - inner);
}

size_t
fern__backtrace_parked(const fern_greenlet *g, void **frames, size_t room)
{
    if (!fern__context_pc(&g->ctx))
        return 0;
    struct fern__place place = {fern__context_sp(&g->ctx), fern__context_bp(&g->ctx),
            fern__context_pc(&g->ctx)};
    struct capture c = {frames, (int)room, 0};
    fern__unwind_from(&place, capture, &c);
    const void *low = (const void *)(uintptr_t)fern__unwind_from;
    size_t inner = 0, n = (size_t)c.n;
    while (inner < n && !within(frames[inner], low, fern__unwind_from_end))
        inner++;
    return inner < n ? keep(frames, inner + 1, n) : 0;
}

size_t
fern__backtrace_running(const void *from, void **frames, size_t room)
{
    struct capture c = {frames, (int)room, 0};
    capture(&c);
    size_t inner = 0, n = (size_t)c.n;
    while (inner < n && from && frames[inner] != from)
        inner++;
    return keep(frames, inner < n ? inner : 0, n);
}

bool
fern__backtrace_is_park(const void *frame)
{
    const char *first = (const char *)(uintptr_t)fern__park;
    return within(frame, first, first + PARK_BYTES);
}

void
fern__backtrace_prime(void)
{
    void *frame;
    (void)backtrace(&frame, 1);
}

int
fern_backtrace(const fern_greenlet *g, void **ret_frames, size_t max)
{
    FERN_CHECK(ret_frames && max && max <= FRAMES_MAX, -EINVAL);
    FERN_CHECK(!g || fern__greenlet_here(g), -EXDEV);
    if (g && g != fern__greenlet_hub(g)->current && g->life != FERN__LIFE_LIVE)
        return 0;
    void *frames[FRAMES_MAX + FERN__BACKTRACE_EXTRA];
    size_t room = max + FERN__BACKTRACE_EXTRA, n;
    if (!g || g == fern__greenlet_hub(g)->current)
        n = fern__backtrace_running(__builtin_return_address(0), frames, room);
    else
        n = fern__backtrace_parked(g, frames, room);
    n = n < max ? n : max;
    memcpy(ret_frames, frames, n * sizeof *frames);
    return (int)n;
}
