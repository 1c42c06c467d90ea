/* SPDX-License-Identifier: MIT */
/* Futures and tasks: assigned once, heard by all, cancelled, called back. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_future *future;

static void *
get_and_say(void *word)
{
    fern_outcome outcome;
    ASSERT_OK(fern_future_get(future, &outcome, FERN_FOREVER));
    trace("%s=%s:%d", (const char *)word, outcome.value ? (char *)outcome.value : "-",
            outcome.code);
    return NULL;
}

TEST(everybody_who_asks_gets_the_value_that_was_set_once)
{
    fern_outcome outcome;
    future = fern_future_new();
    ASSERT_ERR(fern_future_outcome(future, &outcome), -EINPROGRESS);
    ASSERT_ERR(fern_future_get(future, &outcome, FERN_NOWAIT), -EAGAIN);
    fern_greenlet *a = fern_spawn(get_and_say, "a"), *b = fern_spawn(get_and_say, "b");
    ASSERT_OK(fern_yield());
    ASSERT_FALSE(fern_future_done(future));
    ASSERT_OK(fern_future_set(future, "v"));
    ASSERT_STR_EQ(trace_text, ""); /* it does not switch */
    ASSERT_ERR(fern_future_set(future, "w"), -EALREADY);
    ASSERT_ERR(fern_future_set_error(future, 5, NULL), -EALREADY);
    ASSERT_EQ(fern_future_cancel(future, 0), 0);
    FINISH(a);
    FINISH(b);
    FINISH(fern_spawn(get_and_say, "late"));
    ASSERT_STR_EQ(trace_text, "a=v:0 b=v:0 late=v:0");
    ASSERT_TRUE(fern_future_done(future));
    ASSERT_OK(fern_future_outcome(future, &outcome));
    ASSERT_STR_EQ((char *)outcome.value, "v");
    fern_future_unref(future);
}

TEST(an_error_keeps_a_copy_of_its_message)
{
    fern_outcome outcome;
    char text[] = "no luck";
    future = fern_future_new();
    ASSERT_OK(fern_future_set_error(future, -EIO, text));
    text[0] = 'X';
    ASSERT_OK(fern_future_get(future, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, -EIO);
    ASSERT_FALSE(outcome.cancelled);
    ASSERT_STR_EQ(outcome.message, "no luck");
    fern_future_unref(future);
}

TEST(a_future_lives_as_long_as_somebody_waits_for_it)
{
    future = fern_future_new();
    fern_greenlet *a = fern_spawn(get_and_say, "a");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_future_set(future, "v"));
    fern_future_unref(future);
    FINISH(a);
    ASSERT_STR_EQ(trace_text, "a=v:0");
}

TEST(a_wait_that_times_out_or_is_killed_leaves_the_future_as_it_is)
{
    fern_outcome outcome;
    future = fern_future_new();
    ASSERT_ERR(fern_future_wait(future, fern_in(FERN_MS)), -ETIME);
    fern_greenlet *a = fern_spawn(get_and_say, "a");
    FERN_SCOPE (scope, fern_in(FERN_MS))
        ASSERT_ERR(fern_future_get(future, &outcome, FERN_FOREVER), -ETIME);
    ASSERT_OK(fern_future_set(future, "v"));
    FERN_SCOPE (scope,
            fern_in(0)) { /* what is done is had, for all that the scope has passed */
        ASSERT_OK(fern_future_get(future, &outcome, FERN_NOWAIT));
    }
    FINISH(a);
    fern_future_unref(future);
}

/* ---- tasks ---- */

static void *
sleep_and_give(void *value)
{
    if (fern_sleep(FERN_MS) < 0)
        trace("stopped");
    return value;
}

static void *
fail(void *message)
{
    return fern_fail(7, "%s", (const char *)message);
}

TEST(a_task_ends_as_its_greenlet_does)
{
    fern_outcome outcome;
    fern_future *good = fern_task(sleep_and_give, "v"), *bad = fern_task(fail, "seven");
    ASSERT_OK(fern_future_get(good, &outcome, FERN_FOREVER));
    ASSERT_STR_EQ((char *)outcome.value, "v");
    ASSERT_OK(fern_future_get(bad, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 7);
    ASSERT_STR_EQ(outcome.message, "seven");
    ASSERT_NULL(outcome.value);
    ASSERT_TRUE(fern_ready(fern_future_greenlet(good)));
    ASSERT_ERR(fern_future_set(good, NULL), -EPERM);
    fern_future_unref(good);
    fern_future_unref(bad);
}

TEST(a_task_that_nobody_holds_runs_to_its_end)
{
    fern_future_unref(fern_task(say, "ran"));
    fern_future_unref(fern_task(sleep_and_give, NULL));
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "ran");
}

TEST(a_task_can_be_spawned_without_macros)
{
    fern_future *task = (fern_task)(say, "ran");
    ASSERT_OK(fern_future_wait(task, FERN_FOREVER));
    ASSERT_NULL(fern_greenlet_site(fern_future_greenlet(task)));
    fern_future_unref(task);
    fern_task_group *group = fern_task_group_new();
    fern_future_unref((fern_task_group_spawn)(group, say, "one"));
    ASSERT_OK((fern_task_group_go)(group, say, "two"));
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "ran one two");
    fern_task_group_free(group);
}

TEST(a_future_can_be_made_of_a_greenlet_that_runs_or_has_ended)
{
    fern_outcome outcome;
    fern_greenlet *g = fern_spawn(sleep_and_give, "v");
    fern_future *early = fern_future_of(g);
    ASSERT_OK(fern_future_get(early, &outcome, FERN_FOREVER));
    ASSERT_STR_EQ((char *)outcome.value, "v");
    fern_future *late = fern_future_of(g);
    ASSERT_TRUE(fern_future_done(late));
    fern_greenlet_unref(g);
    ASSERT_OK(fern_future_get(late, &outcome, FERN_NOWAIT));
    ASSERT_STR_EQ((char *)outcome.value, "v");
    fern_future_unref(early);
    fern_future_unref(late);
}

TEST(a_task_can_be_spawned_with_options)
{
    FERN_SPAWN_OPTIONS(options);
    options.name = "worker";
    options.now = true;
    fern_future *task = fern_task_with(say, "now", &options);
    ASSERT_STR_EQ(trace_text, "now");
    ASSERT_TRUE(fern_future_done(task));
    ASSERT_STR_EQ(fern_name(fern_future_greenlet(task)), "worker");
    fern_future_unref(task);
    options.detached = true;
    ASSERT_NULL(fern_task_with(say, "never", &options));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_NULL(fern_task(NULL, NULL));
    ASSERT_EQ(errno, EINVAL);
}

static void *
wait_for_oneself(void *unused)
{
    ASSERT_ERR(fern_future_wait(future, FERN_FOREVER), -EDEADLK);
    fern_outcome outcome;
    ASSERT_ERR(fern_wait_for(future, &outcome, FERN_FOREVER), -EDEADLK);
    return unused;
}

TEST(a_task_that_waits_for_itself_is_told_so)
{
    future = fern_task(wait_for_oneself, NULL);
    ASSERT_OK(fern_future_wait(future, FERN_FOREVER));
    fern_future_unref(future);
}

/* ---- errors that nobody sees ---- */

static void
forget_errors(void *unused)
{
    (void)unused;
    fern_future *f = fern_future_new();
    fern_future_set_error(f, -EIO, "unseen");
    fern_future_unref(f);
    f = fern_task(fail, "task unseen");
    (void)!fern_future_wait(f, FERN_FOREVER);
    fern_future_unref(f);
}

static void
see_errors(void *unused)
{
    (void)unused;
    fern_outcome outcome;
    fern_future *f = fern_future_new();
    fern_future_set_error(f, -EIO, "seen");
    (void)!fern_future_get(f, &outcome, FERN_FOREVER);
    fern_future_unref(f);
    f = fern_task(fail, "task seen");
    (void)!fern_future_get(f, &outcome, FERN_FOREVER);
    fern_future_unref(f);
    f = fern_future_new();
    fern_future_cancel(f, 0);
    fern_future_unref(f);
}

TEST(an_error_that_nobody_has_asked_for_is_reported_when_it_is_freed)
{
    char err[2000];
    ASSERT_EQ(harness_child(forget_errors, NULL, err, sizeof err), 0);
    ASSERT_STR_HAS(err, "future failed with code -5: unseen, and nobody has asked");
    ASSERT_STR_HAS(err, "failed with code 7: task unseen, and nobody has asked");
    ASSERT_EQ(harness_child(see_errors, NULL, err, sizeof err), 0);
    ASSERT_STR_EQ(err, "");
}

static void
note_failure(fern_greenlet *g, const fern_outcome *outcome, void *arg)
{
    (void)g, (void)arg;
    trace("hook:%d:%s", outcome->code, outcome->message);
}

TEST(the_error_hook_hears_of_a_task_that_nobody_has_asked_for)
{
    ASSERT_OK(fern_set_error_hook(note_failure, NULL));
    fern_future_unref(fern_task(fail, "seven"));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "hook:7:seven");
    ASSERT_OK(fern_set_error_hook(NULL, NULL));
}

/* ---- cancelling ---- */

TEST(cancelling_a_plain_future_is_its_end)
{
    fern_outcome outcome;
    future = fern_future_new();
    fern_greenlet *a = fern_spawn(get_and_say, "a");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_future_cancelling(future), 0);
    ASSERT_EQ(fern_future_cancel(future, 0), 1);
    ASSERT_EQ(fern_future_cancel(future, 0), 0);
    ASSERT_EQ(fern_future_cancelling(future), 1);
    ASSERT_TRUE(fern_future_cancelled(future));
    ASSERT_ERR(fern_future_set(future, "v"), -EALREADY);
    ASSERT_ERR(fern_future_uncancel(future), -EPERM);
    FINISH(a);
    ASSERT_OK(fern_future_get(future, &outcome, FERN_NOWAIT));
    ASSERT_TRUE(outcome.cancelled);
    ASSERT_EQ(outcome.code, -ECANCELED);
    fern_future_unref(future);
}

TEST(cancelling_a_task_kills_its_greenlet_and_the_future_is_done_when_that_has_ended)
{
    fern_outcome outcome;
    fern_future *task = fern_task(sleep_and_give, "v");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_future_cancel(task, 42), 1);
    ASSERT_FALSE(fern_future_done(task));
    ASSERT_EQ(fern_future_cancel(task, 0), 1);
    ASSERT_EQ(fern_future_cancelling(task), 2);
    ASSERT_OK(fern_future_get(task, &outcome, FERN_FOREVER));
    ASSERT_TRUE(outcome.cancelled);
    ASSERT_EQ(outcome.code, 42);
    ASSERT_STR_EQ(trace_text, "stopped");
    fern_future_unref(task);
    task = fern_task(say, "never"); /* one that has not run never will */
    ASSERT_EQ(fern_future_cancel(task, 0), 1);
    ASSERT_TRUE(fern_future_cancelled(task));
    fern_future_unref(task);
    ASSERT_STR_EQ(trace_text, "stopped");
}

static void *
swallow(void *unused)
{
    (void)unused;
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED); /* it stays */
    int left = fern_future_uncancel(future);
    trace("left:%d", left);
    while (left > 0)
        left = fern_uncancel();
    ASSERT_OK(fern_sleep(FERN_MS));
    return "done all the same";
}

TEST(a_task_can_take_requests_for_its_cancellation_back)
{
    fern_outcome outcome;
    future = fern_task(swallow, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_future_cancel(future, 0), 1);
    ASSERT_EQ(fern_future_cancel(future, 0), 1);
    ASSERT_OK(fern_future_get(future, &outcome, FERN_FOREVER));
    ASSERT_FALSE(outcome.cancelled);
    ASSERT_STR_EQ((char *)outcome.value, "done all the same");
    ASSERT_STR_EQ(trace_text, "left:1");
    ASSERT_ERR(fern_future_uncancel(future), -EALREADY);
    fern_future_unref(future);
}

/* ---- callbacks ---- */

static void
called(fern_future *f, void *word)
{
    ASSERT_TRUE(f == future);
    trace("%s", (const char *)word);
}

TEST(callbacks_and_waiters_are_served_in_the_order_in_which_they_came)
{
    future = fern_future_new();
    ASSERT_OK(fern_future_add_callback(future, called, "one"));
    fern_greenlet *a = fern_spawn(get_and_say, "a");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_future_add_callback(future, called, "two"));
    ASSERT_OK(fern_future_set(future, "v"));
    ASSERT_OK(fern_future_add_callback(future, called, "late"));
    ASSERT_STR_EQ(trace_text, ""); /* never inside the call */
    fern_future_unref(future);     /* callbacks on their way keep it */
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "one a=v:0 two late");
    FINISH(a);
}

static void
remove_the_next(fern_future *f, void *word)
{
    called(f, word);
    ASSERT_EQ(fern_future_remove_callback(f, called, "later"), 1);
}

TEST(removed_callbacks_are_not_called_and_are_counted)
{
    future = fern_future_new();
    ASSERT_OK(fern_future_add_callback(future, called, "twice"));
    ASSERT_OK(fern_future_add_callback(future, called, "stays"));
    ASSERT_OK(fern_future_add_callback(future, called, "twice"));
    ASSERT_OK(fern_future_add_callback(future, remove_the_next, "early"));
    ASSERT_OK(fern_future_add_callback(future, called, "later"));
    ASSERT_EQ(fern_future_remove_callback(future, called, "twice"), 2);
    ASSERT_EQ(fern_future_remove_callback(future, called, "twice"), 0);
    ASSERT_OK(fern_future_set(future, NULL));
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "stays early");
    fern_future_unref(future);
}

TEST(a_future_that_is_freed_undone_calls_nobody)
{
    future = fern_future_new();
    ASSERT_OK(fern_future_add_callback(future, called, "never"));
    fern_future_unref(future);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
}

static void
try_to_wait(fern_future *f, void *unused)
{
    fern_outcome outcome;
    (void)unused;
    ASSERT_ERR(fern_sleep(FERN_MS), -EDEADLK);
    ASSERT_OK(fern_future_get(f, &outcome, FERN_NOWAIT));
    trace("%s", (char *)outcome.value);
}

TEST(a_callback_must_not_wait_but_may_look)
{
    future = fern_task(sleep_and_give, "v");
    ASSERT_OK(fern_future_add_callback(future, try_to_wait, NULL));
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "v");
    fern_future_unref(future);
}

/* ---- as a case, and misuse ---- */

TEST(a_future_can_be_a_case)
{
    fern_future *task = fern_task(sleep_and_give, "v");
    future = fern_future_new();
    fern_case cases[] = {fern_case_future(future), fern_case_future(task)};
    size_t order[2];
    ASSERT_ERR(fern_select(cases, 2, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_OK(fern_future_set(future, NULL));
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 0);
    ASSERT_EQ(fern_wait(cases, 2, 0, order, FERN_FOREVER), 2);
    fern_future_unref(task);
    fern_future_unref(future);
}

/* ---- a loop that runs until one is done ---- */

static void
set_future(void *value)
{
    ASSERT_TRUE(fern_loop_running());
    ASSERT_OK(fern_future_set(future, value));
}

static void
stop_loop(void *unused)
{
    (void)unused;
    ASSERT_OK(fern_loop_stop());
}

static void *
run_inside(void *unused)
{
    ASSERT_ERR(fern_loop_run_until_done(future, NULL, FERN_FOREVER), -EALREADY);
    return unused;
}

TEST(a_loop_runs_until_a_future_is_done_and_tells_its_outcome)
{
    fern_outcome outcome = {0};
    fern_timer timer = FERN_TIMER_INIT;
    future = fern_future_new();
    ASSERT_ERR(fern_loop_run_until_done(NULL, &outcome, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_loop_run_until_done(future, &outcome, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_loop_run_until_done(future, &outcome, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_call_later(&timer, FERN_MS, set_future, "v"));
    fern_greenlet *inside = fern_spawn(run_inside, NULL);
    ASSERT_OK(fern_loop_run_until_done(future, &outcome, FERN_FOREVER));
    ASSERT_STR_EQ((char *)outcome.value, "v");
    ASSERT_FALSE(fern_loop_running());
    ASSERT_OK(fern_loop_run_until_done(future, NULL, FERN_NOWAIT));
    FINISH(inside);
    fern_future_unref(future);
}

TEST(a_loop_that_is_stopped_before_its_future_is_done_says_so)
{
    fern_timer timer = FERN_TIMER_INIT;
    future = fern_future_new();
    ASSERT_OK(fern_call_later(&timer, FERN_MS, stop_loop, NULL));
    ASSERT_ERR(fern_loop_run_until_done(future, NULL, FERN_FOREVER), -EINTR);
    ASSERT_OK(fern_loop_stop());
    ASSERT_ERR(fern_loop_run_until_done(future, NULL, FERN_FOREVER), -EINTR);
    ASSERT_OK(fern_loop_stop());
    ASSERT_OK(fern_future_set(future, "v"));
    ASSERT_OK(fern_loop_run_until_done(future, NULL, FERN_FOREVER));
    fern_future_unref(future);
}

/* ---- misuse ---- */

static void *
use_from_elsewhere(void *greenlet)
{
    fern_outcome outcome;
    ASSERT_ERR(fern_future_set(future, NULL), -EXDEV);
    ASSERT_ERR(fern_future_set_error(future, 1, NULL), -EXDEV);
    ASSERT_ERR(fern_future_wait(future, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_future_cancel(future, 0), -EXDEV);
    ASSERT_ERR(fern_future_uncancel(future), -EXDEV);
    ASSERT_ERR(fern_future_add_callback(future, called, NULL), -EXDEV);
    ASSERT_ERR(fern_future_remove_callback(future, called, NULL), -EXDEV);
    ASSERT_ERR(fern_wait_for(future, &outcome, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_loop_run_until_done(future, &outcome, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_wait_futures(&future, 1, FERN_WHEN_ALL, NULL, FERN_NOWAIT), -EXDEV);
    ASSERT_NULL(fern_future_of(greenlet));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_NULL(fern_gather(&future, 1, 0));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_NULL(fern_future_shield(future));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_NULL(fern_as_completed(&future, 1));
    ASSERT_EQ(errno, EXDEV);
    return NULL;
}

TEST(misuse_of_a_future_answers_with_its_code)
{
    pthread_t thread;
    fern_outcome outcome;
    future = fern_future_new();
    ASSERT_ERR(fern_future_set(NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_future_set_error(future, 0, NULL), -EINVAL);
    ASSERT_ERR(fern_future_set_error(NULL, 1, NULL), -EINVAL);
    ASSERT_ERR(fern_future_wait(NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_future_get(future, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_future_outcome(future, NULL), -EINVAL);
    ASSERT_ERR(fern_future_cancel(NULL, 0), -EINVAL);
    ASSERT_ERR(fern_future_cancelling(NULL), -EINVAL);
    ASSERT_ERR(fern_future_uncancel(NULL), -EINVAL);
    ASSERT_ERR(fern_future_add_callback(future, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_future_remove_callback(NULL, called, NULL), -EINVAL);
    ASSERT_NULL(fern_future_of(NULL));
    ASSERT_NULL(fern_future_greenlet(future));
    ASSERT_FALSE(fern_future_done(NULL));
    ASSERT_FALSE(fern_future_cancelled(NULL));
    ASSERT_NULL(fern_future_ref(NULL));
    fern_future_unref(NULL);
    ASSERT_ERR(fern_future_get(future, &outcome, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, fern_self()), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_future_wait(future, FERN_FOREVER), -EDEADLK);
    fern_future_unref(future);
}
