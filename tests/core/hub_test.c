/* SPDX-License-Identifier: MIT */
/*
 * A hub: made when needed, looked at, stepped by a foreign loop; errno of its greenlets; and main
 * when nothing can wake it.
 */

#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "trace.h"

/* ---- made when needed ---- */

TEST(without_a_hub_there_is_nobody_to_yield_to)
{
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_checkpoint());
    ASSERT_EQ(fern_uncancel(), 0);
    ASSERT_EQ(fern_cancelling(NULL), 0);
    ASSERT_EQ(fern_hub_timeout(), -1);
    fern_hub_stats stats;
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.greenlets, 0);
    ASSERT_GT(fern_now().ns, 0);
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.greenlets, 0);
    ASSERT_NOT_NULL(fern_self());
    ASSERT_OK(fern_hub_get_stats(&stats));
    ASSERT_EQ(stats.greenlets, 1);
    ASSERT_ERR(fern_hub_get_stats(NULL), -EINVAL);
}

TEST(options_of_the_hub_are_checked)
{
    ASSERT_ERR(fern_hub_set_options(NULL), -EINVAL);
    fern_hub_options options = {.size = 3};
    ASSERT_ERR(fern_hub_set_options(&options), -EINVAL);
    options = (fern_hub_options){.size = sizeof options, .switches_max = 5};
    ASSERT_OK(fern_hub_set_options(&options));
    ASSERT_NOT_NULL(fern_hub_poller());
}

/* ---- embedded in a foreign loop ---- */

static void *
step_thrice(void *word)
{
    for (int i = 0; i < 3; i++) {
        trace("%s%d", (const char *)word, i);
        if (fern_yield() < 0)
            return NULL;
    }
    return NULL;
}

TEST(a_step_gives_everybody_who_is_ready_one_turn)
{
    ASSERT_EQ(fern_hub_step(), 0);
    fern_greenlet *a = fern_spawn(step_thrice, "a");
    fern_greenlet *b = fern_spawn(step_thrice, "b");
    ASSERT_EQ(fern_hub_timeout(), 0);
    ASSERT_GT(fern_hub_step(), 0);
    trace("|");
    ASSERT_GT(fern_hub_step(), 0);
    trace("|");
    ASSERT_GT(fern_hub_step(), 0);
    ASSERT_STR_EQ(trace_text, "a0 b0 | a1 b1 | a2 b2");
    ASSERT_GT(fern_hub_step(), 0);
    ASSERT_EQ(fern_hub_step(), 0);
    ASSERT_EQ(fern_hub_timeout(), -1);
    FINISH(a);
    FINISH(b);
}

static void
tick(void *arg)
{
    trace("%s", (const char *)arg);
}

TEST(the_timeout_is_that_of_the_nearest_timer)
{
    fern_timer timer = FERN_TIMER_INIT;
    ASSERT_OK(fern_timer_start(&timer, fern_in(FERN_HOUR), 0, tick, "late"));
    int64_t wait = fern_hub_timeout();
    ASSERT_GT(wait, 0);
    ASSERT_LE(wait, FERN_HOUR);
    ASSERT_OK(fern_timer_start(&timer, fern_in(0), 0, tick, "now"));
    ASSERT_EQ(fern_hub_timeout(), 0);
    ASSERT_OK(fern_hub_step());
    ASSERT_STR_EQ(trace_text, "now");
}

static void
step_inside(void *arg)
{
    *(int *)arg = fern_hub_step();
}

TEST(a_step_inside_a_callback_is_edeadlk)
{
    int result = 0;
    fern_callback callback = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_call_soon(&callback, step_inside, &result));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(result, -EDEADLK);
}

/* ---- errno ---- */

static void *
break_errno(void *number)
{
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(errno, i ? *(int *)number : 0);
        errno = *(int *)number;
        if (fern_sleep(i) < 0)
            return NULL;
    }
    return NULL;
}

TEST(errno_is_kept_for_each_greenlet)
{
    int one = 1001, two = 1002;
    fern_greenlet *a = fern_spawn(break_errno, &one);
    fern_greenlet *b = fern_spawn(break_errno, &two);
    errno = 1003;
    ASSERT_OK(fern_yield());
    ASSERT_EQ(errno, 1003);
    ASSERT_OK(fern_join(a, FERN_FOREVER));
    ASSERT_EQ(errno, 1003);
    FINISH(b);
    ASSERT_EQ(errno, 1003);
    fern_greenlet_unref(a);
}

static void
on_alarm(int signal)
{
    (void)signal;
}

TEST(a_signal_during_a_wait_leaves_errno_and_the_wait_alone)
{
    ASSERT_OK(fern_hub_step());
    struct sigaction action = {.sa_handler = on_alarm};
    ASSERT_EQ(sigaction(SIGALRM, &action, NULL), 0);
    fern_time start = fern_now();
    ualarm(1000, 1000);
    errno = 1003;
    ASSERT_OK(fern_sleep(10 * FERN_MS));
    ASSERT_EQ(errno, 1003);
    ualarm(0, 0);
    ASSERT_GE(fern_time_diff(fern_now(), start), 10 * FERN_MS);
}

/* ---- nothing can wake main (D 31, B9) ---- */

static void *
park_for_ever(void *ret)
{
    int r = fern_park(FERN_FOREVER);
    if (ret)
        *(int *)ret = r;
    return NULL;
}

static void *
sleep_for_ever(void *unused)
{
    (void)fern_sleep(FERN_HOUR);
    return unused;
}

static void
skip_where_a_tool_has_threads(void)
{
    if (harness_other_threads())
        SKIP("a tool has a thread of its own, which might wake us");
}

TEST(main_is_told_when_nothing_can_wake_it_and_may_go_on)
{
    skip_where_a_tool_has_threads();
    ASSERT_ERR(fern_park(FERN_FOREVER), -EDEADLK);
    int end = 1;
    fern_greenlet *g = fern_spawn(park_for_ever, &end);
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -EDEADLK);
    ASSERT_EQ(end, 1);
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(end, -ECANCELED);
    fern_greenlet_unref(g);
    ASSERT_OK(fern_sleep(1));
}

TEST(what_daemons_wait_for_does_not_keep_main_waiting)
{
    skip_where_a_tool_has_threads();
    FERN_SPAWN_OPTIONS(options);
    options.daemon = true;
    fern_greenlet *g = fern_spawn_with(sleep_for_ever, NULL, &options);
    ASSERT_ERR(fern_park(FERN_FOREVER), -EDEADLK);
    fern_timer timer = FERN_TIMER_INIT;
    ASSERT_OK(fern_timer_start(&timer, fern_in(FERN_HOUR), 0, tick, NULL));
    ASSERT_OK(fern_timer_set_daemon(&timer, true));
    ASSERT_ERR(fern_park(FERN_FOREVER), -EDEADLK);
    ASSERT_EQ(fern_timer_stop(&timer), 1);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
}

static void
unpark_main(void *main)
{
    ASSERT_OK(fern_unpark(main));
}

TEST(a_timer_keeps_main_waiting_unless_it_is_a_daemons)
{
    fern_timer timer = FERN_TIMER_INIT;
    ASSERT_OK(fern_timer_set_daemon(&timer, true));
    ASSERT_OK(fern_timer_start(&timer, fern_in(FERN_MS), 0, unpark_main, fern_self()));
    ASSERT_OK(fern_timer_set_daemon(&timer, false));
    ASSERT_OK(fern_park(FERN_FOREVER));
    skip_where_a_tool_has_threads();
    FERN_SPAWN_OPTIONS(options);
    options.delay_ns = FERN_HOUR;
    fern_greenlet *g = fern_spawn_with(say, "x", &options);
    ASSERT_OK(fern_set_daemon(g, true));
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_set_daemon(g, false));
    ASSERT_ERR(fern_join(g, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
}
