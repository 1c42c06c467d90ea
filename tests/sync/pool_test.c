/* SPDX-License-Identifier: MIT */
/* Groups and pools: who is in, who gets in, and who waits for them. */

#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "trace.h"

static fern_pool *pool;

static void *
doze(void *ms)
{
    ASSERT_OK(fern_sleep((intptr_t)ms * FERN_MS));
    return ms;
}

static void *
fail(void *code)
{
    return fern_fail((int)(intptr_t)code, "as told");
}

static void *
spawn_one(void *word)
{
    ASSERT_OK(fern_pool_go(pool, say, word, FERN_FOREVER));
    trace("%s-in", (char *)word);
    return NULL;
}

static void *
join_pool(void *word)
{
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    trace("%s", (char *)word);
    return NULL;
}

static void
end_pool(void)
{
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    ASSERT_EQ(fern_pool_running(pool), 0);
    ASSERT_OK(fern_pool_free(pool));
}

/* ---- groups ---- */

TEST(a_group_knows_who_is_in_it_until_they_end)
{
    fern_greenlet *members[4];
    pool = fern_group_new();
    fern_greenlet *a = fern_spawn(doze, (void *)2),
                  *b = fern_pool_spawn(pool, doze, (void *)1, FERN_FOREVER);
    ASSERT_FALSE(fern_pool_contains(pool, a));
    ASSERT_OK(fern_pool_add(pool, a, FERN_FOREVER));
    ASSERT_ERR(fern_pool_add(pool, a, FERN_FOREVER), -EALREADY);
    ASSERT_TRUE(fern_pool_contains(pool, a));
    ASSERT_EQ(fern_pool_running(pool), 2);
    ASSERT_EQ(fern_pool_members(pool, members, 4), 2);
    ASSERT_TRUE(members[0] == b && members[1] == a);
    ASSERT_EQ(fern_pool_members(pool, NULL, 0), 2);
    FINISH(b);
    ASSERT_EQ(fern_pool_running(pool), 1);
    ASSERT_OK(fern_pool_discard(pool, a));
    ASSERT_ERR(fern_pool_discard(pool, a), -ESRCH);
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    ASSERT_FALSE(fern_ready(a));
    ASSERT_OK(fern_join(a, FERN_FOREVER));
    ASSERT_OK(fern_pool_add(pool, a, FERN_FOREVER)); /* it has ended */
    ASSERT_EQ(fern_pool_running(pool), 0);
    fern_greenlet_unref(a);
    end_pool();
}

static void *
look_at_group(void *unused)
{
    ASSERT_EQ(fern_pool_running(pool), 0);
    return unused;
}

static void *
join_and_look(void *g)
{
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    return look_at_group(NULL);
}

TEST(a_member_has_left_before_anybody_who_waits_for_its_end_runs)
{
    pool = fern_group_new();
    fern_greenlet *g = fern_spawn(doze, (void *)1), *first = fern_spawn(join_and_look, g);
    ASSERT_OK(fern_yield()); /* it waits before the group knows of it */
    ASSERT_OK(fern_pool_add(pool, g, FERN_FOREVER));
    FINISH(first);
    FINISH(g);
    end_pool();
}

static void *
respawn(void *unused)
{
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    ASSERT_OK(fern_pool_go(pool, doze, (void *)5, FERN_FOREVER));
    return unused;
}

TEST(joining_a_group_ends_when_it_was_empty_once)
{
    pool = fern_group_new();
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    ASSERT_OK(fern_pool_go(pool, doze, (void *)1, FERN_FOREVER));
    ASSERT_ERR(fern_pool_join(pool, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_pool_join(pool, fern_in(FERN_US)), -ETIME);
    fern_greenlet *g = fern_spawn(respawn, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    ASSERT_EQ(fern_pool_running(pool), 1); /* another one, which came before us */
    FINISH(g);
    end_pool();
}

static void *
spawn_when_killed(void *unused)
{
    (void)fern_sleep(FERN_HOUR);
    (void)fern_go(spawn_one, "late"); /* for someone who was not killed */
    return unused;
}

static void *
outlive(void *unused)
{
    FERN_SHIELD (shield)
        ASSERT_OK(fern_sleep(3 * FERN_MS));
    return unused;
}

TEST(killing_a_group_kills_those_too_who_come_in_meanwhile)
{
    pool = fern_group_new();
    ASSERT_OK(fern_pool_go(pool, spawn_when_killed, NULL, FERN_FOREVER));
    ASSERT_OK(fern_pool_go(pool, outlive, NULL, FERN_FOREVER));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_pool_go(pool, say, "unrun", FERN_FOREVER));
    ASSERT_ERR(fern_pool_kill(pool, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_pool_kill(pool, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "late-in");
    ASSERT_EQ(fern_pool_running(pool), 0);
    ASSERT_OK(fern_pool_go(pool, say, "after", FERN_FOREVER));
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "late-in after");
    end_pool();
}

static void *
kill_all(void *unused)
{
    ASSERT_ERR(fern_pool_kill(pool, 9, FERN_FOREVER), -ECANCELED);
    ASSERT_ERR(fern_sleep(1), -ECANCELED);
    return unused;
}

TEST(a_member_that_kills_its_group_is_killed_with_it)
{
    fern_outcome outcome;
    pool = fern_group_new();
    fern_greenlet *other = fern_pool_spawn(pool, spawn_when_killed, NULL, FERN_FOREVER);
    fern_greenlet *g = fern_pool_spawn(pool, kill_all, NULL, FERN_FOREVER);
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 9);
    ASSERT_OK(fern_get(other, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 9);
    fern_greenlet_unref(g);
    fern_greenlet_unref(other);
    ASSERT_OK(fern_yield());
    end_pool();
}

static void *
sleep_long(void *unused)
{
    (void)fern_sleep(FERN_HOUR);
    return unused;
}

TEST(one_member_can_be_killed_and_a_stranger_not)
{
    pool = fern_group_new();
    fern_greenlet *a = fern_pool_spawn(pool, sleep_long, NULL, FERN_FOREVER);
    fern_greenlet *b = fern_pool_spawn(pool, doze, (void *)1, FERN_FOREVER);
    fern_greenlet *c = fern_spawn(doze, (void *)1);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_pool_kill_one(pool, a, 0, FERN_FOREVER));
    ASSERT_ERR(fern_pool_kill_one(pool, c, 0, FERN_FOREVER), -ESRCH);
    ASSERT_EQ(fern_pool_running(pool), 1);
    FINISH(a);
    FINISH(b);
    FINISH(c);
    end_pool();
}

TEST(a_group_keeps_the_first_failure_until_it_is_asked_for)
{
    FERN_SPAWN_OPTIONS(options);
    fern_outcome outcome;
    options.quiet = true;
    options.detached = true;
    pool = fern_group_new();
    ASSERT_NULL(fern_pool_failed(pool));
    for (intptr_t code = 7; code < 9; code++)
        ASSERT_NOT_NULL(fern_pool_spawn_at(
                pool, fail, (void *)code, &options, FERN_SITE, FERN_FOREVER));
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    fern_greenlet *g = fern_pool_failed(pool);
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    ASSERT_EQ(outcome.code, 7);
    ASSERT_STR_EQ(outcome.message, "as told");
    fern_greenlet_unref(g);
    ASSERT_NULL(fern_pool_failed(pool));
    end_pool();
}

TEST(adding_does_not_start_and_starting_adds)
{
    FERN_SPAWN_OPTIONS(options);
    options.unstarted = true;
    pool = fern_group_new();
    fern_greenlet *a = fern_spawn_with(say, "a", &options);
    fern_greenlet *b = fern_spawn_with(say, "b", &options);
    ASSERT_OK(fern_pool_add(pool, a, FERN_FOREVER));
    ASSERT_OK(fern_pool_start(pool, b, FERN_FOREVER));
    ASSERT_OK(fern_pool_start(pool, NULL, FERN_FOREVER));
    ASSERT_ERR(fern_pool_join(pool, fern_in(FERN_MS)), -ETIME);
    ASSERT_STR_EQ(trace_text, "b");
    ASSERT_OK(fern_start(a));
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "b a");
    fern_greenlet_unref(a);
    fern_greenlet_unref(b);
    end_pool();
}

TEST(members_of_a_freed_group_run_on)
{
    pool = fern_group_new();
    fern_greenlet *g = fern_pool_spawn(pool, say, "on", FERN_FOREVER);
    ASSERT_OK(fern_pool_free(pool));
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "on");
}

/* ---- pools ---- */

static int running_now, running_most;

static void *
count_running(void *unused)
{
    running_now++;
    if (running_most < running_now)
        running_most = running_now;
    ASSERT_OK(fern_sleep(FERN_MS));
    running_now--;
    return unused;
}

TEST(a_pool_runs_no_more_than_its_size_at_once)
{
    pool = fern_pool_new(3);
    for (int i = 0; i < 10; i++)
        ASSERT_OK(fern_pool_go(pool, count_running, NULL, FERN_FOREVER));
    end_pool();
    ASSERT_EQ(running_most, 3);
}

TEST(who_waits_for_a_slot_is_served_in_order_of_arrival)
{
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, doze, (void *)1, FERN_FOREVER));
    ASSERT_ERR(fern_pool_go(pool, say, "not", FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_pool_go(pool, say, "not", fern_in(FERN_US)), -ETIME);
    char *words[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_go(spawn_one, words[i]));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_pool_waiting(pool), 3);
    ASSERT_EQ(fern_pool_available(pool), 0);
    end_pool();
    ASSERT_STR_EQ(trace_text, "a-in a b-in b c-in c");
}

static void *
spawn_and_be_killed(void *unused)
{
    ASSERT_ERR(fern_pool_go(pool, say, "never", FERN_FOREVER), -ECANCELED);
    return unused;
}

TEST(a_spawner_that_is_killed_while_it_waits_costs_no_slot)
{
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, doze, (void *)1, FERN_FOREVER));
    fern_greenlet *g = fern_spawn(spawn_and_be_killed, NULL);
    ASSERT_OK(fern_go(spawn_one, "b"));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    fern_greenlet_unref(g);
    end_pool();
    ASSERT_STR_EQ(trace_text, "b-in b");
}

TEST(a_pool_of_size_zero_lets_nobody_in_until_it_grows)
{
    pool = fern_pool_new(0);
    ASSERT_TRUE(fern_pool_full(pool));
    ASSERT_ERR(fern_pool_go(pool, say, "a", fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_pool_wait_available(pool, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_pool_wait_available(pool, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_go(spawn_one, "b"));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_pool_join(pool, FERN_NOWAIT));
    ASSERT_ERR(fern_pool_wait_all(pool, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_pool_resize(pool, 1));
    end_pool();
    ASSERT_STR_EQ(trace_text, "b-in b");
}

static void *
add_with_deadline(void *g)
{
    ASSERT_ERR(fern_pool_add(pool, g, fern_in(FERN_MS)), -ETIME);
    ASSERT_ERR(fern_pool_start(pool, g, fern_in(FERN_MS)), -ETIME);
    return NULL;
}

TEST(adding_to_a_full_pool_waits_or_says_that_it_is_full)
{
    pool = fern_pool_new(1);
    fern_greenlet *g = fern_spawn(doze, (void *)9);
    ASSERT_OK(fern_pool_go(pool, doze, (void *)4, FERN_FOREVER));
    ASSERT_ERR(fern_pool_add(pool, g, FERN_NOWAIT), -EAGAIN);
    FINISH(fern_spawn(add_with_deadline, g));
    ASSERT_OK(fern_pool_add(pool, g, FERN_FOREVER));
    ASSERT_TRUE(fern_pool_contains(pool, g));
    fern_greenlet_unref(g);
    end_pool();
}

TEST(who_was_to_be_added_and_has_ended_meanwhile_takes_no_slot)
{
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, doze, (void *)3, FERN_FOREVER));
    fern_greenlet *g = fern_spawn(doze, (void *)1);
    ASSERT_OK(fern_pool_add(pool, g, FERN_FOREVER));
    ASSERT_FALSE(fern_pool_contains(pool, g));
    ASSERT_EQ(fern_pool_available(pool), 1);
    fern_greenlet_unref(g);
    end_pool();
}

TEST(waiting_for_a_free_slot_takes_none)
{
    pool = fern_pool_new(2);
    ASSERT_EQ(fern_pool_wait_available(pool, FERN_NOWAIT), 2);
    for (intptr_t i = 1; i < 3; i++)
        ASSERT_OK(fern_pool_go(pool, doze, (void *)i, FERN_FOREVER));
    ASSERT_EQ(fern_pool_wait_available(pool, FERN_FOREVER), 1);
    ASSERT_EQ(fern_pool_available(pool), 1);
    end_pool();
    pool = fern_group_new();
    ASSERT_EQ(fern_pool_wait_available(pool, FERN_NOWAIT), INT_MAX);
    ASSERT_EQ(fern_pool_available(pool), SSIZE_MAX);
    ASSERT_OK(fern_pool_free(pool));
}

TEST(a_pool_that_shrinks_has_less_than_no_slot_free_and_stops_nobody)
{
    pool = fern_pool_new(3);
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_pool_go(pool, doze, (void *)1, FERN_FOREVER));
    ASSERT_OK(fern_pool_resize(pool, 1));
    ASSERT_EQ(fern_pool_available(pool), -2);
    ASSERT_EQ(fern_pool_running(pool), 3);
    ASSERT_EQ(fern_pool_waiting(pool), 0);
    ASSERT_OK(fern_pool_wait_all(pool, FERN_FOREVER));
    ASSERT_EQ(fern_pool_available(pool), 1);
    end_pool();
}

TEST(a_pool_that_grows_lets_in_as_many_as_were_added)
{
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, doze, (void *)9, FERN_FOREVER));
    char *words[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++)
        ASSERT_OK(fern_go(spawn_one, words[i]));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_pool_resize(pool, 3));
    ASSERT_EQ(fern_pool_waiting(pool), 2);
    ASSERT_EQ(fern_pool_running(pool), 3);
    end_pool();
    ASSERT_STR_EQ(trace_text, "a-in b-in a b c-in d-in c d");
}

/* ---- waiting for all ---- */

static void *
wait_for_own_pool(void *unused)
{
    ASSERT_ERR(fern_pool_wait_all(pool, FERN_FOREVER), -EDEADLK);
    ASSERT_ERR(fern_pool_join(pool, FERN_FOREVER), -EDEADLK);
    return unused;
}

TEST(a_member_that_waits_for_its_own_pool_is_told_of_the_deadlock)
{
    pool = fern_pool_new(2);
    ASSERT_OK(fern_pool_go(pool, wait_for_own_pool, NULL, FERN_FOREVER));
    end_pool();
}

TEST(waiting_for_all_ends_although_spawners_waited_when_the_pool_drained)
{
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, doze, (void *)1, FERN_FOREVER));
    for (int i = 0; i < 3; i++)
        ASSERT_OK(fern_go(spawn_one, "x"));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_pool_waiting(pool), 3);
    ASSERT_OK(fern_pool_wait_all(pool, fern_in(FERN_SECOND)));
    ASSERT_EQ(fern_pool_running(pool), 0);
    ASSERT_EQ(fern_pool_waiting(pool), 0);
    ASSERT_STR_EQ(trace_text, "x-in x x-in x x-in x");
    end_pool();
}

static void *
spawn_in_vain(void *unused)
{
    ASSERT_ERR(fern_pool_go(pool, say, "never", fern_in(FERN_MS)), -ETIME);
    return unused;
}

TEST(waiting_for_all_ends_when_the_last_spawner_gives_up)
{
    pool = fern_pool_new(0);
    ASSERT_OK(fern_go(spawn_in_vain, NULL));
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_pool_waiting(pool), 1);
    end_pool();
}

/* ---- from inside ---- */

static void *
spawn_inside(void *word)
{
    fern_greenlet *g = fern_pool_spawn(pool, say, word, FERN_FOREVER);
    fern_outcome outcome;
    ASSERT_TRUE(fern_ready(g));
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    trace("got-%s", (char *)outcome.value);
    fern_greenlet_unref(g);
    ASSERT_OK(fern_pool_apply(pool, say, "applied", &outcome, FERN_FOREVER));
    ASSERT_ERR(fern_pool_go(pool, say, "not", FERN_NOWAIT), -EAGAIN);
    return NULL;
}

TEST(a_member_that_spawns_into_its_own_full_pool_runs_it_itself)
{
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, spawn_inside, "in", FERN_FOREVER));
    end_pool();
    ASSERT_STR_EQ(trace_text, "in got-in applied");
}

static void *
fail_inside(void *unused)
{
    FERN_SPAWN_OPTIONS(options);
    fern_outcome outcome;
    options.quiet = true;
    fern_fail(3, "mine");
    fern_greenlet *g =
            fern_pool_spawn_at(pool, fail, (void *)4, &options, FERN_SITE, FERN_FOREVER);
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    ASSERT_EQ(outcome.code, 4);
    ASSERT_STR_EQ(outcome.message, "as told");
    ASSERT_NULL(outcome.value);
    fern_greenlet_unref(g);
    return unused;
}

TEST(what_a_member_runs_itself_fails_by_itself)
{
    FERN_SPAWN_OPTIONS(options);
    fern_outcome outcome;
    options.quiet = true;
    pool = fern_pool_new(1);
    fern_greenlet *g =
            fern_pool_spawn_at(pool, fail_inside, NULL, &options, FERN_SITE, FERN_FOREVER);
    ASSERT_OK(fern_get(g, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 3);
    ASSERT_STR_EQ(outcome.message, "mine");
    fern_greenlet_unref(g);
    end_pool();
}

static int freed;

static void
count_freed(void *arg)
{
    freed += (int)(intptr_t)arg;
}

static void *
spawn_to_be_freed(void *unused)
{
    FERN_SPAWN_OPTIONS(options);
    options.free_arg = count_freed;
    options.detached = true;
    options.name = "inner";
    ASSERT_NOT_NULL(
            fern_pool_spawn_at(pool, doze, (void *)1, &options, FERN_SITE, FERN_FOREVER));
    ASSERT_EQ(freed, 1);
    return unused;
}

TEST(the_argument_of_what_a_member_runs_itself_is_given_back)
{
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, spawn_to_be_freed, NULL, FERN_FOREVER));
    end_pool();
    ASSERT_EQ(freed, 1);
}

/* ---- applying ---- */

TEST(applying_gives_the_outcome_and_not_the_report)
{
    fern_outcome outcome;
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_apply(pool, say, "a", &outcome, FERN_FOREVER));
    ASSERT_STR_EQ((char *)outcome.value, "a");
    ASSERT_OK(fern_pool_apply(pool, fail, (void *)5, &outcome, FERN_FOREVER));
    ASSERT_EQ(outcome.code, 5);
    ASSERT_ERR(fern_pool_apply(pool, doze, (void *)3, &outcome, fern_in(FERN_MS)), -ETIME);
    ASSERT_EQ(fern_pool_running(pool), 1);
    end_pool();
}

static void
applied(fern_greenlet *g, void *word)
{
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    trace("%s-%s", (char *)word, (char *)outcome.value);
}

TEST(applying_without_waiting_never_waits_and_calls_back_on_success_only)
{
    pool = fern_pool_new(1);
    fern_greenlet *gs[4];
    gs[0] = fern_pool_apply_async(pool, doze, (void *)1, NULL, NULL);
    gs[1] = fern_pool_apply_async(pool, say, "a", applied, "done");
    gs[2] = fern_pool_apply_async(pool, say, "killed", applied, "done");
    gs[3] = fern_pool_apply_async(pool, say, "b", applied, "done");
    ASSERT_EQ(fern_pool_waiting(pool), 3);
    ASSERT_EQ(fern_pool_running(pool), 1);
    ASSERT_TRUE(fern_pool_contains(pool, gs[2]));
    ASSERT_ERR(fern_pool_discard(pool, gs[2]), -EBUSY);
    ASSERT_OK(fern_kill(gs[2], 7, FERN_FOREVER));
    ASSERT_EQ(fern_pool_waiting(pool), 2);
    for (int i = 0; i < 4; i++)
        FINISH(gs[i]);
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "a done-a b done-b");
    end_pool();
}

TEST(killing_a_pool_kills_those_who_wait_to_be_started)
{
    pool = fern_pool_new(1);
    fern_greenlet *gs[1000];
    for (int i = 0; i < 1000; i++)
        gs[i] = fern_pool_apply_async(pool, sleep_long, NULL, NULL, NULL);
    ASSERT_OK(fern_go(join_pool, "joined"));
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_pool_kill(pool, 0, FERN_FOREVER));
    ASSERT_EQ(fern_pool_waiting(pool), 0);
    for (int i = 0; i < 1000; i++) {
        ASSERT_TRUE(fern_ready(gs[i]));
        fern_greenlet_unref(gs[i]);
    }
    ASSERT_OK(fern_yield());
    ASSERT_STR_EQ(trace_text, "joined");
    end_pool();
}

/* ---- many ---- */

TEST(a_thousand_spawners_in_a_small_pool_all_get_their_turn)
{
    const int spawners = harness_is_slow() ? 100 : 1000;
    pool = fern_pool_new(7);
    for (int i = 0; i < spawners; i++)
        ASSERT_OK(fern_go(spawn_one, "."));
    ASSERT_OK(fern_yield());
    end_pool();
}

/* ---- misuse ---- */

static void *
use_from_elsewhere(void *g)
{
    fern_outcome outcome;
    ASSERT_ERR(fern_pool_go(pool, say, "a", FERN_FOREVER), -EXDEV);
    ASSERT_NULL(fern_pool_spawn(pool, say, "a", FERN_FOREVER));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_ERR(fern_pool_add(pool, g, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_pool_discard(pool, g), -EXDEV);
    ASSERT_ERR(fern_pool_resize(pool, 2), -EXDEV);
    ASSERT_ERR(fern_pool_join(pool, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_pool_wait_all(pool, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_pool_wait_available(pool, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_pool_kill(pool, 0, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_pool_kill_one(pool, g, 0, FERN_FOREVER), -EXDEV);
    ASSERT_ERR(fern_pool_apply(pool, say, "a", &outcome, FERN_FOREVER), -EXDEV);
    ASSERT_NULL(fern_pool_apply_async(pool, say, "a", NULL, NULL));
    ASSERT_EQ(errno, EXDEV);
    ASSERT_ERR(fern_pool_free(pool), -EXDEV);
    return NULL;
}

TEST(misuse_of_a_pool_answers_with_its_code)
{
    fern_outcome outcome;
    pthread_t thread;
    FERN_SPAWN_OPTIONS(options);
    options.now = true;
    ASSERT_NULL(fern_pool_new((size_t)-2));
    ASSERT_EQ(errno, EINVAL);
    pool = fern_pool_new(1);
    ASSERT_ERR(fern_pool_go(NULL, say, "a", FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_go(pool, NULL, "a", FERN_FOREVER), -EINVAL);
    ASSERT_NULL(fern_pool_spawn_at(pool, say, "a", &options, NULL, FERN_FOREVER));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_ERR(fern_pool_add(pool, NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_discard(NULL, fern_self()), -EINVAL);
    ASSERT_ERR(fern_pool_resize(pool, (size_t)-2), -EINVAL);
    ASSERT_ERR(fern_pool_join(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_wait_all(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_wait_available(NULL, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_kill(NULL, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_kill_one(pool, NULL, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_pool_apply(pool, say, "a", NULL, FERN_FOREVER), -EINVAL);
    ASSERT_NULL(fern_pool_apply_async(NULL, say, "a", NULL, NULL));
    ASSERT_EQ(errno, EINVAL);
    ASSERT_EQ(fern_pool_running(NULL) + fern_pool_waiting(NULL), 0);
    ASSERT_EQ(fern_pool_available(NULL), 0);
    ASSERT_FALSE(fern_pool_full(NULL) || fern_pool_contains(NULL, fern_self()));
    ASSERT_NULL(fern_pool_failed(NULL));
    ASSERT_OK(fern_pool_free(NULL));
    ASSERT_OK(fern_pool_join(pool, FERN_FOREVER));
    ASSERT_OK(fern_pool_apply(pool, say, "a", &outcome, FERN_FOREVER));
    ASSERT_EQ(pthread_create(&thread, NULL, use_from_elsewhere, fern_self()), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    end_pool();
}

TEST(a_pool_at_which_somebody_waits_is_not_freed)
{
    pool = fern_pool_new(1);
    ASSERT_OK(fern_pool_go(pool, doze, (void *)1, FERN_FOREVER));
    ASSERT_OK(fern_go(join_pool, "joined"));
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_pool_free(pool), -EBUSY);
    end_pool();
    ASSERT_OK(fern_yield());
}
