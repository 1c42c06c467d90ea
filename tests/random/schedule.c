/* SPDX-License-Identifier: MIT */
/*
 * Drawing from a seed, telling what happens, and failing.
 */
#include "schedule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/fair.h"
#include "core/observe.h"
#include "core/wait.h"

struct schedule schedule;
void (*world_failed)(const char *text);

/* splitmix64, after Steele, Lea and Flood, "Fast splittable pseudorandom number generators". */
static uint64_t
mix(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

unsigned
draw(unsigned below)
{
    return (unsigned)((mix(&schedule.random) >> 32) * below >> 32);
}

void
tell(const char *format, ...)
{
    if (!schedule.tracing)
        return;
    fprintf(stderr, "%10lld #%llu ", (long long)(fern_now().ns / 1000),
            (unsigned long long)fern_id(NULL));
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void
contradict(const char *file, int line, const char *format, ...)
{
    char text[512];
    const char *base = strrchr(file, '/');
    int n = snprintf(text, sizeof text,
            "seed %llu, %s:%d: ", (unsigned long long)schedule.seed, base ? base + 1 : file,
            line);
    va_list args;
    va_start(args, format);
    vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    world_failed(text);
    __builtin_unreachable();
}

/* The order of the ready ones is a part of the schedule: from its seed, or first come first. */
static void
set_order(void)
{
    struct fern__hub *hub = fern__hub_need();
    /* The numbers of the queue's places run over now and then. */
    hub->ready.head = hub->ready.tail = chance(10) ? 0 - draw(200) : 0;
    uint64_t state = ~schedule.seed;
    hub->seed = schedule.permuted ? mix(&state) | 1 : 0;
    hub->luck = mix(&state) | 1; /* of a select that draws */
    fern__hub_observe(hub);
    fern__fair_init(hub); /* nothing is carried over from the schedule before */
#if defined(FERN__PLANT_LOST_WAKE) && FERN__PLANT_LOST_WAKE
    fern__planted_wakes = mix(&state) % 1000;
#endif
}

void
schedule_begin(uint64_t seed, bool tracing)
{
    schedule.seed = schedule.random = seed;
    schedule.tracing = tracing;
    schedule.permuted = chance(50);
    set_order();
}
