/* SPDX-License-Identifier: MIT */
/* Stocks: bounded numbers of reusable things. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_stock *stock;
static int made, ended, create_error;
static intptr_t bad; /* the thing that does not pass its check */

static int
create(void *arg, void **ret_thing, fern_time deadline)
{
    (void)arg;
    if (deadline.ns) {
        int r = fern_sleep(FERN_MS);
        if (r < 0)
            return r;
    }
    if (create_error)
        return create_error;
    *ret_thing = (void *)(intptr_t)++made;
    return 0;
}

static void
destroy(void *thing, void *arg)
{
    (void)thing;
    (void)arg;
    ended++;
}

static int
check(void *thing, void *arg, fern_time deadline)
{
    (void)arg;
    (void)deadline;
    return (intptr_t)thing == bad ? -EIO : 0;
}

static fern_stock_options
plain(size_t max)
{
    FERN_STOCK_OPTIONS(options);
    options.create = create;
    options.destroy = destroy;
    options.check = check;
    options.max = max;
    return options;
}

static void
begin(fern_stock_options options)
{
    stock = fern_stock_new(&options);
    ASSERT_NOT_NULL(stock);
}

static void
finish(void)
{
    ASSERT_OK(fern_stock_free(stock));
    ASSERT_EQ(made, ended);
}

static intptr_t
get(void)
{
    void *thing;
    ASSERT_OK(fern_stock_get(stock, &thing, FERN_FOREVER));
    return (intptr_t)thing;
}

static void
put(intptr_t thing)
{
    ASSERT_OK(fern_stock_put(stock, (void *)thing));
}

static fern_stock_counts
counts(void)
{
    fern_stock_counts c;
    ASSERT_OK(fern_stock_get_counts(stock, &c));
    return c;
}

static void *
use(void *word)
{
    intptr_t thing = get();
    trace("%s%d", (char *)word, (int)thing);
    ASSERT_OK(fern_sleep(FERN_MS));
    put(thing);
    return NULL;
}

TEST(things_are_made_up_to_the_limit_and_used_again)
{
    void *thing;
    begin(plain(2));
    intptr_t a = get(), b = get();
    ASSERT_ERR(fern_stock_get(stock, &thing, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_stock_get(stock, &thing, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(counts().free, 0);
    put(a);
    put(b);
    ASSERT_EQ(counts().idle, 2);
    ASSERT_EQ(get(), b); /* the last one first */
    put(b);
    ASSERT_EQ(made, 2);
    finish();
}

TEST(round_robin_hands_out_the_one_that_was_idle_longest)
{
    fern_stock_options options = plain(2);
    options.round_robin = true;
    begin(options);
    intptr_t a = get(), b = get();
    put(a);
    put(b);
    ASSERT_EQ(get(), a);
    put(a);
    ASSERT_EQ(get(), b);
    put(b);
    finish();
}

TEST(who_waits_for_a_thing_is_served_in_order_of_arrival)
{
    begin(plain(1));
    fern_greenlet *gs[3];
    char *words[] = {"a", "b", "c"};
    intptr_t thing = get();
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(use, words[i]);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(counts().waiting, 3);
    put(thing);
    void *other;
    ASSERT_ERR(fern_stock_get(stock, &other, FERN_NOWAIT), -EAGAIN);
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "a1 b1 c1");
    finish();
}

static void *
get_in_vain(void *unused)
{
    void *thing;
    ASSERT_ERR(fern_stock_get(stock, &thing, FERN_FOREVER), create_error);
    return unused;
}

TEST(an_error_of_create_is_told_and_costs_no_place)
{
    void *thing;
    begin(plain(1));
    create_error = -ECONNREFUSED;
    ASSERT_ERR(fern_stock_get(stock, &thing, FERN_FOREVER), -ECONNREFUSED);
    ASSERT_EQ(counts().used, 0);
    fern_greenlet *a = fern_spawn(get_in_vain, NULL), *b = fern_spawn(get_in_vain, NULL);
    FINISH(a);
    FINISH(b);
    create_error = 0;
    put(get());
    finish();
}

TEST(a_thing_that_fails_its_check_is_replaced)
{
    begin(plain(1));
    put(get());
    bad = 1;
    intptr_t thing = get();
    ASSERT_EQ(thing, 2);
    ASSERT_EQ(ended, 1);
    put(thing);
    finish();
}

TEST(who_waits_may_make_a_new_thing_when_one_is_discarded)
{
    begin(plain(1));
    intptr_t thing = get();
    fern_greenlet *g = fern_spawn(use, "a");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_stock_discard(stock, (void *)thing));
    ASSERT_ERR(fern_stock_put(stock, (void *)thing), -EOVERFLOW);
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "a2");
    finish();
}

static void *
be_killed_with_it(void *unused)
{
    intptr_t thing = get();
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    put(thing);
    return unused;
}

TEST(a_thing_whose_user_was_killed_in_the_middle_is_never_handed_on)
{
    begin(plain(1));
    fern_greenlet *g = fern_spawn(be_killed_with_it, NULL);
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_EQ(ended, 1);
    intptr_t thing = get();
    ASSERT_EQ(thing, 2);
    FERN_SCOPE (scope, fern_in(FERN_MS)) {
        ASSERT_ERR(fern_sleep(FERN_HOUR), -ETIME);
        put(thing);
    }
    ASSERT_EQ(get(), 3);
    put(3);
    finish();
}

static void *
be_killed_in_a_block(void *unused)
{
    int r;
    fern_loan loan = {stock, FERN_FOREVER, NULL};
    FERN_WITH(r, fern_loan_begin, fern_loan_end, &loan)
    (void)fern_sleep(FERN_HOUR); /* and r does not tell of it */
    ASSERT_EQ(r, 0);
    return unused;
}

TEST(a_thing_lent_to_a_block_comes_back_or_is_discarded_as_the_block_ends)
{
    int r;
    begin(plain(1));
    fern_loan loan = {stock, FERN_FOREVER, NULL};
    FERN_WITH(r, fern_loan_begin, fern_loan_end, &loan)
    ASSERT_EQ((intptr_t)loan.thing, 1);
    ASSERT_EQ(counts().idle, 1);
    FERN_WITH(r, fern_loan_begin, fern_loan_end, &loan)
    r = -EIO;
    ASSERT_EQ(r, -EIO);
    ASSERT_EQ(ended, 1);
    fern_greenlet *g = fern_spawn(be_killed_in_a_block, NULL);
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_EQ(made, 2);
    ASSERT_EQ(ended, 2);
    finish();
}

TEST(things_that_were_idle_too_long_or_are_too_old_are_discarded)
{
    fern_stock_options options = plain(3);
    options.min = 1;
    options.idle_ns_max = 10 * FERN_MS;
    options.age_ns_max = FERN_SECOND;
    begin(options);
    ASSERT_OK(fern_stock_fill(stock, FERN_FOREVER));
    ASSERT_EQ(counts().idle, 1);
    intptr_t a = get(), b = get();
    put(a);
    put(b);
    ASSERT_OK(fern_sleep(20 * FERN_MS));
    ASSERT_EQ(fern_stock_trim(stock), 1);
    ASSERT_EQ(counts().idle, 1);
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_EQ(get(), 3); /* the last one was too old */
    put(3);
    finish();
}

TEST(as_many_stay_idle_as_are_allowed_to)
{
    fern_stock_options options = plain(2);
    options.idle_max = FERN_STOCK_NO_IDLE;
    begin(options);
    fern_greenlet *g;
    intptr_t a = get(), b = get();
    g = fern_spawn(use, "w");
    ASSERT_OK(fern_yield());
    put(a); /* somebody waits: it is not idle */
    put(b);
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "w1");
    ASSERT_EQ(counts().idle, 0);
    finish();
}

TEST(a_stock_that_shrinks_has_less_than_nothing_free_until_things_come_back)
{
    begin(plain(3));
    intptr_t a = get(), b = get(), c = get();
    ASSERT_OK(fern_stock_resize(stock, 1));
    ASSERT_EQ(counts().free, -2);
    put(a);
    put(b);
    ASSERT_EQ(ended, 2);
    put(c);
    ASSERT_EQ(counts().idle, 1);
    finish();
}

static void *
get_until_closed(void *unused)
{
    void *thing;
    ASSERT_ERR(fern_stock_get(stock, &thing, FERN_FOREVER), -EPIPE);
    return unused;
}

TEST(closing_a_stock_wakes_who_waits_and_ends_what_comes_back)
{
    begin(plain(1));
    intptr_t thing = get();
    fern_greenlet *g = fern_spawn(get_until_closed, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_stock_free(stock), -EBUSY);
    ASSERT_OK(fern_stock_clear(stock));
    ASSERT_OK(fern_stock_close(stock));
    FINISH(g);
    put(thing);
    ASSERT_EQ(ended, 1);
    FINISH(fern_spawn(get_until_closed, NULL));
    finish();
}

static void *
use_from_elsewhere(void *thing)
{
    fern_stock_counts c;
    ASSERT_ERR(fern_stock_get(stock, &thing, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_stock_put(stock, thing), -EXDEV);
    ASSERT_ERR(fern_stock_discard(stock, thing), -EXDEV);
    ASSERT_ERR(fern_stock_fill(stock, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_stock_trim(stock), -EXDEV);
    ASSERT_ERR(fern_stock_close(stock), -EXDEV);
    ASSERT_ERR(fern_stock_resize(stock, 2), -EXDEV);
    ASSERT_ERR(fern_stock_get_counts(stock, &c), -EXDEV);
    ASSERT_ERR(fern_stock_free(stock), -EXDEV);
    return NULL;
}

TEST(misuse_of_a_stock_answers_with_its_code)
{
    pthread_t thread;
    fern_stock_options options = plain(1);
    options.min = 2;
    ASSERT_NULL(fern_stock_new(&options));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_NULL(fern_stock_new(NULL));
    begin(plain(1));
    void *thing = (void *)get();
    ASSERT_ERR(fern_stock_get(stock, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stock_put(stock, NULL), -EINVAL);
    ASSERT_ERR(fern_stock_put(stock, &thread), -EOVERFLOW);
    ASSERT_ERR(fern_stock_discard(stock, &thread), -EOVERFLOW);
    ASSERT_ERR(fern_stock_discard(NULL, thing), -EINVAL);
    ASSERT_ERR(fern_stock_resize(stock, 0), -EINVAL);
    ASSERT_ERR(fern_stock_get_counts(stock, NULL), -EINVAL);
    ASSERT_ERR(fern_stock_fill(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_stock_trim(NULL), -EINVAL);
    ASSERT_ERR(fern_stock_close(NULL), -EINVAL);
    ASSERT_OK(fern_stock_free(NULL));
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, thing), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    put((intptr_t)thing);
    finish();
}
