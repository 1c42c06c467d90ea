/* SPDX-License-Identifier: MIT */
/*
 * What a test has left behind on its thread's hub: after a test there is main and nobody else, no
 * stack, no timer, no fd, no reference to a greenlet that has ended, and no place kept for a callback.
 *
 * Called by: harness.c, at the end of each test's body.
 */
#include "core/sched.h"

#include <stdio.h>

#include "harness.h"

struct census {
    size_t ended;
    uint64_t one; /* one of them */
};

static bool
count_ended(fern_greenlet *g, void *arg)
{
    struct census *census = arg;
    if (g->life == FERN__LIFE_DONE) {
        census->ended++;
        census->one = g->id;
    }
    return true;
}

/* What is in the ready queue and is nobody's any more: those killed before they ran, and the
 * places of callbacks that were taken back. */
struct husks {
    size_t greenlets;
    size_t places;
};

static struct husks
count_husks(const struct fern__ring *ring)
{
    struct husks husks = {0, 0};
    for (uint32_t i = 0; i < fern__ring_count(ring); i++) {
        uintptr_t item = (uintptr_t)fern__ring_peek(ring, i);
        fern_greenlet *g = (fern_greenlet *)(item & ~(uintptr_t)FERN__ITEM_TAGS);
        if (item == FERN__ITEM_CALL)
            husks.places++;
        else if (item & FERN__ITEM_UNRUN)
            husks.greenlets += g->life == FERN__LIFE_DONE;
    }
    return husks;
}

static const char *
say(const char *what, unsigned long long count)
{
    static char text[160];
    snprintf(text, sizeof text, "%llu %s", count, what);
    return text;
}

const char *
fern__test_leaks(void)
{
    struct fern__hub *hub = fern__self_hub();
    if (!hub)
        return NULL;
    fern_hub_stats stats;
    fern_hub_get_stats(&stats);
    if (hub->current != hub->root)
        return "the test ended on a greenlet's stack";
    if (stats.greenlets != 1)
        return say("greenlets besides main", stats.greenlets - 1);
    if (stats.stacks)
        return say("stacks in use", stats.stacks);
    if (stats.timers)
        return say("armed timers", stats.timers);
    if (stats.fds)
        return say("registered fds", stats.fds);
    if (hub->root->scopes)
        return "an open scope";
    if (hub->wakers)
        return say("things that are said to wake main", hub->wakers);
    struct census census = {0, 0};
    struct husks husks = count_husks(&hub->ready);
    fern__greenlet_each(hub, count_ended, &census);
    if (census.ended != husks.greenlets)
        return say(
                "references to greenlets that have ended", census.ended - husks.greenlets);
    if (hub->calls != husks.places)
        return say("calls with a place in the ready queue", hub->calls - husks.places);
    return NULL;
}
