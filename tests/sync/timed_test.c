/* SPDX-License-Identifier: MIT */
/* What waits with a deadline leave behind: nothing, whether they succeed, expire or are cancelled. */

#include "harness.h"

#include <errno.h>
#include <malloc.h>

#include <fern.h>

static fern_queue queue;
static fern_scope scope;
static int rounds;

/* What there was after some rounds, when everything had been used once. */
static struct {
    size_t heap_bytes;
    fern_hub_stats stats;
} before;

enum { WARM = 100 };

static void
start(void)
{
    rounds = harness_is_slow() ? 3000 : 1000000;
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 0));
}

static void
look(int round)
{
    if (round != WARM && round != rounds - 1)
        return;
    fern_hub_stats now;
    size_t heap_bytes = mallinfo2().uordblks; /* 0 where the allocator does not tell */
    ASSERT_OK(fern_hub_get_stats(&now));
    if (round == WARM) {
        before.heap_bytes = heap_bytes;
        before.stats = now;
        return;
    }
    ASSERT_EQ(heap_bytes, before.heap_bytes);
    ASSERT_EQ(now.timers, before.stats.timers);
    ASSERT_EQ(now.greenlets, before.stats.greenlets);
}

static void *
get_in_time(void *unused)
{
    int item;
    for (int i = 0; i < rounds; i++) {
        ASSERT_OK(fern_queue_get(&queue, &item, fern_in(FERN_HOUR)));
        look(i);
    }
    return unused;
}

static void *
get_too_late(void *unused)
{
    int item;
    for (int i = 0; i < rounds; i++) {
        ASSERT_ERR(fern_queue_get(&queue, &item, fern_in(FERN_MS)), -ETIME);
        look(i);
    }
    return unused;
}

static void *
get_cancelled(void *unused)
{
    int item;
    for (int i = 0; i < rounds; i++) {
        ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_HOUR)));
        ASSERT_ERR(fern_queue_get(&queue, &item, FERN_FOREVER), -ECANCELED);
        ASSERT_OK(fern_scope_stop(&scope));
        look(i);
    }
    return unused;
}

static void
finish(fern_greenlet *g)
{
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_million_waits_that_succeed_before_their_deadline_leave_memory_flat, .seconds = 120)
{
    start();
    fern_greenlet *g = fern_spawn(get_in_time, NULL);
    for (int i = 0; i < rounds; i++)
        ASSERT_OK(fern_queue_put(&queue, &i, FERN_FOREVER));
    finish(g);
}

TEST(a_million_waits_whose_deadline_passes_leave_memory_flat, .seconds = 120)
{
    start();
    finish(fern_spawn(get_too_late, NULL));
}

TEST(a_million_waits_that_are_cancelled_leave_memory_flat, .seconds = 120)
{
    start();
    fern_greenlet *g = fern_spawn(get_cancelled, NULL);
    for (int i = 0; i < rounds; i++) {
        ASSERT_OK(fern_yield());
        ASSERT_OK(fern_scope_cancel(&scope, 0));
    }
    finish(g);
}
