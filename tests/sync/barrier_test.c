/* SPDX-License-Identifier: MIT */
/* Barriers: meeting, meeting again, and what breaks a meeting. */

#include "harness.h"

#include <errno.h>
#include <pthread.h>

#include "trace.h"

static fern_barrier barrier = FERN_BARRIER_INIT(3);

static void *
meet(void *word)
{
    trace("%s:%d", (const char *)word, fern_barrier_wait(&barrier, FERN_FOREVER));
    return NULL;
}

static void
spawn_some(fern_greenlet **gs, int n)
{
    static char *words[] = {"a", "b", "c", "d", "e", "f"};
    for (int i = 0; i < n; i++)
        gs[i] = fern_spawn(meet, words[i]);
    ASSERT_OK(fern_yield());
}

static void
finish_all(fern_greenlet **gs, int n)
{
    for (int i = 0; i < n; i++)
        FINISH(gs[i]);
}

TEST(all_go_on_when_the_last_has_arrived_and_each_gets_its_number)
{
    fern_greenlet *gs[6];
    spawn_some(gs, 2);
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_EQ(fern_barrier_waiting(&barrier), 2);
    ASSERT_EQ(fern_barrier_wait(&barrier, FERN_NOWAIT), 2); /* the last need not wait */
    finish_all(gs, 2);
    ASSERT_STR_EQ(trace_text, "a:0 b:1");
    spawn_some(gs, 6); /* it can be used again, twice in one go */
    finish_all(gs, 6);
    ASSERT_STR_EQ(trace_text, "a:0 b:1 c:2 f:2 a:0 b:1 d:0 e:1");
    ASSERT_EQ(fern_barrier_waiting(&barrier), 0);
    ASSERT_OK(fern_barrier_fini(&barrier));
}

TEST(one_that_times_out_breaks_it_for_all)
{
    fern_greenlet *gs[2];
    spawn_some(gs, 1);
    ASSERT_ERR(fern_barrier_wait(&barrier, fern_in(FERN_MS)), -ETIME);
    ASSERT_TRUE(fern_barrier_broken(&barrier));
    FINISH(gs[0]);
    ASSERT_STR_EQ(trace_text, "a:-108");
    ASSERT_ERR(fern_barrier_wait(&barrier, FERN_FOREVER), -ESHUTDOWN);
    ASSERT_OK(fern_barrier_reset(&barrier));
    ASSERT_FALSE(fern_barrier_broken(&barrier));
    spawn_some(gs, 2);
    ASSERT_EQ(fern_barrier_wait(&barrier, FERN_FOREVER), 2);
    finish_all(gs, 2);
}

TEST(one_that_is_killed_only_leaves_and_its_place_is_free_again)
{
    fern_greenlet *gs[2];
    spawn_some(gs, 2);
    ASSERT_OK(fern_kill(gs[0], 0, FERN_FOREVER));
    fern_greenlet_unref(gs[0]);
    ASSERT_FALSE(fern_barrier_broken(&barrier));
    ASSERT_EQ(fern_barrier_waiting(&barrier), 1);
    ASSERT_ERR(fern_barrier_wait(&barrier, FERN_NOWAIT), -EAGAIN);
    fern_greenlet *c = fern_spawn(meet, "c");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_barrier_wait(&barrier, FERN_FOREVER), 2);
    FINISH(gs[1]);
    FINISH(c);
    ASSERT_STR_EQ(trace_text, "a:-125 b:0 c:1");
}

TEST(an_abort_sends_everybody_away_until_it_is_reset)
{
    fern_greenlet *gs[2];
    spawn_some(gs, 2);
    ASSERT_ERR(fern_barrier_fini(&barrier), -EBUSY);
    ASSERT_OK(fern_barrier_abort(&barrier));
    finish_all(gs, 2);
    ASSERT_STR_EQ(trace_text, "a:-108 b:-108");
    ASSERT_ERR(fern_barrier_wait(&barrier, FERN_FOREVER), -ESHUTDOWN);
    ASSERT_TRUE(fern_barrier_broken(&barrier));
}

TEST(a_reset_sends_those_that_wait_away_and_begins_anew)
{
    fern_greenlet *gs[3];
    spawn_some(gs, 2);
    ASSERT_OK(fern_barrier_reset(&barrier));
    ASSERT_FALSE(fern_barrier_broken(&barrier));
    finish_all(gs, 2);
    spawn_some(gs, 3);
    finish_all(gs, 3);
    ASSERT_STR_EQ(trace_text, "a:-108 b:-108 c:2 a:0 b:1");
}

TEST(a_reset_while_those_let_through_drain_does_not_touch_them)
{
    fern_greenlet *gs[2];
    spawn_some(gs, 2);
    ASSERT_EQ(fern_barrier_wait(&barrier, FERN_FOREVER), 2); /* they have not run yet */
    fern_greenlet *early = fern_spawn(meet, "early");
    ASSERT_OK(fern_barrier_reset(&barrier));
    finish_all(gs, 2);
    ASSERT_STR_EQ(trace_text, "a:0 b:1");
    ASSERT_EQ(fern_barrier_waiting(&barrier), 1); /* of the next meeting */
    ASSERT_OK(fern_barrier_reset(&barrier));
    FINISH(early);
    ASSERT_STR_EQ(trace_text, "a:0 b:1 early:-108");
}

/* ---- actions ---- */

static int
act_slowly(void *code)
{
    trace("act");
    ASSERT_ERR(fern_barrier_wait(&barrier, FERN_FOREVER), -EDEADLK);
    ASSERT_OK(fern_sleep(FERN_MS));
    trace("acted");
    return *(int *)code;
}

TEST(the_action_is_run_by_the_last_before_any_goes_on_and_later_ones_wait_for_the_next)
{
    int code = 0;
    fern_greenlet *gs[6];
    ASSERT_OK(fern_barrier_init(&barrier, 3, act_slowly, &code));
    spawn_some(gs, 5); /* d and e come while c acts */
    ASSERT_STR_EQ(trace_text, "act");
    ASSERT_ERR(fern_barrier_wait(&barrier, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_barrier_fini(&barrier), -EBUSY);
    for (int i = 0; i < 3; i++)
        FINISH(gs[i]);
    ASSERT_STR_EQ(trace_text, "act acted c:2 a:0 b:1");
    ASSERT_EQ(fern_barrier_wait(&barrier, FERN_FOREVER), 2);
    FINISH(gs[3]);
    FINISH(gs[4]);
    ASSERT_STR_EQ(trace_text, "act acted c:2 a:0 b:1 act acted d:0 e:1");
}

TEST(an_action_that_fails_breaks_it_and_only_the_last_gets_its_code)
{
    int code = -EIO;
    fern_greenlet *gs[2];
    ASSERT_OK(fern_barrier_init(&barrier, 3, act_slowly, &code));
    spawn_some(gs, 2);
    ASSERT_ERR(fern_barrier_wait(&barrier, FERN_FOREVER), -EIO);
    finish_all(gs, 2);
    ASSERT_STR_EQ(trace_text, "act acted a:-108 b:-108");
    ASSERT_TRUE(fern_barrier_broken(&barrier));
}

static int
act_and_exit(void *unused)
{
    fern_exit(unused);
}

static void *
arrive_and_vanish(void *unused)
{
    ASSERT_OK(fern_barrier_wait(&barrier, FERN_FOREVER));
    return unused;
}

TEST(an_action_that_exits_breaks_it_for_the_others)
{
    fern_greenlet *gs[2];
    ASSERT_OK(fern_barrier_init(&barrier, 3, act_and_exit, NULL));
    spawn_some(gs, 2);
    FINISH(fern_spawn(arrive_and_vanish, NULL));
    finish_all(gs, 2);
    ASSERT_STR_EQ(trace_text, "a:-108 b:-108");
    ASSERT_TRUE(fern_barrier_broken(&barrier));
}

TEST(an_abort_or_a_reset_while_the_action_runs_sends_them_away)
{
    int code = 0;
    fern_greenlet *gs[4];
    ASSERT_OK(fern_barrier_init(&barrier, 3, act_slowly, &code));
    spawn_some(gs, 4);
    ASSERT_OK(fern_barrier_abort(&barrier));
    finish_all(gs, 4);
    ASSERT_STR_EQ(trace_text, "act a:-108 b:-108 acted c:-108 d:-108");
    ASSERT_OK(fern_barrier_reset(&barrier));
    spawn_some(gs, 3);
    ASSERT_OK(fern_barrier_reset(&barrier));
    finish_all(gs, 3);
    ASSERT_FALSE(fern_barrier_broken(&barrier));
}

/* ---- misuse ---- */

static void *
use_from_elsewhere(void *unused)
{
    ASSERT_ERR(fern_barrier_wait(&barrier, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_barrier_reset(&barrier), -EXDEV);
    ASSERT_ERR(fern_barrier_abort(&barrier), -EXDEV);
    ASSERT_ERR(fern_barrier_fini(&barrier), -EXDEV);
    return unused;
}

TEST(misuse_of_a_barrier_answers_with_its_code)
{
    pthread_t thread;
    fern_barrier nobodys = FERN_BARRIER_INIT(0);
    ASSERT_ERR(fern_barrier_init(NULL, 1, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_barrier_init(&barrier, 0, NULL, NULL), -EINVAL);
    ASSERT_ERR(fern_barrier_wait(&nobodys, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_barrier_wait(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_barrier_reset(NULL), -EINVAL);
    ASSERT_ERR(fern_barrier_abort(NULL), -EINVAL);
    ASSERT_ERR(fern_barrier_fini(NULL), -EINVAL);
    ASSERT_FALSE(fern_barrier_broken(NULL));
    ASSERT_EQ(fern_barrier_waiting(NULL), 0);
    ASSERT_ERR(fern_barrier_wait(&barrier, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    if (harness_other_threads() == 0)
        ASSERT_ERR(fern_barrier_wait(&barrier, FERN_FOREVER), -EDEADLK);
}
