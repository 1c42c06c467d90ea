/* SPDX-License-Identifier: MIT */
/* Conditions: the mutex is held again whatever happens, and no notification is lost. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_mutex mutex;
static fern_mutex rlock = FERN_RLOCK_INIT;
static fern_condition condition;

static void *
wait_and_say(void *word)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_OK(fern_condition_wait(&condition, &mutex, FERN_FOREVER));
    ASSERT_EQ(fern_mutex_depth(&mutex), 1);
    say(word);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    return NULL;
}

static int
notify(size_t n)
{
    int r, woken = -1;
    FERN_WITH_LOCK (r, &mutex, FERN_FOREVER)
        woken = fern_condition_notify(&condition, n);
    return r < 0 ? r : woken;
}

TEST(notify_wakes_so_many_in_the_order_of_arrival_and_notify_all_the_rest)
{
    static char *words[] = {"0", "1", "2", "3", "4"};
    fern_greenlet *gs[5];
    for (int i = 0; i < 5; i++)
        gs[i] = fern_spawn(wait_and_say, words[i]);
    ASSERT_OK(fern_yield());
    ASSERT_EQ(notify(1), 1);
    ASSERT_STR_EQ(trace_text, "");
    FINISH(gs[0]);
    ASSERT_EQ(notify(2), 2);
    FINISH(gs[1]);
    FINISH(gs[2]);
    ASSERT_STR_EQ(trace_text, "0 1 2");
    int r;
    FERN_WITH_LOCK (r, &mutex, FERN_FOREVER) {
        ASSERT_EQ(fern_condition_notify_all(&condition), 2);
        trace("still mine");
    }
    FINISH(gs[3]);
    FINISH(gs[4]);
    ASSERT_STR_EQ(trace_text, "0 1 2 still mine 3 4");
    ASSERT_OK(fern_condition_fini(&condition));
}

TEST(a_notification_that_nobody_waits_for_is_lost)
{
    ASSERT_EQ(notify(1), 0);
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_ERR(fern_condition_wait(&condition, &mutex, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_mutex_depth(&mutex), 1);
    ASSERT_OK(fern_mutex_unlock(&mutex));
}

static void *
hold_long(void *unused)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_OK(fern_sleep(FERN_SECOND));
    say("released");
    ASSERT_OK(fern_mutex_unlock(&mutex));
    return unused;
}

static void *
wait_and_tell(void *ret_code)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    *(int *)ret_code = fern_condition_wait(&condition, &mutex, FERN_FOREVER);
    ASSERT_EQ(fern_mutex_depth(&mutex), 1);
    trace("back:%d", *(int *)ret_code);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    return NULL;
}

TEST(one_that_is_killed_takes_the_mutex_again_before_it_returns)
{
    int code = 1;
    fern_greenlet *g = fern_spawn(wait_and_tell, &code);
    fern_greenlet *holder = fern_spawn(hold_long, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(g, 0, fern_in(FERN_MS)), -ETIME); /* it waits for the mutex */
    ASSERT_ERR(fern_kill(g, 0, fern_in(FERN_MS)), -ETIME); /* another kill does not help */
    ASSERT_STR_EQ(trace_text, "");
    FINISH(holder);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "released back:-125");
    ASSERT_EQ(code, -ECANCELED);
    fern_greenlet_unref(g);
}

TEST(one_that_times_out_takes_the_mutex_again_before_it_returns)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    fern_greenlet *holder = fern_spawn(hold_long, NULL);
    ASSERT_ERR(fern_condition_wait(&condition, &mutex, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_mutex_depth(&mutex), 1);
    ASSERT_STR_EQ(trace_text, "released");
    FERN_SCOPE (scope, fern_in(FERN_MS)) {
        ASSERT_ERR(fern_condition_wait(&condition, &mutex, FERN_FOREVER), -ETIME);
        ASSERT_EQ(fern_mutex_depth(&mutex), 1);
        /* The scope has expired: refused on entry, and the mutex was not given away. */
        ASSERT_ERR(fern_condition_wait(&condition, &mutex, FERN_FOREVER), -ETIME);
        ASSERT_EQ(fern_mutex_depth(&mutex), 1);
    }
    ASSERT_OK(fern_mutex_unlock(&mutex));
    FINISH(holder);
}

TEST(a_notification_for_one_that_was_cancelled_goes_to_the_next)
{
    int codes[3] = {1, 1, 1};
    fern_greenlet *gs[3];
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(wait_and_tell, &codes[i]);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(gs[0], 0, FERN_NOWAIT), -EAGAIN); /* it has not run yet */
    ASSERT_EQ(notify(1), 1);
    ASSERT_OK(fern_join(gs[0], FERN_FOREVER));
    FINISH(gs[1]);
    ASSERT_EQ(codes[0], -ECANCELED);
    ASSERT_EQ(codes[1], 0);
    ASSERT_EQ(notify(1), 1);
    /* What has been notified is notified, although a kill comes before it runs. */
    ASSERT_OK(fern_kill(gs[2], 0, FERN_FOREVER));
    ASSERT_EQ(codes[2], 0);
    fern_greenlet_unref(gs[0]);
    fern_greenlet_unref(gs[2]);
}

static void *
nest_and_wait(void *unused)
{
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_mutex_lock(&rlock, FERN_FOREVER));
    ASSERT_OK(fern_condition_wait(&condition, &rlock, FERN_FOREVER));
    ASSERT_EQ(fern_mutex_depth(&rlock), 3);
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_mutex_unlock(&rlock));
    return unused;
}

TEST(a_recursive_mutex_is_released_altogether_and_taken_as_often_again)
{
    fern_greenlet *g = fern_spawn(nest_and_wait, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_mutex_lock(&rlock, FERN_NOWAIT));
    ASSERT_EQ(fern_condition_notify(&condition, 1), 1);
    ASSERT_OK(fern_mutex_unlock(&rlock));
    FINISH(g);
    ASSERT_FALSE(fern_mutex_locked(&rlock));
}

/* ---- a predicate ---- */

static int counter;

static bool
is_four(void *unused)
{
    (void)unused;
    return counter == 4;
}

static void *
count_slowly(void *unused)
{
    for (int i = 0; i < 4; i++) {
        int r;
        ASSERT_OK(fern_sleep(FERN_MS));
        FERN_WITH_LOCK (r, &mutex, FERN_FOREVER) {
            counter++;
            ASSERT_EQ(fern_condition_notify(&condition, 1), 1);
        }
        ASSERT_OK(r);
    }
    return unused;
}

TEST(wait_for_goes_on_until_the_predicate_is_true)
{
    fern_greenlet *g = fern_spawn(count_slowly, NULL);
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_ERR(fern_condition_wait_for(&condition, &mutex, is_four, NULL, FERN_NOWAIT),
            -EAGAIN);
    ASSERT_OK(fern_condition_wait_for(&condition, &mutex, is_four, NULL, FERN_FOREVER));
    ASSERT_EQ(counter, 4);
    ASSERT_OK(fern_condition_wait_for(&condition, &mutex, is_four, NULL, FERN_NOWAIT));
    FINISH(g);
    ASSERT_OK(fern_mutex_unlock(&mutex));
}

static void *
make_it_four_silently(void *unused)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    counter = 4;
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_OK(fern_mutex_unlock(&mutex));
    return unused;
}

TEST(wait_for_looks_once_more_when_its_time_is_over)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_ERR(fern_condition_wait_for(&condition, &mutex, is_four, NULL, fern_in(FERN_MS)),
            -ETIME);
    fern_greenlet *g = fern_spawn(make_it_four_silently, NULL);
    ASSERT_OK(fern_condition_wait_for(&condition, &mutex, is_four, NULL, fern_in(FERN_MS)));
    ASSERT_OK(fern_mutex_unlock(&mutex));
    FINISH(g);
}

/* ---- misuse ---- */

static void *
use_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_condition_wait(&condition, &mutex, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_condition_notify(&condition, 1), -EXDEV);
    ASSERT_ERR(fern_condition_fini(&condition), -EXDEV);
    return unused;
}

static void *
notify_without(void *unused)
{
    ASSERT_ERR(fern_condition_notify(&condition, 1), -EPERM);
    ASSERT_ERR(fern_condition_notify_all(&condition), -EPERM);
    ASSERT_ERR(fern_condition_fini(&condition), -EBUSY);
    return unused;
}

TEST(misuse_of_a_condition_answers_with_its_code)
{
    pthread_t thread;
    ASSERT_ERR(fern_condition_wait(NULL, &mutex, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_condition_wait(&condition, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(
            fern_condition_wait_for(&condition, &mutex, NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_condition_notify(NULL, 1), -EINVAL);
    ASSERT_ERR(fern_condition_notify_all(NULL), -EINVAL);
    ASSERT_ERR(fern_condition_fini(NULL), -EINVAL);
    ASSERT_ERR(fern_condition_wait(&condition, &mutex, FERN_FOREVER), -EPERM);
    ASSERT_ERR(fern_condition_wait_for(&condition, &mutex, is_four, NULL, FERN_FOREVER),
            -EPERM);
    fern_greenlet *g = fern_spawn(wait_and_say, "woken");
    ASSERT_OK(fern_yield());
    FINISH(fern_spawn(notify_without, NULL));
    ASSERT_OK(fern_mutex_lock(&rlock, FERN_FOREVER));
    ASSERT_ERR(fern_condition_wait(&condition, &rlock, FERN_FOREVER), -EINVAL);
    ASSERT_EQ(notify(1), 1);
    FINISH(g);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_ERR(fern_condition_wait(&condition, &mutex, FERN_NOWAIT), -EAGAIN);
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_condition_wait(&condition, &mutex, FERN_FOREVER), -EDEADLK);
    ASSERT_EQ(fern_mutex_depth(&mutex), 1);
}
