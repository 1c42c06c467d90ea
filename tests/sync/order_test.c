/* SPDX-License-Identifier: MIT */
/* Several mutexes at once, and the check of their order. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "trace.h"

static fern_mutex mutexes[20]; /* in order of address */

static void *
take_both(void *word)
{
    fern_mutex *forwards[] = {&mutexes[0], &mutexes[1]};
    fern_mutex *backwards[] = {&mutexes[1], &mutexes[0]};
    fern_mutex **both = *(const char *)word == 'f' ? forwards : backwards;
    for (int i = 0; i < 3; i++) {
        int r;
        FERN_WITH_LOCKS (r, both, 2, FERN_FOREVER) {
            ASSERT_EQ(fern_mutex_depth(&mutexes[0]), 1);
            ASSERT_EQ(fern_mutex_depth(&mutexes[1]), 1);
            say(word);
            ASSERT_OK(fern_yield());
        }
        ASSERT_OK(r);
    }
    return NULL;
}

TEST(two_that_want_the_same_mutexes_in_different_orders_do_not_wait_for_each_other)
{
    fern_greenlet *f = fern_spawn(take_both, "f"), *b = fern_spawn(take_both, "b");
    FINISH(f);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "f b f b f b");
    for (int i = 0; i < 2; i++)
        ASSERT_FALSE(fern_mutex_locked(&mutexes[i]));
}

static void *
hold(void *mutex)
{
    ASSERT_OK(fern_mutex_lock(mutex, FERN_FOREVER));
    ASSERT_OK(fern_sleep(FERN_SECOND));
    ASSERT_OK(fern_mutex_unlock(mutex));
    return NULL;
}

TEST(all_are_taken_or_none_however_many_there_are)
{
    fern_mutex *all[20];
    for (int i = 0; i < 20; i++)
        all[(i * 7) % 20] = &mutexes[i];
    fern_greenlet *g = fern_spawn(hold, &mutexes[10]);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_lock_all(all, 20, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_lock_all(all, 20, fern_in(FERN_MS)), -ETIME);
    for (int i = 0; i < 20; i++)
        ASSERT_EQ(fern_mutex_locked(&mutexes[i]), i == 10);
    ASSERT_OK(fern_lock_all(all, 20, FERN_FOREVER));
    ASSERT_ERR(fern_unlock_all((fern_mutex *[]){NULL}, 1), -EINVAL);
    ASSERT_OK(fern_unlock_all(all, 20));
    ASSERT_ERR(fern_unlock_all(all, 20), -EPERM);
    FINISH(g);
    ASSERT_OK(fern_lock_all(NULL, 0, FERN_FOREVER));
    ASSERT_OK(fern_unlock_all(NULL, 0));
}

TEST(more_may_be_taken_only_if_they_come_after_those_that_are_held)
{
    fern_mutex *middle[] = {&mutexes[5], &mutexes[6]};
    fern_mutex *low[] = {&mutexes[9], &mutexes[1]}, *high[] = {&mutexes[8], &mutexes[7]};
    ASSERT_OK(fern_lock_all(middle, 2, FERN_FOREVER));
    ASSERT_ERR(fern_lock_all(low, 2, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_lock_all(middle, 1, FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_lock_all(high, 2, FERN_FOREVER));
    ASSERT_OK(fern_unlock_all(high, 2));
    ASSERT_OK(fern_unlock_all(middle, 2));
    ASSERT_OK(fern_lock_all(low, 2, FERN_FOREVER)); /* nothing is held any more */
    ASSERT_OK(fern_mutex_unlock(&mutexes[1]));
    ASSERT_OK(fern_mutex_unlock(&mutexes[9]));
}

TEST(misuse_of_several_mutexes_answers_with_its_code)
{
    fern_mutex *twice[] = {&mutexes[0], &mutexes[1], &mutexes[0]};
    fern_mutex *none[] = {&mutexes[0], NULL};
    ASSERT_ERR(fern_lock_all(twice, 3, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_lock_all(none, 2, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_lock_all(NULL, 1, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_unlock_all(NULL, 1), -EINVAL);
    ASSERT_OK(fern_mutex_lock(&mutexes[1], FERN_FOREVER));
    ASSERT_ERR(fern_lock_all(twice, 2, FERN_FOREVER), -EDEADLK);
    ASSERT_FALSE(fern_mutex_locked(&mutexes[0]));
    ASSERT_ERR(fern_unlock_all(twice, 2), -EPERM);
    ASSERT_TRUE(fern_mutex_locked(&mutexes[1]));
}

/* ---- the check ---- */

__attribute__((noinline)) static int
take_one_then_two(void)
{
    int r, inner = -1;
    FERN_WITH_LOCK (r, &mutexes[1], FERN_FOREVER) {
        inner = fern_mutex_lock(&mutexes[2], FERN_FOREVER);
        if (inner == 0)
            ASSERT_OK(fern_mutex_unlock(&mutexes[2]));
    }
    return r < 0 ? r : inner;
}

__attribute__((noinline)) static int
take_two_then_one(void)
{
    int r, inner = -1;
    FERN_WITH_LOCK (r, &mutexes[2], FERN_FOREVER) {
        inner = fern_mutex_lock(&mutexes[1], FERN_FOREVER);
        if (inner == 0)
            ASSERT_OK(fern_mutex_unlock(&mutexes[1]));
    }
    return r < 0 ? r : inner;
}

static void
violate(void *unused)
{
    (void)unused;
    if (take_one_then_two() != 0 || take_one_then_two() != 0)
        exit(8);
    exit(take_two_then_one() == -EDEADLK ? 7 : 9);
}

TEST(an_order_that_contradicts_another_is_refused_and_both_places_are_named)
{
    char err[4096];
    ASSERT_OK(take_one_then_two());
    ASSERT_OK(take_two_then_one()); /* nobody looks */
    ASSERT_FALSE(fern_lock_order_check(true));
    int status = harness_child(violate, NULL, err, sizeof err);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(err, "fern: locks against their order, by #1");
    ASSERT_STR_HAS(err, "at take_two_then_one+0x");
    ASSERT_STR_HAS(err, "at take_one_then_two+0x");
    ASSERT_TRUE(fern_lock_order_check(false));
}

static void
violate_addresses(void *unused)
{
    (void)unused;
    fern_mutex *high[] = {&mutexes[5]}, *low[] = {&mutexes[4]};
    if (fern_lock_all(high, 1, FERN_FOREVER) < 0)
        exit(9);
    exit(fern_lock_all(low, 1, FERN_FOREVER) == -EDEADLK ? 7 : 8);
}

TEST(several_against_their_order_are_named_without_the_check_as_well)
{
    char err[4096];
    int status = harness_child(violate_addresses, NULL, err, sizeof err);
    ASSERT_EQ(WEXITSTATUS(status), 7);
    ASSERT_STR_HAS(err, "fern: locks against their order");
    ASSERT_STR_HAS(err, "at violate_addresses+0x");
    ASSERT_STR_HAS(err, "in order of address");
}

static void
ask_the_environment(void *unused)
{
    (void)unused;
    setenv("FERN_LOCK_ORDER", "1", 1);
    violate(NULL);
}

TEST(the_environment_switches_the_check_on)
{
    char err[4096];
    int status = harness_child(ask_the_environment, NULL, err, sizeof err);
    ASSERT_EQ(WEXITSTATUS(status), 7);
}

static int
take_in_order(int first, int second)
{
    int r, inner = -1;
    FERN_WITH_LOCK (r, &mutexes[first], FERN_FOREVER) {
        FERN_WITH_LOCK (inner, &mutexes[second], FERN_FOREVER) {
        }
    }
    return r < 0 ? r : inner;
}

TEST(the_check_sees_orders_by_way_of_others_and_forgets_finished_mutexes)
{
    ASSERT_FALSE(fern_lock_order_check(true));
    ASSERT_OK(take_in_order(1, 2));
    ASSERT_OK(take_in_order(2, 3));
    ASSERT_OK(take_in_order(3, 4));
    ASSERT_ERR(take_in_order(4, 1), -EDEADLK);
    ASSERT_OK(take_in_order(1, 4));
    ASSERT_OK(fern_mutex_lock(&mutexes[4], FERN_FOREVER));
    ASSERT_OK(fern_mutex_lock(&mutexes[2], FERN_NOWAIT)); /* an attempt cannot deadlock */
    ASSERT_OK(fern_mutex_unlock(&mutexes[4]));            /* not in reverse */
    ASSERT_OK(fern_mutex_unlock(&mutexes[2]));
    ASSERT_OK(fern_mutex_fini(&mutexes[4]));
    ASSERT_OK(take_in_order(4, 1));
}

static void *
wait_for_a_held_one(void *unused)
{
    ASSERT_OK(fern_mutex_lock(&mutexes[1], FERN_FOREVER));
    ASSERT_OK(fern_mutex_lock(&mutexes[2], FERN_FOREVER));
    ASSERT_OK(fern_mutex_unlock(&mutexes[2]));
    ASSERT_OK(fern_mutex_unlock(&mutexes[1]));
    return unused;
}

static bool
never(void *unused)
{
    (void)unused;
    return false;
}

TEST(the_check_knows_mutexes_that_were_handed_over_and_those_taken_again_by_conditions)
{
    static fern_condition condition;
    ASSERT_FALSE(fern_lock_order_check(true));
    fern_greenlet *holder = fern_spawn(hold, &mutexes[1]);
    ASSERT_OK(fern_yield());
    FINISH(fern_spawn(wait_for_a_held_one, NULL));
    ASSERT_ERR(take_in_order(2, 1), -EDEADLK);
    FINISH(holder);
    ASSERT_OK(fern_mutex_lock(&mutexes[2], FERN_FOREVER));
    ASSERT_ERR(
            fern_condition_wait_for(&condition, &mutexes[2], never, NULL, fern_in(FERN_MS)),
            -ETIME);
    ASSERT_ERR(fern_mutex_lock(&mutexes[1], FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_mutex_unlock(&mutexes[2]));
}
