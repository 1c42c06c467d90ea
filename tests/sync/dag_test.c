/* SPDX-License-Identifier: MIT */
/* Dags: values under keys, made of others; failures, kills and circles among them. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "trace.h"

static fern_dag *dag;

static void
begin(void)
{
    dag = fern_dag_new(NULL);
    ASSERT_NOT_NULL(dag);
}

static void
finish(void)
{
    ASSERT_OK(fern_dag_free(dag));
}

static void
post(const char *key, intptr_t value)
{
    ASSERT_OK(fern_dag_post(dag, key, (void *)value));
}

static fern_outcome
outcome_of(const char *key)
{
    fern_outcome o = {0};
    ASSERT_OK(fern_dag_get(dag, key, &o, FERN_FOREVER));
    return o;
}

static intptr_t
value_of(const char *key)
{
    fern_outcome o = outcome_of(key);
    ASSERT_EQ(o.code, 0);
    return (intptr_t)o.value;
}

/* Adds up what it depends on, and as many as its argument says. */
static void *
sum(const char *key, void *const *values, void *count)
{
    intptr_t total = 1;
    trace("%s", key);
    for (intptr_t i = 0; i < (intptr_t)count; i++)
        total += (intptr_t)values[i];
    return (void *)total;
}

static void *
doze(const char *key, void *const *values, void *ms)
{
    (void)values;
    int r = fern_sleep((intptr_t)ms * FERN_MS);
    trace("%s%s", key, r < 0 ? "-cut" : "");
    return ms;
}

static void *
fail(const char *key, void *const *values, void *code)
{
    (void)values;
    trace("%s", key);
    return fern_fail((int)(intptr_t)code, "out of luck");
}

static void
spawn(const char *key, const char *const *depends, intptr_t count)
{
    ASSERT_OK(fern_dag_spawn(dag, key, depends, sum, (void *)count));
}

/* ---- giving ---- */

TEST(a_function_runs_when_all_that_it_depends_on_is_there)
{
    begin();
    spawn("d", FERN_KEYS("b", "c"), 2);
    spawn("b", FERN_KEYS("a"), 1);
    spawn("c", FERN_KEYS("a", "a", "e"), 3);
    spawn("e", NULL, 0);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "e");
    ASSERT_EQ(fern_dag_state_of(dag, "a"), FERN_DAG_MISSING);
    ASSERT_EQ(fern_dag_state_of(dag, "c"), FERN_DAG_WAITING);
    ASSERT_EQ(fern_dag_state_of(dag, "e"), FERN_DAG_DONE);
    post("a", 10);
    ASSERT_EQ(fern_dag_state_of(dag, "b"), FERN_DAG_RUNNING);
    ASSERT_EQ(value_of("d"), 1 + 11 + 22);
    ASSERT_STR_EQ(trace_text, "e b c d");
    finish();
}

TEST(what_is_there_already_is_not_waited_for)
{
    begin();
    post("a", 1);
    post("b", 2);
    spawn("c", FERN_KEYS("a", "b"), 2);
    ASSERT_EQ(fern_dag_state_of(dag, "c"), FERN_DAG_RUNNING);
    ASSERT_EQ(value_of("c"), 4);
    finish();
}

TEST(several_may_depend_on_one_key_and_are_told_in_the_order_of_their_spawns)
{
    begin();
    spawn("f", FERN_KEYS("d"), 1);
    spawn("g", FERN_KEYS("e", "d"), 2);
    spawn("h", FERN_KEYS("d"), 1);
    spawn("e", FERN_KEYS("d"), 1);
    post("d", 1);
    ASSERT_EQ(fern_dag_wait(dag, NULL, NULL, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "f h e g");
    finish();
}

TEST(a_key_is_given_once)
{
    begin();
    post("a", 1);
    ASSERT_ERR(fern_dag_post(dag, "a", NULL), -EEXIST);
    ASSERT_ERR(fern_dag_post_error(dag, "a", 1, NULL), -EEXIST);
    ASSERT_ERR(fern_dag_spawn(dag, "a", NULL, sum, NULL), -EEXIST);
    ASSERT_OK(fern_dag_spawn(dag, "b", NULL, doze, (void *)1));
    ASSERT_ERR(fern_dag_post(dag, "b", NULL), -EEXIST);
    ASSERT_ERR(fern_dag_spawn(dag, "b", NULL, sum, NULL), -EEXIST);
    ASSERT_ERR(fern_dag_replace(dag, "b", NULL), -EBUSY);
    ASSERT_EQ(value_of("b"), 1);
    ASSERT_EQ(value_of("a"), 1);
    finish();
}

TEST(a_value_can_be_replaced_for_those_who_come_later)
{
    begin();
    post("a", 1);
    spawn("b", FERN_KEYS("a"), 1);
    ASSERT_EQ(value_of("b"), 2);
    ASSERT_OK(fern_dag_replace(dag, "a", (void *)7));
    spawn("c", FERN_KEYS("a"), 1);
    ASSERT_EQ(value_of("c"), 8);
    ASSERT_EQ(value_of("b"), 2);
    ASSERT_OK(fern_dag_post_error(dag, "d", 5, NULL));
    ASSERT_EQ(outcome_of("d").code, 5);
    ASSERT_OK(fern_dag_replace(dag, "d", (void *)3));
    ASSERT_EQ(value_of("d"), 3);
    ASSERT_NULL(fern_dag_origin(dag, "d"));
    ASSERT_OK(fern_dag_replace(dag, "new", (void *)9));
    ASSERT_EQ(value_of("new"), 9);
    finish();
}

/* ---- waiting ---- */

static void *
get(void *key)
{
    intptr_t value = value_of(key);
    trace("%s=%d", (char *)key, (int)value);
    return NULL;
}

TEST(several_may_wait_for_a_key_that_nobody_has_given_yet)
{
    fern_outcome o;
    begin();
    ASSERT_ERR(fern_dag_get(dag, "a", &o, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_dag_get(dag, "a", &o, fern_in(FERN_MS)), -ETIME);
    fern_greenlet *one = fern_spawn(get, "a"), *two = fern_spawn(get, "a");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_dag_free(dag), -EBUSY);
    post("a", 5);
    ASSERT_ERR(fern_dag_free(dag), -EBUSY); /* they have not run */
    FINISH(one);
    FINISH(two);
    ASSERT_STR_EQ(trace_text, "a=5 a=5");
    finish();
}

TEST(waiting_for_several_gives_their_outcomes_in_the_order_of_the_list)
{
    fern_outcome o[3];
    begin();
    spawn("b", FERN_KEYS("a"), 1);
    ASSERT_OK(fern_dag_spawn(dag, "c", NULL, fail, (void *)22));
    ASSERT_ERR(fern_dag_wait(dag, FERN_KEYS("b", "c", "b"), o, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_dag_wait(dag, FERN_KEYS("b"), o, fern_in(FERN_MS)), -ETIME);
    post("a", 1);
    ASSERT_EQ(fern_dag_wait(dag, FERN_KEYS("b", "c", "b"), o, FERN_FOREVER), 1);
    ASSERT_EQ((intptr_t)o[0].value, 2);
    ASSERT_EQ(o[1].code, 22);
    ASSERT_STR_EQ(o[1].message, "out of luck");
    ASSERT_EQ((intptr_t)o[2].value, 2);
    ASSERT_EQ(fern_dag_wait(dag, FERN_KEYS(NULL), NULL, FERN_FOREVER), 0);
    finish();
}

static void *
spawn_more(const char *key, void *const *values, void *arg)
{
    (void)values;
    ASSERT_OK(fern_sleep(FERN_MS));
    spawn("first", NULL, 0); /* which was mentioned before this one */
    ASSERT_OK(fern_dag_spawn(dag, "more", NULL, fail, (void *)3));
    trace("%s", key);
    return arg;
}

TEST(waiting_for_all_includes_those_that_are_spawned_meanwhile)
{
    begin();
    ASSERT_EQ(fern_dag_wait(dag, NULL, NULL, FERN_NOWAIT), 0);
    spawn("second", FERN_KEYS("first"), 1);
    ASSERT_OK(fern_dag_spawn(dag, "third", NULL, spawn_more, NULL));
    ASSERT_ERR(fern_dag_wait(dag, NULL, NULL, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(fern_dag_wait(dag, NULL, NULL, FERN_FOREVER), 1);
    ASSERT_STR_EQ(trace_text, "third first more second");
    ASSERT_EQ(fern_dag_keys(dag, FERN_DAG_DONE, NULL, 0), 3);
    finish();
}

TEST(keys_come_in_the_order_in_which_they_are_done)
{
    fern_dag_result result = {0};
    int r;
    begin();
    post("there", 4);
    ASSERT_OK(fern_dag_spawn(dag, "slow", NULL, doze, (void *)3));
    ASSERT_OK(fern_dag_spawn(dag, "fast", NULL, doze, (void *)1));
    ASSERT_OK(fern_dag_spawn(dag, "bad", FERN_KEYS("fast"), fail, (void *)9));
    fern_dag_each *all = fern_dag_each_new(dag, NULL);
    fern_dag_each *some =
            fern_dag_each_new(dag, FERN_KEYS("slow", "fast", "there", "slow"));
    fern_iterator it = fern_dag_each_iterator(all);
    FERN_EACH(r, result, &it)
    trace("%s=%d,%d", result.key, result.outcome.code, (int)(intptr_t)result.outcome.value);
    ASSERT_EQ(r, 0);
    ASSERT_STR_EQ(trace_text, "there=0,4 fast fast=0,1 bad bad=9,0 slow slow=0,3");
    ASSERT_EQ(fern_dag_each_next(some, &result, FERN_FOREVER), 1);
    ASSERT_STR_EQ(result.key, "there");
    ASSERT_EQ(fern_dag_each_next(some, &result, FERN_NOWAIT), 1);
    ASSERT_EQ(fern_dag_each_next(some, &result, FERN_FOREVER), 1);
    ASSERT_STR_EQ(result.key, "slow");
    ASSERT_EQ(fern_dag_each_next(some, &result, FERN_FOREVER), 0);
    ASSERT_ERR(fern_dag_free(dag), -EBUSY);
    fern_dag_each_free(all);
    fern_dag_each_free(some);
    fern_dag_each_free(NULL);
    finish();
}

TEST(an_iteration_over_keys_waits_as_long_as_it_is_told_to)
{
    fern_dag_result result;
    begin();
    fern_dag_each *none = fern_dag_each_new(dag, NULL);
    fern_dag_each *it = fern_dag_each_new(dag, FERN_KEYS("a"));
    ASSERT_EQ(fern_dag_each_next(none, &result, FERN_FOREVER), 0);
    ASSERT_ERR(fern_dag_each_next(it, &result, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_dag_each_next(it, &result, fern_in(FERN_MS)), -ETIME);
    post("a", 1);
    ASSERT_EQ(fern_dag_each_next(it, &result, FERN_NOWAIT), 1);
    fern_dag_each_free(none);
    fern_dag_each_free(it);
    finish();
}

TEST(a_key_is_a_future_too)
{
    begin();
    fern_future *b = fern_dag_future(dag, "b"), *c = fern_dag_future(dag, "c");
    fern_case cases[] = {fern_case_future(b), fern_case_future(c)};
    ASSERT_ERR(fern_select(cases, 2, 0, FERN_NOWAIT), -EAGAIN);
    post("c", 1);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_ERR(fern_future_set(b, NULL), -EPERM);
    ASSERT_EQ(fern_future_cancel(b, 0), 1);
    ASSERT_TRUE(outcome_of("b").cancelled);
    ASSERT_OK(fern_dag_spawn(dag, "d", NULL, doze, (void *)9));
    fern_future *d = fern_dag_future(dag, "d");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_future_cancel(d, 0), 1);
    ASSERT_OK(fern_future_wait(d, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "d-cut");
    finish();
    ASSERT_TRUE(fern_future_done(b) && fern_future_done(c));
    fern_future_unref(b);
    fern_future_unref(c);
    fern_future_unref(d);
}

/* ---- failing ---- */

TEST(a_failure_fails_those_that_depend_on_it_and_names_the_key)
{
    begin();
    spawn("c", FERN_KEYS("b", "x"), 2);
    spawn("b", FERN_KEYS("a"), 1);
    ASSERT_OK(fern_dag_spawn(dag, "a", NULL, fail, (void *)22));
    spawn("other", NULL, 0);
    fern_outcome o = outcome_of("c");
    ASSERT_EQ(o.code, 22);
    ASSERT_FALSE(o.cancelled);
    ASSERT_STR_EQ(o.message, "\"a\" failed: out of luck");
    ASSERT_STR_EQ(outcome_of("b").message, "\"a\" failed: out of luck");
    ASSERT_STR_EQ(outcome_of("a").message, "out of luck");
    ASSERT_STR_EQ(fern_dag_origin(dag, "c"), "a");
    ASSERT_STR_EQ(fern_dag_origin(dag, "a"), "a");
    ASSERT_NULL(fern_dag_origin(dag, "other"));
    ASSERT_NULL(fern_dag_origin(dag, "nowhere"));
    spawn("d", FERN_KEYS("x", "c"), 2); /* it has failed before this one came */
    ASSERT_EQ(fern_dag_state_of(dag, "d"), FERN_DAG_FAILED);
    ASSERT_EQ(outcome_of("d").code, 22);
    ASSERT_EQ(value_of("other"), 1);
    ASSERT_STR_EQ(trace_text, "a other");
    finish();
}

TEST(an_error_can_be_posted_with_and_without_words)
{
    begin();
    spawn("c", FERN_KEYS("a"), 1);
    spawn("d", FERN_KEYS("b"), 1);
    ASSERT_ERR(fern_dag_post_error(dag, "a", 0, "none"), -EINVAL);
    ASSERT_OK(fern_dag_post_error(dag, "a", -EIO, "unreadable"));
    ASSERT_OK(fern_dag_post_error(dag, "b", 7, NULL));
    ASSERT_STR_EQ(outcome_of("c").message, "\"a\" failed: unreadable");
    ASSERT_STR_EQ(outcome_of("d").message, "\"b\" failed with code 7");
    ASSERT_NULL(outcome_of("b").message);
    finish();
}

static void
leave_a_failure(void *unused)
{
    (void)unused;
    begin();
    ASSERT_OK(fern_dag_spawn(dag, "root", NULL, fail, (void *)22));
    spawn("leaf", FERN_KEYS("root"), 1);
    spawn("killed", FERN_KEYS("nothing"), 1);
    spawn("after", FERN_KEYS("killed"), 1);
    ASSERT_OK(fern_dag_kill(dag, "killed", 0, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_dag_state_of(dag, "leaf"), FERN_DAG_FAILED);
    finish();
}

TEST(a_failure_that_nobody_asks_for_is_reported_once)
{
    char text[2000];
    ASSERT_EQ(harness_child(leave_a_failure, NULL, text, sizeof text), 0);
    ASSERT_STR_HAS(text, "\"root\" failed: out of luck, and nobody has asked");
    ASSERT_STR_HAS(text, "\"leaf\"");
    ASSERT_NULL(strstr(text, "was killed"));
    char *first = strstr(text, "nobody has asked");
    ASSERT_NULL(strstr(first + 1, "nobody has asked"));
}

/* Each depends on the one before it; given from the first on, or from the last. */
static void
make_chain(int length, bool backwards)
{
    char one[24], other[24];
    begin();
    for (int i = 1; i <= length; i++) {
        int n = backwards ? length + 1 - i : i;
        snprintf(one, sizeof one, "%d", n);
        snprintf(other, sizeof other, "%d", n - 1);
        spawn(one, FERN_KEYS(other), 1);
    }
}

/* Would take minutes if every spawn went through the whole chain. */
TEST(a_long_chain_is_made_and_fails_without_recursion)
{
    const int length = harness_is_slow() ? 1000 : 100000;
    char last[24];
    snprintf(last, sizeof last, "%d", length);
    for (int way = 0; way < 4; way++) {
        make_chain(length, way & 1);
        if (way & 2)
            ASSERT_OK(fern_dag_post_error(dag, "0", 5, NULL));
        else
            post("0", 0);
        fern_outcome o = outcome_of(last);
        ASSERT_EQ(o.code, way & 2 ? 5 : 0);
        ASSERT_EQ((intptr_t)o.value, way & 2 ? 0 : length);
        finish();
        *trace_text = '\0';
    }
}

/* ---- stopping ---- */

TEST(a_killed_key_fails_those_that_depend_on_it_and_can_be_given_anew)
{
    begin();
    ASSERT_ERR(fern_dag_kill(dag, "a", 0, FERN_FOREVER), -ESRCH);
    spawn("a", NULL, 0);
    spawn("b", FERN_KEYS("a"), 1);
    ASSERT_OK(fern_dag_kill(dag, "a", 0, FERN_FOREVER)); /* before it can run */
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    fern_outcome o = outcome_of("a");
    ASSERT_TRUE(o.cancelled && o.code == -ECANCELED);
    o = outcome_of("b");
    ASSERT_FALSE(o.cancelled);
    ASSERT_EQ(o.code, -ECANCELED);
    ASSERT_STR_EQ(o.message, "\"a\" was killed");
    ASSERT_ERR(fern_dag_kill(dag, "a", 0, FERN_FOREVER), -ESRCH);
    spawn("a", NULL, 0);
    ASSERT_EQ(value_of("a"), 1);
    ASSERT_ERR(fern_dag_kill(dag, "a", 0, FERN_FOREVER), -ESRCH);
    ASSERT_ERR(fern_dag_spawn(dag, "b", NULL, sum, NULL), -EEXIST); /* that one failed */
    finish();
}

TEST(a_kill_waits_until_the_function_has_ended)
{
    begin();
    ASSERT_OK(fern_dag_spawn(dag, "a", NULL, doze, (void *)9));
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_dag_free(dag), -EBUSY);
    ASSERT_ERR(fern_dag_kill(dag, "a", 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_dag_post(dag, "a", NULL), -EEXIST);
    ASSERT_OK(fern_dag_kill(dag, "a", 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "a-cut");
    ASSERT_TRUE(outcome_of("a").cancelled);
    finish();
}

static void *
kill_own(const char *key, void *const *values, void *all)
{
    (void)values;
    ASSERT_ERR(fern_dag_kill(dag, all ? NULL : key, 0, FERN_FOREVER), -ECANCELED);
    return fern_sleep(FERN_MS) < 0 ? fern_fail(-ECANCELED, NULL) : NULL;
}

TEST(all_keys_can_be_killed_at_once_by_one_of_them_too)
{
    begin();
    spawn("waits", FERN_KEYS("nothing"), 1);
    spawn("after", FERN_KEYS("waits"), 1);
    ASSERT_OK(fern_dag_spawn(dag, "runs", NULL, doze, (void *)9));
    spawn("unrun", NULL, 0);
    ASSERT_ERR(fern_dag_kill(dag, NULL, 0, FERN_NOWAIT), 0); /* none has run */
    ASSERT_EQ(fern_dag_keys(dag, FERN_DAG_FAILED, NULL, 0), 4);
    ASSERT_OK(fern_dag_spawn(dag, "runs", NULL, doze, (void *)9));
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_dag_kill(dag, NULL, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_dag_kill(dag, NULL, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "runs-cut");
    ASSERT_OK(fern_dag_spawn(dag, "own", NULL, kill_own, NULL));
    ASSERT_OK(fern_dag_spawn(dag, "all", NULL, kill_own, "all"));
    ASSERT_OK(fern_dag_spawn(dag, "victim", NULL, doze, (void *)9));
    ASSERT_EQ(fern_dag_wait(dag, FERN_KEYS("own", "all", "victim"), NULL, FERN_FOREVER), 3);
    finish();
}

TEST(freeing_a_dag_drops_what_waits_for_its_keys)
{
    begin();
    spawn("a", FERN_KEYS("nothing"), 1);
    spawn("b", FERN_KEYS("a"), 1);
    finish();
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_dag_free(NULL));
}

/* ---- circles ---- */

TEST(a_circle_is_told_of_and_fails_whoever_stands_in_it)
{
    begin();
    ASSERT_NULL(fern_dag_circle(dag));
    spawn("a", FERN_KEYS("b"), 1);
    spawn("b", FERN_KEYS("x", "c"), 2);
    spawn("x", FERN_KEYS("y"), 1);
    ASSERT_ERR(fern_dag_spawn(dag, "c", FERN_KEYS("x", "a"), sum, NULL), -EDEADLK);
    ASSERT_STR_EQ(fern_dag_circle(dag), "\"c\" needs \"a\" needs \"b\" needs \"c\"");
    fern_outcome o = outcome_of("a");
    ASSERT_EQ(o.code, -EDEADLK);
    ASSERT_STR_EQ(o.message, "\"c\" failed: \"c\" needs \"a\" needs \"b\" needs \"c\"");
    ASSERT_EQ(outcome_of("b").code, -EDEADLK);
    ASSERT_STR_EQ(outcome_of("c").message, fern_dag_circle(dag));
    ASSERT_ERR(fern_dag_spawn(dag, "self", FERN_KEYS("self"), sum, NULL), -EDEADLK);
    ASSERT_STR_EQ(fern_dag_circle(dag), "\"self\" needs \"self\"");
    ASSERT_EQ(outcome_of("self").code, -EDEADLK);
    post("y", 1);
    ASSERT_EQ(value_of("x"), 2);
    ASSERT_STR_EQ(trace_text, "x");
    finish();
}

TEST(what_has_been_made_closes_no_circle)
{
    begin();
    post("b", 1);
    spawn("a", FERN_KEYS("b"), 1);
    ASSERT_EQ(value_of("a"), 2);
    ASSERT_OK(fern_dag_replace(dag, "b", (void *)5));
    ASSERT_NULL(fern_dag_circle(dag));
    finish();
}

/* Asks for the keys of its argument, one of them or one after the other. */
static void *
ask(const char *key, void *const *values, void *keys)
{
    const char *const *names = keys;
    fern_outcome o;
    (void)values;
    int r = names[1] ? fern_dag_wait(dag, names, NULL, FERN_FOREVER)
                     : fern_dag_get(dag, names[0], &o, FERN_FOREVER);
    trace("%s:%s", key, r == -EDEADLK ? "circle" : r == 0 ? "got" : "failed");
    return r < 0 ? fern_fail(r, "in a circle") : NULL;
}

static void *
ask_each(const char *key, void *const *values, void *keys)
{
    fern_dag_result result;
    (void)values;
    fern_dag_each *it = fern_dag_each_new(dag, keys);
    int r;
    while ((r = fern_dag_each_next(it, &result, FERN_FOREVER)) > 0)
        trace("%s:%s", key, result.key);
    fern_dag_each_free(it);
    trace("%s:%s", key, r == -EDEADLK ? "circle" : "end");
    return NULL;
}

TEST(functions_that_ask_for_keys_are_told_of_circles)
{
    static const char *one[] = {"b", NULL}, *two[] = {"x", "a", NULL}, *own[] = {"c", NULL};
    begin();
    ASSERT_OK(fern_dag_spawn(dag, "a", NULL, ask, one));
    ASSERT_OK(fern_dag_spawn(dag, "b", NULL, ask, two));
    ASSERT_OK(fern_dag_spawn(dag, "c", NULL, ask, own));
    ASSERT_EQ(fern_dag_wait(dag, FERN_KEYS("a", "b", "c"), NULL, FERN_FOREVER), 2);
    ASSERT_STR_EQ(trace_text, "b:circle c:circle a:got");
    ASSERT_STR_EQ(fern_dag_circle(dag), "\"c\" needs \"c\"");
    finish();
}

TEST(a_function_that_asks_closes_a_circle_with_one_that_depends_on_it)
{
    static const char *keys[] = {"b", "c", NULL};
    begin();
    ASSERT_OK(fern_dag_spawn(dag, "a", NULL, ask_each, keys));
    ASSERT_OK(fern_yield());
    const char *names[2];
    ASSERT_EQ(fern_dag_waiting_for(dag, "a", names, 2), 2);
    ASSERT_STR_EQ(names[1], "c");
    ASSERT_ERR(fern_dag_spawn(dag, "b", FERN_KEYS("a"), sum, NULL), -EDEADLK);
    post("c", 1);
    ASSERT_EQ(value_of("a"), 0);
    ASSERT_STR_EQ(trace_text, "a:b a:c a:end");
    ASSERT_OK(fern_dag_spawn(dag, "d", NULL, ask_each, (void *)FERN_KEYS("c", "e", NULL)));
    spawn("e", FERN_KEYS("d"), 1);
    *trace_text = '\0';
    ASSERT_EQ(value_of("e"), 1);
    ASSERT_STR_EQ(trace_text, "d:c d:circle e");
    finish();
}

static void *
ask_all(const char *key, void *const *values, void *arg)
{
    (void)key;
    (void)values;
    ASSERT_ERR(fern_dag_wait(dag, NULL, NULL, FERN_FOREVER), -EDEADLK);
    return arg;
}

TEST(a_function_cannot_wait_for_all)
{
    begin();
    ASSERT_OK(fern_dag_spawn(dag, "a", NULL, ask_all, NULL));
    ASSERT_EQ(value_of("a"), 0);
    finish();
}

/* ---- looking ---- */

TEST(keys_can_be_looked_at_by_what_they_are_up_to)
{
    const char *names[4];
    begin();
    spawn("c", FERN_KEYS("a", "b", "a"), 3);
    ASSERT_OK(fern_dag_spawn(dag, "d", NULL, doze, (void *)1));
    post("e", 1);
    ASSERT_EQ(fern_dag_keys(dag, FERN_DAG_MISSING, names, 4), 2);
    ASSERT_STR_EQ(names[0], "a");
    ASSERT_STR_EQ(names[1], "b");
    ASSERT_EQ(fern_dag_keys(dag, FERN_DAG_WAITING, names, 1), 1);
    ASSERT_STR_EQ(names[0], "c");
    ASSERT_EQ(fern_dag_keys(dag, FERN_DAG_RUNNING, NULL, 0), 1);
    ASSERT_EQ(fern_dag_keys(dag, FERN_DAG_DONE, NULL, 0), 1);
    ASSERT_EQ(fern_dag_keys(NULL, FERN_DAG_DONE, NULL, 0), 0);
    ASSERT_EQ(fern_dag_waiting_for(dag, "c", names, 4), 2);
    ASSERT_STR_EQ(names[1], "b");
    post("a", 1);
    ASSERT_EQ(fern_dag_waiting_for(dag, "c", names, 1), 1);
    ASSERT_STR_EQ(names[0], "b");
    ASSERT_EQ(fern_dag_waiting_for(dag, "d", NULL, 0), 0);
    ASSERT_ERR(fern_dag_waiting_for(dag, "b", NULL, 0), -ESRCH);
    ASSERT_ERR(fern_dag_waiting_for(dag, "z", NULL, 0), -ESRCH);
    ASSERT_EQ(fern_dag_state_of(NULL, "a"), FERN_DAG_MISSING);
    ASSERT_OK(fern_dag_kill(dag, NULL, 0, FERN_FOREVER));
    finish();
}

/* ---- where they run ---- */

TEST(a_pool_limits_how_many_run_and_waiting_keys_take_no_place_in_it)
{
    fern_pool *pool = fern_pool_new(1);
    dag = fern_dag_new(pool);
    spawn("last", FERN_KEYS("one", "two", "three"), 3);
    ASSERT_OK(fern_dag_spawn(dag, "one", NULL, doze, (void *)3));
    ASSERT_OK(fern_dag_spawn(dag, "two", NULL, doze, (void *)2));
    ASSERT_OK(fern_dag_spawn(dag, "three", NULL, doze, (void *)1));
    ASSERT_EQ(fern_pool_waiting(pool), 2);
    ASSERT_ERR(fern_pool_free(pool), -EBUSY);
    ASSERT_EQ(value_of("last"), 7);
    ASSERT_STR_EQ(trace_text, "one two three last");
    ASSERT_OK(fern_dag_spawn(dag, "four", NULL, doze, (void *)1));
    ASSERT_OK(fern_dag_spawn(dag, "five", NULL, doze, (void *)1));
    ASSERT_OK(fern_pool_kill(pool, 0, FERN_FOREVER));
    ASSERT_TRUE(outcome_of("five").cancelled);
    finish();
    ASSERT_OK(fern_pool_free(pool));
}

static int freed;

static void
count_freed(void *arg)
{
    ASSERT_STR_EQ((char *)arg, "arg");
    freed++;
}

static void *
look_at_arg(const char *key, void *const *values, void *arg)
{
    (void)values;
    ASSERT_STR_EQ((char *)arg, "arg");
    ASSERT_STR_EQ(fern_name(fern_self()), key);
    return NULL;
}

TEST(options_reach_the_greenlet_and_its_argument_is_freed_on_every_path)
{
    FERN_SPAWN_OPTIONS(options);
    options.free_arg = count_freed;
    options.stack_bytes = 256 << 10;
    begin();
    ASSERT_OK(fern_dag_spawn_with(dag, "runs", NULL, look_at_arg, "arg", &options));
    ASSERT_OK(fern_dag_spawn_with(
            dag, "fails", FERN_KEYS("x"), look_at_arg, "arg", &options));
    ASSERT_OK(fern_dag_spawn_with(
            dag, "waits", FERN_KEYS("y"), look_at_arg, "arg", &options));
    ASSERT_OK(fern_dag_post_error(dag, "x", 1, NULL));
    ASSERT_EQ(freed, 1);
    ASSERT_EQ(outcome_of("fails").code, 1);
    ASSERT_EQ(value_of("runs"), 0);
    ASSERT_EQ(freed, 2);
    options.detached = true;
    ASSERT_ERR(fern_dag_spawn_with(dag, "z", NULL, look_at_arg, "arg", &options), -EINVAL);
    options.detached = false;
    options.delay_ns = 1;
    ASSERT_ERR(fern_dag_spawn_with(dag, "z", NULL, look_at_arg, "arg", &options), -EINVAL);
    ASSERT_EQ(fern_dag_state_of(dag, "z"), FERN_DAG_MISSING);
    finish();
    ASSERT_EQ(freed, 3);
}

/* ---- misuse ---- */

TEST(nothing_is_no_dag_and_no_key)
{
    fern_outcome o;
    fern_dag_result result;
    begin();
    ASSERT_ERR(fern_dag_post(NULL, "a", NULL), -EINVAL);
    ASSERT_ERR(fern_dag_post(dag, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_dag_replace(dag, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_dag_spawn(dag, "a", NULL, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_dag_spawn(NULL, "a", NULL, sum, NULL), -EINVAL);
    ASSERT_ERR((fern_dag_spawn)(dag, NULL, NULL, sum, NULL), -EINVAL);
    ASSERT_ERR(fern_dag_get(dag, NULL, &o, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_dag_get(dag, "a", NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_dag_wait(NULL, NULL, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_dag_wait(dag, NULL, &o, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_dag_each_next(NULL, &result, FERN_NOWAIT), -EINVAL);
    ASSERT_NULL(fern_dag_each_new(NULL, NULL));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_NULL(fern_dag_future(dag, NULL));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_ERR(fern_dag_kill(NULL, "a", 0, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_dag_waiting_for(dag, NULL, NULL, 0), -EINVAL);
    ASSERT_ERR(fern_dag_waiting_for(dag, "a", NULL, 1), -EINVAL);
    ASSERT_NULL(fern_dag_origin(NULL, "a"));
    ASSERT_NULL(fern_dag_circle(NULL));
    finish();
}

static void *
use_elsewhere(void *pool)
{
    fern_outcome o;
    ASSERT_ERR(fern_dag_post(dag, "a", NULL), -EXDEV);
    ASSERT_ERR(fern_dag_post_error(dag, "a", 1, NULL), -EXDEV);
    ASSERT_ERR(fern_dag_replace(dag, "a", NULL), -EXDEV);
    ASSERT_ERR(fern_dag_spawn(dag, "a", NULL, sum, NULL), -EXDEV);
    ASSERT_ERR(fern_dag_get(dag, "a", &o, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_dag_wait(dag, NULL, NULL, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_dag_kill(dag, "a", 0, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_dag_waiting_for(dag, "a", NULL, 0), -EXDEV);
    ASSERT_ERR(fern_dag_free(dag), -EXDEV);
    ASSERT_NULL(fern_dag_each_new(dag, NULL));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_NULL(fern_dag_future(dag, "a"));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_NULL(fern_dag_new(pool));
    ASSERT_EQ(errno, EXDEV);
    return NULL;
}

TEST(a_dag_of_another_hub_is_refused)
{
    pthread_t thread;
    fern_pool *pool = fern_pool_new(1);
    dag = fern_dag_new(pool);
    ASSERT_EQ(pthread_create(&thread, NULL, use_elsewhere, pool), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    finish();
    ASSERT_OK(fern_pool_free(pool));
}

static void *
ask_killed(void *unused)
{
    fern_outcome o;
    fern_dag_result result;
    fern_dag_each *it = fern_dag_each_new(dag, FERN_KEYS("a"));
    ASSERT_ERR(fern_kill(fern_self(), 0, FERN_FOREVER), -ECANCELED);
    ASSERT_ERR(fern_dag_get(dag, "a", &o, FERN_FOREVER), -ECANCELED);
    ASSERT_ERR(fern_dag_wait(dag, FERN_KEYS("a"), &o, FERN_FOREVER), -ECANCELED);
    ASSERT_ERR(fern_dag_wait(dag, NULL, NULL, FERN_FOREVER), -ECANCELED);
    ASSERT_ERR(fern_dag_each_next(it, &result, FERN_FOREVER), -ECANCELED);
    ASSERT_OK(fern_dag_get(dag, "a", &o, FERN_NOWAIT));
    fern_dag_each_free(it);
    return unused;
}

TEST(one_that_was_killed_waits_for_no_key_even_if_it_is_there)
{
    begin();
    post("a", 1);
    FINISH(fern_spawn(ask_killed, NULL));
    finish();
}
