/* SPDX-License-Identifier: MIT */
/* Mutexes: whose they are, who is next, and what a killed one leaves behind. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_mutex mutex;
static fern_mutex rlock = FERN_RLOCK_INIT;

static void *
lock_say_unlock(void *word)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    say(word);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_mutex_unlock(&mutex));
    return NULL;
}

TEST(a_mutex_is_handed_over_in_order_of_arrival_and_nobody_passes_by)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    fern_greenlet *a = fern_spawn(lock_say_unlock, "a");
    fern_greenlet *b = fern_spawn(lock_say_unlock, "b");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_STR_EQ(trace_text, ""); /* it does not switch */
    ASSERT_TRUE(fern_mutex_locked(&mutex));
    ASSERT_EQ(fern_mutex_depth(&mutex), 0);
    ASSERT_ERR(fern_mutex_lock(&mutex, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    say("main");
    ASSERT_OK(fern_mutex_unlock(&mutex));
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "a b main");
    ASSERT_FALSE(fern_mutex_locked(&mutex));
    ASSERT_OK(fern_mutex_fini(&mutex));
}

TEST(a_free_mutex_is_taken_and_released_without_a_switch)
{
    fern_greenlet *g = fern_spawn(say, "other");
    for (int i = 0; i < 10000; i++) {
        ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
        ASSERT_OK(fern_mutex_unlock(&mutex));
        ASSERT_OK(fern_mutex_lock(&mutex, FERN_NOWAIT));
        ASSERT_OK(fern_mutex_unlock(&mutex));
    }
    ASSERT_STR_EQ(trace_text, "");
    FINISH(g);
}

TEST(taking_a_mutex_again_is_a_deadlock_and_taking_a_recursive_one_is_not)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_ERR(fern_mutex_lock(&mutex, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_mutex_lock(&mutex, fern_in(FERN_MS)), -EDEADLK);
    ASSERT_ERR(fern_mutex_lock(&mutex, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_mutex_unlock(&mutex));

    for (size_t i = 1; i <= 3; i++) {
        ASSERT_OK(fern_mutex_lock(&rlock, i == 2 ? FERN_NOWAIT : FERN_FOREVER));
        ASSERT_EQ(fern_mutex_depth(&rlock), i);
    }
    for (size_t i = 3; i >= 1; i--) {
        ASSERT_TRUE(fern_mutex_locked(&rlock));
        ASSERT_OK(fern_mutex_unlock(&rlock));
        ASSERT_EQ(fern_mutex_depth(&rlock), i - 1);
    }
    ASSERT_ERR(fern_mutex_unlock(&rlock), -EPERM);
}

static void *
use_what_is_held(void *unused)
{
    ASSERT_ERR(fern_mutex_unlock(&mutex), -EPERM);
    ASSERT_ERR(fern_mutex_unlock(&rlock), -EPERM);
    ASSERT_ERR(fern_mutex_lock(&rlock, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_mutex_lock(&rlock, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_mutex_depth(&rlock), 0);
    return unused;
}

TEST(the_owner_is_the_greenlet_and_nobody_else_can_release)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_OK(fern_mutex_lock(&rlock, FERN_FOREVER));
    FINISH(fern_spawn(use_what_is_held, NULL));
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_OK(fern_mutex_unlock(&rlock));
}

TEST(releasing_a_mutex_that_nobody_holds_is_refused)
{
    ASSERT_ERR(fern_mutex_unlock(&mutex), -EPERM);
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_ERR(fern_mutex_unlock(&mutex), -EPERM);
}

static void *
lock_and_tell(void *ret_code)
{
    *(int *)ret_code = fern_mutex_lock(&mutex, FERN_FOREVER);
    if (*(int *)ret_code == 0)
        ASSERT_OK(fern_mutex_unlock(&mutex));
    return NULL;
}

TEST(a_waiter_that_is_killed_or_times_out_leaves_the_mutex_to_the_next)
{
    int codes[2] = {1, 1};
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    fern_greenlet *killed = fern_spawn(lock_and_tell, &codes[0]);
    fern_greenlet *next = fern_spawn(lock_and_tell, &codes[1]);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_mutex_fini(&mutex), -EBUSY);
    ASSERT_OK(fern_kill(killed, 0, FERN_FOREVER));
    ASSERT_EQ(codes[0], -ECANCELED);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    FINISH(next);
    ASSERT_EQ(codes[1], 0);
    fern_greenlet_unref(killed);
}

TEST(a_mutex_that_was_granted_is_taken_although_a_kill_comes_before_it_runs)
{
    int code = 1;
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    fern_greenlet *g = fern_spawn(lock_and_tell, &code);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_EQ(code, 0);
    ASSERT_FALSE(fern_mutex_locked(&mutex));
    fern_greenlet_unref(g);
}

static void *
lock_when_killed(void *unused)
{
    ASSERT_ERR(fern_sleep(FERN_SECOND), -ECANCELED);
    ASSERT_ERR(fern_mutex_lock(&mutex, FERN_FOREVER), -ECANCELED);
    ASSERT_FALSE(fern_mutex_locked(&mutex));
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_NOWAIT));
    ASSERT_OK(fern_mutex_unlock(&mutex));
    return unused;
}

TEST(who_has_been_killed_takes_no_free_mutex_but_may_try_one)
{
    fern_greenlet *g = fern_spawn(lock_when_killed, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
}

/* ---- blocks ---- */

static int
leave_by_return(void)
{
    int r;
    FERN_WITH_LOCK (r, &mutex, FERN_FOREVER)
        return 5;
    return r;
}

TEST(a_block_with_a_lock_releases_it_on_every_way_out)
{
    int r = 1, runs = 0;
    ASSERT_EQ(leave_by_return(), 5);
    ASSERT_FALSE(fern_mutex_locked(&mutex));
    FERN_WITH_LOCK (r, &mutex, FERN_FOREVER) {
        ASSERT_EQ(fern_mutex_depth(&mutex), 1);
        runs++;
        FERN_WITH_LOCK (r, &mutex, FERN_FOREVER)
            FAIL("it is held already");
        ASSERT_EQ(r, -EDEADLK);
        r = 0;
        if (runs)
            continue;
    }
    FERN_WITH_LOCK (r, &mutex, FERN_FOREVER) {
        runs++;
        break;
    }
    FERN_WITH_LOCK (r, &mutex, FERN_FOREVER)
        goto out;
out:
    ASSERT_EQ(r, 0);
    ASSERT_EQ(runs, 2);
    ASSERT_FALSE(fern_mutex_locked(&mutex));
}

/* ---- one of several ---- */

TEST(a_select_takes_one_mutex_and_leaves_the_others)
{
    static fern_mutex other;
    fern_case cases[] = {fern_case_mutex(&mutex), fern_case_mutex(&other)};
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_EQ(fern_select(cases, 2, 0, FERN_FOREVER), 1);
    ASSERT_EQ(fern_mutex_depth(&other), 1);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_OK(fern_mutex_unlock(&other));
}

static void *
hold_for_a_while(void *held)
{
    ASSERT_OK(fern_mutex_lock(held, FERN_FOREVER));
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_OK(fern_mutex_unlock(held));
    return NULL;
}

TEST(a_select_that_waits_is_handed_the_mutex)
{
    static fern_mutex other;
    fern_greenlet *a = fern_spawn(hold_for_a_while, &mutex);
    fern_greenlet *b = fern_spawn(hold_for_a_while, &other);
    ASSERT_OK(fern_yield());
    fern_case cases[] = {fern_case_mutex(&mutex), fern_case_mutex(&other)};
    int which = fern_select(cases, 2, 0, FERN_FOREVER);
    ASSERT_EQ(which, 0);
    ASSERT_EQ(fern_mutex_depth(&mutex), 1);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    FINISH(a);
    FINISH(b);
    ASSERT_FALSE(fern_mutex_locked(&other));
    ASSERT_OK(fern_mutex_fini(&other));
}

/* ---- misuse ---- */

static void *
use_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_mutex_lock(&mutex, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_mutex_lock(&mutex, FERN_NOWAIT), -EXDEV);
    ASSERT_ERR(fern_mutex_unlock(&mutex), -EXDEV);
    ASSERT_ERR(fern_mutex_fini(&mutex), -EXDEV);
    return unused;
}

static void *
end_with_it(void *held)
{
    ASSERT_OK(fern_mutex_lock(held, FERN_FOREVER));
    return NULL;
}

TEST(misuse_of_a_mutex_answers_with_its_code)
{
    pthread_t thread;
    ASSERT_ERR(fern_mutex_init(NULL, 0), -EINVAL);
    ASSERT_ERR(fern_mutex_init(&mutex, 2), -EINVAL);
    ASSERT_ERR(fern_mutex_lock(NULL, FERN_NOWAIT), -EINVAL);
    ASSERT_ERR(fern_mutex_unlock(NULL), -EINVAL);
    ASSERT_ERR(fern_mutex_fini(NULL), -EINVAL);
    ASSERT_FALSE(fern_mutex_locked(NULL));
    ASSERT_EQ(fern_mutex_depth(NULL), 0);
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_ERR(fern_mutex_fini(&mutex), -EBUSY);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_OK(fern_mutex_fini(&mutex));
    ASSERT_OK(fern_mutex_init(&mutex, FERN_MUTEX_RECURSIVE));
    FINISH(fern_spawn(end_with_it, &mutex));
    ASSERT_ERR(fern_mutex_lock(&mutex, FERN_NOWAIT), -EAGAIN); /* its owner took it along */
    ASSERT_OK(fern_mutex_fini(&mutex));
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_NOWAIT));
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_NOWAIT)); /* still recursive */
}

/* ---- what has ended its hub ---- */

static fern_mutex left[2] = {FERN_MUTEX_INIT, FERN_RLOCK_INIT};

static void *
take_along(void *unused)
{
    FINISH(fern_spawn(end_with_it, &left[0]));
    ASSERT_OK(fern_mutex_lock(&left[1], FERN_FOREVER));
    ASSERT_ERR(fern_mutex_fini(&left[1]), -EBUSY);
    return unused;
}

static void *
use_what_was_left(void *unused)
{
    ASSERT_OK(fern_yield()); /* a hub that may lie where the other did */
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(fern_mutex_fini(&left[i]));
        ASSERT_OK(fern_mutex_lock(&left[i], FERN_FOREVER));
        ASSERT_EQ(fern_mutex_depth(&left[i]), 1);
        ASSERT_OK(fern_mutex_unlock(&left[i]));
        ASSERT_OK(fern_mutex_fini(&left[i]));
    }
    return unused;
}

static void
on_a_thread(void *(*fn)(void *))
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, fn, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}

TEST(a_mutex_that_was_held_when_its_hub_ended_is_anybodys_to_end)
{
    on_a_thread(take_along);
    use_what_was_left(NULL);
    on_a_thread(take_along);
    on_a_thread(use_what_was_left);
}
