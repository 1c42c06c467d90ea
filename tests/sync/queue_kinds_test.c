/* SPDX-License-Identifier: MIT */
/* Queues of every kind and size: order, growth, resizing, links, and memory that ends. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "trace.h"

static fern_queue queue;

static void
begin(size_t item_size, size_t capacity, fern_queue_kind kind)
{
    FERN_QUEUE_OPTIONS(options);
    options.kind = kind;
    ASSERT_OK(fern_queue_init_with(&queue, item_size, capacity, &options));
}

static void
put(int64_t item)
{
    ASSERT_OK(fern_queue_put(&queue, &item, FERN_NOWAIT));
}

static int64_t
got(void)
{
    int64_t item = -1;
    ASSERT_OK(fern_queue_get(&queue, &item, FERN_NOWAIT));
    return item;
}

static void *
put_one(void *number)
{
    int64_t item = (intptr_t)number;
    int r = fern_queue_put(&queue, &item, FERN_FOREVER);
    trace("put%d", r < 0 ? r : (int)item);
    return NULL;
}

static fern_greenlet *
putter(int number)
{
    return fern_spawn(put_one, (void *)(intptr_t)number);
}

TEST(a_lifo_gives_the_youngest_first_and_lets_in_who_waits)
{
    int64_t item;
    begin(sizeof(int64_t), 2, FERN_QUEUE_LIFO);
    put(1);
    put(2);
    fern_greenlet *g = putter(3);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_peek(&queue, &item, FERN_NOWAIT));
    ASSERT_EQ(item, 2);
    ASSERT_EQ(got(), 2);
    ASSERT_EQ(got(), 3);
    ASSERT_EQ(got(), 1);
    FINISH(g);
    ASSERT_OK(fern_queue_fini(&queue));
}

struct job {
    int64_t priority;
    int number;
    int unused;
};

static struct job
next_job(void)
{
    struct job job = {0};
    ASSERT_OK(fern_queue_get(&queue, &job, FERN_NOWAIT));
    return job;
}

TEST(a_priority_queue_gives_the_least_first_and_equal_ones_in_their_order)
{
    enum { JOBS = 1000 };
    begin(sizeof(struct job), FERN_QUEUE_UNBOUNDED, FERN_QUEUE_PRIORITY);
    for (int i = 0; i < JOBS; i++) {
        struct job job = {i * 7919 % 10 - 5, i, 0};
        ASSERT_OK(fern_queue_put(&queue, &job, FERN_FOREVER));
    }
    struct job last = next_job();
    ASSERT_EQ(last.priority, -5);
    for (int i = 1; i < JOBS; i++) {
        struct job job = next_job();
        ASSERT_TRUE(last.priority < job.priority ||
                    (last.priority == job.priority && last.number < job.number));
        last = job;
    }
    ASSERT_EQ(fern_queue_len(&queue), 0);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_priority_queue_stays_ordered_while_puts_and_gets_alternate)
{
    int counts[64] = {0};
    begin(sizeof(struct job), 50, FERN_QUEUE_PRIORITY);
    for (int i = 0; i < 20000; i++) {
        int priority = (int)harness_draw(64);
        if (harness_draw(2) && !fern_queue_full(&queue)) {
            struct job job = {priority, i, 0};
            ASSERT_OK(fern_queue_put(&queue, &job, FERN_NOWAIT));
            counts[priority]++;
        } else if (!fern_queue_empty(&queue)) {
            int64_t least = next_job().priority;
            for (int p = 0; p < least; p++)
                ASSERT_EQ(counts[p], 0);
            ASSERT_GT(counts[least], 0);
            counts[least]--;
        }
    }
    ASSERT_OK(fern_queue_fini(&queue));
}

static int
longest_first(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    return (strlen(x) < strlen(y)) - (strlen(x) > strlen(y));
}

TEST(a_priority_queue_can_be_told_how_to_compare)
{
    static const char *words[] = {"one", "three", "seven", "four", "six"};
    FERN_QUEUE_OPTIONS(options);
    options.kind = FERN_QUEUE_PRIORITY;
    options.compare = longest_first;
    ASSERT_OK(fern_queue_init_with(&queue, sizeof(char *), 5, &options));
    ASSERT_EQ(fern_queue_put_many(&queue, words, sizeof words, FERN_NOWAIT), 5);
    const char *word;
    ASSERT_OK(fern_queue_peek(&queue, &word, FERN_NOWAIT));
    ASSERT_STR_EQ(word, "three");
    for (int i = 0; i < 5; i++) {
        ASSERT_OK(fern_queue_get(&queue, &word, FERN_NOWAIT));
        trace("%s", word);
    }
    ASSERT_STR_EQ(trace_text, "three seven four one six");
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(items_of_any_size_go_in_and_out_unharmed)
{
    static const size_t sizes[] = {1, 2, 3, 8, 16, 24, 100, 4096};
    char in[4096], out[4096];
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int kind = FERN_QUEUE_FIFO; kind <= FERN_QUEUE_PRIORITY; kind++) {
            if (kind == FERN_QUEUE_PRIORITY && sizes[s] < 8)
                continue;
            begin(sizes[s], FERN_QUEUE_UNBOUNDED, (fern_queue_kind)kind);
            for (int i = 0; i < 100; i++) {
                memset(in, i, sizes[s]);
                ASSERT_OK(fern_queue_put(&queue, in, FERN_NOWAIT));
            }
            for (int i = 0; i < 100; i++) {
                memset(in, kind == FERN_QUEUE_LIFO ? 99 - i : i, sizes[s]);
                ASSERT_OK(fern_queue_get(&queue, out, FERN_NOWAIT));
                ASSERT_MEM_EQ(in, out, sizes[s]);
            }
            ASSERT_OK(fern_queue_fini(&queue));
        }
    }
}

TEST(an_unbounded_queue_grows_and_keeps_its_order)
{
    int64_t next = 0, expected = 0;
    begin(sizeof(int64_t), FERN_QUEUE_UNBOUNDED, FERN_QUEUE_FIFO);
    ASSERT_EQ(fern_queue_capacity(&queue), FERN_QUEUE_UNBOUNDED);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 50; i++)
            put(next++);
        for (int i = 0; i < 20; i++)
            ASSERT_EQ(got(), expected++);
        ASSERT_FALSE(fern_queue_full(&queue));
    }
    while (!fern_queue_empty(&queue))
        ASSERT_EQ(got(), expected++);
    ASSERT_EQ(next, expected);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- copies ---- */

TEST(a_copy_of_a_queue_has_its_items_in_their_order_and_leaves_it_as_it_is)
{
    static const fern_queue_kind kinds[] = {
            FERN_QUEUE_FIFO, FERN_QUEUE_LIFO, FERN_QUEUE_PRIORITY};
    fern_queue copy;
    int64_t item;
    for (int k = 0; k < 3; k++) {
        begin(sizeof item, k == 1 ? FERN_QUEUE_UNBOUNDED : 5, kinds[k]);
        ASSERT_OK(fern_queue_copy(&copy, &queue));
        ASSERT_TRUE(fern_queue_empty(&copy));
        ASSERT_OK(fern_queue_fini(&copy));
        for (int i = 0; i < 5; i++)
            put(i * 7 % 5);
        (void)got();
        put(9); /* a ring goes round */
        ASSERT_OK(fern_queue_copy(&copy, &queue));
        ASSERT_EQ(fern_queue_capacity(&copy), fern_queue_capacity(&queue));
        ASSERT_EQ(fern_queue_unfinished(&copy), 5);
        while (!fern_queue_empty(&queue)) {
            ASSERT_OK(fern_queue_get(&copy, &item, FERN_NOWAIT));
            ASSERT_EQ(item, got());
        }
        ASSERT_ERR(fern_queue_get(&copy, &item, FERN_NOWAIT), -EAGAIN);
        ASSERT_OK(fern_queue_put(&copy, &item, FERN_NOWAIT));
        ASSERT_TRUE(fern_queue_empty(&queue));
        ASSERT_OK(fern_queue_fini(&copy));
        ASSERT_OK(fern_queue_fini(&queue));
    }
}

TEST(a_copy_is_open_and_nobody_waits_for_it)
{
    fern_queue copy;
    begin(sizeof(int64_t), 1, FERN_QUEUE_FIFO);
    put(1);
    fern_greenlet *g = putter(2);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_copy(&copy, &queue));
    ASSERT_EQ(fern_queue_len(&copy), 1);
    ASSERT_EQ(fern_queue_putting(&copy), 0);
    ASSERT_OK(fern_queue_fini(&copy));
    ASSERT_OK(fern_queue_close(&queue, 0));
    FINISH(g);
    ASSERT_OK(fern_queue_copy(&copy, &queue));
    ASSERT_FALSE(fern_queue_closed(&copy));
    ASSERT_OK(fern_queue_fini(&copy));
    ASSERT_OK(fern_queue_fini(&queue));
}

static void
drop_nothing(void *item)
{
    (void)item;
}

static void *
copy_elsewhere(void *unused)
{
    fern_queue copy;
    ASSERT_ERR(fern_queue_copy(&copy, &queue), -EXDEV);
    return unused;
}

TEST(what_cannot_be_copied_is_refused)
{
    pthread_t thread;
    fern_queue copy;
    FERN_QUEUE_OPTIONS(options);
    options.drop = drop_nothing;
    ASSERT_ERR(fern_queue_copy(&copy, &queue), -EINVAL); /* it was not begun */
    ASSERT_OK(fern_queue_init_with(&queue, 8, 1, &options));
    ASSERT_ERR(fern_queue_copy(&copy, &queue), -EINVAL);
    ASSERT_OK(fern_queue_fini(&queue));
    begin(sizeof(int64_t), 1, FERN_QUEUE_FIFO);
    ASSERT_ERR(fern_queue_copy(NULL, &queue), -EINVAL);
    ASSERT_ERR(fern_queue_copy(&copy, NULL), -EINVAL);
    ASSERT_ERR(fern_queue_copy(&queue, &queue), -EINVAL);
    put(1);
    ASSERT_EQ(pthread_create(&thread, NULL, copy_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(many_are_put_and_taken_in_one_call)
{
    int64_t in[] = {1, 2, 3, 4, 5}, out[4];
    begin(sizeof(int64_t), 3, FERN_QUEUE_FIFO);
    ASSERT_EQ(fern_queue_put_many(&queue, in, sizeof in, FERN_NOWAIT), 3);
    ASSERT_ERR(fern_queue_put_many(&queue, in, sizeof in, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_queue_put_many(&queue, in, sizeof in, fern_in(FERN_MS)), -ETIME);
    fern_greenlet *g = putter(6);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_get_many(&queue, out, sizeof out, FERN_FOREVER), 4);
    ASSERT_EQ(out[0] + 10 * out[1] + 100 * out[2] + 1000 * out[3], 6321);
    ASSERT_ERR(fern_queue_get_many(&queue, out, sizeof out, FERN_NOWAIT), -EAGAIN);
    FINISH(g);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_size_that_does_not_fit_the_items_is_refused)
{
    char bytes[16];
    begin(sizeof(int64_t), 3, FERN_QUEUE_FIFO);
    ASSERT_ERR(fern_queue_put_many(&queue, bytes, 12, FERN_NOWAIT), -EMSGSIZE);
    ASSERT_ERR(fern_queue_put_many(&queue, bytes, 0, FERN_NOWAIT), -EMSGSIZE);
    ASSERT_ERR(fern_queue_get_many(&queue, bytes, 7, FERN_NOWAIT), -EMSGSIZE);
    ASSERT_OK(fern_queue_fini(&queue));
    begin(sizeof(char), 3, FERN_QUEUE_FIFO);
    ASSERT_ERR(fern_queue_link(&queue, fern_self()), -EMSGSIZE);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_queue_that_grows_lets_in_who_waits_and_one_that_shrinks_drops_nothing)
{
    begin(sizeof(int64_t), 1, FERN_QUEUE_FIFO);
    put(0);
    fern_greenlet *gs[] = {putter(1), putter(2), putter(3)};
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_queue_resize(&queue, 3));
    ASSERT_EQ(fern_queue_len(&queue), 3);
    ASSERT_OK(fern_queue_resize(&queue, 1));
    ASSERT_EQ(fern_queue_len(&queue), 3);
    ASSERT_EQ(got(), 0);
    ASSERT_EQ(got(), 1);
    ASSERT_EQ(fern_queue_putting(&queue), 1); /* still as full as it may be */
    ASSERT_EQ(got(), 2);
    ASSERT_EQ(got(), 3);
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_OK(fern_queue_resize(&queue, FERN_QUEUE_UNBOUNDED));
    for (int i = 0; i < 100; i++)
        put(i);
    ASSERT_OK(fern_queue_resize(&queue, 2));
    for (int i = 0; i < 100; i++)
        ASSERT_EQ(got(), i);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* A time-out and a kill of a get and a put, in a queue that is empty and then full. */
static void
interrupt_both(void)
{
    int64_t item = 0;
    ASSERT_ERR(fern_queue_get(&queue, &item, fern_in(FERN_MS)), -ETIME);
    FERN_SCOPE (scope, fern_in(FERN_MS)) {
        ASSERT_ERR(fern_queue_get(&queue, &item, FERN_FOREVER), -ETIME);
        ASSERT_ERR(fern_queue_put(&queue, &item, FERN_FOREVER), -ETIME);
    }
    ASSERT_EQ(fern_queue_len(&queue), 0);
    while (!fern_queue_full(&queue))
        put(1);
    size_t length = fern_queue_len(&queue);
    ASSERT_ERR(fern_queue_put(&queue, &item, fern_in(FERN_MS)), -ETIME);
    fern_greenlet *g = putter(2);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    ASSERT_EQ(fern_queue_len(&queue), length);
    ASSERT_EQ(fern_queue_putting(&queue) + fern_queue_getting(&queue), 0);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_get_and_a_put_of_every_kind_can_time_out_and_leave_nothing)
{
    begin(sizeof(int64_t), 2, FERN_QUEUE_FIFO);
    interrupt_both();
    begin(sizeof(int64_t), 2, FERN_QUEUE_LIFO);
    interrupt_both();
    begin(sizeof(int64_t), 2, FERN_QUEUE_PRIORITY);
    interrupt_both();
    begin(sizeof(int64_t), 0, FERN_QUEUE_FIFO);
    interrupt_both();
    ASSERT_STR_EQ(trace_text, "put-125 put-125 put-125 put-125");
}

/* ---- a container of one's own: a set of small numbers, the greatest first ---- */

static int
set_put(void *set, const void *item)
{
    int64_t number = *(const int64_t *)item;
    if (number >= 64)
        return -ENOMEM;
    *(uint64_t *)set |= (uint64_t)1 << number;
    return 0;
}

static void
set_peek(void *set, void *ret_item)
{
    *(int64_t *)ret_item = 63 - __builtin_clzll(*(uint64_t *)set);
}

static void
set_get(void *set, void *ret_item)
{
    set_peek(set, ret_item);
    *(uint64_t *)set &= ~((uint64_t)1 << *(int64_t *)ret_item);
}

static int dropped;

static void
count_dropped(void *item)
{
    dropped += (int)*(int64_t *)item;
}

TEST(a_container_of_ones_own_keeps_the_items)
{
    static const fern_queue_container container = {set_put, set_get, set_peek};
    uint64_t set = 0;
    int64_t item = 64;
    FERN_QUEUE_OPTIONS(options);
    options.kind = FERN_QUEUE_CUSTOM;
    options.container = &container;
    options.container_arg = &set;
    options.drop = count_dropped;
    ASSERT_OK(fern_queue_init_with(&queue, sizeof(int64_t), 2, &options));
    put(3);
    put(9);
    fern_greenlet *gs[] = {putter(64), putter(5)};
    ASSERT_OK(fern_yield());
    ASSERT_EQ(got(), 9);
    FINISH(gs[0]);
    FINISH(gs[1]);
    ASSERT_STR_EQ(trace_text, "put-12 put5"); /* the one that was refused gives way */
    ASSERT_OK(fern_queue_peek(&queue, &item, FERN_NOWAIT));
    ASSERT_EQ(item, 5);
    ASSERT_ERR(fern_queue_link(&queue, fern_self()), -EINVAL);
    ASSERT_OK(fern_queue_fini(&queue));
    ASSERT_EQ(dropped, 8);
    ASSERT_EQ(set, 0);
}

/* ---- as an iterator ---- */

TEST(a_queue_is_an_iterator_that_ends_when_it_is_closed_and_empty)
{
    int r, sum = 0;
    int64_t item;
    FERN_QUEUE_OPTIONS(options);
    options.drop = count_dropped;
    ASSERT_OK(fern_queue_init_with(&queue, sizeof(int64_t), 4, &options));
    fern_iterator it = fern_queue_iterator(&queue);
    ASSERT_EQ(it.item_size, sizeof(int64_t));
    ASSERT_ERR(fern_next(&it, &item, FERN_NOWAIT), -EAGAIN);
    for (int i = 1; i <= 4; i++)
        put(i);
    ASSERT_EQ(fern_next(&it, NULL, FERN_NOWAIT), 1); /* not wanted */
    ASSERT_EQ(dropped, 1);
    ASSERT_OK(fern_queue_close(&queue, 0));
    FERN_EACH(r, item, &it)
    sum += (int)item;
    ASSERT_EQ(r, 0);
    ASSERT_EQ(sum, 9);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- links ---- */

static fern_greenlet *
got_greenlet(fern_time deadline)
{
    fern_greenlet *g = NULL;
    ASSERT_OK(fern_queue_get(&queue, &g, deadline));
    return g;
}

static void *
use_from_elsewhere(void *unused)
{
    fern_greenlet *mine = fern_spawn(say, "elsewhere");
    ASSERT_ERR(fern_queue_link(&queue, mine), -EXDEV);
    FINISH(mine);
    return unused;
}

TEST(greenlets_come_into_a_queue_as_they_end_above_its_capacity_if_need_be)
{
    begin(sizeof(fern_greenlet *), 1, FERN_QUEUE_FIFO);
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++) {
        gs[i] = fern_spawn(say, "ended");
        ASSERT_OK(fern_queue_link(&queue, gs[i]));
    }
    ASSERT_ERR(fern_queue_fini(&queue), -EBUSY);
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_join(gs[i], FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_len(&queue), 3);
    ASSERT_EQ(fern_queue_capacity(&queue), 1);
    for (int i = 0; i < 3; i++) {
        fern_greenlet *g = got_greenlet(FERN_NOWAIT);
        ASSERT_TRUE(g == gs[i]);
        fern_greenlet_unref(g);
    }
    ASSERT_OK(fern_queue_link(&queue, gs[0])); /* one that has ended */
    fern_greenlet_unref(got_greenlet(FERN_FOREVER));
    for (int i = 0; i < 3; i++)
        fern_greenlet_unref(gs[i]);
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_closed_queue_takes_in_no_greenlet)
{
    begin(sizeof(fern_greenlet *), 0, FERN_QUEUE_FIFO);
    fern_greenlet *g = fern_spawn(say, "ended");
    ASSERT_OK(fern_queue_link(&queue, g));
    ASSERT_OK(fern_queue_close(&queue, 0));
    ASSERT_ERR(fern_queue_link(&queue, g), -EPIPE);
    FINISH(g);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_queue_len(&queue), 0);
    ASSERT_OK(fern_queue_fini(&queue));
}

/* ---- memory that ends ---- */

TEST(what_no_memory_can_hold_is_refused_and_changes_nothing)
{
    ASSERT_ERR(fern_queue_init(&queue, (size_t)1 << 30, (size_t)1 << 40), -ENOMEM);
    ASSERT_ERR(fern_queue_init(&queue, 8, FERN_QUEUE_UNBOUNDED - 1), -ENOMEM);
    begin(sizeof(int64_t), 2, FERN_QUEUE_FIFO);
    put(1);
    ASSERT_ERR(fern_queue_resize(&queue, SIZE_MAX / 2), -ENOMEM);
    ASSERT_EQ(fern_queue_capacity(&queue), 2);
    ASSERT_EQ(got(), 1);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_put_into_an_unbounded_queue_says_when_there_is_no_memory)
{
    enum { BIG = 1 << 27 };
    struct rlimit limit;
    if (harness_runs_under("sanitizers") || harness_runs_under("valgrind") ||
            harness_runs_under("emulator"))
        SKIP("memory belongs to the tool");
    char *item = calloc(1, BIG);
    ASSERT_NOT_NULL(item);
    begin(BIG, FERN_QUEUE_UNBOUNDED, FERN_QUEUE_FIFO);
    fern_greenlet *g = fern_spawn(say, "a");
    FINISH(g); /* the hub has what it needs */
    ASSERT_OK(getrlimit(RLIMIT_AS, &limit));
    struct rlimit less = {(rlim_t)1 << 20, limit.rlim_max};
    ASSERT_OK(setrlimit(RLIMIT_AS, &less));
    int r = fern_queue_put(&queue, item, FERN_FOREVER);
    ASSERT_OK(setrlimit(RLIMIT_AS, &limit));
    ASSERT_ERR(r, -ENOMEM);
    ASSERT_EQ(fern_queue_len(&queue) + fern_queue_unfinished(&queue), 0);
    free(item);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(options_that_make_no_sense_are_refused)
{
    static const fern_queue_container without_peek = {set_put, set_get, NULL};
    FERN_QUEUE_OPTIONS(options);
    options.kind = FERN_QUEUE_PRIORITY;
    ASSERT_ERR(fern_queue_init_with(&queue, 4, 1, &options), -EINVAL);
    options.kind = FERN_QUEUE_CUSTOM;
    ASSERT_ERR(fern_queue_init_with(&queue, 8, 1, &options), -EINVAL);
    options.container = &without_peek;
    ASSERT_ERR(fern_queue_init_with(&queue, 8, 1, &options), -EINVAL);
    options.kind = (fern_queue_kind)9;
    ASSERT_ERR(fern_queue_init_with(&queue, 8, 1, &options), -EINVAL);
    options.kind = FERN_QUEUE_FIFO;
    options.size = 1;
    ASSERT_ERR(fern_queue_init_with(&queue, 8, 1, &options), -EINVAL);
    ASSERT_ERR(fern_queue_init_with(NULL, 8, 1, NULL), -EINVAL);
}
