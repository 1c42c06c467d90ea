/* SPDX-License-Identifier: MIT */
/* Locks for readers and writers: first come, first served, readers together. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_rwlock lock;

static void *
read_for_a_while(void *word)
{
    ASSERT_OK(fern_rwlock_read(&lock, FERN_FOREVER));
    trace("+%s", (const char *)word);
    ASSERT_OK(fern_yield());
    trace("-%s", (const char *)word);
    ASSERT_OK(fern_rwlock_unlock(&lock));
    return NULL;
}

static void *
write_for_a_while(void *word)
{
    ASSERT_OK(fern_rwlock_write(&lock, FERN_FOREVER));
    trace("+%s", (const char *)word);
    ASSERT_OK(fern_yield());
    trace("-%s", (const char *)word);
    ASSERT_OK(fern_rwlock_unlock(&lock));
    return NULL;
}

TEST(readers_share_a_writer_is_alone_and_all_are_served_in_order_of_arrival)
{
    fern_greenlet *gs[] = {
            fern_spawn(read_for_a_while, "r1"),
            fern_spawn(read_for_a_while, "r2"),
            fern_spawn(write_for_a_while, "w1"),
            fern_spawn(read_for_a_while, "r3"),
            fern_spawn(read_for_a_while, "r4"),
            fern_spawn(write_for_a_while, "w2"),
    };
    for (int i = 0; i < 6; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "+r1 +r2 -r1 -r2 +w1 -w1 +r3 +r4 -r3 -r4 +w2 -w2");
    ASSERT_OK(fern_rwlock_fini(&lock));
}

static void *
write_until(void *ret_code)
{
    *(int *)ret_code = fern_rwlock_write(&lock, fern_in(FERN_MS));
    return NULL;
}

TEST(when_a_writer_gives_up_the_readers_behind_it_are_let_in)
{
    int code = 1;
    ASSERT_OK(fern_rwlock_read(&lock, FERN_FOREVER));
    fern_greenlet *writer = fern_spawn(write_until, &code);
    fern_greenlet *reader = fern_spawn(read_for_a_while, "r");
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, ""); /* it does not pass the writer */
    ASSERT_ERR(fern_rwlock_read(&lock, FERN_NOWAIT), -EAGAIN);
    FINISH(writer);
    ASSERT_EQ(code, -ETIME);
    FINISH(reader);
    ASSERT_STR_EQ(trace_text, "+r -r");
    ASSERT_OK(fern_rwlock_unlock(&lock));
    ASSERT_OK(fern_rwlock_write(&lock, FERN_NOWAIT));
    ASSERT_OK(fern_rwlock_unlock(&lock));
}

static void *
write_and_tell(void *ret_code)
{
    *(int *)ret_code = fern_rwlock_write(&lock, FERN_FOREVER);
    return NULL;
}

TEST(a_waiter_that_is_killed_leaves_the_lock_to_the_next)
{
    int code = 1;
    ASSERT_OK(fern_rwlock_write(&lock, FERN_FOREVER));
    fern_greenlet *killed = fern_spawn(write_and_tell, &code);
    fern_greenlet *next = fern_spawn(read_for_a_while, "r");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(killed, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_rwlock_unlock(&lock));
    FINISH(next);
    ASSERT_OK(fern_join(killed, FERN_FOREVER));
    ASSERT_EQ(code, -ECANCELED);
    ASSERT_STR_EQ(trace_text, "+r -r");
    fern_greenlet_unref(killed);
}

static void *
use_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_rwlock_read(&lock, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_rwlock_write(&lock, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_rwlock_unlock(&lock), -EXDEV);
    ASSERT_ERR(fern_rwlock_fini(&lock), -EXDEV);
    return unused;
}

static void *
unlock_anothers(void *unused)
{
    ASSERT_ERR(fern_rwlock_unlock(&lock), -EPERM);
    return unused;
}

TEST(misuse_of_a_rwlock_answers_with_its_code)
{
    pthread_t thread;
    ASSERT_ERR(fern_rwlock_read(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_rwlock_write(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_rwlock_unlock(NULL), -EINVAL);
    ASSERT_ERR(fern_rwlock_fini(NULL), -EINVAL);
    ASSERT_ERR(fern_rwlock_unlock(&lock), -EPERM);
    ASSERT_OK(fern_rwlock_write(&lock, FERN_FOREVER));
    ASSERT_ERR(fern_rwlock_write(&lock, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_rwlock_read(&lock, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_rwlock_read(&lock, FERN_NOWAIT), -EAGAIN);
    FINISH(fern_spawn(unlock_anothers, NULL));
    ASSERT_ERR(fern_rwlock_fini(&lock), -EBUSY);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_rwlock_unlock(&lock));
    ASSERT_OK(fern_rwlock_read(&lock, FERN_FOREVER));
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_rwlock_write(&lock, FERN_FOREVER),
                -EDEADLK); /* nobody else is there */
}

/* ---- who only tries ---- */

TEST(who_only_tries_comes_behind_readers_whom_a_writer_that_gave_up_has_kept_waiting)
{
    int code = 1;
    ASSERT_OK(fern_rwlock_read(&lock, FERN_FOREVER));
    fern_greenlet *writer = fern_spawn(write_and_tell, &code);
    fern_greenlet *reader = fern_spawn(read_for_a_while, "r");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_rwlock_read(&lock, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_kill(writer, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_rwlock_read(&lock, FERN_NOWAIT)); /* the writer has not run yet */
    ASSERT_OK(fern_rwlock_unlock(&lock));
    ASSERT_OK(fern_rwlock_unlock(&lock));
    FINISH(writer);
    FINISH(reader);
    ASSERT_EQ(code, -ECANCELED);
    ASSERT_OK(fern_rwlock_fini(&lock));
}

/* ---- what has ended its hub ---- */

static fern_rwlock left[2];

static void *
write_and_end(void *lock_of_its)
{
    ASSERT_OK(fern_rwlock_write(lock_of_its, FERN_FOREVER));
    return NULL;
}

static void *
take_along(void *unused)
{
    FINISH(fern_spawn(write_and_end, &left[0]));
    ASSERT_OK(fern_rwlock_read(&left[1], FERN_FOREVER));
    ASSERT_ERR(fern_rwlock_fini(&left[1]), -EBUSY);
    return unused;
}

TEST(a_lock_that_was_held_when_its_hub_ended_is_anybodys_to_end)
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, take_along, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(fern_rwlock_fini(&left[i]));
        ASSERT_OK(fern_rwlock_write(&left[i], FERN_FOREVER));
        ASSERT_OK(fern_rwlock_unlock(&left[i]));
        ASSERT_OK(fern_rwlock_fini(&left[i]));
    }
}

TEST(a_lock_whose_writer_has_ended_can_be_ended_and_begun_again)
{
    FINISH(fern_spawn(write_and_end, &left[0]));
    ASSERT_ERR(fern_rwlock_read(&left[0], FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_rwlock_fini(&left[0]));
    ASSERT_OK(fern_rwlock_read(&left[0], FERN_NOWAIT));
    ASSERT_OK(fern_rwlock_unlock(&left[0]));
    ASSERT_OK(fern_rwlock_fini(&left[0]));
}
