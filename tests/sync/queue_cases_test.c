/* SPDX-License-Identifier: MIT */
/* What any kind of queue must do for those who feed it and those who empty it. */

#include "harness.h"

#include <errno.h>
#include <string.h>

#include "trace.h"

static const fern_queue_kind kinds[] = {
        FERN_QUEUE_FIFO, FERN_QUEUE_LIFO, FERN_QUEUE_PRIORITY};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static fern_queue queue;

static void
begin(fern_queue_kind kind, size_t capacity)
{
    FERN_QUEUE_OPTIONS(options);
    options.kind = kind;
    ASSERT_OK(fern_queue_init_with(&queue, sizeof(int64_t), capacity, &options));
}

static int
put(int64_t item, fern_time deadline)
{
    return fern_queue_put(&queue, &item, deadline);
}

/* @return the item, or a code */
static int
get(fern_time deadline)
{
    int64_t item = -1;
    int r = fern_queue_get(&queue, &item, deadline);
    return r < 0 ? r : (int)item;
}

static void *
get_and_say(void *word)
{
    trace("%s%d", (const char *)word, get(FERN_FOREVER));
    return NULL;
}

static void *
put_number(void *number)
{
    trace("put%d", put((intptr_t)number, FERN_FOREVER));
    return NULL;
}

/* ---- the suite of every kind ---- */

static void
fill_and_empty(fern_queue_kind kind)
{
    static const int in_order[KINDS][3] = {
            {111, 333, 222}, {222, 333, 111}, {111, 222, 333}};
    begin(kind, 3);
    ASSERT_TRUE(fern_queue_empty(&queue));
    ASSERT_OK(put(111, FERN_FOREVER));
    ASSERT_OK(put(333, FERN_NOWAIT));
    ASSERT_FALSE(fern_queue_full(&queue) || fern_queue_empty(&queue));
    ASSERT_OK(put(222, fern_in(FERN_MS)));
    ASSERT_TRUE(fern_queue_full(&queue));
    ASSERT_EQ(fern_queue_len(&queue), 3);
    ASSERT_ERR(put(4, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(put(4, fern_in(FERN_MS)), -ETIME);
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(get(i % 2 ? FERN_NOWAIT : FERN_FOREVER), in_order[kind][i]);
    ASSERT_ERR(get(FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(get(fern_in(FERN_MS)), -ETIME);
    fern_greenlet *getter = fern_spawn(get_and_say, "got");
    ASSERT_OK(fern_yield());
    ASSERT_OK(put(5, FERN_FOREVER));
    FINISH(getter);
    for (int i = 0; i < 3; i++)
        ASSERT_OK(put(i, FERN_NOWAIT));
    fern_greenlet *putter = fern_spawn(put_number, (void *)7);
    ASSERT_OK(fern_yield());
    ASSERT_GE(get(FERN_FOREVER), 0);
    FINISH(putter);
    ASSERT_TRUE(fern_queue_full(&queue));
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_queue_of_every_kind_fills_empties_and_makes_both_sides_wait)
{
    for (int i = 0; i < KINDS; i++) {
        fill_and_empty(kinds[i]);
        ASSERT_STR_EQ(trace_text, "got5 put0");
        trace_text[0] = '\0';
    }
}

static int done;

static void *
work_off(void *unused)
{
    int item;
    while ((item = get(FERN_FOREVER)) >= 0) {
        ASSERT_OK(fern_sleep((item % 3) * FERN_MS));
        done += item;
        ASSERT_OK(fern_queue_task_done(&queue));
    }
    ASSERT_ERR(item, -EPIPE);
    return unused;
}

TEST(a_queue_of_every_kind_can_be_joined_twice)
{
    for (int k = 0; k < KINDS; k++) {
        fern_greenlet *gs[2];
        begin(kinds[k], FERN_QUEUE_UNBOUNDED);
        ASSERT_ERR(fern_queue_task_done(&queue), -EOVERFLOW);
        for (int i = 0; i < 2; i++)
            gs[i] = fern_spawn(work_off, NULL);
        for (int round = 1; round <= 2; round++) {
            for (int i = 0; i < 100; i++)
                ASSERT_OK(put(i, FERN_FOREVER));
            ASSERT_OK(fern_queue_join(&queue, FERN_FOREVER));
            ASSERT_EQ(done, round * 4950);
        }
        ASSERT_ERR(fern_queue_task_done(&queue), -EOVERFLOW);
        ASSERT_OK(fern_queue_close(&queue, 0));
        for (int i = 0; i < 2; i++)
            FINISH(gs[i]);
        ASSERT_OK(fern_queue_fini(&queue));
        done = 0;
    }
}

TEST(a_deadline_in_the_past_times_out_and_leaves_the_queue_as_it_is)
{
    begin(FERN_QUEUE_FIFO, 1);
    ASSERT_ERR(get(fern_in(-FERN_SECOND)), -ETIME);
    ASSERT_OK(put(1, fern_in(-FERN_SECOND))); /* there is room */
    ASSERT_ERR(put(2, fern_in(-FERN_SECOND)), -ETIME);
    ASSERT_EQ(get(fern_in(-FERN_SECOND)), 1);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- many ---- */

enum { FEEDERS = 5, ITEMS = 200 };

static char seen[FEEDERS * ITEMS];
static int how; /* they wait: 0 for ever, 1 not at all, 2 for a while */

static fern_time
patience(void)
{
    return how == 0 ? FERN_FOREVER : how == 1 ? FERN_NOWAIT : fern_in(10 * FERN_US);
}

static void *
feed(void *number)
{
    for (int i = 0; i < ITEMS; i++) {
        int r;
        while ((r = put((intptr_t)number * ITEMS + i, patience())) < 0)
            ASSERT_OK(fern_sleep(FERN_US)); /* again */
        ASSERT_OK(r);
        if (i % 7 == 0)
            ASSERT_OK(fern_yield());
    }
    return NULL;
}

static void *
consume(void *unused)
{
    for (;;) { /* ends: the queue is closed */
        int item = get(patience());
        if (item == -EPIPE)
            return unused;
        if (item >= 0)
            seen[item]++;
        ASSERT_OK(item < 0 ? fern_sleep(FERN_US) : 0);
    }
}

TEST(many_feeders_and_consumers_lose_and_double_nothing_however_they_wait)
{
    for (int k = 0; k < 3 * KINDS; k++) {
        fern_greenlet *feeders[FEEDERS], *consumers[FEEDERS];
        how = k % 3;
        memset(seen, 0, sizeof seen);
        begin(kinds[k / 3], 7);
        for (intptr_t i = 0; i < FEEDERS; i++) {
            consumers[i] = fern_spawn(consume, NULL);
            feeders[i] = fern_spawn(feed, (void *)i);
        }
        for (int i = 0; i < FEEDERS; i++)
            FINISH(feeders[i]);
        ASSERT_OK(fern_queue_close(&queue, 0));
        for (int i = 0; i < FEEDERS; i++)
            FINISH(consumers[i]);
        for (int i = 0; i < FEEDERS * ITEMS; i++)
            ASSERT_EQ(seen[i], 1);
        ASSERT_OK(fern_queue_fini(&queue));
    }
}

TEST(a_bounded_queue_keeps_feeders_and_consumers_going_until_all_are_through)
{
    fern_greenlet *gs[8];
    begin(FERN_QUEUE_FIFO, 2);
    for (intptr_t i = 0; i < 4; i++)
        gs[i] = fern_spawn(put_number, (void *)i);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_putting(&queue), 2);
    for (int i = 4; i < 8; i++)
        gs[i] = fern_spawn(get_and_say, "got");
    for (int i = 0; i < 8; i++)
        FINISH(gs[i]);
    ASSERT_EQ(fern_queue_putting(&queue) + fern_queue_getting(&queue), 0);
    ASSERT_STR_EQ(trace_text, "put0 put0 got0 got1 got2 got3 put0 put0");
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- those who leave ---- */

TEST(killed_getters_among_many_hold_up_no_item)
{
    fern_greenlet *gs[5];
    static char *words[] = {"a", "b", "c", "d", "e"};
    begin(FERN_QUEUE_FIFO, FERN_QUEUE_UNBOUNDED);
    for (int i = 0; i < 5; i++)
        gs[i] = fern_spawn(get_and_say, words[i]);
    ASSERT_OK(fern_yield());
    for (int i = 0; i < 5; i += 2)
        ASSERT_OK(fern_kill(gs[i], 0, FERN_FOREVER));
    ASSERT_EQ(fern_queue_getting(&queue), 2);
    trace_text[0] = '\0'; /* of the killed */
    ASSERT_OK(put(1, FERN_FOREVER));
    ASSERT_OK(put(2, FERN_FOREVER));
    for (int i = 0; i < 5; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "b1 d2");
    ASSERT_TRUE(fern_queue_empty(&queue));
    ASSERT_OK(fern_queue_fini(&queue));
}

static void *
wait_in_vain(void *puts)
{
    ASSERT_ERR(puts ? put(9, fern_in(FERN_MS)) : get(fern_in(FERN_MS)), -ETIME);
    return NULL;
}

TEST(who_has_timed_out_is_not_counted_and_leaves_the_item_to_the_next)
{
    fern_greenlet *gs[2];
    begin(FERN_QUEUE_FIFO, 1);
    for (int i = 0; i < 2; i++)
        gs[i] = fern_spawn(wait_in_vain, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_getting(&queue), 2);
    for (int i = 0; i < 2; i++)
        FINISH(gs[i]);
    ASSERT_EQ(fern_queue_getting(&queue), 0);
    ASSERT_OK(put(1, FERN_NOWAIT));
    for (int i = 0; i < 2; i++)
        gs[i] = fern_spawn(wait_in_vain, "puts");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_putting(&queue), 2);
    for (int i = 0; i < 2; i++)
        FINISH(gs[i]);
    ASSERT_EQ(fern_queue_putting(&queue), 0);
    ASSERT_EQ(get(FERN_NOWAIT), 1);
    ASSERT_ERR(get(FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(what_was_put_outlives_who_put_it)
{
    begin(FERN_QUEUE_FIFO, 1);
    FINISH(fern_spawn(put_number, (void *)1));
    fern_greenlet *g = fern_spawn(put_number, (void *)2);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(get(FERN_NOWAIT), 1); /* 2 is in */
    (void)fern_kill(g, 0, FERN_FOREVER);
    fern_greenlet_unref(g);
    ASSERT_EQ(get(FERN_NOWAIT), 2);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_look_into_an_empty_queue_waits_no_longer_than_it_may)
{
    int64_t item = -1;
    begin(FERN_QUEUE_FIFO, 1);
    ASSERT_ERR(fern_queue_peek(&queue, &item, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_queue_peek(&queue, &item, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(item, -1);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- closing ---- */

static void *
join_and_say(void *word)
{
    ASSERT_OK(fern_queue_join(&queue, FERN_FOREVER));
    return say(word);
}

TEST(a_queue_of_every_kind_is_closed_for_putters_first_and_at_once_for_all)
{
    for (int k = 0; k < KINDS; k++) {
        begin(kinds[k], 3);
        ASSERT_OK(put(1, FERN_NOWAIT));
        ASSERT_OK(put(1, FERN_NOWAIT));
        fern_greenlet *joiner = fern_spawn(join_and_say, "joined");
        ASSERT_OK(fern_yield());
        ASSERT_OK(fern_queue_close(&queue, 0));
        ASSERT_ERR(put(2, FERN_FOREVER), -EPIPE);
        ASSERT_ERR(put(2, FERN_NOWAIT), -EPIPE);
        ASSERT_EQ(get(FERN_FOREVER), 1);
        ASSERT_OK(fern_queue_task_done(&queue));
        ASSERT_OK(fern_queue_close(&queue, FERN_QUEUE_DROP));
        ASSERT_ERR(get(FERN_FOREVER), -EPIPE);
        ASSERT_ERR(get(FERN_NOWAIT), -EPIPE);
        FINISH(joiner);
        ASSERT_STR_EQ(trace_text, "joined");
        trace_text[0] = '\0';
        ASSERT_OK(fern_queue_fini(&queue));
    }
}
