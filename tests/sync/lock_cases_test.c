/* SPDX-License-Identifier: MIT */
/* What any kind of lock must do when many greenlets want it, whoever made it. */

#include "harness.h"

#include <errno.h>

#include "trace.h"

enum { MANY = 10 };

static fern_mutex mutex;
static fern_semaphore semaphore;
static int inside, most, late;

/* Have many greenlets run a function, until the last has ended. */
static void
bunch(fern_fn *fn)
{
    fern_greenlet *gs[MANY];
    for (intptr_t i = 0; i < MANY; i++)
        gs[i] = fern_spawn(fn, (void *)i);
    for (int i = 0; i < MANY; i++)
        FINISH(gs[i]);
}

static void
come_and_go(void)
{
    inside++;
    if (most < inside)
        most = inside;
    ASSERT_OK(fern_sleep(FERN_MS));
    inside--;
}

/* ---- mutexes ---- */

static void *
try_mutex(void *unused)
{
    for (int i = 0; i < 3; i++) {
        ASSERT_ERR(fern_mutex_lock(&mutex, FERN_NOWAIT), -EAGAIN);
        ASSERT_OK(fern_yield());
    }
    return unused;
}

TEST(of_many_who_try_a_mutex_that_is_held_none_gets_it)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_NOWAIT));
    bunch(try_mutex);
    ASSERT_TRUE(fern_mutex_locked(&mutex));
    ASSERT_OK(fern_mutex_unlock(&mutex));
}

static void *
pass_mutex(void *unused)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    come_and_go();
    ASSERT_OK(fern_mutex_unlock(&mutex));
    return unused;
}

TEST(of_many_who_want_a_mutex_one_has_it_at_a_time_and_all_get_it)
{
    bunch(pass_mutex);
    ASSERT_EQ(most, 1);
    ASSERT_FALSE(fern_mutex_locked(&mutex));
}

static void *
give_up(void *unused)
{
    fern_time begun = fern_now();
    ASSERT_ERR(fern_mutex_lock(&mutex, fern_in(5 * FERN_MS)), -ETIME);
    ASSERT_GE(fern_now().ns - begun.ns, 5 * FERN_MS);
    return unused;
}

TEST(after_time_outs_a_mutex_is_as_good_as_before)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    bunch(give_up);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_FALSE(fern_mutex_locked(&mutex));
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    ASSERT_TRUE(fern_mutex_locked(&mutex));
    ASSERT_ERR(fern_mutex_fini(&mutex), -EBUSY);
    ASSERT_OK(fern_mutex_unlock(&mutex));
    ASSERT_OK(fern_mutex_fini(&mutex));
}

static void *
lock_and_end(void *unused)
{
    ASSERT_OK(fern_mutex_lock(&mutex, FERN_FOREVER));
    return unused;
}

TEST(a_mutex_whose_holder_has_ended_can_be_ended)
{
    FINISH(fern_spawn(lock_and_end, NULL));
    ASSERT_TRUE(fern_mutex_locked(&mutex));
    ASSERT_OK(fern_mutex_fini(&mutex));
    ASSERT_FALSE(fern_mutex_locked(&mutex));
    FINISH(fern_spawn(lock_and_end, NULL)); /* it is as new */
    ASSERT_OK(fern_mutex_fini(&mutex));
}

/* ---- events ---- */

static fern_event event;

static void *
look_and_wait(void *unused)
{
    int r = fern_event_wait(&event, FERN_NOWAIT);
    if (r == 0)
        return unused;
    ASSERT_ERR(r, -EAGAIN);
    late += fern_event_wait(&event, fern_in(5 * FERN_MS)) == -ETIME;
    return unused;
}

TEST(a_wait_for_an_event_says_whether_it_was_set_in_time)
{
    bunch(look_and_wait);
    ASSERT_EQ(late, MANY);
    ASSERT_OK(fern_event_set(&event));
    bunch(look_and_wait);
    ASSERT_EQ(late, MANY);
    ASSERT_OK(fern_event_fini(&event));
}

TEST(an_event_is_set_until_it_is_cleared_however_often_it_was_set)
{
    ASSERT_FALSE(fern_event_is_set(&event));
    ASSERT_OK(fern_event_set(&event));
    ASSERT_OK(fern_event_set(&event));
    ASSERT_TRUE(fern_event_is_set(&event));
    ASSERT_OK(fern_event_clear(&event));
    ASSERT_FALSE(fern_event_is_set(&event));
    ASSERT_OK(fern_event_clear(&event));
    ASSERT_FALSE(fern_event_is_set(&event));
    ASSERT_OK(fern_event_fini(&event));
}

/* ---- semaphores ---- */

static void
begin(int64_t count)
{
    FERN_SEMAPHORE_OPTIONS(options);
    options.count = count;
    ASSERT_OK(fern_semaphore_init(&semaphore, &options));
}

TEST(as_many_permits_as_there_are_can_be_taken_and_given_back_in_any_order)
{
    begin(2);
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER));
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_EQ(fern_semaphore_count(&semaphore), 2);
}

static void *
try_permit(void *unused)
{
    int r = fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT);
    inside += r == 0;
    late += r == -EAGAIN;
    return unused;
}

TEST(of_many_who_try_for_a_permit_as_many_get_one_as_there_are)
{
    begin(4);
    bunch(try_permit);
    ASSERT_EQ(inside, 4);
    ASSERT_EQ(late, MANY - 4);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 0);
}

static void *
pass_with_permit(void *unused)
{
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER));
    come_and_go();
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    return unused;
}

TEST(of_many_who_want_a_permit_as_many_are_inside_as_there_are_and_all_get_in)
{
    begin(4);
    bunch(pass_with_permit);
    ASSERT_EQ(most, 4);
    ASSERT_EQ(fern_semaphore_count(&semaphore), 4);
}

static void *
take_one(void *unused)
{
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_FOREVER));
    inside++;
    return unused;
}

TEST(who_waits_for_a_permit_gets_in_as_permits_come_and_no_sooner)
{
    fern_greenlet *gs[MANY];
    begin(3);
    for (int i = 0; i < MANY; i++)
        gs[i] = fern_spawn(take_one, NULL);
    ASSERT_OK(fern_sleep(FERN_MS));
    ASSERT_EQ(inside, 3);
    for (int given = 3; given < MANY;) {
        int n = given == 3 ? 4 : 1; /* several at once, too */
        ASSERT_OK(fern_semaphore_release(&semaphore, n));
        given += n;
        ASSERT_OK(fern_sleep(FERN_MS));
        ASSERT_EQ(inside, given);
    }
    for (int i = 0; i < MANY; i++)
        FINISH(gs[i]);
    ASSERT_EQ(fern_semaphore_waiting(&semaphore), 0);
}

TEST(a_semaphore_without_a_limit_takes_more_permits_than_it_began_with)
{
    begin(1);
    ASSERT_OK(fern_semaphore_release(&semaphore, 1));
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
    ASSERT_OK(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT));
    ASSERT_ERR(fern_semaphore_acquire(&semaphore, 1, FERN_NOWAIT), -EAGAIN);
}

/* ---- barriers ---- */

static fern_barrier barrier;

static void *
meet_often(void *unused)
{
    for (int i = 0; i < 10; i++) {
        inside++;
        ASSERT_OK(fern_barrier_wait(&barrier, FERN_FOREVER));
        ASSERT_EQ(inside % MANY, 0); /* all came, and nobody has gone on to the next */
        ASSERT_OK(fern_barrier_wait(&barrier, FERN_FOREVER));
    }
    return unused;
}

TEST(all_meet_at_a_barrier_ten_times_and_nobody_runs_ahead)
{
    ASSERT_OK(fern_barrier_init(&barrier, MANY, NULL, NULL));
    bunch(meet_often);
    ASSERT_EQ(inside, 10 * MANY);
    ASSERT_EQ(fern_barrier_waiting(&barrier), 0);
    ASSERT_FALSE(fern_barrier_broken(&barrier));
    ASSERT_OK(fern_barrier_fini(&barrier));
}

static void *
meet_once(void *number)
{
    if (number == NULL) {
        ASSERT_OK(fern_sleep(FERN_MS)); /* the others wait */
        ASSERT_OK(fern_barrier_abort(&barrier));
        return NULL;
    }
    late += fern_barrier_wait(&barrier, FERN_FOREVER) == -ESHUTDOWN;
    return NULL;
}

TEST(after_an_abort_and_a_reset_all_meet_again)
{
    ASSERT_OK(fern_barrier_init(&barrier, MANY, NULL, NULL));
    bunch(meet_once);
    ASSERT_EQ(late, MANY - 1);
    ASSERT_TRUE(fern_barrier_broken(&barrier));
    ASSERT_OK(fern_barrier_reset(&barrier));
    ASSERT_FALSE(fern_barrier_broken(&barrier));
    bunch(meet_often);
    ASSERT_EQ(inside, 10 * MANY);
    ASSERT_OK(fern_barrier_fini(&barrier));
}

TEST(a_barrier_for_one_lets_it_through_at_once)
{
    ASSERT_OK(fern_barrier_init(&barrier, 1, NULL, NULL));
    ASSERT_EQ(fern_barrier_wait(&barrier, FERN_FOREVER), 0);
    ASSERT_EQ(fern_barrier_wait(&barrier, FERN_NOWAIT), 0);
    ASSERT_OK(fern_barrier_fini(&barrier));
}
