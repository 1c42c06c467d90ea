/* SPDX-License-Identifier: MIT */
/* Killing: who never runs, who fails at which call, who is told, and what is kept of it. */

#include "harness.h"

#include <errno.h>

#include "trace.h"

static void
linked(fern_greenlet *g, void *word)
{
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    trace("%s%s", (const char *)word, outcome.cancelled ? "!" : "");
}

static void *
park(void *word)
{
    int r = fern_park(FERN_FOREVER);
    trace("%s%d", (const char *)word, r);
    return word;
}

static fern_outcome
outcome_of(fern_greenlet *g)
{
    fern_outcome outcome;
    ASSERT_OK(fern_greenlet_outcome(g, &outcome));
    return outcome;
}

/* ---- those that have not run (D 10, B7.3) ---- */

static fern_greenlet *
spawn_one(fern_spawn_options options)
{
    options.size = sizeof options;
    return fern_spawn_with(say, "ran", &options);
}

TEST(a_new_a_started_and_a_delayed_one_never_run_and_their_links_are_called)
{
    fern_greenlet *gs[] = {
            spawn_one((fern_spawn_options){.unstarted = true}),
            spawn_one((fern_spawn_options){.name = "ready"}),
            spawn_one((fern_spawn_options){.delay_ns = FERN_MS}),
    };
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(fern_link(gs[i], linked, "link", FERN_LINK_ANY));
        ASSERT_OK(fern_kill(gs[i], 0, i == 1 ? FERN_NOWAIT : FERN_FOREVER));
        ASSERT_TRUE(fern_ready(gs[i]));
        ASSERT_TRUE(fern_successful(gs[i]));
        ASSERT_EQ(outcome_of(gs[i]).code, -ECANCELED);
        ASSERT_TRUE(outcome_of(gs[i]).cancelled);
        ASSERT_NULL(outcome_of(gs[i]).value);
    }
    ASSERT_OK(fern_sleep(2 * FERN_MS));
    ASSERT_STR_EQ(trace_text, "link! link! link!");
    for (int i = 0; i < 3; i++)
        fern_greenlet_unref(gs[i]);
}

TEST(cancel_start_stops_only_what_has_not_run)
{
    fern_greenlet *g = fern_spawn(say, "never");
    ASSERT_EQ(fern_cancel_start(g), 1);
    ASSERT_EQ(fern_cancel_start(g), 0);
    fern_greenlet_unref(g);
    g = fern_spawn(park, "parked");
    ASSERT_OK(fern_yield());
    ASSERT_EQ(fern_cancel_start(g), 0);
    ASSERT_OK(fern_unpark(g));
    FINISH(g);
    ASSERT_STR_EQ(trace_text, "parked0");
    ASSERT_ERR(fern_cancel_start(NULL), -EINVAL);
    ASSERT_EQ(fern_cancel_start(fern_self()), 0);
}

/* ---- those that run ---- */

TEST(a_parked_one_fails_now_and_its_cleanup_runs_before_the_killer_goes_on)
{
    fern_greenlet *g = fern_spawn(park, "t-exit");
    ASSERT_OK(fern_yield());
    trace("kill");
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    trace("killed");
    ASSERT_STR_EQ(trace_text, "kill t-exit-125 killed");
    ASSERT_TRUE(outcome_of(g).cancelled);
    ASSERT_STR_EQ(outcome_of(g).value, "t-exit");
    fern_greenlet_unref(g);
}

TEST(a_kill_that_does_not_wait_says_whether_it_has_ended)
{
    fern_greenlet *g = fern_spawn(park, "x");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(g, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_STR_EQ(trace_text, "");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_NOWAIT));
    ASSERT_STR_EQ(trace_text, "x-125");
    fern_greenlet_unref(g);
}

static void *
yield_then_park(void *word)
{
    ASSERT_OK(fern_yield());
    trace("%s", (const char *)word);
    return park(word);
}

TEST(one_that_is_ready_runs_on_and_fails_at_its_next_call)
{
    fern_greenlet *g = fern_spawn(yield_then_park, "a");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "a a-125");
    fern_greenlet_unref(g);
}

TEST(a_wake_up_that_came_before_the_kill_has_won)
{
    fern_greenlet *g = fern_spawn(park, "a");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_unpark(g));
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "a0");
    ASSERT_TRUE(outcome_of(g).cancelled);
    fern_greenlet_unref(g);
}

static void *
swallow(void *unused)
{
    trace("%d", fern_sleep(FERN_HOUR));
    trace("%d", fern_sleep(FERN_HOUR));
    trace("%d", fern_cancelling(NULL));
    trace("%d", fern_uncancel());
    trace("%d", fern_sleep(1));
    return unused;
}

TEST(a_swallowed_kill_stays_until_it_is_taken_back)
{
    fern_greenlet *g = fern_spawn(swallow, "value");
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(g, 5, FERN_NOWAIT), -EAGAIN);
    ASSERT_EQ(fern_cancelling(g), 1);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "-125 -125 1 0 0");
    ASSERT_FALSE(outcome_of(g).cancelled);
    ASSERT_EQ(outcome_of(g).code, 0);
    ASSERT_STR_EQ(outcome_of(g).value, "value");
    ASSERT_TRUE(fern_successful(g));
    fern_greenlet_unref(g);
}

static void *
swallow_two(void *unused)
{
    trace("%d", fern_sleep(FERN_HOUR));
    trace("%d", fern_cancelling(NULL));
    trace("%d", fern_uncancel());
    trace("%d", fern_sleep(1));
    return unused;
}

TEST(two_kills_count_as_two_and_the_first_code_is_kept)
{
    fern_greenlet *g = fern_spawn(swallow_two, NULL);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(g, 11, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_kill(g, 22, FERN_NOWAIT), -EAGAIN);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "-125 2 1 -125");
    ASSERT_EQ(outcome_of(g).code, 11);
    ASSERT_OK(fern_kill(g, 33, FERN_FOREVER));
    ASSERT_EQ(outcome_of(g).code, 11);
    fern_greenlet_unref(g);
}

TEST(a_kill_with_a_code_is_no_success_before_and_after_the_start)
{
    fern_greenlet *unrun = fern_spawn(park, "never");
    ASSERT_OK(fern_kill(unrun, 42, FERN_FOREVER));
    fern_greenlet *ran = fern_spawn(park, "x");
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(ran, 42, FERN_FOREVER));
    fern_greenlet *both[] = {unrun, ran};
    for (int i = 0; i < 2; i++) {
        ASSERT_FALSE(fern_successful(both[i]));
        ASSERT_EQ(outcome_of(both[i]).code, 42);
        ASSERT_TRUE(outcome_of(both[i]).cancelled);
        fern_greenlet_unref(both[i]);
    }
}

static void *
stay(void *ms)
{
    fern_scope shield = FERN_SCOPE_INIT;
    ASSERT_OK(fern_shield_start(&shield));
    ASSERT_OK(fern_sleep(*(int *)ms * FERN_MS));
    ASSERT_OK(fern_shield_stop(&shield));
    return ms;
}

TEST(a_kill_waits_no_longer_than_its_deadline_and_the_target_may_survive_it)
{
    int ms = 20;
    fern_greenlet *g = fern_spawn(stay, &ms);
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill(g, 0, fern_in(FERN_MS)), -ETIME);
    ASSERT_FALSE(fern_ready(g));
    FINISH(g);
}

static void *
kill_itself(void *unused)
{
    ASSERT_ERR(fern_kill(fern_self(), 7, FERN_FOREVER), -ECANCELED);
    ASSERT_ERR(fern_kill(fern_self(), 7, FERN_NOWAIT), -ECANCELED);
    ASSERT_EQ(fern_cancelling(NULL), 2);
    ASSERT_ERR(fern_yield(), -ECANCELED);
    fern_scope shield = FERN_SCOPE_INIT;
    ASSERT_OK(fern_shield_start(&shield));
    ASSERT_ERR(fern_kill(fern_self(), 8, FERN_FOREVER), -ECANCELED);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_shield_stop(&shield));
    return unused;
}

TEST(one_may_kill_itself)
{
    fern_greenlet *g = fern_spawn(kill_itself, NULL);
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_EQ(outcome_of(g).code, 7);
    fern_greenlet_unref(g);
}

static void *
kill_main(void *main)
{
    ASSERT_ERR(fern_kill(main, 0, FERN_NOWAIT), -EAGAIN);
    return main;
}

TEST(main_can_be_killed_and_go_on)
{
    fern_greenlet *g = fern_spawn(kill_main, fern_self());
    ASSERT_ERR(fern_sleep(FERN_HOUR), -ECANCELED);
    ASSERT_ERR(fern_join(g, FERN_FOREVER), -ECANCELED);
    ASSERT_OK(fern_join(g, FERN_NOWAIT));
    ASSERT_EQ(fern_uncancel(), 0);
    FINISH(g);
}

/* ---- a killed one's calls (B8) ---- */

static void *
try_everything(void *other)
{
    ASSERT_OK(fern_yield());
    fern_outcome outcome;
    fern_greenlet *all[] = {other};
    ASSERT_ERR(fern_park(FERN_FOREVER), -ECANCELED);
    ASSERT_OK(fern_unpark(fern_self()));
    ASSERT_ERR(fern_park(FERN_FOREVER), -ECANCELED);
    ASSERT_OK(fern_park(FERN_NOWAIT));
    ASSERT_ERR(fern_yield(), -ECANCELED);
    ASSERT_ERR(fern_sleep(0), -ECANCELED);
    ASSERT_ERR(fern_sleep(1), -ECANCELED);
    ASSERT_ERR(fern_sleep_until(fern_in(0)), -ECANCELED);
    ASSERT_ERR(fern_idle(FERN_FOREVER), -ECANCELED);
    ASSERT_ERR(fern_checkpoint(), -ECANCELED);
    ASSERT_TRUE(fern_ready(other));
    ASSERT_ERR(fern_join(other, FERN_FOREVER), -ECANCELED);
    ASSERT_OK(fern_join(other, FERN_NOWAIT));
    ASSERT_ERR(fern_get(other, &outcome, FERN_FOREVER), -ECANCELED);
    ASSERT_OK(fern_get(other, &outcome, FERN_NOWAIT));
    ASSERT_ERR(fern_join_all(all, 1, FERN_FOREVER), -ECANCELED);
    ASSERT_OK(fern_join_all(all, 1, FERN_NOWAIT));
    ASSERT_ERR(fern_kill(other, 0, FERN_FOREVER), -ECANCELED);
    fern_greenlet *raw = fern_raw_new(say, NULL);
    ASSERT_ERR(fern_raw_switch(raw, NULL, NULL), -ECANCELED);
    ASSERT_ERR(fern_raw_throw(raw, -1, NULL), -ECANCELED);
    fern_greenlet_unref(raw);
    trace("tried");
    return other;
}

TEST(a_killed_ones_calls_fail_even_if_they_could_succeed_and_asking_does_not)
{
    fern_greenlet *other = fern_spawn(say, "other");
    ASSERT_OK(fern_join(other, FERN_FOREVER));
    fern_greenlet *g = fern_spawn(try_everything, other);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill(g, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "other tried");
    fern_greenlet_unref(g);
    fern_greenlet_unref(other);
}

/* ---- several, by id, misuse ---- */

TEST(of_several_those_that_have_not_run_never_will_and_the_others_fail_in_order)
{
    fern_greenlet *gs[5];
    static char *words[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++)
        gs[i] = fern_spawn(park, words[i]);
    ASSERT_OK(fern_yield());
    gs[3] = fern_spawn(say, "never");
    gs[4] = gs[0];
    ASSERT_OK(fern_kill_all(gs, 5, 9, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "a-125 b-125 c-125");
    for (int i = 0; i < 4; i++) {
        ASSERT_EQ(outcome_of(gs[i]).code, 9);
        fern_greenlet_unref(gs[i]);
    }
    ASSERT_OK(fern_yield());
}

TEST(of_several_that_will_not_end_in_time_the_killer_is_told)
{
    int ms = 20;
    fern_greenlet *gs[] = {fern_spawn(stay, &ms), fern_spawn(park, "a")};
    ASSERT_OK(fern_yield());
    ASSERT_ERR(fern_kill_all(gs, 2, 0, FERN_NOWAIT), -EAGAIN);
    ASSERT_ERR(fern_kill_all(gs, 2, 0, fern_in(FERN_MS)), -ETIME);
    ASSERT_TRUE(fern_ready(gs[1]));
    FINISH(gs[1]);
    FINISH(gs[0]);
}

TEST(raw_coroutines_may_be_among_several)
{
    fern_greenlet *raw = fern_raw_new(say, NULL);
    fern_greenlet *gs[] = {raw, fern_spawn(park, "a")};
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill_all(gs, 2, 0, FERN_FOREVER));
    ASSERT_STR_EQ(trace_text, "a-125");
    fern_greenlet_unref(gs[0]);
    fern_greenlet_unref(gs[1]);
}

TEST(nothing_is_killed_when_one_of_several_is_wrong)
{
    fern_greenlet *gs[] = {fern_spawn(say, "lives"), NULL};
    ASSERT_ERR(fern_kill_all(gs, 2, 0, FERN_FOREVER), -EINVAL);
    ASSERT_ERR(fern_kill_all(NULL, 2, 0, FERN_FOREVER), -EINVAL);
    ASSERT_OK(fern_kill_all(NULL, 0, 0, FERN_FOREVER));
    FINISH(gs[0]);
    ASSERT_STR_EQ(trace_text, "lives");
    ASSERT_ERR(fern_kill(NULL, 0, FERN_FOREVER), -EINVAL);
}

TEST(a_stale_id_does_no_harm)
{
    ASSERT_ERR(fern_kill_id(4711, 0), -ESRCH);
    fern_greenlet *g = fern_spawn(park, "a");
    uint64_t id = fern_id(g);
    ASSERT_OK(fern_yield());
    ASSERT_OK(fern_kill_id(id, 3));
    ASSERT_OK(fern_join(g, FERN_FOREVER));
    ASSERT_EQ(outcome_of(g).code, 3);
    ASSERT_ERR(fern_kill_id(id, 0), -ESRCH);
    fern_greenlet_unref(g);
    ASSERT_ERR(fern_kill_id(id, 0), -ESRCH);
}
