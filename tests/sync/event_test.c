/* SPDX-License-Identifier: MIT */
/* Events: who hears, in which order, and what a late or a killed one gets. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "trace.h"

static fern_event event;

static void *
wait_and_say(void *word)
{
    ASSERT_OK(fern_event_wait(&event, FERN_FOREVER));
    return say(word);
}

static void
spawn_waiters(fern_greenlet **gs, int n)
{
    static char *words[] = {"a", "b", "c", "d"};
    for (int i = 0; i < n; i++)
        gs[i] = fern_spawn(wait_and_say, words[i]);
    ASSERT_OK(fern_yield());
}

TEST(a_set_wakes_everybody_who_waits_in_the_order_of_arrival)
{
    fern_greenlet *gs[3];
    spawn_waiters(gs, 3);
    ASSERT_OK(fern_event_set(&event));
    ASSERT_STR_EQ(trace_text, ""); /* it does not switch */
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "a b c");
    ASSERT_OK(fern_event_set(&event));
    ASSERT_OK(fern_event_wait(&event, FERN_NOWAIT));
    ASSERT_OK(fern_event_fini(&event));
    ASSERT_FALSE(fern_event_is_set(&event));
}

TEST(everybody_who_waited_when_it_was_set_wakes_even_after_an_immediate_clear)
{
    fern_greenlet *gs[2];
    spawn_waiters(gs, 2);
    ASSERT_OK(fern_event_set(&event));
    ASSERT_OK(fern_event_clear(&event));
    ASSERT_FALSE(fern_event_is_set(&event));
    fern_greenlet *late = fern_spawn(wait_and_say, "late");
    FINISH(gs[0]);
    FINISH(gs[1]);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "a b");
    ASSERT_OK(fern_event_set(&event));
    FINISH(late);
}

TEST(a_late_waiter_of_a_set_event_does_not_pass_those_that_were_woken_and_have_not_run)
{
    fern_greenlet *gs[2];
    spawn_waiters(gs, 2);
    ASSERT_OK(fern_event_set(&event));
    ASSERT_OK(fern_event_wait(&event, FERN_FOREVER)); /* main itself */
    say("main");
    for (int i = 0; i < 2; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "a b main");
    ASSERT_OK(fern_event_wait(&event, FERN_FOREVER)); /* now at once */
}

TEST(an_auto_reset_event_lets_one_through_for_each_set)
{
    ASSERT_OK(fern_event_init(&event, FERN_EVENT_AUTO));
    fern_greenlet *gs[2];
    spawn_waiters(gs, 2);
    ASSERT_OK(fern_event_set(&event));
    ASSERT_FALSE(fern_event_is_set(&event));
    FINISH(gs[0]);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "a");
    ASSERT_OK(fern_event_set(&event));
    FINISH(gs[1]);
    ASSERT_OK(fern_event_set(&event));
    ASSERT_OK(fern_event_wait(&event, FERN_NOWAIT));
    ASSERT_ERR(fern_event_wait(&event, FERN_NOWAIT), -EAGAIN);
}

TEST(one_that_times_out_or_is_killed_while_it_waits_leaves_the_others_alone)
{
    fern_greenlet *gs[2];
    spawn_waiters(gs, 2);
    ASSERT_ERR(fern_event_wait(&event, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_event_fini(&event), -EBUSY);
    fern_greenlet *deaf = fern_spawn(wait_and_say, "deaf");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_event_set(&event));
    FINISH(gs[0]);
    FINISH(gs[1]);
    FINISH(deaf);
    ASSERT_STR_EQ(trace_text, "a b deaf");
}

static void *
wait_quietly(void *ret_code)
{
    *(int *)ret_code = fern_event_wait(&event, FERN_FOREVER);
    return NULL;
}

TEST(a_kill_that_comes_after_the_set_counts_from_the_next_call_on)
{
    int codes[2] = {1, 1};
    fern_greenlet *first = fern_spawn(wait_quietly, &codes[0]);
    fern_greenlet *second = fern_spawn(wait_quietly, &codes[1]);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(second, 0, FERN_FOREVER));
    ASSERT_EQ(codes[1], -ECANCELED);
    ASSERT_OK(fern_event_set(&event));
    ASSERT_OK(fern_kill(first, 0, FERN_FOREVER));
    ASSERT_EQ(codes[0], 0);
    fern_greenlet_unref(first);
    fern_greenlet_unref(second);
}

TEST(an_event_is_in_use_until_those_whom_it_woke_have_run)
{
    fern_greenlet *gs[2];
    for (int flags = 0; flags <= FERN_EVENT_AUTO; flags++) {
        ASSERT_OK(fern_event_init(&event, flags));
        spawn_waiters(gs, 2);
        ASSERT_OK(fern_event_set(&event));
        ASSERT_OK(fern_event_set(&event));
        ASSERT_ERR(fern_event_fini(&event), -EBUSY);
        FINISH(gs[0]);
        FINISH(gs[1]);
        ASSERT_OK(fern_event_fini(&event));
    }
}

static void *
wait_a_while(void *ret_code)
{
    *(int *)ret_code = fern_event_wait(&event, fern_in(FERN_MS));
    return NULL;
}

TEST(a_set_that_comes_after_the_deadline_but_before_its_timer_runs_wins)
{
    int code = 1;
    fern_greenlet *g = fern_spawn(wait_a_while, &code);
    ASSERT_OK(fern_yield());
    fern__clock_advance(fern_in(FERN_SECOND).ns);
    ASSERT_OK(fern_event_set(&event));
    FINISH(g);
    ASSERT_EQ(code, 0);
}

TEST(a_clear_between_two_sets_wakes_a_waiter_once)
{
    fern_greenlet *gs[1];
    spawn_waiters(gs, 1);
    ASSERT_OK(fern_event_set(&event));
    ASSERT_OK(fern_event_clear(&event));
    ASSERT_FALSE(fern_event_is_set(&event));
    ASSERT_OK(fern_event_set(&event));
    ASSERT_OK(fern_event_set(&event));
    FINISH(gs[0]);
    ASSERT_STR_EQ(trace_text, "a");
    ASSERT_TRUE(fern_event_is_set(&event));
}

static void *
serve_signals(void *unused)
{
    while (fern_event_wait(&event, FERN_FOREVER) == 0) {
        ASSERT_OK(fern_event_clear(&event));
        trace("signal");
    }
    return unused;
}

TEST(a_loop_of_wait_and_clear_hears_each_set_that_finds_it_waiting)
{
    fern_greenlet *g = fern_spawn(serve_signals, NULL);
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(fern_yield());
        ASSERT_OK(fern_event_set(&event));
        trace("%d", i);
    }
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "0 signal 1 signal 2 signal");
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
}

TEST(those_who_are_killed_in_the_midst_of_a_crowd_are_not_missed)
{
    enum { CROWD = 2000 };
    static fern_greenlet *gs[CROWD];
    static int codes[CROWD];
    const int crowd = harness_is_slow() ? CROWD / 10 : CROWD;
    for (int i = 0; i < crowd; i++)
        gs[i] = fern_spawn(wait_quietly, &codes[i]);
    ASSERT_OK(fern_yield());
    for (int i = 0; i < crowd; i += 2)
        ASSERT_OK(fern_kill(gs[(i + crowd / 2) % crowd], 0, FERN_FOREVER));
    ASSERT_OK(fern_event_set(&event));
    for (int i = 0; i < crowd; i++) {
        FINISH(gs[i]);
        ASSERT_EQ(codes[i], i % 2 ? 0 : -ECANCELED);
    }
}

static void *
use_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_event_set(&event), -EXDEV);
    ASSERT_ERR(fern_event_clear(&event), -EXDEV);
    ASSERT_ERR(fern_event_wait(&event, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_event_fini(&event), -EXDEV);
    return unused;
}

TEST(misuse_of_an_event_answers_with_its_code)
{
    pthread_t thread;
    ASSERT_ERR(fern_event_init(NULL, 0), -EINVAL);
    ASSERT_ERR(fern_event_init(&event, 2), -EINVAL);
    ASSERT_ERR(fern_event_set(NULL), -EINVAL);
    ASSERT_ERR(fern_event_clear(NULL), -EINVAL);
    ASSERT_ERR(fern_event_fini(NULL), -EINVAL);
    ASSERT_ERR(fern_event_wait(NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_FALSE(fern_event_is_set(NULL));
    ASSERT_ERR(fern_event_wait(&event, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_event_wait(&event, FERN_FOREVER), -EDEADLK);
}

static void *
wait_and_leave(void *left)
{
    ASSERT_ERR(fern_event_wait(left, FERN_NOWAIT), -EAGAIN);
    return NULL;
}

TEST(an_event_of_a_thread_that_has_ended_can_be_ended_from_another)
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, wait_and_leave, &event), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_event_fini(&event));
    ASSERT_OK(fern_event_set(&event));
}
