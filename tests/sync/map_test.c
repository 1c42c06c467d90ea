/* SPDX-License-Identifier: MIT */
/* Functions mapped over many things, and piles of results. */

#include "harness.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>

#include "trace.h"

static fern_pool *pool;
static void *numbers[1000];

static void
begin(size_t size)
{
    pool = fern_pool_new(size);
    for (intptr_t i = 0; i < 1000; i++)
        numbers[i] = (void *)i;
}

static void
finish(void)
{
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    ASSERT_OK(fern_yield()); /* a producer may have a last step to do */
    ASSERT_OK(fern_pool_free(pool));
}

static void *
square(void *x)
{
    return (void *)((intptr_t)x * (intptr_t)x);
}

/* The greater, the sooner it ends. */
static void *
race(void *x)
{
    ASSERT_OK(fern_sleep((10 - (intptr_t)x) * FERN_MS));
    return x;
}

static void *
fail_at_one(void *x)
{
    ASSERT_OK(fern_yield());
    return (intptr_t)x == 1 ? fern_fail(22, "one") : x;
}

static void *
kill_me(void *x)
{
    (void)fern_sleep(FERN_HOUR);
    return x;
}

/* ---- map ---- */

TEST(a_map_gives_the_results_in_the_order_of_its_arguments)
{
    fern_outcome results[10];
    begin(3);
    ASSERT_OK(fern_pool_map(pool, race, numbers, 10, results, FERN_FOREVER));
    for (int i = 0; i < 10; i++) {
        ASSERT_EQ(results[i].code, 0);
        ASSERT_EQ((intptr_t)results[i].value, i);
    }
    ASSERT_OK(fern_pool_map(pool, race, NULL, 0, results, FERN_FOREVER));
    ASSERT_OK(fern_pool_map(pool, square, numbers, 10, NULL, FERN_FOREVER));
    finish();
}

static void *
say_size(void *x)
{
    trace("%zu", fern_pool_running(pool));
    return x;
}

TEST(a_map_over_a_group_spawns_all_first)
{
    begin(FERN_POOL_UNLIMITED);
    ASSERT_OK(fern_pool_map(pool, say_size, numbers, 3, NULL, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "3 3 3");
    ASSERT_EQ(fern_pool_running(pool), 0);
    finish();
}

TEST(a_slot_passed_on_counts_before_its_new_owner_runs)
{
    begin(2);
    ASSERT_OK(fern_pool_map(pool, say_size, numbers, 3, NULL, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "2 2 1");
    finish();
}

TEST(a_failure_in_a_map_stands_at_its_place)
{
    fern_outcome results[3];
    begin(2);
    ASSERT_OK(fern_pool_map(pool, fail_at_one, numbers, 3, results, FERN_FOREVER));
    ASSERT_EQ(results[0].code, 0);
    ASSERT_EQ(results[1].code, 22);
    ASSERT_NULL(results[1].value);
    ASSERT_EQ((intptr_t)results[2].value, 2);
    ASSERT_NULL(fern_pool_failed(pool));
    finish();
}

TEST(a_map_given_up_at_its_deadline_writes_no_more_results)
{
    fern_outcome results[10];
    begin(2);
    ASSERT_ERR(
            fern_pool_map(pool, race, numbers, 10, results, fern_in(15 * FERN_MS)), -ETIME);
    ASSERT_EQ((intptr_t)results[1].value, 1);
    ASSERT_EQ(results[2].code, -EINPROGRESS);
    ASSERT_EQ(results[9].code, -EINPROGRESS);
    ASSERT_ERR(fern_pool_free(pool), -EBUSY);
    memset(results, 0, sizeof results);
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    for (int i = 0; i < 10; i++)
        ASSERT_NULL(results[i].value);
    ASSERT_ERR(fern_pool_map(pool, race, numbers, 1, NULL, FERN_NOWAIT), -EAGAIN);
    finish();
}

static void
map_done(fern_greenlet *g, void *word)
{
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    const fern_outcome *results = outcome.value;
    trace("%s-%d", (char *)word, (int)(intptr_t)results[4].value);
}

TEST(a_map_without_waiting_calls_back_when_all_is_done)
{
    fern_outcome results[5];
    begin(2);
    fern_greenlet *g =
            fern_pool_map_async(pool, square, numbers, 5, results, map_done, "map");
    ASSERT_NOT_NULL(g);
    ASSERT_FALSE(fern_ready(g));
    FINISH(g);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "map-16");
    finish();
}

TEST(killing_the_pool_ends_what_is_mapped_over_it)
{
    fern_outcome results[20];
    begin(3);
    fern_greenlet *g = fern_pool_map_async(pool, kill_me, numbers, 20, results, NULL, NULL);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_pool_kill(pool, 0, FERN_FOREVER));
    FINISH(g);
    for (int i = 0; i < 20; i++)
        ASSERT_TRUE(results[i].cancelled);
    finish();
}

/* ---- imap ---- */

static fern_pile *
imap(fern_fn *fn, size_t n, int flags, size_t look_ahead)
{
    fern_input input = fern_input_items(numbers, n);
    fern_pile *pile = fern_pool_imap(pool, fn, &input, flags, look_ahead);
    ASSERT_NOT_NULL(pile);
    return pile;
}

static void
trace_rest(fern_pile *pile)
{
    fern_outcome o;
    int r;
    while ((r = fern_pile_next(pile, &o, FERN_FOREVER)) > 0) {
        if (o.code)
            trace("E%d", o.code);
        else
            trace("%d", (int)(intptr_t)o.value);
    }
    ASSERT_EQ(r, 0);
    ASSERT_EQ(fern_pile_next(pile, &o, FERN_FOREVER), 0);
    ASSERT_OK(fern_pile_free(pile));
}

TEST(an_imap_gives_the_results_in_the_order_of_its_input)
{
    begin(4);
    trace_rest(imap(race, 8, 0, 0));
    ASSERT_STR_EQ(trace_text, "0 1 2 3 4 5 6 7");
    finish();
}

TEST(an_unordered_imap_gives_the_results_as_they_end)
{
    begin(FERN_POOL_UNLIMITED);
    trace_rest(imap(race, 4, FERN_PILE_UNORDERED, 0));
    ASSERT_STR_EQ(trace_text, "3 2 1 0");
    finish();
}

TEST(a_failure_in_an_imap_stands_at_its_place_and_the_rest_follows)
{
    fern_outcome o;
    begin(2);
    fern_pile *pile = imap(fail_at_one, 4, 0, 0);
    ASSERT_EQ(fern_pile_next(pile, &o, FERN_FOREVER), 1);
    ASSERT_EQ(fern_pile_next(pile, &o, FERN_FOREVER), 1);
    ASSERT_EQ(o.code, 22);
    ASSERT_STR_EQ(o.message, "one");
    trace_rest(pile);
    ASSERT_STR_EQ(trace_text, "2 3");
    finish();
}

struct counter {
    int next, end, code;
};

static int
count_up(void *state, void **ret_item)
{
    struct counter *counter = state;
    int r = fern_sleep(FERN_MS);
    if (r < 0)
        return r;
    if (counter->next == counter->end)
        return counter->code;
    *ret_item = (void *)(intptr_t)counter->next++;
    return 1;
}

TEST(an_input_that_fails_ends_the_imap_with_its_code)
{
    struct counter counter = {0, 3, -EIO};
    fern_input input = fern_input_from(count_up, &counter);
    begin(2);
    fern_pile *pile = fern_pool_imap(pool, square, &input, 0, 0);
    trace_rest(pile);
    ASSERT_STR_EQ(trace_text, "0 1 4 E-5");
    finish();
}

TEST(an_imap_without_a_function_gives_the_items_back)
{
    begin(2);
    trace_rest(imap(NULL, 3, 0, 0));
    ASSERT_STR_EQ(trace_text, "0 1 2");
    finish();
}

static void *
sum(void *args)
{
    void **pair = args;
    intptr_t a = (intptr_t)pair[0];
    ASSERT_OK(fern_sleep((5 - a) * FERN_MS));
    return (void *)(a + (intptr_t)pair[1]);
}

TEST(a_starmap_goes_through_its_inputs_side_by_side_until_the_shortest_ends)
{
    struct counter counter = {100, 103, 0};
    begin(5);
    fern_input inputs[] = {
            fern_input_items(numbers, 9), fern_input_from(count_up, &counter)};
    trace_rest(fern_pool_starmap(pool, sum, inputs, 2, 0, 0));
    ASSERT_STR_EQ(trace_text, "100 102 104");
    finish();
}

TEST(an_imap_runs_ahead_of_its_reader_by_a_bounded_number_of_results)
{
    struct counter counter = {0, 1000, 0};
    fern_input input = fern_input_from(count_up, &counter);
    fern_outcome o;
    begin(100);
    fern_pile *pile = fern_pool_imap(pool, square, &input, 0, 7);
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_EQ(counter.next, 7);
    ASSERT_EQ(fern_pile_next(pile, &o, FERN_FOREVER), 1);
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_EQ(counter.next, 8);
    ASSERT_OK(fern_pile_free(pile));
    finish();
    ASSERT_EQ(counter.next, 8);
}

static int
next_number(void *state, void **ret_item)
{
    struct counter *counter = state;
    *ret_item = (void *)(intptr_t)counter->next++;
    return counter->next <= counter->end;
}

/* What the heap holds; 0 where the allocator does not tell. */
static size_t
heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks;
}

TEST(a_million_items_are_mapped_in_constant_memory, .seconds = 120)
{
    struct fern_hub_stats stats;
    const int n = harness_is_slow() ? 3000 : 1000000;
    struct counter counter = {0, n, 0};
    fern_input input = fern_input_from(next_number, &counter);
    fern_outcome o;
    intptr_t seen = 0;
    size_t heap = 0;
    begin(100);
    fern_pile *pile = fern_pool_imap(pool, square, &input, 0, 0);
    while (fern_pile_next(pile, &o, FERN_FOREVER) > 0) {
        ASSERT_EQ((intptr_t)o.value, seen * seen);
        if (++seen % 1000)
            continue;
        ASSERT_OK(fern_hub_get_stats(&stats));
        ASSERT_LE(stats.greenlets, 104); /* main, the producer and the callbacks' too */
        heap = heap ? heap : heap_bytes();
        ASSERT_LE(heap_bytes(), heap + 65536);
    }
    ASSERT_EQ(seen, n);
    ASSERT_OK(fern_pile_free(pile));
    finish();
}

static void *
use_pool_inside(void *unused)
{
    fern_outcome results[5];
    fern_greenlet *g;
    ASSERT_OK(fern_pool_map(pool, square, numbers, 5, results, FERN_FOREVER));
    ASSERT_EQ((intptr_t)results[4].value, 16);
    trace_rest(imap(race, 3, 0, 0));
    g = fern_pool_map_async(pool, square, numbers, 5, results, NULL, NULL);
    FINISH(g);
    return unused;
}

TEST(a_member_can_map_over_its_own_full_pool)
{
    begin(1);
    ASSERT_OK(fern_pool_go(pool, use_pool_inside, NULL, FERN_FOREVER));
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "0 1 2");
    finish();
}

TEST(killing_the_pool_ends_an_imap_with_its_code)
{
    begin(2);
    fern_pile *pile = imap(kill_me, 100, 0, 0);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_pool_kill(pool, 0, FERN_FOREVER));
    trace_rest(pile);
    ASSERT_STR_EQ(trace_text, "E-125 E-125 E-125");
    finish();
}

TEST(a_pile_freed_right_after_a_result_was_taken_leaves_its_input_alone)
{
    struct counter counter = {0, 100, 0};
    fern_input input = fern_input_from(next_number, &counter);
    fern_outcome o;
    begin(2);
    fern_pile *pile = fern_pool_imap(pool, square, &input, 0, 1);
    ASSERT_EQ(fern_pile_next(pile, &o, FERN_FOREVER), 1);
    ASSERT_OK(fern_yield()); /* the producer waits until the next one is taken */
    int read = counter.next;
    ASSERT_EQ(fern_pile_next(pile, &o, FERN_NOWAIT), 1);
    ASSERT_OK(fern_pile_free(pile));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(counter.next, read);
    finish();
}

TEST(a_pile_freed_early_lets_run_what_runs_and_spawns_no_more)
{
    fern_outcome o;
    begin(3);
    fern_pile *pile = imap(race, 10, 0, 0);
    ASSERT_ERR(fern_pile_next(pile, &o, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_pool_running(pool), 3);
    ASSERT_ERR(fern_pool_free(pool), -EBUSY);
    ASSERT_OK(fern_pile_free(pile));
    finish();
    begin(3);
    ASSERT_OK(fern_pile_free(imap(race, 10, 0, 0))); /* its producer has not run yet */
    finish();
}

/* ---- piles ---- */

TEST(a_pile_gives_the_results_in_the_order_of_the_spawns)
{
    fern_outcome o;
    fern_pile *pile = fern_pile_new(NULL, 3);
    ASSERT_EQ(fern_pile_next(pile, &o, FERN_FOREVER), 0);
    for (intptr_t i = 0; i < 6; i++)
        ASSERT_OK(fern_pile_spawn(pile, race, (void *)i, FERN_FOREVER));
    ASSERT_ERR(fern_pile_next(pile, &o, fern_in(0)), 1);
    ASSERT_EQ((intptr_t)o.value, 0);
    trace_rest(pile);
    ASSERT_STR_EQ(trace_text, "1 2 3 4 5");
}

TEST(several_piles_share_one_pool)
{
    begin(2);
    fern_pile *a = fern_pile_new(pool, 0), *b = fern_pile_new(pool, 0);
    for (intptr_t i = 0; i < 3; i++) {
        ASSERT_OK(fern_pile_spawn(a, race, (void *)i, FERN_FOREVER));
        ASSERT_OK(fern_pile_spawn(b, race, (void *)(i + 5), FERN_FOREVER));
    }
    trace_rest(b);
    trace_rest(a);
    ASSERT_STR_EQ(trace_text, "5 6 7 0 1 2");
    finish();
}

TEST(a_spawn_on_a_pile_that_times_out_leaves_it_as_it_was)
{
    fern_outcome o;
    begin(1);
    fern_pile *pile = fern_pile_new(pool, 0);
    ASSERT_OK(fern_pool_go(pool, race, (void *)0, FERN_FOREVER));
    ASSERT_ERR(fern_pile_spawn(pile, square, NULL, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_pile_next(pile, &o, FERN_FOREVER), 0);
    ASSERT_OK(fern_pile_spawn(pile, square, (void *)3, FERN_FOREVER));
    trace_rest(pile);
    ASSERT_STR_EQ(trace_text, "9");
    finish();
}

static void *
read_one(void *pile)
{
    fern_outcome o;
    int r = fern_pile_next(pile, &o, FERN_FOREVER);
    trace(r == 1 ? "%d" : "end", (int)(intptr_t)(r == 1 ? o.value : NULL));
    return NULL;
}

TEST(readers_of_a_pile_are_served_in_order_and_the_last_ones_learn_of_its_end)
{
    fern_outcome o;
    fern_pile *pile = fern_pile_new(NULL, 3);
    fern_greenlet *readers[3];
    for (intptr_t i = 0; i < 2; i++)
        ASSERT_OK(fern_pile_spawn(pile, race, (void *)i, FERN_FOREVER));
    for (int i = 0; i < 3; i++)
        readers[i] = fern_spawn(read_one, pile);
    ASSERT_ERR(fern_pile_next(pile, &o, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_pile_free(pile), -EBUSY);
    for (int i = 0; i < 3; i++)
        FINISH(readers[i]);
    ASSERT_STR_EQ(trace_text, "0 1 end");
    ASSERT_OK(fern_pile_free(pile));
}

static void *
pile_inside(void *unused)
{
    fern_pile *pile = fern_pile_new(pool, 0);
    for (intptr_t i = 0; i < 3; i++)
        ASSERT_OK(fern_pile_spawn(pile, square, (void *)i, FERN_FOREVER));
    trace_rest(pile);
    return unused;
}

TEST(a_member_can_fill_a_pile_on_its_own_full_pool)
{
    begin(1);
    ASSERT_OK(fern_pool_go(pool, pile_inside, NULL, FERN_FOREVER));
    finish();
    ASSERT_STR_EQ(trace_text, "0 1 4");
}

TEST(a_pile_may_be_freed_while_its_own_pool_runs_on)
{
    fern_pile *pile = fern_pile_new(NULL, 2);
    ASSERT_OK(fern_pile_spawn(pile, race, (void *)1, FERN_FOREVER));
    ASSERT_OK(fern_pile_spawn(pile, race, (void *)2, FERN_FOREVER));
    ASSERT_OK(fern_pile_free(pile));
    ASSERT_OK(fern_sleep(20 * FERN_MS));
}

/* ---- misuse ---- */

static void *
use_from_elsewhere(void *pile)
{
    fern_outcome o;
    fern_input input = fern_input_items(numbers, 3);
    ASSERT_ERR(fern_pool_map(pool, square, numbers, 3, NULL, FERN_FOREVER), -EXDEV);
    ASSERT_NULL(fern_pool_map_async(pool, square, numbers, 3, NULL, NULL, NULL));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_NULL(fern_pool_imap(pool, square, &input, 0, 0));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_NULL(fern_pile_new(pool, 0));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_ERR(fern_pile_next(pile, &o, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_pile_spawn(pile, square, NULL, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_pile_free(pile), -EXDEV);
    return NULL;
}

TEST(misuse_of_a_map_answers_with_its_code)
{
    fern_outcome o;
    pthread_t thread;
    begin(2);
    fern_input input = fern_input_items(numbers, 3);
    ASSERT_ERR(fern_pool_map(NULL, square, numbers, 3, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_map(pool, NULL, numbers, 3, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_map(pool, square, NULL, 3, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_NULL(fern_pool_map_async(pool, NULL, numbers, 3, NULL, NULL, NULL));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_NULL(fern_pool_imap(pool, square, NULL, 0, 0));
    ASSERT_NULL(fern_pool_imap(NULL, square, &input, 0, 0));
    ASSERT_NULL(fern_pool_imap(pool, square, &input, 4, 0));
    ASSERT_NULL(fern_pool_starmap(pool, NULL, &input, 1, 0, 0));
    ASSERT_NULL(fern_pool_starmap(pool, square, &input, 0, 0, 0));
    ASSERT_EQ(errno, EINVAL);
    fern_pile *pile = imap(square, 3, 0, 0);
    ASSERT_ERR(fern_pile_spawn(pile, square, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pile_next(pile, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pile_next(NULL, &o, FERN_FOREVER), -EINVAL);
    trace_rest(pile);
    ASSERT_OK(fern_pile_free(NULL));
    pile = fern_pile_new(pool, 0);
    ASSERT_ERR(fern_pile_spawn(pile, NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, pile), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_pile_free(pile));
    ASSERT_NULL(fern_pile_new(NULL, (size_t)-2));
    finish();
}
