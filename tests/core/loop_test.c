/* SPDX-License-Identifier: MIT */
/* The hub seen as a loop: running, stopping, clearing up, and what runs in which order. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static void
call(void *word)
{
    trace("%s", (const char *)word);
}

static void
stop(void *word)
{
    call(word);
    ASSERT_OK(fern_loop_stop());
}

static void *
sleep_and_stop(void *unused)
{
    ASSERT_TRUE(fern_loop_running());
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_OK(fern_loop_stop());
    return unused;
}

TEST(a_loop_runs_until_it_is_stopped_and_can_run_again)
{
    for (int i = 1; i <= 2; i++) {
        fern_time start = fern_now();
        fern_greenlet *g = fern_spawn(sleep_and_stop, NULL);
        ASSERT_FALSE(fern_loop_running());
        ASSERT_OK(fern_loop_run(FERN_FOREVER));
        ASSERT_FALSE(fern_loop_running());
        ASSERT_EQ(fern_time_diff(fern_now(), start), FERN_SECOND);
        FINISH(g);
    }
}

static fern_callback after;

static void
stop_and_call_soon(void *unused)
{
    stop(unused);
    ASSERT_OK(fern_call_soon(&after, call, "after"));
}

TEST(what_is_ready_at_a_stop_still_runs_and_what_comes_later_waits_for_the_next_run)
{
    fern_callback first = FERN_CALLBACK_INIT, second = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_call_soon(&first, stop_and_call_soon, "stop"));
    ASSERT_OK(fern_call_soon(&second, call, "ready"));
    ASSERT_OK(fern_loop_run(FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "stop ready");
    ASSERT_TRUE(fern_callback_pending(&after));
    ASSERT_OK(fern_loop_stop());
    ASSERT_OK(fern_loop_run(FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "stop ready after");
}

TEST(a_stop_before_the_run_lets_everything_that_is_ready_run_once)
{
    fern_callback soon_call = FERN_CALLBACK_INIT;
    ASSERT_OK(fern_call_soon(&soon_call, call, "soon"));
    fern_greenlet *g = fern_spawn(say, "greenlet");
    ASSERT_OK(fern_loop_stop());
    ASSERT_OK(fern_loop_run(FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "soon greenlet");
    if (harness_other_threads() == 0) /* nothing can happen any more */
        ASSERT_ERR(fern_loop_run(FERN_FOREVER), -EDEADLK);
    fern_greenlet_unref(g);
}

static void *
work(void *word)
{
    trace("start:%s", (const char *)word);
    ASSERT_OK(fern_sleep(FERN_SECOND));
    trace("stop:%s", (const char *)word);
    return word;
}

TEST(a_loop_runs_until_a_greenlet_has_ended_and_tells_its_outcome)
{
    fern_outcome outcome;
    fern_greenlet *g = fern_spawn(work, "a");
    ASSERT_ERR(fern_loop_run_until(g, &outcome, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_loop_run_until(g, &outcome, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_loop_run_until(g, &outcome, FERN_FOREVER));
    ASSERT_STR_EQ(outcome.value, "a");
    ASSERT_OK(fern_loop_run_until(g, NULL, FERN_NOWAIT));
    fern_greenlet_unref(g);
}

TEST(a_loop_that_is_stopped_before_its_greenlet_has_ended_says_so)
{
    fern_greenlet *g = fern_spawn(work, "a");
    fern_timer timer = FERN_TIMER_INIT;
    ASSERT_OK(fern_call_later(&timer, FERN_MS, stop, "stop"));
    ASSERT_ERR(fern_loop_run_until(g, NULL, FERN_FOREVER), -EINTR);
    ASSERT_OK(fern_loop_stop());
    ASSERT_ERR(fern_loop_run_until(g, NULL, FERN_FOREVER), -EINTR);
    ASSERT_OK(fern_loop_run_until(g, NULL, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "start:a stop stop:a");
    fern_greenlet_unref(g);
}

TEST(calls_and_greenlets_begin_in_the_order_in_which_they_were_asked_for)
{
    fern_callback soon_call = FERN_CALLBACK_INIT;
    fern_greenlet *a = fern_spawn(work, "A");
    ASSERT_OK(fern_call_soon(&soon_call, call, "Tom"));
    fern_greenlet *b = fern_spawn(work, "B");
    fern_greenlet *c = fern_spawn(work, "C");
    ASSERT_OK(fern_loop_run_until(c, NULL, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "start:A Tom start:B start:C stop:A stop:B stop:C");
    FINISH(a);
    FINISH(b);
    fern_greenlet_unref(c);
}

TEST(calls_come_by_their_moments_and_before_sleeps_that_began_later_for_the_same_one)
{
    fern_timer tom = FERN_TIMER_INIT, jerry = FERN_TIMER_INIT;
    fern_callback kitty = FERN_CALLBACK_INIT;
    fern_greenlet *a = fern_spawn(work, "A");
    fern_time start = fern_now();
    ASSERT_OK(fern_call_at(&tom, fern_time_add(start, 1200 * FERN_MS), call, "Tom"));
    ASSERT_OK(fern_call_soon(&kitty, call, "Kitty"));
    ASSERT_OK(fern_call_later(&jerry, FERN_SECOND, call, "Jerry"));
    ASSERT_EQ(fern_timer_when(&tom).ns, start.ns + 1200 * FERN_MS);
    ASSERT_OK(fern_loop_run_until(a, NULL, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "start:A Kitty Jerry stop:A");
    ASSERT_EQ(fern_timer_stop(&tom), 1);
    ASSERT_EQ(fern_timer_when(&tom).ns, INT64_MAX);
    fern_greenlet_unref(a);
}

TEST(a_call_that_was_taken_back_is_not_made)
{
    fern_callback a = FERN_CALLBACK_INIT, b = FERN_CALLBACK_INIT;
    fern_timer later = FERN_TIMER_INIT;
    ASSERT_OK(fern_call_soon(&a, call, "a"));
    ASSERT_OK(fern_call_soon(&b, stop, "b"));
    ASSERT_OK(fern_call_later(&later, 0, call, "later"));
    ASSERT_EQ(fern_callback_cancel(&a), 1);
    ASSERT_EQ(fern_timer_stop(&later), 1);
    ASSERT_OK(fern_loop_run(FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "b");
}

/* ---- clearing up ---- */

static void *
sleep_long(void *word)
{
    int r = fern_sleep(FERN_HOUR);
    FERN_SHIELD (cleanup)
        ASSERT_OK(fern_sleep(FERN_SECOND));
    trace("%s:%d", (const char *)word, r == -ECANCELED);
    return NULL;
}

static void
ended(fern_greenlet *g, void *word)
{
    (void)g;
    trace("%s", (const char *)word);
}

TEST(closing_kills_everybody_in_order_and_waits_and_a_second_time_does_nothing)
{
    fern_greenlet *a = fern_spawn(sleep_long, "a"), *b = fern_spawn(sleep_long, "b");
    ASSERT_OK(fern_link(b, ended, "link", FERN_LINK_ANY));
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_loop_close(FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_loop_close(fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_loop_close(FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "a:1 b:1 link");
    ASSERT_OK(fern_loop_close(FERN_FOREVER));
    FINISH(fern_spawn(say, "again")); /* and it goes on as new */
    ASSERT_STR_EQ(trace_text, "a:1 b:1 link again");
    fern_greenlet_unref(a);
    fern_greenlet_unref(b);
}

/* ---- a whole program ---- */

static void *
program(void *word)
{
    ASSERT_TRUE(fern_loop_running());
    ASSERT_OK(fern_go(sleep_long, "a"));
    ASSERT_OK(fern_go(sleep_long, "b"));
    ASSERT_OK(fern_sleep(FERN_MS));
    trace("done");
    return word;
}

TEST(a_program_runs_to_its_end_and_leaves_nobody_behind)
{
    for (int i = 0; i < 2; i++) {
        fern_outcome outcome;
        ASSERT_OK(fern_run(program, "value", &outcome, FERN_FOREVER));
        ASSERT_STR_EQ(trace_text, "done a:1 b:1");
        ASSERT_STR_EQ(outcome.value, "value");
        ASSERT_EQ(outcome.code, 0);
        ASSERT_FALSE(fern_loop_running());
        *trace_text = '\0';
    }
    ASSERT_OK((fern_run)(program, NULL, NULL, FERN_FOREVER));
}

static void *
fail(void *unused)
{
    (void)unused;
    return fern_fail(22, "as told");
}

static void
run_failing(void *unused)
{
    fern_outcome outcome;
    (void)unused;
    ASSERT_OK(fern_run(fail, NULL, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 22);
    ASSERT_NULL(outcome.message);
}

TEST(a_program_that_fails_is_reported_and_tells_its_code)
{
    char text[1000];
    ASSERT_EQ(harness_child(run_failing, NULL, text, sizeof text), 0);
    ASSERT_STR_HAS(text, "as told");
    ASSERT_STR_HAS(text, "loop_test.c");
}

TEST(a_program_that_takes_too_long_is_killed_like_the_others)
{
    fern_outcome outcome = {.code = 77};
    ASSERT_ERR(fern_run(sleep_long, "late", &outcome, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(outcome.code, 77);
    FERN_SCOPE (scope, fern_in(FERN_MS))
        ASSERT_ERR(fern_run(sleep_long, "scope", NULL, FERN_FOREVER), -ETIME);
    ASSERT_STR_EQ(trace_text, "late:1 scope:1");
}

static void *
stop_and_sleep(void *unused)
{
    ASSERT_OK(fern_loop_stop());
    return sleep_long(unused);
}

static void *
kill_main(void *self)
{
    ASSERT_ERR(fern_kill(self, 0, FERN_NOWAIT), -EAGAIN);
    return sleep_long("killer");
}

TEST(a_program_can_be_stopped_and_its_caller_be_killed)
{
    ASSERT_ERR(fern_run(stop_and_sleep, "stopped", NULL, FERN_FOREVER), -EINTR);
    ASSERT_ERR(fern_run(kill_main, fern_self(), NULL, FERN_FOREVER), -ECANCELED);
    ASSERT_ERR(fern_run(say, "never", NULL, FERN_FOREVER), -ECANCELED);
    ASSERT_EQ(fern_uncancel(), 0);
    ASSERT_OK(fern_loop_stop()); /* nobody runs: the next run is another one */
    ASSERT_OK(fern_run(say, "ran", NULL, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "stopped:1 killer:1 ran");
}

static void *
run_inside(void *unused)
{
    ASSERT_ERR(fern_run(say, "x", NULL, FERN_FOREVER), -EBUSY);
    return unused;
}

static void *
run_beside(void *unused)
{
    ASSERT_ERR(fern_run(say, "x", NULL, FERN_FOREVER), -EPERM);
    return unused;
}

static void
run_in_a_callback(void *unused)
{
    (void)unused;
    ASSERT_ERR(fern_run(say, "x", NULL, FERN_FOREVER), -EDEADLK);
}

TEST(one_program_runs_at_a_time_and_main_runs_it)
{
    fern_callback callback = FERN_CALLBACK_INIT;
    ASSERT_ERR(fern_run(NULL, NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_run(say, "x", NULL, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_call_soon(&callback, run_in_a_callback, NULL));
    ASSERT_OK(fern_run(run_inside, NULL, NULL, FERN_FOREVER));
    FINISH(fern_spawn(run_beside, NULL));
    ASSERT_STR_EQ(trace_text, "");
}

/* ---- misuse ---- */

static void *
misuse_inside(void *self)
{
    ASSERT_ERR(fern_loop_run(FERN_FOREVER), -EALREADY);
    ASSERT_ERR(fern_loop_run_until(*(fern_greenlet **)self, NULL, FERN_FOREVER), -EALREADY);
    ASSERT_ERR(fern_loop_close(FERN_FOREVER), -EBUSY);
    ASSERT_OK(fern_loop_stop());
    return self;
}

static void *
close_inside(void *unused)
{
    ASSERT_ERR(fern_loop_close(FERN_FOREVER), -EPERM);
    return unused;
}

static void
misuse_in_a_callback(void *unused)
{
    (void)unused;
    ASSERT_ERR(fern_loop_run(FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_loop_close(FERN_NOWAIT), -EDEADLK);
}

static void *
use_from_elsewhere(void *g)
{
    ASSERT_ERR(fern_loop_run_until(g, NULL, FERN_FOREVER), -EXDEV);
    ASSERT_FALSE(fern_loop_running());
    return NULL;
}

TEST(misuse_of_the_loop_answers_with_its_code)
{
    pthread_t thread;
    fern_callback callback = FERN_CALLBACK_INIT;
    fern_greenlet *self = fern_self();
    ASSERT_ERR(fern_loop_run_until(NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_loop_run_until(self, NULL, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_loop_run(FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_call_soon(&callback, misuse_in_a_callback, NULL));
    fern_greenlet *inside = fern_spawn(misuse_inside, &self);
    ASSERT_OK(fern_loop_run(FERN_FOREVER));
    FINISH(inside);
    FINISH(fern_spawn(close_inside, NULL));
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, self), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}
