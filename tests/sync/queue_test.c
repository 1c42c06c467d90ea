/* SPDX-License-Identifier: MIT */
/* Queues: which item goes to whom, in which order, and what a late or a killed one gets. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_queue queue;

/* Gets one item, and says its word and the number, or minus the code. */
static void *
get_one(void *word)
{
    int item = 0, r = fern_queue_get(&queue, &item, FERN_FOREVER);
    trace("%s%d", (const char *)word, r < 0 ? r : item);
    return NULL;
}

static void *
peek_one(void *word)
{
    int item = 0, r = fern_queue_peek(&queue, &item, FERN_FOREVER);
    trace("%s%d", (const char *)word, r < 0 ? r : item);
    return NULL;
}

/* Puts its number, and says it or minus the code. */
static void *
put_one(void *number)
{
    int item = (int)(intptr_t)number, r = fern_queue_put(&queue, &item, FERN_FOREVER);
    ASSERT_EQ(item, (int)(intptr_t)number);
    trace("put%d", r < 0 ? r : item);
    return NULL;
}

static fern_greenlet *
putter(int number)
{
    return fern_spawn(put_one, (void *)(intptr_t)number);
}

static void
put(int item)
{
    ASSERT_OK(fern_queue_put(&queue, &item, FERN_NOWAIT));
}

static int
got(void)
{
    int item = -1;
    ASSERT_OK(fern_queue_get(&queue, &item, FERN_NOWAIT));
    return item;
}

static int
nothing_to_get(void)
{
    int item = 0;
    return fern_queue_get(&queue, &item, FERN_NOWAIT);
}

static int
no_room(void)
{
    int item = 0;
    return fern_queue_put(&queue, &item, FERN_NOWAIT);
}

TEST(items_come_out_in_the_order_in_which_they_went_in)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 3));
    ASSERT_TRUE(fern_queue_empty(&queue));
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            put(10 * round + i);
        ASSERT_TRUE(fern_queue_full(&queue));
        ASSERT_ERR(no_room(), -EAGAIN);
        ASSERT_EQ(fern_queue_len(&queue), 3);
        for (int i = 0; i < 3; i++)
            ASSERT_EQ(got(), 10 * round + i);
        ASSERT_ERR(nothing_to_get(), -EAGAIN);
    }
    ASSERT_EQ(fern_queue_capacity(&queue), 3);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_put_with_room_and_a_get_of_an_item_never_switch)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 2));
    fern_greenlet *other = fern_spawn(say, "other");
    int item = 1;
    for (int i = 0; i < 1000; i++) {
        ASSERT_OK(fern_queue_put(&queue, &item, FERN_FOREVER));
        ASSERT_OK(fern_queue_get(&queue, &item, FERN_FOREVER));
    }
    ASSERT_STR_EQ(trace_text, "");
    FINISH(other);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(who_waits_to_get_is_served_in_the_order_of_arrival)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 2));
    fern_greenlet *a = fern_spawn(get_one, "a"), *b = fern_spawn(get_one, "b");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_getting(&queue), 2);
    put(1);
    put(2);
    ASSERT_STR_EQ(trace_text, ""); /* a put does not switch */
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "a1 b2");
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(an_item_that_was_put_for_a_waiter_is_not_taken_by_one_that_comes_later)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 2));
    fern_greenlet *a = fern_spawn(get_one, "a");
    ASSERT_OK(fern_yield());
    put(1);
    ASSERT_EQ(fern_queue_len(&queue), 0);
    ASSERT_ERR(nothing_to_get(), -EAGAIN);
    put(2);
    ASSERT_EQ(got(), 2);
    FINISH(a);
    ASSERT_STR_EQ(trace_text, "a1");
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(who_waits_to_put_is_let_in_in_the_order_of_arrival_the_moment_there_is_room)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    put(0);
    fern_greenlet *gs[] = {putter(1), putter(2)};
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_putting(&queue), 2);
    ASSERT_EQ(got(), 0);
    ASSERT_EQ(fern_queue_len(&queue), 1); /* the first one's item is in already */
    ASSERT_ERR(no_room(), -EAGAIN);
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_EQ(got(), 1);
    ASSERT_EQ(got(), 2);
    FINISH(gs[0]);
    FINISH(gs[1]);
    ASSERT_STR_EQ(trace_text, "put1 put2");
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_time_out_of_a_get_or_put_removes_that_waiter_only)
{
    int item = 7;
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    fern_greenlet *a = fern_spawn(get_one, "a");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_queue_get(&queue, &item, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(item, 7);
    ASSERT_EQ(fern_queue_getting(&queue), 1);
    put(1);
    FINISH(a);
    put(2);
    fern_greenlet *b = putter(3);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_queue_put(&queue, &item, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(got(), 2);
    FINISH(b);
    ASSERT_EQ(got(), 3);
    ASSERT_ERR(nothing_to_get(), -EAGAIN); /* the 7 never went in */
    ASSERT_STR_EQ(trace_text, "a1 put3");
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_killed_getter_is_removed_and_the_item_goes_to_the_next)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    fern_greenlet *a = fern_spawn(get_one, "a"), *b = fern_spawn(get_one, "b");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(a, 0, FERN_FOREVER));
    put(1);
    FINISH(b);
    fern_greenlet_unref(a);
    trace("%d", fern_queue_len(&queue) == 0);
    ASSERT_STR_EQ(trace_text, "a-125 b1 1");
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_killed_putter_puts_nothing_and_the_next_takes_its_place)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    put(0);
    fern_greenlet *gs[] = {putter(1), putter(2)};
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(gs[0], 0, FERN_FOREVER));
    ASSERT_EQ(got(), 0);
    ASSERT_EQ(got(), 2);
    FINISH(gs[1]);
    fern_greenlet_unref(gs[0]);
    ASSERT_STR_EQ(trace_text, "put-125 put2");
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_kill_that_comes_after_the_hand_over_leaves_the_item_with_its_getter)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    fern_greenlet *a = fern_spawn(get_one, "a");
    ASSERT_OK(fern_yield());
    put(1);
    ASSERT_OK(fern_kill(a, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "a1");
    fern_greenlet_unref(a);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- looking ---- */

TEST(everybody_who_waits_to_look_sees_the_same_item_which_stays)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 3));
    fern_greenlet *gs[] = {fern_spawn(peek_one, "a"), fern_spawn(peek_one, "b")};
    ASSERT_OK(fern_yield());
    put(4);
    FINISH(gs[0]);
    FINISH(gs[1]);
    ASSERT_STR_EQ(trace_text, "a4 b4");
    put(5);
    int item = 0;
    ASSERT_OK(fern_queue_peek(&queue, &item, FERN_NOWAIT));
    ASSERT_EQ(item, 4);
    ASSERT_EQ(got(), 4);
    ASSERT_EQ(got(), 5);
    ASSERT_ERR(fern_queue_peek(&queue, &item, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_queue_peek(&queue, &item, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(who_waits_to_look_sees_an_item_that_goes_to_one_who_waits_to_get)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 3));
    fern_greenlet *gs[] = {fern_spawn(get_one, "get"), fern_spawn(peek_one, "peek")};
    ASSERT_OK(fern_yield());
    put(4);
    FINISH(gs[0]);
    FINISH(gs[1]);
    ASSERT_STR_EQ(trace_text, "peek4 get4");
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- from a callback ---- */

static void
put_in_callback(void *number)
{
    int item = (int)(intptr_t)number;
    ASSERT_OK(fern_queue_put(&queue, &item, FERN_NOWAIT));
    ASSERT_ERR(fern_queue_put(&queue, &item, FERN_FOREVER), -EDEADLK);
}

static void
get_in_callback(void *ret_item)
{
    ASSERT_OK(fern_queue_get(&queue, ret_item, FERN_NOWAIT));
    ASSERT_ERR(fern_queue_get(&queue, ret_item, FERN_FOREVER), -EDEADLK);
}

TEST(a_put_and_a_get_from_a_callback_serve_who_waits_without_blocking)
{
    fern_callback callback = FERN_CALLBACK_INIT;
    int item = 0;
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    ASSERT_OK(fern_call_soon(&callback, put_in_callback, (void *)(intptr_t)8));
    ASSERT_OK(fern_queue_get(&queue, &item, FERN_FOREVER));
    ASSERT_EQ(item, 8);
    put(1);
    ASSERT_OK(fern_call_soon(&callback, get_in_callback, &item));
    ASSERT_OK(fern_queue_put(&queue, &(int){2}, FERN_FOREVER));
    ASSERT_EQ(item, 1);
    ASSERT_EQ(got(), 2);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- counting work ---- */

static void *
join_queue(void *word)
{
    ASSERT_OK(fern_queue_join(&queue, FERN_FOREVER));
    return say(word);
}

TEST(a_join_ends_when_as_many_are_done_as_were_put)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 2));
    ASSERT_OK(fern_queue_join(&queue, FERN_FOREVER)); /* of an empty one at once */
    put(1);
    put(2);
    fern_greenlet *waiting = putter(3);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_unfinished(&queue), 2); /* the third is not in */
    fern_greenlet *joiners[] = {fern_spawn(join_queue, "a"), fern_spawn(join_queue, "b")};
    ASSERT_OK(fern_yield());
    for (int i = 1; i <= 3; i++)
        ASSERT_EQ(got(), i);
    ASSERT_EQ(fern_queue_unfinished(&queue), 3); /* a get is not the end of the work */
    ASSERT_ERR(fern_queue_join(&queue, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_queue_join(&queue, fern_in(FERN_MS)), -ETIME);
    FINISH(waiting);
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_queue_task_done(&queue));
    FINISH(joiners[0]);
    FINISH(joiners[1]);
    ASSERT_STR_EQ(trace_text, "put3 a b");
    ASSERT_ERR(fern_queue_task_done(&queue), -EOVERFLOW);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(an_item_that_was_handed_over_counts_as_put)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 2));
    fern_greenlet *g = fern_spawn(get_one, "a");
    ASSERT_OK(fern_yield());
    put(1);
    ASSERT_EQ(fern_queue_unfinished(&queue), 1);
    FINISH(g);
    ASSERT_OK(fern_queue_task_done(&queue));
    ASSERT_OK(fern_queue_join(&queue, FERN_NOWAIT));
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- closing ---- */

TEST(a_closed_queue_can_be_emptied_and_then_fails)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 3));
    put(1);
    put(2);
    ASSERT_FALSE(fern_queue_closed(&queue));
    ASSERT_OK(fern_queue_close(&queue, 0));
    ASSERT_TRUE(fern_queue_closed(&queue));
    ASSERT_ERR(no_room(), -EPIPE);
    ASSERT_EQ(got(), 1);
    ASSERT_ERR(fern_queue_close(&queue, 0), -EALREADY);
    ASSERT_EQ(got(), 2);
    ASSERT_ERR(nothing_to_get(), -EPIPE);
    int item;
    ASSERT_ERR(fern_queue_peek(&queue, &item, FERN_FOREVER), -EPIPE);
    ASSERT_ERR(fern_queue_join(&queue, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_queue_fini(&queue));
}

static int dropped;

static void
count_dropped(void *item)
{
    dropped += *(int *)item;
}

TEST(closing_at_once_drops_the_items_and_counts_them_as_done)
{
    FERN_QUEUE_OPTIONS(options);
    options.drop = count_dropped;
    ASSERT_OK(fern_queue_init_with(&queue, sizeof(int), 3, &options));
    put(1);
    ASSERT_EQ(got(), 1);
    put(10);
    put(20);
    put(30);
    fern_greenlet *gs[] = {putter(4), fern_spawn(join_queue, "joined")};
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_close(&queue, 0));
    FINISH(gs[0]);
    ASSERT_OK(fern_queue_close(&queue, FERN_QUEUE_DROP)); /* what is left */
    ASSERT_EQ(dropped, 60);
    ASSERT_ERR(fern_queue_close(&queue, FERN_QUEUE_DROP), -EALREADY);
    ASSERT_ERR(nothing_to_get(), -EPIPE);
    ASSERT_EQ(fern_queue_unfinished(&queue), 1); /* the one that was taken */
    ASSERT_OK(fern_queue_task_done(&queue));
    FINISH(gs[1]);
    ASSERT_STR_EQ(trace_text, "put-32 joined");
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_close_wakes_getters_then_lookers_then_putters_in_their_order)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 0));
    fern_greenlet *gs[] = {fern_spawn(peek_one, "peek"), fern_spawn(get_one, "a"),
            fern_spawn(get_one, "b")};
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_close(&queue, FERN_QUEUE_DROP));
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "a-32 b-32 peek-32");
    ASSERT_OK(fern_queue_fini(&queue));
}

static void *
produce_and_close(void *unused)
{
    for (int i = 1; i <= 5; i++)
        ASSERT_OK(fern_queue_put(&queue, &i, FERN_FOREVER));
    ASSERT_OK(fern_queue_close(&queue, 0));
    return unused;
}

TEST(a_loop_over_a_queue_takes_every_item_and_ends_when_it_is_closed)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 2));
    fern_greenlet *g = fern_spawn(produce_and_close, NULL);
    int r, item;
    FERN_QUEUE_FOREACH (r, &queue, &item)
        trace("%d", item);
    ASSERT_EQ(r, -EPIPE);
    ASSERT_STR_EQ(trace_text, "1 2 3 4 5");
    FINISH(g);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- several workers at one queue ---- */

static void *
work_until_quiet(void *name)
{
    int task;
    while (fern_queue_get(&queue, &task, fern_in(FERN_SECOND)) == 0) {
        trace("%s%d", (const char *)name, task);
        fern_yield();
    }
    return say("quit");
}

static void *
assign(void *unused)
{
    for (int i = 1; i < 20; i++) {
        ASSERT_OK(fern_queue_put(&queue, &i, FERN_FOREVER));
        if (i == 9)
            say("assigned-1");
    }
    return say(unused);
}

TEST(a_boss_and_three_workers_at_a_queue_of_three_take_turns)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 3));
    fern_greenlet *gs[] = {fern_spawn(assign, "assigned-2"),
            fern_spawn(work_until_quiet, "s"), fern_spawn(work_until_quiet, "j"),
            fern_spawn(work_until_quiet, "b")};
    ASSERT_OK(fern_join_all(gs, 4, FERN_FOREVER));
    for (int i = 0; i < 4; i++)
        fern_greenlet_unref(gs[i]);
    ASSERT_STR_EQ(trace_text,
            "s1 j2 b3 s4 j5 b6 assigned-1 s7 j8 b9 s10 j11 b12 s13 j14 b15 s16 j17 b18 "
            "assigned-2 s19 quit quit quit");
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- elsewhere ---- */

static void *
use_from_elsewhere(void *unused)
{
    int item = 0;
    ASSERT_ERR(fern_queue_put(&queue, &item, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_queue_get(&queue, &item, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_queue_peek(&queue, &item, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_queue_put_many(&queue, &item, sizeof item, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_queue_get_many(&queue, &item, sizeof item, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_queue_close(&queue, 0), -EXDEV);
    ASSERT_ERR(fern_queue_task_done(&queue), -EXDEV);
    ASSERT_ERR(fern_queue_join(&queue, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_queue_resize(&queue, 3), -EXDEV);
    ASSERT_ERR(fern_queue_fini(&queue), -EXDEV);
    return unused;
}

TEST(another_thread_is_answered_with_its_code)
{
    pthread_t thread;
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    put(1);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_EQ(got(), 1);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(an_end_is_refused_while_somebody_waits)
{
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    fern_greenlet *g = fern_spawn(get_one, "a");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_queue_fini(&queue), -EBUSY);
    put(1);
    FINISH(g);
    g = fern_spawn(peek_one, "b");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_queue_fini(&queue), -EBUSY);
    put(1);
    FINISH(g);
    g = putter(2);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_queue_fini(&queue), -EBUSY);
    ASSERT_EQ(got(), 1);
    FINISH(g);
    g = fern_spawn(join_queue, "c");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_queue_fini(&queue), -EBUSY);
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_queue_task_done(&queue));
    FINISH(g);
    ASSERT_OK(fern_queue_fini(&queue)); /* with an item in it */
}

TEST(misuse_of_a_queue_answers_with_its_code)
{
    int item = 0;
    ASSERT_ERR(fern_queue_init(NULL, 4, 1), -EINVAL);
    ASSERT_ERR(fern_queue_init(&queue, 0, 1), -EINVAL);
    ASSERT_ERR(fern_queue_init(&queue, (size_t)1 << 31, 1), -EINVAL);
    ASSERT_ERR(fern_queue_put(&queue, &item, FERN_FOREVER), -EINVAL); /* not begun */
    ASSERT_ERR(fern_queue_get(&queue, &item, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_queue_peek(&queue, &item, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_queue_get_many(&queue, &item, 4, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_queue_close(&queue, 0), -EINVAL);
    ASSERT_ERR(fern_queue_resize(&queue, 1), -EINVAL);
    ASSERT_ERR(fern_queue_link(&queue, fern_self()), -EINVAL);
    ASSERT_OK(fern_queue_fini(&queue));
    ASSERT_OK(fern_queue_init(&queue, sizeof item, 1));
    ASSERT_ERR(fern_queue_put(&queue, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_queue_get(&queue, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_queue_peek(&queue, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_queue_put(NULL, &item, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_queue_get(NULL, &item, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_queue_peek(NULL, &item, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_queue_put_many(&queue, NULL, 4, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_queue_close(NULL, 0), -EINVAL);
    ASSERT_ERR(fern_queue_close(&queue, 2), -EINVAL);
    ASSERT_ERR(fern_queue_task_done(NULL), -EINVAL);
    ASSERT_ERR(fern_queue_join(NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_queue_resize(NULL, 1), -EINVAL);
    ASSERT_ERR(fern_queue_fini(NULL), -EINVAL);
    ASSERT_EQ(fern_queue_len(NULL) + fern_queue_capacity(NULL) + fern_queue_getting(NULL) +
                      fern_queue_putting(NULL) + fern_queue_unfinished(NULL),
            0);
    ASSERT_TRUE(fern_queue_empty(NULL) && fern_queue_full(NULL));
    ASSERT_FALSE(fern_queue_closed(NULL));
    if (harness_other_threads() == 0) /* one of a tool might wake it */
        ASSERT_ERR(fern_queue_get(&queue, &item, FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_queue_fini(&queue));
}

static void *
use_and_leave(void *left)
{
    int item = 1;
    ASSERT_OK(fern_queue_put(left, &item, FERN_FOREVER));
    return NULL;
}

TEST(a_queue_of_a_thread_that_has_ended_can_be_ended_from_another)
{
    pthread_t thread;
    fern_queue left;
    ASSERT_OK(fern_queue_init(&left, sizeof(int), 4));
    ASSERT_EQ(pthread_create(&thread, NULL, use_and_leave, &left), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_queue_fini(&left));
}
