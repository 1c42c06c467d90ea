/* SPDX-License-Identifier: MIT */
/* Results: assigned once, heard by all. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_result result;

static void *
get_and_say(void *word)
{
    fern_outcome outcome;
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_FOREVER));
    trace("%s=%s:%d", (const char *)word, outcome.value ? (char *)outcome.value : "-",
            outcome.code);
    return NULL;
}

TEST(everybody_who_asks_gets_the_value_that_was_set_once)
{
    fern_outcome outcome;
    ASSERT_ERR(fern_result_get(&result, &outcome, FERN_NOWAIT), -EAGAIN);
    fern_greenlet *a = fern_spawn(get_and_say, "a"), *b = fern_spawn(get_and_say, "b");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_result_reset(&result), -EBUSY);
    ASSERT_OK(fern_result_set(&result, "v"));
    ASSERT_ERR(fern_result_set(&result, "w"), -EALREADY);
    ASSERT_ERR(fern_result_set_error(&result, 5, NULL), -EALREADY);
    FINISH(a);
    FINISH(b);
    FINISH(fern_spawn(get_and_say, "late"));
    ASSERT_STR_EQ(trace_text, "a=v:0 b=v:0 late=v:0");
    ASSERT_TRUE(fern_result_ready(&result));
}

TEST(an_error_is_the_results_and_not_the_waiters)
{
    fern_outcome outcome;
    ASSERT_OK(fern_result_set_error(&result, -EIO, "no luck"));
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, -EIO);
    ASSERT_STR_EQ(outcome.message, "no luck");
    ASSERT_OK(fern_result_reset(&result));
    ASSERT_FALSE(fern_result_ready(&result));
    ASSERT_OK(fern_result_set(&result, NULL));
}

static void *
give(void *value)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    return value;
}

static void *
fail(void *unused)
{
    (void)unused;
    return fern_fail(7, "seven");
}

TEST(a_result_takes_over_how_a_greenlet_ends)
{
    fern_outcome outcome;
    fern_greenlet *g = fern_spawn(give, "v");
    ASSERT_OK(fern_result_link(&result, g));
    ASSERT_ERR(fern_result_reset(&result), -EBUSY);
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_FOREVER));
    ASSERT_STR_EQ((char *)outcome.value, "v");
    FINISH(g);
    ASSERT_ERR(fern_result_link(&result, g), -EALREADY);
    ASSERT_OK(fern_result_reset(&result));
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    g = fern_spawn_with(fail, NULL, &options);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_result_link(&result, g)); /* it has ended already */
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 7);
    ASSERT_STR_EQ(outcome.message, "seven");
    fern_greenlet_unref(g);
}

TEST(a_wait_for_a_result_times_out_and_leaves_it_as_it_is)
{
    ASSERT_ERR(fern_result_wait(&result, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_result_set(&result, "v"));
    ASSERT_OK(fern_result_wait(&result, FERN_FOREVER));
}

static void *
set_later(void *value)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_result_set(&result, value));
    return NULL;
}

TEST(a_wait_gets_what_is_assigned_before_it_times_out)
{
    fern_outcome outcome;
    fern_greenlet *g = fern_spawn(set_later, "v");
    ASSERT_ERR(fern_result_get(&result, &outcome, fern_in(FERN_MS / 2)), -ETIME);
    ASSERT_OK(fern_result_get(&result, &outcome, fern_in(FERN_SECOND)));
    ASSERT_STR_EQ((char *)outcome.value, "v");
    FINISH(g);
}

TEST(everybody_who_waits_hears_of_an_error)
{
    fern_greenlet *a = fern_spawn(get_and_say, "a"), *b = fern_spawn(get_and_say, "b");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_result_set_error(&result, 7, "seven"));
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "a=-:7 b=-:7");
}

TEST(what_was_assigned_stays_until_a_reset_and_then_it_can_be_assigned_again)
{
    fern_outcome outcome;
    ASSERT_OK(fern_result_set_error(&result, 1, NULL));
    ASSERT_ERR(fern_result_set_error(&result, 2, NULL), -EALREADY);
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_NOWAIT));
    ASSERT_EQ(outcome.code, 1);
    ASSERT_OK(fern_result_reset(&result));
    ASSERT_ERR(fern_result_get(&result, &outcome, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_result_set_error(&result, 2, NULL));
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_NOWAIT));
    ASSERT_EQ(outcome.code, 2);
}

TEST(a_result_is_in_use_until_those_whom_it_woke_have_read_it)
{
    fern_greenlet *g = fern_spawn(get_and_say, "a");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_result_set(&result, "v"));
    ASSERT_ERR(fern_result_reset(&result), -EBUSY);
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "a=v:0");
    ASSERT_OK(fern_result_reset(&result));
}

TEST(a_result_takes_over_that_a_greenlet_was_killed)
{
    fern_outcome outcome;
    fern_greenlet *g = fern_spawn(give, "v");
    ASSERT_OK(fern_result_link(&result, g));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER)); /* before it runs */
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, -ECANCELED);
    fern_greenlet_unref(g);
}

TEST(of_several_greenlets_that_a_result_is_linked_to_the_first_to_end_counts)
{
    fern_outcome outcome;
    fern_greenlet *slow = fern_spawn(give, "slow"), *fast = fern_spawn(say, "fast");
    ASSERT_OK(fern_result_link(&result, slow));
    ASSERT_OK(fern_result_link(&result, fast));
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_FOREVER));
    ASSERT_STR_EQ((char *)outcome.value, "fast");
    FINISH(fast);
    FINISH(slow);
    ASSERT_OK(fern_result_get(&result, &outcome, FERN_NOWAIT));
    ASSERT_STR_EQ((char *)outcome.value, "fast");
}

static void *
use_from_elsewhere(void *greenlet)
{
    ASSERT_ERR(fern_result_set(&result, NULL), -EXDEV);
    ASSERT_ERR(fern_result_wait(&result, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_result_reset(&result), -EXDEV);
    ASSERT_ERR(fern_result_link(&result, greenlet), -EXDEV);
    return NULL;
}

TEST(misuse_of_a_result_answers_with_its_code)
{
    pthread_t thread;
    ASSERT_ERR(fern_result_set(NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_result_set_error(&result, 0, NULL), -EINVAL);
    ASSERT_ERR(fern_result_get(&result, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_result_wait(NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_result_link(&result, NULL), -EINVAL);
    ASSERT_ERR(fern_result_reset(NULL), -EINVAL);
    ASSERT_FALSE(fern_result_ready(NULL));
    ASSERT_ERR(fern_result_wait(&result, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, fern_self()), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}
