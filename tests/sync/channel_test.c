/* SPDX-License-Identifier: MIT */
/* Channels: a put and a get that meet. */

#include "harness.h"

#include <errno.h>

#include "trace.h"

static fern_queue channel;

static void *
put_numbers(void *count)
{
    for (int i = 0; i < (int)(intptr_t)count; i++) {
        int r = fern_queue_put(&channel, &i, FERN_FOREVER);
        trace(r < 0 ? "put:%d" : "put%d", r < 0 ? r : i);
        if (r < 0)
            break;
    }
    return NULL;
}

static void *
get_numbers(void *count)
{
    for (int i = 0; i < (int)(intptr_t)count; i++) {
        int item, r = fern_queue_get(&channel, &item, FERN_FOREVER);
        trace(r < 0 ? "get:%d" : "get%d", r < 0 ? r : item);
    }
    return NULL;
}

static fern_greenlet *
putting(int count)
{
    return fern_spawn(put_numbers, (void *)(intptr_t)count);
}

static fern_greenlet *
getting(int count)
{
    return fern_spawn(get_numbers, (void *)(intptr_t)count);
}

static void
open_channel(void)
{
    ASSERT_OK(fern_queue_init(&channel, sizeof(int), 0));
}

TEST(a_channel_is_empty_and_full_at_once_and_holds_nothing)
{
    int item = 0;
    open_channel();
    ASSERT_TRUE(fern_queue_empty(&channel) && fern_queue_full(&channel));
    ASSERT_EQ(fern_queue_len(&channel), 0);
    ASSERT_EQ(fern_queue_capacity(&channel), 0);
    ASSERT_ERR(fern_queue_put(&channel, &item, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_queue_get(&channel, &item, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_queue_put(&channel, &item, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_queue_get(&channel, &item, fern_in(FERN_MS)), -ETIME);
    fern_greenlet *g = putting(1);
    ASSERT_OK(fern_yield());
    ASSERT_TRUE(fern_queue_empty(&channel) && fern_queue_full(&channel));
    ASSERT_OK(fern_queue_get(&channel, &item, FERN_NOWAIT));
    FINISH(g);
    ASSERT_OK(fern_queue_fini(&channel));
}

TEST(a_put_into_a_channel_waits_until_its_item_is_taken)
{
    open_channel();
    fern_greenlet *g = putting(2);
    int item = 9;
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_EQ(fern_queue_putting(&channel), 1);
    ASSERT_OK(fern_queue_get(&channel, &item, FERN_FOREVER));
    ASSERT_EQ(item, 0);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "put0");
    ASSERT_OK(fern_queue_get(&channel, &item, FERN_FOREVER));
    ASSERT_EQ(item, 1);
    FINISH(g);
    ASSERT_OK(fern_queue_fini(&channel));
}

TEST(when_both_sides_meet_the_getter_runs_first_and_then_the_putter)
{
    open_channel();
    fern_greenlet *getter = getting(2), *one = putting(2);
    FINISH(getter);
    FINISH(one);
    ASSERT_STR_EQ(trace_text, "get0 put0 get1 put1");
    trace_text[0] = 0;
    one = putting(2);
    getter = getting(2);
    FINISH(getter);
    FINISH(one);
    ASSERT_STR_EQ(trace_text, "get0 put0 get1 put1");
    ASSERT_OK(fern_queue_fini(&channel));
}

static void *
put_word(void *word)
{
    ASSERT_OK(fern_queue_put(&channel, word, FERN_FOREVER));
    return NULL;
}

TEST(both_sides_of_a_channel_are_served_in_the_order_of_arrival)
{
    int numbers[] = {5, 6, 7}, item;
    fern_greenlet *gs[3];
    open_channel();
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(put_word, &numbers[i]);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_putting(&channel), 3);
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(fern_queue_peek(&channel, &item, FERN_NOWAIT));
        ASSERT_EQ(item, numbers[i]);
        ASSERT_OK(fern_queue_get(&channel, &item, FERN_FOREVER));
        ASSERT_EQ(item, numbers[i]);
        FINISH(gs[i]);
    }
    fern_greenlet *getters[] = {getting(1), getting(1)};
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_getting(&channel), 2);
    for (int i = 0; i < 2; i++)
        ASSERT_OK(fern_queue_put(&channel, &numbers[i], FERN_NOWAIT));
    for (int i = 0; i < 2; i++)
        FINISH(getters[i]);
    ASSERT_STR_EQ(trace_text, "get5 get6");
    ASSERT_OK(fern_queue_fini(&channel));
}

static void *
peek_number(void *unused)
{
    int item;
    ASSERT_OK(fern_queue_peek(&channel, &item, FERN_FOREVER));
    trace("peek%d", item);
    return unused;
}

TEST(who_waits_to_look_into_a_channel_sees_the_item_of_one_who_waits_to_put)
{
    int item;
    open_channel();
    fern_greenlet *looker = fern_spawn(peek_number, NULL), *one = putting(1);
    FINISH(looker);
    ASSERT_STR_EQ(trace_text, "peek0");
    ASSERT_OK(fern_queue_get(&channel, &item, FERN_NOWAIT));
    FINISH(one);
    ASSERT_OK(fern_queue_fini(&channel));
}

TEST(a_killed_side_of_a_channel_is_passed_over)
{
    int item, numbers[] = {1, 2};
    open_channel();
    fern_greenlet *first = putting(1), *second = fern_spawn(put_word, &numbers[1]);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(first, 0, FERN_FOREVER));
    ASSERT_OK(fern_queue_get(&channel, &item, FERN_FOREVER));
    ASSERT_EQ(item, 2);
    fern_greenlet_unref(first);
    FINISH(second);
    first = getting(1);
    second = getting(1);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(first, 0, FERN_FOREVER));
    ASSERT_OK(fern_queue_put(&channel, &numbers[0], FERN_NOWAIT));
    fern_greenlet_unref(first);
    FINISH(second);
    ASSERT_STR_EQ(trace_text, "put:-125 get:-125 get1");
    ASSERT_OK(fern_queue_fini(&channel));
}

TEST(a_put_that_was_taken_succeeds_even_if_its_greenlet_is_killed_before_it_runs)
{
    int item;
    open_channel();
    fern_greenlet *waiting = putting(1);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_get(&channel, &item, FERN_NOWAIT));
    ASSERT_OK(fern_kill(waiting, 0, FERN_FOREVER));
    fern_greenlet_unref(waiting);
    fern_greenlet *getter = getting(1), *stepping = putting(1);
    ASSERT_OK(fern_yield()); /* the putter has given, and stands behind the getter */
    ASSERT_OK(fern_kill(stepping, 0, FERN_FOREVER));
    fern_greenlet_unref(stepping);
    FINISH(getter);
    ASSERT_STR_EQ(trace_text, "put0 get0 put0");
    ASSERT_OK(fern_queue_fini(&channel));
}

static void
put_in_callback(void *item)
{
    ASSERT_OK(fern_queue_put(&channel, item, FERN_NOWAIT));
}

static void
get_in_callback(void *ret_item)
{
    ASSERT_OK(fern_queue_get(&channel, ret_item, FERN_NOWAIT));
}

TEST(a_callback_serves_either_side_of_a_channel_without_blocking)
{
    fern_callback callback = FERN_CALLBACK_INIT;
    int item = 3, got = 0;
    open_channel();
    ASSERT_OK(fern_call_soon(&callback, put_in_callback, &item));
    ASSERT_OK(fern_queue_get(&channel, &got, FERN_FOREVER));
    ASSERT_EQ(got, 3);
    item = 4;
    ASSERT_OK(fern_call_soon(&callback, get_in_callback, &got));
    ASSERT_OK(fern_queue_put(&channel, &item, FERN_FOREVER));
    ASSERT_EQ(got, 4);
    ASSERT_OK(fern_queue_fini(&channel));
}

static void *
put_and_close(void *unused)
{
    for (int i = 1; i <= 3; i++)
        ASSERT_OK(fern_queue_put(&channel, &i, FERN_FOREVER));
    ASSERT_OK(fern_queue_close(&channel, 0));
    return unused;
}

TEST(a_loop_over_a_channel_ends_when_it_is_closed)
{
    int r, item;
    open_channel();
    fern_greenlet *g = fern_spawn(put_and_close, NULL);
    FERN_QUEUE_FOREACH (r, &channel, &item)
        trace("%d", item);
    ASSERT_EQ(r, -EPIPE);
    ASSERT_STR_EQ(trace_text, "1 2 3");
    FINISH(g);
    ASSERT_OK(fern_queue_fini(&channel));
}

TEST(a_close_of_a_channel_fails_who_waits_on_either_side)
{
    open_channel();
    fern_greenlet *gs[] = {putting(1), putting(1)};
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_close(&channel, 0));
    FINISH(gs[0]);
    FINISH(gs[1]);
    ASSERT_OK(fern_queue_fini(&channel));
    open_channel();
    gs[0] = getting(1);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_close(&channel, 0));
    FINISH(gs[0]);
    ASSERT_STR_EQ(trace_text, "put:-32 put:-32 get:-32");
    ASSERT_OK(fern_queue_fini(&channel));
}

TEST(a_channel_that_is_given_room_becomes_a_queue_and_back)
{
    int item;
    open_channel();
    fern_greenlet *one = putting(3);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_resize(&channel, 2));
    ASSERT_EQ(fern_queue_len(&channel), 1);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "put0 put1");
    ASSERT_OK(fern_queue_resize(&channel, 0));
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(fern_queue_get(&channel, &item, FERN_NOWAIT));
        ASSERT_EQ(item, i);
    }
    FINISH(one);
    ASSERT_OK(fern_queue_fini(&channel));
}
