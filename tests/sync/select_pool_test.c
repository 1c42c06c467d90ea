/* SPDX-License-Identifier: MIT */
/* Pools, piles and stocks among the several things that somebody waits for. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_pool *pool;
static fern_pile *pile;
static fern_stock *stock;

static void *
doze(void *ms)
{
    ASSERT_OK(fern_sleep((intptr_t)ms * FERN_MS));
    return ms;
}

static void
go(intptr_t ms)
{
    ASSERT_OK(fern_pool_go(pool, doze, (void *)ms, FERN_NOWAIT));
}

/* ---- pools ---- */

TEST(a_slot_of_a_pool_is_a_case_and_is_left_to_others)
{
    pool = fern_pool_new(2);
    fern_case cases[] = {fern_case_timer(fern_in(FERN_HOUR)), fern_case_pool_slot(pool)};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, 2);
    go(2);
    go(1);
    ASSERT_ERR(fern_select(cases, 2, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_select(cases, 2, 0, fern_in(FERN_US)), -ETIME);
    fern_time start = fern_now();
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, 1);
    ASSERT_LT(fern_time_diff(fern_now(), start), 2 * FERN_MS);
    ASSERT_EQ(fern_pool_available(pool), 1);
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    ASSERT_OK(fern_pool_free(pool));
}

static void *
select_idle(void *word)
{
    fern_case cases[] = {fern_case_pool_idle(pool), fern_case_timer(fern_in(FERN_HOUR))};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 0);
    trace("%s:%d", (char *)word, cases[0].result);
    return word;
}

TEST(an_empty_pool_is_a_case_but_not_for_its_members)
{
    pool = fern_pool_new(1);
    go(1);
    fern_greenlet *waits = fern_spawn(select_idle, "outside");
    fern_greenlet *comes = fern_spawn(doze, (void *)5);
    ASSERT_OK(fern_pool_add(pool, comes, FERN_FOREVER)); /* when the first has ended */
    ASSERT_ERR(fern_pool_free(pool), -EBUSY);
    FINISH(waits);
    FINISH(comes);
    ASSERT_OK(fern_pool_go(pool, select_idle, "member", FERN_NOWAIT));
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    char wanted[40];
    snprintf(wanted, sizeof wanted, "outside:0 member:%d", -EDEADLK);
    ASSERT_STR_EQ(trace_text, wanted);
    ASSERT_OK(fern_pool_free(pool));
}

TEST(pools_can_be_watched)
{
    size_t order[2];
    pool = fern_pool_new(2);
    fern_case cases[] = {fern_case_pool_idle(pool), fern_case_pool_slot(pool)};
    go(2);
    go(1);
    ASSERT_EQ(fern_wait(cases, 2, 0, order, FERN_NOWAIT), 0);
    ASSERT_EQ(fern_wait(cases, 2, 0, order, FERN_FOREVER), 2);
    ASSERT_EQ(order[0], 1);
    ASSERT_EQ(cases[1].result, 1);
    ASSERT_EQ(cases[0].result, 0);
    ASSERT_OK(fern_pool_free(pool));
}

/* ---- piles ---- */

TEST(a_result_of_a_pile_is_a_case_and_is_taken)
{
    fern_outcome o = {0};
    pile = fern_pile_new(NULL, 4);
    fern_case cases[] = {fern_case_timer(fern_in(FERN_HOUR)), fern_case_pile(pile, &o)};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, 0); /* nothing is outstanding */
    for (intptr_t ms = 1; ms <= 3; ms++)
        ASSERT_OK(fern_pile_spawn(pile, doze, (void *)ms, FERN_FOREVER));
    ASSERT_ERR(fern_select(cases, 2, 0, fern_in(FERN_US)), -ETIME);
    ASSERT_EQ(fern_wait(&cases[1], 1, 0, NULL, FERN_FOREVER), 1); /* takes nothing */
    ASSERT_EQ(cases[1].result, 1);
    for (intptr_t ms = 1; ms <= 3; ms++) {
        ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
        ASSERT_EQ(cases[1].result, 1);
        ASSERT_EQ((intptr_t)o.value, ms);
    }
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, 0);
    cases[1].item = NULL;
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, -EINVAL);
    ASSERT_OK(fern_pile_free(pile));
}

TEST(a_pile_is_an_iterator_and_is_freed_when_that_is_closed)
{
    fern_outcome o = {0};
    int r, total = 0;
    pile = fern_pile_new(NULL, 4);
    fern_iterator it = fern_pile_iterator(pile);
    for (intptr_t ms = 5; ms > 0; ms--)
        ASSERT_OK(fern_pile_spawn(pile, doze, (void *)ms, FERN_FOREVER));
    ASSERT_ERR(fern_next(&it, &o, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(fern_next(&it, NULL, FERN_FOREVER), 1); /* the first, of 5 ms, is dropped */
    FERN_EACH(r, o, &it)
    total = 10 * total + (int)(intptr_t)o.value;
    ASSERT_EQ(r, 0);
    ASSERT_EQ(total, 4321);
    ASSERT_OK(fern_iterator_close(&it, FERN_FOREVER));
}

/* ---- stocks ---- */

static int
make(void *arg, void **ret_thing, fern_time deadline)
{
    (void)deadline;
    *ret_thing = arg;
    return 0;
}

static void *
borrow(void *ms)
{
    void *thing;
    ASSERT_OK(fern_stock_get(stock, &thing, FERN_FOREVER));
    ASSERT_OK(fern_sleep((intptr_t)ms * FERN_MS));
    ASSERT_OK((intptr_t)ms % 2 ? fern_stock_put(stock, thing)
                               : fern_stock_discard(stock, thing));
    return ms;
}

static void
begin_stock(size_t max)
{
    FERN_STOCK_OPTIONS(options);
    options.create = make;
    options.arg = "thing";
    options.max = max;
    stock = fern_stock_new(&options);
}

TEST(a_thing_that_could_be_had_is_a_case_and_is_left_to_others)
{
    begin_stock(1);
    fern_case cases[] = {fern_case_timer(fern_in(FERN_HOUR)), fern_case_stock(stock)};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, 1);
    for (intptr_t ms = 1; ms <= 2; ms++) {
        fern_greenlet *user = fern_spawn(borrow, (void *)ms);
        ASSERT_OK(fern_yield());
        ASSERT_ERR(fern_select(cases, 2, 0, fern_in(FERN_US)), -ETIME);
        ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
        ASSERT_EQ(cases[1].result, 1);
        FINISH(user);
    }
    ASSERT_OK(fern_stock_free(stock));
}

static void *
select_stock(void *word)
{
    fern_case cases[] = {fern_case_stock(stock)};
    ASSERT_EQ(fern_select(cases, 1, 0, FERN_FOREVER), 0);
    trace("%s:%d", (char *)word, cases[0].result);
    return word;
}

TEST(who_stands_in_line_for_a_thing_comes_before_who_only_looks)
{
    begin_stock(1);
    fern_greenlet *gs[] = {fern_spawn(borrow, (void *)3), fern_spawn(select_stock, "looks"),
            fern_spawn(borrow, (void *)5)};
    fern_case watched = fern_case_stock(stock);
    ASSERT_OK(fern_yield());
    fern_time start = fern_now();
    ASSERT_EQ(fern_wait(&watched, 1, 0, NULL, FERN_FOREVER), 1);
    ASSERT_EQ(fern_time_diff(fern_now(), start), 8 * FERN_MS);
    ASSERT_EQ(watched.result, 1);
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "looks:1");
    ASSERT_OK(fern_stock_free(stock));
}

static fern_time moment;

static void *
borrow_in_vain(void *unused)
{
    void *thing;
    ASSERT_ERR(fern_stock_get(stock, &thing, moment), -ETIME);
    trace("late");
    return unused;
}

static void *
give_back_at_that_moment(void *unused)
{
    void *thing;
    ASSERT_OK(fern_stock_get(stock, &thing, FERN_FOREVER));
    ASSERT_OK(fern_sleep_until(moment));
    ASSERT_OK(fern_stock_put(stock, thing)); /* the other's time is over */
    trace("given");
    return unused;
}

TEST(who_looks_hears_of_a_thing_that_one_came_too_late_for)
{
    begin_stock(1);
    moment = fern_in(FERN_MS);
    fern_greenlet *gs[] = {fern_spawn(give_back_at_that_moment, NULL),
            fern_spawn(borrow_in_vain, NULL), fern_spawn(select_stock, "looks")};
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "given late looks:1");
    ASSERT_OK(fern_stock_free(stock));
}

TEST(a_stock_that_is_closed_or_grows_tells_those_who_look)
{
    void *thing;
    char wanted[40];
    begin_stock(1);
    ASSERT_OK(fern_stock_get(stock, &thing, FERN_FOREVER));
    fern_greenlet *grown = fern_spawn(select_stock, "grown");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_stock_resize(stock, 4));
    FINISH(grown);
    ASSERT_OK(fern_stock_resize(stock, 1));
    fern_greenlet *closed = fern_spawn(select_stock, "closed");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_stock_close(stock));
    FINISH(closed);
    select_stock("late");
    snprintf(wanted, sizeof wanted, "grown:3 closed:%d late:%d", -EPIPE, -EPIPE);
    ASSERT_STR_EQ(trace_text, wanted);
    ASSERT_OK(fern_stock_put(stock, thing));
    ASSERT_OK(fern_stock_free(stock));
}

TEST(a_stock_that_somebody_looks_at_is_not_freed)
{
    begin_stock(1);
    void *thing;
    ASSERT_OK(fern_stock_get(stock, &thing, FERN_FOREVER));
    fern_case watched = fern_case_stock(stock);
    fern_iwait *it = fern_iwait_new(&watched, 1);
    fern_greenlet *looks = fern_spawn(select_stock, "looks");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_stock_put(stock, thing)); /* who looks is told, and has not run */
    fern_iwait_free(it);
    ASSERT_OK(fern_stock_free(stock));
    FINISH(looks);
    begin_stock(1);
    ASSERT_OK(fern_stock_get(stock, &thing, FERN_FOREVER));
    it = fern_iwait_new(&watched, 0);
    fern_iwait_free(it);
    watched = fern_case_stock(stock);
    it = fern_iwait_new(&watched, 1);
    ASSERT_ERR(fern_stock_free(stock), -EBUSY);
    fern_iwait_free(it);
    ASSERT_OK(fern_stock_discard(stock, thing));
    ASSERT_OK(fern_stock_free(stock));
}

/* ---- misuse ---- */

static void *
select_elsewhere(void *unused)
{
    fern_outcome o;
    fern_case cases[] = {fern_case_pool_slot(pool), fern_case_pool_idle(pool),
            fern_case_pile(pile, &o), fern_case_stock(stock)};
    for (int i = 0; i < 4; i++)
        ASSERT_ERR(fern_select(&cases[i], 1, 0, FERN_NOWAIT), -EXDEV);
    return unused;
}

TEST(those_of_another_hub_are_refused)
{
    pthread_t thread;
    pool = fern_pool_new(1);
    go(0);
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    pile = fern_pile_new(pool, 0);
    begin_stock(1);
    FINISH(fern_spawn(borrow, (void *)1));
    ASSERT_EQ(pthread_create(&thread, NULL, select_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_pile_free(pile));
    ASSERT_OK(fern_pool_free(pool));
    ASSERT_OK(fern_stock_free(stock));
}
