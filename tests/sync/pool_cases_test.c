/* SPDX-License-Identifier: MIT */
/* Pools under load, and when what goes wrong cannot even be told. */

#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "trace.h"

static void *
fail_loudly(void *unused)
{
    (void)unused;
    return fern_fail(7, "as told");
}

TEST(a_failure_that_cannot_be_reported_costs_the_pool_no_slot)
{
    fern_pool *pool = fern_pool_new(1);
    int saved = dup(STDERR_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(saved, 0);
    ASSERT_GE(full, 0);
    for (int i = 0; i < 2; i++) { /* nobody reads it; there is none */
        if (i == 0)
            ASSERT_OK(dup2(full, STDERR_FILENO));
        else
            ASSERT_OK(close(STDERR_FILENO));
        ASSERT_OK(fern_pool_go(pool, fail_loudly, NULL, FERN_FOREVER));
        ASSERT_OK(fern_pool_go(pool, fail_loudly, NULL, FERN_FOREVER));
        ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
        ASSERT_EQ(fern_pool_available(pool), 1);
    }
    ASSERT_OK(dup2(saved, STDERR_FILENO));
    close(saved);
    close(full);
    fern_greenlet_unref(fern_pool_failed(pool));
    ASSERT_OK(fern_pool_free(pool));
}

static void *
start_in_vain(void *pool)
{
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    fern_greenlet *g = fern_spawn_with(say, "ran", &options);
    ASSERT_ERR(fern_pool_start(pool, g, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_pool_start(pool, g, fern_in(FERN_MS)), -ETIME);
    ASSERT_FALSE(fern_started(g));
    ASSERT_OK(fern_pool_start(pool, g, fern_in(FERN_SECOND)));
    FINISH(g);
    return NULL;
}

static void *
doze(void *ms)
{
    ASSERT_OK(fern_sleep((intptr_t)ms * FERN_MS));
    return ms;
}

TEST(what_is_started_in_a_full_pool_waits_its_time_and_starts_when_there_is_room)
{
    fern_pool *pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, doze, (void *)5, FERN_FOREVER));
    FINISH(fern_spawn(start_in_vain, pool));
    ASSERT_STR_EQ(trace_text, "ran");
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    ASSERT_OK(fern_pool_free(pool));
}

/* ---- stress ---- */

enum { RESULTS = 300, READERS = 4 };

static size_t running, most;

/* It takes its time, or none. */
static void *
square(void *number)
{
    intptr_t n = (intptr_t)number;
    running++;
    if (most < running)
        most = running;
    if (harness_draw(3))
        ASSERT_OK(fern_sleep((int64_t)harness_draw(2000) * FERN_US));
    running--;
    return (void *)(n * n);
}

struct source {
    int given;
    int count;
};

static int
next_number(void *source, void **ret_item)
{
    struct source *s = source;
    if (s->given == s->count)
        return 0;
    if (harness_draw(10) == 0)
        ASSERT_OK(fern_sleep(FERN_MS));
    *ret_item = (void *)(intptr_t)s->given++;
    return 1;
}

struct reading {
    fern_pool *pool;
    int flags;
    size_t look_ahead;
};

static void *
read_all(void *reading)
{
    const struct reading *r = reading;
    static const int64_t sum = (int64_t)(RESULTS - 1) * RESULTS * (2 * RESULTS - 1) / 6;
    struct source source = {0, RESULTS};
    fern_input input = fern_input_from(next_number, &source);
    fern_pile *pile = fern_pool_imap(r->pool, square, &input, r->flags, r->look_ahead);
    ASSERT_NOT_NULL(pile);
    int64_t total = 0, expected = 0;
    fern_outcome o;
    while (fern_pile_next(pile, &o, FERN_FOREVER) == 1) {
        ASSERT_EQ(o.code, 0);
        if (!r->flags)
            ASSERT_EQ((intptr_t)o.value, expected * expected);
        expected++;
        total += (intptr_t)o.value;
    }
    ASSERT_EQ(expected, RESULTS);
    ASSERT_EQ(total, sum);
    ASSERT_OK(fern_pile_free(pile));
    return NULL;
}

static void
stress(size_t size, int flags)
{
    fern_greenlet *readers[READERS];
    struct reading reading[READERS];
    fern_pool *pool = fern_pool_new(size);
    running = most = 0;
    for (int i = 0; i < READERS; i++) {
        reading[i] = (struct reading){pool, flags, (size_t)i * 3};
        readers[i] = fern_spawn(read_all, &reading[i]);
    }
    for (int i = 0; i < READERS; i++)
        FINISH(readers[i]);
    ASSERT_EQ(running, 0);
    ASSERT_TRUE(most <= size);
    ASSERT_EQ(fern_pool_running(pool), 0);
    ASSERT_OK(fern_pool_free(pool));
}

TEST(results_keep_their_order_through_pools_of_every_size_that_several_share)
{
    static const size_t sizes[] = {1, 2, 3, 10, 50, FERN_POOL_UNLIMITED};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        stress(sizes[i], 0);
}

TEST(unordered_results_come_each_once_through_pools_of_every_size_that_several_share)
{
    static const size_t sizes[] = {1, 2, 3, 10, 50, FERN_POOL_UNLIMITED};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        stress(sizes[i], FERN_PILE_UNORDERED);
}

/* ---- smash ---- */

static void *
spawn_and_be_killed(void *pool)
{
    int r = fern_pool_go(pool, doze, (void *)1, FERN_FOREVER);
    ASSERT_TRUE(r == 0 || r == -ECANCELED);
    return NULL;
}

TEST(spawners_killed_at_a_full_pool_in_any_order_leave_it_whole)
{
    fern_pool *pool = fern_pool_new(2);
    fern_greenlet *gs[20];
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 20; i++)
            gs[i] = fern_spawn(spawn_and_be_killed, pool);
        for (int i = 0; i < 20; i++) {
            int at = (int)harness_draw(20);
            ASSERT_OK(fern_sleep((int64_t)harness_draw(500) * FERN_US));
            (void)fern_kill(gs[at], 0, FERN_NOWAIT);
        }
        for (int i = 0; i < 20; i++)
            FINISH(gs[i]);
        ASSERT_EQ(fern_pool_waiting(pool), 0);
        ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
        ASSERT_EQ(fern_pool_available(pool), 2);
    }
    ASSERT_OK(fern_pool_free(pool));
}
