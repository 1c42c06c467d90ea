/* SPDX-License-Identifier: MIT */
/* Actors: messages in their order, replies, stopping, and beginning anew. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

/* Stop at once and give back. */
static void
finish(fern_actor *a)
{
    ASSERT_OK(fern_actor_stop(a, FERN_ACTOR_NOW, FERN_FOREVER));
    fern_actor_free(a);
}

/* Adds the message to its state, and answers with that; a negative one is a failure. */
static int
add(fern_actor *self, void *message, void *state)
{
    int *sum = state, n = *(int *)message;
    if (n < 0)
        return n;
    *sum += n;
    trace("%d", n);
    int r = fern_actor_reply(self, sum);
    ASSERT_TRUE(r == 0 || r == -ESRCH);
    return 0;
}

/* The same, and it takes a second. */
static int
add_slowly(fern_actor *self, void *message, void *state)
{
    int r = fern_sleep(FERN_SECOND);
    if (r < 0)
        trace("killed");
    return r < 0 ? r : add(self, message, state);
}

static void
tell(fern_actor *a, int n)
{
    ASSERT_OK(fern_actor_send(a, &n, FERN_NOWAIT));
}

TEST(messages_are_handled_one_after_the_other_in_the_order_of_arrival)
{
    int sum = 0;
    fern_actor *a = fern_actor_new(add_slowly, &sum, sizeof(int), NULL);
    for (int i = 1; i <= 3; i++)
        tell(a, i);
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_actor_stop(a, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "1 2 3");
    ASSERT_FALSE(fern_actor_running(a));
    fern_actor_free(a);
}

TEST(a_call_waits_for_the_reply_behind_what_was_sent_before)
{
    int sum = 0, seven = 7;
    void *reply = NULL;
    fern_actor *a = fern_actor_new(add, &sum, sizeof(int), NULL);
    tell(a, 5);
    ASSERT_OK(fern_actor_call(a, &seven, &reply, FERN_FOREVER));
    ASSERT_TRUE(reply == &sum);
    ASSERT_EQ(sum, 12);
    ASSERT_ERR(fern_actor_call(a, &seven, &reply, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(sum, 12);
    finish(a);
}

static int
answer_nothing(fern_actor *self, void *message, void *state)
{
    (void)self;
    (void)message;
    (void)state;
    return 0;
}

TEST(a_message_that_is_handled_without_a_reply_is_answered_with_null)
{
    void *reply = trace_text;
    fern_actor *a = fern_actor_new(answer_nothing, NULL, 0, NULL);
    ASSERT_OK(fern_actor_call(a, NULL, &reply, FERN_FOREVER));
    ASSERT_TRUE(reply == NULL);
    finish(a);
}

TEST(a_call_that_runs_out_of_time_is_handled_all_the_same_and_its_reply_dropped)
{
    int sum = 0, five = 5;
    void *reply = NULL;
    fern_actor *a = fern_actor_new(add_slowly, &sum, sizeof(int), NULL);
    ASSERT_ERR(fern_actor_call(a, &five, &reply, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_sleep(FERN_MINUTE));
    ASSERT_EQ(sum, 5);
    ASSERT_TRUE(reply == NULL);
    finish(a);
}

TEST(a_bounded_inbox_makes_the_sender_wait)
{
    int sum = 0, n = 1;
    FERN_ACTOR_OPTIONS(options);
    options.inbox_max = 2;
    fern_actor *a = fern_actor_new(add_slowly, &sum, sizeof(int), &options);
    tell(a, 1);
    tell(a, 1);
    ASSERT_ERR(fern_actor_send(a, &n, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_yield()); /* it takes the first */
    tell(a, 1);
    ASSERT_ERR(fern_actor_send(a, &n, fern_in(FERN_MS)), -ETIME);
    fern_time start = fern_now();
    ASSERT_OK(fern_actor_send(a, &n, FERN_FOREVER));
    ASSERT_EQ(fern_time_diff(fern_now(), start), FERN_SECOND - FERN_MS);
    ASSERT_OK(fern_actor_stop(a, 0, FERN_FOREVER));
    ASSERT_EQ(sum, 4);
    fern_actor_free(a);
}

static void *
send_late(void *a)
{
    int n = 1;
    trace("%d", fern_actor_send(a, &n, FERN_FOREVER) == -EPIPE);
    return NULL;
}

TEST(one_that_is_stopped_takes_no_more_messages)
{
    int sum = 0, n = 1;
    FERN_ACTOR_OPTIONS(options);
    options.inbox_max = 1;
    options.name = "adder";
    fern_actor *a = fern_actor_new(add_slowly, &sum, sizeof(int), &options);
    tell(a, 1);
    ASSERT_OK(fern_yield());
    tell(a, 2);
    fern_greenlet *g = fern_spawn(send_late, a);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_actor_stop(a, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_actor_send(a, &n, FERN_FOREVER), -EPIPE);
    ASSERT_ERR(fern_actor_call(a, &n, NULL, FERN_FOREVER), -EPIPE);
    ASSERT_TRUE(fern_actor_running(a));
    ASSERT_OK(fern_actor_join(a, NULL, FERN_FOREVER));
    FINISH(g);
    fern_actor_free(a);
}

struct call {
    fern_actor *actor;
    int code;
};

static void *
call_one(void *arg)
{
    struct call *call = arg;
    int one = 1;
    call->code = fern_actor_call(call->actor, &one, NULL, FERN_FOREVER);
    return NULL;
}

TEST(a_stop_at_once_kills_the_handler_and_drops_what_waits)
{
    int sum = 0;
    fern_outcome outcome;
    struct call handled, waiting;
    fern_actor *a = fern_actor_new(add_slowly, &sum, sizeof(int), NULL);
    handled.actor = waiting.actor = a;
    fern_greenlet *g = fern_spawn(call_one, &handled), *h = fern_spawn(call_one, &waiting);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_actor_stop(a, FERN_ACTOR_NOW, FERN_FOREVER));
    FINISH(g);
    FINISH(h);
    ASSERT_ERR(handled.code, -EPIPE);
    ASSERT_ERR(waiting.code, -EPIPE);
    ASSERT_STR_EQ(trace_text, "killed");
    ASSERT_OK(fern_actor_join(a, &outcome, FERN_NOWAIT));
    ASSERT_EQ(outcome.code, 0);
    ASSERT_OK(fern_actor_stop(a, FERN_ACTOR_NOW, FERN_FOREVER));
    fern_actor_free(a);
}

static int
stop_at_zero(fern_actor *self, void *message, void *state)
{
    (void)state;
    trace("%d", *(int *)message);
    ASSERT_ERR(fern_actor_stop(self, 0, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_actor_join(self, NULL, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_actor_call(self, message, NULL, FERN_FOREVER), -EDEADLK);
    if (*(int *)message == 0)
        ASSERT_ERR(fern_actor_stop(self, FERN_ACTOR_NOW, FERN_NOWAIT), -EAGAIN);
    return 0;
}

TEST(a_handler_may_stop_its_own_actor)
{
    fern_actor *a = fern_actor_new(stop_at_zero, NULL, sizeof(int), NULL);
    tell(a, 1);
    tell(a, 0);
    tell(a, 2);
    ASSERT_OK(fern_actor_join(a, NULL, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "1 0");
    fern_actor_free(a);
}

TEST(an_actor_given_back_stops_without_anybody_waiting)
{
    int sum = 0;
    fern_actor *a = fern_actor_new(add_slowly, &sum, sizeof(int), NULL);
    tell(a, 1);
    ASSERT_OK(fern_yield());
    fern_actor_free(a);
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_sleep(FERN_MINUTE));
    ASSERT_STR_EQ(trace_text, "killed");
    fern_actor_free(fern_actor_new(add, &sum, sizeof(int), NULL)); /* it never runs */
    fern_actor_free(NULL);
    ASSERT_OK(fern_yield());
}

/* ---- failing ---- */

static void
told(fern_actor *actor, const fern_outcome *outcome, void *word)
{
    ASSERT_FALSE(fern_actor_running(actor));
    trace("%s:%d", (const char *)word, outcome->code);
}

TEST(a_failure_ends_an_actor_and_those_who_are_linked_hear_of_it_once)
{
    int sum = 0, bad = -7;
    fern_outcome outcome;
    FERN_ACTOR_OPTIONS(options);
    options.quiet = true;
    fern_actor *a = fern_actor_new(add, &sum, sizeof(int), &options);
    ASSERT_OK(fern_actor_link(a, told, "first"));
    ASSERT_OK(fern_actor_link(a, told, "second"));
    ASSERT_ERR(fern_actor_call(a, &bad, NULL, FERN_FOREVER), -EPIPE);
    ASSERT_OK(fern_actor_join(a, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, -7);
    ASSERT_STR_EQ(trace_text, "first:-7 second:-7");
    ASSERT_ERR(fern_actor_link(a, told, "late"), -ESRCH);
    ASSERT_ERR(fern_actor_send(a, &bad, FERN_FOREVER), -EPIPE);
    fern_actor_free(a);
}

static int
say_hello(fern_actor *self, void *state)
{
    trace("hello%d", (int)fern_actor_restarts(self));
    *(int *)state = 0;
    return 0;
}

static fern_actor *
supervised(int *sum, uint32_t max, int64_t within_ns)
{
    FERN_ACTOR_OPTIONS(options);
    options.begin = say_hello;
    options.restarts_max = max;
    options.restarts_within_ns = within_ns;
    options.quiet = true;
    return fern_actor_new(add, sum, sizeof(int), &options);
}

TEST(a_supervised_actor_begins_anew_with_the_message_after_the_one_it_failed_over)
{
    int sum = 0;
    fern_actor *a = supervised(&sum, 3, 0);
    tell(a, 1);
    tell(a, -1);
    tell(a, 2);
    ASSERT_OK(fern_actor_stop(a, 0, FERN_FOREVER));
    /* A failure after the stop would have ended it: stopping is no time to begin anew. */
    ASSERT_STR_EQ(trace_text, "hello0 1");
    fern_actor_free(a);
    trace_text[0] = 0;
    a = supervised(&sum, 3, 0);
    tell(a, 1);
    tell(a, -1);
    tell(a, 2);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_STR_EQ(trace_text, "hello0 1 hello1 2");
    ASSERT_EQ(fern_actor_restarts(a), 1);
    finish(a);
}

TEST(one_that_fails_more_often_than_it_may_ends_for_good)
{
    int sum = 0, one = 1;
    fern_outcome outcome;
    fern_actor *a = supervised(&sum, 2, 0);
    for (int i = 1; i <= 5; i++)
        tell(a, -i);
    ASSERT_OK(fern_actor_join(a, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, -3);
    ASSERT_STR_EQ(trace_text, "hello0 hello1 hello2");
    ASSERT_ERR(fern_actor_send(a, &one, FERN_FOREVER), -EPIPE);
    fern_actor_free(a);
}

TEST(the_limit_counts_restarts_within_a_time)
{
    int sum = 0;
    fern_actor *a = supervised(&sum, 2, FERN_SECOND);
    for (int i = 0; i < 10; i++) { /* never three within a second */
        tell(a, -1);
        ASSERT_OK(fern_sleep(FERN_SECOND / 2));
    }
    ASSERT_EQ(fern_actor_restarts(a), 10);
    ASSERT_TRUE(fern_actor_running(a));
    tell(a, -1);
    tell(a, -1);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_FALSE(fern_actor_running(a));
    fern_actor_free(a);
}

static int
exit_or_kill(fern_actor *self, void *message, void *state)
{
    (void)self;
    (void)state;
    if (*(int *)message == 1) {
        (void)fern_fail(-EIO, "lost");
        fern_exit(NULL);
    }
    ASSERT_OK(fern_kill_id(fern_id(NULL), 0));
    return fern_sleep(FERN_HOUR);
}

TEST(a_handler_that_exits_has_failed_and_one_that_is_killed_ends_the_actor)
{
    fern_outcome outcome;
    FERN_ACTOR_OPTIONS(options);
    options.quiet = true;
    options.restarts_max = 1;
    fern_actor *a = fern_actor_new(exit_or_kill, NULL, sizeof(int), &options);
    tell(a, 1);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(fern_actor_restarts(a), 1);
    tell(a, 1);
    ASSERT_OK(fern_actor_join(a, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, -EIO);
    ASSERT_STR_EQ(outcome.message, "lost");
    fern_actor_free(a);
    a = fern_actor_new(exit_or_kill, NULL, sizeof(int), &options);
    tell(a, 2);
    ASSERT_OK(fern_actor_join(a, &outcome, FERN_FOREVER));
    ASSERT_TRUE(outcome.cancelled);
    ASSERT_EQ(fern_actor_restarts(a), 0);
    fern_actor_free(a);
}

/* ---- misuse ---- */

static int
misuse_inside(fern_actor *self, void *message, void *state)
{
    int r = fern_actor_reply(self, message);
    ASSERT_ERR(fern_actor_reply(self, message), r == 0 ? -EALREADY : -ESRCH);
    trace("%s", (const char *)state);
    return 0;
}

static void *
use_from_elsewhere(void *a)
{
    int n = 1;
    ASSERT_ERR(fern_actor_send(a, &n, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_actor_call(a, &n, NULL, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_actor_stop(a, 0, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_actor_join(a, NULL, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_actor_link(a, told, NULL), -EXDEV);
    ASSERT_ERR(fern_actor_reply(a, NULL), -EPERM);
    return NULL;
}

TEST(misuse_of_an_actor_answers_with_its_code)
{
    int n = 1;
    pthread_t thread;
    FERN_ACTOR_OPTIONS(options);
    options.size = 1;
    ASSERT_TRUE(fern_actor_new(NULL, NULL, 4, NULL) == NULL);
    ASSERT_EQ(errno, EINVAL);
    ASSERT_TRUE(fern_actor_new(add, NULL, 4, &options) == NULL);
    ASSERT_EQ(errno, EINVAL);
    ASSERT_ERR(fern_actor_send(NULL, &n, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_actor_call(NULL, &n, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_actor_stop(NULL, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_actor_join(NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_actor_reply(NULL, NULL), -EINVAL);
    fern_actor *a = fern_actor_new(misuse_inside, "x", sizeof(int), NULL);
    ASSERT_ERR(fern_actor_send(a, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_actor_call(a, NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_actor_stop(a, 2, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_actor_link(a, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_actor_reply(a, NULL), -EPERM);
    ASSERT_ERR(fern_actor_join(a, NULL, FERN_NOWAIT), -EAGAIN);
    tell(a, 1);
    ASSERT_OK(fern_actor_call(a, &n, NULL, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "x x");
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, a), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    finish(a);
}
