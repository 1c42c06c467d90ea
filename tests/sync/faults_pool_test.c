/* SPDX-License-Identifier: MIT */
/*
 * Pools, maps and piles when memory runs out: each allocation of a small program fails in turn.
 */

#include "harness.h"

#include <errno.h>

#include "shortage.h"
#include "trace.h"

enum { MANY = 20 };

static void *
pass(void *arg)
{
    (void)fern_yield();
    return arg;
}

static int told;

static void
count_end(fern_greenlet *g, void *unused)
{
    ASSERT_TRUE(fern_ready(g));
    told++;
    (void)unused;
}

static void
end_pool(fern_pool *pool)
{
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    ASSERT_EQ(fern_pool_running(pool), 0);
    ASSERT_EQ(fern_pool_waiting(pool), 0);
    ASSERT_OK(fern_pool_free(pool));
}

static void *
use_a_pool(void *unused)
{
    fern_pool *pool = fern_pool_new(2);
    fern_outcome outcome;
    if (!made(pool))
        return unused;
    if (!fine(fern_pool_go(pool, pass, NULL, FERN_FOREVER)))
        ASSERT_EQ(fern_pool_running(pool), 0);
    fern_greenlet *g = fern_spawn(pass, NULL);
    if (made(g))
        ASSERT_EQ(fine(fern_pool_add(pool, g, FERN_FOREVER)), fern_pool_contains(pool, g));
    fern_greenlet_unref(g);
    told = 0;
    fern_greenlet *later = fern_pool_apply_async(pool, pass, NULL, count_end, NULL);
    bool comes = made(later);
    if (fine(fern_pool_apply(pool, pass, &outcome, &outcome, FERN_FOREVER)))
        ASSERT_TRUE(outcome.value == &outcome);
    if (comes)
        ASSERT_OK(fern_join(later, FERN_FOREVER));
    (void)fern_yield();
    ASSERT_EQ(told, comes);
    fern_greenlet_unref(later);
    if (fern_self()) /* there is a hub, without which nobody can wait */
        end_pool(pool);
    else
        ASSERT_OK(fern_pool_free(pool));
    return unused;
}

TEST(a_pool_gives_each_slot_back_that_there_was_no_memory_to_use)
{
    ASSERT_GT(shortage_sweep(use_a_pool, NULL), 10);
}

static void *
map_many(void *unused)
{
    fern_pool *pool = fern_pool_new(3);
    void *args[MANY];
    fern_outcome outcomes[MANY];
    if (!made(pool))
        return unused;
    for (int i = 0; i < MANY; i++)
        args[i] = &args[i];
    int r = fern_pool_map(pool, pass, args, MANY, outcomes, FERN_FOREVER);
    for (int i = 0; fine(r) && i < MANY; i++)
        ASSERT_TRUE(outcomes[i].value == args[i]);
    told = 0;
    fern_greenlet *g =
            fern_pool_map_async(pool, pass, args, MANY, outcomes, count_end, NULL);
    if (made(g)) {
        fern_outcome outcome;
        ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
        (void)fine(outcome.code);
        ASSERT_OK(fern_yield());
        ASSERT_EQ(told, outcome.code == 0);
        fern_greenlet_unref(g);
    }
    if (fern_self())
        end_pool(pool);
    return unused;
}

TEST(a_map_without_memory_says_so_and_its_tasks_end, .seconds = 60)
{
    ASSERT_GT(shortage_sweep(map_many, NULL), 2 * MANY);
}

/* Read to the end: no more results than inputs, in their order, until the input failed. */
static void
read_pile(fern_pile *pile, void *const *args)
{
    fern_outcome outcome;
    int r, n = 0;
    while ((r = fern_pile_next(pile, &outcome, FERN_FOREVER)) == 1) {
        if (fine(outcome.code))
            ASSERT_TRUE(outcome.value == args[n++]);
    }
    ASSERT_TRUE(n <= MANY);
    ASSERT_OK(r);
    ASSERT_OK(fern_pile_free(pile));
}

static void *
first_of(void *items)
{
    return *(void **)items;
}

static void *
read_piles(void *unused)
{
    fern_pool *pool = fern_pool_new(3);
    void *args[MANY];
    if (!made(pool))
        return unused;
    for (int i = 0; i < MANY; i++)
        args[i] = &args[i];
    fern_input inputs[] = {fern_input_items(args, MANY), fern_input_items(args, MANY)};
    fern_pile *pile = fern_pool_imap(pool, pass, inputs, 0, 5);
    if (made(pile))
        read_pile(pile, args);
    pile = fern_pool_starmap(pool, first_of, inputs, 2, 0, 5);
    if (made(pile))
        read_pile(pile, args);
    pile = fern_pile_new(NULL, 2);
    if (made(pile)) {
        void *spawned[] = {&spawned, NULL};
        (void)fine(fern_pile_spawn(pile, pass, spawned[0], FERN_FOREVER));
        read_pile(pile, spawned);
    }
    if (fern_self())
        end_pool(pool);
    return unused;
}

TEST(a_pile_without_memory_ends_early_and_says_so, .seconds = 60)
{
    ASSERT_GT(shortage_sweep(read_piles, NULL), 2 * MANY);
}
