/* SPDX-License-Identifier: MIT */
/*
 * The clock, real or virtual.
 *
 * The virtual clock is one for the process: a moment must mean the same on a thread before and
 * after its hub is made. It is atomic because several hubs may read it.
 */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

enum { VIRTUAL_START_NS = 1000000000 };

/* 0 while the real clock is used. */
static _Atomic int64_t virtual_ns;

int64_t
fern__clock_now(void)
{
    int64_t v = atomic_load_explicit(&virtual_ns, memory_order_relaxed);
    if (v)
        return v;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void
fern__clock_virtual_start(void)
{
    int64_t zero = 0;
    atomic_compare_exchange_strong(&virtual_ns, &zero, VIRTUAL_START_NS);
}

bool
fern__clock_is_virtual(void)
{
    return atomic_load_explicit(&virtual_ns, memory_order_relaxed) != 0;
}

void
fern__clock_advance(int64_t to_ns)
{
    int64_t now = atomic_load(&virtual_ns);
    while (now < to_ns && !atomic_compare_exchange_weak(&virtual_ns, &now, to_ns))
        ;
}
