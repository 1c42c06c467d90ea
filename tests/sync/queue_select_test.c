/* SPDX-License-Identifier: MIT */
/* Queues and channels as cases of select, and a deadline that passes unseen. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_queue queues[9];

static void
begin(int count, size_t capacity)
{
    for (int i = 0; i < count; i++)
        ASSERT_OK(fern_queue_init(&queues[i], sizeof(int), capacity));
}

static void
end(int count)
{
    for (int i = 0; i < count; i++)
        ASSERT_OK(fern_queue_fini(&queues[i])); /* nobody waits for any of them */
}

TEST(the_first_queue_that_can_be_served_wins_and_the_others_lose_nothing)
{
    int items[3] = {0}, six = 6;
    begin(3, 1);
    fern_case cases[] = {fern_case_get(&queues[0], &items[0]),
            fern_case_get(&queues[1], &items[1]), fern_case_get(&queues[2], &items[2])};
    ASSERT_ERR(fern_select(cases, 3, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_queue_put(&queues[2], &six, FERN_NOWAIT));
    ASSERT_OK(fern_queue_put(&queues[1], &six, FERN_NOWAIT));
    ASSERT_EQ(fern_select(cases, 3, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, 0);
    ASSERT_EQ(items[1], 6);
    ASSERT_EQ(items[2], 0);
    ASSERT_EQ(fern_queue_len(&queues[2]), 1);
    cases[0] = fern_case_put(&queues[2], &six); /* full */
    cases[1] = fern_case_put(&queues[0], &six);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(fern_queue_len(&queues[0]), 1);
    end(3);
}

static void *
put_later(void *index)
{
    int i = (int)(intptr_t)index;
    ASSERT_OK(fern_sleep((i + 1) * FERN_MS));
    ASSERT_OK(fern_queue_put(&queues[i], &i, FERN_FOREVER));
    return NULL;
}

TEST(an_item_that_comes_while_a_select_waits_is_handed_to_it)
{
    int items[9];
    fern_case cases[9];
    fern_greenlet *gs[9];
    begin(9, 1);
    for (int i = 0; i < 9; i++) {
        items[i] = -1;
        cases[i] = fern_case_get(&queues[i], &items[i]);
        gs[i] = fern_spawn(put_later, (void *)(intptr_t)i);
    }
    for (int i = 0; i < 9; i++) {
        ASSERT_EQ(fern_select(cases, 9, 0, FERN_FOREVER), i);
        ASSERT_EQ(items[i], i);
    }
    for (int i = 0; i < 9; i++)
        FINISH(gs[i]);
    end(9);
}

static void *
get_later(void *index)
{
    int i = (int)(intptr_t)index, item = -1;
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_queue_get(&queues[i], &item, FERN_FOREVER));
    trace("got%d", item);
    return NULL;
}

TEST(a_select_that_waits_to_put_has_its_item_taken_over_by_who_makes_room)
{
    int zero = 0, seven = 7, item;
    begin(2, 1);
    ASSERT_OK(fern_queue_put(&queues[0], &zero, FERN_NOWAIT));
    ASSERT_OK(fern_queue_put(&queues[1], &zero, FERN_NOWAIT));
    fern_case cases[] = {
            fern_case_put(&queues[0], &seven), fern_case_put(&queues[1], &seven)};
    fern_greenlet *g = fern_spawn(get_later, (void *)(intptr_t)1);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    FINISH(g);
    ASSERT_EQ(fern_queue_len(&queues[0]), 1);
    ASSERT_OK(fern_queue_get(&queues[1], &item, FERN_NOWAIT));
    ASSERT_EQ(item, 7);
    ASSERT_STR_EQ(trace_text, "got0");
    end(2);
}

TEST(a_closed_queue_is_ready_with_its_code)
{
    int item;
    begin(2, 1);
    fern_case cases[] = {
            fern_case_get(&queues[0], &item), fern_case_get(&queues[1], &item)};
    ASSERT_OK(fern_queue_close(&queues[1], 0));
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, -EPIPE);
    cases[1] = fern_case_put(&queues[1], &item);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, -EPIPE);
    end(2);
}

static void *
close_later(void *index)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_queue_close(&queues[(intptr_t)index], 0));
    return NULL;
}

TEST(a_close_while_a_select_waits_wins_with_its_code)
{
    int item = 5;
    begin(2, 0);
    fern_case cases[] = {
            fern_case_get(&queues[0], &item), fern_case_put(&queues[1], &item)};
    fern_greenlet *g = fern_spawn(close_later, (void *)(intptr_t)1);
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(cases[1].result, -EPIPE);
    ASSERT_EQ(item, 5);
    FINISH(g);
    end(2);
}

static void *
put_or_get(void *word)
{
    int mine = ((const char *)word)[0], other = 0;
    fern_case cases[] = {
            fern_case_put(&queues[0], &mine), fern_case_get(&queues[0], &other)};
    int which = fern_select(cases, 2, 0, FERN_FOREVER);
    ASSERT_GE(which, 0);
    ASSERT_OK(cases[which].result);
    if (which == 0)
        trace("%c-put", mine);
    else
        trace("%c-got-%c", mine, other);
    return NULL;
}

TEST(two_that_would_put_or_get_at_the_same_channel_meet)
{
    begin(1, 0);
    fern_greenlet *a = fern_spawn(put_or_get, "a"), *b = fern_spawn(put_or_get, "b");
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "b-put a-got-b");
    end(1);
}

TEST(the_same_queue_may_stand_in_several_cases)
{
    int first = 0, second = 0;
    begin(1, 1);
    fern_case cases[] = {
            fern_case_get(&queues[0], &first), fern_case_get(&queues[0], &second)};
    fern_greenlet *gs[] = {fern_spawn(put_later, (void *)(intptr_t)0),
            fern_spawn(get_later, (void *)(intptr_t)0)};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 0);
    int five = 5;
    ASSERT_OK(fern_queue_put(&queues[0], &five, FERN_FOREVER)); /* not for the other case */
    FINISH(gs[0]);
    FINISH(gs[1]);
    ASSERT_EQ(second, 0);
    ASSERT_STR_EQ(trace_text, "got5");
    end(1);
}

static void *
select_forever(void *ret_code)
{
    int item = 0;
    fern_case cases[] = {
            fern_case_get(&queues[0], &item), fern_case_put(&queues[1], &item)};
    *(int *)ret_code = fern_select(cases, 2, 0, FERN_FOREVER);
    return NULL;
}

TEST(a_select_that_is_killed_takes_nothing_and_puts_nothing)
{
    int code = 0, one = 1;
    begin(2, 1);
    ASSERT_OK(fern_queue_put(&queues[1], &one, FERN_NOWAIT));
    fern_greenlet *g = fern_spawn(select_forever, &code);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_getting(&queues[0]) + fern_queue_putting(&queues[1]), 2);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_EQ(code, -ECANCELED);
    ASSERT_OK(fern_queue_put(&queues[0], &one, FERN_NOWAIT));
    ASSERT_EQ(fern_queue_len(&queues[0]), 1);
    ASSERT_OK(fern_queue_get(&queues[1], &one, FERN_NOWAIT));
    ASSERT_EQ(fern_queue_len(&queues[1]), 0);
    end(2);
}

TEST(what_a_select_was_given_before_a_kill_stays_its_own)
{
    int code = 0, one = 1;
    begin(2, 0);
    fern_greenlet *g = fern_spawn(select_forever, &code);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_put(&queues[0], &one, FERN_NOWAIT));
    ASSERT_ERR(fern_queue_get(&queues[1], &one, FERN_NOWAIT),
            -EAGAIN); /* it has won already */
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_EQ(code, 0);
    end(2);
}

static void *
select_elsewhere(void *unused)
{
    int item = 0;
    fern_case get = fern_case_get(&queues[0], &item),
              put = fern_case_put(&queues[0], &item);
    ASSERT_ERR(fern_select(&get, 1, 0, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_select(&put, 1, 0, FERN_FOREVER), -EXDEV);
    return unused;
}

TEST(misuse_of_a_queue_in_a_case_answers_with_its_code)
{
    pthread_t thread;
    int item = 0;
    begin(1, 1);
    ASSERT_OK(fern_queue_put(&queues[0], &item, FERN_NOWAIT));
    ASSERT_EQ(pthread_create(&thread, NULL, select_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    fern_case cases[] = {fern_case_get(NULL, &item), fern_case_get(&queues[0], NULL)};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_NOWAIT), 1);
    ASSERT_EQ(cases[1].result, -EINVAL);
    cases[1] = fern_case_put(&queues[1], &item); /* not begun */
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_NOWAIT), 1);
    ASSERT_EQ(cases[1].result, -EINVAL);
    end(1);
}

static void *
peek_and_say(void *word)
{
    int item = 0;
    ASSERT_OK(fern_queue_peek(&queues[0], &item, FERN_FOREVER));
    trace("%s%d", (const char *)word, item);
    return NULL;
}

TEST(who_waits_to_look_into_a_channel_sees_what_a_select_waits_to_put)
{
    int six = 6;
    begin(1, 0);
    fern_greenlet *g = fern_spawn(peek_and_say, "sees");
    ASSERT_OK(fern_yield());
    fern_case cases[] = {
            fern_case_put(&queues[0], &six), fern_case_timer(fern_in(FERN_MS))};
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_STR_EQ(trace_text, "sees6");
    FINISH(g);
    end(1);
}

/* ---- waiting without taking ---- */

static void *
wait_for_three(void *ret_code)
{
    int item = 0;
    fern_case cases[] = {fern_case_get(&queues[0], &item), fern_case_put(&queues[1], &item),
            fern_case_get(&queues[2], &item)};
    size_t order[3];
    *(int *)ret_code = fern_wait(cases, 3, 0, order, FERN_FOREVER);
    for (int i = 0; i < *(int *)ret_code; i++)
        trace("%zu:%d", order[i], cases[order[i]].result);
    ASSERT_EQ(item, 0);
    return NULL;
}

TEST(a_wait_for_several_queues_tells_which_could_be_served_and_takes_nothing)
{
    int code = 0, item = 7;
    begin(3, 1);
    ASSERT_OK(fern_queue_put(&queues[1], &item, FERN_NOWAIT));
    fern_greenlet *g = fern_spawn(wait_for_three, &code);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_getting(&queues[0]) + fern_queue_putting(&queues[1]), 0);
    ASSERT_ERR(fern_queue_put(&queues[1], &item, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_queue_close(&queues[2], 0));
    ASSERT_OK(fern_queue_get(&queues[1], &item, FERN_NOWAIT));
    ASSERT_OK(fern_queue_put(&queues[0], &item, FERN_NOWAIT));
    FINISH(g);
    ASSERT_EQ(code, 3);
    char wanted[40];
    snprintf(wanted, sizeof wanted, "2:%d 1:0 0:0", -EPIPE);
    ASSERT_STR_EQ(trace_text, wanted);
    ASSERT_EQ(fern_queue_len(&queues[0]), 1);
    ASSERT_EQ(fern_queue_len(&queues[1]), 0);
    end(3);
}

static void *
put_seven(void *channel)
{
    int seven = 7;
    ASSERT_OK(fern_queue_put(channel, &seven, FERN_FOREVER));
    return NULL;
}

static void *
get_anything(void *channel)
{
    int item;
    ASSERT_OK(fern_queue_get(channel, &item, FERN_FOREVER));
    return NULL;
}

TEST(a_wait_for_a_channel_hears_of_one_on_the_other_side)
{
    int item = 0;
    begin(2, 0);
    fern_case cases[] = {
            fern_case_get(&queues[0], &item), fern_case_put(&queues[1], &item)};
    fern_greenlet *looker = fern_spawn(peek_and_say, "sees");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_wait(cases, 2, 0, NULL, FERN_NOWAIT), 0);
    fern_greenlet *gs[] = {
            fern_spawn(put_seven, &queues[0]), fern_spawn(get_anything, &queues[1])};
    ASSERT_EQ(fern_wait(cases, 2, 0, NULL, FERN_FOREVER), 2);
    FINISH(looker);
    ASSERT_STR_EQ(trace_text, "sees7");                      /* not what a wait could put */
    ASSERT_EQ(fern_wait(cases, 2, 0, NULL, FERN_NOWAIT), 2); /* they are still there */
    ASSERT_OK(fern_queue_get(&queues[0], &item, FERN_NOWAIT));
    ASSERT_OK(fern_queue_put(&queues[1], &item, FERN_NOWAIT));
    FINISH(gs[0]);
    FINISH(gs[1]);
    end(2);
}

TEST(those_who_watch_both_sides_of_a_channel_hear_nothing_of_each_other)
{
    int item = 0;
    size_t index;
    begin(1, 0);
    fern_case get = fern_case_get(&queues[0], &item),
              put = fern_case_put(&queues[0], &item);
    fern_iwait *getting = fern_iwait_new(&get, 1);
    fern_iwait *putting = fern_iwait_new(&put, 1);
    ASSERT_ERR(fern_iwait_next(getting, &index, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_iwait_next(putting, &index, FERN_NOWAIT), -EAGAIN);
    fern_greenlet *g = fern_spawn(put_seven, &queues[0]);
    ASSERT_EQ(fern_iwait_next(getting, &index, FERN_FOREVER), 1);
    ASSERT_ERR(fern_iwait_next(putting, &index, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_queue_get(&queues[0], &item, FERN_NOWAIT));
    FINISH(g);
    fern_iwait_free(putting);
    fern_iwait_free(getting);
    end(1);
}

/* ---- time ---- */

static fern_time deadline;

static void *
get_until_deadline(void *word)
{
    int item = 0, r = fern_queue_get(&queues[0], &item, deadline);
    trace("%s%d", (const char *)word, r < 0 ? r : item);
    return NULL;
}

TEST(an_item_that_comes_before_timers_are_looked_at_wins_over_a_deadline_that_has_passed)
{
    int one = 1;
    if (strcmp(fern_hub_poller(), "sim") == 0)
        SKIP("virtual time does not pass while somebody runs");
    begin(1, 1);
    deadline = fern_in(10 * FERN_MS);
    fern_greenlet *a = fern_spawn(get_until_deadline, "a");
    fern_greenlet *b = fern_spawn(get_until_deadline, "b");
    ASSERT_OK(fern_yield());
    if (fern_queue_getting(&queues[0]) < 2)
        SKIP("the machine stood still for longer than the deadline");
    while (fern_now().ns < deadline.ns)
        continue;
    ASSERT_OK(fern_queue_put(&queues[0], &one, FERN_NOWAIT));
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "a1 b-62");
    end(1);
}
