/* SPDX-License-Identifier: MIT */
/* Generators: when they run, what they give and are given, and how they end. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

/* Gives 1, 2, 3 and says what it does. */
static void *
count_to_three(void *unused)
{
    for (int i = 1; i <= 3; i++) {
        trace("give%d", i);
        int r = fern_generator_yield(&i, NULL);
        if (r < 0) {
            trace(r == -ECANCELED ? "closed" : "?");
            return unused;
        }
    }
    trace("out");
    return "three";
}

/* Close and give back, leaving no greenlet behind. */
static void
end(fern_generator *g)
{
    ASSERT_OK(fern_generator_close(g, FERN_FOREVER));
    fern_generator_free(g);
}

static fern_generator *
counter(void)
{
    return fern_generator_new(count_to_three, NULL, sizeof(int));
}

TEST(a_generator_runs_only_when_an_item_is_asked_for_and_not_a_step_ahead)
{
    fern_generator *g = counter();
    int item = 0;
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_STR_EQ(trace_text, "give1");
    ASSERT_EQ(item, 1);
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1);
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 1);
    ASSERT_EQ(item, 2);
    ASSERT_STR_EQ(trace_text, "give1 give2 give3");
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "give1 give2 give3 out");
    end(g);
}

TEST(a_generator_that_has_ended_has_ended_for_ever)
{
    fern_generator *g = counter();
    fern_outcome outcome;
    int item = 0, n = 0;
    ASSERT_ERR(fern_generator_outcome(g, &outcome), -EINPROGRESS);
    while (fern_generator_next(g, &item, FERN_FOREVER) > 0)
        n++;
    ASSERT_EQ(n, 3);
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 0);
    ASSERT_EQ(fern_generator_send(g, &n, &item, FERN_FOREVER), 0);
    ASSERT_EQ(item, 3);
    ASSERT_OK(fern_generator_outcome(g, &outcome));
    ASSERT_STR_EQ(outcome.value, "three");
    ASSERT_EQ(outcome.code, 0);
    ASSERT_OK(fern_generator_close(g, FERN_FOREVER));
    end(g);
}

static void *
fail_after_one(void *unused)
{
    int one = 1;
    ASSERT_OK(fern_generator_yield(&one, NULL));
    return unused ? unused : fern_fail(EIO, "no disc");
}

TEST(a_failure_stands_at_its_place_and_then_the_generator_has_ended)
{
    fern_generator *g = fern_generator_new(fail_after_one, NULL, sizeof(int));
    fern_outcome outcome;
    int item = 0;
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1);
    ASSERT_ERR(fern_generator_next(g, &item, FERN_FOREVER), -EIO);
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 0);
    ASSERT_OK(fern_generator_outcome(g, &outcome));
    ASSERT_EQ(outcome.code, EIO);
    ASSERT_STR_EQ(outcome.message, "no disc");
    ASSERT_TRUE(outcome.value == NULL);
    end(g);
}

TEST(nobody_else_runs_between_a_question_and_an_answer_that_needs_no_wait)
{
    fern_generator *g = counter();
    fern_greenlet *other = fern_spawn(say, "other");
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 1);
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 1);
    ASSERT_STR_EQ(trace_text, "give1 give2");
    FINISH(other);
    ASSERT_STR_EQ(trace_text, "give1 give2 other");
    end(g);
}

static void *
give_slowly(void *unused)
{
    for (int i = 1; i <= 3; i++) {
        if (fern_sleep(FERN_SECOND) < 0) {
            trace("killed");
            return unused;
        }
        if (fern_generator_yield(&i, NULL) < 0)
            return unused;
    }
    return unused;
}

TEST(a_generator_may_wait_while_others_run)
{
    fern_generator *g = fern_generator_new(give_slowly, NULL, sizeof(int));
    fern_greenlet *other = fern_spawn(say, "other");
    fern_time start = fern_now();
    int item;
    for (int i = 1; i <= 3; i++) {
        ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1);
        ASSERT_EQ(item, i);
        ASSERT_EQ(fern_time_diff(fern_now(), start), i * FERN_SECOND);
    }
    ASSERT_STR_EQ(trace_text, "other");
    FINISH(other);
    end(g);
}

TEST(an_item_that_came_too_late_is_for_the_next_who_asks)
{
    fern_generator *g = fern_generator_new(give_slowly, NULL, sizeof(int));
    int item = 0;
    ASSERT_ERR(fern_generator_next(g, &item, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_generator_next(g, &item, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_generator_next(g, &item, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_generator_send(g, &item, &item, FERN_FOREVER), -EBUSY);
    ASSERT_OK(fern_sleep(FERN_HOUR));
    ASSERT_ERR(fern_generator_throw(g, -EIO, &item, FERN_FOREVER), -EBUSY);
    ASSERT_EQ(fern_generator_next(g, &item, FERN_NOWAIT), 1);
    ASSERT_EQ(item, 1);
    ASSERT_ERR(fern_generator_next(g, &item, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1); /* it is on its way */
    ASSERT_EQ(item, 2);
    end(g);
}

/* Adds up what it is sent. */
static void *
add(void *unused)
{
    int sum = 0;
    for (;;) { /* ends when no more is wanted */
        void *sent;
        int r = fern_generator_yield(&sum, &sent);
        if (r == -ERANGE) {
            sum = 0;
            continue;
        }
        if (r < 0)
            return r == -ECANCELED ? unused : fern_fail(r, NULL);
        sum += sent ? *(int *)sent : 100;
    }
}

TEST(what_is_sent_or_thrown_is_what_the_yield_answers)
{
    fern_generator *g = fern_generator_new(add, NULL, sizeof(int));
    int item = -1, five = 5;
    ASSERT_ERR(fern_generator_send(g, &five, &item, FERN_FOREVER), -EINVAL);
    ASSERT_EQ(fern_generator_send(g, NULL, &item, FERN_FOREVER), 1);
    ASSERT_EQ(item, 0);
    ASSERT_EQ(fern_generator_send(g, &five, &item, FERN_FOREVER), 1);
    ASSERT_EQ(fern_generator_send(g, &five, &item, FERN_FOREVER), 1);
    ASSERT_EQ(item, 10);
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1);
    ASSERT_EQ(item, 110);
    ASSERT_EQ(fern_generator_throw(g, -ERANGE, &item, FERN_FOREVER), 1);
    ASSERT_EQ(item, 0);
    ASSERT_ERR(fern_generator_throw(g, -EIO, &item, FERN_FOREVER), -EIO);
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 0);
    end(g);
}

TEST(a_failure_thrown_into_one_that_has_not_begun_ends_it)
{
    fern_generator *g = counter();
    fern_outcome outcome;
    ASSERT_ERR(fern_generator_throw(g, -EIO, NULL, FERN_FOREVER), -EIO);
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 0);
    ASSERT_OK(fern_generator_outcome(g, &outcome));
    ASSERT_EQ(outcome.code, -EIO);
    ASSERT_STR_EQ(trace_text, "");
    end(g);
}

static void *
clean_up_slowly(void *unused)
{
    int item = 1;
    int r = fern_generator_yield(&item, NULL);
    trace(r == -ECANCELED ? "closing" : "?");
    ASSERT_ERR(fern_generator_yield(&item, NULL), -ECANCELED);
    ASSERT_OK(fern_sleep(FERN_SECOND));
    trace("closed");
    return unused;
}

TEST(a_close_wakes_the_function_which_cleans_up_while_the_closer_waits)
{
    fern_generator *g = fern_generator_new(clean_up_slowly, NULL, sizeof(int));
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 1);
    ASSERT_ERR(fern_generator_close(g, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_generator_close(g, fern_in(FERN_MS)), -ETIME);
    ASSERT_STR_EQ(trace_text, "closing");
    ASSERT_OK(fern_generator_close(g, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "closing closed");
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 0);
    end(g);
}

TEST(a_close_kills_what_still_waits_for_an_item_that_nobody_wants)
{
    fern_generator *g = fern_generator_new(give_slowly, NULL, sizeof(int));
    ASSERT_ERR(fern_generator_next(g, NULL, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_generator_close(g, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "killed");
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 0);
    end(g);
}

TEST(one_that_has_not_begun_is_closed_without_running)
{
    fern_generator *g = counter();
    ASSERT_OK(fern_generator_close(g, FERN_NOWAIT));
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 0);
    ASSERT_STR_EQ(trace_text, "");
    end(g);
    fern_generator_free(counter());
    fern_generator_free(NULL);
}

TEST(a_generator_given_back_cleans_up_without_anybody_waiting)
{
    fern_generator *g = fern_generator_new(clean_up_slowly, NULL, sizeof(int));
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 1);
    fern_generator_free(g);
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_sleep(FERN_MINUTE));
    ASSERT_STR_EQ(trace_text, "closing closed");
}

struct asking {
    fern_generator *generator;
    int code;
    int item;
};

static void *
ask(void *arg)
{
    struct asking *asking = arg;
    asking->code = fern_generator_next(asking->generator, &asking->item, FERN_FOREVER);
    return NULL;
}

TEST(a_second_who_asks_at_the_same_time_is_answered_ebusy)
{
    struct asking asking = {
            .generator = fern_generator_new(give_slowly, NULL, sizeof(int))};
    fern_greenlet *first = fern_spawn(ask, &asking);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_generator_next(asking.generator, NULL, FERN_FOREVER), -EBUSY);
    ASSERT_ERR(fern_generator_next(asking.generator, NULL, FERN_NOWAIT), -EBUSY);
    ASSERT_ERR(fern_generator_close(asking.generator, FERN_FOREVER), -EBUSY);
    FINISH(first);
    ASSERT_EQ(asking.code, 1);
    ASSERT_EQ(asking.item, 1);
    end(asking.generator);
}

TEST(one_killed_while_it_asks_leaves_the_item_to_the_next)
{
    struct asking asking = {
            .generator = fern_generator_new(give_slowly, NULL, sizeof(int))};
    fern_greenlet *first = fern_spawn(ask, &asking);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(first, 0, FERN_FOREVER));
    fern_greenlet_unref(first);
    ASSERT_ERR(asking.code, -ECANCELED);
    ASSERT_EQ(fern_generator_next(asking.generator, &asking.item, FERN_FOREVER), 1);
    ASSERT_EQ(asking.item, 1);
    end(asking.generator);
}

static void *
ask_itself(void *arg)
{
    struct asking *asking = arg;
    asking->code = fern_generator_next(asking->generator, NULL, FERN_FOREVER);
    ASSERT_ERR(fern_generator_close(asking->generator, FERN_FOREVER), -EBUSY);
    return NULL;
}

static fern_generator *killed;

static void *
ask_killed(void *unused)
{
    ASSERT_ERR(fern_generator_next(killed, NULL, FERN_FOREVER), -ESRCH);
    ASSERT_EQ(fern_generator_next(killed, NULL, FERN_FOREVER), 0);
    return unused;
}

static uint64_t own_id;

static void *
tell_id(void *unused)
{
    own_id = fern_id(NULL);
    (void)fern_sleep(FERN_HOUR);
    return unused;
}

TEST(a_generator_whose_greenlet_is_killed_says_so_once)
{
    killed = fern_generator_new(tell_id, NULL, 0);
    fern_greenlet *g = fern_spawn(ask_killed, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill_id(own_id, 0));
    FINISH(g);
    end(killed);
}

static void *
give_in_a_scope(void *unused)
{
    FERN_SCOPE (limit, fern_in(FERN_SECOND)) {
        int one = 1;
        trace("%d", fern_generator_yield(&one, NULL));
        ASSERT_ERR(fern_sleep(FERN_MS), -ETIME);
        ASSERT_ERR(fern_generator_yield(&one, NULL), -ETIME);
        trace("late");
    }
    int two = 2;
    return fern_generator_yield(&two, NULL) < 0 ? unused : NULL;
}

TEST(a_scope_that_passes_while_nobody_asks_is_met_when_somebody_does)
{
    fern_generator *g = fern_generator_new(give_in_a_scope, NULL, sizeof(int));
    int item;
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1);
    ASSERT_OK(fern_sleep(FERN_MINUTE));
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1);
    ASSERT_EQ(item, 2);
    ASSERT_STR_EQ(trace_text, "0 late");
    end(g);
}

/* ---- delegation and iterators ---- */

static int inner_result;

static void *
wrap(void *inner)
{
    fern_iterator iterator = fern_generator_iterator(inner);
    int zero = 0;
    if (fern_generator_yield(&zero, NULL) < 0)
        return NULL;
    inner_result = fern_generator_delegate(&iterator);
    trace("inner:%d", inner_result);
    return NULL;
}

TEST(a_generator_gives_the_items_of_another_as_its_own)
{
    fern_generator *inner = counter();
    fern_generator *outer = fern_generator_new(wrap, inner, sizeof(int));
    fern_iterator iterator = fern_generator_iterator(outer);
    int item, r, sum = 0;
    FERN_EACH(r, item, &iterator)
    sum = 10 * sum + item;
    ASSERT_EQ(r, 0);
    ASSERT_EQ(sum, 123);
    ASSERT_STR_EQ(trace_text, "give1 give2 give3 out inner:0");
    end(outer);
    end(inner);
}

TEST(what_is_sent_and_thrown_goes_through_to_the_inner_one)
{
    fern_generator *inner = fern_generator_new(add, NULL, sizeof(int));
    fern_generator *outer = fern_generator_new(wrap, inner, sizeof(int));
    int item, seven = 7;
    ASSERT_EQ(fern_generator_next(outer, &item, FERN_FOREVER), 1);
    ASSERT_EQ(fern_generator_next(outer, &item, FERN_FOREVER), 1);
    ASSERT_EQ(fern_generator_send(outer, &seven, &item, FERN_FOREVER), 1);
    ASSERT_EQ(item, 7);
    ASSERT_EQ(fern_generator_throw(outer, -ERANGE, &item, FERN_FOREVER), 1);
    ASSERT_EQ(item, 0);
    ASSERT_EQ(fern_generator_throw(outer, -EIO, &item, FERN_FOREVER), 0);
    ASSERT_ERR(inner_result, -EIO);
    end(outer);
    end(inner);
}

TEST(a_close_of_the_outer_one_closes_the_inner_one_first)
{
    fern_generator *inner = fern_generator_new(clean_up_slowly, NULL, sizeof(int));
    fern_generator *outer = fern_generator_new(wrap, inner, sizeof(int));
    ASSERT_EQ(fern_generator_next(outer, NULL, FERN_FOREVER), 1);
    ASSERT_EQ(fern_generator_next(outer, NULL, FERN_FOREVER), 1);
    ASSERT_OK(fern_generator_close(outer, FERN_FOREVER));
    ASSERT_ERR(inner_result, -ECANCELED);
    ASSERT_EQ(fern_generator_next(inner, NULL, FERN_FOREVER), 0);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "closing closed inner:%d", -ECANCELED);
    ASSERT_STR_EQ(trace_text, wanted);
    end(outer);
    end(inner);
}

/* An iterator of the user's own: counts down, and fails below zero. */
static int
count_down(void *self, void *ret_item, fern_time deadline)
{
    int *left = self;
    (void)deadline;
    if (*left < 0)
        return -ERANGE;
    *(int *)ret_item = *left;
    return (*left)-- > 0;
}

static int
forget(void *self, fern_time deadline)
{
    (void)deadline;
    *(int *)self = -1;
    return 0;
}

static const fern_iterator_ops countdown_ops = {.next = count_down, .close = forget};

static void *
wrap_countdown(void *left)
{
    fern_iterator iterator = {&countdown_ops, left, sizeof(int)};
    inner_result = fern_generator_delegate(&iterator);
    return NULL;
}

TEST(an_end_a_failure_and_a_break_are_told_apart_after_the_loop)
{
    int left = 3, item, r, n = 0;
    fern_iterator iterator = {&countdown_ops, &left, sizeof(int)};
    FERN_EACH(r, item, &iterator)
    n++;
    ASSERT_EQ(r, 0);
    ASSERT_EQ(n, 3);
    left = -1;
    FERN_EACH(r, item, &iterator)
    n++;
    ASSERT_ERR(r, -ERANGE);
    left = 3;
    FERN_EACH(r, item, &iterator)
    break;
    ASSERT_EQ(r, 1);
    ASSERT_OK(fern_iterator_close(&iterator, FERN_FOREVER));
    ASSERT_EQ(left, -1);
    ASSERT_ERR(fern_next(NULL, &item, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_iterator_close(NULL, FERN_FOREVER), -EINVAL);
}

TEST(a_generator_closes_an_iterator_of_any_kind_that_it_delegates_to)
{
    int left = 3, item;
    fern_generator *g = fern_generator_new(wrap_countdown, &left, sizeof(int));
    ASSERT_EQ(fern_generator_next(g, &item, FERN_FOREVER), 1);
    ASSERT_EQ(item, 3);
    ASSERT_EQ(fern_generator_throw(g, -EIO, &item, FERN_FOREVER), 0);
    ASSERT_ERR(inner_result, -EIO);
    ASSERT_EQ(left, -1);
    end(g);
}

/* ---- misuse ---- */

static void *
misuse_inside(void *other_size)
{
    int item = 0;
    fern_iterator iterator = fern_generator_iterator(other_size);
    ASSERT_ERR(fern_generator_yield(NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_generator_delegate(NULL), -EINVAL);
    ASSERT_ERR(fern_generator_delegate(&iterator), -EINVAL);
    ASSERT_ERR(fern_generator_yield(&item, NULL), -ECANCELED);
    return NULL;
}

static void *
yield_from_elsewhere(void *item)
{
    ASSERT_ERR(fern_generator_yield(item, NULL), -EPERM);
    return NULL;
}

static void *
spawn_one_that_yields(void *unused)
{
    int item = 0;
    FINISH(fern_spawn(yield_from_elsewhere, &item));
    return unused;
}

static fern_generator *bound;

static void *
use_from_elsewhere(void *unused)
{
    fern_outcome outcome;
    ASSERT_ERR(fern_generator_next(bound, NULL, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_generator_close(bound, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_generator_outcome(bound, &outcome), -EXDEV);
    ASSERT_ERR(fern_generator_yield(&outcome, NULL), -EPERM);
    return unused;
}

TEST(misuse_of_a_generator_answers_with_its_code)
{
    fern_outcome outcome;
    pthread_t thread;
    int item = 0;
    fern_iterator empty = {0};
    ASSERT_TRUE(fern_generator_new(NULL, NULL, 4) == NULL);
    ASSERT_EQ(errno, EINVAL);
    ASSERT_ERR(fern_generator_next(NULL, &item, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_generator_close(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_generator_outcome(NULL, &outcome), -EINVAL);
    ASSERT_ERR(fern_generator_yield(&item, NULL), -EPERM);
    ASSERT_ERR(fern_generator_delegate(&empty), -EPERM);
    bound = counter();
    ASSERT_ERR(fern_generator_outcome(bound, NULL), -EINVAL);
    ASSERT_ERR(fern_generator_throw(bound, 0, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_EQ(fern_generator_next(bound, NULL, FERN_FOREVER), 1);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    fern_generator *other = fern_generator_new(say, "", sizeof(int) + 1);
    fern_generator *inside = fern_generator_new(misuse_inside, other, sizeof(int));
    ASSERT_EQ(fern_generator_next(inside, NULL, FERN_FOREVER), 1);
    fern_generator_free(other);
    end(inside);
    end(bound);
}

TEST(only_the_generators_own_greenlet_gives_and_it_does_not_ask_itself)
{
    fern_generator *g = fern_generator_new(spawn_one_that_yields, NULL, sizeof(int));
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 0);
    end(g);
    struct asking asking;
    asking.generator = fern_generator_new(ask_itself, &asking, sizeof(int));
    ASSERT_EQ(fern_generator_next(asking.generator, NULL, FERN_FOREVER), 0);
    ASSERT_ERR(asking.code, -EBUSY);
    end(asking.generator);
}

static void *
exit_early(void *unused)
{
    int one = 1;
    ASSERT_OK(fern_generator_yield(&one, NULL));
    fern_exit("left");
    return unused;
}

TEST(a_function_that_exits_has_ended_like_one_that_returns)
{
    fern_generator *g = fern_generator_new(exit_early, NULL, sizeof(int));
    fern_outcome outcome;
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 1);
    ASSERT_EQ(fern_generator_next(g, NULL, FERN_FOREVER), 0);
    ASSERT_OK(fern_generator_outcome(g, &outcome));
    ASSERT_STR_EQ(outcome.value, "left");
    end(g);
}
