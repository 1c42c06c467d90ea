/* SPDX-License-Identifier: MIT */
/* Waiting for many things: in order of readiness, and nothing is taken. */

#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "trace.h"

static fern_event events[12];
static fern_result result;

static void *
set_three_two_one(void *unused)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    for (int i = 2; i >= 0; i--)
        ASSERT_OK(fern_event_set(&events[i]));
    return unused;
}

static void
cases_of_events(fern_case *cases, int n)
{
    for (int i = 0; i < n; i++)
        cases[i] = fern_case_event(&events[i]);
}

TEST(a_wait_for_all_tells_them_in_the_order_of_readiness)
{
    fern_case cases[3];
    size_t order[3];
    cases_of_events(cases, 3);
    fern_greenlet *g = fern_spawn(set_three_two_one, NULL);
    ASSERT_EQ(fern_wait(cases, 3, 0, order, FERN_FOREVER), 3);
    for (size_t i = 0; i < 3; i++)
        ASSERT_EQ(order[i], 2 - i);
    FINISH(g);
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_event_fini(&events[i])); /* nobody watches them any more */
}

TEST(a_wait_for_a_count_returns_exactly_that_many_first_ready)
{
    fern_case cases[3];
    size_t order[3];
    cases_of_events(cases, 3);
    fern_greenlet *g = fern_spawn(set_three_two_one, NULL);
    ASSERT_EQ(fern_wait(cases, 3, 2, order, FERN_FOREVER), 2);
    ASSERT_EQ(order[0], 2);
    ASSERT_EQ(order[1], 1);
    FINISH(g);
    ASSERT_EQ(fern_wait(cases, 3, 1, order, FERN_NOWAIT),
            1); /* all are ready: the first listed */
    ASSERT_EQ(order[0], 0);
}

TEST(those_that_are_ready_at_once_come_first_as_listed)
{
    fern_case cases[12];
    size_t order[12];
    cases_of_events(cases, 12);
    ASSERT_OK(fern_event_set(&events[11]));
    ASSERT_OK(fern_event_set(&events[5]));
    fern_greenlet *g = fern_spawn(set_three_two_one, NULL);
    ASSERT_EQ(fern_wait(cases, 12, 5, order, FERN_FOREVER), 5);
    size_t expected[] = {5, 11, 2, 1, 0};
    ASSERT_MEM_EQ(order, expected, sizeof expected);
    FINISH(g);
}

TEST(a_time_out_of_a_wait_is_no_error_and_says_how_many)
{
    fern_case cases[2];
    cases_of_events(cases, 2);
    ASSERT_EQ(fern_wait(cases, 2, 0, NULL, fern_in(FERN_MS)), 0);
    ASSERT_OK(fern_event_set(&events[1]));
    ASSERT_EQ(fern_wait(cases, 2, 0, NULL, fern_in(FERN_MS)), 1);
    ASSERT_EQ(fern_wait(cases, 2, 0, NULL, FERN_NOWAIT), 1);
    ASSERT_EQ(fern_wait(cases, 0, 0, NULL, FERN_FOREVER), 0);
    FERN_SCOPE (scope, fern_in(FERN_MS))
        ASSERT_ERR(fern_wait(cases, 2, 0, NULL, FERN_FOREVER), -ETIME);
}

static void *
take(void *event)
{
    ASSERT_OK(fern_event_wait(event, FERN_FOREVER));
    return NULL;
}

TEST(a_wait_takes_nothing_and_hears_only_of_what_nobody_takes)
{
    size_t index = 9;
    fern_case cases[1];
    ASSERT_OK(fern_event_init(&events[0], FERN_EVENT_AUTO));
    cases_of_events(cases, 1);
    fern_iwait *it = fern_iwait_new(cases, 1);
    ASSERT_NOT_NULL(it);
    fern_greenlet *taker = fern_spawn(take, &events[0]);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_event_set(&events[0])); /* the taker's, though it came later */
    FINISH(taker);
    ASSERT_ERR(fern_iwait_next(it, &index, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_event_set(&events[0]));
    ASSERT_EQ(fern_iwait_next(it, &index, FERN_NOWAIT), 1);
    ASSERT_EQ(index, 0);
    ASSERT_TRUE(fern_event_is_set(&events[0]));
    fern_iwait_free(it);
}

static void *
put_one(void *queue)
{
    int item = 7;
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_queue_put(queue, &item, FERN_FOREVER));
    return NULL;
}

static void *
hold_and_release(void *mutex)
{
    ASSERT_OK(fern_mutex_lock(mutex, FERN_FOREVER));
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_mutex_unlock(mutex));
    return NULL;
}

static fern_semaphore semaphore = FERN_SEMAPHORE_INIT(0);

static void *
acquire(void *unused)
{
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER));
    return unused;
}

TEST(a_permit_that_is_watched_is_not_taken_and_holds_nobody_up)
{
    size_t index;
    fern_case cases[] = {fern_case_semaphore(&semaphore)};
    fern_iwait *it = fern_iwait_new(cases, 1);
    fern_greenlet *g = fern_spawn(acquire, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_semaphore_fini(&semaphore), -EBUSY);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1)); /* its, who came later but takes it */
    ASSERT_ERR(fern_iwait_next(it, &index, FERN_NOWAIT), -EAGAIN);
    FINISH(g);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_EQ(fern_iwait_next(it, &index, FERN_NOWAIT), 1);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 1);
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
    fern_iwait_free(it);
    it = fern_iwait_new(cases, 1);
    fern_iwait_free(it); /* before it is there */
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_EQ(fern_wait(cases, 1, 0, NULL, FERN_NOWAIT), 1);
    ASSERT_OK(fern_semaphore_fini(&semaphore));
}

TEST(a_mutex_that_is_watched_is_not_taken)
{
    fern_mutex mutex = FERN_MUTEX_INIT;
    fern_case cases[] = {fern_case_mutex(&mutex)};
    fern_greenlet *g = fern_spawn(hold_and_release, &mutex);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_wait(cases, 1, 0, NULL, FERN_NOWAIT), 0);
    ASSERT_EQ(fern_wait(cases, 1, 0, NULL, FERN_FOREVER), 1);
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_NOWAIT));
    ASSERT_OK(fern_mutex_unlock(&mutex));
    FINISH(g);
    ASSERT_OK(fern_mutex_fini(&mutex));
}

TEST(a_queue_is_watched_without_an_item_being_taken)
{
    int item = 0;
    fern_queue queue = FERN_QUEUE_INIT;
    ASSERT_OK(fern_queue_init(&queue, sizeof(int), 1));
    fern_case cases[] = {fern_case_get(&queue, NULL), fern_case_put(&queue, NULL)};
    ASSERT_EQ(fern_wait(cases, 2, 0, NULL, FERN_NOWAIT), 1); /* there is room */
    fern_greenlet *g = fern_spawn(put_one, &queue);
    ASSERT_EQ(fern_wait(cases, 1, 0, NULL, FERN_FOREVER), 1);
    ASSERT_EQ(cases[0].result, 0);
    FINISH(g);
    ASSERT_EQ(fern_wait(cases + 1, 1, 0, NULL, fern_in(FERN_MS)), 0); /* it is full */
    fern_iwait *it = fern_iwait_new(cases + 1, 1);
    ASSERT_OK(fern_queue_get(&queue, &item, FERN_NOWAIT));
    ASSERT_EQ(item, 7);
    size_t index;
    ASSERT_EQ(fern_iwait_next(it, &index, FERN_NOWAIT), 1);
    fern_iwait_free(it);
    ASSERT_OK(fern_queue_close(&queue, 0));
    ASSERT_EQ(fern_wait(cases, 2, 0, NULL, FERN_NOWAIT), 2);
    ASSERT_EQ(cases[0].result, -EPIPE);
    ASSERT_OK(fern_queue_fini(&queue));
}

TEST(a_channel_is_watched_while_others_use_it)
{
    int item = 0;
    fern_queue channel = FERN_QUEUE_INIT;
    ASSERT_OK(fern_queue_init(&channel, sizeof(int), 0));
    fern_case cases[] = {fern_case_get(&channel, NULL)};
    fern_iwait *it = fern_iwait_new(cases, 1);
    fern_greenlet *g = fern_spawn(put_one, &channel);
    size_t index;
    ASSERT_EQ(fern_iwait_next(it, &index, FERN_FOREVER), 1);
    ASSERT_EQ(fern_wait(cases, 1, 0, NULL, FERN_NOWAIT), 1); /* the putter is still there */
    ASSERT_OK(fern_queue_get(&channel, &item, FERN_NOWAIT));
    ASSERT_EQ(item, 7);
    fern_iwait_free(it);
    FINISH(g);
    ASSERT_OK(fern_queue_fini(&channel));
}

TEST(an_iterator_misses_nothing_while_its_user_does_something_else)
{
    fern_case cases[3];
    size_t index;
    cases_of_events(cases, 3);
    fern_iwait *it = fern_iwait_new(cases, 3);
    ASSERT_NOT_NULL(it);
    for (int i = 2; i >= 0; i--) {
        ASSERT_OK(fern_event_set(&events[i]));
        ASSERT_OK(fern_event_clear(&events[i]));
        ASSERT_OK(fern_sleep(FERN_MS));
    }
    for (size_t i = 0; i < 3; i++) {
        ASSERT_EQ(fern_iwait_next(it, &index, FERN_FOREVER), 1);
        ASSERT_EQ(index, 2 - i);
    }
    ASSERT_EQ(fern_iwait_next(it, &index, FERN_FOREVER), 0);
    fern_iwait_free(it);
}

TEST(an_iterator_that_is_left_early_leaves_nothing_behind)
{
    fern_case cases[3];
    size_t index;
    cases_of_events(cases, 3);
    fern_iwait *it = fern_iwait_new(cases, 3);
    ASSERT_ERR(fern_iwait_next(it, &index, fern_in(FERN_MS)), -ETIME);
    ASSERT_OK(fern_event_set(&events[1]));
    ASSERT_EQ(fern_iwait_next(it, &index, FERN_FOREVER), 1);
    ASSERT_EQ(index, 1);
    ASSERT_ERR(fern_event_fini(&events[0]), -EBUSY);
    fern_iwait_free(it);
    fern_iwait_free(NULL);
    ASSERT_OK(fern_event_fini(&events[0]));
    ASSERT_OK(fern_event_set(&events[2]));
}

static void *
end_later(void *ms)
{
    ASSERT_OK(fern_sleep((int64_t)(intptr_t)ms * FERN_MS));
    return ms;
}

TEST(greenlets_timers_results_and_nothing_can_be_watched_together)
{
    size_t order[6];
    fern_greenlet *a = fern_spawn(end_later, (void *)3),
                  *b = fern_spawn(end_later, (void *)1);
    fern_case cases[] = {fern_case_end(a), fern_case_end(b), fern_case_event(NULL),
            fern_case_timer(fern_in(2 * FERN_MS)), fern_case_result(&result),
            fern_case_end(a)};
    ASSERT_EQ(fern_wait(cases, 6, 4, order, FERN_FOREVER), 4);
    size_t expected[] = {1, 3, 0, 5};
    ASSERT_MEM_EQ(order, expected, sizeof expected);
    ASSERT_OK(fern_result_set(&result, "v"));
    ASSERT_EQ(fern_wait(cases, 6, 5, order, FERN_FOREVER), 5);
    ASSERT_EQ(order[3], 4);
    fern_greenlet_unref(a);
    fern_greenlet_unref(b);
}

TEST(fds_can_be_watched_and_tell_their_events)
{
    int ends[2];
    size_t order[2];
    ASSERT_OK(fern_pipe(ends, 0));
    fern_case cases[] = {fern_case_fd(ends[0], POLLIN), fern_case_event(&events[0])};
    fern_greenlet *g = fern_spawn(set_three_two_one, NULL);
    ASSERT_EQ(fern_wait(cases, 2, 1, order, FERN_FOREVER), 1);
    ASSERT_EQ(order[0], 1);
    FINISH(g);
    ASSERT_EQ(fern_write(ends[1], "x", 1, FERN_NOWAIT), 1);
    ASSERT_EQ(fern_wait(cases, 2, 0, order, FERN_FOREVER), 2);
    ASSERT_EQ(order[0], 0);
    ASSERT_EQ(cases[0].result & POLLIN, POLLIN);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

static void *
write_later(void *fd)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(fern_write((int)(intptr_t)fd, "x", 1, FERN_FOREVER), 1);
    return NULL;
}

TEST(an_fd_that_becomes_ready_ends_a_wait)
{
    int ends[2];
    size_t index;
    ASSERT_OK(fern_pipe(ends, 0));
    fern_case cases[] = {fern_case_event(&events[0]), fern_case_fd(ends[0], POLLIN)};
    fern_iwait *it = fern_iwait_new(cases, 2);
    fern_greenlet *g = fern_spawn(write_later, (void *)(intptr_t)ends[1]);
    ASSERT_EQ(fern_iwait_next(it, &index, FERN_FOREVER), 1);
    ASSERT_EQ(index, 1);
    FINISH(g);
    fern_iwait_free(it);
    ASSERT_OK(fern_close(ends[0]));
    ASSERT_OK(fern_close(ends[1]));
}

static void *
wait_forever(void *ret_code)
{
    fern_case cases[2];
    cases_of_events(cases, 2);
    *(int *)ret_code = fern_wait(cases, 2, 0, NULL, FERN_FOREVER);
    return NULL;
}

TEST(a_wait_that_is_killed_watches_nothing_any_more)
{
    int code = 0;
    fern_greenlet *g = fern_spawn(wait_forever, &code);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_event_set(&events[0]));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(code, -ECANCELED);
    ASSERT_OK(fern_event_fini(&events[1]));
    fern_greenlet_unref(g);
}

static void *
next_in(void *it)
{
    size_t index;
    ASSERT_ERR(fern_iwait_next(it, &index, FERN_FOREVER), -ECANCELED);
    return NULL;
}

static void *
wait_elsewhere(void *it)
{
    size_t index;
    fern_case cases[1];
    cases_of_events(cases, 1);
    ASSERT_ERR(fern_wait(cases, 1, 0, NULL, FERN_NOWAIT), -EXDEV);
    ASSERT_NULL(fern_iwait_new(cases, 1));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_ERR(fern_iwait_next(it, &index, FERN_NOWAIT), -EXDEV);
    return NULL;
}

TEST(misuse_of_a_wait_answers_with_its_code)
{
    pthread_t thread;
    size_t index;
    fern_case cases[2];
    cases_of_events(cases, 2);
    ASSERT_ERR(fern_wait(NULL, 1, 0, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_wait(cases, 2, 3, NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_NULL(fern_iwait_new(NULL, 1));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_ERR(fern_iwait_next(NULL, &index, FERN_NOWAIT), -EINVAL);
    fern_iwait *it = fern_iwait_new(cases, 2);
    ASSERT_ERR(fern_iwait_next(it, NULL, FERN_NOWAIT), -EINVAL);
    fern_greenlet *g = fern_spawn(next_in, it);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_iwait_next(it, &index, FERN_NOWAIT), -EBUSY);
    ASSERT_EQ(pthread_create(&thread, NULL, wait_elsewhere, it), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    fern_iwait_free(it);
    cases[0].kind = (fern_case_kind)99;
    ASSERT_ERR(fern_wait(cases, 2, 0, NULL, FERN_NOWAIT), -EINVAL);
    cases_of_events(cases, 2);
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_wait(cases, 2, 0, NULL, FERN_FOREVER), -EDEADLK);
}
