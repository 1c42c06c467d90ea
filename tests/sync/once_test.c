/* SPDX-License-Identifier: MIT */
/* Wait groups, and what is done once. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_waitgroup group;
static fern_once once;

/* ---- wait groups ---- */

static void *
work(void *word)
{
    ASSERT_OK(fern_sleep(FERN_MS));
    say(word);
    ASSERT_OK(fern_waitgroup_done(&group));
    return NULL;
}

static void *
wait_for_all(void *word)
{
    ASSERT_OK(fern_waitgroup_wait(&group, FERN_FOREVER));
    return say(word);
}

TEST(a_wait_ends_when_as_many_are_done_as_were_added)
{
    ASSERT_OK(fern_waitgroup_wait(&group, FERN_NOWAIT));
    ASSERT_OK(fern_waitgroup_add(&group, 2));
    ASSERT_ERR(fern_waitgroup_wait(&group, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_waitgroup_wait(&group, soon(FERN_US)), -ETIME);
    fern_greenlet *gs[] = {fern_spawn(work, "a"), fern_spawn(work, "b"),
            fern_spawn(wait_for_all, "first")};
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_waitgroup_fini(&group), -EBUSY);
    ASSERT_OK(fern_waitgroup_wait(&group, FERN_FOREVER));
    say("main");
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "a b first main");
    ASSERT_OK(fern_waitgroup_fini(&group));
}

TEST(a_count_that_would_be_negative_is_refused)
{
    ASSERT_ERR(fern_waitgroup_done(&group), -EOVERFLOW);
    ASSERT_OK(fern_waitgroup_add(&group, 2));
    ASSERT_ERR(fern_waitgroup_add(&group, -3), -EOVERFLOW);
    ASSERT_ERR(fern_waitgroup_add(&group, INT64_MAX), -EOVERFLOW);
    ASSERT_OK(fern_waitgroup_add(&group, -2));
    ASSERT_OK(fern_waitgroup_wait(&group, FERN_NOWAIT));
}

static void *
use_group_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_waitgroup_add(&group, 1), -EXDEV);
    ASSERT_ERR(fern_waitgroup_wait(&group, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_waitgroup_fini(&group), -EXDEV);
    return unused;
}

TEST(misuse_of_a_wait_group_answers_with_its_code)
{
    pthread_t thread;
    ASSERT_ERR(fern_waitgroup_add(NULL, 1), -EINVAL);
    ASSERT_ERR(fern_waitgroup_done(NULL), -EINVAL);
    ASSERT_ERR(fern_waitgroup_wait(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_waitgroup_fini(NULL), -EINVAL);
    ASSERT_OK(fern_waitgroup_wait(&group, FERN_FOREVER));
    ASSERT_EQ(pthread_create(&thread, NULL, use_group_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_OK(fern_waitgroup_add(&group, 1));
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_waitgroup_wait(&group, FERN_FOREVER), -EDEADLK);
}

/* ---- once ---- */

static int fails_left;

static int
act(void *unused)
{
    (void)unused;
    trace("act");
    ASSERT_FALSE(fern_once_ready(&once));
    ASSERT_ERR(fern_once_do(&once, act, NULL, FERN_FOREVER), -EDEADLK);
    int r = fern_sleep(FERN_MS);
    return r < 0 ? r : fails_left-- > 0 ? -EIO : 0;
}

static void *
have_it_done(void *word)
{
    trace("%s:%d", (const char *)word, fern_once_do(&once, act, NULL, FERN_FOREVER));
    return NULL;
}

TEST(the_first_does_it_and_the_others_wait_until_it_is_done)
{
    fern_greenlet *a = fern_spawn(have_it_done, "a"), *b = fern_spawn(have_it_done, "b");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_once_do(&once, act, NULL, FERN_NOWAIT), -EAGAIN);
    FINISH(a);
    FINISH(b);
    ASSERT_OK(fern_once_do(&once, act, NULL, FERN_NOWAIT));
    ASSERT_TRUE(fern_once_ready(&once));
    ASSERT_STR_EQ(trace_text, "act a:0 b:0");
}

TEST(who_fails_gets_the_error_and_the_next_tries_again)
{
    fails_left = 1;
    fern_greenlet *gs[] = {fern_spawn(have_it_done, "a"), fern_spawn(have_it_done, "b"),
            fern_spawn(have_it_done, "c")};
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "act a:-5 act b:0 c:0");
}

TEST(after_a_failure_that_nobody_waited_for_the_next_caller_tries_again)
{
    fails_left = 1;
    ASSERT_ERR(fern_once_do(&once, act, NULL, FERN_FOREVER), -EIO);
    ASSERT_FALSE(fern_once_ready(&once));
    ASSERT_OK(fern_once_do(&once, act, NULL, FERN_FOREVER));
}

TEST(one_that_is_killed_at_it_leaves_it_to_the_next)
{
    fern_greenlet *a = fern_spawn(have_it_done, "a"), *b = fern_spawn(have_it_done, "b");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(a, 0, FERN_FOREVER));
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "act a:-125 act b:0");
    fern_greenlet_unref(a);
}

static int
act_and_exit(void *unused)
{
    trace("exit");
    ASSERT_OK(fern_sleep(FERN_MS));
    fern_exit(unused);
}

static void *
have_it_begun(void *unused)
{
    ASSERT_OK(fern_once_do(&once, act_and_exit, NULL, FERN_FOREVER)); /* does not return */
    return unused;
}

TEST(one_that_exits_at_it_leaves_it_to_the_next)
{
    fern_greenlet *a = fern_spawn(have_it_begun, NULL), *b = fern_spawn(have_it_done, "b");
    FINISH(a);
    FINISH(b);
    ASSERT_STR_EQ(trace_text, "exit act b:0");
}

static void *
use_once_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_once_do(&once, act, NULL, FERN_FOREVER), -EXDEV);
    return unused;
}

TEST(misuse_of_once_answers_with_its_code)
{
    pthread_t thread;
    ASSERT_ERR(fern_once_do(NULL, act, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_once_do(&once, NULL, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_FALSE(fern_once_ready(NULL));
    ASSERT_OK(fern_once_do(&once, act, NULL, FERN_FOREVER));
    ASSERT_EQ(pthread_create(&thread, NULL, use_once_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}
