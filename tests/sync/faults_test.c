/* SPDX-License-Identifier: MIT */
/*
 * Everything greenlets meet through when memory runs out: each allocation of a small program fails
 * in turn. What could not be done is said, what was done before stays so, and nothing is lost.
 */

#include "harness.h"

#include <errno.h>
#include <string.h>

#include "shortage.h"
#include "trace.h"

enum { MANY = 20 };

static void *
pass(void *arg)
{
    (void)fern_yield();
    return arg;
}

static void *
fail(void *unused)
{
    (void)unused;
    return fern_fail(-EIO, "a failure with a text of %d words", 7);
}

/* ---- many at once ---- */

static void *
choose_of_many(void *unused)
{
    fern_event events[MANY];
    fern_case cases[MANY];
    size_t order[MANY], index;
    for (int i = 0; i < MANY; i++) {
        events[i] = FERN_EVENT_INIT;
        cases[i] = fern_case_event(&events[i]);
    }
    fern_event_set(&events[13]);
    int r = fern_select(cases, MANY, 0, FERN_FOREVER);
    if (fine(r))
        ASSERT_EQ(r, 13);
    r = fern_wait(cases, MANY, 1, order, FERN_FOREVER);
    if (fine(r))
        ASSERT_EQ(order[0], 13);
    fern_iwait *it = fern_iwait_new(cases, MANY);
    if (made(it)) {
        ASSERT_EQ(fern_iwait_next(it, &index, FERN_FOREVER), 1);
        ASSERT_EQ(index, 13);
        fern_iwait_free(it);
    }
    for (int i = 0; i < MANY; i++) {
        ASSERT_EQ(fern_event_is_set(&events[i]), i == 13);
        ASSERT_OK(fern_event_fini(&events[i]));
    }
    return unused;
}

TEST(a_choice_of_many_may_find_no_memory_and_takes_nothing_then)
{
    ASSERT_GT(shortage_sweep(choose_of_many, NULL), 5);
}

static void
be_told(void *ret_told)
{
    *(bool *)ret_told = true;
}

static void *
be_told_of_one(void *unused)
{
    fern_event event = FERN_EVENT_INIT;
    fern_case c = fern_case_event(&event);
    bool is_told = false;
    errno = 0;
    fern_notice *notice = fern_notice_new(&c, be_told, &is_told);
    if (!made(notice))
        return unused;
    fern_event_set(&event);
    ASSERT_OK(fern_yield());
    ASSERT_TRUE(is_told);
    is_told = false;
    bool renewed = fine(fern_notice_renew(notice));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(is_told, renewed);
    ASSERT_OK(fern_notice_free(notice));
    ASSERT_OK(fern_event_fini(&event));
    return unused;
}

TEST(a_notice_is_made_or_not_and_then_tells)
{
    ASSERT_GT(shortage_sweep(be_told_of_one, NULL), 5);
}

/* ---- locks ---- */

static void *
lock_many(void *unused)
{
    fern_mutex mutexes[MANY];
    fern_mutex *all[MANY];
    for (int i = 0; i < MANY; i++) {
        mutexes[i] = FERN_MUTEX_INIT;
        all[i] = &mutexes[i];
    }
    int r = fern_lock_all(all, MANY, FERN_FOREVER);
    for (int i = 0; i < MANY; i++)
        ASSERT_EQ(fern_mutex_locked(all[i]), r == 0);
    if (fine(r))
        ASSERT_OK(fern_unlock_all(all, MANY));
    (void)fern_lock_order_check(true);
    if (fine(fern_mutex_lock(all[0], FERN_FOREVER))) {
        ASSERT_OK(fern_mutex_lock(all[1], FERN_FOREVER));
        ASSERT_OK(fern_mutex_unlock(all[0]));
        ASSERT_OK(fern_mutex_unlock(all[1]));
    }
    (void)fern_lock_order_check(false);
    for (int i = 0; i < MANY; i++)
        ASSERT_OK(fern_mutex_fini(all[i]));
    return unused;
}

TEST(many_locks_are_all_taken_or_none_and_a_check_without_memory_refuses_nothing)
{
    ASSERT_GT(shortage_sweep(lock_many, NULL), 5);
}

/* ---- queues ---- */

static void
fill_and_empty(fern_queue *queue)
{
    uint64_t put = 0, sum = 0, got;
    for (uint64_t i = 1; i <= 100; i++) {
        size_t before = fern_queue_len(queue);
        if (fine(fern_queue_put(queue, &i, FERN_NOWAIT)))
            put += i;
        else
            ASSERT_EQ(fern_queue_len(queue), before);
    }
    while (fern_queue_get(queue, &got, FERN_NOWAIT) == 0)
        sum += got;
    ASSERT_EQ(sum, put);
}

static void *
use_queues(void *unused)
{
    FERN_QUEUE_OPTIONS(options);
    fern_queue queue;
    for (int kind = FERN_QUEUE_FIFO; kind <= FERN_QUEUE_PRIORITY; kind++) {
        options.kind = kind;
        if (fine(fern_queue_init_with(
                    &queue, sizeof(uint64_t), FERN_QUEUE_UNBOUNDED, &options))) {
            fill_and_empty(&queue);
            ASSERT_OK(fern_queue_fini(&queue));
        }
    }
    if (!fine(fern_queue_init(&queue, sizeof(uint64_t), 2)))
        return unused;
    uint64_t item = 7;
    if (fine(fern_queue_put(&queue, &item, FERN_NOWAIT))) {
        size_t capacity = fine(fern_queue_resize(&queue, 50)) ? 50 : 2;
        ASSERT_EQ(fern_queue_capacity(&queue), capacity);
        fern_iterator it = fern_queue_iterator(&queue);
        if (!fine(fern_next(&it, NULL, FERN_NOWAIT)))
            ASSERT_OK(fern_queue_get(&queue, &item, FERN_NOWAIT));
        ASSERT_TRUE(fern_queue_empty(&queue));
    }
    ASSERT_OK(fern_queue_fini(&queue));
    return unused;
}

TEST(a_put_without_memory_leaves_the_queue_as_it_was)
{
    ASSERT_GT(shortage_sweep(use_queues, NULL), 10);
}

static void *
link_to_a_queue(void *unused)
{
    fern_queue queue;
    fern_greenlet *g = fern_spawn(pass, NULL), *got = NULL;
    if (made(g) && fine(fern_queue_init(&queue, sizeof g, FERN_QUEUE_UNBOUNDED))) {
        bool linked = fine(fern_queue_link(&queue, g));
        ASSERT_OK(fern_join(g, FERN_FOREVER));
        if (linked) {
            ASSERT_OK(fern_queue_get(&queue, &got, FERN_FOREVER));
            ASSERT_TRUE(got == g);
            fern_greenlet_unref(got);
        }
        ASSERT_OK(fern_queue_fini(&queue));
    }
    fern_greenlet_unref(g);
    return unused;
}

TEST(a_greenlet_that_is_linked_to_a_queue_comes_whatever_memory_there_is_then)
{
    ASSERT_GT(shortage_sweep(link_to_a_queue, NULL), 5);
}

/* ---- futures ---- */

static int called;

static void
count_call(fern_future *future, void *unused)
{
    ASSERT_TRUE(fern_future_done(future));
    called++;
    (void)unused;
}

static void *
use_a_future(void *unused)
{
    fern_future *f = fern_future_new();
    if (!made(f))
        return unused;
    called = 0;
    bool added = fine(fern_future_add_callback(f, count_call, NULL));
    fern_future *shield = fern_future_shield(f);
    bool shielded = made(shield);
    if (!fine(fern_future_set_error(f, -EIO, "no answer"))) {
        ASSERT_FALSE(fern_future_done(f));
        ASSERT_OK(fern_future_set(f, f));
    }
    if (shielded)
        ASSERT_TRUE(fern_future_done(shield));
    if (added || shielded) {
        ASSERT_OK(fern_yield());
        ASSERT_EQ(called, added);
    }
    fern_outcome outcome;
    ASSERT_OK(fern_future_outcome(f, &outcome));
    if (shielded)
        ASSERT_OK(fern_future_outcome(shield, &outcome));
    fern_future_unref(shield);
    fern_future_unref(f);
    return unused;
}

TEST(a_future_keeps_what_it_has_when_memory_runs_out)
{
    ASSERT_GT(shortage_sweep(use_a_future, NULL), 5);
}

static void
read_completed(fern_future **tasks, size_t n)
{
    fern_future *one;
    fern_completed *it = fern_as_completed(tasks, n);
    if (!made(it))
        return;
    for (size_t i = 0; i < n; i++)
        ASSERT_EQ(fern_completed_next(it, &one, FERN_FOREVER), 1);
    ASSERT_EQ(fern_completed_next(it, &one, FERN_FOREVER), 0);
    fern_completed_free(it);
}

static void *
use_tasks(void *unused)
{
    fern_future *tasks[MANY];
    fern_outcome outcome;
    size_t n = 0;
    for (int i = 0; i < MANY; i++) {
        tasks[n] = fern_task(pass, NULL);
        n += made(tasks[n]);
    }
    fern_future *gather = n ? fern_gather(tasks, n, 0) : NULL;
    if (n && made(gather)) {
        ASSERT_OK(fern_future_get(gather, &outcome, FERN_FOREVER));
        ASSERT_EQ(outcome.code, 0);
    }
    if (n)
        read_completed(tasks, n);
    if (n && !fine(fern_wait_futures(tasks, n, FERN_WHEN_ALL, NULL, FERN_FOREVER))) {
        for (size_t i = 0; i < n; i++)
            ASSERT_OK(fern_future_wait(tasks[i], FERN_FOREVER));
    }
    for (size_t i = 0; i < n; i++) {
        ASSERT_OK(fern_future_outcome(tasks[i], &outcome));
        ASSERT_EQ(outcome.code, 0);
        fern_future_unref(tasks[i]);
    }
    fern_future_unref(gather);
    return unused;
}

TEST(tasks_end_whether_there_is_memory_to_wait_for_them_together_or_not, .seconds = 60)
{
    ASSERT_GT(shortage_sweep(use_tasks, NULL), 2 * MANY);
}

static void *
use_a_task_group(void *unused)
{
    fern_task_group *group = fern_task_group_new();
    if (!made(group))
        return unused;
    int failures = 0;
    fern_future *task = fern_task_group_spawn(group, pass, NULL);
    (void)made(task);
    failures += fine(fern_task_group_go(group, fail, NULL));
    int r = fern_task_group_wait(group, FERN_FOREVER);
    ASSERT_EQ(r, failures);
    fern_outcome outcome;
    for (int i = 0; i < failures; i++)
        ASSERT_OK(fern_task_group_error(group, (size_t)i, &outcome));
    fern_future_unref(task);
    fern_task_group_free(group);
    return unused;
}

TEST(a_task_group_has_those_tasks_that_there_was_memory_for)
{
    ASSERT_GT(shortage_sweep(use_a_task_group, NULL), 5);
}

/* ---- generators ---- */

static void *
give_three(void *unused)
{
    for (int i = 1; i <= 3; i++) {
        if (fern_generator_yield(&i, NULL) < 0)
            return NULL;
    }
    return fail(unused);
}

static void *
give_anothers(void *ret_code)
{
    int *code = ret_code;
    fern_generator *inner = fern_generator_new(give_three, NULL, sizeof(int));
    if (!inner) {
        *code = -ENOMEM;
        return NULL;
    }
    fern_iterator it = fern_generator_iterator(inner);
    *code = fern_generator_delegate(&it);
    fern_generator_free(inner);
    return NULL;
}

static void *
generate(void *unused)
{
    int code = 1, item, n = 0, r;
    fern_generator *gen = fern_generator_new(give_anothers, &code, sizeof(int));
    if (!made(gen))
        return unused;
    while ((r = fern_generator_next(gen, &item, FERN_FOREVER)) == 1)
        ASSERT_EQ(item, ++n);
    (void)fine(r);
    if (r == 0)
        ASSERT_TRUE(code == -EIO ? n == 3 : code == -ENOMEM && n == 0);
    fern_generator_free(gen);
    return unused;
}

TEST(a_generator_that_cannot_begin_can_be_asked_again_or_freed)
{
    ASSERT_GT(shortage_sweep(generate, NULL), 5);
}

/* ---- stocks and exits ---- */

static int things;

static int
make_thing(void *unused, void **ret_thing, fern_time deadline)
{
    (void)unused, (void)deadline;
    *ret_thing = &things;
    things++;
    return 0;
}

static void
end_thing(void *thing, void *unused)
{
    ASSERT_TRUE(thing == &things);
    things--;
    (void)unused;
}

static void *
use_a_stock(void *unused)
{
    void *one, *other;
    FERN_STOCK_OPTIONS(options);
    options.create = make_thing;
    options.destroy = end_thing;
    options.max = 2;
    options.min = 1;
    things = 0;
    fern_stock *stock = fern_stock_new(&options);
    if (!made(stock))
        return unused;
    (void)fine(fern_stock_fill(stock, FERN_FOREVER));
    bool first = fine(fern_stock_get(stock, &one, FERN_FOREVER));
    bool second = fine(fern_stock_get(stock, &other, FERN_FOREVER));
    ASSERT_EQ(things, first + second);
    if (first)
        ASSERT_OK(fern_stock_put(stock, one));
    if (second)
        ASSERT_OK(fern_stock_discard(stock, other));
    ASSERT_OK(fern_stock_free(stock));
    ASSERT_EQ(things, 0);
    return unused;
}

TEST(a_stock_without_memory_loses_no_place)
{
    ASSERT_GT(shortage_sweep(use_a_stock, NULL), 5);
}

static int exits_run;

static int
count_exit(void *unused, int code)
{
    (void)unused;
    exits_run++;
    return code;
}

static void *
push_exits(void *unused)
{
    fern_exits exits = FERN_EXITS_INIT;
    int pushed = 0;
    exits_run = 0;
    for (int i = 0; i < 5; i++)
        pushed += fine(fern_exits_push(&exits, count_exit, NULL));
    (void)fern_exits_run(&exits, 0);
    ASSERT_EQ(exits_run, pushed);
    return unused;
}

TEST(exits_that_there_was_memory_for_are_run)
{
    ASSERT_GT(shortage_sweep(push_exits, NULL), 4);
}

/* ---- actors ---- */

static int
answer(fern_actor *self, void *message, void *unused)
{
    (void)unused;
    if (*(int *)message < 0)
        return -EIO;
    return fern_actor_reply(self, self) == -EINVAL ? -EINVAL : 0;
}

static int ends;

static void
count_actor(fern_actor *actor, const fern_outcome *outcome, void *unused)
{
    ASSERT_FALSE(fern_actor_running(actor));
    (void)outcome, (void)unused;
    ends++;
}

static void *
use_an_actor(void *unused)
{
    FERN_ACTOR_OPTIONS(options);
    options.name = "answerer";
    options.restarts_max = 1;
    options.quiet = true;
    fern_actor *actor = fern_actor_new(answer, NULL, sizeof(int), &options);
    if (!made(actor))
        return unused;
    ends = 0;
    bool linked = fine(fern_actor_link(actor, count_actor, NULL));
    int question = 1, failure = -1;
    void *reply = NULL;
    if (fine(fern_actor_call(actor, &question, &reply, FERN_FOREVER)))
        ASSERT_TRUE(reply == actor);
    (void)fine(fern_actor_send(actor, &failure, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    fern_outcome outcome;
    if (fern_actor_running(actor))
        ASSERT_OK(fern_actor_stop(actor, 0, FERN_FOREVER));
    ASSERT_OK(fern_actor_join(actor, &outcome, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(ends, linked);
    fern_actor_free(actor);
    return unused;
}

TEST(an_actor_without_memory_says_so_and_goes_on_or_ends)
{
    ASSERT_GT(shortage_sweep(use_an_actor, NULL), 10);
}
