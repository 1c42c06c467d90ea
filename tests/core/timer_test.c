/* SPDX-License-Identifier: MIT */
/* Timers of the user: order, repetition without drift, stopping, memory. Time is virtual. */

#include "harness.h"

#include <errno.h>

#include "core/hub.h"
#include "trace.h"

static void
fire(void *word)
{
    trace("%s", (const char *)word);
}

TEST(a_timer_fires_once_and_is_active_until_then)
{
    fern_timer timer = FERN_TIMER_INIT;
    ASSERT_FALSE(fern_timer_active(&timer));
    ASSERT_FALSE(fern_timer_active(NULL));
    ASSERT_OK(fern_timer_start(&timer, fern_in(FERN_MS), 0, fire, "x"));
    ASSERT_TRUE(fern_timer_active(&timer));
    ASSERT_OK(fern_sleep(5 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "x");
    ASSERT_FALSE(fern_timer_active(&timer));
    ASSERT_EQ(fern_timer_stop(&timer), 0);
    ASSERT_OK(fern_timer_start(&timer, fern_in(FERN_MS), 0, fire, "again"));
    ASSERT_OK(fern_sleep(5 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "x again");
}

TEST(timers_fire_by_deadline_and_equal_ones_in_order_of_starting)
{
    static fern_timer t[5];
    fern_time when = fern_in(2 * FERN_MS);
    ASSERT_OK(fern_timer_start(&t[0], when, 0, fire, "c"));
    ASSERT_OK(fern_timer_start(&t[1], when, 0, fire, "d"));
    ASSERT_OK(fern_timer_start(&t[2], fern_in(FERN_MS), 0, fire, "b"));
    ASSERT_OK(fern_timer_start(&t[3], when, 0, fire, "e"));
    ASSERT_OK(fern_timer_start(&t[4], FERN_NOWAIT, 0, fire, "a"));
    ASSERT_OK(fern_sleep(5 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "a b c d e");
}

static fern_timer chained;

static void
fire_and_chain(void *word)
{
    trace("%s", (const char *)word);
    ASSERT_OK(fern_timer_start(&chained, FERN_NOWAIT, 0, fire, "chained"));
}

TEST(what_is_due_at_one_moment_fires_before_what_that_starts)
{
    fern_timer a = FERN_TIMER_INIT, b = FERN_TIMER_INIT;
    fern_time when = fern_in(FERN_MS);
    ASSERT_OK(fern_timer_start(&a, when, 0, fire_and_chain, "a"));
    ASSERT_OK(fern_timer_start(&b, when, 0, fire, "b"));
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "a b chained");
}

static fern_timer repeating;
static fern_time begun;
static int beats;

static void
beat(void *last)
{
    trace("%d", (int)(fern_time_diff(fern_now(), begun) / FERN_MS));
    ASSERT_TRUE(fern_timer_active(&repeating));
    if (++beats == *(int *)last)
        ASSERT_EQ(fern_timer_stop(&repeating), 1);
}

TEST(a_repeating_timer_keeps_its_beat_until_it_is_stopped)
{
    int last = 4;
    begun = fern_now();
    fern_time first = fern_time_add(begun, 3 * FERN_MS);
    ASSERT_OK(fern_timer_start(&repeating, first, 10 * FERN_MS, beat, &last));
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_STR_EQ(trace_text, "3 13 23 33");
    ASSERT_FALSE(fern_timer_active(&repeating));
}

static void
count_beat(void *unused)
{
    (void)unused;
    beats++;
}

TEST(beats_that_were_missed_are_one_call)
{
    ASSERT_NOT_NULL(fern_self());
    fern_time long_ago = fern_time_add(fern_now(), -10 * FERN_MS);
    ASSERT_OK(fern_timer_start(&repeating, long_ago, FERN_MS, count_beat, NULL));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_sleep_until(fern_now()));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(beats, 1);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(beats, 2);
    ASSERT_EQ(fern_timer_stop(&repeating), 1);
}

TEST(a_stopped_timer_does_not_fire_even_when_its_call_is_pending)
{
    fern_timer t = FERN_TIMER_INIT, other = FERN_TIMER_INIT;
    ASSERT_OK(fern_timer_start(&t, fern_in(FERN_MS), 0, fire, "never"));
    ASSERT_EQ(fern_timer_stop(&t), 1);
    ASSERT_EQ(fern_timer_stop(&t), 0);
    ASSERT_OK(fern_timer_start(&t, FERN_NOWAIT, 0, fire, "never"));
    ASSERT_OK(fern_timer_start(&other, FERN_NOWAIT, 0, fire, "other"));
    /* Fire them, and come back before their calls are made. */
    fern_time now = fern_now();
    fern__hub_need()->turn_at = fern__hub_need()->ready.head;
    (void)now;
    ASSERT_OK(fern_sleep_until(FERN_NOWAIT));
    ASSERT_STR_HAS(trace_text, "other");
    ASSERT_EQ(fern_timer_stop(&t), 0);
}

TEST(a_started_timer_can_be_started_anew)
{
    fern_timer t = FERN_TIMER_INIT;
    ASSERT_OK(fern_timer_start(&t, fern_in(FERN_MS), FERN_MS, fire, "old"));
    ASSERT_OK(fern_timer_start(&t, fern_in(2 * FERN_MS), 0, fire, "new"));
    ASSERT_OK(fern_sleep(10 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "new");
    ASSERT_OK(fern_timer_start(&t, FERN_FOREVER, 0, fire, "never"));
    ASSERT_TRUE(fern_timer_active(&t));
    ASSERT_OK(fern_sleep(FERN_HOUR));
    ASSERT_EQ(fern_timer_stop(&t), 1);
    ASSERT_STR_EQ(trace_text, "new");
}

TEST(misuse_of_timers_is_einval)
{
    fern_timer t = FERN_TIMER_INIT;
    ASSERT_ERR(fern_timer_start(NULL, FERN_NOWAIT, 0, fire, NULL), -EINVAL);
    ASSERT_ERR(fern_timer_start(&t, FERN_NOWAIT, 0, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_timer_start(&t, FERN_NOWAIT, -1, fire, NULL), -EINVAL);
    ASSERT_ERR(fern_timer_stop(NULL), -EINVAL);
    ASSERT_ERR(fern_timer_set_daemon(NULL, true), -EINVAL);
}

static void *
start_timer(void *timer)
{
    ASSERT_OK(fern_timer_start(timer, fern_in(FERN_MS), 0, fire, "outlived"));
    return NULL;
}

TEST(a_timer_outlives_the_greenlet_that_started_it)
{
    static fern_timer timer;
    FINISH(fern_spawn(start_timer, &timer));
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "outlived");
}

static void
fail_in_timer(void *word)
{
    trace("%s", (const char *)word);
    (void)fern_fail(3, "timer");
}

TEST(a_failure_in_a_timers_function_leaves_the_others_and_the_hub_alive)
{
    fern_timer a = FERN_TIMER_INIT, b = FERN_TIMER_INIT;
    ASSERT_OK(fern_timer_start(&a, fern_in(FERN_MS), 0, fail_in_timer, "a"));
    ASSERT_OK(fern_timer_start(&b, fern_in(FERN_MS), 0, fire, "b"));
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "a b");
}

TEST(ten_thousand_cancelled_timers_leave_nothing_behind)
{
    static fern_timer timers[10000];
    for (int i = 0; i < 10000; i++)
        ASSERT_OK(fern_timer_start(&timers[i], fern_in(FERN_HOUR), i % 2, fire, NULL));
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.timers, 10000);
    for (int i = 0; i < 10000; i++)
        ASSERT_EQ(fern_timer_stop(&timers[(i * 7919) % 10000]), 1);
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.timers, 0);
    ASSERT_EQ(fern__self_hub()->wakers, 0);
}

/* ---- as greenlets, and bound to one ---- */

TEST(a_delayed_greenlet_is_a_timer_that_may_wait_and_its_cancel_tells_whether_it_came_in_time)
{
    FERN_SPAWN_OPTIONS(options);
    options.delay_ns = FERN_SECOND;
    fern_time start = fern_now();
    fern_greenlet *fires = fern_spawn_with(say, "fires", &options);
    fern_greenlet *cancelled = fern_spawn_with(say, "cancelled", &options);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(fern_cancel_start(cancelled), 1);
    ASSERT_OK(fern_join(cancelled, FERN_NOWAIT));
    ASSERT_OK(fern_join(fires, FERN_FOREVER));
    ASSERT_EQ(fern_time_diff(fern_now(), start), FERN_SECOND);
    ASSERT_EQ(fern_cancel_start(fires), 0);
    ASSERT_EQ(fern_cancel_start(cancelled), 0);
    ASSERT_STR_EQ(trace_text, "fires");
    fern_greenlet_unref(fires);
    fern_greenlet_unref(cancelled);
}

static fern_timer owned, stopped;

static void
say_timer(void *word)
{
    say(word);
}

static void *
own_timers(void *unused)
{
    FERN_SPAWN_OPTIONS(options);
    options.delay_ns = FERN_SECOND;
    options.with_parent = true;
    options.detached = true;
    ASSERT_TRUE(fern_spawn_with(say, "late child", &options) != NULL);
    ASSERT_OK(fern_timer_start(&owned, fern_in(FERN_MS), FERN_MS, say_timer, "tick"));
    ASSERT_OK(fern_timer_set_owner(&owned, fern_self()));
    ASSERT_OK(fern_timer_start(&stopped, fern_in(FERN_MS), 0, say_timer, "once"));
    ASSERT_OK(fern_timer_set_owner(&stopped, fern_self()));
    ASSERT_OK(fern_sleep(FERN_MS * 5 / 2));
    return unused;
}

TEST(a_timer_with_an_owner_stops_when_that_ends)
{
    FINISH(fern_spawn(own_timers, NULL));
    ASSERT_FALSE(fern_timer_active(&owned));
    ASSERT_OK(fern_sleep(FERN_MINUTE));
    ASSERT_STR_EQ(trace_text, "tick once tick");
}

static void *
wait_for_end(void *unused)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    return unused;
}

TEST(a_timer_that_was_disowned_stopped_or_started_anew_outlives_its_owner)
{
    fern_greenlet *owner = fern_spawn(wait_for_end, NULL);
    fern_time when = fern_in(FERN_SECOND);
    ASSERT_OK(fern_timer_start(&owned, when, 0, say_timer, "disowned"));
    ASSERT_OK(fern_timer_set_owner(&owned, owner));
    ASSERT_OK(fern_timer_set_owner(&owned, owner));
    ASSERT_OK(fern_timer_set_owner(&owned, NULL));
    ASSERT_OK(fern_timer_start(&stopped, when, 0, say_timer, "?"));
    ASSERT_OK(fern_timer_set_owner(&stopped, owner));
    ASSERT_EQ(fern_timer_stop(&stopped), 1);
    ASSERT_OK(fern_timer_start(&stopped, when, 0, say_timer, "anew"));
    ASSERT_OK(fern_join(owner, FERN_FOREVER));
    ASSERT_ERR(fern_timer_set_owner(&stopped, owner), -ESRCH);
    ASSERT_OK(fern_sleep(FERN_MINUTE));
    ASSERT_STR_EQ(trace_text, "disowned anew");
    ASSERT_ERR(fern_timer_set_owner(&stopped, fern_self()), -EINVAL);
    ASSERT_ERR(fern_timer_set_owner(NULL, fern_self()), -EINVAL);
    fern_greenlet_unref(owner);
}
