/* SPDX-License-Identifier: MIT */
/* Raw coroutines: switch, throw, parents, and how they live with the scheduler. */

#include "harness.h"

#include <errno.h>
#include <stdint.h>

#include "trace.h"

static void *
number(intptr_t n)
{
    return (void *)n;
}

/* ---- switching (A1.23) ---- */

static void *
count_up(void *first)
{
    fern_greenlet *back = fern_raw_parent(fern_self());
    void *value = first;
    for (;;) {
        void *next;
        int r = fern_raw_switch(back, number((intptr_t)value + 1), &next);
        if (r < 0)
            return number(r);
        value = next;
        if (!value)
            return number(99);
    }
}

TEST(values_go_to_and_fro_and_the_result_goes_to_the_parent)
{
    fern_greenlet *co = fern_raw_new(count_up, NULL);
    ASSERT_EQ(fern_greenlet_state(co), FERN_STATE_NEW);
    void *value;
    for (intptr_t i = 1; i < 50; i++) {
        ASSERT_OK(fern_raw_switch(co, number(i), &value));
        ASSERT_EQ((intptr_t)value, i + 1);
        ASSERT_EQ(fern_greenlet_state(co), FERN_STATE_PARKED);
    }
    ASSERT_OK(fern_raw_switch(co, NULL, &value));
    ASSERT_EQ((intptr_t)value, 99);
    ASSERT_TRUE(fern_ready(co));
    ASSERT_TRUE(fern_successful(co));
    ASSERT_ERR(fern_raw_switch(co, NULL, &value), -ESRCH);
    ASSERT_ERR(fern_raw_throw(co, -1, &value), -ESRCH);
    fern_greenlet_unref(co);
}

static fern_greenlet *ping, *pong;

static void *
run_ping(void *unused)
{
    for (int i = 0; i < 3; i++) {
        trace("ping");
        ASSERT_OK(fern_raw_switch(pong, NULL, NULL));
    }
    return unused;
}

static void *
run_pong(void *unused)
{
    for (;;) {
        trace("pong");
        if (fern_raw_switch(ping, NULL, NULL) < 0)
            break;
    }
    return unused;
}

TEST(two_coroutines_switch_to_each_other_without_their_parent)
{
    ping = fern_raw_new(run_ping, NULL);
    pong = fern_raw_new(run_pong, NULL);
    ASSERT_OK(fern_raw_switch(ping, NULL, NULL));
    ASSERT_STR_EQ(trace_text, "ping pong ping pong ping pong");
    ASSERT_ERR(fern_raw_switch(ping, NULL, NULL), -ESRCH);
    ASSERT_OK(fern_kill(pong, 0, FERN_FOREVER));
    fern_greenlet_unref(ping);
    fern_greenlet_unref(pong);
}

TEST(a_coroutine_that_was_never_started_can_be_dropped)
{
    fern_greenlet *child = fern_raw_new(say, NULL);
    fern_greenlet *grandchild = fern_raw_new(say, child);
    fern_greenlet_unref(child);
    fern_greenlet_unref(grandchild);
    ASSERT_STR_EQ(trace_text, "");
}

/* ---- throwing ---- */

static void *
wait_for_code(void *unused)
{
    (void)unused;
    return number(fern_raw_switch(fern_raw_parent(fern_self()), NULL, NULL));
}

TEST(a_throw_resumes_with_a_code)
{
    fern_greenlet *co = fern_raw_new(wait_for_code, NULL);
    void *value;
    ASSERT_OK(fern_raw_switch(co, NULL, NULL));
    ASSERT_ERR(fern_raw_throw(co, 5, &value), -EINVAL);
    ASSERT_OK(fern_raw_throw(co, -77, &value));
    ASSERT_EQ((intptr_t)value, -77);
    fern_greenlet_unref(co);
}

TEST(a_throw_into_one_that_has_not_run_ends_it_and_comes_back_as_the_code)
{
    fern_greenlet *co = fern_raw_new(say, NULL);
    void *value = &value;
    ASSERT_ERR(fern_raw_throw(co, -78, &value), -78);
    ASSERT_TRUE(value == &value);
    ASSERT_TRUE(fern_ready(co));
    ASSERT_FALSE(fern_successful(co));
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(co, &outcome));
    ASSERT_EQ(outcome.code, -78);
    fern_greenlet_unref(co);
}

static void *
fail_in_coroutine(void *unused)
{
    (void)unused;
    return fern_fail(-79, "in a coroutine");
}

TEST(a_failure_goes_on_to_the_parent_as_its_code)
{
    fern_greenlet *co = fern_raw_new(fail_in_coroutine, NULL);
    ASSERT_ERR(fern_raw_switch(co, NULL, NULL), -79);
    fern_greenlet_unref(co);
}

TEST(a_kill_ends_it_and_the_parent_goes_on_well)
{
    fern_greenlet *co = fern_raw_new(wait_for_code, NULL);
    ASSERT_OK(fern_raw_switch(co, NULL, NULL));
    ASSERT_OK(fern_kill(co, 0, FERN_FOREVER));
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(co, &outcome));
    ASSERT_EQ((intptr_t)outcome.value, -ECANCELED);
    fern_greenlet_unref(co);
}

/* ---- parents ---- */

static void *
end_with(void *value)
{
    return value;
}

static void *
run_child(void *child)
{
    void *value;
    ASSERT_OK(fern_raw_switch(child, "from child", &value));
    trace("%s", (const char *)value);
    return "from middle";
}

TEST(a_result_goes_to_the_parent_and_on_to_the_nearest_one_that_lives)
{
    fern_greenlet *middle = fern_raw_new(run_child, NULL);
    fern_greenlet *child = fern_raw_new(end_with, middle);
    ASSERT_TRUE(fern_raw_parent(child) == middle);
    ASSERT_TRUE(fern_raw_parent(middle) == fern_self());
    ASSERT_NULL(fern_raw_parent(fern_self()));
    ASSERT_NULL(fern_raw_parent(NULL));
    void *value;
    ASSERT_OK(fern_raw_switch(middle, child, &value));
    ASSERT_STR_EQ(value, "from middle");
    ASSERT_STR_EQ(trace_text, "from child");
    fern_greenlet_unref(child);
    fern_greenlet *orphan = fern_raw_new(end_with, NULL);
    fern_greenlet *stepparent = fern_raw_new(end_with, NULL);
    ASSERT_OK(fern_raw_set_parent(orphan, stepparent));
    ASSERT_OK(fern_raw_switch(stepparent, NULL, NULL));
    ASSERT_OK(fern_raw_switch(orphan, "to main", &value));
    ASSERT_STR_EQ(value, "to main");
    fern_greenlet_unref(stepparent);
    fern_greenlet_unref(orphan);
    fern_greenlet_unref(middle);
}

TEST(a_coroutine_whose_parent_has_not_run_starts_it_with_its_result)
{
    fern_greenlet *parent = fern_raw_new(say, NULL);
    fern_greenlet *child = fern_raw_new(end_with, parent);
    void *value;
    ASSERT_OK(fern_raw_switch(child, "word", &value));
    ASSERT_STR_EQ(value, "word");
    ASSERT_STR_EQ(trace_text, "word");
    fern_greenlet_unref(child);
    fern_greenlet_unref(parent);
}

TEST(a_failure_ends_a_parent_that_has_not_run_and_goes_on_to_the_next)
{
    fern_greenlet *parent = fern_raw_new(say, NULL);
    fern_greenlet *child = fern_raw_new(fail_in_coroutine, parent);
    ASSERT_ERR(fern_raw_switch(child, NULL, NULL), -79);
    ASSERT_TRUE(fern_ready(parent));
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(parent, &outcome));
    ASSERT_EQ(outcome.code, -79);
    fern_greenlet_unref(parent);
    fern_greenlet_unref(child);
    parent = fern_raw_new(say, NULL);
    child = fern_raw_new(say, parent);
    ASSERT_ERR(fern_raw_throw(child, -80, NULL), -80);
    ASSERT_TRUE(fern_ready(parent));
    ASSERT_STR_EQ(trace_text, "");
    fern_greenlet_unref(parent);
    fern_greenlet_unref(child);
}

TEST(misuse_of_coroutines_is_answered)
{
    errno = 0;
    ASSERT_NULL(fern_raw_new(NULL, NULL));
    ASSERT_EQ(errno, EINVAL);
    fern_greenlet *ended = fern_spawn(say, "x");
    ASSERT_OK(fern_join(ended, FERN_FOREVER));
    errno = 0;
    ASSERT_NULL(fern_raw_new(say, ended));
    ASSERT_EQ(errno, EINVAL);
    fern_greenlet *a = fern_raw_new(say, NULL), *b = fern_raw_new(say, a);
    ASSERT_ERR(fern_raw_set_parent(a, b), -EINVAL);
    ASSERT_ERR(fern_raw_set_parent(a, a), -EINVAL);
    ASSERT_ERR(fern_raw_set_parent(NULL, a), -EINVAL);
    ASSERT_ERR(fern_raw_set_parent(a, NULL), -EINVAL);
    ASSERT_ERR(fern_raw_set_parent(fern_self(), a), -EINVAL);
    ASSERT_ERR(fern_raw_set_parent(a, ended), -ESRCH);
    ASSERT_ERR(fern_raw_switch(NULL, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_raw_switch(fern_self(), NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_raw_switch(ended, NULL, NULL), -ESRCH);
    fern_greenlet_unref(a);
    fern_greenlet_unref(b);
    fern_greenlet_unref(ended);
}

/* ---- among greenlets ---- */

static void *
sleep_in_coroutine(void *main)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    trace("slept");
    return main;
}

static void *
switch_to_busy(void *co)
{
    ASSERT_ERR(fern_raw_switch(co, NULL, NULL), -EBUSY);
    ASSERT_ERR(fern_raw_throw(co, -1, NULL), -EBUSY);
    trace("busy");
    return NULL;
}

TEST(one_that_waits_for_something_else_is_busy_and_wakes_by_itself)
{
    fern_greenlet *co = fern_raw_new(sleep_in_coroutine, NULL);
    fern_greenlet *other = fern_spawn(switch_to_busy, co);
    ASSERT_OK(fern_raw_switch(co, "back", NULL));
    ASSERT_STR_EQ(trace_text, "busy slept");
    FINISH(other);
    fern_greenlet_unref(co);
    fern_greenlet *ready = fern_spawn(say, "x");
    ASSERT_ERR(fern_raw_switch(ready, NULL, NULL), -EBUSY);
    FINISH(ready);
}

TEST(a_switch_goes_past_the_ready_queue)
{
    ASSERT_OK(fern_go(say, "queued"));
    fern_greenlet *co = fern_raw_new(say, NULL);
    ASSERT_OK(fern_raw_switch(co, "direct", NULL));
    ASSERT_STR_EQ(trace_text, "direct");
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "direct queued");
    fern_greenlet_unref(co);
}

static void *
never_come_back(void *unused)
{
    (void)fern_sleep(FERN_HOUR);
    return unused;
}

TEST(a_switch_obeys_the_scopes_and_kills_of_its_caller)
{
    fern_greenlet *co = fern_raw_new(never_come_back, NULL);
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, fern_in(FERN_MS)));
    ASSERT_ERR(fern_raw_switch(co, NULL, NULL), -ETIME);
    ASSERT_TRUE(fern_scope_fired(&scope));
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_OK(fern_kill(co, 0, FERN_FOREVER));
    fern_greenlet_unref(co);
}

static void *
to_and_fro(void *unused)
{
    while (fern_raw_switch(fern_raw_parent(fern_self()), NULL, NULL) == 0)
        ;
    return unused;
}

TEST(switching_to_and_fro_for_ever_does_not_keep_timers_from_firing)
{
    if (harness_time_is_virtual())
        SKIP("while somebody runs, no virtual time passes");
    fern_greenlet *co = fern_raw_new(to_and_fro, NULL);
    fern_scope scope = FERN_SCOPE_INIT;
    ASSERT_OK(fern_scope_start(&scope, soon(FERN_MS)));
    int r;
    do
        r = fern_raw_switch(co, NULL, NULL);
    while (r == 0);
    ASSERT_ERR(r, -ETIME);
    ASSERT_OK(fern_scope_stop(&scope));
    ASSERT_OK(fern_kill(co, 0, FERN_FOREVER));
    fern_greenlet_unref(co);
}

static void *
exit_deep(void *value)
{
    fern_exit(value);
}

TEST(an_exit_in_a_coroutine_gives_its_value_to_the_parent)
{
    fern_greenlet *co = fern_raw_new(exit_deep, NULL);
    void *value;
    ASSERT_OK(fern_raw_switch(co, "bye", &value));
    ASSERT_STR_EQ(value, "bye");
    fern_greenlet_unref(co);
}
