/* SPDX-License-Identifier: MIT */
/* Task groups: who fails takes the others along, and nobody is left behind. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_task_group *group;

static void *
work(void *word)
{
    int r = fern_sleep(2 * FERN_MS);
    trace("%s%s", (const char *)word, r == -ECANCELED ? ":stopped" : "");
    return word;
}

static void *
fail_soon(void *message)
{
    if (fern_sleep(FERN_MS) < 0)
        return NULL;
    return fern_fail(7, "%s", (const char *)message);
}

TEST(a_group_waits_for_all_of_its_tasks)
{
    fern_outcome outcome;
    group = fern_task_group_new();
    fern_future *a = fern_task_group_spawn(group, work, "a");
    ASSERT_OK(fern_task_group_go(group, work, "b"));
    ASSERT_ERR(fern_task_group_wait(group, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "a b");
    ASSERT_OK(fern_future_get(a, &outcome, FERN_NOWAIT));
    ASSERT_STR_EQ((char *)outcome.value, "a");
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 0); /* again */
    ASSERT_ERR(fern_task_group_go(group, work, "c"), -EPIPE);
    ASSERT_ERR(fern_task_group_cancel(group, 0), -EALREADY);
    fern_future_unref(a);
    fern_task_group_free(group);
}

TEST(a_group_of_nobody_is_over_at_once)
{
    group = fern_task_group_new();
    ASSERT_EQ(fern_task_group_wait(group, FERN_NOWAIT), 0);
    fern_task_group_free(group);
    fern_task_group_free(NULL);
}

TEST(the_first_failure_stops_the_others_and_is_kept)
{
    fern_outcome outcome;
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, work, "a"));
    ASSERT_OK(fern_task_group_go(group, fail_soon, "one"));
    ASSERT_OK(fern_task_group_go(group, work, "b"));
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 1);
    ASSERT_STR_EQ(trace_text, "a:stopped b:stopped");
    ASSERT_OK(fern_task_group_error(group, 0, &outcome));
    ASSERT_EQ(outcome.code, 7);
    ASSERT_STR_EQ(outcome.message, "one");
    ASSERT_ERR(fern_task_group_error(group, 1, &outcome), -ESRCH);
    fern_task_group_free(group);
}

static void *
fail_when_stopped(void *message)
{
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    (void)fern_uncancel();
    return fern_fail(8, "%s", (const char *)message);
}

TEST(all_failures_are_kept_in_the_order_in_which_they_came)
{
    fern_outcome outcome;
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, fail_when_stopped, "later"));
    ASSERT_OK(fern_task_group_go(group, fail_soon, "first"));
    ASSERT_OK(fern_task_group_go(group, fail_when_stopped, "last"));
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 3);
    for (size_t i = 0; i < 3; i++) {
        ASSERT_OK(fern_task_group_error(group, i, &outcome));
        trace("%s:%d", outcome.message, outcome.code);
    }
    ASSERT_STR_EQ(trace_text, "first:7 later:8 last:8");
    fern_task_group_free(group);
}

TEST(a_failure_stops_the_body_until_the_group_is_waited_for)
{
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, fail_soon, "one"));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED); /* it stays */
    ASSERT_NULL(fern_task_group_spawn(group, work, "never"));
    ASSERT_EQ(errno, EPIPE);
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 1);
    ASSERT_OK(fern_sleep(FERN_MS)); /* the body is over */
    fern_task_group_free(group);
}

TEST(a_task_that_was_killed_has_not_failed)
{
    group = fern_task_group_new();
    fern_future *a = fern_task_group_spawn(group, work, "a");
    ASSERT_OK(fern_task_group_go(group, work, "b"));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_future_cancel(a, 0), 1);
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "a:stopped b");
    fern_future_unref(a);
    fern_task_group_free(group);
}

TEST(a_group_that_is_cancelled_stops_its_tasks_and_body_and_has_not_failed)
{
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, work, "a"));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_task_group_go(
            group, work, "never")); /* it has not run when it is stopped */
    ASSERT_OK(fern_task_group_cancel(group, 0));
    ASSERT_ERR(fern_task_group_cancel(group, 0), -EALREADY);
    ASSERT_ERR(fern_sleep(FERN_MS), -ECANCELED);
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "a:stopped");
    fern_task_group_free(group);
}

static void *
spawn_another(void *word)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_task_group_go(group, work, "grandchild"));
    return say(word);
}

TEST(tasks_may_spawn_others_while_the_group_is_waited_for)
{
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, spawn_another, "child"));
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "child grandchild");
    fern_task_group_free(group);
}

TEST(a_deadline_stops_the_tasks_and_waits_for_them)
{
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, work, "a"));
    ASSERT_ERR(fern_task_group_wait(group, fern_in(FERN_MS)), -ETIME);
    ASSERT_STR_EQ(trace_text, "a:stopped");
    fern_task_group_free(group);
    trace_text[0] = '\0';
    FERN_SCOPE (scope, fern_in(FERN_MS)) {
        group = fern_task_group_new();
        ASSERT_OK(fern_task_group_go(group, work, "b"));
        ASSERT_ERR(fern_task_group_wait(group, FERN_FOREVER), -ETIME);
        ASSERT_STR_EQ(trace_text, "b:stopped");
        fern_task_group_free(group);
    }
}

static void *
own_a_group(void *ret_code)
{
    fern_task_group *own = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(own, work, "a"));
    *(int *)ret_code = fern_task_group_wait(own, FERN_FOREVER);
    trace("owner");
    fern_task_group_free(own);
    return NULL;
}

TEST(killing_who_waits_for_a_group_stops_its_tasks_first)
{
    int code = 0;
    fern_greenlet *g = fern_spawn(own_a_group, &code);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(code, -ECANCELED);
    ASSERT_STR_EQ(trace_text, "a:stopped owner");
    fern_greenlet_unref(g);
}

static void *
own_a_failing_group(void *ret_code)
{
    fern_task_group *own = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(own, fail_when_stopped, "one"));
    *(int *)ret_code = fern_task_group_wait(own, FERN_FOREVER);
    ASSERT_ERR(fern_sleep(FERN_MS), -ECANCELED); /* the kill is not forgotten */
    fern_task_group_free(own);
    return NULL;
}

TEST(a_failure_outranks_a_kill_of_who_waits_for_the_group)
{
    int code = 0;
    fern_greenlet *g = fern_spawn(own_a_failing_group, &code);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(code, 1);
    fern_greenlet_unref(g);
}

static void *
kill_in_the_body(void *ret_code)
{
    fern_task_group *own = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(own, work, "a"));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    *(int *)ret_code = fern_task_group_wait(own, FERN_FOREVER);
    fern_task_group_free(own);
    return NULL;
}

TEST(killing_an_owner_in_the_body_stops_the_tasks_when_it_waits)
{
    int code = 0;
    fern_greenlet *g = fern_spawn(kill_in_the_body, &code);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(code, -ECANCELED);
    ASSERT_STR_EQ(trace_text, "a:stopped");
    fern_greenlet_unref(g);
}

static void *
nest(void *fails)
{
    fern_task_group *inner = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(inner, work, "inner"));
    if (fails)
        ASSERT_OK(fern_task_group_go(inner, fail_soon, "inner fails"));
    int r = fern_task_group_wait(inner, FERN_FOREVER);
    fern_task_group_free(inner);
    trace("nest:%d", r);
    return r > 0 ? fern_fail(9, "of the inner group") : NULL;
}

TEST(a_failure_of_an_inner_group_can_be_passed_on_to_the_outer)
{
    fern_outcome outcome;
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, nest, "fails"));
    ASSERT_OK(fern_task_group_go(group, work, "outer"));
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 1);
    ASSERT_STR_EQ(trace_text, "inner:stopped nest:1 outer:stopped");
    ASSERT_OK(fern_task_group_error(group, 0, &outcome));
    ASSERT_EQ(outcome.code, 9);
    fern_task_group_free(group);
}

TEST(a_failure_of_an_outer_group_stops_the_inner_one)
{
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, nest, NULL));
    ASSERT_OK(fern_task_group_go(group, fail_soon, "one"));
    ASSERT_EQ(fern_task_group_wait(group, FERN_FOREVER), 1);
    char text[40];
    snprintf(text, sizeof text, "inner:stopped nest:%d", -ECANCELED);
    ASSERT_STR_EQ(trace_text, text);
    fern_task_group_free(group);
}

TEST(groups_nest_in_one_body)
{
    fern_task_group *outer = fern_task_group_new(), *inner = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(inner, fail_soon, "one"));
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    ASSERT_EQ(fern_task_group_wait(inner, FERN_FOREVER), 1);
    ASSERT_OK(fern_sleep(FERN_MS)); /* the outer one is well */
    ASSERT_OK(fern_task_group_go(outer, say, "fine"));
    ASSERT_EQ(fern_task_group_wait(outer, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "fine");
    fern_task_group_free(inner);
    fern_task_group_free(outer);
}

TEST(freeing_a_group_that_was_not_waited_for_stops_its_tasks)
{
    group = fern_task_group_new();
    ASSERT_OK(fern_task_group_go(group, work, "a"));
    ASSERT_OK(fern_yield());
    fern_task_group_free(group);
    ASSERT_STR_EQ(trace_text, "a:stopped");
    ASSERT_OK(fern_sleep(FERN_MS));
}

static void *
use_as_another(void *unused)
{
    ASSERT_ERR(fern_task_group_wait(group, FERN_FOREVER), -EPERM);
    return unused;
}

static void *
use_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_task_group_go(group, work, NULL), -EXDEV);
    ASSERT_NULL(fern_task_group_spawn(group, work, NULL));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_ERR(fern_task_group_wait(group, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_task_group_cancel(group, 0), -EXDEV);
    return unused;
}

static void
make_in_callback(void *unused)
{
    (void)unused;
    ASSERT_NULL(fern_task_group_new());
    ASSERT_EQ(errno, EDEADLK);
}

TEST(misuse_of_a_group_answers_with_its_code)
{
    pthread_t thread;
    fern_outcome outcome;
    fern_callback callback = FERN_CALLBACK_INIT;
    ASSERT_ERR(fern_task_group_go(NULL, work, NULL), -EINVAL);
    ASSERT_ERR(fern_task_group_wait(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_task_group_cancel(NULL, 0), -EINVAL);
    ASSERT_ERR(fern_task_group_error(NULL, 0, &outcome), -EINVAL);
    ASSERT_OK(fern_call_soon(&callback, make_in_callback, NULL));
    group = fern_task_group_new();
    ASSERT_ERR(fern_task_group_go(group, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_task_group_error(group, 0, NULL), -EINVAL);
    ASSERT_ERR(fern_task_group_error(group, 0, &outcome), -ESRCH);
    FINISH(fern_spawn(use_as_another, NULL));
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    fern_task_group_free(group);
}
