/* SPDX-License-Identifier: MIT */
/* Waiting for greenlets to end: one, several, some of several. */

#include "harness.h"

#include <errno.h>

#include "trace.h"

static void *
sleep_ms(void *ms)
{
    if (fern_sleep(*(int *)ms * FERN_MS) < 0)
        return NULL;
    return ms;
}

static void *
fail_after_ms(void *ms)
{
    if (*(int *)ms && fern_sleep(*(int *)ms * FERN_MS) < 0)
        return NULL;
    return fern_fail(*(int *)ms + 1, "after %d ms", *(int *)ms);
}

static fern_greenlet *
spawn_quiet(fern_fn *fn, void *arg)
{
    FERN_SPAWN_OPTIONS(options);
    options.quiet = true;
    return fern_spawn_with(fn, arg, &options);
}

static void
unref_all(fern_greenlet **gs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fern_greenlet_unref(gs[i]);
}

/* ---- one ---- */

static fern_greenlet *target;

static void *
join_target(void *word)
{
    ASSERT_OK(fern_join(target, FERN_FOREVER));
    return say(word);
}

TEST(joiners_wake_in_the_order_in_which_they_came)
{
    int ms = 5;
    target = fern_spawn(sleep_ms, &ms);
    static char *words[] = {"a", "b", "c", "d"};
    fern_greenlet *gs[4];
    for (int i = 0; i < 4; i++)
        gs[i] = fern_spawn(join_target, words[i]);
    ASSERT_OK(fern_join_all(gs, 4, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "a b c d");
    unref_all(gs, 4);
    fern_greenlet_unref(target);
}

TEST(joining_one_that_has_ended_returns_at_once_without_a_switch)
{
    fern_greenlet *g = fern_spawn(say, "a");
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_go(say, "later"));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_OK(fern_join(g, FERN_NOWAIT));
    ASSERT_STR_EQ(trace_text, "a");
    ASSERT_OK(fern_yield());
    fern_greenlet_unref(g);
}

TEST(a_join_that_must_not_wait_only_asks)
{
    fern_greenlet *g = fern_spawn(say, "a");
    fern_outcome outcome = {.code = 77};
    ASSERT_ERR(fern_join(g, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_get(g, &outcome, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_join_all(&g, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(outcome.code, 77);
    ASSERT_STR_EQ(trace_text, "");
    FINISH(g);
}

TEST(a_join_whose_deadline_passes_leaves_the_other_alone)
{
    int ms = 20;
    fern_greenlet *g = fern_spawn(sleep_ms, &ms);
    fern_outcome outcome = {.code = 77};
    ASSERT_ERR(fern_join(g, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_get(g, &outcome, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_get(g, &outcome, fern_in(-5)), -ETIME);
    ASSERT_EQ(outcome.code, 77);
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_TRUE(outcome.value == &ms);
    fern_greenlet_unref(g);
}

static void *
join_itself(void *unused)
{
    fern_greenlet *self = fern_self();
    fern_outcome outcome;
    ASSERT_ERR(fern_join(self, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_join(self, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_get(self, &outcome, fern_in(FERN_MS)), -EDEADLK);
    ASSERT_ERR(fern_join_all(&self, 1, FERN_FOREVER), -EDEADLK);
    return unused;
}

TEST(joining_itself_is_edeadlk)
{
    (void)join_itself(NULL);
    FINISH(fern_spawn(join_itself, NULL));
}

TEST(misuse_of_joins_is_einval)
{
    fern_outcome outcome;
    fern_greenlet *none[] = {fern_self(), NULL};
    ASSERT_ERR(fern_join(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_get(NULL, &outcome, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_get(fern_self(), NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_join_all(NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_join_all(none, 2, FERN_FOREVER), -EINVAL);
    FERN_JOIN_OPTIONS(options);
    options.count = 3;
    ASSERT_ERR(fern_join_all_with(none, 1, &options, FERN_FOREVER), -EINVAL);
    options.count = 0;
    options.size = 1;
    ASSERT_ERR(fern_join_all_with(none, 1, &options, FERN_FOREVER), -EINVAL);
    ASSERT_OK(fern_join_all(NULL, 0, FERN_FOREVER));
}

static void *
drop_target(void *unused)
{
    fern_greenlet_unref(target);
    ASSERT_OK(fern_unpark(target));
    return unused;
}

static void *
park(void *value)
{
    ASSERT_OK(fern_park(FERN_FOREVER));
    return value;
}

TEST(get_keeps_what_it_waits_for)
{
    target = fern_spawn(park, "value");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_go(drop_target, NULL));
    fern_outcome outcome;
    ASSERT_OK(fern_get(target, &outcome, FERN_FOREVER));
    ASSERT_STR_EQ(outcome.value, "value");
}

static void *
join_in_vain(void *ret)
{
    *(int *)ret = fern_join(target, FERN_FOREVER);
    return NULL;
}

TEST(a_killed_joiner_leaves_the_others_in_their_order)
{
    target = fern_spawn(park, NULL);
    int r = 0;
    fern_greenlet *a = fern_spawn(join_target, "a");
    fern_greenlet *dying = fern_spawn(join_in_vain, &r);
    fern_greenlet *b = fern_spawn(join_target, "b");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(dying, 0, FERN_FOREVER));
    ASSERT_ERR(r, -ECANCELED);
    ASSERT_OK(fern_unpark(target));
    FINISH(target);
    FINISH(b);
    FINISH(a);
    fern_greenlet_unref(dying);
    ASSERT_STR_EQ(trace_text, "a b");
}

/* ---- several (A1.10, D 16-18, B4.10) ---- */

TEST(join_all_waits_for_all_and_takes_duplicates)
{
    int ms[] = {3, 1};
    fern_greenlet *a = fern_spawn(sleep_ms, &ms[0]), *b = fern_spawn(sleep_ms, &ms[1]);
    fern_greenlet *gs[] = {a, b, a};
    ASSERT_OK(fern_join_all(gs, 3, FERN_FOREVER));
    ASSERT_TRUE(fern_ready(a) && fern_ready(b));
    ASSERT_OK(fern_join_all(gs, 3, FERN_NOWAIT));
    unref_all(gs, 2);
}

TEST(those_that_ended_are_given_in_the_order_of_their_ends)
{
    int ms[] = {8, 0, 2, 5};
    fern_greenlet *gs[4], *done[4];
    for (int i = 0; i < 4; i++)
        gs[i] = fern_spawn(sleep_ms, &ms[i]);
    ASSERT_OK(fern_join(gs[2], FERN_FOREVER));
    size_t count = 0;
    FERN_JOIN_OPTIONS(options);
    options.ret_done = done;
    options.ret_done_count = &count;
    ASSERT_OK(fern_join_all_with(gs, 4, &options, FERN_FOREVER));
    ASSERT_EQ(count, 4);
    /* Those that had ended come first, in the order of the array. */
    ASSERT_TRUE(done[0] == gs[1] && done[1] == gs[2]);
    ASSERT_TRUE(done[2] == gs[3] && done[3] == gs[0]);
    unref_all(gs, 4);
}

TEST(count_returns_when_so_many_have_ended)
{
    int ms[] = {60000, 1, 2};
    fern_greenlet *gs[3], *done[3] = {NULL};
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(sleep_ms, &ms[i]);
    size_t count = 0;
    FERN_JOIN_OPTIONS(options);
    options.count = 2;
    options.ret_done = done;
    options.ret_done_count = &count;
    ASSERT_OK(fern_join_all_with(gs, 3, &options, FERN_FOREVER));
    ASSERT_EQ(count, 2);
    ASSERT_TRUE(done[0] == gs[1] && done[1] == gs[2] && !done[2]);
    ASSERT_FALSE(fern_ready(gs[0]));
    ASSERT_OK(fern_kill(gs[0], 0, FERN_FOREVER));
    unref_all(gs, 3);
}

TEST(of_a_slow_and_a_fast_failure_the_fast_one_is_given_and_the_other_runs_on)
{
    int slow = 5, fast = 0;
    fern_greenlet *gs[] = {
            spawn_quiet(fail_after_ms, &slow), spawn_quiet(fail_after_ms, &fast)};
    fern_greenlet *failed = NULL;
    FERN_JOIN_OPTIONS(options);
    options.stop_at_failure = true;
    options.ret_failed = &failed;
    ASSERT_OK(fern_join_all_with(gs, 2, &options, FERN_FOREVER));
    ASSERT_TRUE(failed == gs[1]);
    ASSERT_FALSE(fern_ready(gs[0]));
    ASSERT_OK(fern_join_all_with(gs, 1, &options, FERN_FOREVER));
    ASSERT_TRUE(failed == gs[0]);
    unref_all(gs, 2);
}

TEST(a_failure_behind_those_that_were_wanted_is_not_counted)
{
    int good = 0, bad = 2;
    fern_greenlet *gs[] = {fern_spawn(sleep_ms, &good), spawn_quiet(fail_after_ms, &bad)};
    fern_greenlet *failed = gs[0];
    FERN_JOIN_OPTIONS(options);
    options.count = 1;
    options.stop_at_failure = true;
    options.ret_failed = &failed;
    ASSERT_OK(fern_join_all_with(gs, 2, &options, FERN_FOREVER));
    ASSERT_NULL(failed);
    ASSERT_OK(fern_join_all(gs, 2, FERN_FOREVER));
    unref_all(gs, 2);
}

TEST(a_deadline_of_many_tells_how_many_have_ended_and_forgets_the_rest)
{
    enum { MANY = 20 };
    int now = 0, ms = 5;
    fern_greenlet *gs[MANY];
    for (int i = 0; i < MANY; i++)
        gs[i] = fern_spawn(sleep_ms, i % 2 ? &ms : &now);
    size_t count = 0;
    FERN_JOIN_OPTIONS(options);
    options.ret_done_count = &count;
    ASSERT_ERR(fern_join_all_with(gs, MANY, &options, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(count, MANY / 2);
    ASSERT_OK(fern_join_all(gs, MANY, FERN_FOREVER));
    unref_all(gs, MANY);
}

static void *
join_many(void *gs)
{
    return fern_join_all(gs, 3, FERN_FOREVER) == -ECANCELED ? "cancelled" : NULL;
}

TEST(a_killed_join_of_several_leaves_no_link_behind)
{
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(park, NULL);
    fern_greenlet *joiner = fern_spawn(join_many, gs);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_unpark(gs[1]));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(joiner, 0, FERN_FOREVER));
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(joiner, &outcome));
    ASSERT_STR_EQ(outcome.value, "cancelled");
    ASSERT_OK(fern_unpark(gs[0]));
    ASSERT_OK(fern_unpark(gs[2]));
    ASSERT_OK(fern_join_all(gs, 3, FERN_FOREVER));
    unref_all(gs, 3);
    fern_greenlet_unref(joiner);
}
