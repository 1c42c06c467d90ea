/* SPDX-License-Identifier: MIT */
/* Gathering futures, shielding them, giving them a limit, waiting for many of them. */

#include "harness.h"

#include <errno.h>

#include "trace.h"

/* A task that sleeps so many ms and gives its argument. */
static void *
give(void *ms)
{
    int64_t n = (int64_t)(intptr_t)ms;
    if (fern_sleep(n * FERN_MS) < 0) {
        trace("stopped%d", (int)n);
        return NULL;
    }
    return ms;
}

static void *
fail(void *ms)
{
    if (fern_sleep((int64_t)(intptr_t)ms * FERN_MS) < 0)
        return NULL;
    return fern_fail((int)(intptr_t)ms, "after %d", (int)(intptr_t)ms);
}

static fern_future *
giving(int ms)
{
    return fern_task(give, (void *)(intptr_t)ms);
}

static fern_future *
failing(int ms)
{
    return fern_task(fail, (void *)(intptr_t)ms);
}

static void
unref_all(fern_future **fs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fern_future_unref(fs[i]);
}

/* ---- gather ---- */

TEST(a_gather_gives_outcomes_in_the_order_of_its_arguments)
{
    static const int expected[] = {3, 1, 2};
    fern_outcome outcome;
    fern_future *fs[] = {giving(3), giving(1), giving(2)};
    fern_future *gather = fern_gather(fs, 3, 0);
    unref_all(fs, 3);
    ASSERT_OK(fern_future_get(gather, &outcome, FERN_FOREVER));
    const fern_outcome *outcomes = outcome.value;
    for (int i = 0; i < 3; i++)
        ASSERT_EQ((intptr_t)outcomes[i].value, expected[i]);
    fern_future_unref(gather);
}

TEST(a_gather_of_gathers_nests_its_outcomes)
{
    fern_outcome outcome;
    fern_future *fs[] = {giving(1), giving(2), giving(3)};
    fern_future *gathers[] = {fern_gather(fs, 2, 0), fern_gather(fs + 2, 1, 0)};
    fern_future *both = fern_gather(gathers, 2, 0);
    unref_all(fs, 3);
    unref_all(gathers, 2);
    ASSERT_OK(fern_future_get(both, &outcome, FERN_FOREVER));
    const fern_outcome *outer = outcome.value;
    ASSERT_EQ((intptr_t)((const fern_outcome *)outer[0].value)[1].value, 2);
    ASSERT_EQ((intptr_t)((const fern_outcome *)outer[1].value)[0].value, 3);
    fern_future_unref(both);
}

TEST(the_first_error_fails_a_gather_at_once_while_the_others_go_on)
{
    fern_outcome outcome;
    fern_future *fs[] = {giving(3), failing(1), failing(2)};
    fern_future *gather = fern_gather(fs, 3, 0);
    ASSERT_OK(fern_future_get(gather, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 1);
    ASSERT_STR_EQ(outcome.message, "after 1");
    ASSERT_FALSE(fern_future_done(fs[0]));
    ASSERT_OK(fern_future_get(fs[0], &outcome, FERN_FOREVER));
    ASSERT_EQ((intptr_t)outcome.value, 3);
    ASSERT_TRUE(fern_future_done(
            fs[2])); /* its error counts as seen: the gather went on to listen */
    fern_future_unref(gather);
    unref_all(fs, 3);
}

TEST(errors_can_be_outcomes_of_a_gather)
{
    fern_outcome outcome;
    fern_future *fs[] = {giving(1), failing(2), giving(3)};
    ASSERT_EQ(fern_future_cancel(fs[2], 0), 1);
    fern_future *gather = fern_gather(fs, 3, FERN_GATHER_ERRORS);
    ASSERT_OK(fern_future_get(gather, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 0);
    const fern_outcome *outcomes = outcome.value;
    ASSERT_EQ((intptr_t)outcomes[0].value, 1);
    ASSERT_EQ(outcomes[1].code, 2);
    ASSERT_STR_EQ(outcomes[1].message, "after 2");
    ASSERT_TRUE(outcomes[2].cancelled);
    fern_future_unref(gather);
    unref_all(fs, 3);
}

TEST(cancelling_a_gather_cancels_all_of_it_and_it_is_done_when_they_are)
{
    fern_outcome outcome;
    fern_future *fs[] = {giving(5), giving(6), fern_future_new()};
    fern_future *gather = fern_gather(fs, 3, 0);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_future_cancel(gather, 0), 1);
    ASSERT_FALSE(fern_future_done(gather));
    ASSERT_OK(fern_future_get(gather, &outcome, FERN_FOREVER));
    ASSERT_TRUE(outcome.cancelled);
    for (int i = 0; i < 3; i++)
        ASSERT_TRUE(fern_future_cancelled(fs[i]));
    ASSERT_STR_EQ(trace_text, "stopped5 stopped6");
    ASSERT_EQ(fern_future_cancelling(gather), 1);
    fern_future_unref(gather);
    unref_all(fs, 3);
}

TEST(a_cancelled_one_cancels_a_gather_but_not_the_others)
{
    fern_outcome outcome;
    fern_future *fs[] = {giving(1), fern_future_new()};
    fern_future *gather = fern_gather(fs, 2, 0);
    ASSERT_EQ(fern_future_cancel(fs[1], 0), 1);
    ASSERT_OK(fern_future_get(gather, &outcome, FERN_NOWAIT));
    ASSERT_TRUE(outcome.cancelled);
    ASSERT_OK(fern_future_get(fs[0], &outcome, FERN_FOREVER));
    ASSERT_EQ((intptr_t)outcome.value, 1);
    fern_future_unref(gather);
    unref_all(fs, 2);
}

TEST(a_gather_takes_duplicates_and_nothing)
{
    fern_outcome outcome;
    fern_future *one = giving(1), *fs[] = {one, one, one};
    fern_future *gather = fern_gather(fs, 3, 0), *none = fern_gather(NULL, 0, 0);
    ASSERT_TRUE(fern_future_done(none));
    ASSERT_OK(fern_future_get(gather, &outcome, FERN_FOREVER));
    for (int i = 0; i < 3; i++)
        ASSERT_EQ((intptr_t)((const fern_outcome *)outcome.value)[i].value, 1);
    fern_future_unref(gather);
    fern_future *again = giving(9), *both[] = {again, again};
    gather = fern_gather(both, 2, 0);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_future_cancel(gather, 0), 1);
    ASSERT_EQ(fern_future_cancelling(again), 1); /* asked once */
    ASSERT_OK(fern_future_wait(gather, FERN_FOREVER));
    fern_future_unref(gather);
    fern_future_unref(again);
    fern_future_unref(none);
    fern_future_unref(one);
}

TEST(a_gather_that_is_freed_early_leaves_the_others_alone)
{
    fern_future *fs[] = {giving(1), giving(2)};
    fern_future_unref(fern_gather(fs, 2, 0));
    ASSERT_EQ(fern_wait_futures(fs, 2, FERN_WHEN_ALL, NULL, FERN_FOREVER), 2);
    ASSERT_STR_EQ(trace_text, "");
    unref_all(fs, 2);
}

/* ---- shield ---- */

TEST(cancelling_a_shield_leaves_what_it_shields_alone)
{
    fern_outcome outcome;
    fern_future *inner = giving(1), *shield = fern_future_shield(inner);
    ASSERT_EQ(fern_future_cancel(shield, 0), 1);
    ASSERT_TRUE(fern_future_cancelled(shield));
    ASSERT_OK(fern_future_get(inner, &outcome, FERN_FOREVER));
    ASSERT_EQ((intptr_t)outcome.value, 1);
    fern_future_unref(shield);
    shield = fern_future_shield(inner); /* of one that is done */
    ASSERT_OK(fern_future_get(shield, &outcome, FERN_NOWAIT));
    ASSERT_EQ((intptr_t)outcome.value, 1);
    fern_future_unref(shield);
    fern_future_unref(inner);
}

TEST(a_shield_ends_as_what_it_shields_does)
{
    fern_outcome outcome;
    fern_future *inner = failing(1), *shield = fern_future_shield(inner);
    fern_future_unref(inner);
    ASSERT_OK(fern_future_get(shield, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 1);
    ASSERT_STR_EQ(outcome.message, "after 1");
    fern_future_unref(shield);
    inner = giving(1);
    fern_future_unref(fern_future_shield(inner)); /* freed before it is done */
    ASSERT_OK(fern_future_wait(inner, FERN_FOREVER));
    fern_future_unref(inner);
}

TEST(a_shielded_future_outlives_the_limit_of_a_wait_for)
{
    fern_outcome outcome;
    fern_future *inner = giving(5), *shield = fern_future_shield(inner);
    ASSERT_ERR(fern_wait_for(shield, &outcome, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_future_get(inner, &outcome, FERN_FOREVER));
    ASSERT_EQ((intptr_t)outcome.value, 5);
    fern_future_unref(shield);
    fern_future_unref(inner);
}

/* ---- wait_for ---- */

TEST(a_wait_for_gives_what_is_done_in_time)
{
    fern_outcome outcome;
    fern_future *f = giving(1);
    ASSERT_ERR(fern_wait_for(f, &outcome, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_wait_for(f, &outcome, fern_in(2 * FERN_MS)));
    ASSERT_EQ((intptr_t)outcome.value, 1);
    ASSERT_OK(fern_wait_for(f, &outcome, fern_in(0))); /* done, however late one asks */
    fern_future_unref(f);
}

static void *
clean_up_slowly(void *result)
{
    if (fern_sleep(FERN_HOUR) == -ECANCELED) {
        FERN_SHIELD (shield)
            ASSERT_OK(fern_sleep(5 * FERN_MS));
        trace("cleaned");
        if (!result)
            return NULL;
        (void)fern_uncancel();
    }
    return (intptr_t)result > 0 ? result : fern_fail((int)(intptr_t)result, "in the end");
}

TEST(a_wait_for_that_is_too_late_cancels_and_waits_for_the_end)
{
    fern_outcome outcome;
    fern_future *f = fern_task(clean_up_slowly, NULL);
    fern_time begin = fern_now();
    ASSERT_ERR(fern_wait_for(f, &outcome, fern_in(FERN_MS)), -ETIME);
    ASSERT_STR_EQ(trace_text, "cleaned");
    ASSERT_TRUE(fern_future_cancelled(f));
    ASSERT_GE(fern_time_diff(fern_now(), begin), 6 * FERN_MS);
    fern_future_unref(f);
    f = fern_task(clean_up_slowly, NULL); /* with no time at all */
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_wait_for(f, &outcome, fern_in(0)), -ETIME);
    ASSERT_STR_EQ(trace_text, "cleaned cleaned");
    fern_future_unref(f);
}

TEST(what_a_cancelled_one_ends_with_all_the_same_is_the_outcome_of_wait_for)
{
    fern_outcome outcome;
    fern_future *f = fern_task(clean_up_slowly, (void *)4);
    ASSERT_OK(fern_wait_for(f, &outcome, fern_in(FERN_MS)));
    ASSERT_EQ((intptr_t)outcome.value, 4);
    fern_future_unref(f);
    f = fern_task(clean_up_slowly, (void *)-4);
    ASSERT_OK(fern_wait_for(f, &outcome, fern_in(FERN_MS)));
    ASSERT_EQ(outcome.code, -4);
    fern_future_unref(f);
}

static void *
wait_for_it(void *f)
{
    fern_outcome outcome;
    ASSERT_ERR(fern_wait_for(f, &outcome, FERN_FOREVER), -ECANCELED);
    trace("waiter");
    ASSERT_ERR(fern_wait_for(f, &outcome, FERN_FOREVER), -ECANCELED); /* on entry */
    ASSERT_OK(fern_wait_for(f, &outcome, FERN_NOWAIT));
    return NULL;
}

TEST(killing_who_waits_for_one_cancels_it_and_waits_for_its_end_first)
{
    fern_future *f = fern_task(clean_up_slowly, NULL);
    fern_greenlet *g = fern_spawn(wait_for_it, f);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "cleaned waiter");
    fern_greenlet_unref(g);
    fern_future_unref(f);
}

TEST(a_scope_that_passes_cancels_what_is_waited_for_too)
{
    fern_outcome outcome;
    fern_future *f = giving(5);
    FERN_SCOPE (scope, fern_in(FERN_MS)) {
        ASSERT_ERR(fern_wait_for(f, &outcome, FERN_FOREVER), -ETIME);
        ASSERT_TRUE(fern_scope_fired(&scope));
    }
    ASSERT_TRUE(fern_future_cancelled(f));
    fern_future_unref(f);
}

TEST(a_future_that_is_done_at_the_very_moment_of_the_deadline_is_done)
{
    fern_outcome outcome;
    fern_future *f = giving(1);
    ASSERT_OK(fern_yield()); /* its sleep begins now: both are due together */
    fern_time when = fern_in(FERN_MS);
    ASSERT_OK(fern_wait_for(f, &outcome, when));
    ASSERT_EQ((intptr_t)outcome.value, 1);
    fern_future_unref(f);
}

/* ---- many ---- */

TEST(a_wait_for_all_lists_those_that_are_done_in_order_of_completion)
{
    fern_future *fs[] = {giving(3), giving(1), failing(2)}, *done[3];
    ASSERT_EQ(fern_wait_futures(fs, 3, FERN_WHEN_ALL, done, FERN_FOREVER), 3);
    ASSERT_TRUE(done[0] == fs[1] && done[1] == fs[2] && done[2] == fs[0]);
    ASSERT_EQ(fern_wait_futures(fs, 3, FERN_WHEN_ALL, done, FERN_NOWAIT), 3);
    ASSERT_TRUE(done[0] == fs[0] && done[1] == fs[1] && done[2] == fs[2]);
    fern_outcome seen;
    ASSERT_OK(fern_future_outcome(fs[2], &seen));
    unref_all(fs, 3);
}

TEST(a_wait_for_the_first_returns_at_the_first)
{
    fern_future *fs[] = {giving(3), giving(1), giving(2)}, *done[3];
    ASSERT_EQ(fern_wait_futures(fs, 3, FERN_WHEN_FIRST, done, FERN_FOREVER), 1);
    ASSERT_TRUE(done[0] == fs[1]);
    ASSERT_EQ(fern_wait_futures(fs, 3, FERN_WHEN_ALL, NULL, FERN_FOREVER), 3);
    unref_all(fs, 3);
}

TEST(a_wait_for_the_first_error_passes_values_and_cancelled_ones)
{
    fern_outcome seen;
    fern_future *fs[] = {giving(1), fern_future_new(), failing(2), giving(3)}, *done[4];
    ASSERT_EQ(fern_future_cancel(fs[1], 0), 1);
    ASSERT_EQ(fern_wait_futures(fs, 4, FERN_WHEN_FIRST_ERROR, done, FERN_FOREVER), 3);
    ASSERT_TRUE(done[0] == fs[1] && done[1] == fs[0] && done[2] == fs[2]);
    ASSERT_OK(fern_future_outcome(fs[2], &seen));
    ASSERT_EQ(fern_wait_futures(&fs[3], 1, FERN_WHEN_FIRST_ERROR, NULL, FERN_FOREVER), 1);
    unref_all(fs, 4);
}

TEST(the_deadline_of_a_wait_for_many_cancels_nothing_and_is_no_error)
{
    fern_future *fs[] = {giving(1), giving(9)}, *done[2];
    ASSERT_EQ(fern_wait_futures(fs, 2, FERN_WHEN_ALL, done, fern_in(2 * FERN_MS)), 1);
    ASSERT_TRUE(done[0] == fs[0]);
    ASSERT_EQ(fern_wait_futures(fs + 1, 1, FERN_WHEN_ALL, done, fern_in(FERN_MS)), 0);
    FERN_SCOPE (scope, fern_in(FERN_MS))
        ASSERT_ERR(fern_wait_futures(fs, 2, FERN_WHEN_ALL, done, FERN_FOREVER), -ETIME);
    ASSERT_EQ(fern_wait_futures(fs, 2, FERN_WHEN_ALL, NULL, FERN_FOREVER), 2);
    ASSERT_STR_EQ(trace_text, "");
    unref_all(fs, 2);
}

TEST(many_futures_can_be_waited_for_and_listed_twice)
{
    fern_future *fs[20], *done[20];
    for (int i = 0; i < 19; i++)
        fs[i] = giving(20 - i);
    fs[19] = fs[0];
    ASSERT_EQ(fern_wait_futures(fs, 20, FERN_WHEN_ALL, done, FERN_FOREVER), 20);
    ASSERT_TRUE(done[0] == fs[18]);
    ASSERT_TRUE(done[18] == fs[0] && done[19] == fs[0]);
    unref_all(fs, 19);
}

TEST(as_completed_gives_each_once_in_order_of_completion)
{
    fern_future *next, *fs[] = {giving(3), giving(1), giving(2), NULL, NULL};
    int r;
    fs[3] = fs[0];
    fs[4] = fern_future_new();
    ASSERT_OK(fern_future_set(fs[4], NULL));
    fern_completed *it = fern_as_completed(fs, 5);
    ASSERT_EQ(fern_completed_next(it, &next, FERN_NOWAIT), 1);
    ASSERT_TRUE(next == fs[4]); /* it was done before */
    ASSERT_ERR(fern_completed_next(it, &next, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_completed_next(it, &next, fern_in(1)), -ETIME);
    ASSERT_OK(fern_sleep(2 * FERN_MS)); /* one is done while nobody asks */
    fern_iterator iterator = fern_completed_iterator(it);
    FERN_EACH(r, next, &iterator)
    trace("%d", next == fs[0] ? 3 : next == fs[1] ? 1 : 2);
    ASSERT_EQ(r, 0);
    ASSERT_STR_EQ(trace_text, "1 2 3");
    ASSERT_EQ(fern_next(&iterator, NULL, FERN_NOWAIT), 0);
    fern_completed_free(it);
    fern_completed_free(NULL);
    unref_all(fs, 3);
    fern_future_unref(fs[4]);
}

TEST(an_iteration_over_futures_can_be_left_early)
{
    fern_future *next, *fs[] = {giving(1), giving(2)};
    fern_completed *it = fern_as_completed(fs, 2);
    ASSERT_EQ(fern_completed_next(it, &next, FERN_FOREVER), 1);
    fern_completed_free(it);
    ASSERT_OK(fern_future_wait(fs[1], FERN_FOREVER));
    unref_all(fs, 2);
}

TEST(misuse_of_many_futures_answers_with_its_code)
{
    fern_outcome outcome;
    fern_future *next, *none = NULL, *f = fern_future_new();
    ASSERT_ERR(fern_wait_futures(&f, 0, FERN_WHEN_ALL, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_wait_futures(NULL, 1, FERN_WHEN_ALL, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_wait_futures(&none, 1, FERN_WHEN_ALL, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_wait_futures(&f, 1, (fern_when)9, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_NULL(fern_gather(&none, 1, 0));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_NULL(fern_gather(&f, 1, 2));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_NULL(fern_future_shield(NULL));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_NULL(fern_as_completed(&none, 1));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_ERR(fern_completed_next(NULL, &next, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_wait_for(NULL, &outcome, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_wait_for(f, NULL, FERN_NOWAIT), -EINVAL);
    fern_future *gather = fern_gather(&f, 1, 0);
    ASSERT_ERR(fern_future_set(gather, NULL), -EPERM);
    fern_future_unref(gather);
    fern_future_unref(f);
}
